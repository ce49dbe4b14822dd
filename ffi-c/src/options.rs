//! The options of a client, set by name. `MQTT_OPT_…` are their names, and what each means.
use std::collections::BTreeMap;
use std::ffi::{c_char, c_void};
use std::ptr;

use leveret::host::options::{ClientOptions, Value};
use leveret::host::{Dialect, Error};

use crate::desk::Registered;
use crate::error::mqtt_result;
use crate::guard::{guard, guard_or};
use crate::handle::{self, Boxed, Hidden, Opaque};
use crate::input;

/// Options for a client. Not to be used by two threads at once.
pub struct mqtt_options(Hidden);

/// Options with their defaults, to be ended with `mqtt_options_free`. Never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_options_new() -> *mut mqtt_options {
    guard_or(ptr::null_mut(), || Ok(handle::give(Options::default())))
}

/// Ends options. Clients made with them are not affected. NULL is nothing.
///
/// # Safety
/// `options` is NULL or alive, and not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_options_free(options: *mut mqtt_options) {
    guard_or((), || {
        // SAFETY: the caller gives it up.
        drop(unsafe { handle::take_back(options) });
        Ok(())
    });
}

/// Sets an option from text. Numbers are decimal, flags "true" or "false", durations "250ms", "5s",
/// "2m" or "1h"; "none" takes back what may be absent. A wrong name or value changes nothing, and
/// `mqtt_last_error` says what is allowed.
///
/// @param option  one of `MQTT_OPT_…`, or its name: "keep_alive"
/// @param value   copied
///
/// # Safety
/// `options` is NULL or alive; `option` and `value` are NULL or NUL-terminated texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_options_set(
    options: *mut mqtt_options,
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
        options.set.text(option, value)
    })
}

/// Sets an option that is bytes, such as `password` or `will_payload`.
///
/// @param value   copied; may be NULL if `length` is 0
/// @param length  in bytes
///
/// # Safety
/// `options` is NULL or alive; `option` is NULL or a NUL-terminated text; `value` is NULL or points
/// to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_options_set_bytes(
    options: *mut mqtt_options,
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
        options.set.bytes(option, value)
    })
}

/// Adds a pair to an option that is a list of them: `user_properties`, `will_user_properties` or `websocket_headers`.
/// The same name may be added twice.
///
/// @param name   copied
/// @param value  copied
///
/// # Safety
/// `options` is NULL or alive; the others are NULL or NUL-terminated texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_options_add(
    options: *mut mqtt_options,
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
        options.set.add(option, name, value)
    })
}

impl Opaque for mqtt_options {
    type Value = Options;
    type Ownership = Boxed;
}

/// What stands behind a handle to options.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) set: Set<ClientOptions>,
    /// Signs handshakes in place of a private key.
    pub(crate) signer: Option<Registered>,
}

/// A table of options that are set by name.
pub(crate) trait Table: Default {
    /// Sets one of them.
    fn set(&mut self, name: &str, value: Value) -> Result<(), Error>;
}

impl Table for ClientOptions {
    fn set(&mut self, name: &str, value: Value) -> Result<(), Error> {
        self.set(name, value, Dialect::C)
    }
}

/// Options of one table as C sets them: one after another, and lists pair by pair.
#[derive(Default)]
pub(crate) struct Set<T> {
    pub(crate) given: T,
    /// What was added so far to the options that are lists of pairs.
    pairs: BTreeMap<String, Vec<(String, String)>>,
}

impl<T: Table> Set<T> {
    /// Sets an option from text.
    pub(crate) fn text(&mut self, option: &str, value: &str) -> Result<(), Error> {
        self.given.set(option, Value::Text(value.to_owned()))
    }

    /// Sets an option that is bytes.
    pub(crate) fn bytes(&mut self, option: &str, value: &[u8]) -> Result<(), Error> {
        self.given.set(option, Value::Bytes(value.to_vec().into()))
    }

    /// Adds a pair to an option that is a list of them.
    pub(crate) fn add(&mut self, option: &str, name: &str, value: &str) -> Result<(), Error> {
        let mut pairs = self.pairs.get(option).cloned().unwrap_or_default();
        pairs.push((name.to_owned(), value.to_owned()));
        self.given.set(option, Value::Pairs(pairs.clone()))?;
        self.pairs.insert(option.to_owned(), pairs);
        Ok(())
    }
}
