//! From acceptance to the one outcome: the only place where a letter is settled.
use alloc::vec::Vec;

use super::Engine;
use super::budget::Cost;
use super::event::{Event, Reply, Tag};
use super::letter::{Letter, Receipt, Whereabouts};
use super::pages::Spot;
use super::shelf::LetterKey;
use super::window::{Slot, Step};
use crate::options::{ExpiredInFlight, Overflow, Priority};
use crate::outcome::{Outcome, OutcomeStatus};
use crate::time::Instant;

impl Engine {
    /// Takes a letter in. Its texts lie on the page at `start`.
    pub(super) fn post(&mut self, mut letter: Letter, start: Spot) {
        letter.epoch = self.flushes.posted();
        let (tag, deadline, ttl, keyed) = (
            letter.tag(),
            letter.deadline,
            letter.ttl(),
            letter.body.key > 0,
        );
        self.unsettled += letter.cost();
        let key = self.shelf.put(letter, start);
        if tag != 0 {
            self.receipts
                .insert_sorted((tag, key), |other| other.0 <= tag);
        }
        if let Some(letter) = self.shelf.get(key) {
            self.office.queue(key, letter);
        }
        if keyed {
            self.replace_older(key);
        }
        if let Some(ttl) = ttl {
            let shelf = &self.shelf;
            self.deadlines.watch(ttl, deadline, key, |_, key| {
                shelf.get(key).is_some_and(|letter| letter.watched)
            });
            if deadline <= self.now {
                self.expire(key);
            }
        }
    }

    /// The waiting letter with the same replace key gives way.
    fn replace_older(&mut self, key: LetterKey) {
        let Some(letter) = self.shelf.get(key) else {
            return;
        };
        let older = self.office.replace(self.shelf.replace_key(letter), key);
        let never_begun = |letter: &Letter| letter.place == Whereabouts::Waiting && !letter.begun;
        if let Some(older) = older.filter(|older| self.shelf.get(*older).is_some_and(never_begun)) {
            self.finish(older, Outcome::new(OutcomeStatus::Dropped));
        }
    }

    /// Takes a letter off the shelf and settles it, if that has not been done.
    pub(super) fn finish(&mut self, key: LetterKey, outcome: Outcome) {
        let Some(letter) = self.shelf.get(key) else {
            return;
        };
        if letter.body.key > 0 {
            self.office.forget_key(self.shelf.replace_key(letter), key);
        }
        let Some(mut letter) = self.shelf.take(key) else {
            return;
        };
        if letter.place == Whereabouts::Waiting {
            self.office.one_left(&letter, &self.shelf);
        }
        self.unwatch(&letter);
        let cost = letter.cost();
        match letter.receipt.take() {
            Some(receipt) => self.settle(receipt, letter.epoch, outcome, cost),
            None => self.release_room(cost),
        }
    }

    /// Settles a letter that goes on all the same (`expired_in_flight = resend`): its room is given back when it is done.
    fn settle_and_keep(&mut self, key: LetterKey, outcome: Outcome) {
        let Some(letter) = self.shelf.get_mut(key) else {
            return;
        };
        let epoch = letter.epoch;
        let Some(receipt) = letter.receipt.take() else {
            return;
        };
        self.no_longer_watched(key);
        self.settle(receipt, epoch, outcome, Cost::ZERO);
    }

    pub(super) fn settle(&mut self, receipt: Receipt, epoch: u32, outcome: Outcome, cost: Cost) {
        let tag = receipt.tag;
        if tag != 0 {
            let shelf = &self.shelf;
            self.receipts.one_died(|(_, key)| {
                shelf
                    .get(*key)
                    .is_some_and(|letter| letter.receipt.is_some())
            });
        }
        self.unsettled -= cost;
        if let Some(count) = self
            .stats
            .outcomes
            .get_mut(usize::from(outcome.status.number()))
        {
            *count += 1;
        }
        self.events.push(Event::Settled { tag, outcome, cost });
        self.flushes.settled(epoch);
        self.answer_flushes();
    }

    fn release_room(&mut self, cost: Cost) {
        self.unsettled -= cost;
        self.events.push(Event::Released(cost));
    }

    /// A letter that was dropped on arrival.
    pub(super) fn discard(&mut self, tag: Tag) {
        if let Some(count) = self
            .stats
            .outcomes
            .get_mut(usize::from(OutcomeStatus::Dropped.number()))
        {
            *count += 1;
        }
        self.events.push(Event::Settled {
            tag,
            outcome: Outcome::new(OutcomeStatus::Dropped),
            cost: Cost::ZERO,
        });
    }

    /// Settles every letter whose time has passed.
    pub(super) fn expire_letters(&mut self) {
        while let Some((_, key)) = self
            .next_expiry()
            .filter(|(deadline, _)| *deadline <= self.now)
        {
            self.expire(key);
        }
    }

    /// When the next letter expires.
    pub(super) fn next_deadline(&mut self) -> Option<Instant> {
        self.next_expiry().map(|(deadline, _)| deadline)
    }

    fn next_expiry(&mut self) -> Option<(Instant, LetterKey)> {
        let shelf = &self.shelf;
        self.deadlines
            .next(|_, key| shelf.get(key).is_some_and(|letter| letter.watched))
    }

    pub(super) fn expire(&mut self, key: LetterKey) {
        self.withdraw(key, OutcomeStatus::Expired);
    }

    /// Settles a letter wherever it is. One in flight is withheld from then on, unless it is to be resent by the standard.
    fn withdraw(&mut self, key: LetterKey, status: OutcomeStatus) {
        let Some(letter) = self.shelf.get(key) else {
            return;
        };
        let (place, begun) = (letter.place, letter.begun);
        let outcome =
            Outcome::new(status).with_maybe_delivered(begun || place != Whereabouts::Waiting);
        match place {
            Whereabouts::Waiting | Whereabouts::Writing => self.finish(key, outcome),
            Whereabouts::InFlight(_)
                if self.options.expired_in_flight == ExpiredInFlight::Resend =>
            {
                self.settle_and_keep(key, outcome)
            }
            Whereabouts::InFlight(id) => {
                self.finish(key, outcome);
                self.withhold(id);
            }
        }
    }

    /// The letter under this identifier is settled. The exchange goes on if it was begun on this connection; else it does not begin again.
    pub(super) fn withhold(&mut self, id: u16) {
        let Slot::Letter(_, step) = self.window.get(id) else {
            return;
        };
        match step {
            _ if self.window.was_sent(id) => self.window.set(id, Slot::Settled(step)),
            Step::PubAck => self.window.release(id),
            Step::PubRec => self.window.reserve(id),
            Step::PubComp => self.window.set(id, Slot::Settled(step)),
        }
    }

    /// From now on the letter does not expire: the broker has it (PUBREC), or it is settled.
    pub(super) fn no_longer_watched(&mut self, key: LetterKey) {
        let Some(letter) = self.shelf.get_mut(key).filter(|letter| letter.watched) else {
            return;
        };
        letter.watched = false;
        if let Some(ttl) = letter.ttl() {
            let shelf = &self.shelf;
            self.deadlines.unwatch(ttl, |_, key| {
                shelf.get(key).is_some_and(|letter| letter.watched)
            });
        }
    }

    fn unwatch(&mut self, letter: &Letter) {
        if let Some(ttl) = letter.ttl().filter(|_| letter.watched) {
            let shelf = &self.shelf;
            self.deadlines.unwatch(ttl, |_, key| {
                shelf.get(key).is_some_and(|letter| letter.watched)
            });
        }
    }

    /// Takes a letter back. After PUBREC the broker has it, so it cannot be.
    pub(super) fn cancel(&mut self, tag: Tag, reply: Tag) {
        let alive =
            self.find(tag).filter(
                |key| match self.shelf.get(*key).map(|letter| letter.place) {
                    Some(Whereabouts::InFlight(id)) => {
                        !matches!(self.window.get(id), Slot::Letter(_, Step::PubComp))
                    }
                    place => place.is_some(),
                },
            );
        if let Some(key) = alive {
            self.withdraw(key, OutcomeStatus::Cancelled);
        }
        self.reply(reply, Ok(Reply::Cancelled(alive.is_some())));
    }

    /// The unsettled letter with this receipt.
    pub(super) fn find(&self, tag: Tag) -> Option<LetterKey> {
        let (_, key) = *self.receipts.find_by_key(&tag, |entry| entry.0)?;
        self.shelf
            .get(key)
            .filter(|letter| letter.tag() == tag)
            .map(|_| key)
    }

    pub(super) fn make_room(
        &mut self,
        reply: Tag,
        lacking: Cost,
        rule: Overflow,
        priority: Priority,
    ) {
        let (room, victims) = self.office.make_room(lacking, rule, priority, &self.shelf);
        for victim in victims {
            self.finish(victim, Outcome::new(OutcomeStatus::Dropped));
        }
        self.reply(reply, Ok(Reply::Room(room)));
    }

    pub(super) fn flush(&mut self, reply: Tag) {
        self.flushes.flush(reply);
        self.answer_flushes();
    }

    fn answer_flushes(&mut self) {
        while let Some(reply) = self.flushes.take_done() {
            self.reply(reply, Ok(Reply::Done));
        }
    }

    /// Settles every letter `closed`: those in flight, then those that wait, in the order in which they would have gone.
    pub(super) fn settle_all(&mut self) {
        let in_flight = self.window.in_use().filter_map(|(_, slot)| slot.letter());
        let mut keys: Vec<LetterKey> = in_flight.chain(self.office.iter(&self.shelf)).collect();
        keys.extend(self.shelf.keys()); // and the one that is just being written
        for key in keys {
            let begun = self
                .shelf
                .get(key)
                .is_some_and(|letter| letter.begun || letter.place != Whereabouts::Waiting);
            self.finish(
                key,
                Outcome::new(OutcomeStatus::Closed).with_maybe_delivered(begun),
            );
        }
    }
}
