//! The rows that the behaviour suite must have: every option, outcome, status, error and event that the tables know.
use std::fmt::Write as _;

use leveret_protocol::engine::{ConnectionEvent, Notice};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::outcome::{OutcomeStatus, Status, SubscriptionState};

use super::{connect_table, tables};

/// One row on each line, such as `option publish qos`.
pub fn rows() -> String {
    let mut text = String::from(
        "# What must have a row in the behaviour suite, printed from the tables by `make generate`; verbs are in verbs.txt.\n",
    );
    let mut row = |words: &[&str]| {
        let _ = writeln!(text, "{}", words.join(" "));
    };
    for table in tables().into_iter().chain([connect_table()]) {
        for spec in table.specs {
            row(&["option", table.noun, spec.name]);
        }
    }
    for outcome in OutcomeStatus::ALL {
        row(&["outcome", outcome.name()]);
    }
    for kind in ErrorKind::ALL {
        row(&["error", &format!("{kind:?}")]);
    }
    for status in Status::ALL {
        row(&["event", "status", status.name()]);
    }
    for kind in ConnectionEvent::KINDS {
        row(&["event", "connection", kind]);
    }
    for state in SubscriptionState::ALL {
        row(&["event", "subscription", state.name()]);
    }
    row(&["event", "ping", "ping"]);
    for kind in Notice::KINDS {
        row(&["event", "notice", kind]);
    }
    text
}
