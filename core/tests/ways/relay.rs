//! What the tests share: a relay to the embedded broker, and what a client has to be able to do through it.

use std::future::Future;
use std::time::Duration;

use futures::StreamExt;
use leveret::testing::Broker;
use leveret::{Client, ConnectionEvent, Error, News, Options, QoS, Status};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// How long anything may take before a test fails.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Options that let a test be quick.
pub(crate) fn options() -> Options {
    Options::new()
        .backoff_min(Duration::from_millis(5))
        .backoff_max(Duration::from_millis(20))
}

/// Where the broker listens, as `host:port`.
pub(crate) fn place(broker: &Broker) -> String {
    broker
        .url()
        .trim_start_matches("mqtt://")
        .trim_end_matches('/')
        .to_owned()
}

/// A listener on a free port of 127.0.0.1, and that port.
pub(crate) async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Carries bytes between a client's stream and the broker until either ends.
pub(crate) async fn relay<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, broker: String) {
    if let Ok(mut behind) = TcpStream::connect(broker).await {
        // However it ends: the client says what it makes of it.
        let _ = copy_bidirectional(&mut stream, &mut behind).await;
    }
}

/// Serves every connection of a listener with `serve`, for as long as the test runs.
pub(crate) fn serve_each<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
}

/// Online, letters both ways, also such as fill many records and frames; then an end in order.
pub(crate) async fn works(client: &Client) {
    client.wait_for(Status::Online, SOON).await.unwrap();
    let mut messages = client.subscribe("way/#", QoS::AtLeastOnce).await.unwrap();
    let large: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    for payload in [b"small".as_slice(), b"", &large] {
        let outcome = client.publish("way/there", payload).send().unwrap().await;
        assert!(outcome.delivered(), "{outcome}");
        let message = tokio_within(messages.next()).await.unwrap();
        assert_eq!(message.payload(), payload);
    }
    for number in 0..500 {
        let letter = client.publish("way/many", number.to_string());
        letter.send_unreported().unwrap();
    }
    for number in 0..500 {
        let message = tokio_within(messages.next()).await.unwrap();
        assert_eq!(message.payload(), number.to_string().as_bytes());
    }
}

/// The first reason for which an attempt to connect failed.
pub(crate) async fn first_failure(client: &Client) -> Error {
    let mut events = client.events();
    loop {
        match tokio_within(events.next()).await {
            Some(News::Connection(ConnectionEvent::AttemptFailed { why, .. })) => return why,
            Some(_) => {}
            None => panic!("the client ended"),
        }
    }
}

/// Waits for something that has to come.
pub(crate) async fn tokio_within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SOON, future)
        .await
        .expect("it did not come in time")
}
