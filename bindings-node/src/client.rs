//! `NativeClient`: one client of the core, called on the event loop's thread only.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use leveret::host::{
    Arrival, Bell, Client, ClientOptions, CloseOptions, Delivery as Taken, General, Keep,
    NetworkHooks, Publish, PublishOptions, QueueId, REQUEST_TIMEOUT, ResponseTo, Setup, Signing,
    Status, SubscribeOptions, Target, sentence,
};
use napi::Env;
use napi::bindgen_prelude::{Either, Either4, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::convert::{
    self, Body, DIALECT, Given, given_text, must_be, payload, reason_code, set_options, shown,
    text, timeout,
};
use crate::error::{Parts, parts, thrown};
use crate::hooks::{self, Attempt, Handshake, Seen, Step};
use crate::message::{Asked, Delivery};
use crate::news::{Counters, Reported, Told, reported, told};

/// One client of the core.
#[napi]
pub struct NativeClient {
    client: Client,
    /// Messages handed to JavaScript whose handlers have not returned yet; by hand acknowledged ones longer.
    open: RefCell<BTreeMap<u32, Arrival>>,
    last: Cell<u32>,
    /// The queues of iterators with filters of their own, by their numbers from `FIRST_QUEUE` on.
    queues: RefCell<BTreeMap<u32, QueueId>>,
    last_queue: Cell<u32>,
    /// Handshakes to be signed, by the numbers of their messages.
    handshakes: RefCell<BTreeMap<u32, Arc<Signing>>>,
    /// Wakes the event loop when a full post office has room again; until the client is released.
    room: RefCell<Option<Waker>>,
}

/// What calls the bell in JavaScript, from any thread. It does not keep the event loop alive: `client.cjs`
/// has a handle for that, which users can let go.
struct Ring(ThreadsafeFunction<(), (), (), napi::Status, false, true>);

impl Ring {
    fn ring(&self) {
        // An event loop that is ending has nobody left to be told.
        let _ = self.0.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}

/// What came of posting several letters: the receipts of those accepted, and why the others were not.
#[napi(object, object_from_js = false)]
pub struct Posted {
    /// Receipts in order.
    pub tags: Vec<f64>,
    /// Why not all were accepted.
    pub error: Option<Parts>,
}

/// Which functions there are that a client calls on the way to its broker.
#[napi(object, object_to_js = false)]
pub struct Asks {
    /// That takes steps of authentication.
    pub authenticator: bool,
    /// That says what an attempt to connect says.
    pub before_connect: bool,
    /// That signs handshakes.
    pub signer: bool,
}

#[napi]
impl NativeClient {
    /// Makes a client with hooks of these names, and what else it asks, that rings `bell` on the event loop's thread when something waits.
    #[napi(constructor)]
    pub fn new(
        urls: Vec<Given<'_>>,
        options: Given<'_>,
        hooks: Vec<String>,
        asks: Asks,
        bell: Function<'_, (), ()>,
    ) -> napi::Result<NativeClient> {
        let urls: Vec<String> = urls
            .into_iter()
            .map(|url| text("url", url))
            .collect::<Result<_, _>>()?;
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let mut parsed = ClientOptions::default();
        set_options(options, |name, value| parsed.set(name, value, DIALECT))?;
        let hooks =
            hooks::wanted(&hooks, asks.authenticator, asks.before_connect).map_err(thrown)?;
        let network = NetworkHooks::default();
        let network = if asks.signer {
            network.with_host_signer()
        } else {
            network
        };
        let setup = Setup {
            dialect: DIALECT,
            keep: Keep::Streamed,
            autostart: false,
        };
        let bell = bell
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .build()?;
        let ring = Arc::new(Ring(bell));
        let client = Client::with_network(&urls, parsed, setup, network).map_err(thrown)?;
        client.set_hooks(hooks).map_err(thrown)?;
        let room = RefCell::new(Some(Waker::from(Arc::clone(&ring))));
        client.set_bell(&Bell::Call(Arc::new(move || ring.ring())));
        Ok(NativeClient {
            client,
            open: RefCell::default(),
            handshakes: RefCell::default(),
            last: Cell::new(0),
            queues: RefCell::default(),
            last_queue: Cell::new(FIRST_QUEUE - 1),
            room,
        })
    }

    /// Begins to connect: when what the program does right after making the client is done.
    #[napi]
    pub fn start(&self) -> napi::Result<()> {
        self.client.start().map_err(thrown)
    }

    // --- letters ---

    /// Posts a letter at once; its receipt.
    #[napi]
    pub fn publish(
        &self,
        topic: Given<'_>,
        body: Body<'_>,
        options: Given<'_>,
    ) -> napi::Result<f64> {
        let (topic, options) = (text("topic", topic)?, publish_options(options)?);
        let letter = Publish {
            topic: &topic,
            payload: payload(&body)?,
            options: &options,
        };
        self.client
            .publish(letter, true)
            .map(|tag| tag as f64)
            .map_err(thrown)
    }

    /// Posts a letter that asks for a response; the question whose answer that is.
    #[napi]
    pub fn request(
        &self,
        topic: Given<'_>,
        body: Body<'_>,
        limit: Given<'_>,
        options: Given<'_>,
    ) -> napi::Result<f64> {
        let (topic, options) = (text("topic", topic)?, publish_options(options)?);
        let letter = Publish {
            topic: &topic,
            payload: payload(&body)?,
            options: &options,
        };
        let limit = timeout(limit)?.unwrap_or(Some(REQUEST_TIMEOUT));
        asked(self.client.request(letter, limit))
    }

    /// Answers a message of which `to` says what a response has to know; its receipt.
    #[napi]
    pub fn respond(
        &self,
        to: Asked,
        topic: Given<'_>,
        body: Body<'_>,
        options: Given<'_>,
    ) -> napi::Result<f64> {
        let to = ResponseTo::from(to);
        let mut usual = to.options();
        set_options(options, |name, value| usual.set(name, value, DIALECT))?;
        let topic = given_text("topic", topic)?;
        let topic = to.topic(topic.as_deref(), DIALECT).map_err(thrown)?;
        let letter = Publish {
            topic,
            payload: payload(&body)?,
            options: &usual,
        };
        asked(self.client.publish(letter, true))
    }

    /// Nobody waits for this answer any more.
    #[napi]
    pub fn forget(&self, tag: f64) {
        self.client.forget(tag as u64);
    }

    /// Posts letters with the same options: topics and payloads in order.
    #[napi]
    pub fn publish_many(
        &self,
        topics: Vec<Given<'_>>,
        bodies: Vec<Body<'_>>,
        options: Given<'_>,
    ) -> napi::Result<Posted> {
        let options = publish_options(options)?;
        let topics: Vec<String> = topics
            .into_iter()
            .map(|topic| text("topic", topic))
            .collect::<Result<_, _>>()?;
        let mut letters = Vec::with_capacity(topics.len());
        for (topic, body) in topics.iter().zip(&bodies) {
            letters.push(Publish {
                topic,
                payload: payload(body)?,
                options: &options,
            });
        }
        let mut tags = Vec::with_capacity(letters.len());
        let posted = self.client.publish_many(&letters, true, &mut tags);
        Ok(Posted {
            tags: tags.into_iter().map(|tag| tag as f64).collect(),
            error: posted.err().as_ref().map(parts),
        })
    }

    /// Is there room in the post office; if not, the bell rings when there is.
    #[napi]
    pub fn writable(&self) -> napi::Result<bool> {
        let waker = self.room.borrow();
        let mut context = Context::from_waker(waker.as_ref().unwrap_or(Waker::noop()));
        match self.client.poll_writable(&mut context) {
            Poll::Ready(room) => room.map(|()| true).map_err(thrown),
            Poll::Pending => Ok(false),
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

    /// Authenticates once more.
    #[napi]
    pub fn reauthenticate(&self) -> napi::Result<f64> {
        asked(self.client.reauthenticate())
    }

    /// Throws for what `close` would not take, which inside a handler is not called at once.
    #[napi]
    pub fn check_close(&self, options: Given<'_>) -> napi::Result<()> {
        let options = close_options(options)?;
        let checked = options.check(self.client.options(), DIALECT);
        checked.map_err(thrown)
    }

    /// Closes; the question that is answered when it is done.
    #[napi]
    pub fn close(&self, options: Given<'_>) -> napi::Result<f64> {
        let closing = self.client.close_with(close_options(options)?);
        asked(closing.map(Option::unwrap_or_default))
    }

    /// `offline`, `online` or `closed`.
    #[napi]
    pub fn status(&self) -> &'static str {
        self.client.status().name()
    }

    /// How often this status came so far: where a wait for it begins.
    #[napi]
    pub fn status_count(&self, name: Given<'_>) -> napi::Result<f64> {
        let status = match &name {
            Given::A(name) => convert::well_formed(*name).and_then(|name| Status::from_name(&name)),
            _ => None,
        };
        let refuse = || must_be("status", "online, offline or closed", shown(name));
        Ok(self.client.status_count(status.ok_or_else(refuse)?) as f64)
    }

    /// Every counter.
    #[napi]
    pub fn stats(&self) -> Counters {
        self.client.stats().into()
    }

    // --- messages ---

    /// Declares topic filters, whose messages go to the iterator with the queue `queue` if there is one, else to the handler
    /// with the number `handler`; 0 is for messages that are for nobody in particular.
    #[napi]
    pub fn subscribe(
        &self,
        filters: Vec<(Given<'_>, Given<'_>)>,
        handler: f64,
        queue: Option<u32>,
    ) -> napi::Result<f64> {
        let mut parsed = Vec::with_capacity(filters.len());
        for (filter, given) in filters {
            let mut options = SubscribeOptions::default();
            set_options(given, |name, value| options.set(name, value, DIALECT))?;
            parsed.push((text("topic filter", filter)?, options));
        }
        let filters: Vec<_> = parsed
            .iter()
            .map(|(filter, options)| (filter.as_str(), options.clone()))
            .collect();
        let target = match queue.and_then(|queue| self.queue(queue)) {
            Some(queue) => Target::Queue(queue),
            None => target_of(handler),
        };
        asked(self.client.subscribe(&filters, target))
    }

    /// Takes declared filters back, with the user properties of `options`.
    #[napi]
    pub fn unsubscribe(&self, filters: Vec<Given<'_>>, options: Given<'_>) -> napi::Result<f64> {
        let filters: Vec<String> = filters
            .into_iter()
            .map(|filter| text("topic filter", filter))
            .collect::<Result<_, _>>()?;
        let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
        let user_properties = hooks::words(options)?.user_properties;
        asked(self.client.unsubscribe_with(&filters, user_properties))
    }

    /// A subscribe was given up: takes its handler (0 for nobody in particular) away from these filters. Those that nobody takes then are
    /// taken back, unless the session is to outlive this client.
    #[napi]
    pub fn give_up(&self, filters: Vec<String>, handler: f64) {
        let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
        let for_good = self.client.options().clean_start;
        self.client
            .release_from(&filters, target_of(handler), for_good);
    }

    /// Whether nothing more comes in the queue of an iterator.
    #[napi]
    pub fn is_queue_over(&self, queue: u32) -> bool {
        self.queue(queue)
            .is_none_or(|queue| self.client.is_queue_over(queue))
    }

    /// Who takes messages for nobody in particular: `handler`, `iterator`, or else nobody.
    #[napi]
    pub fn set_general(&self, taker: String) {
        self.client.set_general(match taker.as_str() {
            "handler" => General::Handler,
            "iterator" => General::Iterator,
            _ => General::Nobody,
        });
    }

    /// Opens a queue for an iterator with filters of its own; its number.
    #[napi]
    pub fn open_queue(&self) -> u32 {
        let number = self.last_queue.get().wrapping_add(1).max(FIRST_QUEUE);
        self.last_queue.set(number);
        self.queues
            .borrow_mut()
            .insert(number, self.client.open_queue());
        number
    }

    /// Closes an iterator's queue and takes its filters back, unless the session is to outlive this client: then they stay declared,
    /// and what comes for them at QoS 1 and 2 stays with the broker.
    #[napi]
    pub fn close_queue(&self, number: u32) {
        let Some(queue) = self.queues.borrow_mut().remove(&number) else {
            return;
        };
        let for_good = self.client.options().clean_start;
        self.client.release(Target::Queue(queue), for_good);
        self.client.close_queue(queue, for_good);
    }

    /// What waits in a queue: 0 is the one for handlers, 1 the one of iterators without filters.
    #[napi]
    pub fn take(
        &self,
        env: &Env,
        queue: u32,
        most: u32,
    ) -> napi::Result<Vec<Either<Delivery<'_>, Told>>> {
        let mut taken = Vec::new();
        if let Some(queue) = self.queue(queue) {
            self.client.take(queue, most as usize, &mut taken);
        }
        taken.into_iter().map(|each| self.item(env, each)).collect()
    }

    /// The handlers of a message have returned, or the iterator's user asked for the next.
    #[napi]
    pub fn done(&self, id: u32, handled: bool) {
        if self.by_hand() {
            return;
        }
        if let Some(arrival) = self.open.borrow_mut().remove(&id) {
            self.client.done(&arrival, handled);
        }
    }

    /// Acknowledges a message by hand; once more does nothing.
    #[napi]
    pub fn acknowledge(&self, id: u32, reason: Given<'_>, words: Given<'_>) -> napi::Result<()> {
        let (reason, words) = (reason_code(reason)?, hooks::words(words)?);
        // What is refused has acknowledged nothing, and may be said again rightly.
        sentence::acknowledgement(reason).map_err(thrown)?;
        if !self.by_hand() {
            return Ok(());
        }
        let token = self
            .open
            .borrow_mut()
            .remove(&id)
            .and_then(|arrival| arrival.token);
        token
            .map_or(Ok(()), |token| {
                self.client.acknowledge_with(token, reason, &words)
            })
            .map_err(thrown)
    }

    // --- hooks ---

    /// Everything that waits for hooks, for the authenticator, for what is asked before each connect, and for the signer.
    #[napi]
    pub fn take_hooks(&self) -> Vec<Either4<Seen, Step, Attempt, Handshake>> {
        let mut taken = Vec::new();
        self.client.take(QueueId::HOOKS, usize::MAX, &mut taken);
        let asked = taken.into_iter().filter_map(|each| match each {
            Taken::Packet(shown) => Some(Either4::A(Seen::from(&*shown))),
            Taken::Authenticate(step) => Some(Either4::B(Step::from(&*step))),
            Taken::Prepare(asked) => Some(Either4::C(Attempt::of(&self.client, &asked))),
            Taken::Sign(asked) => self.handshake(asked).map(Either4::D),
            Taken::Message(_) | Taken::News(_) => None,
        });
        asked.collect()
    }

    /// What our answer is to carry to the packet of this number.
    #[napi]
    pub fn answer(&self, number: f64, words: Given<'_>) -> napi::Result<()> {
        let words = hooks::words(words)?;
        self.client.answer(number as u64, &words).map_err(thrown)
    }

    /// What the broker is sent in the step of this number.
    #[napi]
    pub fn authenticate(&self, number: f64, data: Given<'_>, words: Given<'_>) -> napi::Result<()> {
        let (data, words) = (hooks::data(data)?, hooks::words(words)?);
        let data = data.map(Into::into);
        let told = self.client.authenticate(number as u64, data, &words);
        told.map_err(thrown)
    }

    /// Why the authenticator goes no further in the step of this number.
    #[napi]
    pub fn refuse_authentication(&self, number: f64, why: String) -> napi::Result<()> {
        let told = self.client.refuse_authentication(number as u64, &why);
        told.map_err(thrown)
    }

    /// What the attempt of this number is to say.
    #[napi]
    pub fn prepare(&self, number: f64, said: Given<'_>) -> napi::Result<()> {
        let said = hooks::said(said)?;
        self.client.prepare(number as u64, said).map_err(thrown)
    }

    /// Why the attempt of this number is not to be made.
    #[napi]
    pub fn refuse_attempt(&self, number: f64, why: String) -> napi::Result<()> {
        let told = self.client.refuse_preparation(number as u64, &why);
        told.map_err(thrown)
    }

    /// The signature for the handshake of this number. What is not one leaves it unsigned.
    #[napi]
    pub fn sign(&self, number: u32, signature: Given<'_>) -> napi::Result<()> {
        let signature = hooks::signature(signature)?;
        if let Some(asked) = self.handshakes.borrow_mut().remove(&number) {
            asked.answer(Ok(signature));
        }
        Ok(())
    }

    /// Why the handshake of this number is not signed.
    #[napi]
    pub fn refuse_signature(&self, number: u32, why: String) {
        if let Some(asked) = self.handshakes.borrow_mut().remove(&number) {
            asked.answer(Err(why));
        }
    }

    // --- the bell ---

    /// What was reported since the last time.
    #[napi]
    pub fn reports<'env>(&self, env: &'env Env) -> napi::Result<Vec<Reported<'env>>> {
        let mut reports = Vec::new();
        self.client.take_reports(&mut reports);
        reports
            .into_iter()
            .map(|report| reported(env, report))
            .collect()
    }

    /// Takes the bell down, so that the event loop can end.
    #[napi]
    pub fn release(&self) {
        self.room.take();
        self.open.take();
        self.handshakes.take();
        self.client.set_bell(&Bell::None);
    }
}

impl NativeClient {
    fn item(&self, env: &Env, taken: Taken) -> napi::Result<Either<Delivery<'_>, Told>> {
        Ok(match taken {
            Taken::Message(arrival) => {
                let id = self.last.get().wrapping_add(1);
                self.last.set(id);
                let delivery = Delivery::of(env, id, &arrival)?;
                // What nobody will acknowledge by hand need not be kept for it.
                if arrival.token.is_some() {
                    self.open.borrow_mut().insert(id, arrival);
                }
                Either::A(delivery)
            }
            Taken::News(news) => Either::B(told(news)),
            // In the queue of the hooks alone.
            Taken::Packet(_) | Taken::Prepare(_) | Taken::Authenticate(_) | Taken::Sign(_) => {
                Either::B(Told::default())
            }
        })
    }

    /// A handshake to be signed, unless nobody waits for that any more.
    fn handshake(&self, asked: Arc<Signing>) -> Option<Handshake> {
        let mut handshakes = self.handshakes.borrow_mut();
        // Of those before it some may never be answered.
        handshakes.retain(|_, asked| asked.is_wanted());
        if !asked.is_wanted() {
            return None;
        }
        let number = self.last.get().wrapping_add(1);
        self.last.set(number);
        let told = Handshake::of(number, &asked);
        handshakes.insert(number, asked);
        Some(told)
    }

    /// A queue by its number, unless it is closed.
    fn queue(&self, number: u32) -> Option<QueueId> {
        match number {
            0 => Some(QueueId::MAIN),
            1 => Some(QueueId::GENERAL),
            number => self.queues.borrow().get(&number).copied(),
        }
    }

    fn by_hand(&self) -> bool {
        self.client.options().manual_ack
    }
}

/// The number of the first queue of an iterator with filters of its own.
const FIRST_QUEUE: u32 = 2;

fn target_of(handler: f64) -> Target {
    if handler == 0.0 {
        Target::General
    } else {
        Target::Handler(handler as u64)
    }
}

fn asked(question: Result<u64, leveret::host::Error>) -> napi::Result<f64> {
    question.map(|tag| tag as f64).map_err(thrown)
}

fn publish_options(given: Given<'_>) -> napi::Result<PublishOptions> {
    let mut options = PublishOptions::default();
    set_options(given, |name, value| options.set(name, value, DIALECT))?;
    Ok(options)
}

fn close_options(given: Given<'_>) -> napi::Result<CloseOptions> {
    let mut options = CloseOptions::default();
    set_options(given, |name, value| options.set(name, value, DIALECT))?;
    Ok(options)
}
