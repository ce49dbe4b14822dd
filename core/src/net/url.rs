//! Reads the URLs that a client is given: `mqtt://user:password@host:port`, `wss://host/path`, `mqtt+unix:///path`.

use bytes::Bytes;
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::sentence::Quoted;

/// Where a broker is, and who we say we are there.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) scheme: &'static Scheme,
    /// A name, an IPv4 address, or an IPv6 address without its brackets. Empty for a Unix socket.
    pub(crate) host: String,
    /// That of the scheme unless given.
    pub(crate) port: u16,
    /// Of a WebSocket: path and query as they go into the request. Of a Unix socket: its path, percent escapes resolved.
    pub(crate) path: Vec<u8>,
    /// From the URL, percent escapes resolved.
    pub(crate) credentials: Option<Credentials>,
    /// Where dialing ends in a test instead of at a socket.
    #[cfg(test)]
    pub(crate) memory: Option<super::memory::Exchange>,
}

/// User name and password as a URL carried them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: Option<Bytes>,
}

/// What the part before `://` means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scheme {
    /// All names it has; the first is shown.
    names: &'static [&'static str],
    /// The port where the URL names none; 0 for a Unix socket.
    port: u16,
    pub(crate) tls: bool,
    pub(crate) websocket: bool,
}

/// The ports are those registered for MQTT and for HTTP.
static SCHEMES: [Scheme; 5] = [
    Scheme::new(&["mqtt", "tcp"], 1883, false, false),
    Scheme::new(&["mqtts", "ssl", "tls"], 8883, true, false),
    Scheme::new(&["ws"], 80, false, true),
    Scheme::new(&["wss"], 443, true, true),
    Scheme::new(&["mqtt+unix"], 0, false, false),
];

impl Scheme {
    const fn new(names: &'static [&'static str], port: u16, tls: bool, websocket: bool) -> Scheme {
        Scheme {
            names,
            port,
            tls,
            websocket,
        }
    }

    pub(crate) fn is_unix(&self) -> bool {
        self.port == 0
    }

    pub(crate) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }

    fn named(name: &str) -> Option<&'static Scheme> {
        SCHEMES.iter().find(|scheme| scheme.names.contains(&name))
    }

    /// What this build of the library has to have been given for the scheme, and was not.
    fn missing(&self) -> Option<&'static str> {
        if self.tls && !cfg!(feature = "tls") {
            return Some("it was built without TLS (feature tls)");
        }
        if self.websocket && !cfg!(feature = "websocket") {
            return Some("it was built without WebSocket (feature websocket)");
        }
        if self.is_unix() && !cfg!(unix) {
            return Some("this system has no Unix sockets");
        }
        None
    }
}

impl Address {
    /// Reads one URL.
    ///
    /// # Errors
    /// A sentence that names the part that is wrong and what is allowed. Never with the password in it.
    pub(crate) fn parse(url: &str) -> Result<Address, Error> {
        let Some((name, rest)) = url.split_once("://") else {
            return Err(invalid(url, "has no scheme"));
        };
        let name = name.to_ascii_lowercase();
        let Some(scheme) = Scheme::named(&name) else {
            return Err(invalid(url, &format!("has the unknown scheme {name}")));
        };
        if let Some(missing) = scheme.missing() {
            return Err(not_supported(url, &name, missing));
        }
        if rest.contains('#') {
            return Err(invalid(url, "has a # (one in a name or path is %23)"));
        }
        let behind = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(behind);
        let (credentials, place) = match authority.rsplit_once('@') {
            Some((credentials, place)) => (Some(Credentials::parse(url, credentials)?), place),
            None => (None, authority),
        };
        let path = read_path(url, scheme, path)?;
        let (host, port) = if scheme.is_unix() {
            if !place.is_empty() {
                return Err(invalid(
                    url,
                    "names a host, and a Unix socket has only a path (with three slashes before it)",
                ));
            }
            (String::new(), 0)
        } else {
            split_port(url, place, scheme.port)?
        };
        Ok(Address {
            scheme,
            host,
            port,
            path,
            credentials,
            #[cfg(test)]
            memory: None,
        })
    }

    /// Where a broker refers us to, reached in the same way: the first of its server references, each a
    /// host with or without a port (MQTT 5, 4.11.1). One that cannot be read is looked up as a name, so
    /// that the failure names it.
    pub(crate) fn referred(&self, reference: &str) -> Address {
        let first = reference.split_whitespace().next().unwrap_or_default();
        let mut address = self.clone();
        if let (true, Some(plain)) = (self.scheme.is_unix(), Scheme::named("mqtt")) {
            // A host is not to be found behind a Unix socket.
            address.scheme = plain;
            address.path.clear();
        }
        let port = address.scheme.port;
        (address.host, address.port) =
            split_port(first, first, port).unwrap_or_else(|_| (first.to_owned(), port));
        address
    }

    /// Host and port as they stand in requests and sentences.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The same as a browser sends it, which signatures of requests reckon with: without the port that the scheme implies.
    #[cfg(feature = "websocket")]
    pub(crate) fn host_header(&self) -> String {
        let full = self.authority();
        let usual = format!(":{}", self.scheme.port);
        full.strip_suffix(&usual).unwrap_or(&full).to_owned()
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{self}")
    }
}

impl std::fmt::Display for Address {
    /// As a URL without user name and password, and without a query, which may be a signature.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = String::from_utf8_lossy(&self.path);
        let path = path.split('?').next().unwrap_or_default();
        if self.scheme.is_unix() {
            write!(formatter, "{}://{path}", self.scheme.name())
        } else {
            let authority = self.authority();
            write!(formatter, "{}://{authority}{path}", self.scheme.name())
        }
    }
}

impl Credentials {
    pub(super) fn parse(url: &str, text: &str) -> Result<Credentials, Error> {
        let (username, password) = match text.split_once(':') {
            Some((username, password)) => (username, Some(password)),
            None => (text, None),
        };
        let username = String::from_utf8(unescape(url, username)?)
            .map_err(|_| invalid(url, "has a user name that is not UTF-8"))?;
        let password = password
            .map(|password| unescape(url, password))
            .transpose()?;
        Ok(Credentials {
            username,
            password: password.map(Bytes::from),
        })
    }
}

/// What stands behind the port, for schemes that have something there.
fn read_path(url: &str, scheme: &Scheme, path: &str) -> Result<Vec<u8>, Error> {
    if scheme.is_unix() {
        let plain = unescape(url, path)?;
        if plain.len() < 2 || plain.contains(&0) {
            return Err(invalid(url, "names no path of a socket"));
        }
        return Ok(plain);
    }
    if scheme.websocket {
        // RFC 6455, section 3: the resource name is at least a slash, and cannot have what a request line cannot have.
        if path.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
            return Err(invalid(
                url,
                "has a path with a character that has to be written as % and two hexadecimal digits",
            ));
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        return Ok(format!("{slash}{path}").into_bytes());
    }
    if path.is_empty() || path == "/" {
        return Ok(Vec::new());
    }
    Err(invalid(url, "has something behind the port"))
}

/// The host and the port of `host`, `host:port`, `[address]` or `[address]:port`.
pub(super) fn split_port(url: &str, place: &str, default: u16) -> Result<(String, u16), Error> {
    let (host, port) = match place.strip_prefix('[') {
        Some(bracketed) => {
            let Some((host, behind)) = bracketed.split_once(']') else {
                return Err(invalid(url, "has a [ without its ]"));
            };
            let port = match behind.strip_prefix(':') {
                Some(port) => Some(port),
                None if behind.is_empty() => None,
                None => return Err(invalid(url, "has something behind the ]")),
            };
            let host = String::from_utf8(unescape(url, host)?).unwrap_or_default();
            let (address, _zone) = host.split_once('%').unwrap_or((&host, ""));
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(invalid(url, "has no IPv6 address between [ and ]"));
            }
            (host, port)
        }
        None => {
            let (host, port) = match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            };
            if port.is_some_and(|port| port.contains(':')) {
                return Err(invalid(
                    url,
                    "has an IPv6 address without [ and ] around it",
                ));
            }
            (host.to_owned(), port)
        }
    };
    let known = |character: char| {
        character.is_alphanumeric() || matches!(character, '.' | '-' | '_' | ':' | '%')
    };
    if host.is_empty() {
        return Err(invalid(url, "names no host"));
    }
    if !host.chars().all(known) {
        return Err(invalid(
            url,
            "has a host name with a character that host names cannot have",
        ));
    }
    let port = match port {
        None => default,
        // `parse` alone would take a plus sign.
        Some(port) => match port.parse::<u16>() {
            Ok(number) if number > 0 && port.bytes().all(|digit| digit.is_ascii_digit()) => number,
            _ => {
                // Not quoted: behind a slash that was not escaped it may be a part of a password.
                return Err(invalid(url, "has a wrong port: a port is 1 to 65535"));
            }
        },
    };
    Ok((host, port))
}

/// Resolves `%41` and the like (RFC 3986, section 2.1).
fn unescape(url: &str, text: &str) -> Result<Vec<u8>, Error> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(invalid(
                url,
                "has a % without two hexadecimal digits behind it (a % itself is %25)",
            ));
        };
        // Two hexadecimal digits make one byte.
        plain.push((high * 16 + low) as u8);
    }
    Ok(plain)
}

fn invalid(url: &str, fault: &str) -> Error {
    Error::invalid(format!(
        "url must be {ALLOWED}, but {} {fault}",
        Quoted(&redacted(url))
    ))
}

fn not_supported(url: &str, scheme: &str, missing: &str) -> Error {
    let url = redacted(url);
    let detail = format!(
        "{} asks for {scheme}, which this library cannot do: {missing}",
        Quoted(&url)
    );
    Error::new(ErrorKind::NotSupported, detail)
}

const ALLOWED: &str = "\"mqtt://[user[:password]@]host[:port]\" (also mqtts://, ws:// and wss://) or \"mqtt+unix:///path\"";

/// The URL without what stands before the last @, which may be a password, and without its query, which may be a signature.
fn redacted(url: &str) -> String {
    let (shown, cut) = match url.rsplit_once('@') {
        Some((_, place)) => (place, true),
        None => (url, false),
    };
    let shown = match shown.split_once('?') {
        Some((shown, _)) => format!("{shown}?…"),
        None => shown.to_owned(),
    };
    match url.split_once("://") {
        _ if !cut => shown,
        Some((scheme, _)) => format!("{scheme}://…@{shown}"),
        None => format!("…@{shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parts = (String, u16, Option<(String, Option<Vec<u8>>)>);

    fn parts(url: &str) -> Parts {
        let address = Address::parse(url).expect(url);
        let credentials = address.credentials.map(|found| {
            (
                found.username,
                found.password.map(|password| password.to_vec()),
            )
        });
        (address.host, address.port, credentials)
    }

    #[test]
    fn reads_host_port_and_credentials() {
        assert_eq!(parts("mqtt://broker"), ("broker".into(), 1883, None));
        assert_eq!(
            parts("MQTT://10.0.0.7:1884/"),
            ("10.0.0.7".into(), 1884, None)
        );
        assert_eq!(parts("tcp://[::1]:2000"), ("::1".into(), 2000, None));
        assert_eq!(
            parts("mqtt://[fe80::1%25eth0]"),
            ("fe80::1%eth0".into(), 1883, None)
        );
        let user =
            |name: &str, password: Option<&[u8]>| Some((name.into(), password.map(<[u8]>::to_vec)));
        assert_eq!(parts("mqtt://me@h").2, user("me", None));
        assert_eq!(parts("mqtt://me:@h").2, user("me", Some(b"")));
        assert_eq!(
            parts("mqtt://m%65:a%3Ab%40c%ff@h").2,
            user("me", Some(b"a:b@c\xff"))
        );
    }

    #[test]
    fn every_scheme_has_its_port_and_its_way() {
        for (url, port, tls, websocket, path) in [
            ("mqtt://h", 1883, false, false, ""),
            ("mqtts://h", 8883, true, false, ""),
            ("ssl://h/", 8883, true, false, ""),
            ("tls://h:443", 443, true, false, ""),
            ("ws://h", 80, false, true, "/"),
            ("wss://h", 443, true, true, "/"),
            (
                "wss://h/mqtt?token=a%20b@c",
                443,
                true,
                true,
                "/mqtt?token=a%20b@c",
            ),
            ("ws://h?x", 80, false, true, "/?x"),
            (
                "mqtt+unix:///run/a%20b.sock",
                0,
                false,
                false,
                "/run/a b.sock",
            ),
        ] {
            let address = Address::parse(url).expect(url);
            assert_eq!(
                (address.port, address.scheme.tls, address.scheme.websocket),
                (port, tls, websocket),
                "{url}"
            );
            assert_eq!(String::from_utf8_lossy(&address.path), path, "{url}");
        }
        let shown = Address::parse("wss://me:secret@[::1]:8084/mqtt?secret=1").unwrap();
        assert_eq!(shown.to_string(), "wss://[::1]:8084/mqtt");
    }

    #[test]
    fn a_reference_of_the_broker_is_reached_in_the_same_way() {
        for (url, reference, expected) in [
            ("mqtts://h:1", "other", "mqtts://other:8883"),
            ("wss://h/mqtt", "other:8443 third", "wss://other:8443/mqtt"),
            ("mqtt+unix:///run/x", "[::1]:99", "mqtt://[::1]:99"),
        ] {
            let address = Address::parse(url).unwrap().referred(reference);
            assert_eq!(address.to_string(), expected);
        }
    }

    #[test]
    fn refuses_with_a_sentence_and_without_the_password() {
        for (url, fault) in [
            ("broker:1883", "has no scheme"),
            ("http://broker", "unknown scheme http"),
            ("mqtt://", "names no host"),
            ("mqtt://:1883", "names no host"),
            ("mqtt://h:0", "a port is 1 to 65535"),
            ("mqtt://h:+1", "a port is 1 to 65535"),
            ("mqtt://h:65536", "a port is 1 to 65535"),
            ("mqtt://::1", "without [ and ]"),
            ("mqtt://[::1", "without its ]"),
            ("mqtt://[::1]x", "behind the ]"),
            ("mqtt://[broker]", "no IPv6 address"),
            ("mqtt://h/path", "behind the port"),
            ("mqtt://h?x=y", "behind the port"),
            ("mqtt://a b", "character"),
            ("mqtt://me:secret%4@h", "two hexadecimal digits"),
            ("mqtts://h/path", "behind the port"),
            ("mqtt://h#x", "has a #"),
            ("ws://h/a b?secret", "has a path with a character"),
            ("mqtt+unix://", "names no path"),
            ("mqtt+unix:///", "names no path"),
            ("mqtt+unix://me:secret@host/x", "names a host"),
        ] {
            let error = Address::parse(url).expect_err(url).to_string();
            assert!(error.contains(fault), "{url}: {error}");
            assert!(
                error.starts_with("url must be ")
                    && error.contains("mqtt://[user[:password]@]host[:port]"),
                "{error}"
            );
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
