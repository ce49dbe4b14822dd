//! What language bindings stand on: one client with everything a host needs and no opinion on how hosts wait.
//!
//! Documented, and exempt from semantic versioning: it moves with the bindings. Rust programs use
//! [`leveret::Client`](crate::Client).
//!
//! # How a host uses it
//!
//! * **Calls** never wait for the network, but for those named `wait_…`, which block the calling thread.
//!   Each has a `poll_…` twin for hosts with wakers, and hosts with an event loop take [`Report`]s.
//! * **Receipts and questions** are numbers ([`Tag`]). A receipt's outcome is claimed with
//!   [`Client::wait_receipt`], a question's answer with [`Client::wait_reply`]; or both are drained with
//!   [`Client::take_reports`].
//! * **Messages and news** are taken from queues with [`Client::take`]. A [`Bell`] rings when an empty
//!   queue, or the empty list of reports, gets its first element. Take until a queue is empty.
//! * **Handlers** are called by the host, one after another per client, inside a [`Client::handler_scope`].
//!   After the last handler of a message the host calls [`Client::done`], which acknowledges it.
//! * **Errors** are sentences made here, so that they are the same in every language; [`Dialect`] says how
//!   options are spelled in them.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use leveret_protocol::engine::{Command, Engine, Subscribe, SubscribeEntry, Unsubscribe};
use leveret_protocol::topic::validate_topic_filter;

use crate::driver::Driver;
use crate::net::url::{Address, Credentials};
use crate::posting::{self, Posting};
use crate::runtime::Machine;
use crate::scope;
use crate::shared::{CloseRequest, Shared};

pub use leveret_protocol::engine::{
    AckToken, Answers, ConnectionEvent, Explanation, Notice, Payload, Publish, Reply, Tag,
};
pub use leveret_protocol::error::{Error, ErrorClass, ErrorKind};
pub use leveret_protocol::message::{Message, QoS};
pub use leveret_protocol::options::{self, ClientOptions, PublishOptions, SubscribeOptions};
pub use leveret_protocol::outcome::{Outcome, OutcomeStatus, Status, SubscriptionState};
pub use leveret_protocol::reason::ReasonCode;
pub use leveret_protocol::sentence::{self, Dialect};
pub use leveret_protocol::time::Instant;

pub use crate::dispatch::Strand;
pub use crate::doorbell::Bell;
pub use crate::inbox::{Arrival, Delivery, News, QueueId};
pub use crate::ledger::{Keep, MOST_UNCLAIMED, Report};
pub use crate::routes::{General, Handlers, Target};
pub use crate::runtime::on_runtime_thread;
pub use crate::scope::HandlerScope;
pub use crate::stats::Stats;
#[cfg(unix)]
pub use leveret_sys::WakeDescriptor;

/// How a host wants its client to be.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How options are spelled in error sentences.
    pub dialect: Dialect,
    /// How outcomes of letters posted with a receipt are kept until they are claimed.
    pub keep: Keep,
    /// Whether the client begins to connect at once. Otherwise [`Client::start`] lets it; until then it is
    /// offline and takes letters and subscriptions.
    pub autostart: bool,
}

/// One client. A clone is another handle to the same one; when the last goes, the client closes in the
/// background, and receipts that are still held settle.
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
}

/// What the handles of a client own together: the duty to close it.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Client {
    /// A client of the broker at `urls`, which are tried in turn. Starts the background runtime if this is
    /// the first client.
    ///
    /// # Errors
    /// For a URL or an option that is not valid, and when the system has no thread or descriptor left.
    pub fn new(urls: &[&str], options: ClientOptions, setup: Setup) -> Result<Client, Error> {
        let (addresses, options) = read_urls(urls, options)?;
        options.check(setup.dialect)?;
        let machine = Machine::get()?;
        let engine = Engine::new(options.clone(), addresses.len(), seed());
        let counted = engine.stats(crate::clock::now());
        let shared = Shared::new(options, setup.dialect, setup.keep, counted, Arc::clone(&machine));
        let shared = Arc::new(shared);
        machine.spawn(Driver::new(Arc::clone(&shared), engine, addresses).run());
        let client = Client { handle: Arc::new(Handle { shared }) };
        if setup.autostart {
            client.start()?;
        }
        Ok(client)
    }

    /// Lets a client that was made without `autostart` begin to connect. Once more does nothing.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn start(&self) -> Result<(), Error> {
        self.shared().check_process()?;
        self.shared().outbox.put(|outbox, rings| {
            outbox.check_open()?;
            outbox.start(rings);
            Ok(())
        })
    }

    /// The options in force: as given, with user name and password from the URL.
    pub fn options(&self) -> &ClientOptions {
        &self.shared().options
    }
}

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
    pub(crate) async fn publish_when_room(&self, letter: Publish<'_>, report: bool) -> Result<Tag, Error> {
        let shared = self.shared();
        shared.check_process()?;
        let letter = letter.seal(&shared.options, shared.dialect)?;
        let mut posting = Posting::new(shared, &letter, report);
        std::future::poll_fn(|context| posting.poll(context)).await
    }

    /// Posts letters in order, with one lock where there is room for all. Their receipts, or zeros, are
    /// appended to `tags`; at an error they say how many letters were accepted: the first ones.
    ///
    /// # Errors
    /// As [`Client::publish`]; a letter that is not valid stops all before any is posted.
    pub fn publish_many(&self, letters: &[Publish<'_>], report: bool, tags: &mut Vec<Tag>) -> Result<(), Error> {
        let shared = self.shared();
        let sealed: Result<Vec<_>, Error> =
            letters.iter().map(|letter| letter.clone().seal(&shared.options, shared.dialect)).collect();
        posting::post_many(shared, &sealed?, report, tags)
    }

    /// Blocks until there is room for a letter like those refused last, or its sender would be told
    /// something else than `QueueFull`.
    ///
    /// # Errors
    /// `TimedOut`, `WouldDeadlock`, `Closed`, `Forked`.
    pub fn wait_writable(&self, timeout: Option<Duration>) -> Result<(), Error> {
        scope::wait(self.shared(), timeout, |context| self.poll_writable(context))
    }

    /// [`Client::wait_writable`] for hosts with wakers.
    pub fn poll_writable(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared().check_process()?;
        self.shared().outbox.with(|outbox| outbox.poll_writable(context))
    }

    /// Takes a letter back. The answer is [`Reply::Cancelled`]: whether it was still there.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn cancel(&self, receipt: Tag) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Cancel { tag: receipt, reply })
    }

    /// Asks where a letter is and why. The answer is [`Reply::Explained`].
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn explain(&self, receipt: Tag) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Explain { tag: receipt, reply })
    }

    /// Asks to be told when every letter posted before has its outcome. The answer is [`Reply::Done`].
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn flush(&self) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Flush { reply })
    }
}

/// Subscriptions and messages.
impl Client {
    /// Declares topic filters, whose messages go to `target` from now on. The answer is
    /// [`Reply::Subscribed`]; where the broker refused, the target is taken away again.
    ///
    /// # Errors
    /// `InvalidArgument` for a filter that is not valid, `Closed`, `Forked`.
    pub fn subscribe(&self, filters: &[(&str, SubscribeOptions)], target: Target) -> Result<Tag, Error> {
        let shared = self.shared();
        shared.check_process()?;
        if filters.is_empty() {
            return Err(Error::invalid("filters must have at least 1 topic filter, but there is none"));
        }
        for (filter, options) in filters {
            options.check(filter, shared.dialect)?;
        }
        let tag = shared.outbox.with(|outbox| {
            outbox.check_open()?;
            let tag = outbox.next_tag();
            shared.expect_reply(tag, false);
            Ok::<_, Error>(tag)
        })?;
        let names = filters.iter().map(|(filter, _)| *filter);
        let ids = shared.inbox.with(|inbox| inbox.routes.declare(tag, names, target))?;
        let entries = ids.into_iter().zip(filters).map(|(id, (filter, options))| SubscribeEntry {
            id,
            filter: (*filter).into(),
            options: options.clone(),
        });
        let command = Command::Subscribe(Box::new(Subscribe { reply: tag, entries: entries.collect() }));
        shared.outbox.put(|outbox, rings| outbox.push(command, rings)).inspect_err(|_| shared.forget(tag))?;
        Ok(tag)
    }

    /// Takes topic filters back, from all their targets. The answer is [`Reply::Unsubscribed`].
    ///
    /// # Errors
    /// `InvalidArgument` for a filter that is not valid, `Closed`, `Forked`.
    pub fn unsubscribe(&self, filters: &[&str]) -> Result<Tag, Error> {
        let shared = self.shared();
        shared.check_process()?;
        if filters.is_empty() {
            return Err(Error::invalid("filters must have at least 1 topic filter, but there is none"));
        }
        for filter in filters {
            validate_topic_filter(filter).map_err(|error| sentence::topic("topic filter", filter, error))?;
        }
        shared.inbox.with(|inbox| filters.iter().for_each(|filter| inbox.routes.forget(filter)));
        let filters = filters.iter().map(|filter| (*filter).into()).collect();
        shared.ask(|reply| Command::Unsubscribe(Box::new(Unsubscribe { reply, filters, user_properties: Vec::new() })))
    }

    /// Takes a target away from all filters, when its handler or iterator is gone. The filters that nobody
    /// else takes are unsubscribed if `unsubscribe`; else they stay declared: their QoS 0 messages are
    /// counted as unhandled, those of QoS 1 and 2 stay with the broker.
    pub fn release(&self, target: Target, unsubscribe: bool) {
        let shared = self.shared();
        if shared.is_forked() {
            return;
        }
        let left_alone = shared.inbox.with(|inbox| {
            let filters = inbox.routes.release(target);
            if unsubscribe {
                filters.iter().for_each(|filter| inbox.routes.forget(filter));
            }
            filters
        });
        if unsubscribe && !left_alone.is_empty() {
            let filters = left_alone.into_iter().map(Into::into).collect();
            let command = Unsubscribe { reply: 0, filters, user_properties: Vec::new() };
            let command = Command::Unsubscribe(Box::new(command));
            // A closed client has nothing declared any more.
            let _ = shared.outbox.put(|outbox, rings| outbox.push(command, rings));
        }
    }

    /// Says who takes messages that are for nobody in particular. What already waits in
    /// [`QueueId::GENERAL`] goes to a new general handler.
    pub fn set_general(&self, general: General) {
        if !self.shared().is_forked() {
            self.shared().inbox.put(|inbox, rings| inbox.set_general(general, rings));
        }
    }

    /// A queue of its own for one iterator; to be closed when the iterator goes.
    pub fn open_queue(&self) -> QueueId {
        self.shared().inbox.with(|inbox| inbox.open_queue())
    }

    /// Closes an iterator's queue. What nobody took from it is done with, as handled or not.
    pub fn close_queue(&self, queue: QueueId, handled: bool) {
        let shared = self.shared();
        if shared.is_forked() {
            return;
        }
        let left = shared.inbox.put(|inbox, rings| inbox.close_queue(queue, rings));
        for delivery in left {
            match delivery {
                Delivery::Message(arrival) if handled => shared.done(&arrival, true),
                Delivery::Message(_) | Delivery::News(_) => {}
            }
        }
    }

    /// Moves up to `max` deliveries of a queue to `into`; how many. What was taken from it before then
    /// counts as gone. Never waits; 0 in a forked child.
    pub fn take(&self, queue: QueueId, max: usize, into: &mut Vec<Delivery>) -> usize {
        if self.shared().is_forked() {
            return 0;
        }
        self.shared().inbox.put(|inbox, rings| inbox.take(queue, max, into, rings))
    }

    /// [`Client::take`] that blocks until there is one.
    ///
    /// # Errors
    /// `Closed` when the client is closed and the queue is empty; `TimedOut`, `WouldDeadlock`, `Forked`.
    pub fn wait_take(
        &self,
        queue: QueueId,
        max: usize,
        timeout: Option<Duration>,
        into: &mut Vec<Delivery>,
    ) -> Result<usize, Error> {
        scope::wait(self.shared(), timeout, |context| self.poll_take(queue, max, into, context))
    }

    /// [`Client::wait_take`] for hosts with wakers.
    pub fn poll_take(
        &self,
        queue: QueueId,
        max: usize,
        into: &mut Vec<Delivery>,
        context: &mut Context<'_>,
    ) -> Poll<Result<usize, Error>> {
        self.shared().check_process()?;
        self.shared().inbox.put(|inbox, rings| inbox.poll_take(queue, max, into, rings, context))
    }

    /// The host has done with a message: all its handlers have returned, or the iterator's user asked for
    /// the next. Unless `manual_ack` is on it is acknowledged; if it was not `handled`, as a failure (0x80)
    /// on MQTT 5, and counted.
    pub fn done(&self, arrival: &Arrival, handled: bool) {
        self.shared().done(arrival, handled);
    }

    /// Acknowledges a message by hand (`manual_ack`). Does nothing on another connection than its own.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn acknowledge(&self, token: AckToken, reason: ReasonCode) -> Result<(), Error> {
        self.shared().acknowledge(token, reason)
    }

    /// Rings `bell` from now on when an empty queue or the empty list of reports gets its first element;
    /// at once if something waits already.
    pub fn set_bell(&self, bell: &Bell) {
        if !self.shared().is_forked() {
            self.shared().inbox.put(|inbox, rings| inbox.set_bell(bell.clone(), rings));
            self.shared().ledger.put(|ledger, rings| ledger.set_bell(bell.clone(), rings));
        }
    }

    /// Tells the library that the calling thread runs handlers of this client until the scope is dropped.
    pub fn handler_scope(&self) -> HandlerScope {
        HandlerScope::enter(self.shared())
    }

    /// Whether the calling thread runs a handler of this client.
    pub fn is_in_handler(&self) -> bool {
        scope::is_inside(self.shared())
    }
}

/// Outcomes, answers, status.
impl Client {
    /// Blocks until a letter has its outcome, and claims it.
    ///
    /// # Errors
    /// `ReceiptForgotten` for one that was claimed, is no longer kept, or was never given out. `TimedOut`,
    /// `WouldDeadlock`, `Forked`.
    pub fn wait_receipt(&self, receipt: Tag, timeout: Option<Duration>) -> Result<Outcome, Error> {
        scope::wait(self.shared(), timeout, |context| self.poll_receipt(receipt, context))
    }

    /// [`Client::wait_receipt`] for hosts with wakers.
    pub fn poll_receipt(&self, receipt: Tag, context: &mut Context<'_>) -> Poll<Result<Outcome, Error>> {
        self.shared().check_process()?;
        self.shared().ledger.with(|ledger| ledger.poll_outcome(receipt, context))
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
        scope::wait(self.shared(), timeout, |context| self.poll_reply(question, context))
    }

    /// [`Client::wait_reply`] for hosts with wakers.
    pub fn poll_reply(&self, question: Tag, context: &mut Context<'_>) -> Poll<Result<Reply, Error>> {
        self.shared().check_process()?;
        self.shared().ledger.with(|ledger| ledger.poll_reply(question, context))
    }

    /// Moves all reports to `into`; how many. Reports are made under [`Keep::Streamed`] and after
    /// [`Client::stream_reports`].
    pub fn take_reports(&self, into: &mut Vec<Report>) -> usize {
        if self.shared().is_forked() {
            return 0;
        }
        self.shared().ledger.with(|ledger| ledger.take_reports(into))
    }

    /// [`Client::take_reports`] that waits for the first, for hosts with wakers.
    pub fn poll_reports(&self, into: &mut Vec<Report>, context: &mut Context<'_>) -> Poll<Result<usize, Error>> {
        self.shared().check_process()?;
        self.shared().ledger.with(|ledger| ledger.poll_reports(into, context))
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
        let seen = self.status_count(wanted);
        scope::wait(self.shared(), timeout, |context| self.poll_status(wanted, seen, context))
    }

    /// [`Client::wait_status`] for hosts with wakers; `seen` is [`Client::status_count`] at the beginning.
    pub fn poll_status(&self, wanted: Status, seen: u64, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared().check_process()?;
        self.shared().ledger.with(|ledger| ledger.poll_status(wanted, seen, context))
    }

    /// A copy of the counters.
    ///
    /// # Errors
    /// `Forked`.
    pub fn stats(&self) -> Result<Stats, Error> {
        self.shared().check_process()?;
        let stats = self.shared().outbox.with(|outbox| Stats::of(outbox));
        Ok(self.shared().inbox.with(|inbox| stats.with_inbox(inbox)))
    }
}

/// The connection and the end of it.
impl Client {
    /// Measures a round trip. The answer is [`Reply::RoundTrip`], or an error without a connection.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn ping(&self) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Ping { reply })
    }

    /// Says DISCONNECT if there is a connection, and dials at once. Letters in flight go on.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn reconnect(&self) -> Result<(), Error> {
        self.shared().check_process()?;
        self.shared().outbox.put(|outbox, rings| {
            outbox.check_open()?;
            outbox.push(Command::Reconnect, rings)
        })
    }

    /// Takes no letters from now on, sends what waits for at most `timeout` (`close_timeout` unless given),
    /// says DISCONNECT and settles every letter. The answer is [`Reply::Done`], after all outcomes.
    ///
    /// Inside a handler of this client it takes effect when the handler returns, and there is no answer to
    /// wait for: `None`. The session at the broker ends if `end_session`, by default if `clean_start` is on.
    ///
    /// # Errors
    /// `Forked`. A client that is closed already is closed once more without a fault.
    pub fn close(&self, timeout: Option<Duration>, end_session: Option<bool>) -> Result<Option<Tag>, Error> {
        let shared = self.shared();
        shared.check_process()?;
        let timeout = timeout.unwrap_or(shared.options.close_timeout);
        if scope::put_off(shared, CloseRequest { reply: 0, timeout, end_session }) {
            return Ok(None);
        }
        let reply = shared.outbox.with(|outbox| outbox.next_tag());
        shared.expect_reply(reply, false);
        shared.close(CloseRequest { reply, timeout, end_session });
        Ok(Some(reply))
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }
}

impl Drop for Handle {
    /// Closes in the background; what is under way goes on for at most `close_timeout`.
    fn drop(&mut self) {
        if self.shared.is_forked() {
            return;
        }
        let timeout = self.shared.options.close_timeout;
        let request = CloseRequest { reply: 0, timeout, end_session: None };
        if !scope::put_off(&self.shared, request) {
            self.shared.close(request);
        }
    }
}

/// Reads the URLs and moves user name and password from them to the options.
fn read_urls(urls: &[&str], mut options: ClientOptions) -> Result<(Vec<Arc<Address>>, ClientOptions), Error> {
    let mut addresses = Vec::with_capacity(urls.len());
    let mut found: Option<Credentials> = None;
    for url in urls {
        let mut address = Address::parse(url)?;
        if let Some(credentials) = address.credentials.take() {
            if found.as_ref().is_some_and(|found| *found != credentials) {
                return Err(Error::invalid("url must not have another user name or password than the url before it"));
            }
            found = Some(credentials);
        }
        addresses.push(Arc::new(address));
    }
    if addresses.is_empty() {
        return Err(Error::invalid("url must be given at least once, but there is none"));
    }
    if let Some(Credentials { username, password }) = found {
        if options.username.is_some() || options.password.is_some() {
            return Err(Error::invalid("username must be given in the url or as an option, not in both"));
        }
        options.username = Some(username);
        options.password = password;
    }
    Ok((addresses, options))
}

/// A number that two clients hardly share, in two processes neither: jitter and random client ids come
/// from it. A forked child has its parent's random state, hence the process id and the time.
fn seed() -> u64 {
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.write_u64(crate::clock::now().as_nanos());
    hasher.finish()
}
