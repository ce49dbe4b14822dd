//! Sessions: kept, resumed, ended, taken over, lost; the broker stopped and started.
use crate::client::{
    Client, PATIENCE, VERSIONS, connect_packet, eventually, id, lasting, number_property, publish,
};
use leveret::testing::Broker;
use leveret_protocol::{
    codec::{Ack, Packet, Properties, PropertyId, Version},
    message::QoS,
    reason::ReasonCode,
};
use std::{io::ErrorKind, net::TcpStream};

#[test]
fn a_lasting_session_keeps_subscriptions_and_queues_messages() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let (mut client, connack) = Client::try_connect(&broker, lasting(version, "client"));
        assert!(!connack.session_present);
        client.listen("a/+", QoS::AtLeastOnce);
        client.disconnect(ReasonCode::SUCCESS);
        broker
            .publish("a/0", "not kept", QoS::AtMostOnce, false)
            .unwrap();
        broker
            .publish("a/1", "kept", QoS::AtLeastOnce, false)
            .unwrap();
        let (mut client, connack) = Client::try_connect(&broker, lasting(version, "client"));
        assert!(connack.session_present);
        let publish = client.receive_publish();
        assert_eq!(
            (publish.message.payload(), publish.message.dup),
            (&b"kept"[..], false)
        );
        client.acknowledge(&publish);
        client.expect_silence();
    }
}

#[test]
fn a_clean_start_forgets_the_session_before() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut client = Client::connect(&broker, lasting(version, "client"));
        client.listen("a", QoS::AtLeastOnce);
        client.disconnect(ReasonCode::SUCCESS);
        let (mut client, connack) = Client::try_connect(&broker, connect_packet(version, "client"));
        assert!(!connack.session_present);
        broker.publish("a", "x", QoS::AtLeastOnce, false).unwrap();
        client.expect_silence();
        // Its session ended with it: expiry 0, or Clean Session.
        client.disconnect(ReasonCode::SUCCESS);
        let (_, connack) = Client::try_connect(&broker, lasting(version, "client"));
        assert!(!connack.session_present);
    }
}

#[test]
fn what_is_not_acknowledged_is_sent_again_in_order() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut client = Client::connect(&broker, lasting(version, "client"));
        client.listen("#", QoS::ExactlyOnce);
        for (topic, qos) in [
            ("a", QoS::AtLeastOnce),
            ("b", QoS::ExactlyOnce),
            ("c", QoS::AtLeastOnce),
            ("d", QoS::ExactlyOnce),
        ] {
            broker.publish(topic, topic, qos, false).unwrap();
        }
        let first: Vec<_> = (0..4).map(|_| client.receive_publish()).collect();
        client.acknowledge(&first[2]);
        let released = first[1].packet_id.unwrap();
        client.send(Packet::PubRec(Ack::success(released)));
        client.receive_ack(Packet::PubRel, released.get());
        drop(client);
        let mut client = Client::connect(&broker, lasting(version, "client"));
        let mut again = first[0].clone();
        again.message.dup = true;
        assert_eq!(client.receive_publish(), again);
        client.receive_ack(Packet::PubRel, released.get());
        let mut again = first[3].clone();
        again.message.dup = true;
        assert_eq!(client.receive_publish(), again);
        client.expect_silence();
        client.send(Packet::PubComp(Ack::success(released)));
        client.acknowledge(&first[0]);
        let last = first[3].packet_id.unwrap();
        client.send(Packet::PubRec(Ack::success(last)));
        client.receive_ack(Packet::PubRel, last.get());
        client.send(Packet::PubComp(Ack::success(last)));
        client.disconnect(ReasonCode::SUCCESS);
        Client::connect(&broker, lasting(version, "client")).expect_silence();
    }
}

#[test]
fn a_session_expires_in_its_time_and_not_before() {
    let broker = Broker::start_new().unwrap();
    let expiring = |seconds| {
        let mut connect = lasting(Version::V5, "client");
        connect.properties =
            number_property(Version::V5, PropertyId::SessionExpiryInterval, seconds);
        connect
    };
    Client::connect(&broker, expiring(600)).disconnect(ReasonCode::SUCCESS);
    let (mut client, connack) = Client::try_connect(&broker, expiring(1));
    assert!(connack.session_present);
    client.send(Packet::Disconnect(leveret_protocol::codec::Disconnect {
        reason: ReasonCode::SUCCESS,
        properties: Properties::new(),
    }));
    // The second begins when the broker reads DISCONNECT, after which it hangs up.
    client.expect_end();
    let left = std::time::Instant::now();
    eventually("a second", || {
        left.elapsed() > std::time::Duration::from_millis(1_050)
    });
    let (_, connack) = Client::try_connect(&broker, expiring(1));
    assert!(!connack.session_present);
}

#[test]
fn disconnect_can_change_the_session_expiry_but_not_begin_one() {
    let broker = Broker::start_new().unwrap();
    let disconnect = |seconds| {
        let properties = number_property(Version::V5, PropertyId::SessionExpiryInterval, seconds);
        Packet::Disconnect(leveret_protocol::codec::Disconnect {
            reason: ReasonCode::SUCCESS,
            properties,
        })
    };
    let mut client = Client::connect(&broker, lasting(Version::V5, "client"));
    client.send(disconnect(0));
    client.expect_end();
    let (mut client, connack) = Client::try_connect(&broker, connect_packet(Version::V5, "client"));
    assert!(!connack.session_present);
    client.send(disconnect(60));
    client.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn a_second_connection_takes_the_session_over() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut first = Client::connect(&broker, lasting(version, "client"));
        first.listen("a", QoS::AtLeastOnce);
        let (mut second, connack) = Client::try_connect(&broker, lasting(version, "client"));
        assert!(connack.session_present);
        first.expect_disconnect(ReasonCode::SESSION_TAKEN_OVER);
        assert_eq!(broker.connections(), 1);
        broker
            .publish("a", "for the second", QoS::AtLeastOnce, false)
            .unwrap();
        assert_eq!(
            second.receive_publish().message.payload(),
            b"for the second"
        );
    }
}

#[test]
fn stop_refuses_connections_and_start_has_the_same_port_and_sessions() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let url = broker.url().to_owned();
        let mut client = Client::connect(&broker, lasting(version, "client"));
        client.listen("a", QoS::AtLeastOnce);
        client.retain("kept", "retained");
        for _ in 0..3 {
            broker.stop();
            assert!(!broker.is_running());
            broker.stop();
            client.expect_end();
            assert_eq!(broker.connections(), 0);
            let error = TcpStream::connect(("127.0.0.1", broker.port())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            broker
                .publish("a", "meanwhile", QoS::AtLeastOnce, false)
                .unwrap();
            broker.start().unwrap();
            broker.start().unwrap();
            assert!(broker.is_running());
            assert_eq!(broker.url(), url);
            let connack;
            (client, connack) = Client::try_connect(&broker, lasting(version, "client"));
            assert!(connack.session_present);
            let publish = client.receive_publish();
            assert_eq!(
                (publish.message.payload(), publish.message.dup),
                (&b"meanwhile"[..], false)
            );
            client.acknowledge(&publish);
            client.expect_silence();
        }
        client.listen("kept", QoS::AtMostOnce);
        assert_eq!(client.receive_publish().message.payload(), b"retained");
        assert_eq!(broker.received_count(), 1);
    }
}

#[test]
fn the_port_of_a_stopped_broker_is_given_to_nobody() {
    let stopped = Broker::start_new().unwrap();
    stopped.stop();
    let others: Vec<Broker> = (0..50).map(|_| Broker::start_new().unwrap()).collect();
    let sockets: Vec<_> = (0..50)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let mut ports: Vec<u16> = sockets
        .iter()
        .map(|socket| socket.local_addr().unwrap().port())
        .collect();
    ports.extend(others.iter().map(Broker::port));
    ports.push(stopped.port());
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 101);
    stopped.start().unwrap();
    Client::named(&stopped, Version::V5, "client").expect_silence();
}

#[test]
fn stop_and_forget_loses_sessions_and_retained_messages() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        Client::connect(&broker, lasting(version, "client")).retain("kept", "retained");
        broker.stop_and_forget();
        broker.start().unwrap();
        let (mut client, connack) = Client::try_connect(&broker, lasting(version, "client"));
        assert!(!connack.session_present);
        client.listen("kept", QoS::AtMostOnce);
        client.expect_silence();
    }
}

#[test]
fn lost_sessions_end_their_connections() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut client = Client::connect(&broker, lasting(version, "client"));
        client.retain("kept", "retained");
        broker.lose_sessions();
        client.expect_end();
        let (mut client, connack) = Client::try_connect(&broker, lasting(version, "client"));
        assert!(!connack.session_present);
        client.listen("kept", QoS::AtMostOnce);
        assert_eq!(client.receive_publish().message.payload(), b"retained");
    }
}

#[test]
fn an_exchange_of_qos_2_survives_a_restart_of_the_broker() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut subscriber = Client::connect(&broker, lasting(version, "subscriber"));
        subscriber.listen("a", QoS::ExactlyOnce);
        let mut publisher = Client::connect(&broker, lasting(version, "publisher"));
        publisher.send(Packet::Publish(publish("a", "x", QoS::ExactlyOnce, 1)));
        publisher.receive_ack(Packet::PubRec, 1);
        let received = subscriber.receive_publish();
        broker.stop();
        broker.start().unwrap();
        let mut publisher = Client::connect(&broker, lasting(version, "publisher"));
        publisher.send(Packet::PubRel(Ack::success(id(1))));
        assert_eq!(
            publisher.receive_ack(Packet::PubComp, 1),
            ReasonCode::SUCCESS
        );
        let mut subscriber = Client::connect(&broker, lasting(version, "subscriber"));
        let again = subscriber.receive_publish();
        assert!(again.message.dup);
        assert_eq!(again.packet_id, received.packet_id);
        subscriber.send(Packet::PubRec(Ack::success(again.packet_id.unwrap())));
        subscriber.receive_ack(Packet::PubRel, again.packet_id.unwrap().get());
        subscriber.send(Packet::PubComp(Ack::success(again.packet_id.unwrap())));
        subscriber.expect_silence();
        assert_eq!(broker.wait_received(1, PATIENCE).unwrap().len(), 1);
    }
}
