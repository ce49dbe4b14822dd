//! Messages as C sees them, kept ones, their acknowledgement, and the properties of a packet.
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use leveret::host::AckToken;
use leveret::host::{
    Error, Message, Properties, PropertyId, PropertyValue, Publish, ReasonCode, Words, sentence,
};

use crate::error::mqtt_result;
use crate::face::Face;
use crate::failure;
use crate::guard::{guard, guard_or};
use crate::handle::{self, Boxed, Hidden, Opaque, Shared};
use crate::input;

/// A message from the broker. This struct will not grow.
///
/// It and what it points to live until the callback returns; `mqtt_message_ref` keeps it longer.
/// The texts do not end in NUL.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mqtt_message {
    /// Topic name, UTF-8.
    pub topic: *const c_char,
    /// Length of the topic in bytes, 1..=65535.
    pub topic_length: usize,
    /// Payload; never NULL, also where it is empty.
    pub payload: *const c_void,
    /// Length of the payload in bytes.
    pub payload_length: usize,
    /// MQTT 5 properties, for `mqtt_property_get`; none on MQTT 3.1.1.
    pub properties: *const mqtt_properties,
    /// What leveret needs to keep and to acknowledge the message.
    pub origin: *const mqtt_origin,
    /// QoS of this delivery: 0, 1 or 2.
    pub qos: u8,
    /// Was it retained by the broker.
    pub retain: bool,
    /// May the broker have sent this packet before.
    pub dup: bool,
}

/// Where a message comes from: leveret's own business.
pub struct mqtt_origin(Hidden);

/// The MQTT 5 properties of a packet, read with `mqtt_property_get`.
pub struct mqtt_properties(Hidden);

/// One property of a packet. This struct will not grow. Texts are UTF-8 and do not end in NUL.
#[repr(C)]
pub struct mqtt_property {
    /// For a user property its name, else NULL.
    pub name: *const c_char,
    /// Length of the name in bytes.
    pub name_length: usize,
    /// The text or the bytes; NULL for a property that is a number.
    pub value: *const c_void,
    /// Length of the value in bytes.
    pub value_length: usize,
    /// The number, for a property that is one, else 0.
    pub number: u32,
}

/// Keeps a message beyond its callback: answers a new one, to be ended with `mqtt_message_unref`.
/// Topic, payload and properties are shared, not copied: as long as it is kept, so is the buffer in
/// which it arrived. NULL if `message` is NULL or did not come from leveret.
///
/// Any thread. The message may be kept beyond the life of its client.
///
/// # Safety
/// `message` is NULL, or a message of leveret that is still alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_message_ref(message: *const mqtt_message) -> *const mqtt_message {
    guard_or(ptr::null(), || {
        // SAFETY: the caller vouches for the message.
        let origin = unsafe { origin_of(message) }?;
        // SAFETY: the message is alive, so what its origin points to is.
        let message = unsafe { &*origin.message };
        // SAFETY: as above.
        let face = unsafe { &*origin.face };
        let kept = Kept::new(message.clone(), origin.token, face.clone());
        Ok(kept.give())
    })
}

/// Ends a message that came from `mqtt_message_ref`. NULL is nothing.
///
/// # Safety
/// `message` is NULL or came from `mqtt_message_ref`, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_message_unref(message: *const mqtt_message) {
    guard_or((), || {
        // SAFETY: the view is the first field of `Kept`, so this is the pointer that
        // `mqtt_message_ref` made.
        drop(
            (!message.is_null())
                .then(|| unsafe { Box::from_raw(message.cast_mut().cast::<Kept>()) }),
        );
        Ok(())
    });
}

/// Acknowledges a message of a client with the option `manual_ack`, from any thread, inside the
/// callback or later with a kept message.
///
/// Acknowledgements leave in the order the standard demands, whatever the order of the calls. On a
/// connection later than the one it came on this does nothing: the broker delivers the message
/// again. So does a second call, and a call for a message of QoS 0.
///
/// @param reason  0 if it was handled, else 0x80, 0x83, 0x87, 0x90, 0x91, 0x97 or 0x99 (MQTT 5,
///                3.4.2.1; on 3.1.1 it is a plain acknowledgement)
///
/// # Safety
/// `message` is NULL, or a message of leveret that is still alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_message_ack(
    message: *const mqtt_message,
    reason: c_int,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the message.
        let origin = unsafe { origin_of(message) }?;
        // SAFETY: the message is alive.
        unsafe { origin.acknowledge(reason, &Words::default()) }
    })
}

/// Says that a message could not be handled, as a handler does that raises in other languages: once
/// the callback has returned, the message is answered with the reason code 0x80 on MQTT 5; on 3.1.1,
/// which has no such answer, it is acknowledged. Either way it is counted as `handler_failures`.
///
/// Only inside the callback that was called with this message: where no callback of its client is
/// running on this thread it is `MQTT_INVALID_ARGUMENT`. For a message of QoS 0, with the option
/// `manual_ack`, and for a message kept from an earlier callback there is nothing to answer, and
/// nothing happens.
///
/// # Safety
/// `message` is NULL, or a message of leveret that is still alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_message_fail(message: *const mqtt_message) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the message.
        let origin = unsafe { origin_of(message) }?;
        // SAFETY: the message is alive, so what its origin points to is.
        let face = unsafe { (*origin.face).as_ptr() };
        if failure::give_back(face, origin.token) {
            return Ok(());
        }
        Err(Error::invalid(
            "message must belong to a callback that is running on this thread, but it does not",
        ))
    })
}

/// Reads a property of a packet: false if there is none (more), and then `property` is left as it
/// is.
///
/// @param properties  of a message or an event; NULL is as good as none
/// @param identifier  one of `MQTT_PROPERTY_…`
/// @param index       0, or for a property that may stand more than once (user property,
///                    subscription identifier) which of them
/// @param property    receives the property; what it points to lives as long as the message or
///                    event
///
/// # Safety
/// `properties` is NULL or belongs to a message or event that is still alive; `property` is NULL or
/// may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_property_get(
    properties: *const mqtt_properties,
    identifier: c_int,
    index: usize,
    property: *mut mqtt_property,
) -> bool {
    guard_or(false, || {
        if properties.is_null() {
            return Ok(false);
        }
        // SAFETY: not NULL, so it is what the caller vouches for.
        let properties = unsafe { handle::borrow(properties, "properties") }?;
        let identifier = u8::try_from(identifier)
            .ok()
            .and_then(PropertyId::from_number);
        let values = properties.iter().filter(|(id, _)| Some(*id) == identifier);
        let Some((_, value)) = values.into_iter().nth(index) else {
            return Ok(false);
        };
        // SAFETY: the caller vouches for the place.
        unsafe { input::put(property, mqtt_property::from(value)) };
        Ok(true)
    })
}

impl Opaque for mqtt_properties {
    type Value = Properties;
    type Ownership = Boxed;
}

impl Opaque for mqtt_origin {
    type Value = Origin;
    type Ownership = Shared;
}

impl From<PropertyValue<'_>> for mqtt_property {
    fn from(value: PropertyValue<'_>) -> mqtt_property {
        let (name, bytes, number) = match value {
            PropertyValue::Number(number) => (None, None, number),
            PropertyValue::Text(text) => (None, Some(text.as_bytes()), 0),
            PropertyValue::Binary(bytes) => (None, Some(bytes), 0),
            PropertyValue::TextPair(name, text) => (Some(name), Some(text.as_bytes()), 0),
        };
        mqtt_property {
            name: name.map_or(ptr::null(), |name| name.as_ptr().cast()),
            name_length: name.map_or(0, str::len),
            value: bytes.map_or(ptr::null(), |bytes| bytes.as_ptr().cast()),
            value_length: bytes.map_or(0, <[u8]>::len),
            number,
        }
    }
}

/// What stands behind `mqtt_message::origin`. The pointers live at least as long as the message
/// that points here.
pub(crate) struct Origin {
    message: *const Message,
    token: Option<AckToken>,
    face: *const Weak<Face>,
}

impl Origin {
    pub(crate) fn new(message: &Message, token: Option<AckToken>, face: &Weak<Face>) -> Origin {
        Origin {
            message,
            token,
            face,
        }
    }

    /// The message itself.
    ///
    /// # Safety
    /// The message that this is the origin of is alive as long as `'a` lasts.
    pub(crate) unsafe fn message<'a>(&self) -> &'a Message {
        // SAFETY: the caller vouches for the message, which holds what is pointed to.
        unsafe { &*self.message }
    }

    /// Acknowledges the message, where there is something to acknowledge.
    ///
    /// # Safety
    /// The message is alive.
    pub(crate) unsafe fn acknowledge(&self, reason: c_int, words: &Words) -> Result<(), Error> {
        let reason =
            u8::try_from(reason).map_err(|_| sentence::must_be("reason", "0..=255", reason))?;
        sentence::acknowledgement(ReasonCode(reason))?;
        // SAFETY: the message is alive, so what its origin points to is.
        let face = unsafe { (*self.face).upgrade() };
        match (face, self.token) {
            (Some(face), Some(token)) => {
                face.client
                    .acknowledge_with(token, ReasonCode(reason), words)
            }
            _ => Ok(()),
        }
    }

    /// Publishes something about this message with the client it came from.
    ///
    /// # Safety
    /// The message is alive; `receipt` is NULL or may be written.
    pub(crate) unsafe fn publish(
        &self,
        letter: Publish<'_>,
        receipt: *mut u64,
    ) -> Result<(), Error> {
        // SAFETY: the message is alive, so what its origin points to is.
        let face = unsafe { (*self.face).upgrade() }.ok_or_else(sentence::closed)?;
        let tag = face.client.publish(letter, !receipt.is_null())?;
        // SAFETY: the caller vouches for the place.
        unsafe { input::put(receipt, tag) };
        Ok(())
    }

    /// The message as C sees it. It points to this origin and to what this points to, and must not
    /// outlive them.
    pub(crate) fn view(&self) -> mqtt_message {
        // SAFETY: an origin does not outlive the message it was made for.
        let message = unsafe { &*self.message };
        let topic = message.topic();
        mqtt_message {
            topic: topic.as_ptr().cast(),
            topic_length: topic.len(),
            payload: message.payload().as_ptr().cast(),
            payload_length: message.payload().len(),
            properties: ptr::from_ref(message.properties()).cast(),
            origin: ptr::from_ref(self).cast(),
            qos: message.qos().into(),
            retain: message.retain(),
            dup: message.dup(),
        }
    }
}

/// A message that C keeps. The view is first, so that a pointer to it is a pointer to the whole.
#[repr(C)]
pub(crate) struct Kept {
    view: mqtt_message,
    _origin: Rc<Origin>,
    _contents: Arc<(Message, Weak<Face>)>,
}

impl Kept {
    /// A message with everything it points to.
    pub(crate) fn new(message: Message, token: Option<AckToken>, face: Weak<Face>) -> Kept {
        // Shared, since what is pointed to has to stay where it is while the owner moves.
        let contents = Arc::new((message, face));
        let origin = Rc::new(Origin::new(&contents.0, token, &contents.1));
        Kept {
            view: origin.view(),
            _origin: origin,
            _contents: contents,
        }
    }

    /// Hands the message to C, which ends it with `mqtt_message_unref`.
    pub(crate) fn give(self) -> *const mqtt_message {
        Box::into_raw(Box::new(self)).cast_const().cast()
    }

    /// The message as C sees it; what it points to lives as long as `self`.
    #[cfg(feature = "testing")]
    pub(crate) fn view(&self) -> &mqtt_message {
        &self.view
    }
}

/// What stands behind a message, or a sentence.
///
/// # Safety
/// `message` is NULL, or a message that is still alive.
pub(crate) unsafe fn origin_of<'a>(message: *const mqtt_message) -> Result<&'a Origin, Error> {
    // SAFETY: the caller vouches for the message.
    let message = unsafe { input::object(message, "message") }?;
    // SAFETY: leveret fills the origin of every message; a program that made one up has NULL or
    // garbage there, and only NULL can be told.
    unsafe {
        handle::borrow(
            message.origin,
            "message.origin (a message must come from leveret)",
        )
    }
}
