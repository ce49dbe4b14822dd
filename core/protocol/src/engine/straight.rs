//! The short way: letters of QoS 0 that go straight from their batch to the socket, without lying on the shelf first.
//!
//! A letter goes straight if nothing waits before it and the socket is ready → its frame is composed from the texts of the batch → the system takes it
//! whole: `sent`. Or the socket stalls, or the connection is lost: it is put on the shelf after all, and is a letter like any other.
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::Engine;
use super::letter::Letter;
use super::lifecycle::State;
use super::outgoing::{Framing, too_large, write_frame};
use super::shelf::LetterKey;
use super::wire::Sent;
use crate::message::QoS;
use crate::outcome::{Outcome, OutcomeStatus};

/// Letters on the short way, in the order of their frames, and the texts of their batch.
#[derive(Debug, Default)]
pub(super) struct Straight {
    is_open: bool,
    letters: VecDeque<Letter>,
    texts: Vec<u8>,
}

impl Engine {
    /// A batch comes. Says whether the short way is open: nothing waits, and the socket is ready. Only one batch at a time can use it, because its texts are
    /// kept meanwhile.
    pub(super) fn open_way(&mut self) -> bool {
        self.straight.is_open = self.life.state() == State::Online
            && self.straight.letters.is_empty()
            && self.wire.is_open()
            && self.office.is_empty()
            && self.window.is_replayed()
            && !self.asking.has_unsent();
        if self.straight.is_open {
            self.wire.begin_offer();
        }
        self.straight.is_open
    }

    /// Whatever comes next must not be overtaken.
    pub(super) fn bar_way(&mut self) {
        self.straight.is_open = false;
    }

    /// The batch is taken in. Returns the memory for the texts of the next one.
    pub(super) fn close_way(&mut self, was_open: bool, mut texts: Vec<u8>) -> Vec<u8> {
        if was_open && !self.straight.letters.is_empty() {
            core::mem::swap(&mut texts, &mut self.straight.texts);
        }
        texts.clear();
        texts
    }

    /// May this letter go now, without waiting in a lane.
    pub(super) fn may_go_straight(&self, letter: &Letter) -> bool {
        self.straight.is_open
            && letter.body.key == 0
            && letter.deadline > self.now
            && self.wire.has_room()
    }

    /// Composes a letter from the texts of its batch.
    pub(super) fn send_straight(&mut self, letter: Letter, texts: &[u8]) {
        if let Some(refusal) = self.refusal(&letter) {
            return self.refuse_straight(letter, refusal);
        }
        let expiry = self.remaining_expiry(&letter);
        let framing = Framing {
            id: None,
            dup: false,
            expiry,
        };
        match write_frame(&mut self.wire, &self.broker, &letter, texts, framing) {
            Ok(start) => {
                self.wire.end_frame(start, Sent::Straight);
                self.straight.letters.push_back(letter);
            }
            Err(error) => self.refuse_straight(letter, too_large(error)),
        }
    }

    fn refuse_straight(&mut self, mut letter: Letter, refusal: Outcome) {
        if let Some(receipt) = letter.receipt.take() {
            self.settle_unlisted(receipt, letter.epoch, refusal, letter.cost());
        }
    }

    /// The system took the whole frame of the first letter on the way.
    pub(super) fn straight_sent(&mut self) {
        let Some(mut letter) = self.straight.letters.pop_front() else {
            return;
        };
        self.count_sent(QoS::AtMostOnce);
        if let Some(receipt) = letter.receipt.take() {
            let outcome = Outcome::new(OutcomeStatus::Sent).with_maybe_delivered(true);
            self.settle_unlisted(receipt, letter.epoch, outcome, letter.cost());
        }
    }

    /// Nothing of the last letter on the way was sent: it waits, before all that came after it.
    pub(super) fn straight_waits(&mut self) {
        if let Some(letter) = self.straight.letters.pop_back() {
            let key = self.put_straight_on_shelf(letter);
            self.let_wait_in_front(key);
        }
    }

    /// Only a part of the only letter left on the way was sent.
    pub(super) fn straight_is_stuck(&mut self) {
        if self.wire.first_frame() != Some(Sent::Straight) {
            return;
        }
        if let Some(mut letter) = self.straight.letters.pop_front() {
            letter.attempts = 1;
            let key = self.put_straight_on_shelf(letter);
            self.wire.rename_first_frame(Sent::Once(key));
        }
    }

    fn put_straight_on_shelf(&mut self, letter: Letter) -> LetterKey {
        let texts = core::mem::take(&mut self.straight.texts);
        let key = self.put_on_shelf(letter.body.of_batch(&texts), letter);
        self.straight.texts = texts;
        key
    }
}
