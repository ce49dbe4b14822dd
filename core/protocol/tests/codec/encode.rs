//! What the encoder refuses or leaves out, by the statements of the standards.
use crate::notation::{bytes, encode, encode_within, id, properties};
use bytes::Bytes;
use leveret_protocol::{
    codec::{
        Ack, Auth, ConnAck, Connect, Disconnect, EncodeError, FilterAck, Packet, Properties,
        PropertyId as Id, PropertyValue as Value, Publish, Subscribe, SubscribeFilter,
        SubscribeOptions, Unsubscribe,
        Version::{self, V5, V311},
    },
    message::{Message, QoS, Will},
    reason::ReasonCode,
    text::Text,
};

const DIAGNOSIS: &[(Id, Value<'_>)] = &[
    (Id::ReasonString, Value::Text("no")),
    (Id::UserProperty, Value::TextPair("k", "v")),
];

/// Checks a packet with a reason string and a user property within a maximum packet size: both, the reason string
/// alone, neither, and an error below that.
fn check_diagnosis(packet: &Packet, full: &str, without_user: &str, bare: &str) {
    let sizes = [bytes(full), bytes(without_user), bytes(bare)];
    for size in 0..=sizes[0].len() + 1 {
        let written = encode_within(packet, V5, size as u32);
        match sizes.iter().find(|expected| expected.len() <= size) {
            Some(expected) => assert_eq!(written.as_ref(), Ok(expected), "within {size}"),
            None => assert!(
                matches!(written, Err(EncodeError::TooLarge { limit, .. }) if limit == size)
            ),
        }
    }
}

fn ack() -> Ack {
    Ack {
        packet_id: id(10),
        reason: ReasonCode::SUCCESS,
        properties: properties(DIAGNOSIS),
    }
}

#[test]
fn v5_3_4_2_2_and_3_puback() {
    check_diagnosis(
        &Packet::PubAck(ack()),
        r#"40 10 000A 00 0C 1F 0002 "no" 26 0001 "k" 0001 "v""#,
        r#"40 09 000A 00 05 1F 0002 "no""#,
        "40 02 000A",
    );
}

#[test]
fn v5_3_5_2_2_and_3_pubrec() {
    let packet = Packet::PubRec(Ack {
        reason: ReasonCode::QUOTA_EXCEEDED,
        ..ack()
    });
    check_diagnosis(
        &packet,
        r#"50 10 000A 97 0C 1F 0002 "no" 26 0001 "k" 0001 "v""#,
        r#"50 09 000A 97 05 1F 0002 "no""#,
        "50 03 000A 97",
    );
}

#[test]
fn v5_3_6_2_2_and_3_pubrel() {
    check_diagnosis(
        &Packet::PubRel(ack()),
        r#"62 10 000A 00 0C 1F 0002 "no" 26 0001 "k" 0001 "v""#,
        r#"62 09 000A 00 05 1F 0002 "no""#,
        "62 02 000A",
    );
}

#[test]
fn v5_3_7_2_2_and_3_pubcomp() {
    check_diagnosis(
        &Packet::PubComp(ack()),
        r#"70 10 000A 00 0C 1F 0002 "no" 26 0001 "k" 0001 "v""#,
        r#"70 09 000A 00 05 1F 0002 "no""#,
        "70 02 000A",
    );
}

#[test]
fn v5_3_14_2_3_and_4_disconnect() {
    let mut leave = Disconnect {
        reason: ReasonCode::SUCCESS,
        properties: properties(DIAGNOSIS),
    };
    check_diagnosis(
        &Packet::Disconnect(leave.clone()),
        r#"E0 0E 00 0C 1F 0002 "no" 26 0001 "k" 0001 "v""#,
        r#"E0 07 00 05 1F 0002 "no""#,
        "E0 00",
    );
    leave
        .properties
        .set(Id::SessionExpiryInterval, 1u32)
        .unwrap();
    let packet = Packet::Disconnect(leave);
    assert_eq!(
        encode_within(&packet, V5, 9),
        Ok(bytes("E0 07 00 05 11 00000001"))
    );
}

#[test]
fn v5_3_15_2_2_and_3_auth() {
    let mut auth = Auth {
        reason: ReasonCode::CONTINUE_AUTHENTICATION,
        properties: Properties::new(),
    };
    auth.properties.set(Id::AuthenticationMethod, "m").unwrap();
    for (id, value) in DIAGNOSIS {
        auth.properties.add(*id, *value).unwrap();
    }
    check_diagnosis(
        &Packet::Auth(auth),
        r#"F0 12 18 10 15 0001 "m" 1F 0002 "no" 26 0001 "k" 0001 "v""#,
        r#"F0 0B 18 09 15 0001 "m" 1F 0002 "no""#,
        r#"F0 06 18 04 15 0001 "m""#,
    );
}

/// The server's half: MQTT-3.2.2-19 and -20, MQTT-3.9.2-1 and -2, MQTT-3.11.2-1 and -2.
#[test]
fn v5_server_answers_leave_the_diagnosis_out_too() {
    let connack = ConnAck {
        properties: properties(DIAGNOSIS),
        ..ConnAck::default()
    };
    check_diagnosis(
        &Packet::ConnAck(Box::new(connack)),
        r#"20 0F 00 00 0C 1F 0002 "no" 26 0001 "k" 0001 "v""#,
        r#"20 08 00 00 05 1F 0002 "no""#,
        "20 03 00 00 00",
    );
    let answer = FilterAck {
        packet_id: id(10),
        reasons: vec![ReasonCode(0)],
        properties: properties(DIAGNOSIS),
    };
    check_diagnosis(
        &Packet::SubAck(answer.clone()),
        r#"90 10 000A 0C 1F 0002 "no" 26 0001 "k" 0001 "v" 00"#,
        r#"90 09 000A 05 1F 0002 "no" 00"#,
        "90 04 000A 00 00",
    );
    check_diagnosis(
        &Packet::UnsubAck(answer),
        r#"B0 10 000A 0C 1F 0002 "no" 26 0001 "k" 0001 "v" 00"#,
        r#"B0 09 000A 05 1F 0002 "no" 00"#,
        "B0 04 000A 00 00",
    );
}

fn check_refused(packet: &Packet, version: Version, field: &str, problem: &str) {
    let error = encode(packet, version).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{field} {problem}"),
        "{version:?} {packet:?}"
    );
}

fn publish() -> Publish {
    Publish {
        packet_id: None,
        message: Message {
            topic: "a".into(),
            ..Message::default()
        },
    }
}

#[test]
fn v311_2_3_1_1_and_2_3_1_5_packet_identifiers_go_with_the_qos() {
    let problem = "must be given with QoS 1 and 2, and only then";
    let mut packet = publish();
    packet.packet_id = Some(id(1));
    check_refused(
        &Packet::Publish(packet.clone()),
        V5,
        "packet identifier",
        problem,
    );
    packet.packet_id = None;
    packet.message.qos = QoS::ExactlyOnce;
    check_refused(&Packet::Publish(packet), V311, "packet identifier", problem);
}

#[test]
fn v311_3_3_1_2_and_v5_3_3_1_2_dup_is_not_for_qos_0() {
    let mut packet = publish();
    packet.message.dup = true;
    check_refused(&Packet::Publish(packet), V311, "DUP", "must be 0 at QoS 0");
}

#[test]
fn v311_3_3_2_2_and_4_7_3_topics_are_names() {
    let long = "x".repeat(65_536);
    let cases = [
        ("a/+", "must not contain the wildcard '+' or '#'"),
        ("", "must have at least one character"),
        ("a\0", "must not contain U+0000"),
        (&long, "must have at most 65,535 bytes"),
    ];
    for (topic, problem) in cases {
        let mut packet = publish();
        packet.message.topic = topic.into();
        for version in [V311, V5] {
            check_refused(
                &Packet::Publish(packet.clone()),
                version,
                "topic name",
                problem,
            );
        }
    }
    let mut aliased = publish();
    aliased.message.topic = Text::default();
    aliased
        .message
        .properties
        .set(Id::TopicAlias, 1u16)
        .unwrap();
    assert_eq!(
        encode(&Packet::Publish(aliased.clone()), V5),
        Ok(bytes("30 06 0000 03 23 0001"))
    );
    check_refused(
        &Packet::Publish(aliased),
        V311,
        "topic name",
        "must have at least one character",
    );
}

fn connect(version: Version) -> Connect {
    Connect {
        version,
        client_id: "a".into(),
        clean_start: true,
        keep_alive: 0,
        will: None,
        user_name: None,
        password: Some("p".into()),
        properties: Properties::new(),
    }
}

#[test]
fn v311_3_1_2_22_no_password_without_a_user_name() {
    let packet = Packet::Connect(Box::new(connect(V311)));
    check_refused(
        &packet,
        V311,
        "password",
        "must not be given without a user name",
    );
    assert!(encode(&Packet::Connect(Box::new(connect(V5))), V5).is_ok());
}

#[test]
fn v311_3_1_3_7_an_empty_client_identifier_needs_a_clean_session() {
    let packet = |version| Connect {
        client_id: Text::default(),
        clean_start: false,
        password: None,
        ..connect(version)
    };
    let problem = "must not be empty without clean session";
    check_refused(
        &Packet::Connect(Box::new(packet(V311))),
        V311,
        "client identifier",
        problem,
    );
    assert!(encode(&Packet::Connect(Box::new(packet(V5))), V5).is_ok());
}

#[test]
fn v5_1_5_4_2_and_lengths_of_every_text_in_connect() {
    let too_long = || Bytes::from(vec![b'x'; 65_536]);
    let long_text = || Text::try_from(too_long()).unwrap();
    let with = |change: fn(&mut Connect, Text), text| {
        let mut packet = Connect {
            user_name: Some("u".into()),
            ..connect(V5)
        };
        change(&mut packet, text);
        Packet::Connect(Box::new(packet))
    };
    type Field = (&'static str, fn(&mut Connect, Text));
    let texts: [Field; 2] = [
        ("client identifier", |packet, text| packet.client_id = text),
        ("user name", |packet, text| packet.user_name = Some(text)),
    ];
    for (field, change) in texts {
        check_refused(
            &with(change, "\0".into()),
            V5,
            field,
            "must not contain U+0000",
        );
        check_refused(
            &with(change, long_text()),
            V5,
            field,
            "must have at most 65,535 bytes",
        );
    }
    let password = Connect {
        password: Some(too_long()),
        ..connect(V5)
    };
    check_refused(
        &Packet::Connect(Box::new(password)),
        V5,
        "password",
        "must have at most 65,535 bytes",
    );
    let will = |topic: &str, payload| {
        let will = Will {
            topic: topic.into(),
            payload,
            ..Will::default()
        };
        Packet::Connect(Box::new(Connect {
            will: Some(will),
            ..connect(V5)
        }))
    };
    check_refused(
        &will("w", too_long()),
        V5,
        "will payload",
        "must have at most 65,535 bytes",
    );
    check_refused(
        &will("#", Bytes::new()),
        V5,
        "will topic",
        "must not contain the wildcard '+' or '#'",
    );
}

#[test]
fn v5_3_8_3_2_and_3_10_3_2_and_4_7_1_topic_filters() {
    let subscribe = |filters: &[(&str, bool)]| {
        let filters = filters.iter().map(|(filter, no_local)| SubscribeFilter {
            filter: (*filter).into(),
            options: SubscribeOptions {
                no_local: *no_local,
                ..SubscribeOptions::default()
            },
        });
        Packet::Subscribe(Subscribe {
            packet_id: id(1),
            filters: filters.collect(),
            properties: Properties::new(),
        })
    };
    check_refused(
        &subscribe(&[]),
        V311,
        "topic filters",
        "must have at least one topic filter",
    );
    check_refused(
        &subscribe(&[("a#", false)]),
        V5,
        "topic filter",
        "must have '#' only as its last level, alone",
    );
    let shared = subscribe(&[("$share/g/a", true)]);
    check_refused(
        &shared,
        V5,
        "no local",
        "must be 0 for a shared subscription",
    );
    assert!(
        encode(&shared, V311).is_ok(),
        "MQTT 3.1.1 has no such option"
    );
    let unsubscribe = Unsubscribe {
        packet_id: id(1),
        filters: Vec::new(),
        properties: Properties::new(),
    };
    check_refused(
        &Packet::Unsubscribe(unsubscribe),
        V5,
        "topic filters",
        "must have at least one topic filter",
    );
}

#[test]
fn v5_2_2_2_2_properties_stand_where_they_may() {
    let mut packet = publish();
    packet
        .message
        .properties
        .set(Id::ReceiveMaximum, 1u16)
        .unwrap();
    let problem = "must not stand in this packet, or not twice";
    check_refused(
        &Packet::Publish(packet.clone()),
        V5,
        "receive maximum",
        problem,
    );
    let sentence = packet
        .message
        .properties
        .check(leveret_protocol::packet_type::PacketType::Publish.into());
    assert_eq!(
        sentence.unwrap_err().to_string(),
        "receive maximum must not stand in PUBLISH, or not twice"
    );
}

#[test]
fn v5_4_12_auth_names_its_method_and_is_not_for_3_1_1() {
    let auth = Auth {
        reason: ReasonCode::CONTINUE_AUTHENTICATION,
        properties: Properties::new(),
    };
    check_refused(
        &Packet::Auth(auth.clone()),
        V5,
        "authentication method",
        "must be given",
    );
    check_refused(
        &Packet::Auth(auth),
        V311,
        "AUTH",
        "does not exist in MQTT 3.1.1",
    );
}

/// What 3.1.1 has no field for is left out; a refusal becomes the nearest that it has.
#[test]
fn v311_has_no_properties_and_few_codes() {
    let mut properties = properties(DIAGNOSIS);
    let answer = FilterAck {
        packet_id: id(10),
        reasons: vec![ReasonCode(0x87)],
        properties: properties.clone(),
    };
    assert_eq!(
        encode(&Packet::SubAck(answer.clone()), V311),
        Ok(bytes("90 03 000A 80"))
    );
    assert_eq!(
        encode(&Packet::UnsubAck(answer), V311),
        Ok(bytes("B0 02 000A"))
    );
    let ack = Ack {
        reason: ReasonCode::NOT_AUTHORIZED,
        ..ack()
    };
    assert_eq!(encode(&Packet::PubAck(ack), V311), Ok(bytes("40 02 000A")));
    let connack = ConnAck {
        session_present: true,
        reason: ReasonCode::BANNED,
        properties: properties.clone(),
    };
    assert_eq!(
        encode(&Packet::ConnAck(Box::new(connack)), V311),
        Ok(bytes("20 02 00 05"))
    );
    properties.set(Id::MessageExpiryInterval, 9u32).unwrap();
    let mut packet = publish();
    packet.message.properties = properties;
    assert_eq!(
        encode(&Packet::Publish(packet), V311),
        Ok(bytes("30 03 0001 61"))
    );
}

#[test]
fn secrets_are_not_shown() {
    let mut packet = Connect {
        password: Some("hunter2".into()),
        ..connect(V5)
    };
    packet
        .properties
        .set(Id::AuthenticationMethod, "SCRAM")
        .unwrap();
    packet
        .properties
        .set(Id::AuthenticationData, &b"hunter3"[..])
        .unwrap();
    packet.will = Some(Will {
        topic: "w".into(),
        payload: "hunter4".into(),
        ..Will::default()
    });
    let shown = format!("{packet:?}");
    assert!(
        shown.contains("SCRAM") && shown.contains("(secret)"),
        "{shown}"
    );
    assert!(
        !shown.contains("hunter") && !shown.contains("104, 117"),
        "{shown}"
    );
}
