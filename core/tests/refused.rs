//! A broker that refuses to end a subscription: the caller is told, and the filter is taken back all the same.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use futures::StreamExt;
use leveret::{Client, Options, Protocol, QoS};
use leveret_protocol::error::ErrorKind;
use leveret_protocol::reason::ReasonCode;

/// The next packet, of less than 128 bytes.
fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut rest = vec![0; usize::from(head[1])];
    stream.read_exact(&mut rest).unwrap();
    [&head[..], &rest].concat()
}

/// Answers the next packet, which is to be of this type, under its identifier.
fn answer(stream: &mut TcpStream, expected: u8, kind: u8, code: u8) {
    let asked = packet(stream);
    assert_eq!(asked[0] >> 4, expected);
    stream
        .write_all(&[kind << 4, 4, asked[2], asked[3], 0, code])
        .unwrap();
}

#[tokio::test]
async fn an_unsubscribe_that_the_broker_refuses_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let broker = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        assert_eq!(packet(&mut stream)[0] >> 4, 1, "CONNECT");
        stream.write_all(&[0x20, 3, 0, 0, 0]).unwrap();
        answer(&mut stream, 8, 9, 0); // SUBSCRIBE
        answer(&mut stream, 10, 11, 0x87); // UNSUBSCRIBE
        stream
    });
    let options = Options::new().protocol(Protocol::V5);
    let client = Client::new(&url, options).unwrap();
    let mut subscription = client.subscribe("a", QoS::AtMostOnce).await.unwrap();
    let refusal = client.unsubscribe("a").await.unwrap_err();
    assert_eq!(refusal.kind, ErrorKind::Refused);
    assert_eq!(refusal.reason, Some(ReasonCode::NOT_AUTHORIZED));
    assert!(subscription.next().await.is_none(), "it has ended");
    drop(broker.join().unwrap());
}
