//! The link to a broker: read it, write it, hang it up.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `network.rs` | how a client gets to its brokers: from an address to a link, layer by layer |
//! | `url.rs` | addresses |
//! | `proxy.rs` | through HTTP and SOCKS5 proxies |
//! | `tcp.rs` | dialing over TCP, options of sockets |
//! | `socket.rs` | the byte stream at the bottom |
//! | `layers.rs` | what is between it and the link |
//! | `tls/mod.rs` | the layer of TLS, with a map of its own |
//! | `websocket.rs` | the layer of WebSocket |
//! | `memory.rs` | a link whose peer is a test |

mod layers;
#[cfg(test)]
pub(crate) mod memory;
pub(crate) mod network;
mod proxy;
pub(crate) mod socket;
pub(crate) mod tcp;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod url;
#[cfg(feature = "websocket")]
mod websocket;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use leveret_protocol::engine::{LinkError, LinkErrorKind};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;

use crate::clock::{self, Clock};
use layers::{Layered, Stack};

/// A connected byte stream. Dropping it without [`Link::finish`] is abortive.
#[derive(Debug)]
pub(crate) struct Link {
    transport: Option<Transport>,
}

#[derive(Debug)]
enum Transport {
    /// The usual way, which costs nothing more than the system calls.
    Tcp(TcpStream),
    Layered(Box<Layered>),
    #[cfg(test)]
    Memory(memory::MemoryLink),
}

/// How many slices one write hands to the kernel.
pub(crate) const MAX_SLICES: usize = 64;

/// How many bytes one read asks for.
const READ_SIZE: usize = 64 * 1024;

/// Room in the buffer below which a read makes more. Much less than a read asks for, so that a packet of
/// which a little is left over does not move to a new buffer each time.
const LEAST_ROOM: usize = 16 * 1024;

/// How long the peer has to close its end after a DISCONNECT.
const FINISH_WITHIN: Duration = Duration::from_secs(1);

impl Link {
    pub(crate) fn over_tcp(stream: TcpStream) -> Link {
        Link::new(Transport::Tcp(stream))
    }

    pub(crate) fn over(stack: Stack) -> Link {
        Link::new(Transport::Layered(Box::new(Layered::new(stack))))
    }

    #[cfg(test)]
    pub(crate) fn over_memory(link: memory::MemoryLink) -> Link {
        Link::new(Transport::Memory(link))
    }

    fn new(transport: Transport) -> Link {
        Link {
            transport: Some(transport),
        }
    }

    /// Appends what the peer sent to `buffer`, at most one read's worth. The buffer gets room only when
    /// there is something to read. An end of the stream is an error.
    pub(crate) fn poll_read(
        &mut self,
        buffer: &mut BytesMut,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), LinkError>> {
        let read = match &mut self.transport {
            None => return Poll::Ready(Err(ended())),
            Some(Transport::Tcp(stream)) => {
                if let Err(error) = ready!(stream.poll_read_ready(context)) {
                    return Poll::Ready(Err(link_error(&error)));
                }
                if buffer.capacity() - buffer.len() < LEAST_ROOM {
                    buffer.reserve(READ_SIZE);
                }
                let mut room = buffer.limit(READ_SIZE);
                ready!(pin!(stream.read_buf(&mut room)).poll(context))
            }
            Some(Transport::Layered(layers)) => ready!(layers.poll_read(buffer, context)),
            #[cfg(test)]
            Some(Transport::Memory(link)) => ready!(link.poll_read(buffer, context)),
        };
        Poll::Ready(match read {
            Ok(0) => Err(ended()),
            Ok(_) => Ok(()),
            Err(error) => Err(link_error(&error)),
        })
    }

    /// Hands the slices to the operating system; how many bytes it took, which is 0 when it has no room.
    /// Whoever polls with `context` is woken when it has some again.
    pub(crate) fn write(
        &mut self,
        slices: &[Bytes],
        context: &mut Context<'_>,
    ) -> Result<usize, LinkError> {
        let mut io_slices = [IoSlice::new(&[]); MAX_SLICES];
        let mut count = 0;
        for (place, slice) in io_slices.iter_mut().zip(slices) {
            *place = IoSlice::new(slice);
            count += 1;
        }
        let io_slices = io_slices.get(..count).unwrap_or_default();
        let written = match &mut self.transport {
            None => return Err(ended()),
            Some(Transport::Tcp(stream)) => {
                Pin::new(stream).poll_write_vectored(context, io_slices)
            }
            Some(Transport::Layered(layers)) => layers.poll_write_vectored(io_slices, context),
            #[cfg(test)]
            Some(Transport::Memory(link)) => link.poll_write_vectored(io_slices, context),
        };
        match written {
            Poll::Pending => Ok(0),
            Poll::Ready(written) => written.map_err(|error| link_error(&error)),
        }
    }

    /// Whether a layer holds back bytes of which [`Link::write`] has said that they were taken: at most 16 KiB, which go
    /// on while [`Link::poll_writable`] is polled.
    pub(crate) fn holds(&self) -> bool {
        matches!(&self.transport, Some(Transport::Layered(layers)) if layers.holds())
    }

    /// Ready once a write may be taken again, or would fail.
    pub(crate) fn poll_writable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.transport {
            None => Poll::Ready(()),
            Some(Transport::Tcp(stream)) => stream.poll_write_ready(context).map(drop),
            Some(Transport::Layered(layers)) => layers.poll_writable(context),
            #[cfg(test)]
            Some(Transport::Memory(link)) => link.poll_writable(context),
        }
    }

    /// Ends the stream in order, after a DISCONNECT: closes our half, then reads on until the peer has
    /// closed its own, so that what it still sends does not turn into a reset that eats the DISCONNECT.
    pub(crate) async fn finish(mut self, clock: Arc<Clock>) {
        let transport = self.transport.take();
        let mut alarm = clock.alarm();
        let deadline = Some(clock::now() + FINISH_WITHIN);
        let mut rest = pin!(part(transport));
        poll_fn(|context| {
            let in_time = alarm.poll(deadline, context).is_pending();
            if in_time {
                rest.as_mut().poll(context)
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }
}

async fn part(transport: Option<Transport>) {
    match transport {
        Some(Transport::Tcp(stream)) => drain(stream).await,
        Some(Transport::Layered(layers)) => layers.finish().await,
        #[cfg(test)]
        Some(Transport::Memory(_)) => {}
        None => {}
    }
}

/// Closes our half and reads until the peer has closed its own.
async fn drain(mut stream: TcpStream) {
    if poll_fn(|context| Pin::new(&mut stream).poll_shutdown(context))
        .await
        .is_err()
    {
        return;
    }
    let mut rest = [0; 4096];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut rest) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        match self.transport.take() {
            Some(Transport::Tcp(stream)) => tcp::abort(stream),
            // The socket at its bottom does the same.
            Some(Transport::Layered(_)) => {}
            #[cfg(test)]
            Some(Transport::Memory(_)) => {}
            None => {}
        }
    }
}

/// A link error on its way through a stream, whose errors are of another type.
#[derive(Debug)]
struct Carried(LinkError);

impl fmt::Display for Carried {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.text)
    }
}

impl std::error::Error for Carried {}

#[cfg(feature = "websocket")]
fn carried(why: LinkError) -> io::Error {
    io::Error::other(Carried(why))
}

fn ended() -> LinkError {
    LinkError {
        kind: LinkErrorKind::Closed,
        text: "the broker closed the connection".into(),
    }
}

fn link_error(error: &io::Error) -> LinkError {
    if let Some(Carried(why)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return why.clone();
    }
    #[cfg(feature = "tls")]
    if let Some(error) = tls::words::later_error(error) {
        return error;
    }
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => LinkErrorKind::Refused,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => LinkErrorKind::Unreachable,
        io::ErrorKind::TimedOut => LinkErrorKind::TimedOut,
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => LinkErrorKind::Closed,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => LinkErrorKind::Reset,
        _ => LinkErrorKind::Other,
    };
    LinkError {
        kind,
        text: error.to_string(),
    }
}
