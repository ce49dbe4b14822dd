//! Reads the URLs that a client is given: `mqtt://user:password@host:port`.

use bytes::Bytes;
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::sentence::Quoted;

/// Where a broker is, and who we say we are there.
#[derive(Clone)]
pub(crate) struct Address {
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    pub(crate) host: String,
    /// 1883 unless given.
    pub(crate) port: u16,
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

/// The port that the standard's registration names for MQTT over TCP.
const DEFAULT_PORT: u16 = 1883;

impl Address {
    /// Reads one URL.
    ///
    /// # Errors
    /// A sentence that names the part that is wrong and what is allowed. Never with the password in it.
    pub(crate) fn parse(url: &str) -> Result<Address, Error> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(invalid(url, "has no scheme"));
        };
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "mqtt" | "tcp" => {}
            "mqtts" | "ssl" | "tls" | "ws" | "wss" | "unix" => {
                return Err(not_supported(url, &scheme));
            }
            _ => return Err(invalid(url, &format!("has the unknown scheme {scheme}"))),
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(invalid(url, "has something behind the port"));
        }
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(Credentials::parse(url, credentials)?), place),
            None => (None, rest),
        };
        let (host, port) = split_port(url, place)?;
        Ok(Address {
            host,
            port,
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
        let (host, port) =
            split_port(first, first).unwrap_or_else(|_| (first.to_owned(), self.port));
        let mut address = self.clone();
        (address.host, address.port) = (host, port);
        address
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{self}")
    }
}

impl std::fmt::Display for Address {
    /// As a URL without user name and password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "mqtt://[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "mqtt://{}:{}", self.host, self.port)
        }
    }
}

impl Credentials {
    fn parse(url: &str, text: &str) -> Result<Credentials, Error> {
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

fn split_port(url: &str, place: &str) -> Result<(String, u16), Error> {
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
        None => DEFAULT_PORT,
        // `parse` alone would take a plus sign.
        Some(port) => match port.parse::<u16>() {
            Ok(number) if number > 0 && port.bytes().all(|digit| digit.is_ascii_digit()) => number,
            _ => {
                return Err(invalid(
                    url,
                    &format!("has the port {port:?}, and a port is 1 to 65535"),
                ));
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

fn not_supported(url: &str, scheme: &str) -> Error {
    let url = redacted(url);
    let detail = format!(
        "url must be {ALLOWED}, but {} asks for {scheme}, which is not supported yet",
        Quoted(&url)
    );
    Error::new(ErrorKind::NotSupported, detail)
}

const ALLOWED: &str = "\"mqtt://[user[:password]@]host[:port]\"";

/// The URL without what stands before the last @, which may be a password.
fn redacted(url: &str) -> String {
    match (url.rsplit_once('@'), url.split_once("://")) {
        (Some((_, place)), Some((scheme, _))) => format!("{scheme}://…@{place}"),
        (Some((_, place)), None) => format!("…@{place}"),
        (None, _) => url.to_owned(),
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
            (
                "wss://me:secret@h",
                "asks for wss, which is not supported yet",
            ),
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
