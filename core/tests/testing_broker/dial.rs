//! The way to a test broker, as its address says: a socket, TLS and WebSocket over it, all blocking.
use crate::client::PATIENCE;
use leveret::testing::Broker;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
};
use tungstenite::{
    Message, WebSocket, client::IntoClientRequest, handshake::client::Request, http::HeaderValue,
};

pub(crate) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A connection to where the broker listens, after the handshakes of its layers; a panic if one fails.
pub(crate) fn dial(broker: &Broker) -> Box<dyn Stream> {
    let socket = socket(broker);
    let stream = match broker.ca_pem() {
        Some(ca) => secure(socket, trusting(ca)).expect("the handshake succeeds"),
        None => socket,
    };
    match broker.url().starts_with("ws") {
        true => Box::new(Frames::over(stream)),
        false => stream,
    }
}

/// The bare socket below.
pub(crate) fn socket(broker: &Broker) -> Box<dyn Stream> {
    #[cfg(unix)]
    if let Some(path) = broker.url().strip_prefix("mqtt+unix://") {
        let stream = UnixStream::connect(path).expect("the broker listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        return Box::new(stream);
    }
    let stream = TcpStream::connect(("127.0.0.1", broker.port())).expect("the broker listens");
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    Box::new(stream)
}

/// How a client speaks that trusts one authority and shows no certificate.
pub(crate) fn trusting(ca_pem: &str) -> ClientConfig {
    settings(ca_pem).with_no_client_auth()
}

/// The same with a certificate.
pub(crate) fn identified(ca_pem: &str, cert_pem: &str, key_pem: &str) -> ClientConfig {
    let chain = vec![CertificateDer::from_pem_slice(cert_pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).unwrap();
    settings(ca_pem).with_client_auth_cert(chain, key).unwrap()
}

fn settings(ca_pem: &str) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}

/// TLS over a stream, after its handshake.
pub(crate) fn secure(
    mut socket: Box<dyn Stream>,
    config: ClientConfig,
) -> io::Result<Box<dyn Stream>> {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut session = ClientConnection::new(Arc::new(config), name).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut socket)?;
    }
    Ok(Box::new(StreamOwned::new(session, socket)))
}

/// The opening of a WebSocket that offers these sub-protocols.
pub(crate) fn opening(sub_protocols: &'static str) -> Request {
    let mut request = "ws://127.0.0.1/mqtt".into_client_request().unwrap();
    let offered = HeaderValue::from_static(sub_protocols);
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", offered);
    request
}

/// A WebSocket whose binary frames are read and written as one stream of bytes.
struct Frames {
    socket: WebSocket<Box<dyn Stream>>,
    unread: bytes::Bytes,
}

impl Frames {
    fn over(stream: Box<dyn Stream>) -> Frames {
        let (socket, response) = tungstenite::client(opening("mqtt"), stream).expect("accepted");
        assert_eq!(response.headers()["Sec-WebSocket-Protocol"], "mqtt");
        Frames {
            socket,
            unread: bytes::Bytes::new(),
        }
    }
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.unread.is_empty() {
            match self.socket.read() {
                Ok(Message::Binary(bytes)) => self.unread = bytes,
                Ok(Message::Close(_)) => return Ok(0),
                Ok(other) => panic!("{other:?}"),
                Err(tungstenite::Error::Io(error)) => return Err(error),
                Err(error) => return Err(io::Error::new(io::ErrorKind::ConnectionReset, error)),
            }
        }
        let count = self.unread.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.unread.split_to(count));
        Ok(count)
    }
}

impl Write for Frames {
    /// A byte is a frame of its own, and so is the rest: where a frame ends says nothing of packets.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (first, rest) = bytes.split_at(bytes.len().min(1));
        for frame in [first, rest] {
            let message = Message::Binary(bytes::Bytes::copy_from_slice(frame));
            self.socket.send(message).map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
