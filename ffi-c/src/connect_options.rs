//! What one attempt to connect is to say, set by name. `MQTT_CONNECT_OPT_…` are the names.
use std::ffi::{c_char, c_void};
use std::ptr;

use leveret::host::options::{ConnectOptions, Value};
use leveret::host::{Dialect, Error};

use crate::error::mqtt_result;
use crate::guard::{guard, guard_or};
use crate::handle::{self, Boxed, Hidden, Opaque};
use crate::input;
use crate::options::{Set, Table};

/// What one attempt to connect is to say, for `mqtt_connect_answer`: URL, WebSocket headers, user
/// name, password, will. What is not set is as the options of the client have it. Not to be used by
/// two threads at once.
pub struct mqtt_connect_options(Hidden);

/// Options that say nothing yet, to be ended with `mqtt_connect_options_free`. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_connect_options_new() -> *mut mqtt_connect_options {
    guard_or(ptr::null_mut(), || Ok(handle::give(Set::default())))
}

/// Ends options. Attempts that they were given for are not affected. NULL is nothing.
///
/// # Safety
/// `options` is NULL or alive, and not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_connect_options_free(options: *mut mqtt_connect_options) {
    guard_or((), || {
        // SAFETY: the caller gives it up.
        drop(unsafe { handle::take_back(options) });
        Ok(())
    });
}

/// Sets an option from text, as `mqtt_options_set` does.
///
/// @param option  one of `MQTT_CONNECT_OPT_…`, or its name: "username"
/// @param value   copied
///
/// # Safety
/// `options` is NULL or alive; `option` and `value` are NULL or NUL-terminated texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_connect_options_set(
    options: *mut mqtt_connect_options,
    option: *const c_char,
    value: *const c_char,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the options.
        let options = unsafe { handle::borrow_mut(options, "options") }?;
        // SAFETY: the caller vouches for the text.
        let option = unsafe { input::text(option, "option") }?;
        // SAFETY: the caller vouches for the text.
        let value = unsafe { input::text(value, "value") }?;
        options.text(option, value)
    })
}

/// Sets an option that is bytes: `password`, `will_payload` or `will_correlation_data`.
///
/// @param value   copied; may be NULL if `length` is 0
/// @param length  in bytes
///
/// # Safety
/// `options` is NULL or alive; `option` is NULL or a NUL-terminated text; `value` is NULL or points
/// to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_connect_options_set_bytes(
    options: *mut mqtt_connect_options,
    option: *const c_char,
    value: *const c_void,
    length: usize,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the options.
        let options = unsafe { handle::borrow_mut(options, "options") }?;
        // SAFETY: the caller vouches for the text.
        let option = unsafe { input::text(option, "option") }?;
        // SAFETY: the caller vouches for the bytes.
        let value = unsafe { input::bytes(value, length, "value") }?;
        options.bytes(option, value)
    })
}

/// Adds a pair to an option that is a list of them: `websocket_headers` or `will_user_properties`.
///
/// @param name   copied
/// @param value  copied
///
/// # Safety
/// `options` is NULL or alive; the others are NULL or NUL-terminated texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_connect_options_add(
    options: *mut mqtt_connect_options,
    option: *const c_char,
    name: *const c_char,
    value: *const c_char,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the options.
        let options = unsafe { handle::borrow_mut(options, "options") }?;
        // SAFETY: the caller vouches for the text.
        let option = unsafe { input::text(option, "option") }?;
        // SAFETY: the caller vouches for the text.
        let name = unsafe { input::text(name, "name") }?;
        // SAFETY: the caller vouches for the text.
        let value = unsafe { input::text(value, "value") }?;
        options.add(option, name, value)
    })
}

impl Opaque for mqtt_connect_options {
    type Value = Set<ConnectOptions>;
    type Ownership = Boxed;
}

impl Table for ConnectOptions {
    fn set(&mut self, name: &str, value: Value) -> Result<(), Error> {
        self.set(name, value, Dialect::C)
    }
}

/// What is set, or nothing where the pointer is NULL.
///
/// # Safety
/// `options` is NULL or alive.
pub(crate) unsafe fn said(options: *const mqtt_connect_options) -> Result<ConnectOptions, Error> {
    if options.is_null() {
        return Ok(ConnectOptions::new());
    }
    // SAFETY: the caller vouches for the options.
    Ok(unsafe { handle::borrow(options, "options") }?.given.clone())
}
