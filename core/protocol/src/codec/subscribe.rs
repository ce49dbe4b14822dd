//! SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK.
use super::{
    DecodeError, EncodeError, PacketId, Properties, Version,
    rules::{self, Rule},
    wire::{Reader, encode_frame, encode_frame_with_diagnosis},
};
use crate::{message::QoS, packet_type::PacketType, reason::ReasonCode, text::Text};
use alloc::vec::Vec;
use bytes::BytesMut;

// Bits of the subscription options (MQTT 5.0 section 3.8.3.1).
const QOS: u8 = 0b11;
const NO_LOCAL: u8 = 1 << 2;
const RETAIN_AS_PUBLISHED: u8 = 1 << 3;
const RETAIN_HANDLING_SHIFT: u8 = 4;

/// SUBSCRIBE (section 3.8 of both standards).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    /// Packet identifier, which SUBACK repeats.
    pub packet_id: PacketId,
    /// At least one topic filter with its options.
    pub filters: Vec<SubscribeFilter>,
    /// MQTT 5 properties: subscription identifier, user properties.
    pub properties: Properties,
}

/// One topic filter of a SUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscribeFilter {
    /// Topic filter, for a shared subscription `$share/name/filter`.
    pub filter: Text,
    /// How messages are to be sent.
    pub options: SubscribeOptions,
}

/// Subscription options (MQTT 5.0 section 3.8.3.1). MQTT 3.1.1 has the QoS alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscribeOptions {
    /// The highest QoS at which messages are sent.
    pub qos: QoS,
    /// Whether messages of this client's own are left out; not for a shared subscription.
    pub no_local: bool,
    /// Whether RETAIN is sent as it was published; else it marks only messages that were retained before.
    pub retain_as_published: bool,
    /// Whether retained messages are sent when the subscription is made.
    pub retain_handling: RetainHandling,
}

/// Whether retained messages are sent when a subscription is made (MQTT 5.0 section 3.8.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum RetainHandling {
    /// 0: at every SUBSCRIBE.
    #[default]
    Send = 0,
    /// 1: only if the subscription did not exist.
    SendIfNew = 1,
    /// 2: never.
    DoNotSend = 2,
}

impl RetainHandling {
    /// The value with this number; `None` above 2.
    pub const fn from_number(number: u8) -> Option<RetainHandling> {
        match number {
            0 => Some(RetainHandling::Send),
            1 => Some(RetainHandling::SendIfNew),
            2 => Some(RetainHandling::DoNotSend),
            _ => None,
        }
    }
}

impl SubscribeOptions {
    fn to_byte(self, version: Version) -> u8 {
        let qos = u8::from(self.qos);
        match version {
            Version::V311 => qos,
            Version::V5 => {
                let flag = |set: bool, bit: u8| if set { bit } else { 0 };
                qos | flag(self.no_local, NO_LOCAL)
                    | flag(self.retain_as_published, RETAIN_AS_PUBLISHED)
                    | (self.retain_handling as u8) << RETAIN_HANDLING_SHIFT
            }
        }
    }

    fn from_byte(
        reader: &Reader<'_>,
        byte: u8,
        shared: bool,
    ) -> Result<SubscribeOptions, DecodeError> {
        let reserved = match reader.version {
            Version::V311 => !QOS,
            Version::V5 => 0b1100_0000,
        };
        reader.require(
            byte & reserved == 0,
            rules::SUBSCRIBE_RESERVED,
            "subscription options",
        )?;
        let qos = QoS::try_from(byte & QOS)
            .map_err(|_| reader.fail(rules::SUBSCRIBE_QOS, "requested QoS"))?;
        let retain_handling = RetainHandling::from_number(byte >> RETAIN_HANDLING_SHIFT)
            .ok_or_else(|| reader.fail(rules::RETAIN_HANDLING, "retain handling"))?;
        let no_local = byte & NO_LOCAL != 0;
        reader.require(!(no_local && shared), rules::NO_LOCAL_SHARED, "no local")?;
        Ok(SubscribeOptions {
            qos,
            no_local,
            retain_as_published: byte & RETAIN_AS_PUBLISHED != 0,
            retain_handling,
        })
    }
}

impl Subscribe {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Subscribe, DecodeError> {
        let packet_id = reader.packet_id()?;
        let properties = reader.properties(PacketType::Subscribe.into())?;
        let mut filters = Vec::new();
        while !reader.is_empty() {
            let (filter, shared) = reader.topic_filter()?;
            let byte = reader.u8("subscription options")?;
            filters.push(SubscribeFilter {
                filter,
                options: SubscribeOptions::from_byte(reader, byte, shared)?,
            });
        }
        reader.require(!filters.is_empty(), rules::SUBSCRIBE_EMPTY, "topic filters")?;
        Ok(Subscribe {
            packet_id,
            filters,
            properties,
        })
    }

    /// Appends the packet. On an error nothing is written.
    pub fn encode(
        &self,
        version: Version,
        max_packet_size: u32,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        encode_frame(
            out,
            PacketType::Subscribe.first_byte(),
            max_packet_size,
            |writer| {
                writer.u16(self.packet_id.get());
                writer.properties(&self.properties, PacketType::Subscribe.into(), version)?;
                not_empty(&self.filters, "topic filters", rules::SUBSCRIBE_EMPTY)?;
                for SubscribeFilter { filter, options } in &self.filters {
                    let shared = writer.topic_filter(filter)?;
                    if shared && options.no_local && version == Version::V5 {
                        return Err(EncodeError::Field {
                            field: "no local",
                            problem: rules::NO_LOCAL_SHARED.problem,
                        });
                    }
                    writer.u8(options.to_byte(version));
                }
                Ok(())
            },
        )
    }
}

/// UNSUBSCRIBE (section 3.10 of both standards).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Packet identifier, which UNSUBACK repeats.
    pub packet_id: PacketId,
    /// At least one topic filter, as it was subscribed to.
    pub filters: Vec<Text>,
    /// MQTT 5 properties: user properties.
    pub properties: Properties,
}

impl Unsubscribe {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Unsubscribe, DecodeError> {
        let packet_id = reader.packet_id()?;
        let properties = reader.properties(PacketType::Unsubscribe.into())?;
        let mut filters = Vec::new();
        while !reader.is_empty() {
            filters.push(reader.topic_filter()?.0);
        }
        reader.require(
            !filters.is_empty(),
            rules::UNSUBSCRIBE_EMPTY,
            "topic filters",
        )?;
        Ok(Unsubscribe {
            packet_id,
            filters,
            properties,
        })
    }

    /// Appends the packet. On an error nothing is written.
    pub fn encode(
        &self,
        version: Version,
        max_packet_size: u32,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        encode_frame(
            out,
            PacketType::Unsubscribe.first_byte(),
            max_packet_size,
            |writer| {
                writer.u16(self.packet_id.get());
                writer.properties(&self.properties, PacketType::Unsubscribe.into(), version)?;
                not_empty(&self.filters, "topic filters", rules::UNSUBSCRIBE_EMPTY)?;
                for filter in &self.filters {
                    writer.topic_filter(filter)?;
                }
                Ok(())
            },
        )
    }
}

/// The body of a SUBACK or UNSUBACK: one shape (sections 3.9 and 3.11 of both standards).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterAck {
    /// Packet identifier of the SUBSCRIBE or UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// For each topic filter, in order: the granted QoS or how it went. On MQTT 3.1.1 every refusal is
    /// `UNSPECIFIED_ERROR`, and of UNSUBACK, which has no field for it, the list is empty.
    pub reasons: Vec<ReasonCode>,
    /// MQTT 5 properties: reason string, user properties.
    pub properties: Properties,
}

impl FilterAck {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<FilterAck, DecodeError> {
        let packet_id = reader.packet_id()?;
        let properties = reader.properties(reader.packet.into())?;
        let mut reasons = Vec::new();
        if has_reasons(reader.packet, reader.version) {
            reader.require(!reader.is_empty(), rules::ANSWERS_EMPTY, "reason codes")?;
            while !reader.is_empty() {
                reasons.push(reader.reason()?);
            }
        }
        Ok(FilterAck {
            packet_id,
            reasons,
            properties,
        })
    }

    /// Appends it as a packet of this type, which must be SUBACK or UNSUBACK. On an error nothing is written.
    /// The reason string and the user properties are left out where the packet would exceed `max_packet_size` bytes.
    pub fn encode(
        &self,
        packet: PacketType,
        version: Version,
        max_packet_size: u32,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        encode_frame_with_diagnosis(
            out,
            packet.first_byte(),
            max_packet_size,
            &self.properties,
            |writer, properties| {
                writer.u16(self.packet_id.get());
                writer.properties(properties, packet.into(), version)?;
                if has_reasons(packet, version) {
                    not_empty(&self.reasons, "reason codes", rules::ANSWERS_EMPTY)?;
                    self.reasons
                        .iter()
                        .for_each(|reason| writer.u8(reason_byte(*reason, version)));
                }
                Ok(())
            },
        )
    }
}

fn has_reasons(packet: PacketType, version: Version) -> bool {
    packet == PacketType::SubAck || version == Version::V5
}

fn reason_byte(reason: ReasonCode, version: Version) -> u8 {
    match version {
        Version::V311 if reason.is_error() => ReasonCode::UNSPECIFIED_ERROR.0,
        _ => reason.0,
    }
}

fn not_empty<T>(list: &[T], field: &'static str, rule: &Rule) -> Result<(), EncodeError> {
    match list {
        [] => Err(EncodeError::Field {
            field,
            problem: rule.problem,
        }),
        _ => Ok(()),
    }
}
