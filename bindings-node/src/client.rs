//! `NativeClient`: one client of the core, called on the event loop's thread only.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use leveret::host::{
    AckToken, Arrival, Bell, Client, ClientOptions, Delivery as Taken, ErrorKind, General, Keep, Publish, PublishOptions,
    QueueId, ReasonCode, Setup, Status, SubscribeOptions, Target, sentence,
};
use napi::bindgen_prelude::{BigInt, Either, Function, Object};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use crate::convert::{Body, DIALECT, payload, set_options, timeout};
use crate::error::thrown;
use crate::message::Delivery;
use crate::news::{Counters, Reported, Told, reported, told};

/// One client of the core.
#[napi]
pub struct NativeClient {
    client: Client,
    /// Messages handed to JavaScript whose handlers have not returned yet.
    open: RefCell<BTreeMap<u32, Arrival>>,
    last: Cell<u32>,
}

#[napi]
impl NativeClient {
    /// Makes a client that rings `bell` on the event loop's thread when something waits. While the bell hangs, it keeps the loop alive.
    #[napi(constructor)]
    pub fn new(urls: Vec<String>, options: Object<'_>, bell: Function<'_, (), ()>) -> napi::Result<NativeClient> {
        let mut parsed = ClientOptions::default();
        set_options(Some(options), |name, value| parsed.set(name, value, DIALECT))?;
        let setup = Setup { dialect: DIALECT, keep: Keep::Streamed, autostart: true };
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let client = Client::new(&urls, parsed, setup).map_err(thrown)?;
        let bell = bell.build_threadsafe_function::<()>().build()?;
        let ring = move || {
            bell.call((), ThreadsafeFunctionCallMode::NonBlocking);
        };
        client.set_bell(&Bell::Call(Arc::new(ring)));
        Ok(NativeClient { client, open: RefCell::default(), last: Cell::new(0) })
    }

    // --- letters ---

    /// Posts a letter at once; its receipt.
    #[napi]
    pub fn publish(&self, topic: String, body: Body, options: Option<Object<'_>>) -> napi::Result<f64> {
        let options = publish_options(options)?;
        let letter = Publish { topic: &topic, payload: payload(&body), options: &options };
        self.client.publish(letter, true).map(|tag| tag as f64).map_err(thrown)
    }

    /// Posts letters with the same options; their receipts in order, and the error where not all were accepted.
    #[napi]
    pub fn publish_many(&self, letters: Vec<(String, Body)>, options: Option<Object<'_>>) -> napi::Result<Vec<f64>> {
        let options = publish_options(options)?;
        let letter = |(topic, body)| Publish { topic, payload: payload(body), options: &options };
        let letters: Vec<_> = letters.iter().map(|(topic, body)| letter((topic.as_str(), body))).collect();
        let mut tags = Vec::with_capacity(letters.len());
        self.client.publish_many(&letters, true, &mut tags).map_err(thrown)?;
        Ok(tags.into_iter().map(|tag| tag as f64).collect())
    }

    /// Is there room in the post office.
    #[napi]
    pub fn writable(&self) -> napi::Result<bool> {
        match self.client.wait_writable(Some(Duration::ZERO)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind == ErrorKind::TimedOut => Ok(false),
            Err(error) => Err(thrown(error)),
        }
    }

    /// Takes a letter back.
    #[napi]
    pub fn cancel(&self, tag: f64) -> napi::Result<f64> {
        asked(self.client.cancel(tag as u64))
    }

    /// Asks where a letter is and why.
    #[napi]
    pub fn explain(&self, tag: f64) -> napi::Result<f64> {
        asked(self.client.explain(tag as u64))
    }

    /// Asks to be told when every letter posted before is settled.
    #[napi]
    pub fn flush(&self) -> napi::Result<f64> {
        asked(self.client.flush())
    }

    // --- the connection ---

    /// Measures a round trip.
    #[napi]
    pub fn ping(&self) -> napi::Result<f64> {
        asked(self.client.ping())
    }

    /// Hangs up politely and dials at once.
    #[napi]
    pub fn reconnect(&self) -> napi::Result<()> {
        self.client.reconnect().map_err(thrown)
    }

    /// Closes; the question that is answered when it is done.
    #[napi]
    pub fn close(&self, milliseconds: Option<f64>, end_session: Option<bool>) -> napi::Result<f64> {
        asked(self.client.close(timeout(milliseconds)?, end_session).map(Option::unwrap_or_default))
    }

    /// `offline`, `online` or `closed`.
    #[napi]
    pub fn status(&self) -> &'static str {
        self.client.status().name()
    }

    /// How often this status came so far: where a wait for it begins.
    #[napi]
    pub fn status_count(&self, name: String) -> napi::Result<f64> {
        Ok(self.client.status_count(status_named(&name)?) as f64)
    }

    /// Every counter.
    #[napi]
    pub fn stats(&self) -> Counters {
        self.client.stats().into()
    }

    // --- messages ---

    /// Declares topic filters; `handler` is 0 for messages that are for nobody in particular.
    #[napi]
    pub fn subscribe(&self, filters: Vec<(String, Object<'_>)>, handler: f64) -> napi::Result<f64> {
        let mut parsed = Vec::with_capacity(filters.len());
        let (names, given): (Vec<_>, Vec<_>) = filters.into_iter().unzip();
        for (name, given) in names.iter().zip(given) {
            let mut options = SubscribeOptions::default();
            set_options(Some(given), |name, value| options.set(name, value, DIALECT))?;
            parsed.push((name.as_str(), options));
        }
        let target = if handler == 0.0 { Target::General } else { Target::Handler(handler as u64) };
        asked(self.client.subscribe(&parsed, target))
    }

    /// Takes declared filters back.
    #[napi]
    pub fn unsubscribe(&self, filters: Vec<String>) -> napi::Result<f64> {
        let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
        asked(self.client.unsubscribe(&filters))
    }

    /// Whether messages for nobody in particular go to listeners; otherwise they wait for an iterator.
    #[napi]
    pub fn handle_general(&self, handled: bool) {
        self.client.set_general(if handled { General::Handler } else { General::Nobody });
    }

    /// From now on an iterator takes messages for nobody in particular.
    #[napi]
    pub fn iterate_general(&self) {
        self.client.set_general(General::Iterator);
    }

    /// What waits in the queue for handlers, or in that of the iterators.
    #[napi]
    pub fn take(&self, general: bool, most: u32) -> Vec<Either<Delivery, Told>> {
        let queue = if general { QueueId::GENERAL } else { QueueId::MAIN };
        let mut taken = Vec::new();
        self.client.take(queue, most as usize, &mut taken);
        taken.into_iter().map(|each| self.item(each)).collect()
    }

    /// The handlers of a message have returned, or the iterator's user asked for the next.
    #[napi]
    pub fn done(&self, id: u32, handled: bool) {
        if let Some(arrival) = self.open.borrow_mut().remove(&id) {
            self.client.done(&arrival, handled);
        }
    }

    /// Acknowledges a message by hand.
    #[napi]
    pub fn acknowledge(&self, token: BigInt) -> napi::Result<()> {
        let (_, bits, _) = token.get_u64();
        match AckToken::from_bits(bits) {
            Some(token) if self.client.options().manual_ack => {
                self.client.acknowledge(token, ReasonCode::SUCCESS).map_err(thrown)
            }
            _ => Ok(()),
        }
    }

    // --- the bell ---

    /// What was reported since the last time.
    #[napi]
    pub fn reports(&self) -> Vec<Reported> {
        let mut reports = Vec::new();
        self.client.take_reports(&mut reports);
        reports.into_iter().map(reported).collect()
    }

    /// Takes the bell down, so that the event loop can end.
    #[napi]
    pub fn release(&self) {
        self.client.set_bell(&Bell::None);
    }
}

impl NativeClient {
    fn item(&self, taken: Taken) -> Either<Delivery, Told> {
        match taken {
            Taken::Message(arrival) => {
                let id = self.last.get().wrapping_add(1);
                self.last.set(id);
                let delivery = Delivery::of(id, &arrival);
                self.open.borrow_mut().insert(id, arrival);
                Either::A(delivery)
            }
            Taken::News(news) => Either::B(told(news)),
        }
    }
}

fn asked(question: Result<u64, leveret::host::Error>) -> napi::Result<f64> {
    question.map(|tag| tag as f64).map_err(thrown)
}

fn publish_options(given: Option<Object<'_>>) -> napi::Result<PublishOptions> {
    let mut options = PublishOptions::default();
    set_options(given, |name, value| options.set(name, value, DIALECT))?;
    Ok(options)
}

fn status_named(name: &str) -> napi::Result<Status> {
    let refuse = || thrown(sentence::must_be("status", "online, offline or closed", sentence::Quoted(name)));
    Status::from_name(name).ok_or_else(refuse)
}
