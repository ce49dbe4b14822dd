//! The test broker of leveret: an MQTT broker inside the process, on a free port of 127.0.0.1, for
//! tests.
//!
//! Not part of libraries built for devices. Every function may be called from any thread, NULL
//! where a broker or text is needed is `MQTT_NULL_POINTER`, and results and errors are as in
//! leveret.h.
use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::Weak;

use bytes::Bytes;
use leveret::host::Handoff;
use leveret::host::{Error, ErrorKind, Message, Text, Version, sentence};
use leveret::testing::{Broker, ReceivedMessage};

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

/// Starts a broker with settings of its own, to be ended with `mqtt_test_broker_free`. NULL after
/// an error.
///
/// @param version          0 for both versions of MQTT, 4 for 3.1.1 only, 5 for 5.0 only
/// @param receive_maximum  how many letters of QoS 1 and 2 it takes before they are acknowledged,
///                         1..=65535; 0 for its default (MQTT 5)
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_test_broker_new_with(
    version: c_int,
    receive_maximum: u16,
) -> *mut mqtt_test_broker {
    guard_or(ptr::null_mut(), || {
        let mut builder = Broker::builder();
        builder = match version {
            0 => builder,
            4 => builder.only_version(Version::V311),
            5 => builder.only_version(Version::V5),
            _ => return Err(sentence::must_be("version", "0, 4 or 5", version)),
        };
        if receive_maximum > 0 {
            builder = builder.receive_maximum(receive_maximum);
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

/// Where clients reach it: "mqtt://127.0.0.1:" and the port. The same for its whole life, and valid
/// for it; NULL for a NULL broker.
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
    /// What was received, as far as it was asked for; C holds pointers into these.
    shown: Handoff<Vec<Kept>>,
}

// SAFETY: the kept messages are written once, under the lock, and their pointers go to themselves.
unsafe impl Sync for TestBroker {}

impl TestBroker {
    fn new(broker: Broker) -> Result<TestBroker, Error> {
        let url = CString::new(broker.url()).map_err(|_| Error::from(ErrorKind::System))?;
        Ok(TestBroker {
            broker,
            url,
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
