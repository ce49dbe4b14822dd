//! The model broker: a small executable specification of both MQTT versions, strict with what it receives.
//!
//! It shares the codec with the client and nothing else. Where a client breaks a rule it does not close the connection
//! as a real broker would, but fails the run and names the statement. Its own bad manners are switched on by the plan.

pub mod authenticating;
pub mod connection;
pub mod manners;
pub mod publishing;
pub mod session;
pub mod strict;
pub mod subscribing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bytes::Bytes;

use self::connection::{Connection, Due};
use self::session::{Copy, Session};
use self::strict::Violation;
use super::frames::{self, kind};
use super::network::{End, MILLISECOND, Nanos, SECOND};
use super::operation::Misbehaviour;
use super::packets::{Connack, Connect, FromClient, ToClient};
use super::plan::{BrokerManners, OldBroker};
use super::random::Random;

/// What the broker knows and the checkers want to know.
#[allow(missing_docs, reason = "the names of the fields say what they are")]
#[derive(Clone, Debug)]
pub enum Fact {
    /// A PUBLISH came in.
    Arrived(Arrived),
    /// A copy of a message was put into a session (or sent, at QoS 0).
    Copied {
        client_id: String,
        number: Option<u64>,
        qos: u8,
        size: usize,
    },
    /// A copy was given up: its session ended or the client cannot take it.
    GivenUp {
        client_id: String,
        number: Option<u64>,
        qos: u8,
    },
    /// CONNACK of success was sent.
    Accepted {
        connection: u32,
        client_id: String,
        session_present: bool,
    },
    /// CONNECT came in.
    Connecting {
        connection: u32,
        user_name: Option<String>,
        will_topic: Option<String>,
    },
    /// A session was made, of which CONNACK will tell, if it arrives.
    Began { connection: u32 },
    /// The broker found that a client broke the rules.
    Broken {
        connection: u32,
        violation: Violation,
    },
}

/// A PUBLISH that came in.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// On which connection.
    pub connection: u32,
    /// Its letter.
    pub number: Option<u64>,
    /// Its QoS.
    pub qos: u8,
    /// Its DUP flag.
    pub dup: bool,
    /// Whether it counts as new: passed on, where a QoS 2 repetition is not.
    pub onward: bool,
    /// Whether the payload is what was posted.
    pub intact: bool,
}

/// Faults that are switched on for a while.
#[derive(Debug, Default)]
pub struct Faults {
    /// Packets lost after they were taken off the wire, or instead of being sent: kind and how many.
    pub swallow: BTreeMap<u8, u32>,
    /// CONNECTs to be refused.
    pub refuse_connect: Option<(u8, u32)>,
    /// CONNECTs to be referred to another server.
    pub refer: Option<(u8, u32)>,
    /// Steps of authentication to be refused.
    pub refuse_authentication: u32,
    /// The next CONNACK that the client expects a clean session from says that one is present.
    pub false_session: bool,
    /// What must not be done, and will be as soon as it can be.
    pub lurking: Vec<Misbehaviour>,
    /// Filters to be refused.
    pub refuse_subscribe: u32,
    /// Letters to be answered with a reason code.
    pub reject: Option<(u8, u32)>,
    /// Set: faults are over.
    pub calm: bool,
}

/// The broker.
#[derive(Debug)]
pub struct Broker {
    /// How it behaves.
    pub manners: BrokerManners,
    /// What goes wrong now.
    pub faults: Faults,
    /// The server it refers clients to.
    pub elsewhere: Option<String>,
    /// When it listens again; 0 while it runs.
    pub down_until: Nanos,
    /// The sessions by client id.
    pub sessions: BTreeMap<String, Session>,
    /// The connections by number.
    pub connections: BTreeMap<u32, Connection>,
    retained: BTreeMap<String, Copy>,
    random: Random,
    assigned: u64,
    flooded: u16,
    facts: Vec<Fact>,
}

impl Broker {
    /// A broker without sessions.
    pub fn new(manners: BrokerManners, random: Random) -> Broker {
        Broker {
            manners,
            faults: Faults::default(),
            elsewhere: None,
            down_until: 0,
            sessions: BTreeMap::new(),
            connections: BTreeMap::new(),
            retained: BTreeMap::new(),
            random,
            assigned: 0,
            flooded: 0,
            facts: Vec::new(),
        }
    }

    /// What became known since the last call.
    pub fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }

    /// The sessions of a client, `clients` saying whose a client id is.
    pub fn sessions_of(
        &self,
        client: usize,
        clients: &BTreeMap<String, usize>,
    ) -> impl Iterator<Item = &Session> {
        let sessions = self.sessions.iter();
        sessions
            .filter(move |(client_id, _)| clients.get(*client_id) == Some(&client))
            .map(|(_, session)| session)
    }

    /// Whether it accepts TCP connections.
    pub fn listens(&self, now: Nanos) -> bool {
        self.down_until <= now
    }

    /// A TCP connection was made.
    pub fn accept(&mut self, now: Nanos, number: u32) {
        self.connections.insert(number, Connection::new(now));
    }

    /// Bytes came in.
    pub fn receive(&mut self, now: Nanos, number: u32, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        if connection.closing {
            return;
        }
        connection.last_heard = now;
        let packets = match connection.decode(bytes) {
            Ok(packets) => packets,
            Err(violation) => {
                return self.facts.push(Fact::Broken {
                    connection: number,
                    violation,
                });
            }
        };
        for (packet, length) in packets {
            if self
                .connections
                .get(&number)
                .is_none_or(|connection| connection.closing)
            {
                return;
            }
            if let Err(violation) = self.handle(now, number, packet, length) {
                return self.facts.push(Fact::Broken {
                    connection: number,
                    violation,
                });
            }
        }
    }

    fn handle(
        &mut self,
        now: Nanos,
        number: u32,
        mut packet: FromClient,
        length: usize,
    ) -> Result<(), Violation> {
        let Some(connection) = self.connections.get_mut(&number) else {
            return Ok(());
        };
        connection.check(&packet, length, &self.manners)?;
        connection.resolve(&mut packet)?;
        connection.track(&packet)?;
        self.pounce(now, number, &packet);
        if self.faults.swallows(kind_of(&packet)) {
            return Ok(());
        }
        match packet {
            FromClient::Connect(connect) => self.connect(now, number, &connect),
            FromClient::Publish(publication) => self.publish(now, number, publication)?,
            FromClient::Ack {
                kind,
                packet_id,
                reason,
            } => self.acknowledged(now, number, kind, packet_id, reason),
            FromClient::Subscribe {
                packet_id,
                subscription,
                filters,
            } => self.subscribe(now, number, packet_id, subscription, &filters),
            FromClient::Unsubscribe { packet_id, filters } => {
                self.unsubscribe(now, number, packet_id, &filters);
            }
            FromClient::Ping => self.send(now, number, ToClient::Pong),
            FromClient::Disconnect {
                reason,
                session_expiry,
            } => self.disconnect(now, number, reason, session_expiry),
            FromClient::Auth {
                reason,
                method,
                data,
            } => self.auth(now, number, reason, method.as_deref(), &data)?,
        }
        Ok(())
    }

    fn connect(&mut self, now: Nanos, number: u32, connect: &Connect) {
        self.facts.push(Fact::Connecting {
            connection: number,
            user_name: connect.user_name.clone(),
            will_topic: connect.will.as_ref().map(|(topic, _)| topic.clone()),
        });
        if let Some(refusal) = self.refusal(connect) {
            return self.refuse(now, number, connect.level, refusal);
        }
        let named = connect.method.is_some();
        if named && self.begin_exchange(now, number, &connect.data, Some(connect)) {
            return;
        }
        self.accept_client(now, number, connect);
    }

    /// CONNECT is answered with success.
    fn accept_client(&mut self, now: Nanos, number: u32, connect: &Connect) {
        let assigned = connect.client_id.is_empty().then(|| {
            self.assigned += 1;
            format!("assigned-{}", self.assigned)
        });
        let client_id = assigned
            .clone()
            .unwrap_or_else(|| connect.client_id.clone());
        self.take_over(now, &client_id);
        self.expire_sessions(now);
        if connect.clean {
            self.end_session(&client_id);
        }
        let session_present = self.sessions.contains_key(&client_id);
        if !session_present {
            self.facts.push(Fact::Began { connection: number });
        }
        let session_expiry = self.manners.session_expiry.filter(|_| connect.level == 5);
        let lasting = match (connect.level, connect.clean) {
            (4, true) => 0,
            (4, false) => u32::MAX,
            _ => session_expiry.unwrap_or(connect.session_expiry),
        };
        let session = self.sessions.entry(client_id.clone()).or_default();
        session.ends_at = None;
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        connection.connected(client_id, connect, lasting, session_present, &self.manners);
        let connack = if connect.level == 5 {
            self.connack(session_present, assigned, connect.method.clone())
        } else {
            Connack {
                session_present,
                ..Connack::default()
            }
        };
        if connect.clean && std::mem::take(&mut self.faults.false_session) {
            let session_present = true;
            let connack = ToClient::Connack(Box::new(Connack {
                session_present,
                ..connack
            }));
            self.send_hostile(now, number, Misbehaviour::FalseSession, vec![connack]);
        } else {
            self.send(now, number, ToClient::Connack(Box::new(connack)));
        }
        self.resume(now, number);
    }

    fn connack(
        &self,
        session_present: bool,
        assigned_client_id: Option<String>,
        method: Option<String>,
    ) -> Connack {
        let manners = &self.manners;
        Connack {
            session_present,
            reason: 0,
            receive_maximum: manners.receive_maximum,
            maximum_qos: manners.maximum_qos,
            no_retain: !manners.retain_available,
            maximum_packet_size: manners.maximum_packet_size,
            server_keep_alive: manners.server_keep_alive,
            session_expiry: manners.session_expiry,
            topic_alias_maximum: manners.topic_alias_maximum,
            authentication: method.map(|method| (method, authenticating::WELCOME.to_vec())),
            server_reference: None,
            assigned_client_id,
            no_subscription_ids: !manners.subscription_ids,
            no_wildcards: !manners.wildcards,
            no_shared: !manners.shared,
        }
    }

    /// Why this CONNECT is refused, if it is.
    fn refusal(&mut self, connect: &Connect) -> Option<Refusal> {
        if connect.level == 5
            && let Some(old) = self.manners.only_311
        {
            return Some(Refusal::Version(old));
        }
        if let (Some((reason, left)), 5) = (self.faults.refer, connect.level) {
            self.faults.refer = (left > 1).then_some((reason, left - 1));
            return Some(Refusal::Referred(reason));
        }
        let (reason, left) = self.faults.refuse_connect?;
        self.faults.refuse_connect = (left > 1).then_some((reason, left - 1));
        Some(Refusal::Reason(reason))
    }

    fn refuse(&mut self, now: Nanos, number: u32, level: u8, refusal: Refusal) {
        let answer = match refusal {
            Refusal::Referred(reason) => ToClient::Connack(Box::new(Connack {
                reason,
                server_reference: self.elsewhere.clone(),
                ..Connack::default()
            })),
            Refusal::Reason(reason) if level == 5 => ToClient::Connack(Box::new(Connack {
                reason,
                ..Connack::default()
            })),
            Refusal::Reason(reason) => ToClient::Raw(vec![0x20, 2, 0, return_code(reason)]),
            Refusal::Version(OldBroker::Code1) => ToClient::Raw(vec![0x20, 2, 0, 1]),
            Refusal::Version(OldBroker::Code84) => ToClient::Raw(vec![0x20, 2, 0, 0x84]),
            Refusal::Version(OldBroker::Reason84) => ToClient::Raw(vec![0x20, 3, 0, 0x84, 0]),
            Refusal::Version(OldBroker::Closes) => return self.close(now, number, End::Graceful),
            // A firewall that drops what it does not know.
            Refusal::Version(OldBroker::Silent) => return,
        };
        self.send(now, number, answer);
        self.close(now, number, End::Graceful);
    }

    /// 3.1.4-3 (MQTT 5), 3.1.4-2 (3.1.1): an older connection of the same client id is closed.
    pub fn take_over(&mut self, now: Nanos, client_id: &str) {
        let older: Vec<u32> = self
            .connections
            .iter()
            .filter(|(_, other)| other.client_id.as_deref() == Some(client_id) && !other.closing)
            .map(|(number, _)| *number)
            .collect();
        for number in older {
            self.kick(now, number, 0x8e);
        }
    }

    /// Closes a connection, on MQTT 5 with DISCONNECT (0: without), but not before CONNACK (3.14.0-1).
    pub fn kick(&mut self, now: Nanos, number: u32, reason: u8) {
        let level = self
            .connections
            .get(&number)
            .filter(|connection| connection.client_id.is_some())
            .map_or(0, |connection| connection.level);
        if level == 5 && reason != 0 {
            let moved = matches!(reason, 0x9c | 0x9d);
            let reference = self.elsewhere.clone().filter(|_| moved);
            self.send(now, number, ToClient::Disconnect { reason, reference });
            // 3.14.4-1: nothing follows it. What would be sent later is not sent at all.
            if let Some(connection) = self.connections.get_mut(&number) {
                connection.forget_behind_disconnect();
            }
        }
        self.close(now, number, End::Graceful);
    }

    fn disconnect(&mut self, now: Nanos, number: u32, reason: u8, session_expiry: Option<u32>) {
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.lasting = session_expiry.unwrap_or(connection.lasting);
            if reason != 4 {
                connection.will = None;
            }
        }
        self.close(now, number, End::Graceful);
    }

    /// The broker's side of a connection ends in good order after what is still to be sent, or at once.
    pub fn close(&mut self, now: Nanos, number: u32, end: End) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        if connection.closing {
            return;
        }
        connection.closing = true;
        if end == End::Reset {
            connection.queue.clear();
        }
        let at = connection
            .queue
            .last_key_value()
            .map_or(now, |((at, _), _)| (*at).max(now));
        connection.push(at, Due::Close(end));
        self.detach(now, number);
    }

    /// The client's side of a connection ended.
    pub fn hung_up(&mut self, now: Nanos, number: u32) {
        let Some(connection) = self.connections.get(&number) else {
            return;
        };
        if !connection.closing {
            self.detach(now, number);
        }
        self.connections.remove(&number);
    }

    /// Takes the session off its connection: it waits for the next one, or ends.
    fn detach(&mut self, now: Nanos, number: u32) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        let (will, lasting) = (connection.will.take(), connection.lasting);
        let Some(client_id) = connection.client_id.take() else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(&client_id) {
            session.ends_at = (lasting != u32::MAX).then(|| now + u64::from(lasting) * SECOND);
            for message in &mut session.in_flight {
                message.sent = false;
            }
            if session.doomed || lasting == 0 {
                self.end_session(&client_id);
            }
        }
        if let Some((topic, qos)) = will {
            self.route(
                now,
                None,
                topic,
                Bytes::from_static(b"will"),
                qos,
                false,
                None,
            );
        }
    }

    fn expire_sessions(&mut self, now: Nanos) {
        let over: Vec<String> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.ends_at.is_some_and(|at| at <= now))
            .map(|(id, _)| id.clone())
            .collect();
        for client_id in over {
            self.end_session(&client_id);
        }
    }

    /// Forgets a session and what waited in it.
    pub fn end_session(&mut self, client_id: &str) {
        let Some(session) = self.sessions.remove(client_id) else {
            return;
        };
        let copies = session
            .in_flight
            .into_iter()
            .map(|message| message.copy)
            .chain(session.waiting);
        for copy in copies {
            self.facts.push(Fact::GivenUp {
                client_id: client_id.to_owned(),
                number: copy.number,
                qos: copy.qos,
            });
        }
    }

    /// The broker process ends; it listens again at `until`.
    pub fn stop(&mut self, now: Nanos, until: Nanos, keep_sessions: bool) {
        self.down_until = until;
        let numbers: Vec<u32> = self.connections.keys().copied().collect();
        for number in numbers {
            if let Some(connection) = self.connections.get_mut(&number) {
                connection.will = None;
            }
            self.close(now, number, End::Reset);
        }
        if !keep_sessions {
            let ids: Vec<String> = self.sessions.keys().cloned().collect();
            for client_id in ids {
                self.end_session(&client_id);
            }
        }
    }

    /// Queues a packet, to be sent after the broker's delay.
    fn send(&mut self, now: Nanos, number: u32, packet: ToClient) {
        let (low, high) = if self.faults.calm {
            (0, MILLISECOND)
        } else {
            self.manners.delay
        };
        let at = now + self.random.between(low, high);
        let reorder = self.manners.reorder && matches!(packet, ToClient::Ack { .. });
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        if connection.closing {
            return;
        }
        let at = if reorder {
            at.max(connection.earliest)
        } else {
            at.max(connection.latest)
        };
        if !reorder {
            connection.latest = at;
        }
        if matches!(packet, ToClient::Connack(_)) {
            connection.earliest = at;
        }
        connection.push(at, Due::Packet(packet));
    }

    /// When the broker has something to do next.
    pub fn next_wake(&self) -> Option<Nanos> {
        self.connections
            .values()
            .filter_map(Connection::next_wake)
            .min()
    }

    /// Does what is due: bytes to be sent by connection, and connections that end.
    pub fn wake(&mut self, now: Nanos) -> Vec<(u32, Wire)> {
        let mut wire = Vec::new();
        let numbers: Vec<u32> = self.connections.keys().copied().collect();
        for number in numbers {
            self.check_keep_alive(now, number);
            while let Some(connection) = self.connections.get_mut(&number) {
                let Some(due) = connection.pop_due(now) else {
                    break;
                };
                match due {
                    Due::Close(end) => {
                        self.connections.remove(&number);
                        wire.push((number, Wire::End(end)));
                    }
                    Due::Hostile(how, packets) => {
                        let mut bytes = Vec::new();
                        for packet in &packets {
                            self.facts.extend(acceptance(connection, number, packet));
                            connection.sent(packet);
                            bytes.extend(super::speech::encode(packet, connection.level));
                        }
                        wire.push((number, Wire::Hostile(how, bytes)));
                    }
                    Due::Packet(packet) if self.faults.swallows(kind_of_answer(&packet)) => {}
                    Due::Packet(mut packet) => {
                        if let ToClient::Publish(publication) = &mut packet {
                            connection.shorten(publication);
                        }
                        self.facts.extend(acceptance(connection, number, &packet));
                        connection.sent(&packet);
                        let bytes = super::speech::encode(&packet, connection.level);
                        wire.push((number, Wire::Bytes(bytes)));
                    }
                }
            }
        }
        wire
    }

    /// 3.1.2-24 (3.1.1), 3.1.2-22 (MQTT 5): silence of one and a half times the keep alive ends the connection.
    fn check_keep_alive(&mut self, now: Nanos, number: u32) {
        let late = self
            .connections
            .get(&number)
            .and_then(Connection::keep_alive_deadline)
            .is_some_and(|at| at <= now);
        if late {
            self.kick(now, number, 0x8d);
        }
    }
}

/// What goes onto the wire towards a client.
#[derive(Debug)]
pub enum Wire {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes that must not be sent.
    Hostile(Misbehaviour, Vec<u8>),
    /// The end.
    End(End),
}

enum Refusal {
    Referred(u8),
    Version(OldBroker),
    Reason(u8),
}

impl Faults {
    /// Whether a packet of this kind is lost now; counts it.
    pub fn swallows(&mut self, kind: u8) -> bool {
        let Some(left) = self.swallow.get_mut(&kind) else {
            return false;
        };
        let swallowed = *left > 0;
        *left = left.saturating_sub(1);
        swallowed
    }
}

/// That a client is accepted, where this packet says so.
fn acceptance(connection: &Connection, number: u32, packet: &ToClient) -> Option<Fact> {
    let ToClient::Connack(connack) = packet else {
        return None;
    };
    let client_id = connection.client_id.clone()?;
    (connack.reason == 0).then_some(Fact::Accepted {
        connection: number,
        client_id,
        session_present: connack.session_present,
    })
}

/// The CONNACK return code of 3.1.1 (table 3.1) nearest to a reason code.
fn return_code(reason: u8) -> u8 {
    match reason {
        0x84 => 1,
        0x85 => 2,
        0x86 => 4,
        0x87 | 0x8a => 5,
        _ => 3,
    }
}

fn kind_of(packet: &FromClient) -> u8 {
    match packet {
        FromClient::Connect(_) => kind::CONNECT,
        FromClient::Publish(_) => kind::PUBLISH,
        FromClient::Ack { kind, .. } => *kind,
        FromClient::Subscribe { .. } => kind::SUBSCRIBE,
        FromClient::Unsubscribe { .. } => kind::UNSUBSCRIBE,
        FromClient::Ping => kind::PINGREQ,
        FromClient::Disconnect { .. } => kind::DISCONNECT,
        FromClient::Auth { .. } => kind::AUTH,
    }
}

/// Only answers can be swallowed: a message of the broker's that is lost before it is sent would be another fault.
fn kind_of_answer(packet: &ToClient) -> u8 {
    match packet {
        ToClient::Connack(_) => kind::CONNACK,
        ToClient::Ack { kind, .. } => *kind,
        ToClient::Suback { .. } => kind::SUBACK,
        ToClient::Unsuback { .. } => kind::UNSUBACK,
        ToClient::Pong => kind::PINGRESP,
        ToClient::Auth { .. } => kind::AUTH,
        ToClient::Publish(_) | ToClient::Disconnect { .. } | ToClient::Raw(_) => 0,
    }
}

/// Number and intactness of what arrived.
fn identify(topic: &str, payload: &[u8]) -> (Option<u64>, bool) {
    let number = frames::number_of(topic, payload);
    let intact = number.is_some_and(|number| frames::payload(number, payload.len()) == payload);
    (number, intact)
}
