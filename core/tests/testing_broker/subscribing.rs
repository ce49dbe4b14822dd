//! Subscriptions: wildcards, retained messages, options, identifiers, shared subscriptions.
use crate::client::{Client, VERSIONS, id, lasting, number_property, publish};
use leveret::testing::Broker;
use leveret_protocol::{
    codec::{
        Packet, Properties, PropertyId, RetainHandling, Subscribe, SubscribeFilter,
        SubscribeOptions, Version,
    },
    message::QoS,
    reason::ReasonCode,
};

fn at_least_once() -> SubscribeOptions {
    SubscribeOptions {
        qos: QoS::AtLeastOnce,
        ..SubscribeOptions::default()
    }
}

fn payloads(client: &mut Client, count: usize) -> Vec<String> {
    (0..count)
        .map(|_| String::from_utf8(client.receive_publish().message.payload.to_vec()).unwrap())
        .collect()
}

#[test]
fn wildcards_match_as_the_standard_says() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let cases = [
            ("a/+", vec!["a/b", "a/"]),
            ("a/#", vec!["a", "a/b", "a/", "a/b/c"]),
            ("+/b", vec!["a/b"]),
            ("+", vec!["a"]),
            ("#", vec!["a", "a/b", "a/", "a/b/c", "/a"]),
            ("$SYS/#", vec!["$SYS/a"]),
            ("+/a", vec!["/a"]),
        ];
        for (filter, expected) in cases {
            let mut client = Client::named(&broker, version, "client");
            client.listen(filter, QoS::AtMostOnce);
            for topic in ["a", "a/b", "a/", "a/b/c", "/a", "$SYS/a"] {
                broker
                    .publish(topic, topic, QoS::AtMostOnce, false)
                    .unwrap();
            }
            assert_eq!(payloads(&mut client, expected.len()), expected, "{filter}");
            client.expect_silence();
        }
    }
}

#[test]
fn unsubscribing_ends_a_subscription_and_says_whether_there_was_one() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut client = Client::named(&broker, version, "client");
        client.listen("a", QoS::AtMostOnce);
        let (existed, did_not) = match version {
            Version::V311 => (vec![], vec![]),
            Version::V5 => (
                vec![ReasonCode::SUCCESS],
                vec![ReasonCode::NO_SUBSCRIPTION_EXISTED],
            ),
        };
        assert_eq!(client.unsubscribe("a"), existed);
        assert_eq!(client.unsubscribe("a"), did_not);
        broker.publish("a", "x", QoS::AtMostOnce, false).unwrap();
        client.expect_silence();
    }
}

#[test]
fn a_retained_message_is_given_to_later_subscribers_and_can_be_removed() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut publisher = Client::named(&broker, version, "publisher");
        publisher.retain("a/b", "old");
        publisher.retain("a/b", "new");
        let mut client = Client::named(&broker, version, "client");
        client.listen("a/+", QoS::AtMostOnce);
        let received = client.receive_publish().message;
        assert_eq!(
            (received.payload(), received.retain, received.qos),
            (&b"new"[..], true, QoS::AtMostOnce)
        );
        // To a subscription that was there before it is an ordinary message.
        publisher.retain("a/b", "live");
        assert!(!client.receive_publish().message.retain);
        publisher.retain("a/b", "");
        assert_eq!(client.receive_publish().message.payload(), b"");
        client.listen("a/+", QoS::AtMostOnce);
        client.expect_silence();
    }
}

#[test]
fn retain_handling_and_retain_as_published_are_obeyed() {
    let broker = Broker::start_new().unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    broker.publish("a", "kept", QoS::AtLeastOnce, true).unwrap();
    let handling = |retain_handling| SubscribeOptions {
        retain_handling,
        ..SubscribeOptions::default()
    };
    let expected = [
        (RetainHandling::DoNotSend, 0),
        (RetainHandling::SendIfNew, 0),
        (RetainHandling::Send, 1),
        (RetainHandling::Send, 1),
    ];
    for (retain_handling, count) in expected {
        client.subscribe("a", handling(retain_handling), Properties::new());
        payloads(&mut client, count);
        client.expect_silence();
    }
    client.unsubscribe("a");
    let options = SubscribeOptions {
        retain_as_published: true,
        ..handling(RetainHandling::SendIfNew)
    };
    client.subscribe("a", options, Properties::new());
    assert!(client.receive_publish().message.retain);
    for retain in [true, false] {
        broker
            .publish("a", "live", QoS::AtMostOnce, retain)
            .unwrap();
        assert_eq!(client.receive_publish().message.retain, retain);
    }
}

#[test]
fn no_local_leaves_out_the_clients_own_messages() {
    let broker = Broker::start_new().unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    client.subscribe(
        "a",
        SubscribeOptions {
            no_local: true,
            ..at_least_once()
        },
        Properties::new(),
    );
    assert_eq!(
        client.publish_1("a", "own"),
        ReasonCode::NO_MATCHING_SUBSCRIBERS
    );
    let mut other = Client::named(&broker, Version::V5, "other");
    assert_eq!(other.publish_1("a", "another's"), ReasonCode::SUCCESS);
    assert_eq!(payloads(&mut client, 1), ["another's"]);
    client.expect_silence();
}

#[test]
fn overlapping_subscriptions_give_one_copy_with_every_identifier() {
    let broker = Broker::start_new().unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    for (filter, number, qos) in [
        ("a/#", 1, QoS::AtMostOnce),
        ("+/b", 200, QoS::ExactlyOnce),
        ("c", 3, QoS::AtLeastOnce),
    ] {
        let options = SubscribeOptions {
            qos,
            ..SubscribeOptions::default()
        };
        let properties = number_property(Version::V5, PropertyId::SubscriptionIdentifier, number);
        client.subscribe(filter, options, properties);
    }
    broker.publish("a/b", "x", QoS::ExactlyOnce, false).unwrap();
    let message = client.receive_publish().message;
    let mut ids: Vec<u32> = message.properties.subscription_identifiers().collect();
    ids.sort_unstable();
    assert_eq!((ids, message.qos), (vec![1, 200], QoS::ExactlyOnce));
    client.expect_silence();
    // Subscribing again replaces the identifier.
    client.subscribe("c", at_least_once(), Properties::new());
    broker.publish("c", "x", QoS::AtMostOnce, false).unwrap();
    assert_eq!(
        client
            .receive_publish()
            .message
            .properties
            .subscription_identifier(),
        None
    );
}

#[test]
fn overlapping_subscriptions_give_a_copy_each_if_the_broker_is_made_so() {
    for version in VERSIONS {
        let broker = Broker::builder()
            .copy_per_subscription(true)
            .start()
            .unwrap();
        let mut client = Client::named(&broker, version, "client");
        client.listen("a/#", QoS::AtMostOnce);
        client.listen("+/b", QoS::AtLeastOnce);
        broker.publish("a/b", "x", QoS::ExactlyOnce, false).unwrap();
        let mut granted =
            [client.receive_publish(), client.receive_publish()].map(|publish| publish.message.qos);
        granted.sort();
        assert_eq!(granted, [QoS::AtMostOnce, QoS::AtLeastOnce]);
        client.expect_silence();
    }
}

#[test]
fn one_subscribe_can_have_many_filters_each_with_its_answer() {
    for version in VERSIONS {
        let broker = Broker::builder()
            .maximum_qos(QoS::AtLeastOnce)
            .deny("secret/#")
            .start()
            .unwrap();
        let mut client = Client::named(&broker, version, "client");
        let filters = [
            ("a", QoS::ExactlyOnce),
            ("secret/x", QoS::AtMostOnce),
            ("secret/#", QoS::AtMostOnce),
            ("b", QoS::AtMostOnce),
        ];
        let filters = filters.map(|(filter, qos)| SubscribeFilter {
            filter: filter.into(),
            options: SubscribeOptions {
                qos,
                ..SubscribeOptions::default()
            },
        });
        let subscribe = Subscribe {
            packet_id: id(7),
            filters: filters.into(),
            properties: Properties::new(),
        };
        client.send(Packet::Subscribe(subscribe));
        let Packet::SubAck(answer) = client.receive() else {
            panic!("no SUBACK")
        };
        let refused = match version {
            Version::V311 => ReasonCode::UNSPECIFIED_ERROR,
            Version::V5 => ReasonCode::NOT_AUTHORIZED,
        };
        assert_eq!(
            answer.reasons,
            [
                ReasonCode::GRANTED_QOS_1,
                refused,
                refused,
                ReasonCode::SUCCESS
            ]
        );
    }
}

#[test]
fn members_of_a_shared_subscription_take_turns() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut members = ["one", "two"].map(|name| {
            let mut client = Client::named(&broker, version, name);
            client.listen("$share/group/a/#", QoS::AtLeastOnce);
            client
        });
        let mut other_group = Client::named(&broker, version, "other");
        other_group.listen("$share/other/a/#", QoS::AtLeastOnce);
        let mut alone = Client::named(&broker, version, "alone");
        alone.listen("a/#", QoS::AtLeastOnce);
        for number in 0..6 {
            broker
                .publish("a/b", number.to_string(), QoS::AtMostOnce, false)
                .unwrap();
        }
        let mut shared: Vec<String> = members
            .iter_mut()
            .flat_map(|member| payloads(member, 3))
            .collect();
        shared.sort();
        let all = ["0", "1", "2", "3", "4", "5"];
        assert_eq!(shared, all);
        assert_eq!(payloads(&mut other_group, 6), all);
        assert_eq!(payloads(&mut alone, 6), all);
        // Who is away gets nothing while somebody is there.
        let [one, mut two] = members;
        one.disconnect(ReasonCode::SUCCESS);
        for number in 0..4 {
            broker
                .publish("a/b", number.to_string(), QoS::AtMostOnce, false)
                .unwrap();
        }
        assert_eq!(payloads(&mut two, 4), ["0", "1", "2", "3"]);
    }
}

#[test]
fn a_shared_subscription_keeps_messages_while_all_members_are_away_and_takes_no_retained_ones() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        broker
            .publish("a", "retained", QoS::AtLeastOnce, true)
            .unwrap();
        let mut client = Client::connect(&broker, lasting(version, "client"));
        client.listen("$share/group/a", QoS::AtLeastOnce);
        client.expect_silence();
        client.disconnect(ReasonCode::SUCCESS);
        broker
            .publish("a", "kept", QoS::AtLeastOnce, false)
            .unwrap();
        let mut client = Client::connect(&broker, lasting(version, "client"));
        assert_eq!(payloads(&mut client, 1), ["kept"]);
    }
}

#[test]
fn a_denied_topic_is_refused_to_publishers() {
    for version in VERSIONS {
        let broker = Broker::builder().deny("secret/#").start().unwrap();
        let mut client = Client::named(&broker, version, "client");
        client.listen("#", QoS::AtLeastOnce);
        let refused = match version {
            Version::V311 => ReasonCode::SUCCESS,
            Version::V5 => ReasonCode::NOT_AUTHORIZED,
        };
        assert_eq!(client.publish_1("secret/x", "1"), refused);
        client.send(Packet::Publish(publish(
            "secret/y",
            "2",
            QoS::ExactlyOnce,
            2,
        )));
        assert_eq!(client.receive_ack(Packet::PubRec, 2), refused);
        client.expect_silence();
        assert_eq!(broker.received_count(), 2);
    }
}
