//! What `tracing` is told: targets, levels and fields; never a payload or a secret; and a subscriber may call anything.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use leveret::testing::Broker;
use leveret::{Client, Options, OutcomeStatus, QoS, Status};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const SOON: Duration = Duration::from_secs(10);

/// Writes down every event; and, while there is a client, publishes that one came, as an application may.
#[derive(Clone, Default)]
struct Listener {
    lines: Arc<Mutex<Vec<String>>>,
    client: Arc<OnceLock<Client>>,
    called: Arc<AtomicBool>,
}

impl Listener {
    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    async fn wait_for(&self, wanted: &str) {
        let deadline = std::time::Instant::now() + SOON;
        while !self.lines().iter().any(|line| line.starts_with(wanted)) {
            let lines = self.lines().join("\n");
            assert!(
                std::time::Instant::now() < deadline,
                "no line {wanted}:\n{lines}"
            );
            tokio::task::yield_now().await;
        }
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("leveret")
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
        event.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
        if let Some(client) = self.client.get() {
            let _ = client.publish("log", "x").send_unreported();
            let _ = client.stats();
            let _ = client.status();
            drop(client.publish("log", "x").send());
            self.called.store(true, Ordering::Relaxed);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// One test: a process has one subscriber, because the library speaks on threads of its own.
#[tokio::test]
async fn every_change_is_a_line_without_secrets_and_a_subscriber_may_call_anything() {
    let listener = Listener::default();
    tracing::subscriber::set_global_default(listener.clone()).unwrap();
    let broker = Broker::builder()
        .maximum_qos(QoS::AtLeastOnce)
        .start()
        .unwrap();
    let options = Options::new()
        .client_id("door-7")
        .username("somebody")
        .password("hunter2")
        .backoff_min(Duration::from_millis(10))
        .backoff_max(Duration::from_millis(20));
    let client = Client::new(broker.url(), options).unwrap();
    client.wait_for(Status::Online, SOON).await.unwrap();
    listener
        .wait_for("INFO leveret::connection message=online client=\"door-7\"")
        .await;
    let doors = client.subscribe("doors/#", QoS::ExactlyOnce).await.unwrap();
    listener
        .wait_for("WARN leveret::subscription message=the broker did not grant")
        .await;
    client.ping().await.unwrap();
    listener.wait_for("TRACE leveret::ping").await;
    let _ = listener.client.set(client.clone());

    let secret = client.publish("doors/front", "the payload").send().unwrap();
    assert_eq!(secret.await.status, OutcomeStatus::Acknowledged);
    broker.stop();
    listener
        .wait_for("WARN leveret::connection message=offline: ")
        .await;
    listener
        .wait_for("WARN leveret::connection message=could not connect: ")
        .await;
    broker.start().unwrap();
    client.wait_for(Status::Online, SOON).await.unwrap();
    client.ping().await.unwrap();
    assert!(listener.called.load(Ordering::Relaxed));
    drop(doors);
    client.close(SOON).await.unwrap();
    listener
        .wait_for("INFO leveret::connection message=offline: the client is closed")
        .await;
    let all = listener.lines().join("\n");
    for secret in ["hunter2", "somebody", "the payload", "doors/front"] {
        assert!(!all.contains(secret), "{secret} is in\n{all}");
    }
}
