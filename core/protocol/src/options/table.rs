//! `options!`: one row per option gives the field, its default, its range, its words, its setter in Rust and its place in every other language.
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use core::time::Duration;

use super::duration::{Shown, nanos};
use crate::error::{Error, ErrorKind};
use crate::sentence::{Dialect, Quoted, one_of};

/// What one option is, for generated documentation, for setting it by name, and for drawing random configurations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptionSpec {
    /// Its name, in snake case; Node spells it in camel case.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What leaving it empty on purpose (`None`, `null`, `"none"`) means; `None` where that is not allowed.
    pub none_means: Option<&'static str>,
    /// What holds while it is not set, where that is not a value of its own.
    pub unset_means: Option<&'static str>,
    /// Never shown, neither in errors nor in `Debug`.
    pub secret: bool,
    /// The first version of leveret that has it.
    pub since: &'static str,
    /// The versions of MQTT in which it has a meaning.
    pub mqtt: Mqtt,
    /// What it does, in sentences.
    pub doc: &'static str,
}

/// What values an option takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// True or false.
    Flag,
    /// A whole number.
    Integer {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A span of time.
    Duration {
        /// The shortest.
        min: Duration,
        /// The longest.
        max: Duration,
        /// MQTT counts it in whole seconds, so anything else is an error.
        whole_seconds: bool,
    },
    /// At most 65,535 bytes of UTF-8 without a NUL (MQTT 5, 1.5.4).
    Text,
    /// At most 65,535 bytes (MQTT 5, 1.5.6); text is taken as its UTF-8.
    Bytes,
    /// At most 1 MiB, such as a file of certificates; text is taken as its UTF-8.
    Material,
    /// A list of texts, none of them empty; where only text can be given, separated by commas.
    Texts,
    /// Pairs of texts in order, names possibly repeated (MQTT 5, 1.5.7).
    Pairs,
    /// One of these names.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// A duration of a number of milliseconds.
    pub(super) const fn span(min_ms: u64, max_ms: u64) -> Kind {
        Kind::Duration {
            min: Duration::from_millis(min_ms),
            max: Duration::from_millis(max_ms),
            whole_seconds: false,
        }
    }

    /// A duration that MQTT counts in whole seconds.
    pub(super) const fn seconds(min: u64, max: u64) -> Kind {
        Kind::Duration {
            min: Duration::from_secs(min),
            max: Duration::from_secs(max),
            whole_seconds: true,
        }
    }

    /// What is allowed, as it follows `must be` in a sentence.
    pub fn allowed(&self) -> String {
        match *self {
            Kind::Flag => "true or false".into(),
            Kind::Integer { min, max } if max.saturating_sub(min) <= 2 => one_of(min..=max),
            Kind::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Duration {
                min,
                max,
                whole_seconds: true,
            } => {
                format!(
                    "a whole number of seconds from {}s to {}s",
                    min.as_secs(),
                    max.as_secs()
                )
            }
            Kind::Duration { min, max, .. } => format!(
                "a duration from {} to {}",
                Shown(nanos(min)),
                Shown(nanos(max))
            ),
            Kind::Text => "text of at most 65535 bytes of UTF-8".into(),
            Kind::Bytes => "bytes or text of at most 65535 bytes".into(),
            Kind::Material => "bytes or text of at most 1 MiB".into(),
            Kind::Texts => "a list of texts".into(),
            Kind::Pairs => "pairs of texts".into(),
            Kind::Choice(names) => one_of(names.iter().map(|name| Quoted(name))),
        }
    }
}

/// The versions of MQTT in which an option has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mqtt {
    /// MQTT 3.1.1 and 5.0.
    All,
    /// MQTT 5.0 alone.
    V5,
}

/// Makes a struct of options from its rows:
///
/// ```text
/// /// What it does.
/// name: Type = default, kind, none "what None means", unset "what holds while it is not set", secret true, since "0.1", mqtt All;
/// ```
///
/// `none`, `unset` and `secret true` are left out where they do not apply. The macro named after `setters` gives a builder of another crate
/// the same methods.
macro_rules! options {
    (
        $(#[doc = $struct_doc:literal])+
        pub struct $Options:ident as $noun:literal, setters $setters:ident;
        $(
            $(#[doc = $doc:literal])+
            $field:ident: $Type:ty = $default:expr, $kind:expr,
            $(none $none:literal,)? $(unset $unset:literal,)? $(secret $secret:literal,)?
            since $since:literal, mqtt $mqtt:ident;
        )+
    ) => {
        $(#[doc = $struct_doc])+
        #[derive(Clone, PartialEq)]
        pub struct $Options {
            $( $(#[doc = $doc])+ pub $field: $Type, )+
        }

        impl Default for $Options {
            fn default() -> $Options {
                $Options { $( $field: $default, )+ }
            }
        }

        impl $Options {
            /// One specification per option, in the order of the table.
            pub const SPECS: &'static [OptionSpec] = &[$(OptionSpec {
                name: stringify!($field),
                kind: $kind,
                none_means: options!(@maybe $($none)?),
                unset_means: options!(@maybe $($unset)?),
                secret: options!(@secret $($secret)?),
                since: $since,
                mqtt: Mqtt::$mqtt,
                doc: concat!($($doc, "\n"),+).trim_ascii(),
            }),+];

            /// What these options are called in sentences.
            pub const NOUN: &'static str = $noun;

            /// All options at their defaults.
            pub fn new() -> $Options {
                $Options::default()
            }

            $(
                $(#[doc = $doc])+
                #[must_use]
                pub fn $field(mut self, value: impl Given<$Type>) -> Self {
                    self.$field = value.given();
                    self
                }
            )+

            /// Sets the option `name` from a value of any kind, as a program does that reads a configuration file:
            /// text is taken for every kind of option, `none` for none.
            ///
            /// # Errors
            /// As [`set`](Self::set).
            pub fn with(mut self, name: &str, value: impl Into<Value>) -> Result<Self, Error> {
                self.set(name, value.into(), Dialect::Rust)?;
                Ok(self)
            }

            /// Sets the option `name`, spelled as `dialect` spells it, from a value of any kind.
            ///
            /// # Errors
            /// `UnknownOption` if there is none of that name, with the name that was probably meant; `InvalidArgument` if the value is
            /// not one that the option takes. Nothing is changed then.
            pub fn set(&mut self, name: &str, value: Value, dialect: Dialect) -> Result<(), Error> {
                let spec = find(Self::SPECS, name, dialect).ok_or_else(|| unknown($noun, Self::SPECS, name, dialect))?;
                let value = value.fit(spec, dialect)?;
                match spec.name {
                    $( stringify!($field) => options!(@assign self.$field, Field::read(value)), )+
                    _ => {}
                }
                Ok(())
            }

            /// The value of the option `name`, in snake case; `None` if there is no such option, or if it is not set and has no value of
            /// its own then.
            pub fn get(&self, name: &str) -> Option<Value> {
                match name {
                    $( stringify!($field) => Field::value(&self.$field), )+
                    _ => None,
                }
            }

            /// Checks each option by itself, as `set` does, for those that were set as fields. Defaults are known to fit.
            ///
            /// # Errors
            /// `InvalidArgument`, with a sentence that names the option as `dialect` spells it.
            pub fn check_each(&self, dialect: Dialect) -> Result<(), Error> {
                let plain = Self::default();
                $(
                    if self.$field != plain.$field
                        && let (Some(value), Some(spec)) = (Field::value(&self.$field), spec_of(Self::SPECS, stringify!($field)))
                    {
                        value.fit(spec, dialect)?;
                    }
                )+
                Ok(())
            }
        }

        /// The same setters for a builder of another crate: it has a method `options_mut` that answers these options, and has in scope
        /// what `options::setter_types` exports.
        #[macro_export]
        macro_rules! $setters {
            () => {
                $(
                    $(#[doc = $doc])+
                    #[must_use]
                    pub fn $field(mut self, value: impl Given<$Type>) -> Self {
                        self.options_mut().$field = value.given();
                        self
                    }
                )+
            };
        }

        /// Shows every option; secrets only as set or not.
        impl core::fmt::Debug for $Options {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let mut shown = f.debug_struct(stringify!($Options));
                $( options!(@show shown, self.$field, stringify!($field) $(, $secret)?); )+
                shown.finish()
            }
        }
    };
    (@assign $field:expr, $read:expr) => {
        if let Some(value) = $read {
            $field = value;
        }
    };
    (@maybe) => { None };
    (@maybe $text:literal) => { Some($text) };
    (@secret) => { false };
    (@secret $secret:literal) => { $secret };
    (@show $shown:ident, $value:expr, $name:expr) => { $shown.field($name, &$value) };
    (@show $shown:ident, $value:expr, $name:expr, $secret:literal) => { $shown.field($name, &Redacted($value.is_some())) };
}

pub(super) use options;

/// The row of the option that `dialect` spells `name`.
pub(super) fn find(
    specs: &'static [OptionSpec],
    name: &str,
    dialect: Dialect,
) -> Option<&'static OptionSpec> {
    specs.iter().find(|spec| dialect.spell(spec.name) == name)
}

/// The row named `name`, in snake case.
pub(super) fn spec_of(specs: &'static [OptionSpec], name: &str) -> Option<&'static OptionSpec> {
    specs.iter().find(|spec| spec.name == name)
}

/// `unknown client option "keep_alvie"; did you mean keep_alive?`
pub(super) fn unknown(
    noun: &str,
    specs: &'static [OptionSpec],
    name: &str,
    dialect: Dialect,
) -> Error {
    let names = || specs.iter().map(|spec| dialect.spell(spec.name));
    let hint = match nearest(name, names()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("it must be {}", one_of(names())),
    };
    Error::new(
        ErrorKind::UnknownOption,
        format!("unknown {noun} option {}; {hint}", Quoted(name)),
    )
}

/// The one of `names` that is so like `given` that it was probably meant.
fn nearest<'a>(given: &str, names: impl Iterator<Item = Cow<'a, str>>) -> Option<Cow<'a, str>> {
    // An option name is at most about thirty characters; comparing megabytes would only take time.
    if given.len() > 64 {
        return None;
    }
    let plain = |name: &str| name.replace(['_', '-', ' '], "").to_ascii_lowercase();
    let wanted = plain(given);
    names
        .map(|name| (distance(wanted.as_bytes(), plain(&name).as_bytes()), name))
        .filter(|(distance, _)| distance.saturating_mul(3) <= wanted.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be added, removed, exchanged or swapped with their neighbour to make `a` into `b`.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: alloc::vec::Vec<usize> = alloc::vec![0; b.len().saturating_add(1)];
    let mut last: alloc::vec::Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = alloc::vec![i.saturating_add(1)];
        let mut left = i.saturating_add(1);
        for (j, &y) in b.iter().enumerate() {
            let at =
                |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let one_before = |text: &[u8], place: usize| text.get(place.checked_sub(1)?).copied();
            let swapped = one_before(a, i) == Some(y) && one_before(b, j) == Some(x);
            let swap = if swapped {
                at(&before, j.saturating_sub(1)).saturating_add(1)
            } else {
                usize::MAX
            };
            left = at(&last, j)
                .saturating_add(usize::from(x != y))
                .min(at(&last, j.saturating_add(1)).saturating_add(1))
                .min(left.saturating_add(1))
                .min(swap);
            row.push(left);
        }
        before = core::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

impl OptionSpec {
    /// How none is written where this option may be none; in C, options that are text or bytes are left unset instead.
    pub fn none_in(&self, dialect: Dialect) -> Option<&'static str> {
        self.none_means?;
        match (dialect, self.kind) {
            (Dialect::C, Kind::Text | Kind::Bytes | Kind::Material) => None,
            (Dialect::C, _) if self.name == "ttl" => Some("MQTT_TTL_NONE"),
            _ => Some(dialect.none()),
        }
    }

    /// Its default as a reader writes it, from the options whose default it is.
    pub fn default_text(&self, default: Option<super::Value>) -> String {
        match (default, self.unset_means, self.none_means) {
            (_, Some(meaning), _) | (Some(super::Value::Absent), _, Some(meaning)) => {
                meaning.to_string()
            }
            (Some(value), ..) => value.to_string(),
            (None, ..) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_a_swap_once() {
        for (a, b, steps) in [
            ("keepalvie", "keepalive", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("qos", "qos", 0),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), steps, "{a} {b}");
        }
    }
}
