//! A letter with all that can be said about it, as C fills it in, and what the core makes of it.
use std::ffi::{c_char, c_int, c_void};
#[cfg(test)]
use std::ptr;
use std::time::Duration;

use bytes::Bytes;
use leveret::host::options::{Overflow, Priority, PublishOptions, Ttl};
use leveret::host::{Error, Payload, Publish, sentence};

use crate::input;
use crate::release::{Release, mqtt_release};

/// As a time to live: the option `default_ttl` of the client.
pub const MQTT_TTL_DEFAULT: u32 = u32::MAX - 1;
/// As a time to live: none; the letter waits as long as it takes.
pub const MQTT_TTL_NONE: u32 = u32::MAX;

/// As an overflow rule: the option `overflow` of the client.
pub const MQTT_OVERFLOW_DEFAULT: c_int = -1;

/// A name and a value, both NUL-terminated UTF-8.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mqtt_pair {
    /// The name.
    pub name: *const c_char,
    /// The value.
    pub value: *const c_char,
}

/// All that can be said about one letter. Begin with `mqtt_letter letter = MQTT_LETTER_INIT;`, then
/// set what you need. May grow at its end.
#[repr(C)]
pub struct mqtt_letter {
    /// Size of this struct: set by `MQTT_LETTER_INIT`.
    pub size: usize,
    /// Topic name.
    pub topic: *const c_char,
    /// Payload; may be NULL if its length is 0.
    pub payload: *const c_void,
    /// Length of the payload in bytes.
    pub payload_length: usize,
    /// Where set, the payload is not copied: it has to stay unchanged until this is called with
    /// `release_context`, exactly once, on whatever thread lets go of it last, before or after the
    /// publish returns, also when that fails. It must not call leveret.
    pub release: mqtt_release,
    /// For `release`.
    pub release_context: *mut c_void,
    /// 0, 1 or 2; 1 unless set.
    pub qos: c_int,
    /// Whether the broker keeps it for those who subscribe later.
    pub retain: bool,
    /// Milliseconds from this call in which it is of use, or `MQTT_TTL_DEFAULT` or `MQTT_TTL_NONE`.
    pub ttl_ms: u32,
    /// One of `MQTT_PRIORITY_…`; normal unless set.
    pub priority: c_int,
    /// What gives way when the post office is full while offline: one of `MQTT_OVERFLOW_…`.
    pub overflow: c_int,
    /// Key of which only the newest letter is wanted: a waiting letter of the same key is dropped.
    /// NULL replaces nothing.
    pub replace: *const c_char,
    /// MQTT 5: seconds that the broker keeps it for receivers that are not there; -1 says nothing.
    /// Where the TTL is shorter, that is sent.
    pub message_expiry_s: i64,
    /// MQTT 5: 1 says that the payload is UTF-8 text, 0 that it is bytes, -1 says nothing.
    pub payload_format: c_int,
    /// MQTT 5: content type, such as "application/json"; NULL says nothing.
    pub content_type: *const c_char,
    /// MQTT 5: topic on which an answer is expected; NULL expects none.
    pub response_topic: *const c_char,
    /// MQTT 5: what the answer is to carry, so that it is known again; NULL for none.
    pub correlation_data: *const c_void,
    /// Length of the correlation data in bytes.
    pub correlation_data_length: usize,
    /// MQTT 5: user properties, passed on to the receivers; NULL if there are none.
    pub user_properties: *const mqtt_pair,
    /// How many user properties there are.
    pub user_property_count: usize,
}

/// Letters of C, each as large as the header was that the program was compiled with.
pub(crate) struct Letters {
    first: *const mqtt_letter,
    size: usize,
}

impl Letters {
    /// # Safety
    /// `first` is NULL or points to `count` letters, each of the size that the first one states.
    pub(crate) unsafe fn new(first: *const mqtt_letter, count: usize) -> Result<Letters, Error> {
        if first.is_null() {
            return Err(input::null("letter"));
        }
        // SAFETY: every letter begins with its size, whatever that is.
        let size = unsafe { first.cast::<usize>().read() };
        let letters = Letters { first, size };
        let known = size_of::<mqtt_letter>();
        // The first release was this size; a newer program may know fields that this library does
        // not.
        let wrong = (0..count)
            .map(|i| letters.size_of(i))
            .find(|&other| other != size || other < known);
        match wrong {
            Some(other) => Err(sentence::must_be(
                "size of the letter",
                "what MQTT_LETTER_INIT sets",
                other,
            )),
            None => Ok(letters),
        }
    }

    fn size_of(&self, i: usize) -> usize {
        // SAFETY: the caller of `new` vouches for `count` letters of this size; `new` asks for no
        // more than that.
        unsafe { self.place(i).cast::<usize>().read() }
    }

    /// A copy of one letter, as much of it as this library knows.
    pub(crate) fn get(&self, i: usize) -> mqtt_letter {
        // SAFETY: as in `size_of`; a letter is plain data and at least as large as the struct known
        // here, as `new` has checked.
        unsafe { self.place(i).read() }
    }

    fn place(&self, i: usize) -> *const mqtt_letter {
        self.first.wrapping_byte_add(i * self.size)
    }
}

impl mqtt_letter {
    /// What `MQTT_LETTER_INIT` is to say.
    #[cfg(test)]
    pub(crate) const INIT: mqtt_letter = mqtt_letter {
        size: size_of::<mqtt_letter>(),
        topic: ptr::null(),
        payload: ptr::null(),
        payload_length: 0,
        release: None,
        release_context: ptr::null_mut(),
        qos: 1,
        retain: false,
        ttl_ms: MQTT_TTL_DEFAULT,
        priority: Priority::Normal as c_int,
        overflow: MQTT_OVERFLOW_DEFAULT,
        replace: ptr::null(),
        message_expiry_s: -1,
        payload_format: -1,
        content_type: ptr::null(),
        response_topic: ptr::null(),
        correlation_data: ptr::null(),
        correlation_data_length: 0,
        user_properties: ptr::null(),
        user_property_count: 0,
    };

    /// The payload of a letter with a release function, which will be called once whatever becomes
    /// of it.
    ///
    /// # Safety
    /// The payload is NULL or `payload_length` bytes that stay as they are until released.
    pub(crate) unsafe fn released_payload(&self) -> Result<Option<Bytes>, Error> {
        // SAFETY: the caller vouches for the payload.
        self.release
            .map(|_| unsafe {
                Release::shared(
                    self.payload,
                    self.payload_length,
                    self.release,
                    self.release_context,
                )
            })
            .transpose()
    }

    /// What is to be published.
    ///
    /// # Safety
    /// Topic and payload are NULL or as the header says, as long as `'a` lasts.
    pub(crate) unsafe fn publish<'a>(
        &self,
        options: &'a PublishOptions,
        released: Option<Bytes>,
    ) -> Result<Publish<'a>, Error> {
        // SAFETY: the caller vouches for the topic.
        let topic = unsafe { input::text(self.topic, "topic") }?;
        Ok(Publish {
            topic,
            // SAFETY: the caller vouches for the payload.
            payload: unsafe { self.payload(released) }?,
            options,
        })
    }

    /// What it carries.
    ///
    /// # Safety
    /// The payload is NULL or as the header says, as long as `'a` lasts.
    pub(crate) unsafe fn payload<'a>(&self, released: Option<Bytes>) -> Result<Payload<'a>, Error> {
        Ok(match released {
            Some(bytes) => Payload::Shared(bytes),
            // SAFETY: the caller vouches for the payload.
            None => Payload::from(unsafe {
                input::bytes(self.payload, self.payload_length, "payload")
            }?),
        })
    }

    /// How it is to be published. What is out of range is left to the core's own check, so that the
    /// sentence is the same everywhere.
    ///
    /// # Safety
    /// Texts, bytes and pairs are NULL or as the header says.
    #[expect(
        clippy::multiple_unsafe_ops_per_block,
        reason = "each reads one field, on the same ground"
    )]
    pub(crate) unsafe fn options(&self) -> Result<PublishOptions, Error> {
        // SAFETY: the caller vouches for all that the letter points to.
        unsafe {
            let correlation_data = input::bytes(
                self.correlation_data,
                self.correlation_data_length,
                "correlation_data",
            )?;
            Ok(PublishOptions {
                qos: input::qos(self.qos)?,
                retain: self.retain,
                ttl: ttl(self.ttl_ms),
                priority: choice(
                    "priority",
                    self.priority,
                    Priority::from_number,
                    Priority::NAMES,
                )?,
                overflow: match self.overflow {
                    MQTT_OVERFLOW_DEFAULT => None,
                    number => Some(choice(
                        "overflow",
                        number,
                        Overflow::from_number,
                        Overflow::NAMES,
                    )?),
                },
                replace: input::optional_text(self.replace, "replace")?.map(str::to_owned),
                message_expiry: message_expiry(self.message_expiry_s)?,
                payload_format: payload_format(self.payload_format)?,
                content_type: input::optional_text(self.content_type, "content_type")?
                    .map(str::to_owned),
                response_topic: input::optional_text(self.response_topic, "response_topic")?
                    .map(str::to_owned),
                correlation_data: (!self.correlation_data.is_null())
                    .then(|| Bytes::copy_from_slice(correlation_data)),
                user_properties: pairs(
                    self.user_properties,
                    self.user_property_count,
                    "user_properties",
                )?,
            })
        }
    }
}

/// Pairs of texts, copied.
///
/// # Safety
/// `first` is NULL or points to `count` pairs, whose texts are NULL or NUL-terminated.
pub(crate) unsafe fn pairs(
    first: *const mqtt_pair,
    count: usize,
    name: &str,
) -> Result<Vec<(String, String)>, Error> {
    // SAFETY: the caller vouches for the array.
    let pairs: &[mqtt_pair] = unsafe { input::slice(first, count, name) }?;
    let copies = pairs.iter().map(|pair| {
        // SAFETY: the caller vouches for the texts.
        let name = unsafe { input::text(pair.name, "name of a pair") }?;
        // SAFETY: as above.
        let value = unsafe { input::text(pair.value, "value of a pair") }?;
        Ok((name.to_owned(), value.to_owned()))
    });
    copies.collect()
}

pub(crate) fn ttl(milliseconds: u32) -> Ttl {
    match milliseconds {
        MQTT_TTL_DEFAULT => Ttl::Default,
        MQTT_TTL_NONE => Ttl::Never,
        milliseconds => Ttl::After(Duration::from_millis(milliseconds.into())),
    }
}

fn message_expiry(seconds: i64) -> Result<Option<Duration>, Error> {
    match seconds {
        -1 => Ok(None),
        0..=0xFFFF_FFFF => Ok(Some(Duration::from_secs(seconds.unsigned_abs()))),
        _ => Err(sentence::must_be(
            "message_expiry_s",
            "0..=4294967295, or -1 for none",
            seconds,
        )),
    }
}

fn payload_format(format: c_int) -> Result<Option<u8>, Error> {
    match format {
        -1 => Ok(None),
        0 => Ok(Some(0)),
        1 => Ok(Some(1)),
        _ => Err(sentence::must_be(
            "payload_format",
            "0 or 1, or -1 for none",
            format,
        )),
    }
}

fn choice<T>(
    name: &str,
    number: c_int,
    from_number: fn(u8) -> Option<T>,
    names: &[&str],
) -> Result<T, Error> {
    let known = u8::try_from(number).ok().and_then(from_number);
    known.ok_or_else(|| {
        sentence::must_be(
            name,
            &format!("the number of {}", sentence::one_of(names)),
            number,
        )
    })
}
