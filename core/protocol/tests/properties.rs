//! The property block from outside: set, add, remove, read, and the sentences about bad values.
use leveret_protocol::{
    codec::{
        Properties,
        PropertyId::{self as Id},
        PropertyType, PropertyValue as Value,
    },
    message::{QoS, Will},
    packet_type::{PacketSet, PacketType},
};

#[test]
fn are_set_added_removed_and_read_in_order() {
    let mut properties = Properties::new();
    assert!(properties.is_empty());
    properties.set(Id::ContentType, "text").unwrap();
    properties.add(Id::UserProperty, ("k", "1")).unwrap();
    properties.set(Id::MessageExpiryInterval, 60u32).unwrap();
    properties.add(Id::UserProperty, ("k", "1")).unwrap();
    properties.add(Id::UserProperty, ("a", "")).unwrap();
    properties.set(Id::CorrelationData, &[1u8, 2][..]).unwrap();
    assert_eq!(properties.content_type(), Some("text"));
    assert_eq!(properties.message_expiry_interval(), Some(60));
    assert_eq!(properties.correlation_data(), Some(&[1, 2][..]));
    assert_eq!(
        properties.user_properties().collect::<Vec<_>>(),
        [("k", "1"), ("k", "1"), ("a", "")]
    );
    assert_eq!(properties.user_property(), Some(("k", "1")));
    assert_eq!(properties.response_topic(), None);

    let copy = properties.clone();
    properties.set(Id::ContentType, "json").unwrap();
    properties.add(Id::ContentType, "xml").unwrap();
    assert_eq!(
        properties
            .iter()
            .filter(|property| property.0 == Id::ContentType)
            .count(),
        1
    );
    assert_eq!(properties.content_type(), Some("xml"));
    assert_eq!(
        copy.content_type(),
        Some("text"),
        "a clone is not changed with its original"
    );
    properties.remove(Id::UserProperty);
    assert_eq!(properties.user_properties().count(), 0);
    properties.set(Id::UserProperty, ("x", "y")).unwrap();
    assert_eq!(
        properties.user_properties().collect::<Vec<_>>(),
        [("x", "y")]
    );
    assert_eq!(copy.detached(), copy);
    assert_eq!(
        format!(
            "{:?}",
            copy.without(&[Id::UserProperty, Id::CorrelationData])
        ),
        r#"{"content type": "text", "message expiry interval": 60}"#
    );
}

#[test]
fn subscription_identifiers_repeat() {
    let mut properties = Properties::new();
    for number in [1u32, 268_435_455, 1] {
        properties.add(Id::SubscriptionIdentifier, number).unwrap();
    }
    assert_eq!(
        properties.subscription_identifiers().collect::<Vec<_>>(),
        [1, 268_435_455, 1]
    );
    assert!(properties.check(PacketType::Publish.into()).is_ok());
    assert_eq!(
        properties
            .check(PacketType::Subscribe.into())
            .unwrap_err()
            .to_string(),
        "subscription identifier must not stand in SUBSCRIBE, or not twice"
    );
}

#[test]
fn bad_values_are_refused_with_a_sentence() {
    let long = "x".repeat(65_536);
    let cases: [(Id, Value<'_>, &str); 12] = [
        (
            Id::ReceiveMaximum,
            0u16.into(),
            "receive maximum must be 1 to 65535, not 0",
        ),
        (
            Id::ReceiveMaximum,
            65_536u32.into(),
            "receive maximum must be 1 to 65535, not 65536",
        ),
        (
            Id::MaximumQoS,
            QoS::ExactlyOnce.into(),
            "maximum QoS must be 0 to 1, not 2",
        ),
        (
            Id::MaximumQoS,
            "1".into(),
            "maximum QoS must be a number, 0 to 1",
        ),
        (
            Id::SubscriptionIdentifier,
            u32::MAX.into(),
            "subscription identifier must be 1 to 268435455, not 4294967295",
        ),
        (Id::ContentType, 1u8.into(), "content type must be text"),
        (
            Id::ContentType,
            (&*long).into(),
            "content type must have 0 to 65535 bytes, not 65536",
        ),
        (
            Id::ContentType,
            "\0".into(),
            "content type must not contain U+0000",
        ),
        (
            Id::CorrelationData,
            "x".into(),
            "correlation data must be bytes",
        ),
        (
            Id::UserProperty,
            "x".into(),
            "user property must be a pair of texts",
        ),
        (
            Id::UserProperty,
            ("k", &*long).into(),
            "user property must have 0 to 65535 bytes, not 65536",
        ),
        (
            Id::ResponseTopic,
            "a/#".into(),
            "response topic must not contain the wildcard '+' or '#'",
        ),
    ];
    for (id, value, sentence) in cases {
        let mut properties = Properties::new();
        let set = properties.set(id, value).unwrap_err();
        assert_eq!(set.to_string(), sentence);
        assert_eq!(properties.add(id, value), Err(set));
        assert!(properties.is_empty());
    }
}

#[test]
fn the_will_has_a_delay() {
    let mut will = Will::default();
    assert_eq!(will.delay_seconds(), 0);
    will.properties.set(Id::WillDelayInterval, 5u32).unwrap();
    assert_eq!(will.delay_seconds(), 5);
    assert!(will.properties.check(PacketSet::WILL).is_ok());
    assert_eq!(
        will.properties
            .check(PacketType::Publish.into())
            .unwrap_err()
            .to_string(),
        "will delay interval must not stand in PUBLISH, or not twice"
    );
}

/// Table 2-4 of MQTT 5.0: identifiers ascend, names are unique, and user properties go wherever properties do.
#[test]
fn the_table_is_the_standards() {
    let table = Id::TABLE;
    assert_eq!(table.len(), 27);
    assert!(
        table
            .windows(2)
            .all(|pair| (pair[0].id as u8) < pair[1].id as u8)
    );
    let everywhere = table
        .iter()
        .fold(PacketSet::EMPTY, |all, row| all.union(row.packets));
    for row in table {
        assert_eq!(Id::from_number(row.id as u8), Some(row.id));
        assert_eq!(row.id.row(), row);
        assert_eq!(row.name.replace('_', " "), row.text.to_lowercase());
        assert_eq!(
            row.packets.contains(everywhere),
            row.id == Id::UserProperty,
            "{row:?}"
        );
        assert!(row.packets.contains(row.repeats));
        let text = matches!(
            row.value_type,
            PropertyType::Text | PropertyType::Binary | PropertyType::TextPair
        );
        assert!(!text || *row.range.end() == 65_535);
    }
    assert!(!everywhere.has(PacketType::PingReq) && !everywhere.has(PacketType::PingResp));
    assert_eq!(everywhere.types().count(), 13);
    assert_eq!(Id::from_number(0x04), None);
}
