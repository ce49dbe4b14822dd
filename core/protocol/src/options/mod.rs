//! The options of a client, of a publish and of a subscribe: one row each, from which every language has them.
//!
//! To add an option: write its row, write the line that uses it, run `make generate`.
mod check;
mod choices;
mod duration;
mod field;
mod table;
mod value;

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Bytes;

pub use self::choices::{
    ExpiredInFlight, InboxOverflow, OnSessionLost, Overflow, Priority, PropertiesOn311, Protocol,
    TlsVersion,
};
pub use self::field::Given;
pub use self::table::{Kind, Mqtt, OptionSpec};
pub use self::value::Value;

/// The types of the options, for crates that use the macros `publish_setters!` and `subscribe_setters!`.
pub mod setter_types {
    pub use alloc::string::String;
    pub use alloc::vec::Vec;
    pub use core::time::Duration;

    pub use bytes::Bytes;

    pub use super::{Given, Overflow, Priority, Ttl};
    pub use crate::message::QoS;
}

use self::field::{Field, Redacted};
use self::table::{find, options, spec_of, unknown};
use crate::error::Error;
use crate::message::QoS;
use crate::sentence::Dialect;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// The longest time that MQTT 5 can say in its fields of seconds.
const LONGEST: u64 = u32::MAX as u64;
const MIB: u64 = 1024 * 1024;

options! {
    /// How a client connects, what its post office holds, and how it treats what it receives.
    pub struct ClientOptions as "client", setters client_setters;

    /// Client identifier by which the broker knows this client and keeps its session (MQTT 5, 3.1.3.1). Empty: a random one, kept for the
    /// life of the client.
    client_id: String = String::new(), Kind::Text, unset "random, then kept", since "0.1", mqtt All;

    /// Which version of MQTT to speak. `auto` tries 5 and falls back to 3.1.1 where the broker does not know 5.
    protocol: Protocol = Protocol::Auto, Kind::Choice(Protocol::NAMES), since "0.1", mqtt All;

    /// Begin without the state of an earlier session, and end the session with a clean close. Reconnects within the life of the client
    /// resume the session either way, where the protocol allows it. `false` needs a `client_id`. On 3.1.1 it is Clean Session.
    clean_start: bool = true, Kind::Flag, since "0.1", mqtt All;

    /// How long the broker keeps the session after the connection is gone (MQTT 5, 3.1.2.11.2); 4294967295 s is for ever.
    session_expiry: Duration = Duration::from_secs(3600), Kind::seconds(0, LONGEST), since "0.1", mqtt V5;

    /// The longest silence: after it a ping is sent (MQTT 5, 3.1.2.10). 0 turns pings off; the value of the broker, if it gives one, wins.
    keep_alive: Duration = Duration::from_secs(60), Kind::seconds(0, 65_535), since "0.1", mqtt All;

    /// How long to wait for the answer to a ping before the connection counts as lost.
    ping_timeout: Option<Duration> = None, Kind::span(1, HOUR), none "half the keep alive (at most 10s)", since "0.1", mqtt All;

    /// How long one attempt to connect may take in all, until the broker has accepted it; and how long a broker may take for a step of a
    /// re-authentication.
    connect_timeout: Duration = Duration::from_secs(10), Kind::span(1, HOUR), since "0.1", mqtt All;

    /// The shortest delay before connecting again. Each delay is drawn evenly from this to a cap that doubles up to `backoff_max`.
    backoff_min: Duration = Duration::from_secs(1), Kind::span(1, HOUR), since "0.1", mqtt All;

    /// The longest delay before connecting again; not less than `backoff_min`.
    backoff_max: Duration = Duration::from_secs(30), Kind::span(1, DAY), since "0.1", mqtt All;

    /// A connected TCP or Unix socket, as its descriptor, over which the first attempt to connect speaks. The client owns it once it is made,
    /// and dials the URL for every later attempt. TLS and WebSocket go over it where the URL says so. Not on Windows.
    fd: Option<i32> = None, Kind::Integer { min: 0, max: i32::MAX as u64 }, none "dialing", since "0.1", mqtt All;

    /// How long a TCP connection may be silent before the system probes whether the peer is still there, and how far apart the probes are.
    /// The keep alive of MQTT notices a dead peer without it.
    tcp_keep_alive: Option<Duration> = None, Kind::seconds(1, 32_767), none "no probes", since "0.1", mqtt All;

    /// How long what was sent over TCP may stay unacknowledged by the peer's system before the connection is lost. Linux and Android.
    tcp_user_timeout: Option<Duration> = None, Kind::span(1, DAY), none "the system's own limits", since "0.1", mqtt All;

    /// IP address from which TCP connections go out.
    local_address: Option<String> = None, Kind::Text, none "the system's choice", since "0.1", mqtt All;

    /// Network interface over which alone TCP connections go out, such as `eth0`. Linux and Android.
    network_interface: Option<String> = None, Kind::Text, none "the system's choice", since "0.1", mqtt All;

    /// File with the certificates of the CAs by which the broker may be certified, PEM or DER. It takes the place of the operating system's
    /// roots. Files are read again before each attempt to connect; new ones that are not as they have to be leave the old in use, with a notice.
    tls_ca_file: Option<String> = None, Kind::Text, none "the operating system's roots", since "0.1", mqtt All;

    /// The same certificates themselves: PEM, or DER one behind the other.
    tls_ca: Option<Bytes> = None, Kind::Material, none "the operating system's roots", since "0.1", mqtt All;

    /// File with the certificate that this client shows, followed by those of the CAs between, PEM or DER. It needs its key.
    tls_cert_file: Option<String> = None, Kind::Text, none "no client certificate", since "0.1", mqtt All;

    /// The same certificates themselves: PEM, or DER one behind the other.
    tls_cert: Option<Bytes> = None, Kind::Material, none "no client certificate", since "0.1", mqtt All;

    /// File with the private key of that certificate, not encrypted: PKCS#8, PKCS#1 or SEC1, PEM or DER; RSA, ECDSA P-256 and P-384 or Ed25519.
    tls_key_file: Option<String> = None, Kind::Text, none "no client certificate", since "0.1", mqtt All;

    /// The same key itself. Never shown.
    tls_key: Option<Bytes> = None, Kind::Material, none "no client certificate", secret true, since "0.1", mqtt All;

    /// Names of protocols for the broker to choose from in the TLS handshake, the best first (RFC 7301), such as `x-amzn-mqtt-ca`.
    tls_alpn: Vec<String> = Vec::new(), Kind::Texts, unset "none", since "0.1", mqtt All;

    /// Name that is asked for in the TLS handshake and that the certificate has to be for, in place of the host in the URL.
    tls_server_name: Option<String> = None, Kind::Text, none "the host in the URL", since "0.1", mqtt All;

    /// The lowest version of TLS that is spoken.
    tls_min_version: TlsVersion = TlsVersion::V12, Kind::Choice(TlsVersion::NAMES), since "0.1", mqtt All;

    /// The highest version of TLS that is spoken.
    tls_max_version: TlsVersion = TlsVersion::V13, Kind::Choice(TlsVersion::NAMES), since "0.1", mqtt All;

    /// Take up an earlier TLS session where the broker lets us, which saves a part of the handshake (RFC 8446, 2.2). Sessions are kept in
    /// memory, for the life of the client.
    tls_session_resumption: bool = true, Kind::Flag, since "0.1", mqtt All;

    /// Connect to whoever answers, whatever its certificate says. Whoever is in between can then read and change everything: for tests alone.
    tls_dangerously_accept_any_certificate: bool = false, Kind::Flag, since "0.1", mqtt All;

    /// Headers that are added to the WebSocket handshake, such as `Authorization`. `Host` replaces the one made from the URL. Never shown.
    websocket_headers: Option<Vec<(String, String)>> = None, Kind::Pairs, none "no more headers", secret true, since "0.1", mqtt All;

    /// Proxy through which connections go: `http://[user[:password]@]host[:port]` (CONNECT), `socks5://[user[:password]@]host[:port]`, or
    /// `environment` for what `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy` say when the client is made. The proxy looks up the
    /// broker's name. Unix sockets and a socket given as `fd` go without. Never shown.
    proxy: Option<String> = None, Kind::Text, none "no proxy", secret true, since "0.1", mqtt All;

    /// User name to log in with.
    username: Option<String> = None, Kind::Text, none "no user name", since "0.1", mqtt All;

    /// Password to log in with. On 3.1.1 it needs a `username`. Never shown.
    password: Option<Bytes> = None, Kind::Bytes, none "no password", secret true, since "0.1", mqtt All;

    /// Method of enhanced authentication, such as `SCRAM-SHA-256` (MQTT 5, 4.12). Its steps are taken by the authenticator of the client; with
    /// a method 3.1.1 is never fallen back to, because it could not be said there.
    authentication_method: Option<String> = None, Kind::Text, none "no enhanced authentication", since "0.1", mqtt V5;

    /// What CONNECT says first in that method, where no authenticator says it (MQTT 5, 3.1.2.11.10). Never shown.
    authentication_data: Option<Bytes> = None, Kind::Bytes, none "no authentication data", secret true, since "0.1", mqtt V5;

    /// Topic of the will, the message that the broker publishes when the connection ends without a DISCONNECT. Without it there is no will.
    will_topic: Option<String> = None, Kind::Text, none "no will", since "0.1", mqtt All;

    /// Payload of the will.
    will_payload: Bytes = Bytes::new(), Kind::Bytes, since "0.1", mqtt All;

    /// QoS of the will.
    will_qos: QoS = QoS::AtMostOnce, Kind::Integer { min: 0, max: 2 }, since "0.1", mqtt All;

    /// Whether the broker retains the will.
    will_retain: bool = false, Kind::Flag, since "0.1", mqtt All;

    /// How long the broker waits before it publishes the will; a reconnect within that time stops it (MQTT 5, 3.1.3.2.2).
    will_delay: Duration = Duration::ZERO, Kind::seconds(0, LONGEST), since "0.1", mqtt V5;

    /// How long the will is of use once published (MQTT 5, 3.1.3.2.4).
    will_message_expiry: Option<Duration> = None, Kind::seconds(0, LONGEST), none "no expiry", since "0.1", mqtt V5;

    /// 1 says that the payload of the will is UTF-8 text, 0 that it is bytes (MQTT 5, 3.1.3.2.3).
    will_payload_format: Option<u8> = None, Kind::Integer { min: 0, max: 1 }, none "saying nothing", since "0.1", mqtt V5;

    /// Content type of the will, such as `application/json` (MQTT 5, 3.1.3.2.5).
    will_content_type: Option<String> = None, Kind::Text, none "no content type", since "0.1", mqtt V5;

    /// Topic on which the will asks to be answered (MQTT 5, 3.1.3.2.6).
    will_response_topic: Option<String> = None, Kind::Text, none "no response topic", since "0.1", mqtt V5;

    /// What the answer to the will is to carry, so that it is known again (MQTT 5, 3.1.3.2.7).
    will_correlation_data: Option<Bytes> = None, Kind::Bytes, none "no correlation data", since "0.1", mqtt V5;

    /// User properties of the will (MQTT 5, 3.1.3.2.8).
    will_user_properties: Vec<(String, String)> = Vec::new(), Kind::Pairs, since "0.1", mqtt V5;

    /// User properties sent to the broker with each CONNECT (MQTT 5, 3.1.2.11.8).
    user_properties: Vec<(String, String)> = Vec::new(), Kind::Pairs, since "0.1", mqtt V5;

    /// Ask the broker for the response information of CONNACK, from which topics for answers can be made (MQTT 5, 3.1.2.11.6).
    request_response_information: bool = false, Kind::Flag, since "0.1", mqtt V5;

    /// Let the broker add reason strings and user properties to its answers (MQTT 5, 3.1.2.11.7).
    request_problem_information: bool = true, Kind::Flag, since "0.1", mqtt V5;

    /// How many references to another server are followed one after the other before the URLs are tried again (MQTT 5, 4.13); 0 follows none.
    max_server_references: u8 = 3, Kind::Integer { min: 0, max: 100 }, since "0.1", mqtt V5;

    /// Time to live of letters that state none: one that has not been delivered by then is settled `expired`.
    default_ttl: Option<Duration> = Some(Duration::from_secs(3600)), Kind::span(1, LONGEST * 1000), none "no time to live",
        since "0.1", mqtt All;

    /// Send a TTL given with a publish to the broker as the Message Expiry Interval, less the time waited here, in seconds rounded up. The
    /// default TTL is not sent.
    forward_ttl: bool = true, Kind::Flag, since "0.1", mqtt V5;

    /// What happens after a reconnect to a letter that expired or was cancelled while in flight: `withhold` does not send it again,
    /// `resend` follows the standard (MQTT 5, 4.4.0-1).
    expired_in_flight: ExpiredInFlight = ExpiredInFlight::Withhold, Kind::Choice(ExpiredInFlight::NAMES), since "0.1", mqtt All;

    /// What happens to letters in flight when the broker lost the session: `republish_qos1` posts QoS 1 again and settles QoS 2 that was
    /// sent as `session_lost`; `republish_all` posts both again, QoS 2 not after PUBREC; `report_all` settles all.
    on_session_lost: OnSessionLost = OnSessionLost::RepublishQos1, Kind::Choice(OnSessionLost::NAMES), since "0.1", mqtt All;

    /// The most letters that the post office holds, waiting and in flight together.
    max_queued_messages: u32 = 100_000, Kind::Integer { min: 1, max: 10_000_000 }, since "0.1", mqtt All;

    /// The most bytes that the post office holds: frames and bookkeeping, waiting and in flight together.
    max_queued_bytes: u64 = 16 * MIB, Kind::Integer { min: 1024, max: 1 << 40 }, since "0.1", mqtt All;

    /// What gives way when the post office is full while offline: the oldest waiting letter, the new one, the one of lowest priority, or
    /// none, so that the new letter is refused. While online the sender waits instead.
    overflow: Overflow = Overflow::DropOldest, Kind::Choice(Overflow::NAMES), since "0.1", mqtt All;

    /// The most letters of QoS 1 and 2 sent and not yet acknowledged. The receive maximum of the broker bounds it too; a 3.1.1 broker
    /// cannot tell its own, and some hang up on more than they take: mosquitto by default on more than 20 of QoS 2.
    max_in_flight: u16 = 65_535, Kind::Integer { min: 1, max: 65_535 }, since "0.1", mqtt All;

    /// The most messages of QoS 1 and 2 that the broker may send before they are acknowledged (MQTT 5, 3.1.2.11.3).
    receive_maximum: u16 = 1_000, Kind::Integer { min: 1, max: 65_535 }, since "0.1", mqtt V5;

    /// How many topic aliases the broker may use for what it sends (MQTT 5, 3.1.2.11.5); 0 lets it use none.
    topic_alias_maximum: u16 = 16, Kind::Integer { min: 0, max: 65_535 }, since "0.1", mqtt V5;

    /// How many topics letters name by an alias instead of in full once they were sent, where the broker takes as many (MQTT 5, 3.3.2.3.4). It
    /// saves bytes where the same long topics are published often.
    outgoing_topic_aliases: u16 = 0, Kind::Integer { min: 0, max: 65_535 }, since "0.1", mqtt V5;

    /// The largest packet accepted from the broker, in bytes. MQTT 5 tells the broker; on 3.1.1 a larger one is skipped, acknowledged,
    /// counted and reported.
    max_packet_size: u32 = 16 * 1024 * 1024, Kind::Integer { min: 1024, max: 268_435_455 }, since "0.1", mqtt All;

    /// The most received messages that wait for the application.
    max_inbox_messages: u32 = 10_000, Kind::Integer { min: 1, max: 10_000_000 }, since "0.1", mqtt All;

    /// The most bytes of received messages that wait for the application.
    max_inbox_bytes: u64 = 16 * MIB, Kind::Integer { min: 1024, max: 1 << 40 }, since "0.1", mqtt All;

    /// What happens when the inbox is full: `wait` stops reading until there is room, `drop_oldest` drops the oldest of QoS 0.
    inbox_overflow: InboxOverflow = InboxOverflow::Wait, Kind::Choice(InboxOverflow::NAMES), since "0.1", mqtt All;

    /// Leave acknowledging to the application, with `message.ack()`. Otherwise a message is acknowledged after its handler returned.
    manual_ack: bool = false, Kind::Flag, since "0.1", mqtt All;

    /// What happens on a 3.1.1 connection to a letter with MQTT 5 properties, and to a subscription with options of MQTT 5: it is rejected, or
    /// sent without them.
    properties_on_311: PropertiesOn311 = PropertiesOn311::Reject, Kind::Choice(PropertiesOn311::NAMES), since "0.1", mqtt All;

    /// Topic on which this client is answered when it asks, of its own among all clients of the broker. Unless given it lies below what the
    /// broker names for that (`request_response_information`), else below `response/`.
    response_topic: Option<String> = None, Kind::Text, none "a topic with a name of its own", since "0.1", mqtt V5;

    /// How long a subscribe or unsubscribe waits for the answer of the broker while online.
    subscribe_timeout: Duration = Duration::from_secs(30), Kind::span(1, HOUR), since "0.1", mqtt All;

    /// How long the application may take to answer what it is asked: a hook's words are left out then, and an attempt to connect fails that waits
    /// for the authenticator or for the function that is asked before each attempt.
    hook_timeout: Duration = Duration::from_secs(10), Kind::span(1, HOUR), since "0.1", mqtt All;

    /// How long a close that states no time of its own lets waiting letters go out.
    close_timeout: Duration = Duration::from_secs(5), Kind::span(0, HOUR), since "0.1", mqtt All;
}

options! {
    /// How one letter is sent.
    pub struct PublishOptions as "publish", setters publish_setters;

    /// How surely it is delivered: 0 at most once, 1 at least once, 2 exactly once.
    qos: QoS = QoS::AtLeastOnce, Kind::Integer { min: 0, max: 2 }, since "0.1", mqtt All;

    /// Whether the broker keeps it for those who subscribe later.
    retain: bool = false, Kind::Flag, since "0.1", mqtt All;

    /// Time to live: not delivered by then, it is settled `expired` and no longer sent. Sent to MQTT 5 brokers as message expiry.
    ttl: Ttl = Ttl::Default, Kind::span(1, LONGEST * 1000), none "no time to live", unset "the client's default TTL",
        since "0.1", mqtt All;

    /// Which letters go first. Within a priority: first posted, first sent.
    priority: Priority = Priority::Normal, Kind::Choice(Priority::NAMES), since "0.1", mqtt All;

    /// What gives way when the post office is full while offline.
    overflow: Option<Overflow> = None, Kind::Choice(Overflow::NAMES), none "the client's overflow rule", since "0.1", mqtt All;

    /// Key of which only the newest letter is wanted: a waiting letter of the same key is settled `dropped`.
    replace: Option<String> = None, Kind::Text, none "replacing nothing", since "0.1", mqtt All;

    /// How long the broker keeps it for receivers that are not there (MQTT 5, 3.3.2.3.3). Where a TTL is forwarded too, the shorter wins.
    message_expiry: Option<Duration> = None, Kind::seconds(0, LONGEST), none "no expiry of its own", since "0.1", mqtt V5;

    /// 1 says that the payload is UTF-8 text, 0 that it is bytes (MQTT 5, 3.3.2.3.2).
    payload_format: Option<u8> = None, Kind::Integer { min: 0, max: 1 }, none "saying nothing", since "0.1", mqtt V5;

    /// Content type, such as `application/json` (MQTT 5, 3.3.2.3.9).
    content_type: Option<String> = None, Kind::Text, none "no content type", since "0.1", mqtt V5;

    /// Topic on which an answer is expected (MQTT 5, 3.3.2.3.5).
    response_topic: Option<String> = None, Kind::Text, none "no response topic", since "0.1", mqtt V5;

    /// What the answer is to carry, so that it is known again (MQTT 5, 3.3.2.3.6).
    correlation_data: Option<Bytes> = None, Kind::Bytes, none "no correlation data", since "0.1", mqtt V5;

    /// User properties, passed on to the receivers (MQTT 5, 3.3.2.3.7).
    user_properties: Vec<(String, String)> = Vec::new(), Kind::Pairs, since "0.1", mqtt V5;
}

options! {
    /// How one topic filter is subscribed to.
    pub struct SubscribeOptions as "subscribe", setters subscribe_setters;

    /// The highest QoS with which the broker is to deliver.
    qos: QoS = QoS::AtLeastOnce, Kind::Integer { min: 0, max: 2 }, since "0.1", mqtt All;

    /// Do not deliver what this client itself publishes (MQTT 5, 3.8.3.1).
    no_local: bool = false, Kind::Flag, since "0.1", mqtt V5;

    /// Deliver with the retain flag as it was published (MQTT 5, 3.8.3.1).
    retain_as_published: bool = false, Kind::Flag, since "0.1", mqtt V5;

    /// When retained messages are delivered: 0 at each subscribe, 1 only if the subscription is new, 2 never (MQTT 5, 3.8.3.1).
    retain_handling: u8 = 0, Kind::Integer { min: 0, max: 2 }, since "0.1", mqtt V5;

    /// User properties of the SUBSCRIBE (MQTT 5, 3.8.2.1.3).
    user_properties: Vec<(String, String)> = Vec::new(), Kind::Pairs, since "0.1", mqtt V5;

    /// How long to wait for the answer of the broker while online.
    timeout: Option<Duration> = None, Kind::span(1, HOUR), none "the client's subscribe timeout", since "0.1", mqtt All;
}

options! {
    /// How a client is closed.
    pub struct CloseOptions as "close", setters close_setters;

    /// How long waiting letters may still go out.
    timeout: Option<Duration> = None, Kind::span(0, 365 * DAY), none "the client's close timeout", since "0.1", mqtt All;

    /// Whether the broker is to forget the session.
    end_session: Option<bool> = None, Kind::Flag, none "what the client's clean start says", since "0.1", mqtt All;

    /// How long the broker keeps the session from now on (MQTT 5, 3.14.2.2.2); only where it was to be kept at all.
    session_expiry: Option<Duration> = None, Kind::seconds(0, LONGEST), none "what CONNECT said", since "0.1", mqtt V5;

    /// Let the broker publish the will all the same (MQTT 5, 3.14.2.1, reason code 0x04; on 3.1.1 the connection ends without a DISCONNECT).
    with_will: bool = false, Kind::Flag, since "0.1", mqtt All;

    /// Why, in words for the broker's log (MQTT 5, 3.14.2.2.3).
    reason_string: Option<String> = None, Kind::Text, none "no words", since "0.1", mqtt V5;

    /// User properties of the DISCONNECT (MQTT 5, 3.14.2.2.4).
    user_properties: Vec<(String, String)> = Vec::new(), Kind::Pairs, since "0.1", mqtt V5;
}

options! {
    /// What one attempt to connect is to say, as the function that is asked before each attempt answers it. What is not given is as the options
    /// of the client have it.
    pub struct ConnectOptions as "connect", setters connect_setters;

    /// Where to dial this time, in place of the URL whose turn it is: another path or query, such as those of a signed URL. Never shown.
    url: Option<String> = None, Kind::Text, none "the URL of the client", secret true, since "0.1", mqtt All;

    /// Headers of the WebSocket handshake, after those of the client. Never shown.
    websocket_headers: Option<Vec<(String, String)>> = None, Kind::Pairs, none "no more headers", secret true, since "0.1", mqtt All;

    /// User name to log in with; the password of the client's options does not go with it.
    username: Option<String> = None, Kind::Text, none "the one of the client", since "0.1", mqtt All;

    /// Password to log in with. On 3.1.1 it needs a user name. Never shown.
    password: Option<Bytes> = None, Kind::Bytes, none "the one of the client", secret true, since "0.1", mqtt All;

    /// Topic of the will. Where it is given nothing of the client's own will is used.
    will_topic: Option<String> = None, Kind::Text, none "the will of the client", since "0.1", mqtt All;

    /// Payload of the will.
    will_payload: Bytes = Bytes::new(), Kind::Bytes, since "0.1", mqtt All;

    /// QoS of the will.
    will_qos: QoS = QoS::AtMostOnce, Kind::Integer { min: 0, max: 2 }, since "0.1", mqtt All;

    /// Whether the broker retains the will.
    will_retain: bool = false, Kind::Flag, since "0.1", mqtt All;

    /// How long the broker waits before it publishes the will; a reconnect within that time stops it (MQTT 5, 3.1.3.2.2).
    will_delay: Duration = Duration::ZERO, Kind::seconds(0, LONGEST), since "0.1", mqtt V5;

    /// How long the will is of use once published (MQTT 5, 3.1.3.2.4).
    will_message_expiry: Option<Duration> = None, Kind::seconds(0, LONGEST), none "no expiry", since "0.1", mqtt V5;

    /// 1 says that the payload of the will is UTF-8 text, 0 that it is bytes (MQTT 5, 3.1.3.2.3).
    will_payload_format: Option<u8> = None, Kind::Integer { min: 0, max: 1 }, none "saying nothing", since "0.1", mqtt V5;

    /// Content type of the will, such as `application/json` (MQTT 5, 3.1.3.2.5).
    will_content_type: Option<String> = None, Kind::Text, none "no content type", since "0.1", mqtt V5;

    /// Topic on which the will asks to be answered (MQTT 5, 3.1.3.2.6).
    will_response_topic: Option<String> = None, Kind::Text, none "no response topic", since "0.1", mqtt V5;

    /// What the answer to the will is to carry, so that it is known again (MQTT 5, 3.1.3.2.7).
    will_correlation_data: Option<Bytes> = None, Kind::Bytes, none "no correlation data", since "0.1", mqtt V5;

    /// User properties of the will (MQTT 5, 3.1.3.2.8).
    will_user_properties: Vec<(String, String)> = Vec::new(), Kind::Pairs, since "0.1", mqtt V5;
}

impl From<QoS> for SubscribeOptions {
    /// This QoS, and everything else at its default.
    fn from(qos: QoS) -> SubscribeOptions {
        SubscribeOptions::new().qos(qos)
    }
}

/// The row of the timeouts that calls take, such as that of a wait.
const TIMEOUT: OptionSpec = OptionSpec {
    name: "timeout",
    kind: Kind::span(0, 365 * DAY),
    none_means: Some("no limit"),
    unset_means: None,
    secret: false,
    since: "0.1",
    mqtt: Mqtt::All,
    doc: "How long to wait.",
};

/// Reads a timeout that a call takes, so that it is given and refused as options are; `None` for no limit.
///
/// # Errors
/// `InvalidArgument`: `timeout must be a duration from 0s to 8760h, not -1s; for no limit use None`.
pub fn timeout(given: Value, dialect: Dialect) -> Result<Option<Duration>, Error> {
    Ok(match given.fit(&TIMEOUT, dialect)? {
        Value::Duration(limit) => Some(limit),
        _ => None,
    })
}

/// The time to live of one letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ttl {
    /// The client's `default_ttl`; not told to the broker.
    #[default]
    Default,
    /// None: it waits as long as it takes.
    Never,
    /// This long from the call of publish; told to an MQTT 5 broker as message expiry if `forward_ttl` is on.
    After(Duration),
}
