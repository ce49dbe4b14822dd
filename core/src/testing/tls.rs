//! TLS as a layer over another: rustls, driven by whoever reads and writes.
use super::socket::Layer;
use rustls::{ServerConfig, ServerConnection};
use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
};

/// How much is encrypted before it is sent: one record (RFC 8446 section 5.1), so that little lies between the broker and
/// the system.
const RECORD: usize = 16 * 1024;

/// A connection whose bytes are encrypted. The handshake happens below the first reads.
pub(super) struct Tls {
    session: ServerConnection,
    /// Whether a client that offers no protocol is refused; one that offers others is by rustls.
    demands_protocol: bool,
    below: Box<dyn Layer>,
    farewell_said: bool,
}

impl Tls {
    /// The server's side of a new connection.
    pub(super) fn new(config: Arc<ServerConfig>, below: Box<dyn Layer>) -> io::Result<Tls> {
        let demands_protocol = !config.alpn_protocols.is_empty();
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Tls {
            session,
            demands_protocol,
            below,
            farewell_said: false,
        })
    }

    fn lacks_protocol(&self) -> bool {
        self.demands_protocol
            && !self.session.is_handshaking()
            && self.session.alpn_protocol().is_none()
    }

    /// Sends what is encrypted; `WouldBlock` if some of it has to wait.
    fn push(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.below)?;
        }
        Ok(())
    }

    /// The same, where what is left is sent at the next chance.
    fn push_some(&mut self) -> io::Result<()> {
        match self.push() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            pushed => pushed,
        }
    }
}

impl Read for Tls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            self.session.read_tls(&mut self.below)?;
            let understood = self.session.process_new_packets();
            // The answers of the handshake, or the alert that says why there will be none.
            self.push_some()?;
            understood.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            if self.lacks_protocol() {
                return Err(ErrorKind::InvalidData.into());
            }
        }
    }
}

impl Write for Tls {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push()?;
        if self.session.is_handshaking() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let record = bytes.get(..RECORD).unwrap_or(bytes);
        let taken = self.session.writer().write(record)?;
        self.push_some()?;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push()?;
        self.below.flush()
    }
}

impl Layer for Tls {
    fn farewell(&mut self) -> io::Result<()> {
        if !self.farewell_said {
            self.farewell_said = true;
            self.session.send_close_notify();
        }
        self.push()?;
        self.below.farewell()
    }

    fn make_abortive(&self) {
        self.below.make_abortive();
    }
}
