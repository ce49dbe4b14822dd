//! Golden vectors of MQTT 5 in its shortest forms.
use super::*;

pub(super) fn rows() -> Vec<Row> {
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
