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
    fn start(path: &str, arguments: &[&str]) -> Example {
        let mut child = Command::new(path)
            .args(arguments)
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
    let example = Example::start(env!("CARGO_BIN_EXE_worker"), &[broker.url()]);
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
    let example = Example::start(env!("CARGO_BIN_EXE_sensor"), &[broker.url()]);
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

#[test]
fn the_device_of_a_cloud_has_a_certificate_and_says_its_protocol() {
    let broker = Broker::builder()
        .client_certificates(true)
        .alpn("x-amzn-mqtt-ca");
    let broker = broker.start().unwrap();
    posts_one_letter(&broker, &[]);
}

#[test]
fn the_device_of_a_cloud_signs_the_url_of_its_websocket() {
    let broker = Broker::builder()
        .tls(true)
        .websocket_path("/mqtt?signature=of-now");
    let broker = broker.start().unwrap();
    posts_one_letter(&broker, &["of-now"]);
}

fn posts_one_letter(broker: &Broker, more: &[&str]) {
    let folder = std::env::temp_dir().join(format!("leveret-cloud-{}", broker.port()));
    std::fs::create_dir_all(&folder).unwrap();
    let files = [
        ("ca.der", broker.ca_pem()),
        ("cert.der", broker.client_cert_pem()),
        ("key.der", broker.client_key_pem()),
    ];
    for (name, pem) in files {
        std::fs::write(folder.join(name), der(pem.unwrap())).unwrap();
    }
    let port = broker.port().to_string();
    let mut arguments = vec!["127.0.0.1", &port, folder.to_str().unwrap()];
    arguments.extend(more);
    let example = Example::start(env!("CARGO_BIN_EXE_cloud"), &arguments);
    assert_eq!(example.line(), "the letter is acknowledged");
    example.ends();
    assert_eq!(broker.received().len(), 1);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The bytes of a PEM of one block.
fn der(pem: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = pem
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect::<String>();
    let digits: Vec<usize> = text
        .chars()
        .filter_map(|digit| DIGITS.find(digit))
        .collect();
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let bits = (0..4).fold(0, |bits, i| bits << 6 | group.get(i).copied().unwrap_or(0));
        let three = [bits >> 16, bits >> 8, bits].map(|byte| byte as u8);
        bytes.extend(&three[..group.len() * 6 / 8]);
    }
    bytes
}
