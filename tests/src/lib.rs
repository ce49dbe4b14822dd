//! Tests that span the crates: simulation, freshness of generated files, tidiness, conformance.
