//! Messages from clients: PUBLISH in, recorded, passed on, acknowledged (section 4.3).
use super::{
    delivery::Publication,
    record::ReceivedMessage,
    server::{LinkId, Server},
};
use leveret_protocol::{
    codec::{Packet, PacketId, Publish},
    message::{Message, QoS},
    reason::ReasonCode,
    text::Text,
    time::Instant,
    topic::matches,
};

impl Server {
    /// PUBLISH: first it is recorded, then it is passed on, then it is acknowledged.
    pub(super) fn publish_received(
        &mut self,
        link: LinkId,
        client_id: &Text,
        publish: Publish,
        now: Instant,
    ) {
        let Publish {
            packet_id,
            mut message,
        } = publish;
        if let Err(reason) = self.resolve_alias(link, &mut message) {
            return self.hang_up(link, Some(reason), now);
        }
        self.record(link, client_id, &message);
        if let Some(reason) = self.breach(&message) {
            return self.hang_up(link, Some(reason), now);
        }
        match (message.qos, packet_id) {
            (QoS::AtLeastOnce, Some(packet_id)) => {
                let reason = self.accept(client_id, &message, now);
                self.acknowledge(link, Packet::PubAck, packet_id, reason);
            }
            (QoS::ExactlyOnce, Some(packet_id)) => {
                self.accept_once(link, client_id, packet_id, &message, now);
            }
            _ => {
                self.accept(client_id, &message, now);
            }
        }
    }

    /// Puts the topic in place of its alias, or keeps it for the next time (MQTT 5.0 section 3.3.2.3.4).
    fn resolve_alias(&mut self, link: LinkId, message: &mut Message) -> Result<(), ReasonCode> {
        let Some(alias) = message.properties.topic_alias() else {
            return Ok(());
        };
        if alias > self.options.topic_alias_maximum {
            return Err(ReasonCode::TOPIC_ALIAS_INVALID);
        }
        let Some(connection) = self.connections.get_mut(&link) else {
            return Ok(());
        };
        if message.topic.is_empty() {
            message.topic = connection
                .aliases
                .get(&alias)
                .ok_or(ReasonCode::PROTOCOL_ERROR)?
                .clone();
        } else {
            connection.aliases.insert(alias, message.topic.detached());
        }
        Ok(())
    }

    fn record(&self, link: LinkId, client_id: &Text, message: &Message) {
        if let Some(connection) = self.connections.get(&link) {
            let version = connection.version;
            self.records.add_message(ReceivedMessage {
                message: message.clone(),
                client_id: client_id.clone(),
                version,
            });
        }
    }

    /// Which announced limit a message breaks (MQTT 5.0 section 3.2.2.3.4 and 3.2.2.3.5).
    fn breach(&self, message: &Message) -> Option<ReasonCode> {
        match () {
            () if message.qos > self.options.maximum_qos => Some(ReasonCode::QOS_NOT_SUPPORTED),
            () if message.retain && !self.options.retain_available => {
                Some(ReasonCode::RETAIN_NOT_SUPPORTED)
            }
            () => None,
        }
    }

    /// Passes a message on, and says what to acknowledge it with.
    fn accept(&mut self, client_id: &Text, message: &Message, now: Instant) -> ReasonCode {
        if self
            .options
            .denied
            .iter()
            .any(|filter| matches(filter, message.topic()))
        {
            return ReasonCode::NOT_AUTHORIZED;
        }
        let Message {
            topic,
            payload,
            qos,
            retain,
            properties,
            ..
        } = message.clone();
        let publication = Publication {
            publisher: Some(client_id),
            topic,
            payload,
            properties: &properties,
            qos,
            retain,
        };
        match self.route(publication, now) {
            0 => ReasonCode::NO_MATCHING_SUBSCRIBERS,
            _ => ReasonCode::SUCCESS,
        }
    }

    /// QoS 2: passed on when it first comes; until PUBREL, its packet identifier stands for the same message.
    fn accept_once(
        &mut self,
        link: LinkId,
        client_id: &Text,
        packet_id: PacketId,
        message: &Message,
        now: Instant,
    ) {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let mut reason = ReasonCode::SUCCESS;
        if !session.unreleased.contains(&packet_id) {
            if connection.unfinished >= self.options.receive_maximum {
                return self.hang_up(link, Some(ReasonCode::RECEIVE_MAXIMUM_EXCEEDED), now);
            }
            reason = self.accept(client_id, message, now);
            if !reason.is_error() {
                self.begin_exchange(link, client_id, packet_id);
            }
        }
        self.acknowledge(link, Packet::PubRec, packet_id, reason);
    }

    fn begin_exchange(&mut self, link: LinkId, client_id: &Text, packet_id: PacketId) {
        if let Some(session) = self.sessions.get_mut(client_id) {
            session.unreleased.insert(packet_id);
        }
        if let Some(connection) = self.connections.get_mut(&link) {
            connection.unfinished += 1;
        }
    }

    /// PUBREL: the packet identifier is free again.
    pub(super) fn pubrel_received(&mut self, link: LinkId, client_id: &Text, packet_id: PacketId) {
        let Some(session) = self.sessions.get_mut(client_id) else {
            return;
        };
        let reason = match session.unreleased.remove(&packet_id) {
            true => ReasonCode::SUCCESS,
            false => ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
        };
        if let Some(connection) = self.connections.get_mut(&link) {
            connection.unfinished = connection.unfinished.saturating_sub(1);
        }
        self.acknowledge(link, Packet::PubComp, packet_id, reason);
    }
}
