//! What the application is asked by its client, and how it answers: attempts to connect, steps of authentication, words on our answers.

use std::collections::{BTreeMap, VecDeque};

use leveret_protocol::codec::Properties;
use leveret_protocol::engine::{
    AuthAnswer, AuthStage, AuthStep, Command, Hooks, Preparation, Shown, Words,
};
use leveret_protocol::message::QoS;
use leveret_protocol::options::ConnectOptions;
use leveret_protocol::packet_type::{PacketSet, PacketType};
use leveret_protocol::sentence::Dialect;

use super::broker::authenticating;
use super::checkers::{Verdict, claim};
use super::frames::{Frame, kind};
use super::host::Host;
use super::mutation::Mutation;
use super::network::Nanos;
use super::plan::AnswerManners;

/// What the application has been asked, and answers when it gets to it.
#[derive(Clone, Debug)]
pub enum Chore {
    /// What an attempt is to say.
    Prepare(u64),
    /// A step of authentication.
    Authenticate {
        /// Its number.
        number: u64,
        /// Where in the exchange it is.
        stage: AuthStage,
        /// What the broker said.
        data: Vec<u8>,
    },
    /// The words on an answer.
    Answer(u64),
}

/// What is known of the attempt that is being prepared, and of authentication.
#[derive(Clone, Debug, Default)]
pub struct Asking {
    /// An attempt waits for the application.
    pub preparing: bool,
    /// The question that was answered with options last, for the next dial.
    pub said: Option<u64>,
    /// The last question: an answer to an earlier one changes nothing.
    asked: u64,
    /// The broker has accepted the connection, and the application has not yet.
    pub unsettled: bool,
    /// The step in which the application agrees to that.
    finish: Option<u64>,
    /// AUTHs of success that came.
    pub succeeded: u64,
    /// Packets heard and shown, by kind.
    heard: BTreeMap<u8, u64>,
    shown: BTreeMap<u8, u64>,
    count: u64,
}

/// An answer of ours that waits for its words.
#[derive(Clone, Debug)]
pub struct Held {
    /// What the question is called.
    pub number: u64,
    /// When it was asked.
    pub since: Nanos,
    /// When it was answered, with words or without.
    pub answered: Option<Nanos>,
}

impl AnswerManners {
    /// As the engine is told them.
    pub fn hooks(&self) -> Hooks {
        let set = |wanted: bool, all: PacketSet| if wanted { all } else { PacketSet::EMPTY };
        Hooks {
            shown: set(self.shown, Hooks::SHOWABLE),
            answered: set(self.words, Hooks::ANSWERABLE),
            prepares: self.prepares,
            authenticates: self.authenticates,
        }
    }

    /// The application wants to be asked anything.
    pub fn any(&self) -> bool {
        self.hooks() != Hooks::default()
    }
}

/// The words on the answer to the question of this number.
pub fn words(number: u64) -> String {
    format!("word {number}")
}

/// The user name that is said to the question of this number.
pub fn user_name(number: u64) -> String {
    format!("user {number}")
}

/// The topic of the will that is said to the question of this number, if one is.
pub fn will_topic(number: u64) -> Option<String> {
    number
        .is_multiple_of(2)
        .then(|| format!("will/of/{number}"))
}

impl Host {
    /// The user name and the topic of the will that the next CONNECT has to carry.
    pub fn login(&self) -> (Option<String>, Option<String>) {
        let said = self.asking.said.filter(|_| self.plan.answers.prepares);
        let options = &self.options;
        (
            said.map(user_name).or_else(|| options.username.clone()),
            said.and_then(will_topic)
                .or_else(|| options.will_topic.clone()),
        )
    }

    fn put_off(&mut self, now: Nanos, chore: Chore) {
        let manners = &self.plan.answers;
        if self.random.chance(manners.silent) {
            return;
        }
        let (low, high) = manners.delay;
        let at = now + self.random.between(low, high);
        self.asking.count += 1;
        self.chores.insert((at, self.asking.count), chore);
    }

    /// An attempt is to be prepared.
    pub fn asked_to_prepare(&mut self, now: Nanos, asked: &Preparation) -> Verdict {
        claim(self.plan.answers.prepares, "asked_only_if_wanted", || {
            format!("{asked:?}")
        })?;
        let known = asked.attempt == self.line.attempt + 1 && asked.endpoint < self.plan.endpoints;
        claim(known, "preparation_names_the_attempt", || {
            format!("{asked:?} after attempt {}", self.line.attempt)
        })?;
        (self.asking.said, self.asking.asked) = (None, asked.number);
        self.put_off(now, Chore::Prepare(asked.number));
        Ok(())
    }

    /// A step of authentication is to be taken.
    pub fn asked_to_authenticate(&mut self, now: Nanos, step: &AuthStep) -> Verdict {
        let data = step.data.as_deref().unwrap_or_default();
        let right = match step.stage {
            AuthStage::Begin => data.is_empty(),
            AuthStage::Continue => data.starts_with(b"challenge"),
            AuthStage::Finish => data == authenticating::WELCOME,
        };
        let wanted = self.plan.answers.authenticates;
        claim(wanted && right, "steps_carry_what_the_broker_said", || {
            format!("{step:?}")
        })?;
        if step.stage == AuthStage::Finish && !step.reauthentication {
            self.asking.finish = Some(step.number);
            if self.tamper.mutation == Some(Mutation::AgreeTooSoon) {
                self.tamper.done += 1;
                self.batch.push(Command::Authenticate {
                    number: step.number,
                    answer: Ok(Box::default()),
                });
            }
        }
        let chore = Chore::Authenticate {
            number: step.number,
            stage: step.stage,
            data: data.to_vec(),
        };
        self.put_off(now, chore);
        Ok(())
    }

    /// A packet is shown.
    pub fn was_shown(
        &mut self,
        now: Nanos,
        shown: &Shown,
        connected: bool,
        begun_now: bool,
        misled: bool,
    ) -> Verdict {
        let kind = shown.packet as u8;
        let wanted = self.plan.answers.hooks();
        let set = wanted.shown.union(wanted.answered);
        claim(set.has(shown.packet), "shown_only_if_wanted", || {
            format!("{shown:?}")
        })?;
        let count = self.asking.shown.entry(kind).or_default();
        *count += 1;
        let heard = self.asking.heard.get(&kind).copied().unwrap_or(0);
        claim(*count <= heard, "shown_only_what_came", || {
            format!("{shown:?} is the {count}th, {heard} came")
        })?;
        // On a connection that has ended in the same turn no answer is owed.
        if shown.number == 0 || !connected {
            return Ok(());
        }
        let answer = match shown.packet {
            PacketType::PubRec => kind::PUBREL,
            _ => kind::PUBCOMP,
        };
        // A hostile broker may send one again in the very moment in which the first was answered.
        claim(!begun_now || misled, "answers_wait_for_hooks", || {
            format!("the answer to {shown:?} was not held back")
        })?;
        let packet_id = shown.packet_id.unwrap_or(0);
        // A hostile broker may send one twice, and is answered twice.
        self.held
            .entry((answer, packet_id))
            .or_default()
            .push_back(Held {
                number: shown.number,
                since: now,
                answered: None,
            });
        self.put_off(now, Chore::Answer(shown.number));
        Ok(())
    }

    /// A packet of a kind that can be shown is about to come.
    pub fn will_be_shown(&mut self, kind: u8) {
        *self.asking.heard.entry(kind).or_default() += 1;
    }

    /// PUBREL or PUBCOMP is begun: not before the application has said its words, or too much time passed, and with those words.
    pub fn answer_is_begun(&mut self, now: Nanos, frame: &Frame) -> Verdict {
        let waiting = self.held.get_mut(&(frame.kind, frame.packet_id));
        let Some(held) = waiting.and_then(VecDeque::pop_front) else {
            return Ok(());
        };
        let limit = u64::try_from(self.options.hook_timeout.as_nanos()).unwrap_or(u64::MAX);
        let late = now >= held.since.saturating_add(limit);
        claim(
            held.answered.is_some() || late,
            "answers_wait_for_hooks",
            || format!("{frame:?} is sent at {now}, and {held:?}"),
        )?;
        let expected = held.answered.map(|_| words(held.number));
        let said = frame.level != 5 || frame.words == expected || late && frame.words.is_none();
        claim(said, "answers_carry_their_words", || {
            format!("{frame:?} does not carry {expected:?}")
        })
    }

    /// The connection is gone: no answer is owed on it.
    pub fn answers_end(&mut self) {
        self.held.clear();
        self.asking.unsettled = false;
    }

    /// What is due is answered: it goes into the batch.
    pub fn answer_questions(&mut self, now: Nanos) {
        while let Some(entry) = self.chores.first_entry()
            && entry.key().0 <= now
        {
            let chore = entry.remove();
            let refused = self.random.chance(self.plan.answers.refusing);
            let command = match chore {
                Chore::Prepare(number) => self.prepared(number, refused),
                Chore::Authenticate {
                    number,
                    stage,
                    data,
                } => self.authenticated(number, stage, &data, refused),
                Chore::Answer(number) => self.answered(now, number),
            };
            let command = self.tamper.answer(command);
            self.batch.push(command);
        }
    }

    fn prepared(&mut self, number: u64, refused: bool) -> Command {
        if refused {
            let answer = Err("no".into());
            return Command::Prepared { number, answer };
        }
        if number == self.asking.asked {
            self.asking.said = Some(number);
        }
        let mut said = ConnectOptions {
            username: Some(user_name(number)),
            will_topic: will_topic(number),
            ..ConnectOptions::new()
        };
        if said.will_topic.is_some() {
            said.will_qos = QoS::AtLeastOnce;
        }
        debug_assert!(said.check(&self.options, Dialect::Rust).is_ok());
        let answer = Ok(Box::new(said));
        Command::Prepared { number, answer }
    }

    fn authenticated(
        &mut self,
        number: u64,
        stage: AuthStage,
        data: &[u8],
        refused: bool,
    ) -> Command {
        if refused {
            let answer = Err("no".into());
            return Command::Authenticate { number, answer };
        }
        let data = match stage {
            AuthStage::Begin => Some(authenticating::BEGIN.to_vec()),
            AuthStage::Continue => Some(authenticating::answer(data)),
            AuthStage::Finish => {
                self.asking.unsettled &= self.asking.finish != Some(number);
                None
            }
        };
        let answer = AuthAnswer {
            data: data.map(Into::into),
            words: Properties::new(),
        };
        let answer = Ok(Box::new(answer));
        Command::Authenticate { number, answer }
    }

    fn answered(&mut self, now: Nanos, number: u64) -> Command {
        let mut held = self.held.values_mut().flatten();
        if let Some(held) = held.find(|held| held.number == number) {
            held.answered = Some(now);
        }
        let words = Words {
            reason_string: Some(words(number)),
            user_properties: Vec::new(),
        };
        let words = words.properties().unwrap_or_default();
        Command::Answer { number, words }
    }
}
