//! Waiting for a status on an event loop: whether it came since the wait began.

use leveret::host::{Client, Status, sentence};
use pyo3::prelude::*;

use crate::convert::borrowed_text;
use crate::error::raise;

/// A wait for a status that began at some moment.
#[pyclass(frozen, module = "leveret._native")]
pub struct StatusWatch {
    pub(crate) client: Client,
    pub(crate) wanted: Status,
    pub(crate) seen: u64,
}

#[pymethods]
impl StatusWatch {
    /// Is the status as wanted, or was it since the watch began.
    fn came(&self) -> bool {
        self.client.status() == self.wanted || self.client.status_count(self.wanted) > self.seen
    }
}

/// The status with this name.
pub(crate) fn status_named(given: &Bound<'_, PyAny>) -> PyResult<Status> {
    let name = borrowed_text(given, "status")?;
    Status::from_name(name).ok_or_else(|| {
        let quoted = sentence::Quoted(name);
        raise(
            given.py(),
            &sentence::must_be("status", "online, offline or closed", quoted),
        )
    })
}
