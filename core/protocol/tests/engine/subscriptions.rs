//! Subscriptions: declared once, kept, restored, and their state told each time.
use leveret_protocol::codec::{
    FilterAck, Packet, Properties, PropertyId, PropertyValue, Subscribe as SubscribePacket,
};
use leveret_protocol::engine::{
    Command, Event, Input, Notice, Reply, Subscribe, SubscribeEntry, SubscriptionId, Unsubscribe,
};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::message::QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};
use leveret_protocol::options::{ClientOptions, SubscribeOptions};
use leveret_protocol::outcome::SubscriptionState;
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::time::Instant;
use std::time::Duration;

use crate::bench::*;

fn answer(number: u16, reasons: &[u8]) -> FilterAck {
    let reasons = reasons.iter().map(|code| ReasonCode(*code)).collect();
    FilterAck {
        packet_id: id(number),
        reasons,
        properties: Properties::new(),
    }
}

/// The SUBSCRIBE packets that were sent: identifier, filters, subscription identifier.
fn subscribes(bench: &mut Bench) -> Vec<(u16, Vec<String>, Option<u32>)> {
    let sent = bench.sent();
    let subscribes = sent.iter().filter_map(|packet| match packet {
        Packet::Subscribe(SubscribePacket {
            packet_id,
            filters,
            properties,
        }) => {
            let filters = filters
                .iter()
                .map(|filter| filter.filter.to_string())
                .collect();
            Some((
                packet_id.get(),
                filters,
                properties.subscription_identifier(),
            ))
        }
        _ => None,
    });
    subscribes.collect()
}

/// The states told since the last time: number, state, reason.
fn states(bench: &mut Bench) -> Vec<(u32, &'static str, Option<u8>)> {
    let events = std::mem::take(&mut bench.events);
    let states = events.iter().filter_map(|event| match event {
        Event::Subscription {
            id, state, reason, ..
        } => Some((id.0, state.name(), reason.map(|reason| reason.0))),
        _ => None,
    });
    let states = states.collect();
    bench.events = events
        .into_iter()
        .filter(|event| !matches!(event, Event::Subscription { .. }))
        .collect();
    states
}

fn codes(bench: &Bench, tag: u64) -> Option<Vec<u8>> {
    match bench.reply(tag)? {
        Ok(Reply::Subscribed(answers) | Reply::Unsubscribed(answers)) => {
            Some(answers.codes.iter().map(|code| code.0).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_filter_refused_here_that_the_broker_may_have_granted_is_taken_back_there() {
    let mut bench = Bench::new(speaking(V311).client_id("kept").clean_start(false));
    bench.handle(Input::Start);
    bench.version = V311;
    bench.accept(false);
    bench.subscribe(&[(1, "a")], AtLeastOnce);
    bench.sent();
    // The answer is lost, and the filter is declared again in a way that this version cannot say.
    let options = SubscribeOptions::new().retain_handling(1);
    let entries = vec![SubscribeEntry {
        id: SubscriptionId(1),
        filter: "a".into(),
        options,
    }];
    let reply = bench.tag();
    bench.command(Command::Subscribe(Box::new(Subscribe { reply, entries })));
    bench.command(Command::Reconnect);
    bench.accept(true);
    let sent = bench.sent();
    let taken_back = sent.iter().any(|packet| {
        matches!(packet, Packet::Unsubscribe(unsubscribe) if unsubscribe.filters[0].as_str() == "a")
    });
    assert!(taken_back, "{sent:?}");
}

#[test]
fn each_filter_is_answered_by_itself_and_a_refusal_hurts_only_that_one() {
    let mut bench = Bench::online(speaking(V311));
    let tag = bench.subscribe(&[(1, "a"), (2, "b"), (3, "c")], ExactlyOnce);
    assert_eq!(
        subscribes(&mut bench),
        [(1, vec!["a".into(), "b".into(), "c".into()], None)]
    );
    assert_eq!(codes(&bench, tag), None);
    bench.give(Packet::SubAck(answer(1, &[2, 1, 0x80])));
    assert_eq!(codes(&bench, tag), Some(vec![2, 1, 0x80]));
    let told = [
        (1, "up", Some(2)),
        (2, "downgraded", Some(1)),
        (3, "refused", Some(0x80)),
    ];
    assert_eq!(states(&mut bench), told);
    bench.lose_connection();
    bench.accept(false);
    assert_eq!(states(&mut bench), [(1, "down", None), (2, "down", None)]);
    assert_eq!(
        subscribes(&mut bench)[0].1,
        ["a", "b"],
        "a refused first subscribe is forgotten"
    );
}

#[test]
fn on_mqtt_5_each_filter_carries_its_number_as_subscription_identifier() {
    let mut bench = Bench::online(speaking(V5));
    let tag = bench.subscribe(&[(7, "a"), (8, "b")], AtLeastOnce);
    assert_eq!(
        subscribes(&mut bench),
        [
            (1, vec!["a".into()], Some(7)),
            (2, vec!["b".into()], Some(8))
        ]
    );
    bench.give(Packet::SubAck(answer(2, &[1])));
    assert_eq!(codes(&bench, tag), None);
    bench.give(Packet::SubAck(answer(1, &[1])));
    assert_eq!(codes(&bench, tag), Some(vec![1, 1]));
}

#[test]
fn without_identifiers_many_filters_are_restored_in_few_packets() {
    let mut properties = Properties::new();
    properties
        .set(
            PropertyId::SubscriptionIdentifiersAvailable,
            PropertyValue::Number(0),
        )
        .unwrap();
    let mut bench = Bench::new(speaking(V5));
    let filters: Vec<(u32, String)> = (1..=1_000)
        .map(|number| (number, format!("sensors/{number}/+")))
        .collect();
    let filters: Vec<(u32, &str)> = filters
        .iter()
        .map(|(number, filter)| (*number, filter.as_str()))
        .collect();
    bench.subscribe(&filters, AtLeastOnce);
    bench.handle(Input::Start);
    bench.accept_with(false, properties);
    let sent = subscribes(&mut bench);
    assert!(sent.len() <= 2, "{}", sent.len());
    assert_eq!(sent.iter().map(|sent| sent.1.len()).sum::<usize>(), 1_000);
    assert!(sent.iter().all(|sent| sent.2.is_none()));
}

#[test]
fn a_subscribe_goes_out_before_the_letters_posted_after_it() {
    let mut bench = Bench::new(speaking(V5));
    bench.subscribe(&[(1, "answers")], AtLeastOnce);
    bench.publish("question", &at(AtLeastOnce));
    bench.handle(Input::Start);
    bench.accept(false);
    let sent = bench.sent();
    assert!(
        matches!(sent[..], [Packet::Subscribe(_), Packet::Publish(_)]),
        "{sent:?}"
    );
}

#[test]
fn a_resumed_session_is_not_asked_again_but_for_what_was_not_answered() {
    let mut bench = Bench::online(speaking(V5));
    bench.subscribe(&[(1, "a")], AtLeastOnce);
    bench.give(Packet::SubAck(answer(1, &[1])));
    let open = bench.subscribe(&[(2, "b")], AtLeastOnce);
    bench.lose_connection();
    bench.accept(true);
    assert_eq!(subscribes(&mut bench), [(3, vec!["b".into()], Some(2))]);
    bench.give(Packet::SubAck(answer(3, &[1])));
    assert_eq!(
        codes(&bench, open),
        Some(vec![1]),
        "who asked before the loss is answered after it"
    );
    assert_eq!(states(&mut bench), [(1, "up", Some(1)), (2, "up", Some(1))]);
}

#[test]
fn a_refusal_of_what_was_granted_before_is_told_kept_and_asked_again_next_time() {
    let mut bench = Bench::online(speaking(V5));
    bench.subscribe(&[(1, "a")], AtLeastOnce);
    bench.give(Packet::SubAck(answer(1, &[1])));
    bench.lose_connection();
    bench.accept(false);
    bench.sent();
    bench.give(Packet::SubAck(answer(1, &[0x87])));
    assert_eq!(
        states(&mut bench),
        [
            (1, "up", Some(1)),
            (1, "down", None),
            (1, "refused", Some(0x87))
        ]
    );
    bench.lose_connection();
    bench.accept(true);
    assert_eq!(subscribes(&mut bench), [(2, vec!["a".into()], Some(1))]);
}

#[test]
fn answers_that_take_longer_than_the_timeout_are_waited_for_longer_each_time() {
    let round_trip = Duration::from_millis(3_500);
    let options = speaking(V5).subscribe_timeout(Duration::from_secs(1));
    let mut bench = Bench::online(options.keep_alive(Duration::ZERO));
    bench.subscribe(&[(1, "a")], AtLeastOnce);
    let began = bench.now;
    let mut answers: Vec<(Instant, u16)> = Vec::new();
    for _ in 0..100 {
        let asked = subscribes(&mut bench).into_iter().map(|(id, ..)| id);
        answers.extend(asked.map(|id| (bench.now + round_trip, id)));
        bench.pass(Duration::from_millis(100));
        while let Some((_, id)) = answers.first().copied().filter(|(at, _)| *at <= bench.now) {
            answers.remove(0);
            bench.give(Packet::SubAck(answer(id, &[1])));
        }
    }
    let up = bench.events.iter().any(|event| {
        matches!(event, Event::Subscription { state, .. } if *state == SubscriptionState::Up)
    });
    assert!(
        up,
        "not up {:?} after it was asked for",
        bench.now.since(began)
    );
    assert_eq!(bench.notices().len(), 2, "after 1 s and 2 s more");
}

#[test]
fn an_unanswered_subscribe_times_out_and_is_asked_again() {
    let mut bench = Bench::online(ClientOptions {
        keep_alive: seconds(0),
        ..speaking(V5)
    });
    let tag = bench.subscribe(&[(1, "a")], AtLeastOnce);
    bench.sent();
    bench.pass(millis(29_999));
    assert_eq!(bench.reply(tag), None);
    bench.pass(millis(1));
    let kind = bench.reply(tag).map(|reply| reply.unwrap_err().kind);
    assert_eq!(kind, Some(ErrorKind::TimedOut));
    assert_eq!(bench.notices(), [&Notice::Unanswered { filters: 1 }]);
    assert_eq!(subscribes(&mut bench), [(2, vec!["a".into()], Some(1))]);
    bench.give(Packet::SubAck(answer(1, &[1])));
    bench.give(Packet::SubAck(answer(2, &[1])));
    assert_eq!(states(&mut bench), [(1, "up", Some(1))]);
}

#[test]
fn time_offline_does_not_count_against_a_subscribe() {
    let mut bench = Bench::new(speaking(V5));
    let tag = bench.subscribe(&[(1, "a")], AtLeastOnce);
    bench.handle(Input::Start);
    bench.pass(seconds(9));
    bench.cut();
    bench.pass(seconds(100));
    assert_eq!(bench.reply(tag), None);
    if bench.engine.state() == leveret_protocol::engine::State::Backoff {
        bench.pass_backoff();
    }
    bench.accept(false);
    bench.give(Packet::SubAck(answer(1, &[0])));
    assert_eq!(codes(&bench, tag), Some(vec![0]));
    assert_eq!(states(&mut bench), [(1, "downgraded", Some(0))]);
}

#[test]
fn what_the_broker_does_not_offer_is_refused_without_asking() {
    let mut properties = Properties::new();
    for property in [
        PropertyId::WildcardSubscriptionAvailable,
        PropertyId::SharedSubscriptionAvailable,
    ] {
        properties.set(property, PropertyValue::Number(0)).unwrap();
    }
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    bench.accept_with(false, properties);
    let tag = bench.subscribe(&[(1, "a/#"), (2, "$share/g/a"), (3, "a")], AtLeastOnce);
    assert_eq!(subscribes(&mut bench), [(1, vec!["a".into()], Some(3))]);
    bench.give(Packet::SubAck(answer(1, &[1])));
    assert_eq!(codes(&bench, tag), Some(vec![0xA2, 0x9E, 1]));
}

fn unsubscribe(bench: &mut Bench, filters: &[&str]) -> u64 {
    let reply = bench.tag();
    let filters = filters.iter().map(|filter| (*filter).into()).collect();
    let user_properties = Vec::new();
    bench.command(Command::Unsubscribe(Box::new(Unsubscribe {
        reply,
        filters,
        user_properties,
    })));
    reply
}

#[test]
fn unsubscribe_takes_filters_back_for_good() {
    for version in BOTH {
        let mut bench = Bench::online(speaking(version));
        bench.subscribe(&[(1, "a")], AtLeastOnce);
        bench.give(Packet::SubAck(answer(1, &[1])));
        bench.sent();
        let tag = unsubscribe(&mut bench, &["a", "unknown"]);
        let sent = bench.sent();
        let [Packet::Unsubscribe(packet)] = &sent[..] else {
            panic!("{sent:?}")
        };
        assert_eq!(packet.filters, ["a", "unknown"]);
        bench.give(Packet::UnsubAck(answer(2, &[0, 0x11])));
        let second = if version == V5 { 0x11 } else { 0 };
        assert_eq!(codes(&bench, tag), Some(vec![0, second]));
        bench.lose_connection();
        bench.accept(false);
        assert_eq!(subscribes(&mut bench), []);
        bench.give_message("a", AtMostOnce, 0, false);
        assert!(bench.messages()[0].subscriptions.is_empty());
    }
}

#[test]
fn an_unsubscribe_asked_for_offline_reaches_a_session_that_goes_on() {
    for session_present in [true, false] {
        let mut bench = Bench::online(speaking(V5));
        bench.subscribe(&[(1, "a")], AtLeastOnce);
        bench.give(Packet::SubAck(answer(1, &[1])));
        bench.cut();
        let tag = unsubscribe(&mut bench, &["a"]);
        bench.pass_backoff();
        bench.accept(session_present);
        let sent = bench.sent();
        assert_eq!(sent.len(), usize::from(session_present), "{sent:?}");
        if session_present {
            bench.give(Packet::UnsubAck(answer(2, &[0])));
        }
        assert_eq!(
            codes(&bench, tag),
            Some(vec![0]),
            "a lost session has nothing to take back"
        );
    }
}

#[test]
fn an_unanswered_unsubscribe_does_not_take_back_what_was_declared_again_behind_it() {
    for silence in [seconds(0), seconds(40)] {
        let mut bench = Bench::online(speaking(V5));
        bench.subscribe(&[(1, "a")], AtLeastOnce);
        bench.give(Packet::SubAck(answer(1, &[1])));
        let taken_back = unsubscribe(&mut bench, &["a"]);
        bench.subscribe(&[(2, "a")], AtLeastOnce);
        bench.give(Packet::SubAck(answer(3, &[1])));
        bench.sent();
        // Either the broker is silent until it is asked again, or the connection is lost before.
        bench.pass(silence);
        if silence == seconds(0) {
            bench.lose_connection();
            bench.accept(true);
            assert_eq!(codes(&bench, taken_back), Some(vec![0]));
        }
        let sent = bench.sent();
        let asked = |packet: &Packet| matches!(packet, Packet::Unsubscribe(_));
        assert!(!sent.iter().any(asked), "{sent:?}");
    }
}

#[test]
fn an_unsubscribe_that_is_sent_again_stays_before_the_subscribe_behind_it() {
    let mut bench = Bench::online(speaking(V5));
    bench.subscribe(&[(1, "a")], AtLeastOnce);
    bench.give(Packet::SubAck(answer(1, &[1])));
    unsubscribe(&mut bench, &["a"]);
    bench.subscribe(&[(2, "a")], AtLeastOnce);
    bench.lose_connection();
    bench.accept(true);
    let sent = bench.sent();
    assert!(
        matches!(&sent[..], [Packet::Unsubscribe(_), Packet::Subscribe(_)]),
        "{sent:?}"
    );
}

#[test]
fn a_session_of_another_life_is_asked_for_everything_that_was_up_elsewhere() {
    let mut bench = Bench::with_endpoints(
        ClientOptions {
            clean_start: false,
            ..speaking(V5)
        },
        2,
    );
    bench.handle(Input::Start);
    bench.accept(false);
    bench.subscribe(&[(1, "a")], AtLeastOnce);
    bench.give(Packet::SubAck(answer(1, &[1])));
    states(&mut bench);
    bench.lose_connection();
    bench.cut(); // the attempt at the first endpoint
    bench.pass_backoff();
    assert_eq!(bench.endpoint, 1);
    bench.accept(true);
    assert_eq!(subscribes(&mut bench).len(), 1);
    assert_eq!(states(&mut bench), [(1, "down", None)]);
}

#[test]
fn a_filter_taken_back_before_it_was_asked_for_is_not_asked_for() {
    let mut bench = Bench::new(speaking(V5));
    let subscribe = bench.subscribe(&[(1, "a")], AtLeastOnce);
    unsubscribe(&mut bench, &["a"]);
    bench.handle(Input::Start);
    bench.accept(false);
    assert_eq!(subscribes(&mut bench), []);
    let kind = bench.reply(subscribe).map(|reply| reply.unwrap_err().kind);
    assert_eq!(kind, Some(ErrorKind::Cancelled));
}

#[test]
fn a_filter_declared_again_is_asked_for_with_its_new_options() {
    let mut bench = Bench::online(speaking(V5));
    bench.subscribe(&[(1, "a")], AtMostOnce);
    bench.give(Packet::SubAck(answer(1, &[0])));
    bench.sent();
    let options = SubscribeOptions {
        qos: ExactlyOnce,
        no_local: true,
        retain_handling: 2,
        ..SubscribeOptions::default()
    };
    let entries = vec![SubscribeEntry {
        id: SubscriptionId(1),
        filter: "a".into(),
        options,
    }];
    bench.command(Command::Subscribe(Box::new(Subscribe {
        reply: 900,
        entries,
    })));
    let sent = bench.sent();
    let [Packet::Subscribe(packet)] = &sent[..] else {
        panic!("{sent:?}")
    };
    let options = packet.filters[0].options;
    assert!(options.qos == ExactlyOnce && options.no_local && options.retain_handling as u8 == 2);
    bench.give(Packet::SubAck(answer(2, &[2])));
    bench.lose_connection();
    bench.accept(false);
    assert_eq!(subscribes(&mut bench).len(), 1);
}

#[test]
fn an_answer_that_does_not_fit_the_question_is_a_violation() {
    let mut bench = Bench::online(speaking(V311));
    bench.subscribe(&[(1, "a"), (2, "b")], AtLeastOnce);
    bench.give(Packet::SubAck(answer(1, &[1])));
    assert!(!bench.connected);
}

#[test]
fn an_adopted_session_may_know_numbers_of_another_life() {
    let mut bench = Bench::new(ClientOptions {
        clean_start: false,
        ..speaking(V5)
    });
    bench.subscribe(&[(1, "mine")], AtLeastOnce);
    bench.handle(Input::Start);
    bench.accept(true);
    let mut properties = Properties::new();
    properties
        .add(PropertyId::SubscriptionIdentifier, PropertyValue::Number(1))
        .unwrap();
    let message = leveret_protocol::message::Message {
        topic: "theirs".into(),
        properties,
        ..Default::default()
    };
    bench.give(Packet::Publish(leveret_protocol::codec::Publish {
        packet_id: None,
        message,
    }));
    assert!(
        bench.messages()[0].subscriptions.is_empty(),
        "number 1 was another filter then"
    );
}

/// A broker that takes little, and cannot tell subscriptions apart, so that several are asked for in one packet.
fn taking_200_bytes() -> Properties {
    let mut properties = Properties::new();
    for (property, number) in [
        (PropertyId::MaximumPacketSize, 200),
        (PropertyId::SubscriptionIdentifiersAvailable, 0),
    ] {
        properties
            .set(property, PropertyValue::Number(number))
            .unwrap();
    }
    properties
}

fn long_filter(number: u32) -> String {
    format!("building/floor/room/sensor/{number}/temperature")
}

#[test]
fn filters_that_are_too_large_together_are_asked_for_in_several_packets() {
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    bench.accept_with(false, taking_200_bytes());
    for number in 1..=10_u16 {
        bench.subscribe(&[(number.into(), &long_filter(number.into()))], AtLeastOnce);
        bench.give(Packet::SubAck(answer(number, &[1])));
    }
    subscribes(&mut bench);
    bench.lose_connection();
    bench.accept_with(false, taking_200_bytes());
    let asked = subscribes(&mut bench);
    assert!(asked.len() > 1, "{asked:?}");
    let filters: Vec<_> = asked
        .into_iter()
        .flat_map(|(_, filters, _)| filters)
        .collect();
    assert_eq!(filters, (1..=10).map(long_filter).collect::<Vec<_>>());

    let filters = (1..=10).map(|number| long_filter(number).as_str().into());
    let reply = bench.tag();
    bench.command(Command::Unsubscribe(Box::new(Unsubscribe {
        reply,
        filters: filters.collect(),
        user_properties: vec![],
    })));
    let asked = bench.sent().into_iter().filter_map(|packet| match packet {
        Packet::Unsubscribe(unsubscribe) => Some(unsubscribe.filters.len()),
        _ => None,
    });
    assert_eq!(asked.sum::<usize>(), 10);
    assert_eq!(bench.reply(reply), None);
}
