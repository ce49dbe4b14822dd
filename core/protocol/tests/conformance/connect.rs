//! CONNECT (3.1): first, once, and its fixed fields; the client identifier; what CONNACK may refuse.
use leveret_protocol::engine::{ConnectionEvent, Event, Input};
use leveret_protocol::options::{ClientOptions, Value};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence::Dialect;

use crate::harness::*;

fn everything(version: Version) -> ClientOptions {
    ClientOptions {
        client_id: "dév".into(),
        will_topic: Some("wîll".into()),
        will_payload: b"\xFF\x00bye"[..].into(),
        will_qos: AtLeastOnce,
        will_retain: true,
        username: Some("mé".into()),
        password: Some(b"\xFFsecret"[..].into()),
        ..speaking(version)
    }
}

/// Letters and filters are waiting: CONNECT goes before all of them, at every connection.
fn connect_is_first(version: Version) {
    let mut client = Bench::new(speaking(version));
    client.publish("t", &at(AtLeastOnce));
    client.subscribe(&[(1, "f")], AtLeastOnce);
    client.handle(Input::Start);
    for _ in 0..3 {
        client.link_up();
        assert_eq!(client.written[0], 0x10);
        client.give(connack(false));
        assert!(split(&client.written).len() >= 3, "and then the rest");
        client.lose_connection();
    }
}

/// Whatever happens on a connection, CONNECT is sent once on it.
fn connect_is_sent_once(version: Version) {
    let (mut client, _) = connecting(speaking(version));
    client.pass(seconds(9));
    client.publish("t", &at(AtLeastOnce));
    client.give(connack(false));
    client.pass(seconds(58));
    client.subscribe(&[(1, "f")], AtLeastOnce);
    assert_eq!(first_bytes(&split(&client.written), 1), [0x10]);
    assert_eq!(first_bytes(&one_of_each(version), 1), [0x10]);
}

#[test]
fn v311_3_1_0_1_connect_is_the_first_packet() {
    connect_is_first(V311);
}

#[test]
fn v5_3_1_0_1_connect_is_the_first_packet() {
    connect_is_first(V5);
}

#[test]
fn v311_3_1_0_2_connect_is_sent_once() {
    connect_is_sent_once(V311);
}

#[test]
fn v5_3_1_0_2_connect_is_sent_once() {
    connect_is_sent_once(V5);
}

#[test]
fn v311_3_1_2_1_the_protocol_name_is_mqtt() {
    let (_, connect) = connecting(speaking(V311));
    let whole = bytes(r#"10 11 0004 "MQTT" 04 02 003C 0005 "bench""#);
    assert_eq!(connect, whole, "every byte of it");
}

#[test]
fn v5_3_1_2_1_the_protocol_name_is_mqtt() {
    assert_eq!(connect_of(speaking(V5)).name, "MQTT");
    let (_, connect) = connecting(speaking(V5));
    assert_eq!(connect[2..12], bytes(r#"0004 "MQTT" 05 02 003C"#));
}

/// A broker that will not take the version is believed, and the application told.
fn the_version_is_refused(version: Version, connack: &str) {
    let (mut client, _) = connecting(speaking(version));
    client.give_bytes(&bytes(connack));
    assert!(!client.connected);
    let reason = client.events.iter().find_map(|event| match event {
        Event::Connection(ConnectionEvent::AttemptFailed { why, .. }) => why.reason,
        _ => None,
    });
    assert_eq!(reason, Some(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION));
}

#[test]
fn v311_3_1_2_2_the_protocol_level_is_4_and_return_code_1_refuses_it() {
    assert_eq!(connect_of(speaking(V311)).level, 4);
    the_version_is_refused(V311, "20 02 00 01");
}

#[test]
fn v5_3_1_2_2_the_protocol_version_is_5_and_0x84_refuses_it() {
    assert_eq!(connect_of(speaking(V5)).level, 5);
    the_version_is_refused(V5, "20 03 00 84 00");
}

#[test]
fn v311_3_1_2_3_the_reserved_flag_is_zero() {
    assert_eq!(connect_of(everything(V311)).flags, 0b1110_1110);
    assert_eq!(connect_of(kept(V311)).flags, 0);
}

#[test]
fn v5_3_1_2_3_the_reserved_flag_is_zero() {
    assert_eq!(connect_of(everything(V5)).flags, 0b1110_1110);
    assert_eq!(connect_of(kept(V5)).flags, 0);
}

#[test]
fn v311_3_1_3_1_the_payload_is_in_order() {
    let (_, connect) = connecting(everything(V311));
    let payload =
        r#"0004 "d" C3A9 "v" 0005 "w" C3AE "ll" 0005 FF00 "bye" 0003 "m" C3A9 0007 FF "secret""#;
    assert_eq!(connect[12..], bytes(payload));
}

#[test]
fn v5_3_1_3_1_the_payload_is_in_order() {
    let (_, connect) = connecting(ClientOptions {
        will_delay: seconds(7),
        ..everything(V5)
    });
    let payload = r#"0004 "d" C3A9 "v" 05 18 00000007 0005 "w" C3AE "ll" 0005 FF00 "bye" 0003 "m" C3A9 0007 FF "secret""#;
    assert!(connect.ends_with(&bytes(payload)));
    Connect::read(&connect); // nothing stands between the properties and this
}

/// Given or not, there is one, and it stands first in the payload; one that leveret makes up is kept.
fn the_client_id_is_always_there(version: Version) {
    assert_eq!(connect_of(speaking(version)).client_id, "bench");
    let options = ClientOptions {
        client_id: String::new(),
        ..speaking(version)
    };
    let (mut client, connect) = connecting(options);
    let made_up = Connect::read(&connect).client_id;
    let allowed = |c: char| c.is_ascii_alphanumeric();
    assert!(made_up.len() <= 23 && !made_up.is_empty() && made_up.chars().all(allowed));
    client.cut();
    client.pass_backoff();
    client.link_up();
    assert_eq!(Connect::read(&client.written).client_id, made_up);
}

#[test]
fn v311_3_1_3_3_the_client_id_is_there_and_first() {
    the_client_id_is_always_there(V311);
}

#[test]
fn v5_3_1_3_3_the_client_id_is_there_and_first() {
    the_client_id_is_always_there(V5);
}

/// The option takes text and nothing else, and the text is sent as its UTF-8.
fn is_utf8(version: Version, option: &str, read: impl Fn(Connect) -> String) {
    let mut options = everything(version);
    let ill_formed = Value::Bytes(b"\xED\xA0\x80"[..].into());
    assert!(options.set(option, ill_formed, Dialect::C).is_err());
    let text = "a\u{7F}é\u{FEFF}\u{10FFFF}";
    let set = options.set(option, Value::Text(text.into()), Dialect::C);
    set.expect("text");
    assert_eq!(read(connect_of(options)), text);
}

fn will_topic(connect: Connect) -> String {
    connect.will.expect("a will").topic
}

#[test]
fn v311_3_1_3_4_the_client_id_is_utf8() {
    is_utf8(V311, "client_id", |connect| connect.client_id);
}

#[test]
fn v5_3_1_3_4_the_client_id_is_utf8() {
    is_utf8(V5, "client_id", |connect| connect.client_id);
}

#[test]
fn v311_3_1_3_10_the_will_topic_is_utf8() {
    is_utf8(V311, "will_topic", will_topic);
}

#[test]
fn v5_3_1_3_11_the_will_topic_is_utf8() {
    is_utf8(V5, "will_topic", will_topic);
}

#[test]
fn v311_3_1_3_11_the_user_name_is_utf8() {
    is_utf8(V311, "username", |connect| connect.user_name.expect("one"));
}

#[test]
fn v5_3_1_3_12_the_user_name_is_utf8() {
    is_utf8(V5, "username", |connect| connect.user_name.expect("one"));
}

#[test]
fn v311_3_1_3_7_a_kept_session_needs_a_client_id() {
    let options = ClientOptions {
        client_id: String::new(),
        ..kept(V311)
    };
    let error = options.check(Dialect::Rust).expect_err("no client id");
    assert!(error.to_string().contains("client_id"));
    // The empty one is never sent, with a clean session neither.
    let options = ClientOptions {
        client_id: String::new(),
        ..speaking(V311)
    };
    assert_ne!(connect_of(options).client_id, "");
}

#[test]
fn v311_3_1_3_8_a_refused_client_id_is_reported() {
    let (mut client, _) = connecting(speaking(V311));
    client.give_bytes(&bytes("20 02 00 02"));
    assert!(!client.connected);
    let reason = client.events.iter().find_map(|event| match event {
        Event::Connection(ConnectionEvent::AttemptFailed { why, .. }) => why.reason,
        _ => None,
    });
    assert_eq!(reason, Some(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID));
}
