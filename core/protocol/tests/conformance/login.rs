//! The will, the user name and the password in CONNECT (3.1.2.5 to 3.1.2.9): flags and payload say the same.
use leveret_protocol::message::QoS;
use leveret_protocol::options::{ClientOptions, Protocol, Value};
use leveret_protocol::sentence::Dialect;

use crate::harness::*;

const WILL: u8 = 0x04;
const WILL_QOS: u8 = 0x18;
const WILL_RETAIN: u8 = 0x20;
const PASSWORD: u8 = 0x40;
const USER_NAME: u8 = 0x80;

fn with_will(version: Version, qos: QoS, retain: bool) -> ClientOptions {
    ClientOptions {
        will_topic: Some("w".into()),
        will_payload: b"bye"[..].into(),
        will_qos: qos,
        will_retain: retain,
        ..speaking(version)
    }
}

fn with_login(version: Version, user_name: Option<&str>, password: Option<&str>) -> ClientOptions {
    ClientOptions {
        username: user_name.map(Into::into),
        password: password.map(|password| password.to_owned().into()),
        ..speaking(version)
    }
}

/// `Connect::read` takes the fields that the flags announce, and nothing may be left over.
fn the_will_is_announced_and_there(version: Version) {
    let connect = connect_of(with_will(version, AtMostOnce, false));
    assert_eq!(connect.flags & WILL, WILL);
    let will = connect.will.expect("a will");
    assert_eq!((&will.topic[..], &will.payload[..]), ("w", &b"bye"[..]));
    assert_eq!(will.properties, []);
}

/// Without a will its flags are 0 and the payload has no field of it; options of a will that is none are refused.
fn without_a_will(version: Version, flags: u8, option: &str, value: Value) {
    let connect = connect_of(speaking(version));
    assert_eq!(connect.flags & (WILL | flags), 0);
    assert!(connect.will.is_none());
    let mut options = speaking(version);
    let set = options.set(option, value, Dialect::Rust);
    set.expect("a value of the option");
    assert!(options.check(Dialect::Rust).is_err(), "{option} of no will");
}

fn the_will_qos_is_0_1_or_2(version: Version) {
    for (qos, number) in LEVELS {
        let connect = connect_of(with_will(version, qos, false));
        assert_eq!(connect.flags & WILL_QOS, number << 3);
    }
    let mut options = with_will(version, AtMostOnce, false);
    let set = options.set("will_qos", Value::Integer(3), Dialect::Rust);
    assert!(set.is_err());
}

#[test]
fn v311_3_1_2_9_a_will_is_in_the_payload() {
    the_will_is_announced_and_there(V311);
}

#[test]
fn v5_3_1_2_9_a_will_is_in_the_payload_with_its_properties() {
    the_will_is_announced_and_there(V5);
    let connect = connect_of(ClientOptions {
        will_delay: seconds(5),
        will_content_type: Some("text".into()),
        ..with_will(V5, AtMostOnce, false)
    });
    let properties = connect.will.expect("a will").properties;
    assert_eq!(value(&properties, 0x18), Some(&[0, 0, 0, 5][..]));
    assert_eq!(value(&properties, 0x03), Some(&b"text"[..]));
}

#[test]
fn v311_3_1_2_11_without_a_will_nothing_speaks_of_one() {
    without_a_will(
        V311,
        WILL_QOS | WILL_RETAIN,
        "will_payload",
        Value::Bytes(b"x"[..].into()),
    );
    // Shorter by exactly the will: 2 + 1 bytes of topic, 2 + 3 of payload.
    let (_, with) = connecting(with_will(V311, AtMostOnce, false));
    let (_, without) = connecting(speaking(V311));
    assert_eq!(with.len() - without.len(), 8);
}

#[test]
fn v311_3_1_2_13_without_a_will_its_qos_is_0() {
    without_a_will(V311, WILL_QOS, "will_qos", Value::Integer(2));
}

#[test]
fn v5_3_1_2_11_without_a_will_its_qos_is_0() {
    without_a_will(V5, WILL_QOS, "will_qos", Value::Integer(2));
}

#[test]
fn v311_3_1_2_14_the_qos_of_a_will_is_never_3() {
    the_will_qos_is_0_1_or_2(V311);
}

#[test]
fn v5_3_1_2_12_the_qos_of_a_will_is_never_3() {
    the_will_qos_is_0_1_or_2(V5);
}

fn will_retain(version: Version) {
    without_a_will(version, WILL_RETAIN, "will_retain", Value::Bool(true));
    let connect = connect_of(with_will(version, AtMostOnce, true));
    assert_eq!(connect.flags & WILL_RETAIN, WILL_RETAIN);
}

#[test]
fn v311_3_1_2_15_without_a_will_its_retain_is_0() {
    will_retain(V311);
}

#[test]
fn v5_3_1_2_13_without_a_will_its_retain_is_0() {
    will_retain(V5);
}

fn no_user_name(version: Version) {
    let connect = connect_of(speaking(version));
    assert_eq!(connect.flags & USER_NAME, 0);
    assert!(connect.user_name.is_none());
}

fn a_user_name(version: Version) {
    for user_name in ["me", ""] {
        let connect = connect_of(with_login(version, Some(user_name), None));
        assert_eq!(connect.flags & USER_NAME, USER_NAME);
        assert_eq!(connect.user_name.as_deref(), Some(user_name));
    }
}

fn no_password(version: Version) {
    let connect = connect_of(with_login(version, Some("me"), None));
    assert_eq!(connect.flags & PASSWORD, 0);
    assert!(connect.password.is_none());
}

fn a_password(version: Version) {
    for password in ["secret", ""] {
        let connect = connect_of(with_login(version, Some("me"), Some(password)));
        assert_eq!(connect.flags & PASSWORD, PASSWORD);
        assert_eq!(connect.password.as_deref(), Some(password.as_bytes()));
    }
}

#[test]
fn v311_3_1_2_18_without_a_user_name_the_payload_has_none() {
    no_user_name(V311);
}

#[test]
fn v5_3_1_2_16_without_a_user_name_the_payload_has_none() {
    no_user_name(V5);
}

#[test]
fn v311_3_1_2_19_a_user_name_is_in_the_payload_an_empty_one_too() {
    a_user_name(V311);
}

#[test]
fn v5_3_1_2_17_a_user_name_is_in_the_payload_an_empty_one_too() {
    a_user_name(V5);
}

#[test]
fn v311_3_1_2_20_without_a_password_the_payload_has_none() {
    no_password(V311);
}

#[test]
fn v5_3_1_2_18_without_a_password_the_payload_has_none() {
    no_password(V5);
}

#[test]
fn v311_3_1_2_21_a_password_is_in_the_payload() {
    a_password(V311);
}

#[test]
fn v5_3_1_2_19_a_password_is_in_the_payload_without_a_user_name_too() {
    a_password(V5);
    let connect = connect_of(with_login(V5, None, Some("secret")));
    assert_eq!(connect.flags & (USER_NAME | PASSWORD), PASSWORD);
    assert_eq!(connect.password.as_deref(), Some(&b"secret"[..]));
}

#[test]
fn v311_3_1_2_22_no_password_without_a_user_name() {
    let options = with_login(V311, None, Some("secret"));
    assert!(options.check(Dialect::Rust).is_err());
    // A client that falls back from MQTT 5 leaves it out.
    let (mut client, _) = connecting(ClientOptions {
        protocol: Protocol::Auto,
        ..options
    });
    client.give_bytes(&bytes("20 02 00 01"));
    client.link_up();
    let connect = Connect::read(&client.written);
    assert_eq!((connect.level, connect.flags), (4, 0x02));
}
