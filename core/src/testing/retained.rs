//! Retained messages: the last one of each topic (MQTT 5.0 section 3.3.1.3).
use super::session::Letter;
use leveret_protocol::{message::QoS, text::Text, time::Instant, topic::matches};
use std::{collections::BTreeMap, rc::Rc};

/// A message kept for its topic, with the QoS it was published with.
#[derive(Clone)]
pub(super) struct RetainedMessage {
    pub(super) letter: Rc<Letter>,
    pub(super) qos: QoS,
}

/// All retained messages, by topic name.
#[derive(Default)]
pub(super) struct Retained {
    messages: BTreeMap<Text, RetainedMessage>,
}

impl Retained {
    /// Keeps a message in place of the one before; an empty payload only removes that.
    pub(super) fn put(&mut self, letter: &Rc<Letter>, qos: QoS) {
        if letter.payload.is_empty() {
            self.messages.remove(&letter.topic);
        } else {
            let message = RetainedMessage {
                letter: Rc::clone(letter),
                qos,
            };
            self.messages.insert(letter.topic.clone(), message);
        }
    }

    /// Those whose topic name matches and that have not expired.
    pub(super) fn matching(&mut self, filter: &str, now: Instant) -> Vec<RetainedMessage> {
        self.messages
            .retain(|_, message| !message.letter.is_expired(now));
        self.messages
            .iter()
            .filter(|(topic, _)| matches(filter, topic))
            .map(|(_, message)| message.clone())
            .collect()
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
    }
}
