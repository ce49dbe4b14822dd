//! At least once (4.3.2), as sender and as receiver.
use crate::harness::*;

fn unused_identifiers(version: Version) {
    let mut client = online(version);
    for _ in 0..3 {
        client.publish("t", &at(AtLeastOnce));
    }
    client.give_bytes(&answer(0x40, 2));
    client.publish("t", &at(AtLeastOnce));
    let ids: Vec<_> = letters(&mut client)
        .iter()
        .map(|letter| letter.id)
        .collect();
    assert_eq!(ids, [1, 2, 3, 4].map(Some), "each has its own");
}

fn first_without_dup(version: Version) {
    let mut client = online(version);
    client.publish("t", &at(AtLeastOnce));
    assert_eq!(first_bytes(&packets(&mut client), 3), [0x32]);
}

/// Neither time nor another answer nor the end of the connection ends it.
fn unacknowledged_until_puback(version: Version) {
    let mut client = Bench::online(kept(version));
    let letter = client.publish("t", &at(AtLeastOnce));
    client.publish("t", &at(AtLeastOnce));
    client.give_bytes(&answer(0x40, 2));
    client.pass(seconds(50));
    assert_eq!(client.settled(letter), None);
    packets(&mut client);
    reconnect(&mut client, true);
    let again: Vec<_> = letters(&mut client)
        .into_iter()
        .map(|letter| letter.id)
        .collect();
    assert_eq!(again, [Some(1)]);
    client.give_bytes(&answer(0x40, 1));
    assert_eq!(client.settled(letter), Some(("acknowledged", false)));
    reconnect(&mut client, true);
    assert_eq!(letters(&mut client), []);
}

fn puback_with_the_identifier(version: Version) {
    let mut client = online(version);
    client.give_bytes(&message(version, 0x32, b"t", 0xABCD));
    assert_eq!(packets(&mut client).len(), 0, "first it is handled");
    handled(&mut client, 0);
    assert_eq!(packets(&mut client), [bytes("40 02 ABCD")]);
}

fn after_puback_a_new_message(version: Version) {
    for first in [0x32, 0x3A] {
        let mut client = online(version);
        client.give_bytes(&message(version, 0x32, b"one", 5));
        handled(&mut client, 0);
        client.give_bytes(&message(version, first, b"two", 5));
        assert_eq!(received(&client), ["one", "two"]);
        handled(&mut client, 1);
        assert_eq!(packets(&mut client), [answer(0x40, 5), answer(0x40, 5)]);
    }
}

#[test]
fn v311_4_3_2_1_a_letter_of_qos_1_is_new_without_dup_and_unacknowledged_until_puback() {
    unused_identifiers(V311);
    first_without_dup(V311);
    unacknowledged_until_puback(V311);
}

#[test]
fn v311_4_3_2_2_a_message_of_qos_1_is_answered_and_its_identifier_then_free() {
    puback_with_the_identifier(V311);
    after_puback_a_new_message(V311);
}

#[test]
fn v5_4_3_2_1_each_new_letter_has_an_unused_identifier() {
    unused_identifiers(V5);
}

#[test]
fn v5_4_3_2_2_it_is_first_sent_without_dup() {
    first_without_dup(V5);
}

#[test]
fn v5_4_3_2_3_it_is_unacknowledged_until_its_puback() {
    unacknowledged_until_puback(V5);
}

#[test]
fn v5_4_3_2_4_a_message_is_answered_with_its_identifier() {
    puback_with_the_identifier(V5);
}

#[test]
fn v5_4_3_2_5_after_puback_the_identifier_is_that_of_a_new_message() {
    after_puback_a_new_message(V5);
}
