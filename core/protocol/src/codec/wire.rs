//! The fixed header, variable byte integers and strings: what every packet is made of, read and written.
use super::{DecodeError, EncodeError, Limits, Side, Version, properties::Properties, rules::*};
use crate::{
    checked,
    packet_type::{PacketSet, PacketType},
    reason::ReasonCode,
    text::Text,
    topic,
};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use core::num::NonZeroU16;

/// The packet identifier of a SUBSCRIBE, an UNSUBSCRIBE, a PUBLISH of QoS 1 or 2, and of their answers: 1..=65,535.
pub type PacketId = NonZeroU16;

/// The largest remaining length, and the largest variable byte integer: 268,435,455 (MQTT 5.0 section 2.1.4).
pub const MAX_REMAINING_LENGTH: u32 = 268_435_455;

/// The largest packet, fixed header included.
pub const MAX_PACKET_SIZE: u32 = MAX_REMAINING_LENGTH + 5;

const TEXT_TOO_LONG: &str = "must have at most 65,535 bytes";
const TEXT_WITH_NUL: &str = "must not contain U+0000";

/// The fixed header of a packet (MQTT 5.0 section 2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedHeader {
    /// Type of the packet.
    pub packet: PacketType,
    /// The lower four bits of the first byte.
    pub flags: u8,
    /// Bytes of the fixed header: 2..=5.
    pub length: usize,
    /// Bytes after the fixed header: 0..=268,435,455.
    pub remaining: usize,
    pub(super) minimal: bool, // whether the remaining length takes no more bytes than it needs
}

impl FixedHeader {
    /// Reads the header at the beginning of `bytes`; `None` if not all of it is there yet. Type and flags are
    /// checked as soon as the first byte is there; whether the type may come from this side is not checked here.
    pub fn peek(bytes: &[u8], version: Version) -> Result<Option<FixedHeader>, DecodeError> {
        let Some((&first, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let packet = PacketType::from_number(first >> 4)
            .filter(|packet| *packet != PacketType::Auth || version == Version::V5)
            .ok_or_else(|| DecodeError::new(PACKET_TYPE, version, None, "packet type"))?;
        let flags = first & 0x0F;
        if packet != PacketType::Publish && flags != packet.fixed_flags() {
            return Err(DecodeError::new(
                Rule::of_flags(packet),
                version,
                Some(packet),
                "flags",
            ));
        }
        let fail = |rule| DecodeError::new(rule, version, Some(packet), "remaining length");
        match Varint::read(rest) {
            Varint::Incomplete => Ok(None),
            Varint::TooLong => Err(fail(INTEGER_TOO_LONG)),
            Varint::Value {
                value,
                length,
                minimal,
            } => {
                if !minimal && version == Version::V5 && packet != PacketType::Connect {
                    return Err(fail(INTEGER_NOT_MINIMAL));
                }
                Ok(Some(FixedHeader {
                    packet,
                    flags,
                    length: length.saturating_add(1),
                    remaining: value as usize,
                    minimal,
                }))
            }
        }
    }

    /// Bytes of the whole packet.
    pub fn total(&self) -> usize {
        self.length.saturating_add(self.remaining)
    }
}

/// A variable byte integer (MQTT 5.0 section 1.5.5) as it stands at the beginning of some bytes.
pub(super) enum Varint {
    Value {
        value: u32,
        length: usize,
        minimal: bool,
    },
    Incomplete,
    TooLong,
}

impl Varint {
    pub(super) fn read(bytes: &[u8]) -> Varint {
        let mut value = 0;
        let places = [(1, 0), (2, 7), (3, 14), (4, 21)]; // how long it is then, and where the seven bits go
        for ((length, shift), &byte) in places.into_iter().zip(bytes) {
            value |= u32::from(byte & 0x7F).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                return Varint::Value {
                    value,
                    length,
                    minimal: length == 1 || byte != 0,
                };
            }
        }
        if bytes.len() < 4 {
            Varint::Incomplete
        } else {
            Varint::TooLong
        }
    }

    /// The fewest bytes that this value takes; values above 268,435,455, which have no encoding, count as four.
    pub(super) const fn length_of(value: usize) -> usize {
        match value {
            0..=127 => 1,
            128..=16_383 => 2,
            16_384..=2_097_151 => 3,
            _ => 4,
        }
    }

    /// Appends the value in the fewest bytes. It must not be above 268,435,455.
    #[inline]
    pub(super) fn put(value: usize, out: &mut BytesMut) {
        match u8::try_from(value) {
            Ok(byte @ 0..=127) => out.put_u8(byte),
            _ => Varint::put_long(value, out),
        }
    }

    fn put_long(value: usize, out: &mut BytesMut) {
        let more = |shift: u32| (value >> shift) as u8 | 0x80;
        let last = |shift: u32| (value >> shift) as u8 & 0x7F;
        // Of fixed sizes, since each is then a single store.
        match Varint::length_of(value) {
            1 | 2 => out.put_slice(&[more(0), last(7)]),
            3 => out.put_slice(&[more(0), more(7), last(14)]),
            _ => out.put_slice(&[more(0), more(7), more(14), last(21)]),
        }
    }
}

/// Reads the fields of one packet, whose bytes are all there.
pub(super) struct Reader<'a> {
    pub(super) rest: Bytes,
    pub(super) packet: PacketType,
    pub(super) flags: u8,
    pub(super) version: Version,
    pub(super) from: Side,
    pub(super) limits: &'a Limits,
}

impl Reader<'_> {
    pub(super) fn fail(&self, rule: &Rule, field: &'static str) -> DecodeError {
        DecodeError::new(rule, self.version, Some(self.packet), field)
    }

    /// Fails with this rule unless `holds`.
    pub(super) fn require(
        &self,
        holds: bool,
        rule: &Rule,
        field: &'static str,
    ) -> Result<(), DecodeError> {
        if holds {
            Ok(())
        } else {
            Err(self.fail(rule, field))
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.rest
            .try_get_u8()
            .map_err(|_| self.fail(TRUNCATED, field))
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.rest
            .try_get_u16()
            .map_err(|_| self.fail(TRUNCATED, field))
    }

    fn take(&mut self, length: usize, field: &'static str) -> Result<Bytes, DecodeError> {
        checked::take(&mut self.rest, length).ok_or_else(|| self.fail(TRUNCATED, field))
    }

    /// Everything that is left.
    pub(super) fn remainder(&mut self) -> Bytes {
        core::mem::take(&mut self.rest)
    }

    pub(super) fn packet_id(&mut self) -> Result<PacketId, DecodeError> {
        const FIELD: &str = "packet identifier";
        let number = self.u16(FIELD)?;
        PacketId::new(number).ok_or_else(|| self.fail(PACKET_ID_ZERO, FIELD))
    }

    /// Bytes with their length in two bytes before them.
    pub(super) fn binary(&mut self, field: &'static str) -> Result<Bytes, DecodeError> {
        let length = self.u16(field)?;
        self.take(usize::from(length), field)
    }

    /// Text for which `check` names no rule that it breaks.
    fn text_where(
        &mut self,
        field: &'static str,
        check: impl FnOnce(&str) -> Result<(), &'static Rule>,
    ) -> Result<Text, DecodeError> {
        let bytes = self.binary(field)?;
        match core::str::from_utf8(&bytes)
            .map_err(|_| UTF8)
            .and_then(check)
        {
            Ok(()) => Ok(Text::of_checked(bytes)),
            Err(rule) => Err(self.fail(rule, field)),
        }
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<Text, DecodeError> {
        self.text_where(field, |text| {
            if text.contains('\0') {
                Err(NUL)
            } else {
                Ok(())
            }
        })
    }

    /// A topic name; an empty one only if `or_empty`.
    pub(super) fn topic_name(
        &mut self,
        field: &'static str,
        or_empty: bool,
    ) -> Result<Text, DecodeError> {
        self.text_where(field, |name| match topic::validate_topic_name(name) {
            Err(topic::TopicError::Empty) if or_empty => Ok(()),
            result => result.map_err(Rule::of_topic),
        })
    }

    /// A topic filter, and whether it is a shared one.
    pub(super) fn topic_filter(&mut self) -> Result<(Text, bool), DecodeError> {
        let mut shared = false;
        let filter = self.text_where("topic filter", |filter| {
            shared = topic::validate_topic_filter(filter)
                .map_err(Rule::of_topic)?
                .share_name
                .is_some();
            Ok(())
        })?;
        Ok((filter, shared))
    }

    /// A reason code that may stand in this packet when this side sends it.
    pub(super) fn reason(&mut self) -> Result<ReasonCode, DecodeError> {
        const FIELD: &str = "reason code";
        let reason = ReasonCode(self.u8(FIELD)?);
        let allowed = match (reason.row(), self.from) {
            (None, _) => false,
            // A SUBACK of MQTT 3.1.1, the only packet of it that gets here, knows but one refusal.
            (Some(_), _) if self.version == Version::V311 && reason.is_error() => {
                reason == ReasonCode::UNSPECIFIED_ERROR
            }
            (Some(row), Side::Client) => row.from_client.has(self.packet),
            (Some(row), Side::Server) => row.from_server.has(self.packet),
        };
        self.require(allowed, Rule::of_reason(self.packet), FIELD)?;
        Ok(reason)
    }

    /// The property block, of which MQTT 3.1.1 has none.
    pub(super) fn properties(&mut self, place: PacketSet) -> Result<Properties, DecodeError> {
        const FIELD: &str = "property length";
        if self.version == Version::V311 {
            return Ok(Properties::new());
        }
        let block = match Varint::read(&self.rest) {
            Varint::Incomplete => return Err(self.fail(TRUNCATED, FIELD)),
            Varint::TooLong => return Err(self.fail(INTEGER_TOO_LONG, FIELD)),
            Varint::Value { minimal: false, .. } => {
                return Err(self.fail(INTEGER_NOT_MINIMAL, FIELD));
            }
            Varint::Value { value, length, .. } => {
                checked::skip(&mut self.rest, length);
                self.take(value as usize, FIELD)?
            }
        };
        Properties::from_received(block, place, self.limits.max_properties)
            .map_err(|(rule, field)| self.fail(rule, field))
    }

    /// Fails if something is left.
    pub(super) fn finish(&self) -> Result<(), DecodeError> {
        self.require(self.is_empty(), TRAILING, "packet")
    }
}

/// Writes the fields of a packet, or only counts their bytes, so that lengths come from the code that writes them.
pub(super) struct Writer<'a> {
    out: Option<&'a mut BytesMut>,
    length: usize,
}

impl Writer<'_> {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len());
        if let Some(out) = &mut self.out {
            out.put_slice(bytes);
        }
    }

    pub(super) fn u8(&mut self, number: u8) {
        self.bytes(&[number]);
    }

    pub(super) fn u16(&mut self, number: u16) {
        self.bytes(&number.to_be_bytes());
    }

    pub(super) fn varint(&mut self, value: usize) {
        self.length = self.length.saturating_add(Varint::length_of(value));
        if let Some(out) = &mut self.out {
            Varint::put(value, out);
        }
    }

    pub(super) fn binary(&mut self, bytes: &[u8], field: &'static str) -> Result<(), EncodeError> {
        let Ok(length) = u16::try_from(bytes.len()) else {
            return Err(EncodeError::Field {
                field,
                problem: TEXT_TOO_LONG,
            });
        };
        self.u16(length);
        self.bytes(bytes);
        Ok(())
    }

    pub(super) fn text(&mut self, text: &Text, field: &'static str) -> Result<(), EncodeError> {
        if text.as_bytes().contains(&0) {
            return Err(EncodeError::Field {
                field,
                problem: TEXT_WITH_NUL,
            });
        }
        self.binary(text.as_bytes(), field)
    }

    pub(super) fn topic_name(
        &mut self,
        name: &Text,
        field: &'static str,
    ) -> Result<(), EncodeError> {
        topic::validate_topic_name(name).map_err(|error| EncodeError::Field {
            field,
            problem: error.text(),
        })?;
        self.binary(name.as_bytes(), field)
    }

    /// A topic filter; whether it is a shared one.
    pub(super) fn topic_filter(&mut self, filter: &Text) -> Result<bool, EncodeError> {
        const FIELD: &str = "topic filter";
        let parts = topic::validate_topic_filter(filter).map_err(|error| EncodeError::Field {
            field: FIELD,
            problem: error.text(),
        })?;
        self.binary(filter.as_bytes(), FIELD)?;
        Ok(parts.share_name.is_some())
    }

    /// The reason code and the properties at the end of an answer or a DISCONNECT: as much of them as says something
    /// (MQTT 5.0 section 3.4.2.1); nothing on MQTT 3.1.1.
    pub(super) fn reason_and_properties(
        &mut self,
        reason: ReasonCode,
        properties: &Properties,
        place: PacketSet,
        version: Version,
    ) -> Result<(), EncodeError> {
        if version == Version::V5 && (reason != ReasonCode::SUCCESS || !properties.is_empty()) {
            self.u8(reason.0);
        }
        match properties.is_empty() {
            true => Ok(()),
            false => self.properties(properties, place, version),
        }
    }

    /// The property block; nothing on MQTT 3.1.1.
    pub(super) fn properties(
        &mut self,
        properties: &Properties,
        place: PacketSet,
        version: Version,
    ) -> Result<(), EncodeError> {
        if version == Version::V5 {
            properties.check(place)?;
            self.varint(properties.encoded().len());
            self.bytes(properties.encoded());
        }
        Ok(())
    }
}

/// Appends a packet whose fields `body` writes. It is called twice: first to count, so that the length is exact and
/// nothing is written if there is an error.
pub(super) fn encode_frame(
    out: &mut BytesMut,
    first_byte: u8,
    max_packet_size: u32,
    body: impl Fn(&mut Writer<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let mut count = Writer {
        out: None,
        length: 0,
    };
    body(&mut count)?;
    let total = check_packet_size(count.length, max_packet_size)?;
    out.reserve(total);
    let mut writer = Writer {
        out: Some(out),
        length: 0,
    };
    writer.u8(first_byte);
    writer.varint(count.length);
    body(&mut writer)
}

/// Lengths of parts together; more than there can be of memory counts as all of it.
pub(super) fn sum<const PARTS: usize>(lengths: [usize; PARTS]) -> usize {
    lengths.into_iter().fold(0, usize::saturating_add)
}

/// The length of the whole packet with this remaining length.
pub(super) fn packet_size(remaining: usize) -> usize {
    sum([1, Varint::length_of(remaining), remaining])
}

/// The same, unless that is above what the peer takes or the
/// standard can express.
pub(super) fn check_packet_size(
    remaining: usize,
    max_packet_size: u32,
) -> Result<usize, EncodeError> {
    let length = packet_size(remaining);
    let limit = max_packet_size.min(MAX_PACKET_SIZE) as usize;
    if length > limit {
        Err(EncodeError::TooLarge { length, limit })
    } else {
        Ok(length)
    }
}

/// Appends a packet that may carry a Reason String and User Properties for diagnosis, which are left out where the
/// packet would be above the peer's maximum with them (MQTT-3.4.2-2, -3 and their like for the other packets).
pub(super) fn encode_frame_with_diagnosis(
    out: &mut BytesMut,
    first_byte: u8,
    max_packet_size: u32,
    properties: &Properties,
    body: impl Fn(&mut Writer<'_>, &Properties) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    use super::PropertyId::{ReasonString, UserProperty};
    let mut result = Ok(());
    for left_out in [&[][..], &[UserProperty], &[UserProperty, ReasonString]] {
        let fewer = properties.without(left_out);
        result = encode_frame(out, first_byte, max_packet_size, |writer| {
            body(writer, &fewer)
        });
        if !matches!(result, Err(EncodeError::TooLarge { .. })) {
            break;
        }
    }
    result
}
