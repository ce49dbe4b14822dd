//! Durations as text: `250ms`, `5s`, `2m`, `1h`; read exactly, and shown in the largest unit that fits.
use alloc::string::String;
use core::fmt::{self, Write};
use core::time::Duration;

/// Nanoseconds, signed and wide, so that nothing a host can give overflows before it is refused.
pub(super) type Nanos = i128;

const SECOND: Nanos = 1_000_000_000;
const UNITS: [(&str, Nanos); 4] = [
    ("ms", SECOND / 1000),
    ("h", 3600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
];

/// The durations that a row of the table allows.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) min: Duration,
    pub(super) max: Duration,
    pub(super) whole_seconds: bool,
}

impl Span {
    pub(super) fn admit(self, given: Nanos) -> Option<Duration> {
        let given = to_duration(given)?;
        let fits = (self.min..=self.max).contains(&given)
            && !(self.whole_seconds && given.subsec_nanos() > 0);
        fits.then_some(given)
    }
}

pub(super) fn nanos(duration: Duration) -> Nanos {
    Nanos::from(duration.as_secs())
        .saturating_mul(SECOND)
        .saturating_add(Nanos::from(duration.subsec_nanos()))
}

/// `number` units.
pub(super) fn times(number: i64, unit: Duration) -> Nanos {
    Nanos::from(number).saturating_mul(nanos(unit))
}

/// `number` units, rounded to a nanosecond; `None` for what is no number, or one of more than thousands of years.
pub(super) fn times_real(number: f64, unit: Duration) -> Option<Nanos> {
    let exact = number * nanos(unit) as f64;
    if !exact.is_finite() || exact.abs() > 1e21 {
        return None;
    }
    // Adding a half and cutting rounds, but from 2^52 on there are no halves left to add.
    let half = if exact.abs() < 4_503_599_627_370_496.0 {
        0.5_f64.copysign(exact)
    } else {
        0.0
    };
    Some((exact + half) as Nanos)
}

/// Reads a number, with decimals or without, and a unit: `ms`, `s`, `m` or `h`.
pub(super) fn parse(text: &str) -> Option<Nanos> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|&(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let (number, sign) = number
        .strip_prefix('-')
        .map_or((number, 1), |rest| (rest, -1));
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| {
        !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    let scale = decimals
        .bytes()
        .fold(1, |scale: Nanos, _| scale.saturating_mul(10));
    let decimals: Nanos = decimals.parse().ok()?;
    let whole: Nanos = whole.parse().ok()?;
    let part = decimals.saturating_mul(unit).checked_div(scale)?;
    let magnitude = whole.saturating_mul(unit).saturating_add(part);
    Some(magnitude.saturating_mul(sign))
}

/// A duration as a reader writes it: `90s`, `1.5s`, `1h`.
pub(super) struct Shown(pub(super) Nanos);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.saturating_abs();
        let mut text = String::new();
        if self.0 < 0 {
            text.push('-');
        }
        if magnitude != 0 && magnitude < SECOND {
            decimal(&mut text, magnitude, SECOND / 1000)?;
            text.push_str("ms");
        } else if magnitude != 0 && magnitude % (3600 * SECOND) == 0 {
            write!(text, "{}h", magnitude / (3600 * SECOND))?;
        } else if magnitude != 0 && magnitude % (60 * SECOND) == 0 {
            write!(text, "{}m", magnitude / (60 * SECOND))?;
        } else {
            decimal(&mut text, magnitude, SECOND)?;
            text.push('s');
        }
        f.pad(&text)
    }
}

fn decimal(text: &mut String, nanos: Nanos, unit: Nanos) -> fmt::Result {
    // Units are powers of ten, so there is always a place.
    let split =
        |number: Nanos, place: Nanos| number.checked_div(place).zip(number.checked_rem(place));
    let (whole, mut rest) = split(nanos, unit).unwrap_or_default();
    write!(text, "{whole}")?;
    if rest > 0 {
        text.push('.');
    }
    let mut place = unit / 10;
    while let Some((digit, less)) = split(rest, place).filter(|_| rest > 0) {
        write!(text, "{digit}")?;
        (rest, place) = (less, place / 10);
    }
    Ok(())
}

fn to_duration(nanos: Nanos) -> Option<Duration> {
    let seconds = u64::try_from(nanos.div_euclid(SECOND)).ok()?;
    let rest = u64::try_from(nanos.rem_euclid(SECOND)).ok()?;
    Duration::from_secs(seconds).checked_add(Duration::from_nanos(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn text_is_read_exactly_and_shown_as_a_reader_writes_it() {
        for (given, nanos, shown) in [
            ("250ms", 250_000_000, "250ms"),
            ("1.5s", 1_500_000_000, "1.5s"),
            ("0s", 0, "0s"),
            ("90s", 90 * SECOND, "90s"),
            ("120s", 120 * SECOND, "2m"),
            ("60m", 3600 * SECOND, "1h"),
            ("1500ms", 1_500_000_000, "1.5s"),
            ("0.25ms", 250_000, "0.25ms"),
            ("-5s", -5 * SECOND, "-5s"),
        ] {
            assert_eq!(parse(given), Some(nanos), "{given}");
            assert_eq!(Shown(nanos).to_string(), shown);
            assert_eq!(parse(shown), Some(nanos), "{shown}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for given in [
            "",
            "s",
            "5",
            "5 s",
            "5d",
            "five s",
            "+5s",
            "1.s",
            ".5s",
            "1h30m",
            "1e3s",
            "9999999999999999999s",
            "1.5.5s",
        ] {
            assert_eq!(parse(given), None, "{given}");
        }
    }

    #[test]
    fn floating_seconds_become_whole_nanoseconds() {
        let second = Duration::from_secs(1);
        assert_eq!(times_real(0.05, second), Some(50_000_000));
        assert_eq!(times_real(-0.05, second), Some(-50_000_000));
        assert_eq!(times_real(f64::NAN, second), None);
        assert_eq!(times_real(f64::INFINITY, second), None);
        assert_eq!(times_real(1e300, second), None);
        assert_eq!(to_duration(-1), None);
    }
}
