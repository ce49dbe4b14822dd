//! One client's session: what is kept for it between connections, and what is on its way to it (section 4.1 and 4.4).
use super::{server::LinkId, will::PendingWill};
use bytes::Bytes;
use leveret_protocol::{
    codec::{PacketId, Properties},
    message::QoS,
    text::Text,
    time::Instant,
};
use std::{
    collections::{BTreeSet, VecDeque},
    rc::Rc,
};

/// A Session Expiry Interval that means: never (MQTT 5.0 section 3.1.2.11.2).
pub(super) const NEVER: u32 = u32::MAX;

/// A message on its way to subscribers, shared by all of them.
pub(super) struct Letter {
    pub(super) topic: Text,
    pub(super) payload: Bytes,
    /// Those that a server forwards, without the Message Expiry Interval.
    pub(super) properties: Properties,
    pub(super) expires_at: Option<Instant>,
}

impl Letter {
    /// Whether the Message Expiry Interval has passed.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// A letter as it goes to one client.
#[derive(Clone)]
pub(super) struct Delivery {
    pub(super) letter: Rc<Letter>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) subscription_ids: Vec<u32>,
}

/// A delivery with QoS 1 or 2 that the client has not acknowledged whole.
struct InFlight {
    packet_id: PacketId,
    delivery: Delivery,
    /// PUBREC was received: PUBREL is what is sent and resent.
    released: bool,
}

/// What a session wants sent next.
pub(super) enum Outgoing {
    /// PUBLISH. The packet identifier is `None` for QoS 0.
    Publish {
        packet_id: Option<PacketId>,
        dup: bool,
        delivery: Delivery,
    },
    /// PUBREL.
    Release { packet_id: PacketId },
}

/// The state of one session.
pub(super) struct Session {
    /// The connection it is used by; `None` while the client is away.
    pub(super) link: Option<LinkId>,
    /// Seconds that it outlives its connection; `NEVER` means for ever.
    pub(super) expiry: u32,
    /// When it ends unless the client comes back; `None` while connected, and when it never ends.
    pub(super) ends_at: Option<Instant>,
    /// The will of the connection, or of the last one while its delay runs.
    pub(super) will: Option<PendingWill>,
    /// Packet identifiers of QoS 2 messages received whose PUBREL has not come yet.
    pub(super) unreleased: BTreeSet<PacketId>,
    receive_maximum: u16,
    resend: VecDeque<InFlight>,
    in_flight: VecDeque<InFlight>,
    waiting: VecDeque<Delivery>,
    /// QoS 0, which no Receive Maximum holds back.
    at_once: VecDeque<Delivery>,
    last_packet_id: u16,
}

impl Session {
    /// A session with nothing in it.
    pub(super) fn new() -> Session {
        Session {
            link: None,
            expiry: 0,
            ends_at: None,
            will: None,
            unreleased: BTreeSet::new(),
            receive_maximum: u16::MAX,
            resend: VecDeque::new(),
            in_flight: VecDeque::new(),
            waiting: VecDeque::new(),
            at_once: VecDeque::new(),
            last_packet_id: 0,
        }
    }

    /// A new connection uses the session: what was in flight is sent again, in its first order (section 4.4).
    pub(super) fn resume(&mut self, link: LinkId, receive_maximum: u16) {
        self.link = Some(link);
        self.ends_at = None;
        self.receive_maximum = receive_maximum;
        // What was already sent again comes before what was not yet.
        self.in_flight.append(&mut self.resend);
        std::mem::swap(&mut self.in_flight, &mut self.resend);
    }

    /// Adds a delivery. QoS 0 is not kept for a client that is away.
    pub(super) fn post(&mut self, delivery: Delivery) {
        if delivery.qos > QoS::AtMostOnce {
            self.waiting.push_back(delivery);
        } else if self.link.is_some() {
            self.at_once.push_back(delivery);
        }
    }

    /// What is to be sent next; `None` when there is nothing or the client's Receive Maximum is reached.
    pub(super) fn next(&mut self, now: Instant) -> Option<Outgoing> {
        if let Some(delivery) = self.at_once.pop_front() {
            return Some(Outgoing::Publish {
                packet_id: None,
                dup: false,
                delivery,
            });
        }
        if let Some(front) = self.resend.front() {
            return if front.released || self.window_is_open() {
                self.next_again()
            } else {
                None
            };
        }
        while self.window_is_open() {
            let delivery = self.waiting.pop_front()?;
            if !delivery.letter.is_expired(now) {
                return Some(self.first_time(delivery));
            }
        }
        None
    }

    fn next_again(&mut self) -> Option<Outgoing> {
        let entry = self.resend.pop_front()?;
        let packet_id = entry.packet_id;
        let outgoing = if entry.released {
            Outgoing::Release { packet_id }
        } else {
            Outgoing::Publish {
                packet_id: Some(packet_id),
                dup: true,
                delivery: entry.delivery.clone(),
            }
        };
        self.in_flight.push_back(entry);
        Some(outgoing)
    }

    fn first_time(&mut self, delivery: Delivery) -> Outgoing {
        let packet_id = self.free_packet_id();
        self.in_flight.push_back(InFlight {
            packet_id,
            delivery: delivery.clone(),
            released: false,
        });
        Outgoing::Publish {
            packet_id: Some(packet_id),
            dup: false,
            delivery,
        }
    }

    fn window_is_open(&self) -> bool {
        self.in_flight.len() < usize::from(self.receive_maximum)
    }

    /// An identifier not in use. The window is open, so fewer than 65,535 are.
    fn free_packet_id(&mut self) -> PacketId {
        loop {
            let next = PacketId::new(self.last_packet_id.wrapping_add(1)).unwrap_or(PacketId::MIN);
            self.last_packet_id = next.get();
            if self.position(next).is_none() {
                return next;
            }
        }
    }

    fn position(&self, packet_id: PacketId) -> Option<usize> {
        self.in_flight
            .iter()
            .position(|entry| entry.packet_id == packet_id)
    }

    /// PUBACK, PUBCOMP, or a PUBREC that refuses: the exchange is over. False if there is none with this identifier.
    pub(super) fn finish(&mut self, packet_id: PacketId) -> bool {
        let found = self.position(packet_id);
        found
            .and_then(|index| self.in_flight.remove(index))
            .is_some()
    }

    /// PUBREC: from now on PUBREL is sent. False if there is no such exchange.
    pub(super) fn release(&mut self, packet_id: PacketId) -> bool {
        let found = self
            .position(packet_id)
            .and_then(|index| self.in_flight.get_mut(index));
        found.map(|entry| entry.released = true).is_some()
    }
}
