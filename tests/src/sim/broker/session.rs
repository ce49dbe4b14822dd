//! What the model broker keeps of a client between connections (section 4.1 of both standards).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use crate::sim::network::Nanos;
use crate::sim::packets::Asked;

/// A session: subscriptions, messages under way and the QoS 2 ids of messages that arrived.
#[derive(Debug, Default)]
pub struct Session {
    /// Filters with what was granted.
    pub subscriptions: BTreeMap<String, Granted>,
    /// Messages not sent yet, or not since the last connection.
    pub waiting: VecDeque<Copy>,
    /// QoS 1 and 2 messages sent and not completed, in the order of sending.
    pub in_flight: VecDeque<InFlight>,
    /// QoS 2 letters that arrived and were not released.
    pub received: Received,
    /// The last packet id used towards the client.
    pub last_id: u16,
    /// When it ends if nobody connects: `None` while connected or for ever.
    pub ends_at: Option<Nanos>,
    /// To be discarded when the connection ends.
    pub doomed: bool,
}

/// A granted subscription.
#[derive(Clone, Debug)]
pub struct Granted {
    /// Granted QoS.
    pub qos: u8,
    /// What was asked for.
    pub asked: Asked,
    /// Its subscription identifier.
    pub subscription: Option<u32>,
}

/// The QoS 2 letters between PUBLISH and PUBREL, by packet id.
#[derive(Clone, Debug, Default)]
pub struct Received {
    own: BTreeSet<u16>,
    /// Ids left over from another life of the client, which the present one knows nothing of: so many quarters of all ids, drawn by the number.
    foreign: (u64, u64),
    /// Those of them that were released.
    released: BTreeSet<u16>,
}

impl Received {
    /// So many quarters of all ids are left over from another life.
    pub fn remember_another_life(&mut self, quarters: u64, number: u64) {
        self.foreign = (quarters, number);
    }

    /// The id is one of another life.
    pub fn is_foreign(&self, packet_id: u16) -> bool {
        let (quarters, number) = self.foreign;
        // The high bits of a product depend on all bits of both.
        let mixed = (number ^ u64::from(packet_id)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62;
        mixed < quarters && !self.released.contains(&packet_id)
    }

    /// A letter with this id was not released yet.
    pub fn has(&self, packet_id: u16) -> bool {
        self.own.contains(&packet_id) || self.is_foreign(packet_id)
    }

    /// A letter with this id came in, unless it has.
    pub fn add(&mut self, packet_id: u16) {
        if !self.is_foreign(packet_id) {
            self.own.insert(packet_id);
        }
    }

    /// The letter with this id is released. Was there one?
    pub fn release(&mut self, packet_id: u16) -> bool {
        if self.is_foreign(packet_id) {
            return self.released.insert(packet_id);
        }
        self.own.remove(&packet_id)
    }
}

/// A message on its way to one client.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Number of the letter or message.
    pub number: Option<u64>,
    /// Topic name.
    pub topic: String,
    /// Payload.
    pub payload: Bytes,
    /// QoS of this copy.
    pub qos: u8,
    /// RETAIN flag of this copy.
    pub retain: bool,
    /// Subscription identifiers to give back.
    pub subscriptions: Vec<u32>,
    /// Message Expiry Interval, passed on as it is.
    pub expiry: Option<u32>,
}

/// A message that was sent at QoS 1 or 2.
#[derive(Debug)]
pub struct InFlight {
    /// Its packet id.
    pub packet_id: u16,
    /// The message.
    pub copy: Copy,
    /// QoS 2: PUBREC came, PUBREL is owed or sent.
    pub released: bool,
    /// Sent on the present connection.
    pub sent: bool,
}

impl Session {
    /// An unused packet id, if there is one.
    pub fn fresh_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self
                .in_flight
                .iter()
                .any(|message| message.packet_id == self.last_id)
            {
                return self.last_id;
            }
        }
    }

    /// What matches `topic`: the granted subscriptions that want a message of this origin.
    pub fn matching<'a>(
        &'a self,
        topic: &'a str,
        own: bool,
    ) -> impl Iterator<Item = (&'a String, &'a Granted)> {
        self.subscriptions.iter().filter(move |(filter, granted)| {
            crate::sim::matching::matches(filter, topic)
                && !(own && granted.asked.no_local)
                && !filter.starts_with("$share/")
        })
    }
}
