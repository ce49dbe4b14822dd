//! AUTH and enhanced authentication (5.0: 3.15, 4.12).
use leveret_protocol::codec::{Auth, Packet, Properties, PropertyId, PropertyValue};
use leveret_protocol::reason::ReasonCode;

use crate::answers::left_out;
use crate::harness::*;

/// AUTH "continue" with the method M, as both sides send it.
const CONTINUE: &str = r#"F0 06 18 04 15 0001 "M""#;

fn auth(mut words: Properties) -> Packet {
    let method = PropertyId::AuthenticationMethod;
    words.set(method, PropertyValue::Text("M")).expect("it");
    Packet::Auth(Auth {
        reason: ReasonCode::CONTINUE_AUTHENTICATION,
        properties: words,
    })
}

#[test]
fn v5_3_15_1_1_the_flags_of_auth_are_zero_and_others_are_malformed() {
    let mut out = ::bytes::BytesMut::new();
    let packet = auth(Properties::new());
    packet.encode(V5, 100, &mut out).expect("a packet");
    assert_eq!(out[..], bytes(CONTINUE));
    for flags in 1..16 {
        let mut client = online(V5);
        client.give_bytes(&[&[0xF0 | flags], &bytes(CONTINUE)[1..]].concat());
        assert_given_up(&mut client, 0x81);
    }
}

#[test]
fn v5_3_15_2_1_auth_has_one_of_its_reason_codes() {
    for code in [0x01, 0x04, 0x17, 0x1A, 0x80, 0x8C] {
        let mut client = online(V5);
        let mut packet = bytes(CONTINUE);
        packet[2] = code;
        client.give_bytes(&packet);
        assert_given_up(&mut client, 0x82);
    }
}

#[test]
fn v5_3_15_2_2_a_reason_string_that_is_too_long_is_left_out_of_auth() {
    left_out(auth, 1, PropertyId::ReasonString);
}

#[test]
fn v5_3_15_2_3_user_properties_that_are_too_long_are_left_out_of_auth() {
    left_out(auth, 1, PropertyId::UserProperty);
}

#[test]
fn v5_4_12_0_7_without_a_method_there_is_no_auth() {
    let sent = one_of_each(V5);
    assert_eq!(first_bytes(&sent, 15), []);
    let connect = Connect::read(&sent[0]);
    assert_eq!(value(&connect.properties, 0x15), None);
    assert_eq!(value(&connect.properties, 0x16), None);
    // One from the server is an error, and not answered with another.
    let mut client = online(V5);
    client.give_bytes(&bytes(CONTINUE));
    assert_given_up(&mut client, 0x82);
    let (mut client, _) = connecting(speaking(V5));
    client.give_bytes(&bytes(CONTINUE));
    assert_eq!((client.connected, packets(&mut client).len()), (false, 0));
}
