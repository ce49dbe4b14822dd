//! What the plan makes the model broker do beside answering: faults, strangers, nonsense, and calm.

use bytes::Bytes;

use super::connection::{Due, Unfinished};
use super::session::Granted;
use super::{Broker, Faults};
use crate::sim::frames::kind;
use crate::sim::network::{End, Nanos};
use crate::sim::operation::Misbehaviour;
use crate::sim::packets::{Asked, FromClient, Publication, ToClient};

/// Clients that take no packets of this size are spared.
const SMALL: usize = 64;
/// Codes in a SUBACK that has too many: more than there are filters in any SUBSCRIBE of a run.
const MISCOUNTED: usize = 30;
/// The largest that a packet's head can say, less what it has itself.
const LARGEST: usize = 268_435_440;
/// The packet identifiers of a flood begin here.
const FLOOD: u16 = 50_000;

/// The filter that an earlier life of a client left behind.
pub const FOREIGN_FILTER: &str = "another/life";

impl Broker {
    /// The session on this connection will be discarded when the connection ends.
    pub fn doom(&mut self, number: Option<u32>) {
        let client_id = number
            .and_then(|number| self.connections.get(&number))
            .and_then(|connection| connection.client_id.clone());
        if let Some(session) = client_id.and_then(|client_id| self.sessions.get_mut(&client_id)) {
            session.doomed = true;
        }
    }

    /// A stranger connects with the client id of this connection and goes away again, leaving the session as it is.
    pub fn take_over_by_stranger(&mut self, now: Nanos, number: Option<u32>) {
        if let Some(client_id) = number
            .and_then(|number| self.connections.get(&number))
            .and_then(|connection| connection.client_id.clone())
        {
            self.take_over(now, &client_id);
        }
    }

    /// A session that an earlier life of the client left: a filter, and QoS 2 ids that the client knows nothing of.
    pub fn remember_another_life(&mut self, client_id: &str) {
        let session = self.sessions.entry(client_id.to_owned()).or_default();
        let asked = Asked {
            qos: 1,
            no_local: false,
            retain_as_published: false,
            retain_handling: 0,
        };
        session.subscriptions.insert(
            FOREIGN_FILTER.to_owned(),
            Granted {
                qos: 1,
                asked,
                subscription: None,
            },
        );
        let (quarters, number) = (self.random.below(4), self.random.word());
        session.received.remember_another_life(quarters, number);
    }

    /// Somebody who is no client of the simulation publishes.
    pub fn publish_from_outside(
        &mut self,
        now: Nanos,
        number: u64,
        topic: String,
        payload: Bytes,
        qos: u8,
        retain: bool,
    ) {
        let publication = Publication {
            packet_id: 0,
            qos,
            dup: false,
            retain,
            topic,
            payload,
            expiry: None,
            alias: None,
            subscriptions: Vec::new(),
        };
        self.keep_retained(&publication, Some(number));
        self.route(
            now,
            None,
            publication.topic,
            publication.payload,
            qos,
            retain,
            None,
        );
    }

    /// Waits until there is something to do it with.
    fn lurk(&mut self, how: Misbehaviour) -> bool {
        self.faults.lurking.push(how);
        false
    }

    /// What was waited for has come in: what lurked is done before it is answered.
    pub(super) fn pounce(&mut self, now: Nanos, number: u32, packet: &FromClient) {
        let fits = |how: &Misbehaviour| match packet {
            FromClient::Publish(publication) if publication.qos > 0 => {
                *how != Misbehaviour::MiscountedSuback
            }
            FromClient::Subscribe { .. } => *how == Misbehaviour::MiscountedSuback,
            _ => false,
        };
        if let Some(place) = self.faults.lurking.iter().position(fits) {
            let how = self.faults.lurking.remove(place);
            self.misbehave(now, number, how);
        }
    }

    /// Sends what must not be sent. False if there is nothing to do it with, or nothing yet.
    pub fn misbehave(&mut self, now: Nanos, number: u32, how: Misbehaviour) -> bool {
        let Some(connection) = self.connections.get_mut(&number) else {
            return false;
        };
        if connection.client_id.is_none() || connection.closing {
            return false;
        }
        let level = connection.level;
        let in_use = |packet_id: &u16| connection.unfinished.contains_key(packet_id);
        let stray = (1..=u16::MAX)
            .rev()
            .find(|packet_id| !in_use(packet_id))
            .unwrap_or(u16::MAX);
        let in_flight = connection.unfinished.first_key_value();
        let in_flight = in_flight.map(|(packet_id, state)| (*packet_id, *state));
        let request = connection.requests.first().copied();
        // The nonsense itself has to be small enough for the client.
        if connection.client_maximum < SMALL || how == Misbehaviour::FalseSession {
            return self.false_session(now, number, how);
        }
        let publish = |qos, topic: &str, packet_id| {
            ToClient::Publish(Publication {
                packet_id,
                qos,
                dup: false,
                retain: false,
                topic: topic.into(),
                payload: Bytes::new(),
                expiry: None,
                alias: None,
                subscriptions: Vec::new(),
            })
        };
        let packets = match how {
            Misbehaviour::Garbage => vec![ToClient::Raw(vec![
                0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x17,
            ])],
            // After a swallowed one it would be the first, and not hostile but true.
            Misbehaviour::SecondConnack if !connection.answered => return false,
            Misbehaviour::SecondConnack => vec![ToClient::Raw(if level == 5 {
                vec![0x20, 3, 0, 0, 0]
            } else {
                vec![0x20, 2, 0, 0]
            })],
            Misbehaviour::StrayAck { kind } => vec![ToClient::Ack {
                kind,
                packet_id: stray,
                reason: 0,
            }],
            Misbehaviour::CrossedAck => {
                let Some((packet_id, state)) = in_flight else {
                    return self.lurk(how);
                };
                let once = state == Unfinished::Arrived(1);
                vec![ToClient::Ack {
                    kind: if once { kind::PUBREC } else { kind::PUBACK },
                    packet_id,
                    reason: 0,
                }]
            }
            Misbehaviour::ClientPacket => vec![ToClient::Raw(vec![0xc0, 0])],
            Misbehaviour::WildcardTopic => vec![ToClient::Raw(if level == 5 {
                vec![0x30, 6, 0, 3, b'a', b'/', b'#', 0]
            } else {
                vec![0x30, 5, 0, 3, b'a', b'/', b'#']
            })],
            Misbehaviour::Qos3 => vec![ToClient::Raw(vec![
                0x36, 8, 0, 3, b'a', b'/', b'b', 0, 1, 0,
            ])],
            Misbehaviour::StraySuback => vec![ToClient::Suback {
                packet_id: stray,
                reasons: vec![0],
            }],
            Misbehaviour::MiscountedSuback => {
                let Some(packet_id) = request else {
                    return self.lurk(how);
                };
                let reasons = vec![0; MISCOUNTED];
                vec![ToClient::Suback { packet_id, reasons }]
            }
            Misbehaviour::FalseSession => return false,
            Misbehaviour::UnknownAlias
            | Misbehaviour::AliasZero
            | Misbehaviour::AliasAboveMaximum
            | Misbehaviour::Flood { .. }
                if level != 5 =>
            {
                return false;
            }
            Misbehaviour::AliasZero => {
                vec![ToClient::Raw(vec![0x30, 7, 0, 1, b'a', 3, 0x23, 0, 0])]
            }
            Misbehaviour::UnknownAlias => vec![ToClient::Raw(vec![0x30, 6, 0, 0, 3, 0x23, 0, 16])],
            Misbehaviour::AliasAboveMaximum => vec![ToClient::Raw(vec![
                0x30, 7, 0, 1, b'a', 3, 0x23, 0xff, 0xff,
            ])],
            Misbehaviour::NoTopic => vec![ToClient::Raw(if level == 5 {
                vec![0x30, 3, 0, 0, 0]
            } else {
                vec![0x30, 2, 0, 0]
            })],
            Misbehaviour::StrayAuth => vec![ToClient::Raw(vec![0xf0, 0])],
            Misbehaviour::RepeatedAck => {
                let Some((packet_id, _)) = in_flight else {
                    return self.lurk(how);
                };
                let ack = ToClient::Ack {
                    kind: kind::PUBREC,
                    packet_id,
                    reason: 0,
                };
                vec![ack.clone(), ack]
            }
            Misbehaviour::StrayPong => vec![ToClient::Pong],
            Misbehaviour::TooLarge if connection.client_maximum > LARGEST => return false,
            Misbehaviour::TooLarge => {
                let mut bytes = vec![0x30];
                let mut left = connection.client_maximum;
                while left >= 0x80 {
                    bytes.push(left as u8 | 0x80);
                    left >>= 7;
                }
                bytes.extend([left as u8, 0, 1, b'a', 0, 0]);
                vec![ToClient::Raw(bytes)]
            }
            Misbehaviour::HalfAPacket => vec![ToClient::Raw(vec![0x32, 100, 0, 1])],
            Misbehaviour::Flood { qos } => {
                // One more than may be in flight, each under an identifier that nothing else has.
                let maximum = connection.client_receive_maximum;
                let Some(maximum) = maximum.filter(|maximum| *maximum < 100) else {
                    return false;
                };
                let flooded = self.flooded;
                self.flooded = (flooded + maximum + 1) % (u16::MAX - FLOOD - 100);
                (0..=maximum)
                    .map(|extra| publish(qos, "flood", FLOOD + flooded + extra))
                    .collect()
            }
        };
        self.send_hostile(now, number, how, packets);
        if how == Misbehaviour::HalfAPacket {
            self.close(now, number, End::Graceful);
        }
        true
    }

    /// Queues what must not be sent behind everything that is queued.
    pub(super) fn send_hostile(
        &mut self,
        now: Nanos,
        number: u32,
        how: Misbehaviour,
        packets: Vec<ToClient>,
    ) {
        let (low, high) = self.manners.delay;
        let at = now + self.random.between(low, high);
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        connection.misled = true;
        let at = at.max(connection.latest);
        connection.latest = at;
        connection.earliest = connection.earliest.max(at);
        connection.push(at, Due::Hostile(how, packets));
    }

    /// The next CONNACK for a client that wants a clean session will lie.
    fn false_session(&mut self, now: Nanos, number: u32, how: Misbehaviour) -> bool {
        if how != Misbehaviour::FalseSession {
            return false;
        }
        self.faults.false_session = true;
        self.close(now, number, End::Graceful);
        true
    }

    /// Faults are over: the broker runs, answers everything soon, and starts every connection anew.
    pub fn calm_down(&mut self, now: Nanos) {
        self.faults = Faults {
            calm: true,
            ..Faults::default()
        };
        self.down_until = self.down_until.min(now);
        let numbers: Vec<u32> = self.connections.keys().copied().collect();
        for number in numbers {
            self.close(now, number, End::Reset);
        }
    }
}
