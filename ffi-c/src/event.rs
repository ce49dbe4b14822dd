//! Events as C sees them: one kind with one pointer each, and the structs they point to.
use std::ffi::{c_char, c_int, c_void};

use crate::error::mqtt_result;
use crate::message::{mqtt_message, mqtt_properties};
use crate::receipt::mqtt_outcome;

/// A message arrived.
pub const MQTT_EVENT_MESSAGE: c_int = 1;
/// News of the connection.
pub const MQTT_EVENT_CONNECTION: c_int = 2;
/// A letter got its outcome.
pub const MQTT_EVENT_RECEIPT: c_int = 3;
/// A subscription changed its state.
pub const MQTT_EVENT_SUBSCRIPTION: c_int = 4;
/// Something worth a line in a log.
pub const MQTT_EVENT_LOG: c_int = 5;

/// The broker accepted the connection.
pub const MQTT_CONNECTION_ONLINE: c_int = 1;
/// The connection ended; `text` and `reason` say why.
pub const MQTT_CONNECTION_OFFLINE: c_int = 2;
/// An attempt to connect failed; the next one begins in `retry_in_ms`.
pub const MQTT_CONNECTION_ATTEMPT_FAILED: c_int = 3;
/// The client is closed; nothing about the connection follows.
pub const MQTT_CONNECTION_CLOSED: c_int = 4;
/// The broker answered a ping after `round_trip_us`.
pub const MQTT_CONNECTION_PING: c_int = 5;

/// An error: something was lost or refused.
pub const MQTT_LOG_ERROR: c_int = 1;
/// A warning: odd, and dealt with.
pub const MQTT_LOG_WARNING: c_int = 2;

/// One event. This struct will not grow; the structs it points to may, at their end.
#[repr(C)]
pub struct mqtt_event {
    /// Which of the pointers is set: one of `MQTT_EVENT_…`. Skip kinds that you do not know.
    pub kind: c_int,
    /// For a message: the context given with its subscription, if it was subscribed to without a
    /// callback; else NULL.
    pub context: *mut c_void,
    /// What happened.
    pub data: mqtt_event_data,
}

/// What an event points to; `kind` says which.
#[repr(C)]
#[derive(Clone, Copy)]
pub union mqtt_event_data {
    /// `MQTT_EVENT_MESSAGE`
    pub message: *const mqtt_message,
    /// `MQTT_EVENT_CONNECTION`
    pub connection: *const mqtt_connection_event,
    /// `MQTT_EVENT_RECEIPT`
    pub receipt: *const mqtt_receipt_event,
    /// `MQTT_EVENT_SUBSCRIPTION`
    pub subscription: *const mqtt_subscription_event,
    /// `MQTT_EVENT_LOG`
    pub log: *const mqtt_log_event,
}

/// News of the connection. Texts are UTF-8, never NULL, and do not end in NUL. May grow at its end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mqtt_connection_event {
    /// One of `MQTT_CONNECTION_…`. Skip kinds that you do not know.
    pub kind: c_int,
    /// The broker's reason code, or -1 where it gave none.
    pub reason: c_int,
    /// Online: the version of MQTT spoken, 5 or 4 (which is 3.1.1); else 0.
    pub version: c_int,
    /// Online: does an earlier session go on.
    pub session_present: bool,
    /// Attempt failed: milliseconds until the next one.
    pub retry_in_ms: u32,
    /// Online: the keep alive in force in seconds; 0 is off.
    pub keep_alive_s: u32,
    /// Ping: microseconds until the answer.
    pub round_trip_us: u64,
    /// Online, attempt failed: which of the addresses, counted from 0.
    pub address: usize,
    /// Online: the client id in force.
    pub client_id: *const c_char,
    /// Length of the client id in bytes.
    pub client_id_length: usize,
    /// Offline, attempt failed: why, as a sentence.
    pub text: *const c_char,
    /// Length of the text in bytes.
    pub text_length: usize,
    /// The properties of CONNACK (online, attempt failed) or of the broker's DISCONNECT (offline), for `mqtt_property_get`; NULL for a ping.
    pub properties: *const mqtt_properties,
    /// Offline, attempt failed: what kind of error it was, such as `MQTT_REFUSED`; else `MQTT_OK`.
    pub error: mqtt_result,
}

/// A letter got its outcome. May grow at its end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mqtt_receipt_event {
    /// The receipt that the publish wrote.
    pub receipt: u64,
    /// What became of the letter.
    pub outcome: mqtt_outcome,
    /// The reason in the broker's words, UTF-8 without NUL at the end; empty where it gave none.
    pub text: *const c_char,
    /// Length of the text in bytes.
    pub text_length: usize,
    /// What else the broker said, for `mqtt_property_get`; NULL where it said nothing.
    pub properties: *const mqtt_properties,
}

/// A subscription changed its state. May grow at its end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mqtt_subscription_event {
    /// The topic filter, UTF-8 without NUL at the end.
    pub filter: *const c_char,
    /// Length of the filter in bytes.
    pub filter_length: usize,
    /// One of `MQTT_SUBSCRIPTION_…`.
    pub state: c_int,
    /// The broker's code: the granted QoS, or why it refused; -1 where it gave none.
    pub reason: c_int,
}

/// Something worth a line in a log. It never holds a payload, a password or a key. May grow at its
/// end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mqtt_log_event {
    /// One of `MQTT_LOG_…`.
    pub level: c_int,
    /// The line, UTF-8 without NUL at the end.
    pub text: *const c_char,
    /// Length of the text in bytes.
    pub text_length: usize,
}
