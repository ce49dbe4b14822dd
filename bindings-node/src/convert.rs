//! JavaScript values as what the core takes: options and payloads.

use std::time::Duration;

use leveret::host::options::Value;
use leveret::host::{Dialect, Error, Payload, sentence};
use napi::bindgen_prelude::{Either, Either7, Null, Object, Uint8Array};

use crate::error::thrown;

/// How names and numbers are understood here.
pub(crate) const DIALECT: Dialect = Dialect::Node;

/// What the value of an option can be.
type Given<'a> = Either7<Null, bool, f64, String, Uint8Array, Vec<(String, String)>, Object<'a>>;

/// Sets each option of an object through `set`, the core's own function for one option. Undefined is not given.
pub(crate) fn set_options(
    given: Option<Object<'_>>,
    mut set: impl FnMut(&str, Value) -> Result<(), Error>,
) -> napi::Result<()> {
    let Some(object) = given else { return Ok(()) };
    for name in Object::keys(&object)? {
        // What is none of these is a function, a symbol or a bigint.
        let value = match object.get::<Given<'_>>(&name) {
            Ok(None) => continue,
            Ok(Some(given)) => value(given)?,
            Err(_) => Value::Other("a value of another type".into()),
        };
        set(&snake(&name), value).map_err(thrown)?;
    }
    Ok(())
}

fn value(given: Given<'_>) -> napi::Result<Value> {
    Ok(match given {
        Either7::A(Null) => Value::Absent,
        Either7::B(flag) => Value::Bool(flag),
        Either7::C(number) => Value::Real(number),
        Either7::D(text) => Value::Text(text),
        Either7::E(bytes) => Value::Bytes(bytes.to_vec().into()),
        Either7::F(pairs) => Value::Pairs(pairs),
        Either7::G(object) => pairs(&object)?.map_or_else(|| Value::Other("an object".into()), Value::Pairs),
    })
}

/// An object of texts, or of lists of texts, as pairs in its order.
fn pairs(object: &Object<'_>) -> napi::Result<Option<Vec<(String, String)>>> {
    let mut pairs = Vec::new();
    for name in Object::keys(object)? {
        match object.get::<Either<String, Vec<String>>>(&name) {
            Ok(Some(Either::A(text))) => pairs.push((name, text)),
            Ok(Some(Either::B(texts))) => pairs.extend(texts.into_iter().map(|text| (name.clone(), text))),
            _ => return Ok(None),
        }
    }
    Ok(Some(pairs))
}

/// What a letter can carry.
pub(crate) type Body = Either<String, Uint8Array>;

/// The payload for the core, borrowed where it is not changed meanwhile: publishing copies it before it returns.
pub(crate) fn payload(body: &Body) -> Payload<'_> {
    match body {
        Either::A(text) => Payload::from(text.as_str()),
        Either::B(bytes) => Payload::from(&bytes[..]),
    }
}

/// Milliseconds as a time span; undefined is none.
pub(crate) fn timeout(milliseconds: Option<f64>) -> napi::Result<Option<Duration>> {
    let Some(given) = milliseconds else { return Ok(None) };
    Duration::try_from_secs_f64(given / 1000.0)
        .map(Some)
        .map_err(|_| thrown(sentence::must_be("timeout", "a number of milliseconds of at least 0", given)))
}

/// The name in the option table of a name as Node spells it.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut digits = false;
    for character in name.chars() {
        let digit = character.is_ascii_digit();
        if character.is_ascii_uppercase() || (digit && !digits && name == "propertiesOn311") {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
        digits = digit;
    }
    snake
}
