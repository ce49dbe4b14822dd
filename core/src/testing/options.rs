//! How a test broker is set up before it starts.
use super::{broker::Broker, place::Place, websocket::Opening};
use leveret_protocol::{
    codec::Version,
    error::{Error, ErrorKind},
    message::QoS,
    options::Value,
    sentence,
    topic::validate_topic_filter,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// What `alpn` has to be (RFC 7301, 3.1).
const PROTOCOL: &str = "the name of a protocol, of 1 to 255 bytes";

const WEBSOCKET_PATH: &str = "a path that begins with / and has no spaces";

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
    tls: bool,
    pub(super) client_certificates: bool,
    pub(super) alpn: Option<String>,
    websocket: Option<Opening>,
    unix_socket: Option<SocketFile>,
    bad_header: bool,
}

/// Where a socket file is to be.
#[derive(Clone, Debug)]
enum SocketFile {
    Temporary,
    At(PathBuf),
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
            tls: false,
            client_certificates: false,
            alpn: None,
            websocket: None,
            unix_socket: None,
            bad_header: false,
        }
    }
}

impl BrokerBuilder {
    /// Sets an option by its name, for language bindings: `protocol` ("3.1.1" or "5", the only one spoken), `receive_maximum`, `maximum_qos`,
    /// `retain_available`, `maximum_packet_size`, `server_keep_alive` (seconds), `deny` (one topic filter), `tls`,
    /// `client_certificates`, `alpn` (the name of a protocol), `websocket`, `websocket_path`, `websocket_header` ("Name: value"), `unix_socket` (whether, or the path).
    /// Numbers and what is true or false may also be given as text.
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
            "retain_available" => self.retain_available = flag(name, &value)?,
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
            "tls" => self.tls = flag(name, &value)?,
            "client_certificates" => self.client_certificates = flag(name, &value)?,
            "alpn" => match value {
                Value::Text(protocol) => self.alpn = Some(protocol),
                _ => return Err(sentence::must_be(name, PROTOCOL, &value)),
            },
            "websocket" => self.websocket = flag(name, &value)?.then(Opening::default),
            "websocket_path" => match value {
                Value::Text(path) if is_path(&path) => {
                    self.websocket.get_or_insert_default().path = Some(path);
                }
                _ => return Err(sentence::must_be(name, WEBSOCKET_PATH, &value)),
            },
            "websocket_header" => {
                let header = match &value {
                    Value::Text(line) => Opening::header(line),
                    _ => None,
                };
                let header = header
                    .ok_or_else(|| sentence::must_be(name, "a header, \"Name: value\"", &value))?;
                self.websocket.get_or_insert_default().headers.push(header);
            }
            "unix_socket" => {
                self.unix_socket = match (flag(name, &value), value) {
                    (Ok(wanted), _) => wanted.then_some(SocketFile::Temporary),
                    (Err(_), Value::Text(path)) if path.starts_with('/') => {
                        Some(SocketFile::At(path.into()))
                    }
                    (Err(_), value) => {
                        let allowed = "true, false or the absolute path of a file to be made";
                        return Err(sentence::must_be(name, allowed, &value));
                    }
                }
            }
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

    /// Whether TLS 1.2 and 1.3 are spoken, with a certificate for localhost, 127.0.0.1 and ::1 that is signed by a certificate
    /// authority made for this broker alone, [`Broker::ca_pem`]. Default false.
    pub fn tls(mut self, spoken: bool) -> Self {
        self.tls = spoken;
        self
    }

    /// Whether clients have to show a certificate of that authority (mutual TLS), such as [`Broker::client_cert_pem`]. Default
    /// false; true sets `tls` too.
    pub fn client_certificates(mut self, demanded: bool) -> Self {
        self.client_certificates = demanded;
        self
    }

    /// The protocol that clients must offer in the TLS handshake (RFC 7301), such as `x-amzn-mqtt-ca`, where one port serves several; those that
    /// offer others or none are refused. Default any or none. Sets `tls` too.
    pub fn alpn(mut self, protocol: impl Into<String>) -> Self {
        self.alpn = Some(protocol.into());
        self
    }

    /// Whether MQTT travels in WebSocket frames, with `tls` over it. Any path will do; the sub-protocol `mqtt` must be offered
    /// (MQTT 5.0 section 6). Default false.
    pub fn websocket(mut self, spoken: bool) -> Self {
        self.websocket = spoken.then(Opening::default);
        self
    }

    /// The only path at which WebSocket is spoken, with its query if there is one, such as `/mqtt?token=x`; clients that ask for
    /// another one are refused with 404. Default any, and `/mqtt` in the address. Sets `websocket` too.
    pub fn websocket_path(mut self, path: impl Into<String>) -> Self {
        self.websocket.get_or_insert_default().path = Some(path.into());
        self
    }

    /// Adds a header without which, and another value of which, clients are refused with 401. Sets `websocket` too. A text that
    /// is no header (RFC 9110 section 5) is an error of `start`.
    pub fn websocket_header(mut self, name: &str, value: &str) -> Self {
        let header = Opening::header(&format!("{name}: {value}"));
        self.bad_header |= header.is_none();
        self.websocket
            .get_or_insert_default()
            .headers
            .extend(header);
        self
    }

    /// What is asked of clients that open a WebSocket, if it is spoken.
    pub(super) fn opening(&self) -> Option<Opening> {
        self.websocket.clone()
    }

    /// Listens at a Unix socket in a new folder for temporary files instead of a port. It is removed when the broker ends.
    pub fn unix_socket(mut self) -> Self {
        self.unix_socket = Some(SocketFile::Temporary);
        self
    }

    /// The same with a path of its own, at which nothing may be yet. Systems limit its length, Linux to 107 bytes.
    pub fn unix_socket_at(mut self, path: impl AsRef<Path>) -> Self {
        self.unix_socket = Some(SocketFile::At(path.as_ref().to_path_buf()));
        self
    }

    pub(super) fn speaks_tls(&self) -> bool {
        self.tls || self.client_certificates || self.alpn.is_some()
    }

    /// Takes what it is to listen at.
    pub(super) fn place(&self) -> io::Result<Place> {
        match &self.unix_socket {
            None => Place::port(),
            Some(SocketFile::Temporary) => Place::file(None),
            Some(SocketFile::At(path)) => Place::file(Some(path)),
        }
    }

    /// Starts the broker, on a free port of 127.0.0.1 unless `unix_socket` says otherwise.
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
        if self.unix_socket.is_some() && (self.speaks_tls() || self.websocket.is_some()) {
            return Err(Error::invalid(
                "unix_socket cannot be combined with tls, client_certificates, alpn or websocket: no address says so",
            ));
        }
        let fits = |protocol: &&String| (1..=255).contains(&protocol.len());
        if let Some(alpn) = self.alpn.as_ref().filter(|alpn| !fits(alpn)) {
            let given = sentence::Quoted(alpn);
            return Err(sentence::must_be("alpn", PROTOCOL, given));
        }
        if self.bad_header {
            return Err(Error::invalid("a header of websocket_header is none"));
        }
        let path = self
            .websocket
            .as_ref()
            .and_then(|opening| opening.path.as_ref());
        if let Some(path) = path.filter(|path| !is_path(path)) {
            let given = sentence::Quoted(path);
            return Err(sentence::must_be("websocket_path", WEBSOCKET_PATH, given));
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

fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// True or false, in whichever form a language gives it.
fn flag(name: &str, value: &Value) -> Result<bool, Error> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| sentence::must_be(name, "true or false", value))
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
