//! Reason codes, reason strings and user properties of what a client of MQTT 5 answers (3.4 to 3.7, 3.14.2).
use bytes::BytesMut;
use leveret_protocol::codec::{
    Ack, Disconnect, Packet, Properties, PropertyId, PropertyValue as Value,
};
use leveret_protocol::engine::Command;
use leveret_protocol::reason::ReasonCode;

use crate::harness::*;

/// What the application may say about a message, and what is told of it: one of the codes of the packet, whatever it is.
fn a_listed_code(publish: u8, answered: u8, codes: &str) {
    let codes = bytes(codes);
    for code in 0..=255 {
        let mut client = online(V5);
        client.give_bytes(&message(V5, publish, b"t", 5));
        let token = client.messages()[0].token.expect("a token");
        let reason = ReasonCode(code);
        client.command(Command::Acknowledge {
            token,
            reason,
            words: None,
        });
        let sent = packets(&mut client);
        assert_eq!(sent.len(), 1, "{code:#04x} is answered");
        match &sent[0][..] {
            [first, 2, 0, 5] => assert_eq!(*first, answered),
            [first, 3, 0, 5, told] => {
                assert_eq!(*first, answered);
                assert!(codes.contains(told), "{code:#04x} is told as {told:#04x}");
            }
            other => panic!("{other:02X?}"),
        }
    }
    let mut client = online(V5);
    client.give_bytes(&message(V5, publish, b"t", 5));
    failed(&mut client, 0);
    assert_eq!(packets(&mut client), [vec![answered, 3, 0, 5, 0x80]]);
}

#[test]
fn v5_3_4_2_1_puback_has_one_of_its_reason_codes() {
    a_listed_code(0x32, 0x40, "00 10 80 83 87 90 91 97 99");
}

#[test]
fn v5_3_5_2_1_pubrec_has_one_of_its_reason_codes() {
    a_listed_code(0x34, 0x50, "00 10 80 83 87 90 91 97 99");
}

#[test]
fn v5_3_6_2_1_pubrel_has_one_of_its_reason_codes() {
    let mut client = online(V5);
    client.publish("t", &at(ExactlyOnce));
    packets(&mut client);
    client.give_bytes(&answer(0x50, 1));
    assert_eq!(packets(&mut client), [answer(0x62, 1)], "success");
    client.give_bytes(&answer(0x50, 9));
    assert_eq!(packets(&mut client), [bytes("62 03 0009 92")], "not found");
}

#[test]
fn v5_3_7_2_1_pubcomp_has_one_of_its_reason_codes() {
    let mut client = online(V5);
    client.give_bytes(&message(V5, 0x34, b"t", 5));
    handled(&mut client, 0);
    packets(&mut client);
    client.give_bytes(&answer(0x62, 5));
    assert_eq!(packets(&mut client), [answer(0x70, 5)], "success");
    client.give_bytes(&answer(0x62, 5));
    assert_eq!(packets(&mut client), [bytes("70 03 0005 92")], "not found");
}

/// Every way in which a client says DISCONNECT, with the code it gives.
#[test]
fn v5_3_14_2_1_disconnect_has_one_of_the_reason_codes_of_a_client() {
    let violations = [
        ("30 05 0002 FFFF 00", 0x81),
        ("20 03 00 00 00", 0x82),
        ("40 02 0002", 0x82), // PUBACK for a letter of QoS 2
        (r#"30 08 0001 "t" 04 23 FFFF 00"#, 0x81), // one byte behind the property
        (r#"30 07 0001 "t" 03 23 FFFF"#, 0x94),
        (r#"30 80808008 0001 "t" 0000"#, 0x95),
    ];
    for (violation, code) in violations {
        let mut client = online(V5);
        client.publish("t", &at(AtLeastOnce));
        client.publish("t", &at(ExactlyOnce));
        client.give_bytes(&bytes(violation));
        assert!(!client.connected, "{violation}");
        assert_given_up(&mut client, code);
    }
    let options = leveret_protocol::options::ClientOptions {
        receive_maximum: 2,
        ..speaking(V5)
    };
    let mut client = Bench::online(options);
    for id in 1..=3 {
        client.give_bytes(&message(V5, 0x32, b"t", id));
    }
    assert_given_up(&mut client, 0x93);
    // Normal ends: with the session, which this client keeps for itself alone, and without.
    let mut client = online(V5);
    close(&mut client);
    assert_eq!(packets(&mut client), [bytes("E0 07 00 05 11 00000000")]);
    let mut client = Bench::online(kept(V5));
    close(&mut client);
    assert_eq!(packets(&mut client), [bytes("E0 00")]);
}

const REASON_STRING: &str = "because it is so";

fn words(reason_string: bool, user_property: bool) -> Properties {
    let mut properties = Properties::new();
    if reason_string {
        let words = Value::Text(REASON_STRING);
        properties.add(PropertyId::ReasonString, words).expect("it");
    }
    if user_property {
        let pair = Value::TextPair("name", "and its value");
        properties.add(PropertyId::UserProperty, pair).expect("it");
    }
    properties
}

/// The properties that are written for a peer which takes packets of `limit` bytes.
fn written(packet: &Packet, limit: usize, skip: usize) -> (usize, Vec<Property>) {
    let mut out = BytesMut::new();
    packet
        .encode(V5, limit as u32, &mut out)
        .expect("without the words it fits");
    assert_eq!(split(&out), [out.to_vec()]);
    let mut fields = Fields::of(&out);
    let read = |fields: &mut Fields<'_>| fields.properties(V5);
    let behind = out.len() - 2;
    let properties = if behind <= skip {
        Vec::new()
    } else {
        fields.take(skip);
        read(&mut fields)
    };
    (out.len(), properties)
}

/// Property `id` stands there as long as the packet fits, and is left out where it would not; what is without it always fits.
pub(crate) fn left_out(make: impl Fn(Properties) -> Packet, skip: usize, id: PropertyId) {
    let properties = words(
        id == PropertyId::ReasonString,
        id == PropertyId::UserProperty,
    );
    let packet = make(properties);
    let (whole, there) = written(&packet, 1_000, skip);
    let all = there.len();
    assert!(there.iter().any(|property| property.0 == id as u8));
    for limit in whole - 15..whole + 2 {
        let (length, there) = written(&packet, limit, skip);
        assert!(length <= limit);
        let left = if limit >= whole { all } else { all - 1 };
        assert_eq!(there.len(), left, "{limit} of {whole}");
    }
}

fn ack(properties: Properties) -> Ack {
    Ack {
        properties,
        ..nack(5, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)
    }
}

const STRING: PropertyId = PropertyId::ReasonString;
const PAIR: PropertyId = PropertyId::UserProperty;

#[test]
fn v5_3_4_2_2_a_reason_string_that_is_too_long_is_left_out_of_puback() {
    left_out(|words| Packet::PubAck(refused(words)), 3, STRING);
}

#[test]
fn v5_3_4_2_3_user_properties_that_are_too_long_are_left_out_of_puback() {
    left_out(|words| Packet::PubAck(refused(words)), 3, PAIR);
}

fn refused(properties: Properties) -> Ack {
    Ack {
        properties,
        ..nack(5, ReasonCode::UNSPECIFIED_ERROR)
    }
}

#[test]
fn v5_3_5_2_2_a_reason_string_that_is_too_long_is_left_out_of_pubrec() {
    left_out(|words| Packet::PubRec(refused(words)), 3, STRING);
}

#[test]
fn v5_3_5_2_3_user_properties_that_are_too_long_are_left_out_of_pubrec() {
    left_out(|words| Packet::PubRec(refused(words)), 3, PAIR);
}

#[test]
fn v5_3_6_2_2_a_reason_string_that_is_too_long_is_left_out_of_pubrel() {
    left_out(|words| Packet::PubRel(ack(words)), 3, STRING);
}

#[test]
fn v5_3_6_2_3_user_properties_that_are_too_long_are_left_out_of_pubrel() {
    left_out(|words| Packet::PubRel(ack(words)), 3, PAIR);
}

#[test]
fn v5_3_7_2_2_a_reason_string_that_is_too_long_is_left_out_of_pubcomp() {
    left_out(|words| Packet::PubComp(ack(words)), 3, STRING);
}

#[test]
fn v5_3_7_2_3_user_properties_that_are_too_long_are_left_out_of_pubcomp() {
    left_out(|words| Packet::PubComp(ack(words)), 3, PAIR);
}

fn goodbye(properties: Properties) -> Packet {
    Packet::Disconnect(Disconnect {
        reason: ReasonCode::PROTOCOL_ERROR,
        properties,
    })
}

#[test]
fn v5_3_14_2_3_a_reason_string_that_is_too_long_is_left_out_of_disconnect() {
    left_out(goodbye, 1, STRING);
}

#[test]
fn v5_3_14_2_4_user_properties_that_are_too_long_are_left_out_of_disconnect() {
    left_out(goodbye, 1, PAIR);
}
