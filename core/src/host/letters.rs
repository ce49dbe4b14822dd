//! A host's client: posting letters, taking them back, asking where they are.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use leveret_protocol::engine::{Command, Publish, SealedLetter, Tag};
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
    #[inline(always)]
    pub fn publish(&self, letter: Publish<'_>, report: bool) -> Result<Tag, Error> {
        let shared = self.shared();
        let letter = letter.seal(&shared.options, shared.dialect)?;
        posting::post_now(shared, letter, report)
    }

    /// Like [`Client::publish`], but waits for room, at most until the letter's time to live is over, which
    /// then is its outcome. Blocks the thread. While it waits, `go_on` is asked ten times a second, so that a
    /// host can look after its signals; once that says no, the letter is not posted.
    ///
    /// # Errors
    /// As [`Client::publish`]; `Cancelled` where `go_on` said no; `WouldDeadlock` inside a handler while
    /// nothing is read.
    pub fn publish_waiting(
        &self,
        letter: Publish<'_>,
        report: bool,
        mut go_on: impl FnMut() -> bool,
    ) -> Result<Tag, Error> {
        let shared = self.shared();
        let letter = letter.seal(&shared.options, shared.dialect)?;
        let mut posting = Posting::new(shared, &letter, report);
        scope::wait_while(shared, &mut go_on, |context| posting.poll(context))
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
        let sealed = self.seal_all(letters)?;
        posting::post_many(self.shared(), &sealed, report, tags, |posting| {
            posting.now()
        })
    }

    /// Like [`Client::publish_many`], but waits for room as [`Client::publish_waiting`] does. The times to
    /// live of all letters count from here.
    ///
    /// # Errors
    /// As [`Client::publish_many`] and [`Client::publish_waiting`].
    pub fn publish_many_waiting(
        &self,
        letters: &[Publish<'_>],
        report: bool,
        tags: &mut Vec<Tag>,
        mut go_on: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        let shared = self.shared();
        let sealed = self.seal_all(letters)?;
        posting::post_many(shared, &sealed, report, tags, |mut posting| {
            scope::wait_while(shared, &mut go_on, |context| posting.poll(context))
        })
    }

    fn seal_all<'a>(&self, letters: &[Publish<'a>]) -> Result<Vec<SealedLetter<'a>>, Error> {
        let shared = self.shared();
        let seal = |letter: &Publish<'a>| letter.clone().seal(&shared.options, shared.dialect);
        letters.iter().map(seal).collect()
    }

    /// Blocks until there is room for a letter like those refused last, or its sender would be told
    /// something else than `QueueFull`.
    ///
    /// # Errors
    /// `TimedOut`, `WouldDeadlock`, `Closed`, `Forked`.
    pub fn wait_writable(&self, timeout: Option<Duration>) -> Result<(), Error> {
        scope::wait_for_room(self.shared(), timeout, |context| {
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

    /// Takes a letter back. The answer is [`Reply::Cancelled`](crate::host::Reply::Cancelled): whether it was still there.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn cancel(&self, receipt: Tag) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Cancel {
            tag: receipt,
            reply,
        })
    }

    /// Asks where a letter is and why. The answer is [`Reply::Explained`](crate::host::Reply::Explained).
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn explain(&self, receipt: Tag) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Explain {
            tag: receipt,
            reply,
        })
    }

    /// Asks to be told when every letter posted before has its outcome. The answer is [`Reply::Done`](crate::host::Reply::Done).
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn flush(&self) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Flush { reply })
    }
}
