//! What was seen while inputs ran: events, commands and packets by name, so that it can be demanded that a corpus reaches them.
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::rc::Rc;

use leveret_protocol::codec::{Packet, Version};

/// Counters by name, shared by all that count.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    counts: Rc<RefCell<BTreeMap<String, u64>>>,
}

impl Seen {
    /// One more of this event or command, called by the name of its variant.
    pub fn count(&self, what: &str, thing: &dyn Debug) {
        self.add(format!("{what} {}", variant(thing)));
    }

    /// One more packet, `written` or `read` by the engine.
    pub fn packet(&self, way: &str, version: Version, packet: &Packet) {
        self.add(format!("{way} {} {version:?}", variant(packet)));
        if let Packet::Publish(publish) = packet {
            if publish.message.dup {
                self.add(format!("{way} Publish with DUP"));
            }
            if publish.message.properties.topic_alias().is_some() {
                self.add(format!("{way} Publish with an alias"));
            }
        }
    }

    /// How often something was seen.
    pub fn of(&self, name: &str) -> u64 {
        self.counts.borrow().get(name).copied().unwrap_or(0)
    }

    /// Everything that was seen, one line each.
    pub fn lines(&self) -> Vec<String> {
        let counts = self.counts.borrow();
        let line = |(name, count): (&String, &u64)| format!("{count:>8}  {name}");
        counts.iter().map(line).collect()
    }

    fn add(&self, name: String) {
        *self.counts.borrow_mut().entry(name).or_default() += 1;
    }
}

/// The name of a value's variant, as its `Debug` begins.
fn variant(thing: &dyn Debug) -> String {
    let text = format!("{thing:?}");
    text.split(|letter: char| !letter.is_alphanumeric())
        .next()
        .unwrap_or_default()
        .to_owned()
}
