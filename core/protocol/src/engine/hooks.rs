//! Per-packet hooks: the application is shown the packets of the types it asked for, and may put words on our answers.
//!
//! An answer that the application may put words on waits until it has said them, or for the option `hook_timeout`; answers go out in the order of what they
//! answer all the same (MQTT 5, 4.6.0-4). The connection ends → no answer is owed any more; what the broker sends again is shown again.
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Engine;
use super::event::{Event, Notice, Tag};
use super::incoming::Violation;
use super::lifecycle::State;
use super::timers::Timer;
use crate::codec::{
    Ack, Packet, PacketId, Properties, PropertyId, PropertyValue, Version, encode_plain_ack,
};
use crate::error::Error;
use crate::packet_type::{PacketSet, PacketType};
use crate::reason::ReasonCode;
use crate::time::Instant;

/// Bytes of an acknowledgement with nothing to tell.
pub(super) const PLAIN_ACK: u32 = 4;
/// The most answers that wait for the application: a packet identifier each, both ways.
const MOST_HELD: usize = 2 * 65_535;

/// What the application wants to see and to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Packets from the broker that it is shown. PUBLISH and PINGRESP are told as messages and round trips, and have no hook.
    pub shown: PacketSet,
    /// Of those, the ones whose answer it may put words on: PUBREC (answered by PUBREL) and PUBREL (answered by PUBCOMP). What PUBACK and PUBREC
    /// carry is said where a message is acknowledged.
    pub answered: PacketSet,
    /// It is asked before each attempt to connect what the attempt is to say.
    pub prepares: bool,
    /// It takes the steps of enhanced authentication.
    pub authenticates: bool,
}

impl Hooks {
    /// The types of packets that a hook can show.
    pub const SHOWABLE: PacketSet = PacketSet::of(&[
        PacketType::ConnAck,
        PacketType::PubAck,
        PacketType::PubRec,
        PacketType::PubRel,
        PacketType::PubComp,
        PacketType::SubAck,
        PacketType::UnsubAck,
        PacketType::Disconnect,
        PacketType::Auth,
    ]);
    /// The types of packets whose answer can carry words.
    pub const ANSWERABLE: PacketSet = PacketSet::of(&[PacketType::PubRec, PacketType::PubRel]);
}

/// A packet from the broker, as a hook is shown it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// To be handed back with [`Command::Answer`](super::Command::Answer) once the application has looked at it; 0 where it has nothing to say.
    pub number: u64,
    /// Its type.
    pub packet: PacketType,
    /// Its packet identifier; `None` for CONNACK, DISCONNECT and AUTH.
    pub packet_id: Option<u16>,
    /// Its reason codes: one for each filter in SUBACK and UNSUBACK, one in every other packet. MQTT 3.1.1 has none in UNSUBACK.
    pub reasons: Vec<ReasonCode>,
    /// CONNACK: does an earlier session go on.
    pub session_present: bool,
    /// The receipt of the letter that PUBACK, PUBREC and PUBCOMP are about; 0 if there is none.
    pub tag: Tag,
    /// Its properties; empty on MQTT 3.1.1.
    pub properties: Properties,
}

/// What the application puts on an answer, or on a step of authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Why, in words for people (MQTT 5, 2.2.2.2).
    pub reason_string: Option<String>,
    /// User properties.
    pub user_properties: Vec<(String, String)>,
}

impl Words {
    /// Nothing said.
    pub fn is_empty(&self) -> bool {
        self.reason_string.is_none() && self.user_properties.is_empty()
    }

    /// The same as properties.
    ///
    /// # Errors
    /// `InvalidArgument` for text that MQTT cannot carry.
    pub fn properties(&self) -> Result<Properties, Error> {
        let mut properties = Properties::new();
        let mut add = |id, value| {
            let added = properties.add(id, value);
            added.map_err(|error| Error::invalid(format!("{error}")))
        };
        if let Some(words) = &self.reason_string {
            add(PropertyId::ReasonString, PropertyValue::Text(words))?;
        }
        for (name, value) in &self.user_properties {
            add(
                PropertyId::UserProperty,
                PropertyValue::TextPair(name, value),
            )?;
        }
        Ok(properties)
    }
}

/// An answer whose words are still to be said.
#[derive(Debug)]
struct Held {
    number: u64,
    packet: PacketType,
    packet_id: PacketId,
    reason: ReasonCode,
    since: Instant,
    said: Option<Properties>,
}

/// What is shown, and the answers that wait for it.
#[derive(Debug, Default)]
pub(super) struct Hooked {
    pub(super) wanted: Hooks,
    count: u64,
    held: VecDeque<Held>,
    /// The number of the packet that is just being handled, if its answer is to wait.
    current: u64,
}

impl Hooked {
    /// A number for something the application is asked.
    pub(super) fn number(&mut self) -> u64 {
        self.count = self.count.saturating_add(1);
        self.count
    }

    /// The connection is gone, and nothing is owed on it.
    pub(super) fn disconnected(&mut self) {
        self.held.clear();
    }
}

impl Engine {
    /// The application wants to see other packets from now on.
    pub(super) fn set_hooks(&mut self, mut hooks: Hooks) {
        hooks.answered = hooks.answered.intersection(Hooks::ANSWERABLE);
        hooks.shown = hooks
            .shown
            .union(hooks.answered)
            .intersection(Hooks::SHOWABLE);
        self.hooked.wanted = hooks;
    }

    /// Are PUBACKs shown, so that they cannot be taken where they lie.
    pub(super) const fn shows_pubacks(&self) -> bool {
        self.hooked.wanted.shown.has(PacketType::PubAck)
    }

    /// Shows a packet before anything is done about it.
    pub(super) fn show(&mut self, packet: &Packet) {
        self.hooked.current = 0;
        let kind = packet.packet_type();
        if !self.hooked.wanted.shown.has(kind) {
            return;
        }
        let Some(mut shown) = self.seen(packet) else {
            return;
        };
        let is_answered = kind == PacketType::PubRel || !shown.reason().is_error();
        if self.hooked.wanted.answered.has(kind) && is_answered {
            shown.number = self.hooked.number();
            self.hooked.current = shown.number;
        }
        self.events.push(Event::Packet(Box::new(shown)));
    }

    fn seen(&self, packet: &Packet) -> Option<Shown> {
        let of_ack = |ack: &Ack| {
            let letter = self.window.get(ack.packet_id.get()).letter();
            let receipt = letter.and_then(|key| self.shelf.get(key)?.receipt.as_ref());
            Shown {
                packet_id: Some(ack.packet_id.get()),
                tag: receipt.map_or(0, |receipt| receipt.tag),
                ..Shown::new(packet, &[ack.reason], &ack.properties)
            }
        };
        Some(match packet {
            Packet::ConnAck(connack) => Shown {
                session_present: connack.session_present,
                ..Shown::new(packet, &[connack.reason], &connack.properties)
            },
            Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubComp(ack) => of_ack(ack),
            // Its identifier is one of the broker's: no letter of ours has anything to do with it.
            Packet::PubRel(ack) => Shown {
                tag: 0,
                ..of_ack(ack)
            },
            Packet::SubAck(answer) | Packet::UnsubAck(answer) => Shown {
                packet_id: Some(answer.packet_id.get()),
                ..Shown::new(packet, &answer.reasons, &answer.properties)
            },
            Packet::Disconnect(end) => Shown::new(packet, &[end.reason], &end.properties),
            Packet::Auth(auth) => Shown::new(packet, &[auth.reason], &auth.properties),
            _ => return None,
        })
    }

    /// Queues PUBREL or PUBCOMP, at once or when the application has said what it is to carry.
    pub(super) fn answer(&mut self, packet: PacketType, to: &Ack, reason: ReasonCode) {
        let number = core::mem::take(&mut self.hooked.current);
        if number == 0 && self.hooked.held.is_empty() {
            return self.send_answer(packet, to.packet_id, reason, Properties::new());
        }
        self.hooked.held.push_back(Held {
            number,
            packet,
            packet_id: to.packet_id,
            reason,
            since: self.now,
            said: (number == 0).then(Properties::new),
        });
        self.watch_for_words();
    }

    /// Writes PUBACK, PUBREC, PUBREL or PUBCOMP: four bytes, or more where there is something to tell.
    pub(super) fn send_answer(
        &mut self,
        packet: PacketType,
        packet_id: PacketId,
        reason: ReasonCode,
        properties: Properties,
    ) {
        let answer = match self.broker.version {
            Version::V5 => Ack {
                packet_id,
                reason,
                properties,
            },
            Version::V311 => Ack::success(packet_id),
        };
        let limit = self.broker.maximum_packet_size;
        // Fails only if the broker takes no packet of six bytes; then there is no answer that it would take.
        let _ = answer.encode(packet, self.broker.version, limit, self.wire.control());
    }

    /// Writes an acknowledgement of four bytes, unless the broker takes no packet that small (MQTT-3.2.2-15).
    pub(super) fn send_plain_ack(&mut self, packet: PacketType, packet_id: PacketId) {
        if self.broker.maximum_packet_size >= PLAIN_ACK {
            encode_plain_ack(packet, packet_id, self.wire.control());
        }
    }

    /// The application has looked at a packet, and says what our answer is to carry.
    pub(super) fn say(&mut self, number: u64, properties: Properties) {
        let held = self
            .hooked
            .held
            .iter_mut()
            .find(|held| held.number == number);
        if let Some(held) = held.filter(|held| held.said.is_none()) {
            held.said = Some(properties);
            self.send_held();
        }
    }

    fn send_held(&mut self) {
        // None may follow DISCONNECT (3.14.4-1; in 3.1.1, 3.14.4-2).
        while self.life.state() == State::Online
            && let Some(properties) = self
                .hooked
                .held
                .front_mut()
                .and_then(|held| held.said.take())
            && let Some(held) = self.hooked.held.pop_front()
        {
            self.send_answer(held.packet, held.packet_id, held.reason, properties);
        }
        self.watch_for_words();
    }

    fn watch_for_words(&mut self) {
        // Behind DISCONNECT no words are waited for any more: the connection ends, and what is held with it.
        let online = self.life.state() == State::Online;
        match self.hooked.held.front().filter(|_| online) {
            Some(held) => self
                .timers
                .set(Timer::Words, held.since + self.options.hook_timeout),
            None => self.timers.clear(Timer::Words),
        }
    }

    /// The application has taken too long: the answer goes out without words.
    pub(super) fn words_are_late(&mut self) {
        let (now, patience) = (self.now, self.options.hook_timeout);
        let late = self
            .hooked
            .held
            .iter_mut()
            .filter(|held| held.said.is_none() && held.since + patience <= now);
        for held in late {
            held.said = Some(Properties::new());
            self.events.push(Event::Notice(Notice::HookLate {
                packet: held.packet,
            }));
        }
        self.send_held();
    }

    /// A broker must not make the application owe it more answers than there are identifiers.
    pub(super) fn bounded_held(&self) -> Result<(), Violation> {
        if self.hooked.held.len() <= MOST_HELD {
            return Ok(());
        }
        let words = "the broker asks for more answers than there are packet identifiers";
        Err(Violation::new(ReasonCode::QUOTA_EXCEEDED, words))
    }
}

impl Shown {
    fn new(packet: &Packet, reasons: &[ReasonCode], properties: &Properties) -> Shown {
        Shown {
            number: 0,
            packet: packet.packet_type(),
            packet_id: None,
            reasons: reasons.to_vec(),
            session_present: false,
            tag: 0,
            properties: properties.detached(),
        }
    }

    /// The first reason code; success where there is none.
    pub fn reason(&self) -> ReasonCode {
        self.reasons.first().copied().unwrap_or(ReasonCode::SUCCESS)
    }
}
