//! What became of a letter, and the statuses of a client and of a subscription: the tables every language prints from.
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::error::{Error, ErrorKind};
use crate::named::named;
use crate::reason::ReasonCode;

named! {
    /// What became of a letter. Every letter gets exactly one.
    pub enum OutcomeStatus {
        /// The broker has it: PUBACK at QoS 1, PUBCOMP at QoS 2, with the reason code.
        Acknowledged = 1, "acknowledged";
        /// QoS 0: its last byte was taken by the operating system.
        Sent = 2, "sent";
        /// Its time to live passed.
        Expired = 3, "expired";
        /// Never sent: it made room for another, or a newer one replaced it.
        Dropped = 4, "dropped";
        /// The broker refused it, or it could not be sent to this broker.
        Rejected = 5, "rejected";
        /// The caller took it back.
        Cancelled = 6, "cancelled";
        /// In flight when the broker lost the session, and not posted again.
        SessionLost = 7, "session_lost";
        /// The client closed first.
        Closed = 8, "closed";
    }
}

impl OutcomeStatus {
    /// Did it go as asked: `acknowledged` or `sent`.
    pub const fn ok(self) -> bool {
        matches!(self, OutcomeStatus::Acknowledged | OutcomeStatus::Sent)
    }

    /// Does the broker have it for certain: `acknowledged` alone.
    pub const fn delivered(self) -> bool {
        matches!(self, OutcomeStatus::Acknowledged)
    }
}

named! {
    /// Is the client connected. Attempts to connect are events, not statuses.
    pub enum Status {
        /// No connection, whether or not one is just being tried.
        Offline = 0, "offline";
        /// The broker has accepted the connection.
        Online = 1, "online";
        /// Closed for good; every letter has its outcome.
        Closed = 2, "closed";
    }
}

named! {
    /// How a subscription stands with the broker.
    pub enum SubscriptionState {
        /// No connection, or the broker has not answered yet.
        Down = 0, "down";
        /// Granted as asked.
        Up = 1, "up";
        /// Granted with a lower QoS than asked for.
        Downgraded = 2, "downgraded";
        /// Refused by the broker, with its reason code.
        Refused = 3, "refused";
    }
}

/// The outcome of one letter: its status, the broker's reason, and whether it may have arrived all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What became of the letter.
    pub status: OutcomeStatus,
    /// The reason code of the broker's answer, or of the check that rejected it here; `None` where nobody gave one.
    pub reason: Option<ReasonCode>,
    /// Not known to be delivered, but its first byte had been taken by the operating system: the broker may have it.
    pub maybe_delivered: bool,
    /// What else the broker said; almost always `None`.
    pub detail: Option<Box<OutcomeDetail>>,
}

/// What a broker may say beside the reason code (MQTT 5, 3.4.2.2, 3.5.2.2, 3.7.2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutcomeDetail {
    /// The reason in the words of the broker, or of the local check that rejected the letter.
    pub reason_string: Option<String>,
    /// The user properties of the answer, in their order.
    pub user_properties: Vec<(String, String)>,
}

impl Outcome {
    /// An outcome without a reason code, for a letter of which no byte has left.
    pub const fn new(status: OutcomeStatus) -> Outcome {
        Outcome {
            status,
            reason: None,
            maybe_delivered: false,
            detail: None,
        }
    }

    /// The same outcome with the broker's reason code.
    pub fn with_reason(mut self, reason: ReasonCode) -> Outcome {
        self.reason = Some(reason);
        self
    }

    /// The same outcome, saying whether the letter may have arrived.
    pub fn with_maybe_delivered(mut self, maybe_delivered: bool) -> Outcome {
        self.maybe_delivered = maybe_delivered;
        self
    }

    /// Did it go as asked: `acknowledged` or `sent`.
    pub const fn ok(&self) -> bool {
        self.status.ok()
    }

    /// Does the broker have it for certain.
    pub const fn delivered(&self) -> bool {
        self.status.delivered()
    }

    /// The reason in the broker's words, if it gave one.
    pub fn reason_string(&self) -> Option<&str> {
        self.detail.as_ref()?.reason_string.as_deref()
    }

    /// The user properties of the broker's answer.
    pub fn user_properties(&self) -> &[(String, String)] {
        self.detail
            .as_ref()
            .map_or(&[], |detail| &detail.user_properties)
    }

    /// The outcome if it is [`ok`](Outcome::ok), else an error of kind `NotDelivered` that says what became of the letter.
    pub fn into_result(self) -> Result<Outcome, Error> {
        if self.ok() {
            Ok(self)
        } else {
            Err(self.to_error())
        }
    }

    fn to_error(&self) -> Error {
        let mut detail = alloc::format!("the letter was not delivered: {}", self.status);
        if let Some(reason) = self.reason {
            detail.push_str(&alloc::format!(" ({reason})"));
        }
        if let Some(words) = self.reason_string() {
            detail.push_str(&alloc::format!(", \"{}\"", words.escape_debug()));
        }
        if self.maybe_delivered {
            detail.push_str("; it had been sent, so the broker may have it");
        }
        Error {
            reason: self.reason,
            ..Error::new(ErrorKind::NotDelivered, detail)
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_and_numbers_lead_back() {
        for &status in OutcomeStatus::ALL {
            assert_eq!(OutcomeStatus::from_name(status.name()), Some(status));
            assert_eq!(OutcomeStatus::from_number(status.number()), Some(status));
        }
        assert_eq!(Status::Online.to_string(), "online");
        assert_eq!(
            Outcome::new(OutcomeStatus::SessionLost).to_string(),
            "session_lost"
        );
    }

    #[test]
    fn only_acknowledged_is_delivered_and_sent_is_ok() {
        let ok: Vec<_> = OutcomeStatus::ALL
            .iter()
            .filter(|status| status.ok())
            .map(|status| status.name())
            .collect();
        assert_eq!(ok, ["acknowledged", "sent"]);
        let delivered: Vec<_> = OutcomeStatus::ALL
            .iter()
            .filter(|status| status.delivered())
            .collect();
        assert_eq!(delivered, [&OutcomeStatus::Acknowledged]);
    }

    #[test]
    fn a_failed_outcome_says_what_became_of_the_letter() {
        let error = Outcome::new(OutcomeStatus::Expired)
            .with_maybe_delivered(true)
            .into_result()
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotDelivered);
        assert_eq!(
            error.to_string(),
            "the letter was not delivered: expired; it had been sent, so the broker may have it"
        );
        assert!(Outcome::new(OutcomeStatus::Sent).into_result().is_ok());
    }
}
