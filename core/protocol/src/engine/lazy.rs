//! A queue from which entries die in the middle: dead ones are skipped at the front and swept out before they outnumber the living.
use crate::checked;
use alloc::collections::VecDeque;
use alloc::collections::vec_deque;

/// Dead entries that are tolerated beyond the number of living ones.
const SLACK: usize = 1_024;

/// Entries whose death is seen elsewhere (a letter settled) and told by [`LazyQueue::one_died`]. Memory stays within twice the living plus a constant.
#[derive(Debug)]
pub(super) struct LazyQueue<T> {
    items: VecDeque<T>,
    living: usize,
}

impl<T: PartialEq> LazyQueue<T> {
    pub(super) const fn new() -> LazyQueue<T> {
        LazyQueue {
            items: VecDeque::new(),
            living: 0,
        }
    }

    pub(super) fn push_back(&mut self, item: T) {
        self.items.push_back(item);
        self.living = self.living.saturating_add(1);
    }

    pub(super) fn push_front(&mut self, item: T) {
        self.items.push_front(item);
        self.living = self.living.saturating_add(1);
    }

    /// Puts `item` behind the last entry that `before` says goes before it. Meant for entries that
    /// arrive almost in order: the way is searched from the back.
    pub(super) fn push_sorted(&mut self, item: T, before: impl Fn(&T) -> bool) {
        self.living = self.living.saturating_add(1);
        if self.items.back().is_none_or(&before) {
            return self.items.push_back(item);
        }
        let behind = |place: &usize| {
            place
                .checked_sub(1)
                .and_then(|place| self.items.get(place))
                .is_none_or(&before)
        };
        let mut places = (0..self.items.len()).rev();
        let place = places.find(behind).unwrap_or_default();
        checked::insert(&mut self.items, place, item);
    }

    /// The first living entry.
    pub(super) fn front(&mut self, alive: impl Fn(&T) -> bool) -> Option<&T> {
        while self.items.front().is_some_and(|item| !alive(item)) {
            self.items.pop_front();
        }
        self.items.front()
    }

    /// Drops the entry that [`LazyQueue::front`] found.
    pub(super) fn drop_front(&mut self) {
        if self.items.pop_front().is_some() {
            self.living = self.living.saturating_sub(1);
        }
    }

    /// Has it no entry, not even a dead one.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// This entry died. Usually it is the first. Sweeps when there are too many dead ones, so that the
    /// cost of a sweep is spread over the deaths before it.
    pub(super) fn one_died(&mut self, item: &T, alive: impl Fn(&T) -> bool) {
        self.living = self.living.saturating_sub(1);
        if self.items.front() == Some(item) {
            self.items.pop_front();
            while self.items.len() > self.living && !self.items.front().is_none_or(&alive) {
                self.items.pop_front();
            }
        } else if self.items.len() > self.living.saturating_mul(2).saturating_add(SLACK) {
            self.items.retain(alive);
            self.living = self.items.len();
        }
    }

    /// Every entry, the dead ones too.
    pub(super) fn iter(&self) -> vec_deque::Iter<'_, T> {
        self.items.iter()
    }

    /// The entry that `key` finds in a queue sorted by it; it may be a dead one.
    pub(super) fn find_by_key<K: Ord>(&self, wanted: &K, key: impl FnMut(&T) -> K) -> Option<&T> {
        self.items
            .get(self.items.binary_search_by_key(wanted, key).ok()?)
    }

    /// Gives memory back when nothing lives.
    pub(super) fn shrink(&mut self) {
        if self.living == 0 {
            self.items = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::RefCell;

    #[test]
    fn one_stuck_entry_does_not_pin_the_dead_behind_it() {
        let dead = RefCell::new(alloc::collections::BTreeSet::new());
        let alive = |n: &u32| !dead.borrow().contains(n);
        let mut queue = LazyQueue::new();
        for n in 0..100_000_u32 {
            queue.push_back(n);
            if n > 0 {
                dead.borrow_mut().insert(n);
                queue.one_died(&n, alive);
            }
        }
        assert!(queue.items.len() <= 2 + SLACK, "{}", queue.items.len());
        assert_eq!(queue.front(alive), Some(&0));
        queue.drop_front();
        assert_eq!(queue.front(alive), None);
        assert_eq!(queue.living, 0);
    }

    #[test]
    fn almost_sorted_entries_end_up_sorted() {
        let mut queue = LazyQueue::new();
        for n in [1, 5, 3, 4, 9, 8] {
            queue.push_sorted(n, |other| *other <= n);
        }
        assert!(queue.iter().copied().eq([1, 3, 4, 5, 8, 9]));
        assert_eq!(queue.find_by_key(&4, |n| *n), Some(&4));
    }
}
