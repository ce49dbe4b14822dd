//! Python values as what the core takes: options, texts, payloads, time spans.

use std::time::Duration;

use leveret::host::options::{self, Value};
use leveret::host::{Dialect, Error, Payload, sentence};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDelta, PyDict, PyFloat, PyInt, PyMapping, PyMemoryView, PySequence, PyString,
};

use crate::error::raise;

/// How names and numbers are understood here.
pub(crate) const DIALECT: Dialect = Dialect::Python;

/// Sets each option of a mapping through `set`, the core's own function for one option.
pub(crate) fn set_options(
    given: Option<&Bound<'_, PyDict>>,
    mut set: impl FnMut(&str, Value) -> Result<(), Error>,
) -> PyResult<()> {
    for (name, given) in given.into_iter().flatten() {
        let name = text(&name, "an option's name")?;
        set(&name, value(&given)?).map_err(|error| raise(given.py(), &error))?;
    }
    Ok(())
}

/// The value of one option. What no option can be is named, so that the core's sentence can say so.
pub(crate) fn value(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    Ok(if given.is_none() {
        Value::Absent
    } else if let Ok(flag) = given.cast::<PyBool>() {
        Value::Bool(flag.is_true())
    } else if given.is_instance_of::<PyInt>() {
        let number = given.extract().map(Value::Integer);
        number.or_else(|_| given.str().map(|digits| Value::Other(digits.to_string())))?
    } else if given.is_instance_of::<PyFloat>() {
        Value::Real(given.extract()?)
    } else if let Ok(text) = given.cast::<PyString>() {
        text.to_str().map_or_else(
            |_| Value::Other("text with lone surrogates".into()),
            Value::from,
        )
    } else if given.is_instance_of::<PyDelta>() {
        let seconds = given.call_method0("total_seconds")?.extract()?;
        // One that is negative is refused by the core, as a negative number is.
        Duration::try_from_secs_f64(seconds).map_or(Value::Real(seconds), Value::Duration)
    } else if let Some(bytes) = bytes(given)? {
        Value::Bytes(bytes.as_bytes().to_vec().into())
    } else if let Some(pairs) = pairs(given)? {
        Value::Pairs(pairs)
    } else if let (true, Ok(texts)) = (given.is_instance_of::<PySequence>(), given.extract()) {
        Value::Texts(texts)
    } else {
        Value::Other(kind_of(given)?)
    })
}

/// A mapping of texts, or a sequence of pairs of texts.
fn pairs(given: &Bound<'_, PyAny>) -> PyResult<Option<Vec<(String, String)>>> {
    let items = match given.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.into_any(),
        Err(_) => given.clone(),
    };
    if !items.is_instance_of::<PySequence>() {
        return Ok(None);
    }
    Ok(items.extract().ok())
}

/// A text that the argument `name` is to be.
pub(crate) fn text(given: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    Ok(borrowed_text(given, name)?.to_owned())
}

/// The same without a copy.
pub(crate) fn borrowed_text<'a>(given: &'a Bound<'_, PyAny>, name: &str) -> PyResult<&'a str> {
    let Ok(text) = given.cast::<PyString>() else {
        let error = sentence::must_be(name, "text", kind_of(given)?);
        return Err(raise(given.py(), &error));
    };
    text.to_str()
        .map_err(|_| raise(given.py(), &sentence::not_utf8(name)))
}

/// A payload as Python has it: borrowed where its bytes cannot change meanwhile.
pub(crate) enum Body<'py> {
    Text(Bound<'py, PyString>),
    Bytes(Bound<'py, PyBytes>),
    Nothing,
}

impl<'py> Body<'py> {
    /// Reads `str`, `bytes`, whatever offers its bytes as a buffer, such as `bytearray` and `memoryview`, and
    /// None, which is no bytes.
    pub(crate) fn of(given: &Bound<'py, PyAny>) -> PyResult<Body<'py>> {
        Body::of_argument(given, "payload")
    }

    /// The same for an argument of another name.
    pub(crate) fn of_argument(given: &Bound<'py, PyAny>, name: &str) -> PyResult<Body<'py>> {
        if given.is_none() {
            return Ok(Body::Nothing);
        }
        if let Ok(text) = given.cast::<PyString>() {
            return Ok(Body::Text(text.clone()));
        }
        if let Some(bytes) = bytes(given)? {
            return Ok(Body::Bytes(bytes));
        }
        let allowed = "str, bytes, bytearray, memoryview, another buffer or None";
        let error = sentence::must_be(name, allowed, kind_of(given)?);
        Err(raise(given.py(), &error))
    }

    /// The payload for the core.
    pub(crate) fn payload(&self, py: Python<'_>) -> PyResult<Payload<'_>> {
        self.bytes(py).map(Payload::from)
    }

    pub(crate) fn bytes(&self, py: Python<'_>) -> PyResult<&[u8]> {
        match self {
            Body::Text(text) => text
                .to_str()
                .map(str::as_bytes)
                .map_err(|_| raise(py, &sentence::not_utf8("payload"))),
            Body::Bytes(bytes) => Ok(bytes.as_bytes()),
            Body::Nothing => Ok(&[]),
        }
    }
}

/// The bytes of what has some, copied where they could change; None for anything else.
fn bytes<'py>(given: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    if let Ok(bytes) = given.cast::<PyBytes>() {
        return Ok(Some(bytes.clone()));
    }
    let Ok(view) = PyMemoryView::from(given) else {
        return Ok(None);
    };
    Ok(Some(view.call_method0("tobytes")?.cast_into()?))
}

/// What kind of thing was given, for a sentence that says what is allowed.
pub(crate) fn kind_of(given: &Bound<'_, PyAny>) -> PyResult<String> {
    if given.is_none() {
        return Ok(DIALECT.none().into());
    }
    Ok(format!("a value of type {}", given.get_type().name()?))
}

/// How long a call may wait, given as options are; None waits for ever.
pub(crate) struct Timeout(pub(crate) Option<Duration>);

impl<'a, 'py> FromPyObject<'a, 'py> for Timeout {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Timeout> {
        options::timeout(value(&given)?, DIALECT)
            .map(Timeout)
            .map_err(|error| raise(given.py(), &error))
    }
}
