//! How a letter gets into the post office: at once, or after waiting for room.
//!
//! While online a full post office holds the sender up. While offline the overflow rule decides, and only
//! the engine knows which letters may be dropped: the sender asks it for room and waits for the answer,
//! which takes one turn of the driver and no network.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use leveret_protocol::engine::{Command, Reply, Room, SealedLetter, Tag};
use leveret_protocol::error::Error;
use leveret_protocol::options::Overflow;
use leveret_protocol::outcome::{Outcome, OutcomeStatus};
use leveret_protocol::sentence;
use leveret_protocol::time::Instant;

use crate::clock::{self, Alarm};
use crate::handoff::{Rings, block_on};
use crate::ledger::Question;
use crate::outbox::{Full, Outbox};
use crate::runtime;
use crate::shared::Shared;

/// One letter on its way in.
#[derive(Debug)]
pub(crate) struct Posting<'a> {
    shared: &'a Shared,
    letter: &'a SealedLetter<'a>,
    stamp: Instant,
    report: Report,
    /// The question for room that is not answered yet.
    asked: Option<Tag>,
    /// Wakes a sender who is held up when the letter's time to live is over.
    alarm: Option<Alarm>,
}

/// Who asks for the outcome of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    Nobody,
    Host,
    /// A request, which the host does not know as a letter.
    Request,
}

impl From<bool> for Report {
    fn from(report: bool) -> Report {
        if report { Report::Host } else { Report::Nobody }
    }
}

/// What came of one try.
enum Tried {
    Posted(Tag),
    Asked(Tag),
    HeldUp,
}

/// Posts a letter now or fails. Its time to live counts from here. Waits at most for one turn of the driver.
#[inline(always)]
pub(crate) fn post_now(
    shared: &Shared,
    letter: SealedLetter<'_>,
    report: bool,
) -> Result<Tag, Error> {
    shared.check_process()?;
    let stamp = clock::now();
    // Nearly every letter finds room, and needs nothing that has to be kept for a second try.
    match post_if_room(shared, &letter, stamp, report.into())? {
        Some(tag) => Ok(tag),
        None => post_without_room(shared, letter, stamp, report),
    }
}

/// Takes the letter by value, so that it need not lie in memory on the way of all others.
#[cold]
fn post_without_room(
    shared: &Shared,
    letter: SealedLetter<'_>,
    stamp: Instant,
    report: bool,
) -> Result<Tag, Error> {
    Posting::stamped(shared, &letter, stamp, report.into()).now()
}

impl<'a> Posting<'a> {
    /// The time to live of the letter counts from here.
    pub(crate) fn new(
        shared: &'a Shared,
        letter: &'a SealedLetter<'a>,
        report: impl Into<Report>,
    ) -> Posting<'a> {
        Posting::stamped(shared, letter, clock::now(), report.into())
    }

    fn stamped(
        shared: &'a Shared,
        letter: &'a SealedLetter<'a>,
        stamp: Instant,
        report: Report,
    ) -> Posting<'a> {
        Posting {
            shared,
            letter,
            stamp,
            report,
            asked: None,
            alarm: None,
        }
    }

    /// Posts the letter now or fails. Waits at most for one turn of the driver.
    pub(crate) fn now(mut self) -> Result<Tag, Error> {
        self.shared.check_process()?;
        match self.attempt(None)? {
            Tried::Posted(tag) => Ok(tag),
            Tried::HeldUp => Err(full(self.shared)),
            // The runtime's thread would wait for itself.
            Tried::Asked(question) if runtime::on_runtime_thread() => {
                self.shared.forget(question);
                Err(full(self.shared))
            }
            Tried::Asked(question) => {
                self.asked = Some(question);
                block_on(None, |context| match self.poll_once(context) {
                    Poll::Ready(Ok(Tried::Posted(tag))) => Poll::Ready(Ok(tag)),
                    // The link came up meanwhile.
                    Poll::Ready(Ok(_)) => Poll::Ready(Err(full(self.shared))),
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                    Poll::Pending => Poll::Pending,
                })
                .unwrap_or_else(|| Err(full(self.shared)))
            }
        }
    }

    /// Ready once the letter is posted, or refused for good. A letter whose time to live passes while its
    /// sender is held up is accepted with the outcome `expired`.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Tag, Error>> {
        match self.poll_once(context)? {
            Poll::Ready(Tried::Posted(tag)) => return Poll::Ready(Ok(tag)),
            Poll::Ready(_) | Poll::Pending => {}
        }
        let Some(ttl) = self.letter.ttl() else {
            return Poll::Pending;
        };
        let deadline = self.stamp + ttl;
        let alarm = self
            .alarm
            .get_or_insert_with(|| self.shared.machine.clock().alarm());
        ready!(alarm.poll(Some(deadline), context));
        Poll::Ready(self.settle_here(OutcomeStatus::Expired))
    }

    /// Follows up the answer for room, if one is awaited, and tries. `HeldUp` has registered the sender.
    fn poll_once(&mut self, context: &mut Context<'_>) -> Poll<Result<Tried, Error>> {
        loop {
            if let Some(question) = self.asked {
                let answer = ready!(
                    self.shared
                        .ledger
                        .with(|ledger| ledger.poll_reply(question, context))
                );
                self.asked = None;
                let answer = answer?;
                // Letters that were settled while the question was on its way have left room of which the
                // engine knew nothing.
                let (shared, letter) = (self.shared, self.letter);
                if answer != Reply::Room(Room::Made)
                    && let Some(tag) = post_if_room(shared, letter, self.stamp, self.report)?
                {
                    return Poll::Ready(Ok(Tried::Posted(tag)));
                }
                match answer {
                    Reply::Room(Room::NewOneGoes) => {
                        return Poll::Ready(self.discard().map(Tried::Posted));
                    }
                    Reply::Room(Room::Refused) => {
                        return Poll::Ready(Err(full(self.shared)));
                    }
                    // Somebody else may have taken the room that was made: then it is asked for again.
                    _ => {}
                }
            }
            match self.attempt(Some(context))? {
                Tried::Asked(question) => self.asked = Some(question),
                tried => return Poll::Ready(Ok(tried)),
            }
        }
    }

    /// One try, under the outbox's lock: posts, asks for room, or registers a sender who may wait.
    fn attempt(&self, waiter: Option<&Context<'_>>) -> Result<Tried, Error> {
        let cost = self.letter.cost();
        self.shared.outbox.put(|outbox, rings| {
            outbox.check_open()?;
            match outbox.admit(cost) {
                Ok(()) => {
                    let tag = number(self.shared, outbox, self.report);
                    outbox.letters(rings).post(self.letter, self.stamp, tag);
                    Ok(Tried::Posted(tag))
                }
                Err(Full::HeldUp) => {
                    waiter
                        .into_iter()
                        .for_each(|context| outbox.wait_for_room(context));
                    Ok(Tried::HeldUp)
                }
                Err(Full::AskForRoom(_)) if self.letter.overflow() == Overflow::Reject => {
                    Err(full(self.shared))
                }
                Err(Full::AskForRoom(lacking)) => {
                    let reply = outbox.next_tag();
                    self.shared.expect_reply(reply, Question::Private);
                    let (rule, priority) = (self.letter.overflow(), self.letter.priority());
                    outbox.push(
                        Command::MakeRoom {
                            reply,
                            lacking,
                            rule,
                            priority,
                        },
                        rings,
                    )?;
                    Ok(Tried::Asked(reply))
                }
            }
        })
    }

    /// The overflow rule chose the new letter itself: it is accepted and settled `dropped`.
    fn discard(&self) -> Result<Tag, Error> {
        self.shared.outbox.put(|outbox, rings| {
            outbox.check_open()?;
            let tag = number(self.shared, outbox, self.report);
            outbox.push(Command::Discard { tag }, rings)?;
            Ok(tag)
        })
    }

    /// Gives the letter an outcome that the engine never hears of.
    fn settle_here(&self, status: OutcomeStatus) -> Result<Tag, Error> {
        let tag = self.shared.outbox.with(|outbox| {
            outbox.check_open()?;
            outbox.count_outside(status);
            Ok::<_, Error>(number(self.shared, outbox, self.report))
        })?;
        self.shared
            .ledger
            .put(|ledger, rings: &mut Rings| ledger.settle(tag, Outcome::new(status), rings));
        Ok(tag)
    }
}

impl Drop for Posting<'_> {
    fn drop(&mut self) {
        if let Some(question) = self.asked {
            self.shared.forget(question);
        }
    }
}

/// Posts a letter if it fits: its receipt.
#[inline(always)]
fn post_if_room(
    shared: &Shared,
    letter: &SealedLetter<'_>,
    stamp: Instant,
    report: Report,
) -> Result<Option<Tag>, Error> {
    shared.outbox.put(|outbox, rings| {
        outbox.check_open()?;
        if outbox.admit(letter.cost()).is_err() {
            return Ok(None);
        }
        let tag = number(shared, outbox, report);
        outbox.letters(rings).post(letter, stamp, tag);
        Ok(Some(tag))
    })
}

/// The receipt, entered before the driver can settle it; 0 when none is wanted.
#[inline(always)]
fn number(shared: &Shared, outbox: &mut Outbox, report: Report) -> Tag {
    if report == Report::Nobody {
        return 0;
    }
    let tag = outbox.next_tag();
    shared.ledger.with(|ledger| match report {
        Report::Request => ledger.expect_private_outcome(tag),
        _ => ledger.expect_outcome(tag),
    });
    tag
}

/// Posts letters in order under one lock, and falls back to `post` for each where there is no room at once.
/// The receipts are appended to `tags`; at an error they say how many letters were accepted.
pub(crate) fn post_many(
    shared: &Arc<Shared>,
    letters: &[SealedLetter<'_>],
    report: bool,
    tags: &mut Vec<Tag>,
    mut post: impl FnMut(Posting<'_>) -> Result<Tag, Error>,
) -> Result<(), Error> {
    shared.check_process()?;
    let stamp = clock::now();
    let mut rest = letters.iter();
    shared.outbox.put(|outbox, rings| {
        outbox.check_open()?;
        shared.ledger.with(|ledger| {
            while let Some(letter) = rest.as_slice().first() {
                if outbox.admit(letter.cost()).is_err() {
                    break;
                }
                let tag = if report { outbox.next_tag() } else { 0 };
                if report {
                    ledger.expect_outcome(tag);
                }
                outbox.letters(rings).post(letter, stamp, tag);
                tags.push(tag);
                rest.next();
            }
        });
        Ok::<_, Error>(())
    })?;
    for letter in rest {
        let mut posting = Posting::new(shared, letter, report);
        posting.stamp = stamp;
        tags.push(post(posting)?);
    }
    Ok(())
}

/// The refusal of a letter for which there is no room.
fn full(shared: &Shared) -> Error {
    let options = &shared.options;
    sentence::queue_full(
        shared.dialect,
        options.max_queued_messages,
        options.max_queued_bytes,
    )
}
