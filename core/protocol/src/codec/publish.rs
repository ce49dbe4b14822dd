//! PUBLISH, and the head with which a letter leaves.
//!
//! A sender keeps topic, property block and payload, and writes the head when the letter is begun: only then the
//! version, the packet identifier, DUP and what is left of its expiry are known.
use super::{
    DecodeError, Decoded, EncodeError, FixedHeader, Limits, Oversized, PacketId, PropertyId, Side,
    Version, rules,
    wire::{Reader, Varint, check_packet_size, packet_size, sum},
};
use crate::{
    message::{Message, QoS},
    packet_type::PacketType,
    topic,
};
use bytes::{BufMut, Bytes, BytesMut};

// Bits of the first byte (section 3.3.1 of both standards).
const RETAIN: u8 = 1;
const QOS_SHIFT: u8 = 1;
pub(super) const DUP: u8 = 1 << 3;

/// Bytes of the message expiry interval property: identifier and four bytes.
const EXPIRY_LENGTH: usize = 5;
/// Bytes of the topic alias property: identifier and two bytes.
const ALIAS_LENGTH: usize = 3;

/// A PUBLISH packet (section 3.3 of both standards).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    /// Packet identifier: with QoS 1 and 2, and only then.
    pub packet_id: Option<PacketId>,
    /// The message. Its topic may be empty on MQTT 5 if the properties name a topic alias.
    pub message: Message,
}

impl Publish {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Publish, DecodeError> {
        let (qos, dup, retain) = decode_flags(reader)?;
        let topic = reader.topic_name("topic name", true)?;
        let packet_id = match qos {
            QoS::AtMostOnce => None,
            _ => Some(reader.packet_id()?),
        };
        let properties = reader.properties(PacketType::Publish.into())?;
        reader.require(
            !topic.as_bytes().is_empty() || properties.topic_alias().is_some(),
            rules::TOPIC_WITHOUT_ALIAS,
            "topic name",
        )?;
        reader.require(
            reader.from == Side::Server || properties.subscription_identifier().is_none(),
            rules::SUBSCRIPTION_ID_FROM_CLIENT,
            PropertyId::SubscriptionIdentifier.row().text,
        )?;
        let payload = reader.remainder();
        Ok(Publish {
            packet_id,
            message: Message {
                topic,
                payload,
                qos,
                retain,
                dup,
                properties,
            },
        })
    }

    /// Appends the packet. On an error nothing is written.
    pub fn encode(
        &self,
        version: Version,
        max_packet_size: u32,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let Message {
            topic,
            payload,
            qos,
            retain,
            dup,
            properties,
        } = &self.message;
        let field = |field, problem| Err(EncodeError::Field { field, problem });
        if self.packet_id.is_some() != (*qos != QoS::AtMostOnce) {
            return field(
                "packet identifier",
                "must be given with QoS 1 and 2, and only then",
            );
        }
        if *dup && *qos == QoS::AtMostOnce {
            return field("DUP", rules::DUP_AT_QOS_0.problem);
        }
        let aliased = version == Version::V5 && properties.topic_alias().is_some();
        match topic::validate_topic_name(topic) {
            Err(topic::TopicError::Empty) if aliased => {}
            Err(error) => return field("topic name", error.text()),
            Ok(()) => {}
        }
        if version == Version::V5 {
            properties.check(PacketType::Publish.into())?;
        }
        let head = PublishHead {
            topic: topic.as_bytes(),
            qos: *qos,
            retain: *retain,
            dup: *dup,
            packet_id: self.packet_id,
            properties: properties.encoded(),
            expiry: None,
            alias: None,
            payload_length: payload.len(),
        };
        head.encode(version, max_packet_size, out)?;
        out.put_slice(payload);
        Ok(())
    }
}

fn decode_flags(reader: &Reader<'_>) -> Result<(QoS, bool, bool), DecodeError> {
    let qos = QoS::try_from(reader.flags >> QOS_SHIFT & 0b11)
        .map_err(|_| reader.fail(rules::QOS_3, "QoS"))?;
    let dup = reader.flags & DUP != 0;
    reader.require(!dup || qos != QoS::AtMostOnce, rules::DUP_AT_QOS_0, "DUP")?;
    Ok((qos, dup, reader.flags & RETAIN != 0))
}

/// Reads as much of a packet above the limit as it takes to skip and acknowledge it.
pub(super) fn peek_oversized(
    buffer: &BytesMut,
    header: FixedHeader,
    version: Version,
    from: Side,
    limits: &Limits,
) -> Result<Decoded, DecodeError> {
    let mut oversized = Oversized {
        header,
        qos: QoS::AtMostOnce,
        packet_id: None,
        topic: None,
        skipped: 0,
    };
    if header.packet != PacketType::Publish {
        return Ok(Decoded::TooLarge(oversized));
    }
    let have = buffer.len().min(header.total());
    let body = buffer.get(header.length..have).unwrap_or_default();
    let wanted = body.first_chunk().map_or(2, |length| {
        usize::from(u16::from_be_bytes(*length)).saturating_add(4)
    });
    let wanted = wanted.min(header.remaining);
    let missing = wanted.saturating_sub(body.len());
    if missing > 0 {
        return Ok(Decoded::NeedMore(missing));
    }
    let rest = Bytes::copy_from_slice(body.get(..wanted).unwrap_or_default());
    let mut reader = Reader {
        rest,
        packet: header.packet,
        flags: header.flags,
        version,
        from,
        limits,
    };
    oversized.qos = decode_flags(&reader)?.0;
    oversized.topic = Some(reader.topic_name("topic name", true)?);
    if oversized.qos != QoS::AtMostOnce {
        oversized.packet_id = Some(reader.packet_id()?);
    }
    Ok(Decoded::TooLarge(oversized))
}

/// Everything of a PUBLISH but its payload, in the parts from which it is written.
#[derive(Clone, Copy, Debug)]
pub struct PublishHead<'a> {
    /// Topic name, which `validate_topic_name` has accepted, or nothing if the properties name a topic alias.
    pub topic: &'a [u8],
    /// QoS.
    pub qos: QoS,
    /// Whether the server is to retain the message.
    pub retain: bool,
    /// Whether the packet may have been sent before; never at QoS 0 (MQTT-3.3.1-2).
    pub dup: bool,
    /// Packet identifier; needed with QoS 1 and 2 to encode, not used at QoS 0.
    pub packet_id: Option<PacketId>,
    /// `Properties::encoded` of properties that `Properties::check` has accepted for PUBLISH. Left out on MQTT 3.1.1.
    pub properties: &'a [u8],
    /// Message expiry interval in seconds, if it is not among the properties. Left out on MQTT 3.1.1.
    pub expiry: Option<u32>,
    /// Topic alias, if it is not among the properties. Left out on MQTT 3.1.1.
    pub alias: Option<u16>,
    /// Bytes of the payload, which is to follow the head.
    pub payload_length: usize,
}

/// Appends a PUBLISH of QoS 0 in MQTT 5 that has no properties. `tail` is all that follows the length of the topic: the topic, a property length of
/// zero, the payload. On an error (the packet is larger than `max_packet_size`) nothing is written.
#[inline]
pub fn encode_plain_publish(
    topic_length: u16,
    retain: bool,
    tail: &[u8],
    max_packet_size: u32,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let remaining = tail.len().saturating_add(2);
    let total = check_packet_size(remaining, max_packet_size)?;
    out.reserve(total);
    let first = PacketType::Publish.first_byte() | if retain { RETAIN } else { 0 };
    begin(first, remaining, topic_length, out);
    out.put_slice(tail);
    Ok(())
}

/// Writes the fixed header and the length of the topic.
#[inline(always)]
fn begin(first_byte: u8, remaining: usize, topic_length: u16, out: &mut BytesMut) {
    let [high, low] = topic_length.to_be_bytes();
    match u8::try_from(remaining) {
        Ok(length @ 0..=127) => out.put_slice(&[first_byte, length, high, low]), // the usual, in one store
        _ => {
            out.put_u8(first_byte);
            Varint::put(remaining, out);
            out.put_slice(&[high, low]);
        }
    }
}

/// The lengths that a head is made of.
struct Measure {
    packet_id: usize,
    properties: usize, // the property block, without its length
    remaining: usize,  // the remaining length, payload included
}

impl PublishHead<'_> {
    /// Bytes of the whole packet, payload included.
    pub fn packet_size(&self, version: Version) -> usize {
        packet_size(self.measure(version).remaining)
    }

    /// Appends the head to `out`, without an allocation but for its growth. The payload is to follow. On an error
    /// (the packet is larger than `max_packet_size` or the standard allows, the topic is too long) nothing is written.
    #[inline]
    pub fn encode(
        &self,
        version: Version,
        max_packet_size: u32,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let Ok(topic_length) = u16::try_from(self.topic.len()) else {
            let problem = topic::TopicError::TooLong.text();
            return Err(EncodeError::Field {
                field: "topic name",
                problem,
            });
        };
        let measure = self.measure(version);
        let total = check_packet_size(measure.remaining, max_packet_size)?;
        out.reserve(total.saturating_sub(self.payload_length));
        begin(self.first_byte(), measure.remaining, topic_length, out);
        out.put_slice(self.topic);
        let id = self.packet_id.map_or(0, PacketId::get).to_be_bytes();
        match (version, measure.packet_id > 0, measure.properties) {
            (Version::V5, false, 0) => out.put_slice(&[0]), // the usual again
            (Version::V5, true, 0) => out.put_slice(&[id[0], id[1], 0]),
            (_, true, _) => out.put_slice(&id),
            (_, false, _) => {}
        }
        if version == Version::V5 && measure.properties > 0 {
            Varint::put(measure.properties, out);
            if !self.properties.is_empty() {
                out.put_slice(self.properties);
            }
            if let Some(seconds) = self.expiry {
                out.put_u8(PropertyId::MessageExpiryInterval as u8);
                out.put_u32(seconds);
            }
            if let Some(alias) = self.alias {
                out.put_u8(PropertyId::TopicAlias as u8);
                out.put_u16(alias);
            }
        }
        Ok(())
    }

    fn first_byte(&self) -> u8 {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        PacketType::Publish.first_byte()
            | flag(self.dup, DUP)
            | u8::from(self.qos) << QOS_SHIFT
            | flag(self.retain, RETAIN)
    }

    fn measure(&self, version: Version) -> Measure {
        let packet_id = if self.qos == QoS::AtMostOnce { 0 } else { 2 };
        let expiry = self.expiry.map_or(0, |_| EXPIRY_LENGTH);
        let alias = self.alias.map_or(0, |_| ALIAS_LENGTH);
        let properties = sum([self.properties.len(), expiry, alias]);
        let mut remaining = sum([2, self.topic.len(), packet_id, self.payload_length]);
        if version == Version::V5 {
            remaining = sum([remaining, Varint::length_of(properties), properties]);
        }
        Measure {
            packet_id,
            properties,
            remaining,
        }
    }
}
