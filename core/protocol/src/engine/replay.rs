//! After a reconnect: what goes on where the session goes on, and what becomes of letters in flight where it is lost.
//!
//! A connection ends → what was only partly written waits again; exchanges of settled letters end, or keep their identifier out of use →
//! CONNACK says that the session is present: what is in the window is sent again in its order, and nothing else before it (MQTT 5, 4.4) →
//! or that it is not: what is in the window is posted again or settled, by `on_session_lost`.
use alloc::vec::Vec;

use super::Engine;
use super::event::{Event, Notice};
use super::hooks::PLAIN_ACK;
use super::outgoing::too_large;
use super::shelf::LetterKey;
use super::window::{Slot, Step};
use super::wire::Sent;
use crate::codec::{PacketId, encode_plain_ack};
use crate::options::OnSessionLost;
use crate::outcome::{Outcome, OutcomeStatus};
use crate::packet_type::PacketType;

/// With more identifiers out of use than this, the next connection begins a fresh session.
const MANY_RESERVED: usize = 1_024;

impl Engine {
    /// The connection is gone: nothing of it counts any more.
    pub(super) fn forget_connection(&mut self) {
        while let Some((sent, begun)) = self.wire.pop_lost() {
            match sent {
                Sent::Straight(count) => self.straight_waits(count),
                // The broker cannot have a frame whose last byte was never sent, so the letter is as good as new.
                Sent::Once(key) => self.wait_again(key, begun),
                Sent::First(id) => {
                    let slot = self.window.get(id);
                    self.window.give_back(id);
                    if let Some(key) = slot.letter() {
                        self.begin_anew(key, begun);
                    }
                }
                Sent::Again(_) => {}
            }
        }
        self.leave_straight();
        self.aliases.begin(0);
        self.broker_aliases.clear();
        self.authentication_ends();
        let settled: Vec<(u16, Step)> = self
            .window
            .in_use()
            .filter_map(|(id, slot)| match slot {
                Slot::Settled(step) => Some((id, step)),
                _ => None,
            })
            .collect();
        for (id, step) in settled {
            match step {
                Step::PubAck => self.window.release(id),
                Step::PubRec => self.window.reserve(id),
                Step::PubComp => {} // the broker waits for PUBREL
            }
        }
        self.window.disconnected();
        self.note_reserved();
    }

    /// A letter of which the broker has nothing waits again; one that is settled is resent only where the broker may have it.
    fn begin_anew(&mut self, key: LetterKey, begun: bool) {
        if self
            .shelf
            .get(key)
            .is_some_and(|letter| letter.receipt.is_some())
        {
            self.wait_again(key, begun);
        } else {
            self.finish(key, Outcome::new(OutcomeStatus::Expired));
        }
    }

    /// Too many identifiers out of use would narrow the window for good.
    pub(super) fn note_reserved(&mut self) {
        let withheld = self.window.reserved();
        if withheld > MANY_RESERVED && !self.life.fresh_session {
            self.life.fresh_session = true;
            self.events
                .push(Event::Notice(Notice::FreshSession { withheld }));
        }
    }

    /// The broker has no session for us: identifiers mean nothing to it any more.
    pub(super) fn session_lost(&mut self, first_id: u16) {
        let in_flight: Vec<(LetterKey, Step)> = self
            .window
            .in_use()
            .filter_map(|(_, slot)| match slot {
                Slot::Letter(key, step) => Some((key, step)),
                _ => None,
            })
            .collect();
        self.window.restart(first_id);
        // From the last to the first, each to the front: so they go first, in their old order.
        for (key, step) in in_flight.into_iter().rev() {
            if self.is_posted_again(key, step) {
                self.wait_again(key, true);
            } else {
                self.finish(
                    key,
                    Outcome::new(OutcomeStatus::SessionLost).with_maybe_delivered(true),
                );
            }
        }
    }

    /// May a letter be sent as a new one, although the broker may have the old one.
    fn is_posted_again(&self, key: LetterKey, step: Step) -> bool {
        // A letter that is settled is kept only for a session that goes on.
        let unsettled = self
            .shelf
            .get(key)
            .is_some_and(|letter| letter.receipt.is_some());
        unsettled
            && match (self.options.on_session_lost, step) {
                (OnSessionLost::ReportAll, _) | (_, Step::PubComp) => false,
                (OnSessionLost::RepublishQos1, step) => step == Step::PubAck,
                (OnSessionLost::RepublishAll, _) => true,
            }
    }

    /// Composes what has to be sent again. Says whether all of it is composed, so that new letters may follow.
    pub(super) fn compose_replay(&mut self) -> bool {
        while let Some((id, slot)) = self.window.replay_next() {
            let is_publish = matches!(slot, Slot::Letter(_, Step::PubAck | Step::PubRec));
            let window_full = is_publish && self.window.unacknowledged() >= self.window_limit();
            if window_full {
                self.compose_releases_ahead();
                return false;
            }
            if !self.wire.has_room() {
                return false;
            }
            match slot {
                Slot::Letter(_, Step::PubComp) | Slot::Settled(Step::PubComp)
                    if self.window.went_ahead() =>
                {
                    self.window.replayed();
                }
                Slot::Letter(_, Step::PubComp) | Slot::Settled(Step::PubComp) => {
                    self.compose_release_again(id);
                }
                Slot::Letter(key, _) => self.compose_publish_again(key, id),
                // Settled exchanges have left the window with their connection, and so have requests.
                Slot::Settled(_) | Slot::Request | Slot::Empty => self.window.replayed(),
            }
        }
        true
    }

    /// PUBLISH again, with DUP; unless the broker takes less than before.
    fn compose_publish_again(&mut self, key: LetterKey, id: u16) {
        if let Some(letter) = self.shelf.get(key).filter(|letter| self.is_refused(letter)) {
            let refusal = self.refusal(letter);
            self.finish(key, refusal.with_maybe_delivered(true));
            return self.withhold(id);
        }
        match self.compose_frame(key, Some(id), true, Sent::Again(id)) {
            Ok(()) => {
                self.window.replayed();
                if let Some(letter) = self.shelf.get_mut(key) {
                    letter.attempts = letter.attempts.saturating_add(1);
                }
            }
            Err(error) => {
                self.finish(key, too_large(error).with_maybe_delivered(true));
                self.withhold(id);
            }
        }
    }

    /// Quota may hold back PUBLISH packets alone (MQTT 5, 3.3.4-8): the PUBRELs behind one that waits for it go now.
    fn compose_releases_ahead(&mut self) {
        for id in self.window.take_releases_ahead() {
            if let Some(id) = PacketId::new(id) {
                self.send_plain_ack(PacketType::PubRel, id);
            }
        }
        if !self.wire.wants_offer() {
            self.wire.begin_offer();
        }
    }

    fn compose_release_again(&mut self, id: u16) {
        let start = self.wire.composed();
        let fits = self.broker.maximum_packet_size >= PLAIN_ACK;
        if let Some(id) = PacketId::new(id).filter(|_| fits) {
            encode_plain_ack(PacketType::PubRel, id, self.wire.run());
        }
        self.wire.end_frame(start, Sent::Again(id));
        self.window.replayed();
    }
}
