//! PUBLISH, and the frame that a sender writes once and patches later.
//!
//! A letter is encoded when it is posted, before it is known which packet identifier it gets, on which version of MQTT
//! it leaves, and how much of its expiry is left by then. So it is written in the MQTT 5 layout, with a
//! `FrameLayout` of offsets: what is known later is patched into the frame, or a new head is made from it.
use super::{
    DecodeError, Decoded, EncodeError, FixedHeader, Limits, Oversized, PacketId, Properties,
    PropertyId, Side, Version, rules,
    wire::{Reader, Varint, check_packet_size},
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
const DUP: u8 = 1 << 3;

/// Bytes of the message expiry interval property: identifier and four bytes.
const EXPIRY_LENGTH: usize = 5;

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
            topic,
            qos: *qos,
            retain: *retain,
            properties,
            expiry: None,
        };
        let start = out.len();
        let layout = head.encode(version, max_packet_size, Payload::Inline(payload), out)?;
        let frame = out.get_mut(start..).unwrap_or_default();
        patch_dup(frame, *dup);
        if let Some(packet_id) = self.packet_id {
            patch_packet_id(frame, layout, packet_id);
        }
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
    let wanted = body
        .first_chunk()
        .map_or(2, |length| 2 + usize::from(u16::from_be_bytes(*length)) + 2);
    let wanted = wanted.min(header.remaining);
    if body.len() < wanted {
        return Ok(Decoded::NeedMore(wanted - body.len()));
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

/// A PUBLISH to be sent, but for its payload, packet identifier and DUP.
#[derive(Clone, Copy, Debug)]
pub struct PublishHead<'a> {
    /// Topic name, which `validate_topic_name` has accepted.
    pub topic: &'a str,
    /// QoS.
    pub qos: QoS,
    /// Whether the server is to retain the message.
    pub retain: bool,
    /// MQTT 5 properties, which `Properties::check` has accepted for PUBLISH.
    pub properties: &'a Properties,
    /// Message expiry interval in seconds, in place of the one that the properties may hold.
    pub expiry: Option<u32>,
}

/// The payload of a PUBLISH to be sent.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// Is copied behind the head.
    Inline(&'a [u8]),
    /// Has this many bytes, which the sender writes after the head, from where they are.
    Apart(usize),
}

impl Payload<'_> {
    fn length(&self) -> usize {
        match self {
            Payload::Inline(bytes) => bytes.len(),
            Payload::Apart(length) => *length,
        }
    }
}

/// Where things are in a frame: byte offsets from its beginning. Made by `PublishHead::encode`.
///
/// Frames are at most 256 MiB long, so 32 bits are enough and a record of a letter stays small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLayout {
    /// Bytes of the frame in its buffer: head and payload, or the head alone if the payload is kept apart.
    pub length: u32,
    /// End of the topic name. At QoS 1 and 2 the packet identifier stands here, else the property length.
    pub topic_end: u32,
    /// The four bytes of the message expiry interval; 0 if there is none.
    pub expiry: u32,
    /// End of the head, where an inline payload begins.
    pub payload: u32,
}

impl PublishHead<'_> {
    /// Appends the frame to `out` in one go, without an allocation but for the growth of `out`. The packet identifier
    /// is written as 0 and DUP as 0, to be patched. On an error (too large, topic too long) nothing is written.
    ///
    /// `max_packet_size` as for `Packet::encode`. In the version V311 the frame has no properties.
    pub fn encode(
        &self,
        version: Version,
        max_packet_size: u32,
        payload: Payload<'_>,
        out: &mut BytesMut,
    ) -> Result<FrameLayout, EncodeError> {
        let given = self.properties;
        if self.expiry.is_some() && given.message_expiry_offset().is_some() {
            let properties = &given.without(&[PropertyId::MessageExpiryInterval]);
            return PublishHead {
                properties,
                ..*self
            }
            .encode(version, max_packet_size, payload, out);
        }
        let Ok(topic_length) = u16::try_from(self.topic.len()) else {
            let problem = topic::TopicError::TooLong.text();
            return Err(EncodeError::Field {
                field: "topic name",
                problem,
            });
        };
        let id_length = packet_id_length(self.qos);
        let block = given.encoded();
        let property_length = block.len()
            + if self.expiry.is_some() {
                EXPIRY_LENGTH
            } else {
                0
            };
        let property_varint = match version {
            Version::V311 => 0,
            Version::V5 => Varint::length_of(property_length),
        };
        let properties = if version == Version::V5 {
            property_varint + property_length
        } else {
            0
        };
        let head = 2 + self.topic.len() + id_length + properties; // without the fixed header
        let remaining = head + payload.length();
        let fixed_header = check_packet_size(remaining, max_packet_size)? - remaining;
        let inline = match payload {
            Payload::Inline(bytes) => bytes,
            Payload::Apart(_) => &[],
        };

        let payload_at = fixed_header + head;
        out.reserve(payload_at + inline.len());
        let first = PacketType::Publish.first_byte()
            | u8::from(self.qos) << QOS_SHIFT
            | u8::from(self.retain);
        let [high, low] = topic_length.to_be_bytes();
        match u8::try_from(remaining) {
            Ok(length @ 0..=127) => out.put_slice(&[first, length, high, low]), // the usual, in one store
            _ => {
                out.put_u8(first);
                Varint::put(remaining, out);
                out.put_slice(&[high, low]);
            }
        }
        out.put_slice(self.topic.as_bytes());
        if id_length > 0 {
            out.put_u16(0);
        }
        if version == Version::V5 {
            Varint::put(property_length, out);
            if let Some(seconds) = self.expiry {
                out.put_u8(PropertyId::MessageExpiryInterval as u8);
                out.put_u32(seconds);
            }
            if !block.is_empty() {
                out.put_slice(block);
            }
        }
        out.put_slice(inline);

        let topic_end = fixed_header + 2 + self.topic.len();
        let first_property = topic_end + id_length + property_varint;
        let expiry = match (version, self.expiry) {
            (Version::V311, _) => None,
            (Version::V5, Some(_)) => Some(first_property + 1),
            (Version::V5, None) => given
                .message_expiry_offset()
                .map(|offset| first_property + offset),
        };
        Ok(FrameLayout {
            length: (payload_at + inline.len()) as u32,
            topic_end: topic_end as u32,
            expiry: expiry.unwrap_or(0) as u32,
            payload: payload_at as u32,
        })
    }
}

const fn packet_id_length(qos: QoS) -> usize {
    match qos {
        QoS::AtMostOnce => 0,
        QoS::AtLeastOnce | QoS::ExactlyOnce => 2,
    }
}

/// Writes the packet identifier into a frame of QoS 1 or 2; does nothing to another, or to one that the layout
/// does not fit.
pub fn patch_packet_id(frame: &mut [u8], layout: FrameLayout, packet_id: PacketId) {
    let at = layout.topic_end as usize;
    if qos_of(frame) != QoS::AtMostOnce
        && let Some(bytes) = frame.get_mut(at..at + 2)
    {
        bytes.copy_from_slice(&packet_id.get().to_be_bytes());
    }
}

/// Writes DUP into a frame of QoS 1 or 2; does nothing to another (MQTT-3.3.1-2).
pub fn patch_dup(frame: &mut [u8], dup: bool) {
    if qos_of(frame) != QoS::AtMostOnce
        && let Some(first) = frame.first_mut()
    {
        *first = *first & !DUP | if dup { DUP } else { 0 };
    }
}

/// Writes the message expiry interval, in seconds, into a frame that has one; does nothing to another, or to one that
/// the layout does not fit.
pub fn patch_expiry(frame: &mut [u8], layout: FrameLayout, seconds: u32) {
    let at = layout.expiry as usize;
    if at != 0
        && let Some(bytes) = frame.get_mut(at..at + 4)
    {
        bytes.copy_from_slice(&seconds.to_be_bytes());
    }
}

/// QoS of a frame.
pub fn qos_of(frame: &[u8]) -> QoS {
    let flags = frame.first().copied().unwrap_or(0);
    QoS::try_from(flags >> QOS_SHIFT & 0b11).unwrap_or_default()
}

/// RETAIN of a frame.
pub fn retain_of(frame: &[u8]) -> bool {
    frame.first().is_some_and(|first| first & RETAIN != 0)
}

/// Topic name of a frame; empty if the layout does not fit it.
pub fn topic_of(frame: &[u8], layout: FrameLayout) -> &str {
    let topic = topic_start(frame).and_then(|start| frame.get(start..layout.topic_end as usize));
    core::str::from_utf8(topic.unwrap_or_default()).unwrap_or_default()
}

/// Whether a frame in the MQTT 5 layout has other properties than the message expiry interval.
pub fn has_properties(frame: &[u8], layout: FrameLayout) -> bool {
    let start = layout.topic_end as usize + packet_id_length(qos_of(frame));
    let without = 1 + if layout.expiry == 0 { 0 } else { EXPIRY_LENGTH };
    (layout.payload as usize).saturating_sub(start) > without
}

/// Bytes of the whole packet that begins with this frame, a payload that is kept apart included.
pub fn packet_size(frame: &[u8]) -> usize {
    match Varint::read(frame.get(1..).unwrap_or_default()) {
        Varint::Value { value, length, .. } => 1 + length + value as usize,
        Varint::Incomplete | Varint::TooLong => frame.len(),
    }
}

/// Appends a new head for a frame in the MQTT 5 layout, for this version: on MQTT 5 the same, on 3.1.1 without the
/// property block. The payload is to follow it, from where it is. The new head carries the frame's packet identifier,
/// DUP and expiry and can be patched with the layout that is returned. `None`, and nothing is written, if the layout
/// does not fit the frame.
pub fn write_head(
    version: Version,
    frame: &[u8],
    layout: FrameLayout,
    out: &mut BytesMut,
) -> Option<FrameLayout> {
    let head = frame.get(..layout.payload as usize)?;
    if version == Version::V5 {
        out.extend_from_slice(head);
        return Some(FrameLayout {
            length: layout.payload,
            ..layout
        });
    }
    let payload_length = packet_size(frame).checked_sub(head.len())?;
    let topic = head.get(topic_start(head)?..layout.topic_end as usize)?;
    let packet_id = head
        .get(layout.topic_end as usize..)?
        .get(..packet_id_length(qos_of(head)))?;
    let remaining = 2 + topic.len() + packet_id.len() + payload_length;
    out.put_u8(*head.first()?);
    Varint::put(remaining, out);
    out.put_u16(topic.len() as u16); // as it was in the frame
    out.put_slice(topic);
    out.put_slice(packet_id);
    let topic_end = 1 + Varint::length_of(remaining) + 2 + topic.len();
    let length = (topic_end + packet_id.len()) as u32;
    Some(FrameLayout {
        length,
        topic_end: topic_end as u32,
        expiry: 0,
        payload: length,
    })
}

fn topic_start(frame: &[u8]) -> Option<usize> {
    match Varint::read(frame.get(1..)?) {
        Varint::Value { length, .. } => Some(1 + length + 2),
        Varint::Incomplete | Varint::TooLong => None,
    }
}
