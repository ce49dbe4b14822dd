//! Brokers that break the rules: packets too large, in the wrong place, malformed.
use bytes::Bytes;
use leveret_protocol::codec::{
    Auth, Packet, Properties, PropertyId, PropertyValue, Publish, Version,
};
use leveret_protocol::engine::{AckToken, Command, Hooks, Input, Notice, State};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::message::Message;
use leveret_protocol::message::QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};
use leveret_protocol::options::ClientOptions;
use leveret_protocol::reason::ReasonCode;

use crate::bench::*;

fn of_size(topic: &str, qos: QoS, number: u16, size: usize) -> Packet {
    let message = Message {
        topic: topic.into(),
        qos,
        payload: Bytes::from(vec![0; size]),
        ..Message::default()
    };
    Packet::Publish(Publish {
        packet_id: (qos != AtMostOnce).then(|| id(number)),
        message,
    })
}

fn small(version: Version) -> ClientOptions {
    ClientOptions {
        max_packet_size: 1_024,
        ..speaking(version)
    }
}

/// What the engine told the broker when it left.
fn reason_told(bench: &mut Bench) -> Option<ReasonCode> {
    let sent = bench.sent();
    disconnect_of(&sent).map(|disconnect| disconnect.reason)
}

#[test]
fn a_packet_above_the_announced_size_ends_the_connection_on_mqtt_5() {
    let mut bench = Bench::online(small(V5));
    bench.give(of_size("a", AtMostOnce, 0, 2_000));
    assert_eq!(reason_told(&mut bench), Some(ReasonCode::PACKET_TOO_LARGE));
    assert_eq!(
        (bench.messages().len(), bench.engine.state()),
        (0, State::Backoff)
    );
}

#[test]
fn a_packet_above_the_size_is_skipped_acknowledged_and_reported_on_3_1_1() {
    let mut bench = Bench::online(small(V311));
    for (qos, answer) in [
        (AtMostOnce, vec![]),
        (AtLeastOnce, vec![Packet::PubAck(ack(4))]),
        (ExactlyOnce, vec![Packet::PubRec(ack(4))]),
    ] {
        bench.events.clear();
        // In pieces, so that the packet is never whole in the buffer.
        let mut bytes = bytes::BytesMut::new();
        of_size("a", qos, 4, 5_000)
            .encode(V311, u32::MAX, &mut bytes)
            .unwrap();
        let length = bytes.len() as u64;
        for piece in bytes.chunks(700) {
            bench.give_bytes(piece);
        }
        assert_eq!(bench.sent(), answer);
        assert_eq!(bench.notices(), [&Notice::OversizeSkipped { length }]);
        bench.give_message("next", AtMostOnce, 0, false);
        assert_eq!(bench.messages().len(), 1, "the stream goes on behind it");
    }
    assert_eq!(bench.engine.stats(bench.now).oversize, 3);
    assert!(bench.connected);
}

#[test]
fn a_packet_above_the_size_that_comes_before_connack_is_a_fault_and_not_acknowledged_later() {
    let mut bench = Bench::new(small(V311));
    bench.handle(Input::Start);
    bench.link_up();
    bench.give(of_size("a", AtLeastOnce, 4, 5_000));
    assert!(!bench.connected);
    assert_eq!(bench.engine.stats(bench.now).oversize, 0);
    bench.pass_backoff();
    bench.accept(true);
    let acknowledged = |packet: &Packet| matches!(packet, Packet::PubAck(_));
    assert!(!bench.sent().iter().any(acknowledged));
}

fn last_token(bench: &Bench) -> AckToken {
    bench
        .messages()
        .last()
        .and_then(|incoming| incoming.token)
        .unwrap()
}

fn handle(bench: &mut Bench, token: AckToken) {
    bench.command(Command::Acknowledge {
        token,
        reason: ReasonCode::SUCCESS,
        words: None,
    });
}

#[test]
fn on_3_1_1_packets_above_the_size_count_among_those_that_wait_to_be_acknowledged() {
    let mut bench = Bench::online(small(V311));
    bench.give_message("held", AtLeastOnce, 1, false);
    for _ in 0..65_534 {
        bench.give(of_size("a", AtLeastOnce, 4, 2_000));
    }
    assert!(bench.connected, "as many as there are identifiers");
    bench.give(of_size("a", AtLeastOnce, 4, 2_000));
    assert!(!bench.connected);
}

#[test]
fn on_3_1_1_packets_above_the_size_are_acknowledged_behind_a_message_that_is_held() {
    let mut bench = Bench::online(small(V311));
    bench.give_message("held", AtLeastOnce, 1, false);
    let token = last_token(&bench);
    for _ in 0..65_534 {
        bench.give(of_size("a", AtLeastOnce, 4, 2_000));
    }
    assert!(bench.connected);
    assert_eq!(bench.sent(), []);
    handle(&mut bench, token);
    let sent = bench.sent();
    assert_eq!(sent.first(), Some(&Packet::PubAck(ack(1))));
    let behind = &sent[1..];
    assert_eq!(behind.len(), 65_534);
    assert!(
        behind
            .iter()
            .all(|packet| *packet == Packet::PubAck(ack(4)))
    );
    bench.give_message("next", AtLeastOnce, 2, false);
    let next = last_token(&bench);
    handle(&mut bench, next);
    assert_eq!(bench.sent(), [Packet::PubAck(ack(2))]);
}

#[test]
fn a_malformed_packet_ends_the_connection_and_is_reported_with_its_rule() {
    let mut bench = Bench::online(speaking(V5));
    bench.give_bytes(&[0x36, 5, 0, 1, b'a', 0, 1]); // QoS 3
    assert_eq!(reason_told(&mut bench), Some(ReasonCode::MALFORMED_PACKET));
    let [Notice::Violation(error)] = bench.notices()[..] else {
        panic!("{:?}", bench.notices())
    };
    assert_eq!(error.kind, ErrorKind::ProtocolViolation);
    assert!(error.to_string().contains("MQTT-3.3.1-4"), "{error}");
    bench.pass_backoff();
    bench.accept(true);
    assert!(bench.connected, "and is tried again");
}

#[test]
fn on_3_1_1_a_violation_closes_without_a_word() {
    let mut bench = Bench::online(speaking(V311));
    bench.give_bytes(&[0x36, 5, 0, 1, b'a', 0, 1]);
    assert_eq!(
        (bench.sent(), bench.hang_ups.as_slice()),
        (vec![], &[false][..])
    );
}

#[test]
fn what_comes_behind_a_violation_is_not_read() {
    let mut bench = Bench::online(speaking(V5));
    bench.give_bytes(&[0x36, 5, 0, 1, b'a', 0, 1, 0x30, 4, 0, 1, b'a', 0]);
    assert_eq!(bench.messages().len(), 0);
}

#[test]
fn packets_in_the_wrong_place_are_protocol_errors() {
    let auth = Auth {
        reason: ReasonCode::CONTINUE_AUTHENTICATION,
        properties: {
            let mut properties = Properties::new();
            properties
                .set(PropertyId::AuthenticationMethod, PropertyValue::Text("m"))
                .unwrap();
            properties
        },
    };
    for packet in [connack(false), Packet::Auth(auth.clone())] {
        let mut bench = Bench::online(speaking(V5));
        bench.give(packet);
        assert_eq!(reason_told(&mut bench), Some(ReasonCode::PROTOCOL_ERROR));
    }
    for packet in [Packet::PingResp, Packet::Auth(auth)] {
        let mut bench = Bench::new(speaking(V5));
        bench.handle(Input::Start);
        bench.link_up();
        bench.give(packet);
        assert!(!bench.connected);
        assert!(matches!(bench.notices()[..], [Notice::Violation(_)]));
    }
}

#[test]
fn a_session_that_was_not_asked_for_is_a_violation() {
    for version in BOTH {
        let mut bench = Bench::new(speaking(version));
        bench.handle(Input::Start);
        assert!(bench.accept(true).clean_start);
        assert!(
            matches!(bench.notices()[..], [Notice::Violation(_)]),
            "{:?}",
            bench.events
        );
        assert!(!bench.connected);
    }
}

#[test]
fn a_topic_alias_is_a_violation_where_none_was_allowed() {
    let mut bench = Bench::online(ClientOptions {
        topic_alias_maximum: 0,
        ..speaking(V5)
    });
    let mut properties = Properties::new();
    properties
        .set(PropertyId::TopicAlias, PropertyValue::Number(1))
        .unwrap();
    let message = Message {
        topic: "a".into(),
        properties,
        ..Message::default()
    };
    bench.give(Packet::Publish(Publish {
        packet_id: None,
        message,
    }));
    assert_eq!(
        reason_told(&mut bench),
        Some(ReasonCode::TOPIC_ALIAS_INVALID)
    );
}

#[test]
fn a_broker_that_reads_no_answers_and_asks_for_more_than_a_mebibyte_is_left() {
    let mut bench = Bench::online(speaking(V5));
    bench.publish("a", &at(ExactlyOnce));
    bench.sent();
    bench.takes = 0;
    bench.publish("b", &at(AtMostOnce)); // the socket stalls
    // Each PUBREC is answered with a PUBREL of four bytes.
    let pubrec = [0x50, 2, 0, 1];
    bench.give_bytes(&pubrec.repeat((1 << 20) / 4));
    assert!(bench.connected && bench.notices().is_empty(), "1 MiB waits");
    bench.give_bytes(&pubrec);
    // What reads nothing cannot be told with a DISCONNECT.
    assert_quota_exceeded(&bench, "the broker reads no answers and asks for more");
}

#[test]
fn a_packet_has_at_most_a_thousand_properties() {
    for (count, taken) in [(1_000, true), (1_001, false)] {
        let mut bench = Bench::online(speaking(V5));
        // Each is the user property "": "".
        let properties = [0x26, 0, 0, 0, 0].repeat(count);
        let length = |length: usize| [(length & 0x7F) as u8 | 0x80, (length >> 7) as u8];
        let topic = [0, 1, b'a'];
        let body = [&topic[..], &length(properties.len()), &properties].concat();
        bench.give_bytes(&[&[0x30], &length(body.len())[..], &body].concat());
        assert_eq!(bench.messages().len(), usize::from(taken));
        assert_eq!(bench.connected, taken);
        if !taken {
            assert_quota_exceeded(&bench, "more than the limit");
            assert_eq!(reason_told(&mut bench), Some(ReasonCode::QUOTA_EXCEEDED));
        }
    }
}

#[test]
fn answers_wait_for_hooks_once_for_each_identifier_in_each_direction() {
    let mut bench = Bench::online(speaking(V5));
    bench.command(Command::Hooks(Hooks {
        answered: Hooks::ANSWERABLE,
        ..Hooks::default()
    }));
    let pubrel = [0x62, 2, 0, 9];
    bench.give_bytes(&pubrel.repeat(131_070));
    assert!(bench.connected && bench.notices().is_empty());
    bench.give_bytes(&pubrel);
    assert_quota_exceeded(&bench, "more answers than there are packet identifiers");
    assert_eq!(reason_told(&mut bench), Some(ReasonCode::QUOTA_EXCEEDED));
}

/// The connection was given up with 0x97, and the application is told in these words.
fn assert_quota_exceeded(bench: &Bench, words: &str) {
    assert!(!bench.connected);
    let [Notice::Violation(error)] = bench.notices()[..] else {
        panic!("{:?}", bench.notices())
    };
    assert_eq!(error.reason, Some(ReasonCode::QUOTA_EXCEEDED));
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn input_that_means_nothing_does_no_harm() {
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Written(1_000));
    bench.handle(Input::Writable);
    bench.give_bytes(&[1, 2, 3]);
    bench.handle(Input::LinkUp { attempt: 7 });
    bench.handle(Input::Start);
    bench.handle(Input::Start);
    bench.accept(false);
    bench.handle(Input::Written(usize::MAX));
    bench.now = leveret_protocol::time::Instant(0);
    bench.handle(Input::Tick);
    assert!(bench.connected);
    assert_eq!(bench.attempt, 1);
}

#[test]
fn acknowledgements_for_a_broker_that_does_not_read_are_bounded() {
    let mut bench = Bench::online(speaking(V5));
    bench.takes = 0;
    for round in 0..300_000_u32 {
        bench.give_message("a", AtLeastOnce, (round % 60_000 + 1) as u16, false);
        if !bench.connected || bench.engine.state() != State::Online {
            return;
        }
        let token = last_token(&bench);
        bench.events.clear();
        handle(&mut bench, token);
    }
    panic!("1.2 MB of answers wait, and more would");
}

#[test]
fn a_pubrel_that_comes_too_early_makes_no_room_for_another_message() {
    let mut bench = Bench::online(ClientOptions {
        receive_maximum: 2,
        ..speaking(V5)
    });
    for _ in 0..2 {
        bench.give_message("a", ExactlyOnce, 1, false);
        bench.give(Packet::PubRel(ack(1)));
    }
    assert_eq!(bench.engine.state(), State::Online);
    bench.give_message("a", ExactlyOnce, 1, false);
    let reason = ReasonCode::RECEIVE_MAXIMUM_EXCEEDED;
    assert_eq!(reason_told(&mut bench), Some(reason));
}
