//! Through a proxy: HTTP CONNECT and SOCKS5, each with and without a user name.

use std::fmt::Write as _;
use std::net::IpAddr;

use leveret_protocol::engine::{LinkError, LinkErrorKind};
use leveret_protocol::error::Error;
use leveret_protocol::sentence::Dialect;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::link_error;
use super::url::{Address, Credentials, split_port};

/// Which proxies a client goes through.
#[derive(Clone, Default)]
pub(super) struct Proxies {
    /// For what goes over TLS.
    secure: Option<Proxy>,
    /// For what does not.
    plain: Option<Proxy>,
    /// Hosts that are reached without one, from the environment.
    except: Vec<String>,
}

/// One proxy.
#[derive(Clone)]
pub(super) struct Proxy {
    kind: Kind,
    pub(super) host: String,
    pub(super) port: u16,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Socks5,
}

/// Scheme, kind and usual port. With either name of SOCKS the proxy looks up the name of the broker.
const KINDS: [(&str, Kind, u16); 3] = [
    ("http", Kind::Http, 80),
    ("socks5", Kind::Socks5, 1080),
    ("socks5h", Kind::Socks5, 1080),
];

/// The longest answer of an HTTP proxy, head only.
const MOST_HEAD: usize = 8 * 1024;

impl Proxies {
    /// Reads the option `proxy`.
    ///
    /// # Errors
    /// `InvalidArgument`; what was given is not shown, because a password may be in it.
    pub(super) fn new(given: Option<&str>, dialect: Dialect) -> Result<Proxies, Error> {
        match given {
            None => Ok(Proxies::default()),
            Some("environment") => {
                Proxies::from_environment(|name| std::env::var(name).ok(), dialect)
            }
            Some(url) => {
                let proxy = Proxy::parse(url).ok_or_else(|| wrong("", dialect))?;
                Ok(Proxies {
                    secure: Some(proxy.clone()),
                    plain: Some(proxy),
                    except: Vec::new(),
                })
            }
        }
    }

    /// The variables that programs of the command line follow, in small letters or large: `https_proxy` for TLS,
    /// `http_proxy` (in small letters alone) for the rest, `all_proxy` for both, and `no_proxy`.
    fn from_environment(
        read: impl Fn(&str) -> Option<String>,
        dialect: Dialect,
    ) -> Result<Proxies, Error> {
        let first = |names: &[&'static str]| {
            let mut found = names.iter().filter_map(|name| Some((*name, read(name)?)));
            found.find(|(_, value)| !value.is_empty())
        };
        let proxy = |names: &[&'static str]| match first(names) {
            None => Ok(None),
            Some((name, url)) => match Proxy::parse(&url) {
                Some(proxy) => Ok(Some(proxy)),
                None => Err(wrong(
                    &format!(", but {name} in the environment is not"),
                    dialect,
                )),
            },
        };
        let except = first(&["no_proxy", "NO_PROXY"]).map(|(_, list)| list);
        Ok(Proxies {
            secure: proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            plain: proxy(&["http_proxy", "all_proxy", "ALL_PROXY"])?,
            except: except
                .unwrap_or_default()
                .split(',')
                .map(|host| host.trim().trim_start_matches('.').to_ascii_lowercase())
                .filter(|host| !host.is_empty())
                .collect(),
        })
    }

    /// The proxy through which an address is reached, if there is one.
    pub(super) fn of(&self, address: &Address) -> Option<&Proxy> {
        if address.scheme.is_unix() || self.excepts(&address.host) {
            return None;
        }
        if address.scheme.tls {
            self.secure.as_ref()
        } else {
            self.plain.as_ref()
        }
    }

    fn excepts(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.except.iter().any(|except| {
            let within = |host: &str| {
                host.strip_suffix(except.as_str())
                    .is_some_and(|before| before.is_empty() || before.ends_with('.'))
            };
            except == "*" || within(&host)
        })
    }
}

fn wrong(but: &str, dialect: Dialect) -> Error {
    Error::invalid(format!(
        "{} must be \"http://[user[:password]@]host[:port]\", \"socks5://[user[:password]@]host[:port]\" or \"environment\"{but}",
        dialect.spell("proxy")
    ))
}

impl Proxy {
    fn parse(url: &str) -> Option<Proxy> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let scheme = scheme.to_ascii_lowercase();
        let &(_, kind, port) = KINDS.iter().find(|(name, ..)| *name == scheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(Credentials::parse(url, credentials).ok()?), place),
            None => (None, rest),
        };
        let (host, port) = split_port(url, place, port).ok()?;
        let fits = |credentials: &Credentials| match kind {
            // Their lengths are one byte (RFC 1929, section 2).
            Kind::Socks5 => {
                let password = credentials.password.as_deref().unwrap_or_default();
                (1..256).contains(&credentials.username.len()) && password.len() < 256
            }
            // A colon ends the user name (RFC 7617, section 2).
            Kind::Http => !credentials.username.contains(':'),
        };
        credentials.iter().all(fits).then_some(Proxy {
            kind,
            host,
            port,
            credentials,
        })
    }

    /// Has the proxy connect to the broker; then the stream leads there. Nothing that comes after its answer is read.
    pub(super) async fn connect(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        address: &Address,
    ) -> Result<(), LinkError> {
        match self.kind {
            Kind::Http => self.ask_http(stream, address).await,
            Kind::Socks5 => self.ask_socks(stream, address).await,
        }
    }

    /// RFC 9110, section 9.3.6.
    async fn ask_http(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        address: &Address,
    ) -> Result<(), LinkError> {
        let place = address.authority();
        let mut request = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n");
        if let Some(Credentials { username, password }) = &self.credentials {
            let password = password.as_deref().unwrap_or_default();
            let login = [username.as_bytes(), b":", password].concat();
            // Writing into a String cannot fail.
            let _ = write!(request, "Proxy-Authorization: Basic {}\r\n", base64(&login));
        }
        request.push_str("\r\n");
        send(stream, request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() > MOST_HEAD {
                return Err(refused(
                    "the proxy does not speak HTTP: its answer has no end",
                ));
            }
            // One by one, because the first byte of the broker may follow at once.
            head.push(byte(stream).await?);
        }
        let head = String::from_utf8_lossy(&head);
        let line = head.lines().next().unwrap_or_default();
        let mut words = line.splitn(3, ' ');
        let version = words.next().unwrap_or_default();
        let status = words.next().and_then(|status| status.parse::<u16>().ok());
        match status {
            Some(200..300) if version.starts_with("HTTP/1.") => Ok(()),
            Some(407) if self.credentials.is_some() => Err(refused(
                "the proxy does not accept the user name and password",
            )),
            Some(407) => Err(refused("the proxy asks for a user name and password")),
            Some(_) if version.starts_with("HTTP/1.") => {
                let (_, words) = line.split_once(' ').unwrap_or_default();
                Err(refused(&format!(
                    "the proxy did not connect to {place}: {words}"
                )))
            }
            _ => Err(refused("the proxy does not speak HTTP")),
        }
    }

    /// RFC 1928, and RFC 1929 for the login.
    async fn ask_socks(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        address: &Address,
    ) -> Result<(), LinkError> {
        const VERSION: u8 = 5;
        const LOGIN: u8 = 2;
        let methods: &[u8] = match self.credentials {
            Some(_) => &[VERSION, 2, 0, LOGIN],
            None => &[VERSION, 1, 0],
        };
        send(stream, methods).await?;
        match (bytes::<2>(stream).await?, &self.credentials) {
            ([VERSION, 0], _) => {}
            ([VERSION, LOGIN], Some(credentials)) => log_in(stream, credentials).await?,
            ([VERSION, _], Some(_)) => {
                return Err(refused("the proxy takes no user name and password"));
            }
            ([VERSION, _], None) => {
                return Err(refused("the proxy asks for a user name and password"));
            }
            _ => return Err(refused("the proxy does not speak SOCKS5")),
        }
        let mut request = vec![VERSION, 1, 0];
        match address.host.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) => {
                request.push(1);
                request.extend(ip.octets());
            }
            Ok(IpAddr::V6(ip)) => {
                request.push(4);
                request.extend(ip.octets());
            }
            Err(_) => {
                let length = u8::try_from(address.host.len())
                    .map_err(|_| refused("the name of the broker is too long for SOCKS5"))?;
                request.extend([3, length]);
                request.extend(address.host.as_bytes());
            }
        }
        request.extend(address.port.to_be_bytes());
        send(stream, &request).await?;
        let [version, reply, _, kind] = bytes::<4>(stream).await?;
        if version != VERSION {
            return Err(refused("the proxy does not speak SOCKS5"));
        }
        if reply != 0 {
            let place = address.authority();
            let why = socks_reply(reply);
            return Err(refused(&format!(
                "the proxy did not connect to {place}: {why}"
            )));
        }
        // The address from which the proxy connected; nothing is to be done with it.
        let length = match kind {
            1 => 4,
            4 => 16,
            3 => usize::from(byte(stream).await?),
            _ => return Err(refused("the proxy does not speak SOCKS5")),
        };
        for _ in 0..length + 2 {
            byte(stream).await?;
        }
        Ok(())
    }
}

async fn log_in(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    credentials: &Credentials,
) -> Result<(), LinkError> {
    let password = credentials.password.as_deref().unwrap_or_default();
    let mut request = vec![1];
    for part in [credentials.username.as_bytes(), password] {
        // Checked when the URL was read.
        request.push(part.len() as u8);
        request.extend(part);
    }
    send(stream, &request).await?;
    match bytes::<2>(stream).await? {
        [_, 0] => Ok(()),
        _ => Err(refused(
            "the proxy does not accept the user name and password",
        )),
    }
}

/// What the proxy says of its attempt (RFC 1928, section 6).
fn socks_reply(reply: u8) -> &'static str {
    match reply {
        2 => "its rules do not allow it",
        3 => "the network is unreachable",
        4 => "the host is unreachable",
        5 => "the connection was refused",
        6 => "it took too long",
        7 => "it does not connect for others",
        8 => "it does not know this kind of address",
        _ => "it has failed",
    }
}

fn refused(text: &str) -> LinkError {
    LinkError {
        kind: LinkErrorKind::Proxy,
        text: text.to_owned(),
    }
}

fn broken(error: &std::io::Error) -> LinkError {
    let mut why = link_error(error);
    why.kind = LinkErrorKind::Proxy;
    why.text = if error.kind() == std::io::ErrorKind::UnexpectedEof {
        "the proxy closed the connection".to_owned()
    } else {
        format!("the connection to the proxy broke: {}", why.text)
    };
    why
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), LinkError> {
    stream
        .write_all(bytes)
        .await
        .map_err(|error| broken(&error))
}

async fn byte(stream: &mut (impl AsyncRead + Unpin)) -> Result<u8, LinkError> {
    bytes::<1>(stream).await.map(|[byte]| byte)
}

async fn bytes<const N: usize>(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<[u8; N], LinkError> {
    let mut bytes = [0; N];
    match stream.read_exact(&mut bytes).await {
        Ok(_) => Ok(bytes),
        Err(error) => Err(broken(&error)),
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let byte = |place: usize| u32::from(three.get(place).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * place)) as usize & 63);
            let shown = if place <= three.len() {
                digit
            } else {
                Some(&b'=')
            };
            text.extend(shown.map(|&digit| char::from(digit)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    fn way(proxies: &Proxies, url: &str) -> Option<String> {
        let proxy = proxies.of(&Address::parse(url).unwrap())?;
        Some(format!("{}:{}", proxy.host, proxy.port))
    }

    #[test]
    fn the_environment_names_proxies_and_exceptions() {
        let read = |name: &str| {
            let value = match name {
                "http_proxy" => "",
                "HTTPS_PROXY" => "http://secure:8080/",
                "ALL_PROXY" => "socks5://me:secret@all",
                "NO_PROXY" => "localhost, .inner.example,10.0.0.7",
                "HTTP_PROXY" => "http://set-by-a-request",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let proxies = Proxies::from_environment(read, Dialect::Rust).unwrap();
        for (url, expected) in [
            ("mqtt://broker", Some("all:1080")),
            ("mqtts://broker", Some("secure:8080")),
            ("mqtts://localhost", None),
            ("mqtt://a.inner.example", None),
            ("mqtt://INNER.example", None),
            ("mqtt://winner.example", Some("all:1080")),
            ("mqtt://10.0.0.7", None),
            ("mqtt+unix:///run/x", None),
        ] {
            if url.starts_with("mqtts") && !cfg!(feature = "tls") {
                continue;
            }
            assert_eq!(way(&proxies, url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_being_shown() {
        for url in [
            "ftp://me:secret@host",
            "http://",
            "http://me:secret@host:0",
            "socks5://:secret@host",
            "http://host/path",
        ] {
            let error = Proxies::new(Some(url), Dialect::Rust).err().expect(url);
            let error = error.to_string();
            assert!(error.starts_with("proxy must be"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let read = |name: &str| (name == "all_proxy").then(|| "ftp://secret".to_owned());
        let error = Proxies::from_environment(read, Dialect::Rust)
            .err()
            .unwrap();
        assert!(
            error
                .to_string()
                .ends_with("but all_proxy in the environment is not")
        );
    }
}
