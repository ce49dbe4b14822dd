//! The fifteen control packet types and sets of them, for the tables that say what may stand where.
use core::fmt;

/// A control packet type with its number in the fixed header (MQTT 5.0 section 2.1.2, MQTT 3.1.1 section 2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PacketType {
    /// Client to server: opens the session.
    Connect = 1,
    /// Server to client: answers CONNECT.
    ConnAck = 2,
    /// Either way: an application message.
    Publish = 3,
    /// Either way: acknowledges a QoS 1 PUBLISH.
    PubAck = 4,
    /// Either way: a QoS 2 PUBLISH was received.
    PubRec = 5,
    /// Either way: a QoS 2 PUBLISH is released.
    PubRel = 6,
    /// Either way: a QoS 2 exchange is complete.
    PubComp = 7,
    /// Client to server: asks for subscriptions.
    Subscribe = 8,
    /// Server to client: answers SUBSCRIBE.
    SubAck = 9,
    /// Client to server: ends subscriptions.
    Unsubscribe = 10,
    /// Server to client: answers UNSUBSCRIBE.
    UnsubAck = 11,
    /// Client to server: a ping.
    PingReq = 12,
    /// Server to client: answers PINGREQ.
    PingResp = 13,
    /// Client to server; in MQTT 5 either way: ends the connection.
    Disconnect = 14,
    /// Either way, MQTT 5 only: a step of enhanced authentication.
    Auth = 15,
}

impl PacketType {
    /// Every type, in the order of their numbers.
    pub const ALL: [PacketType; 15] = [
        PacketType::Connect,
        PacketType::ConnAck,
        PacketType::Publish,
        PacketType::PubAck,
        PacketType::PubRec,
        PacketType::PubRel,
        PacketType::PubComp,
        PacketType::Subscribe,
        PacketType::SubAck,
        PacketType::Unsubscribe,
        PacketType::UnsubAck,
        PacketType::PingReq,
        PacketType::PingResp,
        PacketType::Disconnect,
        PacketType::Auth,
    ];

    /// The type with this number (the upper four bits of a packet's first byte); `None` for 0 and above 15.
    pub fn from_number(number: u8) -> Option<PacketType> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The standard's name, for example `PUBLISH`.
    pub const fn name(self) -> &'static str {
        match self {
            PacketType::Connect => "CONNECT",
            PacketType::ConnAck => "CONNACK",
            PacketType::Publish => "PUBLISH",
            PacketType::PubAck => "PUBACK",
            PacketType::PubRec => "PUBREC",
            PacketType::PubRel => "PUBREL",
            PacketType::PubComp => "PUBCOMP",
            PacketType::Subscribe => "SUBSCRIBE",
            PacketType::SubAck => "SUBACK",
            PacketType::Unsubscribe => "UNSUBSCRIBE",
            PacketType::UnsubAck => "UNSUBACK",
            PacketType::PingReq => "PINGREQ",
            PacketType::PingResp => "PINGRESP",
            PacketType::Disconnect => "DISCONNECT",
            PacketType::Auth => "AUTH",
        }
    }

    /// The one value the lower four bits of the first byte may have; of PUBLISH, where they carry
    /// DUP, QoS and RETAIN, the value with all of them 0 (MQTT 5.0 section 2.1.3).
    pub const fn fixed_flags(self) -> u8 {
        match self {
            PacketType::PubRel | PacketType::Subscribe | PacketType::Unsubscribe => 0b0010,
            _ => 0,
        }
    }

    /// The first byte of a packet of this type; for PUBLISH with DUP, QoS and RETAIN 0.
    pub(crate) const fn first_byte(self) -> u8 {
        (self as u8) << 4 | self.fixed_flags()
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of packet types, and of the will, whose properties are a list of their own within CONNECT.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct PacketSet(u16);

impl PacketSet {
    /// Nothing.
    pub const EMPTY: PacketSet = PacketSet(0);
    /// The will properties in the payload of CONNECT: bit 0, since no packet has the number 0.
    pub const WILL: PacketSet = PacketSet(1);

    /// The set of these types.
    pub const fn of(mut types: &[PacketType]) -> PacketSet {
        let mut bits = 0;
        while let [first, rest @ ..] = types {
            bits |= 1 << *first as u8;
            types = rest;
        }
        PacketSet(bits)
    }

    /// Both sets together.
    pub const fn union(self, other: PacketSet) -> PacketSet {
        PacketSet(self.0 | other.0)
    }

    /// What is in both sets.
    pub const fn intersection(self, other: PacketSet) -> PacketSet {
        PacketSet(self.0 & other.0)
    }

    /// Whether everything in `other` is in this set too.
    pub const fn contains(self, other: PacketSet) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether this type is in the set.
    pub const fn has(self, packet: PacketType) -> bool {
        self.0 >> packet as u8 & 1 == 1
    }

    /// The types in the set, in the order of their numbers; the will is not among them.
    pub fn types(self) -> impl Iterator<Item = PacketType> {
        PacketType::ALL
            .into_iter()
            .filter(move |packet| self.has(*packet))
    }
}

impl From<PacketType> for PacketSet {
    fn from(packet: PacketType) -> PacketSet {
        PacketSet::of(&[packet])
    }
}

impl fmt::Debug for PacketSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = f.debug_set();
        if self.contains(PacketSet::WILL) {
            set.entry(&format_args!("will"));
        }
        set.entries(self.types()).finish()
    }
}
