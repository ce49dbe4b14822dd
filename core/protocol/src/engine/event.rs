//! What the engine tells the application: outcomes, messages, replies, connection news; and the tokens that go with them.
use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;
use core::time::Duration;

use super::authentication::AuthStep;
use super::budget::Cost;
use super::hooks::Shown;
use super::preparing::Preparation;
use crate::codec::{Properties, Version};
use crate::error::Error;
use crate::message::{Message, QoS};
use crate::outcome::{Outcome, Status, SubscriptionState};
use crate::packet_type::PacketType;
use crate::reason::ReasonCode;
use crate::text::Text;

/// The number of a receipt or of a question: unique and increasing within a client; 0 asks for no report.
pub type Tag = u64;

/// The number of a declared topic filter: 1..=268,435,455, one per distinct filter, chosen by the caller and never given to another filter while declared.
/// On MQTT 5 it is the Subscription Identifier (section 3.8.2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u32);

/// What an application hands back to have a message acknowledged. It belongs to the connection the message came on: on a later one it
/// acknowledges nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AckToken {
    /// The number of the connection, counted modulo 2^24.
    pub(super) connection: u32,
    /// The place among the messages of this QoS on that connection, counted modulo 2^16.
    pub(super) serial: u16,
    pub(super) packet_id: u16,
    /// `AtLeastOnce` or `ExactlyOnce`; a QoS 0 message has no token.
    pub(super) qos: QoS,
}

impl AckToken {
    /// The token as a number for hosts that cannot hold a struct; never 0.
    pub const fn to_bits(self) -> u64 {
        (self.connection as u64) << 40
            | (self.serial as u64) << 24
            | (self.packet_id as u64) << 8
            | self.qos as u64
    }

    /// The token of [`AckToken::to_bits`]; `None` for a number that is none.
    pub fn from_bits(bits: u64) -> Option<AckToken> {
        let qos = QoS::try_from(bits as u8)
            .ok()
            .filter(|&qos| qos != QoS::AtMostOnce)?;
        Some(AckToken {
            connection: (bits >> 40) as u32,
            serial: (bits >> 24) as u16,
            packet_id: (bits >> 8) as u16,
            qos,
        })
    }

    /// The QoS of the message, never 0.
    pub const fn qos(self) -> QoS {
        self.qos
    }
}

/// Something the application has to be told, in the order in which it happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// What became of a letter: exactly one for each, also for tag 0.
    Settled {
        /// The receipt; 0 if none was asked for.
        tag: Tag,
        /// What became of it.
        outcome: Outcome,
        /// What the letter gives back to the budget. Letters without a receipt that have the same outcome may be settled together, and then this is their
        /// sum.
        cost: Cost,
    },
    /// Room that a settled letter kept because it is resent all the same (`expired_in_flight = resend`), given back now.
    Released(Cost),
    /// A message from the broker.
    Message(Incoming),
    /// The answer to a command that named a reply tag.
    Reply {
        /// The reply tag.
        tag: Tag,
        /// The answer.
        result: Result<Reply, Error>,
    },
    /// The status changed.
    Status(Status),
    /// News of the connection.
    Connection(ConnectionEvent),
    /// The broker's answer about a declared filter, or the loss of it.
    Subscription {
        /// The filter's number.
        id: SubscriptionId,
        /// The filter.
        filter: Text,
        /// How it stands.
        state: SubscriptionState,
        /// The broker's code: the granted QoS, or why it refused. `None` for `down`.
        reason: Option<ReasonCode>,
    },
    /// A PINGREQ was answered after this time.
    RoundTrip(Duration),
    /// Something odd that an operator may want to know.
    Notice(Notice),
    /// A packet from the broker that a [hook](super::Hooks) is to be shown.
    Packet(Box<Shown>),
    /// An attempt to connect of which the application is to say more.
    Prepare(Box<Preparation>),
    /// A step of enhanced authentication that the application is to take.
    Authenticate(Box<AuthStep>),
}

/// A message with what is needed to route and to acknowledge it.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The message.
    pub message: Message,
    /// To be handed back with [`Acknowledge`](super::Command::Acknowledge) when the message was handled; `None` at QoS 0.
    pub token: Option<AckToken>,
    /// The declared filters it was sent for; none if it matches none of them.
    pub subscriptions: Matches,
}

/// The numbers of the subscriptions that a message matched: a short list that costs no allocation for up to two.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Matches {
    few: [u32; 2],
    count: u8,
    #[expect(
        clippy::box_collection,
        reason = "hardly ever there: one word instead of three in every message"
    )]
    many: Option<Box<Vec<SubscriptionId>>>,
}

impl Matches {
    /// Adds one, unless it is in the list already.
    pub fn add(&mut self, id: SubscriptionId) {
        if self.iter().any(|other| other == id) {
            return;
        }
        if let Some(many) = &mut self.many {
            many.push(id);
        } else if let Some(free) = self.few.get_mut(usize::from(self.count)) {
            *free = id.0;
            self.count = self.count.saturating_add(1);
        } else {
            let mut many: Vec<_> = self.iter().collect();
            many.push(id);
            self.many = Some(Box::new(many));
        }
    }

    /// The numbers, each once.
    pub fn iter(&self) -> impl Iterator<Item = SubscriptionId> + '_ {
        let few = if self.many.is_some() {
            0
        } else {
            usize::from(self.count)
        };
        let many = self.many.as_deref().map_or(&[][..], Vec::as_slice);
        self.few
            .iter()
            .take(few)
            .map(|&id| SubscriptionId(id))
            .chain(many.iter().copied())
    }

    /// Did the message match no declared filter.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl fmt::Debug for Matches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Flush, close and re-authentication: it is done.
    Done,
    /// Subscribe: one code for each filter, in the order asked: the granted QoS, or 0x80 and above for a refusal.
    Subscribed(Answers),
    /// Unsubscribe: one code for each filter, in the order asked.
    Unsubscribed(Answers),
    /// Cancel: was the letter still there to be taken back.
    Cancelled(bool),
    /// Make room: what the overflow rule decided.
    Room(Room),
    /// Ping: the time until the answer.
    RoundTrip(Duration),
    /// Explain: where the letter is; `None` if it is settled or unknown.
    Explained(Option<Box<Explanation>>),
    /// A request, made of a letter and a subscription around the engine: the response.
    Response(Box<Message>),
}

/// What the broker answered to SUBSCRIBE or UNSUBSCRIBE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// One code for each filter, in the order asked. MQTT 3.1.1 has no codes in UNSUBACK: there each is success.
    pub codes: Vec<ReasonCode>,
    /// The reason in the broker's words, if it gave one (MQTT 5).
    pub reason_string: Option<String>,
    /// The filter that was refused, the first one if there are several.
    pub refused: Option<Text>,
}

/// What an overflow rule decided about the room for a new letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Letters were dropped: what was lacking has been given back by the events before this one.
    Made,
    /// By the rule the new letter is the one to go: accept it, and hand it over with [`Discard`](super::Command::Discard).
    NewOneGoes,
    /// Nothing may be dropped: refuse the new letter.
    Refused,
}

/// News of the connection.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectionEvent {
    /// The broker accepted the connection.
    Online(Box<Online>),
    /// The connection ended.
    Offline {
        /// Why, with the broker's reason code if it sent a DISCONNECT.
        why: Error,
        /// The properties of that DISCONNECT; empty without one.
        properties: Properties,
    },
    /// An attempt to connect failed.
    AttemptFailed {
        /// Index of the URL that was tried.
        endpoint: usize,
        /// Why, with the broker's reason code if it answered.
        why: Error,
        /// When the next attempt begins.
        retry_in: Duration,
        /// The properties of the broker's CONNACK; empty if it sent none.
        properties: Properties,
    },
}

/// What the broker said when it accepted the connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Online {
    /// Index of the URL.
    pub endpoint: usize,
    /// The version of MQTT spoken.
    pub version: Version,
    /// Does an earlier session go on.
    pub session_present: bool,
    /// The client id in force: given, made at random, or assigned by the broker.
    pub client_id: Text,
    /// The keep alive in force; zero if off.
    pub keep_alive: Duration,
    /// The properties of CONNACK; empty on MQTT 3.1.1.
    pub properties: Properties,
}

/// Something odd that an operator may want to know; nothing has to be done about it here.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A message has been waiting for its acknowledgement for more than 30 s, and holds back those after it.
    AcknowledgementHeld {
        /// Its token.
        token: AckToken,
        /// How long it has been waiting.
        waiting: Duration,
    },
    /// A packet larger than `max_packet_size` came on MQTT 3.1.1; it was skipped and acknowledged.
    OversizeSkipped {
        /// Length of the packet in bytes.
        length: u64,
    },
    /// Too many packet identifiers were held by withheld QoS 2 letters; the next connection begins a fresh session on purpose.
    FreshSession {
        /// How many were held.
        withheld: usize,
    },
    /// The broker broke the rules; the connection was closed.
    Violation(Error),
    /// A SUBSCRIBE or UNSUBSCRIBE was not answered in time; it is sent again.
    Unanswered {
        /// How many filters it named.
        filters: usize,
    },
    /// The files of TLS material are not as they have to be; what was read from them before stays in use.
    TlsFilesKept {
        /// What is wrong with them.
        why: String,
    },
    /// A hook did not say in time what an answer is to carry; it was sent without words.
    HookLate {
        /// The type of the answer: PUBREL or PUBCOMP.
        packet: PacketType,
    },
}

/// Where a letter is and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Where it is.
    pub place: Place,
    /// How long ago it was posted.
    pub age: Duration,
    /// How often it has been begun to be sent.
    pub attempts: u32,
    /// The last error of the connection, if there was one.
    pub last_error: Option<Error>,
    /// The rest of its time to live; `None` if it has none.
    pub ttl_left: Option<Duration>,
}

/// Where a letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the post office, never on its way on this connection.
    Waiting(WaitingFor),
    /// Sent, and the exchange not yet over.
    InFlight {
        /// Its packet identifier.
        packet_id: u16,
        /// The packet that has to come next.
        awaiting: Awaiting,
    },
}

/// What a waiting letter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingFor {
    /// A connection to the broker.
    Connection,
    /// Room in the window: acknowledgements of letters before it.
    Window,
    /// Its turn behind the letters before it.
    Turn,
    /// The socket, which takes no more bytes just now.
    Socket,
}

/// The packet that a letter in flight waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaiting {
    /// Its own bytes being taken by the operating system (QoS 0).
    Written,
    /// PUBACK.
    PubAck,
    /// PUBREC.
    PubRec,
    /// PUBCOMP.
    PubComp,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Waiting(WaitingFor::Connection) => f.write_str("waiting for a connection")?,
            Place::Waiting(WaitingFor::Window) => {
                f.write_str("waiting for acknowledgements of earlier letters")?;
            }
            Place::Waiting(WaitingFor::Turn) => f.write_str("waiting for its turn")?,
            Place::Waiting(WaitingFor::Socket) => {
                f.write_str("waiting for the socket to take more bytes")?;
            }
            Place::InFlight {
                awaiting: Awaiting::Written,
                ..
            } => f.write_str("being written to the socket")?,
            Place::InFlight {
                packet_id,
                awaiting,
            } => {
                let packet = match awaiting {
                    Awaiting::PubRec => "PUBREC",
                    Awaiting::PubComp => "PUBCOMP",
                    Awaiting::PubAck | Awaiting::Written => "PUBACK",
                };
                write!(f, "sent as packet {packet_id}, waiting for {packet}")?;
            }
        }
        write!(f, "; posted {:?} ago", self.age)?;
        if self.attempts > 0 {
            write!(f, ", attempt {}", self.attempts)?;
        }
        match self.ttl_left {
            Some(left) => write!(f, ", expires in {left:?}")?,
            None => f.write_str(", never expires")?,
        }
        match &self.last_error {
            Some(error) => write!(f, "; last error: {error}"),
            None => Ok(()),
        }
    }
}

/// A plain copy of the engine's counters, for observers only.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineStats {
    /// Is the client connected.
    pub status: Status,
    /// Letters accepted by the engine and waiting to be sent.
    pub waiting: Cost,
    /// Letters sent and not yet settled.
    pub in_flight: Cost,
    /// Age of the oldest unsettled letter, counted from its posting; `None` without one.
    pub oldest: Option<Duration>,
    /// Bytes read from the connection.
    pub bytes_in: u64,
    /// Bytes taken by the operating system.
    pub bytes_out: u64,
    /// PUBLISH packets received, by QoS, repetitions not counted.
    pub messages_in: [u64; 3],
    /// PUBLISH packets sent, by QoS, repetitions counted.
    pub messages_out: [u64; 3],
    /// Outcomes by the number of their status; the first place is not used.
    pub outcomes: [u64; 9],
    /// Connections accepted by a broker.
    pub connections: u64,
    /// Attempts to connect that failed.
    pub failed_attempts: u64,
    /// Why the last attempt or connection ended.
    pub last_error: Option<Error>,
    /// The last measured round trip of a ping.
    pub round_trip: Option<Duration>,
    /// Packets larger than allowed that were skipped.
    pub oversize: u64,
    /// Messages answered with a failing reason code, or acknowledged for want of one, because their handler failed.
    pub handler_failures: u64,
}

impl EngineStats {
    pub(super) fn new() -> EngineStats {
        EngineStats {
            status: Status::Offline,
            waiting: Cost::ZERO,
            in_flight: Cost::ZERO,
            oldest: None,
            bytes_in: 0,
            bytes_out: 0,
            messages_in: [0; 3],
            messages_out: [0; 3],
            outcomes: [0; 9],
            connections: 0,
            failed_attempts: 0,
            last_error: None,
            round_trip: None,
            oversize: 0,
            handler_failures: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_being_a_number() {
        let token = AckToken {
            connection: 0xAB_CDEF,
            serial: 65_535,
            packet_id: 7,
            qos: QoS::ExactlyOnce,
        };
        assert_eq!(AckToken::from_bits(token.to_bits()), Some(token));
        assert_eq!(AckToken::from_bits(0), None);
        assert_eq!(AckToken::from_bits(3), None);
    }

    #[test]
    fn matches_keep_each_number_once_and_grow() {
        let mut matches = Matches::default();
        assert!(matches.is_empty());
        for id in [3, 3, 5, 7, 5, 9] {
            matches.add(SubscriptionId(id));
        }
        assert_eq!(
            matches.iter().map(|id| id.0).collect::<Vec<_>>(),
            [3, 5, 7, 9]
        );
    }
}
