//! What a client counts, as observers see it.

use std::time::Duration;

use leveret_protocol::error::Error;
use leveret_protocol::outcome::{OutcomeStatus, Status};

use crate::inbox::Inbox;
use crate::outbox::Outbox;

/// A copy of a client's counters. Counts are since the client was made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Whether the client is connected.
    pub status: Status,
    /// Letters accepted, not in flight and not settled. Exact the moment `publish` returned.
    pub queued: u64,
    /// Bytes of these letters, bookkeeping included.
    pub queued_bytes: u64,
    /// Letters sent and not yet settled.
    pub in_flight: u64,
    /// Bytes of these letters, bookkeeping included.
    pub in_flight_bytes: u64,
    /// Age of the oldest letter that is not settled; `None` without one.
    pub oldest: Option<Duration>,
    /// Bytes read from connections.
    pub bytes_in: u64,
    /// Bytes that the operating system took.
    pub bytes_out: u64,
    /// Messages received, by QoS; repetitions are not counted.
    pub messages_in: [u64; 3],
    /// Messages sent, by QoS; repetitions are counted.
    pub messages_out: [u64; 3],
    /// Outcomes by the number of their [status](OutcomeStatus); the first place is not used.
    pub outcomes: [u64; 9],
    /// Connections that a broker accepted after the first one.
    pub reconnects: u64,
    /// Attempts to connect that failed.
    pub failed_attempts: u64,
    /// Why the last attempt or connection ended.
    pub last_error: Option<Error>,
    /// The last measured round trip of a ping.
    pub round_trip: Option<Duration>,
    /// Messages that wait for the application or were taken by it last.
    pub inbox_messages: u64,
    /// Bytes of these messages, bookkeeping included.
    pub inbox_bytes: u64,
    /// QoS 0 messages dropped because the inbox was full (`inbox_overflow = drop_oldest`).
    pub inbox_dropped: u64,
    /// Messages that matched no subscription and that nobody took, late responses among them; they were
    /// acknowledged.
    pub unhandled: u64,
    /// Messages whose handler failed.
    pub handler_failures: u64,
    /// Packets larger than `max_packet_size` that were skipped.
    pub oversize: u64,
}

impl Default for Stats {
    /// Of a client that is closed and never did anything.
    fn default() -> Stats {
        Stats {
            status: Status::Closed,
            queued: 0,
            queued_bytes: 0,
            in_flight: 0,
            in_flight_bytes: 0,
            oldest: None,
            bytes_in: 0,
            bytes_out: 0,
            messages_in: [0; 3],
            messages_out: [0; 3],
            outcomes: [0; 9],
            reconnects: 0,
            failed_attempts: 0,
            last_error: None,
            round_trip: None,
            inbox_messages: 0,
            inbox_bytes: 0,
            inbox_dropped: 0,
            unhandled: 0,
            handler_failures: 0,
            oversize: 0,
        }
    }
}

impl Stats {
    /// The letters' side; the inbox' side is added by [`Stats::with_inbox`].
    pub(crate) fn of(outbox: &Outbox) -> Stats {
        let engine = outbox.engine();
        let queued = outbox.used() - engine.in_flight;
        Stats {
            status: engine.status,
            queued: u64::from(queued.messages),
            queued_bytes: queued.bytes,
            in_flight: u64::from(engine.in_flight.messages),
            in_flight_bytes: engine.in_flight.bytes,
            oldest: engine.oldest,
            bytes_in: engine.bytes_in,
            bytes_out: engine.bytes_out,
            messages_in: engine.messages_in,
            messages_out: engine.messages_out,
            outcomes: outbox.outcomes(),
            reconnects: engine.connections.saturating_sub(1),
            failed_attempts: engine.failed_attempts,
            last_error: engine.last_error.clone(),
            round_trip: engine.round_trip,
            handler_failures: engine.handler_failures,
            oversize: engine.oversize,
            ..Stats::default()
        }
    }

    pub(crate) fn with_inbox(self, inbox: &Inbox) -> Stats {
        let size = inbox.size();
        Stats {
            inbox_messages: size.messages as u64,
            inbox_bytes: size.bytes as u64,
            inbox_dropped: inbox.dropped,
            unhandled: inbox.unhandled,
            ..self
        }
    }

    /// How many letters had this outcome.
    pub fn outcome(&self, status: OutcomeStatus) -> u64 {
        self.outcomes.get(status as usize).copied().unwrap_or(0)
    }
}
