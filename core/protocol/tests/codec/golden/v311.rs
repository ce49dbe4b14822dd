//! Golden vectors of MQTT 3.1.1.
use super::*;

pub(super) fn rows() -> Vec<Row> {
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
