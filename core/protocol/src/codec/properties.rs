//! The MQTT 5 property table (identifier, type, range, packets), and the property block that it drives.
use super::{
    EncodeError,
    rules::{self, Rule},
    wire::Varint,
};
use crate::{
    message::QoS,
    packet_type::{PacketSet, PacketType},
    topic::{self, TopicError},
};
use bytes::{BufMut, Bytes, BytesMut};
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

impl PropertyId {
    /// Its row in `TABLE`.
    pub fn row(self) -> &'static PropertyRow {
        // Every property has a row, so the first is never taken for another.
        Self::TABLE
            .iter()
            .find(|row| row.id == self)
            .unwrap_or(&Self::TABLE[0])
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

/// The properties of one packet or will: their encoding, checked once, which getters walk. None takes no allocation;
/// those of a received packet are a slice of it. They keep their order; a property that may repeat stands repeatedly.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties {
    encoded: Bytes, // without the length before it; every property in it is complete and allowed by its row
}

impl Properties {
    /// No properties.
    pub const fn new() -> Properties {
        Properties {
            encoded: Bytes::new(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// Every property in order.
    pub fn iter(&self) -> impl Iterator<Item = (PropertyId, PropertyValue<'_>)> {
        Walk {
            rest: &self.encoded,
        }
        .map_while(Result::ok)
    }

    /// The first value of this property.
    pub fn get(&self, id: PropertyId) -> Option<PropertyValue<'_>> {
        self.iter()
            .find(|property| property.0 == id)
            .map(|property| property.1)
    }

    /// Every user property, name and value, in order.
    pub fn user_properties(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter()
            .filter_map(|property| FromValue::from_value(property.1))
    }

    /// Every subscription identifier: those of the subscriptions that a received message matched.
    pub fn subscription_identifiers(&self) -> impl Iterator<Item = u32> {
        self.iter()
            .filter(|property| property.0 == PropertyId::SubscriptionIdentifier)
            .filter_map(|property| FromValue::from_value(property.1))
    }

    /// Sets a property, in place of the values that it had.
    pub fn set<'v>(
        &mut self,
        id: PropertyId,
        value: impl Into<PropertyValue<'v>>,
    ) -> Result<(), PropertyError> {
        let value = value.into();
        check_value(id.row(), value)?;
        self.remove(id);
        self.append(id, value);
        Ok(())
    }

    /// Adds one more value of a property that may stand several times: of others it is the same as `set`.
    pub fn add<'v>(
        &mut self,
        id: PropertyId,
        value: impl Into<PropertyValue<'v>>,
    ) -> Result<(), PropertyError> {
        if id.row().repeats == PacketSet::EMPTY {
            return self.set(id, value);
        }
        let value = value.into();
        check_value(id.row(), value)?;
        self.append(id, value);
        Ok(())
    }

    /// Takes a property out, all its values.
    pub fn remove(&mut self, id: PropertyId) {
        if self.get(id).is_some() {
            *self = self.without(&[id]);
        }
    }

    /// The same properties without these.
    pub fn without(&self, ids: &[PropertyId]) -> Properties {
        if !self.iter().any(|property| ids.contains(&property.0)) {
            return self.clone();
        }
        let mut rest = BytesMut::new();
        for (id, value) in self.iter().filter(|property| !ids.contains(&property.0)) {
            put_property(&mut rest, id, value);
        }
        Properties {
            encoded: rest.freeze(),
        }
    }

    /// Checks that each may stand in this packet or will, and no more often than it may.
    pub fn check(&self, place: PacketSet) -> Result<(), PropertyError> {
        let mut seen = Seen::default();
        for (id, _) in self.iter() {
            let row = id.row();
            if !row.packets.contains(place) || (seen.twice(id) && !row.repeats.contains(place)) {
                return Err(PropertyError {
                    property: id,
                    problem: PropertyProblem::NotAllowed(place),
                });
            }
        }
        Ok(())
    }

    /// A copy that keeps nothing but itself alive: for properties that outlive the buffer they were read from.
    pub fn detached(&self) -> Properties {
        Properties {
            encoded: Bytes::copy_from_slice(&self.encoded),
        }
    }

    /// The property block without the length before it.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Takes a received block, if every property in it is well-formed and may stand in this packet.
    pub(super) fn from_received(
        encoded: Bytes,
        place: PacketSet,
        max_properties: u16,
    ) -> Result<Properties, (&'static Rule, &'static str)> {
        let mut seen = Seen::default();
        for (count, property) in (Walk { rest: &encoded }).enumerate() {
            let row = property?.0.row();
            if count >= usize::from(max_properties) {
                return Err((rules::PROPERTIES_TOO_MANY, "properties"));
            }
            if !row.packets.contains(place) {
                return Err((rules::PROPERTY_NOT_ALLOWED, row.text));
            }
            if seen.twice(row.id) && !row.repeats.contains(place) {
                return Err((rules::PROPERTY_TWICE, row.text));
            }
        }
        if seen.has(PropertyId::AuthenticationData) && !seen.has(PropertyId::AuthenticationMethod) {
            return Err((
                rules::AUTHENTICATION_DATA,
                PropertyId::AuthenticationData.row().text,
            ));
        }
        Ok(Properties { encoded })
    }

    /// Where the four bytes of the message expiry interval begin in the block.
    pub(super) fn message_expiry_offset(&self) -> Option<usize> {
        let mut walk = Walk {
            rest: &self.encoded,
        };
        while let Some(Ok((id, _))) = walk.next() {
            if id == PropertyId::MessageExpiryInterval {
                return Some(self.encoded.len() - walk.rest.len() - 4);
            }
        }
        None
    }

    fn append(&mut self, id: PropertyId, value: PropertyValue<'_>) {
        let shared = core::mem::take(&mut self.encoded);
        let mut own = shared
            .try_into_mut()
            .unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        put_property(&mut own, id, value);
        self.encoded = own.freeze();
    }
}

/// Shows names and values, but not the authentication data, which is a secret.
impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.iter()
                    .map(|(id, value)| (id.row().text, Shown(id, value))),
            )
            .finish()
    }
}

struct Shown<'a>(PropertyId, PropertyValue<'a>);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown(PropertyId::AuthenticationData, _) => f.write_str("(secret)"),
            Shown(_, PropertyValue::Number(number)) => number.fmt(f),
            Shown(_, PropertyValue::Text(text)) => text.fmt(f),
            Shown(_, PropertyValue::Binary(bytes)) => bytes.fmt(f),
            Shown(_, PropertyValue::TextPair(name, value)) => (name, value).fmt(f),
        }
    }
}

/// Which properties a walk has met.
#[derive(Default)]
struct Seen(u64); // every identifier is below 64

impl Seen {
    fn has(&self, id: PropertyId) -> bool {
        self.0 >> id as u8 & 1 == 1
    }

    /// Notes a property; whether it had been noted before.
    fn twice(&mut self, id: PropertyId) -> bool {
        let before = self.has(id);
        self.0 |= 1 << id as u8;
        before
    }
}

/// Walks an encoded block; ends with the first error.
struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<(PropertyId, PropertyValue<'a>), (&'static Rule, &'static str)>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&number, rest) = self.rest.split_first()?;
        self.rest = rest;
        let property = match PropertyId::from_number(number) {
            None => Err((rules::PROPERTY_UNKNOWN, "property")),
            Some(id) => match read_value(id.row(), &mut self.rest) {
                Ok(value) => Ok((id, value)),
                Err(rule) => Err((rule, id.row().text)),
            },
        };
        if property.is_err() {
            self.rest = &[];
        }
        Some(property)
    }
}

fn read_value<'a>(
    row: &PropertyRow,
    rest: &mut &'a [u8],
) -> Result<PropertyValue<'a>, &'static Rule> {
    let value = match row.value_type {
        PropertyType::Byte => PropertyValue::Number(read_number::<1>(rest)?),
        PropertyType::TwoByteInteger => PropertyValue::Number(read_number::<2>(rest)?),
        PropertyType::FourByteInteger => PropertyValue::Number(read_number::<4>(rest)?),
        PropertyType::VariableByteInteger => PropertyValue::Number(read_varint(rest)?),
        PropertyType::Text => PropertyValue::Text(read_text(rest)?),
        PropertyType::Binary => PropertyValue::Binary(read_binary(rest)?),
        PropertyType::TextPair => PropertyValue::TextPair(read_text(rest)?, read_text(rest)?),
    };
    check_value(row, value).map_err(|error| match (error.property, error.problem) {
        (_, PropertyProblem::Nul) => rules::NUL,
        (PropertyId::TopicAlias, _) => rules::TOPIC_ALIAS_ZERO,
        (PropertyId::ResponseTopic, _) => rules::RESPONSE_TOPIC,
        _ => rules::PROPERTY_RANGE,
    })?;
    Ok(value)
}

fn read_number<const WIDTH: usize>(rest: &mut &[u8]) -> Result<u32, &'static Rule> {
    let (bytes, after) = rest.split_first_chunk::<WIDTH>().ok_or(rules::TRUNCATED)?;
    *rest = after;
    Ok(bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | u32::from(byte)))
}

fn read_varint(rest: &mut &[u8]) -> Result<u32, &'static Rule> {
    match Varint::read(rest) {
        Varint::Incomplete => Err(rules::TRUNCATED),
        Varint::TooLong => Err(rules::INTEGER_TOO_LONG),
        Varint::Value { minimal: false, .. } => Err(rules::INTEGER_NOT_MINIMAL),
        Varint::Value { value, length, .. } => {
            *rest = rest.get(length..).unwrap_or_default();
            Ok(value)
        }
    }
}

fn read_binary<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], &'static Rule> {
    let length = read_number::<2>(rest)? as usize;
    let (bytes, after) = rest.split_at_checked(length).ok_or(rules::TRUNCATED)?;
    *rest = after;
    Ok(bytes)
}

fn read_text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, &'static Rule> {
    core::str::from_utf8(read_binary(rest)?).map_err(|_| rules::UTF8)
}

fn put_property(out: &mut BytesMut, id: PropertyId, value: PropertyValue<'_>) {
    out.put_u8(id as u8);
    match (id.row().value_type, value) {
        (PropertyType::Byte, PropertyValue::Number(number)) => out.put_uint(number.into(), 1),
        (PropertyType::TwoByteInteger, PropertyValue::Number(number)) => {
            out.put_uint(number.into(), 2)
        }
        (PropertyType::VariableByteInteger, PropertyValue::Number(number)) => {
            let mut bytes = [0; 4];
            let length = Varint::write(number as usize, &mut bytes);
            out.put_slice(bytes.get(..length).unwrap_or_default());
        }
        (_, PropertyValue::Number(number)) => out.put_u32(number),
        (_, PropertyValue::Text(text)) => put_binary(out, text.as_bytes()),
        (_, PropertyValue::Binary(bytes)) => put_binary(out, bytes),
        (_, PropertyValue::TextPair(name, value)) => {
            put_binary(out, name.as_bytes());
            put_binary(out, value.as_bytes());
        }
    }
}

fn put_binary(out: &mut BytesMut, bytes: &[u8]) {
    out.put_u16(bytes.len() as u16); // check_value has seen that it fits
    out.put_slice(bytes);
}

fn check_value(row: &PropertyRow, value: PropertyValue<'_>) -> Result<(), PropertyError> {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let text = |text: &str| {
        if text.contains('\0') {
            Err(PropertyProblem::Nul)
        } else {
            Ok(length(text.len()))
        }
    };
    let check = || {
        let measure = match (row.value_type, value) {
            (PropertyType::Text, PropertyValue::Text(value)) => text(value)?,
            (PropertyType::Binary, PropertyValue::Binary(bytes)) => length(bytes.len()),
            (PropertyType::TextPair, PropertyValue::TextPair(name, value)) => {
                text(name)?.max(text(value)?)
            }
            (PropertyType::Text | PropertyType::Binary | PropertyType::TextPair, _) => {
                return Err(PropertyProblem::WrongType);
            }
            (_, PropertyValue::Number(number)) => number,
            _ => return Err(PropertyProblem::WrongType),
        };
        match value {
            PropertyValue::Text(name) if row.id == PropertyId::ResponseTopic => {
                topic::validate_topic_name(name).map_err(PropertyProblem::Topic)
            }
            _ if row.range.contains(&measure) => Ok(()),
            _ => Err(PropertyProblem::OutOfRange { given: measure }),
        }
    };
    check().map_err(|problem| PropertyError {
        property: row.id,
        problem,
    })
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
trait FromValue<'a>: Sized {
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
