//! Sockets that others opened, and socket options that the runtime's own types do not offer.

#[cfg(unix)]
use std::{
    io,
    net::TcpStream,
    os::fd::{AsFd, FromRawFd, OwnedFd, RawFd},
    os::unix::net::UnixStream,
};

/// A connected socket that the application opened.
#[cfg(unix)]
#[derive(Debug)]
pub enum Adopted {
    /// TCP over IPv4 or IPv6.
    Tcp(TcpStream),
    /// A Unix stream socket.
    Unix(UnixStream),
}

/// Takes over a connected stream socket: from now on it is non-blocking, closed on exec, and ours to close.
///
/// # Errors
/// When `descriptor` is not open, no stream socket, or not connected; it is then left as it was.
#[cfg(unix)]
pub fn adopt_socket(descriptor: RawFd) -> io::Result<Adopted> {
    if socket_type(descriptor)? != libc::SOCK_STREAM {
        return Err(io::Error::other("it is no stream socket"));
    }
    let family = peer_family(descriptor)?;
    if ![libc::AF_INET, libc::AF_INET6, libc::AF_UNIX].contains(&family) {
        return Err(io::Error::other("it is neither a TCP nor a Unix socket"));
    }
    // SAFETY: the application gave the descriptor away by naming it as the socket of the client, and it was
    // found to be open; nobody else of ours knows it.
    let owned = unsafe { OwnedFd::from_raw_fd(descriptor) };
    close_on_exec(descriptor)?;
    Ok(if family == libc::AF_UNIX {
        let stream = UnixStream::from(owned);
        stream.set_nonblocking(true)?;
        Adopted::Unix(stream)
    } else {
        let stream = TcpStream::from(owned);
        stream.set_nonblocking(true)?;
        Adopted::Tcp(stream)
    })
}

#[cfg(unix)]
fn socket_type(descriptor: RawFd) -> io::Result<libc::c_int> {
    let mut found: libc::c_int = 0;
    let mut length = size_of_val(&found) as libc::socklen_t;
    // SAFETY: the option is an int, for which there is room; both live through the call.
    let result = unsafe {
        libc::getsockopt(
            descriptor,
            libc::SOL_SOCKET,
            libc::SO_TYPE,
            (&raw mut found).cast(),
            &raw mut length,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(found)
}

/// The address family of a socket's peer; an error without one.
#[cfg(unix)]
fn peer_family(descriptor: RawFd) -> io::Result<libc::c_int> {
    // SAFETY: the structure is plain bytes, for which zero is a value.
    let mut peer: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut length = size_of_val(&peer) as libc::socklen_t;
    // SAFETY: there is room for any address, and both live through the call.
    let result = unsafe { libc::getpeername(descriptor, (&raw mut peer).cast(), &raw mut length) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(libc::c_int::from(peer.ss_family))
}

#[cfg(unix)]
fn close_on_exec(descriptor: RawFd) -> io::Result<()> {
    // SAFETY: no pointer is passed.
    let result = unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// How many bytes the kernel may hold that it has not sent yet, before it takes no more from us.
///
/// Small, because a letter among them can still be delivered after its time to live; large enough that
/// the link never idles between two turns of the driver.
#[cfg(unix)]
pub const NOTSENT_LOWAT_BYTES: u32 = 64 * 1024;

/// Keeps the bytes that the kernel has taken but not sent to about [`NOTSENT_LOWAT_BYTES`]
/// (`TCP_NOTSENT_LOWAT`). Does nothing where the system has no such option.
///
/// # Errors
/// When `socket` is not a TCP socket.
#[cfg(unix)]
pub fn keep_unsent_few(socket: &impl AsFd) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use std::os::fd::AsRawFd;

        let value = NOTSENT_LOWAT_BYTES;
        let length = size_of_val(&value) as libc::socklen_t;
        // SAFETY: the option takes an int of four bytes, which lives through the call.
        let result = unsafe {
            libc::setsockopt(
                socket.as_fd().as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_NOTSENT_LOWAT,
                (&raw const value).cast(),
                length,
            )
        };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    let _ = socket;
    Ok(())
}
