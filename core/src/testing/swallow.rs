//! Packets that get lost on purpose: how many more of each type, in one direction.
use leveret_protocol::{
    error::Error,
    packet_type::{PacketSet, PacketType},
};
use std::collections::BTreeMap;

/// Types that a client sends.
const FROM_CLIENTS: PacketSet = PacketSet::of(&[
    PacketType::Connect,
    PacketType::Publish,
    PacketType::PubAck,
    PacketType::PubRec,
    PacketType::PubRel,
    PacketType::PubComp,
    PacketType::Subscribe,
    PacketType::Unsubscribe,
    PacketType::PingReq,
    PacketType::Disconnect,
    PacketType::Auth,
]);

/// Types that a server sends.
const TO_CLIENTS: PacketSet = PacketSet::of(&[
    PacketType::ConnAck,
    PacketType::Publish,
    PacketType::PubAck,
    PacketType::PubRec,
    PacketType::PubRel,
    PacketType::PubComp,
    PacketType::SubAck,
    PacketType::UnsubAck,
    PacketType::PingResp,
    PacketType::Disconnect,
    PacketType::Auth,
]);

/// Which way packets go.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    FromClients,
    ToClients,
}

impl Direction {
    /// The type with this name of the standard; the sentence of the error lists those that go this way.
    pub(super) fn packet_type(self, name: &str) -> Result<PacketType, Error> {
        let (types, way) = match self {
            Direction::FromClients => (FROM_CLIENTS, "a client sends"),
            Direction::ToClients => (TO_CLIENTS, "a broker sends"),
        };
        types
            .types()
            .find(|packet| packet.name() == name)
            .ok_or_else(|| {
                let names: Vec<&str> = types.types().map(PacketType::name).collect();
                Error::invalid(format!(
                    "packet type must be one that {way} ({}), not \"{name}\"",
                    names.join(", ")
                ))
            })
    }
}

/// The packets still to be swallowed in one direction.
#[derive(Default)]
pub(super) struct Swallow {
    left: BTreeMap<PacketType, u64>,
}

impl Swallow {
    /// Sets how many of the next packets of this type are swallowed; 0 ends it.
    pub(super) fn set(&mut self, packet: PacketType, count: u64) {
        self.left.insert(packet, count);
    }

    /// Whether a packet of this type is to be swallowed; counts it if so.
    pub(super) fn takes(&mut self, packet: PacketType) -> bool {
        match self.left.get_mut(&packet) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}
