//! Target `broker`: clients of the test broker that send whatever they like.
//!
//! What it answers are the packets of a server, each no larger than the client takes; it never has more unacknowledged messages under way than
//! the client's receive maximum; a hang-up ends a link for good; and what is due is done when its time comes.
use std::collections::{BTreeMap, BTreeSet};

use bytes::{BufMut, BytesMut};
use leveret::testing::{Broker, SocketlessBroker};
use leveret_protocol::codec::{
    Ack, Decoded, Limits, MAX_PACKET_SIZE, Packet, Side, Version, decode,
};
use leveret_protocol::message::QoS;
use leveret_protocol::time::{Duration, Instant};

use super::draw::{self, TOPICS};
use super::feed::Feed;

/// Operations of one input at most.
const OPERATIONS: usize = 1_000;
/// Links at one time.
const LINKS: usize = 4;
/// A deadline is done with after so many ticks at its time.
const TICKS_AT_ONCE: usize = 64;

/// Settings first, then operations until nothing is left.
pub fn run(input: &[u8]) {
    let mut feed = Feed::new(input);
    let mut world = World::new(&mut feed);
    for _ in 0..OPERATIONS {
        if feed.is_empty() {
            break;
        }
        world.operation(&mut feed);
        world.listen();
    }
    world.broker.power_cut(world.now);
    world.listen();
    assert_eq!(world.broker.connections(), 0);
}

struct World {
    broker: SocketlessBroker,
    now: Instant,
    links: BTreeMap<usize, Client>,
}

/// A client's end of a link.
struct Client {
    version: Version,
    /// What it sent and the broker did not take yet.
    sent: BytesMut,
    heard: BytesMut,
    /// It sends garbage, so that what it asked for is not known.
    lies: bool,
    /// It answers what has to be answered.
    willing: bool,
    maximum_packet_size: u32,
    receive_maximum: usize,
    connected: bool,
    /// Messages of QoS 1 and 2 that it has not acknowledged.
    unacknowledged: BTreeSet<u16>,
}

impl World {
    fn new(feed: &mut Feed<'_>) -> World {
        let flags = feed.byte();
        let mut options = Broker::builder()
            .receive_maximum(u16::from(flags >> 4) + 1)
            .maximum_qos(draw::qos(feed))
            .retain_available(flags & 1 == 0)
            .copy_per_subscription(flags & 2 == 2)
            .topic_alias_maximum(u16::from(flags >> 6))
            .deny("a/b/c");
        if flags & 4 == 4 {
            options = options.maximum_packet_size(u32::from(feed.byte()) + 1);
        }
        if flags & 8 == 8 {
            options = options
                .server_keep_alive(u16::from(feed.byte()))
                .maximum_session_expiry(u32::from(feed.byte()));
        }
        World {
            broker: SocketlessBroker::new(options),
            now: Instant(1 << 40),
            links: BTreeMap::new(),
        }
    }

    fn operation(&mut self, feed: &mut Feed<'_>) {
        match feed.byte() % 16 {
            0..=1 => self.connect(feed),
            2..=8 => self.say(feed),
            9 => self.garbage(feed),
            10 => {
                self.now += Duration::from_millis(u64::from(feed.pair()) << 2);
                self.broker.tick(self.now);
            }
            11 => self.wake(),
            12 => {
                if let Some(link) = self.any_link(feed) {
                    self.links.remove(&link);
                    self.broker.end(link, self.now);
                }
            }
            13 => {
                let topic = *feed.pick(&TOPICS);
                let (qos, retain) = (draw::qos(feed), feed.flag());
                let payload = draw::payload(feed);
                self.broker.publish(topic, payload, qos, retain, self.now);
            }
            14 => {
                if let Some(client) = self
                    .any_link(feed)
                    .and_then(|link| self.links.get_mut(&link))
                {
                    client.willing = !client.willing;
                }
            }
            _ => match feed.byte() {
                0..=31 => self.broker.power_cut(self.now),
                32..=63 => self.broker.lose_sessions(self.now),
                _ => self.broker.tick(self.now),
            },
        }
    }

    fn any_link(&self, feed: &mut Feed<'_>) -> Option<usize> {
        let place = feed.below(self.links.len());
        self.links.keys().nth(place).copied()
    }

    fn connect(&mut self, feed: &mut Feed<'_>) {
        if self.links.len() >= LINKS {
            return;
        }
        let version = if feed.flag() {
            Version::V311
        } else {
            Version::V5
        };
        let link = self.broker.open();
        let client = Client {
            version,
            sent: BytesMut::new(),
            heard: BytesMut::new(),
            lies: false,
            willing: feed.flag(),
            maximum_packet_size: MAX_PACKET_SIZE,
            receive_maximum: usize::from(u16::MAX),
            connected: false,
            unacknowledged: BTreeSet::new(),
        };
        self.links.insert(link, client);
        let packet = draw::connect(feed, version);
        self.send(link, &packet);
    }

    fn say(&mut self, feed: &mut Feed<'_>) {
        if let Some(link) = self.any_link(feed)
            && let Some(client) = self.links.get(&link)
        {
            let packet = draw::from_client(feed, client.version);
            self.send(link, &packet);
        }
    }

    fn send(&mut self, link: usize, packet: &Packet) {
        let Some(client) = self.links.get_mut(&link) else {
            return;
        };
        if packet
            .encode(client.version, MAX_PACKET_SIZE, &mut client.sent)
            .is_ok()
        {
            client.said(packet);
            self.broker.receive(link, &mut client.sent, self.now);
        }
    }

    fn garbage(&mut self, feed: &mut Feed<'_>) {
        let link = self.any_link(feed);
        let count = usize::from(feed.byte()) % 64;
        let bytes = feed.bytes(count);
        if let Some(link) = link
            && let Some(client) = self.links.get_mut(&link)
        {
            client.lies = true;
            client.sent.put_slice(bytes);
            self.broker.receive(link, &mut client.sent, self.now);
        }
    }

    /// Time passes until something is due.
    fn wake(&mut self) {
        for _ in 0..TICKS_AT_ONCE {
            let Some(at) = self.broker.next_deadline() else {
                return;
            };
            let due = at <= self.now;
            self.now = self.now.max(at);
            self.broker.tick(self.now);
            if !due {
                return;
            }
        }
        panic!("ticks change nothing at {}", self.now);
    }

    /// The clients read what there is, and answer.
    fn listen(&mut self) {
        loop {
            let mut answers = Vec::new();
            for (link, client) in &mut self.links {
                if let Some(output) = self.broker.take_output(*link) {
                    client.hear(&output);
                    answers.extend(client.answers().into_iter().map(|packet| (*link, packet)));
                }
            }
            for (link, farewell) in self.broker.take_hang_ups() {
                assert!(self.broker.take_output(link).is_none());
                if let Some(mut client) = self.links.remove(&link) {
                    client.hear(&farewell.unwrap_or_default());
                    client.answers();
                }
            }
            if answers.is_empty() {
                return;
            }
            for (link, packet) in answers {
                self.send(link, &packet);
            }
        }
    }
}

impl Client {
    fn said(&mut self, packet: &Packet) {
        match packet {
            Packet::Connect(connect) if !self.connected => {
                self.connected = true;
                let properties = &connect.properties;
                self.maximum_packet_size =
                    properties.maximum_packet_size().unwrap_or(MAX_PACKET_SIZE);
                self.receive_maximum =
                    usize::from(properties.receive_maximum().unwrap_or(u16::MAX));
            }
            Packet::PubAck(ack) | Packet::PubComp(ack) => self.acknowledged(ack),
            Packet::PubRec(ack) if ack.reason.is_error() => self.acknowledged(ack),
            _ => {}
        }
    }

    fn acknowledged(&mut self, ack: &Ack) {
        self.unacknowledged.remove(&ack.packet_id.get());
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
    }

    /// Takes what was heard, which must be the packets of a server; what the client says to it.
    fn answers(&mut self) -> Vec<Packet> {
        let mut answers = Vec::new();
        let limits = Limits {
            max_packet_size: MAX_PACKET_SIZE,
            ..Limits::default()
        };
        loop {
            let before = self.heard.len();
            match decode(&mut self.heard, self.version, Side::Server, &limits) {
                Ok(Decoded::Packet(packet)) => {
                    let length = before - self.heard.len();
                    assert!(self.lies || length <= self.maximum_packet_size as usize);
                    self.check(&packet);
                    answers.extend(self.willing.then(|| answer(&packet)).flatten());
                }
                Ok(Decoded::NeedMore(_)) => return answers,
                // A CONNECT among the garbage may have named the other version.
                _ if self.lies => {
                    self.heard.clear();
                    return answers;
                }
                other => panic!("the broker sent no packet of a server: {other:?}"),
            }
        }
    }

    fn check(&mut self, packet: &Packet) {
        let Packet::Publish(publish) = packet else {
            return;
        };
        assert_eq!(
            publish.message.qos != QoS::AtMostOnce,
            publish.packet_id.is_some()
        );
        if let Some(id) = publish.packet_id {
            self.unacknowledged.insert(id.get());
            let count = self.unacknowledged.len();
            assert!(
                self.lies || self.version == Version::V311 || count <= self.receive_maximum,
                "{count} messages without acknowledgement, {} are allowed",
                self.receive_maximum
            );
        }
    }
}

fn answer(packet: &Packet) -> Option<Packet> {
    match packet {
        Packet::Publish(publish) => {
            let ack = Ack::success(publish.packet_id?);
            Some(match publish.message.qos {
                QoS::ExactlyOnce => Packet::PubRec(ack),
                _ => Packet::PubAck(ack),
            })
        }
        Packet::PubRec(ack) => Some(Packet::PubRel(Ack::success(ack.packet_id))),
        Packet::PubRel(ack) => Some(Packet::PubComp(Ack::success(ack.packet_id))),
        _ => None,
    }
}
