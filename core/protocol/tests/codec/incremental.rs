//! Packets that arrive in pieces, lengths at the edges, and packets above the limit.
use crate::{
    golden,
    notation::{bytes, decode_one, encode, encode_within, id},
};
use bytes::{Bytes, BytesMut};
use leveret_protocol::{
    codec::{
        Decoded, EncodeError, FixedHeader, Limits, MAX_PACKET_SIZE, Packet, Publish, Side,
        Version::{self, V5, V311},
        decode,
    },
    message::{Message, QoS},
    packet_type::PacketType,
    reason::ReasonCode,
};

const LIMITS: Limits = Limits {
    max_packet_size: MAX_PACKET_SIZE,
    max_properties: 1_000,
    copy_below: 0,
};

#[test]
fn every_prefix_asks_for_no_more_than_is_missing() {
    for golden in golden::all() {
        for length in 0..golden.bytes.len() {
            let decoded = decode_one(&golden.bytes[..length], golden.version, golden.from);
            let Ok(Decoded::NeedMore(more)) = decoded else {
                panic!("{length} bytes of {:02X?}: {decoded:?}", golden.bytes);
            };
            assert!(
                more >= 1 && length + more <= golden.bytes.len(),
                "{length} of {:02X?}",
                golden.bytes
            );
        }
    }
}

#[test]
fn one_byte_at_a_time_gives_the_same_packets() {
    for version in [V311, V5] {
        for from in [Side::Client, Side::Server] {
            let rows: Vec<_> = golden::all()
                .into_iter()
                .filter(|golden| golden.version == version && golden.from == from)
                .collect();
            let stream: Vec<u8> = rows
                .iter()
                .flat_map(|golden| golden.bytes.clone())
                .collect();
            let mut buffer = BytesMut::new();
            let mut packets = Vec::new();
            for byte in stream {
                buffer.extend_from_slice(&[byte]);
                if let Decoded::Packet(packet) =
                    decode(&mut buffer, version, from, &LIMITS).unwrap()
                {
                    packets.push(packet);
                }
            }
            assert!(buffer.is_empty());
            assert_eq!(
                packets,
                rows.into_iter()
                    .map(|golden| golden.packet)
                    .collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn small_packets_are_copied_out_if_asked() {
    let frame = bytes(r#"30 07 0003 "a/b" "hi""#);
    for (copy_below, shared) in [(0, true), (9, true), (10, false)] {
        let mut buffer = BytesMut::from(&frame[..]);
        buffer.reserve(1_000);
        let memory = buffer.as_ptr() as usize..buffer.as_ptr() as usize + buffer.capacity();
        let limits = Limits {
            copy_below,
            ..LIMITS
        };
        let Ok(Decoded::Packet(Packet::Publish(publish))) =
            decode(&mut buffer, V311, Side::Server, &limits)
        else {
            panic!("no PUBLISH");
        };
        assert_eq!(
            memory.contains(&(publish.message.payload.as_ptr() as usize)),
            shared
        );
        assert_eq!(publish.message.topic(), "a/b");
        assert_eq!(publish.message.levels().collect::<Vec<_>>(), ["a", "b"]);
    }
}

fn publish_with_remaining(remaining: usize) -> Packet {
    let payload = Bytes::from(vec![0; remaining - 3]);
    Packet::Publish(Publish {
        packet_id: None,
        message: Message {
            topic: "t".into(),
            payload,
            ..Message::default()
        },
    })
}

#[test]
fn remaining_lengths_at_the_edges_go_round() {
    let edges = [
        (127, 2),
        (128, 3),
        (16_383, 3),
        (16_384, 4),
        (2_097_151, 4),
        (2_097_152, 5),
        (268_435_455, 5),
    ];
    for (remaining, header_length) in edges {
        let packet = publish_with_remaining(remaining);
        let mut frame = BytesMut::new();
        packet.encode(V311, MAX_PACKET_SIZE, &mut frame).unwrap();
        assert_eq!(frame.len(), header_length + remaining);
        let header = FixedHeader::peek(&frame, V311).unwrap().unwrap();
        assert_eq!(
            (header.length, header.remaining),
            (header_length, remaining)
        );
        assert_eq!(
            decode(&mut frame, V311, Side::Client, &LIMITS),
            Ok(Decoded::Packet(packet))
        );
        assert!(frame.is_empty());
    }
    assert_eq!(
        FixedHeader::peek(&[0xC0, 0], V5)
            .unwrap()
            .unwrap()
            .remaining,
        0
    );
}

#[test]
fn nothing_larger_than_the_standard_allows_is_written() {
    let error = encode(&publish_with_remaining(268_435_456), V311).unwrap_err();
    assert_eq!(
        error,
        EncodeError::TooLarge {
            length: 268_435_461,
            limit: 268_435_460
        }
    );
    let error = encode_within(&publish_with_remaining(10), V311, 11).unwrap_err();
    assert_eq!(
        error,
        EncodeError::TooLarge {
            length: 12,
            limit: 11
        }
    );
    assert_eq!(
        error.to_string(),
        "packet has 12 bytes, at most 11 are allowed"
    );
}

/// A packet of any announced length costs no memory until its bytes are there.
#[test]
fn an_announced_length_reserves_nothing() {
    let mut buffer = BytesMut::with_capacity(64);
    buffer.extend_from_slice(&bytes("30 FFFFFF7F 0001"));
    assert_eq!(
        decode(&mut buffer, V5, Side::Server, &LIMITS),
        Ok(Decoded::NeedMore(268_435_455 - 2))
    );
    assert_eq!(buffer.capacity(), 64);
}

const SMALL: Limits = Limits {
    max_packet_size: 64,
    max_properties: 4,
    copy_below: 0,
};

fn oversized_publish(version: Version) -> Vec<u8> {
    let message = Message {
        topic: "much/too/large".into(),
        payload: Bytes::from(vec![7; 1_000]),
        qos: QoS::ExactlyOnce,
        ..Message::default()
    };
    encode(
        &Packet::Publish(Publish {
            packet_id: Some(id(77)),
            message,
        }),
        version,
    )
    .unwrap()
}

#[test]
fn a_packet_above_the_limit_can_be_skipped_as_it_arrives() {
    for version in [V311, V5] {
        let mut stream = oversized_publish(version);
        stream.extend_from_slice(&bytes("D0 00"));
        let mut arriving = stream.chunks(7);
        let mut buffer = BytesMut::new();
        let mut oversized = loop {
            buffer.extend_from_slice(arriving.next().unwrap());
            match decode(&mut buffer, version, Side::Server, &SMALL).unwrap() {
                Decoded::NeedMore(more) => assert!(buffer.len() + more <= 3 + 2 + 14 + 2),
                Decoded::TooLarge(oversized) => break oversized,
                Decoded::Packet(packet) => panic!("{packet:?}"),
            }
        };
        assert_eq!(oversized.header.packet, PacketType::Publish);
        assert_eq!(oversized.qos, QoS::ExactlyOnce);
        assert_eq!(oversized.packet_id, Some(id(77)));
        assert_eq!(oversized.topic.as_deref(), Some("much/too/large"));
        assert_eq!(oversized.header.total(), stream.len() - 2);
        let error = oversized.error(version);
        assert_eq!(
            (error.reason, error.field),
            (ReasonCode::PACKET_TOO_LARGE, "packet size")
        );
        while !oversized.skip(&mut buffer) {
            assert!(buffer.is_empty());
            buffer.extend_from_slice(arriving.next().unwrap());
        }
        arriving.for_each(|chunk| buffer.extend_from_slice(chunk));
        assert_eq!(
            decode(&mut buffer, version, Side::Server, &SMALL),
            Ok(Decoded::Packet(Packet::PingResp))
        );
    }
}

#[test]
fn another_packet_above_the_limit_is_told_at_once() {
    let mut buffer = BytesMut::from(&bytes("90 41")[..]);
    let Ok(Decoded::TooLarge(oversized)) = decode(&mut buffer, V5, Side::Server, &SMALL) else {
        panic!("not told");
    };
    assert_eq!(
        (oversized.header.packet, oversized.packet_id),
        (PacketType::SubAck, None)
    );
    let mut at_the_limit = BytesMut::from(&bytes("90 3E")[..]);
    assert_eq!(
        decode(&mut at_the_limit, V5, Side::Server, &SMALL),
        Ok(Decoded::NeedMore(62))
    );
}

#[test]
fn an_oversized_publish_without_a_valid_head_is_malformed() {
    let cases = [
        ("36 7F 0001 \"a\" 0001", "QoS"),
        ("32 7F 0001 \"a\" 0000", "packet identifier"),
        ("32 7F 0001 \"+\" 0001", "topic name"),
        ("32 7F FFFF", "topic name"),
    ];
    for (notation, field) in cases {
        let mut buffer = BytesMut::from(&bytes(notation)[..]);
        buffer.resize(2 + 127, 0);
        let error = decode(&mut buffer, V311, Side::Server, &SMALL).unwrap_err();
        assert_eq!(error.field, field, "{notation}");
    }
}
