//! PUBACK, PUBREC, PUBREL and PUBCOMP: one shape.
use super::{
    DecodeError, EncodeError, FixedHeader, Packet, PacketId, Properties, Version,
    wire::{Reader, encode_frame_with_diagnosis},
};
use crate::{checked, packet_type::PacketType, reason::ReasonCode};
use bytes::BytesMut;

/// The body of a PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT 5.0 sections 3.4 to 3.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Packet identifier of the PUBLISH.
    pub packet_id: PacketId,
    /// How it went; always success on MQTT 3.1.1, which has no field for it.
    pub reason: ReasonCode,
    /// MQTT 5 properties: reason string, user properties.
    pub properties: Properties,
}

impl Ack {
    /// Success, without properties.
    pub const fn success(packet_id: PacketId) -> Ack {
        Ack {
            packet_id,
            reason: ReasonCode::SUCCESS,
            properties: Properties::new(),
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Ack, DecodeError> {
        let mut ack = Ack::success(reader.packet_id()?);
        // In MQTT 5 both may be left out at the end (section 3.4.2.1).
        if reader.version == Version::V5 && !reader.is_empty() {
            ack.reason = reader.reason()?;
            if !reader.is_empty() {
                ack.properties = reader.properties(reader.packet.into())?;
            }
        }
        Ok(ack)
    }

    /// Takes an answer that reports success and has no properties, one of which comes for every letter, from the
    /// front of the buffer, where all of it must be. `None`, and nothing is taken, if it is another packet or wrong.
    pub(super) fn take_plain(buffer: &mut BytesMut, header: FixedHeader) -> Option<Packet> {
        let packet = match header.packet {
            PacketType::PubAck => Packet::PubAck,
            PacketType::PubRec => Packet::PubRec,
            PacketType::PubRel => Packet::PubRel,
            PacketType::PubComp => Packet::PubComp,
            _ => return None,
        };
        let number = buffer.get(header.length..header.total())?.try_into().ok()?;
        let packet_id = PacketId::new(u16::from_be_bytes(number))?;
        checked::skip(buffer, header.total());
        Some(packet(Ack::success(packet_id)))
    }

    /// Appends it as a packet of this type, which must be one of the four. On an error nothing is written.
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
                writer.reason_and_properties(self.reason, properties, packet.into(), version)
            },
        )
    }
}

/// Appends a PUBACK, PUBREC, PUBREL or PUBCOMP that reports success and has no properties: four bytes, in both
/// versions. `packet` must be one of the four.
pub fn encode_plain_ack(packet: PacketType, packet_id: PacketId, out: &mut BytesMut) {
    let [high, low] = packet_id.get().to_be_bytes();
    out.extend_from_slice(&[packet.first_byte(), 2, high, low]);
}
