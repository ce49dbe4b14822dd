//! Deliberate damage between an engine and the world: each kind has to be noticed by some checker, or the checker is worth nothing.

use bytes::BytesMut;
use leveret_protocol::codec::Properties;
use leveret_protocol::engine::{Command, Cost, Event, Incoming, Notice, Reply, SubscriptionId};
use leveret_protocol::options::{ClientOptions, Priority, PublishOptions};
use leveret_protocol::outcome::{Outcome, OutcomeStatus, Status};
use leveret_protocol::time::Duration;

use super::broker::Arrived;
use super::broker::authenticating::BEGIN;
use super::frames::{self, NUMBERED, kind};
use super::network::{Nanos, SECOND};

/// What is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// An outcome is told twice.
    SettleTwice,
    /// An outcome is not told.
    SettleNever,
    /// An outcome says the contrary about maybe_delivered.
    TurnMaybeDelivered,
    /// Expired is told as dropped.
    ExpiredAsDropped,
    /// Less comes back to the budget than was taken.
    KeepBudget,
    /// A letter that was sent is told as acknowledged at once.
    AcknowledgeTooMuch,
    /// The driver wakes the engine late.
    TickLate,
    /// A message is handed over twice.
    DeliverTwice,
    /// A message is not handed over.
    DeliverNever,
    /// DUP is cleared.
    ClearDup,
    /// DUP is set.
    SetDup,
    /// Another packet id is used.
    ReusePacketId,
    /// Two frames change places.
    SwapFrames,
    /// A frame is sent twice.
    RepeatFrame,
    /// PUBACKs are not sent.
    DropPuback,
    /// PINGREQs are not sent.
    DropPing,
    /// A reply is told twice.
    ReplyTwice,
    /// The payload is changed.
    ChangePayload,
    /// The QoS of what is sent is changed.
    ChangeQos,
    /// Subscriptions are not asked for.
    DropSubscribe,
    /// A status is told twice.
    StatusTwice,
    /// The engine is told that all letters are of the same priority.
    ForgetPriority,
    /// A SUBSCRIBE goes out behind the letters after it.
    SubscribeLast,
    /// The engine waits too shortly before the next attempt.
    ShortBackoff,
    /// The engine waits too long before the next attempt.
    LongBackoff,
    /// Connections are ended without DISCONNECT.
    DropGoodbye,
    /// Connections are ended with DISCONNECT that must not be.
    AddGoodbye,
    /// The engine is told of a higher limit of letters in flight.
    WidenWindow,
    /// The engine waits too shortly for the words of a hook.
    ShortPatience,
    /// The words of a hook are lost.
    ForgetWords,
    /// Another user name is said than the application said.
    OtherLogin,
    /// Another proof is given than the application gave.
    WrongProof,
    /// A breach of the broker's is not noticed.
    OverlookBreach,
    /// A breach is told to the broker with another reason.
    OtherReason,
    /// PUBRECs do not reach the engine.
    MissPubrec,
    /// The broker passes a QoS 2 letter on that it has.
    PassOnTwice,
    /// The post office takes more than it may.
    WidenBudget,
    /// The payload of a message is changed.
    ChangeMessage,
    /// A message comes without the token by which it is acknowledged.
    LoseToken,
    /// A subscription is told under another number.
    OtherSubscription,
    /// The client is told to be closed when it is offline.
    CloseTooSoon,
    /// A letter that is there is said not to be.
    LoseExplanation,
    /// Cancel says the contrary.
    TurnCancel,
    /// Letters say a longer expiry.
    LongExpiry,
    /// The engine waits too long for CONNACK.
    PatientConnect,
    /// The engine waits too long for PINGRESP.
    PatientPing,
    /// DISCONNECT asks for the will.
    AskForWill,
    /// The last step of authentication is taken before the application has taken it.
    AgreeTooSoon,
}

/// The place where the damage is done.
#[derive(Debug, Default)]
pub struct Tamper {
    /// What is damaged, if anything.
    pub mutation: Option<Mutation>,
    /// How often it was.
    pub done: u32,
}

impl Tamper {
    /// When the engine is woken that wants to sleep until `until`.
    pub fn sleep(&mut self, until: Option<Nanos>) -> Option<Nanos> {
        match (self.mutation, until) {
            (Some(Mutation::TickLate), Some(until)) => {
                self.done += 1;
                Some(until + SECOND)
            }
            _ => until,
        }
    }

    /// What the application is told instead of `event`.
    pub fn event(&mut self, event: Event) -> Vec<Event> {
        let Some(mutation) = self.mutation else {
            return vec![event];
        };
        let changed = match (mutation, &event) {
            (Mutation::SettleTwice, Event::Settled { .. })
            | (Mutation::DeliverTwice, Event::Message(_))
            | (Mutation::ReplyTwice, Event::Reply { .. })
            | (Mutation::StatusTwice, Event::Status(_)) => vec![event.clone(), event],
            (Mutation::SettleNever, Event::Settled { .. })
            | (Mutation::DeliverNever, Event::Message(_))
            | (Mutation::OverlookBreach, Event::Notice(Notice::Violation(_))) => Vec::new(),
            (Mutation::ChangeMessage, Event::Message(incoming))
                if incoming.message.payload.len() > NUMBERED =>
            {
                let mut incoming = incoming.clone();
                let mut payload = incoming.message.payload.to_vec();
                payload.reverse();
                payload[..NUMBERED].copy_from_slice(&incoming.message.payload[..NUMBERED]);
                payload[NUMBERED] ^= 1;
                incoming.message.payload = payload.into();
                vec![Event::Message(incoming)]
            }
            (Mutation::LoseToken, Event::Message(incoming)) if incoming.token.is_some() => {
                vec![Event::Message(Incoming {
                    token: None,
                    ..incoming.clone()
                })]
            }
            (
                Mutation::OtherSubscription,
                Event::Subscription {
                    id,
                    filter,
                    state,
                    reason,
                },
            ) => {
                vec![Event::Subscription {
                    id: SubscriptionId(id.0 + 1),
                    filter: filter.clone(),
                    state: *state,
                    reason: *reason,
                }]
            }
            (Mutation::CloseTooSoon, Event::Status(Status::Offline)) => {
                vec![Event::Status(Status::Closed)]
            }
            (
                Mutation::LoseExplanation,
                Event::Reply {
                    tag,
                    result: Ok(Reply::Explained(Some(_))),
                },
            ) => {
                let result = Ok(Reply::Explained(None));
                vec![Event::Reply { tag: *tag, result }]
            }
            (
                Mutation::TurnCancel,
                Event::Reply {
                    tag,
                    result: Ok(Reply::Cancelled(found)),
                },
            ) => {
                let result = Ok(Reply::Cancelled(!found));
                vec![Event::Reply { tag: *tag, result }]
            }
            (Mutation::TurnMaybeDelivered, Event::Settled { tag, outcome, cost }) => {
                vec![Event::Settled {
                    tag: *tag,
                    outcome: Outcome {
                        maybe_delivered: !outcome.maybe_delivered,
                        ..outcome.clone()
                    },
                    cost: *cost,
                }]
            }
            (Mutation::KeepBudget, Event::Settled { tag, outcome, cost }) => {
                let cost = Cost {
                    bytes: cost.bytes.saturating_sub(1),
                    ..*cost
                };
                vec![Event::Settled {
                    tag: *tag,
                    outcome: outcome.clone(),
                    cost,
                }]
            }
            (Mutation::ExpiredAsDropped, Event::Settled { tag, outcome, cost })
                if outcome.status == OutcomeStatus::Expired && outcome.maybe_delivered =>
            {
                vec![Event::Settled {
                    tag: *tag,
                    outcome: Outcome::new(OutcomeStatus::Dropped),
                    cost: *cost,
                }]
            }
            (Mutation::AcknowledgeTooMuch, Event::Settled { tag, outcome, cost })
                if !outcome.ok() =>
            {
                vec![Event::Settled {
                    tag: *tag,
                    outcome: Outcome::new(OutcomeStatus::Acknowledged),
                    cost: *cost,
                }]
            }
            _ => return vec![event],
        };
        self.done += 1;
        changed
    }

    /// The options that the engine has instead of the client's.
    pub fn client_options(&mut self, options: &mut ClientOptions) {
        let (least, most) = (options.backoff_min, options.backoff_max);
        match self.mutation {
            Some(Mutation::ShortBackoff) => options.backoff_min = least / 2,
            Some(Mutation::LongBackoff) => {
                (options.backoff_min, options.backoff_max) = (2 * least, 2 * most);
            }
            Some(Mutation::PatientConnect) => options.connect_timeout = Duration::from_secs(600),
            Some(Mutation::PatientPing) => options.ping_timeout = Some(Duration::from_secs(600)),
            Some(Mutation::ShortPatience) => options.hook_timeout = Duration::from_millis(1),
            Some(Mutation::WidenWindow) => {
                options.max_in_flight = options.max_in_flight.saturating_mul(2);
            }
            _ => return,
        }
        self.done += 1;
    }

    /// What the engine hears instead of what the application answers.
    pub fn answer(&mut self, mut command: Command) -> Command {
        match (self.mutation, &mut command) {
            (Some(Mutation::ForgetWords), Command::Answer { words, .. }) => {
                *words = Properties::new();
            }
            (
                Some(Mutation::OtherLogin),
                Command::Prepared {
                    answer: Ok(said), ..
                },
            ) => said.username = Some("somebody else".into()),
            (
                Some(Mutation::WrongProof),
                Command::Authenticate {
                    answer: Ok(answer), ..
                },
            ) if answer.data.as_deref() != Some(BEGIN) => answer.data = Some("wrong".into()),
            _ => return command,
        }
        self.done += 1;
        command
    }

    /// What the engine hears of a letter's options instead.
    pub fn publish_options(&mut self, options: &mut PublishOptions) {
        match self.mutation {
            Some(Mutation::ForgetPriority) => options.priority = Priority::Normal,
            Some(Mutation::LongExpiry) => {
                options.message_expiry = options
                    .message_expiry
                    .map(|expiry| expiry + Duration::from_secs(1));
            }
            _ => return,
        }
        self.done += 1;
    }

    /// Whether a connection is ended with DISCONNECT, where it `was`.
    pub fn goodbye(&mut self, was: bool) -> bool {
        let told = match self.mutation {
            Some(Mutation::DropGoodbye) => false,
            Some(Mutation::AddGoodbye) => true,
            _ => was,
        };
        self.done += u32::from(told != was);
        told
    }

    /// The post office's bounds.
    pub fn budget(&mut self, limit: Cost) -> Cost {
        if self.mutation != Some(Mutation::WidenBudget) {
            return limit;
        }
        self.done += 1;
        Cost {
            messages: limit.messages.saturating_mul(2),
            bytes: limit.bytes.saturating_mul(2),
        }
    }

    /// Whether a letter that the broker has is passed on once more.
    pub fn doubles(&mut self, arrived: &Arrived) -> bool {
        let doubled =
            self.mutation == Some(Mutation::PassOnTwice) && arrived.qos == 2 && !arrived.onward;
        self.done += u32::from(doubled);
        doubled
    }

    /// What reaches the engine of what has come. Only whole frames are touched.
    pub fn inbound(&mut self, bytes: &mut BytesMut) {
        if self.mutation != Some(Mutation::MissPubrec) {
            return;
        }
        let Some(mut list) = split(bytes) else {
            return;
        };
        if drop_kind(&mut list, kind::PUBREC).is_some() {
            self.done += 1;
            *bytes = list.concat().as_slice().into();
        }
    }

    /// The bytes that go out instead of `offered`, if they are others. Only offers of whole frames are touched.
    pub fn offer(&mut self, offered: &[u8]) -> Option<Vec<u8>> {
        let mutation = self.mutation?;
        let mut list = split(offered)?;
        let changed = match mutation {
            Mutation::ClearDup => {
                first_publish(&mut list, |frame| frame[0] & 8 != 0).map(|frame| frame[0] &= !8)
            }
            Mutation::SetDup => {
                first_publish(&mut list, |frame| frame[0] & 6 != 0 && frame[0] & 8 == 0)
                    .map(|frame| frame[0] |= 8)
            }
            Mutation::ChangeQos => {
                first_publish(&mut list, |frame| frame[0] & 6 == 4).map(|frame| frame[0] ^= 6)
            }
            Mutation::ReusePacketId => {
                first_publish(&mut list, |frame| frame[0] & 6 != 0).map(|frame| {
                    if let Some(at) = packet_id_at(frame) {
                        frame[at] = 0;
                        frame[at + 1] = 1;
                    }
                })
            }
            Mutation::ChangePayload => {
                first_publish(&mut list, |frame| frame.len() > 80).map(|frame| {
                    if let Some(last) = frame.last_mut() {
                        *last ^= 1;
                    }
                })
            }
            Mutation::SwapFrames => swap_publishes(&mut list),
            Mutation::RepeatFrame => {
                let publish = list
                    .iter()
                    .find(|frame| frame[0] >> 4 == kind::PUBLISH && frame[0] & 6 != 0)
                    .cloned();
                publish.map(|frame| list.push(frame))
            }
            Mutation::OtherReason => disconnect(&mut list, |frame| {
                frame.get(2).is_some_and(|reason| *reason >= 0x80)
            })
            .map(|frame| frame[2] = 0x80),
            Mutation::AskForWill => {
                disconnect(&mut list, |frame| frame[1] == 0).map(|frame| *frame = vec![0xe0, 1, 4])
            }
            Mutation::DropPuback => drop_kind(&mut list, kind::PUBACK),
            Mutation::DropPing => drop_kind(&mut list, kind::PINGREQ),
            Mutation::DropSubscribe => drop_kind(&mut list, kind::SUBSCRIBE),
            Mutation::DropGoodbye => drop_kind(&mut list, kind::DISCONNECT),
            Mutation::SubscribeLast => move_back(&mut list, kind::SUBSCRIBE),
            _ => None,
        };
        changed?;
        self.done += 1;
        Some(list.concat())
    }
}

fn split(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut list = Vec::new();
    while !bytes.is_empty() {
        let length = frames::read(bytes, 4)?.length;
        list.push(bytes.get(..length)?.to_vec());
        bytes = &bytes[length..];
    }
    Some(list)
}

fn first_publish(list: &mut [Vec<u8>], wanted: impl Fn(&[u8]) -> bool) -> Option<&mut Vec<u8>> {
    list.iter_mut()
        .find(|frame| frame[0] >> 4 == kind::PUBLISH && wanted(frame))
}

fn disconnect(list: &mut [Vec<u8>], wanted: impl Fn(&[u8]) -> bool) -> Option<&mut Vec<u8>> {
    list.iter_mut()
        .find(|frame| frame[0] >> 4 == kind::DISCONNECT && wanted(frame))
}

fn packet_id_at(frame: &[u8]) -> Option<usize> {
    let head = 2 + frame
        .get(1..4)?
        .iter()
        .take_while(|byte| **byte & 0x80 != 0)
        .count();
    Some(
        head + 2
            + usize::from(u16::from_be_bytes([
                *frame.get(head)?,
                *frame.get(head + 1)?,
            ])),
    )
}

fn swap_publishes(list: &mut [Vec<u8>]) -> Option<()> {
    let places: Vec<usize> = (0..list.len())
        .filter(|place| list[*place][0] >> 4 == kind::PUBLISH && list[*place][0] & 6 == 2)
        .collect();
    let [first, second, ..] = places[..] else {
        return None;
    };
    list.swap(first, second);
    Some(())
}

fn drop_kind(list: &mut Vec<Vec<u8>>, kind: u8) -> Option<()> {
    let before = list.len();
    list.retain(|frame| frame[0] >> 4 != kind);
    (list.len() < before).then_some(())
}

fn move_back(list: &mut Vec<Vec<u8>>, kind: u8) -> Option<()> {
    let place = list.iter().position(|frame| frame[0] >> 4 == kind)?;
    let frame = list.remove(place);
    list.push(frame);
    (list.len() > place + 1).then_some(())
}
