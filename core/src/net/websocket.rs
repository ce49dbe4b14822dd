//! The layer of WebSocket: MQTT as the content of binary messages (MQTT 5, section 6).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Sink, Stream};
use leveret_protocol::engine::{LinkError, LinkErrorKind};
use leveret_protocol::error::Error;
use leveret_protocol::sentence::{Dialect, Quoted};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error as WebError, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::{Request, generate_key};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};

use super::layers::{Layer, Stack};
use super::network::Route;
use super::socket::Socket;
use super::{carried, link_error};

/// The name that both sides have to agree on (MQTT-6.0.0-3 and -4).
const SUBPROTOCOL: &str = "mqtt";

/// How much is read of the layer below at a time.
const READ_SIZE: usize = 16 * 1024;

/// How much larger than the largest packet a message may be: a broker may put several packets into one.
const MESSAGE_ROOM: usize = 1024 * 1024;

/// Headers that belong to the handshake itself (RFC 6455, section 4.1).
const OURS: [&str; 6] = [
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
];

/// A pair as it goes into the request.
pub(super) type Header = (HeaderName, HeaderValue);

/// Bytes through binary messages.
pub(super) struct Web {
    stream: WebSocketStream<Stack>,
    /// What is left of the last message.
    rest: Bytes,
    closed: bool,
}

/// Reads headers that the application gives.
///
/// # Errors
/// `InvalidArgument` for what HTTP cannot carry and for headers of the handshake itself. Values are not shown.
pub(super) fn headers(given: &[(String, String)], dialect: Dialect) -> Result<Vec<Header>, Error> {
    given
        .iter()
        .map(|(name, value)| {
            let fault = |rule: &str| {
                let option = dialect.spell("websocket_headers");
                Error::invalid(format!("{option} must {rule}, but {} does", Quoted(name)))
            };
            let header = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| fault("not have a name that HTTP does not allow"))?;
            if OURS.contains(&header.as_str()) {
                return Err(fault("not replace a header of the handshake"));
            }
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| fault("not have a value with control characters"))?;
            value.set_sensitive(true);
            Ok((header, value))
        })
        .collect()
}

/// Makes a WebSocket of a byte stream, with these headers and those of the route.
pub(super) async fn connect(
    route: &Route,
    stack: Stack,
    headers: &[Header],
    most: u32,
) -> Result<Stack, LinkError> {
    let more = self::headers(&route.websocket_headers, Dialect::default())
        .map_err(|error| failed(error.to_string()))?;
    let request = request(route, headers.iter().cloned().chain(more))?;
    let most = usize::try_from(most)
        .unwrap_or(usize::MAX)
        .saturating_add(MESSAGE_ROOM);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_SIZE)
        // A message is a piece of what the link is given, and goes on at once.
        .write_buffer_size(0)
        .max_message_size(Some(most))
        .max_frame_size(Some(most));
    let shaken = tokio_tungstenite::client_async_with_config(request, stack, Some(config)).await;
    match shaken {
        Ok((stream, _response)) => Ok(Box::new(Web {
            stream,
            rest: Bytes::new(),
            closed: false,
        })),
        Err(error) => Err(handshake_error(error)),
    }
}

/// The opening request (RFC 6455, section 4.1).
fn request(route: &Route, headers: impl Iterator<Item = Header>) -> Result<Request, LinkError> {
    let address = &route.address;
    let unfit = |_| failed(format!("{address} cannot be asked for by HTTP"));
    let path = String::from_utf8_lossy(&address.path);
    let mut request = Request::builder()
        .uri(format!("ws://{}{path}", address.authority()))
        .header("host", address.host_header())
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key())
        .header("sec-websocket-protocol", SUBPROTOCOL)
        .body(())
        .map_err(unfit)?;
    let mut own_host = false;
    for (name, value) in headers {
        if name == "host" && !own_host {
            own_host = true;
            request.headers_mut().insert(name, value);
        } else {
            request.headers_mut().append(name, value);
        }
    }
    Ok(request)
}

fn failed(text: String) -> LinkError {
    LinkError {
        kind: LinkErrorKind::WebSocket,
        text,
    }
}

fn handshake_error(error: WebError) -> LinkError {
    match error {
        WebError::Io(error) => {
            let mut why = link_error(&error);
            why.text = format!("the WebSocket handshake broke off: {}", why.text);
            why
        }
        WebError::Http(response) => failed(refusal(response.status())),
        WebError::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => failed(
            "the broker has a WebSocket there, but not for MQTT: it does not confirm the subprotocol mqtt (MQTT-6.0.0-4)".into(),
        ),
        WebError::Protocol(ProtocolError::HandshakeIncomplete) => {
            failed("the broker closed the connection during the WebSocket handshake".into())
        }
        error => failed(format!("the broker does not speak WebSocket there: {error}")),
    }
}

fn refusal(status: StatusCode) -> String {
    let meaning = match status.as_u16() {
        401 => ": it wants to know who we are (websocket_headers)",
        403 => ": it does not let us",
        404 => ": there is nothing at this path",
        300..=399 => ": it refers to another URL, which is not followed",
        _ => "",
    };
    format!("the broker answered the WebSocket handshake with HTTP status {status}{meaning}")
}

/// An error of a WebSocket that was there, in the form in which streams have errors.
fn later_error(error: WebError) -> io::Error {
    let text = match error {
        WebError::Io(error) => return error,
        WebError::Capacity(_) => {
            "the broker sent a WebSocket message that is larger than max_packet_size allows".into()
        }
        error => format!("the broker broke the rules of WebSocket: {error}"),
    };
    carried(failed(text))
}

impl Web {
    /// The next content; empty at the end.
    fn poll_content(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        loop {
            let Some(message) = ready!(Pin::new(&mut self.stream).poll_next(context)) else {
                return Poll::Ready(Ok(Bytes::new()));
            };
            match message {
                Ok(Message::Binary(content)) if content.is_empty() => {}
                Ok(Message::Binary(content)) => return Poll::Ready(Ok(content)),
                Ok(Message::Text(_)) => {
                    let text =
                        "the broker sent text over WebSocket, and MQTT is binary (MQTT-6.0.0-1)";
                    return Poll::Ready(Err(carried(failed(text.into()))));
                }
                Ok(Message::Close(Some(frame))) if !frame.reason.is_empty() => {
                    let why = LinkError {
                        kind: LinkErrorKind::Closed,
                        text: format!(
                            "the broker closed the WebSocket: {} ({})",
                            Quoted(&frame.reason),
                            frame.code
                        ),
                    };
                    return Poll::Ready(Err(carried(why)));
                }
                Ok(Message::Close(_)) => return Poll::Ready(Ok(Bytes::new())),
                // Pings are answered below.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Err(error) => return Poll::Ready(Err(later_error(error))),
            }
        }
    }
}

impl AsyncRead for Web {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest.is_empty() {
            self.rest = ready!(self.poll_content(context))?;
        }
        let count = self.rest.len().min(buffer.remaining());
        buffer.put_slice(self.rest.get(..count).unwrap_or_default());
        self.rest.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Web {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    /// One message of all slices.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut stream = Pin::new(&mut self.stream);
        ready!(stream.as_mut().poll_ready(context)).map_err(later_error)?;
        let count = slices.iter().map(|slice| slice.len()).sum();
        let mut content = BytesMut::with_capacity(count);
        for slice in slices {
            content.extend_from_slice(slice);
        }
        stream
            .start_send(Message::Binary(content.freeze()))
            .map_err(later_error)?;
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream)
            .poll_flush(context)
            .map_err(later_error)
    }

    /// Says Close; once more, ends the layer below. Between the two the peer's own Close is to be read (RFC 6455, section 7.1).
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closed {
            return Pin::new(self.stream.get_mut()).poll_shutdown(context);
        }
        ready!(Pin::new(&mut self.stream).poll_close(context)).map_err(later_error)?;
        self.closed = true;
        Poll::Ready(Ok(()))
    }
}

impl Layer for Web {
    fn socket(&mut self) -> &mut Socket {
        self.stream.get_mut().socket()
    }
}
