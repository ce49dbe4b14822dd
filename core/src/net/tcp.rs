//! TCP: dialing, and hanging up so that the kernel sends nothing more.

use std::io;

use leveret_protocol::engine::{LinkError, LinkErrorKind};
use tokio::net::{TcpStream, lookup_host};

use super::url::Address;

/// Looks the host up and tries its addresses in turn.
pub(super) async fn dial(address: &Address) -> Result<TcpStream, LinkError> {
    let found = lookup_host((address.host.as_str(), address.port))
        .await
        .map_err(|error| {
            let text = format!("{} cannot be looked up: {error}", address.host);
            LinkError {
                kind: LinkErrorKind::Dns,
                text,
            }
        })?;
    let mut last = None;
    for target in found {
        match connect(target).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(super::link_error(&error)),
        }
    }
    Err(last.unwrap_or_else(|| {
        let text = format!("{} has no address", address.host);
        LinkError {
            kind: LinkErrorKind::Dns,
            text,
        }
    }))
}

async fn connect(target: std::net::SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(target).await?;
    // On loopback a dial to a port nobody listens on can meet itself when the kernel picks that very
    // port for our end: it would then answer its own CONNECT.
    if stream.local_addr()? == stream.peer_addr()? {
        abort(stream);
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    // Batches are whole when they are written; waiting for more would only delay them.
    stream.set_nodelay(true)?;
    #[cfg(unix)]
    if let Err(error) = leveret_sys::keep_unsent_few(&stream) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT cannot be set");
    }
    Ok(stream)
}

/// Closes so that bytes the kernel still holds are thrown away: among them may be letters whose time to
/// live is over by the time the peer would read them.
pub(super) fn abort(stream: TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "SO_LINGER cannot be set");
    }
}
