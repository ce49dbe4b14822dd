//! WebSocket, with and without TLS: what the request says, and brokers that are none.

use std::sync::{Arc, Mutex};

use futures::{SinkExt, StreamExt};
use leveret::testing::Broker;
use leveret::{Client, ConnectOptions, ConnectionEvent, News, Options, Protocol, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tungstenite::Message;
use tungstenite::handshake::server::{ErrorResponse, Request, Response};

use crate::relay::{SOON, first_failure, listen, options, place, serve_each, tokio_within, works};

#[tokio::test]
async fn letters_go_both_ways_in_frames_and_the_end_is_in_order() {
    for secure in [false, true] {
        let broker = Broker::builder()
            .websocket(true)
            .tls(secure)
            .start()
            .unwrap();
        let given = match broker.ca_pem() {
            Some(ca) => options().tls_ca(ca),
            None => options(),
        };
        let client = Client::new(broker.url(), given).unwrap();
        works(&client).await;
        client.close(SOON).await.unwrap();
    }
}

/// What a request asked for: the path with its query, and the headers.
type Asked = Arc<Mutex<Vec<(String, Vec<(String, String)>)>>>;

/// A WebSocket before the broker. It puts what comes into frames of `cut` bytes, so that packets span them.
async fn web_relay(broker: &Broker, asked: Asked, cut: usize) -> u16 {
    let (listener, port) = listen().await;
    let behind = place(broker);
    serve_each(listener, move |stream| {
        let (asked, behind) = (Arc::clone(&asked), behind.clone());
        async move {
            #[allow(clippy::result_large_err, reason = "the signature of tungstenite")]
            let answer = |request: &Request, mut response: Response| {
                let headers = request
                    .headers()
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
                let path = request.uri().path_and_query().unwrap().to_string();
                asked.lock().unwrap().push((path, headers.collect()));
                let protocol = "mqtt".parse().unwrap();
                response
                    .headers_mut()
                    .insert("sec-websocket-protocol", protocol);
                Ok::<Response, ErrorResponse>(response)
            };
            let Ok(mut web) = tokio_tungstenite::accept_hdr_async(stream, answer).await else {
                return;
            };
            let mut behind = TcpStream::connect(behind).await.unwrap();
            let mut bytes = vec![0; cut];
            loop {
                tokio::select! {
                    message = web.next() => match message {
                        Some(Ok(Message::Binary(content))) => behind.write_all(&content).await.unwrap(),
                        Some(Ok(_)) => {}
                        _ => return,
                    },
                    count = behind.read(&mut bytes) => {
                        let Ok(count @ 1..) = count else { return };
                        let content = bytes[..count].to_vec();
                        web.send(Message::Ping("here?".into())).await.unwrap();
                        if web.send(Message::Binary(content.into())).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    });
    port
}

/// Frames end where they like, and pings between them are answered.
async fn packets_span_frames(protocol: Protocol) {
    let broker = Broker::start_new().unwrap();
    let port = web_relay(&broker, Asked::default(), 700).await;
    let given = options().protocol(protocol);
    let client = Client::new(format!("ws://127.0.0.1:{port}"), given).unwrap();
    works(&client).await;
    client.close(SOON).await.unwrap();
}

/// A WebSocket, seen from the broker's side.
type Web = tokio_tungstenite::WebSocketStream<TcpStream>;

/// The broker's side of a handshake in which it confirms this subprotocol.
async fn accept(stream: TcpStream, subprotocol: Option<&'static str>) -> Option<Web> {
    #[allow(clippy::result_large_err, reason = "the signature of tungstenite")]
    let answer = |_: &Request, mut response: Response| {
        if let Some(subprotocol) = subprotocol {
            let confirmed = subprotocol.parse().unwrap();
            response
                .headers_mut()
                .insert("sec-websocket-protocol", confirmed);
        }
        Ok::<Response, ErrorResponse>(response)
    };
    tokio_tungstenite::accept_hdr_async(stream, answer)
        .await
        .ok()
}

/// A client, and the WebSocket on which it has said CONNECT.
async fn connecting(protocol: Protocol) -> (Client, Web) {
    let (listener, port) = listen().await;
    let given = options().protocol(protocol);
    let client = Client::new(format!("ws://127.0.0.1:{port}"), given).unwrap();
    let (stream, _) = tokio_within(listener.accept()).await.unwrap();
    let mut web = accept(stream, Some("mqtt")).await.unwrap();
    assert_eq!(came(&mut web, 1).await[0], 0x10);
    (client, web)
}

/// What the client sends, in binary frames, until there is as much of it.
async fn came(web: &mut Web, count: usize) -> Vec<u8> {
    let mut came = Vec::new();
    while came.len() < count {
        match tokio_within(web.next()).await {
            Some(Ok(Message::Binary(content))) => came.extend_from_slice(&content),
            other => panic!("{other:?} instead of {count} bytes behind {came:02X?}"),
        }
    }
    came
}

fn connack(protocol: Protocol) -> &'static [u8] {
    match protocol {
        Protocol::V311 => &[0x20, 2, 0, 0],
        _ => &[0x20, 3, 0, 0, 0],
    }
}

/// A PUBLISH of QoS 1, which is answered with PUBACK.
fn message(protocol: Protocol, id: u8) -> Vec<u8> {
    match protocol {
        Protocol::V311 => vec![0x32, 5, 0, 1, b't', 0, id],
        _ => vec![0x32, 6, 0, 1, b't', 0, id, 0],
    }
}

/// Two packets in one frame, then one packet in as many frames as it has bytes, with an empty one between.
async fn frames_share_packets_and_split_them(protocol: Protocol) {
    let (_client, mut web) = connecting(protocol).await;
    let two = [connack(protocol), &message(protocol, 7)].concat();
    web.send(Message::Binary(two.into())).await.unwrap();
    assert_eq!(came(&mut web, 4).await, [0x40, 2, 0, 7]);
    for byte in message(protocol, 8) {
        for frame in [vec![byte], Vec::new()] {
            web.send(Message::Binary(frame.into())).await.unwrap();
        }
    }
    assert_eq!(came(&mut web, 4).await, [0x40, 2, 0, 8]);
}

#[tokio::test]
async fn v311_6_0_0_2_packets_may_span_and_share_frames() {
    packets_span_frames(Protocol::V311).await;
    frames_share_packets_and_split_them(Protocol::V311).await;
}

#[tokio::test]
async fn v5_6_0_0_2_packets_may_span_and_share_frames() {
    packets_span_frames(Protocol::V5).await;
    frames_share_packets_and_split_them(Protocol::V5).await;
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    let of = headers.iter().filter(|(found, _)| found == name);
    of.map(|(_, value)| value.as_str()).collect()
}

async fn the_subprotocol_is_offered(protocol: Protocol) {
    let broker = Broker::start_new().unwrap();
    let asked = Asked::default();
    let port = web_relay(&broker, Arc::clone(&asked), 4096).await;
    let given = options().protocol(protocol);
    let client = Client::new(format!("ws://127.0.0.1:{port}"), given).unwrap();
    client.wait_for(Status::Online, SOON).await.unwrap();
    let asked = asked.lock().unwrap();
    assert_eq!(value(&asked[0].1, "sec-websocket-protocol"), ["mqtt"]);
}

#[tokio::test]
async fn v311_6_0_0_3_the_subprotocol_is_offered() {
    the_subprotocol_is_offered(Protocol::V311).await;
}

#[tokio::test]
async fn v5_6_0_0_3_the_subprotocol_is_offered() {
    the_subprotocol_is_offered(Protocol::V5).await;
}

#[tokio::test]
async fn the_request_has_path_query_and_headers_also_those_of_one_attempt() {
    let broker = Broker::start_new().unwrap();
    let asked = Asked::default();
    let port = web_relay(&broker, Arc::clone(&asked), 4096).await;
    let url = format!("ws://127.0.0.1:{port}/mqtt?a=b%20c");
    let signed = format!("ws://127.0.0.1:{port}/mqtt?signature=1234");
    let given = options().websocket_headers([("X-Site", "north"), ("x-site", "south")]);
    let client = Client::new(&url, given.clone()).unwrap();
    works(&client).await;
    let client = Client::builder(&url)
        .options(given)
        .before_connect(move |attempt| {
            let more = [("Authorization", "Bearer fresh")];
            attempt.connect(
                ConnectOptions::new()
                    .url(signed.as_str())
                    .websocket_headers(more),
            );
        })
        .build()
        .unwrap();
    works(&client).await;
    let asked = asked.lock().unwrap();
    let (path, headers) = &asked[0];
    assert_eq!(path, "/mqtt?a=b%20c");
    assert_eq!(value(headers, "x-site"), ["north", "south"]);
    assert_eq!(value(headers, "host"), [format!("127.0.0.1:{port}")]);
    assert_eq!(value(headers, "sec-websocket-protocol"), ["mqtt"]);
    assert_eq!(value(headers, "authorization"), [""; 0]);
    let (path, headers) = &asked[1];
    assert_eq!(path, "/mqtt?signature=1234");
    assert_eq!(value(headers, "x-site"), ["north", "south"]);
    assert_eq!(value(headers, "authorization"), ["Bearer fresh"]);
}

#[test]
fn headers_that_cannot_be_are_refused_without_their_values() {
    for (name, rule) in [
        ("a b", "a name that HTTP does not allow"),
        ("Upgrade", "replace a header of the handshake"),
        ("x-token", "a value with control characters"),
    ] {
        let given = Options::new().websocket_headers([(name, "secret\n")]);
        let error = Client::new("ws://localhost", given)
            .unwrap_err()
            .to_string();
        assert!(error.contains(rule) && error.contains(name), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

/// Why a client fails whose WebSocket handshake is answered with this.
async fn failure_of(answer: &'static str) -> String {
    let (listener, port) = listen().await;
    serve_each(listener, move |mut stream| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        assert!(head.starts_with(b"GET / HTTP/1.1\r\n"));
        let _ = stream.write_all(answer.as_bytes()).await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    });
    let client = Client::new(format!("ws://127.0.0.1:{port}"), options()).unwrap();
    first_failure(&client).await.to_string()
}

#[tokio::test]
async fn what_is_no_websocket_for_mqtt_is_told() {
    for (answer, told) in [
        (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "status 404 Not Found: there is nothing at this path",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\n\r\n",
            "it wants to know who we are",
        ),
        (
            "HTTP/1.1 301 Moved Permanently\r\nlocation: /x\r\n\r\n",
            "which is not followed",
        ),
        ("hello\r\n\r\n", "does not speak WebSocket"),
    ] {
        let why = failure_of(answer).await;
        assert!(why.contains(told), "{told}: {why}");
    }
}

/// Why a client fails at a server that confirms this subprotocol.
async fn failure_at(subprotocol: Option<&'static str>, protocol: Protocol) -> String {
    let (listener, port) = listen().await;
    serve_each(listener, move |stream| async move {
        if let Some(mut web) = accept(stream, subprotocol).await {
            while let Some(Ok(_)) = web.next().await {}
        }
    });
    let given = options().protocol(protocol);
    let client = Client::new(format!("ws://127.0.0.1:{port}"), given).unwrap();
    first_failure(&client).await.to_string()
}

/// Before CONNACK and online. The client itself sends binary frames alone: all that is read here is.
async fn text_ends_the_connection(protocol: Protocol) {
    for accepted in [false, true] {
        let (client, mut web) = connecting(protocol).await;
        if accepted {
            let connack = Message::Binary(connack(protocol).into());
            web.send(connack).await.unwrap();
            client.wait_for(Status::Online, SOON).await.unwrap();
        }
        let mut events = client.events();
        web.send(Message::Text("hello".into())).await.unwrap();
        let why = loop {
            let news = tokio_within(events.next()).await;
            if let News::Connection(
                ConnectionEvent::AttemptFailed { why, .. } | ConnectionEvent::Offline { why, .. },
            ) = news.expect("the client lives")
            {
                break why.to_string();
            }
        };
        let told = "sent text over WebSocket, and MQTT is binary (MQTT-6.0.0-1)";
        assert!(why.contains(told), "{why}");
        // The socket ends, and nothing comes before that.
        match tokio_within(web.next()).await {
            None | Some(Ok(Message::Close(_)) | Err(_)) => {}
            Some(Ok(other)) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn v311_6_0_0_1_text_ends_the_connection() {
    text_ends_the_connection(Protocol::V311).await;
}

#[tokio::test]
async fn v5_6_0_0_1_text_ends_the_connection() {
    text_ends_the_connection(Protocol::V5).await;
}

async fn a_websocket_for_something_else_is_told(protocol: Protocol) {
    for subprotocol in [None, Some("chat")] {
        let why = failure_at(subprotocol, protocol).await;
        let told = "does not confirm the subprotocol mqtt (MQTT-6.0.0-4)";
        assert!(why.contains(told), "{why}");
    }
}

#[tokio::test]
async fn v311_6_0_0_4_a_websocket_for_something_else_is_told() {
    a_websocket_for_something_else_is_told(Protocol::V311).await;
}

#[tokio::test]
async fn v5_6_0_0_4_a_websocket_for_something_else_is_told() {
    a_websocket_for_something_else_is_told(Protocol::V5).await;
}
