//! The MQTT server as a value: links, packets and time in; bytes and hang-ups out. No sockets, no clock.
use super::{
    connection::Connection, delivery::set, options::BrokerBuilder, record::Records,
    retained::Retained, session::Session, subscriptions::Subscriptions, swallow::Swallow,
};
use bytes::BytesMut;
use leveret_protocol::{
    codec::{
        Ack, DecodeError, Disconnect, Limits, MAX_PACKET_SIZE, Packet, PacketId, Properties,
        PropertyId, Version,
    },
    packet_type::PacketType,
    reason::ReasonCode,
    text::Text,
    time::Instant,
};
use std::collections::{BTreeMap, BTreeSet};

/// The number of a network connection, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LinkId(pub(super) usize);

/// A network connection that the server wants closed. It knows nothing of it any more.
pub(super) enum HangUp {
    /// After these last bytes.
    AfterWriting(LinkId, BytesMut),
    /// With a reset.
    AtOnce(LinkId),
}

impl HangUp {
    pub(super) fn link(&self) -> LinkId {
        let (HangUp::AfterWriting(link, _) | HangUp::AtOnce(link)) = self;
        *link
    }
}

/// All state of the broker that is MQTT.
pub(super) struct Server {
    pub(super) options: BrokerBuilder,
    pub(super) records: Records,
    pub(super) swallow_incoming: Swallow,
    pub(super) swallow_outgoing: Swallow,
    /// Links that may have output to be written.
    pub(super) touched: BTreeSet<LinkId>,
    pub(super) hang_ups: Vec<HangUp>,
    pub(super) connections: BTreeMap<LinkId, Connection>,
    pub(super) sessions: BTreeMap<Text, Session>,
    pub(super) subscriptions: Subscriptions,
    pub(super) retained: Retained,
    pub(super) assigned_ids: u64,
    /// Nothing is due before it.
    pub(super) next_deadline: Option<Instant>,
    limits: Limits,
    pub(super) reading_paused: bool,
}

impl Server {
    pub(super) fn new(options: BrokerBuilder, records: Records) -> Server {
        let max_packet_size = options.maximum_packet_size.unwrap_or(MAX_PACKET_SIZE);
        Server {
            options,
            records,
            swallow_incoming: Swallow::default(),
            swallow_outgoing: Swallow::default(),
            touched: BTreeSet::new(),
            hang_ups: Vec::new(),
            connections: BTreeMap::new(),
            sessions: BTreeMap::new(),
            subscriptions: Subscriptions::default(),
            retained: Retained::default(),
            assigned_ids: 0,
            next_deadline: None,
            limits: Limits {
                max_packet_size,
                ..Limits::default()
            },
            reading_paused: false,
        }
    }

    /// A client has connected to the port.
    pub(super) fn link_opened(&mut self, link: LinkId) {
        self.connections.insert(link, Connection::new(link));
    }

    /// Handles every complete packet in `input` and leaves the rest.
    pub(super) fn receive(&mut self, link: LinkId, input: &mut BytesMut, now: Instant) {
        while let Some(connection) = self.connections.get_mut(&link) {
            match connection.decode(input, &self.limits) {
                Ok(None) => return,
                Ok(Some(packet)) => {
                    if !self.swallow_incoming.takes(packet.packet_type()) {
                        connection.heard = now;
                        self.handle(link, packet, now);
                    }
                }
                Err(error) => self.refuse_bytes(link, &error, now),
            }
        }
        input.clear(); // of a connection that is over
    }

    /// The peer has closed or lost the connection.
    pub(super) fn link_ended(&mut self, link: LinkId, now: Instant) {
        if let Some(connection) = self.connections.remove(&link) {
            self.connection_over(connection.client_id, now);
        }
    }

    /// What is to be written on a link.
    pub(super) fn output(&mut self, link: LinkId) -> Option<&mut BytesMut> {
        self.connections
            .get_mut(&link)
            .map(|connection| &mut connection.output)
    }

    /// Clients that are connected.
    pub(super) fn connections(&self) -> usize {
        self.connections
            .values()
            .filter(|connection| connection.client_id.is_some())
            .count()
    }

    fn handle(&mut self, link: LinkId, packet: Packet, now: Instant) {
        let client_id = self
            .connections
            .get(&link)
            .and_then(|connection| connection.client_id.clone());
        let Some(client_id) = client_id else {
            return match packet {
                Packet::Connect(connect) => self.connect(link, *connect, now),
                // The first packet must be CONNECT; there is no version yet to say so in (section 3.1).
                _ => self.hang_up(link, None, now),
            };
        };
        match packet {
            Packet::Publish(publish) => self.publish_received(link, &client_id, publish, now),
            Packet::PubAck(ack) => self.exchange_finished(&client_id, ack.packet_id, now),
            Packet::PubRec(ack) => self.pubrec_received(link, &client_id, &ack, now),
            Packet::PubRel(ack) => self.pubrel_received(link, &client_id, ack.packet_id),
            Packet::PubComp(ack) => self.exchange_finished(&client_id, ack.packet_id, now),
            Packet::Subscribe(subscribe) => self.subscribe(link, &client_id, subscribe, now),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(link, &client_id, unsubscribe),
            Packet::PingReq => self.send(link, &Packet::PingResp),
            Packet::Disconnect(disconnect) => {
                self.disconnect_received(link, &client_id, &disconnect, now);
            }
            // A second CONNECT, AUTH without an authentication method, or what only a server sends.
            _ => self.hang_up(link, Some(ReasonCode::PROTOCOL_ERROR), now),
        }
    }

    /// Ends a connection that sent what is no packet, or too large a one (MQTT 5.0 section 4.13).
    fn refuse_bytes(&mut self, link: LinkId, error: &DecodeError, now: Instant) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let answers = [
            ReasonCode::UNSUPPORTED_PROTOCOL_VERSION,
            ReasonCode::CLIENT_IDENTIFIER_NOT_VALID,
        ];
        if connection.client_id.is_none()
            && error.packet == Some(PacketType::Connect)
            && answers.contains(&error.reason)
        {
            // Of an unknown version it is not known how to answer: the oldest way is understood best.
            return self.refuse(link, Version::V311, error.reason, now);
        }
        self.hang_up(link, Some(error.reason), now);
    }

    /// Puts a packet into the output of a link. One that is larger than the client takes is left out.
    pub(super) fn send(&mut self, link: LinkId, packet: &Packet) {
        if let Some(connection) = self.connections.get_mut(&link) {
            connection.send(packet, &mut self.swallow_outgoing);
            self.touched.insert(link);
        }
    }

    /// Sends one of the four acknowledgements of PUBLISH.
    pub(super) fn acknowledge(
        &mut self,
        link: LinkId,
        packet: fn(Ack) -> Packet,
        packet_id: PacketId,
        reason: ReasonCode,
    ) {
        let properties = self.in_words(link, reason);
        self.send(
            link,
            &packet(Ack {
                packet_id,
                reason,
                properties,
            }),
        );
    }

    /// The reason string of an error, if the client wants to be told; else nothing.
    pub(super) fn in_words(&self, link: LinkId, reason: ReasonCode) -> Properties {
        let wanted = self
            .connections
            .get(&link)
            .is_some_and(|connection| connection.wants_reasons);
        let mut properties = Properties::new();
        if wanted && reason.is_error() {
            set(&mut properties, PropertyId::ReasonString, reason.text());
        }
        properties
    }

    /// Ends a connection from this side, with DISCONNECT where there is a reason and the version knows it from servers.
    pub(super) fn hang_up(&mut self, link: LinkId, reason: Option<ReasonCode>, now: Instant) {
        let Some(mut connection) = self.connections.remove(&link) else {
            return;
        };
        if let (Some(reason), Version::V5, true) =
            (reason, connection.version, connection.client_id.is_some())
        {
            let disconnect = Packet::Disconnect(Disconnect {
                reason,
                ..Disconnect::default()
            });
            connection.send(&disconnect, &mut self.swallow_outgoing);
        }
        self.hang_ups
            .push(HangUp::AfterWriting(link, connection.output));
        self.connection_over(connection.client_id, now);
    }
}
