//! Credentials, will and URL for each attempt to connect: a callback that is asked before each.
use std::ffi::{c_char, c_void};

use leveret::host::PacketSet;

use crate::callback::{Call, Callback, mqtt_drop};
use crate::client::{face, mqtt_client};
use crate::connect_options::{mqtt_connect_options, said};
use crate::desk::Kind;
use crate::error::mqtt_result;
use crate::guard::guard;
use crate::input;

/// An attempt to connect that is about to begin. It and what it points to live until the callback
/// returns. May grow at its end.
#[repr(C)]
pub struct mqtt_connect_event {
    /// For `mqtt_connect_answer` and `mqtt_connect_refuse`.
    pub number: u64,
    /// Counts the attempts of the client from 1. One that was refused or answered too late was not
    /// made: its number goes to the next.
    pub attempt: u64,
    /// Where it is to go: one of the client's URLs, or what the broker referred to, without user name
    /// and password; UTF-8 without NUL at the end.
    pub url: *const c_char,
    /// Length of the URL in bytes.
    pub url_length: usize,
}

/// Called before each attempt to connect, which is to be answered with `mqtt_connect_answer` or
/// `mqtt_connect_refuse`, inside the callback or later.
pub type mqtt_connect_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, event: *const mqtt_connect_event)>;

/// Registers what is asked before each attempt to connect: for credentials that do not last, a will
/// that tells of the moment, a signed URL. Register it before `mqtt_client_start`, so that it is
/// asked the first time, too. A new registration replaces the old one, NULL for `callback` ends it.
///
/// An attempt that is not answered within the option `hook_timeout` fails, and another follows, for
/// which it is asked again. Which thread it runs on is as for `mqtt_client_on_packet_with`: it may
/// block, unless callbacks run inline.
///
/// @param context  passed to `callback`
/// @param drop     called once with `context` when it is no longer needed, also when this call
///                 fails; may be NULL
///
/// # Safety
/// `client` is NULL or alive; `callback` and `drop` may be called with `context` from other
/// threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_on_connect_with(
    client: *mut mqtt_client,
    callback: mqtt_connect_callback,
    context: *mut c_void,
    drop: mqtt_drop,
) -> mqtt_result {
    guard(|| {
        let callback = Callback::new(Call::Connect(callback), context, drop);
        // SAFETY: the caller vouches for the client.
        unsafe { face(client) }?.register_hook(Kind::Connect, PacketSet::EMPTY, callback)
    })
}

/// Lets an attempt begin, with what these options say in the place of what the options of the client
/// do; what they leave out stays as it is. Inside the callback, or later from any thread. An attempt
/// that was answered already, or is over because `hook_timeout` is, stays as it is.
///
/// `MQTT_INVALID_ARGUMENT` for options that do not go together, with a sentence that shows no
/// secret; then the attempt still waits.
///
/// @param number   of the `mqtt_connect_event`
/// @param options  copied, and still yours; NULL to connect as the options of the client say
///
/// # Safety
/// `client` is NULL or alive; `options` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_connect_answer(
    client: *mut mqtt_client,
    number: u64,
    options: *const mqtt_connect_options,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        // SAFETY: the caller vouches for the options.
        let said = unsafe { said(options) }?;
        face.client.prepare(number, said)
    })
}

/// Lets an attempt fail, with the reason in words; another follows. Inside the callback, or later
/// from any thread.
///
/// @param number  of the `mqtt_connect_event`
/// @param text    why, for the event of the connection; copied; no secret should be in it
///
/// # Safety
/// `client` is NULL or alive; `text` is NULL or a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_connect_refuse(
    client: *mut mqtt_client,
    number: u64,
    text: *const c_char,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        // SAFETY: the caller vouches for the text.
        let text = unsafe { input::text(text, "text") }?;
        face.client.refuse_preparation(number, text)
    })
}
