//! The engine: one MQTT client as a value with two methods. `handle` says what happened, `poll` says what to do next.
//!
//! | file | what it answers |
//! | --- | --- |
//! | `publish`, `batch` | how a letter and a command come in |
//! | `shelf`, `pages`, `letter` | where letters lie |
//! | `post_office` | which letter is next, which gives way |
//! | `settling`, `deadlines`, `flushes` | when a letter has its outcome |
//! | `outgoing`, `wire` | letter → frame → socket |
//! | `window`, `acknowledged`, `held_up`, `replay`, `adoption` | packet identifiers: in use, answered, never answered, sent again, taken over |
//! | `incoming`, `owed` | packets → events; acknowledgements in order |
//! | `subscriptions`, `asking`, `asking_again` | what was asked for, and what the broker said |
//! | `straight` | the short way of QoS 0 letters, from their batch's own memory |
//! | `lifecycle`, `handshake`, `versions`, `keep_alive`, `timers` | the connection: which one, when, and whether it lives |
//! | `preparing` | what the application says before each attempt |
//! | `preparing` | what the application says of an attempt before it is made |
//! | `authentication` | who proves what to whom, in steps |
//! | `aliases` | topic names as numbers, each way |
//! | `hooks` | packets that the application is shown, and its words on our answers |
//!
//! `#[inline(always)]` stands where every letter passes: measured, it saves a tenth of the instructions of a publish.
mod acknowledged;
mod adoption;
mod aliases;
mod asking;
mod asking_again;
mod authentication;
mod batch;
mod bits;
mod budget;
mod closing;
mod deadlines;
mod event;
mod explain;
mod flushes;
mod handshake;
mod held_up;
mod hooks;
mod incoming;
mod keep_alive;
mod lazy;
mod letter;
mod lifecycle;
mod outgoing;
mod owed;
mod pages;
mod post_office;
mod preparing;
mod publish;
mod random;
mod replay;
mod settling;
mod shelf;
mod straight;
mod subscriptions;
mod timers;
mod versions;
mod window;
mod wire;
mod words;

pub use authentication::{AuthAnswer, AuthStage, AuthStep};
pub use batch::{Batch, Command, Subscribe, SubscribeEntry, Unsubscribe};
pub use budget::{Budget, Cost};
pub use event::*;
pub use hooks::{Hooks, Shown, Words};
pub use lifecycle::State;
pub use preparing::{Destination, Preparation};
pub use publish::{Payload, Publish, SHARED_FROM, SealedLetter};

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use crate::checked;
use crate::error::Error;
use crate::options::{ClientOptions, Protocol};
use crate::text::Text;
use crate::time::Instant;

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// Begin connecting. Before it nothing is dialed, but letters and commands are taken.
    Start,
    /// Callers handed these over. The batch is drained and keeps its memory.
    Submit(&'a mut Batch),
    /// The transport that was dialed is there.
    LinkUp {
        /// The number in [`Output::Dial`]; a link of an earlier attempt is ignored.
        attempt: u64,
    },
    /// Bytes from the broker. Complete packets are consumed, the rest stays for the next time.
    Received(&'a mut BytesMut),
    /// The operating system took this many bytes of the last [`Output::Write`]. Fewer than offered: the socket is stalled until [`Input::Writable`].
    /// It is the next input after a write, unless the link went down.
    Written(usize),
    /// The socket takes bytes again.
    Writable,
    /// The transport failed, or the broker closed it.
    LinkDown {
        /// The number in [`Output::Dial`]; the end of an earlier link is ignored.
        attempt: u64,
        /// Why.
        why: LinkError,
    },
    /// The inbox is full and nothing is read (`true`), or there is room again: missing PINGRESPs are not counted meanwhile.
    ReadingPaused(bool),
    /// Time passed.
    Tick,
}

/// Why a transport failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkError {
    /// What kind of failure.
    pub kind: LinkErrorKind,
    /// In the words of the system.
    pub text: String,
}

/// The kinds of transport failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkErrorKind {
    /// Nobody listens there.
    Refused,
    /// No way to the host or network.
    Unreachable,
    /// The name could not be resolved.
    Dns,
    /// It took too long.
    TimedOut,
    /// The broker closed the connection in order.
    Closed,
    /// The connection broke.
    Reset,
    /// TLS did not come about: a certificate, or what the two sides speak.
    Tls,
    /// The proxy refused, or is none.
    Proxy,
    /// The WebSocket handshake failed, or the broker sends what MQTT over WebSocket does not have.
    WebSocket,
    /// Anything else.
    Other,
}

/// What to do next.
#[derive(Debug)]
pub enum Output<'a> {
    /// Open a transport; answer with `LinkUp` or `LinkDown` and the same number. A link from before is to be dropped, if there is one.
    Dial {
        /// Counts up by one for each attempt.
        attempt: u64,
        /// Index of the URL.
        endpoint: usize,
        /// The server that the broker referred to (MQTT 5, 4.11), to be dialed in place of the URL's, in the same way.
        reference: Option<Text>,
        /// What the application said of this attempt, where it goes elsewhere than the URL or carries more.
        destination: Option<Box<Destination>>,
    },
    /// Write these bytes, in order, once; then say [`Input::Written`]. At most 64 slices, and not much more than 64 KiB unless one payload is larger.
    Write(&'a [Bytes]),
    /// Close the transport. It is not followed by a `LinkDown`.
    HangUp {
        /// Only true after DISCONNECT was written whole. Otherwise the transport is to be closed so that the system sends nothing more (linger 0).
        graceful: bool,
    },
    /// Tell the application; the driver drains the list.
    Deliver(&'a mut Vec<Event>),
    /// Nothing to do until the next input, or until this moment, at which `Tick` is due.
    Sleep(Option<Instant>),
}

/// One MQTT client without its socket, clock and threads.
///
/// Call [`Engine::handle`] with whatever happens, then [`Engine::poll`] until it says [`Output::Sleep`]. The same options, seed and inputs
/// give the same outputs, byte for byte.
#[derive(Debug)]
pub struct Engine {
    options: ClientOptions,
    now: Instant,
    random: random::Random,
    life: lifecycle::Lifecycle,
    closing: Option<closing::Closing>,
    timers: timers::Timers,
    ping: keep_alive::KeepAlive,
    versions: versions::Versions,
    broker: handshake::Broker,
    wire: wire::Wire,
    // Letters.
    straight: straight::Straight,
    shelf: shelf::Shelf,
    office: post_office::PostOffice,
    deadlines: deadlines::Deadlines,
    flushes: flushes::Flushes,
    receipts: lazy::LazyQueue<(Tag, shelf::LetterKey)>,
    unsettled: Cost,
    window: window::Window,
    adoption: adoption::Adoption,
    held_up_at: u64, // how far the ring of identifiers had come when it had none left
    aliases: aliases::Outgoing,
    // Messages and subscriptions.
    owed: owed::Owed,
    broker_aliases: aliases::Incoming,
    oversized: Option<crate::codec::Oversized>,
    subscriptions: subscriptions::Subscriptions,
    asking: asking::Asking,
    // What the application is told and asked.
    hooked: hooks::Hooked,
    preparing: preparing::Preparing,
    authentication: authentication::Authentication,
    events: Vec<Event>,
    stats: EngineStats,
}

impl Engine {
    /// An engine that has not begun to connect.
    ///
    /// `options` must have passed [`ClientOptions::check`]. `endpoints` is the number of URLs, at least 1. `seed` drives everything that is left to chance: the
    /// jitter of the backoff, a random client id, the first packet identifier of an adopted session.
    pub fn new(options: ClientOptions, endpoints: usize, seed: u64) -> Engine {
        let mut random = random::Random::new(seed);
        let client_id = match options.client_id.as_str() {
            "" => handshake::random_client_id(&mut random),
            given => Text::from(given),
        };
        Engine {
            now: Instant::ZERO,
            life: lifecycle::Lifecycle::new(client_id, endpoints.max(1)),
            closing: None,
            timers: timers::Timers::default(),
            ping: keep_alive::KeepAlive::default(),
            versions: versions::Versions::new(protocol_of(&options), endpoints.max(1)),
            broker: handshake::Broker::default(),
            wire: wire::Wire::default(),
            straight: straight::Straight::default(),
            shelf: shelf::Shelf::default(),
            office: post_office::PostOffice::new(),
            deadlines: deadlines::Deadlines::default(),
            flushes: flushes::Flushes::default(),
            receipts: lazy::LazyQueue::new(),
            unsettled: Cost::ZERO,
            window: window::Window::new(1),
            adoption: adoption::Adoption::default(),
            held_up_at: 0,
            aliases: aliases::Outgoing::default(),
            owed: owed::Owed::default(),
            broker_aliases: aliases::Incoming::default(),
            oversized: None,
            subscriptions: subscriptions::Subscriptions::default(),
            asking: asking::Asking::default(),
            hooked: hooks::Hooked::default(),
            preparing: preparing::Preparing::default(),
            authentication: authentication::Authentication::default(),
            events: Vec::new(),
            stats: EngineStats::new(),
            options,
            random,
        }
    }

    /// Takes note of what happened. Time never goes back: an earlier `now` counts as the latest one.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.now = self.now.max(now);
        // What became of the last offer is learned before a letter in it is called sent.
        let of_an_offer = matches!(input, Input::Written(_) | Input::LinkDown { .. });
        if !of_an_offer {
            self.expire_letters();
        }
        match input {
            Input::Start => self.start(),
            Input::Submit(batch) => self.submit(batch),
            Input::LinkUp { attempt } => self.link_up(attempt),
            Input::Received(buffer) => self.received(buffer),
            Input::Written(count) => self.written(count),
            Input::Writable => self.wire.writable(),
            Input::LinkDown { attempt, why } => self.link_down(attempt, &why),
            Input::ReadingPaused(paused) => self.reading_paused(paused),
            Input::Tick => {}
        }
        if of_an_offer {
            self.expire_letters();
        }
        self.run_timers();
        self.close_if_done();
    }

    /// Says what to do next. Call it after each input until it says [`Output::Sleep`].
    pub fn poll(&mut self) -> Output<'_> {
        if let Some(graceful) = self.life.take_hang_up() {
            return Output::HangUp { graceful };
        }
        if let Some((attempt, endpoint, reference)) = self.life.take_dial() {
            return Output::Dial {
                attempt,
                endpoint,
                reference,
                destination: self.preparing.destination(),
            };
        }
        self.compose();
        if self.wire.wants_offer() {
            return Output::Write(self.wire.offer());
        }
        if !self.events.is_empty() {
            return Output::Deliver(&mut self.events);
        }
        Output::Sleep(self.next_timeout())
    }

    /// The engine's counters.
    pub fn stats(&self, now: Instant) -> EngineStats {
        let waiting = self.office.waiting() + self.straight.waiting();
        let posted = |key| self.shelf.get(key).map(|letter| letter.posted);
        let oldest_in_flight = self
            .window
            .in_use()
            .find_map(|(_, slot)| slot.letter())
            .and_then(posted);
        let oldest = self
            .office
            .fronts(&self.shelf)
            .filter_map(posted)
            .chain(self.straight.front().map(|letter| letter.posted))
            .chain(oldest_in_flight)
            .min();
        EngineStats {
            waiting,
            in_flight: self.unsettled - waiting,
            oldest: oldest.map(|posted| now.since(posted)),
            ..self.stats.clone()
        }
    }

    /// The state of the connection, for observers only.
    pub fn state(&self) -> State {
        self.life.state()
    }

    /// Takes letters and commands in, in the order of the calls.
    fn submit(&mut self, batch: &mut Batch) {
        let straight = self.go_straight(batch);
        let mut posted = straight;
        let mut letters = checked::drain(&mut batch.letters, usize::MAX);
        for (before, command) in checked::drain(&mut batch.commands, usize::MAX) {
            for letter in letters.by_ref().take(before.saturating_sub(posted)) {
                self.post(letter, &batch.texts);
            }
            posted = before;
            self.obey(command);
        }
        for letter in letters {
            self.post(letter, &batch.texts);
        }
        batch.texts.clear();
        batch.letters.clear();
    }

    fn obey(&mut self, command: Command) {
        if self.life.state() == State::Closed {
            return self.obey_closed(command);
        }
        match command {
            Command::Subscribe(subscribe) => self.subscribe(*subscribe),
            Command::Unsubscribe(unsubscribe) => self.unsubscribe(*unsubscribe),
            Command::Acknowledge {
                token,
                reason,
                words,
            } => self.acknowledge(token, reason, words),
            Command::Cancel { tag, reply } => self.cancel(tag, reply),
            Command::MakeRoom {
                reply,
                lacking,
                rule,
                priority,
            } => self.make_room(reply, lacking, rule, priority),
            Command::Discard { tag } => self.discard(tag),
            Command::Flush { reply } => self.flush(reply),
            Command::Ping { reply } => self.ping(reply),
            Command::Explain { tag, reply } => self.explain(tag, reply),
            Command::Reconnect => self.reconnect(),
            Command::Close { reply, options } => self.close(reply, options),
            Command::Hooks(hooks) => self.set_hooks(hooks),
            Command::Answer { number, words } => self.say(number, words),
            Command::Prepared { number, answer } => self.prepared(number, answer),
            Command::Authenticate { number, answer } => {
                self.authenticate(number, answer.map(|answer| *answer));
            }
            Command::Reauthenticate { reply } => self.reauthenticate(reply),
        }
    }

    fn reply(&mut self, tag: Tag, result: Result<Reply, Error>) {
        if tag != 0 {
            self.events.push(Event::Reply { tag, result });
        }
    }

    /// When something is due that no input will tell.
    fn next_timeout(&mut self) -> Option<Instant> {
        let letters = self.next_deadline();
        self.timers.next().into_iter().chain(letters).min()
    }
}

/// What may be spoken: where a method of authentication is named nothing but MQTT 5, which alone can say it.
fn protocol_of(options: &ClientOptions) -> Protocol {
    match options.protocol {
        Protocol::Auto if options.authentication_method.is_some() => Protocol::V5,
        protocol => protocol,
    }
}
