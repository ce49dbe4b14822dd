//! What a caller wants published, and how it becomes a letter: checked once, outside every lock, then written into a batch.
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::budget::Cost;
use super::event::Tag;
use super::letter::{Body, Letter, NO_PROPERTIES, Receipt, Whereabouts};
use super::pages::Spot;
use crate::codec::{Properties, PropertyId};
use crate::error::Error;
use crate::options::{ClientOptions, Overflow, Priority, PublishOptions, Ttl};
use crate::sentence::{self, Dialect};
use crate::time::{Duration, Instant};
use crate::topic::validate_topic_name;

/// Payloads from this size on are never copied: they travel as shared bytes from the caller to the socket.
pub const SHARED_FROM: usize = 4_096;

/// A message that is to be published, as the caller gives it.
#[derive(Clone, Debug)]
pub struct Publish<'a> {
    /// Topic name.
    pub topic: &'a str,
    /// Payload, which may be empty.
    pub payload: Payload<'a>,
    /// How.
    pub options: &'a PublishOptions,
}

/// A payload on its way into the post office.
#[derive(Clone, Debug)]
pub enum Payload<'a> {
    /// Bytes to be copied.
    Copied(&'a [u8]),
    /// Bytes that are shared already.
    Shared(Bytes),
}

impl<'a> From<&'a [u8]> for Payload<'a> {
    /// Copies a large payload here and now, so that it is not copied under the callers' lock.
    fn from(bytes: &'a [u8]) -> Payload<'a> {
        if bytes.len() < SHARED_FROM {
            Payload::Copied(bytes)
        } else {
            Payload::Shared(Bytes::copy_from_slice(bytes))
        }
    }
}

impl<'a> From<&'a str> for Payload<'a> {
    fn from(text: &'a str) -> Payload<'a> {
        Payload::from(text.as_bytes())
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Payload<'a> {
    fn from(bytes: &'a [u8; N]) -> Payload<'a> {
        Payload::from(bytes.as_slice())
    }
}

impl<'a> From<&'a Vec<u8>> for Payload<'a> {
    fn from(bytes: &'a Vec<u8>) -> Payload<'a> {
        Payload::from(bytes.as_slice())
    }
}

impl<'a> From<&'a String> for Payload<'a> {
    fn from(text: &'a String) -> Payload<'a> {
        Payload::from(text.as_bytes())
    }
}

impl From<Vec<u8>> for Payload<'_> {
    /// Copies nothing.
    fn from(bytes: Vec<u8>) -> Self {
        Payload::Shared(bytes.into())
    }
}

impl From<String> for Payload<'_> {
    /// Copies nothing.
    fn from(text: String) -> Self {
        Payload::Shared(text.into())
    }
}

impl From<Bytes> for Payload<'_> {
    fn from(bytes: Bytes) -> Self {
        Payload::Shared(bytes)
    }
}

impl AsRef<[u8]> for Payload<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Payload::Copied(bytes) => bytes,
            Payload::Shared(bytes) => bytes,
        }
    }
}

/// A letter that is valid: it needs only room in the post office, a stamp and a tag.
#[derive(Clone, Debug)]
pub struct SealedLetter<'a> {
    publish: Publish<'a>,
    /// `None` where there are none.
    properties: Option<Box<Properties>>,
    ttl: Option<Duration>,
    bytes: u64,
    overflow: Overflow,
}

impl<'a> Publish<'a> {
    /// Checks everything that can be wrong with a letter before it is posted.
    ///
    /// # Errors
    /// `InvalidArgument` for a bad topic or option, and for a letter that no packet or not the whole post office could hold. The sentence names the
    /// argument as `dialect` spells it.
    #[inline(always)]
    pub fn seal(self, client: &ClientOptions, dialect: Dialect) -> Result<SealedLetter<'a>, Error> {
        let options = self.options;
        validate_topic_name(self.topic)
            .map_err(|error| sentence::topic("topic", self.topic, error))?;
        let plain = is_plain(options);
        let usual_ttl = !matches!(options.ttl, Ttl::After(ttl) if ttl < Duration::from_millis(1) || ttl > Duration::from_secs(u32::MAX.into()));
        if !plain || !usual_ttl {
            options.check(dialect)?;
        }
        let properties = if plain {
            None
        } else {
            Some(Box::new(properties_of(options)?))
        };
        let letter = SealedLetter {
            bytes: self.measure(properties.as_deref(), client, dialect)?,
            ttl: match options.ttl {
                Ttl::Default => client.default_ttl,
                Ttl::Never => None,
                Ttl::After(ttl) => Some(ttl),
            },
            overflow: options.overflow.unwrap_or(client.overflow),
            publish: self,
            properties,
        };
        Ok(letter)
    }

    /// What the letter takes of the post office in bytes, if a packet and the post office can hold it.
    #[inline(always)]
    fn measure(
        &self,
        properties: Option<&Properties>,
        client: &ClientOptions,
        dialect: Dialect,
    ) -> Result<u64, Error> {
        const LENGTHS: usize = 2 + 2 + 4 + 5; // of the topic, packet identifier, property length, message expiry interval
        let payload = self.payload.as_ref().len();
        let properties = properties.map_or(0, |properties| properties.encoded().len());
        let head = self.topic.len().saturating_add(properties);
        let around = head.saturating_add(LENGTHS);
        if payload.saturating_add(around) > sentence::MAX_REMAINING_LENGTH {
            return Err(sentence::payload_too_large(payload, around));
        }
        let key = self.options.replace.as_ref().map_or(0, String::len);
        let cost = Cost::of_letter(head.saturating_add(payload).saturating_add(key) as u64).bytes;
        if cost > client.max_queued_bytes {
            let most = client.max_queued_bytes;
            return Err(sentence::letter_too_large(dialect, cost, most));
        }
        Ok(cost)
    }
}

impl SealedLetter<'_> {
    /// What it takes of the post office.
    pub fn cost(&self) -> Cost {
        Cost {
            messages: 1,
            bytes: self.bytes,
        }
    }

    /// Its time to live, counted from the stamp; `None` if it never expires.
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// The overflow rule that decides about it when the post office is full.
    pub fn overflow(&self) -> Overflow {
        self.overflow
    }

    /// Its priority.
    pub fn priority(&self) -> Priority {
        self.publish.options.priority
    }

    /// Writes the texts behind those that are there, and makes the record that finds them.
    #[inline(always)]
    pub(super) fn write(&self, texts: &mut Vec<u8>, stamp: Instant, tag: Tag) -> Letter {
        let options = self.publish.options;
        let payload = self.publish.payload.as_ref();
        let large = match &self.publish.payload {
            _ if payload.len() < SHARED_FROM => None,
            Payload::Copied(bytes) => Some(Box::new(Bytes::copy_from_slice(bytes))),
            Payload::Shared(bytes) => Some(Box::new(bytes.clone())),
        };
        let small = if large.is_none() { payload } else { &[] };
        let properties = self
            .properties
            .as_deref()
            .map_or(&[][..], Properties::encoded);
        let key = options.replace.as_deref().unwrap_or_default();
        let offset = texts.len();
        texts.extend_from_slice(self.publish.topic.as_bytes());
        if properties.is_empty() {
            texts.push(NO_PROPERTIES);
        }
        for rest in [properties, small, key.as_bytes()] {
            if !rest.is_empty() {
                texts.extend_from_slice(rest);
            }
        }
        Letter {
            receipt: Some(Receipt { tag }),
            bytes: self.bytes,
            posted: stamp,
            deadline: self.ttl.map_or(Instant::FAR_FUTURE, |ttl| stamp + ttl),
            message_expiry: options.message_expiry.map(whole_seconds),
            large,
            // The casts lose nothing: topic, key and small payload are below 65,536 bytes, the properties below a packet's limit.
            body: Body {
                spot: Spot { page: 0, offset },
                length: texts.len().saturating_sub(offset),
                properties: properties.len() as u32,
                topic: self.publish.topic.len() as u16,
                payload: small.len() as u16,
                key: key.len() as u16,
            },
            attempts: 0,
            epoch: 0,
            place: Whereabouts::Moving,
            priority: options.priority,
            qos: options.qos,
            retain: options.retain,
            own_ttl: matches!(options.ttl, Ttl::After(_)),
            watched: self.ttl.is_some(),
            begun: false,
        }
    }
}

fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// Nothing in the options that has to be checked or encoded beyond the frame's own flags.
fn is_plain(options: &PublishOptions) -> bool {
    options.message_expiry.is_none()
        && options.payload_format.is_none()
        && options.content_type.is_none()
        && options.response_topic.is_none()
        && options.correlation_data.is_none()
        && options.user_properties.is_empty()
        && options.replace.is_none()
}

/// The properties that do not change while a letter waits: all but the Message Expiry Interval.
fn properties_of(options: &PublishOptions) -> Result<Properties, Error> {
    let mut properties = Properties::new();
    let mut add = |id, value: Option<crate::codec::PropertyValue<'_>>| match value {
        Some(value) => properties
            .add(id, value)
            .map_err(|error| Error::invalid(alloc::format!("{error}"))),
        None => Ok(()),
    };
    use crate::codec::PropertyValue::{Binary, Number, Text, TextPair};
    add(
        PropertyId::PayloadFormatIndicator,
        options.payload_format.map(|format| Number(format.into())),
    )?;
    add(
        PropertyId::ContentType,
        options.content_type.as_deref().map(Text),
    )?;
    add(
        PropertyId::ResponseTopic,
        options.response_topic.as_deref().map(Text),
    )?;
    add(
        PropertyId::CorrelationData,
        options.correlation_data.as_deref().map(Binary),
    )?;
    for (name, value) in &options.user_properties {
        add(PropertyId::UserProperty, Some(TextPair(name, value)))?;
    }
    Ok(properties)
}
