//! Tests of what is not public, one file per subject.
//!
//! | file | what it tests |
//! | --- | --- |
//! | `common.rs` | (small things that several need) |
//! | `handoff.rs` | the handoffs under loom: every interleaving of a few threads |
//! | `inbox.rs`, `ledger.rs`, `outbox.rs` | what lies in the handoffs |

mod common;
#[cfg(leveret_loom)]
mod handoff;
#[cfg(not(leveret_loom))]
mod inbox;
#[cfg(not(leveret_loom))]
mod ledger;
#[cfg(not(leveret_loom))]
mod outbox;
