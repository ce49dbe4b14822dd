//! The property block of a packet: `Properties`, read, changed and written by the property table.
use super::{
    PropertyError, PropertyId, PropertyProblem, PropertyRow, PropertyType, PropertyValue,
    property_table::FromValue,
    rules::{self, Rule},
    wire::Varint,
};
use crate::packet_type::PacketSet;
use bytes::{BufMut, Bytes, BytesMut};
use core::fmt;

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
        id.row().check(value)?;
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
        id.row().check(value)?;
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
    row.check(value)
        .map_err(|error| match (error.property, error.problem) {
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
            out.put_uint(number.into(), 2);
        }
        (PropertyType::VariableByteInteger, PropertyValue::Number(number)) => {
            Varint::put(number as usize, out);
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
    out.put_u16(bytes.len() as u16); // the row's check has seen that it fits
    out.put_slice(bytes);
}
