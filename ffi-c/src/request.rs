//! Requests, which wait for a response, and the responses to those of others.
use std::ffi::{c_char, c_void};

use leveret::host::options::{PublishOptions, Ttl};
use leveret::host::{Dialect, Error, Publish, Reply, ResponseTo};

use crate::client::{InUse, answer, face, mqtt_client};
use crate::error::mqtt_result;
use crate::guard::guard;
use crate::input;
use crate::letter::{Letters, mqtt_letter};
use crate::message::{Kept, mqtt_message, origin_of};

/// Asks: publishes with QoS 1 and waits for the response, known by the response topic and
/// the correlation data that leveret adds (MQTT 5, 4.10). Any number of threads may ask at
/// the same time.
///
/// The letter lives no longer than the wait, so that nothing is carried out after it was given up.
/// On MQTT 3.1.1, which has no response topics, it is `MQTT_NOT_SUPPORTED`: `mqtt_request_with` takes
/// one of your own. A client that may speak either version posts it once its first connection has
/// told which.
///
/// It blocks its thread, and inside a callback the callbacks of its client. A program with a loop of
/// its own asks on another thread, or subscribes to a topic, publishes with that as the
/// `response_topic` of the letter, and knows the response by its `correlation_data`.
///
/// `MQTT_TIMED_OUT`: no response came in time; the sentence says what is known of the letter.
/// `MQTT_NOT_DELIVERED`: the letter cannot arrive; `mqtt_last_reason` is the broker's reason code, if
/// it gave one. `MQTT_REFUSED`: the broker does not let the client listen for the response.
/// `MQTT_CLOSED`: the client was closed meanwhile.
///
/// @param topic       topic name, without wildcards
/// @param payload     copied; may be NULL if `length` is 0
/// @param length      in bytes
/// @param timeout_ms  milliseconds, at least 1, or `MQTT_FOREVER`
/// @param response    receives the response, to be ended with `mqtt_message_unref`; NULL if nobody
///                    wants to read it
///
/// # Safety
/// `client` is NULL or alive; `topic` is NULL or a NUL-terminated text; `payload` is NULL or points
/// to `length` bytes; `response` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_request(
    client: *mut mqtt_client,
    topic: *const c_char,
    payload: *const c_void,
    length: usize,
    timeout_ms: u32,
    response: *mut *const mqtt_message,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        // SAFETY: the caller vouches for the text.
        let topic = unsafe { input::text(topic, "topic") }?;
        // SAFETY: the caller vouches for the bytes.
        let payload = unsafe { input::bytes(payload, length, "payload") }?.into();
        let options = PublishOptions::new();
        let letter = Publish {
            topic,
            payload,
            options: &options,
        };
        // SAFETY: the caller vouches for the place.
        unsafe { request(&face, letter, timeout_ms, response) }
    })
}

/// `mqtt_request` with all that can be said about the letter.
///
/// @param letter  begun with `MQTT_LETTER_INIT`. `response_topic`: where to be answered, instead of a
///                topic of the client's own; on MQTT 3.1.1 it is needed, it is not sent, and what
///                comes there answers the request that has waited longest on it. The response comes
///                with the letter's `qos` at most. `MQTT_TTL_DEFAULT` is as long as the wait
///
/// # Safety
/// As for `mqtt_request`; `letter` is NULL or points to a letter of the size it states, all of whose
/// pointers are NULL or as they say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_request_with(
    client: *mut mqtt_client,
    letter: *const mqtt_letter,
    timeout_ms: u32,
    response: *mut *const mqtt_message,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the letter.
        let letter = unsafe { Letters::new(letter, 1) }.map(|letters| letters.get(0))?;
        // Before anything can fail: from here on the payload is released whatever happens. SAFETY:
        // the caller vouches for the payload of a letter with a release function.
        let released = unsafe { letter.released_payload() }?;
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        // SAFETY: the caller vouches for what the letter points to.
        let options = unsafe { letter.options() }?;
        // SAFETY: as above.
        let publish = unsafe { letter.publish(&options, released) }?;
        // SAFETY: the caller vouches for the place.
        unsafe { request(&face, publish, timeout_ms, response) }
    })
}

/// Answers a message: publishes to the response topic that it names, with its correlation data and
/// its QoS, and at most as long as it says that it is waited for. Inside the callback, or later with
/// a kept message; never waits for the network.
///
/// `MQTT_INVALID_ARGUMENT` if the message names no response topic: nobody asked, or it came over MQTT
/// 3.1.1; `mqtt_message_respond_with` takes a topic. `MQTT_CLOSED` if the client is closed or freed.
///
/// @param payload  copied; may be NULL if `length` is 0
/// @param length   in bytes
/// @param receipt  as for `mqtt_publish`
///
/// # Safety
/// `message` is NULL, or a message of leveret that is still alive; `payload` is NULL or points to
/// `length` bytes; `receipt` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_message_respond(
    message: *const mqtt_message,
    payload: *const c_void,
    length: usize,
    receipt: *mut u64,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the message.
        let origin = unsafe { origin_of(message) }?;
        // SAFETY: the caller vouches for the bytes.
        let payload = unsafe { input::bytes(payload, length, "payload") }?.into();
        // SAFETY: the message is alive.
        let request = unsafe { origin.message() };
        let to = ResponseTo::from(request);
        let letter = Publish {
            topic: to.topic(None, Dialect::C)?,
            payload,
            options: &to.options(),
        };
        // SAFETY: the message is alive, and the caller vouches for the place.
        unsafe { origin.publish(letter, receipt) }
    })
}

/// `mqtt_message_respond` with all that can be said about the response.
///
/// @param letter  begun with `MQTT_LETTER_INIT`; a `topic` of NULL is the response topic of the
///                message, `correlation_data` of NULL that of the message, `MQTT_TTL_DEFAULT` as long
///                as the message says. The `qos` is that of the letter
///
/// # Safety
/// As for `mqtt_message_respond`; `letter` is NULL or points to a letter of the size it states, all
/// of whose pointers are NULL or as they say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_message_respond_with(
    message: *const mqtt_message,
    letter: *const mqtt_letter,
    receipt: *mut u64,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the letter.
        let letter = unsafe { Letters::new(letter, 1) }.map(|letters| letters.get(0))?;
        // Before anything can fail, as above. SAFETY: the caller vouches for the payload.
        let released = unsafe { letter.released_payload() }?;
        // SAFETY: the caller vouches for the message.
        let origin = unsafe { origin_of(message) }?;
        // SAFETY: the caller vouches for what the letter points to.
        let mut options = unsafe { letter.options() }?;
        // SAFETY: the caller vouches for the payload.
        let payload = unsafe { letter.payload(released) }?;
        // SAFETY: the caller vouches for the text.
        let topic = unsafe { input::optional_text(letter.topic, "topic") }?;
        // SAFETY: the message is alive.
        let to = ResponseTo::from(unsafe { origin.message() });
        complete(&mut options, to.options());
        let letter = Publish {
            topic: to.topic(topic, Dialect::C)?,
            payload,
            options: &options,
        };
        // SAFETY: the message is alive, and the caller vouches for the place.
        unsafe { origin.publish(letter, receipt) }
    })
}

/// What the letter leaves open is as the request wants it.
fn complete(options: &mut PublishOptions, usual: PublishOptions) {
    if options.correlation_data.is_none() {
        options.correlation_data = usual.correlation_data;
    }
    if options.ttl == Ttl::Default {
        options.ttl = usual.ttl;
    }
}

/// Asks and waits.
///
/// # Safety
/// `place` is NULL or may be written.
unsafe fn request(
    face: &InUse<'_>,
    letter: Publish<'_>,
    timeout_ms: u32,
    place: *mut *const mqtt_message,
) -> Result<(), Error> {
    let question = face.client.request(letter, input::timeout(timeout_ms))?;
    if let Reply::Response(response) = answer(face, question, None)?
        && !place.is_null()
    {
        let kept = Kept::new(*response, None, face.me().clone());
        // SAFETY: the caller vouches for the place.
        unsafe { input::put(place, kept.give()) };
    }
    Ok(())
}
