//! The native half of the Node package leveret: one class for a client and one for the test broker.
//!
//! It converts; what clients do is in the core, and what Node users see is in the `.cjs` files beside it. Nothing here
//! blocks the event loop: the loop is called once per ring of the bell and takes what waits as one array.
// `forbid` would not let napi's own macros allow what they need.
#![deny(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        dead_code,
        reason = "a test build leaves out what registers the functions"
    )
)]

mod client;
mod convert;
mod error;
mod hooks;
mod message;
mod news;
#[cfg(feature = "testing")]
mod testing;

use napi_derive::napi;

use crate::convert::Given;

/// The version of the library, the same in every language.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Stops the shared background runtime; clients that are still open end at once.
#[napi]
pub fn shutdown() -> napi::Result<()> {
    leveret::shutdown().map_err(error::thrown)
}

/// Sets how many threads the shared background runtime has, before the first client is made.
#[napi]
pub fn set_runtime_threads(count: Given<'_>) -> napi::Result<()> {
    let threads = match count {
        // What is no number of threads becomes none, which is refused with what is allowed.
        Given::B(count) if count.fract() == 0.0 => count as usize,
        other => {
            return Err(convert::must_be(
                "count",
                "a whole number",
                convert::shown(other),
            ));
        }
    };
    leveret::set_runtime_threads(threads).map_err(error::thrown)
}

/// A timeout in milliseconds: nothing for no limit.
#[napi]
pub fn timeout(given: Given<'_>) -> napi::Result<Option<f64>> {
    let timeout = convert::timeout(given)?.flatten();
    Ok(timeout.map(|timeout| timeout.as_secs_f64() * 1e3))
}
