//! A good guest: no SIGPIPE death, and a forked child that is told instead of hanging.
//!
//! Each test runs in a process of its own, since signals and forks concern a whole process.
#![cfg(unix)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::Duration;

use leveret::host::{Client, General, Keep, Payload, Publish, Setup};
use leveret::testing::Broker;
use leveret::{ErrorKind, Options, OutcomeStatus, PublishOptions, QoS, Status};
use leveret_protocol::sentence::Dialect;

const SOON: Option<Duration> = Some(Duration::from_secs(10));
const ALONE: &str = "LEVERET_TEST_ALONE";

/// Runs `test` in a process of its own, which is this program with that test alone; fails if it does not
/// end well.
fn alone(name: &str, test: impl FnOnce()) {
    if std::env::var(ALONE).is_ok_and(|value| value == name) {
        return test();
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ALONE, name);
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
}

fn client(url: &str, options: Options) -> Client {
    let setup = Setup {
        dialect: Dialect::Rust,
        keep: Keep::Held,
        autostart: true,
    };
    let client = Client::new(&[url], options, setup).unwrap();
    client.wait_status(Status::Online, SOON).unwrap();
    client
}

fn post(client: &Client, payload: &[u8], qos: QoS) -> Result<u64, leveret::Error> {
    let options = PublishOptions::new().qos(qos);
    let letter = Publish {
        topic: "topic",
        payload: Payload::from(payload),
        options: &options,
    };
    client.publish(letter, true)
}

#[test]
fn writing_to_a_peer_that_is_gone_is_an_error_and_not_a_death() {
    alone(
        "writing_to_a_peer_that_is_gone_is_an_error_and_not_a_death",
        || {
            // SAFETY: the default action is a valid one, and no other thread cares about this signal.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("mqtt://{}", listener.local_addr().unwrap());
            let broker = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut connect = [0; 1024];
                assert!(stream.read(&mut connect).unwrap() > 0);
                stream.write_all(&[0x20, 3, 0, 0, 0]).unwrap();
                stream
            });
            // A full inbox: the client reads no more, so that it cannot learn of the end by reading.
            let options = Options::new()
                .max_inbox_messages(1_u32)
                .keep_alive(Duration::ZERO);
            let client = client(&url, options.backoff_min(Duration::from_secs(20)));
            client.set_general(General::Iterator);
            client.stream_reports(true);
            let mut stream = broker.join().unwrap();
            stream
                .write_all(&[0x30, 4, 0, 1, b't', 0].repeat(2))
                .unwrap();
            let mut reports = Vec::new();
            let paused = |reports: &[leveret::host::Report]| {
                let is = |report: &_| matches!(report, leveret::host::Report::ReadingPaused(true));
                reports.iter().any(is)
            };
            while !paused(&reports) {
                client.take_reports(&mut reports);
                std::thread::yield_now();
            }
            drop(stream);
            // The first write is answered with a reset, the next finds a broken pipe; several slices each.
            let offline = client.status_count(Status::Offline);
            while client.status_count(Status::Offline) == offline {
                post(&client, &[b'x'; 8192], QoS::AtMostOnce).unwrap();
                std::thread::yield_now();
            }
            let error = client.stats().last_error.unwrap();
            assert!(error.to_string().contains("pipe"), "{error}");
        },
    );
}

#[test]
fn a_forked_child_is_told_and_can_begin_anew() {
    alone("a_forked_child_is_told_and_can_begin_anew", || {
        let broker = Broker::start_new().unwrap();
        let parents = client(broker.url(), Options::new());
        let receipt = post(&parents, b"before", QoS::AtLeastOnce).unwrap();
        // SAFETY: the child calls nothing that needs the parent's other threads; that it works is what
        // this test is about.
        let child = unsafe { libc::fork() };
        assert!(child >= 0);
        if child == 0 {
            let well = catch_unwind(AssertUnwindSafe(|| {
                in_child(&parents, receipt, broker.url());
            }));
            // SAFETY: ends the process without running what belongs to the parent.
            unsafe { libc::_exit(i32::from(well.is_err())) };
        }
        let mut status = 0;
        // SAFETY: `status` lives through the call, and the child is ours.
        let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
        assert_eq!((ended, status), (child, 0));
        // The parent's client has not noticed.
        let after = post(&parents, b"after", QoS::AtLeastOnce).unwrap();
        for receipt in [receipt, after] {
            let outcome = parents.wait_receipt(receipt, SOON).unwrap();
            assert_eq!(outcome.status, OutcomeStatus::Acknowledged);
        }
        assert_eq!(parents.stats().reconnects, 0);
        assert_eq!(broker.connects().len(), 2);
    });
}

fn in_child(parents: &Client, receipt: u64, url: &str) {
    let forked = ErrorKind::Forked;
    assert_eq!(
        post(parents, b"child", QoS::AtLeastOnce).unwrap_err().kind,
        forked
    );
    assert_eq!(
        parents.wait_receipt(receipt, SOON).unwrap_err().kind,
        forked
    );
    assert_eq!(
        parents.wait_status(Status::Online, SOON).unwrap_err().kind,
        forked
    );
    assert_eq!(parents.flush().unwrap_err().kind, forked);
    assert_eq!(parents.close(None, None).unwrap_err().kind, forked);
    assert_eq!(parents.status(), Status::Closed);
    drop(parents.clone());
    let own = client(url, Options::new());
    let receipt = post(&own, b"child", QoS::AtLeastOnce).unwrap();
    let outcome = own.wait_receipt(receipt, SOON).unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Acknowledged);
    let closing = own.close(None, None).unwrap().unwrap();
    own.wait_reply(closing, SOON).unwrap();
}
