//! What letters cost and how much the post office may hold: plain arithmetic, used by callers under their lock and by the simulation.
use core::ops::{Add, AddAssign, Sub, SubAssign};

/// What a letter takes of the post office: itself, and its bytes with the bookkeeping around them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cost {
    /// Number of letters.
    pub messages: u32,
    /// Bytes of topic, properties, payload and replace key, plus [`Cost::PER_LETTER`] for each letter.
    pub bytes: u64,
}

impl Cost {
    /// Nothing.
    pub const ZERO: Cost = Cost {
        messages: 0,
        bytes: 0,
    };
    /// Bytes counted for each letter on top of its contents: its slot, its places in the queues, its entry in the window.
    pub const PER_LETTER: u64 = 160;

    /// The cost of one letter with contents of this many bytes.
    pub const fn of_letter(contents: u64) -> Cost {
        Cost {
            messages: 1,
            bytes: contents.saturating_add(Cost::PER_LETTER),
        }
    }

    /// Is at least as much as `other` in both measures.
    pub const fn covers(self, other: Cost) -> bool {
        self.messages >= other.messages && self.bytes >= other.bytes
    }

    /// What is missing in `self` to cover `other`; zero in the measure that suffices.
    pub const fn lacking(self, other: Cost) -> Cost {
        Cost {
            messages: other.messages.saturating_sub(self.messages),
            bytes: other.bytes.saturating_sub(self.bytes),
        }
    }
}

impl Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost {
            messages: self.messages.saturating_add(other.messages),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        *self = *self + other;
    }
}

impl Sub for Cost {
    type Output = Cost;

    fn sub(self, other: Cost) -> Cost {
        Cost {
            messages: self.messages.saturating_sub(other.messages),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

impl SubAssign for Cost {
    fn sub_assign(&mut self, other: Cost) {
        *self = *self - other;
    }
}

/// The bounds of the post office and what is taken of them. A letter takes its cost when it is accepted and gives it back with its
/// [`Settled`](super::Event::Settled).
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    limit: Cost,
    used: Cost,
}

impl Budget {
    /// An empty post office with these bounds (`max_queued_messages`, `max_queued_bytes`).
    pub const fn new(limit: Cost) -> Budget {
        Budget {
            limit,
            used: Cost::ZERO,
        }
    }

    /// The bounds.
    pub const fn limit(&self) -> Cost {
        self.limit
    }

    /// What is taken.
    pub const fn used(&self) -> Cost {
        self.used
    }

    /// What is still free.
    pub const fn free(&self) -> Cost {
        self.used.lacking(self.limit)
    }

    /// Takes `cost` if it fits; says whether it did.
    #[must_use]
    #[inline]
    pub fn try_take(&mut self, cost: Cost) -> bool {
        let fits = self.free().covers(cost);
        if fits {
            self.used += cost;
        }
        fits
    }

    /// Gives back what was taken before.
    pub fn give_back(&mut self, cost: Cost) {
        self.used -= cost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_up_to_its_bounds_and_never_beyond() {
        let mut budget = Budget::new(Cost {
            messages: 2,
            bytes: 1_000,
        });
        assert!(budget.try_take(Cost {
            messages: 1,
            bytes: 600
        }));
        assert!(
            !budget.try_take(Cost {
                messages: 1,
                bytes: 401
            }),
            "bytes"
        );
        assert!(budget.try_take(Cost {
            messages: 1,
            bytes: 400
        }));
        assert!(
            !budget.try_take(Cost {
                messages: 1,
                bytes: 0
            }),
            "messages"
        );
        assert_eq!(budget.free(), Cost::ZERO);
        budget.give_back(Cost {
            messages: 1,
            bytes: 600,
        });
        assert_eq!(
            budget.used(),
            Cost {
                messages: 1,
                bytes: 400
            }
        );
        assert_eq!(
            budget.free().lacking(Cost {
                messages: 1,
                bytes: 700
            }),
            Cost {
                messages: 0,
                bytes: 100
            }
        );
    }
}
