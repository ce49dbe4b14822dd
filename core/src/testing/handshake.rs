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
        if let Some(connection) = self.connections.get_mut(&link) {
            // It binds a refusal too (MQTT-3.1.2-24).
            let most = connect.properties.maximum_packet_size();
            connection.maximum_packet_size = most.unwrap_or(MAX_PACKET_SIZE);
        }
        if let Some(reason) = self.refusal(&connect) {
            self.record_connect(&connect, reason, false);
            return self.refuse(link, connect.version, reason, now);
        }
        let client_id = match connect.client_id.is_empty() {
            true => self.assign_id(),
            false => connect.client_id.detached(),
        };
        let session_present = self.give_session(link, &client_id, &connect, now);
        self.agree(link, &client_id, &connect);
        self.record_connect(&connect, ReasonCode::SUCCESS, session_present);
        let connack = ConnAck {
            session_present,
            reason: ReasonCode::SUCCESS,
            properties: self.announced(&connect, &client_id),
        };
        self.send(link, &Packet::ConnAck(Box::new(connack)));
        self.send_waiting(&client_id, now);
    }

    fn record_connect(&self, connect: &Connect, reason: ReasonCode, session_present: bool) {
        self.records.add_connect(ReceivedConnect {
            client_id: connect.client_id.detached(),
            version: connect.version,
            clean_start: connect.clean_start,
            keep_alive: connect.keep_alive,
            user_name: connect.user_name.as_ref().map(Text::detached),
            session_expiry: session_expiry(connect),
            receive_maximum: receive_maximum(connect),
            has_will: connect.will.is_some(),
            session_present,
            reason,
        });
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
        let connack = ConnAck {
            reason,
            ..ConnAck::default()
        };
        self.send(link, &Packet::ConnAck(Box::new(connack)));
        self.hang_up(link, None, now);
    }

    /// Gives the connection its session, which it takes from an older connection if need be; true if there was one.
    fn give_session(
        &mut self,
        link: LinkId,
        client_id: &Text,
        connect: &Connect,
        now: Instant,
    ) -> bool {
        if let Some(older) = self
            .sessions
            .get(client_id)
            .and_then(|session| session.link)
        {
            self.hang_up(older, Some(ReasonCode::SESSION_TAKEN_OVER), now);
        }
        if connect.clean_start {
            self.end_session(client_id, now);
        }
        let session_present = self.sessions.contains_key(client_id);
        let most_expiry = self.options.maximum_session_expiry.unwrap_or(NEVER);
        let session = self
            .sessions
            .entry(client_id.clone())
            .or_insert_with(Session::new);
        session.resume(link, receive_maximum(connect));
        session.expiry = session_expiry(connect).min(most_expiry);
        session.will = connect.will.clone().map(PendingWill::new);
        session_present
    }

    /// Notes what the connection has to keep to from now on.
    fn agree(&mut self, link: LinkId, client_id: &Text, connect: &Connect) {
        let Some(connection) = self.connections.get_mut(&link) else {
            return;
        };
        let properties = &connect.properties;
        connection.client_id = Some(client_id.clone());
        connection.version = connect.version;
        connection.wants_reasons = properties.request_problem_information() != Some(0);
        let keep_alive = match self.options.server_keep_alive {
            Some(seconds) if connect.version == Version::V5 => seconds,
            _ => connect.keep_alive,
        };
        let allowed = Duration::from_millis(u64::from(keep_alive) * 1_500);
        connection.silence_allowed = (keep_alive > 0).then_some(allowed);
        if let Some(at) = connection.falls_silent_at() {
            self.wake_at(at);
        }
    }

    fn assign_id(&mut self) -> Text {
        self.assigned_ids += 1;
        Text::from(format!("assigned-{}", self.assigned_ids))
    }

    /// What CONNACK says where it differs from what the client asked for, or from the defaults of the standard
    /// (MQTT 5.0 section 3.2.2.3). On MQTT 3.1.1 the encoder leaves it out.
    fn announced(&self, connect: &Connect, client_id: &Text) -> Properties {
        let options = &self.options;
        let (expiry, qos) = (options.maximum_session_expiry, options.maximum_qos);
        let shorter = expiry.filter(|most| *most < session_expiry(connect));
        let receive = Some(options.receive_maximum).filter(|most| *most < u16::MAX);
        let aliases = Some(options.topic_alias_maximum).filter(|most| *most > 0);
        let numbers = [
            (PropertyId::SessionExpiryInterval, shorter),
            (PropertyId::ReceiveMaximum, receive.map(u32::from)),
            (
                PropertyId::MaximumQoS,
                (qos < QoS::ExactlyOnce).then(|| u8::from(qos).into()),
            ),
            (
                PropertyId::RetainAvailable,
                (!options.retain_available).then_some(0),
            ),
            (PropertyId::MaximumPacketSize, options.maximum_packet_size),
            (
                PropertyId::ServerKeepAlive,
                options.server_keep_alive.map(u32::from),
            ),
            (PropertyId::TopicAliasMaximum, aliases.map(u32::from)),
        ];
        let mut properties = Properties::new();
        for (id, number) in numbers {
            if let Some(number) = number {
                set(&mut properties, id, number);
            }
        }
        if connect.client_id.is_empty() {
            set(
                &mut properties,
                PropertyId::AssignedClientIdentifier,
                client_id.as_str(),
            );
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
