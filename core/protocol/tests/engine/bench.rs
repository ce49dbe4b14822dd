//! A bench for one engine: a socket that can stall, a clock moved by hand, and a broker that says only what a test makes it say.
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use leveret_protocol::codec::{
    self, Ack, ConnAck, Connect, Decoded, Disconnect, Limits, Packet, PacketId, Properties,
    Publish, Side, Version,
};
use leveret_protocol::engine::{
    Batch, Budget, Command, Cost, Destination, Engine, Event, Incoming, Input, LinkError,
    LinkErrorKind, Output, Payload, Reply, State, Subscribe, SubscribeEntry, SubscriptionId, Tag,
};
use leveret_protocol::error::Error;
use leveret_protocol::message::{Message, QoS};
use leveret_protocol::options::{ClientOptions, Protocol, PublishOptions, SubscribeOptions, Ttl};
use leveret_protocol::outcome::Outcome;
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence::Dialect;
use leveret_protocol::text::Text;
use leveret_protocol::time::Instant;

pub struct Bench {
    pub engine: Engine,
    pub options: ClientOptions,
    pub now: Instant,
    pub budget: Budget,
    /// Bytes that the socket takes before it stalls.
    pub takes: usize,
    /// Every byte that was written on this connection.
    pub written: Vec<u8>,
    read: usize,
    from_broker: BytesMut,
    pub version: Version,
    pub attempt: u64,
    pub endpoint: usize,
    pub reference: Option<Text>,
    /// Where the application said that the last attempt is to go.
    pub destination: Option<Box<Destination>>,
    pub connected: bool,
    pub hang_ups: Vec<bool>,
    pub sleep: Option<Instant>,
    batch: Batch,
    pub next_tag: Tag,
    pub events: Vec<Event>,
    pub outcomes: std::collections::BTreeMap<Tag, Outcome>,
    states: Vec<State>,
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Options that speak this version and nothing else.
pub fn speaking(version: Version) -> ClientOptions {
    let protocol = if version == Version::V5 {
        Protocol::V5
    } else {
        Protocol::V311
    };
    ClientOptions {
        protocol,
        client_id: "bench".into(),
        ..ClientOptions::default()
    }
}

/// Publish options with a QoS and nothing else.
pub fn at(qos: QoS) -> PublishOptions {
    PublishOptions {
        qos,
        ..PublishOptions::default()
    }
}

pub fn with_ttl(qos: QoS, ttl: Duration) -> PublishOptions {
    PublishOptions {
        qos,
        ttl: Ttl::After(ttl),
        ..PublishOptions::default()
    }
}

pub fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("a packet identifier")
}

pub fn ack(number: u16) -> Ack {
    Ack::success(id(number))
}

pub fn nack(number: u16, reason: ReasonCode) -> Ack {
    Ack {
        reason,
        ..ack(number)
    }
}

pub const V5: Version = Version::V5;
pub const V311: Version = Version::V311;
pub const BOTH: [Version; 2] = [Version::V311, Version::V5];

impl Bench {
    pub fn new(options: ClientOptions) -> Bench {
        Bench::with_endpoints(options, 1)
    }

    pub fn with_endpoints(options: ClientOptions, endpoints: usize) -> Bench {
        options.check(Dialect::Rust).expect("valid options");
        let limit = Cost {
            messages: options.max_queued_messages,
            bytes: options.max_queued_bytes,
        };
        Bench {
            engine: Engine::new(options.clone(), endpoints, 1),
            options,
            now: Instant(1_000_000_000_000),
            budget: Budget::new(limit),
            takes: usize::MAX,
            written: Vec::new(),
            read: 0,
            from_broker: BytesMut::new(),
            version: V5,
            attempt: 0,
            endpoint: 0,
            reference: None,
            destination: None,
            connected: false,
            hang_ups: Vec::new(),
            sleep: None,
            batch: Batch::new(),
            next_tag: 1,
            events: Vec::new(),
            outcomes: Default::default(),
            states: vec![State::Idle],
        }
    }

    /// A bench that is online with a fresh session.
    pub fn online(options: ClientOptions) -> Bench {
        let mut bench = Bench::new(options);
        bench.handle(Input::Start);
        bench.accept(false);
        bench.events.clear();
        bench
    }

    pub fn handle(&mut self, input: Input<'_>) {
        self.engine.handle(self.now, input);
        self.run();
    }

    /// Does what the engine says until it sleeps.
    pub fn run(&mut self) {
        loop {
            let state = self.engine.state();
            if self.states.last() != Some(&state) {
                self.states.push(state);
            }
            match self.engine.poll() {
                Output::Dial {
                    attempt,
                    endpoint,
                    reference,
                    destination,
                } => {
                    self.destination = destination;
                    (self.attempt, self.endpoint, self.connected) = (attempt, endpoint, false);
                    self.reference = reference;
                }
                Output::Write(slices) => {
                    let all = slices.concat();
                    let taken = all.len().min(self.takes);
                    self.takes -= if self.takes == usize::MAX { 0 } else { taken };
                    self.written.extend_from_slice(&all[..taken]);
                    self.engine.handle(self.now, Input::Written(taken));
                }
                Output::HangUp { graceful } => {
                    self.hang_ups.push(graceful);
                    self.connected = false;
                }
                Output::Deliver(events) => {
                    for event in events.drain(..) {
                        match &event {
                            Event::Settled { tag, outcome, cost } => {
                                self.budget.give_back(*cost);
                                let before = self.outcomes.insert(*tag, outcome.clone());
                                assert!(
                                    *tag == 0 || before.is_none(),
                                    "receipt {tag} is settled twice"
                                );
                            }
                            Event::Released(cost) => self.budget.give_back(*cost),
                            _ => {}
                        }
                        self.events.push(event);
                    }
                }
                Output::Sleep(until) => {
                    self.sleep = until;
                    return;
                }
            }
        }
    }

    /// Lets time pass; the engine is told whenever it wants to be.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(wake) = self.sleep.filter(|wake| *wake <= until) {
            assert!(
                wake > self.now || self.sleep != Some(wake) || wake == self.now,
                "time stands still"
            );
            self.now = self.now.max(wake);
            self.handle(Input::Tick);
        }
        self.now = until;
        self.handle(Input::Tick);
    }

    /// The transport comes up, and CONNECT is read.
    pub fn link_up(&mut self) -> Connect {
        self.connected = true;
        self.written.clear();
        self.read = 0;
        self.from_broker.clear();
        self.takes = usize::MAX;
        let attempt = self.attempt;
        self.handle(Input::LinkUp { attempt });
        let mut bytes = BytesMut::from(&self.written[..]);
        let Ok(Decoded::Packet(Packet::Connect(connect))) =
            codec::decode(&mut bytes, V5, Side::Client, &Limits::default())
        else {
            panic!("no CONNECT: {:?}", self.written);
        };
        self.read = self.written.len() - bytes.len();
        self.version = connect.version;
        *connect
    }

    /// The transport comes up and the broker accepts.
    pub fn accept(&mut self, session_present: bool) -> Connect {
        self.accept_with(session_present, Properties::new())
    }

    pub fn accept_with(&mut self, session_present: bool, properties: Properties) -> Connect {
        let connect = self.link_up();
        self.give(Packet::ConnAck(Box::new(ConnAck {
            session_present,
            reason: ReasonCode::SUCCESS,
            properties,
        })));
        connect
    }

    /// The broker dies; the time until the next attempt passes.
    pub fn lose_connection(&mut self) {
        self.cut();
        self.pass_backoff();
    }

    /// The broker dies.
    pub fn cut(&mut self) {
        self.connected = false;
        let attempt = self.attempt;
        self.handle(Input::LinkDown {
            attempt,
            why: closed(),
        });
    }

    pub fn pass_backoff(&mut self) {
        let before = self.attempt;
        for _ in 0..1_000 {
            if self.attempt != before {
                return;
            }
            let wake = self.sleep.expect("an attempt is planned");
            self.pass(wake.since(self.now));
        }
        panic!("no attempt is made");
    }

    /// Lets the backoff pass, until the application is asked how the next attempt is to begin.
    pub fn pass_backoff_to_step(&mut self) {
        while self.engine.state() == State::Backoff {
            let wake = self.sleep.expect("an attempt is planned");
            self.pass(wake.since(self.now));
        }
    }

    /// What the engine has sent and was not looked at yet.
    pub fn sent(&mut self) -> Vec<Packet> {
        let mut bytes = BytesMut::from(&self.written[self.read..]);
        let mut packets = Vec::new();
        loop {
            match codec::decode(
                &mut bytes,
                self.version,
                Side::Client,
                &Limits {
                    max_packet_size: 300_000_000,
                    ..Limits::default()
                },
            ) {
                Ok(Decoded::Packet(packet)) => packets.push(packet),
                Ok(Decoded::NeedMore(_)) => break,
                other => panic!("the engine sent what cannot be read: {other:?}"),
            }
        }
        self.read = self.written.len() - bytes.len();
        packets
    }

    /// The bytes that the engine has sent and that were not looked at yet.
    pub fn sent_bytes(&mut self) -> Vec<u8> {
        let bytes = self.written[self.read..].to_vec();
        self.read = self.written.len();
        bytes
    }

    /// The broker sends a packet.
    pub fn give(&mut self, packet: Packet) {
        packet
            .encode(self.version, u32::MAX, &mut self.from_broker)
            .expect("a packet");
        self.deliver();
    }

    pub fn give_bytes(&mut self, bytes: &[u8]) {
        self.from_broker.extend_from_slice(bytes);
        self.deliver();
    }

    fn deliver(&mut self) {
        let mut buffer = std::mem::take(&mut self.from_broker);
        self.engine.handle(self.now, Input::Received(&mut buffer));
        self.from_broker = buffer;
        self.run();
    }

    /// A message from the broker.
    pub fn give_message(&mut self, topic: &str, qos: QoS, number: u16, dup: bool) {
        let message = Message {
            topic: Text::from(topic),
            qos,
            dup,
            payload: Bytes::from_static(b"m"),
            ..Message::default()
        };
        let packet_id = (qos != QoS::AtMostOnce).then(|| id(number));
        self.give(Packet::Publish(Publish { packet_id, message }));
    }

    pub fn publish(&mut self, topic: &str, options: &PublishOptions) -> Tag {
        self.publish_payload(topic, Payload::from("x"), options)
    }

    pub fn publish_payload(
        &mut self,
        topic: &str,
        payload: Payload<'_>,
        options: &PublishOptions,
    ) -> Tag {
        let publish = leveret_protocol::engine::Publish {
            topic,
            payload,
            options,
        };
        let letter = publish
            .seal(&self.options, Dialect::Rust)
            .expect("a valid letter");
        assert!(
            self.budget.try_take(letter.cost()),
            "the post office is full"
        );
        let tag = self.tag();
        let now = self.now;
        self.batch.post(&letter, now, tag);
        self.submit();
        tag
    }

    pub fn tag(&mut self) -> Tag {
        self.next_tag += 1;
        self.next_tag - 1
    }

    pub fn command(&mut self, command: Command) {
        self.batch.push(command);
        self.submit();
    }

    /// Gives several at once.
    pub fn commands(&mut self, commands: impl IntoIterator<Item = Command>) {
        commands
            .into_iter()
            .for_each(|command| self.batch.push(command));
        self.submit();
    }

    fn submit(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        self.handle(Input::Submit(&mut batch));
        self.batch = batch;
    }

    /// Gives a command that is answered, and returns the answer if it is there already.
    pub fn ask(
        &mut self,
        command: impl FnOnce(Tag) -> Command,
    ) -> (Tag, Option<Result<Reply, Error>>) {
        let tag = self.tag();
        self.command(command(tag));
        (tag, self.reply(tag))
    }

    pub fn reply(&self, wanted: Tag) -> Option<Result<Reply, Error>> {
        self.events.iter().find_map(|event| match event {
            Event::Reply { tag, result } if *tag == wanted => Some(result.clone()),
            _ => None,
        })
    }

    pub fn subscribe(&mut self, filters: &[(u32, &str)], qos: QoS) -> Tag {
        let reply = self.tag();
        let options = SubscribeOptions {
            qos,
            ..SubscribeOptions::default()
        };
        let entries = filters
            .iter()
            .map(|(id, filter)| SubscribeEntry {
                id: SubscriptionId(*id),
                filter: Text::from(*filter),
                options: options.clone(),
            })
            .collect();
        self.command(Command::Subscribe(Box::new(Subscribe { reply, entries })));
        reply
    }

    pub fn outcome(&self, tag: Tag) -> Option<&Outcome> {
        self.outcomes.get(&tag)
    }

    /// How a letter was settled, and whether it may have arrived.
    pub fn settled(&self, tag: Tag) -> Option<(&'static str, bool)> {
        self.outcome(tag)
            .map(|outcome| (outcome.status.name(), outcome.maybe_delivered))
    }

    pub fn messages(&self) -> Vec<&Incoming> {
        self.events
            .iter()
            .filter_map(|event| {
                if let Event::Message(incoming) = event {
                    Some(incoming)
                } else {
                    None
                }
            })
            .collect()
    }

    pub fn notices(&self) -> Vec<&leveret_protocol::engine::Notice> {
        self.events
            .iter()
            .filter_map(|event| {
                if let Event::Notice(notice) = event {
                    Some(notice)
                } else {
                    None
                }
            })
            .collect()
    }

    /// Each state that was seen follows the one before it as the table says.
    pub fn check_states(&self) {
        for pair in self.states.windows(2) {
            assert!(pair[0].may_follow(pair[1]), "{:?} → {:?}", pair[0], pair[1]);
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_states();
        }
    }
}

pub fn closed() -> LinkError {
    LinkError {
        kind: LinkErrorKind::Closed,
        text: "connection closed".into(),
    }
}

/// Topics of the PUBLISH packets among these, with identifier and DUP.
pub fn publishes(packets: &[Packet]) -> Vec<(String, u16, bool)> {
    packets
        .iter()
        .filter_map(|packet| match packet {
            Packet::Publish(publish) => {
                let number = publish.packet_id.map_or(0, PacketId::get);
                Some((
                    publish.message.topic().to_owned(),
                    number,
                    publish.message.dup,
                ))
            }
            _ => None,
        })
        .collect()
}

pub fn disconnect_of(packets: &[Packet]) -> Option<&Disconnect> {
    packets.iter().find_map(|packet| {
        if let Packet::Disconnect(disconnect) = packet {
            Some(disconnect)
        } else {
            None
        }
    })
}

/// An accepting CONNACK.
pub fn connack(session_present: bool) -> Packet {
    Packet::ConnAck(Box::new(ConnAck {
        session_present,
        ..ConnAck::default()
    }))
}

/// A refusing CONNACK.
pub fn refusal(reason: ReasonCode) -> Packet {
    Packet::ConnAck(Box::new(ConnAck {
        reason,
        ..ConnAck::default()
    }))
}
