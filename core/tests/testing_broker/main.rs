//! The test broker, driven by sockets and the codec: each of its promises, in both versions of MQTT.
mod client;
mod controls;
mod limits;
mod publishing;
mod sessions;
mod subscribing;
mod wills;
