//! The MQTT 5 property table (identifier, type, range, packets), which drives encoding, decoding and validation.
use super::{EncodeError, Properties};
use crate::{
    message::QoS,
    packet_type::{PacketSet, PacketType},
    topic::{self, TopicError},
};
use core::{fmt, ops::RangeInclusive};

/// How the value of a property is encoded (MQTT 5.0 section 2.2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyType {
    /// One byte.
    Byte,
    /// Two Byte Integer.
    TwoByteInteger,
    /// Four Byte Integer.
    FourByteInteger,
    /// Variable Byte Integer.
    VariableByteInteger,
    /// UTF-8 Encoded String.
    Text,
    /// Binary Data.
    Binary,
    /// UTF-8 String Pair.
    TextPair,
}

/// What the table knows of one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyRow {
    /// The property.
    pub id: PropertyId,
    /// Its name as an identifier, for example `receive_maximum`.
    pub name: &'static str,
    /// Its name in the standard, in lower case, for example `receive maximum`.
    pub text: &'static str,
    /// How its value is encoded.
    pub value_type: PropertyType,
    /// Numbers that are allowed; of text and bytes, how many bytes (of a pair: each).
    pub range: RangeInclusive<u32>,
    /// Packets in which it may stand.
    pub packets: PacketSet,
    /// Packets in which it may stand more than once.
    pub repeats: PacketSet,
}

macro_rules! properties {
    ($($number:literal $id:ident $name:ident($rust_type:ty) $text:literal
        $value_type:ident $range:expr, in [$($place:ident)*] $(repeats [$($repeat:ident)*])?;)*) => {
        /// An MQTT 5 property by its identifier (MQTT 5.0 section 2.2.2.2).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum PropertyId {
            $(#[doc = concat!("`", stringify!($number), "`: ", $text, ".")] $id = $number,)*
        }

        impl PropertyId {
            /// Every property of MQTT 5.0, in ascending order of identifiers.
            pub const TABLE: &[PropertyRow] = &[$(PropertyRow {
                id: PropertyId::$id,
                name: stringify!($name),
                text: $text,
                value_type: PropertyType::$value_type,
                range: $range,
                packets: PacketSet::EMPTY$(.union(properties!(@place $place)))*,
                repeats: PacketSet::EMPTY$($(.union(properties!(@place $repeat)))*)?,
            },)*];

            /// The property with this identifier.
            pub const fn from_number(number: u8) -> Option<PropertyId> {
                match number {
                    $($number => Some(PropertyId::$id),)*
                    _ => None,
                }
            }
        }

        /// Each property by name: `None` if it is not there, the first if it stands several times.
        impl Properties {
            $(#[doc = concat!("The ", $text, ".")]
            pub fn $name(&self) -> Option<$rust_type> {
                self.get(PropertyId::$id).and_then(FromValue::from_value)
            })*
        }
    };
    (@place Will) => { PacketSet::WILL };
    (@place $packet:ident) => { PacketSet::of(&[PacketType::$packet]) };
}

// Identifier, name, what it is read as, its name in the standard, type, allowed values or lengths, packets.
properties! {
    0x01 PayloadFormatIndicator payload_format_indicator(u8) "payload format indicator"
        Byte 0..=1, in [Publish Will];
    0x02 MessageExpiryInterval message_expiry_interval(u32) "message expiry interval"
        FourByteInteger 0..=u32::MAX, in [Publish Will];
    0x03 ContentType content_type(&str) "content type" Text 0..=65_535, in [Publish Will];
    0x08 ResponseTopic response_topic(&str) "response topic" Text 1..=65_535, in [Publish Will];
    0x09 CorrelationData correlation_data(&[u8]) "correlation data" Binary 0..=65_535, in [Publish Will];
    0x0B SubscriptionIdentifier subscription_identifier(u32) "subscription identifier"
        VariableByteInteger 1..=268_435_455, in [Publish Subscribe] repeats [Publish];
    0x11 SessionExpiryInterval session_expiry_interval(u32) "session expiry interval"
        FourByteInteger 0..=u32::MAX, in [Connect ConnAck Disconnect];
    0x12 AssignedClientIdentifier assigned_client_identifier(&str) "assigned client identifier"
        Text 0..=65_535, in [ConnAck];
    0x13 ServerKeepAlive server_keep_alive(u16) "server keep alive" TwoByteInteger 0..=65_535, in [ConnAck];
    0x15 AuthenticationMethod authentication_method(&str) "authentication method"
        Text 0..=65_535, in [Connect ConnAck Auth];
    0x16 AuthenticationData authentication_data(&[u8]) "authentication data"
        Binary 0..=65_535, in [Connect ConnAck Auth];
    0x17 RequestProblemInformation request_problem_information(u8) "request problem information"
        Byte 0..=1, in [Connect];
    0x18 WillDelayInterval will_delay_interval(u32) "will delay interval" FourByteInteger 0..=u32::MAX, in [Will];
    0x19 RequestResponseInformation request_response_information(u8) "request response information"
        Byte 0..=1, in [Connect];
    0x1A ResponseInformation response_information(&str) "response information" Text 0..=65_535, in [ConnAck];
    0x1C ServerReference server_reference(&str) "server reference" Text 0..=65_535, in [ConnAck Disconnect];
    0x1F ReasonString reason_string(&str) "reason string"
        Text 0..=65_535, in [ConnAck PubAck PubRec PubRel PubComp SubAck UnsubAck Disconnect Auth];
    0x21 ReceiveMaximum receive_maximum(u16) "receive maximum" TwoByteInteger 1..=65_535, in [Connect ConnAck];
    0x22 TopicAliasMaximum topic_alias_maximum(u16) "topic alias maximum"
        TwoByteInteger 0..=65_535, in [Connect ConnAck];
    0x23 TopicAlias topic_alias(u16) "topic alias" TwoByteInteger 1..=65_535, in [Publish];
    0x24 MaximumQoS maximum_qos(u8) "maximum QoS" Byte 0..=1, in [ConnAck];
    0x25 RetainAvailable retain_available(u8) "retain available" Byte 0..=1, in [ConnAck];
    0x26 UserProperty user_property((&str, &str)) "user property" TextPair 0..=65_535,
        in [Connect ConnAck Publish Will PubAck PubRec PubRel PubComp Subscribe SubAck Unsubscribe UnsubAck
            Disconnect Auth]
        repeats [Connect ConnAck Publish Will PubAck PubRec PubRel PubComp Subscribe SubAck Unsubscribe UnsubAck
            Disconnect Auth];
    0x27 MaximumPacketSize maximum_packet_size(u32) "maximum packet size"
        FourByteInteger 1..=u32::MAX, in [Connect ConnAck];
    0x28 WildcardSubscriptionAvailable wildcard_subscription_available(u8) "wildcard subscription available"
        Byte 0..=1, in [ConnAck];
    0x29 SubscriptionIdentifiersAvailable subscription_identifiers_available(u8)
        "subscription identifiers available" Byte 0..=1, in [ConnAck];
    0x2A SharedSubscriptionAvailable shared_subscription_available(u8) "shared subscription available"
        Byte 0..=1, in [ConnAck];
}

impl PropertyRow {
    /// Checks type, range and characters of a value for this property.
    pub(super) fn check(&self, value: PropertyValue<'_>) -> Result<(), PropertyError> {
        self.problem_of(value).map_or(Ok(()), |problem| {
            Err(PropertyError {
                property: self.id,
                problem,
            })
        })
    }

    fn problem_of(&self, value: PropertyValue<'_>) -> Option<PropertyProblem> {
        use PropertyType as Type;
        use PropertyValue as Value;
        let has_nul = |text: &str| text.contains('\0');
        let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let given = match (self.value_type, value) {
            (Type::Text, Value::Text(text)) if has_nul(text) => return Some(PropertyProblem::Nul),
            (Type::TextPair, Value::TextPair(name, value)) if has_nul(name) || has_nul(value) => {
                return Some(PropertyProblem::Nul);
            }
            (Type::Text, Value::Text(name)) if self.id == PropertyId::ResponseTopic => {
                return topic::validate_topic_name(name)
                    .err()
                    .map(PropertyProblem::Topic);
            }
            (Type::Text, Value::Text(text)) => length(text.len()),
            (Type::TextPair, Value::TextPair(name, value)) => length(name.len().max(value.len())),
            (Type::Binary, Value::Binary(bytes)) => length(bytes.len()),
            (Type::Text | Type::TextPair | Type::Binary, _) => {
                return Some(PropertyProblem::WrongType);
            }
            (_, Value::Number(number)) => number,
            _ => return Some(PropertyProblem::WrongType),
        };
        (!self.range.contains(&given)).then_some(PropertyProblem::OutOfRange { given })
    }
}

impl PropertyId {
    /// Its row in `TABLE`.
    pub fn row(self) -> &'static PropertyRow {
        const FIRST: &PropertyRow = &PropertyId::TABLE[0];
        // Every property has a row, so the first is never taken for another.
        Self::TABLE
            .iter()
            .find(|row| row.id == self)
            .unwrap_or(FIRST)
    }
}

/// The value of a property. Numbers of every width are `Number`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PropertyValue<'a> {
    /// A number; the table says which are allowed.
    Number(u32),
    /// Text of at most 65,535 bytes, without U+0000.
    Text(&'a str),
    /// At most 65,535 bytes.
    Binary(&'a [u8]),
    /// A name and a value, both texts as above.
    TextPair(&'a str, &'a str),
}

/// A property that cannot be set or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PropertyError {
    /// The property.
    pub property: PropertyId,
    /// What is wrong with it.
    pub problem: PropertyProblem,
}

/// What is wrong with a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyProblem {
    /// The value is of another type than the property's.
    WrongType,
    /// The number, or the length in bytes, is not within the row's range.
    OutOfRange {
        /// The number or length that was given.
        given: u32,
    },
    /// The text contains U+0000.
    Nul,
    /// The text is no topic name.
    Topic(TopicError),
    /// The property may not stand here, or not twice.
    NotAllowed(PacketSet),
}

/// A sentence that begins with the property, for example `receive maximum must be 1 to 65535, not 0`.
impl fmt::Display for PropertyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.property.row();
        write!(f, "{} ", row.text)?;
        let (low, high) = (row.range.start(), row.range.end());
        match (self.problem, row.value_type) {
            (PropertyProblem::WrongType, PropertyType::Text) => f.write_str("must be text"),
            (PropertyProblem::WrongType, PropertyType::Binary) => f.write_str("must be bytes"),
            (PropertyProblem::WrongType, PropertyType::TextPair) => {
                f.write_str("must be a pair of texts")
            }
            (PropertyProblem::WrongType, _) => write!(f, "must be a number, {low} to {high}"),
            (
                PropertyProblem::OutOfRange { given },
                PropertyType::Text | PropertyType::Binary | PropertyType::TextPair,
            ) => write!(f, "must have {low} to {high} bytes, not {given}"),
            (PropertyProblem::OutOfRange { given }, _) => {
                write!(f, "must be {low} to {high}, not {given}")
            }
            (PropertyProblem::Nul, _) => f.write_str("must not contain U+0000"),
            (PropertyProblem::Topic(error), _) => error.fmt(f),
            (PropertyProblem::NotAllowed(place), _) => {
                let place = place.types().next().map_or("the will", PacketType::name);
                write!(f, "must not stand in {place}, or not twice")
            }
        }
    }
}

impl core::error::Error for PropertyError {}

impl From<PropertyError> for EncodeError {
    fn from(error: PropertyError) -> EncodeError {
        EncodeError::Field {
            field: error.property.row().text,
            problem: "must not stand in this packet, or not twice",
        }
    }
}

macro_rules! from_number {
    ($($type:ty)*) => {$(
        impl From<$type> for PropertyValue<'_> {
            fn from(number: $type) -> Self {
                PropertyValue::Number(number.into())
            }
        }
    )*};
}

from_number! { u8 u16 u32 bool }

impl From<QoS> for PropertyValue<'_> {
    fn from(qos: QoS) -> Self {
        PropertyValue::Number(u8::from(qos).into())
    }
}

impl<'a> From<&'a str> for PropertyValue<'a> {
    fn from(text: &'a str) -> Self {
        PropertyValue::Text(text)
    }
}

impl<'a> From<&'a [u8]> for PropertyValue<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        PropertyValue::Binary(bytes)
    }
}

impl<'a> From<(&'a str, &'a str)> for PropertyValue<'a> {
    fn from((name, value): (&'a str, &'a str)) -> Self {
        PropertyValue::TextPair(name, value)
    }
}

/// What the getters turn a value into.
pub(super) trait FromValue<'a>: Sized {
    fn from_value(value: PropertyValue<'a>) -> Option<Self>;
}

macro_rules! from_value {
    ($($type:ty: $pattern:pat => $value:expr;)*) => {$(
        impl<'a> FromValue<'a> for $type {
            fn from_value(value: PropertyValue<'a>) -> Option<Self> {
                match value {
                    $pattern => $value,
                    _ => None,
                }
            }
        }
    )*};
}

from_value! {
    u8: PropertyValue::Number(number) => number.try_into().ok();
    u16: PropertyValue::Number(number) => number.try_into().ok();
    u32: PropertyValue::Number(number) => Some(number);
    &'a str: PropertyValue::Text(text) => Some(text);
    &'a [u8]: PropertyValue::Binary(bytes) => Some(bytes);
    (&'a str, &'a str): PropertyValue::TextPair(name, value) => Some((name, value));
}
