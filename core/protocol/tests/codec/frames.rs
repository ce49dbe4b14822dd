//! The frame of a letter: written once in the MQTT 5 layout, patched, and given a new head.
use crate::notation::{bytes, decode_one, id, properties};
use bytes::BytesMut;
use leveret_protocol::{
    codec::{
        Decoded, EncodeError, MAX_PACKET_SIZE, Packet, Properties, PropertyId as Id,
        PropertyValue as Value, Publish, Side,
        Version::{self, V5, V311},
        publish::{
            FrameLayout, Payload, PublishHead, has_properties, packet_size, patch_dup,
            patch_expiry, patch_packet_id, qos_of, retain_of, topic_of, write_head,
        },
    },
    message::QoS,
};
use proptest::prelude::*;

fn head<'a>(qos: QoS, properties: &'a Properties, expiry: Option<u32>) -> PublishHead<'a> {
    PublishHead {
        topic: "a/b",
        qos,
        retain: false,
        properties,
        expiry,
    }
}

fn frame(head: &PublishHead<'_>, payload: Payload<'_>) -> (Vec<u8>, FrameLayout) {
    let mut run = BytesMut::from(&b"earlier frames"[..]);
    let layout = head.encode(V5, MAX_PACKET_SIZE, payload, &mut run).unwrap();
    let frame = run[14..].to_vec();
    assert_eq!(frame.len(), layout.length as usize);
    (frame, layout)
}

fn decode_publish(frame: &[u8], version: Version) -> Publish {
    match decode_one(frame, version, Side::Client) {
        Ok(Decoded::Packet(Packet::Publish(publish))) => publish,
        other => panic!("{other:?}"),
    }
}

#[test]
fn is_the_packet_that_the_standard_writes() {
    let none = Properties::new();
    let (frame, layout) = frame(
        &head(QoS::AtLeastOnce, &none, Some(60)),
        Payload::Inline(b"hi"),
    );
    assert_eq!(frame, bytes(r#"32 0F 0003 "a/b" 0000 05 02 0000003C "hi""#));
    assert_eq!(
        layout,
        FrameLayout {
            length: 17,
            topic_end: 7,
            expiry: 11,
            payload: 15
        }
    );
    assert_eq!(
        (topic_of(&frame, layout), qos_of(&frame), retain_of(&frame)),
        ("a/b", QoS::AtLeastOnce, false)
    );
    assert_eq!(packet_size(&frame), 17);
    assert!(!has_properties(&frame, layout));
}

#[test]
fn is_patched_in_place() {
    let none = Properties::new();
    let (mut frame, layout) = frame(
        &head(QoS::ExactlyOnce, &none, Some(60)),
        Payload::Inline(b"hi"),
    );
    patch_packet_id(&mut frame, layout, id(0x1234));
    patch_dup(&mut frame, true);
    patch_expiry(&mut frame, layout, 59);
    assert_eq!(frame, bytes(r#"3C 0F 0003 "a/b" 1234 05 02 0000003B "hi""#));
    patch_dup(&mut frame, false);
    assert_eq!(frame[0], 0x34);
}

#[test]
fn at_qos_0_has_nothing_but_the_expiry_to_patch() {
    let none = Properties::new();
    let (mut frame, layout) = frame(&head(QoS::AtMostOnce, &none, None), Payload::Inline(b"hi"));
    let before = frame.clone();
    patch_packet_id(&mut frame, layout, id(0x1234));
    patch_dup(&mut frame, true);
    patch_expiry(&mut frame, layout, 59);
    assert_eq!(frame, before);
    assert_eq!(frame, bytes(r#"30 08 0003 "a/b" 00 "hi""#));
}

#[test]
fn finds_the_expiry_among_the_properties() {
    let given = properties(&[
        (Id::ContentType, Value::Text("text")),
        (Id::MessageExpiryInterval, Value::Number(60)),
        (Id::PayloadFormatIndicator, Value::Number(1)),
    ]);
    let (mut own, layout) = frame(&head(QoS::AtLeastOnce, &given, None), Payload::Inline(b""));
    assert!(has_properties(&own, layout));
    patch_packet_id(&mut own, layout, id(1));
    patch_expiry(&mut own, layout, 7);
    let message = decode_publish(&own, V5).message;
    assert_eq!(message.properties.message_expiry_interval(), Some(7));
    assert_eq!(message.properties.content_type(), Some("text"));

    let (mut forwarded, layout) = frame(
        &head(QoS::AtLeastOnce, &given, Some(30)),
        Payload::Inline(b""),
    );
    patch_packet_id(&mut forwarded, layout, id(1));
    let message = decode_publish(&forwarded, V5).message;
    assert_eq!(
        message.properties.message_expiry_interval(),
        Some(30),
        "in place of the given one"
    );
    assert_eq!(message.properties.iter().count(), 3);
}

#[test]
fn knows_properties_from_an_expiry_alone() {
    let long = properties(&[(Id::ContentType, Value::Text(&"x".repeat(200)))]);
    let expiry_alone = properties(&[(Id::MessageExpiryInterval, Value::Number(60))]);
    let none = Properties::new();
    let cases = [
        (&none, None, false),
        (&none, Some(1), false),
        (&expiry_alone, None, false),
        (&expiry_alone, Some(1), false),
        (&long, None, true),
        (&long, Some(1), true),
    ];
    for (properties, expiry, expected) in cases {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
            let (frame, layout) = frame(&head(qos, properties, expiry), Payload::Inline(b"hi"));
            assert_eq!(
                has_properties(&frame, layout),
                expected,
                "{properties:?} {expiry:?} {qos:?}"
            );
        }
    }
}

#[test]
fn too_large_or_too_long_is_an_error_and_writes_nothing() {
    let none = Properties::new();
    let mut out = BytesMut::new();
    let long = "x".repeat(65_536);
    let topic = PublishHead {
        topic: &long,
        ..head(QoS::AtMostOnce, &none, None)
    };
    let error = topic
        .encode(V5, MAX_PACKET_SIZE, Payload::Inline(b""), &mut out)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "topic name must have at most 65,535 bytes"
    );
    let head = head(QoS::AtMostOnce, &none, None);
    let error = head
        .encode(V5, 9, Payload::Inline(b"hi"), &mut out)
        .unwrap_err();
    assert_eq!(
        error,
        EncodeError::TooLarge {
            length: 10,
            limit: 9
        }
    );
    let most = 268_435_455 - 2 - 3 - 1;
    assert!(
        head.encode(V5, u32::MAX, Payload::Apart(most + 1), &mut out)
            .is_err()
    );
    assert!(out.is_empty());
    let layout = head
        .encode(V5, u32::MAX, Payload::Apart(most), &mut out)
        .unwrap();
    assert_eq!((out.len(), layout.length, layout.payload), (11, 11, 11));
    assert_eq!(packet_size(&out), 268_435_460);
}

#[test]
fn patches_and_heads_survive_any_layout() {
    let none = Properties::new();
    let (original, right) = frame(
        &head(QoS::AtLeastOnce, &none, Some(60)),
        Payload::Inline(b"hi"),
    );
    let offsets = [
        0,
        1,
        2,
        6,
        right.topic_end,
        right.expiry,
        right.payload,
        16,
        17,
        18,
        1_000,
        u32::MAX,
    ];
    for topic_end in offsets {
        for other in offsets {
            let layout = FrameLayout {
                length: other,
                topic_end,
                expiry: other,
                payload: other,
            };
            for length in 0..=original.len() {
                let mut frame = original[..length].to_vec();
                patch_packet_id(&mut frame, layout, id(1));
                patch_expiry(&mut frame, layout, 1);
                patch_dup(&mut frame, true);
                let _ = (topic_of(&frame, layout), has_properties(&frame, layout));
                for version in [V311, V5] {
                    let mut out = BytesMut::new();
                    let written = write_head(version, &frame, layout, &mut out);
                    assert_eq!(
                        written.map_or(0, |layout| layout.length as usize),
                        out.len()
                    );
                }
            }
        }
    }
}

fn any_qos() -> impl Strategy<Value = QoS> {
    (0u8..3).prop_map(|number| QoS::try_from(number).unwrap())
}

proptest! {
    /// However a letter leaves, inline or with its payload apart, patched or with a new head, on either version:
    /// the peer reads the same.
    #[test]
    fn every_way_out_says_the_same(
        topic in "[a-z/]{1,200}",
        qos in any_qos(),
        retain: bool,
        dup: bool,
        expiry in proptest::option::of(any::<u32>()),
        content_type in proptest::option::of("[a-z]{0,200}"),
        payload in proptest::collection::vec(any::<u8>(), 0..300),
        packet_id in 1u16..,
    ) {
        let mut properties = Properties::new();
        if let Some(content_type) = &content_type {
            properties.set(Id::ContentType, content_type.as_str()).unwrap();
        }
        let head = PublishHead { topic: &topic, qos, retain, properties: &properties, expiry };
        let (inline, layout) = frame(&head, Payload::Inline(&payload));
        let (apart, apart_layout) = frame(&head, Payload::Apart(payload.len()));
        prop_assert_eq!(&inline[..layout.payload as usize], &apart[..]);
        prop_assert_eq!(FrameLayout { length: layout.payload, ..layout }, apart_layout);
        for version in [V5, V311] {
            let mut out = BytesMut::from(&b"run"[..]);
            let layout = write_head(version, &apart, apart_layout, &mut out).unwrap();
            prop_assert_eq!(out.len(), 3 + layout.length as usize);
            let packet = &mut out[3..];
            patch_packet_id(packet, layout, id(packet_id));
            patch_dup(packet, dup);
            patch_expiry(packet, layout, 5);
            prop_assert_eq!(topic_of(packet, layout), &topic);
            out.extend_from_slice(&payload);
            prop_assert_eq!(packet_size(&out[3..]), out.len() - 3);
            let publish = decode_publish(&out[3..], version);
            prop_assert_eq!(publish.packet_id.is_some(), qos != QoS::AtMostOnce);
            prop_assert!(publish.packet_id.is_none_or(|id| id.get() == packet_id));
            let message = publish.message;
            prop_assert_eq!(message.topic(), &topic);
            prop_assert_eq!(message.payload(), &payload);
            prop_assert_eq!((message.qos(), message.retain()), (qos, retain));
            prop_assert_eq!(message.dup(), dup && qos != QoS::AtMostOnce);
            let on_v5 = version == V5;
            prop_assert_eq!(message.properties().content_type(), content_type.as_deref().filter(|_| on_v5));
            prop_assert_eq!(message.properties().message_expiry_interval(), expiry.filter(|_| on_v5).map(|_| 5));
        }
    }
}
