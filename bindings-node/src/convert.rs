//! JavaScript values as what the core takes: options, texts, payloads, timeouts; and the sentence for those it does not take.

use std::fmt;
use std::time::Duration;

use leveret::host::options::{self, Value};
use leveret::host::{Dialect, Error, Payload, ReasonCode, sentence};
use napi::bindgen_prelude::{
    Either, Either3, Either8, JsObjectValue, Null, Object, Uint8ArraySlice, Unknown,
};
use napi::{JsValue, ValueType};

use crate::error::thrown;

/// How names and numbers are understood here.
pub(crate) const DIALECT: Dialect = Dialect::Node;

/// Any argument. What is allowed is decided by the core, or said with [`must_be`].
pub(crate) type Given<'a> = Either8<
    String,
    f64,
    bool,
    Null,
    Uint8ArraySlice<'a>,
    Vec<(String, String)>,
    Object<'a>,
    Unknown<'a>,
>;

/// What a letter can carry, and what it cannot.
pub(crate) type Body<'a> = Either3<String, Uint8ArraySlice<'a>, Unknown<'a>>;

/// The payload for the core, borrowed: publishing copies it before it returns.
pub(crate) fn payload<'a>(body: &'a Body<'_>) -> napi::Result<Payload<'a>> {
    match body {
        Either3::A(text) => Ok(Payload::from(text.as_str())),
        Either3::B(bytes) => Ok(Payload::from(&bytes[..])),
        Either3::C(other) => Err(must_be("payload", "text or bytes", other_type(*other))),
    }
}

/// An argument that has to be text.
pub(crate) fn text(name: &str, given: Given<'_>) -> napi::Result<String> {
    match given {
        Given::A(text) => Ok(text),
        other => Err(must_be(name, "text", shown(other))),
    }
}

/// An argument that has to be text where it is given.
pub(crate) fn given_text(name: &str, given: Given<'_>) -> napi::Result<Option<String>> {
    match given {
        Given::D(_) => Ok(None),
        Given::H(other) if other.get_type()? == ValueType::Undefined => Ok(None),
        given => text(name, given).map(Some),
    }
}

/// The reason code of an acknowledgement; success where none is given.
pub(crate) fn reason_code(given: Given<'_>) -> napi::Result<ReasonCode> {
    match given {
        Given::B(number) if number.fract() == 0.0 && (0.0..=255.0).contains(&number) => {
            Ok(ReasonCode(number as u8))
        }
        Given::H(other) if other.get_type()? == ValueType::Undefined => Ok(ReasonCode::SUCCESS),
        other => Err(must_be(
            "reason",
            "a whole number from 0 to 255",
            shown(other),
        )),
    }
}

/// A timeout: undefined is `None`, null is no limit.
pub(crate) fn timeout(given: Given<'_>) -> napi::Result<Option<Option<Duration>>> {
    value(given)
        .map(|given| options::timeout(given, DIALECT).map_err(thrown))
        .transpose()
}

/// The error for an argument of the wrong kind.
pub(crate) fn must_be(name: &str, allowed: &str, given: impl fmt::Display) -> napi::Error {
    thrown(sentence::must_be(name, allowed, given))
}

/// A value as it stands in sentences.
pub(crate) fn shown(given: Given<'_>) -> String {
    match value(given) {
        Some(Value::Absent) => DIALECT.none().to_owned(),
        Some(Value::Texts(_)) => "a list".to_owned(),
        Some(Value::Pairs(_)) => "a list or object".to_owned(),
        Some(given) => given.to_string(),
        None => "undefined".to_owned(),
    }
}

/// Sets each option of an object through `set`, the core's own function for one option. Undefined is not given.
pub(crate) fn set_options(
    given: Given<'_>,
    mut set: impl FnMut(&str, Value) -> Result<(), Error>,
) -> napi::Result<()> {
    let object = match given {
        Given::G(object) if !object.is_array()? => object,
        Given::H(other) if other.get_type()? == ValueType::Undefined => return Ok(()),
        other => return Err(must_be("options", "an object", shown(other))),
    };
    for name in Object::keys(&object)? {
        if let Some(value) = object.get::<Given<'_>>(&name)?.and_then(value) {
            set(&name, value).map_err(thrown)?;
        }
    }
    Ok(())
}

/// A value as the core takes it; nothing where it is undefined.
fn value(given: Given<'_>) -> Option<Value> {
    Some(match given {
        Given::A(text) => Value::Text(text),
        Given::B(number) => Value::Real(number),
        Given::C(flag) => Value::Bool(flag),
        Given::D(Null) => Value::Absent,
        Given::E(bytes) => Value::Bytes(bytes.to_vec().into()),
        Given::F(pairs) => Value::Pairs(pairs),
        Given::G(object) => texts(&object)
            .map(Value::Texts)
            .or_else(|| pairs(&object).map(Value::Pairs))
            .unwrap_or_else(|| Value::Other(object_kind(&object).into())),
        Given::H(other) => match other_type(other) {
            "undefined" => return None,
            kind => Value::Other(kind.into()),
        },
    })
}

/// An array of texts.
fn texts(object: &Object<'_>) -> Option<Vec<String>> {
    if !object.is_array().ok()? {
        return None;
    }
    let length = object.get_array_length().ok()?;
    (0..length)
        .map(|place| object.get_element::<String>(place).ok())
        .collect()
}

/// An object of texts, or of lists of texts, as pairs in its order.
fn pairs(object: &Object<'_>) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    if object.is_array().ok()? {
        return None;
    }
    for name in Object::keys(object).ok()? {
        match object.get::<Either<String, Vec<String>>>(&name) {
            Ok(Some(Either::A(text))) => pairs.push((name, text)),
            Ok(Some(Either::B(texts))) => {
                pairs.extend(texts.into_iter().map(|text| (name.clone(), text)));
            }
            _ => return None,
        }
    }
    Some(pairs)
}

fn object_kind(object: &Object<'_>) -> &'static str {
    if object.is_array().unwrap_or_default() {
        "a list"
    } else {
        "an object"
    }
}

fn other_type(other: Unknown<'_>) -> &'static str {
    match other.get_type().unwrap_or(ValueType::Unknown) {
        ValueType::Undefined => "undefined",
        ValueType::Null => DIALECT.none(),
        ValueType::Boolean => "a flag",
        ValueType::Number => "a number",
        ValueType::Function => "a function",
        ValueType::Symbol => "a symbol",
        ValueType::BigInt => "a bigint",
        _ => "an object",
    }
}
