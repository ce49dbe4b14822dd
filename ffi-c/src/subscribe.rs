//! Subscriptions: declared once, kept over every reconnect, each with a callback of its own or
//! none.
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use leveret::host::options::SubscribeOptions;
use leveret::host::{Answers, Error, Reply, Target, sentence};

use crate::callback::{Call, Callback, mqtt_drop, mqtt_message_callback};
use crate::client::{face, mqtt_client};
use crate::error::mqtt_result;
use crate::face::Face;
use crate::guard::guard;
use crate::input;
use crate::letter::{mqtt_pair, pairs};

/// How to subscribe. Begin with `mqtt_subscribe_options options = MQTT_SUBSCRIBE_OPTIONS_INIT;`.
/// May grow at its end.
#[repr(C)]
pub struct mqtt_subscribe_options {
    /// Size of this struct: set by `MQTT_SUBSCRIBE_OPTIONS_INIT`.
    pub size: usize,
    /// The highest QoS with which the broker is to deliver: 0, 1 or 2; 1 unless set.
    pub qos: c_int,
    /// MQTT 5: do not deliver what this client itself publishes.
    pub no_local: bool,
    /// MQTT 5: deliver with the retain flag as it was published.
    pub retain_as_published: bool,
    /// MQTT 5: when retained messages are delivered: 0 at each subscribe, 1 only if the
    /// subscription is new, 2 never.
    pub retain_handling: c_int,
    /// Milliseconds to wait for the broker's answer while online; 0 takes the option
    /// `subscribe_timeout` of the client.
    pub timeout_ms: u32,
    /// MQTT 5: user properties of the SUBSCRIBE; NULL if there are none.
    pub user_properties: *const mqtt_pair,
    /// How many user properties there are.
    pub user_property_count: usize,
}

/// Subscribes to a topic filter. It is declared at once, online or offline, and restored after
/// every reconnect; the broker's answer comes with `mqtt_client_on_subscription_with`. Letters
/// published afterwards go out after it. Any thread, before the start too.
///
/// @param filter    topic filter: with '+' and '#', or "$share/group/filter"; copied
/// @param qos       the highest QoS with which the broker is to deliver: 0, 1 or 2
/// @param callback  called with each message for this filter; several for one filter are each
///                  called. NULL: the messages go to `mqtt_client_on_message_with` or, with
///                  `context` in the event, to `mqtt_client_on_events_with`
/// @param context   passed to `callback`
///
/// # Safety
/// `client` is NULL or alive; `filter` is NULL or a NUL-terminated text; `callback` may be called
/// with `context` from other threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_subscribe(
    client: *mut mqtt_client,
    filter: *const c_char,
    qos: c_int,
    callback: mqtt_message_callback,
    context: *mut c_void,
) -> mqtt_result {
    guard(|| {
        let options = mqtt_subscribe_options {
            qos,
            ..mqtt_subscribe_options::INIT
        };
        let callback = Callback::new(Call::Message(callback), context, None);
        // SAFETY: passed on to the caller.
        unsafe { subscribe(client, filter, &options, callback, ptr::null_mut()) }
    })
}

/// `mqtt_subscribe` with options, a `drop` and a reply.
///
/// @param options  begun with `MQTT_SUBSCRIBE_OPTIONS_INIT`; NULL for all defaults
/// @param drop     called once with `context` after the last call of `callback`: when unsubscribed,
///                 when the client is freed, or when this call fails; may be NULL
/// @param reply    receives a number for `mqtt_reply_wait`; NULL if nobody will ask
///
/// # Safety
/// As for `mqtt_subscribe`; `options` is NULL or points to options of the size they state; `reply`
/// is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_subscribe_with(
    client: *mut mqtt_client,
    filter: *const c_char,
    options: *const mqtt_subscribe_options,
    callback: mqtt_message_callback,
    context: *mut c_void,
    drop: mqtt_drop,
    reply: *mut u64,
) -> mqtt_result {
    guard(|| {
        let callback = Callback::new(Call::Message(callback), context, drop);
        // SAFETY: the caller vouches for the options.
        let options = unsafe { mqtt_subscribe_options::read(options) }?;
        // SAFETY: passed on to the caller.
        unsafe { subscribe(client, filter, &options, callback, reply) }
    })
}

/// Ends the subscription to a topic filter: no callback of it begins once this has returned, and
/// their `drop`s follow. Where the broker refuses (MQTT 5), `mqtt_reply_wait` says so; the filter is taken
/// back here all the same, and what such a broker still sends for it is for nobody.
///
/// @param filter  the same text as when subscribing
/// @param reply   receives a number for `mqtt_reply_wait`; NULL if nobody will ask
///
/// # Safety
/// `client` is NULL or alive; `filter` is NULL or a NUL-terminated text; `reply` is NULL or may be
/// written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_unsubscribe(
    client: *mut mqtt_client,
    filter: *const c_char,
    reply: *mut u64,
) -> mqtt_result {
    // SAFETY: passed on to the caller.
    guard(|| unsafe { unsubscribe(client, filter, Vec::new(), reply) })
}

/// `mqtt_unsubscribe` with user properties for the UNSUBSCRIBE (MQTT 5; on 3.1.1 they are not sent).
///
/// @param user_properties  copied; NULL if there are none
/// @param count            how many user properties there are
///
/// # Safety
/// As for `mqtt_unsubscribe`; `user_properties` is NULL or points to `count` pairs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_unsubscribe_with(
    client: *mut mqtt_client,
    filter: *const c_char,
    user_properties: *const mqtt_pair,
    count: usize,
    reply: *mut u64,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the pairs.
        let user_properties = unsafe { pairs(user_properties, count, "user_properties") }?;
        // SAFETY: passed on to the caller.
        unsafe { unsubscribe(client, filter, user_properties, reply) }
    })
}

/// Waits for the broker's answer to a subscribe, unsubscribe or re-authentication, and claims it.
/// `MQTT_REFUSED` if the broker refused: then `mqtt_last_reason` is its reason code, and the filter
/// is no longer declared. `MQTT_TIMED_OUT` leaves it as it is, to be asked for again.
///
/// @param reply       what the subscribe, unsubscribe or re-authentication wrote
/// @param timeout_ms  milliseconds, or `MQTT_FOREVER`
/// @param reason      receives the broker's code: after a subscribe the granted QoS, 0, 1 or 2; may
///                    be NULL
///
/// # Safety
/// `client` is NULL or alive; `reason` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_reply_wait(
    client: *mut mqtt_client,
    reply: u64,
    timeout_ms: u32,
    reason: *mut c_int,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        let code = match face.client.wait_reply(reply, input::timeout(timeout_ms))? {
            Reply::Subscribed(answers) | Reply::Unsubscribed(answers) => granted(&answers)?,
            _ => 0,
        };
        // SAFETY: the caller vouches for the place.
        unsafe { input::put(reason, code) };
        Ok(())
    })
}

impl mqtt_subscribe_options {
    /// What `MQTT_SUBSCRIBE_OPTIONS_INIT` says.
    pub(crate) const INIT: mqtt_subscribe_options = mqtt_subscribe_options {
        size: size_of::<mqtt_subscribe_options>(),
        qos: 1,
        no_local: false,
        retain_as_published: false,
        retain_handling: 0,
        timeout_ms: 0,
        user_properties: ptr::null(),
        user_property_count: 0,
    };

    /// A copy of the options of C, as much of them as this library knows; the defaults for NULL.
    ///
    /// # Safety
    /// `options` is NULL or points to options of the size they state.
    unsafe fn read(
        options: *const mqtt_subscribe_options,
    ) -> Result<mqtt_subscribe_options, Error> {
        if options.is_null() {
            return Ok(mqtt_subscribe_options::INIT);
        }
        // SAFETY: options begin with their size, whatever that is.
        let size = unsafe { options.cast::<usize>().read() };
        // The first release was this size; a newer program may know fields that this library does
        // not.
        if size < size_of::<mqtt_subscribe_options>() {
            return Err(sentence::must_be(
                "size of the subscribe options",
                "what MQTT_SUBSCRIBE_OPTIONS_INIT sets",
                size,
            ));
        }
        // SAFETY: at least as large as the struct known here; they are plain data.
        Ok(unsafe { options.read() })
    }

    /// The same for the core, which checks the ranges.
    ///
    /// # Safety
    /// The user properties are NULL or as the header says.
    unsafe fn to_core(&self) -> Result<SubscribeOptions, Error> {
        let handling = u8::try_from(self.retain_handling)
            .ok()
            .filter(|handling| *handling <= 2);
        Ok(SubscribeOptions {
            qos: input::qos(self.qos)?,
            no_local: self.no_local,
            retain_as_published: self.retain_as_published,
            retain_handling: handling.ok_or_else(|| {
                sentence::must_be("retain_handling", "0, 1 or 2", self.retain_handling)
            })?,
            // SAFETY: the caller vouches for the pairs.
            user_properties: unsafe {
                pairs(
                    self.user_properties,
                    self.user_property_count,
                    "user_properties",
                )
            }?,
            timeout: (self.timeout_ms > 0).then(|| Duration::from_millis(self.timeout_ms.into())),
        })
    }
}

/// Declares a filter with its callback, which is dropped again if that fails.
///
/// # Safety
/// The pointers are NULL or as the header says.
unsafe fn subscribe(
    client: *mut mqtt_client,
    filter: *const c_char,
    options: &mqtt_subscribe_options,
    callback: Callback,
    reply: *mut u64,
) -> Result<(), Error> {
    // SAFETY: the caller vouches for the client.
    let face = unsafe { face(client) }?;
    // SAFETY: the caller vouches for the text.
    let filter = unsafe { input::text(filter, "topic filter") }?;
    // SAFETY: the caller vouches for what the options point to.
    let options = unsafe { options.to_core() }?;
    face.client.check_process()?;
    let number = face
        .desk
        .with(|desk| desk.add_handler(filter, Arc::new(callback)));
    let asked = face
        .client
        .subscribe(&[(filter, options)], Target::Handler(number));
    let question =
        asked.inspect_err(|_| drop(face.desk.with(|desk| desk.remove_handler(filter, number))))?;
    // SAFETY: the caller vouches for the place.
    unsafe { hand_over(&face, question, reply) };
    Ok(())
}

/// Takes a filter back, and its callbacks away.
///
/// # Safety
/// The pointers are NULL or as the header says.
unsafe fn unsubscribe(
    client: *mut mqtt_client,
    filter: *const c_char,
    user_properties: Vec<(String, String)>,
    reply: *mut u64,
) -> Result<(), Error> {
    // SAFETY: the caller vouches for the client.
    let face = unsafe { face(client) }?;
    // SAFETY: the caller vouches for the text.
    let filter = unsafe { input::text(filter, "topic filter") }?;
    let question = face.client.unsubscribe_with(&[filter], user_properties)?;
    let removed = face.desk.with(|desk| desk.remove_handlers(filter));
    drop(removed);
    // SAFETY: the caller vouches for the place.
    unsafe { hand_over(&face, question, reply) };
    Ok(())
}

/// Gives the number of a question to whoever wants to wait for its answer, or forgets it.
///
/// # Safety
/// `place` is NULL or may be written.
pub(crate) unsafe fn hand_over(face: &Face, question: u64, place: *mut u64) {
    if place.is_null() {
        face.client.forget(question);
    }
    // SAFETY: the caller vouches for the place.
    unsafe { input::put(place, question) }
}

/// The broker's code, or its refusal as an error.
fn granted(answers: &Answers) -> Result<c_int, Error> {
    if let Some(refusal) = answers.refusal() {
        return Err(refusal);
    }
    let Some(code) = answers.codes.first() else {
        return Ok(0);
    };
    Ok(code.0.into())
}
