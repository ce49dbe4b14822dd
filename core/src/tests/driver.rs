//! The driver over an in-memory link: stalls, cuts, closing, faults, and that nothing is left behind.

use std::io;
use std::time::Duration;

use leveret_protocol::codec::Packet;
use leveret_protocol::engine::{Payload, Publish, Tag};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::message::QoS;
use leveret_protocol::options::{Overflow, PublishOptions};
use leveret_protocol::outcome::{OutcomeStatus, Status};

use super::script::{SOON, Script, client, expect, options};
use crate::host::Client;
use crate::net::memory::Exchange;

/// Posts a letter to the topic `t`.
fn post(client: &Client, payload: &str, options: &PublishOptions) -> Tag {
    let letter = Publish {
        topic: "t",
        payload: Payload::from(payload),
        options,
    };
    client.publish(letter, true).unwrap()
}

fn qos1() -> PublishOptions {
    PublishOptions::new().qos(QoS::AtLeastOnce)
}

fn outcome(client: &Client, tag: Tag) -> OutcomeStatus {
    client.wait_receipt(tag, Some(SOON)).unwrap().status
}

#[test]
fn a_letter_goes_out_and_its_acknowledgement_comes_back() {
    let exchange = Exchange::new();
    let client = client(&exchange, options());
    let mut broker = Script::accept(&exchange, false);
    client.wait_status(Status::Online, Some(SOON)).unwrap();
    let receipt = post(&client, "hello", &qos1());
    let publish = broker.publish();
    assert_eq!(publish.message.payload(), b"hello");
    broker.acknowledge(&publish);
    assert_eq!(outcome(&client, receipt), OutcomeStatus::Acknowledged);
    let stats = client.stats();
    assert_eq!(
        (stats.queued, stats.queued_bytes, stats.in_flight),
        (0, 0, 0)
    );
}

#[test]
fn a_stalled_link_takes_all_bytes_in_order_in_the_end() {
    let exchange = Exchange::new();
    let client = client(&exchange, options());
    let mut broker = Script::accept(&exchange, false);
    broker.peer.set_room(Some(0));
    let receipts: Vec<_> = (0..200)
        .map(|number| post(&client, &number.to_string(), &qos1()))
        .collect();
    for number in 0..200 {
        // A byte at a time: every packet is cut everywhere.
        let publish = loop {
            broker.peer.set_room(Some(1));
            expect(|context| broker.peer.poll_full(context));
            if let Some(publish) = broker.whole_publish() {
                break publish;
            }
        };
        assert_eq!(publish.message.payload(), number.to_string().as_bytes());
        broker.acknowledge(&publish);
    }
    for receipt in receipts {
        assert_eq!(outcome(&client, receipt), OutcomeStatus::Acknowledged);
    }
}

#[test]
fn a_letter_behind_a_stall_expires_and_never_reaches_the_peer() {
    let exchange = Exchange::new();
    let client = client(&exchange, options());
    let mut broker = Script::accept(&exchange, false);
    client.wait_status(Status::Online, Some(SOON)).unwrap();
    broker.peer.set_room(Some(4));
    let first = post(&client, "first", &qos1());
    expect(|context| broker.peer.poll_full(context));
    let late = post(&client, "late", &qos1().ttl(Duration::from_millis(50)));
    let last = post(&client, "last", &qos1());
    let expired = client.wait_receipt(late, Some(SOON)).unwrap();
    assert_eq!(
        (expired.status, expired.maybe_delivered),
        (OutcomeStatus::Expired, false)
    );
    broker.peer.set_room(None);
    for expected in ["first", "last"] {
        let publish = broker.publish();
        assert_eq!(publish.message.payload(), expected.as_bytes());
        broker.acknowledge(&publish);
    }
    assert_eq!(outcome(&client, first), OutcomeStatus::Acknowledged);
    assert_eq!(outcome(&client, last), OutcomeStatus::Acknowledged);
}

#[test]
fn a_cut_link_is_dialed_again_and_what_was_in_flight_is_sent_again() {
    let exchange = Exchange::new();
    let client = client(&exchange, options());
    let mut broker = Script::accept(&exchange, false);
    let receipt = post(&client, "again", &qos1());
    assert!(!broker.publish().message.dup());
    let offline = client.status_count(Status::Offline);
    broker.peer.cut(io::ErrorKind::ConnectionReset);
    expect(|context| client.poll_status(Status::Offline, offline, context)).unwrap();
    let mut broker = Script::accept(&exchange, true);
    let publish = broker.publish();
    assert!(publish.message.dup());
    broker.acknowledge(&publish);
    assert_eq!(outcome(&client, receipt), OutcomeStatus::Acknowledged);
}

#[test]
fn the_last_handle_closes_in_the_background_and_settles_everything() {
    let exchange = Exchange::new();
    let client = client(&exchange, options());
    let mut broker = Script::accept(&exchange, false);
    client.wait_status(Status::Online, Some(SOON)).unwrap();
    let receipt = post(&client, "going", &qos1());
    let publish = broker.publish();
    let watcher = client.watcher();
    drop(client);
    broker.acknowledge(&publish);
    let outcome = expect(|context| {
        watcher
            .ledger
            .with(|ledger| ledger.poll_outcome(receipt, context))
    });
    assert_eq!(outcome.unwrap().status, OutcomeStatus::Acknowledged);
    assert!(matches!(broker.packet(), Packet::Disconnect(_)));
    expect(|context| broker.peer.poll_gone(context));
}

#[test]
fn closing_settles_what_the_broker_does_not_answer() {
    let exchange = Exchange::new();
    let client = client(&exchange, options());
    let mut broker = Script::accept(&exchange, false);
    let receipt = post(&client, "unanswered", &qos1());
    broker.publish();
    let closing = client
        .close(Some(Duration::from_millis(20)), None)
        .unwrap()
        .unwrap();
    let letter = Publish {
        topic: "t",
        payload: Payload::from("late"),
        options: &qos1(),
    };
    assert_eq!(
        client.publish(letter, true).unwrap_err().kind,
        ErrorKind::Closed
    );
    client.wait_reply(closing, Some(SOON)).unwrap();
    let outcome = client.wait_receipt(receipt, Some(SOON)).unwrap();
    assert_eq!(
        (outcome.status, outcome.maybe_delivered),
        (OutcomeStatus::Closed, true)
    );
    assert_eq!(client.status(), Status::Closed);
    let again = client.close(None, None).unwrap().unwrap();
    client.wait_reply(again, Some(SOON)).unwrap();
}

#[test]
fn a_fault_of_ours_closes_the_client_and_settles_everything() {
    let exchange = Exchange::new();
    let client = client(&exchange, options());
    let broker = Script::accept(&exchange, false);
    client.wait_status(Status::Online, Some(SOON)).unwrap();
    broker.peer.break_writes();
    let receipt = post(&client, "fatal", &qos1());
    assert_eq!(outcome(&client, receipt), OutcomeStatus::Closed);
    client.wait_status(Status::Closed, Some(SOON)).unwrap();
    let letter = Publish {
        topic: "t",
        payload: Payload::from("late"),
        options: &qos1(),
    };
    assert_eq!(
        client.publish(letter, true).unwrap_err().kind,
        ErrorKind::Closed
    );
    assert_eq!(client.flush().unwrap_err().kind, ErrorKind::Closed);
}

#[test]
fn a_full_post_office_offline_follows_the_overflow_rule_of_the_letter() {
    let exchange = Exchange::new();
    exchange.refuse(true);
    let client = client(&exchange, options().max_queued_messages(2_u32));
    let rule = |rule: Overflow| qos1().overflow(rule);
    let a = post(&client, "a", &qos1());
    let b = post(&client, "b", &qos1());
    let c = post(&client, "c", &rule(Overflow::DropOldest));
    assert_eq!(outcome(&client, a), OutcomeStatus::Dropped);
    assert_eq!(client.stats().queued, 2);
    let d = post(&client, "d", &rule(Overflow::DropNewest));
    assert_eq!(outcome(&client, d), OutcomeStatus::Dropped);
    let options = rule(Overflow::Reject);
    let letter = Publish {
        topic: "t",
        payload: Payload::from("e"),
        options: &options,
    };
    assert_eq!(
        client.publish(letter, true).unwrap_err().kind,
        ErrorKind::QueueFull
    );
    assert_eq!(client.stats().queued, 2);
    exchange.refuse(false);
    let mut broker = Script::accept(&exchange, false);
    for (payload, receipt) in [("b", b), ("c", c)] {
        let publish = broker.publish();
        assert_eq!(publish.message.payload(), payload.as_bytes());
        broker.acknowledge(&publish);
        assert_eq!(outcome(&client, receipt), OutcomeStatus::Acknowledged);
    }
    assert_eq!(client.stats().queued, 0);
}

#[test]
fn many_senders_share_a_full_post_office_offline_without_losing_count() {
    let exchange = Exchange::new();
    exchange.refuse(true);
    let client = client(&exchange, options().max_queued_messages(10_u32));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..250).map(|_| post(&client, "x", &qos1())).max());
        }
    });
    let stats = client.stats();
    assert_eq!(stats.queued, 10);
    assert_eq!(stats.outcome(OutcomeStatus::Dropped), 990);
    client.close(Some(Duration::ZERO), None).unwrap();
    client.wait_status(Status::Closed, Some(SOON)).unwrap();
    assert_eq!(client.stats().queued, 0);
}

#[test]
fn a_sender_who_is_held_up_waits_for_room_at_most_until_the_letter_expires() {
    let exchange = Exchange::new();
    let client = client(&exchange, options().max_queued_messages(1_u32));
    let mut broker = Script::accept(&exchange, false);
    client.wait_status(Status::Online, Some(SOON)).unwrap();
    let first = post(&client, "first", &qos1());
    let options = qos1().ttl(Duration::from_millis(30));
    let second = Publish {
        topic: "t",
        payload: Payload::from("second"),
        options: &options,
    };
    assert_eq!(
        client.publish(second.clone(), true).unwrap_err().kind,
        ErrorKind::QueueFull
    );
    let second = client.publish_waiting(second, true, || true).unwrap();
    assert_eq!(outcome(&client, second), OutcomeStatus::Expired);
    assert_eq!(client.stats().outcome(OutcomeStatus::Expired), 1);
    let given_up = Publish {
        topic: "t",
        payload: Payload::from("given up"),
        options: &qos1(),
    };
    assert_eq!(
        client
            .publish_waiting(given_up, true, || false)
            .unwrap_err()
            .kind,
        ErrorKind::Cancelled
    );
    std::thread::scope(|scope| {
        let third = scope.spawn(|| {
            let letter = Publish {
                topic: "t",
                payload: Payload::from("third"),
                options: &qos1(),
            };
            client.publish_waiting(letter, true, || true).unwrap()
        });
        let publish = broker.publish();
        broker.acknowledge(&publish);
        let publish = broker.publish();
        assert_eq!(publish.message.payload(), b"third");
        broker.acknowledge(&publish);
        assert_eq!(
            outcome(&client, third.join().unwrap()),
            OutcomeStatus::Acknowledged
        );
    });
    assert_eq!(outcome(&client, first), OutcomeStatus::Acknowledged);
}

#[test]
fn a_sender_who_is_held_up_when_the_link_drops_goes_by_the_overflow_rule() {
    let exchange = Exchange::new();
    let client = client(
        &exchange,
        options().max_queued_messages(2_u32).max_in_flight(1_u16),
    );
    let mut broker = Script::accept(&exchange, false);
    client.wait_status(Status::Online, Some(SOON)).unwrap();
    let in_flight = post(&client, "in flight", &qos1());
    broker.publish();
    let waiting = post(&client, "waiting", &qos1());
    std::thread::scope(|scope| {
        let held_up = scope.spawn(|| {
            let letter = Publish {
                topic: "t",
                payload: Payload::from("held up"),
                options: &qos1(),
            };
            client.publish_waiting(letter, true, || true).unwrap()
        });
        exchange.refuse(true);
        broker.peer.cut(io::ErrorKind::ConnectionReset);
        assert_eq!(outcome(&client, waiting), OutcomeStatus::Dropped);
        held_up.join().unwrap();
    });
    assert_eq!((client.stats().queued, client.stats().in_flight), (1, 1));
    client.close(Some(Duration::ZERO), None).unwrap();
    let settled = client.wait_receipt(in_flight, Some(SOON)).unwrap();
    assert_eq!(
        (settled.status, settled.maybe_delivered),
        (OutcomeStatus::Closed, true)
    );
}
