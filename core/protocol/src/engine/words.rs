//! Events in words: the sentences that every language logs and raises.
use alloc::format;
use core::fmt;

use super::event::{Answers, ConnectionEvent, Notice};
use crate::error::{Error, ErrorKind};

impl Answers {
    /// The refusal among the answers as an error with the broker's reason code; `None` if all were granted.
    pub fn refusal(&self) -> Option<Error> {
        let &code = self.codes.iter().find(|code| code.is_error())?;
        let of = match &self.refused {
            Some(filter) => format!("the filter \"{}\"", filter.as_str().escape_debug()),
            None => "the filter".into(),
        };
        let words = self
            .reason_string
            .as_ref()
            .map(|words| format!(", \"{}\"", words.escape_debug()))
            .unwrap_or_default();
        Some(
            Error::new(
                ErrorKind::Refused,
                format!("the broker refused {of}{words}"),
            )
            .with_reason(code),
        )
    }
}

impl Notice {
    /// Every kind of notice, as [`Notice::name`] says it.
    pub const KINDS: &'static [&'static str] = &[
        "acknowledgement_held",
        "oversize_skipped",
        "fresh_session",
        "violation",
        "unanswered",
        "hook_late",
        "tls_files_kept",
    ];

    /// What kind of notice it is, in one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Notice::AcknowledgementHeld { .. } => "acknowledgement_held",
            Notice::OversizeSkipped { .. } => "oversize_skipped",
            Notice::FreshSession { .. } => "fresh_session",
            Notice::Violation(_) => "violation",
            Notice::Unanswered { .. } => "unanswered",
            Notice::HookLate { .. } => "hook_late",
            Notice::TlsFilesKept { .. } => "tls_files_kept",
        }
    }
}

impl ConnectionEvent {
    /// Every kind of news, as [`ConnectionEvent::name`] says it.
    pub const KINDS: &'static [&'static str] = &["online", "offline", "attempt_failed"];

    /// What kind of news it is, in one word.
    pub const fn name(&self) -> &'static str {
        match self {
            ConnectionEvent::Online(_) => "online",
            ConnectionEvent::Offline { .. } => "offline",
            ConnectionEvent::AttemptFailed { .. } => "attempt_failed",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::AcknowledgementHeld { waiting, .. } => {
                write!(
                    f,
                    "a message has been waiting for its acknowledgement for {waiting:?} and holds back those after it"
                )
            }
            Notice::OversizeSkipped { length } => {
                write!(
                    f,
                    "a packet of {length} bytes was larger than max_packet_size: it was skipped and acknowledged"
                )
            }
            Notice::FreshSession { withheld } => {
                write!(
                    f,
                    "{withheld} packet identifiers are held by withheld letters: the next connection begins a fresh session"
                )
            }
            Notice::Violation(error) => write!(
                f,
                "the broker broke the rules and was disconnected: {error}"
            ),
            Notice::Unanswered { filters } => {
                write!(
                    f,
                    "a request with {filters} topic filters was not answered in time and is sent again"
                )
            }
            Notice::TlsFilesKept { why } => write!(
                f,
                "what was read of the TLS files before stays in use, because {why}"
            ),
            Notice::HookLate { packet } => write!(
                f,
                "a hook did not say in time what {packet} is to carry: it was sent without words"
            ),
        }
    }
}
