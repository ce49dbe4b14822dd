//! When letters expire: a queue for each usual TTL, which is in order by itself, and a heap for the odd ones.
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::lazy::LazyQueue;
use super::shelf::LetterKey;
use crate::time::Instant;

/// So many different TTLs get a queue of their own; others share the heap.
const LANES: usize = 8;
/// Dead entries of the heap that are tolerated beyond the number of living ones.
const SLACK: usize = 1_024;

type Entry = (Instant, LetterKey);

#[derive(Debug)]
struct Lane {
    ttl: u64,
    queue: LazyQueue<Entry>,
}

/// The deadlines of all letters that have one. An entry whose letter is settled, or past its TTL's reach, is dead and skipped.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    lanes: Vec<Lane>,
    latest: usize, // the lane used last: nearly always the next one, too
    odd: BinaryHeap<Reverse<(Instant, LetterKey)>>,
    odd_living: usize,
}

impl Deadlines {
    /// Watches a letter; its deadline is its posting time plus this TTL.
    pub(super) fn watch(
        &mut self,
        ttl: u64,
        deadline: Instant,
        key: LetterKey,
        alive: impl Fn(LetterKey) -> bool,
    ) {
        match self.lane(ttl, alive) {
            // Letters are posted from several threads, so they arrive almost, not quite, in order.
            Some(lane) => lane
                .queue
                .push_sorted((deadline, key), |other| other.0 <= deadline),
            None => {
                self.odd.push(Reverse((deadline, key)));
                self.odd_living = self.odd_living.saturating_add(1);
            }
        }
    }

    /// A watched letter with this TTL no longer needs watching.
    pub(super) fn unwatch(
        &mut self,
        ttl: u64,
        deadline: Instant,
        key: LetterKey,
        alive: impl Fn(LetterKey) -> bool,
    ) {
        let known = |place: &usize| self.lanes.get(*place).is_some_and(|lane| lane.ttl == ttl);
        let latest = Some(self.latest).filter(known);
        let place = latest.or_else(|| self.lanes.iter().position(|lane| lane.ttl == ttl));
        if let Some(lane) = place.and_then(|place| self.lanes.get_mut(place)) {
            lane.queue
                .one_died(&(deadline, key), |entry| alive(entry.1));
            return;
        }
        self.odd_living = self.odd_living.saturating_sub(1);
        if self.odd.len() > self.odd_living.saturating_mul(2).saturating_add(SLACK) {
            self.odd.retain(|Reverse(entry)| alive(entry.1));
            self.odd_living = self.odd.len();
        }
    }

    /// The earliest deadline of a letter that is still alive, and that letter.
    pub(super) fn next(&mut self, alive: impl Fn(LetterKey) -> bool) -> Option<Entry> {
        while self
            .odd
            .peek()
            .is_some_and(|Reverse(entry)| !alive(entry.1))
        {
            self.odd.pop();
        }
        let odd = self.odd.peek().map(|Reverse(entry)| *entry);
        let fronts = self
            .lanes
            .iter_mut()
            .filter_map(|lane| lane.queue.front(|entry| alive(entry.1)).copied());
        fronts.chain(odd).min()
    }

    fn lane(&mut self, ttl: u64, alive: impl Fn(LetterKey) -> bool) -> Option<&mut Lane> {
        if self
            .lanes
            .get(self.latest)
            .is_none_or(|lane| lane.ttl != ttl)
        {
            self.latest = match self.lanes.iter().position(|lane| lane.ttl == ttl) {
                Some(place) => place,
                None => self.open_lane(ttl, alive)?,
            };
        }
        self.lanes.get_mut(self.latest)
    }

    /// A new lane, or an idle one turned over to this TTL.
    fn open_lane(&mut self, ttl: u64, alive: impl Fn(LetterKey) -> bool) -> Option<usize> {
        let fresh = Lane {
            ttl,
            queue: LazyQueue::new(),
        };
        if self.lanes.len() < LANES {
            self.lanes.push(fresh);
            return self.lanes.len().checked_sub(1);
        }
        let idle = self
            .lanes
            .iter_mut()
            .position(|lane| lane.queue.front(|entry| alive(entry.1)).is_none())?;
        *self.lanes.get_mut(idle)? = fresh;
        Some(idle)
    }
}

#[cfg(test)]
mod tests {
    use super::super::letter::Letter;
    use super::super::shelf::Shelf;
    use super::*;
    use crate::time::Instant;

    fn watched(shelf: &mut Shelf, deadlines: &mut Deadlines, posted: u64, ttl: u64) -> LetterKey {
        let key = shelf.put(Letter::sample(Instant(posted), Instant(posted + ttl)), b"t");
        deadlines.watch(ttl, Instant(posted + ttl), key, |key| shelf.has(key));
        key
    }

    #[test]
    fn the_earliest_living_deadline_comes_first_whatever_its_ttl() {
        let (mut shelf, mut deadlines) = (Shelf::default(), Deadlines::default());
        // More TTLs than lanes, so that the heap takes part; the earliest deadline belongs to the last one posted.
        let keys: Vec<_> = (0..20_u64)
            .map(|n| watched(&mut shelf, &mut deadlines, n, 1_000 - 40 * n))
            .collect();
        for (n, key) in keys.iter().enumerate().rev() {
            let earliest = deadlines.next(|key| shelf.has(key));
            assert_eq!(earliest, Some((Instant(1_000 - 39 * n as u64), *key)));
            shelf.remove(*key);
            deadlines.unwatch(
                1_000 - 40 * n as u64,
                Instant(1_000 - 39 * n as u64),
                *key,
                |key| shelf.has(key),
            );
        }
        assert_eq!(deadlines.next(|key| shelf.has(key)), None);
    }
}
