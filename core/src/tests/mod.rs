//! Tests of what is not public, one file per subject.
//!
//! | file | what it tests |
//! | --- | --- |
//! | `common.rs` | (small things that several need) |
//! | `script.rs` | (a broker that says exactly what a test tells it to, over an in-memory link) |
//! | `driver.rs` | the driver over that link: stalls, cuts, closing, faults |
//! | `dispatch.rs` | the pool for host callbacks |
//! | `handlers.rs` | inside a handler: what would deadlock, what is put off |
//! | `handoff.rs` | the handoffs under loom: every interleaving of a few threads |
//! | `requests.rs` | requests over that link: what is sent, which response is whose, what is left behind |
//! | `network.rs` | dialing over TCP |
//! | `inbox.rs`, `ledger.rs`, `outbox.rs` | what lies in the handoffs |

mod common;
#[cfg(not(leveret_loom))]
mod dispatch;
#[cfg(not(leveret_loom))]
mod driver;
#[cfg(not(leveret_loom))]
mod handlers;
#[cfg(leveret_loom)]
mod handoff;
#[cfg(not(leveret_loom))]
mod inbox;
#[cfg(not(leveret_loom))]
mod ledger;
#[cfg(not(leveret_loom))]
mod network;
#[cfg(not(leveret_loom))]
mod outbox;
#[cfg(not(leveret_loom))]
mod requests;
#[cfg(not(leveret_loom))]
mod script;
