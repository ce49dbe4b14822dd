//! Packet identifiers and the window: limits, wrapping around, acknowledgements in any order.
use leveret_protocol::codec::{Packet, Properties, PropertyId, PropertyValue};
use leveret_protocol::engine::{Input, Notice};
use leveret_protocol::message::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use leveret_protocol::options::ClientOptions;
use leveret_protocol::reason::ReasonCode;

use crate::bench::*;

fn online_with_receive_maximum(maximum: u32) -> Bench {
    let mut properties = Properties::new();
    properties
        .set(PropertyId::ReceiveMaximum, PropertyValue::Number(maximum))
        .unwrap();
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    bench.accept_with(false, properties);
    bench
}

#[test]
fn with_a_window_of_one_letters_go_one_by_one() {
    let mut bench = Bench::online(ClientOptions {
        max_in_flight: 1,
        ..speaking(V311)
    });
    for topic in ["a", "b", "c"] {
        bench.publish(topic, &at(AtLeastOnce));
    }
    for (number, topic) in [(1, "a"), (2, "b"), (3, "c")] {
        assert_eq!(publishes(&bench.sent()), [(topic.into(), number, false)]);
        bench.give(Packet::PubAck(ack(number)));
    }
    assert_eq!(bench.outcomes.len(), 3);
}

#[test]
fn the_receive_maximum_of_the_broker_bounds_the_window_until_pubcomp() {
    let mut bench = online_with_receive_maximum(2);
    for _ in 0..4 {
        bench.publish("a", &at(ExactlyOnce));
    }
    assert_eq!(publishes(&bench.sent()).len(), 2);
    bench.give(Packet::PubRec(ack(1)));
    assert_eq!(publishes(&bench.sent()).len(), 0, "PUBREC frees nothing");
    bench.give(Packet::PubComp(ack(1)));
    assert_eq!(publishes(&bench.sent()).len(), 1);
    bench.give(Packet::PubRec(nack(2, ReasonCode::QUOTA_EXCEEDED)));
    assert_eq!(publishes(&bench.sent()).len(), 1, "a failing PUBREC does");
}

#[test]
fn a_full_window_holds_back_letters_and_nothing_else() {
    let mut bench = online_with_receive_maximum(1);
    bench.publish("a", &at(AtLeastOnce));
    bench.publish("b", &at(AtLeastOnce));
    bench.sent();
    bench.subscribe(&[(1, "x")], AtLeastOnce);
    bench.give_message("m", ExactlyOnce, 9, false);
    bench.give(Packet::PubRel(ack(9)));
    let sent = bench.sent();
    assert!(matches!(sent[0], Packet::Subscribe(_)), "{sent:?}");
    assert!(sent.contains(&Packet::PubComp(ack(9))), "{sent:?}");
    assert_eq!(publishes(&sent), []);
}

#[test]
fn acknowledgements_out_of_order_leave_no_gap_in_the_quota() {
    let mut bench = Bench::online(ClientOptions {
        max_in_flight: 3,
        ..speaking(V5)
    });
    let tags: Vec<_> = (0..6)
        .map(|_| bench.publish("a", &at(AtLeastOnce)))
        .collect();
    bench.give(Packet::PubAck(ack(3)));
    bench.give(Packet::PubAck(ack(2)));
    assert_eq!(bench.settled(tags[2]), Some(("acknowledged", false)));
    assert_eq!(bench.settled(tags[0]), None);
    assert_eq!(publishes(&bench.sent()).len(), 5);
    bench.give(Packet::PubAck(ack(1)));
    for number in [4, 5, 6] {
        bench.give(Packet::PubAck(ack(number)));
    }
    assert_eq!(bench.outcomes.len(), 6);
}

#[test]
fn an_identifier_is_never_used_twice_at_a_time_when_they_wrap_around() {
    let mut bench = Bench::online(speaking(V311));
    let stuck = bench.publish("stuck", &at(AtLeastOnce));
    bench.sent();
    let mut last = 1;
    for _ in 0..65_534 {
        bench.publish("a", &at(AtLeastOnce));
        let sent = publishes(&bench.sent());
        let [(_, number, _)] = sent[..] else {
            panic!("{sent:?}")
        };
        assert_eq!(number, last + 1);
        last = number;
        bench.give(Packet::PubAck(ack(number)));
    }
    assert_eq!(last, 65_535);
    bench.publish("waits", &at(AtLeastOnce));
    assert_eq!(publishes(&bench.sent()), [], "identifier 1 is still in use");
    bench.publish("behind", &at(AtMostOnce));
    bench.give(Packet::PubAck(ack(1)));
    assert_eq!(bench.settled(stuck), Some(("acknowledged", false)));
    let sent: Vec<_> = publishes(&bench.sent())
        .into_iter()
        .map(|sent| (sent.0, sent.1))
        .collect();
    assert_eq!(sent, [("waits".to_owned(), 1), ("behind".to_owned(), 0)]);
}

#[test]
fn requests_share_the_identifiers_of_letters() {
    let mut bench = Bench::online(speaking(V5));
    bench.publish("a", &at(AtLeastOnce));
    bench.subscribe(&[(1, "x")], AtLeastOnce);
    bench.publish("b", &at(AtLeastOnce));
    let sent = bench.sent();
    let Packet::Subscribe(subscribe) = &sent[1] else {
        panic!("{sent:?}")
    };
    assert_eq!(subscribe.packet_id.get(), 2);
    assert_eq!(
        publishes(&sent)
            .into_iter()
            .map(|sent| sent.1)
            .collect::<Vec<_>>(),
        [1, 3]
    );
}

#[test]
fn an_answer_out_of_step_is_a_violation_and_an_unknown_one_is_not() {
    for (qos, wrong) in [
        (AtLeastOnce, Packet::PubRec(ack(1))),
        (AtLeastOnce, Packet::PubComp(ack(1))),
        (ExactlyOnce, Packet::PubAck(ack(1))),
        (ExactlyOnce, Packet::PubComp(ack(1))),
    ] {
        let mut bench = Bench::online(speaking(V5));
        bench.publish("a", &at(qos));
        bench.sent();
        bench.give(Packet::PubAck(ack(77)));
        bench.give(Packet::PubComp(ack(77)));
        assert!(bench.connected);
        bench.give(Packet::PubRec(ack(77)));
        assert_eq!(
            bench.sent(),
            [Packet::PubRel(nack(
                77,
                ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
            ))]
        );
        bench.give(wrong);
        let sent = bench.sent();
        let reason = disconnect_of(&sent).map(|disconnect| disconnect.reason);
        assert_eq!(reason, Some(ReasonCode::PROTOCOL_ERROR));
        assert!(matches!(bench.notices()[..], [Notice::Violation(_)]));
        assert!(!bench.connected);
    }
}

/// A client that sent `count` letters of QoS 2, lost its connection, and whose letters expired before the next one.
fn with_identifiers_out_of_use(count: usize) -> (Bench, bool) {
    let mut bench = Bench::online(ClientOptions {
        max_queued_messages: 100_000,
        clean_start: false,
        ..speaking(V5)
    });
    for _ in 0..count {
        bench.publish("a", &with_ttl(ExactlyOnce, millis(500)));
    }
    assert_eq!(publishes(&bench.sent()).len(), count);
    bench.cut();
    bench.pass(millis(600));
    bench.pass_backoff();
    let began_anew = bench.link_up().clean_start;
    bench.give(connack(!began_anew));
    (bench, began_anew)
}

#[test]
fn identifiers_that_letters_took_along_while_offline_begin_a_fresh_session_when_they_are_many() {
    for (count, begins) in [(1_024, false), (1_025, true), (65_535, true)] {
        let (mut bench, began_anew) = with_identifiers_out_of_use(count);
        assert_eq!(began_anew, begins, "{count}");
        let told = bench
            .notices()
            .iter()
            .any(|notice| matches!(notice, Notice::FreshSession { .. }));
        assert_eq!(told, begins, "{count}");
        bench.publish("next", &at(AtLeastOnce));
        assert_eq!(publishes(&bench.sent()).len(), 1);
    }
}

#[test]
fn an_identifier_that_is_never_answered_is_sent_again_when_it_holds_up_all_others() {
    let mut bench = Bench::online(ClientOptions {
        clean_start: false,
        ..speaking(V5)
    });
    let ignored = bench.publish("ignored", &at(AtLeastOnce));
    assert_eq!(publishes(&bench.sent()).len(), 1);
    for number in 2..=65_535_u16 {
        bench.publish("a", &at(AtLeastOnce));
        assert_eq!(publishes(&bench.sent()).len(), 1);
        bench.give(Packet::PubAck(ack(number)));
    }
    let held_up = bench.publish("held up", &at(AtLeastOnce));
    bench.pass(seconds(59));
    assert_eq!(publishes(&bench.sent()), [], "no identifier is left");
    while bench.connected {
        bench.give(Packet::PingResp);
        bench.pass(seconds(1));
    }
    let [Notice::Violation(error)] = bench.notices()[..] else {
        panic!("{:?}", bench.notices())
    };
    assert!(error.to_string().contains("unanswered"), "{error}");
    bench.pass_backoff();
    bench.accept(true);
    assert_eq!(publishes(&bench.sent()), [("ignored".into(), 1, true)]);
    bench.give(Packet::PubAck(ack(1)));
    assert_eq!(bench.settled(ignored), Some(("acknowledged", false)));
    assert_eq!(publishes(&bench.sent()), [("held up".into(), 1, false)]);
    assert_eq!(bench.settled(held_up), None);
}
