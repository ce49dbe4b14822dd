//! The boundary that every exported function stands behind: a panic becomes a code, an error
//! becomes the thread's last error.
use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use leveret::host::{Error, ErrorKind};

use crate::error::{self, mqtt_result};
use crate::release;

/// Runs the body of a fallible exported function: 0, or the number of the error, whose sentence is
/// kept for `mqtt_last_error`.
pub(crate) fn guard(body: impl FnOnce() -> Result<(), Error>) -> mqtt_result {
    match caught(body) {
        Ok(()) => error::MQTT_OK,
        Err(error) => error::remember(error),
    }
}

/// Runs the body of an exported function that answers a value; after an error or a panic it answers
/// `otherwise`.
pub(crate) fn guard_or<T>(otherwise: T, body: impl FnOnce() -> Result<T, Error>) -> T {
    caught(body).unwrap_or_else(|error| {
        error::remember(error);
        otherwise
    })
}

/// Runs `body`; a panic in it becomes an error of kind `Panic`.
pub(crate) fn caught<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    if release::is_releasing() {
        let detail =
            "this was called inside the release function of a payload, which must not call leveret";
        return Err(Error::new(ErrorKind::WouldDeadlock, detail));
    }
    // What the body may have left half done is either local to it or belongs to a client, which a
    // panic finishes: nothing broken can be used afterwards.
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|panic| Err(Error::new(ErrorKind::Panic, describe(&*panic))))
}

/// Keeps panics from being printed: the standard error stream belongs to the program, which is told
/// by `MQTT_PANIC`. In the shared library this concerns its own Rust code alone.
pub(crate) fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string);
            let _ = PLACE.try_with(|last| last.set(place));
        }));
    });
}

thread_local! {
    /// Where the last panic of this thread was.
    static PLACE: Cell<Option<String>> = const { Cell::new(None) };
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let place = PLACE.try_with(Cell::take).ok().flatten();
    format!(
        "{}: {} ({})",
        ErrorKind::Panic.text(),
        words.unwrap_or("no words"),
        place.unwrap_or_else(|| "place unknown".into())
    )
}
