//! WebSocket as a layer over another: the server's side of RFC 6455 with the sub-protocol of MQTT (MQTT 5.0 section 6).
use super::socket::Layer;
use bytes::{Buf, Bytes};
use leveret_protocol::codec::MAX_PACKET_SIZE;
use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
};
use tungstenite::{
    Error, Message, WebSocket,
    handshake::{
        HandshakeError, MidHandshake,
        server::{Callback, ErrorResponse, Request, Response, ServerHandshake},
    },
    http::{HeaderName, HeaderValue, StatusCode, header::SEC_WEBSOCKET_PROTOCOL},
    protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
};

/// What a frame holds at most. Less than a large packet, and more than a small one, so that clients meet packets that
/// span frames and frames with several packets (MQTT-6.0.0-2).
const FRAME: usize = 16 * 1024;
const SUB_PROTOCOL: &str = "mqtt";

/// What clients have to ask for to be let in.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    /// Path and query, if not any will do.
    pub(super) path: Option<String>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Opening {
    /// A header as it stands in a request, `Name: value`; `None` if it is none.
    pub(super) fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
        let (name, value) = line.split_once(':')?;
        let value = HeaderValue::from_str(value.trim()).ok()?;
        Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, value))
    }

    /// Why a request is refused; `None` if it is not.
    fn refusal(&self, request: &Request) -> Option<(StatusCode, String)> {
        let asked = request.uri().path_and_query().map(|path| path.as_str());
        if self.path.is_some() && self.path.as_deref() != asked {
            return Some((
                StatusCode::NOT_FOUND,
                "there is nothing at this path".into(),
            ));
        }
        for (name, value) in &self.headers {
            if !request
                .headers()
                .get_all(name)
                .iter()
                .any(|given| given == value)
            {
                let words = format!("the header {name} is missing or wrong");
                return Some((StatusCode::UNAUTHORIZED, words));
            }
        }
        let offered = request
            .headers()
            .get_all(SEC_WEBSOCKET_PROTOCOL)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|name| name.trim() == SUB_PROTOCOL);
        let words = "the WebSocket sub-protocol mqtt must be offered";
        (!offered).then(|| (StatusCode::BAD_REQUEST, words.into()))
    }
}

/// A connection whose bytes travel in binary frames. The handshake happens below the first reads.
pub(super) struct Frames {
    stage: Stage,
    /// What is left of a frame that was read.
    unread: Bytes,
}

enum Stage {
    Shaking(MidHandshake<ServerHandshake<Box<dyn Layer>, Answer>>),
    Open(WebSocket<Box<dyn Layer>>),
    /// The handshake failed, and with it the connection.
    Over,
}

impl Frames {
    /// The server's side of a new connection.
    pub(super) fn new(opening: Arc<Opening>, below: Box<dyn Layer>) -> Frames {
        let most = Some(MAX_PACKET_SIZE as usize);
        let config = WebSocketConfig::default()
            .max_message_size(most)
            .max_frame_size(most);
        Frames {
            stage: Stage::Shaking(ServerHandshake::start(below, Answer(opening), Some(config))),
            unread: Bytes::new(),
        }
    }

    /// The socket, once the handshake is done; goes on with that until then.
    fn open(&mut self) -> io::Result<&mut WebSocket<Box<dyn Layer>>> {
        if let Stage::Shaking(_) = self.stage
            && let Stage::Shaking(shaking) = std::mem::replace(&mut self.stage, Stage::Over)
        {
            match shaking.handshake() {
                Ok(open) => self.stage = Stage::Open(open),
                Err(HandshakeError::Interrupted(shaking)) => {
                    self.stage = Stage::Shaking(shaking);
                    return Err(ErrorKind::WouldBlock.into());
                }
                Err(HandshakeError::Failure(error)) => return Err(in_terms_of_io(error)),
            }
        }
        match &mut self.stage {
            Stage::Open(open) => Ok(open),
            _ => Err(ErrorKind::NotConnected.into()),
        }
    }
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.unread.is_empty() {
            let socket = self.open()?;
            match socket.read() {
                Ok(Message::Binary(bytes)) => self.unread = bytes,
                Ok(Message::Text(_)) => {
                    let reason = "MQTT travels in binary frames".into();
                    let code = CloseCode::Unsupported;
                    // The client may be gone already; the connection ends in any case (MQTT-6.0.0-1).
                    let _ = socket.close(Some(CloseFrame { code, reason }));
                    return Err(ErrorKind::InvalidData.into());
                }
                // Pings are answered by the socket itself, and the end of the conversation is its next answer.
                Ok(_) => {}
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Ok(0),
                Err(error) => return Err(in_terms_of_io(error)),
            }
        }
        let count = self.unread.len().min(buffer.len());
        self.unread
            .copy_to_slice(buffer.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flush()?;
        let Stage::Open(socket) = &mut self.stage else {
            return Err(ErrorKind::WouldBlock.into());
        };
        let frame = bytes.get(..FRAME).unwrap_or(bytes);
        let written = socket
            .write(Message::Binary(Bytes::copy_from_slice(frame)))
            .and_then(|()| socket.flush())
            .map_err(in_terms_of_io);
        match written {
            // The socket has taken the frame, and sends what is left of it at the next flush.
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(frame.len()),
            Err(error) => Err(error),
            Ok(()) => Ok(frame.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stage {
            Stage::Open(socket) => socket.flush().map_err(in_terms_of_io),
            // Reading brings the handshake on.
            _ => Ok(()),
        }
    }
}

impl Layer for Frames {
    fn farewell(&mut self) -> io::Result<()> {
        match &mut self.stage {
            Stage::Shaking(shaking) => shaking.get_mut().get_mut().farewell(),
            Stage::Open(socket) => match socket.close(None) {
                Ok(()) | Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                    socket.get_mut().farewell()
                }
                Err(error) => Err(in_terms_of_io(error)),
            },
            Stage::Over => Err(ErrorKind::NotConnected.into()),
        }
    }

    fn make_abortive(&self) {
        match &self.stage {
            Stage::Shaking(shaking) => shaking.get_ref().get_ref().make_abortive(),
            Stage::Open(socket) => socket.get_ref().make_abortive(),
            Stage::Over => {}
        }
    }
}

/// The answer to the handshake: MQTT, or nothing (MQTT-6.0.0-3, MQTT-6.0.0-4).
struct Answer(Arc<Opening>);

impl Callback for Answer {
    fn on_request(
        self,
        request: &Request,
        mut response: Response,
    ) -> Result<Response, ErrorResponse> {
        if let Some((status, words)) = self.0.refusal(request) {
            let mut refusal = ErrorResponse::new(Some(words + "\n"));
            *refusal.status_mut() = status;
            return Err(refusal);
        }
        let header = HeaderValue::from_static(SUB_PROTOCOL);
        response
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL, header);
        Ok(response)
    }
}

fn in_terms_of_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        error => io::Error::new(ErrorKind::InvalidData, error),
    }
}
