//! One TCP connection as bytes: reading, writing, and the two ways to close it.
use bytes::{Buf, BytesMut};
use leveret_protocol::time::{Duration, Instant};
use mio::{Interest, Registry, Token, net::TcpStream};
use socket2::SockRef;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::Shutdown,
};

/// How much is read of one connection before the others have their turn.
const READ_PER_TURN: usize = 256 * 1024;
/// How long a connection closed with a farewell waits for the peer to close its side. Closing with unread bytes would
/// reset the connection, and the farewell could be lost with it.
const LINGER: Duration = Duration::from_secs(1);

/// A socket, and what was read from it and is not decoded yet.
pub(super) struct Link {
    socket: TcpStream,
    pub(super) input: BytesMut,
}

/// What reading ended with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// There is more, for the next turn.
    More,
    /// Nothing more until the poll says so.
    Nothing,
    /// The peer has closed or reset the connection.
    End,
}

impl Link {
    /// Takes an accepted socket into the poll.
    pub(super) fn open(
        mut socket: TcpStream,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Link> {
        socket.set_nodelay(true)?;
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Link {
            socket,
            input: BytesMut::new(),
        })
    }

    /// Reads what there is into `input`, up to the share of one turn.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> Found {
        let input = &mut self.input;
        read(&mut self.socket, scratch, |bytes| {
            input.extend_from_slice(bytes);
        })
    }

    /// Writes as much of `output` as the socket takes; what is left stays in it. An error means the connection is gone.
    pub(super) fn write(&mut self, output: &mut BytesMut) -> io::Result<()> {
        write(&mut self.socket, output)
    }

    /// Closes at once with a reset, as a broker does that dies or is cut off.
    pub(super) fn abort(self) {
        // If it cannot be set, the connection is closed all the same, only more politely.
        let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
    }

    /// Begins to close: what is left of `farewell` is written, then our side is closed, then the peer's is waited for.
    pub(super) fn part(self, farewell: BytesMut, now: Instant) -> PartingLink {
        PartingLink {
            socket: self.socket,
            farewell,
            half_closed: false,
            give_up: now + LINGER,
        }
    }
}

/// A link that is being closed after its last bytes.
pub(super) struct PartingLink {
    socket: TcpStream,
    farewell: BytesMut,
    half_closed: bool,
    give_up: Instant,
}

impl PartingLink {
    /// Goes on closing; true when it is done and the link can be dropped.
    pub(super) fn is_done(&mut self, scratch: &mut [u8], now: Instant) -> bool {
        if now >= self.give_up || write(&mut self.socket, &mut self.farewell).is_err() {
            return true;
        }
        if self.farewell.is_empty() && !self.half_closed {
            self.half_closed = true;
            if self.socket.shutdown(Shutdown::Write).is_err() {
                return true;
            }
        }
        // Until the peer closes too, what it sends is read and thrown away.
        loop {
            match read(&mut self.socket, scratch, |_| {}) {
                Found::More => {}
                Found::Nothing => return false,
                Found::End => return true,
            }
        }
    }

    /// When waiting for the peer's close is over.
    pub(super) fn give_up(&self) -> Instant {
        self.give_up
    }
}

fn read(socket: &mut TcpStream, scratch: &mut [u8], mut take: impl FnMut(&[u8])) -> Found {
    let mut taken = 0;
    while taken < READ_PER_TURN {
        match socket.read(scratch) {
            Ok(0) => return Found::End,
            Ok(count) => {
                taken += count;
                take(scratch.get(..count).unwrap_or_default());
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Found::Nothing,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Found::End,
        }
    }
    Found::More
}

fn write(socket: &mut TcpStream, output: &mut BytesMut) -> io::Result<()> {
    while !output.is_empty() {
        match socket.write(output) {
            Ok(count) => output.advance(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
