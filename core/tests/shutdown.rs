//! Shutting the shared runtime down settles everything and leaves no thread; a new client starts it again.

use std::time::Duration;

use leveret::testing::Broker;
use leveret::{Client, ErrorKind, Options, OutcomeStatus, Status, set_runtime_threads, shutdown};

const SOON: Duration = Duration::from_secs(10);

/// The names of this process' threads that are ours.
#[cfg(target_os = "linux")]
fn our_threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names
        .filter(|name| name.starts_with("leveret-net"))
        .collect()
}

#[tokio::test]
async fn shutting_down_settles_everything_and_can_be_followed_by_a_new_start() {
    shutdown().unwrap();
    assert_eq!(
        set_runtime_threads(0).unwrap_err().kind,
        ErrorKind::InvalidArgument
    );
    set_runtime_threads(2).unwrap();
    let broker = Broker::start_new().unwrap();
    let client = Client::new(broker.url(), Options::new()).unwrap();
    client.wait_for(Status::Online, SOON).await.unwrap();
    assert_eq!(
        set_runtime_threads(1).unwrap_err().kind,
        ErrorKind::InvalidArgument
    );
    broker.swallow("PUBLISH", 1).unwrap();
    let receipt = client.publish("topic", "swallowed").send().unwrap();
    // Answered after the letter has come, so that the broker does not swallow the next one instead.
    client.ping().await.unwrap();
    shutdown().unwrap();
    assert_eq!(receipt.await.status, OutcomeStatus::Closed);
    assert_eq!(client.status(), Status::Closed);
    let refused = client.publish("topic", "late").send().unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Closed);
    client.close(SOON).await.unwrap();
    #[cfg(target_os = "linux")]
    assert_eq!(our_threads(), [""; 0]);

    let client = Client::new(broker.url(), Options::new()).unwrap();
    client.wait_for(Status::Online, SOON).await.unwrap();
    let outcome = client.publish("topic", "again").send().unwrap().await;
    assert_eq!(outcome.status, OutcomeStatus::Acknowledged);
    client.close(SOON).await.unwrap();
}
