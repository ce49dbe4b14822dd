//! What callers hand to the driver: letters and commands in one batch, and the room that is left for more.
//!
//! Plain data; the lock around it is in `handoff`. The budget and the batch are behind one lock, so that
//! what is counted as queued is exact the moment `publish` returned.

use std::task::{Context, Poll, Waker};

use leveret_protocol::engine::{Batch, Budget, Command, Cost, EngineStats, Tag};
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::outcome::{OutcomeStatus, Status};

use crate::handoff::{Rings, Waiters};

/// A host with an event loop takes its reports when the loop turns: however small the post office is, the
/// overflow rule must not be held up by the outcomes of letters that were posted within one turn.
pub(crate) const LEAST_UNREAD: usize = 100_000;

#[derive(Debug)]
pub(crate) struct Outbox {
    batch: Batch,
    budget: Budget,
    last_tag: Tag,
    stage: Stage,
    /// What was in the batch when the client was told to begin to connect, until the driver knows.
    start: Option<Batch>,
    /// What the engine counted after the driver's last turn.
    engine: EngineStats,
    /// The driver, while it waits for something to do.
    driver: Option<Waker>,
    /// Senders who wait for room.
    senders: Waiters,
    /// The largest cost refused since there last was room for it.
    refused: Cost,
    /// Outcomes that the engine never heard of, by the number of their status.
    outside: [u64; 9],
    /// Reports made and not yet taken by the host; for a moment less than none, when they were taken
    /// before they were counted.
    unread: i64,
}

/// Whether a client takes letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It does. Next: `Closing` (close was asked for), `Closed` (the driver ended).
    Open,
    /// It does not, but the driver still works. Next: `Closed` (the driver ended).
    Closing,
    /// Nobody works on anything.
    Closed,
}

/// What the driver finds when it looks.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The client shall begin to connect, after these letters and commands.
    pub(crate) start: Option<Batch>,
}

/// How a letter that does not fit is to be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// Online, or too many outcomes wait to be taken: the sender is held up.
    HeldUp,
    /// Offline: the overflow rule decides, and this much is lacking.
    AskForRoom(Cost),
}

impl Outbox {
    pub(crate) fn new(limit: Cost, engine: EngineStats) -> Outbox {
        Outbox {
            batch: Batch::default(),
            budget: Budget::new(limit),
            last_tag: 0,
            stage: Stage::Open,
            start: None,
            engine,
            driver: None,
            senders: Waiters::default(),
            refused: Cost::ZERO,
            outside: [0; 9],
            unread: 0,
        }
    }

    /// The next number of a receipt or a reply.
    pub(crate) fn next_tag(&mut self) -> Tag {
        self.last_tag += 1;
        self.last_tag
    }

    /// An error unless letters are taken.
    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.stage == Stage::Open {
            Ok(())
        } else {
            Err(ErrorKind::Closed.into())
        }
    }

    /// Takes room for a letter, or says why there is none.
    #[inline(always)]
    pub(crate) fn admit(&mut self, cost: Cost) -> Result<(), Full> {
        let unread = self.has_unread_reports();
        if !unread && self.budget.try_take(cost) {
            return Ok(());
        }
        if unread || self.engine.status == Status::Online {
            self.refused.messages = self.refused.messages.max(cost.messages);
            self.refused.bytes = self.refused.bytes.max(cost.bytes);
            return Err(Full::HeldUp);
        }
        Err(Full::AskForRoom(self.budget.free().lacking(cost)))
    }

    /// The batch to add a letter to, after [`Outbox::admit`].
    #[inline(always)]
    pub(crate) fn letters(&mut self, rings: &mut Rings) -> &mut Batch {
        self.wake_driver(rings);
        &mut self.batch
    }

    /// Counts a letter that was settled without the engine.
    pub(crate) fn count_outside(&mut self, status: OutcomeStatus) {
        self.outside
            .get_mut(status as usize)
            .into_iter()
            .for_each(|count| *count += 1);
    }

    /// Adds a command. An error when nobody works on commands any more.
    pub(crate) fn push(&mut self, command: Command, rings: &mut Rings) -> Result<(), Error> {
        if self.stage == Stage::Closed {
            return Err(ErrorKind::Closed.into());
        }
        self.batch.push(command);
        self.wake_driver(rings);
        Ok(())
    }

    /// Lets the client begin to connect.
    pub(crate) fn start(&mut self, rings: &mut Rings) {
        if self.start.is_none() {
            self.start = Some(std::mem::take(&mut self.batch));
        }
        self.wake_driver(rings);
    }

    /// Takes no letters from now on; senders who wait are told.
    pub(crate) fn begin_close(&mut self, rings: &mut Rings) {
        if self.stage == Stage::Open {
            self.stage = Stage::Closing;
        }
        self.senders.wake_all(rings);
    }

    /// The driver has ended: nothing is taken and nothing is owed any more.
    pub(crate) fn end(&mut self, rings: &mut Rings) {
        self.stage = Stage::Closed;
        self.engine.status = Status::Closed;
        self.engine.in_flight = Cost::ZERO;
        self.batch = Batch::default();
        self.start = None;
        self.budget = Budget::new(self.budget.limit());
        self.senders.wake_all(rings);
    }

    /// Swaps the batch for the driver's empty one. Pending when there is nothing to do.
    pub(crate) fn poll_take(&mut self, spare: &mut Batch, context: &Context<'_>) -> Poll<Taken> {
        let start = self.start.take();
        if self.batch.is_empty() && start.is_none() {
            self.driver = Some(context.waker().clone());
            return Poll::Pending;
        }
        self.driver = None;
        std::mem::swap(&mut self.batch, spare);
        Poll::Ready(Taken { start })
    }

    /// After a turn of the driver: room given back, and what the engine counts now.
    pub(crate) fn settle(&mut self, given_back: Cost, engine: EngineStats, rings: &mut Rings) {
        self.budget.give_back(given_back);
        let link_dropped = self.engine.status == Status::Online && engine.status != Status::Online;
        self.engine = engine;
        if link_dropped || given_back != Cost::ZERO {
            self.wake_senders(rings);
        }
    }

    /// The driver made this many reports.
    pub(crate) fn reports_made(&mut self, count: usize) {
        self.unread += i64::try_from(count).unwrap_or(i64::MAX);
    }

    /// The host took this many reports.
    pub(crate) fn reports_taken(&mut self, count: usize, rings: &mut Rings) {
        self.unread -= i64::try_from(count).unwrap_or(i64::MAX);
        self.wake_senders(rings);
    }

    /// Whether as many outcomes wait to be taken by the host as letters may wait to be sent, and
    /// [`LEAST_UNREAD`]. No more letters are taken then, so that a host that does not look is bounded too.
    pub(crate) fn has_unread_reports(&self) -> bool {
        let most = LEAST_UNREAD.max(self.budget.limit().messages as usize);
        usize::try_from(self.unread).is_ok_and(|unread| unread >= most)
    }

    /// Ready once a letter like those refused would be taken, or its sender would get another answer.
    pub(crate) fn poll_writable(&mut self, context: &Context<'_>) -> Poll<Result<(), Error>> {
        self.check_open()?;
        if !self.is_held_up() {
            self.refused = Cost::ZERO;
            return Poll::Ready(Ok(()));
        }
        self.wait_for_room(context);
        Poll::Pending
    }

    /// Wakes a sender when it is worth its while to try again.
    pub(crate) fn wait_for_room(&mut self, context: &Context<'_>) {
        self.senders.add(context);
    }

    /// What the engine counted after the driver's last turn.
    pub(crate) fn engine(&self) -> &EngineStats {
        &self.engine
    }

    /// Outcomes by the number of their status.
    pub(crate) fn outcomes(&self) -> [u64; 9] {
        std::array::from_fn(|status| {
            let counted = [&self.engine.outcomes, &self.outside];
            counted
                .into_iter()
                .filter_map(|counts| counts.get(status))
                .sum()
        })
    }

    /// Letters accepted and not yet settled.
    pub(crate) fn used(&self) -> Cost {
        self.budget.used()
    }

    fn is_held_up(&self) -> bool {
        let least = if self.refused == Cost::ZERO {
            Cost::of_letter(0)
        } else {
            self.refused
        };
        let full = self.engine.status == Status::Online && !self.budget.free().covers(least);
        full || self.has_unread_reports()
    }

    fn wake_senders(&mut self, rings: &mut Rings) {
        if !self.is_held_up() {
            self.senders.wake_all(rings);
        }
    }

    #[inline(always)]
    fn wake_driver(&mut self, rings: &mut Rings) {
        if let Some(driver) = self.driver.take() {
            rings.wake(driver);
        }
    }
}
