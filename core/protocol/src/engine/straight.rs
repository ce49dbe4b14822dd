//! The short way: letters of QoS 0 at the front of a batch go straight to the socket, without lying on the shelf first.
//!
//! A letter goes straight if nothing waits before it and the socket is ready → its frame is composed from the texts of the batch, and the batch's own
//! memory is kept → the system takes the frame whole: `sent`. Or the socket stalls, or the connection is lost: the letter is put on the shelf after
//! all, and is a letter like any other.
use alloc::vec::Vec;

use super::Engine;
use super::batch::Batch;
use super::letter::Letter;
use super::lifecycle::State;
use super::outgoing::{Framing, write_frame};
use super::shelf::LetterKey;
use super::wire::Sent;
use crate::message::QoS;
use crate::outcome::{Outcome, OutcomeStatus};

/// Letters on the short way, in the order of their frames, and the texts of their batch.
#[derive(Debug, Default)]
pub(super) struct Straight {
    letters: Vec<Letter>,
    /// Of these the first so many have been sent.
    sent: usize,
    texts: Vec<u8>,
}

impl Straight {
    fn is_empty(&self) -> bool {
        self.sent == self.letters.len()
    }

    /// Gives memory back while no letter is on the way.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() {
            *self = Straight::default();
        }
    }
}

impl Engine {
    /// Does nothing wait, and is the socket ready: then letters are composed as they come.
    pub(super) fn nothing_waits(&self) -> bool {
        self.life.state() == State::Online
            && self.wire.is_open()
            && self.office.is_empty()
            && self.window.is_replayed()
            && !self.asking.has_unsent()
    }

    /// Composes the letters at the front of a batch that may go straight. Returns how many those are.
    pub(super) fn go_straight(&mut self, batch: &mut Batch) -> usize {
        // One batch at a time, because its memory is kept.
        if !self.straight.is_empty() || !self.nothing_waits() || !self.wire.begin_offer() {
            return 0;
        }
        let before_commands = batch.commands.first().map_or(usize::MAX, |first| first.0);
        let mut letters = batch.letters.iter_mut().take(before_commands);
        let stays = letters.position(|letter| !self.send_straight(letter, &batch.texts));
        stays.unwrap_or_else(|| before_commands.min(batch.letters.len()))
    }

    /// Keeps the memory of a batch of which so many letters went straight and the others were taken out.
    pub(super) fn keep_straight(&mut self, batch: &mut Batch) {
        self.straight.letters.clear();
        self.straight.sent = 0;
        core::mem::swap(&mut self.straight.letters, &mut batch.letters);
        core::mem::swap(&mut self.straight.texts, &mut batch.texts);
    }

    /// Composes a letter from the texts of its batch, if it may go now. Says whether it does.
    fn send_straight(&mut self, letter: &mut Letter, texts: &[u8]) -> bool {
        let may_go = letter.qos == QoS::AtMostOnce
            && letter.body.key == 0
            && letter.deadline > self.now
            && self.wire.has_room()
            && !self.is_refused(letter);
        if !may_go {
            return false;
        }
        let framing = Framing {
            id: None,
            dup: false,
            expiry: self.remaining_expiry(letter),
        };
        let texts = letter.body.of_batch(texts);
        let (wire, broker) = (&mut self.wire, &self.broker);
        if write_frame(wire, broker, letter, texts, framing, Sent::Straight).is_err() {
            return false;
        }
        letter.epoch = self.flushes.posted();
        self.unsettled += letter.cost();
        true
    }

    /// The system took the whole frame of the first letter on the way.
    pub(super) fn straight_sent(&mut self) {
        let Some(letter) = self.straight.letters.get_mut(self.straight.sent) else {
            return;
        };
        self.straight.sent += 1;
        if let Some(receipt) = letter.receipt.take() {
            let (epoch, cost) = (letter.epoch, letter.cost());
            let outcome = Outcome::new(OutcomeStatus::Sent).with_maybe_delivered(true);
            self.settle_unlisted(receipt, epoch, outcome, cost);
        }
    }

    /// Nothing of the last letter on the way was sent: it waits, before all that came after it.
    pub(super) fn straight_waits(&mut self) {
        if let Some(key) = self.put_straight_on_shelf() {
            self.let_wait_in_front(key);
        }
    }

    /// Only a part of the last letter on the way was sent.
    pub(super) fn straight_is_stuck(&mut self) {
        if self.wire.first_frame() != Some(Sent::Straight) {
            return;
        }
        if let Some(key) = self.put_straight_on_shelf() {
            if let Some(letter) = self.shelf.get_mut(key) {
                letter.attempts = 1;
            }
            self.wire.rename_first_frame(Sent::Once(key));
        }
    }

    fn put_straight_on_shelf(&mut self) -> Option<LetterKey> {
        if self.straight.is_empty() {
            return None;
        }
        let letter = self.straight.letters.pop()?;
        let texts = core::mem::take(&mut self.straight.texts);
        let key = self.put_on_shelf(letter.body.of_batch(&texts), letter);
        self.straight.texts = texts;
        Some(key)
    }
}
