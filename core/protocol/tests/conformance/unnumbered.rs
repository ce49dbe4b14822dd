//! Rules of the standards that have no number, by the section that has them.
use leveret_protocol::engine::Command;
use leveret_protocol::options::{CloseOptions, PublishOptions, SubscribeOptions, Value};
use leveret_protocol::sentence::Dialect;

use crate::harness::*;

/// PUBLISH of QoS 0 with these properties.
fn with_properties(properties: &str) -> Vec<u8> {
    let properties = bytes(properties);
    let length = properties.len() as u8;
    let head = [0x30, 4 + length, 0, 1, b't', length];
    [&head[..], &properties].concat()
}

fn given_up(packet: &[u8], code: u8) {
    let mut client = online(V5);
    client.give_bytes(packet);
    assert!(!client.connected, "{packet:02X?}");
    assert_given_up(&mut client, code);
}

fn taken(packet: &[u8]) {
    let mut client = online(V5);
    client.give_bytes(packet);
    assert!(client.connected, "{packet:02X?}");
    assert_eq!(client.messages().len(), 1);
}

fn length_has_at_most_four_bytes(version: Version) {
    let mut client = online(version);
    client.give_bytes(&bytes("30 FFFFFFFF 7F"));
    assert_given_up(&mut client, 0x81);
    // Told before the fifth has come.
    let mut client = online(version);
    client.give_bytes(&bytes("30 FFFFFFFF"));
    assert_given_up(&mut client, 0x81);
}

#[test]
fn v311_section_2_2_3_the_remaining_length_has_at_most_four_bytes() {
    length_has_at_most_four_bytes(V311);
}

#[test]
fn v5_section_1_5_5_a_variable_byte_integer_has_at_most_four_bytes() {
    length_has_at_most_four_bytes(V5);
    given_up(&bytes(r#"30 0A 0001 "t" 0A 0B FFFFFFFF 7F"#), 0x81);
}

#[test]
fn v5_section_2_2_2_2_properties_stand_where_they_may_and_once() {
    given_up(&with_properties("00 00"), 0x81); // not defined
    given_up(&with_properties("7F 00"), 0x81);
    given_up(&with_properties("1F 0001 61"), 0x81); // not in PUBLISH
    given_up(&with_properties("21 0001"), 0x81);
    given_up(&with_properties("02 000001"), 0x81); // three bytes for four
    given_up(&with_properties("01 00 01 00"), 0x82); // twice
    given_up(&with_properties("03 0001 61 03 0001 61"), 0x82);
    taken(&with_properties("26 0001 61 0001 62 26 0001 61 0001 62"));
    taken(&with_properties("0B 01 0B 02"));
}

/// CONNACK with these properties is an error, or not.
fn connack(properties: &str, accepted: bool) {
    let (mut client, _) = connecting(speaking(V5));
    client.give_bytes(&connack_with(false, properties));
    assert_eq!(client.connected, accepted, "{properties}");
}

#[test]
fn v5_section_3_2_2_3_3_a_receive_maximum_is_not_zero() {
    connack("21 0000", false);
    connack("21 0001", true);
    let mut options = speaking(V5);
    let name = "receive_maximum";
    assert!(options.set(name, Value::Integer(0), Dialect::Rust).is_err());
}

#[test]
fn v5_section_3_2_2_3_6_a_maximum_packet_size_is_not_zero_and_may_be_anything_else() {
    connack("27 00000000", false);
    for size in ["00000001", "0FFFFFFF", "10000000", "FFFFFFFF"] {
        connack(&format!("27 {size}"), true);
    }
}

#[test]
fn v5_section_3_2_2_3_what_is_a_flag_is_zero_or_one() {
    for flag in ["24", "25", "28", "29", "2A"] {
        connack(&format!("{flag} 00"), true);
        connack(&format!("{flag} 01"), true);
        connack(&format!("{flag} 02"), false);
        connack(&format!("{flag} FF"), false);
    }
    given_up(&with_properties("01 02"), 0x82);
    let mut options = PublishOptions::default();
    let two = Value::Integer(2);
    assert!(options.set("payload_format", two, Dialect::Rust).is_err());
}

/// What the server says of the session and the client identifier counts on the next connection.
#[test]
fn v5_section_3_2_2_3_2_what_the_server_says_of_the_session_counts() {
    let mut client = told(speaking(V5), "11 00000000");
    client.lose_connection();
    client.link_up();
    let connect = Connect::read(&client.written);
    assert_eq!(
        connect.flags & 0x02,
        0x02,
        "it keeps none, so a new one begins"
    );
    let mut client = told(speaking(V5), "11 00000009");
    client.lose_connection();
    client.link_up();
    assert_eq!(Connect::read(&client.written).flags & 0x02, 0);
}

#[test]
fn v5_section_3_1_2_11_10_authentication_data_needs_a_method() {
    connack("16 0001 61", false);
    let mut options = speaking(V5);
    options.authentication_data = Some(b"d"[..].into());
    assert!(options.check(Dialect::Rust).is_err());
}

#[test]
fn v5_section_3_3_2_1_a_message_has_a_topic_or_an_alias_that_was_set() {
    given_up(&bytes("30 03 0000 00"), 0x82);
    given_up(&bytes("30 06 0000 03 23 0001"), 0x82);
    let mut client = online(V311);
    client.give_bytes(&bytes("30 02 0000"));
    assert_given_up(&mut client, 0);
}

#[test]
fn v5_section_3_8_2_1_2_a_subscription_identifier_is_not_zero() {
    given_up(&with_properties("0B 00"), 0x82);
    taken(&with_properties("0B FFFFFF7F"));
    let mut client = online(V5);
    client.subscribe(&[(1, "f"), (268_435_455, "g")], AtLeastOnce);
    let sent = packets(&mut client);
    let identifiers: Vec<_> = of_type(&sent, 0x80)
        .iter()
        .map(|packet| {
            let mut fields = Fields::of(packet);
            fields.number();
            fields.properties(V5)
        })
        .collect();
    let of = |value: &str| vec![Property(0x0B, bytes(value))];
    assert_eq!(identifiers, [of("01"), of("FFFFFF7F")]);
}

#[test]
fn v5_section_3_8_3_1_no_qos_3_and_no_retain_handling_3_is_asked_for() {
    let mut options = SubscribeOptions::default();
    for name in ["qos", "retain_handling"] {
        let three = Value::Integer(3);
        assert!(options.set(name, three, Dialect::Rust).is_err(), "{name}");
    }
    options.retain_handling = 3;
    assert!(options.check("f", Dialect::Rust).is_err());
}

/// A session that ends with its connection cannot be given a longer life at the end.
#[test]
fn v5_section_3_14_2_2_2_no_session_expiry_in_disconnect_after_zero_in_connect() {
    let goodbye = |session_expiry| {
        let mut client = Bench::online(leveret_protocol::options::ClientOptions {
            session_expiry: seconds(session_expiry),
            ..kept(V5)
        });
        client.ask(|reply| Command::Close {
            reply,
            options: Box::new(CloseOptions {
                session_expiry: Some(seconds(7)),
                ..CloseOptions::new()
            }),
        });
        packets(&mut client).remove(0)
    };
    assert_eq!(goodbye(0), bytes("E0 00"));
    assert_eq!(goodbye(9), bytes("E0 07 00 05 11 00000007"));
}

#[test]
fn v5_section_3_2_2_3_11_what_is_not_available_is_not_asked_for() {
    let asked = |properties: &str, filter: &str| {
        let mut client = told(speaking(V5), properties);
        client.subscribe(&[(5, filter)], AtLeastOnce);
        packets(&mut client).pop()
    };
    for (properties, filter, goes) in [
        ("28 00", "a/+", false),
        ("28 00", "#", false),
        ("28 00", "a", true),
        ("2A 00", "$share/g/a", false),
        ("2A 00", "a", true),
        ("28 01 2A 01", "$share/g/+", true),
    ] {
        let sent = asked(properties, filter);
        assert_eq!(sent.is_some(), goes, "{properties} {filter}");
    }
    let plain = bytes(r#"82 07 0001 00 0001 "a" 01"#);
    assert_eq!(asked("29 00", "a"), Some(plain), "no identifier");
}

/// Remaining length 2: no reason code; 3: no property length. 0 and 1 in DISCONNECT; 2 is whole.
#[test]
fn v5_section_3_4_2_1_what_may_be_left_out_at_the_end_is_understood() {
    for packet in ["40 02 0001", "40 03 0001 00", "40 04 0001 00 00"] {
        let mut client = online(V5);
        let letter = client.publish("t", &at(AtLeastOnce));
        client.give_bytes(&bytes(packet));
        assert_eq!(client.settled(letter), Some(("acknowledged", false)));
    }
    for packet in ["E0 00", "E0 01 8B", "E0 02 8B 00"] {
        let mut client = online(V5);
        client.give_bytes(&bytes(packet));
        assert!(!client.connected && client.notices().is_empty(), "{packet}");
    }
    let mut client = online(V5);
    client.publish("t", &at(ExactlyOnce));
    for (packet, answer) in [
        ("50 03 0001 00", Some("62 02 0001")),
        ("70 03 0001 00", None),
        ("62 03 0009 00", Some("70 03 0009 92")),
    ] {
        packets(&mut client);
        client.give_bytes(&bytes(packet));
        assert_eq!(packets(&mut client).pop(), answer.map(bytes));
    }
}

#[test]
fn v5_section_3_6_2_1_an_unknown_identifier_is_told_and_closes_nothing() {
    let mut client = online(V5);
    client.give_bytes(&answer(0x62, 9));
    client.give_bytes(&answer(0x50, 8));
    client.give_bytes(&answer(0x40, 7));
    client.give_bytes(&answer(0x70, 6));
    let told = [bytes("70 03 0009 92"), bytes("62 03 0008 92")];
    assert_eq!(packets(&mut client), told);
    assert!(client.connected);
}
