//! The byte stream below TLS and WebSocket: a TCP or Unix socket, or a stream of the application's own.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::tcp;

/// A byte stream both ways.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

/// Dropping it is abortive, as far as the stream can be aborted, unless it is to [part](Socket::part) in order.
///
/// What a Unix socket has taken can still be read by its peer; for a stream of the application's own its `Drop` decides.
pub(crate) struct Socket {
    kind: Kind,
    parting: bool,
}

enum Kind {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    Custom(Box<dyn Duplex>),
    /// Its stream was taken out.
    Gone,
}

impl Socket {
    pub(crate) fn tcp(stream: TcpStream) -> Socket {
        Socket::new(Kind::Tcp(stream))
    }

    #[cfg(unix)]
    pub(super) fn unix(stream: UnixStream) -> Socket {
        Socket::new(Kind::Unix(stream))
    }

    pub(super) fn custom(stream: Box<dyn Duplex>) -> Socket {
        Socket::new(Kind::Custom(stream))
    }

    fn new(kind: Kind) -> Socket {
        Socket {
            kind,
            parting: false,
        }
    }

    /// The plain TCP stream, where it is one.
    pub(super) fn into_tcp(mut self) -> Result<TcpStream, Socket> {
        match std::mem::replace(&mut self.kind, Kind::Gone) {
            Kind::Tcp(stream) => Ok(stream),
            kind => {
                self.kind = kind;
                Err(self)
            }
        }
    }

    /// What the system holds is to be delivered, also after the drop.
    pub(crate) fn part(&mut self) {
        self.parting = true;
    }

    fn stream(&mut self) -> io::Result<Pin<&mut dyn Duplex>> {
        match &mut self.kind {
            Kind::Tcp(stream) => Ok(Pin::new(stream)),
            #[cfg(unix)]
            Kind::Unix(stream) => Ok(Pin::new(stream)),
            Kind::Custom(stream) => Ok(Pin::new(stream)),
            Kind::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let kind = std::mem::replace(&mut self.kind, Kind::Gone);
        if let (Kind::Tcp(stream), false) = (kind, self.parting) {
            tcp::abort(stream);
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.kind {
            Kind::Tcp(_) => true,
            #[cfg(unix)]
            Kind::Unix(_) => true,
            Kind::Custom(stream) => stream.is_write_vectored(),
            Kind::Gone => false,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}
