//! QoS, the application message that was received, and the will.
use crate::{codec::Properties, text::Text};
use bytes::Bytes;
use core::{fmt, str::Split};

/// How surely a message is delivered (section 4.3 of both standards).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum QoS {
    /// 0: sent once, never acknowledged.
    #[default]
    AtMostOnce = 0,
    /// 1: acknowledged; may arrive more than once.
    AtLeastOnce = 1,
    /// 2: acknowledged in two steps; arrives once.
    ExactlyOnce = 2,
}

impl TryFrom<u8> for QoS {
    type Error = InvalidQoS;

    fn try_from(number: u8) -> Result<QoS, InvalidQoS> {
        match number {
            0 => Ok(QoS::AtMostOnce),
            1 => Ok(QoS::AtLeastOnce),
            2 => Ok(QoS::ExactlyOnce),
            _ => Err(InvalidQoS(number)),
        }
    }
}

impl From<QoS> for u8 {
    fn from(qos: QoS) -> u8 {
        qos as u8
    }
}

/// A number that is no QoS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidQoS(pub u8);

impl fmt::Display for InvalidQoS {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QoS must be 0, 1 or 2, not {}", self.0)
    }
}

impl core::error::Error for InvalidQoS {}

/// An application message as it was received. Topic, payload and properties are slices of the buffer they were read into.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// Topic name. Empty only between decoding and the lookup of its topic alias (MQTT 5.0 section 3.3.2.3.4).
    pub topic: Text,
    /// Payload, which may be empty.
    pub payload: Bytes,
    /// QoS of this delivery, which may be lower than that of the publication.
    pub qos: QoS,
    /// Whether the message is a retained one (MQTT 5.0 section 3.3.1.3).
    pub retain: bool,
    /// Whether the sender of this packet may have sent it before (section 3.3.1.1).
    pub dup: bool,
    /// MQTT 5 properties; empty on MQTT 3.1.1.
    pub properties: Properties,
}

impl Message {
    /// Topic name.
    pub fn topic(&self) -> &str {
        self.topic.as_str()
    }

    /// The levels of the topic name: what stands between its slashes. An empty level is an empty string.
    pub fn levels(&self) -> Split<'_, char> {
        self.topic().split('/')
    }

    /// Payload, which may be empty.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// QoS of this delivery.
    pub fn qos(&self) -> QoS {
        self.qos
    }

    /// Whether the message is a retained one.
    pub fn retain(&self) -> bool {
        self.retain
    }

    /// Whether the sender may have sent this packet before.
    pub fn dup(&self) -> bool {
        self.dup
    }

    /// MQTT 5 properties; empty on MQTT 3.1.1.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }
}

/// Shows everything but the payload, of which it shows the length: payloads do not belong into logs.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic)
            .field("payload_length", &self.payload.len())
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("dup", &self.dup)
            .field("properties", &self.properties)
            .finish()
    }
}

/// The message that the server publishes when the connection ends without DISCONNECT (MQTT 5.0 section 3.1.2.5).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Will {
    /// Topic name.
    pub topic: Text,
    /// Payload, which may be empty and has at most 65,535 bytes.
    pub payload: Bytes,
    /// QoS with which the server publishes it.
    pub qos: QoS,
    /// Whether the server retains it.
    pub retain: bool,
    /// MQTT 5 will properties, the Will Delay Interval among them; left out on MQTT 3.1.1.
    pub properties: Properties,
}

impl Will {
    /// Seconds that the server waits before it publishes the will: 0..=4,294,967,295, default 0.
    pub fn delay_seconds(&self) -> u32 {
        self.properties.will_delay_interval().unwrap_or(0)
    }
}

/// Shows everything but the payload, of which it shows the length.
impl fmt::Debug for Will {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Will")
            .field("topic", &self.topic)
            .field("payload_length", &self.payload.len())
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("properties", &self.properties)
            .finish()
    }
}
