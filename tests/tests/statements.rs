//! The statements of the standards have no hole: each has a test named after it that is really there, or reasoning why none can be.
//!
//! That the tests pass is seen where they run, in `cargo test`; `make conformance` runs them and prints each with its statement.

use leveret_tests::statements::{LIST, holes, statements, tests};

#[test]
fn every_statement_is_shown_and_every_test_shows_one() {
    let rows = statements().unwrap_or_else(|wrong| panic!("{LIST}:\n{}", wrong.join("\n")));
    let wrong = holes(&rows, &tests());
    assert!(wrong.is_empty(), "{LIST}:\n{}", wrong.join("\n"));
}
