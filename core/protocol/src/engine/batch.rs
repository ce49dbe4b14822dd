//! What callers hand to the engine: letters, checked and encoded, and commands, in the order of the calls.
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::authentication::AuthAnswer;
use super::budget::Cost;
use super::event::{AckToken, SubscriptionId, Tag};
use super::hooks::Hooks;
use super::letter::Letter;
use super::publish::SealedLetter;
use crate::codec::Properties;
use crate::options::{CloseOptions, ConnectOptions, Overflow, Priority, SubscribeOptions};
use crate::reason::ReasonCode;
use crate::text::Text;
use crate::time::Instant;

/// Letters and commands on their way to the engine. The engine takes what is in it and leaves its memory for the next ones.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) texts: Vec<u8>,
    pub(super) letters: Vec<Letter>,
    /// Each with the number of letters that were posted before it.
    pub(super) commands: Vec<(usize, Command)>,
}

impl Batch {
    /// An empty batch. It takes no memory before its first command.
    pub const fn new() -> Batch {
        Batch {
            texts: Vec::new(),
            letters: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// Nothing in it.
    pub fn is_empty(&self) -> bool {
        self.letters.is_empty() && self.commands.is_empty()
    }

    /// Number of letters and commands in it.
    pub fn len(&self) -> usize {
        self.letters.len().saturating_add(self.commands.len())
    }

    /// Posts a letter whose cost the caller has taken from the budget. `stamp` is the time of the call of publish, from which its TTL counts; `tag` is
    /// the number of its receipt, higher than those before, or 0 if none is wanted. It will be settled exactly once.
    #[inline(always)]
    pub fn post(&mut self, letter: &SealedLetter<'_>, stamp: Instant, tag: Tag) {
        let letter = letter.write(&mut self.texts, stamp, tag);
        self.letters.push(letter);
    }

    /// Hands over a command.
    pub fn push(&mut self, command: Command) {
        self.commands.push((self.letters.len(), command));
    }
}

/// What a caller wants, beside posting letters. A `reply` is the tag of the [`Reply`](super::Event::Reply) that answers it, exactly once; 0 asks for no answer.
#[derive(Debug)]
pub enum Command {
    /// Declare topic filters and keep them; answered when the broker has answered for each, or with `TimedOut`.
    Subscribe(Box<Subscribe>),
    /// Take topic filters back; answered when the broker has answered for each.
    Unsubscribe(Box<Unsubscribe>),
    /// The application has handled a message. The acknowledgement goes out when the order of the standard allows it.
    Acknowledge {
        /// From the message.
        token: AckToken,
        /// Success, or why it was not handled; sent on MQTT 5.
        reason: ReasonCode,
        /// Reason string and user properties of the acknowledgement, checked; sent on MQTT 5, on the connection of the message.
        words: Option<Box<Properties>>,
    },
    /// Take a letter back. If it is still there it is settled `cancelled`.
    Cancel {
        /// Its receipt.
        tag: Tag,
        /// Answered with [`Reply::Cancelled`](super::Reply::Cancelled).
        reply: Tag,
    },
    /// Decide by an overflow rule how a letter gets room while offline.
    MakeRoom {
        /// Answered with [`Reply::Room`](super::Reply::Room).
        reply: Tag,
        /// What the budget lacks for the new letter.
        lacking: Cost,
        /// The rule.
        rule: Overflow,
        /// The priority of the new letter.
        priority: Priority,
    },
    /// A letter that was accepted only to be dropped, because the overflow rule chose it. It is settled `dropped` and has cost nothing.
    Discard {
        /// Its receipt.
        tag: Tag,
    },
    /// Answer when every letter posted before has been settled.
    Flush {
        /// Answered with [`Reply::Done`](super::Reply::Done).
        reply: Tag,
    },
    /// Measure a round trip.
    Ping {
        /// Answered with [`Reply::RoundTrip`](super::Reply::RoundTrip), or `NotConnected` or `ConnectionLost`.
        reply: Tag,
    },
    /// Where is a letter, and why.
    Explain {
        /// Its receipt.
        tag: Tag,
        /// Answered with [`Reply::Explained`](super::Reply::Explained).
        reply: Tag,
    },
    /// Say DISCONNECT to the broker if there is a connection, and dial at once. Letters in flight go on.
    Reconnect,
    /// Send what waits, say DISCONNECT, settle every letter, and end.
    Close {
        /// Answered with [`Reply::Done`](super::Reply::Done), after everything else.
        reply: Tag,
        /// How, checked.
        options: Box<CloseOptions>,
    },
    /// Show these packets from now on.
    Hooks(Hooks),
    /// The application has looked at a packet that it was shown.
    Answer {
        /// From [`Shown`](super::Shown).
        number: u64,
        /// Reason string and user properties of our answer, checked.
        words: Properties,
    },
    /// The application has said what an attempt to connect is to say.
    Prepared {
        /// From [`Preparation`](super::Preparation).
        number: u64,
        /// What, checked; or why the attempt is to fail.
        answer: Result<Box<ConnectOptions>, String>,
    },
    /// The application has taken a step of enhanced authentication.
    Authenticate {
        /// From [`AuthStep`](super::AuthStep).
        number: u64,
        /// What the broker is to be sent, or why the application refuses.
        answer: Result<Box<AuthAnswer>, String>,
    },
    /// Authenticate once more on the connection that is up.
    Reauthenticate {
        /// Answered with [`Reply::Done`](super::Reply::Done) when the broker has accepted, or an error.
        reply: Tag,
    },
}

/// Filters to declare.
#[derive(Clone, Debug)]
pub struct Subscribe {
    /// Answered with [`Reply::Subscribed`](super::Reply::Subscribed).
    pub reply: Tag,
    /// One for each filter. A filter that is declared already keeps its number and is asked for again with the new options.
    pub entries: Vec<SubscribeEntry>,
}

/// One filter to declare.
#[derive(Clone, Debug)]
pub struct SubscribeEntry {
    /// Its number.
    pub id: SubscriptionId,
    /// A valid topic filter.
    pub filter: Text,
    /// How.
    pub options: SubscribeOptions,
}

/// Filters to take back.
#[derive(Clone, Debug)]
pub struct Unsubscribe {
    /// Answered with [`Reply::Unsubscribed`](super::Reply::Unsubscribed).
    pub reply: Tag,
    /// The filters, valid ones.
    pub filters: Vec<Text>,
    /// MQTT 5 user properties.
    pub user_properties: Vec<(String, String)>,
}
