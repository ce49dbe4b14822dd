//! CONNECT with its will, and CONNACK.
use super::{
    DecodeError, EncodeError, FixedHeader, Properties, Version, rules,
    wire::{Reader, Writer, encode_frame, encode_frame_with_diagnosis},
};
use crate::{
    message::{QoS, Will},
    packet_type::{PacketSet, PacketType},
    reason::ReasonCode,
    text::Text,
};
use bytes::{Bytes, BytesMut};
use core::fmt;

const PROTOCOL_NAME: &[u8] = b"MQTT";

// Bits of the connect flags (MQTT 5.0 section 3.1.2.3).
const RESERVED: u8 = 1;
const CLEAN_START: u8 = 1 << 1;
const WILL: u8 = 1 << 2;
const WILL_QOS_SHIFT: u8 = 3;
const WILL_RETAIN: u8 = 1 << 5;
const PASSWORD: u8 = 1 << 6;
const USER_NAME: u8 = 1 << 7;

/// CONNECT (section 3.1 of both standards).
#[derive(Clone, PartialEq, Eq)]
pub struct Connect {
    /// The version that the client speaks.
    pub version: Version,
    /// Client identifier; empty asks the server for one.
    pub client_id: Text,
    /// Whether to begin without an old session: Clean Start, on MQTT 3.1.1 Clean Session.
    pub clean_start: bool,
    /// Seconds of silence after which the client pings; 0 turns pings off.
    pub keep_alive: u16,
    /// The message that the server publishes when the connection ends without DISCONNECT.
    pub will: Option<Will>,
    /// User name, which may be empty.
    pub user_name: Option<Text>,
    /// Password: at most 65,535 bytes. MQTT 3.1.1 allows it only with a user name.
    pub password: Option<Bytes>,
    /// MQTT 5 properties.
    pub properties: Properties,
}

/// Shows whether there is a password, not which.
impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("clean_start", &self.clean_start)
            .field("keep_alive", &self.keep_alive)
            .field("will", &self.will)
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| "(secret)"))
            .field("properties", &self.properties)
            .finish()
    }
}

impl Connect {
    pub(super) fn decode(
        reader: &mut Reader<'_>,
        header: FixedHeader,
    ) -> Result<Connect, DecodeError> {
        let name = reader.binary("protocol name")?;
        reader.require(name == PROTOCOL_NAME, rules::PROTOCOL_NAME, "protocol name")?;
        let level = reader.u8("protocol version")?;
        let version = Version::from_level(level)
            .ok_or_else(|| reader.fail(rules::PROTOCOL_LEVEL, "protocol version"))?;
        reader.version = version;
        reader.require(
            header.minimal || version == Version::V311,
            rules::INTEGER_NOT_MINIMAL,
            "remaining length",
        )?;
        let flags = reader.u8("connect flags")?;
        check_flags(reader, flags)?;
        let keep_alive = reader.u16("keep alive")?;
        let properties = reader.properties(PacketType::Connect.into())?;
        let client_id = reader.text("client identifier")?;
        let clean_start = flags & CLEAN_START != 0;
        reader.require(
            version == Version::V5 || clean_start || !client_id.as_bytes().is_empty(),
            rules::CLIENT_ID_EMPTY,
            "client identifier",
        )?;
        let will = match flags & WILL {
            0 => None,
            _ => Some(decode_will(reader, flags)?),
        };
        let user_name = match flags & USER_NAME {
            0 => None,
            _ => Some(reader.text("user name")?),
        };
        let password = match flags & PASSWORD {
            0 => None,
            _ => Some(reader.binary("password")?),
        };
        Ok(Connect {
            version,
            client_id,
            clean_start,
            keep_alive,
            will,
            user_name,
            password,
            properties,
        })
    }

    /// Appends the packet, in the version that it names. On an error nothing is written.
    pub fn encode(&self, max_packet_size: u32, out: &mut BytesMut) -> Result<(), EncodeError> {
        encode_frame(
            out,
            PacketType::Connect.first_byte(),
            max_packet_size,
            |writer| self.write(writer),
        )
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        if self.version == Version::V311 {
            self.check_v311()?;
        }
        writer.binary(PROTOCOL_NAME, "protocol name")?;
        writer.u8(self.version.level());
        writer.u8(self.flags());
        writer.u16(self.keep_alive);
        writer.properties(&self.properties, PacketType::Connect.into(), self.version)?;
        writer.text(&self.client_id, "client identifier")?;
        if let Some(will) = &self.will {
            writer.properties(&will.properties, PacketSet::WILL, self.version)?;
            writer.topic_name(&will.topic, "will topic")?;
            writer.binary(&will.payload, "will payload")?;
        }
        if let Some(user_name) = &self.user_name {
            writer.text(user_name, "user name")?;
        }
        if let Some(password) = &self.password {
            writer.binary(password, "password")?;
        }
        Ok(())
    }

    /// What MQTT 3.1.1 forbids and MQTT 5 allows (MQTT-3.1.2-22, MQTT-3.1.3-7).
    fn check_v311(&self) -> Result<(), EncodeError> {
        if self.password.is_some() && self.user_name.is_none() {
            return Err(EncodeError::Field {
                field: "password",
                problem: rules::PASSWORD_WITHOUT_USER_NAME.problem,
            });
        }
        if self.client_id.as_bytes().is_empty() && !self.clean_start {
            return Err(EncodeError::Field {
                field: "client identifier",
                problem: rules::CLIENT_ID_EMPTY.problem,
            });
        }
        Ok(())
    }

    fn flags(&self) -> u8 {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let will = self.will.as_ref().map_or(0, |will| {
            WILL | u8::from(will.qos) << WILL_QOS_SHIFT | flag(will.retain, WILL_RETAIN)
        });
        will | flag(self.clean_start, CLEAN_START)
            | flag(self.user_name.is_some(), USER_NAME)
            | flag(self.password.is_some(), PASSWORD)
    }
}

fn check_flags(reader: &Reader<'_>, flags: u8) -> Result<(), DecodeError> {
    let has = |bit| flags & bit != 0;
    let will_qos = flags >> WILL_QOS_SHIFT & 0b11;
    reader.require(!has(RESERVED), rules::CONNECT_RESERVED, "connect flags")?;
    reader.require(
        has(WILL) || will_qos == 0,
        rules::WILL_QOS_WITHOUT_WILL,
        "will QoS",
    )?;
    reader.require(will_qos < 3, rules::WILL_QOS, "will QoS")?;
    reader.require(
        has(WILL) || !has(WILL_RETAIN),
        rules::WILL_RETAIN_WITHOUT_WILL,
        "will retain",
    )?;
    reader.require(
        reader.version == Version::V5 || has(USER_NAME) || !has(PASSWORD),
        rules::PASSWORD_WITHOUT_USER_NAME,
        "password",
    )
}

fn decode_will(reader: &mut Reader<'_>, flags: u8) -> Result<Will, DecodeError> {
    let qos = QoS::try_from(flags >> WILL_QOS_SHIFT & 0b11)
        .map_err(|_| reader.fail(rules::WILL_QOS, "will QoS"))?;
    Ok(Will {
        properties: reader.properties(PacketSet::WILL)?,
        topic: reader.topic_name("will topic", false)?,
        payload: reader.binary("will payload")?,
        qos,
        retain: flags & WILL_RETAIN != 0,
    })
}

/// CONNACK (section 3.2 of both standards).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnAck {
    /// Whether the server goes on with an old session.
    pub session_present: bool,
    /// Whether and why not the connection is accepted. On MQTT 3.1.1 the return code, as the reason code that says
    /// the same.
    pub reason: ReasonCode,
    /// MQTT 5 properties.
    pub properties: Properties,
}

impl ConnAck {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<ConnAck, DecodeError> {
        let flags = reader.u8("connect acknowledge flags")?;
        reader.require(
            flags & !1 == 0,
            rules::CONNACK_FLAGS,
            "connect acknowledge flags",
        )?;
        let reason = match reader.version {
            Version::V5 => reader.reason()?,
            Version::V311 => ReasonCode::from_v311_return_code(reader.u8("return code")?)
                .ok_or_else(|| reader.fail(rules::REASON_CONNACK, "return code"))?,
        };
        let session_present = flags & 1 == 1;
        reader.require(
            !session_present || !reason.is_error(),
            rules::SESSION_PRESENT,
            "session present",
        )?;
        let properties = reader.properties(PacketType::ConnAck.into())?;
        Ok(ConnAck {
            session_present,
            reason,
            properties,
        })
    }

    /// Appends the packet. On an error nothing is written.
    /// The reason string and the user properties are left out where the packet would exceed `max_packet_size` bytes.
    pub fn encode(
        &self,
        version: Version,
        max_packet_size: u32,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        encode_frame_with_diagnosis(
            out,
            PacketType::ConnAck.first_byte(),
            max_packet_size,
            &self.properties,
            |writer, properties| {
                writer.u8(u8::from(self.session_present && !self.reason.is_error()));
                writer.u8(match version {
                    Version::V5 => self.reason.0,
                    Version::V311 => self.reason.to_v311_return_code(),
                });
                writer.properties(properties, PacketType::ConnAck.into(), version)
            },
        )
    }
}
