//! Taking over a session that an earlier process left with the broker: its packet identifiers may still be in use there.
//!
//! `clean_start = false` and the broker has a session of which nothing is known here. A QoS 2 PUBLISH under an identifier that the broker still holds from
//! then would count as a repetition and be lost. So such an identifier is cleared with PUBREL before its first use at QoS 2; a good number at once, so
//! that letters wait for one round trip and not for one each. A broker that leaves them unanswered for a minute is
//! reported, and asked again on the next connection.
use alloc::vec::Vec;

use super::Engine;
use super::bits::IdSet;
use super::held_up::PATIENCE;
use super::incoming::Violation;
use super::timers::Timer;
use super::window::Slot;
use crate::checked;
use crate::codec::{PacketId, encode_plain_ack};
use crate::packet_type::PacketType;
use crate::reason::ReasonCode;

/// So many identifiers are cleared at once.
const AT_ONCE: usize = 64;

/// The identifiers of which the broker may hold an exchange that is unknown here.
#[derive(Debug, Default)]
pub(super) struct Adoption {
    unknown: IdSet,
    asked: Vec<u16>, // PUBREL sent on this connection, PUBCOMP not yet received
}

impl Adoption {
    /// A session was adopted: every identifier may be in use there.
    pub(super) fn begin(&mut self) {
        *self = Adoption {
            unknown: IdSet::full(),
            asked: Vec::new(),
        };
    }

    /// The session is over, or never was adopted.
    pub(super) fn end(&mut self) {
        *self = Adoption::default();
    }

    /// What was asked is to be asked again on the next connection, where it can do no harm.
    pub(super) fn disconnected(&mut self) {
        self.asked.clear();
    }
}

impl Engine {
    /// May this identifier be used at QoS 2. If not yet, it and those after it are being cleared.
    pub(super) fn clear_for_use(&mut self, upcoming: u16) -> bool {
        if !self.adoption.unknown.contains(upcoming) {
            return true;
        }
        if self.adoption.asked.is_empty() {
            self.watch_clearing();
            let after =
                (0..AT_ONCE as u16).map(|step| upcoming.checked_add(step).unwrap_or(upcoming));
            for id in after {
                let idle = self.window.get(id) == Slot::Empty && self.adoption.unknown.contains(id);
                if let Some(packet_id) =
                    PacketId::new(id).filter(|_| idle && !self.adoption.asked.contains(&id))
                {
                    encode_plain_ack(PacketType::PubRel, packet_id, self.wire.control());
                    self.adoption.asked.push(id);
                }
            }
        }
        false
    }

    fn watch_clearing(&mut self) {
        self.timers.set(Timer::Clearing, self.now + PATIENCE);
    }

    /// The broker leaves a PUBREL unanswered. It may be sent again on the next connection only (4.4.0-1); a letter under an identifier that is not
    /// cleared could be lost.
    pub(super) fn clearing_is_late(&mut self) {
        if !self.wire.is_idle() {
            return self.watch_clearing(); // it may not even be sent
        }
        self.violated(Violation::new(
            ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR,
            "the broker did not answer the PUBREL that clears an identifier of the session which was taken over (4.3.3)",
        ));
    }

    /// Was this PUBCOMP the answer to a clearing.
    pub(super) fn cleared(&mut self, id: u16) -> bool {
        let Some(place) = self.adoption.asked.iter().position(|asked| *asked == id) else {
            return false;
        };
        checked::remove(&mut self.adoption.asked, place);
        self.adoption.unknown.remove(id);
        if self.adoption.asked.is_empty() {
            self.timers.clear(Timer::Clearing);
        }
        true
    }
}
