//! Every way to a broker: sockets of all kinds, streams of the application's own, TLS, WebSocket and proxies.
//!
//! Each test puts a relay before an embedded broker that speaks what is tested, on loopback.

mod proxies;
mod relay;
mod secure;
mod sockets;
mod tls;
mod websocket;
