//! The targets, out of the sources of the crate of tests: what is instrumented is as little as that.
#[path = "../../src/fuzz/mod.rs"]
pub mod fuzz;
