//! An MQTT broker inside the process, for tests: both versions, every QoS, and faults on demand.
//!
//! It runs on one thread of its own, listens on a free port of 127.0.0.1 or at a Unix socket, speaks plain MQTT, TLS,
//! WebSocket or both, and keeps what it saw. Its rules are those of the standards; where they leave a choice, it does what brokers commonly do:
//!
//! * A client with several matching subscriptions gets one copy of a message, with the highest QoS and, on MQTT 5, all
//!   their subscription identifiers, unless [`BrokerBuilder::copy_per_subscription`] asks for several.
//! * QoS 0 is not kept for a client that is away, and is dropped for one that leaves more than 64 MiB unread.
//! * Topics that begin with `$` are ordinary but for wildcards; there is no `$SYS`.
//! * No time limit for the first packet: a silent client is only ended by its keep alive.
//!
//! ```
//! use leveret::testing::Broker;
//!
//! let broker = Broker::start_new()?;
//! assert!(broker.url().starts_with("mqtt://127.0.0.1:"));
//! broker.stop(); // connecting is refused now
//! broker.start()?; // the same port, the same sessions
//! assert!(broker.received().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With TLS, one line more gives the client what it has to trust:
//!
//! ```
//! use leveret::testing::Broker;
//!
//! let broker = Broker::builder().tls(true).start()?;
//! assert!(broker.url().starts_with("mqtts://127.0.0.1:"));
//! let trusted = broker.ca_pem().unwrap_or_default();
//! assert!(trusted.starts_with("-----BEGIN CERTIFICATE-----"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Map
//!
//! A packet's way: `link.rs` → `host.rs` → `connection.rs` → `server.rs` → one of the files named after what clients
//! do → `connection.rs` → `link.rs`. Only `host.rs`, `link.rs`, its layers
//! and `place.rs` know sockets; the rest is a value.
//!
//! * `broker.rs`: the handle, whose methods ask the thread
//! * `options.rs`: the settings of a broker that is not there yet
//! * `record.rs`: what the broker saw
//! * `host.rs`: the thread: sockets, the server, the handle's questions
//! * `place.rs`: the port or socket file, kept while nobody listens
//! * `link.rs`: one connection as bytes, through its layers
//! * `socket.rs`: the lowest layer: sockets of the system
//! * `tls.rs`, `websocket.rs`: the layers above
//! * `certificates.rs`: the throw-away certificate authority, and what it signs
//! * `socketless.rs`: the server without thread and sockets, for fuzzing
//! * `server.rs`: the MQTT server as a value; which packet goes where
//! * `connection.rs`: one client's connection: what CONNECT agreed on, bytes to write
//! * `handshake.rs`: CONNECT and CONNACK
//! * `publishing.rs`: messages from clients
//! * `delivery.rs`: messages to clients
//! * `subscribing.rs`: SUBSCRIBE and UNSUBSCRIBE
//! * `endings.rs`: how connections and sessions end, and what is due when
//! * `session.rs`: what is kept of a client between connections
//! * `subscriptions.rs`: who gets a message, shared subscriptions included
//! * `retained.rs`: retained messages
//! * `will.rs`: wills and their delay
//! * `swallow.rs`: packets that get lost on purpose
mod broker;
mod certificates;
mod connection;
mod delivery;
mod endings;
mod handshake;
mod host;
mod link;
mod options;
mod place;
mod publishing;
mod record;
mod retained;
mod server;
mod session;
mod socket;
mod socketless;
mod subscribing;
mod subscriptions;
mod swallow;
mod tls;
mod websocket;
mod will;

pub use broker::Broker;
pub use certificates::ServerCertificate;
pub use options::BrokerBuilder;
pub use record::{ReceivedConnect, ReceivedMessage};
#[doc(hidden)]
pub use socketless::SocketlessBroker;
