//! A set of packet identifiers: one bit each, with memory only from the first member on.
use alloc::boxed::Box;

const WORDS: usize = 65_536 / 64;

/// A set of packet identifiers: 8 KiB from the first insertion until it is cleared.
#[derive(Clone, Debug, Default)]
pub(super) struct IdSet {
    words: Option<Box<[u64; WORDS]>>,
    count: usize,
}

impl IdSet {
    /// Every identifier.
    pub(super) fn full() -> IdSet {
        let mut words = Box::new([u64::MAX; WORDS]);
        let [first, ..] = &mut *words;
        *first &= !1; // 0 is no packet identifier
        IdSet {
            words: Some(words),
            count: 65_535,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn contains(&self, id: u16) -> bool {
        self.words.as_ref().is_some_and(|words| {
            words
                .get(place(id))
                .is_some_and(|word| word & mask(id) != 0)
        })
    }

    /// Adds an identifier; says whether it is new.
    pub(super) fn insert(&mut self, id: u16) -> bool {
        let new = !self.contains(id);
        if new {
            let words = self.words.get_or_insert_with(|| Box::new([0; WORDS]));
            if let Some(word) = words.get_mut(place(id)) {
                *word |= mask(id);
            }
            self.count = self.count.saturating_add(1);
        }
        new
    }

    /// Takes an identifier out; says whether it was there.
    pub(super) fn remove(&mut self, id: u16) -> bool {
        let there = self.contains(id);
        if there {
            if let Some(word) = self
                .words
                .as_mut()
                .and_then(|words| words.get_mut(place(id)))
            {
                *word &= !mask(id);
            }
            self.count = self.count.saturating_sub(1);
        }
        there
    }

    /// Takes every identifier of another set out.
    pub(super) fn remove_all(&mut self, others: &IdSet) {
        let (Some(words), Some(others)) = (&mut self.words, &others.words) else {
            return;
        };
        for (word, other) in words.iter_mut().zip(others.iter()) {
            *word &= !other;
        }
        self.count = words.iter().fold(0, |count, word| {
            count.saturating_add(word.count_ones() as usize)
        });
    }

    pub(super) fn clear(&mut self) {
        *self = IdSet::default();
    }
}

/// The word with the bit of an identifier.
fn place(id: u16) -> usize {
    usize::from(id) / 64
}

/// The bit of an identifier in its word.
fn mask(id: u16) -> u64 {
    1_u64.wrapping_shl(u32::from(id % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_each_identifier_once_and_no_memory_when_cleared() {
        let mut set = IdSet::default();
        assert!(set.insert(1) && set.insert(65_535) && !set.insert(1));
        assert!(set.contains(1) && set.contains(65_535) && !set.contains(2));
        assert_eq!(set.len(), 2);
        assert!(set.remove(1) && !set.remove(1) && set.remove(65_535));
        assert_eq!(set.len(), 0);
        set.clear();
        assert!(set.words.is_none());
        assert_eq!(IdSet::full().len(), 65_535);
        let (mut some, mut others) = (IdSet::default(), IdSet::default());
        assert!(some.insert(1) && some.insert(700) && others.insert(700) && others.insert(2));
        some.remove_all(&others);
        assert!(some.contains(1) && !some.contains(700) && !some.contains(2));
        assert_eq!(some.len(), 1);
        assert!(!IdSet::full().contains(0));
    }
}
