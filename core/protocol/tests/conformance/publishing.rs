//! PUBLISH (3.3): its flags, its topic name and properties, and how it is answered.
use leveret_protocol::engine::Input;
use leveret_protocol::options::{PublishOptions, Value};
use leveret_protocol::sentence::Dialect;

use crate::harness::*;

fn dup_on_every_redelivery(version: Version) {
    let mut client = Bench::online(kept(version));
    client.publish("a", &at(AtLeastOnce));
    client.publish("b", &at(ExactlyOnce));
    assert_eq!(first_bytes(&packets(&mut client), 3), [0x32, 0x34]);
    for _ in 0..3 {
        reconnect(&mut client, true);
        assert_eq!(first_bytes(&packets(&mut client), 3), [0x3A, 0x3C]);
    }
}

/// Also where the connection is lost in the middle of it, and it is sent whole on the next one.
fn no_dup_at_qos_0(version: Version) {
    let retained = PublishOptions {
        retain: true,
        ..at(AtMostOnce)
    };
    let mut client = Bench::online(kept(version));
    client.publish("a", &at(AtMostOnce));
    client.publish("a", &retained);
    assert_eq!(first_bytes(&packets(&mut client), 3), [0x30, 0x31]);
    client.takes = 3;
    client.publish("a", &at(AtMostOnce));
    reconnect(&mut client, true);
    assert_eq!(first_bytes(&packets(&mut client), 3), [0x30]);
}

/// A message came with DUP, under the identifier that the letter will have: the letter's own flag is that of a first sending. And the other way around.
fn dup_is_ones_own(version: Version) {
    for (qos, number) in [(AtLeastOnce, 1), (ExactlyOnce, 2)] {
        let mut client = Bench::online(kept(version));
        client.give_bytes(&message(version, 0x38 | number << 1, b"t", 1));
        assert!(client.messages()[0].message.dup());
        client.publish("t", &at(qos));
        assert_eq!(first_bytes(&packets(&mut client), 3), [0x30 | number << 1]);
        reconnect(&mut client, true);
        client.give_bytes(&message(version, 0x30 | number << 1, b"t", 2));
        assert_eq!(first_bytes(&packets(&mut client), 3), [0x38 | number << 1]);
    }
}

fn no_qos_3(version: Version) {
    for first in [0x36, 0x3E, 0x37] {
        let mut client = online(version);
        client.give_bytes(&message(version, first, b"t", 1));
        assert!(client.messages().is_empty());
        assert_given_up(&mut client, 0x81);
    }
    let mut options = PublishOptions::default();
    assert!(
        options
            .set("qos", Value::Integer(3), Dialect::Rust)
            .is_err()
    );
    for (qos, number) in LEVELS {
        let mut client = online(version);
        client.publish("t", &at(qos));
        assert_eq!(letters(&mut client)[0].qos, number);
    }
}

#[test]
fn v311_3_3_1_1_dup_is_set_on_every_redelivery() {
    dup_on_every_redelivery(V311);
}

#[test]
fn v5_3_3_1_1_dup_is_set_on_every_redelivery() {
    dup_on_every_redelivery(V5);
}

#[test]
fn v311_3_3_1_2_dup_is_never_set_at_qos_0() {
    no_dup_at_qos_0(V311);
}

#[test]
fn v5_3_3_1_2_dup_is_never_set_at_qos_0() {
    no_dup_at_qos_0(V5);
}

#[test]
fn v311_3_3_1_3_dup_says_nothing_of_what_was_received() {
    dup_is_ones_own(V311);
}

#[test]
fn v5_3_3_1_3_dup_says_nothing_of_what_was_received() {
    dup_is_ones_own(V5);
}

#[test]
fn v311_3_3_1_4_qos_3_closes_and_is_never_sent() {
    no_qos_3(V311);
}

#[test]
fn v5_3_3_1_4_qos_3_closes_and_is_never_sent() {
    no_qos_3(V5);
}

#[test]
fn v311_3_3_2_1_the_topic_name_comes_first_and_is_utf8() {
    let mut client = online(V311);
    client.publish("ä/b", &at(AtLeastOnce));
    let whole = bytes(r#"32 09 0004 C3A4 "/b" 0001 "x""#);
    assert_eq!(packets(&mut client), [whole]);
}

#[test]
fn v5_3_3_2_1_the_topic_name_comes_first_and_is_utf8() {
    let mut client = online(V5);
    client.publish("ä/b", &at(AtLeastOnce));
    let whole = bytes(r#"32 0A 0004 C3A4 "/b" 0001 00 "x""#);
    assert_eq!(packets(&mut client), [whole]);
}

fn no_wildcards(version: Version) {
    for topic in ["#", "+", "a/+/b", "a/#", "a#", "+a"] {
        assert!(seal(topic, &PublishOptions::default()).is_err(), "{topic}");
        let mut client = online(version);
        client.give_bytes(&message(version, 0x30, topic.as_bytes(), 0));
        assert_given_up(&mut client, 0x81);
    }
}

#[test]
fn v311_3_3_2_2_a_topic_name_has_no_wildcards() {
    no_wildcards(V311);
}

#[test]
fn v5_3_3_2_2_a_topic_name_has_no_wildcards() {
    no_wildcards(V5);
}

fn answered_as_its_qos_asks(version: Version) {
    let mut client = online(version);
    client.give_bytes(&message(version, 0x30, b"q0", 0));
    client.give_bytes(&message(version, 0x32, b"q1", 5));
    client.give_bytes(&message(version, 0x34, b"q2", 6));
    assert_eq!(received(&client), ["q0", "q1", "q2"]);
    assert!(client.messages()[0].token.is_none(), "nothing to be said");
    handled(&mut client, 1);
    assert_eq!(packets(&mut client), [answer(0x40, 5)]);
    handled(&mut client, 2);
    assert_eq!(packets(&mut client), [answer(0x50, 6)]);
}

#[test]
fn v311_3_3_4_1_a_message_is_answered_as_its_qos_asks() {
    answered_as_its_qos_asks(V311);
}

#[test]
fn v5_3_3_4_1_a_message_is_answered_as_its_qos_asks() {
    answered_as_its_qos_asks(V5);
}

fn qos_0(version: Version) {
    let mut client = online(version);
    let letter = client.publish("t", &at(AtMostOnce));
    let sent = letters(&mut client);
    assert_eq!((sent[0].qos, sent[0].dup), (0, false));
    assert_eq!(client.settled(letter), Some(("sent", true)));
    // Held back by a stall, and taken back: still as if for the first time.
    client.takes = 0;
    client.publish("t", &at(AtMostOnce));
    client.takes = usize::MAX;
    client.handle(Input::Writable);
    assert_eq!(first_bytes(&packets(&mut client), 3), [0x30]);
}

#[test]
fn v311_4_3_1_1_qos_0_is_sent_without_dup() {
    qos_0(V311);
}

#[test]
fn v5_4_3_1_1_qos_0_is_sent_without_dup() {
    qos_0(V5);
}

/// A property that is a string is taken as text alone, and sent as its UTF-8.
fn property_is_utf8(option: &str, id: u8) {
    let mut options = at(AtMostOnce);
    let ill_formed = Value::Bytes(b"\xC0\x80"[..].into());
    assert!(options.set(option, ill_formed, Dialect::C).is_err());
    let nul = Value::Text("a\0".into());
    assert!(options.set(option, nul, Dialect::C).is_err());
    let text = Value::Text("é/\u{FEFF}".into());
    options.set(option, text, Dialect::C).expect("text");
    let mut client = online(V5);
    client.publish("t", &options);
    let expected = Property(id, bytes("C3A9 2F EFBBBF"));
    assert_eq!(letters(&mut client)[0].properties, [expected]);
}

#[test]
fn v5_3_3_2_13_the_response_topic_is_utf8() {
    property_is_utf8("response_topic", 0x08);
}

#[test]
fn v5_3_3_2_14_the_response_topic_has_no_wildcards() {
    for topic in ["a/#", "+"] {
        let options = PublishOptions {
            response_topic: Some(topic.into()),
            ..at(AtMostOnce)
        };
        assert!(seal("t", &options).is_err(), "{topic}");
    }
    let mut client = online(V5);
    client.give_bytes(&bytes(r#"30 08 0001 "t" 04 08 0001 "+""#));
    assert_given_up(&mut client, 0x81);
}

#[test]
fn v5_3_3_2_19_the_content_type_is_utf8() {
    property_is_utf8("content_type", 0x03);
}

#[test]
fn v5_3_3_4_6_no_letter_has_a_subscription_identifier() {
    let options = PublishOptions {
        message_expiry: Some(seconds(9)),
        payload_format: Some(1),
        content_type: Some("c".into()),
        response_topic: Some("r".into()),
        correlation_data: Some(b"d"[..].into()),
        user_properties: vec![("n".into(), "v".into())],
        ..at(AtLeastOnce)
    };
    let mut client = online(V5);
    client.subscribe(&[(7, "t")], AtLeastOnce);
    client.publish("t", &options);
    let letter = letters(&mut client).remove(0);
    assert_eq!(letter.properties.len(), 6, "everything that can be given");
    assert_eq!(value(&letter.properties, 0x0B), None);
    let name = "subscription_identifier";
    let mut options = PublishOptions::default();
    assert!(options.set(name, Value::Integer(7), Dialect::Rust).is_err());
}

#[test]
fn v5_2_2_2_1_no_properties_are_a_length_of_zero() {
    let mut client = told(speaking(V5), "29 00"); // without subscription identifiers
    client.publish("t", &at(AtMostOnce));
    client.subscribe(&[(1, "f")], AtLeastOnce);
    unsubscribe(&mut client, "f");
    let whole = [
        r#"30 05 0001 "t" 00 "x""#,
        r#"82 07 0001 00 0001 "f" 01"#,
        r#"A2 06 0002 00 0001 "f""#,
    ];
    assert_eq!(packets(&mut client), whole.map(bytes));
    let (_, connect) = connecting(leveret_protocol::options::ClientOptions {
        will_topic: Some("w".into()),
        ..speaking(V5)
    });
    assert!(connect.ends_with(&bytes(r#"0005 "bench" 00 0001 "w" 0000"#)));
}
