//! Packet identifiers (3.1.1: 2.3.1; 5.0: 2.2.1).
use leveret_protocol::engine::Reply;
use leveret_protocol::reason::ReasonCode;

use crate::harness::*;

/// Sends letters of QoS 1, each acknowledged at once, until `count` are sent; returns their identifiers. Stops early where one is held back.
fn cycle(client: &mut Bench, count: usize) -> Vec<u16> {
    let mut ids = Vec::new();
    for _ in 0..count {
        client.publish("t", &at(AtLeastOnce));
        let Some(packet) = packets(client).pop() else {
            break;
        };
        let id = identifier(&packet).expect("an identifier");
        client.give_bytes(&answer(0x40, id));
        client.events.clear();
        ids.push(id);
    }
    ids
}

fn never_zero(version: Version) {
    let mut client = online(version);
    client.publish("t", &at(AtLeastOnce));
    client.publish("t", &at(ExactlyOnce));
    client.subscribe(&[(1, "f")], AtLeastOnce);
    unsubscribe(&mut client, "g");
    let ids: Vec<_> = packets(&mut client)
        .iter()
        .map(|packet| identifier(packet))
        .collect();
    assert_eq!(ids, [1, 2, 3, 4].map(Some));
    // All the way around: 0 is left out.
    let mut client = online(version);
    let ids = cycle(&mut client, 65_537);
    assert_eq!(ids[65_534..], [65_535, 1, 2]);
    assert!(!ids.contains(&0));
}

/// An identifier in use is not given to another packet, all the way around: the next letter waits until `release` has come.
fn in_use_until(client: &mut Bench, release: &[u8]) {
    let held = packets(client);
    assert_eq!(identifier(&held[0]), Some(1));
    let ids = cycle(client, 65_540);
    assert!(ids.len() == 65_534 && !ids.contains(&1));
    client.give_bytes(release);
    let next = packets(client);
    assert_eq!(identifier(&next[0]), Some(1), "free again");
}

fn unused(version: Version) {
    let mut client = online(version);
    client.publish("t", &at(AtLeastOnce));
    in_use_until(&mut client, &answer(0x40, 1));
    let mut client = online(version);
    client.subscribe(&[(1, "f")], AtLeastOnce);
    in_use_until(&mut client, &filter_answer(version, 0x90, 1, 1));
}

#[test]
fn v311_2_3_1_1_an_identifier_is_never_zero() {
    never_zero(V311);
}

#[test]
fn v311_2_3_1_2_a_new_packet_has_an_identifier_that_is_not_in_use() {
    unused(V311);
}

#[test]
fn v5_2_2_1_3_a_new_packet_has_an_identifier_other_than_zero_that_is_not_in_use() {
    never_zero(V5);
    unused(V5);
}

#[test]
fn v311_2_3_1_3_an_identifier_is_kept_by_what_is_sent_again_and_free_after_the_last_answer() {
    let mut client = Bench::online(kept(V311));
    client.publish("a", &at(ExactlyOnce));
    client.publish("b", &at(AtLeastOnce));
    client.publish("c", &at(ExactlyOnce));
    client.give_bytes(&answer(0x50, 1));
    let first = packets(&mut client);
    reconnect(&mut client, true);
    let again = packets(&mut client);
    let ids = |packets: &[Vec<u8>]| -> Vec<_> {
        let letters = packets.iter().filter(|packet| packet[0] >> 4 == 3);
        letters.map(|packet| identifier(packet)).collect()
    };
    assert_eq!(ids(&first), [1, 2, 3].map(Some));
    assert_eq!(ids(&again), [2, 3].map(Some));
    assert_eq!(again[0], answer(0x62, 1), "and so does PUBREL");

    // PUBREC does not free it, PUBCOMP does.
    let mut client = online(V311);
    client.publish("t", &at(ExactlyOnce));
    client.give_bytes(&answer(0x50, 1));
    in_use_until(&mut client, &answer(0x70, 1));
    let mut client = online(V311);
    unsubscribe(&mut client, "f");
    in_use_until(&mut client, &filter_answer(V311, 0xB0, 1, 0));
}

#[test]
fn v311_2_3_1_5_a_publish_of_qos_0_has_no_identifier() {
    let mut client = online(V311);
    client.publish("t", &at(AtMostOnce));
    assert_eq!(packets(&mut client), [bytes(r#"30 04 0001 "t" "x""#)]);
}

#[test]
fn v5_2_2_1_2_a_publish_of_qos_0_has_no_identifier() {
    let mut client = online(V5);
    client.publish("t", &at(AtMostOnce));
    assert_eq!(packets(&mut client), [bytes(r#"30 05 0001 "t" 00 "x""#)]);
}

fn answers_have_the_identifier_of_their_publish(version: Version) {
    let mut client = online(version);
    client.publish("t", &at(AtLeastOnce));
    client.publish("t", &at(ExactlyOnce));
    packets(&mut client);
    client.give_bytes(&answer(0x50, 2));
    assert_eq!(packets(&mut client), [answer(0x62, 2)]);
    client.give_bytes(&message(version, 0x32, b"a", 0x1234));
    client.give_bytes(&message(version, 0x34, b"b", 0xFFFF));
    handled(&mut client, 0);
    handled(&mut client, 1);
    let expected = [answer(0x40, 0x1234), answer(0x50, 0xFFFF)];
    assert_eq!(packets(&mut client), expected);
    client.give_bytes(&answer(0x62, 0xFFFF));
    assert_eq!(packets(&mut client), [answer(0x70, 0xFFFF)]);
}

#[test]
fn v311_2_3_1_6_answers_have_the_identifier_of_their_publish() {
    answers_have_the_identifier_of_their_publish(V311);
}

#[test]
fn v5_2_2_1_5_answers_have_the_identifier_of_their_publish() {
    answers_have_the_identifier_of_their_publish(V5);
}

/// Two requests of each kind, answered in the other order: each answer is given to its own.
fn answers_of_the_broker_are_told_apart(version: Version) {
    let mut client = online(version);
    let granted = client.subscribe(&[(1, "f")], AtLeastOnce);
    let refused = client.subscribe(&[(2, "g")], AtLeastOnce);
    packets(&mut client);
    client.give_bytes(&filter_answer(version, 0x90, 2, 0x80));
    assert!(client.reply(granted).is_none());
    client.give_bytes(&filter_answer(version, 0x90, 1, 1));
    let codes = |client: &Bench, reply| match client.reply(reply) {
        Some(Ok(Reply::Subscribed(answers) | Reply::Unsubscribed(answers))) => answers.codes,
        other => panic!("{other:?}"),
    };
    assert_eq!(codes(&client, granted), [ReasonCode(1)]);
    assert_eq!(codes(&client, refused), [ReasonCode(0x80)]);

    let first = unsubscribe(&mut client, "f");
    let second = unsubscribe(&mut client, "h");
    client.give_bytes(&filter_answer(version, 0xB0, 4, 0));
    assert!(client.reply(first).is_none());
    assert_eq!(codes(&client, second).len(), 1);
    client.give_bytes(&filter_answer(version, 0xB0, 3, 0));
    assert_eq!(codes(&client, first).len(), 1);
    // One that belongs to no request is nobody's.
    client.give_bytes(&filter_answer(version, 0x90, 99, 0x80));
    assert!(client.connected);
}

#[test]
fn v311_2_3_1_7_subacks_and_unsubacks_are_matched_by_their_identifier() {
    answers_of_the_broker_are_told_apart(V311);
}

#[test]
fn v5_2_2_1_6_subacks_and_unsubacks_are_matched_by_their_identifier() {
    answers_of_the_broker_are_told_apart(V5);
}
