//! Waiting with the interpreter released, such that Ctrl-C ends the wait.

use std::time::Duration;

use leveret::host::{Error, ErrorKind};
use pyo3::prelude::*;

use crate::error::raise;

/// Signal handlers of Python run in the main thread when it asks for them: a wait there asks this often.
const LOOK_FOR_SIGNALS: Duration = Duration::from_millis(100);

/// Waits for something of a client or broker, at most `timeout`, by waiting in slices.
pub(crate) fn wait<T: Sync, R: Send>(
    py: Python<'_>,
    whose: &T,
    timeout: Option<Duration>,
    wait: impl Fn(&T, Option<Duration>) -> Result<R, Error> + Send + Sync,
) -> PyResult<R> {
    let mut left = timeout;
    let mut most = Some(LOOK_FOR_SIGNALS);
    loop {
        let slice = match (left, most) {
            (Some(left), Some(most)) => Some(left.min(most)),
            (left, most) => left.or(most),
        };
        match py.detach(|| wait(whose, slice)) {
            Err(error) if error.kind == ErrorKind::TimedOut && left != slice => {
                left = left.map(|left| left.saturating_sub(slice.unwrap_or_default()));
                py.check_signals()?;
                // Other threads have no signals to look for, and need not wake up in vain.
                most = most.filter(|_| is_main_thread(py).unwrap_or(true));
            }
            result => return result.map_err(|error| raise(py, &error)),
        }
    }
}

/// Runs a call of the core that asks now and then whether to go on; it is not to when there is a signal.
pub(crate) fn unless_interrupted<R: Send>(
    py: Python<'_>,
    call: impl FnOnce(&mut (dyn FnMut() -> bool + Send)) -> Result<R, Error> + Send,
) -> PyResult<R> {
    let mut interruption = None;
    let mut go_on = || {
        let looked = Python::try_attach(|py| py.check_signals());
        match looked {
            Some(Ok(())) => true,
            Some(Err(raised)) => {
                interruption = Some(raised);
                false
            }
            // The interpreter is ending.
            None => false,
        }
    };
    let result = py.detach(|| call(&mut go_on));
    match interruption {
        Some(raised) => Err(raised),
        None => result.map_err(|error| raise(py, &error)),
    }
}

/// Asked without running a line of Python, for the reason that `exception` gives.
fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let main = py.import("threading")?.getattr("_main_thread")?;
    let here = py.import("_thread")?.call_method0("get_ident")?;
    main.getattr("_ident")?.eq(here)
}
