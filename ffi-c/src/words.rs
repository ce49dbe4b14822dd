//! Words on what we answer: a reason string and user properties (MQTT 5).
use std::ffi::{c_char, c_int};

use leveret::host::{Error, Words};

use crate::error::mqtt_result;
use crate::guard::guard;
use crate::input;
use crate::letter::{mqtt_pair, pairs};
use crate::message::{mqtt_message, origin_of};

/// `mqtt_message_ack` with words for the PUBACK or PUBREC (MQTT 5; on 3.1.1 they are not sent).
///
/// @param reason           0 if it was handled, else one of those that `mqtt_message_ack` takes
/// @param reason_string    why, in words for people; copied; NULL for none
/// @param user_properties  copied; NULL if there are none
/// @param count            how many user properties there are
///
/// # Safety
/// `message` is NULL, or a message of leveret that is still alive; `reason_string` is NULL or a
/// NUL-terminated text; `user_properties` is NULL or points to `count` pairs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_message_ack_with(
    message: *const mqtt_message,
    reason: c_int,
    reason_string: *const c_char,
    user_properties: *const mqtt_pair,
    count: usize,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the message.
        let origin = unsafe { origin_of(message) }?;
        // SAFETY: the caller vouches for text and pairs.
        let words = unsafe { words(reason_string, user_properties, count) }?;
        // SAFETY: the message is alive.
        unsafe { origin.acknowledge(reason, &words) }
    })
}

/// A reason string and user properties, copied.
///
/// # Safety
/// `reason_string` is NULL or a NUL-terminated text; `user_properties` is NULL or points to `count`
/// pairs.
pub(crate) unsafe fn words(
    reason_string: *const c_char,
    user_properties: *const mqtt_pair,
    count: usize,
) -> Result<Words, Error> {
    // SAFETY: the caller vouches for the text.
    let reason_string = unsafe { input::optional_text(reason_string, "reason_string") }?;
    Ok(Words {
        reason_string: reason_string.map(str::to_owned),
        // SAFETY: the caller vouches for the pairs.
        user_properties: unsafe { pairs(user_properties, count, "user_properties") }?,
    })
}
