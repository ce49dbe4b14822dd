//! Errors of the core on their way to `MqttError`, whose parts `errors.cjs` takes out again.

use leveret::host::{Error, Outcome, OutcomeStatus, ReasonCode};
use leveret::protocol::outcome::OutcomeDetail;
use napi_derive::napi;

use crate::convert::{Given, must_be, shown};

/// What `MqttError` is made of: code, sentence, and the broker's reason code.
pub(crate) type Parts = (String, String, Option<u32>);

/// The parts of an error that is told and not thrown.
pub(crate) fn parts(error: &Error) -> Parts {
    (
        code(error),
        error.to_string(),
        error.reason.map(|reason| reason.0.into()),
    )
}

/// The parts of an error in the message of the plain error that a native module can throw.
pub(crate) fn thrown(error: Error) -> napi::Error {
    let reason = error
        .reason
        .map(|reason| reason.0.to_string())
        .unwrap_or_default();
    napi::Error::from_reason(format!("leveret:{}:{reason}:{error}", code(&error)))
}

/// Throws that an argument must be something else than what was given.
#[napi]
pub(crate) fn refuse(name: String, allowed: String, given: Given<'_>) -> napi::Result<()> {
    Err(must_be(&name, &allowed, shown(given)))
}

/// The parts of the error for a wait that would never end, because it holds up what would end it: nothing is read, or the client
/// is to be closed when the handler ends.
#[napi]
pub(crate) fn would_deadlock(behind_close: Option<bool>) -> Parts {
    parts(&if behind_close.unwrap_or_default() {
        leveret::host::behind_its_close()
    } else {
        leveret::host::would_deadlock()
    })
}

/// The parts of the error for an outcome that is not `ok`.
#[napi]
pub(crate) fn not_delivered(
    status: String,
    maybe_delivered: bool,
    reason: Option<u8>,
    words: Option<String>,
) -> Option<Parts> {
    let detail = OutcomeDetail {
        reason_string: words,
        ..OutcomeDetail::default()
    };
    let outcome = Outcome {
        status: OutcomeStatus::from_name(&status)?,
        reason: reason.map(ReasonCode),
        maybe_delivered,
        detail: Some(Box::new(detail)),
    };
    outcome.into_result().err().as_ref().map(parts)
}

fn code(error: &Error) -> String {
    format!("ERR_{}", error.kind.c_name())
}
