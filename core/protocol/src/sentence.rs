//! The sentences for bad input: made once here, so that the same mistake reads the same in every language.
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};
use core::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::reason::ReasonCode;
use crate::topic::TopicError;

/// The most bytes an MQTT packet can have after its fixed header (MQTT 5, 1.5.5).
pub const MAX_REMAINING_LENGTH: usize = 268_435_455;

/// The language a sentence is for: how names are spelled, what "none" is called, and what a bare number means where a duration is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// `keep_alive`, `None`; durations are `Duration` or text.
    #[default]
    Rust,
    /// `keep_alive`, `"none"`; a bare number is milliseconds; any option may be given as text.
    C,
    /// `keep_alive`, `None`; a bare number is seconds.
    Python,
    /// `keepAlive`, `null`; a bare number is milliseconds.
    Node,
}

impl Dialect {
    /// The name of an argument or option, given as `keep_alive`, as this language spells it.
    pub fn spell(self, name: &str) -> Cow<'_, str> {
        match self {
            Dialect::Node => Cow::Owned(camel_case(name)),
            _ => Cow::Borrowed(name),
        }
    }

    /// What this language calls nothing.
    pub const fn none(self) -> &'static str {
        match self {
            Dialect::Rust | Dialect::Python => "None",
            Dialect::C => "\"none\"",
            Dialect::Node => "null",
        }
    }

    /// What a bare number means where a duration is asked for; `None` where it means nothing.
    pub const fn unit(self) -> Option<Duration> {
        match self {
            Dialect::Rust => None,
            Dialect::C | Dialect::Node => Some(Duration::from_millis(1)),
            Dialect::Python => Some(Duration::from_secs(1)),
        }
    }

    /// May a flag, number or list of choices be given as text, as in a configuration file.
    pub const fn all_as_text(self) -> bool {
        matches!(self, Dialect::Rust | Dialect::C)
    }
}

/// `name must be ALLOWED, not GIVEN`.
pub fn must_be(name: &str, allowed: &str, given: impl fmt::Display) -> Error {
    Error::invalid(format!("{name} must be {allowed}, not {given}"))
}

/// A QoS that is not one: `qos must be 0, 1 or 2, not 3`.
pub fn qos(given: i64) -> Error {
    must_be("qos", "0, 1 or 2", given)
}

/// A reason code that no acknowledgement of ours may carry, with those that may: `reason must be 0, 128, …, not 5`. Nothing for one that may.
pub fn acknowledgement(reason: ReasonCode) -> Result<(), Error> {
    if ReasonCode::of_acknowledgements().any(|listed| listed == reason) {
        return Ok(());
    }
    let mut allowed = String::new();
    for code in ReasonCode::of_acknowledgements() {
        let comma = if allowed.is_empty() { "" } else { ", " };
        let _ = write!(allowed, "{comma}{}", code.0);
    }
    Err(must_be(
        "reason",
        &format!("one of {allowed} (MQTT 5, 3.4.2.1)"),
        reason.0,
    ))
}

/// A topic name or filter that is not valid: `topic must not contain the wildcard '+' or '#', but "a/+" does`.
pub fn topic(argument: &str, given: &str, error: TopicError) -> Error {
    broken_rule(argument, error.text(), given)
}

/// Text with a character that MQTT forbids (MQTT 5, 1.5.4-2).
pub fn text_with_nul(name: &str, text: &str) -> Error {
    broken_rule(name, "must not contain U+0000", text)
}

/// Text that is longer than MQTT's length field can say (MQTT 5, 1.5.4).
pub fn text_too_long(name: &str, length: usize) -> Error {
    must_be(
        name,
        "text of at most 65535 bytes of UTF-8",
        format_args!("{length} bytes"),
    )
}

/// Text that is not UTF-8 (MQTT 5, 1.5.4-1); only C can give such.
pub fn not_utf8(name: &str) -> Error {
    Error::invalid(format!("{name} must be UTF-8, but it is not"))
}

/// A packet larger than MQTT can say: `overhead` is what topic and properties take of it.
pub fn payload_too_large(length: usize, overhead: usize) -> Error {
    let most = MAX_REMAINING_LENGTH.saturating_sub(overhead);
    must_be(
        "payload",
        &format!("at most {most} bytes with this topic and these properties"),
        format_args!("{length} bytes"),
    )
}

/// A letter larger than the whole post office.
pub fn letter_too_large(dialect: Dialect, cost: u64, most: u64) -> Error {
    let option = dialect.spell("max_queued_bytes");
    Error::invalid(format!(
        "payload is too large: the letter needs {cost} bytes, and {option} allows {most} in all"
    ))
}

/// A letter for which there is no room, with the bounds that say how much there is.
pub fn queue_full(dialect: Dialect, messages: u32, bytes: u64) -> Error {
    let (letters, size) = (
        dialect.spell("max_queued_messages"),
        dialect.spell("max_queued_bytes"),
    );
    let detail = format!(
        "the post office is full: {letters} allows {messages} letters, {size} {bytes} bytes"
    );
    Error::new(ErrorKind::QueueFull, detail)
}

/// A call on a client that is closed.
pub fn closed() -> Error {
    Error::from(ErrorKind::Closed)
}

/// A NULL where an object is needed: `client must not be NULL`.
pub fn null(argument: &str) -> Error {
    Error::new(
        ErrorKind::NullPointer,
        format!("{argument} must not be NULL"),
    )
}

/// `name RULE, but "given" does`, or `does not`.
fn broken_rule(name: &str, rule: &str, given: &str) -> Error {
    let does = if rule.starts_with("must not") {
        "does"
    } else {
        "does not"
    };
    Error::invalid(format!("{name} {rule}, but {} {does}", Quoted(given)))
}

/// Text in double quotes, with what cannot be printed escaped, and cut after 64 characters.
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 64;
        f.write_char('"')?;
        for character in self.0.chars().take(MOST) {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                '\'' => f.write_char('\'')?,
                _ => write!(f, "{}", character.escape_debug())?,
            }
        }
        f.write_char('"')?;
        if self.0.chars().nth(MOST).is_some() {
            f.write_str("…")
        } else {
            Ok(())
        }
    }
}

/// `a`, `a or b`, `a, b or c`.
pub fn one_of<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = String::new();
    let mut items = items.into_iter().peekable();
    while let Some(item) = items.next() {
        if !text.is_empty() {
            text.push_str(if items.peek().is_some() { ", " } else { " or " });
        }
        // Writing into a String cannot fail.
        let _ = write!(text, "{item}");
    }
    text
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel: String = words.next().unwrap_or_default().into();
    for word in words {
        let mut characters = word.chars();
        camel.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(characters.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn sentences_name_the_argument_and_what_is_allowed() {
        for (error, sentence) in [
            (qos(3), "qos must be 0, 1 or 2, not 3"),
            (
                topic("topic", "a/+", TopicError::WildcardInName),
                "topic must not contain the wildcard '+' or '#', but \"a/+\" does",
            ),
            (
                text_with_nul("topic", "a\0b"),
                "topic must not contain U+0000, but \"a\\0b\" does",
            ),
            (
                topic("topic", "", TopicError::Empty),
                "topic must have at least one character, but \"\" does not",
            ),
            (
                payload_too_large(268_435_456, 9),
                "payload must be at most 268435446 bytes with this topic and these properties, not 268435456 bytes",
            ),
            (null("client"), "client must not be NULL"),
            (closed(), "the client is closed"),
        ] {
            assert_eq!(error.to_string(), sentence);
        }
    }

    #[test]
    fn names_are_spelled_as_the_language_spells_them() {
        assert_eq!(Dialect::Node.spell("properties_on_311"), "propertiesOn311");
        assert_eq!(Dialect::Python.spell("keep_alive"), "keep_alive");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(
            Quoted(&"x".repeat(70)).to_string(),
            alloc::format!("\"{}\"…", "x".repeat(64))
        );
    }
}
