//! The simulator's own random numbers: SplitMix64, small enough to read and the same on every machine.
//!
//! One `u64` seed decides a whole run. Each part of the world draws from a *stream* of its own, derived from the seed
//! and the part's name, so that removing an operation while shrinking does not reshuffle what the network does.

/// A deterministic generator (SplitMix64: one 64-bit addition and two multiply-xorshift rounds per number).
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    /// The stream of `seed` that belongs to the part `name` and its number `index`.
    pub fn stream(seed: u64, name: &str, index: u64) -> Random {
        let mut mixed = Random::new(seed ^ 0x9e37_79b9_7f4a_7c15);
        for byte in name.bytes() {
            mixed.state = mixed.word() ^ u64::from(byte);
        }
        mixed.state = mixed.word() ^ index;
        Random::new(mixed.word())
    }

    /// The next number, all 64 bits even.
    pub fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound` (0 for a bound of 0). The bias of the multiplication is below 2⁻³² for the small bounds used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// A number of `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        debug_assert!(low <= high);
        low + self.below((high - low).saturating_add(1))
    }

    /// A number of `low..=high` whose size, not value, is even: small numbers are as likely as large ones.
    pub fn scaled(&mut self, low: u64, high: u64) -> u64 {
        let span = 64 - u64::from((high - low).leading_zeros());
        let bits = self.between(0, span);
        let top = if bits >= 64 {
            u64::MAX
        } else {
            (1 << bits) - 1
        };
        low + self.below(top.min(high - low).saturating_add(1))
    }

    /// True `thousandths` times in a thousand.
    pub fn chance(&mut self, thousandths: u64) -> bool {
        self.below(1000) < thousandths
    }

    /// One of the choices.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    /// The position of one of the weights, each as likely as its share of the sum.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (position, weight) in weights.iter().enumerate() {
            if left < *weight {
                return position;
            }
            left -= weight;
        }
        weights.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn numbers_are_those_of_the_reference_implementation() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.word(), 6_457_827_717_110_365_317);
        assert_eq!(random.word(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn draws_stay_inside_their_bounds() {
        let mut random = Random::stream(7, "bounds", 0);
        for _ in 0..10_000 {
            assert!(random.below(3) < 3);
            assert!((5..=9).contains(&random.between(5, 9)));
            assert!((5..=900).contains(&random.scaled(5, 900)));
            assert!(random.weighted(&[1, 0, 2]) != 1);
        }
    }

    #[test]
    fn streams_of_one_seed_differ() {
        assert_ne!(
            Random::stream(1, "a", 0).word(),
            Random::stream(1, "b", 0).word()
        );
        assert_ne!(
            Random::stream(1, "a", 0).word(),
            Random::stream(1, "a", 1).word()
        );
    }
}
