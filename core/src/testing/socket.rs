//! Sockets of the operating system, TCP or Unix: the lowest layer of a connection, and what gives it.
#[cfg(unix)]
use mio::net::{UnixListener, UnixStream};
use mio::{
    Interest, Registry, Token,
    event::Source,
    net::{TcpListener, TcpStream},
};
use socket2::SockRef;
use std::{
    io::{self, Read, Write},
    net::Shutdown,
    time::Duration,
};

/// What carries bytes: a socket, or something over it that wraps them up.
pub(super) trait Layer: Read + Write + Send {
    /// Says that nothing more will be written, in the words of this layer and then of those below. Called again until
    /// it is not `WouldBlock`.
    fn farewell(&mut self) -> io::Result<()>;

    /// Makes the end of the connection a reset, as that of a broker that dies or is cut off.
    fn make_abortive(&self);
}

/// What gives connections.
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// An accepted connection.
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Listener {
    /// Takes it into the poll.
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let source: &mut dyn Source = match self {
            Listener::Tcp(listener) => listener,
            #[cfg(unix)]
            Listener::Unix(listener) => listener,
        };
        source.register(registry, token, Interest::READABLE)
    }

    /// The next connection that waits.
    pub(super) fn accept(&self) -> io::Result<Socket> {
        match self {
            Listener::Tcp(listener) => Ok(Socket::Tcp(listener.accept()?.0)),
            #[cfg(unix)]
            Listener::Unix(listener) => Ok(Socket::Unix(listener.accept()?.0)),
        }
    }

    /// Ends listening. Closing alone would not, as long as a process forked meanwhile has the socket too.
    pub(super) fn end(self) {
        let socket = match &self {
            Listener::Tcp(listener) => SockRef::from(listener),
            #[cfg(unix)]
            Listener::Unix(listener) => SockRef::from(listener),
        };
        // If the system knows no shutdown of listeners, closing has to do.
        let _ = socket.shutdown(Shutdown::Both);
    }
}

impl Socket {
    /// Takes it into the poll.
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let source: &mut dyn Source = match self {
            Socket::Tcp(stream) => {
                stream.set_nodelay(true)?;
                stream
            }
            #[cfg(unix)]
            Socket::Unix(stream) => stream,
        };
        source.register(registry, token, Interest::READABLE | Interest::WRITABLE)
    }
}

impl Layer for Socket {
    fn farewell(&mut self) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    fn make_abortive(&self) {
        match self {
            // If it cannot be set, the connection is closed all the same, only more politely.
            Socket::Tcp(stream) => drop(SockRef::from(stream).set_linger(Some(Duration::ZERO))),
            // It knows no reset; what is unread is lost in any case.
            #[cfg(unix)]
            Socket::Unix(_) => {}
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(buffer),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Socket::Unix(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
