//! An in-memory link whose peer is the test: it decides how much a write takes, and when the link ends.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use leveret_protocol::engine::{LinkError, LinkErrorKind};

use super::url::Address;
use crate::handoff::{Handoff, Waiters};

/// The driver's end.
#[derive(Debug)]
pub(crate) struct MemoryLink {
    pipe: Arc<Handoff<Pipe>>,
}

/// The test's end.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pipe: Arc<Handoff<Pipe>>,
}

#[derive(Debug, Default)]
struct Pipe {
    to_client: VecDeque<u8>,
    from_client: Vec<u8>,
    /// How many bytes writes may still take; none means no limit.
    room: Option<usize>,
    /// The error after which nothing goes either way.
    cut: Option<io::ErrorKind>,
    /// Writing panics, as a fault of ours would.
    faulty: bool,
    client_gone: bool,
    reader: Waiters,
    writer: Waiters,
    peer: Waiters,
}

/// Where dialing ends: hands each new link's other end to the test, or refuses.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    calls: Arc<Handoff<Calls>>,
}

#[derive(Debug, Default)]
struct Calls {
    waiting: VecDeque<Peer>,
    refusing: bool,
    test: Waiters,
}

impl Exchange {
    pub(crate) fn new() -> Exchange {
        Exchange {
            calls: Arc::default(),
        }
    }

    /// An address at which dialing ends here.
    pub(crate) fn address(&self) -> Arc<Address> {
        let mut address = Address::parse("mqtt://memory").unwrap();
        address.memory = Some(self.clone());
        Arc::new(address)
    }

    /// Refuses calls from now on, or takes them again.
    pub(crate) fn refuse(&self, refusing: bool) {
        self.calls.with(|calls| calls.refusing = refusing);
    }

    /// The other end of the next link that is dialed.
    pub(crate) fn poll_accept(&self, context: &Context<'_>) -> Poll<Peer> {
        self.calls.with(|calls| {
            calls.test.add(context);
            calls.waiting.pop_front().map_or(Poll::Pending, Poll::Ready)
        })
    }

    pub(super) fn dial(&self) -> Result<MemoryLink, LinkError> {
        let pipe = Arc::new(Handoff::new(Pipe::default()));
        self.calls.put(|calls, rings| {
            if calls.refusing {
                let text = "nobody listens".into();
                return Err(LinkError {
                    kind: LinkErrorKind::Refused,
                    text,
                });
            }
            calls.waiting.push_back(Peer {
                pipe: Arc::clone(&pipe),
            });
            calls.test.wake_all(rings);
            Ok(MemoryLink { pipe })
        })
    }
}

impl MemoryLink {
    pub(super) fn poll_read(
        &mut self,
        buffer: &mut BytesMut,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.pipe.with(|pipe| {
            if !pipe.to_client.is_empty() {
                let count = pipe.to_client.len();
                buffer.extend(pipe.to_client.drain(..));
                return Poll::Ready(Ok(count));
            }
            match pipe.cut {
                Some(io::ErrorKind::UnexpectedEof) => Poll::Ready(Ok(0)),
                Some(kind) => Poll::Ready(Err(kind.into())),
                None => {
                    pipe.reader.add(context);
                    Poll::Pending
                }
            }
        })
    }

    pub(super) fn poll_write_vectored(
        &mut self,
        slices: &[IoSlice<'_>],
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.pipe.put(|pipe, rings| {
            assert!(!pipe.faulty, "the fault that the test asked for");
            if pipe.cut.is_some() {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let offered: usize = slices.iter().map(|slice| slice.len()).sum();
            let count = offered.min(pipe.room.unwrap_or(usize::MAX));
            if count == 0 && offered > 0 {
                pipe.writer.add(context);
                return Poll::Pending;
            }
            let bytes = slices.iter().flat_map(|slice| slice.iter().copied());
            pipe.from_client.extend(bytes.take(count));
            pipe.room = pipe.room.map(|room| room - count);
            pipe.peer.wake_all(rings);
            Poll::Ready(Ok(count))
        })
    }

    pub(super) fn poll_writable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.pipe.with(|pipe| {
            if pipe.room != Some(0) || pipe.cut.is_some() {
                return Poll::Ready(());
            }
            pipe.writer.add(context);
            Poll::Pending
        })
    }
}

impl Drop for MemoryLink {
    fn drop(&mut self) {
        self.pipe.put(|pipe, rings| {
            pipe.client_gone = true;
            pipe.peer.wake_all(rings);
        });
    }
}

impl Peer {
    /// Sends bytes to the client.
    pub(crate) fn send(&self, bytes: &[u8]) {
        self.pipe.put(|pipe, rings| {
            pipe.to_client.extend(bytes);
            pipe.reader.wake_all(rings);
        });
    }

    /// Lets the client's writes take this many bytes more; none means any number.
    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.pipe.put(|pipe, rings| {
            pipe.room = room;
            pipe.writer.wake_all(rings);
        });
    }

    /// Lets the next write panic.
    pub(crate) fn break_writes(&self) {
        self.pipe.with(|pipe| pipe.faulty = true);
    }

    /// Ends the link; `UnexpectedEof` is an end in order.
    pub(crate) fn cut(&self, kind: io::ErrorKind) {
        self.pipe.put(|pipe, rings| {
            pipe.cut = Some(kind);
            pipe.reader.wake_all(rings);
            pipe.writer.wake_all(rings);
        });
    }

    /// Waits for bytes from the client, and takes all that came.
    pub(crate) fn poll_written(&self, context: &Context<'_>) -> Poll<Vec<u8>> {
        self.pipe.with(|pipe| {
            if !pipe.from_client.is_empty() {
                return Poll::Ready(std::mem::take(&mut pipe.from_client));
            }
            pipe.peer.add(context);
            Poll::Pending
        })
    }

    /// Waits until the client has used up the room for its writes.
    pub(crate) fn poll_full(&self, context: &Context<'_>) -> Poll<()> {
        self.pipe.with(|pipe| {
            if pipe.room == Some(0) {
                return Poll::Ready(());
            }
            pipe.peer.add(context);
            Poll::Pending
        })
    }

    /// Waits until the client has dropped its end.
    pub(crate) fn poll_gone(&self, context: &Context<'_>) -> Poll<()> {
        self.pipe.with(|pipe| {
            if pipe.client_gone {
                return Poll::Ready(());
            }
            pipe.peer.add(context);
            Poll::Pending
        })
    }
}
