//! News and reports of the core as plain Python values, from which the `.py` side makes its events.

use leveret::host::{ConnectionEvent, Error, News, Outcome, OutcomeStatus, Reply, Report, Stats};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::client::Native;
use crate::error::parts;
use crate::message::{Message, properties};

/// A kind and the fields of its event.
pub(crate) fn news(py: Python<'_>, news: News) -> PyResult<(&'static str, Bound<'_, PyDict>)> {
    let fields = PyDict::new(py);
    let kind = match news {
        News::Connection(event) => {
            connection(&fields, event)?;
            "connection"
        }
        News::Subscription {
            filter,
            state,
            reason,
        } => {
            fields.set_item("filter", filter.as_str())?;
            fields.set_item("state", state.name())?;
            fields.set_item("reason", reason.map(|reason| reason.0))?;
            "subscription"
        }
        News::Notice(notice) => {
            fields.set_item("kind", notice.name())?;
            fields.set_item("text", notice.to_string())?;
            "notice"
        }
        News::RoundTrip(time) => {
            fields.set_item("seconds", time.as_secs_f64())?;
            "ping"
        }
        News::Status(status) => {
            fields.set_item("status", status.name())?;
            "status"
        }
    };
    Ok((kind, fields))
}

fn connection(fields: &Bound<'_, PyDict>, event: ConnectionEvent) -> PyResult<()> {
    match event {
        ConnectionEvent::Online(online) => {
            fields.set_item("kind", "online")?;
            fields.set_item("session_present", online.session_present)?;
            fields.set_item("version", online.version.name())?;
            fields.set_item("client_id", online.client_id.as_str())?;
            fields.set_item("endpoint", online.endpoint)?;
            fields.set_item("properties", properties(fields.py(), &online.properties)?)
        }
        ConnectionEvent::Offline {
            why,
            properties: said,
        } => {
            fields.set_item("kind", "offline")?;
            fields.set_item("properties", properties(fields.py(), &said)?)?;
            fields.set_item("error", parts(&why))
        }
        ConnectionEvent::AttemptFailed {
            endpoint,
            why,
            retry_in,
            properties: said,
        } => {
            fields.set_item("kind", "attempt_failed")?;
            fields.set_item("properties", properties(fields.py(), &said)?)?;
            fields.set_item("error", parts(&why))?;
            fields.set_item("endpoint", endpoint)?;
            fields.set_item("retry_in", retry_in.as_secs_f64())
        }
    }
}

/// The arguments of Python's `Outcome`.
pub(crate) type OutcomeParts = (
    &'static str,
    bool,
    Option<u8>,
    Option<String>,
    Vec<(String, String)>,
);

pub(crate) fn outcome(outcome: &Outcome) -> OutcomeParts {
    let reason = outcome.reason.map(|reason| reason.0);
    let words = outcome.reason_string().map(str::to_owned);
    (
        outcome.status.name(),
        outcome.maybe_delivered,
        reason,
        words,
        outcome.user_properties().to_vec(),
    )
}

/// A tag, what kind of thing is told, and the thing.
pub(crate) fn report<'py>(
    native: &Bound<'py, Native>,
    report: Report,
) -> PyResult<(u64, &'static str, Bound<'py, PyAny>)> {
    let py = native.py();
    Ok(match report {
        Report::Settled {
            tag,
            outcome: settled,
        } => (
            tag,
            "outcome",
            outcome(&settled).into_pyobject(py)?.into_any(),
        ),
        Report::Reply { tag, result } => match result.and_then(refusal) {
            Ok(answer) => (tag, "reply", reply(native, answer)?),
            Err(error) => (tag, "error", parts(&error).into_pyobject(py)?.into_any()),
        },
        Report::ReadingPaused(paused) => {
            (0, "paused", paused.into_pyobject(py)?.to_owned().into_any())
        }
        Report::Status(status) => (0, "status", status.name().into_pyobject(py)?.into_any()),
        Report::End => (0, "end", py.None().into_bound(py)),
    })
}

/// An answer of the broker that refuses, as an error.
pub(crate) fn refusal(answer: Reply) -> Result<Reply, Error> {
    match &answer {
        Reply::Subscribed(answers) | Reply::Unsubscribed(answers) => {
            answers.refusal().map_or(Ok(()), Err)?;
        }
        _ => {}
    }
    Ok(answer)
}

/// The answer to a question.
pub(crate) fn reply<'py>(
    native: &Bound<'py, Native>,
    answer: Reply,
) -> PyResult<Bound<'py, PyAny>> {
    let py = native.py();
    Ok(match answer {
        Reply::Done | Reply::Room(_) => py.None().into_bound(py),
        Reply::Subscribed(answers) | Reply::Unsubscribed(answers) => {
            let codes: Vec<i32> = answers.codes.iter().map(|code| i32::from(code.0)).collect();
            codes.into_pyobject(py)?.into_any()
        }
        Reply::Cancelled(found) => found.into_pyobject(py)?.to_owned().into_any(),
        Reply::RoundTrip(time) => time.as_secs_f64().into_pyobject(py)?.into_any(),
        Reply::Explained(explanation) => {
            explanation.map(|told| told.to_string()).into_pyobject(py)?
        }
        Reply::Response(response) => {
            let message = Message {
                message: *response,
                origin: Some(native.clone().unbind()),
                token: None,
            };
            Bound::new(py, message)?.into_any()
        }
    })
}

/// Every counter by its name.
pub(crate) fn stats<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("status", stats.status.name())?;
    dict.set_item("queued", stats.queued)?;
    dict.set_item("queued_bytes", stats.queued_bytes)?;
    dict.set_item("in_flight", stats.in_flight)?;
    dict.set_item("in_flight_bytes", stats.in_flight_bytes)?;
    dict.set_item("oldest", stats.oldest.map(|age| age.as_secs_f64()))?;
    dict.set_item("bytes_in", stats.bytes_in)?;
    dict.set_item("bytes_out", stats.bytes_out)?;
    dict.set_item("messages_in", stats.messages_in)?;
    dict.set_item("messages_out", stats.messages_out)?;
    let outcomes = PyDict::new(py);
    for &status in OutcomeStatus::ALL {
        outcomes.set_item(status.name(), stats.outcome(status))?;
    }
    dict.set_item("outcomes", outcomes)?;
    dict.set_item("reconnects", stats.reconnects)?;
    dict.set_item("failed_attempts", stats.failed_attempts)?;
    dict.set_item(
        "last_error",
        stats.last_error.as_ref().map(ToString::to_string),
    )?;
    dict.set_item(
        "round_trip",
        stats.round_trip.map(|time| time.as_secs_f64()),
    )?;
    dict.set_item("inbox_messages", stats.inbox_messages)?;
    dict.set_item("inbox_bytes", stats.inbox_bytes)?;
    dict.set_item("inbox_dropped", stats.inbox_dropped)?;
    dict.set_item("unhandled", stats.unhandled)?;
    dict.set_item("handler_failures", stats.handler_failures)?;
    dict.set_item("oversize", stats.oversize)?;
    Ok(dict)
}
