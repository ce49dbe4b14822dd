//! WebSocket of the test broker: which openings it takes, and what it thinks of other frames than binary ones.
use crate::dial::{Stream, opening, socket};
use leveret::testing::{Broker, BrokerBuilder};
use std::io::{Read, Write};
use tungstenite::{
    Error, Message, WebSocket, handshake::client::generate_key, http::HeaderValue,
    protocol::frame::coding::CloseCode,
};

fn broker() -> Broker {
    Broker::builder().websocket(true).start().unwrap()
}

fn opened(broker: &Broker) -> WebSocket<Box<dyn Stream>> {
    tungstenite::client(opening("mqtt"), socket(broker))
        .unwrap()
        .0
}

/// CONNECT of MQTT 3.1.1 with the client identifier "a" and a clean session.
const CONNECT: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01a";
const CONNACK: &[u8] = b"\x20\x02\0\0";
const PINGREQ: &[u8] = b"\xc0\0";

#[test]
fn the_sub_protocol_is_selected_among_several() {
    let broker = broker();
    let (_, response) = tungstenite::client(opening("chat, mqtt"), socket(&broker)).unwrap();
    assert_eq!(response.headers()["Sec-WebSocket-Protocol"], "mqtt");
}

#[test]
fn an_opening_without_the_sub_protocol_is_refused() {
    let broker = broker();
    for offered in ["mqttv3.1", "MQTT-other"] {
        let Err(error) = tungstenite::client(opening(offered), socket(&broker)) else {
            panic!("{offered} was taken");
        };
        let error = error.to_string();
        assert!(error.contains("400 Bad Request"), "{error}");
    }
    let mut plain = socket(&broker);
    let key = generate_key();
    write!(plain, "GET /mqtt HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        answer.ends_with("the WebSocket sub-protocol mqtt must be offered\n"),
        "{answer}"
    );
}

#[test]
fn an_opening_may_have_to_ask_for_a_path_and_bring_headers() {
    let builder = Broker::builder()
        .websocket_path("/devices?token=x")
        .websocket_header("Authorization", "Bearer y");
    let broker = builder.start().unwrap();
    assert!(broker.url().ends_with("/devices?token=x"));
    let open = |path: &str, authorization: &'static str| {
        let mut request = opening("mqtt");
        *request.uri_mut() = format!("ws://127.0.0.1{path}").parse().unwrap();
        let value = HeaderValue::from_static(authorization);
        request.headers_mut().insert("Authorization", value);
        let opened = tungstenite::client(request, socket(&broker));
        opened.map_err(|error| error.to_string()).map(drop)
    };
    open("/devices?token=x", "Bearer y").unwrap();
    let refused = open("/devices?token=z", "Bearer y").unwrap_err();
    assert!(refused.contains("404"), "{refused}");
    let refused = open("/devices?token=x", "Bearer z").unwrap_err();
    assert!(refused.contains("401"), "{refused}");
}

#[test]
fn what_is_no_path_and_no_header_is_refused() {
    let told = |builder: BrokerBuilder| builder.start().unwrap_err().to_string();
    assert_eq!(
        told(Broker::builder().websocket_path("mqtt")),
        "websocket_path must be a path that begins with / and has no spaces, not \"mqtt\""
    );
    let bad = Broker::builder().websocket_header("no name", "x");
    assert_eq!(told(bad), "a header of websocket_header is none");
    let mut builder = Broker::builder();
    let error = builder.set("websocket_header", "Token".into()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "websocket_header must be a header, \"Name: value\", not \"Token\""
    );
    builder.set("websocket_header", "Token: x".into()).unwrap();
    builder.set("websocket_path", "/a".into()).unwrap();
    assert!(builder.start().unwrap().url().ends_with("/a"));
}

#[test]
fn frames_and_packets_need_not_agree() {
    let broker = broker();
    let mut client = opened(&broker);
    let several = [CONNECT, PINGREQ, PINGREQ].concat();
    let (begin, end) = several.split_at(several.len() - 1);
    client.send(Message::binary(begin.to_vec())).unwrap();
    client.send(Message::binary(end.to_vec())).unwrap();
    let mut answers = Vec::new();
    while answers.len() < 8 {
        match client.read().unwrap() {
            Message::Binary(bytes) => answers.extend_from_slice(&bytes),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(answers, [CONNACK, b"\xd0\0\xd0\0"].concat());
}

#[test]
fn pings_are_answered_and_a_farewell_too() {
    let broker = broker();
    let mut client = opened(&broker);
    client.send(Message::Ping(b"?".as_slice().into())).unwrap();
    assert_eq!(
        client.read().unwrap(),
        Message::Pong(b"?".as_slice().into())
    );
    client.close(None).unwrap();
    assert!(matches!(client.read(), Ok(Message::Close(None))));
    assert!(matches!(client.read(), Err(Error::ConnectionClosed)));
}

#[test]
fn text_ends_the_connection_with_the_reason() {
    let broker = broker();
    let mut client = opened(&broker);
    client.send(Message::text("CONNECT")).unwrap();
    match client.read().unwrap() {
        Message::Close(Some(frame)) => {
            assert_eq!(frame.code, CloseCode::Unsupported);
            assert_eq!(frame.reason.as_str(), "MQTT travels in binary frames");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn frames_without_a_mask_end_the_connection() {
    let broker = broker();
    let mut client = opened(&broker);
    let stream = client.get_mut();
    stream.write_all(&[0x82, CONNECT.len() as u8]).unwrap();
    stream.write_all(CONNECT).unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    assert!(bytes.is_empty() || bytes[0] == 0x88, "{bytes:?} {end:?}");
    assert!(broker.connects().is_empty());
}

#[test]
fn the_broker_says_farewell_in_frames() {
    let broker = broker();
    let mut client = opened(&broker);
    client.send(Message::binary(CONNECT)).unwrap();
    assert_eq!(client.read().unwrap(), Message::binary(CONNACK));
    // A second CONNECT is an error, which MQTT 3.1.1 has no words for.
    client.send(Message::binary(CONNECT)).unwrap();
    assert!(matches!(client.read(), Ok(Message::Close(_))));
}
