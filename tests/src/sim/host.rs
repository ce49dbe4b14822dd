//! A client's surroundings: what the driver, the handoffs and the application are in a real process, around one engine.

use std::collections::{BTreeMap, VecDeque};

use leveret_protocol::engine::{
    AckToken, Batch, Budget, Command, Cost, Engine, State, SubscriptionId,
};
use leveret_protocol::options::{ClientOptions, Value};
use leveret_protocol::outcome::{Status, SubscriptionState};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence::Dialect;

use super::answering::{Asking, Chore, Held};
use super::broker::Broker;
use super::checkers::breach::Turn;
use super::checkers::order::{LastBegun, Overtaken};
use super::ledger::Ledger;
use super::mutation::{Mutation, Tamper};
use super::network::{MILLISECOND, Nanos, SECOND};
use super::plan::{ClientPlan, Drawn};
use super::random::Random;

/// One client and everything around its engine.
#[derive(Debug)]
pub struct Host {
    /// Its place among the clients.
    pub index: usize,
    /// Its plan.
    pub plan: ClientPlan,
    /// Its options, as the engine has them.
    pub options: ClientOptions,
    /// The engine.
    pub engine: Engine,
    /// The engine's state after its last turn.
    pub state: State,
    /// Deliberate damage, for proving the checkers.
    pub tamper: Tamper,
    /// Commands for the next turn.
    pub batch: Batch,
    /// The post office's bounds.
    pub budget: Budget,
    /// What is true of its letters.
    pub ledger: Ledger,
    /// What it was asked and has not answered.
    pub questions: BTreeMap<u64, Question>,
    /// The filters it declared and did not take back.
    pub filters: BTreeMap<String, Declared>,
    /// Filters asked for that no SUBSCRIBE has named yet, with the last letter posted before.
    pub unsent_filters: BTreeMap<String, u64>,
    /// Every subscription number ever given, with its filter.
    pub given_ids: BTreeMap<SubscriptionId, String>,
    /// Messages on their way through the application.
    pub consumer: Consumer,
    /// Receipts given so far, for operations that pick one.
    pub receipts: Vec<u64>,
    /// The connection that is dialed or up.
    pub link: Option<u32>,
    /// How the connection stands.
    pub line: Line,
    /// When the engine wants its next tick.
    pub sleep_until: Option<Nanos>,
    /// The machine sleeps until then.
    pub suspended_until: Nanos,
    /// The status as last told.
    pub status: Status,
    /// Close was asked for, and takes until then at most.
    pub closing: Option<Nanos>,
    /// It was asked for with the will.
    pub closing_with_will: bool,
    /// What happened in the turn in which bytes came last.
    pub turn: Turn,
    /// No broker it knows speaks its version: it never gets online.
    pub unreachable: bool,
    /// Connections on which the broker made a session without the client hearing of it, and when: the next CONNACK says that it is present,
    /// and nothing tells it from the one before.
    pub unheard_sessions: BTreeMap<u32, Nanos>,
    /// Filters in the sessions that this client left at brokers when it went to another one.
    pub left_filters: BTreeMap<usize, Vec<String>>,
    /// Randomness of the application.
    pub random: Random,
    /// What the application was asked and will answer, by time.
    pub chores: BTreeMap<(Nanos, u64), Chore>,
    /// What is known of the attempt that is being prepared, and of authentication.
    pub asking: Asking,
    /// Answers to PUBREC and PUBREL that wait for words: by kind and packet id.
    pub held: BTreeMap<(u8, u16), VecDeque<Held>>,
    /// The last letters of each priority and QoS on the wire.
    pub last_begun: LastBegun,
    /// What letters went ahead of in this turn.
    pub overtaken: Overtaken,
    next_tag: u64,
    next_letter: u64,
    next_subscription: u32,
}

/// A question with a reply tag.
#[allow(missing_docs, reason = "the names of the fields say what they are")]
#[derive(Clone, Debug)]
pub enum Question {
    /// Flush: everything up to this letter.
    Flush { last: u64 },
    /// Ping.
    Ping,
    /// Cancel of this letter.
    Cancel { letter: u64 },
    /// Explain of this letter.
    Explain { letter: u64 },
    /// Subscribe: the filters in their order, with their numbers.
    Subscribe {
        filters: Vec<(String, SubscriptionId)>,
    },
    /// Unsubscribe.
    Unsubscribe { filters: Vec<String> },
    /// Make room; the answer is waited for on the spot.
    Room,
    /// Re-authentication, asked when so many had succeeded on this client.
    Reauthenticate { succeeded: u64 },
    /// Close.
    Close,
}

/// A declared filter.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Its number.
    pub id: SubscriptionId,
    /// Its state as last told.
    pub state: SubscriptionState,
    /// A SUBSCRIBE named it that was not answered yet.
    pub asked: u32,
    /// It was granted once: a refusal while restoring keeps it.
    pub granted: bool,
}

/// The application's side of messages.
#[derive(Debug, Default)]
pub struct Consumer {
    /// Messages not taken yet: when they will be, and their acknowledgement if it is due then.
    pub inbox: VecDeque<(Nanos, Option<(AckToken, ReasonCode)>)>,
    /// Acknowledgements to come, by time.
    pub acks: BTreeMap<(Nanos, u64), (AckToken, ReasonCode)>,
    /// When the handler of the last message is done.
    pub free_at: Nanos,
    /// Nothing is taken before.
    pub paused_until: Nanos,
    /// Nothing is acknowledged by hand before.
    pub held_until: Nanos,
    /// From then on no message is held long before it is acknowledged by hand.
    pub prompt_from: Nanos,
    /// The engine was told that reading is paused.
    pub reading_paused: bool,
    /// When reading went on last.
    pub resumed_at: Nanos,
    /// Copies by message number and QoS: put into a session, handed over, given up.
    pub copies: BTreeMap<(u64, u8), Copies>,
    /// Counts messages.
    pub count: u64,
}

/// What became of the copies of one message at one QoS.
#[derive(Clone, Copy, Debug, Default)]
pub struct Copies {
    /// The broker put them into the client's session.
    pub made: u32,
    /// They were handed to the application.
    pub delivered: u32,
    /// The broker gave them up, or the client may skip them.
    pub given_up: u32,
    /// The application refused them. If the broker does not hear of it, they come again as new ones (4.3.3-9).
    pub failed: u32,
    /// The client had them and left them with their session at a broker when it went to another one: if it comes back, they come again.
    pub left: u32,
}

/// What is known of the connection and of the attempts before it.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The number of the last attempt.
    pub attempt: u64,
    /// When the last connection or attempt ended.
    pub ended_at: Option<Nanos>,
    /// Another client took the session over: the next attempt waits as long as it may.
    pub taken_over: bool,
    /// Attempts since the backoff began.
    pub attempts: u32,
    /// When the connection was accepted.
    pub online_since: Option<Nanos>,
    /// The last connection spoke 3.1.1 and ended with DISCONNECT, or before it was taken.
    pub parted_on_311: bool,
    /// When the application asked for a new connection.
    pub asked_anew: Option<Nanos>,
    /// The application asked for a new connection since.
    pub hurried: bool,
    /// When CONNACK of success came last, on a connection that may be over.
    pub accepted_at: Option<Nanos>,
    /// The client has said that it is online, and the connection is up.
    pub online: bool,
}

impl Line {
    /// It was online for so long that the backoff starts over.
    pub fn settled(&self) -> bool {
        let since = self.online_since.filter(|_| !self.hurried);
        since
            .zip(self.ended_at)
            .is_some_and(|(since, ended)| ended >= since + 10 * SECOND)
    }
}

impl Consumer {
    /// What waits in the inbox is taken now.
    pub fn hurry(&mut self, now: Nanos) {
        self.free_at = self.free_at.min(now);
        for (at, _) in &mut self.inbox {
            *at = (*at).min(now);
        }
    }
}

impl Host {
    /// The client of a plan.
    pub fn new(
        plan: &ClientPlan,
        seed: u64,
        index: usize,
        mutation: Option<Mutation>,
    ) -> Result<Host, String> {
        let options = options_of(&plan.options)?;
        let mut tamper = Tamper { mutation, done: 0 };
        let mut of_engine = options.clone();
        tamper.client_options(&mut of_engine);
        let limit = tamper.budget(Cost {
            messages: options.max_queued_messages,
            bytes: options.max_queued_bytes,
        });
        Ok(Host {
            index,
            engine: Engine::new(of_engine, plan.endpoints, plan.engine_seed),
            state: State::Idle,
            budget: Budget::new(limit),
            options,
            plan: plan.clone(),
            tamper,
            batch: Batch::new(),
            ledger: Ledger::default(),
            questions: BTreeMap::new(),
            filters: BTreeMap::new(),
            unsent_filters: BTreeMap::new(),
            given_ids: BTreeMap::new(),
            consumer: Consumer {
                prompt_from: Nanos::MAX,
                ..Consumer::default()
            },
            receipts: Vec::new(),
            link: None,
            line: Line::default(),
            sleep_until: None,
            suspended_until: 0,
            status: Status::Offline,
            closing: None,
            closing_with_will: false,
            turn: Turn::default(),
            unreachable: false,
            unheard_sessions: BTreeMap::new(),
            left_filters: BTreeMap::new(),
            random: Random::stream(seed, "application", index as u64),
            chores: BTreeMap::new(),
            asking: Asking::default(),
            held: BTreeMap::new(),
            last_begun: LastBegun::default(),
            overtaken: Overtaken::default(),
            next_tag: 0,
            next_letter: (index as u64 + 1) << 32,
            next_subscription: 0,
        })
    }

    /// A new receipt or reply tag.
    pub fn tag(&mut self) -> u64 {
        self.next_tag += 1;
        self.next_tag
    }

    /// The number of the next letter.
    pub fn letter_number(&mut self) -> u64 {
        self.next_letter += 1;
        self.next_letter
    }

    /// The number of the last letter.
    pub fn last_letter(&self) -> u64 {
        self.next_letter
    }

    /// The number for a filter: its own if it is declared, a new one otherwise.
    pub fn subscription(&mut self, filter: &str) -> SubscriptionId {
        if let Some(declared) = self.filters.get(filter) {
            return declared.id;
        }
        self.next_subscription += 1;
        let id = SubscriptionId(self.next_subscription);
        self.given_ids.insert(id, filter.to_owned());
        id
    }

    /// Asks a question: a command with a reply tag.
    pub fn ask(&mut self, question: Question, command: impl FnOnce(u64) -> Command) -> u64 {
        let tag = self.tag();
        self.questions.insert(tag, question);
        self.batch.push(command(tag));
        tag
    }

    /// Whether the client's process runs at `now`.
    pub fn awake(&self, now: Nanos) -> bool {
        self.suspended_until <= now
    }

    /// A time at which the client can notice what is due at `at`.
    pub fn noticed(&self, at: Nanos) -> Nanos {
        at.max(self.suspended_until)
    }

    /// The client goes from a broker to another one: what it leaves there in its session it knows nothing of when it comes back.
    pub fn leave_session(
        &mut self,
        number: usize,
        broker: &Broker,
        clients: &BTreeMap<String, usize>,
    ) {
        let mut filters = Vec::new();
        for session in broker.sessions_of(self.index, clients) {
            filters.extend(session.subscriptions.keys().cloned());
            for copy in session.in_flight.iter().map(|message| &message.copy) {
                if let Some(number) = copy.number {
                    let copies = self.consumer.copies.entry((number, copy.qos));
                    copies.or_default().left += 1;
                }
            }
        }
        self.left_filters.insert(number, filters);
    }

    /// How often the broker lost the client's session since `since` without the client hearing of it.
    pub fn sessions_lost_unheard(&self, since: Nanos) -> u32 {
        let later = self.unheard_sessions.values().filter(|at| **at >= since);
        later.count() as u32
    }

    /// When the application does something next.
    pub fn next_consumption(&self) -> Option<Nanos> {
        let taking = self
            .consumer
            .inbox
            .front()
            .map(|(at, _)| (*at).max(self.consumer.paused_until));
        let acking = self
            .consumer
            .acks
            .first_key_value()
            .map(|((at, _), _)| (*at).max(self.consumer.held_until));
        let answering = self.chores.first_key_value().map(|((at, _), _)| *at);
        taking.into_iter().chain(acking).chain(answering).min()
    }

    /// The application takes messages and acknowledges: what is due goes into the batch.
    pub fn consume(&mut self, now: Nanos) {
        while let Some((at, _)) = self.consumer.inbox.front()
            && (*at).max(self.consumer.paused_until) <= now
        {
            if let Some((_, Some((token, reason)))) = self.consumer.inbox.pop_front() {
                self.batch.push(Command::Acknowledge {
                    token,
                    reason,
                    words: None,
                });
            }
        }
        while let Some(entry) = self.consumer.acks.first_entry()
            && entry.key().0.max(self.consumer.held_until) <= now
        {
            let (token, reason) = entry.remove();
            self.batch.push(Command::Acknowledge {
                token,
                reason,
                words: None,
            });
        }
        self.answer_questions(now);
    }

    /// A message came into the inbox: when it will be taken and acknowledged.
    pub fn schedule(&mut self, now: Nanos, token: Option<AckToken>, number: Option<u64>) {
        let manners = self.plan.consumer.clone();
        let (low, high) = manners.handling;
        let start = now.max(self.consumer.free_at);
        let done = start + self.random.between(low, high);
        let failed = self.random.chance(manners.failing);
        let reason = if failed {
            ReasonCode(0x80)
        } else {
            ReasonCode(0)
        };
        if let (true, Some(token), Some(number)) = (failed, token, number) {
            self.consumer
                .copies
                .entry((number, token.qos().into()))
                .or_default()
                .failed += 1;
        }
        self.consumer.count += 1;
        if !self.options.manual_ack {
            self.consumer.free_at = done;
            self.consumer
                .inbox
                .push_back((done, token.map(|token| (token, reason))));
            return;
        }
        self.consumer.inbox.push_back((start, None));
        if let Some(token) = token {
            let prompt = now >= self.consumer.prompt_from;
            let longest = if prompt {
                10 * MILLISECOND
            } else {
                40 * SECOND
            };
            let late = if self.random.chance(manners.out_of_order) {
                self.random.scaled(0, longest)
            } else {
                0
            };
            self.consumer
                .acks
                .insert((done + late, self.consumer.count), (token, reason));
        }
    }

    /// Whether the inbox is full.
    pub fn inbox_full(&self) -> bool {
        self.consumer.inbox.len() as u64 >= u64::from(self.options.max_inbox_messages)
    }
}

/// The options that were drawn, if they go together.
pub fn options_of(drawn: &[(&'static str, Drawn)]) -> Result<ClientOptions, String> {
    let mut options = ClientOptions::default();
    for (name, drawn) in drawn {
        let value = match drawn {
            Drawn::Integer(number) => Value::Integer(*number),
            Drawn::Text(text) => Value::Text(text.clone()),
            Drawn::Flag(flag) => Value::Bool(*flag),
            Drawn::Pairs(pairs) => Value::Pairs(pairs.clone()),
            Drawn::Nothing => Value::Absent,
        };
        options
            .set(name, value, Dialect::Rust)
            .map_err(|error| format!("option {name}: {error}"))?;
    }
    options
        .check(Dialect::Rust)
        .map_err(|error| error.to_string())?;
    Ok(options)
}
