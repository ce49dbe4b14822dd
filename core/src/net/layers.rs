//! A link through layers (TLS, WebSocket) over a socket: what was written is flushed before more is taken.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::MAX_SLICES;
use super::socket::{Duplex, Socket};

/// One of the layers, or the socket below them.
pub(crate) trait Layer: Duplex {
    /// The socket at the bottom.
    fn socket(&mut self) -> &mut Socket;
}

/// The layers of one link, topmost first.
pub(crate) type Stack = Box<dyn Layer>;

impl Layer for Socket {
    fn socket(&mut self) -> &mut Socket {
        self
    }
}

impl Layer for Stack {
    fn socket(&mut self) -> &mut Socket {
        (**self).socket()
    }
}

/// The most that a layer is given before all it holds has gone to the system: one TLS record (RFC 8446, section 5.1).
/// So a count of bytes taken is never more than this ahead of the system.
const MOST_HELD: usize = 16 * 1024;

/// How many bytes one read asks for: what one TLS record holds.
const READ_SIZE: usize = 16 * 1024;

/// The driver's end.
pub(super) struct Layered {
    stack: Stack,
    /// Some layer holds bytes that the system has not taken yet.
    holds: bool,
}

impl Layered {
    pub(super) fn new(stack: Stack) -> Layered {
        Layered {
            stack,
            holds: false,
        }
    }

    pub(super) fn holds(&self) -> bool {
        self.holds
    }

    pub(super) fn poll_read(
        &mut self,
        buffer: &mut BytesMut,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        // Room on the stack: a layer has to be asked before it is known whether there is anything to read.
        let mut space = [MaybeUninit::uninit(); READ_SIZE];
        let mut room = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stack).poll_read(context, &mut room))?;
        buffer.extend_from_slice(room.filled());
        Poll::Ready(Ok(room.filled().len()))
    }

    /// Gives the layers bytes, a piece at a time, for as long as the system takes them.
    pub(super) fn poll_write_vectored(
        &mut self,
        slices: &[IoSlice<'_>],
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        let mut taken = 0;
        while self.poll_flush(context)?.is_ready() && taken < offered {
            let mut places = [IoSlice::new(&[]); MAX_SLICES];
            let piece = piece(slices, taken, &mut places);
            match Pin::new(&mut self.stack).poll_write_vectored(context, piece)? {
                Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(count) => taken += count,
                Poll::Pending => break,
            }
        }
        Poll::Ready(Ok(taken))
    }

    /// Ready once the layers hold nothing back, or a write would fail.
    pub(super) fn poll_writable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_flush(context).map(drop)
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stack).poll_flush(context);
        self.holds = flushed.is_pending();
        flushed
    }

    /// Tells the peer that nothing more comes and reads until it has closed its end.
    pub(super) async fn finish(mut self) {
        let stack = &mut self.stack;
        stack.socket().part();
        let shut = poll_fn(|context| Pin::new(&mut *stack).poll_shutdown(context));
        if shut.await.is_err() {
            return;
        }
        let mut rest = BytesMut::new();
        while let Ok(1..) = poll_fn(|context| self.poll_read(&mut rest, context)).await {
            rest.clear();
        }
        // A layer that had to hear of its peer's end first now ends what is below it; whether that succeeds makes no odds.
        let stack = &mut self.stack;
        let _ = poll_fn(|context| Pin::new(&mut *stack).poll_shutdown(context)).await;
    }
}

impl fmt::Debug for Layered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Layered")
            .field("holds", &self.holds)
            .finish_non_exhaustive()
    }
}

/// At most [`MOST_HELD`] bytes of `slices`, from the byte `begin` on.
fn piece<'a, 'b>(
    slices: &'a [IoSlice<'_>],
    begin: usize,
    places: &'b mut [IoSlice<'a>; MAX_SLICES],
) -> &'b [IoSlice<'a>] {
    let (mut skip, mut room, mut count) = (begin, MOST_HELD, 0);
    let mut free = places.iter_mut();
    for slice in slices {
        let rest = slice.get(skip..).unwrap_or_default();
        skip = skip.saturating_sub(slice.len());
        let rest = rest.get(..room).unwrap_or(rest);
        if rest.is_empty() {
            continue;
        }
        let Some(place) = free.next() else { break };
        *place = IoSlice::new(rest);
        room -= rest.len();
        count += 1;
    }
    places.get(..count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer as TLS is: it takes what it is given and passes on what the system has room for.
    struct Holding {
        held: usize,
        room: usize,
        bottom: Socket,
    }

    impl AsyncRead for Holding {
        fn poll_read(
            self: Pin<&mut Self>,
            _context: &mut Context<'_>,
            _buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Holding {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.held += bytes.len();
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(
            mut self: Pin<&mut Self>,
            _context: &mut Context<'_>,
        ) -> Poll<io::Result<()>> {
            let passed = self.held.min(self.room);
            self.held -= passed;
            self.room -= passed;
            if self.held > 0 {
                return Poll::Pending;
            }
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl Layer for Holding {
        fn socket(&mut self) -> &mut Socket {
            &mut self.bottom
        }
    }

    #[test]
    fn no_more_than_one_record_is_counted_that_the_system_has_not_taken() {
        let mut context = Context::from_waker(std::task::Waker::noop());
        for room in [0, 1, MOST_HELD, 3 * MOST_HELD + 5, 100 * MOST_HELD] {
            let mut layered = Layered::new(Box::new(Holding {
                held: 0,
                room,
                bottom: Socket::custom(Box::new(tokio::io::empty())),
            }));
            let bytes = vec![7; 10 * MOST_HELD];
            let slices = [IoSlice::new(&bytes)];
            let Poll::Ready(Ok(taken)) = layered.poll_write_vectored(&slices, &mut context) else {
                panic!("it is told how much was taken");
            };
            let system = room.min(bytes.len());
            assert!(
                taken >= system && taken <= system + MOST_HELD,
                "{room}: {taken}"
            );
            assert_eq!(layered.holds(), taken > system, "{room}");
            let ready = layered.poll_writable(&mut context).is_ready();
            assert_eq!(ready, !layered.holds(), "{room}");
        }
    }

    #[test]
    fn a_piece_begins_where_the_last_ended_and_is_bounded() {
        let long = vec![7; MOST_HELD + 10];
        let slices = [
            IoSlice::new(b"abc"),
            IoSlice::new(b""),
            IoSlice::new(b"de"),
            IoSlice::new(&long),
        ];
        let lengths = |begin| -> Vec<usize> {
            let mut places = [IoSlice::new(&[]); MAX_SLICES];
            piece(&slices, begin, &mut places)
                .iter()
                .map(|slice| slice.len())
                .collect()
        };
        assert_eq!(lengths(0), [3, 2, MOST_HELD - 5]);
        assert_eq!(lengths(4), [1, MOST_HELD - 1]);
        assert_eq!(lengths(5 + MOST_HELD), [10]);
        assert_eq!(lengths(15 + MOST_HELD), [0; 0]);
    }
}
