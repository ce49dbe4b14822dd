//! The rules that decoding enforces as one table, and the errors of decoding and encoding.
use super::Version;
use crate::{packet_type::PacketType, reason::ReasonCode, topic::TopicError};
use core::fmt;

/// One rule of the standards that a received packet can break.
#[derive(Debug)]
pub struct Rule {
    /// Reason code for the DISCONNECT (or CONNACK) that answers the packet.
    pub reason: ReasonCode,
    /// Where MQTT 3.1.1 states it: a conformance statement (`MQTT-…`) or, where it has none, the section.
    /// Empty if it is a rule of MQTT 5 alone.
    pub v311: &'static str,
    /// Where MQTT 5.0 states it. Empty if it is a rule of MQTT 3.1.1 alone.
    pub v5: &'static str,
    /// What is wrong, as the end of a sentence that begins with the field.
    pub problem: &'static str,
}

impl Rule {
    /// The place in this version's standard; the other version's where this one has none.
    pub fn statement(&self, version: Version) -> &'static str {
        match version {
            Version::V311 if !self.v311.is_empty() => self.v311,
            Version::V5 if self.v5.is_empty() => self.v311,
            _ => self.v5,
        }
    }
}

macro_rules! rules {
    ($($name:ident $reason:ident $v311:literal $v5:literal $problem:literal;)*) => {
        $(pub(crate) const $name: &Rule = &Rule {
            reason: ReasonCode::$reason,
            v311: $v311,
            v5: $v5,
            problem: $problem,
        };)*

        /// Every rule that decoding enforces.
        pub const RULES: &[&Rule] = &[$($name),*];
    };
}

// Name, reason code, where 3.1.1 states it, where 5.0 states it, what is wrong.
rules! {
    PACKET_TYPE MALFORMED_PACKET "section 2.2.1" "section 2.1.2" "is reserved";
    DIRECTION PROTOCOL_ERROR "section 2.2.1" "section 2.1.2" "is one that the other side sends";
    FLAGS MALFORMED_PACKET "MQTT-2.2.2-2" "MQTT-2.1.3-1" "have not the value that the standard fixes";
    FLAGS_PUBREL MALFORMED_PACKET "MQTT-3.6.1-1" "MQTT-3.6.1-1" "must be 0010";
    FLAGS_SUBSCRIBE MALFORMED_PACKET "MQTT-3.8.1-1" "MQTT-3.8.1-1" "must be 0010";
    FLAGS_UNSUBSCRIBE MALFORMED_PACKET "MQTT-3.10.1-1" "MQTT-3.10.1-1" "must be 0010";
    FLAGS_DISCONNECT MALFORMED_PACKET "MQTT-3.14.1-1" "MQTT-3.14.1-1" "must be 0000";
    FLAGS_AUTH MALFORMED_PACKET "" "MQTT-3.15.1-1" "must be 0000";
    INTEGER_TOO_LONG MALFORMED_PACKET "section 2.2.3" "section 1.5.5" "takes more than four bytes";
    INTEGER_NOT_MINIMAL MALFORMED_PACKET "" "MQTT-1.5.5-1" "takes more bytes than it needs";
    PACKET_TOO_LARGE PACKET_TOO_LARGE "section 2.2.3" "MQTT-3.1.2-24" "is above the limit that this side has set";
    TRUNCATED MALFORMED_PACKET "MQTT-4.8.0-1" "section 4.13.1" "reaches beyond the end of the packet";
    TRAILING MALFORMED_PACKET "MQTT-4.8.0-1" "section 4.13.1" "goes on after its last field";
    UTF8 MALFORMED_PACKET "MQTT-1.5.3-1" "MQTT-1.5.4-1" "is not well-formed UTF-8";
    NUL MALFORMED_PACKET "MQTT-1.5.3-2" "MQTT-1.5.4-2" "must not contain U+0000";
    PACKET_ID_ZERO PROTOCOL_ERROR "MQTT-2.3.1-1" "MQTT-2.2.1-3" "must not be 0";

    REASON_CONNACK PROTOCOL_ERROR "section 3.2.2.3" "MQTT-3.2.2-8" "is none that may stand in this packet";
    REASON_PUBACK PROTOCOL_ERROR "" "MQTT-3.4.2-1" "is none that may stand in this packet";
    REASON_PUBREC PROTOCOL_ERROR "" "MQTT-3.5.2-1" "is none that may stand in this packet";
    REASON_PUBREL PROTOCOL_ERROR "" "MQTT-3.6.2-1" "is none that may stand in this packet";
    REASON_PUBCOMP PROTOCOL_ERROR "" "MQTT-3.7.2-1" "is none that may stand in this packet";
    REASON_SUBACK PROTOCOL_ERROR "MQTT-3.9.3-2" "MQTT-3.9.3-2" "is none that may stand in this packet";
    REASON_UNSUBACK PROTOCOL_ERROR "" "MQTT-3.11.3-2" "is none that may stand in this packet";
    REASON_DISCONNECT PROTOCOL_ERROR "" "MQTT-3.14.2-1" "is none that may stand in this packet";
    REASON_AUTH PROTOCOL_ERROR "" "MQTT-3.15.2-1" "is none that may stand in this packet";

    PROPERTY_UNKNOWN MALFORMED_PACKET "" "section 2.2.2.2" "has an identifier that the standard does not define";
    PROPERTY_NOT_ALLOWED MALFORMED_PACKET "" "section 2.2.2.2" "must not stand in this packet";
    PROPERTY_TWICE PROTOCOL_ERROR "" "section 2.2.2.2" "must not stand twice";
    PROPERTY_RANGE PROTOCOL_ERROR "" "section 2.2.2.2" "has a value that is not allowed";
    PROPERTIES_TOO_MANY QUOTA_EXCEEDED "" "section 4.13.2" "are more than the limit that this side has set";
    TOPIC_ALIAS_ZERO TOPIC_ALIAS_INVALID "" "MQTT-3.3.2-8" "must not be 0";
    RESPONSE_TOPIC MALFORMED_PACKET "" "MQTT-3.3.2-14" "must be a topic name without wildcards";
    AUTHENTICATION_DATA PROTOCOL_ERROR "" "section 3.1.2.11.10" "must not stand without an authentication method";
    AUTHENTICATION_METHOD PROTOCOL_ERROR "" "MQTT-4.12.0-5" "must be given";

    PROTOCOL_NAME UNSUPPORTED_PROTOCOL_VERSION "MQTT-3.1.2-1" "MQTT-3.1.2-1" "must be MQTT";
    PROTOCOL_LEVEL UNSUPPORTED_PROTOCOL_VERSION "MQTT-3.1.2-2" "MQTT-3.1.2-2" "must be 4 or 5";
    CONNECT_RESERVED MALFORMED_PACKET "MQTT-3.1.2-3" "MQTT-3.1.2-3" "have the reserved bit set";
    WILL_QOS_WITHOUT_WILL MALFORMED_PACKET "MQTT-3.1.2-13" "MQTT-3.1.2-11" "must be 0 without a will";
    WILL_QOS MALFORMED_PACKET "MQTT-3.1.2-14" "MQTT-3.1.2-12" "must be 0, 1 or 2";
    WILL_RETAIN_WITHOUT_WILL MALFORMED_PACKET "MQTT-3.1.2-15" "MQTT-3.1.2-13" "must be 0 without a will";
    PASSWORD_WITHOUT_USER_NAME MALFORMED_PACKET "MQTT-3.1.2-22" "" "must not be given without a user name";
    CLIENT_ID_EMPTY CLIENT_IDENTIFIER_NOT_VALID "MQTT-3.1.3-8" "" "must not be empty without clean session";
    CONNACK_FLAGS MALFORMED_PACKET "section 3.2.2.1" "MQTT-3.2.2-1" "have a reserved bit set";
    SESSION_PRESENT PROTOCOL_ERROR "MQTT-3.2.2-4" "MQTT-3.2.2-6" "must be 0 when the connection is refused";

    QOS_3 MALFORMED_PACKET "MQTT-3.3.1-4" "MQTT-3.3.1-4" "must be 0, 1 or 2";
    DUP_AT_QOS_0 MALFORMED_PACKET "MQTT-3.3.1-2" "MQTT-3.3.1-2" "must be 0 at QoS 0";
    TOPIC_WITHOUT_ALIAS PROTOCOL_ERROR "MQTT-4.7.3-1" "section 3.3.2.1" "must not be empty without a topic alias";
    TOPIC_EMPTY MALFORMED_PACKET "MQTT-4.7.3-1" "MQTT-4.7.3-1" "must not be empty";
    TOPIC_WILDCARD MALFORMED_PACKET "MQTT-3.3.2-2" "MQTT-3.3.2-2" "must not contain the wildcard '+' or '#'";
    SUBSCRIPTION_ID_FROM_CLIENT PROTOCOL_ERROR "" "MQTT-3.3.4-6" "must not stand in a PUBLISH from a client";
    SESSION_EXPIRY_FROM_SERVER PROTOCOL_ERROR "" "MQTT-3.14.2-2" "must not stand in a DISCONNECT from a server";

    SUBSCRIBE_EMPTY PROTOCOL_ERROR "MQTT-3.8.3-3" "MQTT-3.8.3-2" "must have at least one topic filter";
    UNSUBSCRIBE_EMPTY PROTOCOL_ERROR "MQTT-3.10.3-2" "MQTT-3.10.3-2" "must have at least one topic filter";
    SUBSCRIBE_RESERVED MALFORMED_PACKET "MQTT-3-8.3-4" "MQTT-3.8.3-5" "have a reserved bit set";
    SUBSCRIBE_QOS PROTOCOL_ERROR "MQTT-3-8.3-4" "section 3.8.3.1" "must be 0, 1 or 2";
    RETAIN_HANDLING PROTOCOL_ERROR "" "section 3.8.3.1" "must be 0, 1 or 2";
    NO_LOCAL_SHARED PROTOCOL_ERROR "" "MQTT-3.8.3-4" "must be 0 for a shared subscription";
    FILTER_HASH MALFORMED_PACKET "MQTT-4.7.1-2" "MQTT-4.7.1-1" "must have '#' only as its last level, alone";
    FILTER_PLUS MALFORMED_PACKET "MQTT-4.7.1-3" "MQTT-4.7.1-2" "must have '+' only as a whole level";
    SHARE_NAME MALFORMED_PACKET "" "MQTT-4.8.2-1" "must have a share name of at least one character after '$share/'";
    SHARE_NAME_WILDCARD MALFORMED_PACKET "" "MQTT-4.8.2-2" "must not have a wildcard in its share name";
    SHARE_FILTER MALFORMED_PACKET "" "MQTT-4.8.2-2" "must have a topic filter after '$share/name/'";
    ANSWERS_EMPTY MALFORMED_PACKET "section 3.9.3" "section 3.9.3" "must be one for each topic filter";
}

impl Rule {
    /// The rule on the fixed-header flags of this packet type.
    pub(crate) fn of_flags(packet: PacketType) -> &'static Rule {
        match packet {
            PacketType::PubRel => FLAGS_PUBREL,
            PacketType::Subscribe => FLAGS_SUBSCRIBE,
            PacketType::Unsubscribe => FLAGS_UNSUBSCRIBE,
            PacketType::Disconnect => FLAGS_DISCONNECT,
            PacketType::Auth => FLAGS_AUTH,
            _ => FLAGS,
        }
    }

    /// The rule on the reason code in this packet type.
    pub(crate) fn of_reason(packet: PacketType) -> &'static Rule {
        match packet {
            PacketType::PubAck => REASON_PUBACK,
            PacketType::PubRec => REASON_PUBREC,
            PacketType::PubRel => REASON_PUBREL,
            PacketType::PubComp => REASON_PUBCOMP,
            PacketType::SubAck => REASON_SUBACK,
            PacketType::UnsubAck => REASON_UNSUBACK,
            PacketType::Disconnect => REASON_DISCONNECT,
            PacketType::Auth => REASON_AUTH,
            _ => REASON_CONNACK,
        }
    }

    /// The rule that a topic name or topic filter with this error breaks.
    pub(crate) fn of_topic(error: TopicError) -> &'static Rule {
        match error {
            TopicError::Empty => TOPIC_EMPTY,
            TopicError::TooLong => TRUNCATED, // cannot be received: the length has two bytes
            TopicError::Nul => NUL,
            TopicError::WildcardInName => TOPIC_WILDCARD,
            TopicError::MisplacedHash => FILTER_HASH,
            TopicError::MisplacedPlus => FILTER_PLUS,
            TopicError::EmptyShareName => SHARE_NAME,
            TopicError::WildcardInShareName => SHARE_NAME_WILDCARD,
            TopicError::NoFilterInShare => SHARE_FILTER,
        }
    }
}

/// Why a received packet was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Reason code for the DISCONNECT (or CONNACK) that answers it on MQTT 5.
    pub reason: ReasonCode,
    /// Type of the packet; `None` if its first byte names none.
    pub packet: Option<PacketType>,
    /// The field at fault, in the standard's words, for example `topic name`.
    pub field: &'static str,
    /// What is wrong with it, as the end of a sentence that begins with the field.
    pub problem: &'static str,
    /// The conformance statement that it breaks (`MQTT-3.3.1-4`) in the connection's version of the standard,
    /// or the section where the rule has no number.
    pub statement: &'static str,
}

impl DecodeError {
    pub(crate) fn new(
        rule: &Rule,
        version: Version,
        packet: Option<PacketType>,
        field: &'static str,
    ) -> DecodeError {
        DecodeError {
            reason: rule.reason,
            packet,
            field,
            problem: rule.problem,
            statement: rule.statement(version),
        }
    }
}

/// For example `PUBLISH: topic name must not contain U+0000 (MQTT-1.5.4-2, 0x81 malformed packet)`.
impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DecodeError {
            reason,
            field,
            problem,
            statement,
            ..
        } = self;
        if let Some(packet) = self.packet {
            write!(f, "{packet}: ")?;
        }
        write!(f, "{field} {problem} ({statement}, {reason})")
    }
}

impl core::error::Error for DecodeError {}

/// Why a packet cannot be written. Nothing has been written then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// The whole packet would have `length` bytes, more than the `limit` of the peer or of the standard.
    TooLarge {
        /// Bytes of the whole packet, fixed header included.
        length: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// A field holds what cannot be sent.
    Field {
        /// The field at fault, in the standard's words.
        field: &'static str,
        /// What is wrong with it, as the end of a sentence that begins with the field.
        problem: &'static str,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::TooLarge { length, limit } => {
                write!(f, "packet has {length} bytes, at most {limit} are allowed")
            }
            EncodeError::Field { field, problem } => write!(f, "{field} {problem}"),
        }
    }
}

impl core::error::Error for EncodeError {}
