//! How fast letters leave: publishing threads against a sink on loopback that acknowledges what it must.
//!
//! `cargo bench -p leveret --bench firehose -- [letters] [payload bytes] [qos]`; one line per row.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use leveret::{Client, ErrorKind, Options, QoS, Status};

const SOON: Duration = Duration::from_secs(10);

fn main() {
    let numbers: Vec<usize> = std::env::args()
        .filter_map(|text| text.parse().ok())
        .collect();
    let letters = numbers.first().copied().unwrap_or(400_000);
    let payload = numbers.get(1).copied().unwrap_or(64);
    println!("{letters} letters of {payload} bytes: nanoseconds per letter");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for (qos, threads) in [
        (QoS::AtMostOnce, 1),
        (QoS::AtMostOnce, 2),
        (QoS::AtLeastOnce, 1),
        (QoS::AtLeastOnce, 2),
        (QoS::ExactlyOnce, 1),
    ] {
        if numbers
            .get(2)
            .is_some_and(|&only| only != usize::from(u8::from(qos)))
        {
            continue;
        }
        let rounds = (0..3).map(|_| round(&runtime, qos, threads, letters, payload));
        let mut rounds: Vec<u128> = rounds.collect();
        rounds.sort_unstable();
        println!("qos {} · {threads} threads: {rounds:?}", u8::from(qos));
    }
}

/// Nanoseconds per letter, from the first publish until all have their outcome.
fn round(
    runtime: &tokio::runtime::Runtime,
    qos: QoS,
    threads: usize,
    letters: usize,
    payload: usize,
) -> u128 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let sink = std::thread::spawn(move || Sink::accept(&listener).run());
    let client = Client::new(url, Options::new()).unwrap();
    runtime
        .block_on(client.wait_for(Status::Online, SOON))
        .unwrap();
    let payload = vec![b'x'; payload];
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..letters / threads {
                    post(&client, qos, &payload);
                }
            });
        }
    });
    runtime
        .block_on(client.flush(Duration::from_secs(60)))
        .unwrap();
    let time = begin.elapsed().as_nanos() / letters as u128;
    runtime.block_on(client.close(SOON)).unwrap();
    sink.join().unwrap();
    time
}

/// Posts one letter, waiting while the post office is full.
fn post(client: &Client, qos: QoS, payload: &[u8]) {
    loop {
        match client
            .publish("bench/topic", payload)
            .qos(qos)
            .send_unreported()
        {
            Ok(()) => return,
            Err(error) if error.kind == ErrorKind::QueueFull => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A broker that reads packets by their lengths and acknowledges them, and nothing else.
struct Sink {
    stream: TcpStream,
    buffer: Vec<u8>,
    answers: Vec<u8>,
}

impl Sink {
    fn accept(listener: &TcpListener) -> Sink {
        let (stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        Sink {
            stream,
            buffer: Vec::new(),
            answers: Vec::new(),
        }
    }

    fn run(mut self) {
        let mut read = vec![0; 256 * 1024];
        loop {
            match self.stream.read(&mut read) {
                Ok(0) | Err(_) => return,
                Ok(count) => self.buffer.extend_from_slice(&read[..count]),
            }
            self.answer();
            self.stream.write_all(&self.answers).unwrap();
            self.answers.clear();
        }
    }

    fn answer(&mut self) {
        let mut done = 0;
        while let Some((first, body, end)) = packet(&self.buffer[done..]) {
            let body = &self.buffer[done + body..done + end];
            match first >> 4 {
                1 => self.answers.extend([0x20, 3, 0, 0, 0]),
                3 if first & 0b110 != 0 => {
                    let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
                    let ack = if first & 0b010 != 0 { 0x40 } else { 0x50 };
                    self.answers
                        .extend([ack, 2, body[2 + topic], body[3 + topic]]);
                }
                6 => self.answers.extend([0x70, 2, body[0], body[1]]),
                _ => {}
            }
            done += end;
        }
        self.buffer.drain(..done);
    }
}

/// The first byte of a packet, where its body begins, and where it ends, if all of it is there.
fn packet(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let mut length = 0;
    for (place, &byte) in bytes.iter().enumerate().skip(1).take(4) {
        length |= usize::from(byte & 0x7f) << (7 * (place - 1));
        if byte & 0x80 == 0 {
            let end = place + 1 + length;
            return (bytes.len() >= end).then_some((bytes[0], place + 1, end));
        }
    }
    None
}
