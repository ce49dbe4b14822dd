//! Messages through the broker: QoS 0 to 2 both ways, records, acknowledgements.
use crate::client::{Client, PATIENCE, VERSIONS, id, lasting, number_property, publish};
use leveret::testing::Broker;
use leveret_protocol::{
    codec::{Ack, Packet, PropertyId, Version},
    message::QoS,
    reason::ReasonCode,
};

const ALL_QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

#[test]
fn a_message_of_each_qos_comes_through_with_the_lower_of_both_qos() {
    for version in VERSIONS {
        for sent in ALL_QOS {
            for granted in ALL_QOS {
                let broker = Broker::start_new().unwrap();
                let mut subscriber = Client::named(&broker, version, "subscriber");
                subscriber.listen("a/b", granted);
                let mut publisher = Client::named(&broker, version, "publisher");
                send_whole(&mut publisher, sent);
                let received = subscriber.receive_publish();
                assert_eq!(received.message.topic(), "a/b");
                assert_eq!(received.message.payload(), b"hello");
                assert_eq!(
                    received.message.qos,
                    sent.min(granted),
                    "{version:?} {sent:?} {granted:?}"
                );
                assert!(!received.message.dup && !received.message.retain);
                finish(
                    &mut subscriber,
                    received.packet_id.map(|id| id.get()),
                    received.message.qos,
                );
                subscriber.expect_silence();
            }
        }
    }
}

fn send_whole(publisher: &mut Client, qos: QoS) {
    publisher.send(Packet::Publish(publish("a/b", "hello", qos, 5)));
    match qos {
        QoS::AtMostOnce => {}
        QoS::AtLeastOnce => assert_eq!(
            publisher.receive_ack(Packet::PubAck, 5),
            ReasonCode::SUCCESS
        ),
        QoS::ExactlyOnce => {
            assert_eq!(
                publisher.receive_ack(Packet::PubRec, 5),
                ReasonCode::SUCCESS
            );
            publisher.send(Packet::PubRel(Ack::success(id(5))));
            assert_eq!(
                publisher.receive_ack(Packet::PubComp, 5),
                ReasonCode::SUCCESS
            );
        }
    }
}

fn finish(subscriber: &mut Client, packet_id: Option<u16>, qos: QoS) {
    match (qos, packet_id) {
        (QoS::AtMostOnce, None) => {}
        (QoS::AtLeastOnce, Some(packet_id)) => {
            subscriber.send(Packet::PubAck(Ack::success(id(packet_id))));
        }
        (QoS::ExactlyOnce, Some(packet_id)) => {
            subscriber.send(Packet::PubRec(Ack::success(id(packet_id))));
            assert_eq!(
                subscriber.receive_ack(Packet::PubRel, packet_id),
                ReasonCode::SUCCESS
            );
            subscriber.send(Packet::PubComp(Ack::success(id(packet_id))));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_received_is_recorded_before_it_is_acknowledged() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut client = Client::named(&broker, version, "door-7");
        for count in 1..=50 {
            client.publish_1("doors/front", &format!("{count}"));
            let received = broker.received();
            assert_eq!(received.len(), count);
            let last = &received[count - 1];
            assert_eq!(last.topic(), "doors/front");
            assert_eq!(last.payload(), format!("{count}").as_bytes());
            assert_eq!(
                (last.qos(), last.retain(), last.dup()),
                (QoS::AtLeastOnce, false, false)
            );
            assert_eq!((last.client_id(), last.version()), ("door-7", version));
        }
    }
}

#[test]
fn a_repeated_qos_2_message_is_recorded_as_dup_and_passed_on_once() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut subscriber = Client::named(&broker, version, "subscriber");
        subscriber.listen("#", QoS::AtMostOnce);
        let mut publisher = Client::connect(&broker, lasting(version, "publisher"));
        publisher.send(Packet::Publish(publish("a", "once", QoS::ExactlyOnce, 9)));
        publisher.receive_ack(Packet::PubRec, 9);
        drop(publisher);
        let (mut publisher, connack) = Client::try_connect(&broker, lasting(version, "publisher"));
        assert!(connack.session_present);
        let mut again = publish("a", "once", QoS::ExactlyOnce, 9);
        again.message.dup = true;
        publisher.send(Packet::Publish(again));
        assert_eq!(
            publisher.receive_ack(Packet::PubRec, 9),
            ReasonCode::SUCCESS
        );
        publisher.send(Packet::PubRel(Ack::success(id(9))));
        assert_eq!(
            publisher.receive_ack(Packet::PubComp, 9),
            ReasonCode::SUCCESS
        );
        assert_eq!(subscriber.receive_publish().message.payload(), b"once");
        subscriber.expect_silence();
        assert_eq!(
            broker
                .received()
                .iter()
                .map(|message| message.dup())
                .collect::<Vec<_>>(),
            [false, true]
        );
        // After PUBREL the identifier stands for a new message.
        publisher.send(Packet::Publish(publish("a", "twice", QoS::ExactlyOnce, 9)));
        publisher.receive_ack(Packet::PubRec, 9);
        assert_eq!(subscriber.receive_publish().message.payload(), b"twice");
    }
}

#[test]
fn reasons_say_who_listens_and_which_identifiers_are_known() {
    let broker = Broker::start_new().unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    assert_eq!(
        client.publish_1("nobody", ""),
        ReasonCode::NO_MATCHING_SUBSCRIBERS
    );
    client.send(Packet::PubRel(Ack::success(id(3))));
    assert_eq!(
        client.receive_ack(Packet::PubComp, 3),
        ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
    );
    client.send(Packet::PubRec(Ack::success(id(4))));
    assert_eq!(
        client.receive_ack(Packet::PubRel, 4),
        ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
    );
    client.send(Packet::PubAck(Ack::success(id(4))));
    client.expect_silence();
}

#[test]
fn properties_reach_the_subscriber_and_the_record() {
    let broker = Broker::start_new().unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    client.listen("a", QoS::AtLeastOnce);
    let mut packet = publish("a", "x", QoS::AtLeastOnce, 1);
    let properties = &mut packet.message.properties;
    properties
        .set(PropertyId::ContentType, "text/plain")
        .unwrap();
    properties
        .set(PropertyId::ResponseTopic, "answers")
        .unwrap();
    properties
        .set(PropertyId::PayloadFormatIndicator, 1_u8)
        .unwrap();
    properties
        .add(PropertyId::UserProperty, ("key", "one"))
        .unwrap();
    properties
        .add(PropertyId::UserProperty, ("key", "two"))
        .unwrap();
    let sent = properties.clone();
    client.send(Packet::Publish(packet));
    assert_eq!(client.receive_publish().message.properties, sent);
    client.receive_ack(Packet::PubAck, 1);
    assert_eq!(broker.received()[0].properties(), &sent);
}

#[test]
fn the_message_expiry_is_counted_down_and_obeyed() {
    let broker = Broker::start_new().unwrap();
    let mut subscriber = Client::connect(&broker, lasting(Version::V5, "subscriber"));
    subscriber.listen("a", QoS::AtLeastOnce);
    subscriber.disconnect(ReasonCode::SUCCESS);
    let mut publisher = Client::named(&broker, Version::V5, "publisher");
    for (payload, expiry) in [("gone", 1), ("there", 100)] {
        let mut packet = publish("a", payload, QoS::AtLeastOnce, 1);
        packet.message.properties =
            number_property(Version::V5, PropertyId::MessageExpiryInterval, expiry);
        packet.message.retain = true;
        packet.message.topic = if payload == "gone" {
            "a".into()
        } else {
            "b".into()
        };
        publisher.send(Packet::Publish(packet));
        publisher.receive_ack(Packet::PubAck, 1);
    }
    // A subscriber that was not away sees the retained one vanish, which says that its second is over.
    let mut witness = Client::named(&broker, Version::V5, "witness");
    crate::client::eventually("the expiry of the retained message", || {
        witness.listen("a", QoS::AtMostOnce);
        witness.send(Packet::PingReq);
        match witness.receive() {
            Packet::PingResp => true,
            Packet::Publish(_) => witness.receive() != Packet::PingResp,
            other => panic!("{other:?}"),
        }
    });
    let mut subscriber = Client::connect(&broker, lasting(Version::V5, "subscriber"));
    subscriber.expect_silence();
    subscriber.listen("b", QoS::AtLeastOnce);
    let left = subscriber
        .receive_publish()
        .message
        .properties
        .message_expiry_interval();
    assert!(
        left.is_some_and(|left| (50..=100).contains(&left)),
        "{left:?}"
    );
}

#[test]
fn a_topic_alias_stands_for_its_topic() {
    let broker = Broker::builder().topic_alias_maximum(3).start().unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    let aliased = |topic: &str, alias: u32| {
        let mut packet = publish(topic, "x", QoS::AtLeastOnce, 1);
        packet.message.properties = number_property(Version::V5, PropertyId::TopicAlias, alias);
        Packet::Publish(packet)
    };
    for (topic, alias) in [("long/topic", 3), ("", 3), ("other", 3), ("", 3)] {
        client.send(aliased(topic, alias));
        client.receive_ack(Packet::PubAck, 1);
    }
    let topics: Vec<String> = broker
        .received()
        .iter()
        .map(|message| message.topic().to_owned())
        .collect();
    assert_eq!(topics, ["long/topic", "long/topic", "other", "other"]);
    client.send(aliased("", 2));
    client.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
    let mut client = Client::named(&broker, Version::V5, "client");
    client.send(aliased("beyond", 4));
    client.expect_disconnect(ReasonCode::TOPIC_ALIAS_INVALID);
}

#[test]
fn the_broker_itself_can_publish() {
    for version in VERSIONS {
        let broker = Broker::start_new().unwrap();
        let mut client = Client::named(&broker, version, "client");
        client.listen("news/#", QoS::ExactlyOnce);
        broker
            .publish("news/today", "sunny", QoS::AtLeastOnce, false)
            .unwrap();
        let publish = client.receive_publish();
        assert_eq!(
            (publish.message.topic(), publish.message.payload()),
            ("news/today", &b"sunny"[..])
        );
        assert_eq!(publish.message.qos, QoS::AtLeastOnce);
        assert!(broker.received().is_empty());
        let error = broker
            .publish("news/+", "", QoS::AtMostOnce, false)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "topic \"news/+\" must not contain the wildcard '+' or '#'"
        );
    }
}

#[test]
fn waiting_for_messages_ends_when_they_are_there_or_the_time_is_over() {
    let broker = Broker::start_new().unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| broker.wait_received(2, PATIENCE));
        client.publish_1("a", "1");
        client.publish_1("a", "2");
        assert_eq!(waiter.join().unwrap().unwrap().len(), 2);
    });
    assert_eq!(
        broker
            .wait_received(1, std::time::Duration::ZERO)
            .map(|all| all.len()),
        Ok(2)
    );
    let error = broker
        .wait_received(3, std::time::Duration::from_millis(1))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the broker received 2 of 3 messages in the time given"
    );
    assert_eq!(broker.received_count(), 2);
}

#[test]
fn properties_of_a_subscription_identifier_are_not_taken_from_clients() {
    let broker = Broker::start_new().unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    // PUBLISH, QoS 0, topic "a", subscription identifier 1: only a server may send that (MQTT-3.3.4-6).
    client.send_bytes(&[0x30, 6, 0, 1, b'a', 2, 0x0B, 1]);
    client.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
    assert!(broker.received().is_empty());
}
