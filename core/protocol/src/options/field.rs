//! How the fields of options structs are read from and shown as `Value`, and what Rust programs may set them from.
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use super::choices::{
    ExpiredInFlight, InboxOverflow, OnSessionLost, Overflow, Priority, PropertiesOn311, Protocol,
    TlsVersion,
};
use super::{Ttl, Value};
use crate::message::QoS;

/// A type that a row of an options table can have.
pub(super) trait Field: Sized {
    /// Made from a value that [`Value::fit`] has brought into the form of the row; `None` for one of another form.
    fn read(value: Value) -> Option<Self>;
    /// The value in that form; `None` while the option is not set and has no value of its own then.
    fn value(&self) -> Option<Value>;
}

/// What an option of type `T` may be set from in Rust: a `T`, or what plainly becomes one, such as `&str` for text.
pub trait Given<T> {
    /// The value of the option.
    fn given(self) -> T;
}

impl<T> Given<T> for T {
    fn given(self) -> T {
        self
    }
}

impl<T> Given<Option<T>> for T {
    fn given(self) -> Option<T> {
        Some(self)
    }
}

/// Shows that a secret is set, and nothing of it.
pub(super) struct Redacted(pub(super) bool);

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "(secret)" } else { "None" })
    }
}

macro_rules! given {
    ($($From:ty => $To:ty, $value:ident => $made:expr;)+) => {$(
        impl Given<$To> for $From {
            fn given(self) -> $To {
                let $value = self;
                $made
            }
        }
    )+};
}

given! {
    &str => String, text => text.into();
    &str => Option<String>, text => Some(text.into());
    &str => Bytes, text => Bytes::copy_from_slice(text.as_bytes());
    &str => Option<Bytes>, text => Some(Bytes::copy_from_slice(text.as_bytes()));
    String => Bytes, text => text.into();
    String => Option<Bytes>, text => Some(text.into());
    &[u8] => Bytes, bytes => Bytes::copy_from_slice(bytes);
    &[u8] => Option<Bytes>, bytes => Some(Bytes::copy_from_slice(bytes));
    Vec<u8> => Bytes, bytes => bytes.into();
    Vec<u8> => Option<Bytes>, bytes => Some(bytes.into());
    Duration => Ttl, span => Ttl::After(span);
    Option<Duration> => Ttl, span => span.map_or(Ttl::Never, Ttl::After);
    &[(&str, &str)] => Option<Vec<(String, String)>>, pairs => Some(pairs.given());
    &[(&str, &str)] => Vec<(String, String)>, pairs => pairs.iter().map(|&(name, value)| (name.into(), value.into())).collect();
}

impl<const N: usize> Given<Option<Vec<(String, String)>>> for [(&str, &str); N] {
    fn given(self) -> Option<Vec<(String, String)>> {
        Some(self.as_slice().given())
    }
}

impl<const N: usize> Given<Vec<String>> for [&str; N] {
    fn given(self) -> Vec<String> {
        self.into_iter().map(String::from).collect()
    }
}

impl<const N: usize> Given<Vec<(String, String)>> for [(&str, &str); N] {
    fn given(self) -> Vec<(String, String)> {
        self.as_slice().given()
    }
}

impl<T: Field> Field for Option<T> {
    fn read(value: Value) -> Option<Option<T>> {
        match value {
            Value::Absent => Some(None),
            value => T::read(value).map(Some),
        }
    }

    fn value(&self) -> Option<Value> {
        self.as_ref().map_or(Some(Value::Absent), T::value)
    }
}

macro_rules! fields {
    ($($Type:ty: $Variant:ident($value:ident) => $read:expr, $field:ident => $show:expr;)+) => {$(
        impl Field for $Type {
            fn read(value: Value) -> Option<$Type> {
                match value {
                    Value::$Variant($value) => $read,
                    _ => None,
                }
            }

            fn value(&self) -> Option<Value> {
                let $field = self;
                Some(Value::$Variant($show))
            }
        }
    )+};
}

fields! {
    bool: Bool(flag) => Some(flag), flag => *flag;
    u8: Integer(number) => number.try_into().ok(), number => i64::from(*number);
    u16: Integer(number) => number.try_into().ok(), number => i64::from(*number);
    u32: Integer(number) => number.try_into().ok(), number => i64::from(*number);
    i32: Integer(number) => number.try_into().ok(), number => i64::from(*number);
    u64: Integer(number) => number.try_into().ok(), number => i64::try_from(*number).unwrap_or(i64::MAX);
    QoS: Integer(number) => u8::try_from(number).ok().and_then(|number| QoS::try_from(number).ok()), qos => i64::from(u8::from(*qos));
    Duration: Duration(span) => Some(span), span => *span;
    String: Text(text) => Some(text), text => text.clone();
    Bytes: Bytes(bytes) => Some(bytes), bytes => bytes.clone();
    Vec<String>: Texts(texts) => Some(texts), texts => texts.clone();
    Vec<(String, String)>: Pairs(pairs) => Some(pairs), pairs => pairs.clone();
    Protocol: Text(name) => Protocol::from_name(&name), choice => choice.name().into();
    Overflow: Text(name) => Overflow::from_name(&name), choice => choice.name().into();
    InboxOverflow: Text(name) => InboxOverflow::from_name(&name), choice => choice.name().into();
    OnSessionLost: Text(name) => OnSessionLost::from_name(&name), choice => choice.name().into();
    ExpiredInFlight: Text(name) => ExpiredInFlight::from_name(&name), choice => choice.name().into();
    PropertiesOn311: Text(name) => PropertiesOn311::from_name(&name), choice => choice.name().into();
    TlsVersion: Text(name) => TlsVersion::from_name(&name), choice => choice.name().into();
    Priority: Text(name) => Priority::from_name(&name), choice => choice.name().into();
}

impl Field for Ttl {
    fn read(value: Value) -> Option<Ttl> {
        match value {
            Value::Absent => Some(Ttl::Never),
            Value::Duration(span) => Some(Ttl::After(span)),
            _ => None,
        }
    }

    fn value(&self) -> Option<Value> {
        match self {
            Ttl::Default => None,
            Ttl::Never => Some(Value::Absent),
            Ttl::After(span) => Some(Value::Duration(*span)),
        }
    }
}
