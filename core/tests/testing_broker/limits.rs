//! Limits both ways, who is let in, and what is no MQTT.
use crate::client::{
    Client, VERSIONS, connect_packet, eventually, id, lasting, number_property, publish,
};
use leveret::testing::Broker;
use leveret_protocol::{
    codec::{Ack, Auth, Packet, Properties, PropertyId, Version},
    message::{QoS, Will},
    reason::ReasonCode,
};

#[test]
fn the_receive_maximum_of_a_client_holds_messages_back() {
    let broker = Broker::start_new().unwrap();
    let mut connect = connect_packet(Version::V5, "client");
    connect.properties = number_property(Version::V5, PropertyId::ReceiveMaximum, 2);
    let mut client = Client::connect(&broker, connect);
    client.listen("#", QoS::ExactlyOnce);
    for number in 0..4 {
        broker
            .publish("a", number.to_string(), QoS::AtLeastOnce, false)
            .unwrap();
    }
    broker
        .publish("a", "not held back", QoS::AtMostOnce, false)
        .unwrap();
    let first = client.receive_publish();
    let second = client.receive_publish();
    assert_eq!(
        (first.message.payload(), second.message.payload()),
        (&b"0"[..], &b"1"[..])
    );
    assert_eq!(client.receive_publish().message.payload(), b"not held back");
    client.expect_silence();
    client.acknowledge(&second);
    assert_eq!(client.receive_publish().message.payload(), b"2");
    client.expect_silence();
    client.acknowledge(&first);
    assert_eq!(client.receive_publish().message.payload(), b"3");
}

#[test]
fn a_message_larger_than_the_client_takes_is_left_out() {
    let broker = Broker::start_new().unwrap();
    let mut connect = connect_packet(Version::V5, "client");
    connect.properties = number_property(Version::V5, PropertyId::MaximumPacketSize, 30);
    connect
        .properties
        .set(PropertyId::ReceiveMaximum, 1_u16)
        .unwrap();
    let mut client = Client::connect(&broker, connect);
    client.listen("#", QoS::AtLeastOnce);
    broker
        .publish("a", "x".repeat(30), QoS::AtLeastOnce, false)
        .unwrap();
    broker
        .publish("a", "small", QoS::AtLeastOnce, false)
        .unwrap();
    assert_eq!(client.receive_publish().message.payload(), b"small");
    client.expect_silence();
}

#[test]
fn connack_announces_the_limits_and_breaking_them_ends_the_connection() {
    let broker = Broker::builder()
        .receive_maximum(2)
        .maximum_qos(QoS::AtLeastOnce)
        .retain_available(false)
        .maximum_packet_size(100)
        .server_keep_alive(77)
        .maximum_session_expiry(600)
        .topic_alias_maximum(0)
        .start()
        .unwrap();
    let (_, connack) = Client::try_connect(&broker, lasting(Version::V5, "client"));
    let properties = connack.properties;
    assert_eq!(properties.receive_maximum(), Some(2));
    assert_eq!(properties.maximum_qos(), Some(1));
    assert_eq!(properties.retain_available(), Some(0));
    assert_eq!(properties.maximum_packet_size(), Some(100));
    assert_eq!(properties.server_keep_alive(), Some(77));
    assert_eq!(properties.session_expiry_interval(), Some(600));
    assert_eq!(properties.topic_alias_maximum(), None);

    let mut retained = publish("a", "x", QoS::AtLeastOnce, 1);
    retained.message.retain = true;
    let breaches = [
        (
            publish("a", "x", QoS::ExactlyOnce, 1),
            ReasonCode::QOS_NOT_SUPPORTED,
        ),
        (retained, ReasonCode::RETAIN_NOT_SUPPORTED),
        (
            publish("a", &"x".repeat(100), QoS::AtMostOnce, 0),
            ReasonCode::PACKET_TOO_LARGE,
        ),
    ];
    for version in VERSIONS {
        for (packet, reason) in &breaches {
            let mut client = Client::named(&broker, version, "client");
            client.send(Packet::Publish(packet.clone()));
            client.expect_disconnect(*reason);
        }
    }
}

#[test]
fn a_broker_without_limits_announces_none() {
    let broker = Broker::start_new().unwrap();
    let (_, connack) = Client::try_connect(&broker, connect_packet(Version::V5, "client"));
    assert_eq!(
        connack.properties,
        number_property(Version::V5, PropertyId::TopicAliasMaximum, 16)
    );
}

#[test]
fn too_many_unfinished_messages_end_the_connection() {
    let broker = Broker::builder().receive_maximum(2).start().unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    for number in 1..=2 {
        client.send(Packet::Publish(publish("a", "x", QoS::ExactlyOnce, number)));
        client.receive_ack(Packet::PubRec, number);
    }
    client.send(Packet::PubRel(Ack::success(id(1))));
    client.receive_ack(Packet::PubComp, 1);
    for number in 3..=4 {
        client.send(Packet::Publish(publish("a", "x", QoS::ExactlyOnce, number)));
    }
    client.receive_ack(Packet::PubRec, 3);
    client.expect_disconnect(ReasonCode::RECEIVE_MAXIMUM_EXCEEDED);
}

#[test]
fn strangers_are_refused_and_their_connect_is_recorded() {
    for version in VERSIONS {
        let broker = Broker::builder()
            .user("ann", "secret")
            .user("bob", "")
            .start()
            .unwrap();
        let with = |name: Option<&str>, password: Option<&'static str>| {
            let mut connect = connect_packet(version, "client");
            connect.user_name = name.map(Into::into);
            connect.password = password.map(Into::into);
            connect
        };
        let cases = [
            (with(Some("ann"), Some("secret")), ReasonCode::SUCCESS),
            (with(Some("bob"), None), ReasonCode::SUCCESS),
            (
                with(Some("ann"), Some("wrong")),
                ReasonCode::BAD_USER_NAME_OR_PASSWORD,
            ),
            (
                with(Some("eve"), Some("secret")),
                ReasonCode::BAD_USER_NAME_OR_PASSWORD,
            ),
            (with(None, None), ReasonCode::NOT_AUTHORIZED),
        ];
        for (connect, reason) in cases {
            let (mut client, connack) = Client::try_connect(&broker, connect);
            assert_eq!((connack.reason, connack.session_present), (reason, false));
            if reason.is_error() {
                client.expect_end();
            }
            assert_eq!(
                broker.connects().last().map(|connect| connect.reason()),
                Some(reason)
            );
        }
    }
}

#[test]
fn connects_are_recorded_with_what_they_brought() {
    let broker = Broker::start_new().unwrap();
    let mut connect = lasting(Version::V5, "client");
    connect.keep_alive = 30;
    connect.user_name = Some("ann".into());
    connect
        .properties
        .set(PropertyId::ReceiveMaximum, 9_u16)
        .unwrap();
    connect.will = Some(Will {
        topic: "w".into(),
        ..Will::default()
    });
    let _client = Client::connect(&broker, connect);
    let _old = Client::named(&broker, Version::V311, "old");
    let connects = broker.connects();
    let [first, second] = &connects[..] else {
        panic!("{connects:?}")
    };
    assert_eq!(
        (first.client_id(), first.version(), first.clean_start()),
        ("client", Version::V5, false)
    );
    assert_eq!(
        (
            first.keep_alive(),
            first.user_name(),
            first.receive_maximum()
        ),
        (30, Some("ann"), 9)
    );
    assert_eq!(
        (
            first.session_expiry(),
            first.has_will(),
            first.session_present()
        ),
        (u32::MAX, true, false)
    );
    assert_eq!(
        (second.client_id(), second.version(), second.clean_start()),
        ("old", Version::V311, true)
    );
    assert_eq!(
        (
            second.session_expiry(),
            second.has_will(),
            second.user_name()
        ),
        (0, false, None)
    );
}

#[test]
fn an_identifier_is_assigned_to_who_brings_none() {
    let broker = Broker::start_new().unwrap();
    let (_first, connack) = Client::try_connect(&broker, connect_packet(Version::V5, ""));
    let assigned = connack
        .properties
        .assigned_client_identifier()
        .map(str::to_owned);
    let (_second, connack) = Client::try_connect(&broker, connect_packet(Version::V5, ""));
    assert!(assigned.is_some_and(|first| {
        connack
            .properties
            .assigned_client_identifier()
            .is_some_and(|second| second != first)
    }));
    let (_third, connack) = Client::try_connect(&broker, connect_packet(Version::V311, ""));
    assert_eq!(connack.reason, ReasonCode::SUCCESS);
    assert_eq!(broker.connections(), 3);
    // CONNECT of MQTT 3.1.1 with an empty client identifier and without Clean Session: return code 2.
    let mut client = Client::dial(&broker, Version::V311);
    client.send_bytes(&[0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 4, 0, 0, 0, 0, 0]);
    let Packet::ConnAck(connack) = client.receive() else {
        panic!("no CONNACK")
    };
    assert_eq!(connack.reason, ReasonCode::CLIENT_IDENTIFIER_NOT_VALID);
    client.expect_end();
}

#[test]
fn an_unknown_version_is_answered_with_return_code_1() {
    let broker = Broker::builder()
        .only_version(Version::V311)
        .start()
        .unwrap();
    let unknown: [&[u8]; 2] = [
        &[0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 0, 0, 0, 0],
        &[
            0x10, 14, 0, 6, b'M', b'Q', b'I', b's', b'd', b'p', 3, 2, 0, 0, 0, 0,
        ],
    ];
    for bytes in unknown {
        let mut client = Client::dial(&broker, Version::V311);
        client.send_bytes(bytes);
        let Packet::ConnAck(connack) = client.receive() else {
            panic!("no CONNACK")
        };
        assert_eq!(connack.reason, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION);
        client.expect_end();
    }
    Client::named(&broker, Version::V311, "old").expect_silence();
}

#[test]
fn enhanced_authentication_is_refused() {
    let broker = Broker::start_new().unwrap();
    let mut connect = connect_packet(Version::V5, "client");
    connect
        .properties
        .set(PropertyId::AuthenticationMethod, "SCRAM-SHA-1")
        .unwrap();
    let (mut client, connack) = Client::try_connect(&broker, connect);
    assert_eq!(connack.reason, ReasonCode::BAD_AUTHENTICATION_METHOD);
    client.expect_end();
    let mut client = Client::named(&broker, Version::V5, "client");
    let mut properties = Properties::new();
    properties
        .set(PropertyId::AuthenticationMethod, "SCRAM-SHA-1")
        .unwrap();
    client.send(Packet::Auth(Auth {
        reason: ReasonCode::REAUTHENTICATE,
        properties,
    }));
    client.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
}

#[test]
fn errors_are_told_in_words_unless_the_client_wants_none() {
    let broker = Broker::builder().deny("secret").start().unwrap();
    for (wanted, words) in [
        (None, Some("not authorized")),
        (Some(1), Some("not authorized")),
        (Some(0), None),
    ] {
        let mut connect = connect_packet(Version::V5, "client");
        if let Some(wanted) = wanted {
            connect.properties =
                number_property(Version::V5, PropertyId::RequestProblemInformation, wanted);
        }
        let mut client = Client::connect(&broker, connect);
        client.send(Packet::Publish(publish("secret", "x", QoS::AtLeastOnce, 1)));
        let ack = client.receive_whole_ack(Packet::PubAck);
        assert_eq!(
            (ack.reason, ack.properties.reason_string()),
            (ReasonCode::NOT_AUTHORIZED, words)
        );
        client.send(Packet::Publish(publish("open", "x", QoS::AtLeastOnce, 1)));
        assert_eq!(
            client.receive_whole_ack(Packet::PubAck).properties,
            Properties::new()
        );
    }
}

#[test]
fn the_first_packet_must_be_connect_and_no_other() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut client = Client::dial(&broker, version);
        client.send(Packet::PingReq);
        client.expect_end();
        let mut client = Client::named(&broker, version, "client");
        client.send(Packet::Connect(Box::new(connect_packet(version, "client"))));
        client.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
        assert!(broker.connects().len() == 1);
    }
}

#[test]
fn what_is_malformed_ends_the_connection_with_its_reason() {
    let cases: [(&[u8], ReasonCode); 6] = [
        (&[0x00, 0], ReasonCode::MALFORMED_PACKET), // a reserved type
        (&[0x36, 3, 0, 1, b'a'], ReasonCode::MALFORMED_PACKET), // QoS 3
        (&[0xC1, 0], ReasonCode::MALFORMED_PACKET), // PINGREQ with flags
        (
            &[0x30, 0xFF, 0xFF, 0xFF, 0xFF],
            ReasonCode::MALFORMED_PACKET,
        ), // a length of five bytes
        (&[0x20, 2, 0, 0], ReasonCode::PROTOCOL_ERROR), // CONNACK from a client
        (&[0x82, 2, 0, 0], ReasonCode::PROTOCOL_ERROR), // SUBSCRIBE with packet identifier 0
    ];
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        for (bytes, reason) in cases {
            let mut client = Client::named(&broker, version, "client");
            client.send_bytes(bytes);
            client.expect_disconnect(reason);
        }
    }
}

#[test]
fn random_bytes_never_harm_the_broker() {
    let broker = Broker::start_new().unwrap();
    let mut witness = Client::named(&broker, Version::V5, "witness");
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..400 {
        let version = VERSIONS[round % 2];
        // Some strangers say hello first, some send rubbish at once.
        let mut client = match round % 4 {
            0 | 1 => Client::dial(&broker, version),
            _ => Client::named(&broker, version, "stranger"),
        };
        let length = 2 + random() as usize % 40;
        let mut bytes: Vec<u8> = (0..length).map(|_| random() as u8).collect();
        if round % 3 > 0 {
            // A type that clients send, with the right length: the rubbish gets further in.
            let first = [
                0x10, 0x30, 0x32, 0x34, 0x40, 0x50, 0x62, 0x70, 0x82, 0xA2, 0xC0, 0xE0, 0xF0,
            ];
            bytes[0] = first[random() as usize % first.len()];
            bytes[1] = (length - 2) as u8;
        }
        client.send_bytes(&bytes);
    }
    witness.expect_silence();
    eventually("the end of all strangers", || broker.connections() == 1);
}
