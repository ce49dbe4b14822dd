//! Messages from the broker: handed over once, acknowledged when handled, in the order of the standard.
use leveret_protocol::codec::{Packet, Properties, PropertyId, PropertyValue, Publish};
use leveret_protocol::engine::{AckToken, Command, Notice, SubscriptionId};
use leveret_protocol::message::Message;
use leveret_protocol::message::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use leveret_protocol::options::ClientOptions;
use leveret_protocol::reason::ReasonCode;

use crate::bench::*;

fn tokens(bench: &Bench) -> Vec<AckToken> {
    bench
        .messages()
        .iter()
        .filter_map(|incoming| incoming.token)
        .collect()
}

fn handled(bench: &mut Bench, token: AckToken) {
    bench.command(Command::Acknowledge {
        token,
        reason: ReasonCode::SUCCESS,
        words: None,
    });
}

fn failed(bench: &mut Bench, token: AckToken) {
    bench.command(Command::Acknowledge {
        token,
        reason: ReasonCode::UNSPECIFIED_ERROR,
        words: None,
    });
}

#[test]
fn a_message_is_acknowledged_after_it_was_handled() {
    for version in BOTH {
        let mut bench = Bench::online(speaking(version));
        bench.give_message("a", AtMostOnce, 0, false);
        bench.give_message("b", AtLeastOnce, 7, false);
        bench.give_message("c", ExactlyOnce, 8, false);
        assert_eq!(bench.sent(), []);
        let tokens = tokens(&bench);
        assert_eq!(bench.messages().len(), 3);
        handled(&mut bench, tokens[0]);
        assert_eq!(bench.sent(), [Packet::PubAck(ack(7))]);
        handled(&mut bench, tokens[1]);
        assert_eq!(bench.sent(), [Packet::PubRec(ack(8))]);
        bench.give(Packet::PubRel(ack(8)));
        assert_eq!(bench.sent(), [Packet::PubComp(ack(8))]);
        handled(&mut bench, tokens[0]);
        assert_eq!(bench.sent(), [], "once");
    }
}

#[test]
fn acknowledgements_keep_the_order_of_the_messages_however_handlers_finish() {
    let mut bench = Bench::online(speaking(V5));
    for number in [5, 3, 9] {
        bench.give_message("a", AtLeastOnce, number, false);
        bench.give_message("b", ExactlyOnce, number + 100, false);
    }
    let tokens = tokens(&bench);
    handled(&mut bench, tokens[4]);
    handled(&mut bench, tokens[3]);
    handled(&mut bench, tokens[2]);
    assert_eq!(bench.sent(), [], "the first of each is not handled");
    handled(&mut bench, tokens[1]);
    assert_eq!(
        bench.sent(),
        [105, 103].map(|number| Packet::PubRec(ack(number)))
    );
    handled(&mut bench, tokens[0]);
    assert_eq!(
        bench.sent(),
        [5, 3, 9].map(|number| Packet::PubAck(ack(number)))
    );
}

#[test]
fn a_failed_handler_is_told_on_mqtt_5_and_acknowledged_on_3_1_1() {
    for version in BOTH {
        let mut bench = Bench::online(speaking(version));
        bench.give_message("a", AtLeastOnce, 1, false);
        bench.give_message("b", ExactlyOnce, 2, false);
        for token in tokens(&bench) {
            failed(&mut bench, token);
        }
        let reason = if version == V5 {
            ReasonCode::UNSPECIFIED_ERROR
        } else {
            ReasonCode::SUCCESS
        };
        assert_eq!(
            bench.sent(),
            [
                Packet::PubAck(nack(1, reason)),
                Packet::PubRec(nack(2, reason))
            ]
        );
        assert_eq!(bench.engine.stats(bench.now).handler_failures, 2);
    }
}

#[test]
fn a_failing_pubrec_makes_the_identifier_that_of_a_new_message() {
    let mut bench = Bench::online(speaking(V5));
    bench.give_message("a", ExactlyOnce, 2, false);
    let token = tokens(&bench)[0];
    failed(&mut bench, token);
    bench.give_message("b", ExactlyOnce, 2, false);
    assert_eq!(bench.messages().len(), 2);
}

#[test]
fn a_qos_2_message_is_handed_over_once_until_pubrel() {
    let mut bench = Bench::online(speaking(V311));
    bench.give_message("a", ExactlyOnce, 2, false);
    bench.give_message("a", ExactlyOnce, 2, true);
    let token = tokens(&bench)[0];
    handled(&mut bench, token);
    assert_eq!(bench.sent(), [Packet::PubRec(ack(2))]);
    bench.give_message("a", ExactlyOnce, 2, true);
    assert_eq!(
        bench.sent(),
        [Packet::PubRec(ack(2))],
        "answered again, handed over never again"
    );
    assert_eq!(bench.messages().len(), 1);
    bench.give(Packet::PubRel(ack(2)));
    bench.give_message("a", ExactlyOnce, 2, false);
    assert_eq!(
        bench.messages().len(),
        2,
        "after PUBCOMP it is a new message"
    );
}

#[test]
fn a_repeated_qos_1_identifier_is_a_new_message_after_puback() {
    let mut bench = Bench::online(speaking(V311));
    bench.give_message("a", AtLeastOnce, 2, false);
    let token = tokens(&bench)[0];
    handled(&mut bench, token);
    bench.give_message("a", AtLeastOnce, 2, true);
    assert_eq!(bench.messages().len(), 2);
}

#[test]
fn an_old_token_acknowledges_nothing_on_a_new_connection() {
    let mut bench = Bench::online(speaking(V5));
    bench.give_message("old", AtLeastOnce, 5, false);
    let old = tokens(&bench)[0];
    bench.lose_connection();
    bench.accept(true);
    bench.give_message("other", AtLeastOnce, 5, false);
    bench.sent();
    handled(&mut bench, old);
    assert_eq!(
        bench.sent(),
        [],
        "PUBACK 5 would acknowledge another message"
    );
    let new = tokens(&bench)[1];
    handled(&mut bench, new);
    assert_eq!(bench.sent(), [Packet::PubAck(ack(5))]);
}

#[test]
fn a_qos_2_message_handed_over_before_a_reconnect_is_not_handed_over_again() {
    // Handled before the broker sends it again, or only after.
    for late in [false, true] {
        let mut bench = Bench::online(speaking(V5));
        bench.give_message("a", ExactlyOnce, 5, false);
        let old = tokens(&bench)[0];
        bench.lose_connection();
        bench.accept(true);
        bench.sent();
        if !late {
            handled(&mut bench, old);
        }
        bench.give_message("a", ExactlyOnce, 5, true);
        if late {
            assert_eq!(bench.sent(), [], "it is still being handled");
            handled(&mut bench, old);
        }
        assert_eq!(bench.sent(), [Packet::PubRec(ack(5))]);
        bench.give(Packet::PubRel(ack(5)));
        assert_eq!(bench.sent(), [Packet::PubComp(ack(5))]);
        assert_eq!(bench.messages().len(), 1);
    }
}

#[test]
fn an_old_token_does_not_vouch_for_a_new_message_under_its_identifier() {
    let mut bench = Bench::online(speaking(V5));
    bench.give_message("old", ExactlyOnce, 5, false);
    let old = tokens(&bench)[0];
    bench.lose_connection();
    bench.accept(false);
    bench.give_message("new", ExactlyOnce, 5, false);
    bench.sent();
    handled(&mut bench, old);
    assert_eq!(bench.sent(), []);
    let new = tokens(&bench)[1];
    handled(&mut bench, new);
    assert_eq!(bench.sent(), [Packet::PubRec(ack(5))]);
}

/// A QoS 2 message is handed over, and answered or not; then the connection is lost, and the CONNACK of the next one, too.
fn after_a_lost_connack(answered: bool) -> (Bench, AckToken) {
    let mut bench = Bench::online(speaking(V5));
    bench.give_message("old", ExactlyOnce, 5, false);
    let old = tokens(&bench)[0];
    if answered {
        handled(&mut bench, old);
    }
    bench.lose_connection();
    bench.link_up();
    bench.lose_connection();
    bench.accept(true);
    bench.sent();
    (bench, old)
}

#[test]
fn behind_a_lost_connack_an_identifier_without_dup_is_that_of_a_new_message() {
    for answered in [false, true] {
        let (mut bench, old) = after_a_lost_connack(answered);
        bench.give_message("new", ExactlyOnce, 5, false);
        assert_eq!(bench.messages().len(), 2, "the session is a new one");
        handled(&mut bench, old);
        assert_eq!(bench.sent(), []);
        let new = tokens(&bench)[1];
        handled(&mut bench, new);
        assert_eq!(bench.sent(), [Packet::PubRec(ack(5))]);
        bench.give_message("new", ExactlyOnce, 5, true);
        assert_eq!(bench.messages().len(), 2, "this one is known");
    }
}

#[test]
fn behind_a_lost_connack_one_new_message_tells_that_all_identifiers_are_new() {
    let mut bench = Bench::online(speaking(V5));
    bench.give_message("old", ExactlyOnce, 5, false);
    bench.give_message("old", ExactlyOnce, 6, false);
    bench.lose_connection();
    bench.link_up();
    bench.lose_connection();
    bench.accept(true);
    bench.give_message("new", ExactlyOnce, 5, false);
    bench.lose_connection();
    bench.accept(true);
    bench.sent();
    bench.give_message("new", ExactlyOnce, 5, true);
    bench.give_message("sent while the connection was lost", ExactlyOnce, 6, true);
    let tokens = tokens(&bench);
    assert_eq!(tokens.len(), 4);
    for token in [tokens[0], tokens[1]] {
        handled(&mut bench, token);
        assert_eq!(bench.sent(), [], "of the lost session");
    }
    handled(&mut bench, tokens[2]);
    assert_eq!(bench.sent(), [Packet::PubRec(ack(5))]);
    handled(&mut bench, tokens[3]);
    assert_eq!(bench.sent(), [Packet::PubRec(ack(6))]);
}

#[test]
fn behind_a_lost_connack_an_identifier_with_dup_is_that_of_the_old_message() {
    for answered in [false, true] {
        let (mut bench, old) = after_a_lost_connack(answered);
        bench.give_message("old", ExactlyOnce, 5, true);
        handled(&mut bench, old);
        assert_eq!(bench.sent(), [Packet::PubRec(ack(5))]);
        assert_eq!(bench.messages().len(), 1, "the session goes on");
        bench.give(Packet::PubRel(ack(5)));
        bench.give_message("new", ExactlyOnce, 5, false);
        assert_eq!(bench.messages().len(), 2);
    }
}

#[test]
fn a_session_that_surely_goes_on_counts_an_identifier_without_dup_as_repeated() {
    let mut bench = Bench::online(speaking(V5));
    bench.give_message("a", ExactlyOnce, 5, false);
    bench.lose_connection();
    bench.accept(true);
    bench.give_message("a", ExactlyOnce, 5, false);
    assert_eq!(bench.messages().len(), 1);
}

#[test]
fn a_qos_2_message_handled_with_the_pubrec_lost_is_answered_at_once() {
    let mut bench = Bench::online(speaking(V5));
    bench.give_message("a", ExactlyOnce, 5, false);
    bench.takes = 0;
    let token = tokens(&bench)[0];
    handled(&mut bench, token);
    bench.lose_connection();
    bench.accept(true);
    bench.sent();
    bench.give_message("a", ExactlyOnce, 5, true);
    assert_eq!(bench.sent(), [Packet::PubRec(ack(5))]);
    assert_eq!(bench.messages().len(), 1);
}

#[test]
fn a_release_of_something_unknown_is_answered_and_not_a_violation() {
    let mut bench = Bench::online(speaking(V5));
    bench.give(Packet::PubRel(ack(5)));
    assert_eq!(
        bench.sent(),
        [Packet::PubComp(nack(
            5,
            ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
        ))]
    );
    assert!(bench.connected);
}

#[test]
fn a_message_held_back_for_half_a_minute_is_reported_once() {
    let mut bench = Bench::online(ClientOptions {
        keep_alive: seconds(0),
        ..speaking(V5)
    });
    bench.give_message("a", AtLeastOnce, 1, false);
    bench.pass(seconds(20));
    bench.give_message("b", AtLeastOnce, 2, false);
    let held = tokens(&bench);
    bench.pass(millis(9_999));
    assert_eq!(bench.notices().len(), 0);
    bench.pass(seconds(300));
    let notice = Notice::AcknowledgementHeld {
        token: held[0],
        waiting: seconds(30),
    };
    assert_eq!(bench.notices(), [&notice]);
    handled(&mut bench, held[0]);
    bench.pass(seconds(1));
    assert_eq!(
        bench.notices().len(),
        2,
        "now the other one holds back what comes after it"
    );
}

#[test]
fn a_broker_that_exceeds_the_receive_maximum_is_told_and_left() {
    let mut bench = Bench::online(ClientOptions {
        receive_maximum: 2,
        ..speaking(V5)
    });
    bench.give_message("a", AtLeastOnce, 1, false);
    bench.give_message("b", ExactlyOnce, 2, false);
    bench.give_message("c", AtMostOnce, 0, false);
    assert!(bench.connected);
    bench.give_message("d", AtLeastOnce, 3, false);
    let sent = bench.sent();
    let reason = disconnect_of(&sent).map(|disconnect| disconnect.reason);
    assert_eq!(reason, Some(ReasonCode::RECEIVE_MAXIMUM_EXCEEDED));
    assert_eq!(
        (bench.hang_ups.as_slice(), bench.messages().len()),
        (&[true][..], 3)
    );
}

#[test]
fn an_acknowledged_message_gives_its_quota_back() {
    let mut bench = Bench::online(ClientOptions {
        receive_maximum: 1,
        ..speaking(V5)
    });
    for number in 1..=50 {
        bench.give_message("a", ExactlyOnce, number, false);
        let token = *tokens(&bench).last().unwrap();
        handled(&mut bench, token);
        bench.give(Packet::PubRel(ack(number)));
        bench.give_message("b", AtLeastOnce, number, false);
        let token = *tokens(&bench).last().unwrap();
        handled(&mut bench, token);
    }
    assert!(bench.connected);
    assert_eq!(bench.messages().len(), 100);
}

#[test]
fn a_message_names_the_subscriptions_it_was_sent_for() {
    let mut bench = Bench::online(speaking(V5));
    bench.subscribe(&[(1, "a/+"), (2, "a/#"), (3, "b")], AtLeastOnce);
    let matched = |bench: &Bench| -> Vec<u32> {
        let incoming = *bench.messages().last().unwrap();
        incoming
            .subscriptions
            .iter()
            .map(|SubscriptionId(number)| number)
            .collect()
    };
    let mut properties = Properties::new();
    properties
        .add(PropertyId::SubscriptionIdentifier, PropertyValue::Number(2))
        .unwrap();
    properties
        .add(
            PropertyId::SubscriptionIdentifier,
            PropertyValue::Number(77),
        )
        .unwrap();
    let message = Message {
        topic: "a/b".into(),
        properties,
        ..Message::default()
    };
    bench.give(Packet::Publish(Publish {
        packet_id: None,
        message,
    }));
    assert_eq!(
        matched(&bench),
        [2],
        "by identifier: the copy for the other one comes by itself"
    );
    bench.give_message("a/b", AtMostOnce, 0, false);
    assert_eq!(matched(&bench), [2, 1], "without one, by topic");
    bench.give_message("x", AtMostOnce, 0, false);
    assert_eq!(matched(&bench), [0; 0]);
}
