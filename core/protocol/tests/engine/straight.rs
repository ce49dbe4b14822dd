//! The short way of QoS 0: letters that wait in their batch's memory behave like letters that wait anywhere.
use leveret_protocol::codec::{Packet, Properties, PropertyId, PropertyValue};
use leveret_protocol::engine::{Batch, Command, Cost, Event, Input, Publish, Reply};
use leveret_protocol::message::QoS::{AtLeastOnce, AtMostOnce};
use leveret_protocol::options::{Priority, PublishOptions};
use leveret_protocol::sentence::Dialect;

use crate::bench::*;

/// Posts a batch of QoS 0 with these topics and the payload `x`; their tags, or none at all.
fn post(bench: &mut Bench, topics: &[&str], report: bool) -> Vec<u64> {
    let (mut batch, mut tags) = (Batch::new(), Vec::new());
    for topic in topics {
        let options = at(AtMostOnce);
        let payload = "x".into();
        let letter = Publish {
            topic,
            payload,
            options: &options,
        };
        let letter = letter.seal(&bench.options, Dialect::Rust).expect("valid");
        assert!(bench.budget.try_take(letter.cost()));
        let tag = if report { bench.tag() } else { 0 };
        batch.post(&letter, bench.now, tag);
        tags.push(tag);
    }
    bench.handle(Input::Submit(&mut batch));
    tags
}

fn sent_topics(bench: &mut Bench) -> Vec<String> {
    let sent = publishes(&bench.sent());
    sent.into_iter().map(|sent| sent.0).collect()
}

fn let_go(bench: &mut Bench) {
    bench.takes = usize::MAX;
    bench.handle(Input::Writable);
}

#[test]
fn letters_of_many_batches_leave_in_order_however_the_socket_stalls() {
    for takes in 1..40 {
        let mut bench = Bench::online(speaking(V5));
        bench.takes = takes;
        let mut tags = post(&mut bench, &["a", "b"], true);
        tags.extend(post(&mut bench, &["c"], true));
        tags.extend(post(&mut bench, &["d", "e", "f"], true));
        let unsettled = |bench: &Bench, tag: &u64| bench.settled(*tag).is_none();
        while tags.iter().any(|tag| unsettled(&bench, tag)) {
            bench.takes = takes;
            bench.handle(Input::Writable);
        }
        assert_eq!(sent_topics(&mut bench), ["a", "b", "c", "d", "e", "f"]);
        let sent = |tag: &u64| bench.settled(*tag) == Some(("sent", true));
        assert!(tags.iter().all(sent), "{takes}");
        assert_eq!(bench.budget.used(), Cost::ZERO);
        assert_eq!(bench.engine.stats(bench.now).messages_out, [6, 0, 0]);
    }
}

#[test]
fn a_waiting_letter_can_be_taken_back_and_the_others_go_on() {
    let mut bench = Bench::online(speaking(V5));
    bench.takes = 0;
    let tags = post(&mut bench, &["a", "b", "c"], true);
    let tag = tags[1];
    let (_, reply) = bench.ask(|reply| Command::Cancel { tag, reply });
    assert_eq!(reply, Some(Ok(Reply::Cancelled(true))));
    assert_eq!(bench.settled(tag), Some(("cancelled", false)));
    let_go(&mut bench);
    assert_eq!(sent_topics(&mut bench), ["a", "c"]);
    assert_eq!(bench.budget.used(), Cost::ZERO);
}

#[test]
fn a_letter_of_high_priority_goes_before_those_that_wait() {
    let mut bench = Bench::online(speaking(V5));
    bench.takes = 0;
    post(&mut bench, &["a", "b"], true);
    let high = PublishOptions {
        priority: Priority::High,
        ..at(AtLeastOnce)
    };
    bench.publish("high", &high);
    bench.publish("low", &at(AtLeastOnce));
    let_go(&mut bench);
    assert_eq!(sent_topics(&mut bench), ["high", "a", "b", "low"]);
}

#[test]
fn a_waiting_letter_expires_in_time_and_the_others_go_on() {
    let mut bench = Bench::online(speaking(V5));
    bench.takes = 0;
    post(&mut bench, &["a"], true);
    let brief = bench.publish("brief", &with_ttl(AtMostOnce, seconds(1)));
    bench.pass(seconds(1));
    assert_eq!(bench.settled(brief), Some(("expired", false)));
    let_go(&mut bench);
    assert_eq!(sent_topics(&mut bench), ["a"]);
}

#[test]
fn what_waits_when_the_connection_is_lost_goes_out_on_the_next_one() {
    let mut bench = Bench::online(speaking(V5));
    bench.takes = 9; // the first frame and a part of the second
    let tags = post(&mut bench, &["a", "b", "c"], true);
    assert_eq!(bench.settled(tags[0]), Some(("sent", true)));
    bench.lose_connection();
    bench.accept(true);
    assert_eq!(sent_topics(&mut bench), ["b", "c"]);
    assert_eq!(bench.budget.used(), Cost::ZERO);
}

#[test]
fn letters_without_a_receipt_are_settled_together_and_give_all_their_room_back() {
    let mut bench = Bench::online(speaking(V5));
    let letter = Cost::of_letter(2);
    post(&mut bench, &["a", "b", "c"], false);
    let settled = bench.events.iter().filter_map(|event| match event {
        Event::Settled { tag: 0, cost, .. } => Some(*cost),
        _ => None,
    });
    let settled: Vec<Cost> = settled.collect();
    assert_eq!(settled, [letter + letter + letter]);
    assert_eq!(bench.budget.used(), Cost::ZERO);
    assert_eq!(bench.engine.stats(bench.now).outcomes[2], 3, "sent");
}

/// On a connection to a broker that takes packets of 12 bytes.
fn online_with_little() -> Bench {
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    let mut properties = Properties::new();
    let most = PropertyValue::Number(12);
    properties
        .add(PropertyId::MaximumPacketSize, most)
        .expect("a property");
    bench.accept_with(false, properties);
    bench.sent();
    bench
}

#[test]
fn a_letter_larger_than_the_broker_takes_is_rejected_between_others() {
    let mut bench = online_with_little();
    let tags = post(&mut bench, &["a", "much/too/long", "b"], true);
    assert_eq!(sent_topics(&mut bench), ["a", "b"]);
    assert_eq!(bench.settled(tags[1]), Some(("rejected", false)));
    assert!(
        !bench
            .sent()
            .iter()
            .any(|packet| matches!(packet, Packet::Disconnect(_)))
    );
}

#[test]
fn a_rejected_letter_changes_no_order_however_the_socket_stalls() {
    for takes in 0..40 {
        let mut bench = online_with_little();
        bench.takes = takes;
        post(&mut bench, &["a", "b", "much/too/long", "c"], true);
        bench.publish("d", &at(AtLeastOnce));
        let_go(&mut bench);
        assert_eq!(sent_topics(&mut bench), ["a", "b", "c", "d"], "{takes}");
    }
}
