//! The head of a PUBLISH that a sender writes itself, on both versions.
use crate::notation::{bytes, decode_one, id};
use bytes::BytesMut;
use leveret_protocol::{
    codec::{
        Decoded, EncodeError, MAX_PACKET_SIZE, Packet, Properties, PropertyId as Id, PublishHead,
        Side,
        Version::{V5, V311},
    },
    message::QoS,
};
use proptest::prelude::*;

fn head(qos: QoS) -> PublishHead<'static> {
    PublishHead {
        topic: b"a/b",
        qos,
        retain: false,
        dup: false,
        packet_id: Some(id(0x1234)),
        properties: &[],
        expiry: None,
        alias: None,
        payload_length: 2,
    }
}

#[test]
fn is_what_the_standard_writes() {
    let late = PublishHead {
        dup: true,
        retain: true,
        expiry: Some(60),
        alias: None,
        ..head(QoS::AtLeastOnce)
    };
    let forms = [
        (head(QoS::AtMostOnce), V311, r#"30 07 0003 "a/b""#),
        (head(QoS::AtMostOnce), V5, r#"30 08 0003 "a/b" 00"#),
        (head(QoS::ExactlyOnce), V311, r#"34 09 0003 "a/b" 1234"#),
        (late, V311, r#"3B 09 0003 "a/b" 1234"#),
        (late, V5, r#"3B 0F 0003 "a/b" 1234 05 02 0000003C"#),
    ];
    for (head, version, notation) in forms {
        let mut out = BytesMut::from(&b"run"[..]);
        head.encode(version, MAX_PACKET_SIZE, &mut out).unwrap();
        assert_eq!(out[3..], bytes(notation), "{version:?} {head:?}");
        assert_eq!(head.packet_size(version), out.len() - 3 + 2);
    }
}

#[test]
fn too_large_or_too_long_is_an_error_and_writes_nothing() {
    let mut out = BytesMut::new();
    let long = [b'x'; 65_536];
    let error = PublishHead {
        topic: &long,
        ..head(QoS::AtMostOnce)
    }
    .encode(V5, u32::MAX, &mut out);
    assert_eq!(
        error.unwrap_err().to_string(),
        "topic name must have at most 65,535 bytes"
    );
    let error = head(QoS::AtMostOnce).encode(V5, 9, &mut out);
    assert_eq!(
        error,
        Err(EncodeError::TooLarge {
            length: 10,
            limit: 9
        })
    );
    let most = 268_435_455 - 2 - 3 - 1;
    let with = |payload_length| PublishHead {
        payload_length,
        ..head(QoS::AtMostOnce)
    };
    let error = with(most + 1).encode(V5, u32::MAX, &mut out);
    assert_eq!(
        error,
        Err(EncodeError::TooLarge {
            length: 268_435_461,
            limit: 268_435_460
        })
    );
    assert!(out.is_empty());
    assert_eq!(with(most).encode(V5, u32::MAX, &mut out), Ok(()));
    assert_eq!(
        out,
        bytes(r#"30 FFFFFF7F 0003 "a/b" 00"#),
        "no memory is taken for the payload"
    );
}

proptest! {
    #[test]
    fn is_read_as_it_was_meant(
        topic in "[a-z/]{1,200}",
        qos in 0u8..3,
        retain: bool,
        dup: bool,
        expiry in proptest::option::of(any::<u32>()),
        content_type in proptest::option::of("[a-z]{0,200}"),
        payload in proptest::collection::vec(any::<u8>(), 0..300),
        number in 1u16..,
    ) {
        let qos = QoS::try_from(qos).unwrap();
        let with_id = qos != QoS::AtMostOnce;
        let mut properties = Properties::new();
        if let Some(content_type) = &content_type {
            properties.set(Id::ContentType, content_type.as_str()).unwrap();
        }
        let head = PublishHead {
            topic: topic.as_bytes(),
            qos,
            retain,
            dup: dup && with_id,
            packet_id: Some(id(number)),
            properties: properties.encoded(),
            expiry,
            alias: None,
            payload_length: payload.len(),
        };
        for version in [V5, V311] {
            let mut out = BytesMut::new();
            head.encode(version, MAX_PACKET_SIZE, &mut out).unwrap();
            out.extend_from_slice(&payload);
            prop_assert_eq!(head.packet_size(version), out.len());
            let Ok(Decoded::Packet(Packet::Publish(publish))) = decode_one(&out, version, Side::Client) else {
                panic!("no PUBLISH: {out:02X?}");
            };
            prop_assert_eq!(publish.packet_id, with_id.then(|| id(number)));
            let message = publish.message;
            prop_assert_eq!(message.topic(), &topic);
            prop_assert_eq!(message.payload(), &payload);
            prop_assert_eq!((message.qos(), message.retain(), message.dup()), (qos, retain, dup && with_id));
            let on_v5 = version == V5;
            prop_assert_eq!(message.properties().content_type(), content_type.as_deref().filter(|_| on_v5));
            prop_assert_eq!(message.properties().message_expiry_interval(), expiry.filter(|_| on_v5));
        }
    }
}
