//! The server without its thread and sockets, for those who want to say exactly which bytes come when: fuzzing and simulation.
use super::{
    options::BrokerBuilder,
    record::Records,
    server::{HangUp, LinkId, Server},
};
use bytes::{Bytes, BytesMut};
use leveret_protocol::{message::QoS, text::Text, time::Instant};
use std::{fmt, mem};

/// The test broker as a value: links, bytes and time in; bytes and hang-ups out. Nothing of it is promised to stay as it is.
pub struct SocketlessBroker {
    server: Server,
    links: usize,
}

impl SocketlessBroker {
    /// A broker with these settings, which are taken as they are.
    pub fn new(options: BrokerBuilder) -> SocketlessBroker {
        SocketlessBroker {
            server: Server::new(options, Records::new()),
            links: 0,
        }
    }

    /// A client has connected; the number of its link, never used twice.
    pub fn open(&mut self) -> usize {
        self.links += 1;
        self.server.link_opened(LinkId(self.links));
        self.links
    }

    /// Bytes of a client. Complete packets are taken out of `input`, the rest stays for the next time.
    pub fn receive(&mut self, link: usize, input: &mut BytesMut, now: Instant) {
        self.server.receive(LinkId(link), input, now);
    }

    /// A client is gone.
    pub fn end(&mut self, link: usize, now: Instant) {
        self.server.link_ended(LinkId(link), now);
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) {
        self.server.tick(now);
    }

    /// When `tick` has something to do at the earliest.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.server.next_deadline()
    }

    /// As [`Broker::publish`](super::Broker::publish), of a topic that is a valid name.
    pub fn publish(&mut self, topic: &str, payload: Bytes, qos: QoS, retain: bool, now: Instant) {
        self.server
            .publish(Text::from(topic), payload, qos, retain, now);
    }

    /// As [`Broker::stop`](super::Broker::stop) and starting again.
    pub fn power_cut(&mut self, now: Instant) {
        self.server.power_cut(now);
    }

    /// As [`Broker::lose_sessions`](super::Broker::lose_sessions).
    pub fn lose_sessions(&mut self, now: Instant) {
        self.server.lose_sessions(now);
    }

    /// What is to be written on a link; `None` when the broker knows it no longer.
    pub fn take_output(&mut self, link: usize) -> Option<BytesMut> {
        self.server.output(LinkId(link)).map(mem::take)
    }

    /// Links that are to be closed: after these last bytes, or (`None`) with a reset.
    pub fn take_hang_ups(&mut self) -> Vec<(usize, Option<BytesMut>)> {
        let hang_ups = mem::take(&mut self.server.hang_ups).into_iter();
        let told = hang_ups.map(|hang_up| match hang_up {
            HangUp::AfterWriting(link, farewell) => (link.0, Some(farewell)),
            HangUp::AtOnce(link) => (link.0, None),
        });
        told.collect()
    }

    /// Clients whose CONNECT was accepted and who are still there.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }
}

impl fmt::Debug for SocketlessBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketlessBroker")
            .field("links", &self.links)
            .finish_non_exhaustive()
    }
}
