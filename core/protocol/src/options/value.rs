//! Values of options as hosts give them, and how a value becomes what a row of the table allows.
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;

use super::duration::{self, Nanos, Span};
use super::table::{Kind, OptionSpec};
use crate::error::Error;
use crate::sentence::{self, Dialect, Quoted};

/// The most bytes that a text or binary field of MQTT can have (MQTT 5, 1.5.4 and 1.5.6).
const MOST_BYTES: usize = 65_535;

/// The most bytes of certificates: the roots of a whole operating system are a quarter of that.
const MOST_MATERIAL: usize = 1024 * 1024;

/// The value of an option, as a host language gives it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing: `None`, `null`, C's `"none"`.
    Absent,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any number; also a whole one in languages that have only one kind.
    Real(f64),
    /// A span of time.
    Duration(Duration),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Bytes),
    /// Texts in order.
    Texts(Vec<String>),
    /// Pairs of name and value in order, names possibly repeated.
    Pairs(Vec<(String, String)>),
    /// Something that no option can be, named for the sentence: `a list`, `a function`.
    Other(String),
}

impl Value {
    /// The value in the form that `spec` asks for: flags as `Bool`, numbers as `Integer`, durations as `Duration`, choices and texts as `Text`.
    ///
    /// # Errors
    /// `InvalidArgument`, with a sentence that names the option, what is allowed and what was given.
    pub fn fit(self, spec: &OptionSpec, dialect: Dialect) -> Result<Value, Error> {
        let ask = Ask { spec, dialect };
        if ask.is_absent(&self) {
            return Ok(Value::Absent);
        }
        match spec.kind {
            Kind::Flag => ask.flag(self),
            Kind::Integer { min, max } => ask.integer(self, min, max),
            Kind::Duration {
                min,
                max,
                whole_seconds,
            } => ask.duration(
                self,
                Span {
                    min,
                    max,
                    whole_seconds,
                },
            ),
            Kind::Text => ask.text(self),
            Kind::Bytes => ask.bytes(self),
            Kind::Material => ask.material(self),
            Kind::Texts => ask.texts(self),
            Kind::Pairs => ask.pairs(self),
            Kind::Choice(names) => ask.choice(self, names),
        }
    }
}

macro_rules! from {
    ($($From:ty => $value:ident => $made:expr;)+) => {$(
        impl From<$From> for Value {
            fn from($value: $From) -> Value {
                $made
            }
        }
    )+};
}

from! {
    bool => flag => Value::Bool(flag);
    i64 => number => Value::Integer(number);
    i32 => number => Value::Integer(number.into());
    u32 => number => Value::Integer(number.into());
    f64 => number => Value::Real(number);
    Duration => span => Value::Duration(span);
    &str => text => Value::Text(text.to_owned());
    String => text => Value::Text(text);
    Bytes => bytes => Value::Bytes(bytes);
    Vec<String> => texts => Value::Texts(texts);
    Vec<(String, String)> => pairs => Value::Pairs(pairs);
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Absent => f.write_str("none"),
            Value::Bool(flag) => flag.fmt(f),
            Value::Integer(number) => number.fmt(f),
            Value::Real(number) if number.abs() >= 1e15 && number.is_finite() => {
                write!(f, "{number:e}")
            }
            Value::Real(number) => number.fmt(f),
            Value::Duration(span) => duration::Shown(duration::nanos(*span)).fmt(f),
            Value::Text(text) => Quoted(text).fmt(f),
            Value::Bytes(bytes) if bytes.is_empty() => f.write_str("no bytes"),
            Value::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Value::Texts(texts) if texts.is_empty() => f.write_str("no texts"),
            Value::Texts(_) => f.write_str("a list"),
            Value::Pairs(pairs) if pairs.is_empty() => f.write_str("no pairs"),
            Value::Pairs(pairs) => write!(f, "{} pairs of texts", pairs.len()),
            Value::Other(name) => f.write_str(name),
        }
    }
}

/// One question to the user's value: does it fit this row, and if not, how is that said in this language.
struct Ask<'a> {
    spec: &'a OptionSpec,
    dialect: Dialect,
}

impl Ask<'_> {
    fn is_absent(&self, given: &Value) -> bool {
        match given {
            Value::Absent => self.spec.none_means.is_some(),
            // A user may be named "none"; such options are left unset where only text can be given.
            Value::Text(text) if text == "none" && self.dialect.all_as_text() => {
                self.spec.none_means.is_some()
                    && !matches!(self.spec.kind, Kind::Text | Kind::Bytes | Kind::Material)
            }
            _ => false,
        }
    }

    fn flag(&self, given: Value) -> Result<Value, Error> {
        match &given {
            Value::Bool(_) => Ok(given),
            Value::Text(text) if self.dialect.all_as_text() && text == "true" => {
                Ok(Value::Bool(true))
            }
            Value::Text(text) if self.dialect.all_as_text() && text == "false" => {
                Ok(Value::Bool(false))
            }
            _ => Err(self.refuse(&self.shown(&given))),
        }
    }

    fn integer(&self, given: Value, min: u64, max: u64) -> Result<Value, Error> {
        let number = match &given {
            Value::Integer(number) => Some(*number),
            Value::Real(number) => whole(*number),
            Value::Text(text) if self.dialect.all_as_text() => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if u64::try_from(number).is_ok_and(|n| (min..=max).contains(&n)) => {
                Ok(Value::Integer(number))
            }
            _ => Err(self.refuse(&self.shown(&given))),
        }
    }

    fn duration(&self, given: Value, span: Span) -> Result<Value, Error> {
        let nanos = match &given {
            Value::Duration(given) => Some(duration::nanos(*given)),
            Value::Text(text) => duration::parse(text),
            Value::Integer(number) => self
                .dialect
                .unit()
                .map(|unit| duration::times(*number, unit)),
            Value::Real(number) => self
                .dialect
                .unit()
                .and_then(|unit| duration::times_real(*number, unit)),
            _ => None,
        };
        let Some(nanos) = nanos else {
            let error = self.refuse(&self.shown(&given));
            let misspelled = match given {
                Value::Text(_) => true,
                Value::Integer(_) | Value::Real(_) => self.dialect.unit().is_none(),
                _ => false,
            };
            return Err(if misspelled {
                hinted(
                    error,
                    "a duration is written \"250ms\", \"5s\", \"2m\" or \"1h\"",
                )
            } else {
                error
            });
        };
        match span.admit(nanos) {
            Some(given) => Ok(Value::Duration(given)),
            None => Err(self.refuse_duration(&given, nanos, span)),
        }
    }

    fn refuse_duration(&self, given: &Value, nanos: Nanos, span: Span) -> Error {
        let error = self.refuse(&duration::Shown(nanos).to_string());
        // Who writes 60 where milliseconds are meant has seconds in mind.
        let slip = match given {
            Value::Integer(number) => Some(*number),
            Value::Real(number) => whole(*number),
            _ => None,
        }
        .filter(|_| span.whole_seconds && self.dialect.unit() == Some(Duration::from_millis(1)))
        .filter(|&number| {
            number > 0
                && span
                    .admit(duration::times(number, Duration::from_secs(1)))
                    .is_some()
        });
        match slip {
            Some(seconds) if self.dialect == Dialect::Node => hinted(
                error,
                &format!("did you mean {}?", grouped(seconds.saturating_mul(1000))),
            ),
            Some(seconds) => hinted(
                error,
                &format!("did you mean {}?", seconds.saturating_mul(1000)),
            ),
            None => error,
        }
    }

    fn text(&self, given: Value) -> Result<Value, Error> {
        match given {
            Value::Text(text) => self.check_text(&text).map(|()| Value::Text(text)),
            _ => Err(self.refuse(&self.shown(&given))),
        }
    }

    fn check_text(&self, text: &str) -> Result<(), Error> {
        let name = self.name();
        if text.len() > MOST_BYTES {
            Err(sentence::text_too_long(&name, text.len()))
        } else if text.contains('\0') {
            Err(sentence::text_with_nul(
                &name,
                if self.spec.secret { "…" } else { text },
            ))
        } else {
            Ok(())
        }
    }

    fn bytes(&self, given: Value) -> Result<Value, Error> {
        let bytes = match given {
            Value::Bytes(bytes) => bytes,
            Value::Text(text) => Bytes::from(text),
            _ => return Err(self.refuse(&self.shown(&given))),
        };
        if bytes.len() > MOST_BYTES {
            return Err(self.refuse(&format!("{} bytes", bytes.len())));
        }
        Ok(Value::Bytes(bytes))
    }

    fn material(&self, given: Value) -> Result<Value, Error> {
        let bytes = match given {
            Value::Bytes(bytes) => bytes,
            Value::Text(text) => Bytes::from(text),
            _ => return Err(self.refuse(&self.shown(&given))),
        };
        if bytes.len() > MOST_MATERIAL {
            return Err(self.refuse(&format!("{} bytes", bytes.len())));
        }
        Ok(Value::Bytes(bytes))
    }

    fn texts(&self, given: Value) -> Result<Value, Error> {
        let texts = match given {
            Value::Texts(texts) => texts,
            Value::Text(text) if text.is_empty() => Vec::new(),
            Value::Text(text) => text.split(',').map(|one| one.trim().to_owned()).collect(),
            // An empty list is one of anything.
            Value::Pairs(pairs) if pairs.is_empty() => Vec::new(),
            _ => return Err(self.refuse(&self.shown(&given))),
        };
        for text in &texts {
            self.check_text(text)?;
            if text.is_empty() {
                return Err(self.refuse("one with an empty text"));
            }
        }
        Ok(Value::Texts(texts))
    }

    fn pairs(&self, given: Value) -> Result<Value, Error> {
        let pairs = match given {
            Value::Pairs(pairs) => pairs,
            // An empty list is one of anything.
            Value::Texts(texts) if texts.is_empty() => Vec::new(),
            _ => return Err(self.refuse(&self.shown(&given))),
        };
        for (name, value) in &pairs {
            self.check_text(name)?;
            self.check_text(value)?;
        }
        Ok(Value::Pairs(pairs))
    }

    fn choice(&self, given: Value, names: &[&str]) -> Result<Value, Error> {
        let text = match &given {
            Value::Text(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
            _ => return Err(self.refuse(&self.shown(&given))),
        };
        if names.contains(&text.as_str()) {
            Ok(Value::Text(text))
        } else {
            Err(self.refuse(&self.shown(&given)))
        }
    }

    fn refuse(&self, given: &str) -> Error {
        let error = sentence::must_be(&self.name(), &self.spec.kind.allowed(), given);
        match (self.spec.none_means, self.spec.none_in(self.dialect)) {
            (Some(meaning), Some(none)) => hinted(error, &format!("for {meaning} use {none}")),
            _ => error,
        }
    }

    /// What was given, as the language writes it. A secret in a wrong form is a secret still.
    fn shown(&self, given: &Value) -> String {
        match given {
            Value::Absent => self.dialect.none().to_owned(),
            Value::Integer(_) | Value::Real(_) | Value::Duration(_) if self.spec.secret => {
                "a number".to_owned()
            }
            Value::Text(text) if self.spec.secret => format!("text of {} bytes", text.len()),
            given => given.to_string(),
        }
    }

    fn name(&self) -> String {
        self.dialect.spell(self.spec.name).into_owned()
    }
}

fn hinted(error: Error, hint: &str) -> Error {
    Error::invalid(format!("{error}; {hint}"))
}

/// The whole number that a floating one is, if it is one that `f64` holds exactly.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let cut = number as i64;
    (number.abs() <= EXACT && cut as f64 == number).then_some(cut)
}

/// `60000` as `60_000`.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && digits.len().saturating_sub(i).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}
