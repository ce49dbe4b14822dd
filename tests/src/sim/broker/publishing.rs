//! The model broker's message exchanges: letters that come in (4.3, receiver) and messages that go out (4.3, sender).

use std::collections::BTreeSet;

use bytes::Bytes;

use super::session::{Copy, InFlight};
use super::strict::Violation;
use super::{Arrived, Broker, Fact, identify};
use crate::sim::frames::kind;
use crate::sim::matching;
use crate::sim::network::Nanos;
use crate::sim::packets::{Publication, ToClient};

/// Bytes that a PUBLISH has at most beside topic and payload.
const HEAD: usize = 64;

impl Broker {
    /// A PUBLISH came in and was not swallowed.
    pub(super) fn publish(
        &mut self,
        now: Nanos,
        connection: u32,
        publication: Publication,
    ) -> Result<(), Violation> {
        let Some((client_id, level)) = self.speaker(connection) else {
            return Ok(());
        };
        let Publication {
            packet_id,
            qos,
            dup,
            ..
        } = publication;
        let (number, intact) = identify(&publication.topic, &publication.payload);
        let reason = if qos > 0 && level == 5 {
            self.verdict()
        } else {
            0
        };
        let Some(session) = self.sessions.get_mut(&client_id) else {
            return Ok(());
        };
        let repeated = qos == 2 && session.received.has(packet_id);
        if repeated && !dup && !session.received.is_foreign(packet_id) {
            return Err(Violation::new(
                "MQTT-4.3.3-1",
                format!("a new QoS 2 letter with packet id {packet_id}, which is not released"),
            ));
        }
        let accepted = repeated || reason < 0x80;
        if qos == 2 && accepted {
            session.received.add(packet_id);
        }
        self.facts.push(Fact::Arrived(Arrived {
            connection,
            number,
            qos,
            dup,
            onward: accepted && !repeated,
            intact,
        }));
        if accepted && !repeated {
            self.keep_retained(&publication, number);
            self.route(
                now,
                Some(&client_id),
                publication.topic,
                publication.payload,
                qos,
                publication.retain,
                publication.expiry,
            );
        }
        match qos {
            1 => self.send(
                now,
                connection,
                ToClient::Ack {
                    kind: kind::PUBACK,
                    packet_id,
                    reason,
                },
            ),
            2 => self.send(
                now,
                connection,
                ToClient::Ack {
                    kind: kind::PUBREC,
                    packet_id,
                    reason: if repeated { 0 } else { reason },
                },
            ),
            _ => {}
        }
        Ok(())
    }

    /// The client id and protocol level of a connection that was accepted.
    pub(super) fn speaker(&self, connection: u32) -> Option<(String, u8)> {
        let connection = self.connections.get(&connection)?;
        Some((connection.client_id.clone()?, connection.level))
    }

    /// The reason code for the next letter.
    fn verdict(&mut self) -> u8 {
        let Some((reason, left)) = self.faults.reject else {
            return 0;
        };
        self.faults.reject = (left > 1).then_some((reason, left - 1));
        reason
    }

    pub(super) fn keep_retained(&mut self, publication: &Publication, number: Option<u64>) {
        if !publication.retain {
            return;
        }
        if publication.payload.is_empty() {
            self.retained.remove(&publication.topic);
            return;
        }
        let copy = Copy {
            number,
            topic: publication.topic.clone(),
            payload: publication.payload.clone(),
            qos: publication.qos,
            retain: true,
            subscriptions: Vec::new(),
            expiry: publication.expiry,
        };
        self.retained.insert(publication.topic.clone(), copy);
    }

    /// Retained messages that match a filter.
    pub(super) fn retained_for(&self, filter: &str) -> Vec<Copy> {
        self.retained
            .values()
            .filter(|copy| matching::matches(filter, &copy.topic))
            .cloned()
            .collect()
    }

    /// Hands a message to every session that subscribed to it.
    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of one PUBLISH, whose sender may be nobody"
    )]
    pub fn route(
        &mut self,
        now: Nanos,
        from: Option<&str>,
        topic: String,
        payload: Bytes,
        qos: u8,
        retain: bool,
        expiry: Option<u32>,
    ) {
        let number = identify(&topic, &payload).0;
        let plain = Copy {
            number,
            topic,
            payload,
            qos,
            retain,
            subscriptions: Vec::new(),
            expiry,
        };
        let ids: Vec<String> = self.sessions.keys().cloned().collect();
        for client_id in &ids {
            let own = from == Some(client_id.as_str());
            for copy in self.copies_for(client_id, &plain, own) {
                self.enqueue(now, client_id, copy);
            }
        }
        self.route_shared(now, &plain);
    }

    /// One copy for all matching subscriptions of a session, or one for each (3.3.4 of MQTT 5, 3.3.5 of 3.1.1 leave it open).
    fn copies_for(&self, client_id: &str, plain: &Copy, own: bool) -> Vec<Copy> {
        let Some(session) = self.sessions.get(client_id) else {
            return Vec::new();
        };
        let mut copies: Vec<Copy> = Vec::new();
        for (_, granted) in session.matching(&plain.topic, own) {
            let qos = plain.qos.min(granted.qos);
            let retain = plain.retain && granted.asked.retain_as_published;
            match copies.first_mut().filter(|_| !self.manners.copies) {
                Some(copy) => {
                    copy.qos = copy.qos.max(qos);
                    copy.retain |= retain;
                    copy.subscriptions.extend(granted.subscription);
                }
                None => copies.push(Copy {
                    qos,
                    retain,
                    subscriptions: granted.subscription.into_iter().collect(),
                    ..plain.clone()
                }),
            }
        }
        copies
    }

    /// Each group of a shared subscription gets one copy, sent to one of its members (4.8.2).
    fn route_shared(&mut self, now: Nanos, plain: &Copy) {
        let groups: BTreeSet<String> = self
            .sessions
            .values()
            .flat_map(|session| session.subscriptions.keys())
            .filter(|filter| {
                filter.starts_with("$share/") && matching::matches(filter, &plain.topic)
            })
            .cloned()
            .collect();
        for filter in groups {
            let members: Vec<String> = self
                .sessions
                .iter()
                .filter(|(_, session)| session.subscriptions.contains_key(&filter))
                .map(|(client_id, _)| client_id.clone())
                .collect();
            let member = self.random.pick(&members).clone();
            let Some(granted) = self
                .sessions
                .get(&member)
                .and_then(|session| session.subscriptions.get(&filter))
            else {
                continue;
            };
            let copy = Copy {
                qos: plain.qos.min(granted.qos),
                retain: false,
                subscriptions: granted.subscription.into_iter().collect(),
                ..plain.clone()
            };
            self.enqueue(now, &member, copy);
        }
    }

    /// Puts a copy into a session; at QoS 0 only if the client is connected.
    pub(super) fn enqueue(&mut self, now: Nanos, client_id: &str, copy: Copy) {
        let connection = self.connection_of(client_id);
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        if copy.qos == 0 && connection.is_none() {
            return;
        }
        self.facts.push(Fact::Copied {
            client_id: client_id.to_owned(),
            number: copy.number,
            qos: copy.qos,
            size: copy.payload.len() + copy.topic.len() + HEAD,
        });
        session.waiting.push_back(copy);
        if let Some(connection) = connection {
            self.pump(now, connection);
        }
    }

    /// The connection a session is on.
    pub fn connection_of(&self, client_id: &str) -> Option<u32> {
        self.connections
            .iter()
            .find(|(_, connection)| connection.client_id.as_deref() == Some(client_id))
            .map(|(number, _)| *number)
    }

    /// Sends what is waiting and fits into the client's receive maximum and maximum packet size.
    pub(super) fn pump(&mut self, now: Nanos, number: u32) {
        let Some((client_id, _)) = self.speaker(number) else {
            return;
        };
        let Some(connection) = self.connections.get(&number) else {
            return;
        };
        let (window, largest) = (connection.window, connection.client_maximum);
        loop {
            let Some(session) = self.sessions.get_mut(&client_id) else {
                return;
            };
            let Some(next) = session.waiting.front() else {
                return;
            };
            if next.qos > 0 && session.in_flight.len() >= window {
                return;
            }
            let Some(copy) = session.waiting.pop_front() else {
                return;
            };
            // 3.1.2-25 (MQTT 5): what is too large for the client is discarded as if it had been sent. The head is at most this long.
            if copy.payload.len() + copy.topic.len() + HEAD > largest {
                self.facts.push(Fact::GivenUp {
                    client_id: client_id.clone(),
                    number: copy.number,
                    qos: copy.qos,
                });
                continue;
            }
            let packet_id = if copy.qos > 0 { session.fresh_id() } else { 0 };
            let packet = published(&copy, packet_id, false);
            if copy.qos > 0 {
                session.in_flight.push_back(InFlight {
                    packet_id,
                    copy,
                    released: false,
                    sent: true,
                });
            }
            self.send(now, number, packet);
        }
    }

    /// 4.4: on a session that goes on, what was under way is sent again in its old order, then what waited.
    pub(super) fn resume(&mut self, now: Nanos, number: u32) {
        let Some((client_id, _)) = self.speaker(number) else {
            return;
        };
        let window = self
            .connections
            .get(&number)
            .map_or(0, |connection| connection.window);
        let Some(session) = self.sessions.get_mut(&client_id) else {
            return;
        };
        let mut packets = Vec::new();
        for message in session.in_flight.iter_mut().take(window) {
            message.sent = true;
            packets.push(if message.released {
                ToClient::Ack {
                    kind: kind::PUBREL,
                    packet_id: message.packet_id,
                    reason: 0,
                }
            } else {
                published(&message.copy, message.packet_id, true)
            });
        }
        for packet in packets {
            self.send(now, number, packet);
        }
        self.pump(now, number);
    }

    /// PUBACK, PUBREC or PUBCOMP for a message, PUBREL for a letter.
    pub(super) fn acknowledged(
        &mut self,
        now: Nanos,
        number: u32,
        kind: u8,
        packet_id: u16,
        reason: u8,
    ) {
        let Some((client_id, level)) = self.speaker(number) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(&client_id) else {
            return;
        };
        if kind == kind::PUBREL {
            let known = session.received.release(packet_id);
            let reason = if known || level == 4 { 0 } else { 0x92 };
            return self.send(
                now,
                number,
                ToClient::Ack {
                    kind: kind::PUBCOMP,
                    packet_id,
                    reason,
                },
            );
        }
        let Some(position) = session
            .in_flight
            .iter()
            .position(|message| message.packet_id == packet_id)
        else {
            return;
        };
        if kind == kind::PUBREC && reason < 0x80 {
            if let Some(message) = session.in_flight.get_mut(position) {
                message.released = true;
            }
            return self.send(
                now,
                number,
                ToClient::Ack {
                    kind: kind::PUBREL,
                    packet_id,
                    reason: 0,
                },
            );
        }
        session.in_flight.remove(position);
        self.resend_held_back(now, number, &client_id);
        self.pump(now, number);
    }

    /// A window smaller than what was under way leaves some for later: their turn comes as others are completed.
    fn resend_held_back(&mut self, now: Nanos, number: u32, client_id: &str) {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        let Some(message) = session.in_flight.iter_mut().find(|message| !message.sent) else {
            return;
        };
        message.sent = true;
        let packet = if message.released {
            ToClient::Ack {
                kind: kind::PUBREL,
                packet_id: message.packet_id,
                reason: 0,
            }
        } else {
            published(&message.copy, message.packet_id, true)
        };
        self.send(now, number, packet);
    }
}

fn published(copy: &Copy, packet_id: u16, dup: bool) -> ToClient {
    ToClient::Publish(Publication {
        packet_id,
        qos: copy.qos,
        dup,
        retain: copy.retain,
        topic: copy.topic.clone(),
        payload: copy.payload.clone(),
        expiry: copy.expiry,
        alias: None,
        subscriptions: copy.subscriptions.clone(),
    })
}
