//! The test broker of leveret: an MQTT broker inside the process, on a free port of 127.0.0.1 or at a
//! Unix socket, for tests.
//!
//! Not part of libraries built for devices. Every function may be called from any thread, NULL
//! where a broker or text is needed is `MQTT_NULL_POINTER`, and results and errors are as in
//! leveret.h.
use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::Weak;

use bytes::Bytes;
use leveret::host::Handoff;
use leveret::host::options::Value;
use leveret::host::{Error, ErrorKind, Message, Text, sentence};
use leveret::testing::{Broker, ReceivedMessage, ServerCertificate};

use crate::client::{face, mqtt_client};
use crate::error::mqtt_result;
use crate::guard::{guard, guard_or};
use crate::handle::{self, Boxed, Hidden, Opaque};
use crate::input;
use crate::message::{Kept, mqtt_message};

/// A running broker.
pub struct mqtt_test_broker(Hidden);

/// Starts a broker that speaks both versions of MQTT, to be ended with `mqtt_test_broker_free`.
/// NULL if the system has no socket or thread.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_test_broker_new() -> *mut mqtt_test_broker {
    guard_or(ptr::null_mut(), || {
        Ok(handle::give(TestBroker::new(Broker::start_new()?)?))
    })
}

/// Starts a broker with options, to be ended with `mqtt_test_broker_free`. NULL after an error.
///
/// One that speaks TLS and wants certificates of its clients:
///
///     const char *options[] = {"tls", "true", "client_certificates", "true", NULL};
///     mqtt_test_broker *broker = mqtt_test_broker_new_with(options);
///
/// | option | value | unless given |
/// | --- | --- | --- |
/// | `protocol` | "3.1.1" or "5", the only version spoken | both |
/// | `tls` | "true": TLS, with the certificates told by `mqtt_test_broker_ca_pem` | "false" |
/// | `client_certificates` | "true": TLS that clients need a certificate for | "false" |
/// | `alpn` | TLS with this protocol, which clients must offer in the handshake (RFC 7301) | any or none |
/// | `websocket` | "true": WebSocket, with `tls` over it | "false" |
/// | `websocket_path` | the only path, with its query, at which WebSocket is spoken | any, "/mqtt" in the URL |
/// | `websocket_header` | "Name: value" that clients must bring; may be given several times | none |
/// | `unix_socket` | "true" or the absolute path of a socket file to be made | "false": a port |
/// | `receive_maximum` | letters of QoS 1 and 2 taken before they are acknowledged, 1 to 65535 (MQTT 5) | 65535 |
/// | `maximum_qos` | "0", "1" or "2": the highest that clients may publish with | "2" |
/// | `retain_available` | "false": no message is retained | "true" |
/// | `maximum_packet_size` | the largest packet taken, in bytes | no limit |
/// | `server_keep_alive` | seconds that replace the keep alive of MQTT 5 clients | the client's |
/// | `deny` | a topic filter to which access is denied; may be given several times | none |
///
/// @param options  names and values in turn, and NULL after the last; NULL for none
///
/// # Safety
/// `options` is NULL or points to NUL-terminated texts with NULL after them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_new_with(
    options: *const *const c_char,
) -> *mut mqtt_test_broker {
    guard_or(ptr::null_mut(), || {
        let mut builder = Broker::builder();
        // SAFETY: the caller vouches for the texts.
        let texts = unsafe { texts(options, "options") }?;
        for pair in texts.chunks(2) {
            let [name, value] = pair else {
                let given = format!("\"{}\" without a value", pair.concat());
                let allowed = "names and values in turn";
                return Err(sentence::must_be("options", allowed, given));
            };
            builder.set(name, Value::Text((*value).into()))?;
        }
        Ok(handle::give(TestBroker::new(builder.start()?)?))
    })
}

/// Ends a broker: connections are reset and the port is given back. NULL is nothing.
///
/// # Safety
/// `broker` is NULL or alive, and not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_free(broker: *mut mqtt_test_broker) {
    guard_or((), || {
        // SAFETY: the caller gives it up.
        drop(unsafe { handle::take_back(broker) });
        Ok(())
    });
}

/// Where clients reach it: "mqtt://127.0.0.1:" and the port, or what its options make of that:
/// "mqtts://", "ws://", "wss://" or "mqtt+unix://" and a path. The same for its whole life, and
/// valid for it; NULL for a NULL broker.
///
/// # Safety
/// `broker` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_url(broker: *const mqtt_test_broker) -> *const c_char {
    guard_or(ptr::null(), || {
        // SAFETY: the caller vouches for the broker.
        Ok(unsafe { handle::borrow(broker, "broker") }?.url.as_ptr())
    })
}

/// The certificate authority of this broker alone, as PEM: what its clients have to trust. Valid for
/// the broker's life; NULL if it does not speak TLS.
///
/// # Safety
/// `broker` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_ca_pem(broker: *const mqtt_test_broker) -> *const c_char {
    guard_or(ptr::null(), || {
        // SAFETY: the caller vouches for the broker.
        let broker = unsafe { handle::borrow(broker, "broker") }?;
        Ok(pointer(broker.ca_pem.as_ref()))
    })
}

/// A certificate with which a client identifies itself to this broker, as PEM. Valid for the broker's
/// life; NULL if it does not speak TLS.
///
/// # Safety
/// `broker` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_client_cert_pem(
    broker: *const mqtt_test_broker,
) -> *const c_char {
    guard_or(ptr::null(), || {
        // SAFETY: the caller vouches for the broker.
        let broker = unsafe { handle::borrow(broker, "broker") }?;
        Ok(pointer(broker.client_cert_pem.as_ref()))
    })
}

/// The key that belongs to that certificate, as PEM (PKCS#8). Valid for the broker's life; NULL if it
/// does not speak TLS.
///
/// # Safety
/// `broker` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_client_key_pem(
    broker: *const mqtt_test_broker,
) -> *const c_char {
    guard_or(ptr::null(), || {
        // SAFETY: the caller vouches for the broker.
        let broker = unsafe { handle::borrow(broker, "broker") }?;
        Ok(pointer(broker.client_key_pem.as_ref()))
    })
}

/// Shows this certificate to clients that connect from now on; connections stay as they are.
/// `MQTT_NOT_SUPPORTED` if the broker does not speak TLS.
///
/// @param certificate  "valid": a new one, as after a renewal; or one that clients refuse: "expired",
///                     "not_yet_valid", "wrong_name", "unknown_ca", "wrong_purpose",
///                     "missing_intermediate"
///
/// # Safety
/// `broker` is NULL or alive; `certificate` is NULL or a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_show_certificate(
    broker: *mut mqtt_test_broker,
    certificate: *const c_char,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the broker.
        let broker = unsafe { handle::borrow(broker.cast_const(), "broker") }?;
        // SAFETY: the caller vouches for the text.
        let name = unsafe { input::text(certificate, "certificate") }?;
        let certificate = ServerCertificate::named(name)?;
        broker.broker.show_certificate(certificate)
    })
}

/// Stops as if the broker's machine had lost power: connections are reset, connecting is refused.
/// Sessions and retained messages stay.
///
/// # Safety
/// `broker` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_stop(broker: *mut mqtt_test_broker) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the broker.
        unsafe { handle::borrow(broker.cast_const(), "broker") }?
            .broker
            .stop();
        Ok(())
    })
}

/// `mqtt_test_broker_stop`, forgetting sessions and retained messages.
///
/// # Safety
/// `broker` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_stop_and_forget(
    broker: *mut mqtt_test_broker,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the broker.
        unsafe { handle::borrow(broker.cast_const(), "broker") }?
            .broker
            .stop_and_forget();
        Ok(())
    })
}

/// Listens again on the same port.
///
/// # Safety
/// `broker` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_start(broker: *mut mqtt_test_broker) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the broker.
        unsafe { handle::borrow(broker.cast_const(), "broker") }?
            .broker
            .start()
    })
}

/// Loses the next `count` packets of a type that clients send, as if they had never arrived.
///
/// @param packet  a name of the standard: "PUBLISH", "PINGREQ"
///
/// # Safety
/// `broker` is NULL or alive; `packet` is NULL or a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_swallow(
    broker: *mut mqtt_test_broker,
    packet: *const c_char,
    count: u64,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the broker.
        let broker = unsafe { handle::borrow(broker.cast_const(), "broker") }?;
        // SAFETY: the caller vouches for the text.
        broker
            .broker
            .swallow(unsafe { input::text(packet, "packet") }?, count)
    })
}

/// Loses the next `count` packets of a type that the broker sends: "PUBACK", "CONNACK".
///
/// # Safety
/// As for `mqtt_test_broker_swallow`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_swallow_outgoing(
    broker: *mut mqtt_test_broker,
    packet: *const c_char,
    count: u64,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the broker.
        let broker = unsafe { handle::borrow(broker.cast_const(), "broker") }?;
        // SAFETY: the caller vouches for the text.
        broker
            .broker
            .swallow_outgoing(unsafe { input::text(packet, "packet") }?, count)
    })
}

/// Stops reading from clients, as a broker does that hangs, or reads on.
///
/// # Safety
/// `broker` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_pause_reading(
    broker: *mut mqtt_test_broker,
    paused: bool,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the broker.
        unsafe { handle::borrow(broker.cast_const(), "broker") }?
            .broker
            .pause_reading(paused);
        Ok(())
    })
}

/// Publishes a message from the broker itself to whoever subscribes, and retains it if `retain`.
///
/// # Safety
/// `broker` is NULL or alive; `topic` is NULL or a NUL-terminated text; `payload` is NULL or points
/// to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_publish(
    broker: *mut mqtt_test_broker,
    topic: *const c_char,
    payload: *const c_void,
    length: usize,
    qos: c_int,
    retain: bool,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the broker.
        let broker = unsafe { handle::borrow(broker.cast_const(), "broker") }?;
        // SAFETY: the caller vouches for the text.
        let topic = unsafe { input::text(topic, "topic") }?;
        // SAFETY: the caller vouches for the bytes.
        let payload = unsafe { input::bytes(payload, length, "payload") }?;
        broker
            .broker
            .publish(topic, payload, input::qos(qos)?, retain)
    })
}

/// How many PUBLISH packets came from clients so far, repeated ones included; 0 for a NULL broker.
///
/// # Safety
/// `broker` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_received_count(broker: *const mqtt_test_broker) -> usize {
    guard_or(0, || {
        // SAFETY: the caller vouches for the broker.
        Ok(unsafe { handle::borrow(broker, "broker") }?
            .broker
            .received_count())
    })
}

/// One PUBLISH that came from a client, in order of arrival. It was recorded before it was
/// acknowledged; `dup` tells a repeated one.
///
/// @param index    0 for the first; `MQTT_INVALID_ARGUMENT` if there are not so many
/// @param message  receives it; what it points to lives as long as the broker
///
/// # Safety
/// `broker` is NULL or alive; `message` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_received(
    broker: *const mqtt_test_broker,
    index: usize,
    message: *mut mqtt_message,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the broker.
        let found = unsafe { handle::borrow(broker, "broker") }?.received(index)?;
        // SAFETY: the caller vouches for the place.
        unsafe { input::put(message, found) };
        Ok(())
    })
}

/// Waits until at least `count` PUBLISH packets have come from clients.
///
/// @param timeout_ms  milliseconds; `MQTT_TIMED_OUT` after that
///
/// # Safety
/// `broker` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_broker_wait_received(
    broker: *mut mqtt_test_broker,
    count: usize,
    timeout_ms: u32,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the broker.
        let broker = unsafe { handle::borrow(broker.cast_const(), "broker") }?;
        let timeout = input::timeout(timeout_ms).unwrap_or(std::time::Duration::MAX);
        broker.broker.wait_received(count, timeout).map(drop)
    })
}

/// Meets a defect on purpose, to show that a panic does not cross: answers `MQTT_PANIC`, and the
/// client is finished.
///
/// # Safety
/// `client` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_test_panic(client: *mut mqtt_client) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let _face = unsafe { face(client) }?;
        panic!("asked for by a test")
    })
}

impl Opaque for mqtt_test_broker {
    type Value = TestBroker;
    type Ownership = Boxed;
}

/// What stands behind a handle to a broker.
pub(crate) struct TestBroker {
    broker: Broker,
    url: CString,
    ca_pem: Option<CString>,
    client_cert_pem: Option<CString>,
    client_key_pem: Option<CString>,
    /// What was received, as far as it was asked for; C holds pointers into these.
    shown: Handoff<Vec<Kept>>,
}

// SAFETY: the kept messages are written once, under the lock, and their pointers go to themselves.
unsafe impl Sync for TestBroker {}

impl TestBroker {
    fn new(broker: Broker) -> Result<TestBroker, Error> {
        let text = |text: &str| CString::new(text).map_err(|_| Error::from(ErrorKind::System));
        Ok(TestBroker {
            url: text(broker.url())?,
            ca_pem: broker.ca_pem().map(text).transpose()?,
            client_cert_pem: broker.client_cert_pem().map(text).transpose()?,
            client_key_pem: broker.client_key_pem().map(text).transpose()?,
            broker,
            shown: Handoff::new(Vec::new()),
        })
    }

    fn received(&self, index: usize) -> Result<mqtt_message, Error> {
        let received = self.broker.received();
        self.shown.with(|shown| {
            for message in received.iter().skip(shown.len()) {
                shown.push(Kept::new(copy(message), None, Weak::new()));
            }
            let kept = shown.get(index).ok_or_else(|| {
                let allowed = format!(
                    "less than mqtt_test_broker_received_count, which is {}",
                    shown.len()
                );
                sentence::must_be("index", &allowed, index)
            })?;
            Ok(*kept.view())
        })
    }
}

/// Texts with NULL after them; NULL is none.
///
/// # Safety
/// As for `mqtt_test_broker_new_with`, while `'a` lasts.
unsafe fn texts<'a>(first: *const *const c_char, name: &str) -> Result<Vec<&'a str>, Error> {
    let mut texts = Vec::new();
    let mut next = first;
    // SAFETY: the caller vouches for each place up to the one that holds NULL.
    while let Some(text) = unsafe { next.as_ref() }.filter(|text| !text.is_null()) {
        // SAFETY: the caller vouches for the text.
        texts.push(unsafe { input::text(*text, name) }?);
        // SAFETY: what was just read was not the last, so there is another place.
        next = unsafe { next.add(1) };
    }
    Ok(texts)
}

fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

fn copy(received: &ReceivedMessage) -> Message {
    Message {
        topic: Text::from(received.topic()),
        payload: Bytes::copy_from_slice(received.payload()),
        qos: received.qos(),
        retain: received.retain(),
        dup: received.dup(),
        properties: received.properties().clone(),
    }
}
