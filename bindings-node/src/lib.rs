//! The native half of the Node package leveret: one class for a client and one for the test broker.
//!
//! It converts; what clients do is in the core, and what Node users see is in the `.cjs` files beside it. Nothing here
//! blocks the event loop: the loop is called once per ring of the bell and takes what waits as one array.
// `forbid` would not let napi's own macros allow what they need.
#![deny(unsafe_code)]

mod client;
mod convert;
mod error;
mod message;
mod news;
#[cfg(feature = "testing")]
mod testing;

use napi_derive::napi;

/// The version of the library, the same in every language.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Stops the shared background runtime; clients that are still open end at once.
#[napi]
pub fn shutdown() -> napi::Result<()> {
    leveret::shutdown().map_err(error::thrown)
}

/// Sets how many threads the shared background runtime has: 1 to 64, before the first client is made.
#[napi]
pub fn set_runtime_threads(count: u32) -> napi::Result<()> {
    leveret::set_runtime_threads(count as usize).map_err(error::thrown)
}
