//! The test broker, driven by sockets and the codec: each of its promises, in both versions of MQTT and over each transport.
mod client;
mod controls;
mod dial;
mod limits;
mod publishing;
mod sessions;
mod subscribing;
mod tls;
mod transports;
mod websocket;
mod wills;
