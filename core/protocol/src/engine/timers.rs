//! The fixed timers: one slot per kind; the next timeout is the earliest of them.
use crate::time::Instant;

/// What a fixed timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Timer {
    /// Dial, TLS and CONNACK together take too long.
    Connect,
    /// The wait before the next attempt is over.
    Backoff,
    /// Nothing was sent or received for a while: time for a ping.
    KeepAlive,
    /// PINGRESP is late.
    PingResponse,
    /// Online for so long that the backoff starts over.
    Steady,
    /// An application has held an acknowledgement back for too long.
    AcknowledgementHeld,
    /// A SUBSCRIBE or UNSUBSCRIBE has been unanswered for too long.
    Unanswered,
    /// The application takes too long to say what an answer is to carry.
    Words,
    /// The application takes too long to say what an attempt is to say.
    Preparation,
    /// The authenticator takes too long for a step.
    Authenticator,
    /// An identifier that is never answered keeps all others from being used.
    OldestIdentifier,
    /// The broker does not answer what clears an identifier of a session that was taken over.
    Clearing,
    /// `close` has waited long enough.
    Close,
}

const KINDS: [Timer; 13] = [
    Timer::Connect,
    Timer::Backoff,
    Timer::KeepAlive,
    Timer::PingResponse,
    Timer::Steady,
    Timer::AcknowledgementHeld,
    Timer::Unanswered,
    Timer::Words,
    Timer::Preparation,
    Timer::Authenticator,
    Timer::OldestIdentifier,
    Timer::Clearing,
    Timer::Close,
];

/// One slot per kind of timer.
#[derive(Debug, Default)]
pub(super) struct Timers([Option<Instant>; KINDS.len()]);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        if let Some(slot) = self.0.get_mut(timer as usize) {
            *slot = Some(at);
        }
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        if let Some(slot) = self.0.get_mut(timer as usize) {
            *slot = None;
        }
    }

    pub(super) fn get(&self, timer: Timer) -> Option<Instant> {
        *self.0.get(timer as usize)?
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.get(timer).is_some()
    }

    /// The earliest of all.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes one timer that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let due = |slot: &Option<Instant>| slot.is_some_and(|at| at <= now);
        let place = self.0.iter().position(due)?;
        *self.0.get_mut(place)? = None;
        KINDS.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_slot_of_its_number() {
        for (place, &timer) in KINDS.iter().enumerate() {
            assert_eq!(timer as usize, place);
            let mut timers = Timers::default();
            timers.set(timer, Instant(5));
            assert_eq!(timers.take_due(Instant(4)), None);
            assert_eq!(timers.next(), Some(Instant(5)));
            assert_eq!(timers.take_due(Instant(5)), Some(timer));
            assert_eq!(timers.next(), None);
        }
    }
}
