//! Where the broker is reached, a port or a socket file: kept from the first start to the end, also while nobody listens.
use super::{socket::Listener, websocket::Opening};
use socket2::{Domain, SockAddr, Socket, Type};
#[cfg(unix)]
use std::os::unix::{ffi::OsStrExt, fs::DirBuilderExt};
#[cfg(unix)]
use std::{env, fmt::Write, fs, process};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Where brokers commonly speak WebSocket.
const PATH: &str = "/mqtt";

/// An address that stays ours while nobody listens on it: connecting to it is then refused.
pub(super) enum Place {
    /// A port of 127.0.0.1.
    ///
    /// The keeping socket is bound and never listens. A listener shares its address by `SO_REUSEPORT`, so that there is
    /// no moment between stop and start in which the port is free for somebody else. `SO_REUSEADDR` lets a listener be
    /// bound while connections of the one before are still in TIME_WAIT.
    Port(Socket),
    /// A file of the operating system.
    #[cfg(unix)]
    File(SocketFile),
}

/// A Unix socket as a file. It stays while the broker is stopped, as after the sudden end of a broker.
#[cfg(unix)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// The folder that was made for it.
    folder: Option<PathBuf>,
}

impl Place {
    /// Takes a free port of 127.0.0.1. Connecting to it is refused until `listen`.
    pub(super) fn port() -> io::Result<Place> {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Ok(Place::Port(bound_socket(&anywhere.into())?))
    }

    /// Takes a socket file: this one, which must not exist yet, or one in a new folder for temporary files.
    #[cfg(unix)]
    pub(super) fn file(path: Option<&Path>) -> io::Result<Place> {
        let (path, folder) = match path {
            Some(path) if fs::symlink_metadata(path).is_ok() => {
                let problem = format!("{} exists already", path.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, problem));
            }
            Some(path) => (path.to_path_buf(), None),
            None => {
                let folder = new_folder()?;
                (folder.join("mqtt"), Some(folder))
            }
        };
        Ok(Place::File(SocketFile { path, folder }))
    }

    #[cfg(not(unix))]
    pub(super) fn file(_path: Option<&Path>) -> io::Result<Place> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A listener on it; ending that makes connecting refused again.
    pub(super) fn listen(&self) -> io::Result<Listener> {
        match self {
            Place::Port(keeper) => {
                let socket = bound_socket(&keeper.local_addr()?)?;
                socket.set_nonblocking(true)?;
                socket.listen(BACKLOG)?;
                Ok(Listener::Tcp(mio::net::TcpListener::from_std(
                    socket.into(),
                )))
            }
            #[cfg(unix)]
            Place::File(file) => {
                // What an earlier listener left: a file cannot be listened on twice.
                let _ = fs::remove_file(&file.path);
                mio::net::UnixListener::bind(&file.path).map(Listener::Unix)
            }
        }
    }

    /// The port's number; 0 for a file.
    pub(super) fn number(&self) -> io::Result<u16> {
        match self {
            Place::Port(keeper) => {
                let address = keeper.local_addr()?.as_socket();
                address
                    .map(|address| address.port())
                    .ok_or_else(|| io::Error::other("the socket has no internet address"))
            }
            #[cfg(unix)]
            Place::File(_) => Ok(0),
        }
    }

    /// Its address as a URL.
    pub(super) fn url(&self, tls: bool, websocket: Option<&Opening>) -> io::Result<String> {
        #[cfg(unix)]
        if let Place::File(file) = self {
            return Ok(format!("mqtt+unix://{}", escaped(&file.path)));
        }
        let (scheme, path) = match (websocket, tls) {
            (None, false) => ("mqtt", ""),
            (None, true) => ("mqtts", ""),
            (Some(opening), false) => ("ws", opening.path.as_deref().unwrap_or(PATH)),
            (Some(opening), true) => ("wss", opening.path.as_deref().unwrap_or(PATH)),
        };
        Ok(format!("{scheme}://127.0.0.1:{}{path}", self.number()?))
    }
}

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        // Whoever has removed them already has done the same.
        let _ = fs::remove_file(&self.path);
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// A folder that nobody else can look into. Its number tells it from those of this process and of dead ones.
#[cfg(unix)]
fn new_folder() -> io::Result<PathBuf> {
    let mut number = 0_u32;
    loop {
        let folder = env::temp_dir().join(format!("leveret-{}-{number}", process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// The path in a URL (RFC 3986 section 2.1).
#[cfg(unix)]
fn escaped(path: &Path) -> String {
    let mut escaped = String::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(*byte));
            }
            _ => {
                // Writing to a text cannot fail.
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

fn bound_socket(address: &SockAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.bind(address)?;
    Ok(socket)
}
