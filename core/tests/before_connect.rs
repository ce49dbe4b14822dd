//! The function that is asked before each attempt to connect: what it says is what the broker hears, and what it does wrong is an attempt that fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::executor::block_on;
use leveret::testing::Broker;
use leveret::{Attempt, Client, ConnectOptions, ConnectionEvent, ErrorKind, News, Options, Status};

const SOON: Duration = Duration::from_secs(20);

fn options() -> Options {
    Options::new()
        .username("of the options")
        .password("hush")
        .backoff_min(Duration::from_millis(5))
        .backoff_max(Duration::from_millis(10))
}

/// A broker that takes these users with these passwords alone.
fn broker(users: &[(&str, &str)]) -> Broker {
    let with =
        |broker: leveret::testing::BrokerBuilder, user: &(&str, &str)| broker.user(user.0, user.1);
    users
        .iter()
        .fold(Broker::builder(), with)
        .start()
        .expect("a broker")
}

fn asked(broker: &Broker, ask: impl FnMut(Attempt) + Send + 'static) -> Client {
    let builder = Client::builder(broker.url()).options(options());
    builder.before_connect(ask).build().expect("a client")
}

async fn online(client: &Client) {
    let online = client.wait_for(Status::Online, SOON);
    online.await.expect("online");
}

/// The next attempt that failed: its error.
async fn failure(client: &Client) -> leveret::Error {
    let mut events = client.events();
    while let Some(news) = events.next().await {
        if let News::Connection(ConnectionEvent::AttemptFailed { why, .. }) = news {
            return why;
        }
    }
    panic!("no attempt failed");
}

#[test]
fn each_connection_is_made_with_what_was_answered_for_it() {
    let broker = broker(&[("user 1", "token"), ("user 2", "token")]);
    let url = broker.url().to_owned();
    let client = asked(&broker, move |attempt| {
        assert_eq!(attempt.url(), url);
        let (user, will) = (format!("user {}", attempt.number()), "will/of/now");
        let said = ConnectOptions::new().username(user).password("token");
        attempt.connect(said.will_topic(will));
    });
    block_on(async {
        online(&client).await;
        broker.disconnect_clients();
        client.wait_for(Status::Offline, SOON).await.unwrap();
        online(&client).await;
    });
    let connects = broker.connects();
    let users: Vec<_> = connects.iter().map(|connect| connect.user_name()).collect();
    assert_eq!(users, [Some("user 1"), Some("user 2")]);
    assert!(connects.iter().all(|connect| connect.has_will()));
}

#[test]
fn what_is_left_out_is_as_the_options_say_and_an_answer_may_come_from_elsewhere() {
    let broker = broker(&[("of the options", "hush")]);
    let client = asked(&broker, |attempt| {
        std::thread::spawn(move || attempt.connect(ConnectOptions::new()));
    });
    block_on(online(&client));
    assert!(broker.connects()[0].reason().0 == 0);
}

#[test]
fn a_url_that_is_answered_is_dialed_with_the_user_in_it() {
    let (named, other) = (broker(&[]), broker(&[("signed", "for now")]));
    let port = other.port();
    let client = asked(&named, move |attempt| {
        let url = format!("mqtt://signed:for%20now@127.0.0.1:{port}");
        attempt.connect(ConnectOptions::new().url(url));
    });
    block_on(online(&client));
    assert_eq!(named.connects().len(), 0);
    assert_eq!(other.connects()[0].user_name(), Some("signed"));
}

#[test]
fn refused_dropped_and_invalid_answers_are_failed_attempts_that_say_why_and_no_secret() {
    let broker = broker(&[]);
    type Answer = fn(Attempt);
    let wrong: [(Answer, &str); 4] = [
        (
            |attempt| attempt.refuse("no token to be had"),
            "no token to be had",
        ),
        (drop, "the attempt was dropped"),
        (
            |attempt| attempt.connect(ConnectOptions::new().will_payload("x")),
            "will_topic must be given where will_payload is",
        ),
        (
            |attempt| attempt.connect(ConnectOptions::new().url("mqtt://u:hush@h:99999")),
            "99999",
        ),
    ];
    for (answer, words) in wrong {
        let client = asked(&broker, answer);
        let why = block_on(failure(&client));
        assert_eq!(why.kind, ErrorKind::Refused);
        let sentence = why.to_string();
        assert!(
            sentence.contains(words) && !sentence.contains("hush"),
            "{sentence}"
        );
    }
    assert_eq!(broker.connects().len(), 0);
}

#[test]
fn an_answer_that_does_not_come_is_a_failed_attempt_and_the_next_one_is_asked_for() {
    let broker = broker(&[]);
    let kept = Arc::new(Mutex::new(Vec::new()));
    let (count, keeper) = (AtomicU64::new(0), Arc::clone(&kept));
    let builder = Client::builder(broker.url())
        .options(options().hook_timeout(Duration::from_millis(20)))
        .before_connect(move |attempt| {
            if count.fetch_add(1, Ordering::Relaxed) < 2 {
                keeper.lock().unwrap().push(attempt);
            } else {
                attempt.connect(ConnectOptions::new());
            }
        });
    let client = builder.build().expect("a client");
    let why = block_on(failure(&client));
    assert_eq!(why.kind, ErrorKind::TimedOut);
    block_on(online(&client));
    kept.lock().unwrap().clear();
    assert_eq!(
        client.status(),
        Status::Online,
        "an old answer changes nothing"
    );
}
