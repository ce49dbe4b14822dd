//! The other end of an engine's connection: reads what the engine writes, which must be the packets of a client, and can answer as a broker does.
use bytes::{Bytes, BytesMut};
use leveret_protocol::codec::{
    Ack, Auth, ConnAck, Decoded, FilterAck, Limits, MAX_PACKET_SIZE, Packet, Properties,
    PropertyId, PropertyValue, Side, Version, decode,
};
use leveret_protocol::message::QoS;
use leveret_protocol::reason::ReasonCode;

use super::seen::Seen;

/// What a broker of this input is like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    /// Steps of authentication before it accepts a client that names a method.
    pub steps: u8,
    /// What CONNACK says: bits, each of which is a limit or what the broker cannot do.
    pub limits: u8,
}

/// One connection.
#[derive(Debug)]
pub struct Peer {
    /// The version of its CONNECT.
    pub version: Version,
    /// Bytes on their way to the engine.
    pub answers: BytesMut,
    /// What CONNACK named, if there was one.
    pub maximum_packet_size: u32,
    /// A CONNACK of success is among the answers, or was.
    pub accepted: bool,
    /// What came from the client, if it is looked at: the packets by their names.
    pub seen: Option<Seen>,
    manners: Manners,
    /// The method of CONNECT, the steps that are left, and whether the session of CONNECT is there.
    method: Option<String>,
    steps: u8,
    resumes: bool,
    written: BytesMut,
    connected: bool,
    disconnected: bool,
}

impl Peer {
    /// A connection on which nothing was said.
    pub fn new(manners: Manners, seen: Option<Seen>) -> Peer {
        Peer {
            version: Version::V5,
            answers: BytesMut::new(),
            maximum_packet_size: MAX_PACKET_SIZE,
            accepted: false,
            seen,
            manners,
            method: None,
            steps: manners.steps,
            resumes: false,
            written: BytesMut::new(),
            connected: false,
            disconnected: false,
        }
    }

    /// The engine wrote this. With `willing` it is answered.
    pub fn hear(&mut self, bytes: &[u8], willing: bool, session_present: bool) {
        assert!(!self.disconnected, "bytes after DISCONNECT");
        self.written.extend_from_slice(bytes);
        loop {
            let before = self.written.len();
            let limits = Limits {
                max_packet_size: MAX_PACKET_SIZE,
                ..Limits::default()
            };
            match decode(&mut self.written, self.version, Side::Client, &limits) {
                Ok(Decoded::Packet(packet)) => {
                    let length = before - self.written.len();
                    // Pings and plain acknowledgements are sent to a broker that says it takes no four bytes, too: without
                    // them there is no connection. A CONNACK that breaks the rules is answered before its limits are learned, and one that
                    // comes while CONNECT is still being written cannot bind it.
                    let unbound = matches!(packet, Packet::Connect(_) | Packet::Disconnect(_));
                    let bound = length > 4 && !unbound;
                    assert!(
                        !bound || length <= self.maximum_packet_size as usize,
                        "{length} bytes: {packet:?}"
                    );
                    self.check(&packet);
                    if let Some(seen) = &self.seen {
                        seen.packet("written", self.version, &packet);
                    }
                    if willing {
                        self.answer(&packet, session_present);
                    }
                }
                Ok(Decoded::NeedMore(_)) => return,
                other => panic!("the engine wrote no packet of a client: {other:?}"),
            }
        }
    }

    /// Something of its own is on its way to the engine.
    pub fn say(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        if packet
            .encode(self.version, MAX_PACKET_SIZE, &mut bytes)
            .is_err()
        {
            return;
        }
        if let (Packet::ConnAck(connack), false) = (packet, self.accepted)
            && !connack.reason.is_error()
        {
            self.accepted = true;
            let limit = connack.properties.maximum_packet_size();
            self.maximum_packet_size = limit.unwrap_or(MAX_PACKET_SIZE);
        }
        if let Some(seen) = &self.seen {
            seen.packet("read", self.version, packet);
        }
        self.answers.extend_from_slice(&bytes);
    }

    /// It says what is no packet, or one that this side does not know of: what it named as its limits cannot be held against the engine any more.
    pub fn lie(&mut self) {
        self.maximum_packet_size = MAX_PACKET_SIZE;
        self.accepted = true;
    }

    /// The connection was closed in order: the last packet was DISCONNECT, and it was whole.
    pub fn ended_in_order(&self) {
        assert!(self.disconnected && self.written.is_empty());
    }

    fn check(&mut self, packet: &Packet) {
        match packet {
            Packet::Connect(connect) => {
                assert!(!self.connected, "CONNECT twice");
                self.connected = true;
                self.version = connect.version;
            }
            _ => assert!(self.connected, "{packet:?} before CONNECT"),
        }
        self.disconnected = matches!(packet, Packet::Disconnect(_));
    }

    fn answer(&mut self, packet: &Packet, session_present: bool) {
        let ack = |id| Ack::success(id);
        let granted = |packet_id, count| FilterAck {
            packet_id,
            reasons: vec![ReasonCode::SUCCESS; count],
            properties: Properties::new(),
        };
        let answer = match packet {
            Packet::Connect(connect) => {
                let method = connect.properties.authentication_method();
                self.method = method.map(str::to_owned);
                self.resumes = session_present && !connect.clean_start;
                self.authenticate()
            }
            Packet::Auth(auth) if auth.reason == ReasonCode::REAUTHENTICATE => {
                self.steps = self.manners.steps;
                self.authenticate()
            }
            Packet::Auth(_) => self.authenticate(),
            Packet::Publish(publish) => match (publish.packet_id, publish.message.qos) {
                (Some(id), QoS::AtLeastOnce) => Packet::PubAck(ack(id)),
                (Some(id), _) => Packet::PubRec(ack(id)),
                (None, _) => return,
            },
            Packet::PubRec(received) => Packet::PubRel(ack(received.packet_id)),
            Packet::PubRel(released) => Packet::PubComp(ack(released.packet_id)),
            Packet::Subscribe(asked) => {
                Packet::SubAck(granted(asked.packet_id, asked.filters.len()))
            }
            Packet::Unsubscribe(asked) => {
                Packet::UnsubAck(granted(asked.packet_id, asked.filters.len()))
            }
            Packet::PingReq => Packet::PingResp,
            _ => return,
        };
        self.say(&answer);
    }

    /// The next step of authentication, or what comes after the last: CONNACK, or AUTH of success on a connection that is accepted.
    fn authenticate(&mut self) -> Packet {
        let mut properties = Properties::new();
        if let Some(method) = &self.method {
            let method = PropertyValue::Text(method);
            let _ = properties.set(PropertyId::AuthenticationMethod, method);
        }
        if self.method.is_some() && self.steps > 0 {
            self.steps -= 1;
            let data = PropertyValue::Binary(b"challenge");
            let _ = properties.set(PropertyId::AuthenticationData, data);
            let reason = ReasonCode::CONTINUE_AUTHENTICATION;
            return Packet::Auth(Auth { reason, properties });
        }
        if self.accepted {
            let reason = ReasonCode::SUCCESS;
            return Packet::Auth(Auth { reason, properties });
        }
        if self.version == Version::V5 {
            self.name_limits(&mut properties);
        }
        Packet::ConnAck(Box::new(ConnAck {
            session_present: self.resumes,
            properties,
            ..ConnAck::default()
        }))
    }

    fn name_limits(&self, properties: &mut Properties) {
        let limits = [
            (PropertyId::TopicAliasMaximum, 3),
            (PropertyId::ReceiveMaximum, 2),
            (PropertyId::MaximumQoS, 1),
            (PropertyId::RetainAvailable, 0),
            (PropertyId::MaximumPacketSize, 60),
            (PropertyId::SubscriptionIdentifiersAvailable, 0),
            (PropertyId::WildcardSubscriptionAvailable, 0),
            (PropertyId::ServerKeepAlive, 7),
        ];
        for (bit, (id, value)) in limits.into_iter().enumerate() {
            if self.manners.limits >> bit & 1 == 1 {
                let _ = properties.set(id, PropertyValue::Number(value));
            }
        }
    }
}

/// The first `count` bytes of some slices.
pub fn first_bytes(slices: &[Bytes], count: usize) -> Vec<u8> {
    let mut bytes = slices.concat();
    bytes.truncate(count);
    bytes
}
