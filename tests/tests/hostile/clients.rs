//! The clients that hostile brokers meet: one that only posts, one that makes use of everything, and one that authenticates.
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use futures::executor::block_on;
use futures::stream::{FuturesUnordered, SelectAll};
use leveret::{
    AuthStage, AuthStep, Client, Error, Message, Messages, Options, PacketType, Protocol, QoS,
    Subscription, Words,
};
use leveret_protocol::codec::Version;

use super::MAX_PACKET;

/// The method that a client authenticates by, and its brokers know of.
pub(crate) const METHOD: &str = "method";
/// So many messages wait for the application that is busy; then its client stops reading.
const INBOX: i64 = 8;
/// What is held back longer goes out without words.
const HOOK_TIMEOUT: Duration = Duration::from_millis(5);
/// Every so many calls of a hook one is answered late, and one not at all.
const LATE: u64 = 7;
/// What the hooks see.
const SEEN: [PacketType; 9] = [
    PacketType::ConnAck,
    PacketType::PubAck,
    PacketType::PubRec,
    PacketType::PubRel,
    PacketType::PubComp,
    PacketType::SubAck,
    PacketType::UnsubAck,
    PacketType::Disconnect,
    PacketType::Auth,
];

/// What a client makes use of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It posts letters.
    Plain,
    /// A slow application with a small inbox, hooks that answer, also late, topic aliases, subscribing and unsubscribing all the time.
    Busy,
    /// The same, and enhanced authentication, which goes on, is refused or is left unanswered.
    Authenticating,
}

impl Kind {
    pub(crate) fn of(index: u64) -> (Kind, Version) {
        let version = match index % 2 {
            0 => Version::V5,
            _ => Version::V311,
        };
        match index / 2 {
            0 => (Kind::Plain, version),
            1 => (Kind::Busy, version),
            _ => (Kind::Authenticating, Version::V5),
        }
    }

    pub(crate) fn client(self, url: &str, version: Version) -> (Client, Arc<AtomicU64>) {
        let calls = Arc::new(AtomicU64::new(0));
        let protocol = match version {
            Version::V5 => Protocol::V5,
            Version::V311 => Protocol::V311,
        };
        let mut options = Options::new()
            .protocol(protocol)
            .backoff_min(Duration::from_millis(1))
            .backoff_max(Duration::from_millis(2))
            .connect_timeout(Duration::from_secs(2))
            .max_packet_size(MAX_PACKET)
            .with("default_ttl", "none")
            .unwrap();
        if self == Kind::Plain {
            return (Client::new(url, options).unwrap(), calls);
        }
        options = options
            .max_inbox_messages(INBOX as u32)
            .hook_timeout(HOOK_TIMEOUT)
            .subscribe_timeout(Duration::from_millis(50))
            .outgoing_topic_aliases(4);
        if self == Kind::Authenticating {
            options = options.authentication_method(METHOD);
        }
        let mut builder = Client::builder(url).options(options);
        for packet in SEEN {
            let calls = calls.clone();
            let mut held = Vec::new();
            builder = builder.hook(packet, move |packet| {
                match calls.fetch_add(1, Ordering::Relaxed) % LATE {
                    0 => held.push(packet),
                    1 => held.clear(),
                    _ => {
                        let words = Words {
                            reason_string: Some("seen".into()),
                            user_properties: vec![("by".into(), "a hook".into())],
                        };
                        // The client may be closed.
                        let _ = packet.answer(&words);
                    }
                }
            });
        }
        if self == Kind::Authenticating {
            let mut held = Vec::new();
            let mut steps = 0_u64;
            builder = builder.authenticator(move |step| {
                steps += 1;
                authenticate(step, steps, &mut held);
            });
        }
        (builder.build().unwrap(), calls)
    }
}

/// Goes on, mostly.
fn authenticate(step: AuthStep, number: u64, held: &mut Vec<AuthStep>) {
    match (number % 16, step.stage) {
        (1, _) => step.refuse("it is the turn of this step to be refused"),
        (2, _) => held.push(step),
        (3, _) => held.clear(),
        (_, AuthStage::Finish) => step.accept(),
        (_, _) => step.answer("data"),
    }
}

/// What the application does beside posting, where it does anything: it runs on a thread of its own.
pub(crate) struct Habits {
    wishes: UnboundedSender<Wish>,
    application: JoinHandle<Heard>,
}

enum Wish {
    Subscribe(String),
    /// What is dropped is unsubscribed.
    DropGranted,
    /// Given up half-way, they take back what they declared.
    DropAsked,
}

/// What came to the application.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heard {
    pub(crate) messages: u64,
    /// Answers to a subscribe.
    pub(crate) answered: u64,
}

impl Habits {
    pub(crate) fn of(client: &Client) -> Habits {
        let (wishes, granted) = mpsc::unbounded();
        let application = Application {
            client: client.clone(),
            wishes: granted,
            messages: client.messages(),
            asked: FuturesUnordered::new(),
            granted: SelectAll::new(),
            heard: Heard::default(),
        };
        Habits {
            wishes,
            application: thread::spawn(|| block_on(application.run())),
        }
    }

    /// Once for each hostile connection.
    pub(crate) fn act(&mut self, number: u64) {
        if number.is_multiple_of(4) {
            self.wish(Wish::Subscribe(filter(number)));
        }
        if number.is_multiple_of(9) {
            self.wish(Wish::DropGranted);
        }
        if number.is_multiple_of(31) {
            self.wish(Wish::DropAsked);
        }
    }

    fn wish(&self, wish: Wish) {
        let heard = self.wishes.unbounded_send(wish);
        heard.expect("the application runs until the client is closed");
    }

    /// Comes to an end when everything asked for is answered, by a broker that behaves or because the client is closed.
    pub(crate) fn end(self) -> Heard {
        drop(self.wishes);
        self.application.join().expect("it came to its end")
    }
}

struct Application {
    client: Client,
    wishes: UnboundedReceiver<Wish>,
    messages: Messages,
    asked: FuturesUnordered<Subscribing>,
    granted: SelectAll<Subscription>,
    heard: Heard,
}

type Subscribing = Pin<Box<dyn Future<Output = Result<Subscription, Error>> + Send>>;

impl Application {
    async fn run(mut self) -> Heard {
        poll_fn(|context| self.poll(context)).await;
        self.heard
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut wished_for_all = false;
        while let Poll::Ready(wish) = self.wishes.poll_next_unpin(context) {
            match wish {
                Some(Wish::Subscribe(filter)) => {
                    let client = self.client.clone();
                    self.asked.push(Box::pin(async move {
                        client.subscribe(&filter, QoS::ExactlyOnce).await
                    }));
                }
                Some(Wish::DropGranted) => self.granted.clear(),
                Some(Wish::DropAsked) => self.asked.clear(),
                None => {
                    wished_for_all = true;
                    break;
                }
            }
        }
        while let Poll::Ready(Some(answer)) = self.asked.poll_next_unpin(context) {
            self.heard.answered += 1;
            self.granted.extend(answer);
        }
        while let Poll::Ready(Some(message)) = self.granted.poll_next_unpin(context) {
            self.take(&message);
        }
        while let Poll::Ready(message) = self.messages.poll_next_unpin(context) {
            match message {
                Some(message) => self.take(&message),
                None => return Poll::Ready(()),
            }
        }
        if wished_for_all && self.asked.is_empty() {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    fn take(&mut self, message: &Message) {
        self.heard.messages += 1;
        // Others go first, so that the inbox fills.
        (0..message.payload().len() % 16).for_each(|_| thread::yield_now());
    }
}

/// Some that exist, some that a broker may not offer, some asked for twice.
fn filter(number: u64) -> String {
    match number / 4 % 4 {
        0 => format!("a/{}/+", number % 5),
        1 => "#".into(),
        2 => format!("$share/group/{}", number % 3),
        _ => format!("long/{}/#", "x".repeat(number as usize % 500)),
    }
}
