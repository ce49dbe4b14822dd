//! The flags of fixed headers (3.1.1: 2.2.2; 5.0: 2.1.3), and of the packets whose flags have a statement of their own.
use crate::harness::*;

/// The first byte of every packet type but PUBLISH, as the standards list it.
const FIRST_BYTES: [u8; 9] = [0x10, 0x40, 0x50, 0x62, 0x70, 0x82, 0xA2, 0xC0, 0xE0];

fn reserved_flags_are_sent_as_listed(version: Version) {
    for packet in one_of_each(version) {
        let first = packet[0];
        assert!(
            first >> 4 == 3 || FIRST_BYTES.contains(&first),
            "{first:#04x}"
        );
    }
}

/// What a broker sends, well-formed but for the flags, to a client that has sent a letter of each QoS and asks for a filter.
fn wrong_flags_close(version: Version) {
    let answers = [
        answer(0x40, 1),
        answer(0x50, 2),
        answer(0x62, 9),
        answer(0x70, 2),
        filter_answer(version, 0x90, 3, 1),
        filter_answer(version, 0xB0, 4, 0),
        vec![0xD0, 0],
    ];
    for packet in answers {
        let right = packet[0] & 0x0F;
        for flags in (0..16).filter(|flags| *flags != right) {
            let mut client = online(version);
            client.publish("t", &at(AtLeastOnce));
            client.publish("t", &at(ExactlyOnce));
            client.subscribe(&[(1, "f")], AtLeastOnce);
            unsubscribe(&mut client, "g");
            client.give_bytes(&[&[packet[0] & 0xF0 | flags], &packet[1..]].concat());
            assert_given_up(&mut client, 0x81);
            assert!(client.outcomes.is_empty(), "{packet:?} is not believed");
        }
    }
    let (mut client, _) = connecting(speaking(version));
    packets(&mut client);
    client.give_bytes(&bytes(match version {
        V311 => "21 02 00 00",
        V5 => "21 03 00 00 00",
    }));
    assert_attempt_given_up(&mut client, 0x81);
}

#[test]
fn v311_2_2_2_1_reserved_flags_have_the_listed_value() {
    reserved_flags_are_sent_as_listed(V311);
}

#[test]
fn v311_2_2_2_2_wrong_flags_close() {
    wrong_flags_close(V311);
}

#[test]
fn v5_2_1_3_1_reserved_flags_have_the_listed_value() {
    reserved_flags_are_sent_as_listed(V5);
    wrong_flags_close(V5);
}

#[test]
fn v311_3_6_1_1_pubrel_has_the_flags_0010() {
    assert_eq!(first_bytes(&one_of_each(V311), 6), [0x62]);
}

#[test]
fn v5_3_6_1_1_pubrel_has_the_flags_0010() {
    assert_eq!(first_bytes(&one_of_each(V5), 6), [0x62]);
}

#[test]
fn v311_3_8_1_1_subscribe_has_the_flags_0010() {
    assert_eq!(first_bytes(&one_of_each(V311), 8), [0x82]);
}

#[test]
fn v5_3_8_1_1_subscribe_has_the_flags_0010() {
    assert_eq!(first_bytes(&one_of_each(V5), 8), [0x82]);
}

#[test]
fn v311_3_10_1_1_unsubscribe_has_the_flags_0010() {
    assert_eq!(first_bytes(&one_of_each(V311), 10), [0xA2]);
}

#[test]
fn v5_3_10_1_1_unsubscribe_has_the_flags_0010() {
    assert_eq!(first_bytes(&one_of_each(V5), 10), [0xA2]);
}

#[test]
fn v311_3_14_1_1_the_reserved_bits_of_disconnect_are_zero() {
    assert_eq!(one_of_each(V311).last(), Some(&vec![0xE0, 0]));
}

#[test]
fn v5_3_14_1_1_the_reserved_bits_of_disconnect_are_zero_and_others_are_malformed() {
    assert_eq!(first_bytes(&one_of_each(V5), 14), [0xE0]);
    for flags in 1..16 {
        let mut client = online(V5);
        client.give_bytes(&[0xE0 | flags, 0]);
        assert_given_up(&mut client, 0x81);
    }
}
