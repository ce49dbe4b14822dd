//! The link to a broker: dial it, read it, write it, hang it up. Which transport an address means.

#[cfg(test)]
pub(crate) mod memory;
mod tcp;
pub(crate) mod url;

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
use url::Address;

/// A connected byte stream. Dropping it without [`Link::finish`] is abortive.
#[derive(Debug)]
pub(crate) struct Link {
    transport: Option<Transport>,
}

#[derive(Debug)]
enum Transport {
    Tcp(TcpStream),
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
    /// Connects. Dropping the future gives the attempt up. How long it may take is not decided here.
    pub(crate) async fn dial(address: Arc<Address>) -> Result<Link, LinkError> {
        #[cfg(test)]
        if let Some(exchange) = &address.memory {
            return exchange
                .dial()
                .map(|link| Link::new(Transport::Memory(link)));
        }
        tcp::dial(&address)
            .await
            .map(|stream| Link::new(Transport::Tcp(stream)))
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
            #[cfg(test)]
            Some(Transport::Memory(link)) => link.poll_write_vectored(io_slices, context),
        };
        match written {
            Poll::Pending => Ok(0),
            Poll::Ready(written) => written.map_err(|error| link_error(&error)),
        }
    }

    /// Ready once a write may be taken again, or would fail.
    pub(crate) fn poll_writable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.transport {
            None => Poll::Ready(()),
            Some(Transport::Tcp(stream)) => stream.poll_write_ready(context).map(drop),
            #[cfg(test)]
            Some(Transport::Memory(link)) => link.poll_writable(context),
        }
    }

    /// Ends the stream in order, after a DISCONNECT: closes our half, then reads on until the peer has
    /// closed its own, so that what it still sends does not turn into a reset that eats the DISCONNECT.
    pub(crate) async fn finish(mut self, clock: Arc<Clock>) {
        let Some(Transport::Tcp(mut stream)) = self.transport.take() else {
            return;
        };
        let mut alarm = clock.alarm();
        let deadline = Some(clock::now() + FINISH_WITHIN);
        let mut rest = std::pin::pin!(drain(&mut stream));
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

/// Closes our half and reads until the peer has closed its own.
async fn drain(stream: &mut TcpStream) {
    if poll_fn(|context| Pin::new(&mut *stream).poll_shutdown(context))
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
            #[cfg(test)]
            Some(Transport::Memory(_)) => {}
            None => {}
        }
    }
}

fn ended() -> LinkError {
    LinkError {
        kind: LinkErrorKind::Closed,
        text: "the broker closed the connection".into(),
    }
}

fn link_error(error: &io::Error) -> LinkError {
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
