//! `Native`: one client of the core for the blocking and the asyncio client of Python.

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use leveret::host::{
    Bell, Client, ClientOptions, CloseOptions, Delivery as Taken, Error, ErrorKind, General, Keep,
    NetworkHooks, Publish, PublishOptions, QueueId, Reply, Setup, Status, SubscribeOptions, Tag,
    Target, sentence,
};
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::bell::LoopBell;
use crate::convert::{Body, DIALECT, Timeout, borrowed_text, kind_of, set_options, text, value};
use crate::error::raise;
use crate::hooks::HookQueue;
use crate::message::Delivery;
use crate::news;
use crate::queue::{Queue, Taker};
use crate::scope::Scope;
use crate::status::{StatusWatch, status_named};
use crate::wait::{unless_interrupted, wait};

/// One client of the core.
#[pyclass(frozen, weakref, module = "leveret._native")]
pub struct Native {
    pub(crate) client: Client,
    /// Makes what makes the receipt of a response of its number, or says why there can be none.
    receipts: PyOnceLock<Py<PyAny>>,
    /// Readable when something waits; for asyncio alone.
    loop_bell: Option<LoopBell>,
}

type Outcome = news::OutcomeParts;
type Result<T> = std::result::Result<T, Error>;

#[pymethods]
impl Native {
    /// With `streamed`, outcomes and answers are taken with `reports` when the descriptor is readable;
    /// otherwise they are waited for one by one. With `signs`, handshakes are signed by who takes from the hook queue.
    #[new]
    fn new(
        py: Python<'_>,
        urls: &Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
        streamed: bool,
        signs: bool,
    ) -> PyResult<Native> {
        let urls = texts(urls, "url")?;
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let mut parsed = ClientOptions::default();
        set_options(Some(options), |name, value| {
            parsed.set(name, value, DIALECT)
        })?;
        let loop_bell = streamed.then(LoopBell::new).transpose()?;
        let setup = Setup {
            dialect: DIALECT,
            keep: if streamed { Keep::Streamed } else { Keep::Held },
            autostart: false,
        };
        let network = NetworkHooks::default();
        let network = if signs {
            network.with_host_signer()
        } else {
            network
        };
        let client = py
            .detach(|| Client::with_network(&urls, parsed, setup, network))
            .map_err(|error| raise(py, &error))?;
        if let Some(LoopBell { descriptor, .. }) = &loop_bell {
            client.set_bell(&Bell::Descriptor(Arc::clone(descriptor)));
        }
        Ok(Native {
            client,
            receipts: PyOnceLock::new(),
            loop_bell,
        })
    }

    /// Begins to connect; called when it is set who takes the first messages and events.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, Client::start)
    }

    // --- letters ---

    /// Posts a letter; its receipt. With `waiting` it waits for room, with the interpreter released.
    fn publish(
        &self,
        py: Python<'_>,
        topic: &Bound<'_, PyAny>,
        payload: &Bound<'_, PyAny>,
        options: Option<&Bound<'_, PyDict>>,
        waiting: bool,
    ) -> PyResult<u64> {
        let options = publish_options(options)?;
        let body = Body::of(payload)?;
        let letter = Publish {
            topic: borrowed_text(topic, "topic")?,
            payload: body.payload(py)?,
            options: &options,
        };
        self.post(py, letter, waiting)
    }

    /// Posts a letter that asks for a response; the question whose answer that is.
    fn request(
        &self,
        py: Python<'_>,
        topic: &Bound<'_, PyAny>,
        payload: &Bound<'_, PyAny>,
        timeout: Timeout,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<u64> {
        let options = publish_options(options)?;
        let body = Body::of(payload)?;
        let letter = Publish {
            topic: borrowed_text(topic, "topic")?,
            payload: body.payload(py)?,
            options: &options,
        };
        self.ask(py, |client| client.request(letter, timeout.0))
    }

    /// Has the receipts of responses made by what `make` makes of this client.
    fn set_receipts(&self, py: Python<'_>, make: Py<PyAny>) {
        // Once: by the client that this belongs to.
        let _ = self.receipts.set(py, make);
    }

    /// Posts letters with the same options; the receipts of those that were posted, in order, and why the
    /// others were not.
    fn publish_many(
        &self,
        py: Python<'_>,
        letters: Vec<Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyDict>>,
        waiting: bool,
    ) -> PyResult<(Vec<u64>, Option<Py<PyBaseException>>)> {
        let options = publish_options(options)?;
        let letters: PyResult<Vec<_>> = letters.iter().map(topic_and_payload).collect();
        let letters = letters?;
        let bodies: PyResult<Vec<_>> = letters.iter().map(|(_, body)| Body::of(body)).collect();
        let bodies = bodies?;
        let mut posts = Vec::with_capacity(letters.len());
        for ((topic, _), body) in letters.iter().zip(&bodies) {
            posts.push(Publish {
                topic: borrowed_text(topic, "topic")?,
                payload: body.payload(py)?,
                options: &options,
            });
        }
        let mut tags = Vec::with_capacity(posts.len());
        let posted = unless_interrupted(py, |go_on| {
            if waiting {
                self.client
                    .publish_many_waiting(&posts, true, &mut tags, go_on)
            } else {
                self.client.publish_many(&posts, true, &mut tags)
            }
        });
        Ok((tags, posted.err().map(|failure| failure.into_value(py))))
    }

    fn cancel(&self, py: Python<'_>, tag: u64) -> PyResult<u64> {
        self.ask(py, |client| client.cancel(tag))
    }

    fn explain(&self, py: Python<'_>, tag: u64) -> PyResult<u64> {
        self.ask(py, |client| client.explain(tag))
    }

    fn flush(&self, py: Python<'_>) -> PyResult<u64> {
        self.ask(py, Client::flush)
    }

    /// Whether there is room; if not, the descriptor becomes readable when that changes.
    fn writable(&self, py: Python<'_>) -> PyResult<bool> {
        let waker = self
            .loop_bell
            .as_ref()
            .map_or(Waker::noop(), |bell| &bell.waker);
        match self.client.poll_writable(&mut Context::from_waker(waker)) {
            Poll::Ready(Ok(())) => Ok(true),
            Poll::Ready(Err(error)) => Err(raise(py, &error)),
            Poll::Pending => Ok(false),
        }
    }

    fn writable_wait(&self, py: Python<'_>, timeout: Timeout) -> PyResult<()> {
        wait(py, &self.client, timeout.0, Client::wait_writable)
    }

    fn receipt_wait(&self, py: Python<'_>, tag: u64, timeout: Timeout) -> PyResult<Outcome> {
        wait(py, &self.client, timeout.0, |client, slice| {
            client.watch_receipt(tag, slice)
        })
        .map(|outcome| news::outcome(&outcome))
    }

    fn receipt_ready(&self, py: Python<'_>, tag: u64) -> PyResult<Option<Outcome>> {
        let mut context = Context::from_waker(Waker::noop());
        match self.client.poll_watch_receipt(tag, &mut context) {
            Poll::Ready(Ok(outcome)) => Ok(Some(news::outcome(&outcome))),
            Poll::Ready(Err(error)) => Err(raise(py, &error)),
            Poll::Pending => Ok(None),
        }
    }

    /// Nobody will ask for this receipt or answer.
    fn forget(&self, py: Python<'_>, tag: u64) {
        py.detach(|| self.client.forget(tag));
    }

    /// With `keep`, a wait that took too long may be taken up again.
    fn reply_wait<'py>(
        slf: &Bound<'py, Native>,
        tag: u64,
        timeout: Timeout,
        keep: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, client) = (slf.py(), &slf.get().client);
        let answer = wait(py, client, timeout.0, |client, slice| {
            answer_within(client, tag, slice)
        })
        // A wait that was given up leaves nothing behind.
        .inspect_err(|_| {
            if !keep {
                client.forget(tag);
            }
        })?
        .and_then(news::refusal);
        news::reply(slf, answer.map_err(|error| raise(py, &error))?)
    }

    /// The answer to `cancel` and `explain`, for which no network is needed.
    fn answer_wait<'py>(slf: &Bound<'py, Native>, tag: u64) -> PyResult<Bound<'py, PyAny>> {
        let answer = slf.get().ask(slf.py(), |client| client.wait_answer(tag))?;
        news::reply(slf, answer)
    }

    // --- the connection ---

    fn ping(&self, py: Python<'_>) -> PyResult<u64> {
        self.ask(py, Client::ping)
    }

    fn reauthenticate(&self, py: Python<'_>) -> PyResult<u64> {
        self.ask(py, Client::reauthenticate)
    }

    fn reconnect(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, Client::reconnect)
    }

    /// The question whose answer comes when it is closed; None inside a handler, where it takes effect on return,
    /// and in a forked child, which has nothing to close.
    fn close(&self, py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Option<u64>> {
        let parsed = close_options(options)?;
        match py.detach(|| self.client.close_with(parsed)) {
            Err(error) if error.kind == ErrorKind::Forked => Ok(None),
            asked => asked.map_err(|error| raise(py, &error)),
        }
    }

    /// Refuses what `close` would refuse, for a close that is to come later.
    fn check_close(&self, py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        close_options(options)?
            .check(self.client.options(), DIALECT)
            .map_err(|error| raise(py, &error))
    }

    /// Seconds that `close` takes at most unless told otherwise.
    fn close_timeout(&self) -> f64 {
        self.client.options().close_timeout.as_secs_f64()
    }

    /// Whether nothing is taken any more: it is closed or about to be.
    fn is_closing(&self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        matches!(self.client.poll_writable(&mut context), Poll::Ready(Err(_)))
    }

    fn is_closed(&self) -> bool {
        self.client.status() == Status::Closed
    }

    fn status(&self, py: Python<'_>) -> &'static str {
        py.detach(|| self.client.status()).name()
    }

    fn status_wait(
        &self,
        py: Python<'_>,
        status: &Bound<'_, PyAny>,
        timeout: Timeout,
    ) -> PyResult<()> {
        let wanted = status_named(status)?;
        let seen = self.client.status_count(wanted);
        wait(py, &self.client, timeout.0, |client, slice| {
            client.wait_status_since(wanted, seen, slice)
        })
    }

    /// Where a wait for this status begins, for hosts that look again whenever the bell rang.
    fn status_watch(&self, status: &Bound<'_, PyAny>) -> PyResult<StatusWatch> {
        let wanted = status_named(status)?;
        Ok(StatusWatch {
            client: self.client.clone(),
            wanted,
            seen: self.client.status_count(wanted),
        })
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        news::stats(py, &py.detach(|| self.client.stats()))
    }

    // --- messages ---

    fn subscribe(
        &self,
        py: Python<'_>,
        filters: Vec<(Bound<'_, PyAny>, Bound<'_, PyDict>)>,
        taker: Option<Taker<'_>>,
    ) -> PyResult<u64> {
        let mut parsed = Vec::with_capacity(filters.len());
        for (filter, given) in &filters {
            let mut options = SubscribeOptions::default();
            let filter = borrowed_text(filter, "topic filter")?;
            set_options(Some(given), |name, value| options.set(name, value, DIALECT))?;
            parsed.push((filter, options));
        }
        let target = match &taker {
            None => Target::General,
            Some(Taker::Handler(number)) => Target::Handler(*number),
            Some(Taker::Queue(queue)) => Target::Queue(queue.get().id),
        };
        self.ask(py, |client| client.subscribe(&parsed, target))
    }

    fn unsubscribe(
        &self,
        py: Python<'_>,
        filters: &Bound<'_, PyAny>,
        user_properties: &Bound<'_, PyAny>,
    ) -> PyResult<u64> {
        let filters = texts(filters, "topic filter")?;
        let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
        let mut options = SubscribeOptions::new();
        options
            .set("user_properties", value(user_properties)?, DIALECT)
            .map_err(|error| raise(py, &error))?;
        self.ask(py, |client| {
            client.unsubscribe_with(&filters, options.user_properties)
        })
    }

    /// Takes a handler away from all its filters, which stay declared.
    fn release(&self, py: Python<'_>, handler: u64) {
        py.detach(|| self.client.release(Target::Handler(handler), false));
    }

    /// A subscribe was given up: takes its handler (0 for nobody in particular) away from these filters. Those that nobody takes then are
    /// taken back, unless the session is to outlive this client.
    fn give_up(&self, py: Python<'_>, filters: Vec<String>, handler: u64) {
        let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
        let target = match handler {
            0 => Target::General,
            number => Target::Handler(number),
        };
        let for_good = self.client.options().clean_start;
        py.detach(|| self.client.release_from(&filters, target, for_good));
    }

    /// Who takes messages for nobody in particular: a handler, else an iterator, else nobody.
    fn set_general(&self, py: Python<'_>, handled: bool, iterated: bool) {
        let general = match (handled, iterated) {
            (true, _) => General::Handler,
            (false, true) => General::Iterator,
            (false, false) => General::Nobody,
        };
        py.detach(|| self.client.set_general(general));
    }

    /// What waits for handlers: messages, and news as pairs of kind and fields.
    fn take<'py>(slf: &Bound<'py, Native>, most: usize) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut taken = Vec::new();
        let client = &slf.get().client;
        slf.py()
            .detach(|| client.take(QueueId::MAIN, most, &mut taken));
        items(slf, taken)
    }

    /// The same, waiting for the first; None when there will be no more. That is no exception, since the thread
    /// that asks may be one of a package that was imported anew since, which has exceptions of its own.
    fn take_wait<'py>(
        slf: &Bound<'py, Native>,
        most: usize,
    ) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
        let taken = wait(slf.py(), &slf.get().client, None, |client, slice| {
            let mut taken = Vec::new();
            match client.wait_take(QueueId::MAIN, most, slice, &mut taken) {
                Err(error) if matches!(error.kind, ErrorKind::Closed | ErrorKind::Forked) => {
                    Ok(None)
                }
                waited => waited.map(|_| Some(taken)),
            }
        })?;
        taken.map(|taken| items(slf, taken)).transpose()
    }

    /// The messages for nobody in particular, for an iterator to take.
    fn general_queue(slf: &Bound<'_, Native>) -> Queue {
        Queue {
            native: slf.clone().unbind(),
            id: QueueId::GENERAL,
        }
    }

    /// A queue of its own for one iterator.
    fn open_queue(slf: &Bound<'_, Native>) -> Queue {
        let client = &slf.get().client;
        Queue {
            native: slf.clone().unbind(),
            id: slf.py().detach(|| client.open_queue()),
        }
    }

    /// Has packets of these names shown from now on, steps of authentication, and attempts to connect. Handshakes to be
    /// signed come in the same queue.
    fn hook_queue(
        &self,
        py: Python<'_>,
        packets: Vec<Bound<'_, PyAny>>,
        authenticates: bool,
        prepares: bool,
    ) -> PyResult<HookQueue> {
        HookQueue::open(py, &self.client, &packets, authenticates, prepares)
    }

    /// While entered, this thread runs handlers of the client, or what hooks are asked.
    #[pyo3(signature = (hooks=false))]
    fn scope(&self, hooks: bool) -> Scope {
        Scope {
            client: self.client.clone(),
            hooks,
        }
    }

    // --- the event loop ---

    /// What becomes readable when there are reports or messages; -1 where outcomes are not streamed.
    fn descriptor(&self) -> i32 {
        let bell = self.loop_bell.as_ref();
        bell.map_or(-1, |bell| bell.descriptor.as_raw_fd())
    }

    /// Makes the descriptor unreadable and takes what was reported.
    fn reports<'py>(
        slf: &Bound<'py, Native>,
    ) -> PyResult<Vec<(u64, &'static str, Bound<'py, PyAny>)>> {
        let mut reports = Vec::new();
        let native = slf.get();
        slf.py().detach(|| {
            native
                .loop_bell
                .iter()
                .for_each(|bell| bell.descriptor.clear());
            native.client.take_reports(&mut reports);
        });
        reports
            .into_iter()
            .map(|report| news::report(slf, report))
            .collect()
    }
}

impl Native {
    fn ask<R: Send>(
        &self,
        py: Python<'_>,
        question: impl FnOnce(&Client) -> Result<R> + Send,
    ) -> PyResult<R> {
        py.detach(|| question(&self.client))
            .map_err(|error| raise(py, &error))
    }

    /// Posts a letter; its receipt.
    fn post(&self, py: Python<'_>, letter: Publish<'_>, waiting: bool) -> PyResult<Tag> {
        match self.client.publish(letter.clone(), true) {
            Err(error) if waiting && error.kind == ErrorKind::QueueFull => {
                unless_interrupted(py, |go_on| self.client.publish_waiting(letter, true, go_on))
            }
            posted => posted.map_err(|error| raise(py, &error)),
        }
    }

    /// Posts a response as the client posts letters: the blocking one waits for room. Its receipt.
    pub(crate) fn respond<'py>(
        slf: &Bound<'py, Native>,
        letter: Publish<'_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, native) = (slf.py(), slf.get());
        // First: it may say that this is not the thread to do it on.
        let receipt = native.receipts.get(py);
        let receipt = receipt
            .map(|make| make.bind(py).call1((slf,)))
            .transpose()?;
        let tag = native.post(py, letter, native.loop_bell.is_none())?;
        match receipt {
            Some(receipt) => receipt.call1((tag,)),
            None => Ok(py.None().into_bound(py)),
        }
    }
}

fn items<'py>(native: &Bound<'py, Native>, taken: Vec<Taken>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let py = native.py();
    let item = |taken| match taken {
        Taken::Message(arrival) => {
            let delivery = Delivery::new(py, native.as_unbound(), arrival)?;
            Ok(Bound::new(py, delivery)?.into_any())
        }
        Taken::News(told) => Ok(news::news(py, told)?.into_pyobject(py)?.into_any()),
        // In the queue of the hooks alone.
        Taken::Packet(_) | Taken::Prepare(_) | Taken::Authenticate(_) | Taken::Sign(_) => {
            Ok(py.None().into_bound(py))
        }
    };
    taken.into_iter().map(item).collect()
}

/// The answer to a question, which may itself be that the broker took too long; an error of its own only
/// where the wait came to nothing.
fn answer_within(client: &Client, tag: Tag, slice: Option<Duration>) -> Result<Result<Reply>> {
    match client.wait_reply(tag, slice) {
        Err(error) if error.kind == ErrorKind::TimedOut => {
            let mut context = Context::from_waker(Waker::noop());
            match client.poll_reply(tag, &mut context) {
                Poll::Pending => Err(error),
                // It was answered, by this very error.
                Poll::Ready(Err(gone)) if gone.kind == ErrorKind::ReceiptForgotten => {
                    Ok(Err(error))
                }
                Poll::Ready(answer) => Ok(answer),
            }
        }
        answer => Ok(answer),
    }
}

fn publish_options(given: Option<&Bound<'_, PyDict>>) -> PyResult<PublishOptions> {
    let mut options = PublishOptions::default();
    set_options(given, |name, value| options.set(name, value, DIALECT))?;
    Ok(options)
}

fn close_options(given: Option<&Bound<'_, PyDict>>) -> PyResult<CloseOptions> {
    let mut options = CloseOptions::new();
    set_options(given, |name, value| options.set(name, value, DIALECT))?;
    Ok(options)
}

/// One letter of several.
fn topic_and_payload<'py>(
    letter: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    letter.extract().map_err(|_| {
        let allowed = "tuples of topic and payload";
        match kind_of(letter) {
            Ok(kind) => raise(letter.py(), &sentence::must_be("letters", allowed, kind)),
            Err(failure) => failure,
        }
    })
}

/// One text or several.
fn texts(given: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<String>> {
    // Bytes would come apart into numbers.
    if given.is_instance_of::<PyString>() || given.is_instance_of::<PyBytes>() {
        return Ok(vec![text(given, name)?]);
    }
    let Ok(several) = given.try_iter() else {
        return Ok(vec![text(given, name)?]);
    };
    several.map(|each| text(&each?, name)).collect()
}
