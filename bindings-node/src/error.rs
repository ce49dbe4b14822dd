//! Errors of the core on their way to `MqttError`, whose parts `errors.cjs` takes out again.

use leveret::host::Error;

/// What `MqttError` is made of: code, sentence, and the broker's reason code.
pub(crate) type Parts = (String, String, Option<u32>);

/// The parts of an error that is told and not thrown.
pub(crate) fn parts(error: &Error) -> Parts {
    (code(error), error.to_string(), error.reason.map(|reason| reason.0.into()))
}

/// The parts of an error in the message of the plain error that a native module can throw.
pub(crate) fn thrown(error: Error) -> napi::Error {
    let reason = error.reason.map(|reason| reason.0.to_string()).unwrap_or_default();
    napi::Error::from_reason(format!("leveret:{}:{reason}:{error}", code(&error)))
}

fn code(error: &Error) -> String {
    format!("ERR_{}", error.kind.c_name())
}
