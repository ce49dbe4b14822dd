//! The statements of the standards that show on a socket: a peer reads what the client writes byte by byte, and says what the test makes it say.
//!
//! The tests are named after the statements as those in `protocol/tests/conformance`, where the others are.

use std::io::{ErrorKind as Io, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use leveret::{Client, ErrorKind, Options, Protocol, QoS, Status, SubscribeOptions};

const SOON: Duration = Duration::from_secs(20);
const V311: Protocol = Protocol::V311;
const V5: Protocol = Protocol::V5;

const CONNECT_311: &[u8] = b"\x10\x0F\x00\x04MQTT\x04\x02\x00\x3C\x00\x03dev";
const DISCONNECT: &[u8] = &[0xE0, 0];

/// The end of one connection that is not leveret's.
struct Peer(TcpStream);

impl Peer {
    /// Reads exactly these bytes.
    fn expect(&mut self, bytes: &[u8]) {
        let mut came = vec![0; bytes.len()];
        self.0.read_exact(&mut came).expect("the client says it");
        assert_eq!(came, bytes, "{came:02X?} instead of {bytes:02X?}");
    }

    /// Reads one packet of less than 128 bytes.
    fn packet(&mut self) -> Vec<u8> {
        let mut packet = vec![0; 2];
        self.0.read_exact(&mut packet).expect("a packet");
        let mut body = vec![0; packet[1].into()];
        self.0.read_exact(&mut body).expect("all of it");
        packet.extend(body);
        packet
    }

    fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the client listens");
    }

    /// Everything that comes before the client closes the connection, in order or by a reset.
    fn rest(mut self) -> (Vec<u8>, bool) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => (rest, true),
            Err(error) => {
                assert_eq!(error.kind(), Io::ConnectionReset);
                (rest, false)
            }
        }
    }
}

fn options(protocol: Protocol) -> Options {
    Options::new().client_id("dev").protocol(protocol)
}

/// A client, and the peer to which it has said CONNECT, which is returned as it came.
fn connecting(options: Options) -> (Client, Peer, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("mqtt://{}", listener.local_addr().expect("its address"));
    let client = Client::new(url, options).expect("a client");
    let (stream, _) = listener.accept().expect("the client connects");
    stream.set_read_timeout(Some(SOON)).expect("a time");
    let mut peer = Peer(stream);
    let connect = peer.packet();
    (client, peer, connect)
}

async fn online(protocol: Protocol) -> (Client, Peer) {
    let (client, mut peer, _) = connecting(options(protocol));
    peer.say(match protocol {
        Protocol::V311 => &[0x20, 2, 0, 0],
        _ => &[0x20, 3, 0, 0, 0],
    });
    client.wait_for(Status::Online, SOON).await.expect("online");
    (client, peer)
}

#[test]
fn v311_3_1_0_1_connect_is_the_first_packet_on_a_socket() {
    let (_client, _, connect) = connecting(options(V311));
    assert_eq!(connect, CONNECT_311);
}

#[test]
fn v5_3_1_0_1_connect_is_the_first_packet_on_a_socket() {
    let (_client, _, connect) = connecting(options(V5));
    assert_eq!(connect[0], 0x10);
    assert_eq!(connect[2..12], *b"\x00\x04MQTT\x05\x02\x00\x3C");
}

/// Letters and a close in one breath: the letters, then DISCONNECT, then the end of the connection in order.
async fn ends_with_disconnect(protocol: Protocol) -> (Vec<u8>, bool) {
    let (client, mut peer) = online(protocol).await;
    for _ in 0..3 {
        let letter = client.publish("t", "x").qos(QoS::AtMostOnce);
        drop(letter.send().expect("room"));
    }
    client.close(SOON).await.expect("closed");
    let late = client.publish("t", "late").send();
    assert_eq!(late.expect_err("closed").kind, ErrorKind::Closed);
    for _ in 0..3 {
        assert_eq!(peer.packet()[0], 0x30);
    }
    peer.rest()
}

#[tokio::test]
async fn v311_3_14_4_1_the_socket_is_closed_after_disconnect() {
    let (rest, in_order) = ends_with_disconnect(V311).await;
    assert!(rest.ends_with(DISCONNECT) && in_order);
}

#[tokio::test]
async fn v311_3_14_4_2_no_byte_follows_disconnect_on_a_socket() {
    assert_eq!(ends_with_disconnect(V311).await.0, DISCONNECT);
}

#[tokio::test]
async fn v5_3_14_4_1_no_byte_follows_disconnect_on_a_socket() {
    let goodbye = [0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0];
    assert_eq!(ends_with_disconnect(V5).await.0, goodbye);
}

#[tokio::test]
async fn v5_3_14_4_2_the_socket_is_closed_after_disconnect() {
    let (rest, in_order) = ends_with_disconnect(V5).await;
    assert!(rest[0] == 0xE0 && in_order);
}

#[tokio::test]
async fn v311_4_8_0_1_a_violation_closes_the_socket() {
    let (_client, mut peer) = online(V311).await;
    peer.say(&[0x20, 2, 0, 0]);
    assert_eq!(peer.rest().0, [0; 0]);
}

#[tokio::test]
async fn v5_4_13_2_1_a_failing_reason_code_closes_the_socket() {
    // The client's own, after it has said it.
    let (_client, mut peer) = online(V5).await;
    peer.say(&[0x20, 3, 0, 0, 0]);
    assert_eq!(peer.rest(), (vec![0xE0, 1, 0x82], true));
    // The broker's, in DISCONNECT and in CONNACK.
    let (_client, mut peer) = online(V5).await;
    peer.say(&[0xE0, 1, 0x8B]);
    assert_eq!(peer.rest().0, [0; 0]);
    let (_client, mut peer, _) = connecting(options(V5));
    peer.say(&[0x20, 3, 0, 0x87, 0]);
    assert_eq!(peer.rest().0, [0; 0]);
}

/// Nobody has subscribed to anything, and no handler is there.
async fn unwanted_messages_are_answered(protocol: Protocol) {
    let (_client, mut peer) = online(protocol).await;
    let properties: &[u8] = if protocol == V5 { &[0] } else { &[] };
    let publish = |first: u8, id: u8| {
        let mut packet = vec![first, 5 + properties.len() as u8, 0, 1, b't', 0, id];
        packet.extend(properties);
        packet
    };
    peer.say(&publish(0x32, 7));
    peer.expect(&[0x40, 2, 0, 7]);
    peer.say(&publish(0x34, 8));
    peer.expect(&[0x50, 2, 0, 8]);
    peer.say(&[0x62, 2, 0, 8]);
    peer.expect(&[0x70, 2, 0, 8]);
}

#[tokio::test]
async fn v311_4_5_0_2_messages_that_nobody_wants_are_answered() {
    unwanted_messages_are_answered(V311).await;
}

#[tokio::test]
async fn v5_4_5_0_2_messages_that_nobody_wants_are_answered() {
    unwanted_messages_are_answered(V5).await;
}

/// A whole conversation with a server that knows the standard and nothing else, every byte of it.
#[tokio::test]
async fn v311_7_0_0_2_nothing_but_the_standard_is_needed() {
    let (client, mut peer, connect) = connecting(options(V311));
    assert_eq!(connect, CONNECT_311);
    peer.say(&[0x20, 2, 0, 0]);
    client.wait_for(Status::Online, SOON).await.expect("online");
    let filter = std::thread::spawn(move || {
        peer.expect(b"\x82\x08\x00\x01\x00\x03a/+\x01");
        peer.say(&[0x90, 3, 0, 1, 1]);
        peer
    });
    let filter_of_client = client.subscribe("a/+", QoS::AtLeastOnce).await;
    let subscription = filter_of_client.expect("granted");
    let mut peer = filter.join().expect("the peer heard it");
    let mut receipts = Vec::new();
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let letter = client.publish("a/b", "x").qos(qos).send();
        receipts.push(letter.expect("room"));
    }
    peer.expect(b"\x30\x06\x00\x03a/bx");
    peer.expect(b"\x32\x08\x00\x03a/b\x00\x02x");
    peer.expect(b"\x34\x08\x00\x03a/b\x00\x03x");
    peer.say(b"\x40\x02\x00\x02\x50\x02\x00\x03");
    peer.expect(b"\x62\x02\x00\x03");
    peer.say(b"\x70\x02\x00\x03");
    for receipt in receipts {
        assert!(receipt.await.ok());
    }
    let filter = std::thread::spawn(move || {
        peer.expect(b"\xA2\x07\x00\x04\x00\x03a/+");
        peer.say(&[0xB0, 2, 0, 4]);
        peer
    });
    subscription.unsubscribe().await.expect("taken back");
    let peer = filter.join().expect("the peer heard it");
    client.close(SOON).await.expect("closed");
    assert_eq!(peer.rest(), (DISCONNECT.to_vec(), true));
}

/// TCP: packets come in pieces of a byte, and several in one piece, and are the same packets.
async fn runs_over_tcp(protocol: Protocol) {
    let (client, mut peer) = online(protocol).await;
    peer.0.set_nodelay(true).expect("no delay");
    let mut receipts = Vec::new();
    for _ in 0..4 {
        let letter = client.publish("t", "x").qos(QoS::AtLeastOnce).send();
        receipts.push(letter.expect("room"));
    }
    for id in 1..=4 {
        let publish = peer.packet();
        assert_eq!((publish[0], publish[6]), (0x32, id), "in their order");
    }
    for byte in [0x40, 2, 0, 1] {
        peer.say(&[byte]);
    }
    peer.say(&[0x40, 2, 0, 2, 0x40, 2, 0, 3, 0x40, 2]);
    peer.say(&[0, 4]);
    for receipt in receipts {
        assert!(receipt.await.delivered());
    }
}

#[tokio::test]
async fn v311_7_1_2_1_it_runs_over_tcp() {
    runs_over_tcp(V311).await;
}

#[tokio::test]
async fn v5_4_2_1_it_runs_over_tcp() {
    runs_over_tcp(V5).await;
}

/// A filter that is none never reaches the wire; nor do the bad topics of a letter and of a will.
async fn the_client_checks_topics(protocol: Protocol) {
    let (client, mut peer) = online(protocol).await;
    for filter in ["a#", "#/a", "a+", "", "a\0b", "$share//a", "$share/g"] {
        let refused = client.subscribe(filter, QoS::AtLeastOnce).await;
        let kind = refused.expect_err("no filter").kind;
        assert_eq!(kind, ErrorKind::InvalidArgument, "{filter:?}");
        let refused = client.unsubscribe(filter).await;
        let kind = refused.expect_err("no filter").kind;
        assert_eq!(kind, ErrorKind::InvalidArgument, "{filter:?}");
    }
    for topic in ["a/+", "#", "", "a\0b"] {
        let refused = client.publish(topic, "x").send();
        let kind = refused.expect_err("no topic").kind;
        assert_eq!(kind, ErrorKind::InvalidArgument, "{topic:?}");
    }
    drop(client.publish("good", "x").qos(QoS::AtMostOnce).send());
    assert_eq!(peer.packet()[2..8], *b"\x00\x04good");
    // With a bad will there is no client, and no connection.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let url = format!("mqtt://{}", listener.local_addr().expect("its address"));
    for topic in ["a/+", "#", "", "a\0b"] {
        let refused = Client::new(&url, options(protocol).will_topic(topic));
        let kind = refused.expect_err("no topic").kind;
        assert_eq!(kind, ErrorKind::InvalidArgument, "{topic:?}");
    }
    let connection = listener.accept().expect_err("nobody came");
    assert_eq!(connection.kind(), Io::WouldBlock);
}

#[tokio::test]
async fn v311_4_7_1_1_what_is_no_name_or_filter_never_reaches_the_socket() {
    the_client_checks_topics(V311).await;
}

#[tokio::test]
async fn v5_4_7_0_1_what_is_no_name_or_filter_never_reaches_the_socket() {
    the_client_checks_topics(V5).await;
}

#[tokio::test]
async fn v5_3_8_3_4_no_local_on_a_shared_subscription_never_reaches_the_socket() {
    let (client, mut peer) = online(V5).await;
    let no_local = SubscribeOptions::new().no_local(true);
    let refused = client.subscribe("$share/g/f", no_local).await;
    let kind = refused.expect_err("no subscription").kind;
    assert_eq!(kind, ErrorKind::InvalidArgument);
    drop(client.publish("good", "x").qos(QoS::AtMostOnce).send());
    assert_eq!(peer.packet()[2..8], *b"\x00\x04good");
}
