//! A point in time as nanoseconds of the boot clock; there is no `now()`, because time is an input.
use core::fmt;
use core::ops::{Add, AddAssign, Sub};
pub use core::time::Duration;

/// A point in time: nanoseconds since boot, on a clock that runs on while the machine is suspended.
///
/// Plain arithmetic on it saturates: a moment too far away is [`Instant::FAR_FUTURE`], and a difference that would be negative is zero.
/// So a deadline made from any `Duration` is safe to compare, and `u64` nanoseconds last 584 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// The moment the machine booted.
    pub const ZERO: Instant = Instant(0);
    /// Later than everything that can happen.
    pub const FAR_FUTURE: Instant = Instant(u64::MAX);

    /// Nanoseconds since boot.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub const fn since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// How long from this moment until `later`; zero if that has passed.
    pub const fn until(self, later: Instant) -> Duration {
        later.since(self)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, rest: Duration) -> Instant {
        Instant(self.0.saturating_add(nanos(rest)))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, rest: Duration) {
        *self = *self + rest;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, rest: Duration) -> Instant {
        Instant(self.0.saturating_sub(nanos(rest)))
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.since(earlier)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:09}s",
            self.0 / 1_000_000_000,
            self.0 % 1_000_000_000
        )
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Instant(5) + Duration::MAX, Instant::FAR_FUTURE);
        assert_eq!(Instant(5) - Duration::from_secs(1), Instant::ZERO);
        assert_eq!(Instant(5) - Instant(7), Duration::ZERO);
        assert_eq!(Instant(7).since(Instant(5)), Duration::from_nanos(2));
        assert_eq!(Instant(5).until(Instant(7)), Duration::from_nanos(2));
    }
}
