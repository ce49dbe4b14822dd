//! Which version of MQTT is tried at which URL (`protocol = auto`), learned from what the brokers answer.
//!
//! 5 is tried → the broker refuses the version → 3.1.1 at once. → It closes or keeps silent three times → 3.1.1, once. What worked is kept. After an hour
//! of failures 5 is tried again.
use alloc::vec::Vec;
use core::time::Duration;

use crate::codec::Version;
use crate::options::Protocol;
use crate::time::Instant;

/// So many closes or timeouts without a CONNACK make it likely that the broker does not know MQTT 5.
const SILENCES: u8 = 3;
/// After failing for so long, what was learned counts no more.
const FORGET_AFTER: Duration = Duration::from_secs(3_600);

/// What is known of the broker at one URL.
#[derive(Clone, Debug, Default)]
struct Known {
    speaks: Option<Version>,
    silences: u8,
    fell_back_on_silence: bool,
    failing_since: Option<Instant>,
}

/// What is known of each URL, for the life of the client.
#[derive(Debug)]
pub(super) struct Versions {
    protocol: Protocol,
    known: Vec<Known>,
}

impl Versions {
    pub(super) fn new(protocol: Protocol, endpoints: usize) -> Versions {
        Versions {
            protocol,
            known: alloc::vec![Known::default(); endpoints],
        }
    }

    /// The version to try at this URL.
    pub(super) fn to_try(&self, endpoint: usize) -> Version {
        match self.protocol {
            Protocol::V5 => Version::V5,
            Protocol::V311 => Version::V311,
            Protocol::Auto => self
                .known
                .get(endpoint)
                .and_then(|known| known.speaks)
                .unwrap_or(Version::V5),
        }
    }

    /// The broker accepted a connection with this version.
    pub(super) fn worked(&mut self, endpoint: usize, version: Version) {
        if let Some(known) = self.known.get_mut(endpoint) {
            *known = Known {
                speaks: Some(version),
                fell_back_on_silence: known.fell_back_on_silence,
                ..Known::default()
            };
        }
    }

    /// The broker refused the version. Says whether there is another to try, at once.
    pub(super) fn refused(&mut self, endpoint: usize, version: Version) -> bool {
        let fall_back = self.protocol == Protocol::Auto && version == Version::V5;
        if let Some(known) = self.known.get_mut(endpoint).filter(|_| fall_back) {
            known.speaks = Some(Version::V311);
        }
        fall_back
    }

    /// An attempt failed. `silent`: the transport was there, and the broker closed it or said nothing.
    pub(super) fn failed(&mut self, endpoint: usize, version: Version, silent: bool, now: Instant) {
        let Some(known) = self.known.get_mut(endpoint) else {
            return;
        };
        let since = *known.failing_since.get_or_insert(now);
        if now.since(since) >= FORGET_AFTER {
            *known = Known {
                failing_since: Some(now),
                ..Known::default()
            };
            return;
        }
        if silent && version == Version::V5 && known.speaks.is_none() {
            known.silences = known.silences.saturating_add(1);
            if known.silences >= SILENCES && !known.fell_back_on_silence {
                known.fell_back_on_silence = true;
                known.speaks = Some(Version::V311);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto() -> Versions {
        Versions::new(Protocol::Auto, 1)
    }

    #[test]
    fn a_refused_version_is_followed_by_the_other_at_once() {
        let mut versions = auto();
        assert_eq!(versions.to_try(0), Version::V5);
        assert!(versions.refused(0, Version::V5));
        assert_eq!(versions.to_try(0), Version::V311);
        assert!(!versions.refused(0, Version::V311), "there is no third");
        assert!(
            !Versions::new(Protocol::V5, 1).refused(0, Version::V5),
            "none is wanted"
        );
    }

    #[test]
    fn three_silences_fall_back_once_and_an_hour_of_failures_forgets() {
        let mut versions = auto();
        let mut now = Instant(0);
        for _ in 0..3 {
            assert_eq!(versions.to_try(0), Version::V5);
            versions.failed(0, Version::V5, true, now);
        }
        assert_eq!(versions.to_try(0), Version::V311);
        now += FORGET_AFTER - Duration::from_secs(1);
        versions.failed(0, Version::V311, true, now);
        assert_eq!(versions.to_try(0), Version::V311);
        now += Duration::from_secs(1);
        versions.failed(0, Version::V311, false, now);
        assert_eq!(versions.to_try(0), Version::V5);
    }

    #[test]
    fn what_worked_is_kept_and_other_failures_do_not_count() {
        let mut versions = auto();
        (0..9).for_each(|_| versions.failed(0, Version::V5, false, Instant(0)));
        assert_eq!(versions.to_try(0), Version::V5);
        versions.worked(0, Version::V5);
        (0..9).for_each(|_| versions.failed(0, Version::V5, true, Instant(1)));
        assert_eq!(versions.to_try(0), Version::V5, "it has spoken it before");
    }
}
