//! Topic aliases (MQTT 5, 3.3.2.3.4): numbers that stand for topic names, each way by itself, for as long as a connection lasts.
//!
//! Ours: a topic is sent in full with a number → the socket has taken the frame whole or in part → from then on the number alone. A frame that is
//! taken back takes what it defined back with it. When all numbers are in use, the topic that was not published for longest gives its number up,
//! if that is long enough ago: topics that come by turns would otherwise define each other away at every letter.
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use bytes::Bytes;

use super::incoming::Violation;
use crate::message::Message;
use crate::reason::ReasonCode;
use crate::text::Text;

/// Topics of as few bytes are not worth an alias, which takes three.
const SHORT: usize = 3;
/// A topic gives its number up if so many letters for each number were published since.
const IDLE: u64 = 2;

/// The topic names of the broker's aliases.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    names: BTreeMap<u16, Text>,
}

impl Incoming {
    /// The connection is gone, and with it every alias.
    pub(super) fn clear(&mut self) {
        self.names.clear();
    }

    /// Gives a message its topic name, where an alias stands for it.
    pub(super) fn resolve(&mut self, message: &mut Message, maximum: u16) -> Result<(), Violation> {
        let Some(alias) = message.properties.topic_alias() else {
            return Ok(());
        };
        if alias > maximum {
            let words = "the broker sent a topic alias above the topic alias maximum (3.1.2-26)";
            return Err(Violation::new(ReasonCode::TOPIC_ALIAS_INVALID, words));
        }
        if !message.topic.is_empty() {
            // A copy: it outlives the buffer it was read from.
            self.names.insert(alias, message.topic.detached());
        } else if let Some(name) = self.names.get(&alias) {
            message.topic = name.clone();
        } else {
            let words = "the broker sent a topic alias that it has not defined (3.3.2.3.4)";
            return Err(Violation::new(ReasonCode::PROTOCOL_ERROR, words));
        }
        Ok(())
    }
}

/// How a topic is named in one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) alias: u16,
    /// The broker knows the number already: the topic is left out.
    pub(super) known: bool,
}

#[derive(Debug)]
struct Entry {
    topic: Bytes,
    used: u64,    // the number of the last letter that used it
    defined: u64, // where in the stream of the connection the frame begins that defines it
}

/// The aliases of what is sent.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    limit: u16,
    letters: u64,
    by_topic: BTreeMap<Bytes, u16>,
    by_number: BTreeMap<u16, Entry>,
    by_use: BTreeMap<u64, u16>,
    free: Vec<u16>,
    last: u16,
}

impl Outgoing {
    /// A connection begins, on which so many aliases may be used.
    pub(super) fn begin(&mut self, limit: u16) {
        *self = Outgoing {
            limit,
            ..Outgoing::default()
        };
    }

    /// Are there any.
    #[inline(always)]
    pub(super) const fn is_on(&self) -> bool {
        self.limit > 0
    }

    /// How to name the topic in a frame that begins at `position`; `None` in full, without a number.
    pub(super) fn name(&mut self, topic: &[u8], position: u64) -> Option<Named> {
        if !self.is_on() || topic.len() <= SHORT {
            return None;
        }
        self.letters = self.letters.saturating_add(1);
        if let Some(&alias) = self.by_topic.get(topic) {
            self.touch(alias);
            return Some(Named { alias, known: true });
        }
        let alias = self.number()?;
        let topic = Bytes::copy_from_slice(topic);
        self.by_topic.insert(topic.clone(), alias);
        self.by_use.insert(self.letters, alias);
        let used = self.letters;
        let defined = position;
        self.by_number.insert(
            alias,
            Entry {
                topic,
                used,
                defined,
            },
        );
        Some(Named {
            alias,
            known: false,
        })
    }

    /// The frames from `position` on were taken back, or could not be composed: what they defined is not known to the broker.
    pub(super) fn taken_back(&mut self, position: u64) {
        if !self.is_on() {
            return;
        }
        let gone = self
            .by_number
            .iter()
            .filter(|(_, entry)| entry.defined >= position);
        let gone: Vec<u16> = gone.map(|(&alias, _)| alias).collect();
        for alias in gone {
            self.forget(alias);
            self.free.push(alias);
        }
    }

    fn touch(&mut self, alias: u16) {
        if let Some(entry) = self.by_number.get_mut(&alias) {
            self.by_use.remove(&entry.used);
            entry.used = self.letters;
            self.by_use.insert(self.letters, alias);
        }
    }

    /// A number that is free, or has become so.
    fn number(&mut self) -> Option<u16> {
        if let Some(free) = self.free.pop() {
            return Some(free);
        }
        if self.last < self.limit {
            self.last = self.last.saturating_add(1);
            return Some(self.last);
        }
        let (&used, &alias) = self.by_use.first_key_value()?;
        let since = self.letters.saturating_sub(used);
        let idle = since > IDLE.saturating_mul(u64::from(self.limit));
        idle.then(|| self.forget(alias))?;
        Some(alias)
    }

    fn forget(&mut self, alias: u16) {
        if let Some(entry) = self.by_number.remove(&alias) {
            self.by_topic.remove(&entry.topic);
            self.by_use.remove(&entry.used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(alias: u16, known: bool) -> Option<Named> {
        Some(Named { alias, known })
    }

    #[test]
    fn a_topic_is_defined_once_and_then_known() {
        let mut aliases = Outgoing::default();
        assert_eq!(aliases.name(b"doors", 0), None, "there are none");
        aliases.begin(2);
        assert_eq!(aliases.name(b"doors", 0), named(1, false));
        assert_eq!(aliases.name(b"doors", 9), named(1, true));
        assert_eq!(aliases.name(b"gates", 20), named(2, false));
        assert_eq!(aliases.name(b"roofs", 30), None, "both are in use");
        assert_eq!(aliases.name(b"a/b", 40), None, "not worth it");
    }

    #[test]
    fn what_a_frame_defined_goes_with_it() {
        let mut aliases = Outgoing::default();
        aliases.begin(1);
        assert_eq!(aliases.name(b"doors", 10), named(1, false));
        aliases.taken_back(11);
        assert_eq!(aliases.name(b"doors", 20), named(1, true));
        aliases.taken_back(10);
        assert_eq!(aliases.name(b"gates", 10), named(1, false));
    }

    #[test]
    fn an_idle_topic_gives_its_number_up() {
        let mut aliases = Outgoing::default();
        aliases.begin(2);
        aliases.name(b"doors", 0);
        for position in 1..4 {
            assert_eq!(aliases.name(b"gates", position), named(2, position > 1));
        }
        assert_eq!(aliases.name(b"roofs", 4), None);
        assert_eq!(aliases.name(b"roofs", 5), named(1, false));
        assert_eq!(aliases.name(b"doors", 6), None);
    }
}
