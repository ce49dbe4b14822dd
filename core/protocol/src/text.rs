//! `Text`: a string that shares the buffer it was read from.
use alloc::string::String;
use bytes::Bytes;
use core::{fmt, ops::Deref, str::Utf8Error};

/// UTF-8 text as a shared slice: cloning it, and making it from received bytes, copies nothing.
///
/// It can be longer than the 65,535 bytes that MQTT carries and can hold U+0000; the encoder refuses both.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Bytes); // always valid UTF-8

impl Text {
    /// The text as a string slice.
    ///
    /// The bytes are checked once more here, since this crate forbids the unsafe conversion that would trust them;
    /// for text as short as a topic that is a few nanoseconds.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The bytes of the text.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// A text that never needs an allocation.
    pub const fn from_static(text: &'static str) -> Text {
        Text(Bytes::from_static(text.as_bytes()))
    }

    /// The text in bytes that have just been checked to be UTF-8.
    pub(crate) fn of_checked(bytes: Bytes) -> Text {
        Text(bytes)
    }

    /// A copy that keeps nothing but itself alive: for text that outlives the buffer it was read from.
    pub fn detached(&self) -> Text {
        Text(Bytes::copy_from_slice(&self.0))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl TryFrom<Bytes> for Text {
    type Error = Utf8Error;

    fn try_from(bytes: Bytes) -> Result<Text, Utf8Error> {
        core::str::from_utf8(&bytes)?;
        Ok(Text(bytes))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text(Bytes::from(text))
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
