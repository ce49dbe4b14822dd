//! What the driver tells those who wait: outcomes of letters, replies to questions, the status.
//!
//! Plain data; the lock around it is in `handoff`. Outcomes never wait behind messages. A host either
//! asks for outcomes one by one (they are kept here) or drains them as a stream, or both.

use std::collections::{HashMap, VecDeque};
use std::task::{Context, Poll, ready};

use leveret_protocol::engine::{Reply, Tag};
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::outcome::{Outcome, OutcomeStatus, Status};

use crate::doorbell::Bell;
use crate::handoff::{Rings, Waiters};
use crate::requests::Requests;

/// What a host drains when it takes outcomes as a stream; never behind messages.
#[derive(Clone, Debug)]
pub enum Report {
    /// A letter has its outcome.
    Settled {
        /// Its receipt.
        tag: Tag,
        /// What became of it.
        outcome: Outcome,
    },
    /// A question is answered.
    Reply {
        /// The question's number.
        tag: Tag,
        /// The answer.
        result: Result<Reply, Error>,
    },
    /// The status changed.
    Status(Status),
    /// Reading has paused because the inbox is full, or goes on. While it is paused, a handler that waits
    /// for an outcome or a reply would wait for itself: let that wait fail with `WouldDeadlock`.
    ReadingPaused(bool),
    /// Nothing comes after this: the client is closed. Letters that a host still holds are settled
    /// `closed`; of its questions a close is done, and all others failed with `Closed`.
    End,
}

/// How the outcomes of letters posted with a receipt are kept until they are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Until claimed or forgotten: for hosts whose receipts are objects that say when they go.
    #[default]
    Held,
    /// Of those settled and not claimed, the last 65,536: for hosts whose receipts are plain numbers.
    Recent,
    /// Not at all: for hosts that take the stream of reports.
    Streamed,
}

/// How many settled and unclaimed outcomes are kept under [`Keep::Recent`].
pub const MOST_UNCLAIMED: usize = 65_536;

#[derive(Debug)]
pub(crate) struct Ledger {
    slips: HashMap<Tag, Slip>,
    keep: Keep,
    /// Under [`Keep::Recent`], settled outcomes, oldest first; some may be claimed already.
    recent: VecDeque<Tag>,
    unclaimed: usize,
    status: Status,
    /// How often each status came, by its number.
    times: [u64; 3],
    watchers: Waiters,
    streaming: bool,
    reports: Vec<Report>,
    /// How many of the reports are outcomes.
    unread: usize,
    report_waiters: Waiters,
    bell: Bell,
    /// What waits for responses.
    pub(crate) requests: Requests,
    ended: bool,
}

/// What kind of question waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// One that a host asked.
    Hosts,
    /// One of our own: never streamed.
    Private,
    /// To close: the end of the client is what was asked for, not a failure.
    Close,
}

/// One thing that somebody may wait for.
#[derive(Debug)]
enum Slip {
    Letter(Waiters),
    /// A letter of which the host knows nothing: never streamed, and never one of the recent.
    PrivateLetter(Waiters),
    Question(Waiters, Question),
    Settled(Outcome),
    PrivatelySettled(Outcome),
    Answered(Box<Result<Reply, Error>>),
}

/// The error for an answer that somebody has taken already, or that nobody asked for.
fn no_answer() -> Error {
    Error::new(
        ErrorKind::ReceiptForgotten,
        "the answer to this question is no longer kept",
    )
}

impl Ledger {
    pub(crate) fn new(keep: Keep, requests: Requests) -> Ledger {
        Ledger {
            slips: HashMap::new(),
            keep,
            recent: VecDeque::new(),
            unclaimed: 0,
            status: Status::Offline,
            times: [0; 3],
            watchers: Waiters::default(),
            streaming: keep == Keep::Streamed,
            reports: Vec::new(),
            unread: 0,
            report_waiters: Waiters::default(),
            bell: Bell::None,
            requests,
            ended: false,
        }
    }

    /// Also queues every outcome and reply from now on, or stops doing so.
    pub(crate) fn stream(&mut self, streaming: bool) {
        self.streaming = streaming || self.keep == Keep::Streamed;
    }

    /// Enters a letter whose outcome is wanted, before the driver can know of it.
    pub(crate) fn expect_outcome(&mut self, tag: Tag) {
        if self.keep != Keep::Streamed {
            self.slips.insert(tag, Slip::Letter(Waiters::default()));
        }
    }

    /// Enters a letter of our own, whatever the host keeps.
    pub(crate) fn expect_private_outcome(&mut self, tag: Tag) {
        self.slips
            .insert(tag, Slip::PrivateLetter(Waiters::default()));
    }

    /// Enters a question, before the driver can answer it.
    pub(crate) fn expect_reply(&mut self, tag: Tag, question: Question) {
        if question == Question::Private || self.keep != Keep::Streamed {
            self.slips
                .insert(tag, Slip::Question(Waiters::default(), question));
        }
    }

    /// A letter has its outcome.
    pub(crate) fn settle(&mut self, tag: Tag, outcome: Outcome, rings: &mut Rings) {
        if tag == 0 {
            return;
        }
        if let Some(slip) = self.slips.get_mut(&tag)
            && let Slip::PrivateLetter(waiters) = slip
        {
            waiters.wake_all(rings);
            *slip = Slip::PrivatelySettled(outcome);
            return;
        }
        if self.streaming {
            self.unread += 1;
            self.report(
                Report::Settled {
                    tag,
                    outcome: outcome.clone(),
                },
                rings,
            );
        }
        let Some(slip) = self.slips.get_mut(&tag) else {
            return;
        };
        if let Slip::Letter(waiters) = slip {
            waiters.wake_all(rings);
            *slip = Slip::Settled(outcome);
            if self.keep == Keep::Recent {
                self.remember(tag);
            }
        }
    }

    /// A question is answered.
    pub(crate) fn answer(&mut self, tag: Tag, result: Result<Reply, Error>, rings: &mut Rings) {
        if tag == 0 {
            return;
        }
        match self.slips.get_mut(&tag) {
            Some(slip) => {
                if let Slip::Question(waiters, _) = slip {
                    waiters.wake_all(rings);
                    *slip = Slip::Answered(Box::new(result));
                }
            }
            None if self.streaming => self.report(Report::Reply { tag, result }, rings),
            None => {}
        }
    }

    /// A question needs no more work: it is answered as done.
    pub(crate) fn answer_done(&mut self, tag: Tag, rings: &mut Rings) {
        self.answer(tag, Ok(Reply::Done), rings);
    }

    /// The outcome of a letter, claimed; waits for it.
    pub(crate) fn poll_outcome(
        &mut self,
        tag: Tag,
        context: &Context<'_>,
    ) -> Poll<Result<Outcome, Error>> {
        let outcome = ready!(self.watch_outcome(tag, context))?;
        self.forget(tag);
        Poll::Ready(Ok(outcome))
    }

    /// The outcome of a letter, which stays to be claimed or forgotten; waits for it.
    pub(crate) fn watch_outcome(
        &mut self,
        tag: Tag,
        context: &Context<'_>,
    ) -> Poll<Result<Outcome, Error>> {
        match self.slips.get_mut(&tag) {
            Some(Slip::Letter(waiters) | Slip::PrivateLetter(waiters)) => {
                waiters.add(context);
                Poll::Pending
            }
            Some(Slip::Settled(outcome) | Slip::PrivatelySettled(outcome)) => {
                Poll::Ready(Ok(outcome.clone()))
            }
            _ => Poll::Ready(Err(ErrorKind::ReceiptForgotten.into())),
        }
    }

    /// The answer to a question, claimed; waits for it.
    pub(crate) fn poll_reply(
        &mut self,
        tag: Tag,
        context: &Context<'_>,
    ) -> Poll<Result<Reply, Error>> {
        match self.slips.get_mut(&tag) {
            Some(Slip::Question(waiters, _)) => {
                waiters.add(context);
                Poll::Pending
            }
            Some(Slip::Answered(_)) => match self.slips.remove(&tag) {
                Some(Slip::Answered(result)) => Poll::Ready(*result),
                _ => Poll::Ready(Err(no_answer())),
            },
            _ => Poll::Ready(Err(no_answer())),
        }
    }

    /// Nobody will ask for this outcome or answer.
    pub(crate) fn forget(&mut self, tag: Tag) {
        if matches!(self.slips.remove(&tag), Some(Slip::Settled(_))) {
            self.claimed();
        }
    }

    /// The status changed, or is told for the first time.
    pub(crate) fn set_status(&mut self, status: Status, rings: &mut Rings) {
        self.status = status;
        if let Some(times) = self.times.get_mut(status as usize) {
            *times += 1;
        }
        self.watchers.wake_all(rings);
        if self.streaming {
            self.report(Report::Status(status), rings);
        }
    }

    pub(crate) fn status(&self) -> Status {
        self.status
    }

    /// How often this status came.
    pub(crate) fn times(&self, status: Status) -> u64 {
        self.times.get(status as usize).copied().unwrap_or(0)
    }

    /// Ready when the status is as wanted, or has been since it had come `seen` times. An error once it
    /// cannot come any more.
    pub(crate) fn poll_status(
        &mut self,
        wanted: Status,
        seen: u64,
        context: &Context<'_>,
    ) -> Poll<Result<(), Error>> {
        if self.status == wanted || self.times(wanted) > seen {
            return Poll::Ready(Ok(()));
        }
        if self.ended {
            return Poll::Ready(Err(ErrorKind::Closed.into()));
        }
        self.watchers.add(context);
        Poll::Pending
    }

    /// Tells a draining host whether reading is paused.
    pub(crate) fn reading_paused(&mut self, paused: bool, rings: &mut Rings) {
        if self.streaming {
            self.report(Report::ReadingPaused(paused), rings);
        }
    }

    /// How many outcomes wait to be taken as reports.
    pub(crate) fn unread(&self) -> usize {
        self.unread
    }

    /// Moves all reports to `into`; how many.
    pub(crate) fn take_reports(&mut self, into: &mut Vec<Report>) -> usize {
        let count = self.reports.len();
        self.unread = 0;
        if into.is_empty() {
            std::mem::swap(&mut self.reports, into);
        } else {
            into.append(&mut self.reports);
        }
        count
    }

    /// Like [`Ledger::take_reports`], but waits for the first. An error when none will come any more.
    pub(crate) fn poll_reports(
        &mut self,
        into: &mut Vec<Report>,
        context: &Context<'_>,
    ) -> Poll<Result<usize, Error>> {
        match self.take_reports(into) {
            0 if self.ended => Poll::Ready(Err(ErrorKind::Closed.into())),
            0 => {
                self.report_waiters.add(context);
                Poll::Pending
            }
            count => Poll::Ready(Ok(count)),
        }
    }

    /// Rings `bell` from now on, and at once when reports wait already.
    pub(crate) fn set_bell(&mut self, bell: Bell, rings: &mut Rings) {
        if !self.reports.is_empty() {
            rings.bell(&bell);
        }
        self.bell = bell;
    }

    /// The driver has ended: what is open is settled `closed`, and nothing comes after this.
    pub(crate) fn end(&mut self, rings: &mut Rings) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let open = self
            .slips
            .iter()
            .filter(|(_, slip)| slip.is_open())
            .map(|(&tag, _)| tag);
        let mut open: Vec<Tag> = open.collect();
        open.sort_unstable();
        for tag in open {
            match self.slips.get(&tag) {
                Some(Slip::Question(_, Question::Close)) => self.answer_done(tag, rings),
                Some(Slip::Question(..)) => self.answer(tag, Err(ErrorKind::Closed.into()), rings),
                _ => self.settle(tag, Outcome::new(OutcomeStatus::Closed), rings),
            }
        }
        if self.status != Status::Closed {
            self.set_status(Status::Closed, rings);
        }
        self.watchers.wake_all(rings);
        self.requests.end(rings);
        if self.streaming {
            self.report(Report::End, rings);
        }
        self.report_waiters.wake_all(rings);
    }

    /// How many slips there are, and how many places in the order of the recent ones.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> (usize, usize) {
        (self.slips.len(), self.unclaimed)
    }

    fn report(&mut self, report: Report, rings: &mut Rings) {
        if self.reports.is_empty() {
            rings.bell(&self.bell);
            self.report_waiters.wake_all(rings);
        }
        self.reports.push(report);
    }

    /// Enters a settled outcome among the recent ones; the oldest beyond the limit is forgotten.
    fn remember(&mut self, tag: Tag) {
        self.recent.push_back(tag);
        self.unclaimed += 1;
        while self.unclaimed > MOST_UNCLAIMED {
            let Some(oldest) = self.recent.pop_front() else {
                return;
            };
            if self.slips.remove(&oldest).is_some() {
                self.unclaimed -= 1;
            }
        }
        if self.recent.len() > 2 * MOST_UNCLAIMED {
            self.recent.retain(|tag| self.slips.contains_key(tag));
        }
    }

    fn claimed(&mut self) {
        if self.keep == Keep::Recent {
            self.unclaimed -= 1;
        }
    }
}

impl Slip {
    fn is_open(&self) -> bool {
        matches!(
            self,
            Slip::Letter(_) | Slip::PrivateLetter(_) | Slip::Question(..)
        )
    }
}
