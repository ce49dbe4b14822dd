//! Requests over a scripted link: what is sent, which response is whose, and what is left behind.

use std::task::Poll;
use std::time::Duration;

use leveret_protocol::codec::{Packet, Publish, Subscribe};
use leveret_protocol::engine::Reply;
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::message::{Message, QoS};
use leveret_protocol::options::{ClientOptions, PublishOptions, SubscribeOptions};
use leveret_protocol::outcome::Status;

use super::script::{SOON, Script, client, expect, options};
use crate::host::{self, Client};
use crate::net::memory::Exchange;
use crate::routes::Target;

fn online(options: ClientOptions) -> (Client, Script) {
    let exchange = Exchange::new();
    let client = client(&exchange, options);
    let broker = Script::accept(&exchange, false);
    client.wait_status(Status::Online, Some(SOON)).unwrap();
    (client, broker)
}

fn request(client: &Client, options: &PublishOptions, timeout: Duration) -> Result<u64, Error> {
    let letter = host::Publish {
        topic: "door/state",
        payload: "?".into(),
        options,
    };
    client.request(letter, Some(timeout))
}

fn response(client: &Client, question: u64) -> Result<Message, Error> {
    match client.wait_reply(question, Some(SOON))? {
        Reply::Response(response) => Ok(*response),
        other => panic!("a response was expected, not {other:?}"),
    }
}

fn subscribe(broker: &mut Script) -> Subscribe {
    match broker.packet() {
        Packet::Subscribe(subscribe) => subscribe,
        other => panic!("a SUBSCRIBE was expected, not {other:?}"),
    }
}

fn suback(broker: &Script, subscribe: &Subscribe, code: u8) {
    let [high, low] = subscribe.packet_id.get().to_be_bytes();
    broker.peer.send(&[0x90, 4, high, low, 0, code]);
}

/// Answers a request, with its correlation data or other.
fn respond(broker: &Script, request: &Publish, correlation: Option<&[u8]>, payload: &[u8]) {
    let properties = &request.message.properties;
    let topic = properties.response_topic().expect("it asks for a response");
    let data = correlation.unwrap_or_else(|| properties.correlation_data().expect("it has some"));
    let mut body = vec![0, topic.len() as u8];
    body.extend(topic.as_bytes());
    body.push(3 + data.len() as u8);
    body.extend([0x09, 0, data.len() as u8]);
    body.extend(data);
    body.extend(payload);
    let mut packet = vec![0x30, body.len() as u8];
    packet.extend(body);
    broker.peer.send(&packet);
}

/// Nobody waits for anything and nothing is kept.
fn expect_nothing_left(client: &Client) {
    let shared = client.watcher();
    let left = || {
        shared
            .ledger
            .with(|ledger| (ledger.requests.open(), ledger.kept().0))
    };
    expect(|context| {
        if left() == (0, 0) && client.stats().queued + client.stats().in_flight == 0 {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::thread::yield_now();
        Poll::Pending
    });
}

#[test]
fn a_request_subscribes_once_and_says_where_and_how_to_answer() {
    let (client, mut broker) = online(options());
    let plain = PublishOptions::new();
    let first = request(&client, &plain, Duration::from_secs(5)).unwrap();
    let subscription = subscribe(&mut broker);
    let asked = broker.publish();
    let properties = &asked.message.properties;
    let topic = properties.response_topic().unwrap();
    assert_eq!(subscription.filters[0].filter.as_str(), topic);
    assert_eq!(properties.message_expiry_interval(), Some(5));
    let second = request(&client, &plain, Duration::from_secs(5)).unwrap();
    let other = broker.publish();
    let of = |publish: &Publish| {
        publish
            .message
            .properties
            .correlation_data()
            .unwrap()
            .to_vec()
    };
    assert_ne!(of(&asked), of(&other));
    assert_eq!(other.message.properties.response_topic(), Some(topic));
    respond(&broker, &other, None, b"second");
    respond(&broker, &asked, None, b"first");
    assert_eq!(response(&client, first).unwrap().payload(), b"first");
    assert_eq!(response(&client, second).unwrap().payload(), b"second");
    suback(&broker, &subscription, 1);
    broker.acknowledge(&asked);
    broker.acknowledge(&other);
    expect_nothing_left(&client);
}

#[test]
fn late_and_unknown_responses_are_counted_and_answer_nobody() {
    let (client, mut broker) = online(options());
    let asked = request(&client, &PublishOptions::new(), Duration::from_millis(50)).unwrap();
    let subscription = subscribe(&mut broker);
    suback(&broker, &subscription, 1);
    let publish = broker.publish();
    broker.acknowledge(&publish);
    let error = response(&client, asked).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert_eq!(
        error.to_string(),
        "no response came in time: the broker has the request"
    );
    respond(&broker, &publish, None, b"late");
    respond(&broker, &publish, Some(b"unknown"), b"?");
    let again = request(&client, &PublishOptions::new(), SOON).unwrap();
    let publish = broker.publish();
    respond(&broker, &publish, None, b"in time");
    assert_eq!(response(&client, again).unwrap().payload(), b"in time");
    assert_eq!(client.stats().unhandled, 2);
}

#[test]
fn who_gives_up_takes_the_letter_back() {
    let (client, mut broker) = online(options().max_in_flight(1_u16));
    let plain = PublishOptions::new();
    let first = request(&client, &plain, SOON).unwrap();
    let subscription = subscribe(&mut broker);
    suback(&broker, &subscription, 1);
    let publish = broker.publish();
    // The window is full: this one waits.
    let given_up = request(&client, &plain, SOON).unwrap();
    client.forget(given_up);
    let third = request(&client, &plain, SOON).unwrap();
    expect(|context| {
        if client.stats().outcomes[host::OutcomeStatus::Cancelled as usize] == 1 {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::thread::yield_now();
        Poll::Pending
    });
    broker.acknowledge(&publish);
    respond(&broker, &publish, None, b"first");
    assert_eq!(response(&client, first).unwrap().payload(), b"first");
    let publish = broker.publish();
    broker.acknowledge(&publish);
    respond(&broker, &publish, None, b"third");
    assert_eq!(response(&client, third).unwrap().payload(), b"third");
    expect_nothing_left(&client);
}

#[test]
fn a_letter_that_cannot_arrive_ends_the_request_at_once() {
    let (client, mut broker) = online(options());
    let asked = request(&client, &PublishOptions::new(), SOON).unwrap();
    let subscription = subscribe(&mut broker);
    suback(&broker, &subscription, 1);
    let publish = broker.publish();
    let [high, low] = publish.packet_id.unwrap().get().to_be_bytes();
    broker.peer.send(&[0x40, 3, high, low, 0x87]);
    let error = response(&client, asked).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotDelivered);
    assert_eq!(error.reason.map(|reason| reason.0), Some(0x87));
    expect_nothing_left(&client);
}

#[test]
fn a_refused_response_topic_ends_the_request_and_the_next_one_asks_again() {
    let (client, mut broker) = online(options());
    let asked = request(&client, &PublishOptions::new(), SOON).unwrap();
    let subscription = subscribe(&mut broker);
    broker.publish();
    suback(&broker, &subscription, 0x87);
    let error = response(&client, asked).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(error.reason.map(|reason| reason.0), Some(0x87));
    request(&client, &PublishOptions::new(), SOON).unwrap();
    subscribe(&mut broker);
}

#[test]
fn closing_ends_requests() {
    let (client, mut broker) = online(options());
    let asked = request(&client, &PublishOptions::new(), SOON).unwrap();
    subscribe(&mut broker);
    broker.publish();
    client.close(Some(Duration::ZERO), None).unwrap();
    assert_eq!(
        response(&client, asked).unwrap_err().kind,
        ErrorKind::Closed
    );
}

#[test]
fn the_correlation_data_of_an_open_request_is_not_given_twice() {
    let (client, mut broker) = online(options());
    let own = PublishOptions::new().correlation_data(b"7".as_slice());
    let first = request(&client, &own, SOON).unwrap();
    subscribe(&mut broker);
    let publish = broker.publish();
    let error = request(&client, &own, SOON).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidArgument);
    respond(&broker, &publish, None, b"x");
    assert_eq!(response(&client, first).unwrap().payload(), b"x");
    request(&client, &own, SOON).unwrap();
}

#[test]
fn the_broker_may_say_below_which_topic_it_lets_answer() {
    let exchange = Exchange::new();
    let client = client(&exchange, options().request_response_information(true));
    // Posted once it is known.
    request(&client, &PublishOptions::new(), SOON).unwrap();
    let mut broker = Script::call(&exchange);
    broker.packet();
    // CONNACK with Response Information "own/7".
    let mut connack = vec![0x20, 11, 0, 0, 8, 0x1A, 0, 5];
    connack.extend(b"own/7");
    broker.peer.send(&connack);
    let filter = subscribe(&mut broker).filters[0].filter.clone();
    assert!(filter.as_str().starts_with("own/7/"), "{filter:?}");
}

#[test]
fn a_response_is_acknowledged_here_also_where_the_application_acknowledges_by_hand() {
    let (client, mut broker) = online(options().manual_ack(true));
    let asked = request(&client, &PublishOptions::new(), SOON).unwrap();
    let subscription = subscribe(&mut broker);
    suback(&broker, &subscription, 1);
    let publish = broker.publish();
    broker.acknowledge(&publish);
    let properties = &publish.message.properties;
    let topic = properties.response_topic().unwrap();
    let data = properties.correlation_data().unwrap();
    let mut body = vec![0, topic.len() as u8];
    body.extend(topic.as_bytes());
    body.extend([0, 9, 3 + data.len() as u8, 0x09, 0, data.len() as u8]);
    body.extend(data);
    let mut packet = vec![0x32, body.len() as u8];
    packet.extend(body);
    broker.peer.send(&packet);
    assert_eq!(response(&client, asked).unwrap().payload(), b"");
    assert!(matches!(broker.packet(), Packet::PubAck(ack) if ack.packet_id.get() == 9));
}

#[test]
fn a_request_goes_on_over_a_lost_connection_and_session() {
    let exchange = Exchange::new();
    let client = client(&exchange, options());
    let mut broker = Script::accept(&exchange, false);
    client.wait_status(Status::Online, Some(SOON)).unwrap();
    let asked = request(&client, &PublishOptions::new(), SOON).unwrap();
    let first = subscribe(&mut broker);
    suback(&broker, &first, 1);
    broker.publish();
    broker.peer.cut(std::io::ErrorKind::ConnectionReset);
    let mut broker = Script::accept(&exchange, false);
    let again = subscribe(&mut broker);
    assert_eq!(again.filters[0].filter, first.filters[0].filter);
    suback(&broker, &again, 1);
    let publish = broker.publish();
    respond(&broker, &publish, None, b"after all");
    assert_eq!(response(&client, asked).unwrap().payload(), b"after all");
}

#[test]
fn a_response_topic_that_was_unsubscribed_is_subscribed_to_again() {
    let (client, mut broker) = online(options().response_topic("mine".to_owned()));
    let asked = request(&client, &PublishOptions::new(), SOON).unwrap();
    let subscription = subscribe(&mut broker);
    suback(&broker, &subscription, 1);
    let publish = broker.publish();
    respond(&broker, &publish, None, b"one");
    assert_eq!(response(&client, asked).unwrap().payload(), b"one");
    client.unsubscribe(&["mine"]).unwrap();
    assert!(matches!(broker.packet(), Packet::Unsubscribe(_)));
    request(&client, &PublishOptions::new(), SOON).unwrap();
    assert_eq!(subscribe(&mut broker).filters[0].filter.as_str(), "mine");
}

/// The test plays another thread that was interrupted between entering the response topic and handing over its SUBSCRIBE.
#[test]
fn no_request_overtakes_the_subscribe_that_another_thread_is_about_to_hand_over() {
    let (client, mut broker) = online(options().response_topic("mine".to_owned()));
    let shared = client.watcher();
    let due = shared.ledger.with(|ledger| {
        let changes = ledger.requests.topics.enter("mine", QoS::AtLeastOnce);
        ledger.requests.subscribe_due();
        changes.subscribe
    });
    assert!(due, "the other thread was first");
    request(&client, &PublishOptions::new(), SOON).unwrap();
    let letter = host::Publish {
        topic: "later",
        payload: "".into(),
        options: &PublishOptions::new(),
    };
    client.publish(letter, false).unwrap();
    assert_eq!(broker.publish().message.topic, "later");
    let filters = [("mine", SubscribeOptions::new())];
    client.subscribe(&filters, Target::General).unwrap();
    shared
        .ledger
        .put(|ledger, rings| ledger.requests.subscribed(rings));
    assert_eq!(subscribe(&mut broker).filters[0].filter.as_str(), "mine");
    assert_eq!(broker.publish().message.topic, "door/state");
}

#[test]
fn of_topics_that_the_application_names_64_idle_ones_stay_subscribed() {
    let (client, mut broker) = online(options());
    let named = |topic: String| PublishOptions::new().response_topic(topic);
    for number in 0..=64 {
        let asked = request(&client, &named(format!("answers/{number}")), SOON).unwrap();
        let subscription = subscribe(&mut broker);
        suback(&broker, &subscription, 1);
        let publish = broker.publish();
        broker.acknowledge(&publish);
        respond(&broker, &publish, None, b"");
        response(&client, asked).unwrap();
    }
    expect_nothing_left(&client);
    request(&client, &named("answers/more".to_owned()), SOON).unwrap();
    subscribe(&mut broker);
    let Packet::Unsubscribe(unsubscribe) = broker.packet() else {
        panic!("an UNSUBSCRIBE was expected");
    };
    assert_eq!(unsubscribe.filters[0].as_str(), "answers/0");
}
