//! The MQTT server as a value: links, packets and time in; bytes and hang-ups out. No sockets, no clock.
use super::{
    connection::Connection,
    options::BrokerBuilder,
    record::Records,
    retained::Retained,
    session::{NEVER, Session},
    subscriptions::Subscriptions,
    swallow::Swallow,
};
use bytes::BytesMut;
use leveret_protocol::{
    codec::{DecodeError, Disconnect, Limits, MAX_PACKET_SIZE, Packet, Version},
    packet_type::PacketType,
    reason::ReasonCode,
    text::Text,
    time::{Duration, Instant},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

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
    next_deadline: Option<Instant>,
    limits: Limits,
    reading_paused: bool,
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
                self.disconnect_received(link, &client_id, &disconnect, now)
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

    /// Resets a connection.
    fn cut_off(&mut self, link: LinkId, now: Instant) {
        if let Some(connection) = self.connections.remove(&link) {
            self.hang_ups.push(HangUp::AtOnce(link));
            self.connection_over(connection.client_id, now);
        }
    }

    /// DISCONNECT from the client (MQTT 5.0 section 3.14).
    fn disconnect_received(
        &mut self,
        link: LinkId,
        client_id: &Text,
        disconnect: &Disconnect,
        now: Instant,
    ) {
        let limit = self.options.maximum_session_expiry.unwrap_or(NEVER);
        if let Some(session) = self.sessions.get_mut(client_id) {
            match disconnect.properties.session_expiry_interval() {
                // A session that was to end with its connection cannot be kept after all (MQTT 5.0 section 3.14.2.2.2).
                Some(1..) if session.expiry == 0 => {
                    return self.hang_up(link, Some(ReasonCode::PROTOCOL_ERROR), now);
                }
                Some(seconds) => session.expiry = seconds.min(limit),
                None => {}
            }
            if disconnect.reason == ReasonCode::SUCCESS {
                session.will = None;
            }
        }
        self.hang_up(link, None, now);
    }

    /// What the end of a connection means for the session that it used.
    pub(super) fn connection_over(&mut self, client_id: Option<Text>, now: Instant) {
        let Some(client_id) = client_id else { return };
        let Some(session) = self.sessions.get_mut(&client_id) else {
            return;
        };
        session.link = None;
        if session.expiry == 0 {
            return self.end_session(&client_id, now);
        }
        if session.expiry != NEVER {
            session.ends_at = Some(now + Duration::from_secs(u64::from(session.expiry)));
        }
        if let Some(will) = &mut session.will {
            will.begin_delay(now);
        }
        let deadlines = [
            session.ends_at,
            session.will.as_ref().and_then(|will| will.due()),
        ];
        deadlines
            .into_iter()
            .flatten()
            .for_each(|at| self.wake_at(at));
        self.publish_will_if_due(&client_id, now);
    }

    /// Forgets a session. Its will is published even if the delay still runs (MQTT 5.0 section 3.1.3.2.2).
    pub(super) fn end_session(&mut self, client_id: &Text, now: Instant) {
        let Some(session) = self.sessions.remove(client_id) else {
            return;
        };
        self.subscriptions.remove_client(client_id);
        if let Some(will) = session.will {
            self.publish_will(client_id, will, now);
        }
    }

    /// Something is to be done then; nothing is due before the earliest of these times.
    pub(super) fn wake_at(&mut self, at: Instant) {
        self.next_deadline = Some(self.next_deadline.map_or(at, |before| before.min(at)));
    }

    /// When `tick` has something to do at the earliest.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline
    }

    /// Does what is due: ends silent connections and old sessions, and publishes delayed wills.
    pub(super) fn tick(&mut self, now: Instant) {
        if self.next_deadline.is_none_or(|at| at > now) {
            return;
        }
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        let silent: Vec<LinkId> = match self.reading_paused {
            true => Vec::new(),
            false => self
                .connections
                .values()
                .filter(|c| is_due(c.falls_silent_at()))
                .map(|c| c.link)
                .collect(),
        };
        for link in silent {
            self.hang_up(link, Some(ReasonCode::KEEP_ALIVE_TIMEOUT), now);
        }
        let away: Vec<Text> = self
            .sessions
            .iter()
            .filter(|(_, s)| s.link.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        for client_id in away {
            self.publish_will_if_due(&client_id, now);
            if self
                .sessions
                .get(&client_id)
                .is_some_and(|session| is_due(session.ends_at))
            {
                self.end_session(&client_id, now);
            }
        }
        self.next_deadline = self.earliest();
    }

    fn earliest(&self) -> Option<Instant> {
        let keep_alive = self
            .connections
            .values()
            .filter_map(Connection::falls_silent_at)
            .filter(|_| !self.reading_paused);
        let ends = self.sessions.values().filter_map(|session| session.ends_at);
        let wills = self
            .sessions
            .values()
            .filter_map(|session| session.will.as_ref()?.due());
        keep_alive.chain(ends).chain(wills).min()
    }

    /// While nothing is read, silence is not the client's fault.
    pub(super) fn pause_reading(&mut self, paused: bool, now: Instant) {
        self.reading_paused = paused;
        self.connections
            .values_mut()
            .for_each(|connection| connection.heard = now);
        self.next_deadline = self.earliest();
    }

    /// Every connection is gone, and no will is published: there is no broker left to do it.
    pub(super) fn power_cut(&mut self, now: Instant) {
        self.touched.clear();
        self.hang_ups.clear();
        for connection in mem::take(&mut self.connections).into_values() {
            if let Some(session) = connection
                .client_id
                .as_ref()
                .and_then(|id| self.sessions.get_mut(id))
            {
                session.will = None;
            }
            self.connection_over(connection.client_id, now);
        }
    }

    /// Resets every connection.
    pub(super) fn disconnect_clients(&mut self, now: Instant) {
        for link in self.connections.keys().copied().collect::<Vec<_>>() {
            self.cut_off(link, now);
        }
    }

    /// Ends every session, and resets the connections that used them.
    pub(super) fn lose_sessions(&mut self, now: Instant) {
        self.disconnect_clients(now);
        for client_id in self.sessions.keys().cloned().collect::<Vec<_>>() {
            self.end_session(&client_id, now);
        }
    }

    /// Forgets sessions, wills and retained messages of a broker that is stopped.
    pub(super) fn forget_everything(&mut self) {
        self.sessions.clear();
        self.subscriptions = Subscriptions::default();
        self.retained.clear();
    }
}
