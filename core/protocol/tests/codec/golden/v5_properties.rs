//! Golden vectors of MQTT 5 with every property that each packet can have.
use super::*;

pub(super) fn rows() -> Vec<Row> {
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
