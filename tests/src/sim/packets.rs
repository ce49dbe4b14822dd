//! Packets as the model broker thinks of them: only what it decides on, the same for both versions.

use bytes::Bytes;

/// What a client sends.
#[allow(missing_docs, reason = "the names of the fields say what they are")]
#[derive(Clone, Debug)]
pub enum FromClient {
    /// CONNECT.
    Connect(Box<Connect>),
    /// PUBLISH.
    Publish(Publication),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP; `kind` as in the frames module.
    Ack {
        kind: u8,
        packet_id: u16,
        reason: u8,
    },
    /// SUBSCRIBE with its subscription identifier.
    Subscribe {
        packet_id: u16,
        subscription: Option<u32>,
        filters: Vec<(String, Asked)>,
    },
    /// UNSUBSCRIBE.
    Unsubscribe {
        packet_id: u16,
        filters: Vec<String>,
    },
    /// PINGREQ.
    Ping,
    /// DISCONNECT, with a Session Expiry Interval of its own on MQTT 5.
    Disconnect {
        reason: u8,
        session_expiry: Option<u32>,
    },
    /// AUTH.
    Auth {
        reason: u8,
        method: Option<String>,
        data: Vec<u8>,
    },
}

/// CONNECT.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Protocol level: 4 or 5.
    pub level: u8,
    /// Clean session or clean start.
    pub clean: bool,
    /// Client identifier, which may be empty.
    pub client_id: String,
    /// Keep alive in seconds, 0 for none.
    pub keep_alive: u16,
    /// Session Expiry Interval in seconds (0 on 3.1.1).
    pub session_expiry: u32,
    /// Receive Maximum.
    pub receive_maximum: Option<u16>,
    /// Maximum Packet Size.
    pub maximum_packet_size: Option<u32>,
    /// Topic and QoS of the will.
    pub will: Option<(String, u8)>,
    /// User name.
    pub user_name: Option<String>,
    /// Topic Alias Maximum.
    pub topic_alias_maximum: u16,
    /// Authentication Method.
    pub method: Option<String>,
    /// Authentication Data.
    pub data: Vec<u8>,
}

/// PUBLISH, in either direction.
#[derive(Clone, Debug)]
pub struct Publication {
    /// 0 at QoS 0.
    pub packet_id: u16,
    /// Quality of service.
    pub qos: u8,
    /// The DUP flag.
    pub dup: bool,
    /// The RETAIN flag.
    pub retain: bool,
    /// Topic name.
    pub topic: String,
    /// Payload.
    pub payload: Bytes,
    /// Message Expiry Interval.
    pub expiry: Option<u32>,
    /// Topic alias.
    pub alias: Option<u16>,
    /// Subscription identifiers (broker to client).
    pub subscriptions: Vec<u32>,
}

/// The options of one filter in SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Most QoS wanted.
    pub qos: u8,
    /// Not one's own.
    pub no_local: bool,
    /// Keep the RETAIN flag.
    pub retain_as_published: bool,
    /// 0: send retained, 1: only if new, 2: never.
    pub retain_handling: u8,
}

/// What the broker sends.
#[allow(missing_docs, reason = "the names of the fields say what they are")]
#[derive(Clone, Debug)]
pub enum ToClient {
    /// CONNACK.
    Connack(Box<Connack>),
    /// PUBLISH.
    Publish(Publication),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Ack {
        kind: u8,
        packet_id: u16,
        reason: u8,
    },
    /// SUBACK.
    Suback { packet_id: u16, reasons: Vec<u8> },
    /// UNSUBACK.
    Unsuback { packet_id: u16, reasons: Vec<u8> },
    /// PINGRESP.
    Pong,
    /// DISCONNECT (MQTT 5), with a server reference.
    Disconnect {
        reason: u8,
        reference: Option<String>,
    },
    /// AUTH.
    Auth {
        reason: u8,
        method: String,
        data: Vec<u8>,
    },
    /// Bytes as they are, whatever they mean.
    Raw(Vec<u8>),
}

/// CONNACK.
#[derive(Clone, Debug, Default)]
pub struct Connack {
    /// Whether the session goes on.
    pub session_present: bool,
    /// Reason code (MQTT 5) or return code (3.1.1).
    pub reason: u8,
    /// Properties, MQTT 5 only.
    pub receive_maximum: Option<u16>,
    /// Maximum QoS.
    pub maximum_qos: Option<u8>,
    /// Retain Available 0.
    pub no_retain: bool,
    /// Maximum Packet Size.
    pub maximum_packet_size: Option<u32>,
    /// Server Keep Alive.
    pub server_keep_alive: Option<u16>,
    /// Session Expiry Interval.
    pub session_expiry: Option<u32>,
    /// Topic Alias Maximum.
    pub topic_alias_maximum: Option<u16>,
    /// Authentication Method and Data.
    pub authentication: Option<(String, Vec<u8>)>,
    /// Server Reference.
    pub server_reference: Option<String>,
    /// Assigned Client Identifier.
    pub assigned_client_id: Option<String>,
    /// Subscription Identifier Available 0.
    pub no_subscription_ids: bool,
    /// Wildcard Subscription Available 0.
    pub no_wildcards: bool,
    /// Shared Subscription Available 0.
    pub no_shared: bool,
}
