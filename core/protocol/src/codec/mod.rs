//! MQTT 3.1.1 and 5.0 on the wire: bytes to packets and back, both versions on one path.
//!
//! `decode` takes one packet from the front of a read buffer. It asks for more bytes where the packet is not complete,
//! never reserves memory on a length that a peer merely announced, and hands out topics, payloads and properties as
//! slices of the buffer. `Packet::encode` appends a packet to a buffer; `PublishHead` is the fast path for senders.
mod ack;
mod connect;
mod control;
mod properties;
mod property_table;
mod publish;
mod rules;
mod subscribe;
mod wire;

pub use ack::{Ack, encode_plain_ack};
pub use connect::{ConnAck, Connect};
pub use control::{Auth, Disconnect};
pub use properties::Properties;
pub use property_table::{
    PropertyError, PropertyId, PropertyProblem, PropertyRow, PropertyType, PropertyValue,
};
pub use publish::{Publish, PublishHead, encode_plain_publish};
pub use rules::{DecodeError, EncodeError, RULES, Rule};
pub use subscribe::{
    FilterAck, RetainHandling, Subscribe, SubscribeFilter, SubscribeOptions, Unsubscribe,
};
pub use wire::{FixedHeader, MAX_PACKET_SIZE, MAX_REMAINING_LENGTH, PacketId};

use crate::{checked, message::QoS, packet_type::PacketType, text::Text};
use alloc::boxed::Box;
use bytes::{Bytes, BytesMut};
use wire::Reader;

/// A version of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// MQTT 3.1.1.
    V311,
    /// MQTT 5.0.
    V5,
}

impl Version {
    /// The version as people write it: `3.1.1` or `5`.
    pub const fn name(self) -> &'static str {
        match self {
            Version::V311 => "3.1.1",
            Version::V5 => "5",
        }
    }

    /// The protocol level (3.1.1) or protocol version (5.0) in CONNECT: 4 or 5.
    pub const fn level(self) -> u8 {
        match self {
            Version::V311 => 4,
            Version::V5 => 5,
        }
    }

    /// The version with this protocol level.
    pub const fn from_level(level: u8) -> Option<Version> {
        match level {
            4 => Some(Version::V311),
            5 => Some(Version::V5),
            _ => None,
        }
    }
}

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// What decoding puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a whole packet, fixed header included. Default 16 MiB.
    pub max_packet_size: u32,
    /// Properties of one packet. Default 1,000.
    pub max_properties: u16,
    /// Packets of fewer bytes are copied, so that what is kept of them does not keep the read buffer alive.
    /// 0, the default, copies none.
    pub copy_below: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_packet_size: 16 * 1024 * 1024,
            max_properties: 1_000,
            copy_below: 0,
        }
    }
}

/// A control packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// Opens the session.
    Connect(Box<Connect>),
    /// Answers CONNECT.
    ConnAck(Box<ConnAck>),
    /// An application message.
    Publish(Publish),
    /// Acknowledges a QoS 1 PUBLISH.
    PubAck(Ack),
    /// A QoS 2 PUBLISH was received.
    PubRec(Ack),
    /// A QoS 2 PUBLISH is released.
    PubRel(Ack),
    /// A QoS 2 exchange is complete.
    PubComp(Ack),
    /// Asks for subscriptions.
    Subscribe(Subscribe),
    /// Answers SUBSCRIBE.
    SubAck(FilterAck),
    /// Ends subscriptions.
    Unsubscribe(Unsubscribe),
    /// Answers UNSUBSCRIBE.
    UnsubAck(FilterAck),
    /// A ping.
    PingReq,
    /// Answers PINGREQ.
    PingResp,
    /// Ends the connection.
    Disconnect(Disconnect),
    /// A step of enhanced authentication.
    Auth(Auth),
}

/// What `decode` found at the front of the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A packet, which has been taken out of the buffer.
    Packet(Packet),
    /// The packet is not complete: at least this many more bytes are needed (1 or more). Nothing was taken.
    NeedMore(usize),
    /// A packet above `Limits::max_packet_size`, which need not be complete. Nothing was taken: skip it, or give up
    /// the connection with `Oversized::error`.
    TooLarge(Oversized),
}

/// A packet above the limit, as far as it has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oversized {
    /// Its fixed header.
    pub header: FixedHeader,
    /// QoS of a PUBLISH.
    pub qos: QoS,
    /// Packet identifier of a PUBLISH of QoS 1 or 2.
    pub packet_id: Option<PacketId>,
    /// Topic name of a PUBLISH.
    pub topic: Option<Text>,
    skipped: usize,
}

impl Oversized {
    /// Whether a PUBLISH is sent again (3.3.1.1).
    pub fn dup(&self) -> bool {
        self.header.flags & publish::DUP != 0
    }

    /// Takes what has arrived of it out of the buffer. True when the whole packet has been taken: call `decode` again
    /// then; else call this again when more has arrived.
    pub fn skip(&mut self, buffer: &mut BytesMut) -> bool {
        let left = self.header.total().saturating_sub(self.skipped);
        let now = left.min(buffer.len());
        checked::skip(buffer, now);
        self.skipped = self.skipped.saturating_add(now);
        now == left
    }

    /// The error with which a connection is given up for it.
    pub fn error(&self, version: Version) -> DecodeError {
        DecodeError::new(
            rules::PACKET_TOO_LARGE,
            version,
            Some(self.header.packet),
            "packet size",
        )
    }
}

/// Takes one packet from the front of the buffer, as the side `from` sends it.
///
/// The version is that of the connection; CONNECT brings its own, and whatever is given is ignored for it.
/// After an error the connection cannot go on: where the next packet begins is not known.
pub fn decode(
    buffer: &mut BytesMut,
    version: Version,
    from: Side,
    limits: &Limits,
) -> Result<Decoded, DecodeError> {
    let Some(header) = FixedHeader::peek(buffer, version)? else {
        return Ok(Decoded::NeedMore(if buffer.is_empty() { 2 } else { 1 }));
    };
    check_direction(header.packet, version, from)?;
    let total = header.total();
    if total > limits.max_packet_size as usize {
        return publish::peek_oversized(buffer, header, version, from, limits);
    }
    let missing = total.saturating_sub(buffer.len());
    if missing > 0 {
        return Ok(Decoded::NeedMore(missing));
    }
    if header.remaining == 2
        && let Some(packet) = Ack::take_plain(buffer, header)
    {
        return Ok(Decoded::Packet(packet));
    }
    let mut frame = match total < limits.copy_below {
        true => {
            let copy = Bytes::copy_from_slice(buffer.get(..total).unwrap_or_default());
            checked::skip(buffer, total);
            copy
        }
        false => checked::take_front(buffer, total).freeze(),
    };
    checked::skip(&mut frame, header.length);
    let reader = Reader {
        rest: frame,
        packet: header.packet,
        flags: header.flags,
        version,
        from,
        limits,
    };
    decode_body(reader, header).map(Decoded::Packet)
}

fn check_direction(packet: PacketType, version: Version, from: Side) -> Result<(), DecodeError> {
    use PacketType::*;
    let allowed = match packet {
        Connect | Subscribe | Unsubscribe | PingReq => from == Side::Client,
        ConnAck | SubAck | UnsubAck | PingResp => from == Side::Server,
        Disconnect => from == Side::Client || version == Version::V5,
        Publish | PubAck | PubRec | PubRel | PubComp | Auth => true,
    };
    match allowed {
        true => Ok(()),
        false => Err(DecodeError::new(
            rules::DIRECTION,
            version,
            Some(packet),
            "packet type",
        )),
    }
}

fn decode_body(mut reader: Reader<'_>, header: FixedHeader) -> Result<Packet, DecodeError> {
    let packet = match header.packet {
        PacketType::Connect => Packet::Connect(Box::new(Connect::decode(&mut reader, header)?)),
        PacketType::ConnAck => Packet::ConnAck(Box::new(ConnAck::decode(&mut reader)?)),
        PacketType::Publish => Packet::Publish(Publish::decode(&mut reader)?),
        PacketType::PubAck => Packet::PubAck(Ack::decode(&mut reader)?),
        PacketType::PubRec => Packet::PubRec(Ack::decode(&mut reader)?),
        PacketType::PubRel => Packet::PubRel(Ack::decode(&mut reader)?),
        PacketType::PubComp => Packet::PubComp(Ack::decode(&mut reader)?),
        PacketType::Subscribe => Packet::Subscribe(Subscribe::decode(&mut reader)?),
        PacketType::SubAck => Packet::SubAck(FilterAck::decode(&mut reader)?),
        PacketType::Unsubscribe => Packet::Unsubscribe(Unsubscribe::decode(&mut reader)?),
        PacketType::UnsubAck => Packet::UnsubAck(FilterAck::decode(&mut reader)?),
        PacketType::PingReq => Packet::PingReq,
        PacketType::PingResp => Packet::PingResp,
        PacketType::Disconnect => Packet::Disconnect(Disconnect::decode(&mut reader)?),
        PacketType::Auth => Packet::Auth(Auth::decode(&mut reader)?),
    };
    reader.finish()?;
    Ok(packet)
}

impl Packet {
    /// Its type.
    pub fn packet_type(&self) -> PacketType {
        match self {
            Packet::Connect(_) => PacketType::Connect,
            Packet::ConnAck(_) => PacketType::ConnAck,
            Packet::Publish(_) => PacketType::Publish,
            Packet::PubAck(_) => PacketType::PubAck,
            Packet::PubRec(_) => PacketType::PubRec,
            Packet::PubRel(_) => PacketType::PubRel,
            Packet::PubComp(_) => PacketType::PubComp,
            Packet::Subscribe(_) => PacketType::Subscribe,
            Packet::SubAck(_) => PacketType::SubAck,
            Packet::Unsubscribe(_) => PacketType::Unsubscribe,
            Packet::UnsubAck(_) => PacketType::UnsubAck,
            Packet::PingReq => PacketType::PingReq,
            Packet::PingResp => PacketType::PingResp,
            Packet::Disconnect(_) => PacketType::Disconnect,
            Packet::Auth(_) => PacketType::Auth,
        }
    }

    /// Appends the packet to `out`, in the version given (CONNECT: in its own). On an error nothing is written.
    ///
    /// `max_packet_size` is what the peer takes, in bytes of the whole packet; `MAX_PACKET_SIZE` where it named none.
    /// Reason strings and user properties of answers, DISCONNECT and AUTH are left out where they would make the
    /// packet larger than that. What 3.1.1 has no field for (properties, most reason codes) is left out there.
    pub fn encode(
        &self,
        version: Version,
        max_packet_size: u32,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        match self {
            Packet::Connect(connect) => connect.encode(max_packet_size, out),
            Packet::ConnAck(connack) => connack.encode(version, max_packet_size, out),
            Packet::Publish(publish) => publish.encode(version, max_packet_size, out),
            Packet::PubAck(ack) => ack.encode(PacketType::PubAck, version, max_packet_size, out),
            Packet::PubRec(ack) => ack.encode(PacketType::PubRec, version, max_packet_size, out),
            Packet::PubRel(ack) => ack.encode(PacketType::PubRel, version, max_packet_size, out),
            Packet::PubComp(ack) => ack.encode(PacketType::PubComp, version, max_packet_size, out),
            Packet::Subscribe(subscribe) => subscribe.encode(version, max_packet_size, out),
            Packet::SubAck(answer) => {
                answer.encode(PacketType::SubAck, version, max_packet_size, out)
            }
            Packet::Unsubscribe(unsubscribe) => unsubscribe.encode(version, max_packet_size, out),
            Packet::UnsubAck(answer) => {
                answer.encode(PacketType::UnsubAck, version, max_packet_size, out)
            }
            Packet::PingReq | Packet::PingResp => wire::encode_frame(
                out,
                self.packet_type().first_byte(),
                max_packet_size,
                |_| Ok(()),
            ),
            Packet::Disconnect(disconnect) => disconnect.encode(version, max_packet_size, out),
            Packet::Auth(auth) => auth.encode(version, max_packet_size, out),
        }
    }
}
