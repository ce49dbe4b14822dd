//! The other end of an engine's connection: reads what the engine writes, which must be the packets of a client, and can answer as a broker does.
use bytes::{Bytes, BytesMut};
use leveret_protocol::codec::{
    Ack, ConnAck, Decoded, FilterAck, Limits, MAX_PACKET_SIZE, Packet, Side, Version, decode,
};
use leveret_protocol::message::QoS;
use leveret_protocol::reason::ReasonCode;

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
    written: BytesMut,
    connected: bool,
    disconnected: bool,
}

impl Peer {
    /// A connection on which nothing was said.
    pub fn new() -> Peer {
        Peer {
            version: Version::V5,
            answers: BytesMut::new(),
            maximum_packet_size: MAX_PACKET_SIZE,
            accepted: false,
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
            properties: leveret_protocol::codec::Properties::new(),
        };
        let answer = match packet {
            Packet::Connect(connect) => Packet::ConnAck(Box::new(ConnAck {
                session_present: session_present && !connect.clean_start,
                ..ConnAck::default()
            })),
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
}

impl Default for Peer {
    fn default() -> Peer {
        Peer::new()
    }
}

/// The first `count` bytes of some slices.
pub fn first_bytes(slices: &[Bytes], count: usize) -> Vec<u8> {
    let mut bytes = slices.concat();
    bytes.truncate(count);
    bytes
}
