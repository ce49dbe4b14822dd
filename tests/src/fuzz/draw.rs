//! Drawing packets, properties and options out of a feed: valid ones mostly, so that what lies behind the decoder is reached.
use bytes::Bytes;
use leveret_protocol::codec::{
    Ack, Auth, ConnAck, Connect, Disconnect, FilterAck, Packet, PacketId, Properties, PropertyId,
    PropertyType, PropertyValue, Publish, RetainHandling, Side, Subscribe, SubscribeFilter,
    SubscribeOptions, Unsubscribe, Version,
};
use leveret_protocol::engine::{LinkError, LinkErrorKind, Words};
use leveret_protocol::message::{Message, QoS, Will};
use leveret_protocol::options::{ClientOptions, ConnectOptions, Kind, OptionSpec, Value};
use leveret_protocol::packet_type::{PacketSet, PacketType};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence::Dialect;
use leveret_protocol::text::Text;
use leveret_protocol::time::Duration;

use super::feed::Feed;

/// Topic names, of which some match each other's filters.
pub const TOPICS: [&str; 6] = ["a", "a/b", "a/b/c", "$SYS/x", "löwe", "/"];
/// Topic filters.
pub const FILTERS: [&str; 9] = [
    "a",
    "a/b",
    "a/+",
    "#",
    "+/+/c",
    "$share/g/a/#",
    "$share/g/#",
    "$SYS/#",
    "/",
];
const TEXTS: [&str; 5] = ["", "x", "löwe", "a/b", "127.0.0.1:9 [::1]:9"];

/// A QoS.
pub fn qos(feed: &mut Feed<'_>) -> QoS {
    *feed.pick(&[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce])
}

/// A payload: short mostly, now and then longer than anything that is copied.
pub fn payload(feed: &mut Feed<'_>) -> Bytes {
    match feed.byte() {
        length @ 0..=239 => Bytes::copy_from_slice(feed.bytes(usize::from(length) / 8)),
        length => Bytes::from(vec![length; usize::from(length - 239) * 700]),
    }
}

/// A packet identifier: low mostly.
pub fn packet_id(feed: &mut Feed<'_>) -> PacketId {
    let number = match feed.byte() {
        low @ 0..=199 => u16::from(low % 12) + 1,
        200..=219 => u16::MAX,
        _ => feed.pair(),
    };
    PacketId::new(number).unwrap_or(PacketId::MIN)
}

/// Some of the properties that may stand in this place; none on MQTT 3.1.1.
pub fn properties(feed: &mut Feed<'_>, place: PacketSet, version: Version) -> Properties {
    let mut properties = Properties::new();
    if version == Version::V311 {
        return properties;
    }
    let rows: Vec<_> = PropertyId::TABLE
        .iter()
        .filter(|row| row.packets.contains(place))
        .collect();
    for _ in 0..feed.byte().saturating_sub(128) % 8 {
        let row = feed.pick(&rows);
        let (low, high) = (u64::from(*row.range.start()), u64::from(*row.range.end()));
        let (text, other) = (*feed.pick(&TEXTS), *feed.pick(&TEXTS));
        let value = match row.value_type {
            PropertyType::Text => PropertyValue::Text(text),
            PropertyType::Binary => PropertyValue::Binary(text.as_bytes()),
            PropertyType::TextPair => PropertyValue::TextPair(text, other),
            _ => PropertyValue::Number(feed.number(low, high) as u32),
        };
        // One that may not stand there is left out.
        let _ = if row.repeats.contains(place) {
            properties.add(row.id, value)
        } else {
            properties.set(row.id, value)
        };
    }
    properties
}

/// What an application may add to an answer: a reason string and user properties.
pub fn words(feed: &mut Feed<'_>) -> Properties {
    let words = Words {
        reason_string: feed.flag().then(|| (*feed.pick(&TEXTS)).into()),
        user_properties: (0..feed.below(3))
            .map(|_| ((*feed.pick(&TEXTS)).into(), "value".into()))
            .collect(),
    };
    words.properties().unwrap_or_default()
}

/// A reason code that this side may send in this packet.
pub fn reason(feed: &mut Feed<'_>, packet: PacketType, from: Side) -> ReasonCode {
    let byte = feed.byte();
    if byte < 128 {
        return ReasonCode::SUCCESS;
    }
    let allowed: Vec<ReasonCode> = ReasonCode::TABLE
        .iter()
        .filter(|row| match from {
            Side::Client => row.from_client.has(packet),
            Side::Server => row.from_server.has(packet),
        })
        .map(|row| row.code)
        .collect();
    allowed[usize::from(byte) % allowed.len().max(1)]
}

/// One of the four acknowledgements of a PUBLISH.
pub fn acknowledgement(feed: &mut Feed<'_>, from: Side, version: Version) -> Packet {
    let (packet, make): (_, fn(Ack) -> Packet) = *feed.pick(&[
        (PacketType::PubAck, Packet::PubAck as fn(Ack) -> Packet),
        (PacketType::PubRec, Packet::PubRec),
        (PacketType::PubRel, Packet::PubRel),
        (PacketType::PubComp, Packet::PubComp),
    ]);
    make(Ack {
        packet_id: packet_id(feed),
        reason: if version == Version::V5 {
            reason(feed, packet, from)
        } else {
            ReasonCode::SUCCESS
        },
        properties: properties(feed, packet.into(), version),
    })
}

/// PUBLISH.
pub fn publish(feed: &mut Feed<'_>, version: Version) -> Packet {
    let qos = qos(feed);
    let flags = feed.byte();
    let properties = properties(feed, PacketType::Publish.into(), version);
    let nameless = properties.topic_alias().is_some() && flags & 4 == 4;
    Packet::Publish(Publish {
        packet_id: (qos != QoS::AtMostOnce).then(|| packet_id(feed)),
        message: Message {
            topic: Text::from(if nameless { "" } else { *feed.pick(&TOPICS) }),
            payload: payload(feed),
            qos,
            retain: flags & 1 == 1,
            dup: flags & 2 == 2 && qos != QoS::AtMostOnce,
            properties,
        },
    })
}

/// CONNACK: an acceptance mostly.
pub fn connack(feed: &mut Feed<'_>, version: Version) -> Packet {
    let refusal = feed.byte() >= 224;
    Packet::ConnAck(Box::new(ConnAck {
        session_present: feed.flag(),
        reason: if refusal {
            reason(feed, PacketType::ConnAck, Side::Server)
        } else {
            ReasonCode::SUCCESS
        },
        properties: properties(feed, PacketType::ConnAck.into(), version),
    }))
}

fn filter_ack(feed: &mut Feed<'_>, packet: PacketType, version: Version) -> FilterAck {
    let reasons = (0..=feed.below(3)).map(|_| {
        if packet == PacketType::SubAck && feed.flag() {
            ReasonCode(feed.byte() % 3)
        } else {
            reason(feed, packet, Side::Server)
        }
    });
    FilterAck {
        reasons: reasons.collect(),
        packet_id: packet_id(feed),
        properties: properties(feed, packet.into(), version),
    }
}

fn disconnect(feed: &mut Feed<'_>, from: Side, version: Version) -> Packet {
    Packet::Disconnect(Disconnect {
        reason: reason(feed, PacketType::Disconnect, from),
        properties: properties(feed, PacketType::Disconnect.into(), version),
    })
}

fn auth(feed: &mut Feed<'_>, from: Side, version: Version) -> Packet {
    Packet::Auth(Auth {
        reason: reason(feed, PacketType::Auth, from),
        properties: properties(feed, PacketType::Auth.into(), version),
    })
}

/// Something that a server sends.
pub fn from_server(feed: &mut Feed<'_>, version: Version) -> Packet {
    match feed.below(12) {
        0 => connack(feed, version),
        1..=3 => publish(feed, version),
        4..=6 => acknowledgement(feed, Side::Server, version),
        7 => Packet::SubAck(filter_ack(feed, PacketType::SubAck, version)),
        8 => Packet::UnsubAck(filter_ack(feed, PacketType::UnsubAck, version)),
        9 => Packet::PingResp,
        10 => disconnect(feed, Side::Server, version),
        _ => auth(feed, Side::Server, version),
    }
}

/// CONNECT.
pub fn connect(feed: &mut Feed<'_>, version: Version) -> Packet {
    let flags = feed.byte();
    let name = *feed.pick(&["", "one", "two", "löwe"]);
    let will = (flags & 2 == 2).then(|| Will {
        topic: Text::from(*feed.pick(&TOPICS)),
        payload: payload(feed),
        qos: qos(feed),
        retain: flags & 4 == 4,
        properties: properties(feed, PacketSet::WILL, version),
    });
    let user_name = (flags & 8 == 8).then(|| Text::from(*feed.pick(&TEXTS)));
    Packet::Connect(Box::new(Connect {
        version,
        client_id: Text::from(name),
        clean_start: flags & 1 == 0 || name.is_empty(),
        keep_alive: u16::from(feed.byte()),
        will,
        password: user_name.as_ref().map(|_| Bytes::from_static(b"secret")),
        user_name,
        properties: properties(feed, PacketType::Connect.into(), version),
    }))
}

fn subscribe(feed: &mut Feed<'_>, version: Version) -> Packet {
    let filters = (0..=feed.below(3)).map(|_| {
        let filter = *feed.pick(&FILTERS);
        let flags = feed.byte();
        SubscribeFilter {
            filter: Text::from(filter),
            options: SubscribeOptions {
                qos: qos(feed),
                no_local: flags & 1 == 1 && !filter.starts_with("$share"),
                retain_as_published: flags & 2 == 2,
                retain_handling: RetainHandling::from_number(flags >> 2 & 3).unwrap_or_default(),
            },
        }
    });
    Packet::Subscribe(Subscribe {
        filters: filters.collect(),
        packet_id: packet_id(feed),
        properties: properties(feed, PacketType::Subscribe.into(), version),
    })
}

/// Something that a client sends.
pub fn from_client(feed: &mut Feed<'_>, version: Version) -> Packet {
    match feed.below(14) {
        0 => connect(feed, version),
        1..=4 => publish(feed, version),
        5..=7 => acknowledgement(feed, Side::Client, version),
        8..=9 => subscribe(feed, version),
        10 => Packet::Unsubscribe(Unsubscribe {
            packet_id: packet_id(feed),
            filters: (0..=feed.below(3))
                .map(|_| Text::from(*feed.pick(&FILTERS)))
                .collect(),
            properties: properties(feed, PacketType::Unsubscribe.into(), version),
        }),
        11 => Packet::PingReq,
        12 => disconnect(feed, Side::Client, version),
        _ => auth(feed, Side::Client, version),
    }
}

/// A value for an option: one that it takes mostly.
pub fn value(feed: &mut Feed<'_>, spec: &OptionSpec) -> Value {
    let text = *feed.pick(&TEXTS);
    match spec.kind {
        Kind::Flag => Value::Bool(feed.flag()),
        Kind::Integer { min, max } => Value::Integer(feed.number(min, max) as i64),
        Kind::Duration {
            min,
            max,
            whole_seconds,
        } => {
            let unit = if whole_seconds { 1_000 } else { 1 };
            let (low, high) = (min.as_millis() as u64 / unit, max.as_millis() as u64 / unit);
            Value::Duration(Duration::from_millis(feed.number(low, high) * unit))
        }
        Kind::Text => Value::Text(text.into()),
        Kind::Bytes => Value::Bytes(Bytes::from_static(b"bytes")),
        Kind::Material => Value::Bytes(Bytes::from_static(b"material")),
        Kind::Texts => Value::Texts(vec![text.into()]),
        Kind::Pairs => Value::Pairs(vec![(text.into(), "value".into())]),
        Kind::Choice(names) => Value::Text((*feed.pick(names)).into()),
    }
}

/// What an attempt to connect is to say: a few options, those that go together.
pub fn connect_options(feed: &mut Feed<'_>, client: &ClientOptions) -> ConnectOptions {
    let mut options = ConnectOptions::new();
    for _ in 0..feed.byte() % 4 {
        let spec = feed.pick(ConnectOptions::SPECS);
        let value = value(feed, spec);
        // A value that is refused leaves the option as it was.
        let _ = options.set(spec.name, value, Dialect::Rust);
    }
    match options.check(client, Dialect::Rust) {
        Ok(()) => options,
        Err(_) => ConnectOptions::new(),
    }
}

/// Why a connection, or an attempt at one, is over.
pub fn link_error(feed: &mut Feed<'_>) -> LinkError {
    LinkError {
        kind: *feed.pick(&[
            LinkErrorKind::Closed,
            LinkErrorKind::Reset,
            LinkErrorKind::Refused,
            LinkErrorKind::TimedOut,
            LinkErrorKind::Unreachable,
            LinkErrorKind::Dns,
            LinkErrorKind::Tls,
            LinkErrorKind::Proxy,
            LinkErrorKind::WebSocket,
            LinkErrorKind::Other,
        ]),
        text: "the line was cut".into(),
    }
}
