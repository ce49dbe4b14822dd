//! From a seed to a plan: which clients with which options, which broker, which network, and what happens when.
//!
//! A plan is a plain value. Running it is deterministic, and a plan with fewer steps is a plan again, which is what makes shrinking possible.

use std::collections::BTreeSet;

use leveret_protocol::options::{ClientOptions, Kind, OptionSpec};

use super::frames::kind;
use super::network::{MILLISECOND, Nanos, NetworkManners, SECOND};
use super::operation::{
    Cut, DialFailure, FILTERS, FilterPlan, LetterPlan, Misbehaviour, Operation, Step, TOPICS, Ttl,
};
use super::random::Random;

/// Everything that decides a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed it was drawn from; the world's streams of random numbers come from it, too.
    pub seed: u64,
    /// The clients.
    pub clients: Vec<ClientPlan>,
    /// The brokers; endpoint `n` of every client is broker `n`.
    pub brokers: Vec<BrokerManners>,
    /// There is one more broker, to which the first one may refer its clients.
    pub referred: bool,
    /// What happens, in order of time.
    pub steps: Vec<Step>,
    /// From here on nothing goes wrong any more and everything has to drain.
    pub calm_from: Nanos,
}

/// One client.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// Options that differ from their defaults, by name.
    pub options: Vec<(&'static str, Drawn)>,
    /// How many of the brokers it knows.
    pub endpoints: usize,
    /// The engine's own seed.
    pub engine_seed: u64,
    /// Its network.
    pub network: NetworkManners,
    /// How long its application takes over one message, and how it acknowledges.
    pub consumer: ConsumerManners,
    /// What its application wants to be asked, and how it answers.
    pub answers: AnswerManners,
}

/// The value of an option, as an application in some language would give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// A number.
    Integer(i64),
    /// A text, durations included (`250ms`).
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Names and values.
    Pairs(Vec<(String, String)>),
    /// None, where the option allows it.
    Nothing,
}

/// What an application does with its messages.
#[derive(Clone, Debug)]
pub struct ConsumerManners {
    /// Shortest and longest time from delivery to acknowledgement.
    pub handling: (Nanos, Nanos),
    /// Thousandths of the messages acknowledged out of order.
    pub out_of_order: u64,
    /// Thousandths of the messages whose handler fails (0x80 on MQTT 5).
    pub failing: u64,
}

/// What an application wants to be asked by its client, and how it answers.
#[derive(Clone, Debug)]
pub struct AnswerManners {
    /// It is shown all packets that can be shown.
    pub shown: bool,
    /// It puts words on PUBREL and PUBCOMP.
    pub words: bool,
    /// It is asked before each attempt.
    pub prepares: bool,
    /// It takes the steps of authentication.
    pub authenticates: bool,
    /// Shortest and longest time from a question to its answer.
    pub delay: (Nanos, Nanos),
    /// Thousandths of the questions that are refused.
    pub refusing: u64,
    /// Thousandths of the questions that are never answered.
    pub silent: u64,
}

/// How a broker behaves.
#[derive(Clone, Debug)]
pub struct BrokerManners {
    /// `Some`: it speaks 3.1.1 only and says so in this way.
    pub only_311: Option<OldBroker>,
    /// Receive Maximum in CONNACK.
    pub receive_maximum: Option<u16>,
    /// Maximum QoS in CONNACK.
    pub maximum_qos: Option<u8>,
    /// Whether it retains.
    pub retain_available: bool,
    /// Maximum Packet Size in CONNACK.
    pub maximum_packet_size: Option<u32>,
    /// Server Keep Alive in CONNACK, seconds.
    pub server_keep_alive: Option<u16>,
    /// Session Expiry Interval in CONNACK, seconds.
    pub session_expiry: Option<u32>,
    /// Whether it can give subscription identifiers back.
    pub subscription_ids: bool,
    /// Whether it takes filters with wildcards.
    pub wildcards: bool,
    /// Whether it takes shared subscriptions.
    pub shared: bool,
    /// Shortest and longest time from a packet to its answer.
    pub delay: (Nanos, Nanos),
    /// Whether acknowledgements may overtake each other.
    pub reorder: bool,
    /// Whether overlapping subscriptions give one copy each.
    pub copies: bool,
    /// Thousandths of the granted subscriptions with a lower QoS than asked for.
    pub downgrade: u64,
    /// Topic Alias Maximum in CONNACK.
    pub topic_alias_maximum: Option<u16>,
    /// Whether it names topics by aliases.
    pub uses_aliases: bool,
    /// Steps of authentication before it accepts a client that can take some.
    pub auth_steps: u8,
    /// Most QoS 1 and 2 messages in flight to a client that named no receive maximum (3.1.1).
    pub window: u16,
}

/// How a 3.1.1-only broker refuses MQTT 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldBroker {
    /// CONNACK of 3.1.1 with return code 1.
    Code1,
    /// CONNACK of MQTT 5 with reason 0x84.
    Reason84,
    /// CONNACK of 3.1.1 form with 0x84.
    Code84,
    /// It closes without a word.
    Closes,
    /// It says nothing at all.
    Silent,
}

impl Plan {
    /// The plan of a seed.
    pub fn of_seed(seed: u64) -> Plan {
        let mut random = Random::stream(seed, "plan", 0);
        let brokers: Vec<_> = (0..if random.chance(120) { 2 } else { 1 })
            .map(|_| broker(&mut random))
            .collect();
        let count = 1 + random.weighted(&[60, 30, 10]);
        let mut clients: Vec<_> = (0..count)
            .map(|index| client(&mut random, index, brokers.len()))
            .collect();
        let referred = brokers.len() == 1 && random.chance(150);
        let active = random.scaled(SECOND, 240 * SECOND);
        for client in &mut clients {
            client.slow_down_for(&brokers);
            client.be_patient_with(&brokers);
        }
        let steps = steps(&mut random, active, &clients);
        for client in &mut clients {
            client.widen_for(&steps);
        }
        Plan {
            seed,
            clients,
            brokers,
            referred,
            steps,
            calm_from: active + SECOND,
        }
    }

    /// The plan of a seed on a wide network that takes every byte at once: there damage to single frames can be done.
    pub fn calm(seed: u64) -> Plan {
        let mut plan = Plan::of_seed(seed);
        for client in &mut plan.clients {
            client.network = NetworkManners {
                capacity: 1 << 30,
                partial: 0,
                ..client.network.clone()
            };
        }
        plan
    }
}

impl ClientPlan {
    /// A network that does not cut what is sent into more pieces than a run can have.
    fn widen_for(&mut self, steps: &[Step]) {
        const PIECES: usize = 500;
        let bytes: usize = steps.iter().map(|step| step.operation.bytes()).sum();
        let least = bytes / PIECES;
        self.network.segment = self.network.segment.max(least);
        self.network.capacity = self.network.capacity.max(2 * least);
    }

    /// It cannot fall back to 3.1.1.
    pub fn speaks_5_alone(&self) -> bool {
        let five = ("protocol", Drawn::Text("5".to_owned()));
        let named = |(name, _): &(&str, Drawn)| *name == "authentication_method";
        self.options.contains(&five) || self.options.iter().any(named)
    }

    /// A client that no broker can serve tries for as long as the run lasts: not every millisecond, or the run would have no end.
    fn be_patient_with(&mut self, brokers: &[BrokerManners]) {
        let only_5 = self.speaks_5_alone();
        let mut reachable = brokers.iter().take(self.endpoints);
        if only_5 && reachable.any(|broker| broker.only_311.is_some()) {
            self.options
                .retain(|(name, _)| !name.starts_with("backoff_"));
        }
    }

    /// A network on which pings and CONNECT can be answered in time: a slower one would never be online.
    fn slow_down_for(&mut self, brokers: &[BrokerManners]) {
        let millis = |name: &str, usual: u64| {
            let drawn = self.options.iter().find(|(other, _)| *other == name);
            match drawn {
                Some((_, Drawn::Text(text))) => millis_of(text),
                _ => usual,
            }
        };
        let served = brokers.iter().filter_map(|broker| broker.server_keep_alive);
        let keep_alives = served
            .map(|seconds| u64::from(seconds) * 1_000)
            .chain([millis("keep_alive", 60_000)]);
        let shortest = keep_alives
            .filter(|keep_alive| *keep_alive > 0)
            .min()
            .unwrap_or(60_000);
        let patience = millis("ping_timeout", (shortest / 2).min(10_000))
            .min(millis("connect_timeout", 10_000));
        let latency = &mut self.network.latency;
        // A CONNECT of some hundred bytes through a narrow socket, and two steps of authentication.
        latency.1 = latency.1.min(patience * MILLISECOND / 40);
        latency.0 = latency.0.min(latency.1);
    }
}

/// `250ms` or `2s` in milliseconds.
fn millis_of(text: &str) -> u64 {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.trim_end_matches('s'), 1_000),
    };
    number.parse::<u64>().unwrap_or(0) * unit
}

fn broker(random: &mut Random) -> BrokerManners {
    let old = [
        OldBroker::Code1,
        OldBroker::Reason84,
        OldBroker::Code84,
        OldBroker::Closes,
        OldBroker::Silent,
    ];
    let longest = random.scaled(0, 400 * MILLISECOND);
    BrokerManners {
        only_311: random.chance(150).then(|| *random.pick(&old)),
        receive_maximum: random.chance(400).then(|| random.scaled(1, 100) as u16),
        maximum_qos: random.chance(80).then(|| random.below(2) as u8),
        retain_available: !random.chance(80),
        maximum_packet_size: random
            .chance(80)
            .then(|| random.scaled(200, 100_000) as u32),
        server_keep_alive: random.chance(120).then(|| random.scaled(1, 100) as u16),
        session_expiry: random.chance(80).then(|| random.scaled(0, 1000) as u32),
        subscription_ids: !random.chance(100),
        wildcards: !random.chance(40),
        shared: !random.chance(40),
        delay: (random.below(longest / 2 + 1), longest),
        reorder: random.chance(200),
        copies: random.chance(250),
        downgrade: if random.chance(200) { 300 } else { 0 },
        topic_alias_maximum: random.chance(350).then(|| random.scaled(1, 12) as u16),
        uses_aliases: random.chance(350),
        auth_steps: random.below(3) as u8,
        window: random.scaled(1, 40) as u16,
    }
}

fn client(random: &mut Random, index: usize, brokers: usize) -> ClientPlan {
    let slowest = if random.chance(500) {
        0
    } else {
        random.scaled(0, 3 * SECOND)
    };
    let latency = random.scaled(1_000, 250 * MILLISECOND);
    let options = options(random, index);
    let authenticates = options
        .iter()
        .any(|(name, _)| *name == "authentication_method");
    ClientPlan {
        options,
        endpoints: if random.chance(700) { brokers } else { 1 },
        engine_seed: random.word(),
        network: NetworkManners {
            capacity: random.scaled(64, 1 << 18) as usize,
            latency: (random.below(latency), latency),
            segment: random.scaled(1, 1 << 16) as usize,
            partial: *random.pick(&[0, 0, 50, 300]),
        },
        consumer: ConsumerManners {
            handling: (random.below(slowest + 1), slowest),
            out_of_order: *random.pick(&[0, 0, 100, 500]),
            failing: *random.pick(&[0, 0, 50]),
        },
        answers: answers(random, authenticates),
    }
}

fn answers(random: &mut Random, authenticates: bool) -> AnswerManners {
    let slowest = if random.chance(500) {
        0
    } else {
        random.scaled(0, 2 * SECOND)
    };
    AnswerManners {
        shown: random.chance(250),
        words: random.chance(200),
        prepares: random.chance(200),
        authenticates: authenticates && random.chance(800),
        delay: (random.below(slowest + 1), slowest),
        refusing: *random.pick(&[0, 0, 50]),
        silent: *random.pick(&[0, 0, 50]),
    }
}

/// A drawn option now and then, its default otherwise.
fn options(random: &mut Random, index: usize) -> Vec<(&'static str, Drawn)> {
    let mut options = Vec::new();
    let millis = |value: u64| Drawn::Text(format!("{value}ms"));
    let named = random.chance(600);
    if named {
        options.push(("client_id", Drawn::Text(format!("client-{index}"))));
        if random.chance(400) {
            options.push(("clean_start", Drawn::Flag(false)));
        }
    }
    if random.chance(500) {
        options.push(("protocol", choice(random, "protocol")));
    }
    if random.chance(300) {
        options.push((
            "session_expiry",
            Drawn::Text(format!("{}s", random.scaled(0, 4000))),
        ));
    }
    if random.chance(600) {
        options.push((
            "keep_alive",
            Drawn::Text(format!("{}s", random.pick(&[0, 1, 2, 5, 10, 30, 600]))),
        ));
    }
    if random.chance(200) {
        options.push(("ping_timeout", millis(random.scaled(300, 20_000))));
    }
    if random.chance(300) {
        options.push(("connect_timeout", millis(random.scaled(600, 20_000))));
    }
    if random.chance(500) {
        let least = random.scaled(1, 2_000);
        options.push(("backoff_min", millis(least)));
        options.push(("backoff_max", millis(random.scaled(least, 30_000))));
    }
    post_office_options(random, &mut options);
    inbound_options(random, &mut options);
    if random.chance(200) {
        options.push(("will_topic", Drawn::Text(format!("will/{index}"))));
        options.push(("will_qos", Drawn::Integer(random.below(3) as i64)));
    }
    let only_311 = options.contains(&("protocol", Drawn::Text("3.1.1".to_owned())));
    if random.chance(100) && !only_311 {
        options.push(("authentication_method", Drawn::Text("REVERSE".into())));
    }
    if random.chance(250) {
        let aliases = random.scaled(1, 20) as i64;
        options.push(("outgoing_topic_aliases", Drawn::Integer(aliases)));
    }
    rest_of_the_table(random, &mut options);
    options
}

/// Options that are drawn with care above, because a run has to come to an end with them, and those that are there for hosts alone.
const APART: &[&str] = &[
    "client_id",
    "clean_start",
    "protocol",
    "session_expiry",
    "keep_alive",
    "ping_timeout",
    "connect_timeout",
    "backoff_min",
    "backoff_max",
    "default_ttl",
    "forward_ttl",
    "expired_in_flight",
    "on_session_lost",
    "max_queued_messages",
    "max_queued_bytes",
    "overflow",
    "max_in_flight",
    "receive_maximum",
    "max_packet_size",
    "max_inbox_messages",
    "manual_ack",
    "will_topic",
    "username",
    "max_inbox_bytes",
    "inbox_overflow",
    "authentication_method",
];

/// Any other option with any value, now and then, as long as all of them go together.
fn rest_of_the_table(random: &mut Random, options: &mut Vec<(&'static str, Drawn)>) {
    for spec in ClientOptions::SPECS {
        let drawn = |(name, _): &(&str, Drawn)| *name == spec.name;
        if APART.contains(&spec.name) || options.iter().any(drawn) || !random.chance(60) {
            continue;
        }
        options.push((spec.name, anything(random, spec)));
        if super::host::options_of(options).is_err() {
            options.pop();
        }
    }
}

/// Any value that the option takes, numbers and times rather small.
fn anything(random: &mut Random, spec: &OptionSpec) -> Drawn {
    if spec.none_means.is_some() && random.chance(200) {
        return Drawn::Nothing;
    }
    match spec.kind {
        Kind::Flag => Drawn::Flag(random.chance(500)),
        Kind::Integer { min, max } => {
            Drawn::Integer(random.scaled(min, max.min(min + 100_000)) as i64)
        }
        Kind::Duration {
            min,
            max,
            whole_seconds,
        } => {
            let unit = if whole_seconds { 1_000 } else { 1 };
            let least = (min.as_millis() as u64).max(250).next_multiple_of(unit);
            let most = (max.as_millis() as u64).min(least + 100_000);
            let millis = random.scaled(least.min(most), most) / unit * unit;
            Drawn::Text(format!("{millis}ms"))
        }
        Kind::Choice(names) => Drawn::Text((*random.pick(names)).to_owned()),
        Kind::Pairs => Drawn::Pairs(vec![("name".into(), "value".into())]),
        _ => Drawn::Text(format!("text/{}", random.below(100))),
    }
}

/// One of the names that the options table allows.
fn choice(random: &mut Random, name: &str) -> Drawn {
    let spec = ClientOptions::SPECS.iter().find(|spec| spec.name == name);
    match spec.map(|spec| spec.kind) {
        Some(Kind::Choice(names)) => Drawn::Text((*random.pick(names)).to_owned()),
        _ => Drawn::Nothing,
    }
}

fn post_office_options(random: &mut Random, options: &mut Vec<(&'static str, Drawn)>) {
    if random.chance(400) {
        let drawn = if random.chance(300) {
            Drawn::Nothing
        } else {
            Drawn::Text(format!("{}ms", random.scaled(20, 3_600_000)))
        };
        options.push(("default_ttl", drawn));
    }
    if random.chance(200) {
        options.push(("forward_ttl", Drawn::Flag(false)));
    }
    if random.chance(150) {
        options.push(("expired_in_flight", Drawn::Text("resend".into())));
    }
    if random.chance(300) {
        options.push(("on_session_lost", choice(random, "on_session_lost")));
    }
    if random.chance(400) {
        options.push((
            "max_queued_messages",
            Drawn::Integer(random.scaled(1, 200) as i64),
        ));
    }
    if random.chance(250) {
        options.push((
            "max_queued_bytes",
            Drawn::Integer(random.scaled(1024, 1 << 20) as i64),
        ));
    }
    if random.chance(500) {
        options.push(("overflow", choice(random, "overflow")));
    }
    if random.chance(350) {
        options.push((
            "max_in_flight",
            Drawn::Integer(random.scaled(1, 100) as i64),
        ));
    }
    if random.chance(300) {
        options.push(("properties_on_311", choice(random, "properties_on_311")));
    }
}

fn inbound_options(random: &mut Random, options: &mut Vec<(&'static str, Drawn)>) {
    if random.chance(350) {
        options.push((
            "receive_maximum",
            Drawn::Integer(random.scaled(1, 60) as i64),
        ));
    }
    if random.chance(100) {
        options.push((
            "max_packet_size",
            Drawn::Integer(random.scaled(1024, 1 << 20) as i64),
        ));
    }
    if random.chance(250) {
        options.push((
            "max_inbox_messages",
            Drawn::Integer(random.scaled(1, 50) as i64),
        ));
    }
    if random.chance(350) {
        options.push(("manual_ack", Drawn::Flag(true)));
    }
}

/// The kinds of steps, each with the weights it may have in a run: most runs know only some of them.
const KINDS: [(&str, &[u64]); 30] = [
    ("publish", &[100, 200]),
    ("cancel", &[0, 5, 20]),
    ("explain", &[0, 5]),
    ("subscribe", &[5, 15, 30]),
    ("unsubscribe", &[0, 5, 10]),
    ("flush", &[0, 3]),
    ("ping", &[0, 3]),
    ("reconnect", &[0, 0, 2, 6]),
    ("reauthenticate", &[0, 0, 3]),
    ("close", &[0, 0, 1]),
    ("pause consumer", &[0, 0, 5]),
    ("hold acks", &[0, 0, 5]),
    ("suspend", &[0, 0, 3]),
    ("spare tick", &[0, 5]),
    ("clock back", &[0, 0, 3]),
    ("cut", &[0, 0, 4, 12]),
    ("stall broker", &[0, 0, 5]),
    ("mute", &[0, 0, 3]),
    ("blackhole", &[0, 0, 2]),
    ("fail dials", &[0, 0, 4]),
    ("restart", &[0, 0, 2, 5]),
    ("lose session", &[0, 0, 3]),
    ("kick", &[0, 0, 3]),
    ("take over", &[0, 0, 0, 2]),
    ("swallow", &[0, 0, 6, 15]),
    ("refuse", &[0, 0, 4]),
    ("refer", &[0, 0, 3]),
    ("refuse authentication", &[0, 0, 3]),
    ("misbehave", &[0, 0, 3, 12]),
    ("message", &[0, 10, 60]),
];

fn steps(random: &mut Random, active: Nanos, clients: &[ClientPlan]) -> Vec<Step> {
    let weights: Vec<u64> = KINDS
        .iter()
        .map(|(_, choices)| *random.pick(choices))
        .collect();
    let count = random.scaled(10, 220);
    let manner = LetterManner::draw(random);
    let mut steps: Vec<Step> = Vec::new();
    let mut at = 0;
    for _ in 0..count {
        // Things bunch: some at the very same instant, some within a moment, some after a pause.
        at += match random.weighted(&[20, 30, 50]) {
            0 => 0,
            1 => random.scaled(0, active / count / 20 + 1),
            _ => random.below(3 * active / count + 1),
        };
        let client = random.below(clients.len() as u64) as usize;
        let name = KINDS[random.weighted(&weights)].0;
        let operation = operation(random, name, &manner);
        steps.push(Step {
            at: at.min(active),
            client,
            operation,
        });
    }
    steps
}

/// The names of all operations that plans are made of.
pub fn operations() -> BTreeSet<&'static str> {
    /// So many draws show every form that an operation has.
    const DRAWS: usize = 100;
    let mut random = Random::new(1);
    let manner = LetterManner::draw(&mut random);
    let names = KINDS.iter().flat_map(|(name, _)| [*name; DRAWS]);
    names
        .map(|name| operation(&mut random, name, &manner).name())
        .collect()
}

fn operation(random: &mut Random, name: &str, manner: &LetterManner) -> Operation {
    match name {
        "publish" => {
            let count = if random.chance(150) {
                random.scaled(1, 60)
            } else {
                1
            };
            Operation::Publish((0..count).map(|_| manner.letter(random)).collect())
        }
        "cancel" => Operation::Cancel {
            pick: random.word(),
        },
        "explain" => Operation::Explain {
            pick: random.word(),
        },
        "subscribe" => {
            Operation::Subscribe((0..random.scaled(1, 4)).map(|_| filter(random)).collect())
        }
        "unsubscribe" => Operation::Unsubscribe(
            (0..random.scaled(1, 3))
                .map(|_| random.below(FILTERS.len() as u64) as usize)
                .collect(),
        ),
        "flush" => Operation::Flush,
        "ping" => Operation::Ping,
        "reconnect" => Operation::Reconnect,
        "close" => Operation::Close {
            timeout: random.scaled(0, 5 * SECOND),
            end_session: *random.pick(&[None, Some(true), Some(false)]),
            session_expiry: random.chance(200).then(|| random.scaled(0, 1_000) as u32),
            with_will: random.chance(200),
            words: random.chance(200),
        },
        "reauthenticate" => Operation::Reauthenticate,
        "pause consumer" => Operation::PauseConsumer {
            lasting: random.scaled(MILLISECOND, 60 * SECOND),
        },
        "hold acks" => Operation::HoldAcks {
            lasting: random.scaled(MILLISECOND, 90 * SECOND),
        },
        "suspend" => Operation::Suspend {
            lasting: random.scaled(MILLISECOND, 7_200 * SECOND),
        },
        "spare tick" => Operation::SpareTick,
        "clock back" => Operation::ClockBack {
            by: random.scaled(1, 3_600 * SECOND),
        },
        _ => fault(random, name),
    }
}

fn fault(random: &mut Random, name: &str) -> Operation {
    match name {
        "cut" => Operation::Cut(*random.pick(&[Cut::Reset, Cut::BrokerCloses, Cut::BrokerResets])),
        "stall broker" => Operation::StallBroker {
            lasting: random.scaled(MILLISECOND, 60 * SECOND),
        },
        "mute" => Operation::Mute {
            lasting: random.scaled(MILLISECOND, 30 * SECOND),
        },
        "blackhole" => Operation::Blackhole,
        "fail dials" => Operation::FailDials {
            lasting: random.scaled(MILLISECOND, 60 * SECOND),
            how: *random.pick(&[
                DialFailure::Refused,
                DialFailure::Unreachable,
                DialFailure::Dns,
                DialFailure::Silent,
            ]),
        },
        "restart" => Operation::Restart {
            down: random.scaled(MILLISECOND, 30 * SECOND),
            keep_sessions: random.chance(600),
        },
        "lose session" => Operation::LoseSession,
        "kick" => Operation::Kick {
            reason: *random.pick(&[0, 0x89, 0x8b, 0x8d, 0x8e, 0x98, 0x9c, 0x9d]),
        },
        "take over" => Operation::TakeOver,
        "swallow" => Operation::Swallow {
            kind: *random.pick(&SWALLOWED),
            count: random.scaled(1, 20) as u32,
        },
        "refuse" => refusal(random),
        "refer" => Operation::Refer {
            reason: *random.pick(&[0x9c, 0x9d]),
            count: random.scaled(1, 12) as u32,
        },
        "refuse authentication" => Operation::RefuseAuthentication {
            count: random.scaled(1, 4) as u32,
        },
        "misbehave" => Operation::Misbehave(misbehaviour(random)),
        _ => Operation::Message {
            topic: random.below(TOPICS.len() as u64) as usize,
            qos: random.below(3) as u8,
            length: random.scaled(0, 6_000) as usize,
            retain: random.chance(100),
            count: random.scaled(1, 20) as u32,
        },
    }
}

const SWALLOWED: [u8; 14] = [
    kind::AUTH,
    kind::CONNECT,
    kind::CONNACK,
    kind::PUBLISH,
    kind::PUBLISH,
    kind::PUBACK,
    kind::PUBREC,
    kind::PUBREL,
    kind::PUBCOMP,
    kind::SUBSCRIBE,
    kind::SUBACK,
    kind::UNSUBSCRIBE,
    kind::PINGREQ,
    kind::PINGRESP,
];

fn refusal(random: &mut Random) -> Operation {
    let count = random.scaled(1, 6) as u32;
    match random.below(3) {
        0 => Operation::RefuseConnect {
            reason: *random.pick(&[0x80, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x97, 0x9f]),
            count,
        },
        1 => Operation::RefuseSubscribe { count },
        _ => Operation::RejectLetters {
            reason: *random.pick(&[0x10, 0x80, 0x83, 0x87, 0x90, 0x97, 0x99]),
            count,
        },
    }
}

fn misbehaviour(random: &mut Random) -> Misbehaviour {
    *random.pick(Misbehaviour::ALL)
}

fn filter(random: &mut Random) -> FilterPlan {
    let filter = random.below(FILTERS.len() as u64) as usize;
    FilterPlan {
        filter,
        qos: random.below(3) as u8,
        no_local: random.chance(100) && !FILTERS[filter].starts_with("$share/"),
        retain_handling: random.below(3) as u8,
    }
}

/// The tendencies of a run's letters, so that some runs are all alike and others mixed.
struct LetterManner {
    qos: [u64; 3],
    ttl: [u64; 4],
    size: [u64; 4],
    topics: u64,
    mixed_priorities: bool,
    rich: bool,
}

impl LetterManner {
    fn draw(random: &mut Random) -> LetterManner {
        let weight = |random: &mut Random| *random.pick(&[0, 1, 4]);
        LetterManner {
            qos: [weight(random), 1 + weight(random), 1 + weight(random)],
            ttl: [3, weight(random), weight(random), weight(random)],
            size: [
                1 + weight(random),
                6,
                weight(random),
                *random.pick(&[0, 0, 1]),
            ],
            topics: random.between(1, TOPICS.len() as u64),
            mixed_priorities: random.chance(400),
            rich: random.chance(400),
        }
    }

    fn letter(&self, random: &mut Random) -> LetterPlan {
        let rich = self.rich && random.chance(300);
        LetterPlan {
            topic: random.below(self.topics) as usize,
            length: match random.weighted(&self.size) {
                0 => random.below(16) as usize,
                1 => random.scaled(16, 1_000) as usize,
                2 => random.scaled(4_000, 20_000) as usize,
                _ => random.scaled(50_000, 300_000) as usize,
            },
            qos: random.weighted(&self.qos) as u8,
            retain: random.chance(50),
            ttl: match random.weighted(&self.ttl) {
                0 => Ttl::Default,
                1 => Ttl::Unlimited,
                2 => Ttl::For(random.scaled(1, 500 * MILLISECOND)),
                _ => Ttl::For(random.scaled(500 * MILLISECOND, 100 * SECOND)),
            },
            priority: if self.mixed_priorities {
                random.below(3) as u8
            } else {
                1
            },
            overflow: (rich && random.chance(500)).then(|| random.below(4) as u8),
            replace: (rich && random.chance(300)).then(|| random.below(4) as u8),
            expiry: (rich && random.chance(300)).then(|| random.scaled(0, 100) as u32),
            properties: rich && random.chance(300),
            report: !random.chance(100),
        }
    }
}
