//! JavaScript values as what the core takes: options, texts, payloads, timeouts; and the sentence for those it does not take.

use std::fmt;
use std::time::Duration;

use leveret::host::options::{self, Value};
use leveret::host::{Dialect, Error, Payload, ReasonCode, sentence};
use napi::bindgen_prelude::{
    Either3, Either7, JsObjectValue, Null, Object, Uint8ArraySlice, Unknown,
};
use napi::{JsString, JsValue, ValueType};

use crate::error::thrown;

/// How names and numbers are understood here.
pub(crate) const DIALECT: Dialect = Dialect::Node;

/// Any argument. What is allowed is decided by the core, or said with [`must_be`].
pub(crate) type Given<'a> =
    Either7<JsString<'a>, f64, bool, Null, Uint8ArraySlice<'a>, Object<'a>, Unknown<'a>>;

/// Text that is none for anybody else: half of a pair of surrogates has no UTF-8, and would become another character.
const LONE_SURROGATES: &str = "text with lone surrogates";

/// What a letter can carry, and what it cannot. Text was looked at in JavaScript, which need not copy it for that.
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
    match value(given) {
        Some(Value::Text(text)) => Ok(text),
        other => Err(must_be(name, "text", shown_value(other))),
    }
}

/// An argument that has to be text where it is given.
pub(crate) fn given_text(name: &str, given: Given<'_>) -> napi::Result<Option<String>> {
    match given {
        Given::D(_) => Ok(None),
        Given::G(other) if other.get_type()? == ValueType::Undefined => Ok(None),
        given => text(name, given).map(Some),
    }
}

/// The reason code of an acknowledgement; success where none is given.
pub(crate) fn reason_code(given: Given<'_>) -> napi::Result<ReasonCode> {
    match given {
        Given::B(number) if number.fract() == 0.0 && (0.0..=255.0).contains(&number) => {
            Ok(ReasonCode(number as u8))
        }
        Given::G(other) if other.get_type()? == ValueType::Undefined => Ok(ReasonCode::SUCCESS),
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
    shown_value(value(given))
}

fn shown_value(given: Option<Value>) -> String {
    match given {
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
        Given::F(object) if !object.is_array()? => object,
        Given::G(other) if other.get_type()? == ValueType::Undefined => return Ok(()),
        other => return Err(must_be("options", "an object", shown(other))),
    };
    for name in Object::keys(&object)? {
        let Some(given) = object.get::<Given<'_>>(&name)?.and_then(value) else {
            continue;
        };
        let kind = kind_of_none(&given);
        let told = set(&name, given).or_else(|refusal| match kind {
            // Where it is not allowed, what was given was no list of nothing.
            Some(kind) => set(&name, Value::Other(kind.into())),
            None => Err(refusal),
        });
        told.map_err(thrown)?;
    }
    Ok(())
}

/// What nothing in a list or in an object was given as.
fn kind_of_none(given: &Value) -> Option<&'static str> {
    match given {
        Value::Texts(texts) if texts.is_empty() => Some("an empty list"),
        Value::Pairs(pairs) if pairs.is_empty() => Some("an empty object"),
        _ => None,
    }
}

/// A value as the core takes it; nothing where it is undefined.
fn value(given: Given<'_>) -> Option<Value> {
    Some(match given {
        Given::A(text) => {
            well_formed(text).map_or_else(|| Value::Other(LONE_SURROGATES.into()), Value::Text)
        }
        Given::B(number) => Value::Real(number),
        Given::C(flag) => Value::Bool(flag),
        Given::D(Null) => Value::Absent,
        Given::E(bytes) => Value::Bytes(bytes.to_vec().into()),
        Given::F(object) => several(&object).unwrap_or_else(|| Value::Other(object_kind(&object))),
        Given::G(other) => match other_type(other) {
            "undefined" => return None,
            kind => Value::Other(kind.into()),
        },
    })
}

/// The text, unless it has lone surrogates.
pub(crate) fn well_formed(text: JsString<'_>) -> Option<String> {
    let utf8 = text.into_utf8().ok()?.as_str().ok()?.to_owned();
    // What has no UTF-8 reads as this character, which may as well be there.
    let odd = utf8.contains(char::REPLACEMENT_CHARACTER);
    let whole = !odd || String::from_utf16(&text.into_utf16().ok()?).is_ok();
    whole.then_some(utf8)
}

/// Texts or pairs of texts.
fn several(object: &Object<'_>) -> Option<Value> {
    if object.is_array().ok()? {
        return texts(object)
            .map(Value::Texts)
            .or_else(|| listed_pairs(object).map(Value::Pairs));
    }
    is_plain(object)
        .then(|| pairs(object).map(Value::Pairs))
        .flatten()
}

/// Whether it is an object and nothing else: what a Map or a class holds would not be seen.
fn is_plain(object: &Object<'_>) -> bool {
    let root = object.get_prototype().and_then(prototype);
    root.is_ok_and(|root| root.is_none_or(|root| other_type(root) == DIALECT.none()))
}

/// What a prototype inherits from in turn, unless it is none.
fn prototype(of: Unknown<'_>) -> napi::Result<Option<Unknown<'_>>> {
    if of.get_type()? == ValueType::Null {
        return Ok(None);
    }
    of.coerce_to_object()?.get_prototype().map(Some)
}

/// An array of texts.
fn texts(list: &Object<'_>) -> Option<Vec<String>> {
    let length = list.get_array_length().ok()?;
    (0..length)
        .map(|place| {
            list.get_element::<Given<'_>>(place)
                .ok()
                .and_then(only_text)
        })
        .collect()
}

/// An array of pairs of texts.
fn listed_pairs(list: &Object<'_>) -> Option<Vec<(String, String)>> {
    let length = list.get_array_length().ok()?;
    let pair = |place| {
        let Given::F(pair) = list.get_element::<Given<'_>>(place).ok()? else {
            return None;
        };
        let texts = if pair.is_array().ok()? {
            texts(&pair)?
        } else {
            return None;
        };
        <[String; 2]>::try_from(texts)
            .ok()
            .map(|[name, value]| (name, value))
    };
    (0..length).map(pair).collect()
}

/// An object of texts, or of lists of texts, as pairs in its order.
fn pairs(object: &Object<'_>) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for name in Object::keys(object).ok()? {
        match object.get::<Given<'_>>(&name).ok()?? {
            Given::A(text) => pairs.push((name, well_formed(text)?)),
            Given::F(list) if list.is_array().ok()? => {
                pairs.extend(texts(&list)?.into_iter().map(|text| (name.clone(), text)));
            }
            _ => return None,
        }
    }
    Some(pairs)
}

fn only_text(given: Given<'_>) -> Option<String> {
    match given {
        Given::A(text) => well_formed(text),
        _ => None,
    }
}

fn object_kind(object: &Object<'_>) -> String {
    if object.is_array().unwrap_or_default() {
        return "a list".to_owned();
    }
    let class = || {
        let class: Unknown<'_> = object.get("constructor").ok()??;
        let class = class.coerce_to_object().ok()?;
        class
            .get::<String>("name")
            .ok()?
            .filter(|name| !name.is_empty())
    };
    match class() {
        Some(class) if !is_plain(object) => format!("an object of class {class}"),
        _ => "an object".to_owned(),
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
