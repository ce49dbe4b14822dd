//! A letter: what the engine knows of one publish, and the receipt by which it is settled exactly once.
use alloc::boxed::Box;

use bytes::Bytes;

use super::budget::Cost;
use super::event::Tag;
use super::pages::Spot;
use super::post_office::Lane;
use crate::message::QoS;
use crate::options::Priority;
use crate::time::Instant;

/// The right to settle a letter. It cannot be copied, and only settling takes it, so a letter cannot have two outcomes.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a letter whose receipt is dropped would never be settled"]
pub(super) struct Receipt {
    pub(super) tag: Tag,
}

/// A letter as it lies in the engine. Its texts lie on a page beside those of other letters.
#[derive(Debug)]
pub(super) struct Letter {
    /// `None` once it is settled; then it is kept only to be sent again (`expired_in_flight = resend`).
    pub(super) receipt: Option<Receipt>,
    /// What it takes of the post office in bytes.
    pub(super) bytes: u64,
    /// When `publish` was called.
    pub(super) posted: Instant,
    /// From when on it must not be begun; `FAR_FUTURE` if never.
    pub(super) deadline: Instant,
    /// The caller's own Message Expiry Interval in seconds.
    pub(super) message_expiry: Option<u32>,
    /// A large payload, shared with the caller; else the payload is in the body.
    pub(super) large: Option<Box<Bytes>>,
    pub(super) body: Body,
    /// How often its frame was begun.
    pub(super) attempts: u32,
    /// How many flushes were asked for before it was posted, modulo 2^32.
    pub(super) epoch: u32,
    pub(super) place: Whereabouts,
    pub(super) priority: Priority,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    /// The TTL was given with the publish, so that it may be told to the broker.
    pub(super) own_ttl: bool,
    /// It expires at its deadline. Not after PUBREC, nor once it is settled.
    pub(super) watched: bool,
    /// Its first byte was taken by the operating system on an earlier occasion: it may have arrived.
    pub(super) begun: bool,
}

/// Lies between topic and payload of a letter without properties: the length of its property block, as in a packet of MQTT 5.
pub(super) const NO_PROPERTIES: u8 = 0;

/// Where the texts of a letter lie: topic, properties (or [`NO_PROPERTIES`]), payload and replace key, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Body {
    pub(super) spot: Spot,
    /// Of all together.
    pub(super) length: usize,
    pub(super) properties: u32,
    pub(super) topic: u16,
    pub(super) payload: u16,
    pub(super) key: u16,
}

/// The texts of a letter, told apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts<'a> {
    pub(super) topic: &'a [u8],
    pub(super) properties: &'a [u8],
    /// Empty if the payload is a large one.
    pub(super) payload: &'a [u8],
    pub(super) replace_key: &'a [u8],
}

impl Body {
    /// The texts of this letter among those of its batch, before it lies on a page of its own.
    pub(super) fn of_batch<'a>(&self, texts: &'a [u8]) -> &'a [u8] {
        let start = self.spot.offset;
        let end = start.saturating_add(self.length);
        texts.get(start..end).unwrap_or_default()
    }

    /// Tells the texts apart that lie one after the other.
    pub(super) fn split<'a>(&self, texts: &'a [u8]) -> Texts<'a> {
        let part = |texts: &'a [u8], length| texts.split_at_checked(length).unwrap_or_default();
        let (topic, rest) = part(texts, usize::from(self.topic));
        let (properties, rest) = match self.properties as usize {
            0 => (&[][..], rest.get(1..).unwrap_or_default()),
            length => part(rest, length),
        };
        let (payload, replace_key) = part(rest, usize::from(self.payload));
        Texts {
            topic,
            properties,
            payload,
            replace_key,
        }
    }
}

/// On which table of the engine a letter lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// In a lane of the post office.
    Waiting,
    /// In no lane any more, or not yet; at QoS 0 until its last byte is taken.
    Moving,
    /// QoS 1 and 2: in the window under this packet identifier.
    InFlight(u16),
}

impl Letter {
    /// What it takes of the post office.
    pub(super) const fn cost(&self) -> Cost {
        Cost {
            messages: 1,
            bytes: self.bytes,
        }
    }

    /// The length of its payload.
    pub(super) fn payload_length(&self) -> usize {
        self.large
            .as_ref()
            .map_or(usize::from(self.body.payload), |payload| payload.len())
    }

    pub(super) fn has_properties(&self) -> bool {
        self.body.properties > 0 || self.message_expiry.is_some()
    }

    /// Its whole time to live in nanoseconds, and when it is over. Letters with the same one expire in
    /// the order of their posting.
    pub(super) fn watch(&self) -> Option<(u64, Instant)> {
        let ttl = self.deadline.0.saturating_sub(self.posted.0);
        (self.deadline != Instant::FAR_FUTURE).then_some((ttl, self.deadline))
    }

    /// The letter as it is, with its receipt; what stays is settled by nobody any more.
    pub(super) fn take_over(&mut self) -> Letter {
        Letter {
            receipt: self.receipt.take(),
            large: self.large.take(),
            ..*self
        }
    }

    /// Where it waits when it waits.
    pub(super) fn lane(&self) -> Lane {
        match (self.begun, self.priority) {
            (true, _) => Lane::Again,
            (false, Priority::High) => Lane::High,
            (false, Priority::Normal) => Lane::Normal,
            (false, Priority::Low) => Lane::Low,
        }
    }

    pub(super) fn tag(&self) -> Tag {
        self.receipt.as_ref().map_or(0, |receipt| receipt.tag)
    }

    #[cfg(test)]
    pub(super) fn sample(posted: Instant, deadline: Instant) -> Letter {
        Letter {
            receipt: Some(Receipt { tag: 1 }),
            bytes: 161,
            posted,
            deadline,
            message_expiry: None,
            large: None,
            body: Body {
                length: 1,
                topic: 1,
                ..Body::default()
            },
            attempts: 0,
            epoch: 0,
            place: Whereabouts::Moving,
            priority: Priority::Normal,
            qos: QoS::AtLeastOnce,
            retain: false,
            own_ttl: true,
            watched: true,
            begun: false,
        }
    }
}
