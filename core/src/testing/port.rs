//! The broker's port: kept from the first start to the end by a bound socket that does not listen.
use mio::net::TcpListener;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::{
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr},
};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A port of 127.0.0.1 that stays ours while nobody listens on it: connecting to it is then refused.
///
/// The keeping socket is bound and never listens. A listener shares its address by `SO_REUSEPORT`, so that there is no
/// moment between stop and start in which the port is free for somebody else. `SO_REUSEADDR` lets a listener be bound
/// while connections of the one before are still in TIME_WAIT.
pub(super) struct Port {
    keeper: Socket,
}

impl Port {
    /// Takes a free port of 127.0.0.1. Connecting to it is refused until `listen`.
    pub(super) fn reserve() -> io::Result<Port> {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Ok(Port {
            keeper: bound_socket(&anywhere.into())?,
        })
    }

    /// The port's number.
    pub(super) fn number(&self) -> io::Result<u16> {
        let address = self.keeper.local_addr()?.as_socket();
        address
            .map(|address| address.port())
            .ok_or_else(|| io::Error::other("the socket has no internet address"))
    }

    /// A listener on the port; dropping it makes connecting refused again.
    pub(super) fn listen(&self) -> io::Result<TcpListener> {
        let socket = bound_socket(&self.keeper.local_addr()?)?;
        socket.set_nonblocking(true)?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from_std(socket.into()))
    }
}

/// Ends listening. Closing alone would not, as long as a process forked meanwhile has the socket too.
pub(super) fn stop_listening(listener: TcpListener) {
    // If the system knows no shutdown of listeners, closing has to do.
    let _ = SockRef::from(&listener).shutdown(Shutdown::Both);
}

fn bound_socket(address: &SockAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.bind(address)?;
    Ok(socket)
}
