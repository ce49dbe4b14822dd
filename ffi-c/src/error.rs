//! The result of a call, and the thread's last error: its sentence and the broker's reason code.
use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int};

use leveret::host::Error;

use crate::guard::guard_or;

/// What a fallible function answers: `MQTT_OK`, or one of the negative codes of the table above.
pub type mqtt_result = c_int;

/// It went well.
pub(crate) const MQTT_OK: mqtt_result = 0;

struct LastError {
    /// None until a call has failed.
    sentence: Option<CString>,
    reason: c_int,
}

thread_local! {
    static LAST: RefCell<LastError> = const { RefCell::new(LastError { sentence: None, reason: -1 }) };
}

/// Keeps an error for `mqtt_last_error` on this thread, and answers its number.
pub(crate) fn remember(error: Error) -> mqtt_result {
    let sentence = CString::new(error.to_string().replace('\0', "\\0")).unwrap_or_default();
    let reason = error.reason.map_or(-1, |reason| c_int::from(reason.0));
    // A thread that is ending has no last error any more; nobody can ask for it either.
    let _ = LAST.try_with(|last| {
        last.replace(LastError {
            sentence: Some(sentence),
            reason,
        })
    });
    error.kind.number()
}

/// The sentence that explains the last call on this thread that failed: it names the argument or
/// option, what was given and what is allowed. Never NULL; empty if no call has failed yet. A call
/// that succeeds leaves it as it is.
///
/// The text ends in NUL and lives until the next call on this thread that fails, or until the
/// thread ends. In a handler of `exit` and in destructors of static objects, which run after that, it
/// is empty.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_last_error() -> *const c_char {
    guard_or(c"".as_ptr(), || {
        Ok(LAST
            .try_with(|last| {
                last.borrow()
                    .sentence
                    .as_ref()
                    .map_or(c"".as_ptr(), |sentence| sentence.as_ptr())
            })
            .unwrap_or(c"".as_ptr()))
    })
}

/// The broker's reason code that belongs to `mqtt_last_error`: 0..=255, or -1 where the broker gave
/// none.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_last_reason() -> c_int {
    guard_or(-1, || {
        Ok(LAST.try_with(|last| last.borrow().reason).unwrap_or(-1))
    })
}
