//! Exactly once (4.3.3), as sender and as receiver.
use leveret_protocol::options::{ExpiredInFlight, PublishOptions, Ttl};

use crate::harness::*;

fn unused_identifiers(version: Version) {
    let mut client = online(version);
    for _ in 0..3 {
        client.publish("t", &at(ExactlyOnce));
    }
    client.give_bytes(&answer(0x50, 2));
    client.publish("t", &at(ExactlyOnce));
    let ids: Vec<_> = letters(&mut client)
        .iter()
        .map(|letter| letter.id)
        .collect();
    assert_eq!(ids, [1, 2, 3, 4].map(Some));
}

fn first_without_dup(version: Version) {
    let mut client = online(version);
    client.publish("t", &at(ExactlyOnce));
    assert_eq!(first_bytes(&packets(&mut client), 3), [0x34]);
}

fn unacknowledged_until_pubrec(version: Version) {
    let mut client = Bench::online(kept(version));
    let letter = client.publish("t", &at(ExactlyOnce));
    client.pass(seconds(50));
    packets(&mut client);
    reconnect(&mut client, true);
    assert_eq!(first_bytes(&packets(&mut client), 3), [0x3C]);
    assert_eq!(client.settled(letter), None);
}

fn pubrec_is_answered_with_pubrel(version: Version) {
    let mut client = online(version);
    client.publish("t", &at(ExactlyOnce));
    packets(&mut client);
    client.give_bytes(&answer(0x50, 1));
    assert_eq!(packets(&mut client), [answer(0x62, 1)]);
    client.give_bytes(&answer(0x50, 1));
    assert_eq!(packets(&mut client), [answer(0x62, 1)], "each time");
}

fn pubrel_unacknowledged_until_pubcomp(version: Version) {
    let mut client = Bench::online(kept(version));
    let letter = client.publish("t", &at(ExactlyOnce));
    client.give_bytes(&answer(0x50, 1));
    packets(&mut client);
    for _ in 0..2 {
        reconnect(&mut client, true);
        assert_eq!(packets(&mut client), [answer(0x62, 1)]);
        assert_eq!(client.settled(letter), None);
    }
    client.give_bytes(&answer(0x70, 1));
    assert_eq!(client.settled(letter), Some(("acknowledged", false)));
    reconnect(&mut client, true);
    assert_eq!(packets(&mut client).len(), 0);
}

/// Whatever comes after PUBREC: the end of the connection, a PUBREC again, silence.
fn no_publish_after_pubrel(version: Version) {
    let mut client = Bench::online(kept(version));
    client.publish("t", &at(ExactlyOnce));
    client.give_bytes(&answer(0x50, 1));
    packets(&mut client);
    for _ in 0..3 {
        client.pass(seconds(50));
        client.give_bytes(&answer(0x50, 1));
        reconnect(&mut client, true);
        client.give_bytes(&answer(0x50, 1));
        assert_eq!(letters(&mut client), []);
    }
}

fn pubrec_with_the_identifier(version: Version) {
    let mut client = online(version);
    client.give_bytes(&message(version, 0x34, b"t", 0xABCD));
    assert_eq!(packets(&mut client).len(), 0, "first it is handled");
    handled(&mut client, 0);
    assert_eq!(packets(&mut client), [bytes("50 02 ABCD")]);
}

/// Until PUBREL the same identifier is answered again, and not handed over again: with DUP or without, on this connection or the next.
fn delivered_once_until_pubrel(version: Version) {
    let mut client = Bench::online(kept(version));
    client.give_bytes(&message(version, 0x34, b"t", 5));
    handled(&mut client, 0);
    assert_eq!(packets(&mut client), [answer(0x50, 5)]);
    for first in [0x3C, 0x34] {
        client.give_bytes(&message(version, first, b"t", 5));
        assert_eq!(packets(&mut client), [answer(0x50, 5)]);
        reconnect(&mut client, true);
    }
    client.give_bytes(&message(version, 0x3C, b"t", 5));
    assert_eq!(packets(&mut client), [answer(0x50, 5)]);
    assert_eq!(received(&client), ["t"]);
}

fn pubrel_is_answered_with_pubcomp(version: Version) {
    let mut client = online(version);
    client.give_bytes(&message(version, 0x34, b"t", 0xABCD));
    handled(&mut client, 0);
    packets(&mut client);
    client.give_bytes(&bytes("62 02 ABCD"));
    assert_eq!(packets(&mut client), [bytes("70 02 ABCD")]);
}

fn after_pubcomp_a_new_message(version: Version) {
    for first in [0x34, 0x3C] {
        let mut client = online(version);
        client.give_bytes(&message(version, 0x34, b"one", 5));
        handled(&mut client, 0);
        client.give_bytes(&answer(0x62, 5));
        client.give_bytes(&message(version, first, b"two", 5));
        assert_eq!(received(&client), ["one", "two"]);
    }
}

#[test]
fn v311_4_3_3_1_a_letter_of_qos_2_goes_through_its_exchange() {
    unused_identifiers(V311);
    first_without_dup(V311);
    unacknowledged_until_pubrec(V311);
    pubrec_is_answered_with_pubrel(V311);
    pubrel_unacknowledged_until_pubcomp(V311);
    no_publish_after_pubrel(V311);
}

#[test]
fn v311_4_3_3_2_a_message_of_qos_2_is_handed_over_once() {
    pubrec_with_the_identifier(V311);
    delivered_once_until_pubrel(V311);
    pubrel_is_answered_with_pubcomp(V311);
    after_pubcomp_a_new_message(V311);
}

#[test]
fn v5_4_3_3_1_each_new_letter_has_an_unused_identifier() {
    unused_identifiers(V5);
}

#[test]
fn v5_4_3_3_2_it_is_first_sent_without_dup() {
    first_without_dup(V5);
}

#[test]
fn v5_4_3_3_3_it_is_unacknowledged_until_pubrec() {
    unacknowledged_until_pubrec(V5);
}

#[test]
fn v5_4_3_3_4_pubrec_is_answered_with_pubrel_unless_it_refuses() {
    pubrec_is_answered_with_pubrel(V5);
    // "No matching subscribers" is no refusal, whatever else the broker says; a failing PUBREC is the end.
    for (code, pubrels) in [("00", 1), ("10", 1), ("80", 0), ("97", 0)] {
        let mut client = online(V5);
        client.publish("t", &at(ExactlyOnce));
        packets(&mut client);
        client.give_bytes(&[bytes("50 03 0001"), bytes(code)].concat());
        assert_eq!(packets(&mut client), vec![answer(0x62, 1); pubrels]);
    }
}

#[test]
fn v5_4_3_3_5_pubrel_is_unacknowledged_until_pubcomp() {
    pubrel_unacknowledged_until_pubcomp(V5);
}

#[test]
fn v5_4_3_3_6_no_publish_follows_its_pubrel() {
    no_publish_after_pubrel(V5);
}

/// A letter of QoS 2 with a message expiry of a second is sent; ten seconds later the connection is lost and made again.
fn expires_in_flight(expired_in_flight: ExpiredInFlight, letter: PublishOptions) -> Vec<Publish> {
    let mut client = Bench::online(leveret_protocol::options::ClientOptions {
        expired_in_flight,
        ..kept(V5)
    });
    client.publish("t", &letter);
    let sent = letters(&mut client);
    assert_eq!(value(&sent[0].properties, 0x02), Some(&[0, 0, 0, 1][..]));
    client.pass(seconds(10));
    reconnect(&mut client, true);
    letters(&mut client)
}

fn with_message_expiry() -> PublishOptions {
    PublishOptions {
        message_expiry: Some(seconds(1)),
        ttl: Ttl::Never,
        ..at(ExactlyOnce)
    }
}

#[test]
fn v5_4_3_3_7_message_expiry_does_not_stop_a_letter_that_was_sent() {
    let resend = ExpiredInFlight::Resend;
    for letter in [with_message_expiry(), with_ttl(ExactlyOnce, seconds(1))] {
        let again = expires_in_flight(resend, letter);
        assert_eq!((again.len(), again[0].id, again[0].dup), (1, Some(1), true));
    }
    // A message expiry without a TTL is the broker's matter alone, whatever the option says.
    let again = expires_in_flight(ExpiredInFlight::Withhold, with_message_expiry());
    assert_eq!((again.len(), again[0].dup), (1, true));
}

/// The departure: a letter past its own TTL is never sent again, unless `expired_in_flight = resend`. Its identifier stays out of use, so that the exchange can
/// never be taken for another one.
#[test]
fn v5_4_3_3_7_a_letter_past_its_ttl_is_withheld_on_purpose() {
    let letter = with_ttl(ExactlyOnce, seconds(1));
    assert_eq!(expires_in_flight(ExpiredInFlight::Withhold, letter), []);
}

#[test]
fn v5_4_3_3_8_a_message_is_answered_with_its_identifier() {
    pubrec_with_the_identifier(V5);
}

#[test]
fn v5_4_3_3_9_after_a_failing_pubrec_the_identifier_is_that_of_a_new_message() {
    for first in [0x34, 0x3C] {
        let mut client = online(V5);
        client.give_bytes(&message(V5, 0x34, b"one", 5));
        failed(&mut client, 0);
        assert_eq!(packets(&mut client), [bytes("50 03 0005 80")]);
        client.give_bytes(&message(V5, first, b"two", 5));
        assert_eq!(received(&client), ["one", "two"]);
    }
}

#[test]
fn v5_4_3_3_10_until_pubrel_it_is_answered_again_and_handed_over_once() {
    delivered_once_until_pubrel(V5);
}

#[test]
fn v5_4_3_3_11_pubrel_is_answered_with_pubcomp() {
    pubrel_is_answered_with_pubcomp(V5);
}

#[test]
fn v5_4_3_3_12_after_pubcomp_the_identifier_is_that_of_a_new_message() {
    after_pubcomp_a_new_message(V5);
}

#[test]
fn v5_4_3_3_13_an_exchange_is_finished_even_if_the_message_has_expired() {
    let mut client = online(V5);
    client.give_bytes(&bytes(r#"34 0C 0001 "t" 0005 05 02 00000001 "m""#));
    assert_eq!(received(&client), ["t"]);
    client.pass(seconds(10));
    handled(&mut client, 0);
    assert_eq!(packets(&mut client), [answer(0x50, 5)]);
    client.pass(seconds(10));
    client.give_bytes(&answer(0x62, 5));
    assert_eq!(packets(&mut client), [answer(0x70, 5)]);
}
