//! Generated packets: what is encoded is decoded to the same, in any pieces.
use crate::notation::id;
use bytes::{Bytes, BytesMut};
use leveret_protocol::{
    codec::{
        Ack, Auth, ConnAck, Connect, Decoded, Disconnect, FilterAck, Limits, MAX_PACKET_SIZE,
        Packet, Properties, PropertyId, PropertyRow, PropertyType, PropertyValue, Publish,
        RetainHandling, Side, Subscribe, SubscribeFilter, SubscribeOptions, Unsubscribe,
        Version::{self, V5, V311},
        decode,
    },
    message::{Message, QoS, Will},
    packet_type::{PacketSet, PacketType},
    reason::ReasonCode,
    text::Text,
};
use proptest::{collection::vec, option, prelude::*};

fn text() -> impl Strategy<Value = Text> {
    "[^\u{0}]{0,40}".prop_map(Text::from)
}

fn topic() -> impl Strategy<Value = Text> {
    "[^\u{0}+#]{1,40}".prop_map(Text::from)
}

fn filter() -> impl Strategy<Value = Text> {
    "([$]share/[^\u{0}+#/]{1,5}/)?(([+]|[^\u{0}+#/]{0,5})/){0,4}(#|[+]|[^\u{0}+#/]{1,5})"
        .prop_map(Text::from)
}

fn binary() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..200).prop_map(Bytes::from)
}

fn qos() -> impl Strategy<Value = QoS> {
    prop_oneof![
        Just(QoS::AtMostOnce),
        Just(QoS::AtLeastOnce),
        Just(QoS::ExactlyOnce)
    ]
}

/// Some of the properties that the table allows in this place; none on MQTT 3.1.1.
fn some_properties(
    version: Version,
    place: PacketSet,
    but: &'static [PropertyId],
) -> BoxedStrategy<Properties> {
    if version == V311 {
        return Just(Properties::new()).boxed();
    }
    let rows: Vec<&PropertyRow> = PropertyId::TABLE
        .iter()
        .filter(|row| row.packets.contains(place) && !but.contains(&row.id))
        .collect();
    let one = (any::<prop::sample::Index>(), any::<u32>(), topic(), text());
    vec(one, 0..6)
        .prop_map(move |list| {
            let mut properties = Properties::new();
            for (index, number, name, value) in list {
                let row = rows[index.index(rows.len())];
                let (low, high) = (u64::from(*row.range.start()), u64::from(*row.range.end()));
                let number = (low + u64::from(number) % (high - low + 1)) as u32;
                let value = match row.value_type {
                    PropertyType::Text => PropertyValue::Text(&name),
                    PropertyType::Binary => PropertyValue::Binary(value.as_bytes()),
                    PropertyType::TextPair => PropertyValue::TextPair(&name, &value),
                    _ => PropertyValue::Number(number),
                };
                let set = if row.repeats.contains(place) {
                    Properties::add
                } else {
                    Properties::set
                };
                set(&mut properties, row.id, value).unwrap();
            }
            if properties.authentication_data().is_some()
                && properties.authentication_method().is_none()
            {
                properties.remove(PropertyId::AuthenticationData);
            }
            properties
        })
        .boxed()
}

fn reason(packet: PacketType, from: Side) -> impl Strategy<Value = ReasonCode> {
    let allowed: Vec<ReasonCode> = ReasonCode::TABLE
        .iter()
        .filter(|row| match from {
            Side::Client => row.from_client.has(packet),
            Side::Server => row.from_server.has(packet),
        })
        .map(|row| row.code)
        .collect();
    prop::sample::select(allowed)
}

fn will(version: Version) -> impl Strategy<Value = Will> {
    (
        topic(),
        binary(),
        qos(),
        any::<bool>(),
        some_properties(version, PacketSet::WILL, &[]),
    )
        .prop_map(|(topic, payload, qos, retain, properties)| Will {
            topic,
            payload,
            qos,
            retain,
            properties,
        })
}

fn connect(version: Version) -> BoxedStrategy<Packet> {
    let credentials = (option::of(text()), option::of(binary()));
    let properties = some_properties(version, PacketType::Connect.into(), &[]);
    (
        topic(),
        any::<bool>(),
        any::<u16>(),
        option::of(will(version)),
        credentials,
        properties,
    )
        .prop_map(
            move |(client_id, clean_start, keep_alive, will, credentials, properties)| {
                let (user_name, password) = credentials;
                let password = password.filter(|_| version == V5 || user_name.is_some());
                let connect = Connect {
                    version,
                    client_id,
                    clean_start,
                    keep_alive,
                    will,
                    user_name,
                    password,
                    properties,
                };
                Packet::Connect(Box::new(connect))
            },
        )
        .boxed()
}

fn connack(version: Version) -> BoxedStrategy<Packet> {
    (
        any::<bool>(),
        reason(PacketType::ConnAck, Side::Server),
        some_properties(version, PacketType::ConnAck.into(), &[]),
    )
        .prop_map(move |(session_present, reason, properties)| {
            let reason = match version {
                V5 => reason,
                V311 => ReasonCode::from_v311_return_code(reason.to_v311_return_code()).unwrap(),
            };
            let session_present = session_present && !reason.is_error();
            Packet::ConnAck(Box::new(ConnAck {
                session_present,
                reason,
                properties,
            }))
        })
        .boxed()
}

fn publish(version: Version, from: Side) -> BoxedStrategy<Packet> {
    let but: &[_] = if from == Side::Client {
        &[PropertyId::SubscriptionIdentifier]
    } else {
        &[]
    };
    let properties = some_properties(version, PacketType::Publish.into(), but);
    (
        topic(),
        binary(),
        qos(),
        any::<[bool; 3]>(),
        1u16..,
        properties,
    )
        .prop_map(
            |(topic, payload, qos, [retain, dup, empty], number, properties)| {
                let with_id = qos != QoS::AtMostOnce;
                let topic = if empty && properties.topic_alias().is_some() {
                    Text::default()
                } else {
                    topic
                };
                let message = Message {
                    topic,
                    payload,
                    qos,
                    retain,
                    dup: dup && with_id,
                    properties,
                };
                Packet::Publish(Publish {
                    packet_id: with_id.then(|| id(number)),
                    message,
                })
            },
        )
        .boxed()
}

fn ack(version: Version, from: Side) -> BoxedStrategy<Packet> {
    type Kind = (PacketType, fn(Ack) -> Packet);
    let kinds: [Kind; 4] = [
        (PacketType::PubAck, Packet::PubAck),
        (PacketType::PubRec, Packet::PubRec),
        (PacketType::PubRel, Packet::PubRel),
        (PacketType::PubComp, Packet::PubComp),
    ];
    prop::sample::select(kinds.to_vec())
        .prop_flat_map(move |(packet, make)| {
            (
                1u16..,
                reason(packet, from),
                some_properties(version, packet.into(), &[]),
            )
                .prop_map(move |(number, reason, properties)| {
                    let reason = if version == V5 {
                        reason
                    } else {
                        ReasonCode::SUCCESS
                    };
                    make(Ack {
                        packet_id: id(number),
                        reason,
                        properties,
                    })
                })
        })
        .boxed()
}

fn options(version: Version) -> impl Strategy<Value = SubscribeOptions> {
    (qos(), any::<[bool; 2]>(), 0u8..3).prop_map(
        move |(qos, [no_local, retain_as_published], handling)| match version {
            V311 => SubscribeOptions {
                qos,
                ..SubscribeOptions::default()
            },
            V5 => SubscribeOptions {
                qos,
                no_local,
                retain_as_published,
                retain_handling: RetainHandling::from_number(handling).unwrap(),
            },
        },
    )
}

fn subscribe(version: Version) -> BoxedStrategy<Packet> {
    let properties = some_properties(version, PacketType::Subscribe.into(), &[]);
    (1u16.., vec((filter(), options(version)), 1..5), properties)
        .prop_map(|(number, filters, properties)| {
            let filters = filters.into_iter().map(|(filter, mut options)| {
                options.no_local &= !filter.starts_with("$share/");
                SubscribeFilter { filter, options }
            });
            Packet::Subscribe(Subscribe {
                packet_id: id(number),
                filters: filters.collect(),
                properties,
            })
        })
        .boxed()
}

fn unsubscribe(version: Version) -> BoxedStrategy<Packet> {
    (
        1u16..,
        vec(filter(), 1..5),
        some_properties(version, PacketType::Unsubscribe.into(), &[]),
    )
        .prop_map(|(number, filters, properties)| {
            Packet::Unsubscribe(Unsubscribe {
                packet_id: id(number),
                filters,
                properties,
            })
        })
        .boxed()
}

fn answers(version: Version, packet: PacketType) -> BoxedStrategy<Packet> {
    (
        1u16..,
        vec(reason(packet, Side::Server), 1..5),
        some_properties(version, packet.into(), &[]),
    )
        .prop_map(move |(number, mut reasons, properties)| {
            if version == V311 {
                reasons
                    .iter_mut()
                    .filter(|reason| reason.is_error())
                    .for_each(|reason| reason.0 = 0x80);
            }
            if version == V311 && packet == PacketType::UnsubAck {
                reasons.clear();
            }
            let answer = FilterAck {
                packet_id: id(number),
                reasons,
                properties,
            };
            if packet == PacketType::SubAck {
                Packet::SubAck(answer)
            } else {
                Packet::UnsubAck(answer)
            }
        })
        .boxed()
}

fn disconnect(version: Version, from: Side) -> BoxedStrategy<Packet> {
    let but: &[_] = if from == Side::Server {
        &[PropertyId::SessionExpiryInterval]
    } else {
        &[]
    };
    (
        reason(PacketType::Disconnect, from),
        some_properties(version, PacketType::Disconnect.into(), but),
    )
        .prop_map(move |(reason, properties)| {
            let reason = if version == V5 {
                reason
            } else {
                ReasonCode::SUCCESS
            };
            Packet::Disconnect(Disconnect { reason, properties })
        })
        .boxed()
}

fn auth(from: Side) -> BoxedStrategy<Packet> {
    (
        reason(PacketType::Auth, from),
        some_properties(V5, PacketType::Auth.into(), &[]),
        text(),
    )
        .prop_map(|(reason, mut properties, method)| {
            properties
                .set(PropertyId::AuthenticationMethod, &*method)
                .unwrap();
            Packet::Auth(Auth { reason, properties })
        })
        .boxed()
}

/// Any packet that this side can send in this version.
fn packet(version: Version, from: Side) -> BoxedStrategy<Packet> {
    let mut kinds = vec![publish(version, from), ack(version, from)];
    match from {
        Side::Client => kinds.extend([
            connect(version),
            subscribe(version),
            unsubscribe(version),
            disconnect(version, from),
            Just(Packet::PingReq).boxed(),
        ]),
        Side::Server => kinds.extend([
            connack(version),
            answers(version, PacketType::SubAck),
            answers(version, PacketType::UnsubAck),
            Just(Packet::PingResp).boxed(),
        ]),
    }
    if version == V5 {
        kinds.push(auth(from));
        kinds.push(disconnect(version, from));
    }
    prop::strategy::Union::new(kinds).boxed()
}

fn packets() -> impl Strategy<Value = (Version, Side, Vec<Packet>)> {
    let sides = [
        (V311, Side::Client),
        (V311, Side::Server),
        (V5, Side::Client),
        (V5, Side::Server),
    ];
    prop::sample::select(sides.to_vec()).prop_flat_map(|(version, from)| {
        (Just(version), Just(from), vec(packet(version, from), 1..6))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn packets_go_round_in_any_pieces(
        (version, from, packets) in packets(),
        pieces in vec(1usize..100, 1..20),
        copy_below in prop_oneof![Just(0usize), Just(128)],
    ) {
        let mut stream = BytesMut::new();
        for packet in &packets {
            packet.encode(version, MAX_PACKET_SIZE, &mut stream).unwrap();
        }
        let limits = Limits { copy_below, ..Limits::default() };
        let mut buffer = BytesMut::new();
        let mut decoded = Vec::new();
        let mut pieces = pieces.into_iter().cycle();
        while !stream.is_empty() {
            let length = pieces.next().unwrap().min(stream.len());
            buffer.extend_from_slice(&stream.split_to(length));
            loop {
                match decode(&mut buffer, version, from, &limits) {
                    Ok(Decoded::Packet(packet)) => decoded.push(packet),
                    Ok(Decoded::NeedMore(more)) => {
                        prop_assert!(more > 0);
                        break;
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
        prop_assert!(buffer.is_empty());
        prop_assert_eq!(decoded, packets);
    }
}
