//! Where handlers run: the core has to know, since there some calls are put off and others would deadlock.

use leveret::host::{Client, HandlerScope};
use pyo3::prelude::*;

/// While entered, its thread runs handlers of the client.
#[pyclass(unsendable, module = "leveret._native")]
pub struct Scope {
    pub(crate) client: Client,
    pub(crate) inside: Option<HandlerScope>,
}

#[pymethods]
impl Scope {
    fn __enter__(&mut self) {
        self.inside = Some(self.client.handler_scope());
    }

    fn __exit__(
        &mut self,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) {
        self.inside = None;
    }
}
