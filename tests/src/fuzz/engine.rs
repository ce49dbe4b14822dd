//! Target `engine`: a sequence of inputs, whatever they are, and what has to hold all the same.
//!
//! Each letter has one outcome and each question one answer; `poll` comes to `Sleep`; nothing is written without a link, on a stalled one or after
//! `HangUp`; what is written are packets of a client, none larger than the broker takes; states follow each other as their table says (an assertion of
//! the engine itself); and from wherever it is, the engine can be closed, with nothing owed.
use bytes::{BufMut, Bytes, BytesMut};
use leveret_protocol::codec::Properties;
use leveret_protocol::engine::{
    AckToken, AuthAnswer, Batch, Command, Cost, Engine, Hooks, Input, Output, Publish, State,
    Subscribe, SubscribeEntry, SubscriptionId, Tag, Unsubscribe,
};
use leveret_protocol::options::{
    ClientOptions, CloseOptions, Overflow, Priority, PublishOptions, SubscribeOptions,
};
use leveret_protocol::packet_type::{PacketSet, PacketType};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence::Dialect;
use leveret_protocol::text::Text;
use leveret_protocol::time::{Duration, Instant};

use super::draw::{self, FILTERS, TOPICS};
use super::feed::Feed;
use super::ledger::Ledger;
use super::peer::{Manners, Peer, first_bytes};
use super::profile::Profile;
use super::seen::Seen;

/// Operations of one input at most.
const OPERATIONS: usize = 1_000;
/// The engine is done after so many answers to one input, or it never is.
const PATIENCE: usize = 20_000;
/// So many ticks may come at one and the same time.
const TICKS_AT_ONCE: usize = 64;
/// A close takes so many ticks at most: each letter, ping and timeout is one.
const TICKS_TO_THE_END: usize = 20_000;

/// The profile first, then operations until nothing is left, then the end.
pub fn run(input: &[u8]) {
    live(input, None);
}

/// The same, counting what happens.
pub fn run_counting(input: &[u8], seen: &Seen) {
    live(input, Some(seen.clone()));
}

fn live(input: &[u8], seen: Option<Seen>) {
    let mut feed = Feed::new(input);
    let Some(profile) = Profile::draw(&mut feed) else {
        return;
    };
    let hooks = profile.hooks;
    let mut world = World::new(profile, seen, &mut feed);
    if hooks != Hooks::default() {
        world.push(Command::Hooks(hooks));
        world.submit();
    }
    world.tell(Input::Start);
    for _ in 0..OPERATIONS {
        if feed.is_empty() {
            break;
        }
        world.operation(&mut feed);
    }
    world.end();
}

struct World {
    engine: Engine,
    options: ClientOptions,
    manners: Manners,
    seen: Option<Seen>,
    now: Instant,
    sleep: Option<Instant>,
    ledger: Ledger,
    batch: Batch,
    endpoints: usize,
    /// The last attempt that was dialed, and the one that is up.
    attempt: u64,
    link: Option<Peer>,
    dialed: bool,
    /// Bytes that came and that the engine did not take.
    received: BytesMut,
    /// Bytes that the socket takes before it stalls; `None`: all.
    room: Option<usize>,
    stalled: bool,
    /// The broker answers.
    willing: bool,
    session_present: bool,
    closing: bool,
}

impl World {
    fn new(profile: Profile, seen: Option<Seen>, feed: &mut Feed<'_>) -> World {
        let flags = feed.byte();
        let endpoints = usize::from(flags >> 6) + 1;
        let options = profile.options;
        World {
            engine: Engine::new(options.clone(), endpoints, u64::from(feed.byte())),
            options,
            manners: profile.manners,
            seen,
            now: Instant(u64::from(feed.byte()) << 30),
            sleep: None,
            ledger: Ledger::default(),
            batch: Batch::new(),
            endpoints,
            attempt: 0,
            link: None,
            dialed: false,
            received: BytesMut::new(),
            room: None,
            stalled: false,
            willing: flags & 1 == 0,
            session_present: profile.session_present ^ (flags & 2 == 2),
            closing: false,
        }
    }

    fn operation(&mut self, feed: &mut Feed<'_>) {
        match feed.byte() % 40 {
            0..=4 => self.post(feed),
            5 => self.subscribe(feed),
            6 => self.unsubscribe(feed),
            7 => self.acknowledge(feed),
            8 => self.command(feed),
            9..=10 => self.submit(),
            11 => self.pass(Duration::from_millis(u64::from(feed.byte()) << 4)),
            12 => self.pass(Duration::from_secs(u64::from(feed.pair()))),
            13 => self.wake(),
            14..=15 => self.link_up(),
            16 => self.link_down(feed),
            17 => self.stale(feed),
            18..=20 => self.answer(usize::from(feed.byte()) + 1),
            21 => self.answer(usize::MAX),
            22..=24 => self.say(feed),
            25 => self.garbage(feed),
            26 => self.tell(Input::ReadingPaused(feed.flag())),
            27 => self.room = Some(usize::from(feed.byte())),
            28 => self.writable(feed),
            29 => self.willing = !self.willing,
            30 => self.session_present = !self.session_present,
            31..=32 => self.hook(feed),
            33..=34 => self.oblige(),
            35 => self.push_question(|reply| Command::Reauthenticate { reply }),
            36..=37 => self.get_online(),
            38 => self.link_down(feed),
            _ => self.tell(Input::Tick),
        }
    }

    /// Tells the engine something and does what it wants.
    fn tell(&mut self, input: Input<'_>) {
        let closed = self.engine.state() == State::Closed;
        self.engine.handle(self.now, input);
        let mut turns = 0;
        while !self.follow(closed) {
            turns += 1;
            assert!(turns < PATIENCE, "the engine does not come to Sleep");
        }
        let stats = self.engine.stats(self.now);
        assert!(stats.in_flight.messages <= 1 << 20 && stats.waiting.messages <= 1 << 20);
    }

    /// Does the next thing that the engine wants; true when it wants nothing more.
    fn follow(&mut self, closed: bool) -> bool {
        let written = match self.engine.poll() {
            Output::Sleep(until) => {
                self.sleep = until;
                return true;
            }
            Output::Deliver(events) => {
                assert!(!events.is_empty());
                for event in events.drain(..) {
                    self.ledger.note(&event);
                    if let Some(seen) = &self.seen {
                        seen.count("event", &event);
                    }
                }
                return false;
            }
            Output::Dial {
                attempt, endpoint, ..
            } => {
                assert!(!closed && attempt == self.attempt + 1 && endpoint < self.endpoints);
                self.attempt = attempt;
                (self.dialed, self.link, self.stalled) = (true, None, false);
                return false;
            }
            Output::HangUp { graceful } => {
                let peer = self.link.take();
                assert!(
                    peer.is_some() || self.dialed,
                    "nothing is there to be hung up"
                );
                if let (Some(peer), true) = (peer, graceful) {
                    peer.ended_in_order();
                }
                (self.dialed, self.stalled) = (false, false);
                return false;
            }
            Output::Write(slices) => {
                let offered: usize = slices.iter().map(|slice| slice.len()).sum();
                assert!(offered > 0 && slices.len() <= 64 && !self.stalled);
                let count = self.room.map_or(offered, |room| room.min(offered));
                self.room = self.room.map(|room| room - count);
                let peer = self.link.as_mut().expect("there is a link to write to");
                peer.hear(
                    &first_bytes(slices, count),
                    self.willing,
                    self.session_present,
                );
                self.stalled = count < offered;
                count
            }
        };
        self.engine.handle(self.now, Input::Written(written));
        false
    }

    fn post(&mut self, feed: &mut Feed<'_>) {
        let flags = feed.byte();
        let mut options = PublishOptions::new()
            .qos(draw::qos(feed))
            .retain(flags & 1 == 1);
        options.priority = *feed.pick(&[Priority::Normal, Priority::High, Priority::Low]);
        if flags & 2 == 2 {
            let spec = feed.pick(PublishOptions::SPECS);
            let value = draw::value(feed, spec);
            // A value that is refused leaves the option as it was.
            let _ = options.set(spec.name, value, Dialect::Rust);
        }
        if flags & 4 == 4 {
            options = options.ttl(Duration::from_millis(u64::from(feed.pair()) + 1));
        }
        if flags & 8 == 8 {
            options = options.replace("key");
        }
        let topic = *feed.pick(&TOPICS);
        let letter = Publish {
            topic,
            payload: draw::payload(feed).into(),
            options: &options,
        };
        if let Ok(letter) = letter.seal(&self.options, Dialect::Rust) {
            let tag = self.ledger.post(&letter, flags & 16 == 0);
            if let Some(seen) = &self.seen {
                seen.count("command", &format_args!("Post"));
            }
            self.batch.post(&letter, self.now, tag);
        }
    }

    fn subscribe(&mut self, feed: &mut Feed<'_>) {
        let reply = self.ledger.ask(feed.flag());
        let entries = (0..=feed.below(3)).map(|_| {
            let place = feed.below(FILTERS.len());
            let mut options = SubscribeOptions::from(draw::qos(feed));
            let flags = feed.byte();
            options.retain_handling = flags % 3;
            options.retain_as_published = flags & 64 == 64;
            options.no_local = flags & 128 == 128 && !FILTERS[place].starts_with("$share");
            if flags & 32 == 32 {
                options.user_properties = vec![("name".into(), "value".into())];
            }
            SubscribeEntry {
                id: SubscriptionId(place as u32 + 1),
                filter: Text::from(FILTERS[place]),
                options,
            }
        });
        let entries = entries.collect();
        self.push(Command::Subscribe(Box::new(Subscribe { reply, entries })));
    }

    fn unsubscribe(&mut self, feed: &mut Feed<'_>) {
        let reply = self.ledger.ask(feed.flag());
        let filters = (0..=feed.below(3)).map(|_| Text::from(*feed.pick(&FILTERS)));
        let filters = filters.collect();
        let user_properties = (0..feed.below(3)).map(|_| ("name".into(), "value".into()));
        self.push(Command::Unsubscribe(Box::new(Unsubscribe {
            reply,
            filters,
            user_properties: user_properties.collect(),
        })));
    }

    /// Of a message that came, in any order and any number of times, or of one that never did.
    fn acknowledge(&mut self, feed: &mut Feed<'_>) {
        let choice = feed.byte();
        let token = if choice < 240 && !self.ledger.tokens.is_empty() {
            let place = usize::from(choice) % self.ledger.tokens.len();
            Some(self.ledger.tokens.swap_remove(place))
        } else {
            AckToken::from_bits(u64::from(feed.pair()) << 16 | u64::from(feed.pair()))
        };
        if let Some(token) = token {
            let reason = *feed.pick(&[ReasonCode::SUCCESS, ReasonCode::UNSPECIFIED_ERROR]);
            let words = feed.flag().then(|| Box::new(draw::words(feed)));
            self.push(Command::Acknowledge {
                token,
                reason,
                words,
            });
        }
    }

    fn command(&mut self, feed: &mut Feed<'_>) {
        let choice = feed.byte();
        let wanted = feed.flag();
        let tag = self.ledger.any_tag(feed.byte());
        let command = match choice % 16 {
            0..=4 => Command::Cancel {
                tag,
                reply: self.ledger.ask(wanted),
            },
            5..=6 => Command::Explain {
                tag,
                reply: self.ledger.ask(true),
            },
            7..=8 => Command::Flush {
                reply: self.ledger.ask(wanted),
            },
            9..=10 => Command::Ping {
                reply: self.ledger.ask(wanted),
            },
            11 => Command::Discard {
                tag: self.ledger.discard(),
            },
            12..=13 => Command::MakeRoom {
                reply: self.ledger.ask(true),
                lacking: Cost::of_letter(u64::from(feed.byte())),
                rule: *feed.pick(&[
                    Overflow::DropOldest,
                    Overflow::DropNewest,
                    Overflow::DropLowest,
                    Overflow::Reject,
                ]),
                priority: *feed.pick(&[Priority::Normal, Priority::High, Priority::Low]),
            },
            14 => Command::Reconnect,
            _ if choice < 128 => return,
            _ => {
                let mut options = CloseOptions::new();
                for _ in 0..feed.below(4) {
                    let spec = feed.pick(CloseOptions::SPECS);
                    let value = draw::value(feed, spec);
                    // A value that is refused leaves the option as it was.
                    let _ = options.set(spec.name, value, Dialect::Rust);
                }
                return self.close(options);
            }
        };
        self.push(command);
    }

    fn close(&mut self, options: CloseOptions) {
        self.closing = true;
        let options = Box::new(options);
        self.push_question(|reply| Command::Close { reply, options });
    }

    /// What hooks and authentication have to do with: they come and go, answer what was shown or what never was, or do not answer.
    fn hook(&mut self, feed: &mut Feed<'_>) {
        let packets = |feed: &mut Feed<'_>| {
            let bits = feed.pair();
            let chosen = PacketType::ALL
                .into_iter()
                .filter(|packet| bits >> (*packet as u8) & 1 == 1);
            chosen.fold(PacketSet::EMPTY, |set, packet| set.union(packet.into()))
        };
        let command = match feed.byte() % 10 {
            0..=1 => Command::Hooks(Hooks {
                shown: packets(feed),
                answered: packets(feed),
                prepares: feed.flag(),
                authenticates: feed.flag(),
            }),
            2..=4 => Command::Answer {
                number: self.ledger.any_shown(feed.byte()),
                words: draw::words(feed),
            },
            5..=6 => Command::Authenticate {
                number: self.ledger.any_step(feed.byte()),
                answer: match feed.byte() {
                    0..=63 => Err("no".into()),
                    data => Ok(Box::new(AuthAnswer {
                        data: (data < 192).then(|| draw::payload(feed)),
                        words: draw::words(feed),
                    })),
                },
            },
            7..=8 => Command::Prepared {
                number: self.ledger.any_preparation(feed.byte()),
                answer: match feed.byte() {
                    0..=31 => Err("no".into()),
                    _ => Ok(Box::new(draw::connect_options(feed, &self.options))),
                },
            },
            _ => Command::Reauthenticate {
                reply: self.ledger.ask(true),
            },
        };
        self.push(command);
    }

    fn push(&mut self, command: Command) {
        if let Some(seen) = &self.seen {
            seen.count("command", &command);
        }
        self.batch.push(command);
    }

    fn push_question(&mut self, command: impl FnOnce(Tag) -> Command) {
        let command = command(self.ledger.ask(true));
        self.push(command);
    }

    /// The application answers everything that it was asked last.
    fn oblige(&mut self) {
        let number = self.ledger.any_preparation(0);
        let answer = Ok(Box::default());
        self.push(Command::Prepared { number, answer });
        let number = self.ledger.any_step(0);
        let answer = AuthAnswer {
            data: Some(Bytes::from_static(b"proof")),
            words: Properties::new(),
        };
        let answer = Ok(Box::new(answer));
        self.push(Command::Authenticate { number, answer });
        let (number, words) = (self.ledger.any_shown(0), Properties::new());
        self.push(Command::Answer { number, words });
        self.submit();
    }

    /// What it takes to be online, as far as the broker and the application are willing.
    fn get_online(&mut self) {
        for _ in 0..4 {
            if self.engine.state() == State::Online {
                return;
            }
            if self.link.is_none() && !self.dialed {
                self.wake();
            }
            self.oblige();
            self.link_up();
            self.answer(usize::MAX);
        }
    }

    fn submit(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        self.tell(Input::Submit(&mut batch));
        assert!(batch.is_empty());
        self.batch = batch;
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.tell(Input::Tick);
    }

    /// Time passes until something is due.
    fn wake(&mut self) {
        for _ in 0..TICKS_AT_ONCE {
            match self.sleep {
                Some(at) if at != Instant::FAR_FUTURE => {
                    let due = at <= self.now;
                    self.now = self.now.max(at);
                    self.tell(Input::Tick);
                    if !due {
                        return;
                    }
                }
                _ => return,
            }
        }
        panic!(
            "ticks change nothing: now {}, due {:?}",
            self.now, self.sleep
        );
    }

    fn link_up(&mut self) {
        if std::mem::take(&mut self.dialed) {
            self.link = Some(Peer::new(self.manners, self.seen.clone()));
            self.stalled = false;
            self.received.clear();
            let attempt = self.attempt;
            self.tell(Input::LinkUp { attempt });
        }
    }

    fn link_down(&mut self, feed: &mut Feed<'_>) {
        if self.link.take().is_some() || self.dialed {
            (self.dialed, self.stalled) = (false, false);
            self.received.clear();
            let (attempt, why) = (self.attempt, draw::link_error(feed));
            self.tell(Input::LinkDown { attempt, why });
        }
    }

    /// What is told of a connection that is over is not heard.
    fn stale(&mut self, feed: &mut Feed<'_>) {
        let attempt = self.attempt.saturating_sub(1);
        if feed.flag() {
            self.tell(Input::LinkUp { attempt });
        } else {
            let why = draw::link_error(feed);
            self.tell(Input::LinkDown { attempt, why });
        }
    }

    /// The next bytes of the broker's answers arrive.
    fn answer(&mut self, count: usize) {
        let Some(peer) = &mut self.link else { return };
        let count = count.min(peer.answers.len());
        if count > 0 {
            let bytes = peer.answers.split_to(count);
            self.receive(&bytes);
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        let mut received = std::mem::take(&mut self.received);
        received.put_slice(bytes);
        self.tell(Input::Received(&mut received));
        // Memory is taken as bytes arrive, and no more than one packet may have.
        if self.link.is_some() {
            assert!(received.len() <= self.options.max_packet_size as usize + 5);
            self.received = received;
        }
    }

    fn say(&mut self, feed: &mut Feed<'_>) {
        if let Some(peer) = &mut self.link {
            let packet = if peer.accepted {
                draw::from_server(feed, peer.version)
            } else {
                draw::connack(feed, peer.version)
            };
            peer.say(&packet);
            self.answer(usize::MAX);
        }
    }

    fn garbage(&mut self, feed: &mut Feed<'_>) {
        let count = usize::from(feed.byte()) % 64;
        let bytes = feed.bytes(count);
        if self.link.is_some() {
            // From here on it is not known what the engine takes the broker to have said.
            self.link.as_mut().into_iter().for_each(Peer::lie);
            self.receive(bytes);
        }
    }

    fn writable(&mut self, feed: &mut Feed<'_>) {
        let room = feed.byte();
        self.room = (room < 128).then_some(usize::from(room) + 1);
        if self.link.is_some() {
            self.stalled = false;
            self.tell(Input::Writable);
        }
    }

    /// Wherever it is, the engine comes to its end, and owes nothing then.
    fn end(&mut self) {
        self.close(CloseOptions::new().timeout(Duration::from_secs(1)));
        self.submit();
        let mut ticks = 0;
        while self.engine.state() != State::Closed {
            ticks += 1;
            assert!(ticks < TICKS_TO_THE_END, "the engine does not close");
            assert!(
                self.sleep.is_some(),
                "the engine is not closed, and waits for nothing: {:?}",
                self.engine
            );
            self.wake();
        }
        assert!(self.closing && self.link.is_none() && !self.dialed);
        self.ledger.is_settled();
        let stats = self.engine.stats(self.now);
        assert_eq!((stats.waiting, stats.in_flight), (Cost::ZERO, Cost::ZERO));
        self.command(&mut Feed::new(&[9, 1]));
        self.submit();
        self.ledger.is_settled();
    }
}
