//! What becomes of a letter: each outcome, and the way to it.
use bytes::{Bytes, BytesMut};
use leveret_protocol::codec::{Packet, Properties, PropertyId, PropertyValue};
use leveret_protocol::engine::{Awaiting, Command, Explanation, Payload, Place, Reply, WaitingFor};
use leveret_protocol::message::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use leveret_protocol::options::{ClientOptions, PropertiesOn311, PublishOptions};
use leveret_protocol::reason::ReasonCode;

use crate::bench::*;

#[test]
fn a_letter_of_qos_0_is_sent_when_its_last_byte_is_taken() {
    for version in BOTH {
        let mut bench = Bench::online(speaking(version));
        let tag = bench.publish("a", &at(AtMostOnce));
        assert_eq!(bench.settled(tag), Some(("sent", true)));
        assert_eq!(publishes(&bench.sent()), [("a".into(), 0, false)]);
        assert_eq!(bench.budget.used().messages, 0);
    }
}

#[test]
fn a_letter_of_qos_1_is_acknowledged_by_puback() {
    for version in BOTH {
        let mut bench = Bench::online(speaking(version));
        let tag = bench.publish("a", &at(AtLeastOnce));
        assert_eq!(publishes(&bench.sent()), [("a".into(), 1, false)]);
        assert_eq!(bench.settled(tag), None);
        bench.give(Packet::PubAck(ack(1)));
        assert_eq!(bench.settled(tag), Some(("acknowledged", false)));
        let reason = bench.outcome(tag).and_then(|outcome| outcome.reason);
        assert_eq!(reason, Some(ReasonCode::SUCCESS));
        assert_eq!(bench.budget.used().bytes, 0);
    }
}

#[test]
fn a_letter_of_qos_2_is_acknowledged_by_pubcomp() {
    for version in BOTH {
        let mut bench = Bench::online(speaking(version));
        let tag = bench.publish("a", &at(ExactlyOnce));
        bench.sent();
        bench.give(Packet::PubRec(ack(1)));
        assert_eq!(bench.sent(), [Packet::PubRel(ack(1))]);
        assert_eq!(bench.settled(tag), None);
        bench.give(Packet::PubComp(ack(1)));
        assert_eq!(bench.settled(tag), Some(("acknowledged", false)));
    }
}

#[test]
fn what_the_broker_refuses_is_rejected_with_its_words() {
    let mut bench = Bench::online(speaking(V5));
    let once = bench.publish("a", &at(AtLeastOnce));
    let exactly_once = bench.publish("b", &at(ExactlyOnce));
    let mut refusal = nack(1, ReasonCode::NOT_AUTHORIZED);
    let words = PropertyValue::Text("not here");
    refusal
        .properties
        .set(PropertyId::ReasonString, words)
        .unwrap();
    bench.give(Packet::PubAck(refusal));
    bench.give(Packet::PubRec(nack(2, ReasonCode::QUOTA_EXCEEDED)));
    for (tag, reason, words) in [
        (once, ReasonCode::NOT_AUTHORIZED, Some("not here")),
        (exactly_once, ReasonCode::QUOTA_EXCEEDED, None),
    ] {
        let outcome = bench.outcome(tag).expect("settled");
        assert_eq!(bench.settled(tag), Some(("rejected", false)));
        assert_eq!(
            (outcome.reason, outcome.reason_string()),
            (Some(reason), words)
        );
    }
    bench.sent();
    bench.cut();
    bench.pass_backoff();
    bench.accept(true);
    assert_eq!(
        publishes(&bench.sent()),
        [],
        "a refused letter is not sent again"
    );
}

#[test]
fn what_the_broker_cannot_take_is_rejected_unsent() {
    let mut properties = Properties::new();
    for (id, value) in [
        (PropertyId::MaximumPacketSize, 100),
        (PropertyId::MaximumQoS, 1),
        (PropertyId::RetainAvailable, 0),
    ] {
        properties.set(id, PropertyValue::Number(value)).unwrap();
    }
    let mut bench = Bench::new(speaking(V5));
    bench.handle(leveret_protocol::engine::Input::Start);
    bench.accept_with(false, properties);
    let long = "x".repeat(90);
    // Fixed header 2, topic 2 + 1, packet identifier 2, property length 1: 8 bytes around the payload.
    let fits = bench.publish_payload("a", Payload::from(&long[..92 - 8 + 6]), &at(AtLeastOnce));
    let large = bench.publish_payload("a", Payload::from(&*"x".repeat(93)), &at(AtLeastOnce));
    let qos_2 = bench.publish("a", &at(ExactlyOnce));
    let retained = bench.publish(
        "a",
        &PublishOptions {
            retain: true,
            ..at(AtMostOnce)
        },
    );
    assert_eq!(publishes(&bench.sent()).len(), 1);
    assert_eq!(bench.settled(fits), None);
    for (tag, reason) in [
        (large, ReasonCode::PACKET_TOO_LARGE),
        (qos_2, ReasonCode::QOS_NOT_SUPPORTED),
        (retained, ReasonCode::RETAIN_NOT_SUPPORTED),
    ] {
        assert_eq!(bench.settled(tag), Some(("rejected", false)));
        assert_eq!(
            bench.outcome(tag).and_then(|outcome| outcome.reason),
            Some(reason)
        );
    }
}

#[test]
fn properties_on_a_connection_without_them_are_rejected_or_dropped() {
    let letter = PublishOptions {
        content_type: Some("text".into()),
        ..at(AtMostOnce)
    };
    for (rule, outcome, sent) in [
        (PropertiesOn311::Reject, ("rejected", false), 0),
        (PropertiesOn311::Drop, ("sent", true), 1),
    ] {
        let options = ClientOptions {
            properties_on_311: rule,
            ..speaking(V311)
        };
        let mut bench = Bench::online(options);
        let tag = bench.publish("a", &letter);
        assert_eq!(bench.settled(tag), Some(outcome));
        assert_eq!(publishes(&bench.sent()).len(), sent);
    }
}

#[test]
fn properties_and_large_payloads_arrive_as_they_were_given() {
    let mut bench = Bench::online(speaking(V5));
    let letter = PublishOptions {
        content_type: Some("text".into()),
        response_topic: Some("answer".into()),
        correlation_data: Some(Bytes::from_static(b"\x00\x01")),
        payload_format: Some(1),
        message_expiry: Some(seconds(7)),
        user_properties: vec![("a".into(), "1".into()), ("a".into(), "2".into())],
        retain: true,
        ..at(AtLeastOnce)
    };
    for length in [0, 1, 4_095, 4_096, 70_000] {
        let payload = vec![7; length];
        bench.publish_payload("t/1", Payload::from(&payload[..]), &letter);
        let packets = bench.sent();
        let [Packet::Publish(publish)] = &packets[..] else {
            panic!("{packets:?}")
        };
        let message = &publish.message;
        assert_eq!((message.topic(), message.payload()), ("t/1", &payload[..]));
        assert!(message.retain && !message.dup);
        let properties = &message.properties;
        assert_eq!(properties.content_type(), Some("text"));
        assert_eq!(properties.response_topic(), Some("answer"));
        assert_eq!(properties.correlation_data(), Some(&b"\x00\x01"[..]));
        assert_eq!(properties.payload_format_indicator(), Some(1));
        assert_eq!(properties.message_expiry_interval(), Some(7));
        assert_eq!(
            properties.user_properties().collect::<Vec<_>>(),
            [("a", "1"), ("a", "2")]
        );
    }
}

#[test]
fn a_cancelled_letter_is_taken_back_wherever_it_is() {
    let mut bench = Bench::online(ClientOptions {
        max_in_flight: 1,
        ..speaking(V5)
    });
    let in_flight = bench.publish("a", &at(AtLeastOnce));
    let waiting = bench.publish("b", &at(AtLeastOnce));
    let next = bench.publish("c", &at(AtLeastOnce));
    for (tag, alive) in [
        (waiting, true),
        (in_flight, true),
        (in_flight, false),
        (99, false),
    ] {
        let (_, reply) = bench.ask(|reply| Command::Cancel { tag, reply });
        assert_eq!(reply, Some(Ok(Reply::Cancelled(alive))), "{tag}");
    }
    assert_eq!(bench.settled(waiting), Some(("cancelled", false)));
    assert_eq!(bench.settled(in_flight), Some(("cancelled", true)));
    assert_eq!(
        publishes(&bench.sent()),
        [("a".into(), 1, false)],
        "its quota stays taken"
    );
    bench.give(Packet::PubAck(ack(1)));
    assert_eq!(publishes(&bench.sent()), [("c".into(), 2, false)]);
    bench.give(Packet::PubAck(ack(2)));
    assert_eq!(bench.settled(next), Some(("acknowledged", false)));
}

#[test]
fn after_pubrec_a_letter_can_no_longer_be_cancelled() {
    let mut bench = Bench::online(speaking(V5));
    let tag = bench.publish("a", &at(ExactlyOnce));
    bench.give(Packet::PubRec(ack(1)));
    let (_, reply) = bench.ask(|reply| Command::Cancel { tag, reply });
    assert_eq!(reply, Some(Ok(Reply::Cancelled(false))));
    bench.give(Packet::PubComp(ack(1)));
    assert_eq!(bench.settled(tag), Some(("acknowledged", false)));
}

fn explanation(bench: &mut Bench, tag: u64) -> Option<Explanation> {
    match bench.ask(|reply| Command::Explain { tag, reply }).1 {
        Some(Ok(Reply::Explained(explanation))) => explanation.map(|explanation| *explanation),
        other => panic!("{other:?}"),
    }
}

fn place(bench: &mut Bench, tag: u64) -> Place {
    explanation(bench, tag).expect("not settled").place
}

#[test]
fn explain_says_where_a_letter_is_at_each_place() {
    let mut bench = Bench::new(ClientOptions {
        max_in_flight: 1,
        ..speaking(V5)
    });
    bench.handle(leveret_protocol::engine::Input::Start);
    let first = bench.publish("a", &with_ttl(ExactlyOnce, seconds(60)));
    let second = bench.publish("b", &at(AtLeastOnce));
    let third = bench.publish("c", &at(AtLeastOnce));
    assert_eq!(
        place(&mut bench, first),
        Place::Waiting(WaitingFor::Connection)
    );
    bench.pass(seconds(2));
    bench.accept(false);
    let in_flight = |awaiting| Place::InFlight {
        packet_id: 1,
        awaiting,
    };
    assert_eq!(place(&mut bench, first), in_flight(Awaiting::PubRec));
    assert_eq!(
        place(&mut bench, second),
        Place::Waiting(WaitingFor::Window)
    );
    assert_eq!(place(&mut bench, third), Place::Waiting(WaitingFor::Turn));
    let told = explanation(&mut bench, first).expect("not settled");
    assert_eq!((told.age, told.ttl_left), (seconds(2), Some(seconds(58))));
    assert_eq!(told.attempts, 1);
    bench.give(Packet::PubRec(ack(1)));
    assert_eq!(place(&mut bench, first), in_flight(Awaiting::PubComp));
    bench.takes = 0;
    bench.give(Packet::PubComp(ack(1)));
    assert_eq!(explanation(&mut bench, first), None);
    assert_eq!(
        place(&mut bench, second),
        Place::Waiting(WaitingFor::Socket)
    );
}

#[test]
fn explain_speaks_in_a_sentence() {
    let mut bench = Bench::online(speaking(V5));
    let tag = bench.publish("a", &with_ttl(AtLeastOnce, seconds(60)));
    bench.pass(seconds(1));
    let words = explanation(&mut bench, tag)
        .expect("not settled")
        .to_string();
    assert_eq!(
        words,
        "sent as packet 1, waiting for PUBACK; posted 1s ago, attempt 1, expires in 59s"
    );
}

#[test]
fn a_ttl_given_with_the_publish_becomes_the_message_expiry_less_the_time_waited() {
    let expiry = |bench: &mut Bench| -> Vec<Option<u32>> {
        let packets = bench.sent();
        let publishes = packets.iter().filter_map(|packet| match packet {
            Packet::Publish(publish) => Some(publish.message.properties.message_expiry_interval()),
            _ => None,
        });
        publishes.collect()
    };
    let mut bench = Bench::new(speaking(V5));
    bench.handle(leveret_protocol::engine::Input::Start);
    let own = |ttl, message_expiry| PublishOptions {
        message_expiry,
        ..with_ttl(AtLeastOnce, ttl)
    };
    bench.publish("a", &own(seconds(60), None));
    bench.publish("a", &own(seconds(60), Some(seconds(100))));
    bench.publish("a", &own(seconds(60), Some(seconds(5))));
    bench.publish("a", &at(AtLeastOnce));
    bench.pass(millis(2_500));
    bench.accept(false);
    assert_eq!(expiry(&mut bench), [Some(58), Some(58), Some(5), None]);
    bench.lose_connection();
    bench.pass(seconds(3));
    bench.accept(true);
    let again = expiry(&mut bench);
    assert!(
        again[0] < Some(56) && again[2..] == [Some(5), None],
        "{again:?}"
    );

    let mut bench = Bench::online(ClientOptions {
        forward_ttl: false,
        ..speaking(V5)
    });
    bench.publish("a", &own(seconds(60), None));
    assert_eq!(expiry(&mut bench), [None]);
}

#[test]
fn the_same_seed_and_inputs_give_the_same_bytes() {
    let run = || {
        let mut bench = Bench::new(ClientOptions {
            client_id: String::new(),
            ..speaking(V5)
        });
        bench.handle(leveret_protocol::engine::Input::Start);
        bench.publish("a", &at(AtLeastOnce));
        bench.accept(false);
        let mut trace = BytesMut::from(&bench.written[..]);
        bench.lose_connection();
        bench.accept(true);
        trace.extend_from_slice(&bench.written);
        (trace, bench.now)
    };
    assert_eq!(run(), run());
}
