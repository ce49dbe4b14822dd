//! The native half of the Node package leveret.
// `forbid` would not let napi's own macros allow what they need.
#![deny(unsafe_code)]

use napi_derive::napi;

/// The version of the library, the same in every language.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
