//! A host's client: outcomes of letters, answers to questions, the status, the counters.

use std::task::{Context, Poll};
use std::time::Duration;

use leveret_protocol::engine::{Reply, Tag};
use leveret_protocol::error::Error;
use leveret_protocol::outcome::{Outcome, Status};

use super::Client;
use crate::ledger::Report;
use crate::scope::{self, For};
use crate::stats::Stats;

/// Outcomes, answers, status.
impl Client {
    /// Blocks until a letter has its outcome, and claims it.
    ///
    /// # Errors
    /// `ReceiptForgotten` for one that was claimed, is no longer kept, or was never given out. `TimedOut`,
    /// `WouldDeadlock`, `Forked`.
    pub fn wait_receipt(&self, receipt: Tag, timeout: Option<Duration>) -> Result<Outcome, Error> {
        scope::wait(self.shared(), For::Outcome(receipt), timeout, |context| {
            self.poll_receipt(receipt, context)
        })
    }

    /// [`Client::wait_receipt`] for hosts with wakers.
    pub fn poll_receipt(
        &self,
        receipt: Tag,
        context: &mut Context<'_>,
    ) -> Poll<Result<Outcome, Error>> {
        self.shared().check_process()?;
        self.shared()
            .ledger
            .with(|ledger| ledger.poll_outcome(receipt, context))
    }

    /// [`Client::wait_receipt`] without claiming it, for hosts whose receipts several threads may wait for:
    /// each gets the outcome, until it is [forgotten](Client::forget).
    ///
    /// # Errors
    /// As [`Client::wait_receipt`].
    pub fn watch_receipt(&self, receipt: Tag, timeout: Option<Duration>) -> Result<Outcome, Error> {
        scope::wait(self.shared(), For::Outcome(receipt), timeout, |context| {
            self.poll_watch_receipt(receipt, context)
        })
    }

    /// [`Client::watch_receipt`] for hosts with wakers.
    pub fn poll_watch_receipt(
        &self,
        receipt: Tag,
        context: &mut Context<'_>,
    ) -> Poll<Result<Outcome, Error>> {
        self.shared().check_process()?;
        self.shared()
            .ledger
            .with(|ledger| ledger.watch_outcome(receipt, context))
    }

    /// Nobody will ask for this receipt or answer.
    pub fn forget(&self, tag: Tag) {
        self.shared().forget(tag);
    }

    /// Blocks until a question is answered, and claims the answer.
    ///
    /// # Errors
    /// What the answer says; `ReceiptForgotten` for a question that was answered to somebody, or never
    /// asked; `TimedOut`, `WouldDeadlock`, `Forked`.
    pub fn wait_reply(&self, question: Tag, timeout: Option<Duration>) -> Result<Reply, Error> {
        scope::wait(self.shared(), For::Broker, timeout, |context| {
            self.poll_reply(question, context)
        })
    }

    /// [`Client::wait_reply`] for what the driver answers without the network, [`Client::cancel`] and
    /// [`Client::explain`]: takes one turn of the driver, also inside a handler while nothing is read.
    ///
    /// # Errors
    /// As [`Client::wait_reply`], but for `TimedOut`; `WouldDeadlock` on the runtime's thread alone.
    pub fn wait_answer(&self, question: Tag) -> Result<Reply, Error> {
        scope::wait_for_driver(self.shared(), |context| self.poll_reply(question, context))
    }

    /// [`Client::wait_reply`] for hosts with wakers.
    pub fn poll_reply(
        &self,
        question: Tag,
        context: &mut Context<'_>,
    ) -> Poll<Result<Reply, Error>> {
        self.shared().check_process()?;
        self.shared()
            .ledger
            .with(|ledger| ledger.poll_reply(question, context))
    }

    /// Moves all reports to `into`; how many. Reports are made under [`Keep::Streamed`](crate::host::Keep)
    /// and after [`Client::stream_reports`]. A host that leaves as many outcomes lying as the post office
    /// holds letters (`max_queued_messages`), and 100 000, gets `QueueFull` until it takes them.
    pub fn take_reports(&self, into: &mut Vec<Report>) -> usize {
        if self.shared().is_forked() {
            return 0;
        }
        let before = into.len();
        let count = self
            .shared()
            .ledger
            .with(|ledger| ledger.take_reports(into));
        self.taken(into.iter().skip(before));
        count
    }

    /// [`Client::take_reports`] that waits for the first, for hosts with wakers.
    ///
    /// # Errors
    /// `Closed` when the client is closed and all were taken; `Forked`.
    pub fn poll_reports(
        &self,
        into: &mut Vec<Report>,
        context: &mut Context<'_>,
    ) -> Poll<Result<usize, Error>> {
        self.shared().check_process()?;
        let before = into.len();
        let polled = self
            .shared()
            .ledger
            .with(|ledger| ledger.poll_reports(into, context));
        self.taken(into.iter().skip(before));
        polled
    }

    /// Outcomes alone count: a host's own questions and what happens to the connection refuse no letter.
    fn taken<'a>(&self, reports: impl Iterator<Item = &'a Report>) {
        let count = reports
            .filter(|report| matches!(report, Report::Settled { .. }))
            .count();
        if count > 0 {
            self.shared()
                .outbox
                .put(|outbox, rings| outbox.reports_taken(count, rings));
        }
    }

    /// Also reports every outcome as it comes, beside keeping it; or stops doing so.
    pub fn stream_reports(&self, streaming: bool) {
        if !self.shared().is_forked() {
            self.shared().ledger.with(|ledger| ledger.stream(streaming));
        }
    }

    /// Whether the client is connected. A client of the parent process is closed in a forked child.
    pub fn status(&self) -> Status {
        if self.shared().is_forked() {
            return Status::Closed;
        }
        self.shared().ledger.with(|ledger| ledger.status())
    }

    /// How often a status came so far: where a wait for it begins.
    pub fn status_count(&self, status: Status) -> u64 {
        if self.shared().is_forked() {
            return 0;
        }
        self.shared().ledger.with(|ledger| ledger.times(status))
    }

    /// Blocks until the status is as wanted, or was so at some moment of the wait.
    ///
    /// # Errors
    /// `Closed` when it cannot come any more; `TimedOut`, `WouldDeadlock`, `Forked`.
    pub fn wait_status(&self, wanted: Status, timeout: Option<Duration>) -> Result<(), Error> {
        self.wait_status_since(wanted, self.status_count(wanted), timeout)
    }

    /// [`Client::wait_status`] that began when [`Client::status_count`] was `seen`: for a wait in slices.
    ///
    /// # Errors
    /// As [`Client::wait_status`].
    pub fn wait_status_since(
        &self,
        wanted: Status,
        seen: u64,
        timeout: Option<Duration>,
    ) -> Result<(), Error> {
        scope::wait(self.shared(), For::Status(wanted), timeout, |context| {
            self.poll_status(wanted, seen, context)
        })
    }

    /// [`Client::wait_status`] for hosts with wakers; `seen` is [`Client::status_count`] at the beginning.
    pub fn poll_status(
        &self,
        wanted: Status,
        seen: u64,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        self.shared().check_process()?;
        self.shared()
            .ledger
            .with(|ledger| ledger.poll_status(wanted, seen, context))
    }

    /// A copy of the counters; all zero in a forked child, where the client is closed.
    pub fn stats(&self) -> Stats {
        if self.shared().is_forked() {
            return Stats::default();
        }
        let stats = self.shared().outbox.with(|outbox| Stats::of(outbox));
        self.shared().inbox.with(|inbox| stats.with_inbox(inbox))
    }
}
