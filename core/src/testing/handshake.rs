//! CONNECT: who may come in, which session they get, and the CONNACK that says so (MQTT 5.0 section 3.1.4).
use super::{
    delivery::set,
    record::ReceivedConnect,
    server::{LinkId, Server},
    session::{NEVER, Session},
    will::PendingWill,
};
use leveret_protocol::{
    codec::{ConnAck, Connect, MAX_PACKET_SIZE, Packet, Properties, PropertyId, Version},
    message::QoS,
    reason::ReasonCode,
    text::Text,
    time::{Duration, Instant},
};

impl Server {
    /// Answers the first packet of a link.
    pub(super) fn connect(&mut self, link: LinkId, connect: Connect, now: Instant) {
        let refusal = self.refusal(&connect);
        let session_present = match refusal {
            None => self.let_in(link, &connect, now),
            Some(_) => false,
        };
        self.records.add_connect(ReceivedConnect {
            client_id: connect.client_id.detached(),
            version: connect.version,
            clean_start: connect.clean_start,
            keep_alive: connect.keep_alive,
            user_name: connect.user_name.clone(),
            session_expiry: session_expiry(&connect),
            receive_maximum: receive_maximum(&connect),
            has_will: connect.will.is_some(),
            session_present,
            reason: refusal.unwrap_or_default(),
        });
        match refusal {
            Some(reason) => self.refuse(link, connect.version, reason, now),
            None => self.welcome(link, &connect, session_present, now),
        }
    }

    /// Why a client is not let in; `None` if it is.
    fn refusal(&self, connect: &Connect) -> Option<ReasonCode> {
        if !self.options.versions.contains(&connect.version) {
            return Some(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION);
        }
        if connect.properties.authentication_method().is_some() {
            return Some(ReasonCode::BAD_AUTHENTICATION_METHOD);
        }
        if connect.client_id.is_empty() && connect.version == Version::V311 && !connect.clean_start
        {
            return Some(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID);
        }
        if let Some(reason) = self.stranger(connect) {
            return Some(reason);
        }
        let will = connect.will.as_ref()?;
        match () {
            () if will.qos > self.options.maximum_qos => Some(ReasonCode::QOS_NOT_SUPPORTED),
            () if will.retain && !self.options.retain_available => {
                Some(ReasonCode::RETAIN_NOT_SUPPORTED)
            }
            () => None,
        }
    }

    fn stranger(&self, connect: &Connect) -> Option<ReasonCode> {
        if self.options.users.is_empty() {
            return None;
        }
        let Some(name) = &connect.user_name else {
            return Some(ReasonCode::NOT_AUTHORIZED);
        };
        let given = connect.password.as_deref().unwrap_or_default();
        let known = self
            .options
            .users
            .iter()
            .any(|(user, password)| user == name.as_str() && password == given);
        (!known).then_some(ReasonCode::BAD_USER_NAME_OR_PASSWORD)
    }

    /// CONNACK with a reason, and the end of the connection.
    pub(super) fn refuse(
        &mut self,
        link: LinkId,
        version: Version,
        reason: ReasonCode,
        now: Instant,
    ) {
        if let Some(connection) = self.connections.get_mut(&link) {
            let unknown = !self.options.versions.contains(&version);
            // A broker that knows no MQTT 5 answers as MQTT 3.1.1 has it (MQTT 5.0 section 3.1.2.2).
            connection.version = if unknown { Version::V311 } else { version };
        }
        self.send(
            link,
            &Packet::ConnAck(Box::new(ConnAck {
                reason,
                ..ConnAck::default()
            })),
        );
        self.hang_up(link, None, now);
    }

    /// Gives the connection its session; true if there was one.
    fn let_in(&mut self, link: LinkId, connect: &Connect, now: Instant) -> bool {
        let client_id = match connect.client_id.is_empty() {
            true => self.assign_id(),
            false => connect.client_id.detached(),
        };
        if let Some(old) = self
            .sessions
            .get(&client_id)
            .and_then(|session| session.link)
        {
            self.hang_up(old, Some(ReasonCode::SESSION_TAKEN_OVER), now);
        }
        if connect.clean_start {
            self.end_session(&client_id, now);
        }
        let session_present = self.sessions.contains_key(&client_id);
        let expiry =
            session_expiry(connect).min(self.options.maximum_session_expiry.unwrap_or(NEVER));
        let session = self
            .sessions
            .entry(client_id.clone())
            .or_insert_with(Session::new);
        session.resume(link, receive_maximum(connect));
        session.expiry = expiry;
        session.will = connect.will.clone().map(PendingWill::new);
        if let Some(connection) = self.connections.get_mut(&link) {
            connection.client_id = Some(client_id);
            connection.version = connect.version;
            connection.maximum_packet_size = connect
                .properties
                .maximum_packet_size()
                .unwrap_or(MAX_PACKET_SIZE);
            let keep_alive = match self.options.server_keep_alive {
                Some(seconds) if connect.version == Version::V5 => seconds,
                _ => connect.keep_alive,
            };
            connection.silence_allowed =
                (keep_alive > 0).then(|| Duration::from_millis(u64::from(keep_alive) * 1500));
            if let Some(at) = connection.falls_silent_at() {
                self.wake_at(at);
            }
        }
        session_present
    }

    fn assign_id(&mut self) -> Text {
        self.assigned_ids += 1;
        Text::from(format!("assigned-{}", self.assigned_ids))
    }

    fn welcome(&mut self, link: LinkId, connect: &Connect, session_present: bool, now: Instant) {
        let Some(client_id) = self
            .connections
            .get(&link)
            .and_then(|connection| connection.client_id.clone())
        else {
            return;
        };
        let properties = match connect.version {
            Version::V5 => self.connack_properties(connect, &client_id),
            Version::V311 => Properties::new(),
        };
        let connack = ConnAck {
            session_present,
            reason: ReasonCode::SUCCESS,
            properties,
        };
        self.send(link, &Packet::ConnAck(Box::new(connack)));
        self.send_waiting(&client_id, now);
    }

    /// What differs from what the client asked for or from the defaults of the standard (MQTT 5.0 section 3.2.2.3).
    fn connack_properties(&self, connect: &Connect, client_id: &Text) -> Properties {
        let options = &self.options;
        let mut properties = Properties::new();
        let mut add = |differs: bool, id: PropertyId, value: u32| {
            if differs {
                set(&mut properties, id, value);
            }
        };
        let most_expiry = options.maximum_session_expiry.unwrap_or(NEVER);
        add(
            session_expiry(connect) > most_expiry,
            PropertyId::SessionExpiryInterval,
            most_expiry,
        );
        add(
            options.receive_maximum < u16::MAX,
            PropertyId::ReceiveMaximum,
            options.receive_maximum.into(),
        );
        let maximum_qos = options.maximum_qos;
        add(
            maximum_qos < QoS::ExactlyOnce,
            PropertyId::MaximumQoS,
            u8::from(maximum_qos).into(),
        );
        add(!options.retain_available, PropertyId::RetainAvailable, 0);
        let packet_size = options.maximum_packet_size;
        add(
            packet_size.is_some(),
            PropertyId::MaximumPacketSize,
            packet_size.unwrap_or_default(),
        );
        let keep_alive = options.server_keep_alive;
        add(
            keep_alive.is_some(),
            PropertyId::ServerKeepAlive,
            keep_alive.unwrap_or_default().into(),
        );
        add(
            options.topic_alias_maximum > 0,
            PropertyId::TopicAliasMaximum,
            options.topic_alias_maximum.into(),
        );
        if connect.client_id.is_empty() {
            // An identifier of our own making is never too long.
            let _ = properties.set(PropertyId::AssignedClientIdentifier, client_id.as_str());
        }
        properties
    }
}

fn session_expiry(connect: &Connect) -> u32 {
    match connect.version {
        Version::V5 => connect.properties.session_expiry_interval().unwrap_or(0),
        Version::V311 if connect.clean_start => 0,
        Version::V311 => NEVER,
    }
}

fn receive_maximum(connect: &Connect) -> u16 {
    connect.properties.receive_maximum().unwrap_or(u16::MAX)
}
