//! Messages to clients: from a publication to its receivers, out through their windows, and their acknowledgements.
use super::{
    server::{LinkId, Server},
    session::{Delivery, Letter, Outgoing},
};
use bytes::Bytes;
use leveret_protocol::{
    codec::{Ack, Packet, PacketId, Properties, PropertyId, PropertyValue, Publish},
    message::{Message, QoS},
    reason::ReasonCode,
    text::Text,
    time::{Duration, Instant},
};
use std::rc::Rc;

/// A publication, whoever it comes from.
pub(super) struct Publication<'a> {
    /// Client identifier of the publisher; `None` for the broker itself.
    pub(super) publisher: Option<&'a Text>,
    pub(super) topic: Text,
    pub(super) payload: Bytes,
    pub(super) properties: &'a Properties,
    pub(super) qos: QoS,
    pub(super) retain: bool,
}

impl Server {
    /// A message of the broker itself.
    pub(super) fn publish(
        &mut self,
        topic: Text,
        payload: Bytes,
        qos: QoS,
        retain: bool,
        now: Instant,
    ) {
        self.route(
            Publication {
                publisher: None,
                topic,
                payload,
                properties: &Properties::default(),
                qos,
                retain,
            },
            now,
        );
    }

    /// Passes a message on to everybody who subscribes, and retains it if it is to be. Gives the number of receivers.
    pub(super) fn route(&mut self, publication: Publication<'_>, now: Instant) -> usize {
        let Publication {
            publisher,
            topic,
            payload,
            properties,
            qos,
            retain,
        } = publication;
        let expiry = properties.message_expiry_interval();
        let letter = Rc::new(Letter {
            topic,
            payload,
            properties: forwarded(properties),
            expires_at: expiry.map(|seconds| now + Duration::from_secs(u64::from(seconds))),
        });
        if retain {
            self.retained.put(&letter, qos);
        }
        let sessions = &self.sessions;
        let is_connected = |id: &Text| {
            sessions
                .get(id)
                .is_some_and(|session| session.link.is_some())
        };
        let receivers = self.subscriptions.receivers(
            &letter.topic,
            publisher,
            self.options.copy_per_subscription,
            is_connected,
        );
        let count = receivers.len();
        for receiver in receivers {
            let delivery = Delivery {
                letter: Rc::clone(&letter),
                qos: qos.min(receiver.qos),
                retain: retain && receiver.retain_as_published,
                subscription_ids: receiver.subscription_ids,
            };
            self.deliver(&receiver.client_id, delivery, now);
        }
        count
    }

    /// Hands a delivery to a client's session and sends what may be sent.
    pub(super) fn deliver(&mut self, client_id: &Text, delivery: Delivery, now: Instant) {
        if let Some(session) = self.sessions.get_mut(client_id) {
            session.post(delivery);
            self.send_waiting(client_id, now);
        }
    }

    /// Sends what waits for a client as far as its Receive Maximum allows.
    pub(super) fn send_waiting(&mut self, client_id: &Text, now: Instant) {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        let Some(link) = session.link else { return };
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        while let Some(outgoing) = session.next(now) {
            match outgoing {
                Outgoing::Release { packet_id } => {
                    connection.send(
                        &Packet::PubRel(Ack::success(packet_id)),
                        &mut self.swallow_outgoing,
                    );
                }
                Outgoing::Publish {
                    packet_id: None, ..
                } if connection.is_clogged() => {}
                Outgoing::Publish {
                    packet_id,
                    dup,
                    delivery,
                } => {
                    let packet = publish_packet(packet_id, dup, &delivery, now);
                    let sent = connection.send(&packet, &mut self.swallow_outgoing);
                    if let (false, Some(packet_id)) = (sent, packet_id) {
                        session.finish(packet_id);
                    }
                }
            }
        }
        self.touched.insert(link);
    }

    /// PUBACK or PUBCOMP: the exchange is over, and there is room for the next message. Unknown identifiers are ignored.
    pub(super) fn exchange_finished(
        &mut self,
        client_id: &Text,
        packet_id: PacketId,
        now: Instant,
    ) {
        let finished = self
            .sessions
            .get_mut(client_id)
            .is_some_and(|session| session.finish(packet_id));
        if finished {
            self.send_waiting(client_id, now);
        }
    }

    /// PUBREC: answered with PUBREL, unless it refuses the message.
    pub(super) fn pubrec_received(
        &mut self,
        link: LinkId,
        client_id: &Text,
        ack: &Ack,
        now: Instant,
    ) {
        if ack.reason.is_error() {
            return self.exchange_finished(client_id, ack.packet_id, now);
        }
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        let reason = match session.release(ack.packet_id) {
            true => ReasonCode::SUCCESS,
            false => ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
        };
        self.acknowledge(link, Packet::PubRel, ack.packet_id, reason);
    }
}

fn publish_packet(
    packet_id: Option<PacketId>,
    dup: bool,
    delivery: &Delivery,
    now: Instant,
) -> Packet {
    let Delivery {
        letter,
        qos,
        retain,
        subscription_ids,
    } = delivery;
    let mut properties = letter.properties.clone();
    if let Some(expires_at) = letter.expires_at {
        // What is left of it, whole seconds, so that 0 is only said of what has expired in flight.
        let left = expires_at.since(now).as_millis().div_ceil(1000);
        set(
            &mut properties,
            PropertyId::MessageExpiryInterval,
            u32::try_from(left).unwrap_or(u32::MAX),
        );
    }
    for id in subscription_ids {
        // It came in a SUBSCRIBE, so it is in range.
        let _ = properties.add(PropertyId::SubscriptionIdentifier, *id);
    }
    let message = Message {
        topic: letter.topic.clone(),
        payload: letter.payload.clone(),
        qos: *qos,
        retain: *retain,
        dup,
        properties,
    };
    Packet::Publish(Publish { packet_id, message })
}

/// The properties that a server passes on unchanged; the expiry it counts down itself (MQTT 5.0 section 3.3.2.3).
fn forwarded(properties: &Properties) -> Properties {
    const NOT_FORWARDED: &[PropertyId] = &[
        PropertyId::MessageExpiryInterval,
        PropertyId::TopicAlias,
        PropertyId::WillDelayInterval,
    ];
    properties.without(NOT_FORWARDED)
}

/// Sets a property to a value that is known to be in its range.
pub(super) fn set<'v>(
    properties: &mut Properties,
    id: PropertyId,
    value: impl Into<PropertyValue<'v>>,
) {
    let _ = properties.set(id, value);
}
