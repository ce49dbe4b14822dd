//! Strings, string pairs and variable byte integers (3.1.1: 1.5.3; 5.0: 1.5.4 to 1.5.7).
use leveret_protocol::engine::Payload;
use leveret_protocol::options::{ClientOptions, PublishOptions, Value};
use leveret_protocol::sentence::Dialect;

use crate::harness::*;

/// Stray and missing continuation bytes, an overlong form, surrogates, a character beyond U+10FFFF.
const ILL_FORMED: [&str; 7] = ["FF", "80", "E282", "C080", "EDA080", "EDBFBF", "F4908080"];

fn ill_formed_closes(version: Version) {
    for string in ILL_FORMED {
        let mut client = online(version);
        client.give_bytes(&message(version, 0x30, &bytes(string), 0));
        assert!(client.messages().is_empty(), "{string}");
        assert_given_up(&mut client, 0x81);
    }
    for string in ["c3a9", "EFBFBD", "F48FBFBF", "ED9FBF", "EE8080"] {
        let mut client = online(version);
        client.give_bytes(&message(version, 0x30, &bytes(string), 0));
        assert_eq!(client.messages().len(), 1, "{string}");
    }
}

#[test]
fn v311_1_5_3_1_a_string_that_is_not_well_formed_closes() {
    ill_formed_closes(V311);
}

#[test]
fn v5_1_5_4_1_a_string_that_is_not_well_formed_closes() {
    ill_formed_closes(V5);
    // In the properties too: reason strings, a response topic, a content type, a server reference.
    for packet in [
        "40 08 0001 00 04 1F 0001 FF",
        r#"30 08 0001 "t" 04 08 0001 FF"#,
        r#"30 08 0001 "t" 04 03 0001 FF"#,
        "E0 06 8B 04 1F 0001 FF",
        "E0 06 9C 04 1C 0001 FF",
    ] {
        let mut client = online(V5);
        client.publish("t", &at(AtLeastOnce));
        client.give_bytes(&bytes(packet));
        assert_given_up(&mut client, 0x81);
    }
}

fn nul_is_neither_taken_nor_sent(version: Version) {
    let mut client = online(version);
    client.give_bytes(&message(version, 0x30, b"a\0b", 0));
    assert!(client.messages().is_empty());
    assert_given_up(&mut client, 0x81);

    assert!(seal("a\0b", &PublishOptions::default()).is_err());
    assert!(filter("a\0b").is_err());
    for option in ["client_id", "username", "will_topic"] {
        let mut options = speaking(version);
        let set = options.set(option, Value::Text("a\0b".into()), Dialect::Rust);
        assert!(set.is_err(), "{option}");
    }
}

#[test]
fn v311_1_5_3_2_nul_in_a_string_closes_and_is_never_sent() {
    nul_is_neither_taken_nor_sent(V311);
}

#[test]
fn v5_1_5_4_2_nul_in_a_string_closes_and_is_never_sent() {
    nul_is_neither_taken_nor_sent(V5);
    let mut client = online(V5);
    client.give_bytes(&bytes(r#"30 08 0001 "t" 04 03 0001 00"#));
    assert_given_up(&mut client, 0x81);
}

fn a_byte_order_mark_is_a_character(version: Version) {
    let topic = b"\xEF\xBB\xBFa";
    let mut client = online(version);
    client.give_bytes(&message(version, 0x30, topic, 0));
    assert_eq!(received(&client), ["\u{FEFF}a"]);
    client.publish("\u{FEFF}a", &at(AtMostOnce));
    assert_eq!(&packets(&mut client)[0][2..8], b"\0\x04\xEF\xBB\xBFa");
}

#[test]
fn v311_1_5_3_3_a_byte_order_mark_is_kept() {
    a_byte_order_mark_is_a_character(V311);
}

#[test]
fn v5_1_5_4_3_a_byte_order_mark_is_kept() {
    a_byte_order_mark_is_a_character(V5);
}

#[test]
fn v5_1_5_5_1_integers_take_as_few_bytes_as_they_can() {
    // Below and above each width; `0001 "t"` and the property length take four bytes.
    for (remaining, length) in [
        (127, "7F"),
        (128, "8001"),
        (16_383, "FF7F"),
        (16_384, "808001"),
        (2_097_151, "FFFF7F"),
        (2_097_152, "80808001"),
    ] {
        let mut client = online(V5);
        let payload = vec![b'x'; remaining - 4];
        client.publish_payload("t", Payload::from(&payload), &at(AtMostOnce));
        let sent = client.sent_bytes();
        let length = bytes(length);
        assert_eq!(sent[1..=length.len()], length);
        assert_eq!(sent.len(), 1 + length.len() + remaining);
    }
    // Received: one that is longer than it need be is malformed.
    let mut client = online(V5);
    client.give_bytes(&bytes(r#"30 8400 0001 "t" 00"#));
    assert_given_up(&mut client, 0x81);
}

#[test]
fn v5_1_5_7_1_both_halves_of_a_pair_are_strings() {
    for pair in [
        "26 0001 FF 0001 61",
        "26 0001 61 0001 FF",
        "26 0001 00 0001 61",
        "26 0001 61 0001 00",
    ] {
        let mut client = online(V5);
        client.give_bytes(&[bytes(r#"30 0B 0001 "t" 07"#), bytes(pair)].concat());
        assert!(client.messages().is_empty(), "{pair}");
        assert_given_up(&mut client, 0x81);
    }
    for pair in [("a\0", "b"), ("a", "b\0")] {
        let pairs = vec![(pair.0.to_owned(), pair.1.to_owned())];
        let publish = PublishOptions {
            user_properties: pairs.clone(),
            ..at(AtMostOnce)
        };
        assert!(seal("t", &publish).is_err());
        let client = ClientOptions {
            user_properties: pairs,
            ..speaking(V5)
        };
        assert!(client.check(Dialect::Rust).is_err());
    }
    let mut client = online(V5);
    client.publish(
        "t",
        &PublishOptions {
            user_properties: vec![("ä".into(), "\u{FEFF}".into())],
            ..at(AtMostOnce)
        },
    );
    let pair = bytes("0002 C3A4 0003 EFBBBF");
    assert_eq!(letters(&mut client)[0].properties, [Property(0x26, pair)]);
}
