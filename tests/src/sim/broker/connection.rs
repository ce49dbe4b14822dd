//! One connection of the model broker: what is queued towards the client, and what the broker remembers for as long as it lasts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::BytesMut;

use super::authenticating::Exchange;
use super::strict::Violation;
use crate::sim::frames::kind;
use crate::sim::network::{End, Nanos, SECOND};
use crate::sim::operation::Misbehaviour;
use crate::sim::packets::{Connect, FromClient, Publication, ToClient};
use crate::sim::plan::BrokerManners;
use crate::sim::speech;

/// What the broker will do on a connection when its time comes.
#[derive(Debug)]
pub enum Due {
    /// Send a packet.
    Packet(ToClient),
    /// Send what must not be sent, in one piece that no fault swallows.
    Hostile(Misbehaviour, Vec<ToClient>),
    /// End the connection.
    Close(End),
}

/// So many topic aliases the broker uses at most, so that they are often given to another topic.
const MOST_NAMED: u16 = 3;

/// One connection.
#[derive(Debug)]
pub struct Connection {
    /// Protocol level of CONNECT, 0 before it.
    pub level: u8,
    /// CONNECTs that came in.
    pub connects: u32,
    /// The client id once accepted, until the session is taken off the connection.
    pub client_id: Option<String>,
    /// The broker is done with it; what still comes in is not looked at.
    pub closing: bool,
    /// When bytes came in last.
    pub last_heard: Nanos,
    /// No answer is due before the one that was put last; acknowledgements may be, but not before `earliest`.
    pub latest: Nanos,
    /// The time of CONNACK.
    pub earliest: Nanos,
    /// What is to be done, by time and order.
    pub queue: BTreeMap<(Nanos, u64), Due>,
    /// The will, until DISCONNECT.
    pub will: Option<(String, u8)>,
    /// Seconds the session outlives the connection; `u32::MAX` for ever.
    pub lasting: u32,
    /// CONNACK said that no session was there.
    pub fresh: bool,
    /// CONNACK was sent, and not swallowed.
    pub answered: bool,
    /// The plan made the broker send nonsense: the client's answers to it are not held against it.
    pub misled: bool,
    /// Most QoS 1 and 2 messages towards the client at a time.
    pub window: usize,
    /// Largest packet the client takes.
    pub client_maximum: usize,
    /// Most QoS 1 and 2 letters from the client at a time.
    pub receive_maximum: usize,
    /// The client's Receive Maximum, if it named one.
    pub client_receive_maximum: Option<u16>,
    /// Letters of this connection that are not completed, by packet id.
    pub unfinished: BTreeMap<u16, Unfinished>,
    /// Packet ids of SUBSCRIBE and UNSUBSCRIBE without an answer.
    pub requests: BTreeSet<u16>,
    /// QoS 1 messages sent on this connection, in order, without PUBACK.
    pub sent_qos1: VecDeque<u16>,
    /// QoS 2 messages sent on this connection, in order, without PUBREC.
    pub sent_qos2: VecDeque<u16>,
    /// PUBRELs sent without PUBCOMP.
    pub sent_pubrel: BTreeSet<u16>,
    /// PUBRECs sent, in order, without PUBREL.
    pub sent_pubrec: VecDeque<u16>,
    /// The authentication method of CONNECT.
    pub method: Option<String>,
    /// The exchange of authentication that is under way.
    pub exchange: Option<Exchange>,
    /// What the client's topic aliases stand for, and the highest one it may use.
    aliases: BTreeMap<u16, String>,
    alias_maximum: u16,
    /// The topic aliases towards the client, and the highest one it takes.
    named: BTreeMap<String, u16>,
    client_alias_maximum: u16,
    keep_alive: u64,
    count: u64,
    buffer: BytesMut,
}

/// How far the broker's part of an exchange is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// PUBLISH of this QoS came in.
    Arrived(u8),
    /// PUBREC was sent.
    Recorded,
    /// PUBREL came in.
    Released,
}

impl Connection {
    /// A connection on which nothing was said yet.
    pub fn new(now: Nanos) -> Connection {
        Connection {
            level: 0,
            connects: 0,
            client_id: None,
            closing: false,
            last_heard: now,
            latest: now,
            earliest: now,
            queue: BTreeMap::new(),
            will: None,
            lasting: 0,
            fresh: true,
            answered: false,
            misled: false,
            window: 1,
            client_maximum: usize::MAX,
            receive_maximum: 65_535,
            client_receive_maximum: None,
            unfinished: BTreeMap::new(),
            requests: BTreeSet::new(),
            sent_qos1: VecDeque::new(),
            sent_qos2: VecDeque::new(),
            sent_pubrel: BTreeSet::new(),
            sent_pubrec: VecDeque::new(),
            method: None,
            exchange: None,
            aliases: BTreeMap::new(),
            alias_maximum: 0,
            named: BTreeMap::new(),
            client_alias_maximum: 0,
            keep_alive: 0,
            count: 0,
            buffer: BytesMut::new(),
        }
    }

    /// CONNECT was accepted.
    pub fn connected(
        &mut self,
        client_id: String,
        connect: &Connect,
        lasting: u32,
        session_present: bool,
        manners: &BrokerManners,
    ) {
        self.client_id = Some(client_id);
        self.lasting = lasting;
        self.fresh = !session_present;
        self.will.clone_from(&connect.will);
        self.client_maximum = connect
            .maximum_packet_size
            .map_or(usize::MAX, |bytes| bytes as usize);
        let own = manners.server_keep_alive.filter(|_| connect.level == 5);
        self.keep_alive = u64::from(own.unwrap_or(connect.keep_alive)) * SECOND;
        self.window = usize::from(if connect.level == 5 {
            connect
                .receive_maximum
                .unwrap_or(u16::MAX)
                .min(manners.window.max(1) * 8)
        } else {
            manners.window.max(1)
        });
        self.client_receive_maximum = connect.receive_maximum;
        self.method.clone_from(&connect.method);
        if connect.level == 5 {
            self.alias_maximum = manners.topic_alias_maximum.unwrap_or(0);
            let own = if manners.uses_aliases { MOST_NAMED } else { 0 };
            self.client_alias_maximum = connect.topic_alias_maximum.min(own);
        }
        if connect.level == 5 {
            self.receive_maximum = usize::from(manners.receive_maximum.unwrap_or(u16::MAX));
        }
    }

    /// The packets that are complete with these bytes.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Vec<(FromClient, usize)>, Violation> {
        self.buffer.extend_from_slice(bytes);
        let mut packets = Vec::new();
        while let Some((packet, length)) = speech::decode(&mut self.buffer, self.level)? {
            if let FromClient::Connect(connect) = &packet
                && self.level == 0
            {
                self.level = connect.level;
            }
            packets.push((packet, length));
        }
        Ok(packets)
    }

    /// Gives a letter its topic, where an alias stands for it. A letter that is lost later has defined its alias all the same.
    pub fn resolve(&mut self, packet: &mut FromClient) -> Result<(), Violation> {
        let FromClient::Publish(publication) = packet else {
            return Ok(());
        };
        let Some(alias) = publication.alias else {
            return Ok(());
        };
        if alias > self.alias_maximum {
            return Err(Violation::new(
                "5.0 MQTT-3.2.2-17",
                format!(
                    "topic alias {alias} above the maximum {}",
                    self.alias_maximum
                ),
            ));
        }
        if !publication.topic.is_empty() {
            self.aliases.insert(alias, publication.topic.clone());
        } else if let Some(topic) = self.aliases.get(&alias) {
            publication.topic.clone_from(topic);
        } else {
            return Err(Violation::new(
                "5.0 3.3.2.3.4",
                format!("topic alias {alias}, which was never defined"),
            ));
        }
        Ok(())
    }

    /// Names the topic of a message by an alias, where the client takes some.
    pub fn shorten(&mut self, publication: &mut Publication) {
        if self.client_alias_maximum == 0 || publication.topic.is_empty() {
            return;
        }
        if let Some(alias) = self.named.get(&publication.topic) {
            publication.alias = Some(*alias);
            publication.topic.clear();
            return;
        }
        let used = self.named.len() as u16;
        let alias = if used < self.client_alias_maximum {
            used + 1
        } else {
            let first = self.named.iter().min_by_key(|(_, alias)| **alias);
            let Some((topic, alias)) = first.map(|(topic, alias)| (topic.clone(), *alias)) else {
                return;
            };
            self.named.remove(&topic);
            alias
        };
        self.named.insert(publication.topic.clone(), alias);
        publication.alias = Some(alias);
    }

    /// Queues something to be done at `at`.
    pub fn push(&mut self, at: Nanos, due: Due) {
        self.count += 1;
        self.queue.insert((at, self.count), due);
    }

    /// Drops what is queued behind DISCONNECT.
    pub fn forget_behind_disconnect(&mut self) {
        let is_disconnect = |due: &Due| matches!(due, Due::Packet(ToClient::Disconnect { .. }));
        let goodbye = self.queue.iter().find(|(_, due)| is_disconnect(due));
        if let Some(goodbye) = goodbye.map(|(key, _)| *key) {
            self.queue.retain(|key, _| *key <= goodbye);
        }
    }

    /// The first thing that is due.
    pub fn pop_due(&mut self, now: Nanos) -> Option<Due> {
        let entry = self
            .queue
            .first_entry()
            .filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }

    /// When silence ends the connection.
    pub fn keep_alive_deadline(&self) -> Option<Nanos> {
        (self.keep_alive > 0 && !self.closing && self.client_id.is_some())
            .then(|| self.last_heard + self.keep_alive * 3 / 2 + 1)
    }

    /// When there is something to do next.
    pub fn next_wake(&self) -> Option<Nanos> {
        let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
        queued.into_iter().chain(self.keep_alive_deadline()).min()
    }

    /// A packet is put onto the wire: what it ends or begins.
    pub fn sent(&mut self, packet: &ToClient) {
        match packet {
            ToClient::Connack(_) => self.answered = true,
            ToClient::Publish(publication) if publication.qos == 1 => {
                self.sent_qos1.push_back(publication.packet_id);
            }
            ToClient::Publish(publication) if publication.qos == 2 => {
                self.sent_qos2.push_back(publication.packet_id);
            }
            ToClient::Ack {
                kind: kind::PUBACK | kind::PUBCOMP,
                packet_id,
                ..
            } => {
                self.unfinished.remove(packet_id);
            }
            ToClient::Ack {
                kind: kind::PUBREC,
                packet_id,
                reason,
            } if *reason >= 0x80 => {
                self.unfinished.remove(packet_id);
            }
            ToClient::Ack {
                kind: kind::PUBREC,
                packet_id,
                ..
            } => {
                self.sent_pubrec.push_back(*packet_id);
                if let Some(state) = self.unfinished.get_mut(packet_id) {
                    *state = Unfinished::Recorded;
                }
            }
            ToClient::Ack {
                kind: kind::PUBREL,
                packet_id,
                ..
            } => {
                self.sent_pubrel.insert(*packet_id);
            }
            ToClient::Suback { packet_id, .. } | ToClient::Unsuback { packet_id, .. } => {
                self.requests.remove(packet_id);
            }
            _ => {}
        }
    }
}
