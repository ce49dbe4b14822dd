//! Hostile brokers against live clients: mutated conversations over real sockets, and a well-behaved broker afterwards.
//!
//! No stream may stop a client, hang it or make it grow. Each connection ends with an error that says in a sentence what was wrong; on MQTT 5 what is
//! wrong after CONNACK is answered with DISCONNECT and the same reason code. `LEVERET_HOSTILE_COUNT` streams (`make hostile COUNT=…`), drawn from
//! `LEVERET_HOSTILE_SEED`.
use std::io::{ErrorKind as IoErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use bytes::BytesMut;
use futures::executor::block_on;
use futures::{FutureExt, StreamExt};
use leveret::testing::Broker;
use leveret::{
    Client, ConnectionEvent, Error, ErrorKind, Events, News, OutcomeStatus, QoS, Receipt,
};
use leveret_protocol::codec::{DecodeError, Decoded, Limits, Packet, Side, Version, decode};
use leveret_protocol::reason::ReasonCode;
use leveret_tests::sim::random::Random;

mod clients;
mod streams;

use clients::{Habits, Kind};
use streams::Stream;

/// Clients at a time, each with a hostile broker of its own: two plain ones, two that make use of everything, and two that authenticate or do both.
const CLIENTS: u64 = 6;
/// Nothing takes longer than this, or it hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// What the process may grow by once it is warm, 4 MiB for each client: allocator's slack, mostly.
const GROWTH: usize = (CLIENTS as usize * 4) << 20;
/// What the clients take in.
const MAX_PACKET: u32 = 64 * 1024;
/// A letter is posted before each so many streams.
const LETTER_EVERY: u64 = 16;

#[test]
fn mutated_streams_neither_stop_nor_hang_nor_swell_a_client() {
    let setting = |name, usual| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let count: u64 = setting("LEVERET_HOSTILE_COUNT", 2_000);
    let seed: u64 = setting("LEVERET_HOSTILE_SEED", 1);
    let broker = Broker::start_new().unwrap();
    let (progress, told) = mpsc::channel();
    let workers: Vec<_> = (0..CLIENTS)
        .map(|index| {
            let (progress, port) = (progress.clone(), broker.port());
            let each = count.div_ceil(CLIENTS);
            thread::spawn(move || Attack::new(seed, index).run(each, port, &progress))
        })
        .collect();
    drop(progress);
    let (mut done, mut warm, mut most) = (0, None, 0);
    loop {
        match told.recv_timeout(PATIENCE) {
            Ok(streams) => done += streams,
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                panic!("seed {seed}: nothing moves after {done} streams")
            }
        }
        if done >= count / 5 {
            let resident = resident();
            warm.get_or_insert(resident);
            most = most.max(resident);
            if done.is_multiple_of(count.div_ceil(5)) {
                println!("after {done} streams: {} KiB", resident >> 10);
            }
        }
    }
    let mut tally = Tally::default();
    for worker in workers {
        tally.add(&worker.join().expect("a client withstood its broker"));
    }
    let warm = warm.unwrap_or_default();
    println!(
        "seed {seed}: {tally:?}; memory {} KiB when warm, {} KiB at most (bound: {} KiB more)",
        warm >> 10,
        most >> 10,
        GROWTH >> 10
    );
    assert!(most <= warm + GROWTH);
    assert_eq!(tally.streams, count.div_ceil(CLIENTS) * CLIENTS);
    // The streams must not be so wild that one kind of end is all there is.
    assert!(tally.accepted > tally.streams / 4 && tally.violations > tally.streams / 4);
    assert!(tally.disconnects > tally.streams / 16 && tally.exact > tally.streams / 32);
    // Nor must those who make use of everything have had nothing to do.
    assert!(tally.messages > tally.streams / 16 && tally.hooked > tally.streams / 16);
    assert!(tally.subscribed > tally.streams / 64);
}

/// What became of the streams.
#[derive(Debug, Default)]
struct Tally {
    streams: u64,
    /// CONNACK was good.
    accepted: u64,
    /// The client gave the connection up because of what came.
    violations: u64,
    /// It said so with DISCONNECT.
    disconnects: u64,
    /// The very rule that was broken was known here, and it was the one that was named.
    exact: u64,
    letters: u64,
    acknowledged: u64,
    /// Messages that came to a slow application.
    messages: u64,
    /// Answers to a subscribe.
    subscribed: u64,
    /// Calls of hooks.
    hooked: u64,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.streams += other.streams;
        self.accepted += other.accepted;
        self.violations += other.violations;
        self.disconnects += other.disconnects;
        self.exact += other.exact;
        self.letters += other.letters;
        self.acknowledged += other.acknowledged;
        self.messages += other.messages;
        self.subscribed += other.subscribed;
        self.hooked += other.hooked;
    }
}

/// One client and its broker.
struct Attack {
    seed: u64,
    index: u64,
    kind: Kind,
    version: Version,
    listener: TcpListener,
    client: Client,
    events: Events,
    habits: Option<Habits>,
    /// How often hooks were called.
    hooked: Arc<AtomicU64>,
    receipts: Vec<Receipt>,
    tally: Tally,
}

impl Attack {
    fn new(seed: u64, index: u64) -> Attack {
        let (kind, version) = Kind::of(index);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("mqtt://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let (client, hooked) = kind.client(&url, version);
        Attack {
            seed,
            index,
            kind,
            version,
            listener,
            events: client.events(),
            habits: (kind != Kind::Plain).then(|| Habits::of(&client)),
            hooked,
            client,
            receipts: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn run(mut self, count: u64, port: u16, progress: &Sender<u64>) -> Tally {
        let mut before = None;
        for number in 0..count {
            if number % LETTER_EVERY == 0 {
                self.post(number);
            }
            if let Some(habits) = &mut self.habits {
                habits.act(number);
            }
            let socket = self.listener.accept().unwrap().0;
            // The client tells how a connection ended before it makes the next one.
            if let Some(end) = before.take() {
                self.judge(&end);
            }
            before = Some(self.attack(number, socket));
            // A test that gave up does not listen any more.
            let _ = progress.send(1);
        }
        if self.kind != Kind::Authenticating {
            self.recover(port);
            self.settle(before.take());
        }
        self.close(before)
    }

    fn post(&mut self, number: u64) {
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][number as usize / 16 % 3];
        let receipt = self.client.publish("letters", "meanwhile").qos(qos).send();
        self.receipts.push(receipt.unwrap());
        self.tally.letters += 1;
    }

    /// One connection: CONNECT is read, the stream written, then everything else read to the end.
    fn attack(&self, number: u64, mut socket: TcpStream) -> End {
        let mut random = Random::stream(self.seed, "hostile", number * CLIENTS + self.index);
        let stream = Stream::draw(&mut random, self.version, self.kind);
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut heard = BytesMut::new();
        while read(&mut socket, &mut heard) && packets(&heard, self.version).is_empty() {}
        let mut rest = &stream.bytes[..];
        while !rest.is_empty() {
            let drip = if stream.drips {
                1 + random.below(7) as usize
            } else {
                rest.len()
            };
            let (piece, later) = rest.split_at(drip.min(rest.len()));
            // The client may have hung up already.
            if socket.write_all(piece).is_err() {
                break;
            }
            rest = later;
        }
        // It fails where the client was faster.
        let _ = socket.shutdown(Shutdown::Write);
        while read(&mut socket, &mut heard) {}
        let said = packets(&heard, self.version);
        End {
            what: format!("seed {}, client {}, stream {number}", self.seed, self.index),
            disconnect: said.iter().find_map(|packet| match packet {
                Packet::Disconnect(disconnect) => Some(disconnect.reason),
                _ => None,
            }),
            expected: stream.expected,
        }
    }

    /// What the client told of a connection that is over is right.
    fn judge(&mut self, end: &End) {
        let (mut online, mut why, mut deaf): (bool, Option<Error>, bool) = (false, None, false);
        while let Some(Some(news)) = self.events.next().now_or_never() {
            match news {
                News::Connection(ConnectionEvent::Online(news)) if why.is_none() => {
                    let most = news.properties.maximum_packet_size();
                    // Too small for a DISCONNECT with its reason.
                    (online, deaf) = (true, most.is_some_and(|most| most < 3));
                }
                News::Connection(
                    ConnectionEvent::Offline { why: told, .. }
                    | ConnectionEvent::AttemptFailed { why: told, .. },
                ) if why.is_none() => why = Some(told),
                _ => {}
            }
        }
        let End {
            what,
            disconnect,
            expected,
        } = end;
        let why = why.unwrap_or_else(|| panic!("{what}: nothing was told of its end"));
        assert!(why.to_string().contains(' '), "{what}: no sentence: {why}");
        let violated = why.kind == ErrorKind::ProtocolViolation;
        self.tally.streams += 1;
        self.tally.accepted += u64::from(online);
        self.tally.violations += u64::from(violated);
        self.tally.disconnects += u64::from(disconnect.is_some());
        if violated {
            assert!(
                why.reason.is_some_and(ReasonCode::is_error),
                "{what}: {why}"
            );
        }
        let answered = online && self.version == Version::V5 && !deaf;
        if violated || self.kind != Kind::Authenticating {
            assert_eq!(
                *disconnect,
                why.reason.filter(|_| violated && answered),
                "{what}: DISCONNECT does not say what is wrong: {why}"
            );
        }
        if let Some(error) = expected {
            assert_eq!(why.reason, Some(error.reason), "{what}: {why}, not {error}");
            assert!(
                why.to_string().contains(&error.to_string()),
                "{what}: {why}, not {error}"
            );
            self.tally.exact += 1;
        }
    }

    /// From now on the client reaches a broker that behaves.
    fn recover(&mut self, port: u16) {
        let listener = self.listener.try_clone().unwrap();
        thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                // At the end of the test the broker may be gone before its client.
                let Ok(broker) = TcpStream::connect(("127.0.0.1", port)) else {
                    return;
                };
                relay(client.try_clone().unwrap(), broker.try_clone().unwrap());
                relay(broker, client);
            }
        });
    }

    /// Every letter has its outcome, and everything works.
    fn settle(&mut self, last: Option<End>) {
        let what = format!("seed {}, client {}", self.seed, self.index);
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let receipt = self.client.publish("afterwards", "well").qos(qos).send();
            let outcome = block_on(receipt.unwrap());
            assert!(outcome.ok(), "{what}: {outcome}");
            self.tally.letters += 1;
        }
        if let Some(end) = last {
            self.judge(&end);
        }
        let topic = format!("echo/{}", self.index);
        let mut echo = loop {
            match block_on(self.client.subscribe(&topic, QoS::ExactlyOnce)) {
                Ok(echo) => break echo,
                // A busy client has little patience with a broker on a loaded machine.
                Err(error) => assert_eq!(error.kind, ErrorKind::TimedOut, "{what}: {error}"),
            }
        };
        drop(self.client.publish(&topic, "echo").send().unwrap());
        self.tally.letters += 1;
        let message = block_on(echo.next()).expect("a message");
        assert_eq!(message.payload(), b"echo", "{what}");
    }

    /// Each letter has one outcome, at the latest now.
    fn close(mut self, last: Option<End>) -> Tally {
        let what = format!("seed {}, client {}", self.seed, self.index);
        if let Some(end) = last {
            // The client has told of the connection before when it makes the next.
            drop(self.listener.accept());
            self.judge(&end);
        }
        let patience = match self.kind {
            Kind::Authenticating => Duration::ZERO, // no broker here takes it
            Kind::Plain | Kind::Busy => PATIENCE,
        };
        block_on(self.client.close(patience)).expect("closed in order");
        for receipt in self.receipts.drain(..) {
            let outcome = block_on(receipt);
            let acknowledged = outcome.status == OutcomeStatus::Acknowledged;
            self.tally.acknowledged += u64::from(acknowledged);
        }
        let outcomes: u64 = self.client.stats().outcomes.iter().sum();
        assert_eq!(
            outcomes, self.tally.letters,
            "{what}: each letter has one outcome"
        );
        self.tally.hooked = self.hooked.load(Ordering::Relaxed);
        if let Some(habits) = self.habits {
            let heard = habits.end();
            (self.tally.messages, self.tally.subscribed) = (heard.messages, heard.answered);
        }
        self.tally
    }
}

/// How a connection went, as its broker saw it.
struct End {
    what: String,
    disconnect: Option<ReasonCode>,
    expected: Option<DecodeError>,
}

/// Reads what there is; false at the end.
fn read(socket: &mut TcpStream, heard: &mut BytesMut) -> bool {
    let mut bytes = [0; 4096];
    match socket.read(&mut bytes) {
        Ok(count) => {
            heard.extend_from_slice(&bytes[..count]);
            count > 0
        }
        Err(error) => {
            let hangs = matches!(
                error.kind(),
                IoErrorKind::WouldBlock | IoErrorKind::TimedOut
            );
            assert!(!hangs, "the client neither goes on nor hangs up");
            false
        }
    }
}

/// The whole packets that a client wrote.
fn packets(heard: &BytesMut, version: Version) -> Vec<Packet> {
    let mut rest = heard.clone();
    let mut packets = Vec::new();
    while let Ok(Decoded::Packet(packet)) =
        decode(&mut rest, version, Side::Client, &Limits::default())
    {
        packets.push(packet);
    }
    packets
}

/// Carries bytes from one socket to another until the first ends.
fn relay(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}

/// Memory that the process takes, in bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages.split_whitespace().nth(1).map(str::parse::<usize>);
    resident.map_or(0, |pages| pages.unwrap() * 4096)
}
