//! From acceptance to the one outcome: the only place where a letter is settled.
use alloc::vec::Vec;

use super::Engine;
use super::budget::Cost;
use super::event::{Event, Reply, Tag};
use super::letter::{Letter, Receipt, Whereabouts};
use super::lifecycle::State;
use super::shelf::LetterKey;
use super::window::{Slot, Step};
use crate::options::{ExpiredInFlight, Overflow, Priority};
use crate::outcome::{Outcome, OutcomeStatus};
use crate::time::Instant;

impl Engine {
    /// Takes a letter in, whose texts lie among those of its batch.
    pub(super) fn post(&mut self, mut letter: Letter, texts: &[u8]) {
        self.leave_straight();
        letter.epoch = self.flushes.posted();
        self.unsettled += letter.cost();
        let texts = letter.body.of_batch(texts);
        let (keyed, late) = (letter.body.key > 0, letter.deadline <= self.now);
        let key = self.put_on_shelf(texts, letter);
        let may_go = !keyed && !late && self.wire.has_room() && self.nothing_waits();
        if may_go && self.wire.begin_offer() && self.compose_letter(key).is_ok() {
            return;
        }
        self.let_wait(key);
        if keyed {
            self.replace_older(key);
        }
        if late {
            self.expire(key);
        } else if self.life.state() == State::Closed {
            self.finish(key, Outcome::new(OutcomeStatus::Closed));
        }
    }

    /// Keeps a letter: it is found by its receipt, and settled when its time is over.
    #[inline(always)]
    pub(super) fn put_on_shelf(&mut self, texts: &[u8], letter: Letter) -> LetterKey {
        let (tag, watch) = (letter.tag(), letter.watch());
        let key = self.shelf.put(letter, texts);
        if tag != 0 {
            let before = |other: &(Tag, LetterKey)| other.0 <= tag;
            self.receipts.push_sorted((tag, key), before);
        }
        if let Some((ttl, deadline)) = watch {
            let shelf = &self.shelf;
            let alive = |key| shelf.get(key).is_some_and(|letter| letter.watched);
            self.deadlines.watch(ttl, deadline, key, alive);
        }
        key
    }

    /// The waiting letter with the same replace key gives way.
    fn replace_older(&mut self, key: LetterKey) {
        let Some(letter) = self.shelf.get(key) else {
            return;
        };
        let texts = letter.body.split(self.shelf.texts(letter));
        let older = self.office.replace(texts.replace_key, key);
        let never_begun = |letter: &Letter| letter.place == Whereabouts::Waiting && !letter.begun;
        if let Some(older) = older.filter(|older| self.shelf.get(*older).is_some_and(never_begun)) {
            self.finish(older, Outcome::new(OutcomeStatus::Dropped));
        }
    }

    /// Takes a letter off the shelf and settles it, if that has not been done.
    pub(super) fn finish(&mut self, key: LetterKey, outcome: Outcome) {
        let Some(letter) = self.shelf.get_mut(key) else {
            return;
        };
        let receipt = letter.receipt.take();
        let (cost, epoch, lane) = (letter.cost(), letter.epoch, letter.lane());
        let waiting = letter.place == Whereabouts::Waiting;
        let watched = letter.watch().filter(|_| letter.watched);
        if letter.body.key > 0 {
            self.forget_replace_key(key);
        }
        self.shelf.remove(key);
        if waiting {
            self.office.one_left(key, lane, cost, &self.shelf);
        }
        if let Some((ttl, deadline)) = watched {
            self.unwatch(ttl, deadline, key);
        }
        match receipt {
            Some(receipt) => self.settle(key, receipt, epoch, outcome, cost),
            None => self.release_room(cost),
        }
    }

    fn forget_replace_key(&mut self, key: LetterKey) {
        if let Some(letter) = self.shelf.get(key) {
            let texts = letter.body.split(self.shelf.texts(letter));
            self.office.forget_key(texts.replace_key, key);
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
        self.settle(key, receipt, epoch, outcome, Cost::ZERO);
    }

    #[inline(always)]
    fn settle(
        &mut self,
        key: LetterKey,
        receipt: Receipt,
        epoch: u32,
        outcome: Outcome,
        cost: Cost,
    ) {
        if receipt.tag != 0 {
            let shelf = &self.shelf;
            let unsettled = |letter: &Letter| letter.receipt.is_some();
            self.receipts.one_died(&(receipt.tag, key), |(_, key)| {
                shelf.get(*key).is_some_and(unsettled)
            });
        }
        self.settle_unlisted(receipt, epoch, outcome, cost);
    }

    /// Settles a letter that cannot be asked for by its receipt.
    #[inline(always)]
    pub(super) fn settle_unlisted(
        &mut self,
        receipt: Receipt,
        epoch: u32,
        outcome: Outcome,
        cost: Cost,
    ) {
        self.unsettled -= cost;
        self.report(receipt.tag, outcome, cost);
        if self.flushes.settled(epoch) {
            self.answer_flushes();
        }
    }

    #[inline(always)]
    fn report(&mut self, tag: Tag, outcome: Outcome, cost: Cost) {
        self.count_outcomes(outcome.status, 1);
        self.tell_outcome(tag, outcome, cost);
    }

    pub(super) fn count_outcomes(&mut self, status: OutcomeStatus, count: u64) {
        if let Some(counted) = self.stats.outcomes.get_mut(usize::from(status.number())) {
            *counted = counted.saturating_add(count);
        }
    }

    #[inline(always)]
    pub(super) fn tell_outcome(&mut self, tag: Tag, outcome: Outcome, cost: Cost) {
        // Nobody tells letters without a receipt apart: those of a flood are one event.
        if let (0, Some(before)) = (tag, self.events.last_mut())
            && let Event::Settled {
                tag: 0,
                outcome: same,
                cost: sum,
            } = before
            && is_usual(&outcome)
            && is_usual(same)
            && same.status == outcome.status
            && same.reason == outcome.reason
        {
            *sum += cost;
            return;
        }
        self.events.push(Event::Settled { tag, outcome, cost });
    }

    fn release_room(&mut self, cost: Cost) {
        self.unsettled -= cost;
        self.events.push(Event::Released(cost));
    }

    /// A letter that was dropped on arrival.
    pub(super) fn discard(&mut self, tag: Tag) {
        self.report(tag, Outcome::new(OutcomeStatus::Dropped), Cost::ZERO);
    }

    /// Settles every letter whose time has passed.
    pub(super) fn expire_letters(&mut self) {
        if self
            .straight
            .earliest()
            .is_some_and(|earliest| earliest <= self.now)
        {
            self.leave_straight();
        }
        while let Some((_, key)) = self
            .next_expiry()
            .filter(|(deadline, _)| *deadline <= self.now)
        {
            self.expire(key);
        }
    }

    /// When the next letter expires.
    pub(super) fn next_deadline(&mut self) -> Option<Instant> {
        let listed = self.next_expiry().map(|(deadline, _)| deadline);
        listed.into_iter().chain(self.straight.earliest()).min()
    }

    fn next_expiry(&mut self) -> Option<(Instant, LetterKey)> {
        let shelf = &self.shelf;
        let alive = |key| shelf.get(key).is_some_and(|letter| letter.watched);
        self.deadlines.next(alive)
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
            Whereabouts::Waiting | Whereabouts::Moving => self.finish(key, outcome),
            Whereabouts::InFlight(_)
                if self.options.expired_in_flight == ExpiredInFlight::Resend =>
            {
                self.settle_and_keep(key, outcome);
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
        let watched = |letter: &&mut Letter| letter.watched;
        let Some(letter) = self.shelf.get_mut(key).filter(watched) else {
            return;
        };
        letter.watched = false;
        if let Some((ttl, deadline)) = letter.watch() {
            self.unwatch(ttl, deadline, key);
        }
    }

    fn unwatch(&mut self, ttl: u64, deadline: Instant, key: LetterKey) {
        let shelf = &self.shelf;
        let alive = |key| shelf.get(key).is_some_and(|letter| letter.watched);
        self.deadlines.unwatch(ttl, deadline, key, alive);
    }

    /// Takes a letter back. After PUBREC the broker has it, so it cannot be.
    pub(super) fn cancel(&mut self, tag: Tag, reply: Tag) {
        self.leave_straight();
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
        self.leave_straight();
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

    pub(super) fn answer_flushes(&mut self) {
        while let Some(reply) = self.flushes.take_done() {
            self.reply(reply, Ok(Reply::Done));
        }
    }

    /// Settles every letter `closed`: those in flight, then those that wait, in the order in which they would have gone.
    pub(super) fn settle_all(&mut self) {
        self.leave_straight();
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

/// Says no more than its status and reason, and is what becomes of nearly all letters.
fn is_usual(outcome: &Outcome) -> bool {
    let delivers = matches!(
        outcome.status,
        OutcomeStatus::Sent | OutcomeStatus::Acknowledged
    );
    delivers && outcome.detail.is_none()
}
