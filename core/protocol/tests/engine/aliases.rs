//! Topic aliases, each way (MQTT 5, 3.3.2.3.4).
use leveret_protocol::codec::{Packet, Properties, PropertyId, Publish};
use leveret_protocol::engine::{Event, Input, Notice, Payload};
use leveret_protocol::message::Message;
use leveret_protocol::message::QoS::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};
use leveret_protocol::options::{ClientOptions, PublishOptions};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::text::Text;

use crate::bench::*;

fn aliases(most: u32) -> Properties {
    let mut properties = Properties::new();
    properties
        .set(PropertyId::TopicAliasMaximum, most)
        .expect("a valid property");
    properties
}

fn online(ours: u16, brokers: u32) -> Bench {
    let mut bench = Bench::new(ClientOptions {
        outgoing_topic_aliases: ours,
        ..speaking(V5)
    });
    bench.handle(Input::Start);
    bench.accept_with(false, aliases(brokers));
    bench
}

/// Topic and alias of every PUBLISH that was sent.
fn named(bench: &mut Bench) -> Vec<(String, Option<u16>)> {
    let packets = bench.sent();
    let named = packets.into_iter().filter_map(|packet| match packet {
        Packet::Publish(Publish { message, .. }) => {
            let alias = message.properties.topic_alias();
            Some((message.topic().to_owned(), alias))
        }
        _ => None,
    });
    named.collect()
}

#[test]
fn a_topic_is_named_once_in_full_and_then_by_its_alias() {
    for qos in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
        let mut bench = online(10, 2);
        for topic in ["doors/1", "doors/1", "doors/2", "doors/3", "doors/2", "d"] {
            bench.publish(topic, &at(qos));
        }
        let expected = [
            ("doors/1", Some(1)),
            ("", Some(1)),
            ("doors/2", Some(2)),
            ("doors/3", None),
            ("", Some(2)),
            ("d", None),
        ]
        .map(|(topic, alias)| (topic.to_owned(), alias));
        assert_eq!(named(&mut bench), expected, "{qos:?}");
    }
}

#[test]
fn no_alias_is_used_unless_both_sides_want_it() {
    for (ours, brokers) in [(0, 10), (10, 0)] {
        let mut bench = online(ours, brokers);
        for _ in 0..2 {
            bench.publish("doors/1", &at(AtMostOnce));
        }
        let plain = ("doors/1".to_owned(), None);
        assert_eq!(named(&mut bench), [plain.clone(), plain]);
    }
}

#[test]
fn an_alias_ends_with_its_connection() {
    let mut bench = online(10, 10);
    bench.publish("doors/1", &at(AtLeastOnce));
    bench.publish("doors/1", &at(AtLeastOnce));
    named(&mut bench);
    bench.lose_connection();
    bench.accept_with(true, aliases(10));
    let again = named(&mut bench);
    assert_eq!(
        again,
        [("doors/1".to_owned(), Some(1)), (String::new(), Some(1))]
    );
}

#[test]
fn an_alias_that_a_stalled_socket_did_not_take_is_defined_again() {
    for room in 0..80 {
        let mut bench = online(10, 10);
        bench.takes = room;
        for _ in 0..3 {
            bench.publish("doors/1", &at(AtMostOnce));
        }
        bench.takes = usize::MAX;
        bench.handle(Input::Writable);
        let named = named(&mut bench);
        assert_eq!(named.len(), 3, "{room}");
        // Whatever the socket took: each alias was defined before it was used.
        let mut known = false;
        for (topic, alias) in named {
            assert_eq!(alias, Some(1), "{room}");
            assert!(known || topic == "doors/1", "{room}");
            known = true;
        }
    }
}

#[test]
fn a_letter_larger_than_the_broker_takes_defines_nothing() {
    let mut bench = Bench::new(ClientOptions {
        outgoing_topic_aliases: 10,
        ..speaking(V5)
    });
    bench.handle(Input::Start);
    let mut properties = aliases(10);
    properties
        .set(PropertyId::MaximumPacketSize, 40_u32)
        .expect("a valid property");
    bench.accept_with(false, properties);
    let large = bench.publish_payload(
        "doors/1",
        leveret_protocol::engine::Payload::from(&[0; 100]),
        &at(AtMostOnce),
    );
    bench.publish("doors/1", &at(AtMostOnce));
    assert_eq!(bench.settled(large), Some(("rejected", false)));
    assert_eq!(named(&mut bench), [("doors/1".to_owned(), Some(1))]);
}

fn from_broker(bench: &mut Bench, topic: &str, alias: u32, qos: QoS, number: u16) {
    let mut properties = Properties::new();
    properties
        .set(PropertyId::TopicAlias, alias)
        .expect("a valid property");
    let message = Message {
        topic: Text::from(topic),
        qos,
        properties,
        ..Message::default()
    };
    let packet_id = (qos != AtMostOnce).then(|| id(number));
    bench.give(Packet::Publish(Publish { packet_id, message }));
}

#[test]
fn the_broker_is_told_how_many_aliases_it_may_use() {
    for (maximum, told) in [(0, None), (16, Some(16)), (65_535, Some(65_535))] {
        let mut bench = Bench::new(ClientOptions {
            topic_alias_maximum: maximum,
            ..speaking(V5)
        });
        bench.handle(Input::Start);
        let connect = bench.accept(false);
        assert_eq!(connect.properties.topic_alias_maximum(), told);
    }
}

#[test]
fn messages_come_with_the_topic_that_an_alias_stands_for() {
    let mut bench = Bench::online(speaking(V5));
    from_broker(&mut bench, "doors/1", 1, AtMostOnce, 0);
    from_broker(&mut bench, "", 1, AtLeastOnce, 1);
    from_broker(&mut bench, "doors/2", 1, ExactlyOnce, 2);
    from_broker(&mut bench, "", 1, AtMostOnce, 0);
    let topics: Vec<_> = bench
        .messages()
        .iter()
        .map(|incoming| incoming.message.topic().to_owned())
        .collect();
    assert_eq!(topics, ["doors/1", "doors/1", "doors/2", "doors/2"]);
}

#[test]
fn an_alias_in_a_repeated_message_is_learned_all_the_same() {
    let mut bench = Bench::online(speaking(V5));
    from_broker(&mut bench, "doors/1", 1, ExactlyOnce, 7);
    from_broker(&mut bench, "doors/2", 1, ExactlyOnce, 7);
    from_broker(&mut bench, "", 1, AtMostOnce, 0);
    let last = bench
        .messages()
        .last()
        .map(|m| m.message.topic().to_owned());
    assert_eq!(last.as_deref(), Some("doors/2"));
    assert_eq!(bench.messages().len(), 2);
}

#[test]
fn an_alias_that_is_too_high_or_unknown_ends_the_connection() {
    for (topic, alias, reason) in [
        ("doors/1", 17, ReasonCode::TOPIC_ALIAS_INVALID),
        ("", 3, ReasonCode::PROTOCOL_ERROR),
    ] {
        let mut bench = Bench::online(speaking(V5));
        from_broker(&mut bench, topic, alias, AtMostOnce, 0);
        assert!(bench.messages().is_empty());
        let violations = bench.notices().into_iter();
        let reasons: Vec<_> = violations
            .filter_map(|notice| match notice {
                Notice::Violation(error) => error.reason,
                _ => None,
            })
            .collect();
        assert_eq!(reasons, [reason]);
        let sent = bench.sent();
        assert_eq!(disconnect_of(&sent).map(|end| end.reason), Some(reason));
    }
}

#[test]
fn the_brokers_aliases_end_with_the_connection() {
    let mut bench = Bench::online(speaking(V5));
    from_broker(&mut bench, "doors/1", 1, AtMostOnce, 0);
    bench.lose_connection();
    bench.accept(true);
    from_broker(&mut bench, "", 1, AtMostOnce, 0);
    assert_eq!(bench.messages().len(), 1);
    let is_violation = |event: &&Event| matches!(event, Event::Notice(Notice::Violation(_)));
    assert_eq!(bench.events.iter().filter(is_violation).count(), 1);
}

#[test]
fn a_letter_with_properties_carries_its_alias_beside_them() {
    let mut bench = online(10, 10);
    let options = PublishOptions {
        content_type: Some("text/plain".into()),
        ..at(AtLeastOnce)
    };
    bench.publish("doors/1", &options);
    bench.publish("doors/1", &options);
    for (packet, topic) in bench.sent().iter().zip(["doors/1", ""]) {
        let Packet::Publish(publish) = packet else {
            panic!("{packet:?}");
        };
        let properties = &publish.message.properties;
        assert_eq!(publish.message.topic(), topic);
        assert_eq!(properties.content_type(), Some("text/plain"));
        assert_eq!(properties.topic_alias(), Some(1));
    }
}

#[test]
fn a_letter_that_fits_only_without_an_alias_is_sent_without_one() {
    let mut bench = Bench::new(ClientOptions {
        outgoing_topic_aliases: 10,
        ..speaking(V5)
    });
    bench.handle(Input::Start);
    let mut limits = aliases(10);
    limits
        .set(PropertyId::MaximumPacketSize, 50_u32)
        .expect("a valid property");
    bench.accept_with(false, limits);
    // A header of 2 bytes, a topic of 2 and 7, an identifier of 2, no properties in 1, and 36.
    bench.publish_payload("doors/1", Payload::from(&[b'x'; 36]), &at(AtLeastOnce));
    assert_eq!(named(&mut bench), [("doors/1".into(), None)]);
    bench.publish_payload("doors/1", Payload::from(&[b'x'; 33]), &at(AtLeastOnce));
    assert_eq!(named(&mut bench), [("doors/1".into(), Some(1))]);
}
