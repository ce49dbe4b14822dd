//! What hooks have been asked and have not answered, as far as others wait for it.

use std::collections::BTreeMap;

use leveret_protocol::engine::{AuthStage, Tag};

use crate::inbox::Delivery;

/// What hooks were asked that others wait for, while it lies in the queue and while a hook looks at it.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// What the next connection waits for: an attempt to be prepared, or a step of its authentication. The engine asks one at a time.
    decision: Option<u64>,
    /// Letters whose next step waits for words on our answer: their receipts, by the number of the packet.
    words: BTreeMap<u64, Tag>,
}

impl Asked {
    /// Whether somebody waits for the answer to this.
    pub(crate) fn enter(&mut self, question: &Delivery) -> bool {
        match question {
            Delivery::Prepare(asked) => self.decision = Some(asked.number),
            // Of a connection that is up already the last step, and those of a re-authentication.
            Delivery::Authenticate(step)
                if step.reauthentication || step.stage == AuthStage::Finish =>
            {
                return false;
            }
            Delivery::Authenticate(step) => self.decision = Some(step.number),
            Delivery::Packet(shown) if shown.number != 0 && shown.tag != 0 => {
                self.words.insert(shown.number, shown.tag);
            }
            _ => return false,
        }
        true
    }

    pub(crate) fn leave(&mut self, number: u64) {
        self.decision.take_if(|asked| *asked == number);
        self.words.remove(&number);
    }

    /// Whether the next connection waits for an answer.
    pub(crate) fn is_undecided(&self) -> bool {
        self.decision.is_some()
    }

    /// Whether this letter waits for an answer.
    pub(crate) fn is_unsaid(&self, receipt: Tag) -> bool {
        self.words.values().any(|tag| *tag == receipt)
    }
}
