//! TCP: dialing whichever address answers first, and hanging up so that the kernel sends nothing more.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use leveret_protocol::engine::{LinkError, LinkErrorKind};
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::options::ClientOptions;
use leveret_protocol::sentence::Dialect;
use leveret_protocol::time::Instant;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream, lookup_host};

use crate::clock::{self, Alarm, Clock};

/// How long an address has before the next one is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// What the options say about TCP sockets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sockets {
    keep_alive: Option<Duration>,
    user_timeout: Option<Duration>,
    local: Option<IpAddr>,
    interface: Option<String>,
}

impl Sockets {
    /// # Errors
    /// `NotSupported` for an option that this system does not have.
    pub(crate) fn new(options: &ClientOptions, dialect: Dialect) -> Result<Sockets, Error> {
        const LINUX: bool = cfg!(any(target_os = "linux", target_os = "android"));
        for (name, given) in [
            ("tcp_user_timeout", options.tcp_user_timeout.is_some()),
            ("network_interface", options.network_interface.is_some()),
        ] {
            if given && !LINUX {
                let name = dialect.spell(name);
                return Err(Error::new(
                    ErrorKind::NotSupported,
                    format!("{name} is not available on this system"),
                ));
            }
        }
        Ok(Sockets {
            keep_alive: options.tcp_keep_alive,
            user_timeout: options.tcp_user_timeout,
            // Checked with the other options.
            local: options
                .local_address
                .as_ref()
                .and_then(|text| text.parse().ok()),
            interface: options.network_interface.clone(),
        })
    }

    /// Looks the host up and connects to whichever of its addresses answers first (RFC 8305).
    pub(super) async fn dial(
        &self,
        host: &str,
        port: u16,
        clock: &Arc<Clock>,
    ) -> Result<TcpStream, LinkError> {
        let found = lookup_host((host, port)).await.map_err(|error| LinkError {
            kind: LinkErrorKind::Dns,
            text: format!("{host} cannot be looked up: {error}"),
        })?;
        let usable = |target: &SocketAddr| {
            self.local
                .is_none_or(|local| local.is_ipv4() == target.is_ipv4())
        };
        let targets = interleaved(found.filter(usable).collect());
        if targets.is_empty() {
            let text = match self.local {
                Some(local) => format!("{host} has no address that can be reached from {local}"),
                None => format!("{host} has no address"),
            };
            return Err(LinkError {
                kind: LinkErrorKind::Dns,
                text,
            });
        }
        self.race(targets, clock).await
    }

    /// Connects to whichever of these addresses answers first.
    pub(crate) async fn race(
        &self,
        targets: Vec<SocketAddr>,
        clock: &Arc<Clock>,
    ) -> Result<TcpStream, LinkError> {
        let mut race = Race {
            sockets: self,
            waiting: targets.into_iter(),
            running: Vec::new(),
            next_at: None,
            alarm: clock.alarm(),
            failures: Vec::new(),
        };
        poll_fn(|context| race.poll(context)).await
    }

    async fn connect(&self, target: SocketAddr) -> io::Result<TcpStream> {
        let socket = if target.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        self.prepare(&socket)?;
        let stream = socket.connect(target).await?;
        // On loopback a dial to a port nobody listens on can meet itself when the kernel picks that very
        // port for our end: it would then answer its own CONNECT.
        if stream.local_addr()? == stream.peer_addr()? {
            abort(stream);
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        be_prompt(&stream)?;
        Ok(stream)
    }

    /// What has to be set before the socket is connected.
    fn prepare(&self, socket: &TcpSocket) -> io::Result<()> {
        let told = |option: &str, error: &io::Error| {
            io::Error::new(error.kind(), format!("{option} cannot be set: {error}"))
        };
        self.set_options(&SockRef::from(socket))?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(interface) = &self.interface {
            SockRef::from(socket)
                .bind_device(Some(interface.as_bytes()))
                .map_err(|error| told("network_interface", &error))?;
        }
        if let Some(local) = self.local {
            socket
                .bind(SocketAddr::new(local, 0))
                .map_err(|error| told("local_address", &error))?;
        }
        Ok(())
    }

    /// Of a socket that the application connected, what can still be set.
    pub(super) fn take_over(&self, stream: &TcpStream) -> io::Result<()> {
        self.set_options(&SockRef::from(stream))?;
        be_prompt(stream)
    }

    fn set_options(&self, socket: &SockRef<'_>) -> io::Result<()> {
        if let Some(silence) = self.keep_alive {
            let probes = TcpKeepalive::new().with_time(silence);
            #[cfg(any(unix, windows))]
            let probes = probes.with_interval(silence);
            socket.set_tcp_keepalive(&probes)?;
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if self.user_timeout.is_some() {
            socket.set_tcp_user_timeout(self.user_timeout)?;
        }
        Ok(())
    }
}

/// Batches are whole when they are written; waiting for more would only delay them.
fn be_prompt(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(unix)]
    if let Err(error) = leveret_sys::keep_unsent_few(stream) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT cannot be set");
    }
    Ok(())
}

/// Addresses of both families in turn, beginning with that of the first, so that a family without a way out costs one
/// head start (RFC 8305, section 4).
fn interleaved(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = found.first().map(SocketAddr::is_ipv4) else {
        return found;
    };
    let (one, other): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|target| target.is_ipv4() == first);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut mixed = Vec::new();
    loop {
        let pair = [one.next(), other.next()];
        if pair == [None, None] {
            return mixed;
        }
        mixed.extend(pair.into_iter().flatten());
    }
}

/// Attempts at several addresses, each begun when the one before it has failed or used up its head start.
struct Race<'a, Targets> {
    sockets: &'a Sockets,
    waiting: Targets,
    running: Vec<Runner<'a>>,
    /// When the next one begins; none before the first and after the last.
    next_at: Option<Instant>,
    alarm: Alarm,
    failures: Vec<(SocketAddr, io::Error)>,
}

struct Runner<'a> {
    target: SocketAddr,
    connecting: Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send + 'a>>,
}

impl<Targets: Iterator<Item = SocketAddr>> Race<'_, Targets> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<TcpStream, LinkError>> {
        loop {
            let begun =
                self.running.is_empty() || self.next_at.is_some_and(|at| at <= clock::now());
            if begun {
                self.begin_next();
            }
            let failed_before = self.failures.len();
            if let Some(stream) = self.poll_running(context) {
                return Poll::Ready(Ok(stream));
            }
            if self.failures.len() > failed_before {
                // Whoever fails makes place for the next at once.
                self.begin_next();
                if self.running.is_empty() {
                    return Poll::Ready(Err(self.lost()));
                }
                continue;
            }
            if self.alarm.poll(self.next_at, context).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn begin_next(&mut self) {
        self.next_at = self.waiting.next().map(|target| {
            let sockets = self.sockets;
            let connecting = Box::pin(sockets.connect(target));
            self.running.push(Runner { target, connecting });
            clock::now() + HEAD_START
        });
    }

    fn poll_running(&mut self, context: &mut Context<'_>) -> Option<TcpStream> {
        let mut won = None;
        let failures = &mut self.failures;
        self.running.retain_mut(|runner| {
            match runner.connecting.as_mut().poll(context) {
                Poll::Pending => return true,
                Poll::Ready(Ok(stream)) => won = Some(stream),
                Poll::Ready(Err(error)) => failures.push((runner.target, error)),
            }
            false
        });
        won
    }

    /// Why none of them could be reached.
    fn lost(&self) -> LinkError {
        let kind = self
            .failures
            .first()
            .map_or(LinkErrorKind::Other, |(_, error)| {
                super::link_error(error).kind
            });
        let each = self
            .failures
            .iter()
            .map(|(target, error)| format!("{target}: {error}"));
        LinkError {
            kind,
            text: each.collect::<Vec<_>>().join("; "),
        }
    }
}

/// Closes so that bytes the kernel still holds are thrown away: among them may be letters whose time to
/// live is over by the time the peer would read them.
pub(super) fn abort(stream: TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "SO_LINGER cannot be set");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let found = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]);
        let mixed = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(interleaved(found), mixed);
        assert_eq!(interleaved(Vec::new()), Vec::new());
    }
}
