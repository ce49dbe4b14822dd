//! The native half of the Python package leveret: one class for a client, one for a message, one for the test broker.
//!
//! It converts and waits; what clients do is in the core, and what Python users see is in the `.py` files beside it.
//! Runtime threads never take the interpreter's lock: a blocked Python thread waits with the lock released, and an
//! event loop is woken through a descriptor.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::disallowed_types, clippy::disallowed_methods))]

mod bell;
mod client;
mod convert;
mod error;
mod hooks;
mod message;
mod news;
mod queue;
mod scope;
mod status;
#[cfg(feature = "testing")]
mod testing;
mod values;
mod wait;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The extension module `leveret._native`.
#[pyo3::pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::client::Native;
    #[pymodule_export]
    use super::hooks::{HookQueue, Signing};
    #[pymodule_export]
    use super::message::{Delivery, Message};
    #[pymodule_export]
    use super::queue::Queue;
    #[pymodule_export]
    use super::scope::Scope;
    #[pymodule_export]
    use super::status::StatusWatch;
    #[cfg(feature = "testing")]
    #[pymodule_export]
    use super::testing::NativeBroker;
    #[pymodule_export]
    use super::values::{
        closed, deadlock, not_delivered, seconds, set_runtime_threads, shutdown, timed_out,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::check_interpreter(module.py())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// Two interpreters of one process would share what only one may have: classes, and whose exceptions are raised.
fn check_interpreter(py: Python<'_>) -> PyResult<()> {
    static FIRST: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    // Each interpreter has its own.
    let sys = py.import("sys")?;
    if FIRST.get_or_init(py, || sys.clone().unbind()).is(&sys) {
        return Ok(());
    }
    let sentence =
        "leveret belongs to another interpreter of this process and cannot be used in this one too";
    Err(PyImportError::new_err(sentence))
}
