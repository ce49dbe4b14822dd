//! The model broker's use of the codec: bytes to what a client said, and what the broker says to bytes.

use bytes::{Buf, BytesMut};
use leveret_protocol::codec::Publish;
use leveret_protocol::codec::{
    Ack, Auth, ConnAck, Decoded, Disconnect, FilterAck, Limits, MAX_PACKET_SIZE, Packet, PacketId,
    Properties, PropertyError, PropertyId, PropertyValue, Side, Version, decode as decode_packet,
};
use leveret_protocol::message::{Message, QoS};
use leveret_protocol::reason::ReasonCode;

use super::broker::strict::Violation;
use super::frames::kind;
use super::packets::{Asked, Connack, Connect, FromClient, Publication, ToClient};

const LIMITS: Limits = Limits {
    max_packet_size: MAX_PACKET_SIZE,
    max_properties: 1_000,
    copy_below: 0,
};

/// Takes one packet of a client from the front of the buffer, with its length.
pub fn decode(buffer: &mut BytesMut, level: u8) -> Result<Option<(FromClient, usize)>, Violation> {
    let version = Version::from_level(level).unwrap_or(Version::V5);
    let before = buffer.len();
    match decode_packet(buffer, version, Side::Client, &LIMITS) {
        Ok(Decoded::Packet(packet)) => Ok(Some((heard(packet), before - buffer.remaining()))),
        Ok(Decoded::NeedMore(_)) => Ok(None),
        Ok(Decoded::TooLarge(_)) => Err(Violation::new(
            "2.2.3",
            "a packet larger than MQTT can say".into(),
        )),
        Err(error) => Err(Violation::new(error.statement, error.to_string())),
    }
}

fn heard(packet: Packet) -> FromClient {
    match packet {
        Packet::Connect(connect) => FromClient::Connect(Box::new(Connect {
            level: connect.version.level(),
            clean: connect.clean_start,
            client_id: connect.client_id.as_str().to_owned(),
            keep_alive: connect.keep_alive,
            session_expiry: connect.properties.session_expiry_interval().unwrap_or(0),
            receive_maximum: connect.properties.receive_maximum(),
            maximum_packet_size: connect.properties.maximum_packet_size(),
            will: connect
                .will
                .map(|will| (will.topic.as_str().to_owned(), will.qos.into())),
            user_name: connect.user_name.map(|name| name.as_str().to_owned()),
            topic_alias_maximum: connect.properties.topic_alias_maximum().unwrap_or(0),
            method: connect
                .properties
                .authentication_method()
                .map(str::to_owned),
            data: connect
                .properties
                .authentication_data()
                .unwrap_or_default()
                .to_vec(),
        })),
        Packet::Publish(Publish { packet_id, message }) => FromClient::Publish(Publication {
            packet_id: packet_id.map_or(0, PacketId::get),
            qos: message.qos.into(),
            dup: message.dup,
            retain: message.retain,
            topic: message.topic.as_str().to_owned(),
            expiry: message.properties.message_expiry_interval(),
            alias: message.properties.topic_alias(),
            payload: message.payload,
            subscriptions: Vec::new(),
        }),
        Packet::PubAck(ack) => acknowledgement(kind::PUBACK, &ack),
        Packet::PubRec(ack) => acknowledgement(kind::PUBREC, &ack),
        Packet::PubRel(ack) => acknowledgement(kind::PUBREL, &ack),
        Packet::PubComp(ack) => acknowledgement(kind::PUBCOMP, &ack),
        Packet::Subscribe(subscribe) => FromClient::Subscribe {
            packet_id: subscribe.packet_id.get(),
            subscription: subscribe.properties.subscription_identifier(),
            filters: subscribe
                .filters
                .iter()
                .map(|asked| {
                    let options = asked.options;
                    let asked_for = Asked {
                        qos: options.qos.into(),
                        no_local: options.no_local,
                        retain_as_published: options.retain_as_published,
                        retain_handling: options.retain_handling as u8,
                    };
                    (asked.filter.as_str().to_owned(), asked_for)
                })
                .collect(),
        },
        Packet::Unsubscribe(unsubscribe) => FromClient::Unsubscribe {
            packet_id: unsubscribe.packet_id.get(),
            filters: unsubscribe
                .filters
                .iter()
                .map(|filter| filter.as_str().to_owned())
                .collect(),
        },
        Packet::PingReq => FromClient::Ping,
        Packet::Disconnect(disconnect) => FromClient::Disconnect {
            reason: disconnect.reason.0,
            session_expiry: disconnect.properties.session_expiry_interval(),
        },
        Packet::Auth(auth) => FromClient::Auth {
            reason: auth.reason.0,
            method: auth.properties.authentication_method().map(str::to_owned),
            data: auth
                .properties
                .authentication_data()
                .unwrap_or_default()
                .to_vec(),
        },
        // What only a server sends has been refused by the codec.
        _ => FromClient::Ping,
    }
}

fn acknowledgement(kind: u8, ack: &Ack) -> FromClient {
    FromClient::Ack {
        kind,
        packet_id: ack.packet_id.get(),
        reason: ack.reason.0,
    }
}

/// The bytes of what the broker says. Nonsense that the codec refuses to write is left unsaid.
pub fn encode(packet: &ToClient, level: u8) -> Vec<u8> {
    let version = Version::from_level(level).unwrap_or(Version::V5);
    let mut out = BytesMut::new();
    if let ToClient::Raw(bytes) = packet {
        return bytes.clone();
    }
    let written = said(packet, version)
        .and_then(|packet| packet.encode(version, MAX_PACKET_SIZE, &mut out).ok());
    debug_assert!(written.is_some(), "the model broker cannot say {packet:?}");
    out.to_vec()
}

fn said(packet: &ToClient, version: Version) -> Option<Packet> {
    Some(match packet {
        ToClient::Connack(connack) => Packet::ConnAck(Box::new(ConnAck {
            session_present: connack.session_present,
            reason: ReasonCode(connack.reason),
            properties: if version == Version::V5 {
                connack_properties(connack).ok()?
            } else {
                Properties::new()
            },
        })),
        ToClient::Publish(publication) => Packet::Publish(Publish {
            packet_id: PacketId::new(publication.packet_id),
            message: Message {
                topic: publication.topic.as_str().into(),
                payload: publication.payload.clone(),
                qos: QoS::try_from(publication.qos).ok()?,
                retain: publication.retain,
                dup: publication.dup,
                properties: if version == Version::V5 {
                    publish_properties(publication).ok()?
                } else {
                    Properties::new()
                },
            },
        }),
        ToClient::Ack {
            kind,
            packet_id,
            reason,
        } => {
            let reason = if version == Version::V5 { *reason } else { 0 };
            let ack = Ack {
                reason: ReasonCode(reason),
                ..Ack::success(PacketId::new(*packet_id)?)
            };
            match *kind {
                kind::PUBACK => Packet::PubAck(ack),
                kind::PUBREC => Packet::PubRec(ack),
                kind::PUBREL => Packet::PubRel(ack),
                _ => Packet::PubComp(ack),
            }
        }
        ToClient::Suback { packet_id, reasons } => Packet::SubAck(answer(*packet_id, reasons)?),
        ToClient::Unsuback { packet_id, reasons } => Packet::UnsubAck(answer(*packet_id, reasons)?),
        ToClient::Pong => Packet::PingResp,
        ToClient::Disconnect { reason, reference } => Packet::Disconnect(Disconnect {
            reason: ReasonCode(*reason),
            properties: reference_property(reference.as_deref()).ok()?,
        }),
        ToClient::Auth {
            reason,
            method,
            data,
        } => Packet::Auth(Auth {
            reason: ReasonCode(*reason),
            properties: authentication_properties(method, data).ok()?,
        }),
        ToClient::Raw(_) => return None,
    })
}

fn answer(packet_id: u16, reasons: &[u8]) -> Option<FilterAck> {
    let reasons = reasons.iter().map(|reason| ReasonCode(*reason)).collect();
    Some(FilterAck {
        packet_id: PacketId::new(packet_id)?,
        reasons,
        properties: Properties::new(),
    })
}

fn connack_properties(connack: &Connack) -> Result<Properties, PropertyError> {
    let mut properties = Properties::new();
    let mut number = |id, value: Option<u32>| match value {
        Some(value) => properties.set(id, PropertyValue::Number(value)),
        None => Ok(()),
    };
    number(
        PropertyId::ReceiveMaximum,
        connack.receive_maximum.map(u32::from),
    )?;
    number(PropertyId::MaximumQoS, connack.maximum_qos.map(u32::from))?;
    number(PropertyId::RetainAvailable, connack.no_retain.then_some(0))?;
    number(PropertyId::MaximumPacketSize, connack.maximum_packet_size)?;
    number(
        PropertyId::ServerKeepAlive,
        connack.server_keep_alive.map(u32::from),
    )?;
    number(PropertyId::SessionExpiryInterval, connack.session_expiry)?;
    number(
        PropertyId::SubscriptionIdentifiersAvailable,
        connack.no_subscription_ids.then_some(0),
    )?;
    number(
        PropertyId::WildcardSubscriptionAvailable,
        connack.no_wildcards.then_some(0),
    )?;
    number(
        PropertyId::SharedSubscriptionAvailable,
        connack.no_shared.then_some(0),
    )?;
    number(
        PropertyId::TopicAliasMaximum,
        connack.topic_alias_maximum.map(u32::from),
    )?;
    if let Some((method, data)) = &connack.authentication {
        put_authentication(&mut properties, method, data)?;
    }
    if let Some(reference) = &connack.server_reference {
        let reference = PropertyValue::Text(reference);
        properties.set(PropertyId::ServerReference, reference)?;
    }
    if let Some(client_id) = &connack.assigned_client_id {
        properties.set(
            PropertyId::AssignedClientIdentifier,
            PropertyValue::Text(client_id),
        )?;
    }
    Ok(properties)
}

fn reference_property(reference: Option<&str>) -> Result<Properties, PropertyError> {
    let mut properties = Properties::new();
    if let Some(reference) = reference {
        properties.set(PropertyId::ServerReference, PropertyValue::Text(reference))?;
    }
    Ok(properties)
}

fn authentication_properties(method: &str, data: &[u8]) -> Result<Properties, PropertyError> {
    let mut properties = Properties::new();
    put_authentication(&mut properties, method, data)?;
    Ok(properties)
}

fn put_authentication(
    properties: &mut Properties,
    method: &str,
    data: &[u8],
) -> Result<(), PropertyError> {
    properties.set(
        PropertyId::AuthenticationMethod,
        PropertyValue::Text(method),
    )?;
    properties.set(PropertyId::AuthenticationData, PropertyValue::Binary(data))
}

fn publish_properties(publication: &Publication) -> Result<Properties, PropertyError> {
    let mut properties = Properties::new();
    if let Some(expiry) = publication.expiry {
        properties.set(
            PropertyId::MessageExpiryInterval,
            PropertyValue::Number(expiry),
        )?;
    }
    if let Some(alias) = publication.alias {
        let alias = PropertyValue::Number(alias.into());
        properties.set(PropertyId::TopicAlias, alias)?;
    }
    for subscription in &publication.subscriptions {
        properties.add(
            PropertyId::SubscriptionIdentifier,
            PropertyValue::Number(*subscription),
        )?;
    }
    Ok(properties)
}
