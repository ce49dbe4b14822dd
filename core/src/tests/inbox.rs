//! The inbox: who gets a message, what happens when it is full, and acknowledging after the last queue.

use std::task::{Context, Poll, Waker};

use leveret_protocol::codec::Properties;
use leveret_protocol::engine::{AckToken, Incoming, Shown, SubscriptionId};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::message::QoS;
use leveret_protocol::options::InboxOverflow;
use leveret_protocol::packet_type::PacketType;
use leveret_protocol::reason::ReasonCode;

use super::common::{message, numbered};
use crate::handoff::{Handoff, Rings};
use crate::inbox::{Delivery, Inbox, News, QueueId};
use crate::routes::{General, Target};

fn inbox(messages: usize, overflow: InboxOverflow) -> Handoff<Inbox> {
    Handoff::new(Inbox::new(messages, usize::MAX, overflow))
}

/// Delivers a message and says what is to be acknowledged at once.
fn deliver(inbox: &Handoff<Inbox>, incoming: Incoming) -> Option<AckToken> {
    inbox.put(|inbox, rings| inbox.deliver(incoming, rings))
}

fn take(inbox: &Handoff<Inbox>, queue: QueueId, max: usize) -> Vec<String> {
    let mut taken = Vec::new();
    inbox.put(|inbox, rings| inbox.take(queue, max, &mut taken, rings));
    let show = |delivery: &Delivery| match delivery {
        Delivery::Message(arrival) => {
            let handlers: Vec<_> = arrival
                .handlers
                .iter()
                .map(|number| number.to_string())
                .collect();
            let general = if arrival.general { "general" } else { "" };
            let payload = String::from_utf8_lossy(&arrival.message.payload).into_owned();
            [payload, handlers.join(","), general.into()].join("|")
        }
        _ => "news".into(),
    };
    taken.iter().map(show).collect()
}

/// A message of QoS 1 for these subscriptions.
fn for_filters(ids: &[SubscriptionId]) -> Incoming {
    let mut incoming = message();
    incoming.message.qos = QoS::AtLeastOnce;
    incoming.token = AckToken::from_bits(0x0000_0100_0000_0701);
    ids.iter().for_each(|&id| incoming.subscriptions.add(id));
    incoming
}

fn declare(inbox: &Handoff<Inbox>, tag: u64, filter: &str, target: Target) -> SubscriptionId {
    inbox
        .with(|inbox| inbox.routes.declare(tag, [filter].into_iter(), target))
        .unwrap()[0]
}

#[test]
fn a_message_goes_to_every_target_of_every_filter_it_matches() {
    let inbox = inbox(10, InboxOverflow::Wait);
    let queue = inbox.with(|inbox| inbox.open_queue());
    let a = declare(&inbox, 1, "a", Target::Handler(7));
    let same = declare(&inbox, 2, "a", Target::Handler(8));
    let b = declare(&inbox, 3, "b", Target::Queue(queue));
    let c = declare(&inbox, 4, "c", Target::General);
    assert_eq!((a, b != a, c != b), (same, true, true));
    assert_eq!(deliver(&inbox, for_filters(&[a, b, c])), None);
    assert_eq!(take(&inbox, QueueId::MAIN, 10), ["0|7,8|"]);
    assert_eq!(take(&inbox, queue, 10), ["0||"]);
    assert_eq!(take(&inbox, QueueId::GENERAL, 10), ["0||general"]);
}

#[test]
fn a_message_in_several_queues_is_done_with_after_the_last() {
    let inbox = inbox(10, InboxOverflow::Wait);
    let queue = inbox.with(|inbox| inbox.open_queue());
    let a = declare(&inbox, 1, "a", Target::Handler(7));
    declare(&inbox, 2, "a", Target::Queue(queue));
    deliver(&inbox, for_filters(&[a]));
    let mut taken = Vec::new();
    inbox.put(|inbox, rings| {
        inbox.take(QueueId::MAIN, 1, &mut taken, rings);
        inbox.take(queue, 1, &mut taken, rings);
    });
    let tickets: Vec<_> = taken
        .iter()
        .filter_map(|delivery| match delivery {
            Delivery::Message(arrival) => arrival.ticket,
            _ => None,
        })
        .collect();
    assert_eq!(tickets.len(), 2);
    assert_eq!(inbox.with(|inbox| inbox.finish(tickets[0], true)), None);
    assert_eq!(
        inbox.with(|inbox| inbox.finish(tickets[1], false)),
        Some(true),
        "one of them failed"
    );
    assert_eq!(
        inbox.with(|inbox| inbox.finish(tickets[1], false)),
        None,
        "done with already"
    );
}

#[test]
fn what_nobody_takes_is_acknowledged_and_counted() {
    let inbox = inbox(10, InboxOverflow::Wait);
    let unmatched = for_filters(&[]);
    let token = unmatched.token;
    assert_eq!(deliver(&inbox, unmatched.clone()), token);
    assert_eq!(inbox.with(|inbox| inbox.unhandled), 1);
    inbox.put(|inbox, rings| inbox.set_general(General::Iterator, rings));
    assert_eq!(deliver(&inbox, unmatched.clone()), None);
    assert_eq!(deliver(&inbox, unmatched), None);
    assert_eq!(take(&inbox, QueueId::GENERAL, 1), ["0||general"]);
    // What waits for the iterator goes to a handler that comes later.
    inbox.put(|inbox, rings| inbox.set_general(General::Handler, rings));
    assert_eq!(take(&inbox, QueueId::GENERAL, 1), [""; 0]);
    assert_eq!(take(&inbox, QueueId::MAIN, 1), ["0||general"]);
}

#[test]
fn what_comes_for_a_declared_filter_without_a_taker_stays_with_the_broker() {
    let inbox = inbox(10, InboxOverflow::Wait);
    let queue = inbox.with(|inbox| inbox.open_queue());
    let id = declare(&inbox, 1, "a", Target::Queue(queue));
    assert_eq!(
        inbox.with(|inbox| inbox.routes.release(Target::Queue(queue))),
        ["a"]
    );
    assert_eq!(deliver(&inbox, for_filters(&[id])), None);
    assert_eq!(inbox.with(|inbox| inbox.unhandled), 1);
}

#[test]
fn a_refused_filter_leaves_no_target_behind() {
    let inbox = inbox(10, InboxOverflow::Wait);
    let refused = declare(&inbox, 1, "a", Target::Handler(1));
    inbox.with(|inbox| inbox.routes.answered(1, &[ReasonCode::NOT_AUTHORIZED]));
    assert_eq!(
        deliver(&inbox, for_filters(&[refused])),
        for_filters(&[]).token
    );
    // A second target that is refused leaves the first one alone.
    let id = declare(&inbox, 2, "b", Target::Handler(2));
    inbox.with(|inbox| inbox.routes.answered(2, &[ReasonCode::SUCCESS]));
    declare(&inbox, 3, "b", Target::Handler(3));
    inbox.with(|inbox| inbox.routes.answered(3, &[ReasonCode::NOT_AUTHORIZED]));
    deliver(&inbox, for_filters(&[id]));
    assert_eq!(take(&inbox, QueueId::MAIN, 10), ["0|2|"]);
}

#[test]
fn a_full_inbox_pauses_reading_until_a_quarter_is_free() {
    let inbox = inbox(4, InboxOverflow::Wait);
    inbox.put(|inbox, rings| inbox.set_general(General::Handler, rings));
    let pause = || inbox.put(|inbox, rings: &mut Rings| inbox.pause(rings));
    (0..3).for_each(|number| assert_eq!(deliver(&inbox, numbered(number)), None));
    assert!(!pause());
    deliver(&inbox, numbered(3));
    assert!(pause());
    // What is taken counts until the next is taken: the application still has it.
    assert_eq!(take(&inbox, QueueId::MAIN, 2).len(), 2);
    assert!(pause());
    assert_eq!(take(&inbox, QueueId::MAIN, 2).len(), 2);
    assert!(!pause());
    assert_eq!(take(&inbox, QueueId::MAIN, 2).len(), 0);
    assert_eq!(inbox.with(|inbox| inbox.size()), Default::default());
}

#[test]
fn what_hooks_have_seen_takes_no_room() {
    let inbox = inbox(2, InboxOverflow::Wait);
    let pause = || inbox.put(|inbox, rings: &mut Rings| inbox.pause(rings));
    let seen = Delivery::Packet(Box::new(Shown {
        number: 0,
        packet: PacketType::PubAck,
        packet_id: Some(1),
        reasons: vec![ReasonCode::SUCCESS],
        session_present: false,
        tag: 0,
        properties: Properties::new(),
    }));
    (0..2).for_each(|_| inbox.put(|inbox, rings| inbox.ask(seen.clone(), rings)));
    assert!(pause());
    // Hooks are called once for all that waits: nothing would come to have them take once more.
    assert_eq!(take(&inbox, QueueId::HOOKS, 8).len(), 2);
    assert!(!pause());
    assert_eq!(inbox.with(|inbox| inbox.size()), Default::default());
}

#[test]
fn under_drop_oldest_messages_of_qos_0_give_way() {
    let inbox = inbox(3, InboxOverflow::DropOldest);
    inbox.put(|inbox, rings| inbox.set_general(General::Handler, rings));
    (0..5).for_each(|number| assert_eq!(deliver(&inbox, numbered(number)), None));
    assert_eq!(inbox.with(|inbox| inbox.dropped), 2);
    // Those of QoS 1 are bounded by the window that we grant; they stay.
    (0..3).for_each(|_| assert_eq!(deliver(&inbox, for_filters(&[])), None));
    deliver(&inbox, numbered(9));
    assert_eq!(inbox.with(|inbox| inbox.dropped), 6);
    assert!(!inbox.put(|inbox, rings| inbox.pause(rings)));
    assert_eq!(take(&inbox, QueueId::MAIN, 10), ["0||general"; 3]);
}

#[test]
fn news_that_nobody_takes_are_bounded() {
    let inbox = inbox(4, InboxOverflow::Wait);
    let news = || News::RoundTrip(std::time::Duration::ZERO);
    (0..5_000).for_each(|_| inbox.put(|inbox, rings| inbox.tell(news(), rings)));
    assert_eq!(take(&inbox, QueueId::MAIN, usize::MAX).len(), 1_024);
    assert_eq!(take(&inbox, QueueId::MAIN, usize::MAX).len(), 0);
}

#[test]
fn a_closed_queue_gives_its_room_back() {
    let inbox = inbox(4, InboxOverflow::Wait);
    let queue = inbox.with(|inbox| inbox.open_queue());
    let id = declare(&inbox, 1, "a", Target::Queue(queue));
    (0..4).for_each(|_| assert_eq!(deliver(&inbox, for_filters(&[id])), None));
    assert_eq!(take(&inbox, queue, 1).len(), 1);
    assert!(inbox.put(|inbox, rings| inbox.pause(rings)));
    assert_eq!(
        inbox
            .put(|inbox, rings| inbox.close_queue(queue, rings))
            .len(),
        3
    );
    assert!(!inbox.put(|inbox, rings| inbox.pause(rings)));
    assert_eq!(inbox.with(|inbox| inbox.size()), Default::default());
}

#[test]
fn a_queue_that_was_closed_says_so_and_not_that_the_client_is() {
    let inbox = inbox(10, InboxOverflow::Wait);
    let queue = inbox.with(Inbox::open_queue);
    inbox.put(|inbox, rings| drop(inbox.close_queue(queue, rings)));
    let context = Context::from_waker(Waker::noop());
    let polled =
        inbox.put(|inbox, rings| inbox.poll_take(queue, 1, &mut Vec::new(), rings, &context));
    let Poll::Ready(Err(error)) = polled else {
        panic!("nothing comes any more");
    };
    assert_eq!(error.kind, ErrorKind::Closed);
    assert_eq!(error.to_string(), "the subscription is closed");
}

#[test]
fn an_iterator_whose_filters_are_all_forgotten_is_over_when_it_is_empty() {
    let inbox = inbox(10, InboxOverflow::Wait);
    let queue = inbox.with(|inbox| inbox.open_iterator());
    let a = declare(&inbox, 1, "a", Target::Queue(queue));
    declare(&inbox, 2, "b", Target::Queue(queue));
    deliver(&inbox, for_filters(&[a]));
    inbox.put(|inbox, rings| inbox.forget_filter("a", rings));
    take(&inbox, queue, 1);
    assert!(!inbox.with(|inbox| inbox.is_over(queue)), "it has b");
    let b = declare(&inbox, 3, "b", Target::Queue(queue));
    deliver(&inbox, for_filters(&[b]));
    inbox.put(|inbox, rings| inbox.forget_filter("b", rings));
    assert!(!inbox.with(|inbox| inbox.is_over(queue)), "a message waits");
    take(&inbox, queue, 1);
    assert!(inbox.with(|inbox| inbox.is_over(queue)));
    // A queue that is nobody's iterator goes on.
    let queue = inbox.with(|inbox| inbox.open_queue());
    declare(&inbox, 4, "a", Target::Queue(queue));
    inbox.put(|inbox, rings| inbox.forget_filter("a", rings));
    assert!(!inbox.with(|inbox| inbox.is_over(queue)));
}

#[test]
fn a_target_is_taken_away_from_some_filters_alone() {
    let inbox = inbox(10, InboxOverflow::Wait);
    let a = declare(&inbox, 1, "a", Target::Handler(1));
    let b = declare(&inbox, 2, "b", Target::Handler(1));
    declare(&inbox, 3, "b", Target::Handler(2));
    let release = |filters: &[&str]| {
        inbox.with(|inbox| inbox.routes.release_from(filters, Target::Handler(1)))
    };
    assert_eq!(release(&["b", "c"]), [""; 0], "somebody else has b");
    deliver(&inbox, for_filters(&[a, b]));
    assert_eq!(take(&inbox, QueueId::MAIN, 1), ["0|1,2|"]);
    assert_eq!(release(&["a"]), ["a"]);
    assert_eq!(release(&["a"]), [""; 0], "nothing is taken away twice");
}
