//! Closing a client with all that can be said about it.
use std::ffi::{c_char, c_int};
use std::ptr;
use std::time::Duration;

use leveret::host::{CloseOptions, Error, sentence};

use crate::client::{self, MQTT_CLOSE_TIMEOUT_DEFAULT, close_timeout, face, mqtt_client};
use crate::error::mqtt_result;
use crate::guard::guard;
use crate::input;
use crate::letter::{mqtt_pair, pairs};

/// How to close a client. Begin with `mqtt_close_options options = MQTT_CLOSE_OPTIONS_INIT;`. May
/// grow at its end.
#[repr(C)]
pub struct mqtt_close_options {
    /// Size of this struct: set by `MQTT_CLOSE_OPTIONS_INIT`.
    pub size: usize,
    /// As for `mqtt_client_close`; `MQTT_CLOSE_TIMEOUT_DEFAULT` unless set.
    pub timeout_ms: u32,
    /// Whether the broker is to forget the session: 1 or 0; -1, unless set, says that it is if the
    /// option `clean_start` is on.
    pub end_session: c_int,
    /// Let the broker publish the will all the same (MQTT 5, 3.14.2.1, reason code 0x04; on 3.1.1
    /// the connection ends without a DISCONNECT).
    pub with_will: bool,
    /// MQTT 5: seconds that the broker keeps the session from now on, at most 4294967295, which is
    /// for good; -1, unless set, leaves it as CONNECT said. Only where it was to be kept at all.
    pub session_expiry_s: i64,
    /// MQTT 5: why, in words for the broker's log; NULL for none.
    pub reason_string: *const c_char,
    /// MQTT 5: user properties of the DISCONNECT; NULL if there are none.
    pub user_properties: *const mqtt_pair,
    /// How many user properties there are.
    pub user_property_count: usize,
}

/// `mqtt_client_close` with options. `MQTT_INVALID_ARGUMENT` for options that do not go together;
/// then nothing is closed.
///
/// @param options  begun with `MQTT_CLOSE_OPTIONS_INIT`; NULL for all defaults
///
/// # Safety
/// `client` is NULL or alive; `options` is NULL or points to options of the size they state, all of
/// whose pointers are NULL or as they say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_close_options(
    client: *mut mqtt_client,
    options: *const mqtt_close_options,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        // SAFETY: the caller vouches for the options.
        let options = unsafe { mqtt_close_options::read(options) }?;
        // SAFETY: the caller vouches for what they point to.
        client::close(&face, unsafe { options.to_core() }?)
    })
}

impl mqtt_close_options {
    /// What `MQTT_CLOSE_OPTIONS_INIT` says.
    pub(crate) const INIT: mqtt_close_options = mqtt_close_options {
        size: size_of::<mqtt_close_options>(),
        timeout_ms: MQTT_CLOSE_TIMEOUT_DEFAULT,
        end_session: -1,
        with_will: false,
        session_expiry_s: -1,
        reason_string: ptr::null(),
        user_properties: ptr::null(),
        user_property_count: 0,
    };

    /// A copy of the options of C, as much of them as this library knows; the defaults for NULL.
    ///
    /// # Safety
    /// `options` is NULL or points to options of the size they state.
    unsafe fn read(options: *const mqtt_close_options) -> Result<mqtt_close_options, Error> {
        if options.is_null() {
            return Ok(mqtt_close_options::INIT);
        }
        // SAFETY: options begin with their size, whatever that is.
        let size = unsafe { options.cast::<usize>().read() };
        // The first release was this size; a newer program may know fields that this library does
        // not.
        if size < size_of::<mqtt_close_options>() {
            return Err(sentence::must_be(
                "size of the options",
                "what MQTT_CLOSE_OPTIONS_INIT sets",
                size,
            ));
        }
        // SAFETY: they are at least as large as the struct known here, and plain data.
        Ok(unsafe { options.read() })
    }

    /// # Safety
    /// Text and pairs are NULL or as the header says.
    unsafe fn to_core(&self) -> Result<CloseOptions, Error> {
        // SAFETY: the caller vouches for the text.
        let reason_string = unsafe { input::optional_text(self.reason_string, "reason_string") }?;
        // SAFETY: the caller vouches for the pairs.
        let user_properties = unsafe {
            pairs(
                self.user_properties,
                self.user_property_count,
                "user_properties",
            )
        }?;
        Ok(CloseOptions {
            timeout: close_timeout(self.timeout_ms),
            end_session: choice(self.end_session)?,
            session_expiry: seconds(self.session_expiry_s)?,
            with_will: self.with_will,
            reason_string: reason_string.map(str::to_owned),
            user_properties,
        })
    }
}

fn choice(end_session: c_int) -> Result<Option<bool>, Error> {
    match end_session {
        -1 => Ok(None),
        0 => Ok(Some(false)),
        1 => Ok(Some(true)),
        _ => Err(sentence::must_be(
            "end_session",
            "0 or 1, or -1 for the default",
            end_session,
        )),
    }
}

fn seconds(session_expiry: i64) -> Result<Option<Duration>, Error> {
    match session_expiry {
        -1 => Ok(None),
        0..=0xFFFF_FFFF => Ok(Some(Duration::from_secs(session_expiry.unsigned_abs()))),
        _ => Err(sentence::must_be(
            "session_expiry_s",
            "0..=4294967295, or -1 for none",
            session_expiry,
        )),
    }
}
