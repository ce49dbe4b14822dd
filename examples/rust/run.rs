//! Runs the Rust examples against a broker, each with a time limit.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use futures::executor::block_on;
use leveret::testing::Broker;
use leveret::{Client, Options, QoS};

const LIMIT: Duration = Duration::from_secs(30);

/// A running example and its lines; it ends with the test.
struct Example {
    child: Child,
    lines: Receiver<String>,
}

impl Example {
    fn start(path: &str, url: &str) -> Example {
        let mut child = Command::new(path)
            .arg(url)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            output
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Example { child, lines }
    }

    /// Its next line.
    fn line(&self) -> String {
        self.lines
            .recv_timeout(LIMIT)
            .expect("the example says nothing more")
    }

    /// It has ended well: its output is over, and so is it.
    fn ends(mut self) {
        assert!(
            self.lines.recv_timeout(LIMIT).is_err(),
            "the example says more"
        );
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_worker_does_jobs_and_passes_failures_on() {
    let broker = Broker::start_new().unwrap();
    let client = Client::new(broker.url(), Options::new()).unwrap();
    let example = Example::start(env!("CARGO_BIN_EXE_worker"), broker.url());
    assert_eq!(example.line(), "ready");
    let post = |job: &str| {
        let letter = client
            .publish("jobs/new", job.to_owned())
            .qos(QoS::AtLeastOnce);
        assert!(block_on(letter.send().unwrap()).delivered());
    };
    post("1 + 2");
    assert_eq!(example.line(), "jobs/done 1 + 2 = 3");
    post("one");
    assert!(example.line().starts_with("jobs/failed \"one\": "));
    post("");
    example.ends();
    let topics: Vec<String> = broker
        .received()
        .iter()
        .map(|each| each.topic().to_owned())
        .collect();
    assert!(topics.iter().any(|topic| topic == "jobs/done"));
    assert!(topics.iter().any(|topic| topic == "jobs/failed"));
}

#[test]
fn the_sensor_keeps_its_alarm_over_an_outage_and_of_its_readings_the_last() {
    let broker = Broker::start_new().unwrap();
    broker.stop();
    let example = Example::start(env!("CARGO_BIN_EXE_sensor"), broker.url());
    assert_eq!(example.line(), "too hot");
    broker.start().unwrap();
    assert_eq!(example.line(), "alarm acknowledged");
    example.ends();
    let readings = |wanted: &str| {
        broker
            .received()
            .iter()
            .filter(|each| each.topic() == wanted)
            .count()
    };
    assert_eq!(readings("boilers/3/alarm"), 1);
    assert_eq!(readings("boilers/3/temperature"), 1);
}
