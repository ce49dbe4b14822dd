//! The end of a connection: DISCONNECT (3.14.4), and errors (3.1.1: 4.8; 5.0: 4.13).
use leveret_protocol::engine::{Command, Input};
use leveret_protocol::options::ClientOptions;

use crate::harness::*;

/// The network connection is closed as soon as DISCONNECT is written whole, and not before.
fn closed_after_disconnect(version: Version) {
    let mut client = online(version);
    client.takes = 1;
    close(&mut client);
    assert_eq!((&client.hang_ups[..], client.connected), (&[][..], true));
    client.takes = usize::MAX;
    client.handle(Input::Writable);
    assert_eq!(client.hang_ups, [true]);
    let mut client = online(version);
    client.command(Command::Reconnect);
    assert_eq!(client.hang_ups, [true]);
    assert_eq!(client.sent_bytes(), bytes("E0 00"));
}

/// Behind a DISCONNECT that the socket takes byte by byte, everything else happens too.
fn nothing_after_disconnect(version: Version) {
    let mut client = online(version);
    client.give_bytes(&message(version, 0x32, b"t", 7));
    client.give_bytes(&message(version, 0x34, b"t", 8));
    client.takes = 1;
    close(&mut client);
    client.publish("late", &at(AtMostOnce));
    client.publish("late", &at(ExactlyOnce));
    client.subscribe(&[(1, "f")], AtLeastOnce);
    handled(&mut client, 0);
    handled(&mut client, 1);
    client.give_bytes(&answer(0x62, 8));
    client.pass(seconds(3));
    for _ in 0..100 {
        client.takes = 1;
        client.handle(Input::Writable);
    }
    let sent = packets(&mut client);
    assert_eq!(sent.len(), 1, "{sent:02X?}");
    assert_eq!(sent[0][0], 0xE0);
}

#[test]
fn v311_3_14_4_1_the_connection_is_closed_after_disconnect() {
    closed_after_disconnect(V311);
}

#[test]
fn v5_3_14_4_2_the_connection_is_closed_after_disconnect() {
    closed_after_disconnect(V5);
}

#[test]
fn v311_3_14_4_2_nothing_follows_disconnect() {
    nothing_after_disconnect(V311);
}

#[test]
fn v5_3_14_4_1_nothing_follows_disconnect() {
    nothing_after_disconnect(V5);
    // Nor the one that tells a broker of its error, in the midst of a read that goes on.
    let mut client = online(V5);
    let flood = [message(V5, 0x36, b"t", 1), answer(0x62, 9), answer(0x50, 8)];
    client.give_bytes(&flood.concat());
    assert_given_up(&mut client, 0x81);
}

/// What a server of MQTT 3.1.1 must not send to a client that is online with one letter of QoS 2 on its way.
const VIOLATIONS: [&str; 18] = [
    "00 00", // reserved types
    "F0 00",
    "10 0C 0004 4D515454 04 02 003C 0000", // what only clients send
    "82 06 0001 0001 61 00",
    "A2 05 0001 0001 61",
    "C0 00",
    "E0 00",
    "20 02 0000", // a second CONNACK
    "40 02 0001", // an answer of another exchange
    "70 02 0001",
    "B0 02 0002",
    "40 02 0000",    // identifier 0
    "40 03 0001 00", // too long, too short
    "40 01 00",
    "D0 01 00",
    "90 03 0002 03",  // a return code that is none
    "30 02 0005",     // a topic that reaches beyond the packet
    "40 80808080 01", // five bytes of length
];

#[test]
fn v311_4_8_0_1_a_violation_closes_the_connection() {
    for violation in VIOLATIONS {
        let mut client = online(V311);
        let letter = client.publish("t", &at(ExactlyOnce));
        client.subscribe(&[(1, "f")], AtLeastOnce);
        client.give_bytes(&bytes(violation));
        assert!(!client.connected, "{violation}");
        assert_given_up(&mut client, 0);
        assert_eq!(client.settled(letter), None);
    }
}

#[test]
fn v311_4_8_0_2_what_cannot_be_handled_closes_the_connection() {
    // Larger than this client takes, and no message that could be skipped.
    let options = ClientOptions {
        max_packet_size: 1_024,
        ..speaking(V311)
    };
    let mut client = Bench::online(options);
    client.give_bytes(&bytes("90 8110"));
    assert_given_up(&mut client, 0);
    // A broker that asks for answers without end and reads none.
    let mut client = online(V311);
    client.takes = 0;
    let pubrels = answer(0x62, 1).repeat(10_000);
    for _ in 0..40 {
        client.give_bytes(&pubrels);
    }
    assert_given_up(&mut client, 0);
}

#[test]
fn v5_4_13_2_1_a_failing_reason_code_closes_the_connection() {
    let refusals = bytes("80818283848586878889 8A8C 90 95 97 99 9A9B9C9D 9F");
    for code in refusals {
        let (mut client, _) = connecting(speaking(V5));
        client.give_bytes(&[0x20, 3, 0, code, 0]);
        assert_eq!(
            (client.connected, &client.hang_ups[..]),
            (false, &[false][..])
        );
    }
    let goodbyes = bytes("80818283 87 89 8B 8D8E8F 90 939495969798999A9B9C9D9E9F A0A1A2");
    for code in goodbyes {
        let mut client = online(V5);
        client.give_bytes(&[0xE0, 1, code]);
        assert_eq!(
            (client.connected, &client.hang_ups[..]),
            (false, &[false][..])
        );
        assert_eq!(packets(&mut client).len(), 0, "{code:#04x} is not answered");
    }
    // Sent by the client: `assert_given_up` demands that it hangs up behind it.
    let mut client = online(V5);
    client.give_bytes(&bytes("20 03 00 00 00"));
    assert_given_up(&mut client, 0x82);
}
