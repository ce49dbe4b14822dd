//! Enhanced authentication (MQTT 5, 4.12): a callback that takes its steps with the broker.
use std::ffi::{c_char, c_int, c_void};

use bytes::Bytes;
use leveret::host::PacketSet;

use crate::callback::{Call, Callback, mqtt_drop};
use crate::client::{face, mqtt_client};
use crate::desk::Kind;
use crate::error::mqtt_result;
use crate::guard::guard;
use crate::input;
use crate::letter::mqtt_pair;
use crate::message::mqtt_properties;
use crate::subscribe::hand_over;
use crate::words::words;

/// It begins: what is the broker sent first. CONNECT carries the answer, or the first AUTH of a
/// re-authentication.
pub const MQTT_AUTH_BEGIN: c_int = 1;
/// The broker sent data and wants an answer.
pub const MQTT_AUTH_CONTINUE: c_int = 2;
/// The broker has accepted. It may be refused still; else an answer without data goes on.
pub const MQTT_AUTH_FINISH: c_int = 3;

/// A step of enhanced authentication. It and what it points to live until the callback returns. May
/// grow at its end.
#[repr(C)]
pub struct mqtt_auth_event {
    /// For `mqtt_auth_answer` and `mqtt_auth_refuse`.
    pub number: u64,
    /// One of `MQTT_AUTH_…`.
    pub stage: c_int,
    /// Is it a re-authentication on a connection that is up.
    pub reauthentication: bool,
    /// The authentication method, UTF-8 without NUL at the end.
    pub method: *const c_char,
    /// Length of the method in bytes.
    pub method_length: usize,
    /// The authentication data of the broker; NULL when beginning, and where it sent none.
    pub data: *const c_void,
    /// Length of the data in bytes.
    pub data_length: usize,
    /// The properties of the broker's AUTH or CONNACK, for `mqtt_property_get`; never NULL.
    pub properties: *const mqtt_properties,
}

/// Called with each step of authentication, which is to be answered with `mqtt_auth_answer` or
/// `mqtt_auth_refuse`, inside the callback or later.
pub type mqtt_auth_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, event: *const mqtt_auth_event)>;

/// Registers the authenticator: what takes the steps of enhanced authentication, which needs the
/// option `authentication_method`; without that it is `MQTT_INVALID_ARGUMENT`. It is called before
/// each attempt to connect, for each AUTH of the broker, when the broker has accepted, and the same
/// for `mqtt_client_reauthenticate`. Register it before `mqtt_client_start`. A new registration
/// replaces the old one, NULL for `callback` ends it.
///
/// A step that is not answered within the option `hook_timeout` fails the attempt, and another
/// follows. Which thread it runs on is as for `mqtt_client_on_packet_with`.
///
/// @param context  passed to `callback`
/// @param drop     called once with `context` when it is no longer needed, also when this call
///                 fails; may be NULL
///
/// # Safety
/// `client` is NULL or alive; `callback` and `drop` may be called with `context` from other
/// threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_on_auth_with(
    client: *mut mqtt_client,
    callback: mqtt_auth_callback,
    context: *mut c_void,
    drop: mqtt_drop,
) -> mqtt_result {
    guard(|| {
        let callback = Callback::new(Call::Auth(callback), context, drop);
        // SAFETY: the caller vouches for the client.
        unsafe { face(client) }?.register_hook(Kind::Auth, PacketSet::EMPTY, callback)
    })
}

/// Answers a step of authentication. Inside the callback, or later from any thread. A step that was
/// answered already, or is over because its connection is or `hook_timeout` is, stays as it is.
///
/// `MQTT_INVALID_ARGUMENT` for data of more than 65,535 bytes and text that MQTT cannot carry; then
/// the step still waits.
///
/// @param number           of the `mqtt_auth_event`
/// @param data             authentication data for the broker; copied; NULL for none. Not used when
///                         finishing
/// @param length           of the data in bytes
/// @param reason_string    in words for people; copied; NULL for none. Sent in AUTH alone, as are
///                         the user properties
/// @param user_properties  copied; NULL if there are none
/// @param count            how many user properties there are
///
/// # Safety
/// `client` is NULL or alive; `data` is NULL or points to `length` bytes; `reason_string` is NULL or
/// a NUL-terminated text; `user_properties` is NULL or points to `count` pairs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_auth_answer(
    client: *mut mqtt_client,
    number: u64,
    data: *const c_void,
    length: usize,
    reason_string: *const c_char,
    user_properties: *const mqtt_pair,
    count: usize,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        // SAFETY: the caller vouches for the bytes.
        let bytes = unsafe { input::bytes(data, length, "data") }?;
        // SAFETY: the caller vouches for text and pairs.
        let words = unsafe { words(reason_string, user_properties, count) }?;
        let data = (!data.is_null()).then(|| Bytes::copy_from_slice(bytes));
        face.client.authenticate(number, data, &words)
    })
}

/// Refuses a step of authentication: the connection is given up, or not begun, and another attempt
/// follows; a re-authentication ends with `MQTT_REFUSED`. Inside the callback, or later from any
/// thread.
///
/// @param number  of the `mqtt_auth_event`
/// @param text    why, for the event of the connection; copied
///
/// # Safety
/// `client` is NULL or alive; `text` is NULL or a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_auth_refuse(
    client: *mut mqtt_client,
    number: u64,
    text: *const c_char,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        // SAFETY: the caller vouches for the text.
        let text = unsafe { input::text(text, "text") }?;
        face.client.refuse_authentication(number, text)
    })
}

/// Authenticates once more on the connection that is up (MQTT 5, 4.12.1), with the authenticator of
/// the client.
///
/// `mqtt_reply_wait` says how it ended: `MQTT_OK`, `MQTT_NOT_CONNECTED`, `MQTT_NOT_SUPPORTED` where
/// the connection was made without enhanced authentication, `MQTT_CONNECTION_LOST`, `MQTT_REFUSED`.
///
/// @param reply  receives a number for `mqtt_reply_wait`; NULL if nobody will ask
///
/// # Safety
/// `client` is NULL or alive; `reply` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_reauthenticate(
    client: *mut mqtt_client,
    reply: *mut u64,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        let question = face.client.reauthenticate()?;
        // SAFETY: the caller vouches for the place.
        unsafe { hand_over(&face, question, reply) };
        Ok(())
    })
}
