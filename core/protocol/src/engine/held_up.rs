//! An identifier that the broker never answers, while it answers later ones: in the end it spans the ring and keeps all others from being used.
//!
//! Identifiers are used in turn, so one that stays unanswered leaves 65 534 for what comes behind it. When they are used up nothing more can be sent
//! that needs one, although hardly any is in use. Then the connection is given up, so that the session begins again with what is unanswered.
use core::time::Duration;

use super::Engine;
use super::incoming::Violation;
use super::timers::Timer;
use crate::reason::ReasonCode;

/// So long a broker may take for an answer without which nothing goes on. No option says it: where answers take longer than that option, the
/// client would go round in circles.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

impl Engine {
    /// No identifier is left.
    pub(super) fn watch_oldest_identifier(&mut self) {
        if self.timers.get(Timer::OldestIdentifier).is_none() {
            self.held_up_at = self.window.popped();
            self.timers
                .set(Timer::OldestIdentifier, self.now + PATIENCE);
        }
    }

    /// If it is the same one still, and later ones have been answered, it is sent again on the next connection.
    pub(super) fn oldest_identifier_is_late(&mut self) {
        if !self.wire.is_idle() {
            self.watch_oldest_identifier(); // our side is slow
        } else if self.held_up_at == self.window.popped() && self.window.is_held_up() {
            self.violated(Violation::new(
                ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR,
                "the broker left one packet identifier unanswered until all others had been used (4.3.2, 4.3.3)",
            ));
        }
    }
}
