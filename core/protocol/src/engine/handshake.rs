//! CONNECT and CONNACK: what is asked of the broker, what it says it can do, and whether the session goes on.
use alloc::boxed::Box;
use alloc::string::String;
use core::time::Duration;

use super::Engine;
use super::event::{ConnectionEvent, Event, Online};
use super::incoming::Violation;
use super::random::Random;
use crate::codec::{
    ConnAck, Connect, Disconnect, MAX_PACKET_SIZE, Packet, Properties, PropertyId, PropertyValue,
    Version,
};
use crate::error::{Error, ErrorKind};
use crate::message::{QoS, Will};
use crate::options::ClientOptions;
use crate::outcome::Status;
use crate::reason::ReasonCode;
use crate::text::Text;

/// What the broker of this connection can do (MQTT 5, 3.2.2.3). On 3.1.1 it does not say, and everything counts as possible.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broker {
    pub(super) version: Version,
    pub(super) receive_maximum: u16,
    pub(super) maximum_packet_size: u32,
    pub(super) maximum_qos: QoS,
    pub(super) retain_available: bool,
    pub(super) wildcards_available: bool,
    pub(super) identifiers_available: bool,
    pub(super) shared_available: bool,
    /// CONNECT asked for a session that goes on.
    resuming: bool,
    clean_start: bool,
}

impl Default for Broker {
    fn default() -> Broker {
        Broker {
            version: Version::V5,
            receive_maximum: u16::MAX,
            maximum_packet_size: MAX_PACKET_SIZE,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            wildcards_available: true,
            identifiers_available: false,
            shared_available: true,
            resuming: false,
            clean_start: true,
        }
    }
}

impl Broker {
    fn learn(&mut self, properties: &Properties) {
        let available = |flag: Option<u8>| flag != Some(0);
        self.receive_maximum = properties.receive_maximum().unwrap_or(u16::MAX);
        self.maximum_packet_size = properties.maximum_packet_size().unwrap_or(MAX_PACKET_SIZE);
        self.maximum_qos = properties
            .maximum_qos()
            .and_then(|qos| QoS::try_from(qos).ok())
            .unwrap_or(QoS::ExactlyOnce);
        self.retain_available = available(properties.retain_available());
        self.wildcards_available = available(properties.wildcard_subscription_available());
        self.identifiers_available = self.version == Version::V5
            && available(properties.subscription_identifiers_available());
        self.shared_available = available(properties.shared_subscription_available());
    }
}

impl Engine {
    /// The transport is there: CONNECT is the first packet on it.
    pub(super) fn send_connect(&mut self) {
        let version = self.versions.to_try(self.life.endpoint());
        self.note_reserved(); // letters may have expired since the last connection
        self.authentication_begins(version);
        let resuming =
            self.life.session == Some(self.life.session_here(version)) && !self.life.fresh_session;
        let clean_start = self.life.fresh_session
            || self.options.clean_start && !(resuming && version == Version::V5);
        self.broker = Broker {
            version,
            resuming: resuming && !clean_start,
            clean_start,
            ..Broker::default()
        };
        self.life.session_unsure |= self.life.connect_unanswered;
        self.life.connect_unanswered = true;
        let connect = Packet::Connect(Box::new(self.connect()));
        // Fails only for options that `ClientOptions::check` refuses.
        let _ = connect.encode(version, MAX_PACKET_SIZE, self.wire.control());
    }

    fn connect(&self) -> Connect {
        let prepared = self.preparing.options(&self.options);
        let options = prepared.as_ref().unwrap_or(&self.options);
        let version = self.broker.version;
        Connect {
            version,
            client_id: self.life.client_id.clone(),
            clean_start: self.broker.clean_start,
            keep_alive: u16::try_from(options.keep_alive.as_secs()).unwrap_or(u16::MAX),
            will: will(options),
            user_name: options.username.as_deref().map(Text::from),
            password: options
                .password
                .clone()
                .filter(|_| version == Version::V5 || options.username.is_some()),
            properties: if version == Version::V5 {
                self.connect_properties()
            } else {
                Properties::new()
            },
        }
    }

    fn connect_properties(&self) -> Properties {
        let options = &self.options;
        let mut properties = Properties::new();
        put(
            &mut properties,
            PropertyId::SessionExpiryInterval,
            (options.session_expiry != Duration::ZERO).then(|| seconds(options.session_expiry)),
        );
        put(
            &mut properties,
            PropertyId::ReceiveMaximum,
            Some(PropertyValue::Number(options.receive_maximum.into())),
        );
        put(
            &mut properties,
            PropertyId::MaximumPacketSize,
            Some(PropertyValue::Number(options.max_packet_size)),
        );
        put(
            &mut properties,
            PropertyId::TopicAliasMaximum,
            (options.topic_alias_maximum > 0)
                .then(|| PropertyValue::Number(options.topic_alias_maximum.into())),
        );
        put(
            &mut properties,
            PropertyId::RequestResponseInformation,
            options
                .request_response_information
                .then_some(PropertyValue::Number(1)),
        );
        put(
            &mut properties,
            PropertyId::RequestProblemInformation,
            (!options.request_problem_information).then_some(PropertyValue::Number(0)),
        );
        for (name, value) in &options.user_properties {
            put(
                &mut properties,
                PropertyId::UserProperty,
                Some(PropertyValue::TextPair(name, value)),
            );
        }
        self.put_authentication(&mut properties);
        properties
    }

    /// The answer to CONNECT.
    pub(super) fn connack(&mut self, connack: &ConnAck) -> Result<(), Violation> {
        self.life.connect_unanswered = false;
        if connack.reason.is_error() {
            self.refused(connack);
            return Ok(());
        }
        if connack.session_present && self.broker.clean_start {
            let words = "the broker says that a session is present, and a clean one was asked for (3.2.2-2)";
            return Err(Violation::new(ReasonCode::PROTOCOL_ERROR, words));
        }
        self.check_method(&connack.properties)?;
        self.accepted(connack);
        Ok(())
    }

    fn accepted(&mut self, connack: &ConnAck) {
        let version = self.broker.version;
        self.versions.worked(self.life.endpoint(), version);
        self.broker.learn(&connack.properties);
        let aliases = connack.properties.topic_alias_maximum().unwrap_or(0);
        self.aliases
            .begin(aliases.min(self.options.outgoing_topic_aliases));
        if let Some(assigned) = connack.properties.assigned_client_identifier() {
            self.life.client_id = Text::from(assigned);
        }
        let keep_alive = match connack.properties.server_keep_alive() {
            Some(seconds) => Duration::from_secs(seconds.into()),
            None => self.options.keep_alive,
        };
        self.enter_online();
        self.keep_alive_from_now(keep_alive);
        self.stats.connections = self.stats.connections.saturating_add(1);
        self.stats.status = Status::Online;
        self.events
            .push(Event::Connection(ConnectionEvent::Online(Box::new(
                Online {
                    endpoint: self.life.endpoint(),
                    version,
                    session_present: connack.session_present,
                    client_id: self.life.client_id.clone(),
                    keep_alive,
                    properties: connack.properties.detached(),
                },
            ))));
        self.events.push(Event::Status(Status::Online));
        self.authenticated(&connack.properties);
        self.take_up_session(connack);
    }

    fn take_up_session(&mut self, connack: &ConnAck) {
        let goes_on = connack.session_present && self.broker.resuming;
        let adopted = connack.session_present && !goes_on;
        if !goes_on {
            let first_id = if adopted {
                (self.random.below(65_535) as u16).saturating_add(1)
            } else {
                1
            };
            self.session_lost(first_id);
            self.owed.session_lost();
            self.adoption.end();
            self.subscriptions.session_begins(adopted);
        }
        if adopted {
            self.adoption.begin();
        }
        self.life.fresh_session = false;
        let expiry = connack
            .properties
            .session_expiry_interval()
            .map_or(self.options.session_expiry.as_secs(), u64::from);
        let kept = match self.broker.version {
            Version::V5 => expiry > 0,
            Version::V311 => !self.broker.clean_start,
        };
        self.life.session = kept.then(|| self.life.session_here(self.broker.version));
        let unsure = core::mem::take(&mut self.life.session_unsure);
        if goes_on && unsure {
            self.owed.session_is_unsure();
        }
        self.restore_subscriptions(goes_on, connack.session_present, unsure);
    }

    /// A failing CONNACK.
    fn refused(&mut self, connack: &ConnAck) {
        let words = connack
            .properties
            .reason_string()
            .map(|words| alloc::format!(", \"{}\"", words.escape_debug()))
            .unwrap_or_default();
        let why = Error::new(
            ErrorKind::Refused,
            alloc::format!(
                "the broker refused the connection: {}{words}",
                connack.reason
            ),
        );
        let why = why.with_reason(connack.reason);
        let endpoint = self.life.endpoint();
        let other_version = connack.reason == ReasonCode::UNSUPPORTED_PROTOCOL_VERSION
            && self.versions.refused(endpoint, self.broker.version);
        let followed = connack
            .properties
            .server_reference()
            .is_some_and(|reference| {
                let most = self.options.max_server_references;
                self.life.follow(reference, most)
            });
        let properties = connack.properties.detached();
        self.life.hang_up(false);
        if other_version || followed {
            self.note_failed_attempt(endpoint, why, Duration::ZERO, properties);
            self.dial();
        } else {
            self.attempt_refused(why, false, properties);
        }
    }

    /// Queues the DISCONNECT that ends a connection; nothing if the broker takes no packet that small.
    pub(super) fn send_disconnect(&mut self, reason: ReasonCode) -> bool {
        let properties = if reason.is_error() {
            Properties::new()
        } else {
            self.goodbye()
        };
        let disconnect = Disconnect { reason, properties };
        let (version, limit) = (self.broker.version, self.broker.maximum_packet_size);
        let mut told = disconnect.encode(version, limit, self.wire.control());
        if told.is_err() && !reason.is_error() {
            // A broker that takes no packet of nine bytes keeps the session, but is told goodbye.
            let properties = Properties::new();
            let plain = Disconnect { reason, properties };
            told = plain.encode(version, limit, self.wire.control());
        }
        told.is_ok()
    }
}

/// A client id that no other client has: what 3.1.1 brokers must accept is 23 bytes of letters and digits (3.1.3-5).
pub(super) fn random_client_id(random: &mut Random) -> Text {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let mut id = String::from("leveret");
    for _ in 0..16 {
        let digit = DIGITS
            .get(random.below(32) as usize)
            .copied()
            .unwrap_or(b'0');
        id.push(char::from(digit));
    }
    Text::from(id)
}

fn will(options: &ClientOptions) -> Option<Will> {
    let mut properties = Properties::new();
    put(
        &mut properties,
        PropertyId::WillDelayInterval,
        (options.will_delay != Duration::ZERO).then(|| seconds(options.will_delay)),
    );
    put(
        &mut properties,
        PropertyId::PayloadFormatIndicator,
        options
            .will_payload_format
            .map(|format| PropertyValue::Number(format.into())),
    );
    put(
        &mut properties,
        PropertyId::MessageExpiryInterval,
        options.will_message_expiry.map(seconds),
    );
    put(
        &mut properties,
        PropertyId::ContentType,
        options
            .will_content_type
            .as_deref()
            .map(PropertyValue::Text),
    );
    put(
        &mut properties,
        PropertyId::ResponseTopic,
        options
            .will_response_topic
            .as_deref()
            .map(PropertyValue::Text),
    );
    put(
        &mut properties,
        PropertyId::CorrelationData,
        options
            .will_correlation_data
            .as_deref()
            .map(PropertyValue::Binary),
    );
    for (name, value) in &options.will_user_properties {
        put(
            &mut properties,
            PropertyId::UserProperty,
            Some(PropertyValue::TextPair(name, value)),
        );
    }
    Some(Will {
        topic: Text::from(options.will_topic.as_deref()?),
        payload: options.will_payload.clone(),
        qos: options.will_qos,
        retain: options.will_retain,
        properties,
    })
}

/// Adds a property whose value the options have been checked for.
fn put(properties: &mut Properties, id: PropertyId, value: Option<PropertyValue<'_>>) {
    if let Some(value) = value {
        let _ = properties.add(id, value);
    }
}

fn seconds(duration: Duration) -> PropertyValue<'static> {
    PropertyValue::Number(u32::try_from(duration.as_secs()).unwrap_or(u32::MAX))
}
