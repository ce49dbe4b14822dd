//! The short way: letters of QoS 0 that go to the socket from their batch's own memory, without lying on the shelf first.
//!
//! A batch comes while nothing else waits → the plain letters at its front stay in it, as a bundle → each frame is composed from the texts of the
//! bundle → the system takes it whole: `sent`. As soon as something needs a letter singly (its time is over, it is asked for, something else has
//! to go before it, the connection is lost), all that wait here are put on the shelf, and are letters like any other. So whatever waits on the
//! shelf while letters wait here was posted later.
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::Engine;
use super::batch::Batch;
use super::budget::Cost;
use super::event::Event;
use super::letter::{Letter, Receipt};
use super::lifecycle::State;
use super::outgoing::{Framing, write_frame};
use super::wire::Sent;
use crate::checked;
use crate::message::QoS;
use crate::options::Priority;
use crate::outcome::{Outcome, OutcomeStatus};
use crate::time::Instant;

/// A batch with fewer letters is copied behind the bundle before it, if that has fewer, too: what was sent of a bundle is freed with its last letter.
const FEW: usize = 128;

/// Letters in the order of their posting, and their texts: `letters[..sent]` are settled, `letters[sent..composed]` on the wire, the others wait.
#[derive(Debug, Default)]
struct Bundle {
    letters: Vec<Letter>,
    texts: Vec<u8>,
    sent: usize,
    composed: usize,
}

/// The letters on the short way.
#[derive(Debug, Default)]
pub(super) struct Straight {
    bundles: VecDeque<Bundle>,
    /// Bundles of which every letter has been composed.
    composed: usize,
    waiting: Cost,
    /// No waiting letter expires before this moment.
    earliest: Option<Instant>,
    /// Where the frames of the offer end, in the stream of the connection.
    ends: Vec<u64>,
    /// The memory of a bundle that is done.
    spare: Bundle,
}

impl Straight {
    /// Does no letter wait to be composed.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.messages == 0
    }

    /// What waits to be composed.
    pub(super) const fn waiting(&self) -> Cost {
        self.waiting
    }

    /// The letter that has been here longest.
    pub(super) fn front(&self) -> Option<&Letter> {
        let bundle = self.bundles.front()?;
        bundle.letters.get(bundle.sent)
    }

    /// When the time of a waiting letter may be over; never later than it is.
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.earliest.filter(|_| !self.is_empty())
    }

    /// Gives memory back while no letter is on the way.
    pub(super) fn shrink(&mut self) {
        if self.bundles.is_empty() {
            *self = Straight::default();
        }
    }

    fn waits(&mut self, cost: Cost, deadline: Instant) {
        let earliest = self.earliest().unwrap_or(deadline);
        self.earliest = Some(earliest.min(deadline));
        self.waiting += cost;
    }

    /// The last of the composed letters waits again: nothing of it was sent.
    fn uncompose(&mut self) {
        let behind = |straight: &Straight| {
            let bundle = straight.bundles.get(straight.composed);
            bundle.is_none_or(|bundle| bundle.composed == bundle.sent)
        };
        if behind(self) {
            self.composed = self.composed.saturating_sub(1);
        }
        let Some(bundle) = self.bundles.get_mut(self.composed) else {
            return;
        };
        bundle.composed = bundle.composed.saturating_sub(1).max(bundle.sent);
        if let Some(letter) = bundle.letters.get(bundle.composed) {
            let (cost, deadline) = (letter.cost(), letter.deadline);
            self.waits(cost, deadline);
        }
    }

    /// The first letters of the first bundle, so many, leave the way.
    fn drop_first(&mut self, count: usize) {
        let Some(bundle) = self.bundles.front_mut() else {
            return;
        };
        bundle.sent = bundle.sent.saturating_add(count);
        if bundle.sent < bundle.letters.len() {
            return;
        }
        self.composed = self.composed.saturating_sub(1);
        if let Some(mut done) = self.bundles.pop_front() {
            done.letters.clear();
            done.texts.clear();
            self.spare = done;
        }
    }

    /// Takes the first letter on the way, and its texts.
    fn take_stuck(&mut self) -> Option<(Letter, Vec<u8>)> {
        let bundle = self.bundles.front_mut()?;
        let letter = bundle.letters.get_mut(bundle.sent)?;
        let copy = letter.take_over();
        let texts = copy.body.of_batch(&bundle.texts).to_vec();
        self.drop_first(1);
        Some((copy, texts))
    }

    /// Takes the letters that wait out of the first bundle that has such, and a copy of its texts.
    fn take_waiting(&mut self) -> Option<(Vec<Letter>, Vec<u8>)> {
        let bundle = self.bundles.get_mut(self.composed)?;
        let letters = checked::split_off(&mut bundle.letters, bundle.composed);
        let cost = letters
            .iter()
            .fold(Cost::ZERO, |sum, letter| sum + letter.cost());
        let texts = if bundle.composed == bundle.sent {
            self.bundles.remove(self.composed)?.texts
        } else {
            self.composed = self.composed.saturating_add(1);
            bundle.texts.clone()
        };
        self.waiting -= cost;
        Some((letters, texts))
    }
}

impl Engine {
    /// Does nothing wait, and is the socket ready: then letters are composed as they come.
    pub(super) fn nothing_waits(&self) -> bool {
        self.may_go_straight()
            && self.straight.is_empty()
            && self.wire.is_open()
            && !self.asking.has_unsent()
    }

    fn may_go_straight(&self) -> bool {
        self.life.state() == State::Online
            && self.office.is_empty()
            && self.window.is_replayed()
            && !self.authentication.is_unsettled()
    }

    /// Takes the letters at the front of a batch that may go straight out of it. Returns how many those are.
    pub(super) fn go_straight(&mut self, batch: &mut Batch) -> usize {
        if !self.may_go_straight() {
            return 0;
        }
        let before_commands = batch.commands.first().map_or(usize::MAX, |first| first.0);
        let most = before_commands.min(batch.letters.len());
        let (mut waiting, mut earliest) = (Cost::ZERO, Instant::FAR_FUTURE);
        let mut count = 0_usize;
        for letter in batch.letters.iter_mut().take(most) {
            let may_go = letter.qos == QoS::AtMostOnce
                && letter.priority == Priority::Normal
                && letter.body.key == 0
                && letter.deadline > self.now
                && !self.is_refused(letter);
            if !may_go {
                break;
            }
            letter.epoch = self.flushes.posted();
            waiting += letter.cost();
            earliest = earliest.min(letter.deadline);
            count = count.saturating_add(1);
        }
        if count > 0 {
            self.unsettled += waiting;
            self.straight.waits(waiting, earliest);
            self.keep_bundle(batch, count);
        }
        count
    }

    /// Keeps the first so many letters of a batch. The texts of the others stay where they are.
    fn keep_bundle(&mut self, batch: &mut Batch, count: usize) {
        let straight = &mut self.straight;
        let last = count
            .checked_sub(1)
            .and_then(|last| batch.letters.get(last));
        let end = last.map_or(0, |last| {
            last.body.spot.offset.saturating_add(last.body.length)
        });
        let texts = batch.texts.get(..end).unwrap_or_default();
        let place = straight.bundles.len().saturating_sub(1);
        let few = |last: &&mut Bundle| last.letters.len() < FEW && count < FEW;
        if let Some(last) = straight.bundles.back_mut().filter(few) {
            // It is not among the bundles that are composed whole any more.
            straight.composed = straight.composed.min(place);
            let moved = last.texts.len();
            last.texts.extend_from_slice(texts);
            last.letters
                .extend(checked::drain(&mut batch.letters, count).map(|mut letter| {
                    letter.body.spot.offset = letter.body.spot.offset.saturating_add(moved);
                    letter
                }));
            return;
        }
        let mut bundle = core::mem::take(&mut straight.spare);
        if count == batch.letters.len() {
            core::mem::swap(&mut bundle.letters, &mut batch.letters);
            core::mem::swap(&mut bundle.texts, &mut batch.texts);
        } else {
            bundle
                .letters
                .extend(checked::drain(&mut batch.letters, count));
            bundle.texts.extend_from_slice(texts);
        }
        (bundle.sent, bundle.composed) = (0, 0);
        straight.bundles.push_back(bundle);
    }

    /// Composes the letters that wait here, as many as the socket is to be offered.
    pub(super) fn compose_straight(&mut self) {
        self.straight.ends.clear();
        while !self.straight.is_empty() && self.wire.has_room() {
            if !self.compose_bundle() {
                // Larger than the broker takes: it gets its outcome on the usual way.
                self.leave_straight();
            }
        }
    }

    /// Composes waiting letters of one bundle. False if one of them cannot be.
    fn compose_bundle(&mut self) -> bool {
        let start = self.wire.composed();
        let Some(bundle) = self.straight.bundles.get(self.straight.composed) else {
            return false;
        };
        let letters = bundle.letters.get(bundle.composed..).unwrap_or_default();
        let (mut count, mut cost, mut all_fit) = (0_usize, Cost::ZERO, true);
        for letter in letters {
            let framing = Framing {
                id: None,
                dup: false,
                expiry: self.remaining_expiry(letter),
            };
            let texts = letter.body.of_batch(&bundle.texts);
            let (wire, aliases) = (&mut self.wire, &mut self.aliases);
            all_fit = write_frame(wire, &self.broker, aliases, letter, texts, framing).is_ok();
            if !all_fit {
                break;
            }
            self.straight.ends.push(self.wire.composed());
            cost += letter.cost();
            count = count.saturating_add(1);
            if !self.wire.has_room() {
                break;
            }
        }
        if count > 0 {
            self.wire.end_frame(start, Sent::Straight(count));
        }
        self.straight.waiting -= cost;
        if let Some(bundle) = self.straight.bundles.get_mut(self.straight.composed) {
            bundle.composed = bundle.composed.saturating_add(count);
            self.straight.composed = self
                .straight
                .composed
                .saturating_add(usize::from(bundle.composed == bundle.letters.len()));
        }
        all_fit
    }

    /// The system took the whole frames of the first so many letters on the way, which are of one bundle.
    pub(super) fn straight_sent(&mut self, count: usize) {
        let Some(bundle) = self.straight.bundles.front_mut() else {
            return;
        };
        let letters = bundle.letters.get_mut(bundle.sent..).unwrap_or_default();
        let outcome = || Outcome::new(OutcomeStatus::Sent).with_maybe_delivered(true);
        let (mut sum, mut untold, mut flushed) = (Cost::ZERO, Cost::ZERO, false);
        for letter in letters.iter_mut().take(count) {
            let cost = letter.cost();
            sum += cost;
            flushed |= self.flushes.settled(letter.epoch);
            match letter.receipt.take() {
                Some(Receipt { tag: 0 }) | None => untold += cost,
                Some(Receipt { tag }) => self.events.push(Event::Settled {
                    tag,
                    outcome: outcome(),
                    cost,
                }),
            }
        }
        self.straight.drop_first(count);
        self.unsettled -= sum;
        self.count_sent(QoS::AtMostOnce, count as u64);
        self.count_outcomes(OutcomeStatus::Sent, count as u64);
        if untold.messages > 0 {
            self.tell_outcome(0, outcome(), untold);
        }
        if flushed {
            self.answer_flushes();
        }
    }

    /// Nothing of the last so many letters on the way was sent: they wait again.
    pub(super) fn straight_waits(&mut self, count: usize) {
        for _ in 0..count {
            self.straight.uncompose();
        }
    }

    /// The socket is stalled: from now on each frame counts by itself.
    pub(super) fn tell_straight_apart(&mut self) {
        self.wire.tell_straight_apart(&self.straight.ends);
    }

    /// Only a part of the first letter on the way was sent: from now on its time may be over.
    pub(super) fn straight_is_stuck(&mut self) {
        if !matches!(self.wire.first_frame(), Some(Sent::Straight(_))) {
            return;
        }
        let Some((letter, texts)) = self.straight.take_stuck() else {
            return;
        };
        let key = self.put_on_shelf(&texts, letter);
        if let Some(letter) = self.shelf.get_mut(key) {
            letter.attempts = 1;
        }
        self.wire.rename_first_frame(Sent::Once(key));
    }

    /// All letters that wait here wait on the shelf from now on. To be called before anything is done with a single waiting letter, and before
    /// another waits behind or before them.
    #[inline(always)]
    pub(super) fn leave_straight(&mut self) {
        if !self.straight.is_empty() {
            self.put_straight_on_shelf();
        }
    }

    #[cold]
    fn put_straight_on_shelf(&mut self) {
        let mut keys = Vec::new();
        while !self.straight.is_empty() {
            let Some((letters, texts)) = self.straight.take_waiting() else {
                break;
            };
            for letter in letters {
                keys.push(self.put_on_shelf(letter.body.of_batch(&texts), letter));
            }
        }
        // Before those that wait there already, which were posted later.
        for key in keys.into_iter().rev() {
            self.let_wait_in_front(key);
        }
    }
}
