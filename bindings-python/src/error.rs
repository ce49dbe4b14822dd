//! Errors of the core as the exceptions of `leveret.errors`, which is generated from the error table.

use leveret::host::Error;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The exception for an error.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, error).map_or_else(|failure| failure, PyErr::from_value)
}

/// The exception for an error, to be raised by somebody else.
pub(crate) fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    static FROM_NUMBER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    FROM_NUMBER
        .import(py, "leveret.errors", "from_number")
        .and_then(|make| make.call1(parts(error)))
}

/// What `from_number` makes an exception of: number, sentence, and the broker's reason code or None.
pub(crate) fn parts(error: &Error) -> (i32, String, Option<u8>) {
    (
        error.kind.number(),
        error.to_string(),
        error.reason.map(|reason| reason.0),
    )
}
