//! Where handlers run: the core has to know, since there some calls are put off and others would deadlock.

use std::cell::RefCell;

use leveret::host::{Client, HandlerScope};
use pyo3::prelude::*;

thread_local! {
    /// What this thread is inside of. Not kept in the Python object, which any thread may let go of: the
    /// traceback of a handler that raised holds it.
    static ENTERED: RefCell<Vec<HandlerScope>> = const { RefCell::new(Vec::new()) };
}

/// While entered, its thread runs handlers of the client.
#[pyclass(frozen, module = "leveret._native")]
pub struct Scope {
    pub(crate) client: Client,
    /// Its thread asks the hooks and the like.
    pub(crate) hooks: bool,
}

#[pymethods]
impl Scope {
    fn __enter__(&self) {
        let scope = self.client.handler_scope();
        let scope = if self.hooks {
            scope.with_hooks()
        } else {
            scope
        };
        ENTERED.with_borrow_mut(|entered| entered.push(scope));
    }

    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) {
        // Ended with nothing borrowed: a close that was put off happens now.
        let scope = ENTERED.with_borrow_mut(Vec::pop);
        drop(scope);
    }
}
