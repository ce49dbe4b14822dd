//! What fuzzing runs: functions from bytes to nothing, which panic where a promise of the decoder, the engine or the test broker is broken.
//!
//! `tests/fuzz` puts a coverage-guided fuzzer before them, outside the workspace; `tests/tests/fuzz.rs` runs them over the corpus that it left.

#[cfg(feature = "clients")]
pub mod broker;
pub mod decoder;
pub mod draw;
pub mod engine;
pub mod feed;
pub mod ledger;
pub mod peer;
pub mod profile;
pub mod seeds;
pub mod seen;

/// A target: what it is called, and the function that one input is given to.
pub type Target = (&'static str, fn(&[u8]));

/// Every target. The corpus of each is the file of its name in `tests/fuzz/corpus`.
pub const TARGETS: &[Target] = &[
    ("decoder", decoder::run),
    ("engine", engine::run),
    #[cfg(feature = "clients")]
    ("broker", broker::run),
];
