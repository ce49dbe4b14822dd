//! Functions of the application that panic, or that wait for what they have yet to decide: they harm the one step they were asked for, and no other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::executor::block_on;
use leveret::testing::Broker;
use leveret::{
    Builder, Client, ConnectOptions, ConnectionEvent, ErrorKind, News, Options, PacketType,
    Protocol, QoS, Status,
};

const SOON: Duration = Duration::from_secs(20);

fn builder(url: &str) -> Builder {
    let options = Options::new()
        .protocol(Protocol::V5)
        .backoff_min(Duration::from_millis(5))
        .backoff_max(Duration::from_millis(10));
    Client::builder(url).options(options)
}

fn online(client: &Client) {
    block_on(client.wait_for(Status::Online, SOON)).expect("online");
}

/// Why attempts fail, until one does for a reason with these words in it.
fn failed_because(client: &Client, words: &str) {
    let mut events = client.events();
    block_on(async {
        while let Some(news) = events.next().await {
            match news {
                News::Connection(ConnectionEvent::AttemptFailed { why, .. })
                    if why.to_string().contains(words) =>
                {
                    return;
                }
                _ => {}
            }
        }
        panic!("no attempt failed with {words:?}");
    });
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < SOON, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_hook_that_panics_is_called_for_every_other_packet_and_so_are_the_others() {
    let broker = Broker::start_new().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let others = Arc::new(AtomicUsize::new(0));
    let other = Arc::clone(&others);
    let client = builder(broker.url())
        .hook(PacketType::PubAck, move |_| {
            let call = counted.fetch_add(1, Ordering::Relaxed);
            assert!(!call.is_multiple_of(3), "on purpose");
        })
        .hook(PacketType::PubRec, move |_| {
            other.fetch_add(1, Ordering::Relaxed);
            panic!("on purpose");
        })
        .before_connect(|attempt| attempt.connect(ConnectOptions::new()))
        .build()
        .unwrap();
    online(&client);
    for number in 0..30 {
        let letter = client.publish("letters", "x");
        let qos = if number % 2 == 0 {
            QoS::AtLeastOnce
        } else {
            QoS::ExactlyOnce
        };
        letter.qos(qos).send_unreported().unwrap();
    }
    block_on(client.flush(SOON)).expect("a panic holds no answer back");
    until("the hooks were called for every packet", || {
        calls.load(Ordering::Relaxed) == 15 && others.load(Ordering::Relaxed) == 15
    });
    broker.disconnect_clients();
    block_on(client.wait_for(Status::Offline, SOON)).unwrap();
    online(&client);
}

#[test]
fn before_connect_that_panics_lets_the_attempt_fail_and_is_asked_again() {
    let broker = Broker::start_new().unwrap();
    let calls = AtomicUsize::new(0);
    let client = builder(broker.url())
        .before_connect(move |attempt| {
            assert!(calls.fetch_add(1, Ordering::Relaxed) != 0, "on purpose");
            attempt.connect(ConnectOptions::new());
        })
        .build()
        .unwrap();
    failed_because(
        &client,
        "the function asked before each connect failed: it panicked",
    );
    online(&client);
}

#[test]
fn an_authenticator_that_panics_lets_the_step_fail_and_is_asked_again() {
    let broker = Broker::start_new().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let options = Options::new()
        .protocol(Protocol::V5)
        .authentication_method("TOKEN")
        .backoff_min(Duration::from_millis(5))
        .backoff_max(Duration::from_millis(10));
    let client = builder(broker.url())
        .options(options)
        .authenticator(move |step| {
            assert!(counted.fetch_add(1, Ordering::Relaxed) != 0, "on purpose");
            step.answer("token");
        })
        .build()
        .unwrap();
    failed_because(&client, "the authenticator refused: it panicked");
    until("it is asked again", || calls.load(Ordering::Relaxed) > 1);
}

#[test]
fn a_transport_that_panics_lets_the_attempt_fail() {
    let calls = AtomicUsize::new(0);
    let client = builder("mqtt://nowhere")
        .transport(move |_| {
            assert!(calls.fetch_add(1, Ordering::Relaxed) != 0, "on purpose");
            async {
                let (ours, _) = tokio::io::duplex(64);
                assert!(std::hint::black_box(false), "on purpose, too");
                Ok(ours)
            }
        })
        .build()
        .unwrap();
    for _ in 0..2 {
        failed_because(&client, "the function that makes the transport panicked");
    }
    assert_eq!(client.status(), Status::Offline);
}

#[test]
fn before_connect_that_waits_for_its_own_connection_is_told_so_at_once() {
    let broker = Broker::start_new().unwrap();
    let client: Arc<Mutex<Option<Client>>> = Arc::default();
    let told = Arc::new(Mutex::new(Vec::new()));
    let (its, tell) = (Arc::clone(&client), Arc::clone(&told));
    let made = builder(broker.url())
        .before_connect(move |attempt| {
            let made = {
                until("the client is made", || its.lock().unwrap().is_some());
                its.lock().unwrap().clone().unwrap()
            };
            let waits = [
                block_on(made.wait_for(Status::Online, SOON)),
                block_on(made.flush(SOON)),
            ];
            let kinds = waits.map(|waited| waited.unwrap_err().kind);
            tell.lock().unwrap().extend(kinds);
            attempt.connect(ConnectOptions::new());
        })
        .build()
        .unwrap();
    *client.lock().unwrap() = Some(made.clone());
    drop(made.publish("letters", "x").send().unwrap());
    online(&made);
    client.lock().unwrap().take();
    assert_eq!(*told.lock().unwrap(), [ErrorKind::WouldDeadlock; 2]);
}

#[test]
fn a_hook_that_closes_its_client_cannot_wait_for_the_end_of_it() {
    let broker = Broker::start_new().unwrap();
    let client: Arc<Mutex<Option<Client>>> = Arc::default();
    let told = Arc::new(Mutex::new(None));
    let (its, tell) = (Arc::clone(&client), Arc::clone(&told));
    let made = builder(broker.url())
        .hook(PacketType::PubAck, move |_| {
            let made = its.lock().unwrap().take().unwrap();
            block_on(made.close(SOON)).unwrap();
            let waited = block_on(made.wait_for(Status::Closed, SOON));
            *tell.lock().unwrap() = Some(waited.unwrap_err().kind);
        })
        .build()
        .unwrap();
    *client.lock().unwrap() = Some(made.clone());
    let letter = made.publish("letters", "x");
    drop(letter.qos(QoS::AtLeastOnce).send().unwrap());
    block_on(made.wait_for(Status::Closed, SOON)).expect("closed when the hook has returned");
    assert_eq!(*told.lock().unwrap(), Some(ErrorKind::WouldDeadlock));
}
