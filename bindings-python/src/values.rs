//! What the `.py` files ask of the core besides a client: sentences, time spans, the runtime.

use leveret::host::{
    ErrorKind, Outcome, OutcomeStatus, ReasonCode, behind_its_close, would_deadlock,
};
use leveret::protocol::outcome::OutcomeDetail;
use pyo3::prelude::*;

use crate::convert::Timeout;
use crate::error::{exception, raise};

/// Stops the shared background runtime; clients that are still open end at once.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>) -> PyResult<()> {
    py.detach(leveret::shutdown)
        .map_err(|error| raise(py, &error))
}

/// Sets how many threads the shared background runtime has: 1 to 64, before the first client is made.
#[pyfunction]
pub(crate) fn set_runtime_threads(py: Python<'_>, count: usize) -> PyResult<()> {
    leveret::set_runtime_threads(count).map_err(|error| raise(py, &error))
}

/// A timeout in seconds.
#[pyfunction]
pub(crate) fn seconds(timeout: Timeout) -> Option<f64> {
    timeout.0.map(|span| span.as_secs_f64())
}

/// The exception of `raise_for_status()`; None for an outcome that is ok.
#[pyfunction]
pub(crate) fn not_delivered<'py>(
    py: Python<'py>,
    status: &str,
    maybe_delivered: bool,
    reason: Option<u8>,
    reason_string: Option<String>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let outcome = Outcome {
        status: OutcomeStatus::from_name(status).unwrap_or(OutcomeStatus::Closed),
        reason: reason.map(ReasonCode),
        maybe_delivered,
        detail: reason_string.map(|words| {
            Box::new(OutcomeDetail {
                reason_string: Some(words),
                ..OutcomeDetail::default()
            })
        }),
    };
    let failure = outcome.into_result().err();
    failure.map(|error| exception(py, &error)).transpose()
}

/// The exception of a call on a client that is closed.
#[pyfunction]
pub(crate) fn closed(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    exception(py, &ErrorKind::Closed.into())
}

/// The exception of a wait that took longer than allowed.
#[pyfunction]
pub(crate) fn timed_out(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    exception(py, &ErrorKind::TimedOut.into())
}

/// The exception of a wait that would wait for the very handler it is in: because nothing is read, or because the client is
/// to be closed when the handler ends.
#[pyfunction]
#[pyo3(signature = (behind_close=false))]
pub(crate) fn deadlock(py: Python<'_>, behind_close: bool) -> PyResult<Bound<'_, PyAny>> {
    let why = if behind_close {
        behind_its_close()
    } else {
        would_deadlock()
    };
    exception(py, &why)
}
