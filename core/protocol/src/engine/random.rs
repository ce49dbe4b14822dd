//! The engine's only source of chance: a small generator (SplitMix64) that starts from the caller's seed, so that a run can be repeated.
use core::time::Duration;

#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, evenly drawn; 0 if the limit is 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        (u128::from(self.next()).wrapping_mul(u128::from(limit)) >> 64) as u64
    }

    /// A duration between both, evenly drawn; `least` if it is not below `most`.
    pub(super) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let span = most.saturating_sub(least).as_nanos();
        let drawn = self.below(u64::try_from(span).unwrap_or(u64::MAX));
        least.saturating_add(Duration::from_nanos(drawn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_within_bounds_and_spread() {
        let mut random = Random::new(7);
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(3));
        let draws: [Duration; 64] = core::array::from_fn(|_| random.between(least, most));
        assert!(draws.iter().all(|draw| (least..most).contains(draw)));
        assert!(
            draws
                .iter()
                .any(|draw| *draw < Duration::from_millis(1_300))
        );
        assert!(
            draws
                .iter()
                .any(|draw| *draw > Duration::from_millis(2_700))
        );
        assert_eq!(random.between(most, least), most);
        assert_eq!(random.below(0), 0);
    }
}
