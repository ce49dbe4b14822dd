//! Delivery retry and order (4.4, 4.6): what is sent again after a reconnect, and in which order.
use leveret_protocol::engine::{Command, Input};
use leveret_protocol::message::QoS;
use leveret_protocol::options::{ClientOptions, ExpiredInFlight};

use crate::harness::*;

/// First byte and identifier of each packet.
fn heads(client: &mut Bench) -> Vec<(u8, u16)> {
    let sent = packets(client);
    sent.iter()
        .map(|packet| (packet[0], identifier(packet).unwrap_or(0)))
        .collect()
}

fn everything_unacknowledged_is_sent_again(version: Version) {
    let mut client = Bench::online(kept(version));
    client.publish("a", &at(AtLeastOnce));
    client.publish("b", &at(ExactlyOnce));
    client.publish("c", &at(ExactlyOnce));
    client.publish("d", &at(AtLeastOnce));
    client.give_bytes(&answer(0x40, 1));
    client.give_bytes(&answer(0x50, 2));
    packets(&mut client);
    for _ in 0..3 {
        reconnect(&mut client, true);
        assert_eq!(heads(&mut client), [(0x62, 2), (0x3C, 3), (0x3A, 4)]);
    }
}

fn nothing_is_sent_again_at_another_time(version: Version) {
    let mut client = Bench::online(ClientOptions {
        keep_alive: seconds(0),
        default_ttl: None,
        ..kept(version)
    });
    client.publish("a", &at(AtLeastOnce));
    client.publish("b", &at(ExactlyOnce));
    client.publish("c", &at(ExactlyOnce));
    client.give_bytes(&answer(0x50, 3));
    packets(&mut client);
    client.pass(seconds(1_000_000));
    assert_eq!(heads(&mut client), []);
}

/// Nor does anything that happens on a connection have a letter sent again: a socket that takes nothing for a while, an answer that comes twice, a ping,
/// a failing answer to a neighbour.
fn nothing_that_happens_has_it_sent_again() {
    let mut client = Bench::online(ClientOptions {
        default_ttl: None,
        ..kept(V5)
    });
    for qos in [AtLeastOnce, ExactlyOnce, ExactlyOnce, AtLeastOnce] {
        client.publish("t", &at(qos));
    }
    client.give_bytes(&answer(0x50, 3));
    let first = [(0x32, 1), (0x34, 2), (0x34, 3), (0x32, 4), (0x62, 3)];
    assert_eq!(heads(&mut client), first);
    // The next one is written in pieces.
    client.takes = 3;
    client.publish("t", &at(AtLeastOnce));
    for _ in 0..20 {
        client.takes = 1;
        client.handle(Input::Writable);
    }
    client.takes = usize::MAX;
    client.handle(Input::Writable);
    assert_eq!(heads(&mut client), [(0x32, 5)]);
    for _ in 0..3 {
        client.give_bytes(&answer(0x50, 3));
        assert_eq!(heads(&mut client), [(0x62, 3)], "PUBREL alone");
    }
    client.pass(seconds(60));
    assert_eq!(heads(&mut client), [(0xC0, 0)]);
    client.give_bytes(&[0xD0, 0]);
    client.give_bytes(&bytes("40 03 0004 97"));
    client.give_bytes(&bytes("50 03 0002 97"));
    client.pass(seconds(20));
    assert_eq!(heads(&mut client), []);
    // What is still open was not forgotten.
    reconnect(&mut client, true);
    let again = [(0x3A, 1), (0x62, 3), (0x3A, 5)];
    let mut sent = heads(&mut client);
    sent.sort_by_key(|(_, id)| *id);
    assert_eq!(sent, again);
}

/// A letter expires in flight and another is cancelled; says what of them is sent after a reconnect.
fn expired_and_cancelled(version: Version, rule: ExpiredInFlight, qos: QoS) -> Vec<Publish> {
    let mut client = Bench::online(ClientOptions {
        expired_in_flight: rule,
        ..kept(version)
    });
    let expired = client.publish("expired", &with_ttl(qos, seconds(1)));
    let cancelled = client.publish("cancelled", &at(qos));
    client.publish("patient", &at(qos));
    packets(&mut client);
    client.pass(seconds(1));
    client.ask(|reply| Command::Cancel {
        tag: cancelled,
        reply,
    });
    assert_eq!(client.settled(expired), Some(("expired", true)));
    assert_eq!(client.settled(cancelled), Some(("cancelled", true)));
    reconnect(&mut client, true);
    letters(&mut client)
}

fn resend_follows_the_standard(version: Version) {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let again = expired_and_cancelled(version, ExpiredInFlight::Resend, qos);
        let again: Vec<_> = again
            .iter()
            .map(|letter| (&letter.topic[..], letter.id, letter.dup))
            .collect();
        let all = [("expired", 1), ("cancelled", 2), ("patient", 3)];
        assert_eq!(again, all.map(|(topic, id)| (topic, Some(id), true)));
    }
}

/// The departure: of what was given up nothing is sent again; the rest keeps its identifiers.
fn withheld_on_purpose(version: Version) {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let again = expired_and_cancelled(version, ExpiredInFlight::Withhold, qos);
        assert_eq!(again.len(), 1);
        let patient = &again[0];
        assert_eq!(
            (&patient.topic[..], patient.id, patient.dup),
            ("patient", Some(3), true)
        );
    }
}

#[test]
fn v311_4_4_0_1_everything_unacknowledged_is_sent_again_after_a_reconnect() {
    everything_unacknowledged_is_sent_again(V311);
    resend_follows_the_standard(V311);
}

#[test]
fn v311_4_4_0_1_expired_and_cancelled_letters_are_withheld_on_purpose() {
    withheld_on_purpose(V311);
}

#[test]
fn v5_4_4_0_1_everything_unacknowledged_is_sent_again_after_a_reconnect_and_never_else() {
    everything_unacknowledged_is_sent_again(V5);
    nothing_is_sent_again_at_another_time(V5);
    nothing_that_happens_has_it_sent_again();
    resend_follows_the_standard(V5);
}

#[test]
fn v5_4_4_0_1_expired_and_cancelled_letters_are_withheld_on_purpose() {
    withheld_on_purpose(V5);
}

#[test]
fn v5_4_4_0_2_a_refused_letter_is_not_sent_again() {
    let mut client = Bench::online(kept(V5));
    let first = client.publish("a", &at(AtLeastOnce));
    let second = client.publish("b", &at(ExactlyOnce));
    client.give_bytes(&bytes("40 03 0001 97"));
    client.give_bytes(&bytes("50 03 0002 80"));
    for letter in [first, second] {
        assert_eq!(client.settled(letter), Some(("rejected", false)));
    }
    packets(&mut client);
    reconnect(&mut client, true);
    assert_eq!(heads(&mut client), []);
}

/// In the order of the first sending, which at the wrap is not that of the identifiers.
fn in_their_old_order(version: Version) {
    let mut client = Bench::online(kept(version));
    for id in 1..=65_533 {
        client.publish("t", &at(AtLeastOnce));
        client.give_bytes(&answer(0x40, id));
    }
    client.events.clear();
    for (topic, qos) in [
        ("a", AtLeastOnce),
        ("b", ExactlyOnce),
        ("c", AtLeastOnce),
        ("d", ExactlyOnce),
    ] {
        client.publish(topic, &at(qos));
    }
    reconnect(&mut client, true);
    let order = [(0x3A, 65_534), (0x3C, 65_535), (0x3A, 1), (0x3C, 2)];
    assert_eq!(heads(&mut client), order);
}

#[test]
fn v311_4_6_0_1_letters_are_sent_again_in_their_old_order() {
    in_their_old_order(V311);
}

#[test]
fn v5_4_6_0_1_letters_are_sent_again_in_their_old_order() {
    in_their_old_order(V5);
}

/// Messages come under identifiers in no order, and are handled from the last to the first.
fn answers_in_the_order_of_messages(version: Version, publish: u8, answered: u8) {
    let ids = [9, 3, 0xFFFF, 1];
    let mut client = online(version);
    for id in ids {
        client.give_bytes(&message(version, publish, b"t", id));
    }
    for place in (0..ids.len()).rev() {
        assert_eq!(heads(&mut client), []);
        handled(&mut client, place);
    }
    assert_eq!(heads(&mut client), ids.map(|id| (answered, id)));
}

#[test]
fn v311_4_6_0_2_pubacks_keep_the_order_of_the_messages() {
    answers_in_the_order_of_messages(V311, 0x32, 0x40);
}

#[test]
fn v5_4_6_0_2_pubacks_keep_the_order_of_the_messages() {
    answers_in_the_order_of_messages(V5, 0x32, 0x40);
}

#[test]
fn v311_4_6_0_3_pubrecs_keep_the_order_of_the_messages() {
    answers_in_the_order_of_messages(V311, 0x34, 0x50);
}

#[test]
fn v5_4_6_0_3_pubrecs_keep_the_order_of_the_messages() {
    answers_in_the_order_of_messages(V5, 0x34, 0x50);
}

fn pubrels_in_the_order_of_pubrecs(version: Version) {
    let mut client = online(version);
    for _ in 0..4 {
        client.publish("t", &at(ExactlyOnce));
    }
    packets(&mut client);
    let pubrecs = [3, 1, 4, 2];
    // One by one, and all in one read.
    client.give_bytes(&answer(0x50, 3));
    client.give_bytes(&[answer(0x50, 1), answer(0x50, 4), answer(0x50, 2)].concat());
    assert_eq!(heads(&mut client), pubrecs.map(|id| (0x62, id)));
}

#[test]
fn v311_4_6_0_4_pubrels_keep_the_order_of_the_pubrecs() {
    pubrels_in_the_order_of_pubrecs(V311);
}

#[test]
fn v5_4_6_0_4_pubrels_keep_the_order_of_the_pubrecs() {
    pubrels_in_the_order_of_pubrecs(V5);
}
