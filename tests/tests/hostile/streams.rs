//! What a hostile broker sends: a conversation with damage, drawn from a seed.
use bytes::BytesMut;
use leveret_protocol::codec::{
    Auth, DecodeError, Limits, MAX_PACKET_SIZE, Packet, Properties, PropertyId, PropertyValue,
    Side, Version, decode,
};
use leveret_protocol::reason::ReasonCode;
use leveret_tests::fuzz::draw;
use leveret_tests::fuzz::feed::Feed;
use leveret_tests::sim::random::Random;

use super::MAX_PACKET;
use super::clients::{Kind, METHOD};

/// What a hostile broker sends.
pub(crate) struct Stream {
    pub(crate) bytes: Vec<u8>,
    /// A few bytes at a time.
    pub(crate) drips: bool,
    /// The first thing wrong with it, where that is known.
    pub(crate) expected: Option<DecodeError>,
}

impl Stream {
    pub(crate) fn draw(random: &mut Random, version: Version, kind: Kind) -> Stream {
        let drips = random.chance(60);
        let authenticates = kind == Kind::Authenticating;
        if !authenticates && random.chance(300) {
            return Stream {
                drips,
                ..Stream::one_broken_packet(random, version)
            };
        }
        let mut parts = Vec::new();
        let asks_back = authenticates && random.chance(700);
        parts.extend(asks_back.then(|| encoded(&next_step(), version)));
        for place in 0..=random.below(12) {
            let seed: Vec<u8> = (0..200).map(|_| random.word() as u8).collect();
            let mut feed = Feed::new(&seed);
            let mut packet = match place {
                0 => draw::connack(&mut feed, version),
                _ => draw::from_server(&mut feed, version),
            };
            if authenticates && random.chance(700) {
                name_method(&mut packet);
            }
            parts.push(encoded(&without_reference(packet), version));
        }
        mutate(random, &mut parts);
        Stream {
            bytes: parts.concat(),
            drips,
            expected: None,
        }
    }

    /// A good CONNACK, and one packet with damage: what is wrong with it is known.
    fn one_broken_packet(random: &mut Random, version: Version) -> Stream {
        let connack: &[u8] = match version {
            Version::V5 => &[0x20, 3, 0, 0, 0],
            Version::V311 => &[0x20, 2, 0, 0],
        };
        let seed: Vec<u8> = (0..200).map(|_| random.word() as u8).collect();
        let packet = draw::from_server(&mut Feed::new(&seed), version);
        let mut parts = vec![encoded(&without_reference(packet), version)];
        mutate(random, &mut parts);
        let broken = parts.concat();
        let limits = Limits {
            max_packet_size: MAX_PACKET,
            ..Limits::default()
        };
        let found = decode(
            &mut BytesMut::from(&broken[..]),
            version,
            Side::Server,
            &limits,
        );
        Stream {
            bytes: [connack, &broken].concat(),
            drips: false,
            expected: found.err(),
        }
    }
}

/// The broker wants more of a client that authenticates.
fn next_step() -> Packet {
    let mut packet = Packet::Auth(Auth {
        reason: ReasonCode::CONTINUE_AUTHENTICATION,
        properties: Properties::new(),
    });
    name_method(&mut packet);
    packet
}

/// It speaks of the client's own method.
fn name_method(packet: &mut Packet) {
    let properties = match packet {
        Packet::ConnAck(connack) => &mut connack.properties,
        Packet::Auth(auth) => &mut auth.properties,
        _ => return,
    };
    properties.remove(PropertyId::AuthenticationMethod);
    let method = PropertyValue::Text(METHOD);
    let _ = properties.set(PropertyId::AuthenticationMethod, method);
}

/// Nobody is to be sent to servers outside of this test.
fn without_reference(mut packet: Packet) -> Packet {
    match &mut packet {
        Packet::ConnAck(connack) => connack.properties.remove(PropertyId::ServerReference),
        Packet::Disconnect(disconnect) => {
            disconnect.properties.remove(PropertyId::ServerReference);
        }
        _ => {}
    }
    packet
}

/// Its bytes; none where this version has no such packet.
fn encoded(packet: &Packet, version: Version) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    let _ = packet.encode(version, MAX_PACKET_SIZE, &mut bytes);
    bytes.to_vec()
}

/// Does some damage, to the order of packets or to their bytes; sometimes none.
fn mutate(random: &mut Random, parts: &mut Vec<Vec<u8>>) {
    for _ in 0..random.below(4) {
        let place = random.below(parts.len() as u64) as usize;
        let length = parts[place].len() as u64;
        match random.below(9) {
            0 => parts.swap(place, 0),
            1 => parts.push(parts[place].clone()),
            2 => parts[place].truncate(random.below(length + 1) as usize),
            3 if length > 1 => parts[place][1] = random.word() as u8, // the length lies
            4 if length > 1 => {
                let far = random.word().to_be_bytes();
                parts[place].splice(1..2, far.iter().take(4).map(|byte| byte | 0x80));
            }
            5 => parts.push((0..random.below(64)).map(|_| random.word() as u8).collect()),
            6 if length > 0 => parts[place][random.below(length) as usize] = random.word() as u8,
            7 => {
                let many = random.below(200) as usize;
                parts.extend(std::iter::repeat_n(parts[place].clone(), many));
            }
            _ if length > 0 => parts[place][random.below(length) as usize] ^= 1 << random.below(8),
            _ => {}
        }
    }
}
