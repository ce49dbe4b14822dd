//! DISCONNECT and AUTH. (PINGREQ and PINGRESP have nothing but a fixed header.)
use super::{
    DecodeError, EncodeError, Properties, PropertyId, Side, Version, rules,
    wire::{Reader, encode_frame_with_diagnosis},
};
use crate::{packet_type::PacketType, reason::ReasonCode};
use bytes::BytesMut;

/// DISCONNECT (MQTT 5.0 section 3.14). MQTT 3.1.1 has neither field, and only clients send it there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disconnect {
    /// Why the connection ends.
    pub reason: ReasonCode,
    /// Session expiry interval (from a client), reason string, user properties, server reference (from a server).
    pub properties: Properties,
}

impl Disconnect {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Disconnect, DecodeError> {
        let mut disconnect = Disconnect::default();
        // Both may be left out at the end (MQTT 5.0 section 3.14.2.1).
        if reader.version == Version::V5 && !reader.is_empty() {
            disconnect.reason = reader.reason()?;
            if !reader.is_empty() {
                disconnect.properties = reader.properties(PacketType::Disconnect.into())?;
            }
        }
        reader.require(
            reader.from == Side::Client
                || disconnect.properties.session_expiry_interval().is_none(),
            rules::SESSION_EXPIRY_FROM_SERVER,
            PropertyId::SessionExpiryInterval.row().text,
        )?;
        Ok(disconnect)
    }

    /// Appends the packet. On an error nothing is written.
    /// The reason string and the user properties are left out where the packet would exceed `max_packet_size` bytes.
    pub fn encode(
        &self,
        version: Version,
        max_packet_size: u32,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let packet = PacketType::Disconnect;
        encode_frame_with_diagnosis(
            out,
            packet.first_byte(),
            max_packet_size,
            &self.properties,
            |writer, properties| {
                writer.reason_and_properties(self.reason, properties, packet.into(), version)
            },
        )
    }
}

/// AUTH (MQTT 5.0 section 3.15).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// Success (from a server), continue authentication, or re-authenticate (from a client).
    pub reason: ReasonCode,
    /// Authentication method and data, reason string, user properties.
    pub properties: Properties,
}

impl Auth {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Auth, DecodeError> {
        let mut auth = Auth::default();
        if !reader.is_empty() {
            auth.reason = reader.reason()?;
            auth.properties = reader.properties(PacketType::Auth.into())?;
            reader.require(
                auth.properties.authentication_method().is_some(),
                rules::AUTHENTICATION_METHOD,
                PropertyId::AuthenticationMethod.row().text,
            )?;
        }
        Ok(auth)
    }

    /// Appends the packet; an error on MQTT 3.1.1, which has no AUTH. On an error nothing is written.
    /// The reason string and the user properties are left out where the packet would exceed `max_packet_size` bytes.
    pub fn encode(
        &self,
        version: Version,
        max_packet_size: u32,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let packet = PacketType::Auth;
        if version == Version::V311 {
            return Err(EncodeError::Field {
                field: "AUTH",
                problem: "does not exist in MQTT 3.1.1",
            });
        }
        if self.properties.authentication_method().is_none() && *self != Auth::default() {
            return Err(EncodeError::Field {
                field: PropertyId::AuthenticationMethod.row().text,
                problem: rules::AUTHENTICATION_METHOD.problem,
            });
        }
        encode_frame_with_diagnosis(
            out,
            packet.first_byte(),
            max_packet_size,
            &self.properties,
            |writer, properties| match properties.is_empty() && self.reason == ReasonCode::SUCCESS {
                true => Ok(()),
                false => {
                    writer.u8(self.reason.0);
                    writer.properties(properties, packet.into(), version)
                }
            },
        )
    }
}
