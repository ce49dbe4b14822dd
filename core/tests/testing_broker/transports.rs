//! Every way to a test broker: the same MQTT and the same faults, over plain sockets, TLS, WebSocket and Unix sockets.
use crate::{
    client::{Client, PATIENCE, VERSIONS, connect_packet, eventually, id, lasting, publish},
    dial::socket,
};
use leveret::testing::{Broker, BrokerBuilder};
use leveret_protocol::{
    codec::{Ack, Packet, Version},
    error::ErrorKind,
    message::QoS,
};
use std::{io::Write, net::TcpStream};

/// A broker of each kind, with what its address begins with.
fn kinds() -> Vec<(BrokerBuilder, &'static str)> {
    let plain = Broker::builder;
    vec![
        (plain(), "mqtt://127.0.0.1:"),
        (plain().tls(true), "mqtts://127.0.0.1:"),
        (plain().websocket(true), "ws://127.0.0.1:"),
        (plain().tls(true).websocket(true), "wss://127.0.0.1:"),
        #[cfg(unix)]
        (plain().unix_socket(), "mqtt+unix:///"),
    ]
}

/// Plays something on a broker of each kind, in both versions.
fn on_each(play: impl Fn(Broker, Version)) {
    for (builder, address) in kinds() {
        for version in VERSIONS {
            let broker = builder.clone().start().unwrap();
            assert!(broker.url().starts_with(address), "{}", broker.url());
            play(broker, version);
        }
    }
}

#[test]
fn messages_of_every_qos_and_size_go_both_ways() {
    on_each(|broker, version| {
        let mut client = Client::named(&broker, version, "client");
        client.listen("echo", QoS::ExactlyOnce);
        client.send(Packet::Publish(publish("echo", "0", QoS::AtMostOnce, 0)));
        assert_eq!(&client.receive_publish().message.payload[..], b"0");
        client.publish_1("other", "1");
        client.send(Packet::Publish(publish("other", "2", QoS::ExactlyOnce, 2)));
        client.receive_ack(Packet::PubRec, 2);
        client.send(Packet::PubRel(Ack::success(id(2))));
        client.receive_ack(Packet::PubComp, 2);
        let large = "large".repeat(600_000);
        client.send(Packet::Publish(publish(
            "echo",
            &large,
            QoS::AtLeastOnce,
            3,
        )));
        let echo = client.receive_publish();
        assert!(echo.message.payload == large.as_bytes());
        client.receive_ack(Packet::PubAck, 3);
        client.acknowledge(&echo);
        assert_eq!(broker.wait_received(4, PATIENCE).unwrap().len(), 4);
        client.disconnect(leveret_protocol::reason::ReasonCode::SUCCESS);
        eventually("the end of the connection", || broker.connections() == 0);
    });
}

#[test]
fn a_client_that_reads_late_gets_all_of_it() {
    on_each(|broker, version| {
        let mut client = Client::named(&broker, version, "client");
        client.listen("a", QoS::AtLeastOnce);
        let body = "x".repeat(100_000);
        for _ in 0..100 {
            broker.publish("a", &body, QoS::AtMostOnce, false).unwrap();
        }
        for _ in 0..100 {
            assert_eq!(client.receive_publish().message.payload.len(), body.len());
        }
        client.expect_silence();
    });
}

#[test]
fn it_stops_and_starts_at_the_same_address_with_the_same_sessions() {
    on_each(|broker, version| {
        let mut client = Client::connect(&broker, lasting(version, "client"));
        client.listen("a", QoS::AtLeastOnce);
        broker.stop();
        client.expect_end();
        assert!(!broker.is_running());
        broker
            .publish("a", "meanwhile", QoS::AtLeastOnce, false)
            .unwrap();
        broker.start().unwrap();
        let mut client = Client::connect(&broker, lasting(version, "client"));
        assert_eq!(&client.receive_publish().message.payload[..], b"meanwhile");
        broker.disconnect_clients();
        client.expect_end();
        let mut client = Client::connect(&broker, lasting(version, "client"));
        client.receive_publish();
        broker.lose_sessions();
        client.expect_end();
        let (_, connack) = Client::try_connect(&broker, lasting(version, "client"));
        assert!(!connack.session_present);
    });
}

#[test]
fn it_swallows_and_hangs() {
    on_each(|broker, version| {
        let mut client = Client::named(&broker, version, "client");
        broker.swallow("PUBLISH", 1).unwrap();
        client.send(Packet::Publish(publish("a", "lost", QoS::AtLeastOnce, 1)));
        client.publish_1("a", "next");
        broker.swallow_outgoing("PINGRESP", 1).unwrap();
        client.send(Packet::PingReq);
        client.expect_silence();
        assert_eq!(broker.received_count(), 1);
        broker.pause_reading(true);
        client.send(Packet::Publish(publish("a", "late", QoS::AtLeastOnce, 2)));
        assert_eq!(broker.received_count(), 1);
        broker.pause_reading(false);
        client.receive_ack(Packet::PubAck, 2);
    });
}

#[test]
fn the_last_packet_arrives_before_the_end() {
    on_each(|broker, _| {
        let mut client = Client::named(&broker, Version::V5, "client");
        let _other = Client::named(&broker, Version::V5, "client");
        client.expect_disconnect(leveret_protocol::reason::ReasonCode::SESSION_TAKEN_OVER);
    });
}

#[test]
fn who_speaks_something_else_is_cut_off_and_nobody_minds() {
    on_each(|broker, version| {
        let mut stranger = socket(&broker);
        stranger.write_all(&[0xff; 100]).unwrap();
        let mut bytes = [0; 1000];
        // An alert or an answer may come first.
        while let Ok(1..) = stranger.read(&mut bytes) {}
        Client::named(&broker, version, "client").expect_silence();
    });
}

#[cfg(unix)]
#[test]
fn a_socket_file_comes_and_goes_with_its_broker() {
    use std::{fs, os::unix::fs::FileTypeExt, os::unix::fs::PermissionsExt, path::Path};
    let broker = Broker::builder().unix_socket().start().unwrap();
    let path = broker
        .url()
        .strip_prefix("mqtt+unix://")
        .unwrap()
        .to_owned();
    let (path, folder) = (Path::new(&path), Path::new(&path).parent().unwrap());
    assert!(fs::metadata(path).unwrap().file_type().is_socket());
    assert_eq!(
        fs::metadata(folder).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert_eq!(broker.port(), 0);
    broker.stop();
    let refused = std::os::unix::net::UnixStream::connect(path).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let own = folder.join("its own %");
    let other = Broker::builder().unix_socket_at(&own).start().unwrap();
    assert!(other.url().ends_with("/its%20own%20%25"), "{}", other.url());
    let taken = Broker::builder().unix_socket_at(&own).start().unwrap_err();
    assert_eq!(taken.kind, ErrorKind::System);
    assert!(taken.to_string().contains("exists already"), "{taken}");
    drop(other);
    assert!(!own.exists());
    broker.close();
    assert!(!folder.exists());
}

#[test]
fn what_cannot_be_combined_is_refused() {
    let builders = [
        Broker::builder().unix_socket().tls(true),
        Broker::builder().unix_socket().websocket(true),
        Broker::builder().unix_socket().client_certificates(true),
    ];
    for builder in builders {
        let error = builder.start().unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("unix_socket"), "{error}");
    }
}

#[test]
fn bindings_set_the_transport_by_name() {
    let mut builder = Broker::builder();
    builder.set("tls", true.into()).unwrap();
    builder.set("websocket", "true".into()).unwrap();
    let broker = builder.start().unwrap();
    assert!(broker.url().starts_with("wss://"));
    let mut builder = Broker::builder();
    for (name, value, sentence) in [
        ("tls", "yes", "tls must be true or false, not \"yes\""),
        (
            "client_certificates",
            "1",
            "client_certificates must be true or false, not \"1\"",
        ),
        (
            "unix_socket",
            "here",
            "unix_socket must be true, false or the absolute path of a file to be made, not \"here\"",
        ),
    ] {
        let error = builder.set(name, value.into()).unwrap_err();
        assert_eq!(error.to_string(), sentence);
    }
    builder.set("unix_socket", false.into()).unwrap();
    builder.set("client_certificates", true.into()).unwrap();
    assert!(builder.start().unwrap().url().starts_with("mqtts://"));
}

/// A connection that dies inside a handshake leaves nothing behind.
#[test]
fn a_handshake_may_be_broken_off() {
    let broker = Broker::builder().tls(true).websocket(true).start().unwrap();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(("127.0.0.1", broker.port())).unwrap();
        stream.write_all(&[0x16, 3, 1, 0, 200, 1]).unwrap();
    }
    let mut client = Client::connect(&broker, connect_packet(Version::V5, "client"));
    client.expect_silence();
    assert_eq!(broker.connections(), 1);
}
