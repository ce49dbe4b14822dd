//! What is told to `tracing`: a line per change of a connection, a subscription, or something odd; nothing per message.
//!
//! | target | level | when |
//! | --- | --- | --- |
//! | `leveret::connection` | `INFO` | online; offline because the client is closed |
//! | | `WARN` | offline for another reason; a connection could not be had |
//! | `leveret::subscription` | `DEBUG` | up, down |
//! | | `WARN` | refused, downgraded |
//! | `leveret::notice` | `WARN` | something odd that an operator may want to know |
//! | `leveret::ping` | `TRACE` | a ping was answered |
//!
//! Each has the field `client`, the client id asked for. No payload, user name, password or key is ever in a line. Spans are
//! not opened: the work of a client is spread over turns of its driver, whose spans would say nothing.

use leveret_protocol::engine::{ConnectionEvent, Event};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::outcome::SubscriptionState;

/// Tells what happened. Called on the runtime's thread and outside of every lock: a subscriber may publish what it is told.
pub(crate) fn tell(event: &Event, client: &str) {
    match event {
        Event::Connection(event) => connection(event, client),
        Event::Subscription {
            filter,
            state: state @ (SubscriptionState::Refused | SubscriptionState::Downgraded),
            reason,
            ..
        } => {
            let reason = reason.map(|reason| reason.0);
            tracing::warn!(
                target: "leveret::subscription",
                client,
                filter = filter.as_str(),
                state = state.name(),
                reason,
                "the broker did not grant what was asked for"
            );
        }
        Event::Subscription { filter, state, .. } => {
            tracing::debug!(
                target: "leveret::subscription",
                client,
                filter = filter.as_str(),
                state = state.name(),
                "subscription"
            );
        }
        Event::Notice(notice) => {
            tracing::warn!(
                target: "leveret::notice",
                client,
                kind = notice.name(),
                "{notice}"
            );
        }
        Event::RoundTrip(time) => {
            tracing::trace!(
                target: "leveret::ping",
                client,
                micros = time.as_micros() as u64,
                "round trip"
            );
        }
        _ => {}
    }
}

fn connection(event: &ConnectionEvent, client: &str) {
    match event {
        ConnectionEvent::Online(online) => {
            tracing::info!(
                target: "leveret::connection",
                client,
                adopted = online.client_id.as_str(),
                version = online.version.name(),
                session_present = online.session_present,
                endpoint = online.endpoint,
                "online"
            );
        }
        ConnectionEvent::Offline { why, .. } if why.kind == ErrorKind::Closed => {
            tracing::info!(
                target: "leveret::connection",
                client,
                "offline: {why}"
            );
        }
        ConnectionEvent::Offline { why, .. } => {
            tracing::warn!(
                target: "leveret::connection",
                client,
                "offline: {why}"
            );
        }
        ConnectionEvent::AttemptFailed {
            endpoint,
            why,
            retry_in,
            ..
        } => {
            tracing::warn!(
                target: "leveret::connection",
                client,
                endpoint,
                retry_in_ms = retry_in.as_millis() as u64,
                "could not connect: {why}"
            );
        }
    }
}
