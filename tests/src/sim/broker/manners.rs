//! What the plan makes the model broker do beside answering: faults, strangers, nonsense, and calm.

use bytes::Bytes;

use super::session::Granted;
use super::{Broker, Faults};
use crate::sim::frames::kind;
use crate::sim::network::{End, Nanos};
use crate::sim::operation::Misbehaviour;
use crate::sim::packets::{Asked, Publication, ToClient};

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

    /// Sends what must not be sent. False if there is nothing to do it with.
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
        let in_flight = connection.unfinished.keys().next().copied();
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
                let Some(packet_id) = in_flight else {
                    return false;
                };
                vec![ToClient::Ack {
                    kind: kind::PUBCOMP,
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
            Misbehaviour::UnknownAlias if level != 5 => return false,
            Misbehaviour::UnknownAlias => vec![ToClient::Raw(vec![0x30, 6, 0, 0, 3, 0x23, 0, 16])],
            Misbehaviour::AliasAboveMaximum if level != 5 => return false,
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
                let Some(packet_id) = in_flight else {
                    return false;
                };
                let ack = ToClient::Ack {
                    kind: kind::PUBREC,
                    packet_id,
                    reason: 0,
                };
                vec![ack.clone(), ack]
            }
            Misbehaviour::StrayPong => vec![ToClient::Pong],
            Misbehaviour::TooLarge if connection.client_maximum > 100_000 => return false,
            Misbehaviour::TooLarge => {
                let mut large = publish(0, "large", 0);
                if let ToClient::Publish(publication) = &mut large {
                    publication.payload = vec![0; connection.client_maximum].into();
                }
                vec![large]
            }
            Misbehaviour::HalfAPacket => vec![ToClient::Raw(vec![0x32, 100, 0, 1])],
            Misbehaviour::Flood => (0..self.flood_size(number))
                .map(|extra| publish(1, "flood", 60_000 + extra))
                .collect(),
        };
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.misled = true;
        }
        for packet in packets {
            self.send(now, number, packet);
        }
        if how == Misbehaviour::HalfAPacket {
            self.close(now, number, End::Graceful);
        }
        true
    }

    /// One more than the client's receive maximum, if that is few.
    fn flood_size(&self, number: u32) -> u16 {
        let maximum = self
            .connections
            .get(&number)
            .and_then(|connection| connection.client_receive_maximum)
            .unwrap_or(0);
        if maximum < 100 { maximum + 1 } else { 0 }
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
