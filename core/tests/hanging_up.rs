//! A connection that is given up sends nothing more, and a letter stuck behind a stall never arrives.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use futures::StreamExt;
use leveret::{Client, News, Options, OutcomeStatus, QoS, Status};

const SOON: Duration = Duration::from_secs(20);

/// Accepts one MQTT 5 connection and answers its CONNECT; nothing else is read.
fn accept(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().unwrap();
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[0], 0x10, "CONNECT");
    let mut connect = vec![0; usize::from(head[1])];
    stream.read_exact(&mut connect).unwrap();
    stream.write_all(&[0x20, 3, 0, 0, 0]).unwrap();
    stream
}

fn options() -> Options {
    // Some seconds without an answer, and the connection is given up: after the letters below have expired, also on a slow machine.
    Options::new()
        .client_id("stalled")
        .keep_alive(Duration::from_secs(3))
        .ping_timeout(Duration::from_secs(2))
        .max_queued_bytes(64_u64 << 20)
        .backoff_min(Duration::from_secs(30))
}

#[tokio::test]
async fn a_peer_that_stops_reading_gets_nothing_after_the_connection_was_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let client = Client::new(url, options()).unwrap();
    let mut events = client.events();
    let mut stream = accept(&listener);
    client.wait_for(Status::Online, SOON).await.unwrap();

    // Far more than the kernel takes: most letters wait, one is cut in the middle.
    let ttl = Duration::from_secs(2);
    let payload = vec![b'x'; 64 * 1024];
    let mut receipts = Vec::new();
    for number in 0..400_u32 {
        let mut payload = payload.clone();
        payload[..4].copy_from_slice(&number.to_be_bytes());
        let letter = client
            .publish("stalled", payload)
            .qos(QoS::AtLeastOnce)
            .ttl(ttl);
        receipts.push(letter.send().unwrap());
    }
    let mut outcomes = Vec::new();
    for receipt in receipts {
        outcomes.push(receipt.await);
    }
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.status == OutcomeStatus::Expired)
    );
    let begun = outcomes
        .iter()
        .filter(|outcome| outcome.maybe_delivered)
        .count();
    assert!(
        (1..400).contains(&begun),
        "some were begun, some were not: {begun}"
    );

    while !matches!(events.next().await, Some(News::Status(Status::Offline))) {}
    // What lies in this end's own buffer was sent; the rest must have died in the other end's.
    let mut buffer = vec![0; 32 << 20];
    let sent = stream.peek(&mut buffer).unwrap();
    let mut arrived = Vec::new();
    // The end is a reset: that too shows that the connection was not closed in order.
    let end = stream.read_to_end(&mut arrived);
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(
        arrived.len(),
        sent,
        "bytes were sent after the connection was given up"
    );
    let letters = arrived.len() / payload.len();
    assert!(
        letters <= begun,
        "{letters} letters arrived, and {begun} were begun in time"
    );
}
