//! How a test broker is set up before it starts.
use super::broker::Broker;
use leveret_protocol::{
    codec::Version,
    error::{Error, ErrorKind},
    message::QoS,
    options::Value,
    sentence,
    topic::validate_topic_filter,
};

/// What a test broker allows and demands. The defaults are those of a friendly broker without limits.
#[derive(Clone, Debug)]
pub struct BrokerBuilder {
    pub(super) versions: Vec<Version>,
    pub(super) receive_maximum: u16,
    pub(super) maximum_qos: QoS,
    pub(super) retain_available: bool,
    pub(super) maximum_packet_size: Option<u32>,
    pub(super) server_keep_alive: Option<u16>,
    pub(super) maximum_session_expiry: Option<u32>,
    pub(super) topic_alias_maximum: u16,
    pub(super) copy_per_subscription: bool,
    pub(super) users: Vec<(String, Vec<u8>)>,
    pub(super) denied: Vec<String>,
}

impl Default for BrokerBuilder {
    fn default() -> BrokerBuilder {
        BrokerBuilder {
            versions: vec![Version::V311, Version::V5],
            receive_maximum: u16::MAX,
            maximum_qos: QoS::ExactlyOnce,
            retain_available: true,
            maximum_packet_size: None,
            server_keep_alive: None,
            maximum_session_expiry: None,
            topic_alias_maximum: 16,
            copy_per_subscription: false,
            users: Vec::new(),
            denied: Vec::new(),
        }
    }
}

impl BrokerBuilder {
    /// Sets an option by its name, for language bindings: `protocol` ("3.1.1" or "5", the only one spoken), `receive_maximum`, `maximum_qos`,
    /// `retain_available`, `maximum_packet_size`, `server_keep_alive` (seconds), `deny` (one topic filter).
    ///
    /// # Errors
    /// For a name that is none of these, or a value of another kind or range.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), Error> {
        match name {
            "protocol" => {
                let version = [Version::V311, Version::V5]
                    .into_iter()
                    .find(|version| value == Value::Text(version.name().into()));
                self.versions = vec![
                    version.ok_or_else(|| sentence::must_be(name, "\"3.1.1\" or \"5\"", &value))?,
                ];
            }
            "receive_maximum" => {
                self.receive_maximum = number(name, &value, 1, u16::MAX.into())? as u16;
            }
            "maximum_qos" => {
                self.maximum_qos =
                    QoS::try_from(number(name, &value, 0, 2)? as u8).unwrap_or_default();
            }
            "retain_available" => match value {
                Value::Bool(available) => self.retain_available = available,
                _ => return Err(sentence::must_be(name, "true or false", &value)),
            },
            "maximum_packet_size" => {
                self.maximum_packet_size = Some(number(name, &value, 1, u32::MAX)?);
            }
            "server_keep_alive" => {
                self.server_keep_alive = Some(number(name, &value, 0, u16::MAX.into())? as u16);
            }
            "deny" => match value {
                Value::Text(filter) => self.denied.push(filter),
                _ => return Err(sentence::must_be(name, "a topic filter", &value)),
            },
            _ => {
                let detail = format!("the test broker has no option {}", sentence::Quoted(name));
                return Err(Error::new(ErrorKind::UnknownOption, detail));
            }
        }
        Ok(())
    }

    /// The only version that is spoken; default both. A client of the other one is refused with 3.1.1 return code 1,
    /// as brokers do that have never heard of its version.
    pub fn only_version(mut self, version: Version) -> Self {
        self.versions = vec![version];
        self
    }

    /// QoS 1 and 2 messages that a client may have unacknowledged: 1..=65,535, default 65,535.
    /// A client that exceeds it is disconnected with 0x93 (MQTT 5.0 section 3.2.2.3.3).
    pub fn receive_maximum(mut self, messages: u16) -> Self {
        self.receive_maximum = messages;
        self
    }

    /// Highest QoS that clients may publish with; subscriptions are granted no more (MQTT 5.0 section 3.2.2.3.4). Default 2.
    pub fn maximum_qos(mut self, qos: QoS) -> Self {
        self.maximum_qos = qos;
        self
    }

    /// Whether messages can be retained (MQTT 5.0 section 3.2.2.3.5). Default true.
    pub fn retain_available(mut self, available: bool) -> Self {
        self.retain_available = available;
        self
    }

    /// Largest packet accepted from a client in bytes, at least 1 (MQTT 5.0 section 3.2.2.3.6).
    /// Default: no limit but the 268,435,460 bytes of the protocol.
    pub fn maximum_packet_size(mut self, bytes: u32) -> Self {
        self.maximum_packet_size = Some(bytes);
        self
    }

    /// Keep alive in seconds that replaces the one of MQTT 5 clients (MQTT 5.0 section 3.2.2.3.14); 0 means none.
    /// Default: the client's counts.
    pub fn server_keep_alive(mut self, seconds: u16) -> Self {
        self.server_keep_alive = Some(seconds);
        self
    }

    /// Longest Session Expiry Interval in seconds; a client that asks for more is told this one
    /// (MQTT 5.0 section 3.2.2.3.2). Default: no limit.
    pub fn maximum_session_expiry(mut self, seconds: u32) -> Self {
        self.maximum_session_expiry = Some(seconds);
        self
    }

    /// Topic aliases that a client may use in a connection (MQTT 5.0 section 3.2.2.3.8). Default 16; 0 allows none.
    pub fn topic_alias_maximum(mut self, aliases: u16) -> Self {
        self.topic_alias_maximum = aliases;
        self
    }

    /// Whether a client with several matching subscriptions gets a copy of a message for each of them. Default false:
    /// one copy for all. The standards allow both (MQTT 5.0 section 3.3.4), and a client has to put up with either.
    pub fn copy_per_subscription(mut self, several: bool) -> Self {
        self.copy_per_subscription = several;
        self
    }

    /// Adds a user. As soon as there is one, others are refused with 0x86 or return code 4, and those who give no
    /// user name with 0x87 or return code 5.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<Vec<u8>>) -> Self {
        self.users.push((name.into(), password.into()));
        self
    }

    /// Adds a topic filter to which access is denied: subscribing to the very same filter, or to a topic name that it
    /// matches, and publishing to a topic that it matches are answered with 0x87; on MQTT 3.1.1 with 0x80 to
    /// SUBSCRIBE, while a message is acknowledged and thrown away, which is all that version can do.
    pub fn deny(mut self, filter: impl Into<String>) -> Self {
        self.denied.push(filter.into());
        self
    }

    /// Starts the broker on a free port of 127.0.0.1.
    pub fn start(self) -> Result<Broker, Error> {
        self.check()?;
        Broker::start_with(self)
    }

    fn check(&self) -> Result<(), Error> {
        if self.receive_maximum == 0 {
            return Err(Error::invalid(
                "receive_maximum must be in 1..=65535, not 0",
            ));
        }
        if self.maximum_packet_size == Some(0) {
            return Err(Error::invalid(
                "maximum_packet_size must be at least 1 byte, not 0",
            ));
        }
        for filter in &self.denied {
            if let Err(problem) = validate_topic_filter(filter) {
                return Err(Error::invalid(format!(
                    "the topic filter to deny, \"{filter}\", {problem}"
                )));
            }
        }
        Ok(())
    }
}

/// A whole number within a range, in whichever form a language gives it.
fn number(name: &str, value: &Value, min: u32, max: u32) -> Result<u32, Error> {
    let given = match value {
        Value::Integer(number) => u32::try_from(*number).ok(),
        Value::Real(number)
            if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number) =>
        {
            Some(*number as u32)
        }
        Value::Text(text) => text.parse().ok(),
        _ => None,
    };
    given
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| {
            sentence::must_be(name, &format!("a whole number from {min} to {max}"), value)
        })
}
