//! Errors of the core as the exceptions of `leveret.errors`, which is generated from the error table.

use leveret::host::Error;
use pyo3::prelude::*;

/// The exception for an error.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, error).map_or_else(|failure| failure, PyErr::from_value)
}

/// The exception for an error, to be raised by somebody else.
///
/// Made without running a line of Python: a daemon thread that does so while the interpreter ends is ended there
/// and then, and cannot be from beneath a function of Rust. And looked up anew each time: a program may remove the
/// package and import it again, which then has classes of its own.
pub(crate) fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let (number, sentence, reason) = parts(error);
    let kinds = py.import("leveret.errors")?.getattr("_KINDS")?;
    let kind = kinds.get_item(number)?;
    let (class, code, retryable): (Bound<'_, PyAny>, Bound<'_, PyAny>, bool) = kind.extract()?;
    let exception = class.call1((sentence,))?;
    exception.setattr("code", code)?;
    exception.setattr("retryable", retryable)?;
    exception.setattr("reason", reason)?;
    Ok(exception)
}

/// What `from_number` makes an exception of: number, sentence, and the broker's reason code or None.
pub(crate) fn parts(error: &Error) -> (i32, String, Option<u8>) {
    (
        error.kind.number(),
        error.to_string(),
        error.reason.map(|reason| reason.0),
    )
}
