//! Tests that span the crates: simulation, fuzzing, freshness of generated files, tidiness, conformance.

pub mod fuzz;
pub mod generated;
pub mod header;
pub mod print;
pub mod sim;
pub mod source;
pub mod statements;
pub mod tree;
