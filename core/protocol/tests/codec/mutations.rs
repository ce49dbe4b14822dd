//! Mutated packets: decoding never panics, and what it accepts goes round unchanged.
//!
//! The seed is fixed; `LEVERET_FUZZ_ITERATIONS` (default 200,000) and `LEVERET_FUZZ_SEED` choose a longer run.
use crate::golden;
use bytes::BytesMut;
use leveret_protocol::codec::{
    Decoded, Limits, MAX_PACKET_SIZE, Packet, Side,
    Version::{self, V5, V311},
    decode,
};
use std::env;

/// The generator `splitmix64`, which is good enough and needs no dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        const TELLING: [u8; 16] = [
            0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF, b'#', b'+', b'/', b'$', 0xC0, 0xED, 0x26, 0x0B,
        ];
        if self.below(2) == 0 {
            TELLING[self.below(TELLING.len())]
        } else {
            self.next() as u8
        }
    }
}

fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 => bytes.insert(at, random.byte()),
            1 => bytes.truncate(at),
            2 => {
                let other = &seeds[random.below(seeds.len())];
                bytes.extend_from_slice(&other[random.below(other.len())..]);
            }
            3 if at < bytes.len() => drop(bytes.remove(at)),
            4 => {
                let again = bytes[at..(at + random.below(12)).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
            5 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ if at < bytes.len() => bytes[at] = random.byte(),
            _ => {}
        }
    }
    // Most often the length is made right again, so that the change gets past the fixed header.
    if random.below(4) > 0 && (2..130).contains(&bytes.len()) {
        bytes[1] = (bytes.len() - 2) as u8;
    }
    bytes
}

/// Decodes all that `bytes` hold; each accepted packet must be encodable, and go round unchanged.
fn check(bytes: &[u8], version: Version, from: Side, limits: &Limits) -> usize {
    let mut buffer = BytesMut::from(bytes);
    let mut accepted = 0;
    loop {
        let before = buffer.len();
        match decode(&mut buffer, version, from, limits) {
            Err(error) => {
                assert!(
                    error.reason.is_error() && !error.statement.is_empty(),
                    "{error}"
                );
                return accepted;
            }
            Ok(Decoded::NeedMore(more)) => {
                assert!(more > 0 && buffer.len() == before);
                return accepted;
            }
            Ok(Decoded::TooLarge(mut oversized)) => {
                assert!(oversized.header.total() > limits.max_packet_size as usize);
                if !oversized.skip(&mut buffer) {
                    assert!(buffer.is_empty());
                    return accepted;
                }
            }
            Ok(Decoded::Packet(packet)) => {
                accepted += 1;
                check_round_trip(&packet, version, from);
            }
        }
        assert!(buffer.len() < before);
    }
}

fn check_round_trip(packet: &Packet, version: Version, from: Side) {
    let mut encoded = BytesMut::new();
    packet
        .encode(version, MAX_PACKET_SIZE, &mut encoded)
        .unwrap_or_else(|error| panic!("{packet:?}: {error}"));
    let bytes = encoded.clone();
    let again = decode(&mut encoded, version, from, &Limits::default());
    assert_eq!(
        again.as_ref(),
        Ok(&Decoded::Packet(packet.clone())),
        "{bytes:02X?}"
    );
    let mut once_more = BytesMut::new();
    packet
        .encode(version, MAX_PACKET_SIZE, &mut once_more)
        .unwrap();
    assert_eq!(bytes, once_more);
}

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn of_golden_packets_never_panic() {
    let iterations = setting("LEVERET_FUZZ_ITERATIONS", 200_000);
    let mut random = Random(setting("LEVERET_FUZZ_SEED", 5));
    let seeds: Vec<Vec<u8>> = golden::all()
        .into_iter()
        .map(|golden| golden.bytes)
        .collect();
    let tight = Limits {
        max_packet_size: 40,
        max_properties: 3,
        copy_below: 16,
    };
    let mut accepted = 0;
    for _ in 0..iterations {
        let bytes = mutate(&mut random, &seeds);
        for (version, from) in [
            (V311, Side::Client),
            (V311, Side::Server),
            (V5, Side::Client),
            (V5, Side::Server),
        ] {
            accepted += check(&bytes, version, from, &Limits::default());
            check(&bytes, version, from, &tight);
        }
    }
    // The mutations must not be so wild that nothing but the error paths is tried.
    assert!(
        accepted as u64 > iterations / 4,
        "{accepted} packets accepted of {iterations}"
    );
}
