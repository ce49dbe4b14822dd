//! Wills: when they are published, when not, and when later.
use crate::client::{Client, VERSIONS, connect_packet, eventually, lasting, number_property};
use leveret::testing::Broker;
use leveret_protocol::{
    codec::{Connect, Properties, PropertyId, Version},
    message::{QoS, Will},
    reason::ReasonCode,
};

fn with_will(mut connect: Connect, delay: u32) -> Connect {
    connect.will = Some(Will {
        topic: "wills/client".into(),
        payload: "gone".into(),
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: match delay {
            0 => Properties::new(),
            _ => number_property(connect.version, PropertyId::WillDelayInterval, delay),
        },
    });
    connect
}

fn witness(broker: &Broker) -> Client {
    let mut witness = Client::named(broker, Version::V5, "witness");
    witness.listen("wills/#", QoS::AtMostOnce);
    witness
}

#[test]
fn a_will_is_published_when_the_connection_breaks() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut witness = witness(&broker);
        drop(Client::connect(
            &broker,
            with_will(connect_packet(version, "client"), 0),
        ));
        let will = witness.receive_publish();
        assert_eq!(
            (will.message.topic(), will.message.payload()),
            ("wills/client", &b"gone"[..])
        );
        assert!(broker.received().is_empty());
    }
}

#[test]
fn a_will_is_not_published_after_a_normal_disconnect() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut witness = witness(&broker);
        Client::connect(&broker, with_will(connect_packet(version, "client"), 0))
            .disconnect(ReasonCode::SUCCESS);
        witness.expect_silence();
    }
}

#[test]
fn disconnect_can_ask_for_the_will() {
    let broker = Broker::start_new().unwrap();
    let mut witness = witness(&broker);
    let client = Client::connect(&broker, with_will(connect_packet(Version::V5, "client"), 0));
    client.disconnect(ReasonCode::DISCONNECT_WITH_WILL);
    assert_eq!(witness.receive_publish().message.payload(), b"gone");
}

#[test]
fn a_will_is_published_when_the_broker_cuts_the_connection() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut witness = Client::connect(&broker, lasting(Version::V5, "witness"));
        witness.listen("wills/#", QoS::AtLeastOnce);
        let mut client = Client::connect(&broker, with_will(connect_packet(version, "client"), 0));
        broker.disconnect_clients();
        client.expect_end();
        witness.expect_end();
        let mut witness = Client::connect(&broker, lasting(Version::V5, "witness"));
        assert_eq!(witness.receive_publish().message.payload(), b"gone");
    }
}

#[test]
fn a_will_is_not_published_when_the_broker_stops() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut witness = Client::connect(&broker, lasting(Version::V5, "witness"));
        witness.listen("wills/#", QoS::AtLeastOnce);
        let _client = Client::connect(&broker, with_will(lasting(version, "client"), 0));
        broker.stop();
        broker.start().unwrap();
        Client::connect(&broker, lasting(Version::V5, "witness")).expect_silence();
    }
}

#[test]
fn a_delayed_will_waits_and_is_dropped_when_the_client_comes_back() {
    let broker = Broker::start_new().unwrap();
    let mut witness = witness(&broker);
    drop(Client::connect(
        &broker,
        with_will(lasting(Version::V5, "client"), 3600),
    ));
    eventually("the end of the connection", || broker.connections() == 1);
    witness.expect_silence();
    let client = Client::connect(&broker, lasting(Version::V5, "client"));
    client.disconnect(ReasonCode::DISCONNECT_WITH_WILL);
    witness.expect_silence();
    // Nor is it left over for the end of the session.
    Client::named(&broker, Version::V5, "client").disconnect(ReasonCode::SUCCESS);
    witness.expect_silence();
}

#[test]
fn a_delayed_will_is_published_when_its_time_has_come() {
    let broker = Broker::start_new().unwrap();
    let mut witness = witness(&broker);
    let begin = std::time::Instant::now();
    drop(Client::connect(
        &broker,
        with_will(lasting(Version::V5, "client"), 1),
    ));
    assert_eq!(witness.receive_publish().message.payload(), b"gone");
    assert!(begin.elapsed() >= std::time::Duration::from_secs(1));
}

#[test]
fn a_delayed_will_is_published_when_the_session_ends() {
    let broker = Broker::start_new().unwrap();
    let mut witness = witness(&broker);
    // The session ends with the connection.
    drop(Client::connect(
        &broker,
        with_will(connect_packet(Version::V5, "short"), 3600),
    ));
    assert_eq!(witness.receive_publish().message.payload(), b"gone");
    // The session ends with a clean start.
    drop(Client::connect(
        &broker,
        with_will(lasting(Version::V5, "client"), 3600),
    ));
    eventually("the end of the connection", || broker.connections() == 1);
    Client::named(&broker, Version::V5, "client").disconnect(ReasonCode::SUCCESS);
    assert_eq!(witness.receive_publish().message.payload(), b"gone");
}

#[test]
fn a_will_is_published_at_a_takeover_unless_it_is_delayed() {
    let broker = Broker::start_new().unwrap();
    let mut witness = witness(&broker);
    let _first = Client::connect(&broker, with_will(lasting(Version::V5, "client"), 0));
    let _second = Client::connect(&broker, with_will(lasting(Version::V5, "client"), 60));
    assert_eq!(witness.receive_publish().message.payload(), b"gone");
    let _third = Client::connect(&broker, lasting(Version::V5, "client"));
    witness.expect_silence();
}

#[test]
fn a_will_can_be_retained() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut connect = with_will(connect_packet(version, "client"), 0);
        connect.will.as_mut().unwrap().retain = true;
        drop(Client::connect(&broker, connect));
        eventually("the end of the connection", || broker.connections() == 0);
        let will = witness(&broker).receive_publish();
        assert!(will.message.retain);
    }
}

#[test]
fn a_silent_client_is_ended_after_one_and_a_half_times_its_keep_alive() {
    let broker = Broker::start_new().unwrap();
    let mut witness = witness(&broker);
    let begin = std::time::Instant::now();
    let clients = VERSIONS.map(|version| {
        let mut connect = with_will(connect_packet(version, &format!("{version:?}")), 0);
        connect.keep_alive = 1;
        let mut client = Client::connect(&broker, connect);
        client.expect_silence();
        client
    });
    for mut client in clients {
        client.expect_disconnect(ReasonCode::KEEP_ALIVE_TIMEOUT);
        let took = begin.elapsed();
        assert!(took >= std::time::Duration::from_millis(1_500), "{took:?}");
        assert_eq!(witness.receive_publish().message.payload(), b"gone");
    }
}
