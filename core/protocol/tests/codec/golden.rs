//! Golden byte vectors of every packet, written by hand from the standards, decoded and encoded.
use crate::notation::{bytes, decode_one, encode, id, properties};
use leveret_protocol::{
    codec::{
        Ack, Auth, ConnAck, Connect, Decoded, Disconnect, FilterAck, Packet, Properties,
        PropertyId as Id, PropertyValue as Value, Publish, RetainHandling, Side, Subscribe,
        SubscribeFilter, SubscribeOptions, Unsubscribe,
        Version::{self, V5, V311},
    },
    message::{Message, QoS, Will},
    reason::ReasonCode,
};

/// A packet and its bytes.
pub(crate) struct Golden {
    pub(crate) version: Version,
    pub(crate) from: Side,
    pub(crate) bytes: Vec<u8>,
    pub(crate) packet: Packet,
}

const CLIENT: &[Side] = &[Side::Client];
const SERVER: &[Side] = &[Side::Server];
const BOTH: &[Side] = &[Side::Client, Side::Server];

pub(crate) fn all() -> Vec<Golden> {
    let v311 = v311_rows().into_iter().map(|row| (V311, row));
    let v5 = v5_rows()
        .into_iter()
        .chain(v5_rows_with_properties())
        .map(|row| (V5, row));
    let mut all = Vec::new();
    for (version, (sides, notation, packet)) in v311.chain(v5) {
        for &from in sides {
            all.push(Golden {
                version,
                from,
                bytes: bytes(notation),
                packet: packet.clone(),
            });
        }
    }
    all
}

type Row = (&'static [Side], &'static str, Packet);

fn connect(version: Version) -> Connect {
    Connect {
        version,
        client_id: "a".into(),
        clean_start: true,
        keep_alive: 60,
        will: None,
        user_name: None,
        password: None,
        properties: Properties::new(),
    }
}

fn connect_full(version: Version) -> Connect {
    Connect {
        client_id: "dev".into(),
        will: Some(Will {
            topic: "w".into(),
            payload: "by".into(),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: Properties::new(),
        }),
        user_name: Some("u".into()),
        password: Some("p".into()),
        ..connect(version)
    }
}

fn publish(number: Option<u16>, qos: QoS, payload: &'static str) -> Publish {
    Publish {
        packet_id: number.map(id),
        message: Message {
            topic: "a/b".into(),
            payload: payload.into(),
            qos,
            ..Message::default()
        },
    }
}

fn subscribe(filters: &[(&str, SubscribeOptions)]) -> Subscribe {
    let filters = filters.iter().map(|(filter, options)| SubscribeFilter {
        filter: (*filter).into(),
        options: *options,
    });
    Subscribe {
        packet_id: id(10),
        filters: filters.collect(),
        properties: Properties::new(),
    }
}

fn answers(reasons: &[u8]) -> FilterAck {
    let reasons = reasons.iter().map(|code| ReasonCode(*code)).collect();
    FilterAck {
        packet_id: id(10),
        reasons,
        properties: Properties::new(),
    }
}

fn at(qos: QoS) -> SubscribeOptions {
    SubscribeOptions {
        qos,
        ..SubscribeOptions::default()
    }
}

fn with_dup_and_retain(mut publish: Publish) -> Publish {
    publish.message.dup = true;
    publish.message.retain = true;
    publish
}

fn v311_rows() -> Vec<Row> {
    let connack = |session_present, reason| {
        Packet::ConnAck(Box::new(ConnAck {
            session_present,
            reason,
            ..ConnAck::default()
        }))
    };
    let topics = [("a/+", at(QoS::AtLeastOnce)), ("#", at(QoS::ExactlyOnce))];
    let unsubscribe = Unsubscribe {
        packet_id: id(10),
        filters: vec!["a/+".into()],
        properties: Properties::new(),
    };
    let qos1 = with_dup_and_retain(publish(Some(10), QoS::AtLeastOnce, "hi"));
    vec![
        (
            CLIENT,
            r#"10 0D 0004 "MQTT" 04 02 003C 0001 "a""#,
            Packet::Connect(Box::new(connect(V311))),
        ),
        (
            CLIENT,
            r#"10 1C 0004 "MQTT" 04 EE 003C 0003 "dev" 0001 "w" 0002 "by" 0001 "u" 0001 "p""#,
            Packet::Connect(Box::new(connect_full(V311))),
        ),
        (SERVER, "20 02 01 00", connack(true, ReasonCode::SUCCESS)),
        (
            SERVER,
            "20 02 00 01",
            connack(false, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
        ),
        (
            SERVER,
            "20 02 00 02",
            connack(false, ReasonCode::CLIENT_IDENTIFIER_NOT_VALID),
        ),
        (
            SERVER,
            "20 02 00 03",
            connack(false, ReasonCode::SERVER_UNAVAILABLE),
        ),
        (
            SERVER,
            "20 02 00 04",
            connack(false, ReasonCode::BAD_USER_NAME_OR_PASSWORD),
        ),
        (
            SERVER,
            "20 02 00 05",
            connack(false, ReasonCode::NOT_AUTHORIZED),
        ),
        (
            BOTH,
            r#"30 07 0003 "a/b" "hi""#,
            Packet::Publish(publish(None, QoS::AtMostOnce, "hi")),
        ),
        (
            BOTH,
            r#"30 05 0003 "a/b""#,
            Packet::Publish(publish(None, QoS::AtMostOnce, "")),
        ),
        (BOTH, r#"3B 09 0003 "a/b" 000A "hi""#, Packet::Publish(qos1)),
        (
            BOTH,
            r#"34 07 0003 "a/b" 000A"#,
            Packet::Publish(publish(Some(10), QoS::ExactlyOnce, "")),
        ),
        (BOTH, "40 02 000A", Packet::PubAck(Ack::success(id(10)))),
        (BOTH, "50 02 000A", Packet::PubRec(Ack::success(id(10)))),
        (BOTH, "62 02 000A", Packet::PubRel(Ack::success(id(10)))),
        (
            BOTH,
            "70 02 FFFF",
            Packet::PubComp(Ack::success(id(65_535))),
        ),
        (
            CLIENT,
            r##"82 0C 000A 0003 "a/+" 01 0001 "#" 02"##,
            Packet::Subscribe(subscribe(&topics)),
        ),
        (
            SERVER,
            "90 06 000A 00 01 02 80",
            Packet::SubAck(answers(&[0, 1, 2, 0x80])),
        ),
        (
            CLIENT,
            r#"A2 07 000A 0003 "a/+""#,
            Packet::Unsubscribe(unsubscribe),
        ),
        (SERVER, "B0 02 000A", Packet::UnsubAck(answers(&[]))),
        (CLIENT, "C0 00", Packet::PingReq),
        (SERVER, "D0 00", Packet::PingResp),
        (CLIENT, "E0 00", Packet::Disconnect(Disconnect::default())),
    ]
}

/// MQTT 5 in its shortest forms.
fn v5_rows() -> Vec<Row> {
    let topics = [
        ("a/+", at(QoS::AtLeastOnce)),
        (
            "b",
            SubscribeOptions {
                qos: QoS::ExactlyOnce,
                no_local: true,
                retain_as_published: true,
                retain_handling: RetainHandling::DoNotSend,
            },
        ),
        (
            "$share/g/c",
            SubscribeOptions {
                retain_handling: RetainHandling::SendIfNew,
                ..at(QoS::AtMostOnce)
            },
        ),
    ];
    let unsubscribe = Unsubscribe {
        packet_id: id(10),
        filters: vec!["a/+".into(), "$share/g/c".into()],
        properties: Properties::new(),
    };
    let reason = |reason| Ack {
        reason,
        ..Ack::success(id(10))
    };
    let disconnect = |reason| {
        Packet::Disconnect(Disconnect {
            reason,
            ..Disconnect::default()
        })
    };
    let qos1 = with_dup_and_retain(publish(Some(10), QoS::AtLeastOnce, "hi"));
    let refused = ConnAck {
        reason: ReasonCode::NOT_AUTHORIZED,
        ..ConnAck::default()
    };
    vec![
        (
            CLIENT,
            r#"10 0E 0004 "MQTT" 05 02 003C 00 0001 "a""#,
            Packet::Connect(Box::new(connect(V5))),
        ),
        (SERVER, "20 03 00 00 00", Packet::ConnAck(Box::default())),
        (SERVER, "20 03 00 87 00", Packet::ConnAck(Box::new(refused))),
        (
            BOTH,
            r#"30 08 0003 "a/b" 00 "hi""#,
            Packet::Publish(publish(None, QoS::AtMostOnce, "hi")),
        ),
        (
            BOTH,
            r#"3B 0A 0003 "a/b" 000A 00 "hi""#,
            Packet::Publish(qos1),
        ),
        (
            BOTH,
            r#"34 08 0003 "a/b" 000A 00"#,
            Packet::Publish(publish(Some(10), QoS::ExactlyOnce, "")),
        ),
        (BOTH, "40 02 000A", Packet::PubAck(Ack::success(id(10)))),
        (
            BOTH,
            "40 03 000A 87",
            Packet::PubAck(reason(ReasonCode::NOT_AUTHORIZED)),
        ),
        (
            SERVER,
            "40 03 000A 10",
            Packet::PubAck(reason(ReasonCode::NO_MATCHING_SUBSCRIBERS)),
        ),
        (
            BOTH,
            "50 03 000A 97",
            Packet::PubRec(reason(ReasonCode::QUOTA_EXCEEDED)),
        ),
        (
            BOTH,
            "62 03 000A 92",
            Packet::PubRel(reason(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)),
        ),
        (
            BOTH,
            "70 03 000A 92",
            Packet::PubComp(reason(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)),
        ),
        (
            CLIENT,
            r#"82 1A 000A 00 0003 "a/+" 01 0001 "b" 2E 000A "$share/g/c" 10"#,
            Packet::Subscribe(subscribe(&topics)),
        ),
        (
            SERVER,
            "90 06 000A 00 00 02 9E",
            Packet::SubAck(answers(&[0, 2, 0x9E])),
        ),
        (
            CLIENT,
            r#"A2 14 000A 00 0003 "a/+" 000A "$share/g/c""#,
            Packet::Unsubscribe(unsubscribe),
        ),
        (
            SERVER,
            "B0 05 000A 00 00 11",
            Packet::UnsubAck(answers(&[0, 0x11])),
        ),
        (CLIENT, "C0 00", Packet::PingReq),
        (SERVER, "D0 00", Packet::PingResp),
        (
            CLIENT,
            "E0 00",
            disconnect(ReasonCode::NORMAL_DISCONNECTION),
        ),
        (
            CLIENT,
            "E0 01 04",
            disconnect(ReasonCode::DISCONNECT_WITH_WILL),
        ),
        (
            SERVER,
            "E0 01 8B",
            disconnect(ReasonCode::SERVER_SHUTTING_DOWN),
        ),
        (SERVER, "F0 00", Packet::Auth(Auth::default())),
    ]
}

/// MQTT 5 with every property that the packet can have.
fn v5_rows_with_properties() -> Vec<Row> {
    let user = (Id::UserProperty, Value::TextPair("k", "v"));
    let reason_string = (Id::ReasonString, Value::Text("no"));
    let mut connect = connect_full(V5);
    connect.properties = properties(&[
        (Id::SessionExpiryInterval, Value::Number(3_600)),
        (Id::ReceiveMaximum, Value::Number(1_000)),
        (Id::MaximumPacketSize, Value::Number(0x0100_0000)),
        (Id::TopicAliasMaximum, Value::Number(10)),
        (Id::RequestResponseInformation, Value::Number(1)),
        (Id::RequestProblemInformation, Value::Number(0)),
        user,
        (Id::AuthenticationMethod, Value::Text("SCRAM")),
        (Id::AuthenticationData, Value::Binary(&[0xDE, 0xAD])),
    ]);
    let message = [
        (Id::PayloadFormatIndicator, Value::Number(1)),
        (Id::MessageExpiryInterval, Value::Number(60)),
        (Id::ContentType, Value::Text("text")),
        (Id::ResponseTopic, Value::Text("r")),
        (Id::CorrelationData, Value::Binary(&[0xFF])),
        user,
    ];
    if let Some(will) = &mut connect.will {
        will.properties = properties(&message);
        will.properties
            .add(Id::WillDelayInterval, 5u32)
            .expect("an allowed property");
    }
    let connack = ConnAck {
        session_present: true,
        reason: ReasonCode::SUCCESS,
        properties: properties(&[
            (Id::SessionExpiryInterval, Value::Number(10)),
            (Id::ReceiveMaximum, Value::Number(20)),
            (Id::MaximumQoS, Value::Number(1)),
            (Id::RetainAvailable, Value::Number(1)),
            (Id::MaximumPacketSize, Value::Number(0x0010_0000)),
            (Id::AssignedClientIdentifier, Value::Text("id")),
            (Id::TopicAliasMaximum, Value::Number(5)),
            (Id::ReasonString, Value::Text("ok")),
            user,
            (Id::WildcardSubscriptionAvailable, Value::Number(1)),
            (Id::SubscriptionIdentifiersAvailable, Value::Number(1)),
            (Id::SharedSubscriptionAvailable, Value::Number(0)),
            (Id::ServerKeepAlive, Value::Number(30)),
            (Id::ResponseInformation, Value::Text("i")),
            (Id::ServerReference, Value::Text("s")),
            (Id::AuthenticationMethod, Value::Text("m")),
            (Id::AuthenticationData, Value::Binary(&[0])),
        ]),
    };
    let mut published = publish(Some(10), QoS::AtLeastOnce, "hi");
    published.message.properties = properties(&message);
    let mut matched = publish(None, QoS::AtMostOnce, "hi");
    matched.message.properties = properties(&[
        (Id::TopicAlias, Value::Number(3)),
        (Id::SubscriptionIdentifier, Value::Number(1)),
        (Id::SubscriptionIdentifier, Value::Number(268_435_455)),
    ]);
    let mut aliased = publish(None, QoS::AtMostOnce, "hi");
    aliased.message.topic = "".into();
    aliased.message.properties = properties(&[(Id::TopicAlias, Value::Number(3))]);
    let mut subscribe = subscribe(&[("b", at(QoS::AtMostOnce))]);
    subscribe.properties = properties(&[(Id::SubscriptionIdentifier, Value::Number(128)), user]);
    let unsubscribe = Unsubscribe {
        packet_id: id(10),
        filters: vec!["b".into()],
        properties: properties(&[user]),
    };
    let ack = |reason| Ack {
        packet_id: id(10),
        reason,
        properties: properties(&[reason_string, user]),
    };
    let answers = |code| FilterAck {
        properties: properties(&[reason_string, user]),
        ..answers(&[code])
    };
    let leave = Disconnect {
        reason: ReasonCode::NORMAL_DISCONNECTION,
        properties: properties(&[
            (Id::SessionExpiryInterval, Value::Number(0)),
            reason_string,
            user,
        ]),
    };
    let moved = Disconnect {
        reason: ReasonCode::SERVER_MOVED,
        properties: properties(&[reason_string, (Id::ServerReference, Value::Text("s"))]),
    };
    let auth = |reason| Auth {
        reason,
        properties: properties(&[
            (Id::AuthenticationMethod, Value::Text("m")),
            (Id::AuthenticationData, Value::Binary(&[0])),
            reason_string,
            user,
        ]),
    };
    vec![
        (
            CLIENT,
            r#"10 68 0004 "MQTT" 05 EE 003C
               28 11 00000E10 21 03E8 27 01000000 22 000A 19 01 17 00 26 0001 "k" 0001 "v" 15 0005 "SCRAM" 16 0002 DEAD
               0003 "dev"
               22 01 01 02 0000003C 03 0004 "text" 08 0001 "r" 09 0001 FF 26 0001 "k" 0001 "v" 18 00000005
               0001 "w" 0002 "by" 0001 "u" 0001 "p""#,
            Packet::Connect(Box::new(connect)),
        ),
        (
            SERVER,
            r#"20 41 01 00
               3E 11 0000000A 21 0014 24 01 25 01 27 00100000 12 0002 "id" 22 0005 1F 0002 "ok" 26 0001 "k" 0001 "v"
               28 01 29 01 2A 00 13 001E 1A 0001 "i" 1C 0001 "s" 15 0001 "m" 16 0001 00"#,
            Packet::ConnAck(Box::new(connack)),
        ),
        (
            BOTH,
            r#"32 27 0003 "a/b" 000A
               1D 01 01 02 0000003C 03 0004 "text" 08 0001 "r" 09 0001 FF 26 0001 "k" 0001 "v" "hi""#,
            Packet::Publish(published),
        ),
        (
            SERVER,
            r#"30 12 0003 "a/b" 0A 23 0003 0B 01 0B FFFFFF7F "hi""#,
            Packet::Publish(matched),
        ),
        (
            BOTH,
            r#"30 08 0000 03 23 0003 "hi""#,
            Packet::Publish(aliased),
        ),
        (
            BOTH,
            r#"40 10 000A 80 0C 1F 0002 "no" 26 0001 "k" 0001 "v""#,
            Packet::PubAck(ack(ReasonCode::UNSPECIFIED_ERROR)),
        ),
        (
            BOTH,
            r#"50 10 000A 00 0C 1F 0002 "no" 26 0001 "k" 0001 "v""#,
            Packet::PubRec(ack(ReasonCode::SUCCESS)),
        ),
        (
            BOTH,
            r#"62 10 000A 92 0C 1F 0002 "no" 26 0001 "k" 0001 "v""#,
            Packet::PubRel(ack(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)),
        ),
        (
            BOTH,
            r#"70 10 000A 92 0C 1F 0002 "no" 26 0001 "k" 0001 "v""#,
            Packet::PubComp(ack(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND)),
        ),
        (
            CLIENT,
            r#"82 11 000A 0A 0B 8001 26 0001 "k" 0001 "v" 0001 "b" 00"#,
            Packet::Subscribe(subscribe),
        ),
        (
            SERVER,
            r#"90 10 000A 0C 1F 0002 "no" 26 0001 "k" 0001 "v" 87"#,
            Packet::SubAck(answers(0x87)),
        ),
        (
            CLIENT,
            r#"A2 0D 000A 07 26 0001 "k" 0001 "v" 0001 "b""#,
            Packet::Unsubscribe(unsubscribe),
        ),
        (
            SERVER,
            r#"B0 10 000A 0C 1F 0002 "no" 26 0001 "k" 0001 "v" 8F"#,
            Packet::UnsubAck(answers(0x8F)),
        ),
        (
            CLIENT,
            r#"E0 13 00 11 11 00000000 1F 0002 "no" 26 0001 "k" 0001 "v""#,
            Packet::Disconnect(leave),
        ),
        (
            SERVER,
            r#"E0 0B 9D 09 1F 0002 "no" 1C 0001 "s""#,
            Packet::Disconnect(moved),
        ),
        (
            BOTH,
            r#"F0 16 18 14 15 0001 "m" 16 0001 00 1F 0002 "no" 26 0001 "k" 0001 "v""#,
            Packet::Auth(auth(ReasonCode::CONTINUE_AUTHENTICATION)),
        ),
        (
            CLIENT,
            r#"F0 16 19 14 15 0001 "m" 16 0001 00 1F 0002 "no" 26 0001 "k" 0001 "v""#,
            Packet::Auth(auth(ReasonCode::REAUTHENTICATE)),
        ),
    ]
}

#[test]
fn decode_to_the_packets() {
    for Golden {
        version,
        from,
        bytes,
        packet,
    } in all()
    {
        let decoded = decode_one(&bytes, version, from);
        assert_eq!(
            decoded,
            Ok(Decoded::Packet(packet)),
            "{version:?} from {from:?}: {bytes:02X?}"
        );
    }
}

#[test]
fn encode_to_the_bytes() {
    for Golden {
        version,
        bytes,
        packet,
        ..
    } in all()
    {
        assert_eq!(
            encode(&packet, version),
            Ok(bytes),
            "{version:?} {packet:?}"
        );
    }
}

#[test]
fn cover_every_packet_type_of_both_versions() {
    use leveret_protocol::packet_type::PacketType;
    for version in [V311, V5] {
        for packet in PacketType::ALL {
            let covered = all()
                .iter()
                .any(|golden| golden.version == version && golden.packet.packet_type() == packet);
            assert_eq!(
                covered,
                packet != PacketType::Auth || version == V5,
                "{version:?} {packet}"
            );
        }
    }
}

/// Other forms that the standard allows for the same packets.
#[test]
fn longer_forms_are_understood() {
    let forms = [
        (
            V5,
            Side::Server,
            "40 03 000A 00",
            Packet::PubAck(Ack::success(id(10))),
        ),
        (
            V5,
            Side::Server,
            "40 04 000A 00 00",
            Packet::PubAck(Ack::success(id(10))),
        ),
        (
            V5,
            Side::Client,
            "E0 01 00",
            Packet::Disconnect(Disconnect::default()),
        ),
        (
            V5,
            Side::Client,
            "E0 02 00 00",
            Packet::Disconnect(Disconnect::default()),
        ),
        // MQTT 3.1.1 does not ask for the shortest remaining length.
        (V311, Side::Client, "C0 8000", Packet::PingReq),
    ];
    for (version, from, notation, packet) in forms {
        assert_eq!(
            decode_one(&bytes(notation), version, from),
            Ok(Decoded::Packet(packet)),
            "{notation}"
        );
    }
}
