//! leveret: an MQTT 3.1.1 and 5.0 client with a local post office.
//!
//! A publish is a letter with a receipt. [`Client::publish`] hands it to the local post office, online or
//! offline; its receipt gets exactly one [`Outcome`], also when the connection is lost, its time to live
//! passes, or the client is closed.
//!
//! ```no_run
//! # async fn example() -> Result<(), leveret::Error> {
//! use std::time::Duration;
//!
//! use futures::StreamExt;
//! use leveret::{Client, Options, QoS};
//!
//! let client = Client::new("mqtt://localhost", Options::new().client_id("door-7"))?;
//! let mut states = client.subscribe("doors/+/state", QoS::AtLeastOnce).await?;
//! let receipt = client.publish("doors/front/command", "unlock").ttl(Duration::from_secs(5)).send()?;
//! println!("{}", receipt.await); // acknowledged, expired, …
//! while let Some(message) = states.next().await {
//!     println!("{} {:?}", message.topic(), message.payload());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # The path of a publish
//!
//! 1. [`Letter::send`]: checks the letter; no lock yet.
//! 2. `Posting::attempt`: under the outbox's lock takes room, writes the letter into the batch, and wakes
//!    the driver if it sleeps.
//! 3. `Driver::take_outbox`: swaps the batch for an empty one.
//! 4. `Engine::handle` and `poll` (crate `leveret-protocol`): the letter becomes a frame when its turn
//!    comes.
//! 5. `Link::write`: one system call for the frames of a turn.
//!
//! # The path of a message
//!
//! 1. `Driver::read`: one read into a buffer.
//! 2. `Engine::handle`: packets become events.
//! 3. `Sorter::deliver`: the events of the turn go into the handoffs.
//! 4. `Inbox::deliver`: into the queues that the routes name.
//! 5. `Intake::poll_next`, or a host's own loop over [`host::Client::take`].
//!
//! # The files
//!
//! | file | what it holds |
//! | --- | --- |
//! | `client.rs`, `letter.rs`, `receipt.rs` | the face for Rust: publish and what becomes of it |
//! | `subscription.rs`, `message.rs`, `events.rs` | the face for Rust: streams of messages and of news |
//! | `request.rs`, `response.rs`, `serve.rs` | the face for Rust: asking, and answering |
//! | `hooks.rs`, `faces.rs` | the face for Rust: packets in hooks, steps of authentication, attempts to connect; calling the functions for them |
//! | `intake.rs` | from a queue to a stream, acknowledging on the way |
//! | `host/mod.rs`, `host/letters.rs`, `host/messages.rs`, `host/outcomes.rs`, `host/requests.rs`, `host/hooks.rs`, `host/signing.rs` | what language bindings stand on |
//! | `requests/mod.rs` | requests that wait for a response, with a map of its own |
//! | `stats.rs` | the counters |
//! | `shared.rs` | what the threads of one client share |
//! | `posting.rs` | how a letter gets in: room, waiting for room, the overflow rule |
//! | `scope.rs` | inside a handler: what would deadlock, what is put off |
//! | `handoff.rs`, `doorbell.rs` | where threads meet: locks, wake-ups, blocking waits |
//! | `outbox.rs`, `ledger.rs`, `inbox.rs`, `inbox_size.rs`, `asked.rs`, `routes.rs` | what lies in the three handoffs: plain data |
//! | `driver.rs`, `line.rs`, `deliver.rs` | one task per client between engine, link and handoffs |
//! | `log.rs` | what is told to `tracing`: targets, levels, fields |
//! | `net/mod.rs` | links and addresses, with a map of their own |
//! | `clock.rs` | the clock that counts suspended time, and alarms |
//! | `runtime.rs`, `dispatch.rs` | the shared background runtime; the pool for host callbacks |
//! | `testing/mod.rs` | the test broker, with a map of its own |
//! | `tests/mod.rs` | tests of what is not public, with a map of their own |
//!
//! # Features
//!
//! | feature | what it brings | default |
//! | --- | --- | --- |
//! | `tls` | `mqtts://`, and with `websocket` `wss://`; rustls | on |
//! | `websocket` | `ws://`; tungstenite | on |
//! | `testing` | the test broker, `leveret::testing` | off |
//!
//! A URL that asks for what was left out is refused with `NotSupported`, which names the feature.
//!
//! # What is deliberately absent
//!
//! No lock outside `handoff.rs`, no clock outside `clock.rs`, no policy in `driver.rs`, no unsafe code, no
//! host code on the runtime's threads but the streams of [`Builder::transport`].
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_types, clippy::disallowed_methods))]

mod asked;
mod client;
mod clock;
mod deliver;
mod dispatch;
mod doorbell;
mod driver;
mod events;
mod faces;
mod handoff;
mod hooks;
pub mod host;
mod inbox;
mod inbox_size;
mod intake;
mod ledger;
mod letter;
mod line;
mod log;
mod message;
mod net;
mod outbox;
mod posting;
mod receipt;
mod request;
mod requests;
mod response;
mod routes;
mod runtime;
mod scope;
mod serve;
mod shared;
mod stats;
mod subscription;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(test)]
mod tests;

/// The README, whose program is run with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use client::Client;
pub use events::{Events, Messages};
pub use hooks::{Attempt, AuthStep, Builder, Packet};
pub use inbox::News;
pub use letter::{Letter, PartlyPosted};
pub use leveret_protocol as protocol;
pub use leveret_protocol::engine::{
    AuthStage, ConnectionEvent, Explanation, Notice, Payload, Words,
};
pub use leveret_protocol::error::{Error, ErrorKind};
pub use leveret_protocol::message::QoS;
pub use leveret_protocol::options::{
    ClientOptions as Options, CloseOptions, ConnectOptions, ExpiredInFlight, InboxOverflow,
    OnSessionLost, Overflow, Priority, PropertiesOn311, Protocol, PublishOptions, SubscribeOptions,
    TlsVersion, Ttl,
};
pub use leveret_protocol::outcome::{Outcome, OutcomeStatus, Status, SubscriptionState};
pub use leveret_protocol::packet_type::PacketType;
pub use leveret_protocol::reason::ReasonCode;
pub use message::Message;
pub use net::network::Target;
pub use receipt::Receipt;
pub use request::Request;
pub use response::{IntoResponse, Response};
pub use runtime::{set_runtime_threads, shutdown};
pub use stats::Stats;
pub use subscription::Subscription;
