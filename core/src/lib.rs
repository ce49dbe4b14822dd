//! leveret: an MQTT client with a local post office.
#![forbid(unsafe_code)]

mod clock;
mod deliver;
mod dispatch;
mod doorbell;
mod driver;
mod handoff;
pub mod host;
mod inbox;
mod ledger;
mod net;
mod outbox;
mod posting;
mod routes;
mod runtime;
mod scope;
mod shared;
mod stats;
