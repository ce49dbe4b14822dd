//! One client's connection as the server knows it: what CONNECT agreed on, and the bytes to write.
use super::{server::LinkId, swallow::Swallow};
use bytes::BytesMut;
use leveret_protocol::{
    codec::{DecodeError, Decoded, Limits, MAX_PACKET_SIZE, Packet, Side, Version, decode},
    text::Text,
    time::{Duration, Instant},
};
use std::collections::BTreeMap;

/// Unwritten bytes from which on QoS 0 is dropped, so that a client that does not read cannot exhaust the memory.
const MUCH_UNREAD: usize = 64 * 1024 * 1024;

/// A network connection, before and after CONNECT.
pub(super) struct Connection {
    pub(super) link: LinkId,
    /// Who it belongs to; `None` before CONNECT was accepted.
    pub(super) client_id: Option<Text>,
    pub(super) version: Version,
    /// One and a half times the keep alive (MQTT 5.0 section 3.1.2.10); `None` if it is 0.
    pub(super) silence_allowed: Option<Duration>,
    /// When the last packet came.
    pub(super) heard: Instant,
    /// Largest packet that the client takes.
    pub(super) maximum_packet_size: u32,
    /// Whether answers may say in words what is wrong (MQTT 5.0 section 3.1.2.11.7).
    pub(super) wants_reasons: bool,
    /// Topics that the client's topic aliases stand for.
    pub(super) aliases: BTreeMap<u16, Text>,
    /// QoS 2 messages received on this connection whose exchange is not over: they count against our Receive Maximum.
    pub(super) unfinished: u16,
    pub(super) output: BytesMut,
}

impl Connection {
    /// A connection whose client has said nothing yet.
    pub(super) fn new(link: LinkId) -> Connection {
        Connection {
            link,
            client_id: None,
            version: Version::V5,
            silence_allowed: None,
            heard: Instant::ZERO,
            maximum_packet_size: MAX_PACKET_SIZE,
            wants_reasons: false,
            aliases: BTreeMap::new(),
            unfinished: 0,
            output: BytesMut::new(),
        }
    }

    /// Puts a packet into the output, unless it is swallowed. False if it is larger than the client takes: it must
    /// not be sent then, and counts as sent (MQTT 5.0 section 3.1.2.11.4).
    pub(super) fn send(&mut self, packet: &Packet, swallow: &mut Swallow) -> bool {
        if swallow.takes(packet.packet_type()) {
            return true;
        }
        packet
            .encode(self.version, self.maximum_packet_size, &mut self.output)
            .is_ok()
    }

    /// Takes the next whole packet out of what was read.
    pub(super) fn decode(
        &self,
        input: &mut BytesMut,
        limits: &Limits,
    ) -> Result<Option<Packet>, DecodeError> {
        match decode(input, self.version, Side::Client, limits)? {
            Decoded::Packet(packet) => Ok(Some(packet)),
            Decoded::NeedMore(_) => Ok(None),
            Decoded::TooLarge(oversized) => Err(oversized.error(self.version)),
        }
    }

    /// Whether so much is unread that QoS 0 is dropped.
    pub(super) fn is_clogged(&self) -> bool {
        self.output.len() >= MUCH_UNREAD
    }

    /// When the keep alive ends the connection unless something comes (MQTT 5.0 section 3.1.2.10).
    pub(super) fn falls_silent_at(&self) -> Option<Instant> {
        self.silence_allowed.map(|allowed| self.heard + allowed)
    }
}
