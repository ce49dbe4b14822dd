//! News, reports and counters of the core as plain objects.

use std::collections::BTreeMap;

use leveret::host::{ConnectionEvent, Error, News, Outcome, OutcomeStatus, Reply, Report, Stats};
use napi::Env;
use napi::bindgen_prelude::{Either6, Null};
use napi_derive::napi;

use crate::error::{Parts, parts};
use crate::message::{Delivery, Property, properties};

/// News of a client, told in `event`.
#[napi(object)]
#[derive(Default)]
pub struct Told {
    /// `connection`, `subscription`, `notice`, `ping` or `status`.
    pub kind: String,
    /// Its fields.
    pub event: Event,
}

/// The fields of all kinds of news; each has its own.
#[napi(object)]
#[derive(Default)]
pub struct Event {
    /// `online`, `offline`, `attempt_failed`, or the name of a notice.
    pub kind: Option<String>,
    /// Why: code, sentence, reason code.
    pub error: Option<Parts>,
    /// Does an earlier session go on.
    pub session_present: Option<bool>,
    /// The version of MQTT spoken.
    pub version: Option<String>,
    /// The client id in force.
    pub client_id: Option<String>,
    /// The properties of CONNACK.
    pub properties: Option<BTreeMap<String, Property>>,
    /// Milliseconds until the next attempt.
    pub retry_in: Option<f64>,
    /// Index of the URL.
    pub endpoint: Option<u32>,
    /// Topic filter of a subscription.
    pub filter: Option<String>,
    /// How the subscription stands.
    pub state: Option<String>,
    /// The broker's code for it.
    pub reason: Option<u32>,
    /// The sentence of a notice.
    pub text: Option<String>,
    /// Round trip of a ping in milliseconds.
    pub round_trip: Option<f64>,
    /// The new status.
    pub status: Option<String>,
}

/// News as a kind and fields.
pub(crate) fn told(news: News) -> Told {
    let (kind, event) = match news {
        News::Connection(event) => ("connection", connection(event)),
        News::Subscription {
            filter,
            state,
            reason,
        } => {
            let reason = reason.map(|reason| reason.0.into());
            let (filter, state) = (Some(filter.as_str().into()), Some(state.name().into()));
            (
                "subscription",
                Event {
                    filter,
                    state,
                    reason,
                    ..Event::default()
                },
            )
        }
        News::Notice(notice) => {
            let (kind, text) = (Some(notice.name().into()), Some(notice.to_string()));
            (
                "notice",
                Event {
                    kind,
                    text,
                    ..Event::default()
                },
            )
        }
        News::RoundTrip(time) => (
            "ping",
            Event {
                round_trip: Some(time.as_secs_f64() * 1e3),
                ..Event::default()
            },
        ),
        News::Status(status) => (
            "status",
            Event {
                status: Some(status.name().into()),
                ..Event::default()
            },
        ),
    };
    Told {
        kind: kind.into(),
        event,
    }
}

fn connection(event: ConnectionEvent) -> Event {
    match event {
        ConnectionEvent::Online(online) => Event {
            kind: Some("online".into()),
            session_present: Some(online.session_present),
            version: Some(online.version.name().into()),
            client_id: Some(online.client_id.as_str().into()),
            endpoint: Some(online.endpoint as u32),
            properties: Some(properties(&online.properties)),
            ..Event::default()
        },
        ConnectionEvent::Offline {
            why,
            properties: said,
        } => Event {
            kind: Some("offline".into()),
            error: Some(parts(&why)),
            properties: Some(properties(&said)),
            ..Event::default()
        },
        ConnectionEvent::AttemptFailed {
            endpoint,
            why,
            retry_in,
            properties: said,
        } => Event {
            properties: Some(properties(&said)),
            kind: Some("attempt_failed".into()),
            error: Some(parts(&why)),
            endpoint: Some(endpoint as u32),
            retry_in: Some(retry_in.as_secs_f64() * 1e3),
            ..Event::default()
        },
    }
}

/// The arguments of `Outcome`.
pub(crate) type OutcomeParts = (String, bool, Option<u32>, Option<String>, Vec<Vec<String>>);

fn outcome(outcome: &Outcome) -> OutcomeParts {
    let user = outcome
        .user_properties()
        .iter()
        .map(|(name, value)| vec![name.clone(), value.clone()])
        .collect();
    let words = outcome.reason_string().map(str::to_owned);
    (
        outcome.status.name().into(),
        outcome.maybe_delivered,
        outcome.reason.map(|reason| reason.0.into()),
        words,
        user,
    )
}

/// What a report tells: nothing, an outcome, an error, a flag, a number, a text, the codes of filters, or a response.
type Value<'env> = Either6<
    Null,
    OutcomeParts,
    Parts,
    bool,
    f64,
    Either6<String, Vec<u32>, Delivery<'env>, Null, Null, Null>,
>;

/// An outcome, an answer, or that reading has paused.
#[napi(object, object_from_js = false)]
pub struct Reported<'env> {
    /// The receipt or question.
    pub tag: f64,
    /// `outcome`, `reply`, `error`, `paused`, `status` or `end`.
    pub kind: String,
    /// What is told.
    #[napi(ts_type = "unknown")]
    pub value: Value<'env>,
}

/// A report as a plain object.
pub(crate) fn reported(env: &Env, report: Report) -> napi::Result<Reported<'_>> {
    let (tag, kind, value) = match report {
        Report::Settled {
            tag,
            outcome: settled,
        } => (tag, "outcome", Either6::B(outcome(&settled))),
        Report::Reply { tag, result } => match result.and_then(refusal) {
            Ok(answer) => (tag, "reply", reply(env, answer)?),
            Err(error) => (tag, "error", Either6::C(parts(&error))),
        },
        Report::ReadingPaused(paused) => (0, "paused", Either6::D(paused)),
        Report::Status(status) => (0, "status", Either6::F(Either6::A(status.name().into()))),
        Report::End => (0, "end", Either6::A(Null)),
    };
    Ok(Reported {
        tag: tag as f64,
        kind: kind.into(),
        value,
    })
}

/// An answer of the broker that refuses, as an error.
fn refusal(answer: Reply) -> Result<Reply, Error> {
    match &answer {
        Reply::Subscribed(answers) | Reply::Unsubscribed(answers) => {
            answers.refusal().map_or(Ok(()), Err)?;
        }
        _ => {}
    }
    Ok(answer)
}

fn reply(env: &Env, answer: Reply) -> napi::Result<Value<'_>> {
    Ok(match answer {
        Reply::Done | Reply::Room(_) => Either6::A(Null),
        Reply::Subscribed(answers) | Reply::Unsubscribed(answers) => Either6::F(Either6::B(
            answers.codes.iter().map(|code| code.0.into()).collect(),
        )),
        Reply::Cancelled(found) => Either6::D(found),
        Reply::RoundTrip(time) => Either6::E(time.as_secs_f64() * 1e3),
        Reply::Explained(Some(told)) => Either6::F(Either6::A(told.to_string())),
        Reply::Explained(None) => Either6::A(Null),
        Reply::Response(response) => Either6::F(Either6::C(Delivery::plain(env, &response)?)),
    })
}

/// Every counter. Times are milliseconds.
#[napi(object)]
pub struct Counters {
    /// `offline`, `online` or `closed`.
    pub status: String,
    /// Letters accepted, not in flight and not settled.
    pub queued: f64,
    /// Their bytes.
    pub queued_bytes: f64,
    /// Letters sent and not yet settled.
    pub in_flight: f64,
    /// Their bytes.
    pub in_flight_bytes: f64,
    /// Age of the oldest letter that is not settled.
    pub oldest: Option<f64>,
    /// Bytes read from connections.
    pub bytes_in: f64,
    /// Bytes that the operating system took.
    pub bytes_out: f64,
    /// Messages received, by QoS.
    pub messages_in: Vec<f64>,
    /// Messages sent, by QoS.
    pub messages_out: Vec<f64>,
    /// Outcomes by name.
    pub outcomes: BTreeMap<String, f64>,
    /// Connections after the first one.
    pub reconnects: f64,
    /// Attempts to connect that failed.
    pub failed_attempts: f64,
    /// Why the last attempt or connection ended.
    pub last_error: Option<String>,
    /// The last measured round trip of a ping.
    pub round_trip: Option<f64>,
    /// Messages that wait for the application.
    pub inbox_messages: f64,
    /// Their bytes.
    pub inbox_bytes: f64,
    /// QoS 0 messages dropped because the inbox was full.
    pub inbox_dropped: f64,
    /// Messages that nobody took.
    pub unhandled: f64,
    /// Messages whose handler failed.
    pub handler_failures: f64,
    /// Packets larger than allowed that were skipped.
    pub oversize: f64,
}

impl From<Stats> for Counters {
    fn from(stats: Stats) -> Counters {
        let by_qos = |counts: [u64; 3]| counts.map(|count| count as f64).to_vec();
        let outcomes = OutcomeStatus::ALL
            .iter()
            .map(|&each| (each.name().to_owned(), stats.outcome(each) as f64));
        Counters {
            status: stats.status.name().into(),
            queued: stats.queued as f64,
            queued_bytes: stats.queued_bytes as f64,
            in_flight: stats.in_flight as f64,
            in_flight_bytes: stats.in_flight_bytes as f64,
            oldest: stats.oldest.map(|age| age.as_secs_f64() * 1e3),
            bytes_in: stats.bytes_in as f64,
            bytes_out: stats.bytes_out as f64,
            messages_in: by_qos(stats.messages_in),
            messages_out: by_qos(stats.messages_out),
            outcomes: outcomes.collect(),
            reconnects: stats.reconnects as f64,
            failed_attempts: stats.failed_attempts as f64,
            last_error: stats.last_error.as_ref().map(ToString::to_string),
            round_trip: stats.round_trip.map(|time| time.as_secs_f64() * 1e3),
            inbox_messages: stats.inbox_messages as f64,
            inbox_bytes: stats.inbox_bytes as f64,
            inbox_dropped: stats.inbox_dropped as f64,
            unhandled: stats.unhandled as f64,
            handler_failures: stats.handler_failures as f64,
            oversize: stats.oversize as f64,
        }
    }
}
