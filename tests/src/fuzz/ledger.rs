//! What is owed to the callers of an engine: each letter exactly one outcome and its room back, each question exactly one answer.
use std::collections::BTreeSet;

use leveret_protocol::engine::{AckToken, Cost, Event, Notice, SealedLetter, Tag};
use leveret_protocol::outcome::Status;

/// What was promised and not kept yet.
#[derive(Debug, Default)]
pub struct Ledger {
    last_tag: Tag,
    letters: BTreeSet<Tag>,
    questions: BTreeSet<Tag>,
    /// Room taken and not given back.
    taken: Cost,
    /// Tokens of messages, in the order of their coming.
    pub tokens: Vec<AckToken>,
    last_shown: u64,
    last_step: u64,
    last_preparation: u64,
    /// The status as it was told last.
    pub status: Option<Status>,
}

impl Ledger {
    /// A new tag, higher than those before.
    fn tag(&mut self) -> Tag {
        self.last_tag += 1;
        self.last_tag
    }

    /// A tag that was given, or was not.
    pub fn any_tag(&self, choice: u8) -> Tag {
        self.last_tag.saturating_sub(u64::from(choice % 16))
    }

    /// The number of a packet that was shown to a hook, or was not.
    pub fn any_shown(&self, choice: u8) -> u64 {
        self.last_shown.saturating_sub(u64::from(choice % 4))
    }

    /// The number of a step of authentication that was asked for, or was not.
    pub fn any_step(&self, choice: u8) -> u64 {
        self.last_step.saturating_sub(u64::from(choice % 4 / 3))
    }

    /// The last question before an attempt more often than not, or one before it.
    pub fn any_preparation(&self, choice: u8) -> u64 {
        self.last_preparation
            .saturating_sub(u64::from(choice % 4 / 3))
    }

    /// The receipt of a letter that is posted; 0 if none is wanted.
    pub fn post(&mut self, letter: &SealedLetter<'_>, wanted: bool) -> Tag {
        self.taken += letter.cost();
        if !wanted {
            return 0;
        }
        let tag = self.tag();
        self.letters.insert(tag);
        tag
    }

    /// The receipt of a letter that is discarded: it takes no room.
    pub fn discard(&mut self) -> Tag {
        let tag = self.tag();
        self.letters.insert(tag);
        tag
    }

    /// The tag of a question; 0 if no answer is wanted.
    pub fn ask(&mut self, wanted: bool) -> Tag {
        if !wanted {
            return 0;
        }
        let tag = self.tag();
        self.questions.insert(tag);
        tag
    }

    /// What the engine told.
    pub fn note(&mut self, event: &Event) {
        assert!(!format!("{event:?}").is_empty());
        match event {
            Event::Settled { tag, cost, .. } => {
                assert!(
                    *tag == 0 || self.letters.remove(tag),
                    "letter {tag} is settled, and was not or no longer there"
                );
                self.give_back(*cost);
            }
            Event::Released(cost) => self.give_back(*cost),
            Event::Reply { tag, .. } => {
                assert!(
                    self.questions.remove(tag),
                    "question {tag} is answered, and was not or no longer asked"
                );
            }
            Event::Packet(shown) => self.last_shown = self.last_shown.max(shown.number),
            Event::Prepare(asked) => self.last_preparation = asked.number,
            Event::Authenticate(step) => self.last_step = self.last_step.max(step.number),
            Event::Message(incoming) => self.tokens.extend(incoming.token),
            Event::Status(status) => {
                assert_ne!(
                    self.status,
                    Some(*status),
                    "a status is told when it changes"
                );
                assert_ne!(self.status, Some(Status::Closed), "nothing follows the end");
                self.status = Some(*status);
            }
            Event::Notice(Notice::Violation(error)) => {
                assert!(
                    error.reason.is_some_and(|reason| reason.is_error()),
                    "{error}"
                );
                assert!(
                    error.to_string().contains(' '),
                    "a violation is told in a sentence: {error}"
                );
            }
            Event::Notice(_)
            | Event::Connection(_)
            | Event::Subscription { .. }
            | Event::RoundTrip(_) => {}
        }
    }

    fn give_back(&mut self, cost: Cost) {
        assert!(
            self.taken.covers(cost),
            "{cost:?} is given back of {:?}",
            self.taken
        );
        self.taken -= cost;
    }

    /// After the end nothing is owed.
    pub fn is_settled(&self) {
        assert!(
            self.letters.is_empty(),
            "letters without an outcome: {:?}",
            self.letters
        );
        assert!(
            self.questions.is_empty(),
            "questions without an answer: {:?}",
            self.questions
        );
        assert_eq!(self.taken, Cost::ZERO, "room that was not given back");
        assert_eq!(self.status, Some(Status::Closed));
    }
}
