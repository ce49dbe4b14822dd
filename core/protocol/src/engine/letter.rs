//! A letter: what the engine knows of one publish, and the receipt by which it is settled exactly once.
use alloc::boxed::Box;

use bytes::Bytes;

use super::budget::Cost;
use super::event::Tag;
use super::pages::Spot;
use crate::message::QoS;
use crate::options::Priority;
use crate::time::{Duration, Instant};

/// The right to settle a letter. It cannot be copied, and only settling takes it, so a letter cannot have two outcomes.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a letter whose receipt is dropped would never be settled"]
pub(super) struct Receipt {
    pub(super) tag: Tag,
}

/// A letter as it lies in the engine. Its texts lie on a page beside those of other letters.
#[derive(Debug)]
pub struct Letter {
    /// `None` once it is settled; then it is kept only to be sent again (`expired_in_flight = resend`).
    pub(super) receipt: Option<Receipt>,
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

/// Where the texts of a letter lie: topic, properties, payload and replace key, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Body {
    pub(super) spot: Spot,
    pub(super) properties: u32,
    pub(super) topic: u16,
    pub(super) payload: u16,
    pub(super) key: u16,
}

impl Body {
    pub(super) const fn length(&self) -> usize {
        self.topic as usize + self.properties as usize + self.payload as usize + self.key as usize
    }
}

/// On which table of the engine a letter lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// In a lane of the post office.
    Waiting,
    /// QoS 0: composed, its last byte not yet taken.
    Writing,
    /// QoS 1 and 2: in the window under this packet identifier.
    InFlight(u16),
}

impl Letter {
    /// What it takes of the post office.
    pub(super) fn cost(&self) -> Cost {
        let large = self.large.as_ref().map_or(0, |payload| payload.len());
        Cost::of_letter(self.body.length() as u64 + large as u64)
    }

    /// The length of its payload.
    pub(super) fn payload_length(&self) -> usize {
        self.large
            .as_ref()
            .map_or(usize::from(self.body.payload), |payload| payload.len())
    }

    /// Its whole time to live; letters with the same one expire in the order of their posting.
    pub(super) fn ttl(&self) -> Option<Duration> {
        (self.deadline != Instant::FAR_FUTURE).then(|| self.deadline.since(self.posted))
    }

    pub(super) fn tag(&self) -> Tag {
        self.receipt.as_ref().map_or(0, |receipt| receipt.tag)
    }

    #[cfg(test)]
    pub(super) fn sample(posted: Instant, deadline: Instant) -> Letter {
        Letter {
            receipt: Some(Receipt { tag: 1 }),
            posted,
            deadline,
            message_expiry: None,
            large: None,
            body: Body {
                topic: 1,
                ..Body::default()
            },
            attempts: 0,
            epoch: 0,
            place: Whereabouts::Waiting,
            priority: Priority::Normal,
            qos: QoS::AtLeastOnce,
            retain: false,
            own_ttl: true,
            watched: true,
            begun: false,
        }
    }
}
