//! A good guest in Rust: every verb under every executor, drops everywhere, panics, runtimes that end, many clients.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use futures::{FutureExt, StreamExt};
use leveret::testing::Broker;
use leveret::{Client, Error, ErrorKind, News, Options, OutcomeStatus, QoS, Receipt, Status};

const SOON: Duration = Duration::from_secs(10);

fn options() -> Options {
    Options::new()
        .backoff_min(Duration::from_millis(10))
        .backoff_max(Duration::from_millis(20))
}

fn broker() -> Broker {
    Broker::start_new().unwrap()
}

async fn online(broker: &Broker) -> Client {
    let builder = Client::builder(broker.url()).options(options());
    let client = builder.build().unwrap();
    client.wait_for(Status::Online, SOON).await.unwrap();
    client
}

/// Whether a verb does what it should on a client that is closed: nothing wrong, or the error that says so.
fn closed<R>(result: Result<R, Error>) -> bool {
    matches!(result, Err(error) if error.kind == ErrorKind::Closed)
}

/// Calls every verb of an open client once, by name; those that end it are called last.
async fn every_verb(client: &Client) -> Vec<&'static str> {
    let receipt = client.publish("verbs", "x").send().unwrap();
    let mut told = client.events();
    let mut stray = client.messages();
    drop(stray.next().now_or_never());
    let explained = client.explain(&receipt).await.unwrap();
    assert!(explained.is_none() || !explained.unwrap().to_string().is_empty());
    let _ = client.cancel(&receipt).await.unwrap();
    let letters = ["x", "y"].map(|payload| client.publish("verbs", payload));
    assert_eq!(client.publish_many(letters).unwrap().len(), 2);
    client.flush(SOON).await.unwrap();
    client.drain().await.unwrap();
    assert!(client.ping().await.unwrap() > Duration::ZERO);
    let mut own = client
        .subscribe("verbs/own", QoS::AtLeastOnce)
        .await
        .unwrap();
    client
        .publish("verbs/own", "x")
        .send_wait()
        .await
        .unwrap()
        .await;
    assert_eq!(own.next().await.unwrap().topic(), "verbs/own");
    own.unsubscribe().await.unwrap();
    client.unsubscribe("verbs/own").await.unwrap();
    let none = client.unsubscribe_with("verbs/own", [("who", "guest")]);
    none.await.unwrap();
    let reauthenticated = client.reauthenticate().await.unwrap_err();
    assert_eq!(reauthenticated.kind, leveret::ErrorKind::NotSupported);
    let request = client.request("verbs/nobody", "?");
    let request = request.timeout(Duration::from_millis(1));
    assert!(request.await.is_err());
    client.reconnect().unwrap();
    client.wait_for(Status::Online, SOON).await.unwrap();
    while !matches!(told.next().await, Some(News::Status(_))) {}
    assert_ne!(client.status(), Status::Closed);
    assert!(client.stats().outcomes.iter().count() > 0);
    client.close_session(SOON, true).await.unwrap();
    client
        .close_with(leveret::CloseOptions::new())
        .await
        .unwrap();
    client.close(SOON).await.unwrap();
    assert_eq!(client.status(), Status::Closed);
    let called = "new with_urls publish publish_many events messages explain cancel flush drain ping subscribe unsubscribe reconnect \
                  wait_for status stats close_session close unsubscribe_with reauthenticate request close_with builder";
    called.split_whitespace().collect()
}

#[test]
fn no_verb_is_missing_from_the_table() {
    let source = include_str!("../src/client.rs");
    let verbs = source.lines().filter_map(|line| {
        let line = line.strip_prefix("    pub ")?;
        let name = line
            .strip_prefix("async ")
            .unwrap_or(line)
            .strip_prefix("fn ")?;
        name.split(['(', '<']).next()
    });
    let broker = broker();
    let called = block_on(async { every_verb(&online(&broker).await).await });
    let missing: Vec<&str> = verbs.filter(|verb| !called.contains(verb)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_verb_works_on_a_thread_without_a_runtime() {
    let broker = broker();
    block_on(async { every_verb(&online(&broker).await).await });
}

#[test]
fn every_verb_works_in_tokio_on_one_thread_and_on_several() {
    let broker = broker();
    let one = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    one.block_on(async { every_verb(&online(&broker).await).await });
    let several = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    several.block_on(async {
        let client = online(&broker).await;
        several
            .spawn(async move { every_verb(&client).await })
            .await
            .unwrap();
    });
}

#[test]
fn a_pool_of_another_kind_may_hold_clients_and_streams() {
    fn send_and_static<T: Send + 'static>(value: T) -> T {
        value
    }
    let broker = broker();
    let client = block_on(online(&broker));
    let mut messages = send_and_static(block_on(client.subscribe("a", QoS::AtLeastOnce)).unwrap());
    let other = client.clone();
    let sender = thread::spawn(move || {
        let receipts: Vec<Receipt> = (0..10)
            .map(|_| other.publish("a", "x").send().unwrap())
            .collect();
        block_on(futures::future::join_all(send_and_static(receipts)))
    });
    let reader =
        thread::spawn(move || block_on(async { messages.by_ref().take(10).count().await }));
    assert!(sender.join().unwrap().iter().all(|outcome| outcome.ok()));
    assert_eq!(reader.join().unwrap(), 10);
}

#[test]
fn a_closed_client_says_so() {
    let broker = broker();
    block_on(async {
        let client = online(&broker).await;
        let held = client.publish("a", "x").send().unwrap();
        client.close(SOON).await.unwrap();
        assert!(closed(client.publish("a", "x").send()));
        assert!(closed(client.publish("a", "x").send_wait().await));
        assert!(closed(client.publish("a", "x").send_unreported()));
        let refused = client.publish_many([client.publish("a", "x")]).unwrap_err();
        assert!(closed::<()>(Err(refused.error)));
        assert!(closed(client.subscribe("a", QoS::AtMostOnce).await));
        assert!(closed(client.unsubscribe("a").await));
        assert!(closed(client.ping().await));
        assert!(closed(client.flush(SOON).await));
        assert!(closed(client.drain().await));
        assert!(closed(client.reconnect()));
        assert!(closed(client.cancel(&held).await));
        assert!(closed(client.explain(&held).await));
        assert!(closed(client.wait_for(Status::Online, SOON).await));
        assert!(client.messages().next().await.is_none());
        while client.events().next().await.is_some() {}
        client.close(SOON).await.unwrap();
        assert!(held.await.ok());
    });
}

#[test]
fn whatever_is_dropped_in_the_middle_harms_nobody() {
    let broker = broker();
    block_on(async {
        let client = online(&broker).await;
        // A stream with a message in hand, and others waiting in it; the message outlives both.
        let mut stream = client.subscribe("a", QoS::ExactlyOnce).await.unwrap();
        for _ in 0..5 {
            client.publish("a", "x").send().unwrap().await;
        }
        let message = stream.next().await.unwrap();
        drop(stream);
        message.ack().unwrap();
        // Waits that were begun and given up; one may have come to its end all the same.
        for _ in 0..10 {
            drop(client.subscribe("b", QoS::AtLeastOnce).now_or_never());
            drop(client.ping().now_or_never());
            drop(client.wait_for(Status::Closed, SOON).now_or_never());
            drop(client.publish("c", "x").send().unwrap());
        }
        drop(client.events());
        drop(client.messages());
        client.flush(SOON).await.unwrap();
        assert_eq!(client.stats().queued, 0);
        // The client inside the loop over its own messages: the stream keeps it open.
        let mut stream = client.subscribe("d", QoS::AtLeastOnce).await.unwrap();
        let receipts = [(); 2].map(|()| client.publish("d", "x").send().unwrap());
        let mut client = Some(client);
        for _ in 0..2 {
            assert_eq!(stream.next().await.unwrap().topic(), "d");
            drop(client.take());
        }
        for receipt in receipts {
            assert!(receipt.await.ok());
        }
    });
}

#[test]
fn when_the_last_handle_goes_receipts_settle_and_streams_are_over() {
    let broker = broker();
    let soon_closed = options().close_timeout(Duration::from_millis(200));
    let client = Client::new(broker.url(), soon_closed).unwrap();
    block_on(client.wait_for(Status::Online, SOON)).unwrap();
    broker.swallow("PUBLISH", 1).unwrap();
    let lost = client.publish("a", "x").send().unwrap();
    let waiting = block_on(client.subscribe("b", QoS::AtLeastOnce)).unwrap();
    drop(client);
    drop(waiting);
    // Nobody acknowledges it: it is given up when the time for closing is over, or before.
    broker.stop();
    assert_eq!(block_on(lost).status, OutcomeStatus::Closed);
}

#[test]
fn a_task_that_panics_with_a_client_in_hand_harms_no_other() {
    let broker = broker();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let client = runtime.block_on(online(&broker));
    let (one, two) = (client.clone(), client.clone());
    let panicked = runtime.spawn(async move {
        let mut stream = one.subscribe("a", QoS::AtLeastOnce).await.unwrap();
        drop(one.publish("a", "x").send().unwrap());
        let message = stream.next().await.unwrap();
        panic!("with {} in hand", message.topic());
    });
    assert!(runtime.block_on(panicked).unwrap_err().is_panic());
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _receipt = two.publish("a", "x").send().unwrap();
        panic!("with a receipt in hand");
    }));
    assert!(caught.is_err());
    assert!(block_on(client.publish("a", "x").send().unwrap()).ok());
}

#[test]
fn a_runtime_that_ends_leaves_the_clients_made_in_it_alone() {
    let broker = broker();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let client = runtime.block_on(online(&broker));
    let mut stream = runtime
        .block_on(client.subscribe("a", QoS::AtLeastOnce))
        .unwrap();
    let own = client.clone();
    runtime.spawn(async move { own.wait_for(Status::Closed, SOON * 60).await });
    runtime.shutdown_timeout(Duration::from_millis(100));
    block_on(async {
        assert!(client.publish("a", "x").send().unwrap().await.ok());
        assert_eq!(stream.next().await.unwrap().topic(), "a");
        client.close(SOON).await.unwrap();
    });
}

#[test]
fn several_tasks_wait_for_one_client_at_once() {
    let broker = broker();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let client = runtime.block_on(online(&broker));
    let pinging = |client: Client| async move { client.ping().await.map(drop) };
    let waiting: Vec<_> = (0..20)
        .map(|_| runtime.spawn(pinging(client.clone())))
        .collect();
    let closing: Vec<_> = (0..5)
        .map(|_| {
            runtime.spawn({
                let client = client.clone();
                async move { client.wait_for(Status::Closed, SOON).await }
            })
        })
        .collect();
    for each in waiting {
        runtime.block_on(each).unwrap().unwrap();
    }
    block_on(client.close(SOON)).unwrap();
    for each in closing {
        runtime.block_on(each).unwrap().unwrap();
    }
}

/// Threads, descriptors, and pages of memory of this process.
#[cfg(target_os = "linux")]
fn growth() -> [usize; 3] {
    let count = |path: &str| std::fs::read_dir(path).unwrap().count();
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let resident = pages.split(' ').nth(1).unwrap().parse().unwrap();
    [count("/proc/self/task"), count("/proc/self/fd"), resident]
}

/// Runs the test of this name once more in a process of its own, behind `before` (a shell's words), and gives its exit code; `None`
/// there, where the test then does what it has to.
#[cfg(target_os = "linux")]
fn in_a_process_of_its_own(name: &str, before: &str) -> Option<i32> {
    const CHILD: &str = "LEVERET_GUEST";
    if std::env::var_os(CHILD).is_some() {
        return None;
    }
    let mut child = std::process::Command::new("sh")
        .args(["-c", &format!("{before} exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--test-threads=1", "--quiet"])
        .env(CHILD, "1")
        .spawn()
        .unwrap();
    let deadline = Instant::now() + 12 * SOON;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            // A signal is told as a shell tells it.
            use std::os::unix::process::ExitStatusExt as _;
            return status.code().or(status.signal().map(|signal| 128 + signal));
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("{name} hangs");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_exits_with_clients_open_exits_with_its_own_code() {
    let name = "a_process_that_exits_with_clients_open_exits_with_its_own_code";
    if let Some(code) = in_a_process_of_its_own(name, "") {
        return assert_eq!(code, 7);
    }
    let broker = broker();
    let client = block_on(online(&broker));
    let _stream = block_on(client.subscribe("a", QoS::AtLeastOnce)).unwrap();
    for _ in 0..500 {
        drop(client.publish("a", "x").send().unwrap());
    }
    std::process::exit(7);
}

#[cfg(target_os = "linux")]
#[test]
fn sigterm_ends_a_process_with_clients_open_as_one_without() {
    let name = "sigterm_ends_a_process_with_clients_open_as_one_without";
    if let Some(code) = in_a_process_of_its_own(name, "") {
        return assert_eq!(code, 128 + 15);
    }
    let broker = broker();
    let _client = block_on(online(&broker));
    let own = std::process::id().to_string();
    std::process::Command::new("kill")
        .arg(own)
        .status()
        .unwrap();
    thread::sleep(SOON);
}

#[cfg(target_os = "linux")]
#[test]
fn descriptors_above_1024_are_as_good_as_others() {
    let name = "descriptors_above_1024_are_as_good_as_others";
    if let Some(code) = in_a_process_of_its_own(name, "ulimit -n 2048 &&") {
        return assert_eq!(code, 0);
    }
    let _held: Vec<_> = (0..1_100)
        .map(|_| std::fs::File::open("/dev/null").unwrap())
        .collect();
    let broker = broker();
    block_on(async { every_verb(&online(&broker).await).await });
}

#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_clients_made_and_dropped_leave_nothing_behind() {
    let name = "ten_thousand_clients_made_and_dropped_leave_nothing_behind";
    if let Some(code) = in_a_process_of_its_own(name, "") {
        return assert_eq!(code, 0);
    }
    let broker = broker();
    let cycle = |number: usize| {
        let client = Client::new(broker.url(), options()).unwrap();
        drop(client.publish("a", "x").send().unwrap());
        if number.is_multiple_of(10) {
            block_on(client.wait_for(Status::Online, SOON)).unwrap();
            block_on(client.close(Duration::ZERO)).unwrap();
        }
    };
    (0..2_000).for_each(cycle);
    let before = settled(None);
    (0..8_000).for_each(cycle);
    let after = settled(Some(before));
    assert!(
        after[0] <= before[0] && after[1] <= before[1],
        "threads, descriptors, pages: {before:?} → {after:?}"
    );
    assert!(
        after[2] < before[2] + 8_192,
        "pages of memory: {before:?} → {after:?}"
    );
}

#[cfg(target_os = "linux")]
fn settled(wanted: Option<[usize; 3]>) -> [usize; 3] {
    let deadline = Instant::now() + SOON;
    let mut last = growth();
    loop {
        thread::sleep(Duration::from_millis(50));
        let now = growth();
        let still = wanted.unwrap_or(last);
        if (now[0] <= still[0] && now[1] <= still[1]) || Instant::now() > deadline {
            return now;
        }
        last = now;
    }
}

/// What a task gives back need not be a result of the task's own runtime.
#[test]
fn futures_of_one_executor_may_be_finished_by_another() {
    let broker = broker();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let client = runtime.block_on(online(&broker));
    let mut receipt: std::pin::Pin<Box<dyn Future<Output = _> + Send>> =
        Box::pin(client.publish("a", "x").send().unwrap());
    let _ = runtime.block_on(async { futures::poll!(&mut receipt) });
    drop(runtime);
    assert!(block_on(receipt).ok() || broker.received_count() > 0);
}
