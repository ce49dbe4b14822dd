//! What happened, in the structs of the header: messages, outcomes and news of the core become
//! events.
use std::ffi::{c_char, c_int};
use std::ptr;
use std::time::Duration;

use leveret::host::{Arrival, ConnectionEvent, News, Notice};
use leveret::host::{Error, Outcome, Properties, PropertyId, ReasonCode, Status, Version};

use crate::desk::{Kind, Registered};
use crate::error::MQTT_OK;
use crate::event::*;
use crate::receipt::mqtt_outcome;

/// One event with all that C will read of it. What the structs point to lives on the heap or in
/// what was borrowed, so it may be moved.
#[expect(
    dead_code,
    reason = "the second fields are read through pointers in the first"
)]
pub(crate) enum Happened<'a> {
    /// A message, and the subscription whose context goes with it.
    Message(&'a Arrival, Option<Registered>),
    /// News of the connection, and the text it points to.
    Connection(mqtt_connection_event, String),
    /// An outcome, and the properties it points to.
    Receipt(mqtt_receipt_event, Option<Box<Properties>>),
    /// News of a subscription.
    Subscription(mqtt_subscription_event),
    /// A line for the log, and the text it points to.
    Log(mqtt_log_event, String),
}

impl<'a> Happened<'a> {
    /// News as an event; `None` where another event tells the same.
    pub(crate) fn news(news: &'a News) -> Option<Happened<'a>> {
        Some(match news {
            News::Status(Status::Closed) => Happened::connection(MQTT_CONNECTION_CLOSED),
            News::Status(_) => return None,
            News::Connection(event) => Happened::connection_event(event),
            News::RoundTrip(time) => {
                let event = mqtt_connection_event {
                    round_trip_us: microseconds(*time),
                    ..empty(MQTT_CONNECTION_PING)
                };
                Happened::Connection(event, String::new())
            }
            News::Subscription {
                filter,
                state,
                reason,
            } => {
                let (filter, filter_length) = text(filter.as_str());
                let state = state.number().into();
                Happened::Subscription(mqtt_subscription_event {
                    filter,
                    filter_length,
                    state,
                    reason: number(*reason),
                })
            }
            News::Notice(notice) => Happened::notice(notice),
        })
    }

    /// The outcome of a letter as an event.
    pub(crate) fn settled(receipt: u64, outcome: &'a Outcome) -> Happened<'a> {
        let properties = outcome
            .detail
            .as_ref()
            .map(|_| Box::new(properties_of(outcome)));
        let (text, text_length) = text(outcome.reason_string().unwrap_or_default());
        let event = mqtt_receipt_event {
            receipt,
            outcome: mqtt_outcome::from(outcome),
            text,
            text_length,
            properties: properties
                .as_deref()
                .map_or(ptr::null(), |properties| ptr::from_ref(properties).cast()),
        };
        Happened::Receipt(event, properties)
    }

    /// What kind of callback it is for.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Happened::Message(..) => Kind::Message,
            Happened::Connection(..) => Kind::Connection,
            Happened::Receipt(..) => Kind::Receipt,
            Happened::Subscription(..) => Kind::Subscription,
            Happened::Log(..) => Kind::Log,
        }
    }

    fn connection(kind: c_int) -> Happened<'a> {
        Happened::Connection(empty(kind), String::new())
    }

    fn connection_event(event: &'a ConnectionEvent) -> Happened<'a> {
        match event {
            ConnectionEvent::Online(online) => {
                let (client_id, client_id_length) = text(online.client_id.as_str());
                let event = mqtt_connection_event {
                    version: if online.version == Version::V5 { 5 } else { 4 },
                    session_present: online.session_present,
                    keep_alive_s: u32::try_from(online.keep_alive.as_secs()).unwrap_or(u32::MAX),
                    address: online.endpoint,
                    client_id,
                    client_id_length,
                    properties: ptr::from_ref(&online.properties).cast(),
                    ..empty(MQTT_CONNECTION_ONLINE)
                };
                Happened::Connection(event, String::new())
            }
            ConnectionEvent::Offline { why, properties } => {
                Happened::failed(empty(MQTT_CONNECTION_OFFLINE), why, properties)
            }
            ConnectionEvent::AttemptFailed {
                endpoint,
                why,
                retry_in,
                properties,
            } => {
                let retry_in_ms = u32::try_from(retry_in.as_millis()).unwrap_or(u32::MAX);
                let event = mqtt_connection_event {
                    address: *endpoint,
                    retry_in_ms,
                    ..empty(MQTT_CONNECTION_ATTEMPT_FAILED)
                };
                Happened::failed(event, why, properties)
            }
        }
    }

    fn failed(
        event: mqtt_connection_event,
        why: &Error,
        properties: &'a Properties,
    ) -> Happened<'a> {
        let sentence = why.to_string();
        let (text, text_length) = text(&sentence);
        Happened::Connection(
            mqtt_connection_event {
                text,
                text_length,
                reason: number(why.reason),
                error: why.kind.number(),
                properties: ptr::from_ref(properties).cast(),
                ..event
            },
            sentence,
        )
    }

    fn notice(notice: &Notice) -> Happened<'a> {
        let level = if matches!(notice, Notice::Violation(_)) {
            MQTT_LOG_ERROR
        } else {
            MQTT_LOG_WARNING
        };
        let line = notice.to_string();
        let (text, text_length) = text(&line);
        Happened::Log(
            mqtt_log_event {
                level,
                text,
                text_length,
            },
            line,
        )
    }
}

/// News of the connection that says nothing yet but its kind.
fn empty(kind: c_int) -> mqtt_connection_event {
    let (nothing, _) = text("");
    mqtt_connection_event {
        kind,
        reason: -1,
        version: 0,
        session_present: false,
        retry_in_ms: 0,
        keep_alive_s: 0,
        round_trip_us: 0,
        address: 0,
        client_id: nothing,
        client_id_length: 0,
        text: nothing,
        text_length: 0,
        properties: ptr::null(),
        error: MQTT_OK,
    }
}

/// The words of the broker as the properties they came as.
fn properties_of(outcome: &Outcome) -> Properties {
    let mut properties = Properties::new();
    // What a packet carried fits a packet.
    let _ = outcome
        .reason_string()
        .map(|text| properties.set(PropertyId::ReasonString, text));
    for (name, value) in outcome.user_properties() {
        let _ = properties.add(PropertyId::UserProperty, (name.as_str(), value.as_str()));
    }
    properties
}

fn text(text: &str) -> (*const c_char, usize) {
    (text.as_ptr().cast(), text.len())
}

/// A reason code as a number; -1 for none.
pub(crate) fn number(reason: Option<ReasonCode>) -> c_int {
    reason.map_or(-1, |reason| reason.0.into())
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
