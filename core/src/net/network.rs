//! How a client gets to its brokers: from an address to a link, layer by layer.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use leveret_protocol::engine::{Destination, LinkError, LinkErrorKind, Notice};
use leveret_protocol::error::Error;
#[cfg(not(unix))]
use leveret_protocol::error::ErrorKind;
use leveret_protocol::options::ClientOptions;
use leveret_protocol::sentence::Dialect;
use leveret_protocol::text::Text;

use super::Link;
use super::layers::Stack;
use super::link_error;
use super::proxy::Proxies;
use super::socket::{Duplex, Socket};
use super::tcp::Sockets;
#[cfg(feature = "tls")]
use super::tls::{Signer, Tls};
use super::url::Address;
#[cfg(feature = "websocket")]
use super::websocket::{self, Header};
use crate::handoff::Handoff;
#[cfg(feature = "tls")]
use crate::host::signing::Whose;
use crate::runtime::Machine;

/// What the application does itself on the way to a broker.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct NetworkHooks {
    /// Makes the byte stream of each attempt in place of a socket.
    pub(crate) connector: Option<Connector>,
    /// Signs handshakes in place of a private key.
    #[cfg(feature = "tls")]
    pub(crate) signer: Option<Signer>,
    /// Who that signer asks, where it is the host.
    #[cfg(feature = "tls")]
    pub(crate) host_signer: Option<Whose>,
}

impl NetworkHooks {
    /// Signs TLS handshakes with `signer` in place of a private key: it gets the name of a signature scheme (RFC 8446, section
    /// 4.2.3) and the message, not hashed yet, and gives the signature or why there is none. It is called on a thread of its own
    /// for each handshake, at which it may block; given up after `connect_timeout`, its answer is dropped.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_signer(
        mut self,
        signer: impl Fn(&str, &[u8]) -> Result<Vec<u8>, String> + Send + Sync + 'static,
    ) -> NetworkHooks {
        self.signer = Some(Arc::new(signer));
        self
    }
}

/// Makes the byte stream of one attempt.
pub(crate) type Connector = Arc<dyn Fn(Target) -> Connecting + Send + Sync>;
type Connecting = Pin<Box<dyn Future<Output = io::Result<Box<dyn Duplex>>> + Send>>;

/// Where a stream of the application's own is to lead to; see [`Builder::transport`](crate::Builder::transport).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// The host in the URL, or that of the proxy, without brackets; empty in a `mqtt+unix://` URL.
    pub host: String,
    /// The port in the URL, or that of its scheme; 0 in a `mqtt+unix://` URL.
    pub port: u16,
}

/// Where one attempt leads to.
pub(crate) struct Route {
    pub(crate) address: Arc<Address>,
    /// Of the WebSocket handshake, after those of the client.
    pub(crate) websocket_headers: Vec<(String, String)>,
}

impl Route {
    /// To a URL of the client, or where the broker referred us to, or where the application said.
    pub(crate) fn new(
        address: &Arc<Address>,
        reference: Option<Text>,
        destination: Option<Box<Destination>>,
    ) -> Route {
        let Destination {
            url,
            websocket_headers,
        } = *destination.unwrap_or_default();
        // It was read before; one that cannot be read would be dialed as the client's own.
        let said = url.and_then(|url| Address::parse(&url).ok());
        let address = match (said, reference) {
            (Some(said), _) => Arc::new(said),
            (None, Some(reference)) => Arc::new(address.referred(&reference)),
            (None, None) => Arc::clone(address),
        };
        Route {
            address,
            websocket_headers,
        }
    }
}

/// What the options say about the way to the brokers.
pub(crate) struct Network {
    sockets: Sockets,
    machine: Arc<Machine>,
    proxies: Proxies,
    #[cfg(feature = "tls")]
    tls: Tls,
    #[cfg(feature = "websocket")]
    headers: Vec<Header>,
    /// The largest packet that the broker may send.
    #[cfg(feature = "websocket")]
    most: u32,
    hooks: NetworkHooks,
    /// The connected socket that the application gave, until the first attempt.
    given: Handoff<Option<Given>>,
    /// Something odd that came up on the way, to be told.
    odd: Handoff<Vec<Notice>>,
}

#[cfg(unix)]
type Given = leveret_sys::Adopted;
#[cfg(not(unix))]
type Given = std::convert::Infallible;

impl Network {
    /// # Errors
    /// For what can be known to be wrong before anything is dialed. A descriptor is taken over last: on an error the
    /// application still owns it.
    pub(crate) fn new(
        options: &ClientOptions,
        dialect: Dialect,
        hooks: NetworkHooks,
        machine: Arc<Machine>,
    ) -> Result<Network, Error> {
        Ok(Network {
            sockets: Sockets::new(options, dialect)?,
            machine,
            proxies: Proxies::new(options.proxy.as_deref(), dialect)?,
            #[cfg(feature = "websocket")]
            headers: websocket::headers(
                options.websocket_headers.as_deref().unwrap_or_default(),
                dialect,
            )?,
            #[cfg(feature = "websocket")]
            most: options.max_packet_size,
            #[cfg(feature = "tls")]
            tls: Tls::new(options, dialect, hooks.signer.clone())?,
            hooks,
            odd: Handoff::default(),
            given: Handoff::new(take_over(options.fd, dialect)?),
        })
    }

    /// Connects. Dropping the future gives the attempt up. How long it may take is not decided here.
    pub(crate) async fn dial(self: Arc<Network>, route: Route) -> Result<Link, LinkError> {
        #[cfg(test)]
        if let Some(exchange) = &route.address.memory {
            return exchange.dial().map(Link::over_memory);
        }
        let Address { scheme, host, .. } = &*route.address;
        let mut socket = self.open(&route.address).await?;
        if !scheme.tls && !scheme.websocket {
            match socket.into_tcp() {
                Ok(stream) => return Ok(Link::over_tcp(stream)),
                Err(other) => socket = other,
            }
        }
        let mut stack: Stack = Box::new(socket);
        if scheme.tls {
            stack = self.secure(host, stack).await?;
        }
        if scheme.websocket {
            stack = self.frame(&route, stack).await?;
        }
        Ok(Link::over(stack))
    }

    #[cfg(feature = "tls")]
    async fn secure(&self, host: &str, stack: Stack) -> Result<Stack, LinkError> {
        let keep = |why| {
            self.odd.with(|odd| odd.push(Notice::TlsFilesKept { why }));
        };
        self.tls.connect(host, stack, &self.machine, keep).await
    }

    /// Such an address is refused before it is ever dialed.
    #[cfg(not(feature = "tls"))]
    async fn secure(&self, host: &str, _stack: Stack) -> Result<Stack, LinkError> {
        Err(LinkError {
            kind: LinkErrorKind::Tls,
            text: format!("{host} asks for TLS, without which this library was built"),
        })
    }

    #[cfg(feature = "websocket")]
    async fn frame(&self, route: &Route, stack: Stack) -> Result<Stack, LinkError> {
        websocket::connect(route, stack, &self.headers, self.most).await
    }

    /// Such an address is refused before it is ever dialed.
    #[cfg(not(feature = "websocket"))]
    async fn frame(&self, route: &Route, _stack: Stack) -> Result<Stack, LinkError> {
        // They would go into the request.
        let _ = &route.websocket_headers;
        Err(LinkError {
            kind: LinkErrorKind::WebSocket,
            text: format!(
                "{} asks for WebSocket, without which this library was built",
                route.address
            ),
        })
    }

    /// What came up since this was asked last.
    pub(crate) fn take_odd(&self) -> Vec<Notice> {
        self.odd.with(std::mem::take)
    }

    /// The byte stream below all layers.
    async fn open(&self, address: &Address) -> Result<Socket, LinkError> {
        if let Some(given) = self.given.with(Option::take) {
            return self.adopt(given).map_err(|error| link_error(&error));
        }
        let Some(proxy) = self.proxies.of(address) else {
            return self.reach(address, &address.host, address.port).await;
        };
        let mut socket = self.reach(address, &proxy.host, proxy.port).await?;
        proxy.connect(&mut socket, address).await?;
        Ok(socket)
    }

    /// A byte stream to the broker itself or to a proxy before it.
    async fn reach(&self, address: &Address, host: &str, port: u16) -> Result<Socket, LinkError> {
        if let Some(connector) = &self.hooks.connector {
            let target = Target {
                host: host.to_owned(),
                port,
            };
            let stream = connector(target).await;
            return stream
                .map(Socket::custom)
                .map_err(|error| link_error(&error));
        }
        if address.scheme.is_unix() {
            return open_unix(address).await;
        }
        let stream = self.sockets.dial(host, port, self.machine.clock());
        stream.await.map(Socket::tcp)
    }

    #[cfg(unix)]
    fn adopt(&self, given: Given) -> io::Result<Socket> {
        Ok(match given {
            leveret_sys::Adopted::Tcp(stream) => {
                let stream = tokio::net::TcpStream::from_std(stream)?;
                self.sockets.take_over(&stream)?;
                Socket::tcp(stream)
            }
            leveret_sys::Adopted::Unix(stream) => {
                Socket::unix(tokio::net::UnixStream::from_std(stream)?)
            }
        })
    }

    #[cfg(not(unix))]
    fn adopt(&self, given: Given) -> io::Result<Socket> {
        match given {}
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Network")
            .field("sockets", &self.sockets)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NetworkHooks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NetworkHooks")
            .field("connector", &self.connector.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(unix)]
fn take_over(descriptor: Option<i32>, dialect: Dialect) -> Result<Option<Given>, Error> {
    let Some(descriptor) = descriptor else {
        return Ok(None);
    };
    leveret_sys::adopt_socket(descriptor)
        .map(Some)
        .map_err(|error| {
            let name = dialect.spell("fd");
            Error::invalid(format!(
                "{name} must be the descriptor of a connected socket, but {descriptor} is not: {error}"
            ))
        })
}

#[cfg(not(unix))]
fn take_over(descriptor: Option<i32>, dialect: Dialect) -> Result<Option<Given>, Error> {
    match descriptor {
        None => Ok(None),
        Some(_) => Err(Error::new(
            ErrorKind::NotSupported,
            format!("{} is not available on this system", dialect.spell("fd")),
        )),
    }
}

#[cfg(unix)]
async fn open_unix(address: &Address) -> Result<Socket, LinkError> {
    use std::os::unix::ffi::OsStrExt;

    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(&address.path));
    let stream = tokio::net::UnixStream::connect(path).await;
    stream.map(Socket::unix).map_err(|error| LinkError {
        kind: match error.kind() {
            io::ErrorKind::NotFound => LinkErrorKind::Refused,
            _ => link_error(&error).kind,
        },
        text: format!("{}: {error}", path.display()),
    })
}

#[cfg(not(unix))]
async fn open_unix(address: &Address) -> Result<Socket, LinkError> {
    Err(LinkError {
        kind: LinkErrorKind::Other,
        text: format!("{address}: this system has no Unix sockets"),
    })
}
