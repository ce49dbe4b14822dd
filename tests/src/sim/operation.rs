//! What can happen in a run: everything an application, a network or a broker may do, as plain values.

use super::frames::kind;
use super::network::Nanos;

/// One thing that happens at one instant to one client.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When, counted from the beginning of the run.
    pub at: Nanos,
    /// Which client (for the broker's doings: the client's broker or connection).
    pub client: usize,
    /// What.
    pub operation: Operation,
}

/// What happens.
#[allow(missing_docs, reason = "the names of the fields say what they are")]
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// The application posts letters, all in one batch.
    Publish(Vec<LetterPlan>),
    /// It takes back one of the letters posted so far.
    Cancel { pick: u64 },
    /// It asks where a letter is.
    Explain { pick: u64 },
    /// It declares subscriptions (positions in [`FILTERS`]).
    Subscribe(Vec<FilterPlan>),
    /// It takes subscriptions back.
    Unsubscribe(Vec<usize>),
    /// It asks to be told when everything posted so far is settled.
    Flush,
    /// It asks for a round trip.
    Ping,
    /// It wants a new connection.
    Reconnect,
    /// It wants to authenticate once more.
    Reauthenticate,
    /// It closes the client before the end of the run.
    Close {
        timeout: Nanos,
        end_session: Option<bool>,
        /// Seconds for which the session is to outlive it.
        session_expiry: Option<u32>,
        /// The will is to be published all the same.
        with_will: bool,
        /// Why, in words.
        words: bool,
    },
    /// It takes nothing out of its inbox for a while.
    PauseConsumer { lasting: Nanos },
    /// It acknowledges nothing for a while (manual acknowledgement).
    HoldAcks { lasting: Nanos },
    /// The machine sleeps: time goes on, the client does not.
    Suspend { lasting: Nanos },
    /// A tick that nobody asked for.
    SpareTick,
    /// A tick by a clock that stands before what it said last.
    ClockBack { by: Nanos },
    /// The connection breaks.
    Cut(Cut),
    /// The broker does not read for a while.
    StallBroker { lasting: Nanos },
    /// Nothing reaches the client for a while.
    Mute { lasting: Nanos },
    /// The connection is dead in both directions and nobody is told.
    Blackhole,
    /// Dialing fails for a while.
    FailDials { lasting: Nanos, how: DialFailure },
    /// The broker stops and comes back, with or without its sessions.
    Restart { down: Nanos, keep_sessions: bool },
    /// The broker forgets the client's session, though the connection may go on.
    LoseSession,
    /// The broker closes the connection, on MQTT 5 with a DISCONNECT of this reason.
    Kick { reason: u8 },
    /// Another client connects with the same client id.
    TakeOver,
    /// The broker loses packets of this kind after it took them off the wire.
    Swallow { kind: u8, count: u32 },
    /// The broker refuses the next CONNECTs with this reason (a 3.1.1 code on 3.1.1).
    RefuseConnect { reason: u8, count: u32 },
    /// The broker refuses the next CONNECTs and names another server.
    Refer { reason: u8, count: u32 },
    /// The broker refuses the next steps of authentication.
    RefuseAuthentication { count: u32 },
    /// The broker refuses the next filters asked for.
    RefuseSubscribe { count: u32 },
    /// The broker answers the next QoS 1 and 2 letters with this reason (MQTT 5).
    RejectLetters { reason: u8, count: u32 },
    /// The broker sends what it must not send.
    Misbehave(Misbehaviour),
    /// Somebody else publishes through the broker.
    Message {
        topic: usize,
        qos: u8,
        length: usize,
        retain: bool,
        count: u32,
    },
}

impl Operation {
    /// Bytes of payload that it posts or has posted.
    pub fn bytes(&self) -> usize {
        match self {
            Operation::Publish(letters) => letters.iter().map(|letter| letter.length).sum(),
            Operation::Message { length, count, .. } => length * *count as usize,
            _ => 0,
        }
    }
}

/// A letter to be posted.
#[derive(Clone, Debug, PartialEq)]
pub struct LetterPlan {
    /// Position in [`TOPICS`]; payloads too short for a number use a topic of their own.
    pub topic: usize,
    /// Payload length in bytes.
    pub length: usize,
    /// Quality of service.
    pub qos: u8,
    /// The retain flag.
    pub retain: bool,
    /// Time to live.
    pub ttl: Ttl,
    /// 0 high, 1 normal, 2 low.
    pub priority: u8,
    /// Position in the overflow rules, `None` for the client's own.
    pub overflow: Option<u8>,
    /// Number of the replace key.
    pub replace: Option<u8>,
    /// A Message Expiry Interval of its own, in seconds.
    pub expiry: Option<u32>,
    /// Whether it carries user properties and the like.
    pub properties: bool,
    /// Whether the application wants a receipt.
    pub report: bool,
}

/// How long a letter lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// The client's default.
    Default,
    /// For ever.
    Unlimited,
    /// This long.
    For(Nanos),
}

/// A subscription to be declared.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterPlan {
    /// Position in [`FILTERS`].
    pub filter: usize,
    /// The QoS asked for.
    pub qos: u8,
    /// MQTT 5: not one's own messages (never for shared subscriptions).
    pub no_local: bool,
    /// MQTT 5: 0, 1 or 2.
    pub retain_handling: u8,
}

/// How a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Both sides see a reset.
    Reset,
    /// The broker closes in good order.
    BrokerCloses,
    /// The broker's side is gone; the client sees a reset later.
    BrokerResets,
}

/// How dialing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialFailure {
    /// Nobody listens.
    Refused,
    /// No route.
    Unreachable,
    /// The name does not resolve.
    Dns,
    /// No answer at all: only the engine's own timeout ends it.
    Silent,
}

/// What a broker must not do.
#[allow(missing_docs, reason = "the names of the fields say what they are")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Bytes that are no packet.
    Garbage,
    /// A second CONNACK.
    SecondConnack,
    /// An acknowledgement of a packet id that is not in flight; kind as in the frames module.
    StrayAck { kind: u8 },
    /// PUBREC for a QoS 1 letter in flight, PUBACK for a QoS 2 one.
    CrossedAck,
    /// A packet only clients send.
    ClientPacket,
    /// A PUBLISH with a wildcard in its topic.
    WildcardTopic,
    /// A PUBLISH with QoS 3.
    Qos3,
    /// A SUBACK nobody waits for.
    StraySuback,
    /// A SUBACK with other than one code for each filter asked for.
    MiscountedSuback,
    /// The next CONNACK says that a session is present, and the client asked for a clean one.
    FalseSession,
    /// More messages of this QoS (1 or 2) in flight than the client's receive maximum.
    Flood { qos: u8 },
    /// A topic alias that was never defined.
    UnknownAlias,
    /// The topic alias 0.
    AliasZero,
    /// A topic alias above the client's maximum.
    AliasAboveMaximum,
    /// Neither a topic nor an alias.
    NoTopic,
    /// AUTH where nobody authenticates.
    StrayAuth,
    /// The last acknowledgement once more.
    RepeatedAck,
    /// PINGRESP that nobody asked for.
    StrayPong,
    /// A packet larger than the client takes.
    TooLarge,
    /// The beginning of a packet, and then the end.
    HalfAPacket,
}

impl Misbehaviour {
    /// One of each kind.
    pub const ALL: &[Misbehaviour] = &[
        Misbehaviour::Garbage,
        Misbehaviour::SecondConnack,
        Misbehaviour::StrayAck { kind: kind::PUBACK },
        Misbehaviour::StrayAck { kind: kind::PUBREC },
        Misbehaviour::StrayAck { kind: kind::PUBREL },
        Misbehaviour::StrayAck {
            kind: kind::PUBCOMP,
        },
        Misbehaviour::CrossedAck,
        Misbehaviour::ClientPacket,
        Misbehaviour::WildcardTopic,
        Misbehaviour::Qos3,
        Misbehaviour::StraySuback,
        Misbehaviour::MiscountedSuback,
        Misbehaviour::FalseSession,
        Misbehaviour::Flood { qos: 1 },
        Misbehaviour::Flood { qos: 2 },
        Misbehaviour::UnknownAlias,
        Misbehaviour::AliasZero,
        Misbehaviour::AliasAboveMaximum,
        Misbehaviour::NoTopic,
        Misbehaviour::StrayAuth,
        Misbehaviour::RepeatedAck,
        Misbehaviour::StrayPong,
        Misbehaviour::TooLarge,
        Misbehaviour::HalfAPacket,
    ];

    /// What it is called in the tally, once it has reached the client.
    pub fn name(self) -> String {
        format!("misbehaviour: {self:?}")
    }
}

/// The topics of letters and messages.
pub const TOPICS: &[&str] = &[
    "a/b",
    "a/c",
    "a/b/c",
    "sensor/1/temperature",
    "$own/x",
    "ü/é/日",
    "/",
    "long/level/after/level/after/level/without/end",
];

/// The filters clients subscribe to.
pub const FILTERS: &[&str] = &[
    "a/b",
    "a/+",
    "a/#",
    "#",
    "sensor/+/temperature",
    "$own/#",
    "+/b",
    "tiny/+",
    "$share/group/a/#",
    "/",
    "ü/+/日",
    "nothing/here",
];
