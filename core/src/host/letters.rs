//! A host's client: posting letters, taking them back, asking where they are.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use leveret_protocol::engine::{Command, Publish, Tag};
use leveret_protocol::error::Error;

use super::Client;
use crate::posting::{self, Posting};
use crate::scope;

/// Letters.
impl Client {
    /// Posts a letter at once: its receipt, or 0 if `report` is off. Its time to live counts from here.
    ///
    /// # Errors
    /// `InvalidArgument` for what no broker could take. `QueueFull` when the post office is full and the
    /// overflow rule drops nothing for it, or while online: then wait for room. `Closed`, `Forked`.
    pub fn publish(&self, letter: Publish<'_>, report: bool) -> Result<Tag, Error> {
        let shared = self.shared();
        let letter = letter.seal(&shared.options, shared.dialect)?;
        Posting::new(shared, &letter, report).now()
    }

    /// Like [`Client::publish`], but waits for room, at most until the letter's time to live is over, which
    /// then is its outcome. Blocks the thread.
    ///
    /// # Errors
    /// As [`Client::publish`]; `WouldDeadlock` inside a handler while nothing is read.
    pub fn publish_waiting(&self, letter: Publish<'_>, report: bool) -> Result<Tag, Error> {
        let shared = self.shared();
        let letter = letter.seal(&shared.options, shared.dialect)?;
        let mut posting = Posting::new(shared, &letter, report);
        scope::wait(shared, None, |context| posting.poll(context))
    }

    /// Like [`Client::publish_waiting`], without blocking a thread.
    pub(crate) async fn publish_when_room(
        &self,
        letter: Publish<'_>,
        report: bool,
    ) -> Result<Tag, Error> {
        let shared = self.shared();
        shared.check_process()?;
        let letter = letter.seal(&shared.options, shared.dialect)?;
        let mut posting = Posting::new(shared, &letter, report);
        poll_fn(|context| posting.poll(context)).await
    }

    /// Posts letters in order, with one lock where there is room for all. Their receipts, or zeros, are
    /// appended to `tags`; at an error they say how many letters were accepted: the first ones.
    ///
    /// # Errors
    /// As [`Client::publish`]; a letter that is not valid stops all before any is posted.
    pub fn publish_many(
        &self,
        letters: &[Publish<'_>],
        report: bool,
        tags: &mut Vec<Tag>,
    ) -> Result<(), Error> {
        let shared = self.shared();
        let sealed: Result<Vec<_>, Error> = letters
            .iter()
            .map(|letter| letter.clone().seal(&shared.options, shared.dialect))
            .collect();
        posting::post_many(shared, &sealed?, report, tags)
    }

    /// Blocks until there is room for a letter like those refused last, or its sender would be told
    /// something else than `QueueFull`.
    ///
    /// # Errors
    /// `TimedOut`, `WouldDeadlock`, `Closed`, `Forked`.
    pub fn wait_writable(&self, timeout: Option<Duration>) -> Result<(), Error> {
        scope::wait(self.shared(), timeout, |context| {
            self.poll_writable(context)
        })
    }

    /// [`Client::wait_writable`] for hosts with wakers.
    pub fn poll_writable(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared().check_process()?;
        self.shared()
            .outbox
            .with(|outbox| outbox.poll_writable(context))
    }

    /// Takes a letter back. The answer is [`Reply::Cancelled`]: whether it was still there.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn cancel(&self, receipt: Tag) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Cancel {
            tag: receipt,
            reply,
        })
    }

    /// Asks where a letter is and why. The answer is [`Reply::Explained`].
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn explain(&self, receipt: Tag) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Explain {
            tag: receipt,
            reply,
        })
    }

    /// Asks to be told when every letter posted before has its outcome. The answer is [`Reply::Done`].
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn flush(&self) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Flush { reply })
    }
}
