//! Publishing: letters posted at once, one by one or many, with few words or all of them.
use std::ffi::{c_char, c_int, c_void};

use leveret::host::options::{Priority, PublishOptions, Ttl};
use leveret::host::{Error, Publish, QoS};

use crate::client::{face, mqtt_client};
use crate::error::mqtt_result;
use crate::guard::guard;
use crate::input;
use crate::letter::{Letters, mqtt_letter, ttl};

/// Publishes with the client's default time to live: hands a letter to the post office, online or
/// offline, and never waits for the network.
///
/// `MQTT_QUEUE_FULL`: there is no room; `mqtt_client_wait_writable` waits for it.
///
/// @param topic    topic name, without wildcards
/// @param payload  copied; may be NULL if `length` is 0
/// @param length   in bytes
/// @param qos      0, 1 or 2
/// @param retain   whether the broker keeps it for those who subscribe later
/// @param receipt  receives the number by which its outcome can be asked for; NULL if nobody will
///                 ask
///
/// # Safety
/// `client` is NULL or alive; `topic` is NULL or a NUL-terminated text; `payload` is NULL or points
/// to `length` bytes; `receipt` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_publish(
    client: *mut mqtt_client,
    topic: *const c_char,
    payload: *const c_void,
    length: usize,
    qos: c_int,
    retain: bool,
    receipt: *mut u64,
) -> mqtt_result {
    guard(|| {
        let options = &USUAL[usize::from(u8::from(input::qos(qos)?))][usize::from(retain)];
        // SAFETY: passed on to the caller.
        unsafe { publish_plain(client, topic, payload, length, options, receipt) }
    })
}

/// `mqtt_publish` with a time to live of its own.
///
/// @param ttl_ms  milliseconds from this call after which the letter is no longer sent, and its
///                outcome is `expired`; not 0. It counts on while offline and while the machine is
///                suspended. `MQTT_TTL_NONE` or `MQTT_TTL_DEFAULT`
///
/// # Safety
/// As for `mqtt_publish`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_publish_ttl(
    client: *mut mqtt_client,
    topic: *const c_char,
    payload: *const c_void,
    length: usize,
    qos: c_int,
    retain: bool,
    ttl_ms: u32,
    receipt: *mut u64,
) -> mqtt_result {
    guard(|| {
        let options = plain(input::qos(qos)?, retain, ttl(ttl_ms));
        // SAFETY: passed on to the caller.
        unsafe { publish_plain(client, topic, payload, length, &options, receipt) }
    })
}

/// Publishes a letter with all that can be said about it.
///
/// @param letter   begun with `MQTT_LETTER_INIT`; copied, but for a payload with a `release`
/// @param receipt  as for `mqtt_publish`
///
/// # Safety
/// As for `mqtt_publish`; `letter` is NULL or points to a letter of the size it states, all of
/// whose pointers are NULL or as they say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_publish_with(
    client: *mut mqtt_client,
    letter: *const mqtt_letter,
    receipt: *mut u64,
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
        let tag = face.client.publish(publish, !receipt.is_null())?;
        // SAFETY: the caller vouches for the place.
        unsafe { input::put(receipt, tag) };
        Ok(())
    })
}

/// Publishes many letters in order, faster than one by one. The first that is refused ends it; one
/// that is wrong is refused before any is posted. The payloads of refused letters are released too.
///
/// @param letters   an array, each begun with `MQTT_LETTER_INIT`
/// @param count     how many
/// @param receipts  receives the receipts of those accepted; has room for `count`; NULL if nobody
///                  will ask
/// @param accepted  receives how many were accepted, the first ones, also when the call fails; may
///                  be NULL
///
/// # Safety
/// As for `mqtt_publish_with`, for each letter; `receipts` is NULL or room for `count`; `accepted`
/// is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_publish_many(
    client: *mut mqtt_client,
    letters: *const mqtt_letter,
    count: usize,
    receipts: *mut u64,
    accepted: *mut usize,
) -> mqtt_result {
    guard(|| {
        let mut tags = Vec::new();
        // SAFETY: passed on to the caller.
        let result =
            unsafe { publish_many(client, letters, count, !receipts.is_null(), &mut tags) };
        let room = if receipts.is_null() { 0 } else { count };
        // SAFETY: the caller vouches for the room.
        let places = unsafe { input::memory(receipts, room, "receipts") }?;
        for (place, tag) in places.iter_mut().zip(&tags) {
            place.write(*tag);
        }
        // SAFETY: the caller vouches for the place.
        unsafe { input::put(accepted, tags.len()) };
        result
    })
}

/// The options of letters with the default time to live, by QoS and retain: made once and for all,
/// since this is the path that has to be short.
static USUAL: [[PublishOptions; 2]; 3] = [
    usual(QoS::AtMostOnce),
    usual(QoS::AtLeastOnce),
    usual(QoS::ExactlyOnce),
];

const fn usual(qos: QoS) -> [PublishOptions; 2] {
    [
        plain(qos, false, Ttl::Default),
        plain(qos, true, Ttl::Default),
    ]
}

/// Options that say nothing else.
const fn plain(qos: QoS, retain: bool, ttl: Ttl) -> PublishOptions {
    PublishOptions {
        qos,
        retain,
        ttl,
        priority: Priority::Normal,
        overflow: None,
        replace: None,
        message_expiry: None,
        payload_format: None,
        content_type: None,
        response_topic: None,
        correlation_data: None,
        user_properties: Vec::new(),
    }
}

/// Publishes a letter whose payload is copied.
///
/// # Safety
/// The pointers are NULL or as the header says.
#[inline(always)]
unsafe fn publish_plain(
    client: *mut mqtt_client,
    topic: *const c_char,
    payload: *const c_void,
    length: usize,
    options: &PublishOptions,
    receipt: *mut u64,
) -> Result<(), Error> {
    // SAFETY: the caller vouches for the client.
    let face = unsafe { face(client) }?;
    // SAFETY: the caller vouches for the text.
    let topic = unsafe { input::text(topic, "topic") }?;
    // SAFETY: the caller vouches for the bytes.
    let payload = unsafe { input::bytes(payload, length, "payload") }?.into();
    let letter = Publish {
        topic,
        payload,
        options,
    };
    let tag = face.client.publish(letter, !receipt.is_null())?;
    // SAFETY: the caller vouches for the place.
    unsafe { input::put(receipt, tag) };
    Ok(())
}

/// Publishes letters; the receipts of those accepted are appended to `tags`.
///
/// # Safety
/// The pointers are NULL or as the header says.
unsafe fn publish_many(
    client: *mut mqtt_client,
    letters: *const mqtt_letter,
    count: usize,
    report: bool,
    tags: &mut Vec<u64>,
) -> Result<(), Error> {
    if count == 0 {
        // SAFETY: the caller vouches for the client.
        return unsafe { face(client) }.map(drop);
    }
    // SAFETY: the caller vouches for the letters.
    let letters = unsafe { Letters::new(letters, count) }?;
    let letters: Vec<mqtt_letter> = (0..count).map(|i| letters.get(i)).collect();
    // All payloads first: whatever is wrong with a letter, those of the others are released too.
    // SAFETY: the caller vouches for the payloads of letters with a release function.
    let released: Vec<_> = letters
        .iter()
        .map(|letter| unsafe { letter.released_payload() })
        .collect();
    // SAFETY: the caller vouches for the client.
    let face = unsafe { face(client) }?;
    // SAFETY: the caller vouches for what the letters point to.
    let options: Vec<_> = letters
        .iter()
        .map(|letter| unsafe { letter.options() })
        .collect::<Result<_, Error>>()?;
    let mut publishes = Vec::with_capacity(count);
    for ((letter, options), released) in letters.iter().zip(&options).zip(released) {
        // SAFETY: as above.
        publishes.push(unsafe { letter.publish(options, released?) }?);
    }
    face.client.publish_many(&publishes, report, tags)
}
