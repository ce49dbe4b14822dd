//! What a test can do to its clients: swallow packets, cut them off, stop reading, end the broker.
use crate::client::{Client, PATIENCE, VERSIONS, connect_packet, eventually, id, lasting, publish};
use leveret::testing::Broker;
use leveret_protocol::{
    codec::{Ack, Packet, Version},
    error::ErrorKind,
    message::QoS,
};
use std::{net::TcpListener, time::Duration};

#[test]
fn swallowed_packets_from_clients_never_arrived() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut client = Client::named(&broker, version, "client");
        broker.swallow("PUBLISH", 2).unwrap();
        for number in 1..=3 {
            client.send(Packet::Publish(publish(
                "a",
                &number.to_string(),
                QoS::AtLeastOnce,
                number,
            )));
        }
        client.receive_ack(Packet::PubAck, 3);
        client.expect_silence();
        let received = broker.received();
        assert_eq!(
            received
                .iter()
                .map(|message| message.payload())
                .collect::<Vec<_>>(),
            [b"3"]
        );
        broker.swallow("PINGREQ", 1).unwrap();
        client.send(Packet::PingReq);
        client.publish_1("a", "after the ping");
        client.expect_silence();
    }
}

#[test]
fn swallowed_answers_were_given_all_the_same() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut client = Client::connect(&broker, lasting(version, "client"));
        broker.swallow_outgoing("PUBACK", 1).unwrap();
        client.send(Packet::Publish(publish("a", "x", QoS::AtLeastOnce, 1)));
        client.expect_silence();
        assert_eq!(broker.received_count(), 1);
        // A message that gets lost on its way is in flight, and comes again after a reconnect.
        client.listen("b", QoS::AtLeastOnce);
        broker.swallow_outgoing("PUBLISH", 1).unwrap();
        broker
            .publish("b", "lost", QoS::AtLeastOnce, false)
            .unwrap();
        client.expect_silence();
        let mut client = Client::connect(&broker, lasting(version, "client"));
        let publish = client.receive_publish();
        assert!(publish.message.dup);
        client.acknowledge(&publish);
        broker.swallow_outgoing("CONNACK", 1).unwrap();
        let mut late = Client::dial(&broker, version);
        late.send(Packet::Connect(Box::new(connect_packet(version, "late"))));
        late.expect_silence();
    }
}

#[test]
fn a_swallow_can_be_ended_and_must_name_a_packet() {
    let broker = Broker::start_new().unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    broker.swallow("PUBLISH", 1_000).unwrap();
    broker.swallow("PUBLISH", 0).unwrap();
    client.publish_1("a", "x");
    let error = broker.swallow("PUBLISHED", 1).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidArgument);
    assert_eq!(
        error.to_string(),
        "packet type must be one that a client sends (CONNECT, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, \
         UNSUBSCRIBE, PINGREQ, DISCONNECT, AUTH), not \"PUBLISHED\""
    );
    let error = broker.swallow_outgoing("SUBSCRIBE", 1).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("packet type must be one that a broker sends (CONNACK, "),
        "{error}"
    );
}

#[test]
fn disconnected_clients_may_come_back() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut clients =
            ["one", "two"].map(|name| Client::connect(&broker, lasting(version, name)));
        assert_eq!(broker.connections(), 2);
        broker.disconnect_clients();
        assert_eq!(broker.connections(), 0);
        clients.iter_mut().for_each(Client::expect_end);
        let (_, connack) = Client::try_connect(&broker, lasting(version, "one"));
        assert!(connack.session_present);
    }
}

#[test]
fn a_broker_that_does_not_read_reads_later_and_holds_no_silence_against_anyone() {
    let broker = Broker::start_new().unwrap();
    let mut clients = VERSIONS.map(|version| {
        let mut connect = connect_packet(version, &format!("{version:?}"));
        connect.keep_alive = 1;
        Client::connect(&broker, connect)
    });
    broker.pause_reading(true);
    for client in &mut clients {
        client.send(Packet::Publish(publish("a", "x", QoS::AtLeastOnce, 1)));
    }
    // Longer than one and a half keep alives, which is what this waits for.
    let error = broker
        .wait_received(1, Duration::from_millis(1_700))
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    broker.pause_reading(false);
    for client in &mut clients {
        client.receive_ack(Packet::PubAck, 1);
        client.expect_silence();
    }
}

#[test]
fn close_gives_the_port_back_and_leaves_the_records() {
    let broker = Broker::start_new().unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    client.publish_1("a", "x");
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| broker.wait_received(2, PATIENCE));
        // The wait is known to the broker when a later question was answered, but whether it came first is open:
        // either way it must end with `Closed`.
        broker.close();
        assert_eq!(
            waiter.join().unwrap().map(|_| ()).unwrap_err().kind,
            ErrorKind::Closed
        );
    });
    client.expect_end();
    TcpListener::bind(("127.0.0.1", broker.port())).unwrap();
    broker.close();
    broker.stop();
    assert_eq!(broker.received().len(), 1);
    assert_eq!(broker.connects().len(), 1);
    assert_eq!((broker.connections(), broker.is_running()), (0, false));
    for error in [
        broker.start(),
        broker.swallow("PUBACK", 1),
        broker.publish("a", "", QoS::AtMostOnce, false),
    ] {
        assert_eq!(error.unwrap_err().to_string(), "the test broker is closed");
    }
}

#[test]
fn a_broker_can_be_used_from_many_threads() {
    let broker = Broker::start_new().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let broker = &broker;
            scope.spawn(move || {
                let mut client =
                    Client::named(broker, VERSIONS[thread % 2], &format!("client-{thread}"));
                for _ in 0..100 {
                    client.publish_1("a", "x");
                    broker.publish("b", "y", QoS::AtMostOnce, false).unwrap();
                }
            });
        }
    });
    assert_eq!(broker.received_count(), 800);
}

#[test]
fn a_client_that_reads_slowly_gets_everything_and_blocks_nobody() {
    let broker = Broker::start_new().unwrap();
    let mut slow = Client::named(&broker, Version::V5, "slow");
    slow.listen("big", QoS::AtLeastOnce);
    let payload = "x".repeat(1_000_000);
    for _ in 0..20 {
        broker
            .publish("big", &payload, QoS::AtLeastOnce, false)
            .unwrap();
    }
    Client::named(&broker, Version::V5, "quick").expect_silence();
    for _ in 0..20 {
        let publish = slow.receive_publish();
        assert_eq!(publish.message.payload.len(), payload.len());
        slow.acknowledge(&publish);
    }
}

#[test]
fn half_a_packet_is_waited_for() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut client = Client::named(&broker, version, "client");
        let bytes: &[u8] = match version {
            Version::V311 => &[0x32, 6, 0, 1, b'a', 0, 1, b'x'],
            Version::V5 => &[0x32, 7, 0, 1, b'a', 0, 1, 0, b'x'],
        };
        for byte in bytes {
            client.send_bytes(&[*byte]);
        }
        client.receive_ack(Packet::PubAck, 1);
        assert_eq!(broker.received()[0].payload(), b"x");
    }
}

#[test]
fn the_last_words_of_a_client_that_closes_at_once_are_heard() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut client = Client::named(&broker, version, "client");
        client.send(Packet::Publish(publish("a", "last", QoS::ExactlyOnce, 1)));
        client.send(Packet::PubRel(Ack::success(id(1))));
        drop(client);
        assert_eq!(
            broker.wait_received(1, PATIENCE).unwrap()[0].payload(),
            b"last"
        );
        eventually("the end of the connection", || broker.connections() == 0);
    }
}
