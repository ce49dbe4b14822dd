//! Golden byte vectors of every packet, written by hand from the standards, decoded and encoded.
mod v311;
mod v5;
mod v5_properties;

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
    let v311 = v311::rows().into_iter().map(|row| (V311, row));
    let v5 = v5::rows()
        .into_iter()
        .chain(v5_properties::rows())
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
