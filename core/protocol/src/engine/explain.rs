//! Where a letter is, and why it is still there.
use alloc::boxed::Box;

use super::Engine;
use super::event::{Awaiting, Explanation, Place, Reply, Tag, WaitingFor};
use super::letter::{Letter, Whereabouts};
use super::lifecycle::State;
use super::shelf::LetterKey;
use super::window::{Slot, Step};
use crate::message::QoS;

impl Engine {
    pub(super) fn explain(&mut self, tag: Tag, reply: Tag) {
        self.leave_straight();
        let explanation = self.find(tag).and_then(|key| self.explanation(key));
        self.reply(reply, Ok(Reply::Explained(explanation.map(Box::new))));
    }

    fn explanation(&mut self, key: LetterKey) -> Option<Explanation> {
        let is_next = self.office.next(&self.shelf) == Some(key);
        let letter = self.shelf.get(key)?;
        let place = match letter.place {
            Whereabouts::Waiting => Place::Waiting(self.waiting_for(letter, is_next)),
            Whereabouts::Moving => Place::InFlight {
                packet_id: 0,
                awaiting: Awaiting::Written,
            },
            Whereabouts::InFlight(packet_id) => Place::InFlight {
                packet_id,
                awaiting: self.awaiting(packet_id),
            },
        };
        Some(Explanation {
            place,
            age: self.now.since(letter.posted),
            attempts: letter.attempts,
            last_error: self.stats.last_error.clone(),
            ttl_left: letter.watch().map(|_| letter.deadline.since(self.now)),
        })
    }

    fn waiting_for(&self, letter: &Letter, is_next: bool) -> WaitingFor {
        if self.life.state() != State::Online {
            WaitingFor::Connection
        } else if self.wire.is_stalled() {
            WaitingFor::Socket
        } else if is_next
            && letter.qos != QoS::AtMostOnce
            && self.window.unacknowledged() >= self.window_limit()
        {
            WaitingFor::Window
        } else {
            WaitingFor::Turn
        }
    }

    fn awaiting(&self, packet_id: u16) -> Awaiting {
        match self.window.get(packet_id) {
            Slot::Letter(_, Step::PubRec) => Awaiting::PubRec,
            Slot::Letter(_, Step::PubComp) => Awaiting::PubComp,
            _ => Awaiting::PubAck,
        }
    }
}
