//! Inside a handler: what would wait for itself fails at once, and a close is put off until it returns.

use std::time::Duration;

use leveret_protocol::codec::Packet;
use leveret_protocol::engine::{Hooks, Payload, Publish, Reply, Words};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::message::QoS;
use leveret_protocol::options::PublishOptions;
use leveret_protocol::outcome::{OutcomeStatus, Status};
use leveret_protocol::packet_type::{PacketSet, PacketType};

use super::script::{SOON, Script, client, expect, options};
use crate::host::Client;
use crate::inbox::{Delivery, QueueId};
use crate::net::memory::Exchange;
use crate::routes::General;
use crate::scope::HandlerScope;

fn qos1() -> PublishOptions {
    PublishOptions::new().qos(QoS::AtLeastOnce)
}

/// A client with an inbox for two messages, and its broker.
fn online(exchange: &Exchange) -> (Client, Script) {
    let options = options()
        .max_inbox_messages(2_u32)
        .max_queued_messages(1_u32);
    let client = client(exchange, options);
    client.set_general(General::Handler);
    let broker = Script::accept(exchange, false);
    client.wait_status(Status::Online, Some(SOON)).unwrap();
    (client, broker)
}

fn fill_inbox(client: &Client, broker: &Script) {
    (0..4).for_each(|_| broker.send("t", b"message"));
    let shared = client.watcher();
    expect(|context| shared.inbox.with(|inbox| inbox.poll_paused(context)));
}

/// Takes messages from the main queue until there is none.
fn empty_inbox(client: &Client) -> usize {
    let mut taken = Vec::new();
    while client.take(QueueId::MAIN, 100, &mut taken) > 0 {}
    taken
        .iter()
        .filter(|delivery| matches!(delivery, Delivery::Message(_)))
        .count()
}

#[test]
fn a_wait_for_the_broker_with_a_full_inbox_fails_at_once() {
    let exchange = Exchange::new();
    let (client, broker) = online(&exchange);
    fill_inbox(&client, &broker);
    let options = qos1();
    let letter = || Publish {
        topic: "t",
        payload: Payload::from("x"),
        options: &options,
    };
    let receipt = client.publish(letter(), true).unwrap();
    let question = client.flush().unwrap();
    let scope = client.handler_scope();
    let kind = |result: Result<(), crate::Error>| result.map_err(|error| error.kind);
    let would_deadlock = Err(ErrorKind::WouldDeadlock);
    assert_eq!(
        kind(client.wait_receipt(receipt, None).map(drop)),
        would_deadlock
    );
    assert_eq!(
        kind(client.wait_reply(question, None).map(drop)),
        would_deadlock
    );
    assert_eq!(
        kind(client.wait_status(Status::Offline, None)),
        would_deadlock
    );
    assert_eq!(
        kind(client.publish_waiting(letter(), true, || true).map(drop)),
        would_deadlock
    );
    assert_eq!(
        kind(client.publish(letter(), true).map(drop)),
        Err(ErrorKind::QueueFull)
    );
    let question = client.explain(receipt).unwrap();
    assert!(matches!(
        client.wait_answer(question),
        Ok(Reply::Explained(Some(_)))
    ));
    drop(scope);
    let timeout = Some(Duration::from_millis(5));
    assert_eq!(
        kind(client.wait_receipt(receipt, timeout).map(drop)),
        Err(ErrorKind::TimedOut)
    );
}

#[test]
fn a_wait_that_begins_to_deadlock_fails_then() {
    let exchange = Exchange::new();
    let (client, broker) = online(&exchange);
    let letter = Publish {
        topic: "t",
        payload: Payload::from("x"),
        options: &qos1(),
    };
    let receipt = client.publish(letter, true).unwrap();
    let waiting = client.clone();
    let waiting = std::thread::spawn(move || {
        let _scope = waiting.handler_scope();
        waiting.wait_receipt(receipt, Some(SOON)).unwrap_err().kind
    });
    fill_inbox(&client, &broker);
    assert_eq!(waiting.join().unwrap(), ErrorKind::WouldDeadlock);
}

#[test]
fn a_receipt_is_waited_for_inside_a_handler_while_messages_queue() {
    let exchange = Exchange::new();
    let (client, mut broker) = online(&exchange);
    broker.send("t", b"message");
    let _scope = client.handler_scope();
    let letter = Publish {
        topic: "t",
        payload: Payload::from("x"),
        options: &qos1(),
    };
    let receipt = client.publish(letter, true).unwrap();
    let publish = broker.publish();
    broker.acknowledge(&publish);
    let outcome = client.wait_receipt(receipt, Some(SOON)).unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Acknowledged);
}

#[test]
fn a_new_connection_is_accepted_also_while_the_inbox_is_full() {
    let exchange = Exchange::new();
    let (client, broker) = online(&exchange);
    fill_inbox(&client, &broker);
    client.reconnect().unwrap();
    let mut next = Script::accept(&exchange, false);
    let letter = Publish {
        topic: "t",
        payload: Payload::from("x"),
        options: &qos1(),
    };
    let receipt = client.publish(letter, true).unwrap();
    let publish = next.publish();
    next.acknowledge(&publish);
    assert!(publish.packet_id.is_some());
    empty_inbox(&client);
    let outcome = client.wait_receipt(receipt, Some(SOON)).unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Acknowledged);
}

#[test]
fn reading_goes_on_when_the_inbox_is_emptied() {
    let exchange = Exchange::new();
    let (client, broker) = online(&exchange);
    fill_inbox(&client, &broker);
    let mut found = empty_inbox(&client);
    while found < 4 {
        let mut one = Vec::new();
        let count = client
            .wait_take(QueueId::MAIN, 1, Some(SOON), &mut one)
            .unwrap();
        found += usize::from(count == 1 && matches!(one[..], [Delivery::Message(_)]));
    }
    broker.send("t", b"one more");
    loop {
        let mut one = Vec::new();
        client
            .wait_take(QueueId::MAIN, 1, Some(SOON), &mut one)
            .unwrap();
        if matches!(&one[..], [Delivery::Message(arrival)] if arrival.message.payload() == b"one more")
        {
            break;
        }
    }
}

#[test]
fn a_close_inside_a_handler_takes_effect_when_it_returns() {
    let exchange = Exchange::new();
    let (client, mut broker) = online(&exchange);
    let outer = client.handler_scope();
    let inner = client.handler_scope();
    assert!(client.is_in_handler());
    assert_eq!(client.close(None, None).unwrap(), None);
    drop(inner);
    let letter = Publish {
        topic: "t",
        payload: Payload::from("x"),
        options: &qos1(),
    };
    let receipt = client.publish(letter, true).unwrap();
    let publish = broker.publish();
    assert_eq!(client.status(), Status::Online);
    drop(outer);
    broker.acknowledge(&publish);
    let outcome = client.wait_receipt(receipt, Some(SOON)).unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Acknowledged);
    assert!(matches!(broker.packet(), Packet::Disconnect(_)));
    client.wait_status(Status::Closed, Some(SOON)).unwrap();
}

#[test]
fn a_handler_that_has_closed_its_client_cannot_wait_for_the_end() {
    let exchange = Exchange::new();
    let (client, mut broker) = online(&exchange);
    let outer = client.handler_scope();
    let inner = client.handler_scope();
    assert_eq!(client.close(None, None).unwrap(), None);
    for _ in 0..2 {
        for status in [Status::Closed, Status::Offline] {
            let waited = client.wait_status(status, None).unwrap_err();
            assert_eq!(waited.kind, ErrorKind::WouldDeadlock);
        }
    }
    drop(inner);
    let waited = client.wait_status(Status::Closed, None).unwrap_err();
    assert_eq!(waited.kind, ErrorKind::WouldDeadlock);
    // What comes before the end may be waited for.
    client.wait_status(Status::Online, None).unwrap();
    drop(outer);
    assert!(matches!(broker.packet(), Packet::Disconnect(_)));
    client.wait_status(Status::Closed, Some(SOON)).unwrap();
}

#[test]
fn where_hooks_are_called_nobody_waits_for_what_a_hook_has_yet_to_decide() {
    let exchange = Exchange::new();
    let (client, broker) = online(&exchange);
    client
        .set_hooks(Hooks {
            prepares: true,
            ..Hooks::default()
        })
        .unwrap();
    let letter = Publish {
        topic: "t",
        payload: Payload::from("x"),
        options: &qos1(),
    };
    client.publish(letter, false).unwrap();
    let would_deadlock = |scope: HandlerScope| {
        let waited = client.wait_status(Status::Online, None).unwrap_err();
        drop(scope);
        assert_eq!(waited.kind, ErrorKind::WouldDeadlock);
    };
    // It is asked while a callback waits already, on the thread that would have to call it.
    let waiting = client.clone();
    let waiting = std::thread::spawn(move || {
        let _scope = waiting.handler_scope().with_hooks();
        let question = waiting.flush().unwrap();
        waiting.wait_reply(question, None).unwrap_err().kind
    });
    broker.peer.cut(std::io::ErrorKind::ConnectionReset);
    let mut taken = Vec::new();
    let queued = client.wait_take(QueueId::HOOKS, 1, Some(SOON), &mut taken);
    assert_eq!(queued.unwrap(), 1);
    assert_eq!(waiting.join().unwrap(), ErrorKind::WouldDeadlock);
    would_deadlock(client.handler_scope().with_hooks());
    would_deadlock(client.hook_scope(&taken[0]));
    // The hook has returned, and somebody else is to answer.
    let _scope = client.handler_scope().with_hooks();
    let waited = client.wait_status(Status::Online, Some(Duration::ZERO));
    assert_eq!(waited.unwrap_err().kind, ErrorKind::TimedOut);
}

#[test]
fn a_hook_cannot_wait_for_the_letter_that_waits_for_its_words() {
    let exchange = Exchange::new();
    let client = client(&exchange, options());
    let mut broker = Script::accept(&exchange, false);
    let shown = PacketSet::of(&[PacketType::PubRec]);
    client
        .set_hooks(Hooks {
            shown,
            answered: shown,
            ..Hooks::default()
        })
        .unwrap();
    let options = PublishOptions::new().qos(QoS::ExactlyOnce);
    let letter = || Publish {
        topic: "t",
        payload: Payload::from("x"),
        options: &options,
    };
    let receipts = [(); 2].map(|()| client.publish(letter(), true).unwrap());
    let first = broker.publish();
    let [high, low] = first.packet_id.unwrap().get().to_be_bytes();
    broker.peer.send(&[0x50, 2, high, low]);
    let mut taken = Vec::new();
    let queued = client.wait_take(QueueId::HOOKS, 1, Some(SOON), &mut taken);
    assert_eq!(queued.unwrap(), 1);
    let scope = client.hook_scope(&taken[0]);
    let timeout = Some(Duration::ZERO);
    let waits = receipts.map(|receipt| client.wait_receipt(receipt, timeout).unwrap_err().kind);
    assert_eq!(waits, [ErrorKind::WouldDeadlock, ErrorKind::TimedOut]);
    let Delivery::Packet(shown) = &taken[0] else {
        panic!("a packet");
    };
    client.answer(shown.number, &Words::default()).unwrap();
    let waited = client.wait_receipt(receipts[0], timeout).unwrap_err();
    assert_eq!(waited.kind, ErrorKind::TimedOut);
    drop(scope);
}

#[test]
fn the_last_handle_dropped_inside_a_handler_closes_when_it_returns() {
    let exchange = Exchange::new();
    let (client, mut broker) = online(&exchange);
    let scope = client.handler_scope();
    let watcher = client.watcher();
    drop(client);
    assert!(watcher.outbox.with(|outbox| outbox.check_open()).is_ok());
    drop(scope);
    assert!(watcher.outbox.with(|outbox| outbox.check_open()).is_err());
    assert!(matches!(broker.packet(), Packet::Disconnect(_)));
}

#[test]
fn the_runtime_never_waits_for_itself() {
    let exchange = Exchange::new();
    let (client, broker) = online(&exchange);
    let (told, tell) = (std::sync::mpsc::channel(), client.clone());
    let sender = told.0;
    let ring = move || {
        let waited = tell.wait_status(Status::Closed, Some(SOON)).unwrap_err();
        let _ = sender.send(waited.kind);
    };
    empty_inbox(&client);
    client.set_bell(&crate::doorbell::Bell::Call(std::sync::Arc::new(ring)));
    broker.send("t", b"message");
    assert_eq!(told.1.recv_timeout(SOON).unwrap(), ErrorKind::WouldDeadlock);
}
