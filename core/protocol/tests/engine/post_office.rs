//! Order, priority, overflow rules, replace keys and flush.
use leveret_protocol::codec::Packet;
use leveret_protocol::engine::{Command, Cost, Input, Reply, Room};
use leveret_protocol::message::QoS::{AtLeastOnce, AtMostOnce};
use leveret_protocol::options::{Overflow, Priority, PublishOptions};

use crate::bench::*;

fn offline() -> Bench {
    let mut bench = Bench::new(speaking(V5));
    bench.handle(Input::Start);
    bench
}

fn of_priority(priority: Priority) -> PublishOptions {
    PublishOptions {
        priority,
        ..at(AtLeastOnce)
    }
}

fn sent_topics(bench: &mut Bench) -> Vec<String> {
    publishes(&bench.sent())
        .into_iter()
        .map(|sent| sent.0)
        .collect()
}

#[test]
fn first_posted_is_first_sent_within_a_priority() {
    let mut bench = offline();
    for (topic, priority) in [
        ("n1", Priority::Normal),
        ("l1", Priority::Low),
        ("h1", Priority::High),
        ("n2", Priority::Normal),
        ("h2", Priority::High),
        ("l2", Priority::Low),
    ] {
        bench.publish(topic, &of_priority(priority));
    }
    bench.accept(false);
    assert_eq!(
        sent_topics(&mut bench),
        ["h1", "h2", "n1", "n2", "l1", "l2"]
    );
}

#[test]
fn letters_that_a_stall_gives_back_keep_their_order() {
    let mut bench = Bench::online(speaking(V5));
    bench.takes = 3;
    for topic in ["a", "b", "c", "d"] {
        bench.publish(topic, &at(AtLeastOnce));
    }
    for _ in 0..20 {
        bench.takes = 3;
        bench.handle(Input::Writable);
    }
    bench.takes = usize::MAX;
    bench.handle(Input::Writable);
    let sent = publishes(&bench.sent());
    let expected = [("a", 1), ("b", 2), ("c", 3), ("d", 4)];
    assert_eq!(
        sent,
        expected.map(|(topic, number)| (topic.into(), number, false))
    );
}

fn room(bench: &mut Bench, messages: u32, rule: Overflow, priority: Priority) -> Room {
    let lacking = Cost { messages, bytes: 0 };
    match bench
        .ask(|reply| Command::MakeRoom {
            reply,
            lacking,
            rule,
            priority,
        })
        .1
    {
        Some(Ok(Reply::Room(room))) => room,
        other => panic!("{other:?}"),
    }
}

#[test]
fn drop_oldest_drops_the_oldest_of_every_priority() {
    let mut bench = offline();
    let first = bench.publish("a", &of_priority(Priority::High));
    bench.pass(millis(1));
    let second = bench.publish("b", &of_priority(Priority::Low));
    bench.pass(millis(1));
    let third = bench.publish("c", &of_priority(Priority::Normal));
    assert_eq!(
        room(&mut bench, 2, Overflow::DropOldest, Priority::Low),
        Room::Made
    );
    assert_eq!(bench.settled(first), Some(("dropped", false)));
    assert_eq!(bench.settled(second), Some(("dropped", false)));
    assert_eq!(bench.settled(third), None);
    assert_eq!(bench.budget.used().messages, 1);
}

#[test]
fn the_room_is_given_back_before_the_answer_says_so() {
    let mut bench = offline();
    let old = bench.publish("a", &at(AtLeastOnce));
    bench.events.clear();
    room(&mut bench, 1, Overflow::DropOldest, Priority::Normal);
    use leveret_protocol::engine::Event;
    let [Event::Settled { tag, .. }, Event::Reply { .. }] = &bench.events[..] else {
        panic!("{:?}", bench.events)
    };
    assert_eq!(*tag, old);
}

#[test]
fn drop_newest_lets_the_new_letter_go() {
    let mut bench = offline();
    let old = bench.publish("a", &at(AtLeastOnce));
    assert_eq!(
        room(&mut bench, 1, Overflow::DropNewest, Priority::High),
        Room::NewOneGoes
    );
    let tag = bench.tag();
    bench.command(Command::Discard { tag });
    assert_eq!(bench.settled(tag), Some(("dropped", false)));
    assert_eq!(bench.settled(old), None);
}

#[test]
fn drop_lowest_drops_only_what_is_lower_the_lowest_first() {
    let mut bench = offline();
    let normal = bench.publish("n", &of_priority(Priority::Normal));
    let low = bench.publish("l", &of_priority(Priority::Low));
    let high = bench.publish("h", &of_priority(Priority::High));
    assert_eq!(
        room(&mut bench, 1, Overflow::DropLowest, Priority::Low),
        Room::NewOneGoes
    );
    assert_eq!(
        room(&mut bench, 1, Overflow::DropLowest, Priority::High),
        Room::Made
    );
    assert_eq!(bench.settled(low), Some(("dropped", false)));
    assert_eq!(
        room(&mut bench, 1, Overflow::DropLowest, Priority::Normal),
        Room::NewOneGoes
    );
    assert_eq!(bench.settled(normal), None);
    assert_eq!(
        room(&mut bench, 1, Overflow::DropLowest, Priority::High),
        Room::Made
    );
    assert_eq!(bench.settled(normal), Some(("dropped", false)));
    assert_eq!(bench.settled(high), None);
}

#[test]
fn reject_drops_nothing_and_nothing_is_dropped_in_vain() {
    let mut bench = offline();
    let old = bench.publish("a", &at(AtLeastOnce));
    assert_eq!(
        room(&mut bench, 1, Overflow::Reject, Priority::High),
        Room::Refused
    );
    assert_eq!(
        room(&mut bench, 2, Overflow::DropOldest, Priority::High),
        Room::Refused
    );
    assert_eq!(bench.settled(old), None);
}

#[test]
fn a_letter_that_was_sent_before_is_never_dropped_for_another() {
    let mut bench = Bench::online(speaking(V5));
    let sent = bench.publish("a", &at(AtLeastOnce));
    bench.cut();
    assert_eq!(
        room(&mut bench, 1, Overflow::DropOldest, Priority::Normal),
        Room::Refused
    );
    bench.pass_backoff();
    bench.takes = 0;
    bench.link_up();
    bench.takes = 0;
    bench.cut();
    assert_eq!(
        room(&mut bench, 1, Overflow::DropOldest, Priority::Normal),
        Room::Refused
    );
    assert_eq!(bench.settled(sent), None);
}

#[test]
fn a_newer_letter_of_the_same_key_replaces_the_waiting_one_and_takes_its_own_place() {
    let mut bench = offline();
    let keyed = |key: &str| PublishOptions {
        replace: Some(key.into()),
        ..at(AtLeastOnce)
    };
    let old = bench.publish("old", &keyed("k"));
    let other = bench.publish("other", &keyed("j"));
    let new = bench.publish("new", &keyed("k"));
    assert_eq!(bench.settled(old), Some(("dropped", false)));
    bench.accept(false);
    assert_eq!(sent_topics(&mut bench), ["other", "new"]);
    let newest = bench.publish("newest", &keyed("k"));
    assert_eq!(
        bench.settled(new),
        None,
        "what is on its way is not replaced"
    );
    for (number, tag) in [(1, other), (2, new), (3, newest)] {
        bench.give(Packet::PubAck(ack(number)));
        assert_eq!(bench.settled(tag), Some(("acknowledged", false)));
    }
}

#[test]
fn flush_is_answered_when_every_letter_before_it_is_settled() {
    let mut bench = Bench::online(speaking(V5));
    bench.publish("a", &at(AtLeastOnce));
    let (flush, answer) = bench.ask(|reply| Command::Flush { reply });
    assert_eq!(answer, None);
    bench.publish("b", &at(AtLeastOnce));
    bench.give(Packet::PubAck(ack(1)));
    assert_eq!(
        bench.reply(flush),
        Some(Ok(Reply::Done)),
        "not for the one after it"
    );
    bench.give(Packet::PubAck(ack(2)));
    assert_eq!(
        bench.ask(|reply| Command::Flush { reply }).1,
        Some(Ok(Reply::Done))
    );
}

#[test]
fn hundreds_of_letters_go_out_in_one_write() {
    let mut bench = offline();
    for _ in 0..500 {
        bench.publish("sensors/1/temperature", &at(AtMostOnce));
    }
    bench.accept(false);
    assert_eq!(bench.outcomes.len(), 500);
    assert_eq!(bench.engine.stats(bench.now).messages_out, [500, 0, 0]);
}

#[test]
fn stats_tell_what_waits_and_what_is_in_flight() {
    let mut bench = Bench::online(leveret_protocol::options::ClientOptions {
        max_in_flight: 1,
        ..speaking(V5)
    });
    bench.publish("a", &at(AtLeastOnce));
    bench.pass(seconds(2));
    bench.publish("b", &at(AtLeastOnce));
    let stats = bench.engine.stats(bench.now);
    assert_eq!((stats.in_flight.messages, stats.waiting.messages), (1, 1));
    assert_eq!(stats.waiting + stats.in_flight, bench.budget.used());
    assert_eq!(stats.oldest, Some(seconds(2)));
    assert_eq!(stats.messages_out, [0, 1, 0]);
    assert_eq!(stats.bytes_out, bench.written.len() as u64);
    bench.give(Packet::PubAck(ack(1)));
    let stats = bench.engine.stats(bench.now);
    assert_eq!(stats.outcomes[1], 1);
}
