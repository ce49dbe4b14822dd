//! A broker of one connection that says exactly what a test tells it to, over an in-memory link.

use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::BytesMut;
use leveret_protocol::codec::{Decoded, Limits, Packet, Publish, Side, Version, decode};

use crate::handoff::block_on;
use crate::host::{Client, NetworkHooks, Setup};
use crate::ledger::Keep;
use crate::net::memory::{Exchange, Peer};
use leveret_protocol::options::{ClientOptions, Protocol};
use leveret_protocol::sentence::Dialect;

/// How long a test waits for anything before it fails.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// Waits for something that has to come.
pub(crate) fn expect<R>(poll: impl FnMut(&mut Context<'_>) -> Poll<R>) -> R {
    block_on(Some(SOON), poll).expect("it did not come in time")
}

/// Options that let a test be quick.
pub(crate) fn options() -> ClientOptions {
    ClientOptions::new()
        .client_id("test")
        .protocol(Protocol::V5)
        .backoff_min(Duration::from_millis(1))
        .backoff_max(Duration::from_millis(5))
}

/// A client that dials into `exchange`.
pub(crate) fn client(exchange: &Exchange, options: ClientOptions) -> Client {
    let setup = Setup {
        dialect: Dialect::Rust,
        keep: Keep::Held,
        autostart: true,
    };
    Client::open(
        vec![exchange.address()],
        options,
        setup,
        NetworkHooks::default(),
    )
    .unwrap()
}

/// The broker's end of one connection, speaking MQTT 5.
pub(crate) struct Script {
    pub(crate) peer: Peer,
    received: BytesMut,
}

impl Script {
    /// Takes the next call and leaves CONNECT unanswered.
    pub(crate) fn call(exchange: &Exchange) -> Script {
        let peer = expect(|context| exchange.poll_accept(context));
        Script {
            peer,
            received: BytesMut::new(),
        }
    }

    /// Takes the next call and accepts the connection.
    pub(crate) fn accept(exchange: &Exchange, session_present: bool) -> Script {
        let mut script = Script::call(exchange);
        assert!(matches!(script.packet(), Packet::Connect(_)));
        script
            .peer
            .send(&[0x20, 3, u8::from(session_present), 0, 0]);
        script
    }

    /// The next packet from the client.
    pub(crate) fn packet(&mut self) -> Packet {
        expect(|context| self.poll_packet(context))
    }

    /// The next packet if all of it has come; it has to be a PUBLISH.
    pub(crate) fn whole_publish(&mut self) -> Option<Publish> {
        match self.poll_packet(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Packet::Publish(publish)) => Some(publish),
            Poll::Ready(other) => panic!("a PUBLISH was expected, not {other:?}"),
            Poll::Pending => None,
        }
    }

    fn poll_packet(&mut self, context: &mut Context<'_>) -> Poll<Packet> {
        loop {
            let limits = Limits::default();
            let decoded = decode(&mut self.received, Version::V5, Side::Client, &limits);
            if let Decoded::Packet(packet) = decoded.expect("the client keeps to the rules") {
                return Poll::Ready(packet);
            }
            let bytes = ready!(self.peer.poll_written(context));
            self.received.extend_from_slice(&bytes);
        }
    }

    /// The next packet, which has to be a PUBLISH.
    pub(crate) fn publish(&mut self) -> Publish {
        match self.packet() {
            Packet::Publish(publish) => publish,
            other => panic!("a PUBLISH was expected, not {other:?}"),
        }
    }

    /// Acknowledges a PUBLISH of QoS 1.
    pub(crate) fn acknowledge(&self, publish: &Publish) {
        let [high, low] = publish.packet_id.expect("QoS 1").get().to_be_bytes();
        self.peer.send(&[0x40, 2, high, low]);
    }

    /// Sends a message of QoS 0 to the client.
    pub(crate) fn send(&self, topic: &str, payload: &[u8]) {
        let length = 2 + topic.len() + 1 + payload.len();
        let mut packet = vec![0x30, u8::try_from(length).expect("short")];
        packet.extend(u16::try_from(topic.len()).expect("short").to_be_bytes());
        packet.extend(topic.as_bytes());
        packet.push(0);
        packet.extend(payload);
        self.peer.send(&packet);
    }
}
