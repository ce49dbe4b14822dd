//! Duties of a server whose breach a client notices: it says DISCONNECT with the reason code (5.0) and closes.
use leveret_protocol::engine::{ConnectionEvent, Event};
use leveret_protocol::options::ClientOptions;

use crate::authentication;
use crate::harness::*;

/// Online, a client that is sent this gives the connection up with this reason code.
fn is_a_breach(packet: &[u8], code: u8) {
    let mut client = online(V5);
    client.publish("t", &at(AtLeastOnce));
    client.subscribe(&[(1, "f")], AtLeastOnce);
    client.give_bytes(packet);
    assert!(!client.connected, "{packet:02X?}");
    assert_given_up(&mut client, code);
}

/// Before CONNACK the attempt ends with this reason code for the application, and not a byte follows CONNECT: a departure from 4.13.1, where it stands why.
fn is_a_breach_before_connack(version: Version, packet: &[u8], code: u8) {
    let (mut client, _) = connecting(speaking(version));
    packets(&mut client);
    client.give_bytes(packet);
    assert!(!client.connected, "{packet:02X?}");
    assert_attempt_given_up(&mut client, code);
}

#[test]
fn v5_3_1_2_24_a_packet_above_ones_own_maximum_is_too_large() {
    let options = ClientOptions {
        max_packet_size: 1_024,
        ..speaking(V5)
    };
    let connect = connect_of(options.clone());
    assert_eq!(value(&connect.properties, 0x27), Some(&[0, 0, 4, 0][..]));
    // 1,024 bytes in all, and 1,025.
    for (length, taken) in [("FD07", true), ("FE07", false)] {
        let mut client = Bench::online(options.clone());
        let mut packet = [bytes("30"), bytes(length), bytes(r#"0001 "t" 00"#)].concat();
        packet.resize(if taken { 1_024 } else { 1_025 }, b'x');
        client.give_bytes(&packet);
        assert_eq!(client.messages().len(), usize::from(taken));
        if !taken {
            assert_given_up(&mut client, 0x95);
        }
    }
}

fn alias(maximum: u16, alias: &str) {
    let mut client = Bench::online(ClientOptions {
        topic_alias_maximum: maximum,
        ..speaking(V5)
    });
    client.give_bytes(&[bytes(r#"30 07 0001 "t" 03 23"#), bytes(alias)].concat());
    assert!(client.messages().is_empty());
    assert_given_up(&mut client, 0x94);
}

#[test]
fn v5_3_1_2_26_an_alias_above_ones_own_maximum_is_invalid() {
    alias(3, "0004");
    alias(16, "FFFF");
}

#[test]
fn v5_3_1_2_27_any_alias_is_invalid_where_none_is_allowed() {
    alias(0, "0001");
    alias(0, "FFFF");
}

#[test]
fn v5_3_3_2_11_an_alias_is_never_zero_nor_above_the_maximum() {
    alias(16, "0000");
    alias(16, "0011");
}

/// Reason strings and user properties, where CONNECT asked for none.
#[test]
fn v5_3_1_2_29_words_that_were_not_asked_for_are_an_error() {
    let string = r#"1F 0001 "w""#;
    let pair = r#"26 0001 "n" 0001 "v""#;
    let unasked = || {
        let mut client = Bench::online(ClientOptions {
            request_problem_information: false,
            authentication_method: Some("M".into()),
            ..speaking(V5)
        });
        client.publish("t", &at(AtLeastOnce)); // 1
        client.publish("t", &at(ExactlyOnce)); // 2
        client.subscribe(&[(1, "f")], AtLeastOnce); // 3
        unsubscribe(&mut client, "g"); // 4
        packets(&mut client);
        client
    };
    for words in [string, pair].map(bytes) {
        let length = words.len() as u8;
        for head in ["40 0001 10", "50 0002 00", "62 0009 00", "70 0002 00"] {
            let head = bytes(head);
            let packet = [&[head[0], 4 + length], &head[1..], &[length], &words].concat();
            let mut client = unasked();
            client.give_bytes(&packet);
            assert!(!client.connected, "{packet:02X?}");
            assert_given_up(&mut client, 0x82);
        }
        for head in ["90 0003", "B0 0004"].map(bytes) {
            let packet = [&[head[0], 4 + length], &head[1..], &[length], &words, &[0]].concat();
            let mut client = unasked();
            client.give_bytes(&packet);
            assert!(!client.connected, "{packet:02X?}");
            assert_given_up(&mut client, 0x82);
        }
    }
    // With a request they are welcome everywhere.
    let mut client = online(V5);
    let letter = client.publish("t", &at(AtLeastOnce));
    client.give_bytes(&[bytes("40 08 0001 10 04"), bytes(string)].concat());
    assert_eq!(client.settled(letter), Some(("acknowledged", false)));
}

/// In PUBLISH they are the sender's, in CONNACK and DISCONNECT the server may say them to everybody.
#[test]
fn v5_3_1_2_29_words_in_publish_connack_and_disconnect_need_not_be_asked_for() {
    let options = ClientOptions {
        request_problem_information: false,
        ..speaking(V5)
    };
    for words in [r#"1F 0001 "w""#, r#"26 0001 "n" 0001 "v""#] {
        let length = bytes(words).len() as u8;
        let mut client = told(options.clone(), words);
        assert!(client.connected, "{words} in CONNACK");
        client.give_bytes(&[&[0xE0, 2 + length, 0x8B, length], &bytes(words)[..]].concat());
        assert!(!client.connected);
        let said: Vec<_> = client.events.iter().filter_map(offline_because).collect();
        assert_eq!(said, [Some(0x8B)], "{words} in DISCONNECT");
        assert_eq!(client.notices().len(), 0);
    }
    let mut client = Bench::online(options);
    client.give_bytes(&bytes(r#"30 0B 0001 "t" 07 26 0001 "n" 0001 "v""#));
    assert_eq!(received(&client), ["t"]);
}

/// AUTH is none of the three: with words that were not asked for it is an error, and with a request it is an AUTH like any other.
#[test]
fn v5_3_1_2_29_words_in_auth_must_be_asked_for() {
    for words in [r#"1F 0001 "w""#, r#"26 0001 "n" 0001 "v""#] {
        let words = bytes(words);
        let length = 4 + words.len() as u8;
        let head = [
            &[0xF0, 2 + length, 0x18, length],
            &bytes(r#"15 0001 "M""#)[..],
        ]
        .concat();
        let auth = [head, words].concat();
        for asked in [false, true] {
            let mut client = authentication::reauthenticating(asked);
            client.give_bytes(&auth);
            if asked {
                assert!(client.connected && client.notices().is_empty());
            } else {
                assert_given_up(&mut client, 0x82);
            }
        }
    }
}

/// The reason code with which a connection ended, if this event is its end.
fn offline_because(event: &Event) -> Option<Option<u8>> {
    match event {
        Event::Connection(ConnectionEvent::Offline { why, .. }) => {
            Some(why.reason.map(|reason| reason.0))
        }
        _ => None,
    }
}

#[test]
fn v5_3_2_0_1_nothing_but_auth_comes_before_connack() {
    for packet in ["D0 00", "40 02 0001", r#"30 04 0001 "t" 00"#, "E0 00"] {
        is_a_breach_before_connack(V5, &bytes(packet), 0x82);
    }
}

#[test]
fn v5_3_2_0_2_a_second_connack_is_an_error() {
    is_a_breach(&bytes("20 03 00 00 00"), 0x82);
    is_a_breach(&bytes("20 03 00 87 00"), 0x82);
}

#[test]
fn v5_3_2_2_1_reserved_acknowledge_flags_are_malformed() {
    for flags in [0x02, 0x80, 0xFE] {
        is_a_breach_before_connack(V5, &[0x20, 3, flags, 0, 0], 0x81);
    }
}

#[test]
fn v311_section_3_2_2_1_reserved_acknowledge_flags_close() {
    for flags in [0x02, 0x80, 0xFE] {
        is_a_breach_before_connack(V311, &[0x20, 2, flags, 0], 0x81);
    }
}

#[test]
fn v5_3_2_2_6_a_refusal_has_no_session_present() {
    let (mut client, _) = connecting(kept(V5));
    packets(&mut client);
    client.give_bytes(&bytes("20 03 01 87 00"));
    // Told as a breach, and not as the refusal that it holds.
    assert_attempt_given_up(&mut client, 0x82);
}

#[test]
fn v5_3_3_4_9_more_messages_than_the_receive_maximum_are_too_many() {
    for maximum in [1, 3] {
        let options = ClientOptions {
            receive_maximum: maximum,
            ..speaking(V5)
        };
        let connect = connect_of(options.clone());
        let announced = value(&connect.properties, 0x21).map(<[u8]>::to_vec);
        assert_eq!(announced, Some(maximum.to_be_bytes().to_vec()));
        let mut client = Bench::online(options);
        for id in 1..=maximum {
            let first = if id % 2 == 0 { 0x32 } else { 0x34 };
            client.give_bytes(&message(V5, first, b"t", id));
        }
        client.give_bytes(&message(V5, 0x30, b"t", 0));
        assert!(client.connected, "QoS 0 does not count");
        client.give_bytes(&message(V5, 0x32, b"t", 99));
        assert_given_up(&mut client, 0x93);
    }
}

#[test]
fn v5_3_14_0_1_no_disconnect_comes_before_connack() {
    is_a_breach_before_connack(V5, &bytes("E0 01 8B"), 0x82);
}

#[test]
fn v5_3_14_2_2_a_disconnect_of_a_server_has_no_session_expiry() {
    is_a_breach(&bytes("E0 07 8B 05 11 00000000"), 0x82);
}

#[test]
fn v5_4_12_0_6_a_server_does_not_begin_an_authentication() {
    is_a_breach(&bytes(r#"F0 06 18 04 15 0001 "M""#), 0x82);
    is_a_breach_before_connack(V5, &bytes(r#"F0 06 18 04 15 0001 "M""#), 0x82);
    is_a_breach_before_connack(V5, &bytes(r#"20 07 00 00 04 15 0001 "M""#), 0x82);
}

#[test]
fn v311_3_9_3_2_other_return_codes_of_suback_close() {
    for code in [3, 4, 0x7F, 0x81, 0xFF] {
        let mut client = online(V311);
        client.subscribe(&[(1, "f")], AtLeastOnce);
        client.give_bytes(&[0x90, 3, 0, 1, code]);
        assert!(!client.connected, "{code:#04x}");
        assert_given_up(&mut client, 0);
    }
}

#[test]
fn v5_section_4_13_1_an_error_is_told_in_disconnect() {
    is_a_breach(&bytes("30 05 0002 FFFF 00"), 0x81);
    is_a_breach(&bytes("C0 00"), 0x82);
}

#[test]
fn v5_section_4_13_1_before_connack_it_is_told_to_the_application_alone_on_purpose() {
    is_a_breach_before_connack(V5, &bytes("20 03 02 00 00"), 0x81);
    is_a_breach_before_connack(V5, &bytes("C0 00"), 0x82);
}
