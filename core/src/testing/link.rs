//! One connection as bytes: its layers, reading, writing, and the two ways to close it.
use super::{
    socket::{Layer, Socket},
    tls::Tls,
    websocket::{Frames, Opening},
};
use bytes::{Buf, BytesMut};
use leveret_protocol::time::{Duration, Instant};
use rustls::ServerConfig;
use std::{
    io::{self, ErrorKind},
    sync::Arc,
};

/// How much is read of one connection before the others have their turn.
const READ_PER_TURN: usize = 256 * 1024;
/// How long a connection closed with a farewell waits for the peer to close its side. Closing with unread bytes would
/// reset the connection, and the farewell could be lost with it.
const LINGER: Duration = Duration::from_secs(1);

/// What lies over the sockets.
pub(super) struct Layers {
    /// TLS, if it is spoken.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// WebSocket, if it is spoken, over TLS if both are.
    pub(super) websocket: Option<Arc<Opening>>,
}

/// A connection, and what was read from it and is not decoded yet.
pub(super) struct Link {
    layers: Box<dyn Layer>,
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

impl Layers {
    /// Puts them over an accepted socket.
    pub(super) fn over(&self, socket: Socket) -> io::Result<Link> {
        let mut layers: Box<dyn Layer> = Box::new(socket);
        if let Some(config) = &self.tls {
            layers = Box::new(Tls::new(Arc::clone(config), layers)?);
        }
        if let Some(opening) = &self.websocket {
            layers = Box::new(Frames::new(Arc::clone(opening), layers));
        }
        Ok(Link {
            layers,
            input: BytesMut::new(),
        })
    }
}

impl Link {
    /// Reads what there is into `input`, up to the share of one turn.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> Found {
        let input = &mut self.input;
        read(&mut *self.layers, scratch, |bytes| {
            input.extend_from_slice(bytes);
        })
    }

    /// Writes as much of `output` as the layers take; what is left stays in it. An error means the connection is gone.
    pub(super) fn write(&mut self, output: &mut BytesMut) -> io::Result<()> {
        write(&mut *self.layers, output)
    }

    /// Closes at once with a reset, as a broker does that dies or is cut off.
    pub(super) fn abort(self) {
        self.layers.make_abortive();
    }

    /// Begins to close: what is left of `farewell` is written, then our side is closed, then the peer's is waited for.
    pub(super) fn part(self, farewell: BytesMut, now: Instant) -> PartingLink {
        PartingLink {
            layers: self.layers,
            farewell,
            half_closed: false,
            give_up: now + LINGER,
        }
    }
}

/// A link that is being closed after its last bytes.
pub(super) struct PartingLink {
    layers: Box<dyn Layer>,
    farewell: BytesMut,
    half_closed: bool,
    give_up: Instant,
}

impl PartingLink {
    /// Goes on closing; true when it is done and the link can be dropped.
    pub(super) fn is_done(&mut self, scratch: &mut [u8], now: Instant) -> bool {
        if now >= self.give_up || write(&mut *self.layers, &mut self.farewell).is_err() {
            return true;
        }
        if self.farewell.is_empty() && !self.half_closed {
            match self.layers.farewell() {
                Ok(()) => self.half_closed = true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return true,
            }
        }
        // Until the peer closes too, what it sends is read and thrown away.
        loop {
            match read(&mut *self.layers, scratch, |_| {}) {
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

fn read(layers: &mut dyn Layer, scratch: &mut [u8], mut take: impl FnMut(&[u8])) -> Found {
    let mut taken = 0;
    while taken < READ_PER_TURN {
        match layers.read(scratch) {
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

fn write(layers: &mut dyn Layer, output: &mut BytesMut) -> io::Result<()> {
    loop {
        let step = match output.is_empty() {
            false => layers.write(output),
            true => layers.flush().map(|()| 0),
        };
        match step {
            Ok(_) if output.is_empty() => return Ok(()),
            Ok(count) => output.advance(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
