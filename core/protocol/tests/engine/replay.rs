//! After a reconnect: what is sent again, in which order, and what a lost session does to letters in flight.
use leveret_protocol::codec::{Packet, Properties, PropertyId, PropertyValue};
use leveret_protocol::engine::{Input, Notice, Payload};
use leveret_protocol::message::QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};
use leveret_protocol::options::{ClientOptions, OnSessionLost, PublishOptions};

use crate::bench::*;

fn kept(version: leveret_protocol::codec::Version) -> ClientOptions {
    ClientOptions {
        clean_start: false,
        ..speaking(version)
    }
}

#[test]
fn a_resumed_session_gets_everything_again_in_its_order_and_before_anything_new() {
    for version in BOTH {
        let mut bench = Bench::online(kept(version));
        bench.publish("q1", &at(AtLeastOnce));
        bench.publish("released", &at(ExactlyOnce));
        bench.publish("q2", &at(ExactlyOnce));
        bench.publish("done", &at(AtLeastOnce));
        bench.give(Packet::PubRec(ack(2)));
        bench.give(Packet::PubAck(ack(4)));
        bench.cut();
        bench.publish("new", &at(AtLeastOnce));
        bench.pass_backoff();
        let connect = bench.link_up();
        assert!(!connect.clean_start);
        assert_eq!(
            bench.sent(),
            [],
            "nothing before CONNACK says that the session is there"
        );
        bench.give(connack(true));
        let sent = bench.sent();
        assert_eq!(sent[1], Packet::PubRel(ack(2)));
        let expected = [("q1", 1, true), ("q2", 3, true), ("new", 5, false)];
        assert_eq!(
            publishes(&sent),
            expected.map(|(topic, number, dup)| (topic.into(), number, dup))
        );
        assert_eq!(sent.len(), 4);
    }
}

#[test]
fn nothing_is_sent_again_while_the_connection_lasts() {
    for version in BOTH {
        let mut bench = Bench::online(ClientOptions {
            keep_alive: seconds(0),
            ..kept(version)
        });
        bench.publish("a", &at(AtLeastOnce));
        bench.publish("b", &at(ExactlyOnce));
        bench.sent();
        bench.pass(seconds(3_000));
        assert_eq!(bench.sent(), []);
    }
}

#[test]
fn a_replay_stays_within_a_smaller_receive_maximum() {
    let mut bench = Bench::online(speaking(V5));
    for topic in ["a", "b", "c"] {
        bench.publish(topic, &at(AtLeastOnce));
    }
    bench.lose_connection();
    let mut properties = Properties::new();
    properties
        .set(PropertyId::ReceiveMaximum, PropertyValue::Number(1))
        .unwrap();
    bench.accept_with(true, properties);
    bench.publish("new", &at(AtMostOnce));
    for (number, topic) in [(1, "a"), (2, "b"), (3, "c")] {
        let sent = publishes(&bench.sent());
        assert_eq!(sent[0], (topic.into(), number, true));
        assert_eq!(
            sent.len() > 1,
            number == 3,
            "new letters wait for the old ones"
        );
        bench.give(Packet::PubAck(ack(number)));
    }
}

#[test]
fn what_a_broker_takes_no_more_is_not_sent_again_and_says_that_it_may_have_arrived() {
    for session_present in [true, false] {
        for (property, value, retain) in [
            (PropertyId::MaximumQoS, 0, false),
            (PropertyId::RetainAvailable, 0, true),
            (PropertyId::MaximumPacketSize, 20, false),
        ] {
            let mut bench = Bench::online(speaking(V5));
            let options = PublishOptions {
                retain,
                ..at(AtLeastOnce)
            };
            let old = bench.publish_payload("old", Payload::from(&[7; 30][..]), &options);
            bench.lose_connection();
            let mut properties = Properties::new();
            properties
                .set(property, PropertyValue::Number(value))
                .unwrap();
            bench.accept_with(session_present, properties);
            assert_eq!(bench.settled(old), Some(("rejected", true)), "{property:?}");
            let new = bench.publish("new", &at(AtMostOnce));
            let sent = bench.sent();
            assert_eq!(publishes(&sent), [("new".into(), 0, false)]);
            assert_eq!(bench.settled(new), Some(("sent", true)));
        }
    }
}

#[test]
fn a_replay_that_the_socket_does_not_take_goes_on_where_it_stopped() {
    let mut bench = Bench::online(speaking(V5));
    let tags: Vec<_> = (0..5)
        .map(|_| bench.publish("a", &at(AtLeastOnce)))
        .collect();
    bench.lose_connection();
    bench.link_up();
    bench.takes = 3;
    bench.give(connack(true));
    for _ in 0..40 {
        bench.takes = 3;
        bench.handle(Input::Writable);
    }
    let numbers: Vec<_> = publishes(&bench.sent())
        .into_iter()
        .map(|sent| (sent.1, sent.2))
        .collect();
    assert_eq!(
        numbers,
        [(1, true), (2, true), (3, true), (4, true), (5, true)]
    );
    for (number, tag) in (1..).zip(tags) {
        bench.give(Packet::PubAck(ack(number)));
        assert_eq!(bench.settled(tag), Some(("acknowledged", false)));
    }
}

/// Two letters in flight and one past PUBREC, when the broker loses the session.
fn after_losing_the_session(rule: OnSessionLost, qos: QoS) -> (Bench, u64, u64) {
    let mut bench = Bench::online(ClientOptions {
        on_session_lost: rule,
        ..kept(V5)
    });
    let in_flight = bench.publish("a", &at(qos));
    let received = bench.publish("b", &at(ExactlyOnce));
    bench.give(Packet::PubRec(ack(2)));
    bench.cut();
    bench.publish("new", &at(AtMostOnce));
    bench.pass_backoff();
    bench.accept(false);
    (bench, in_flight, received)
}

#[test]
fn a_lost_session_posts_qos_1_again_and_reports_qos_2() {
    let (mut bench, in_flight, received) =
        after_losing_the_session(OnSessionLost::RepublishQos1, AtLeastOnce);
    let again = [("a".into(), 1, false), ("new".into(), 0, false)];
    assert_eq!(publishes(&bench.sent()), again, "as new, and first");
    assert_eq!(bench.settled(in_flight), None);
    assert_eq!(bench.settled(received), Some(("session_lost", true)));

    let (mut bench, in_flight, _) =
        after_losing_the_session(OnSessionLost::RepublishQos1, ExactlyOnce);
    assert_eq!(publishes(&bench.sent()).len(), 1);
    assert_eq!(bench.settled(in_flight), Some(("session_lost", true)));
}

#[test]
fn republish_all_posts_qos_2_again_but_never_after_pubrec() {
    let (mut bench, in_flight, received) =
        after_losing_the_session(OnSessionLost::RepublishAll, ExactlyOnce);
    assert_eq!(publishes(&bench.sent())[0], ("a".into(), 1, false));
    assert_eq!(bench.settled(in_flight), None);
    assert_eq!(bench.settled(received), Some(("session_lost", true)));
}

#[test]
fn report_all_posts_nothing_again() {
    let (mut bench, in_flight, received) =
        after_losing_the_session(OnSessionLost::ReportAll, AtLeastOnce);
    assert_eq!(publishes(&bench.sent()).len(), 1);
    assert_eq!(bench.settled(in_flight), Some(("session_lost", true)));
    assert_eq!(bench.settled(received), Some(("session_lost", true)));
}

#[test]
fn letters_posted_again_keep_their_order_through_several_losses() {
    let mut bench = Bench::online(speaking(V311));
    for topic in ["a", "b", "c"] {
        bench.publish(topic, &at(AtLeastOnce));
    }
    for _ in 0..3 {
        bench.lose_connection();
        assert!(
            bench.accept(false).clean_start,
            "3.1.1: Clean Session at every connect"
        );
        let expected = [("a", 1, false), ("b", 2, false), ("c", 3, false)];
        assert_eq!(
            publishes(&bench.sent()),
            expected.map(|(topic, number, dup)| (topic.into(), number, dup))
        );
    }
}

#[test]
fn a_letter_posted_again_may_have_arrived_and_says_so_when_it_expires() {
    let mut bench = Bench::online(ClientOptions {
        max_in_flight: 1,
        ..speaking(V311)
    });
    bench.publish("a", &at(AtLeastOnce));
    bench.sent();
    bench.give(Packet::PubAck(ack(1)));
    let letter = bench.publish("b", &with_ttl(AtLeastOnce, seconds(100)));
    bench.lose_connection();
    bench.link_up();
    bench.takes = 0;
    bench.give(connack(false));
    bench.pass(seconds(100));
    assert_eq!(bench.settled(letter), Some(("expired", true)));
}

#[test]
fn a_session_is_resumed_within_the_life_of_the_client_where_the_protocol_allows_it() {
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    let first = bench.accept(false);
    assert!(first.clean_start);
    assert_eq!(first.properties.session_expiry_interval(), Some(3_600));
    bench.lose_connection();
    assert!(!bench.accept(true).clean_start);

    let mut bench = Bench::online(ClientOptions {
        session_expiry: seconds(0),
        ..speaking(V5)
    });
    bench.lose_connection();
    assert!(
        bench.accept(false).clean_start,
        "there is no session to resume"
    );
}

#[test]
fn a_session_that_the_broker_does_not_keep_is_not_resumed() {
    let mut properties = Properties::new();
    properties
        .set(PropertyId::SessionExpiryInterval, PropertyValue::Number(0))
        .unwrap();
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    bench.accept_with(false, properties);
    bench.lose_connection();
    assert!(bench.accept(false).clean_start);
}

#[test]
fn an_adopted_session_clears_an_identifier_before_its_first_use_at_qos_2() {
    for version in BOTH {
        let mut bench = Bench::new(kept(version));
        bench.handle(Input::Start);
        bench.publish("first", &at(ExactlyOnce));
        bench.publish("second", &at(AtLeastOnce));
        bench.accept(true);
        let sent = bench.sent();
        assert_eq!(
            publishes(&sent),
            [],
            "they wait for the clearing, in their order"
        );
        let cleared: Vec<u16> = sent
            .iter()
            .map(|packet| match packet {
                Packet::PubRel(ack) => ack.packet_id.get(),
                other => panic!("{other:?}"),
            })
            .collect();
        bench.give(Packet::PubComp(ack(cleared[0])));
        let sent = publishes(&bench.sent());
        assert_eq!(sent[0], ("first".into(), cleared[0], false));
        assert_eq!(
            sent[1],
            ("second".into(), cleared[1], false),
            "QoS 1 needs no clearing"
        );
    }
}

#[test]
fn a_broker_without_a_kept_session_is_not_asked_to_clear_anything() {
    let mut bench = Bench::new(kept(V5));
    bench.handle(Input::Start);
    bench.publish("a", &at(ExactlyOnce));
    bench.accept(false);
    assert_eq!(publishes(&bench.sent()), [("a".into(), 1, false)]);
}

#[test]
fn the_receive_maximum_holds_back_no_pubrel() {
    let mut bench = Bench::online(kept(V5));
    bench.publish("one", &at(AtLeastOnce));
    bench.publish("two", &at(AtLeastOnce));
    let third = bench.publish("three", &at(ExactlyOnce));
    bench.give(Packet::PubRec(ack(3)));
    bench.sent();
    bench.lose_connection();
    let mut narrower = Properties::new();
    narrower
        .set(PropertyId::ReceiveMaximum, PropertyValue::Number(1))
        .unwrap();
    bench.accept_with(true, narrower);
    let sent = bench.sent();
    assert_eq!(publishes(&sent), [("one".into(), 1, true)]);
    assert_eq!(sent[1..], [Packet::PubRel(ack(3))]);
    // Once, and the window goes on as if it had been sent in its turn.
    bench.give(Packet::PubComp(ack(3)));
    assert_eq!(bench.settled(third), Some(("acknowledged", false)));
    bench.give(Packet::PubAck(ack(1)));
    assert_eq!(publishes(&bench.sent()), [("two".into(), 2, true)]);
    bench.give(Packet::PubAck(ack(2)));
    bench.publish("four", &at(AtLeastOnce));
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn a_broker_that_leaves_the_clearing_of_identifiers_unanswered_is_reported_and_asked_again() {
    for version in BOTH {
        let mut bench = Bench::new(kept(version));
        bench.handle(Input::Start);
        bench.accept(true);
        bench.publish("two", &at(ExactlyOnce));
        assert_eq!(bench.sent().len(), 64, "PUBREL");
        for _ in 0..2 {
            assert!(bench.connected);
            bench.pass(seconds(30));
            bench.give(Packet::PingResp);
        }
        let [Notice::Violation(error)] = bench.notices()[..] else {
            panic!("{:?}", bench.notices())
        };
        assert!(error.to_string().contains("PUBREL"), "{error}");
        bench.pass_backoff();
        bench.accept(true);
        let sent = bench.sent();
        assert_eq!(sent.len(), 64);
        for packet in sent {
            let Packet::PubRel(release) = packet else {
                panic!("{packet:?}")
            };
            bench.give(Packet::PubComp(release));
        }
        let sent = publishes(&bench.sent());
        assert_eq!((sent.len(), sent[0].0.as_str()), (1, "two"));
        bench.pass(seconds(60));
        assert_eq!(bench.notices().len(), 1);
    }
}
