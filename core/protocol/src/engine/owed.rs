//! Acknowledgements that are owed to the broker: given by the application in any order, sent in the order the standard demands.
//!
//! A QoS 1 message: received → owed → handled → PUBACK.
//! A QoS 2 message: received, its identifier noted and the message handed over → owed → handled → PUBREC → PUBREL → PUBCOMP, identifier free again.
//! A connection ends before it is handled → it is owed no more; the broker sends it again. A QoS 2 message is not handed over twice then, but answered
//! when the application has handled it, whichever connection its token is from.
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use core::time::Duration;

use super::Engine;
use super::bits::IdSet;
use super::event::{AckToken, Event, Notice};
use super::lifecycle::State;
use super::timers::Timer;
use crate::codec::{Ack, PacketId, Properties, Version};
use crate::message::QoS;
use crate::packet_type::PacketType;
use crate::reason::ReasonCode;
use crate::time::Instant;

/// A message that has been waiting for longer than this to be acknowledged is reported.
const HELD_TOO_LONG: Duration = Duration::from_secs(30);
/// Connections are counted modulo this.
const CONNECTIONS: u32 = 1 << 24;

/// One acknowledgement that is owed.
#[derive(Debug)]
struct Debt {
    packet_id: PacketId,
    verdict: Option<ReasonCode>, // once it is handled
    words: Option<Box<Properties>>,
    since: Instant,
    reported: bool,
}

/// The acknowledgements of one QoS, in the order of the PUBLISH packets.
#[derive(Debug, Default)]
struct Debts {
    queue: VecDeque<Debt>,
    first: u16, // the serial of the first in the queue
}

impl Debts {
    fn push(&mut self, debt: Debt) -> u16 {
        self.queue.push_back(debt);
        self.first
            .wrapping_add(self.queue.len() as u16)
            .wrapping_sub(1)
    }

    fn get_mut(&mut self, serial: u16) -> Option<&mut Debt> {
        self.queue
            .get_mut(usize::from(serial.wrapping_sub(self.first)))
    }

    fn pop_handled(&mut self) -> Option<Debt> {
        self.queue.front()?.verdict?;
        self.first = self.first.wrapping_add(1);
        self.queue.pop_front()
    }
}

/// A QoS 2 message that was handed over on an earlier connection.
#[derive(Debug)]
struct Carried {
    token: AckToken,
    verdict: Option<ReasonCode>,
}

/// What is owed to the broker.
#[derive(Debug, Default)]
pub(super) struct Owed {
    connection: u32,
    at_least_once: Debts,
    exactly_once: Debts,
    /// QoS 2 identifiers handed over and not yet released by PUBREL; kept across resumed sessions.
    received: IdSet,
    /// Those of them that were not answered when their connection ended.
    carried: BTreeMap<u16, Carried>,
    /// Those of them that may be from a session which the broker has lost: a CONNACK that may have said so did not arrive.
    doubted: IdSet,
    /// QoS 2 identifiers of this connection whose exchange is not over.
    unfinished: IdSet,
}

impl Owed {
    /// A connection ended: what was owed on it is owed no more.
    pub(super) fn disconnected(&mut self) {
        let connection = self.connection;
        let Debts { queue, first } = &mut self.exactly_once;
        for (place, debt) in queue.iter().enumerate() {
            let token = AckToken {
                connection,
                serial: first.wrapping_add(place as u16),
                packet_id: debt.packet_id.get(),
                qos: QoS::ExactlyOnce,
            };
            let verdict = debt.verdict;
            self.carried
                .entry(token.packet_id)
                .or_insert(Carried { token, verdict });
        }
        self.at_least_once.queue.clear();
        self.exactly_once.queue.clear();
        self.connection = self.connection.wrapping_add(1) % CONNECTIONS;
        self.at_least_once.first = 0;
        self.exactly_once.first = 0;
        self.unfinished.clear();
    }

    /// The session is lost: its identifiers mean nothing any more.
    pub(super) fn session_lost(&mut self) {
        self.received.clear();
        self.carried.clear();
        self.doubted.clear();
    }

    /// The session goes on, or is another one that began unheard.
    pub(super) fn session_is_unsure(&mut self) {
        self.doubted = self.received.clone();
    }

    fn forget_doubted(&mut self) {
        let doubted = core::mem::take(&mut self.doubted);
        self.received.remove_all(&doubted);
        self.carried.retain(|id, _| !doubted.contains(*id));
    }

    /// How many messages the broker has sent without their exchange being over.
    pub(super) fn unfinished(&self) -> usize {
        self.at_least_once
            .queue
            .len()
            // A PUBREL that came too early ends no debt.
            .saturating_add(self.unfinished.len().max(self.exactly_once.queue.len()))
    }

    /// A message came. Says with which token it is to be handed over; `None` if it has been handed over already.
    pub(super) fn receive(
        &mut self,
        packet_id: PacketId,
        qos: QoS,
        dup: bool,
        now: Instant,
    ) -> Option<AckToken> {
        let debt = Debt {
            packet_id,
            verdict: None,
            words: None,
            since: now,
            reported: false,
        };
        let id = packet_id.get();
        if qos == QoS::ExactlyOnce {
            // What comes again has DUP (3.3.1-1). So without it the session is a new one, which knows nothing of all that was in doubt.
            if self.doubted.contains(id) && !dup {
                self.forget_doubted();
            }
            self.doubted.remove(id);
            if !self.received.insert(id) {
                self.repeated(debt);
                return None;
            }
        }
        let serial = if qos == QoS::ExactlyOnce {
            self.unfinished.insert(id);
            self.exactly_once.push(debt)
        } else {
            self.at_least_once.push(debt)
        };
        Some(AckToken {
            connection: self.connection,
            serial,
            packet_id: id,
            qos,
        })
    }

    /// A QoS 2 message came again that has been handed over: it is answered when it is handled, or at once if it is.
    fn repeated(&mut self, mut debt: Debt) {
        let is_owed = self
            .exactly_once
            .queue
            .iter()
            .any(|other| other.packet_id == debt.packet_id);
        if !is_owed {
            debt.verdict = match self.carried.get(&debt.packet_id.get()) {
                Some(carried) => carried.verdict,
                None => Some(ReasonCode::SUCCESS),
            };
            self.unfinished.insert(debt.packet_id.get());
            self.exactly_once.push(debt);
        }
    }

    /// The application has handled a message. Says whether that is news.
    pub(super) fn handled(
        &mut self,
        token: AckToken,
        reason: ReasonCode,
        words: Option<Box<Properties>>,
    ) -> bool {
        if token.connection != self.connection {
            return self.handled_late(token, reason);
        }
        let debts = if token.qos == QoS::ExactlyOnce {
            &mut self.exactly_once
        } else {
            &mut self.at_least_once
        };
        match debts
            .get_mut(token.serial)
            .filter(|debt| debt.packet_id.get() == token.packet_id && debt.verdict.is_none())
        {
            Some(debt) => {
                debt.verdict = Some(reason);
                debt.words = words;
                true
            }
            None => false,
        }
    }

    /// A token of an earlier connection acknowledges nothing there; but a QoS 2 message that was handed over then is handled now.
    fn handled_late(&mut self, token: AckToken, reason: ReasonCode) -> bool {
        let Some(carried) = self
            .carried
            .get_mut(&token.packet_id)
            .filter(|carried| carried.token == token)
        else {
            return false;
        };
        carried.verdict.get_or_insert(reason);
        let again = self
            .exactly_once
            .queue
            .iter_mut()
            .find(|debt| debt.packet_id.get() == token.packet_id);
        if let Some(debt) = again {
            debt.verdict.get_or_insert(reason);
        }
        true
    }

    /// PUBREL: the identifier is free again. Says whether it was known.
    fn released(&mut self, packet_id: PacketId) -> bool {
        self.unfinished.remove(packet_id.get());
        self.carried.remove(&packet_id.get());
        self.doubted.remove(packet_id.get());
        self.received.remove(packet_id.get())
    }

    /// Takes the next acknowledgement that may be sent.
    fn next_due(&mut self) -> Option<(PacketType, Debt)> {
        if let Some(debt) = self.at_least_once.pop_handled() {
            return Some((PacketType::PubAck, debt));
        }
        let debt = self.exactly_once.pop_handled()?;
        if debt.verdict.is_some_and(ReasonCode::is_error) {
            // A failing PUBREC ends the exchange; the identifier is that of a new message from then on (MQTT 5, 4.3.3-9).
            self.released(debt.packet_id);
        }
        self.carried.remove(&debt.packet_id.get());
        Some((PacketType::PubRec, debt))
    }

    /// The message of each QoS that holds back all after it and has not been reported.
    fn holding(&mut self) -> impl Iterator<Item = (AckToken, &mut Debt)> {
        let connection = self.connection;
        let queues = [
            (QoS::AtLeastOnce, &mut self.at_least_once),
            (QoS::ExactlyOnce, &mut self.exactly_once),
        ];
        queues.into_iter().filter_map(move |(qos, debts)| {
            let serial = debts.first;
            let debt = debts.queue.front_mut().filter(|debt| !debt.reported)?;
            Some((
                AckToken {
                    connection,
                    serial,
                    packet_id: debt.packet_id.get(),
                    qos,
                },
                debt,
            ))
        })
    }
}

impl Engine {
    /// The application has handled a message, or failed to.
    pub(super) fn acknowledge(
        &mut self,
        token: AckToken,
        reason: ReasonCode,
        words: Option<Box<Properties>>,
    ) {
        let reason = sayable(reason);
        if self.owed.handled(token, reason, words) {
            self.stats.handler_failures = self
                .stats
                .handler_failures
                .saturating_add(u64::from(reason.is_error()));
            self.send_acknowledgements();
        }
    }

    /// Queues every acknowledgement whose turn has come. None may follow DISCONNECT (3.14.4-1; in 3.1.1, 3.14.4-2): what is owed then ends with the
    /// connection.
    pub(super) fn send_acknowledgements(&mut self) {
        if self.life.state() != State::Online {
            return;
        }
        while let Some((packet, debt)) = self.owed.next_due() {
            let verdict = debt.verdict.unwrap_or(ReasonCode::SUCCESS);
            let plain = verdict == ReasonCode::SUCCESS && debt.words.is_none();
            if plain || self.broker.version == Version::V311 {
                self.send_plain_ack(packet, debt.packet_id);
            } else {
                let words = debt.words.map(|words| *words).unwrap_or_default();
                self.send_answer(packet, debt.packet_id, verdict, words);
            }
        }
        self.watch_for_held();
    }

    /// PUBREL ends what PUBREC began.
    pub(super) fn pubrel(&mut self, ack: &Ack) {
        let known = self.owed.released(ack.packet_id);
        let reason = if known {
            ReasonCode::SUCCESS
        } else {
            ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
        };
        self.answer(PacketType::PubComp, ack, reason);
    }

    /// Reports a message whose acknowledgement is held back for too long, once.
    pub(super) fn report_held(&mut self) {
        let now = self.now;
        for (token, debt) in self.owed.holding() {
            if debt.since + HELD_TOO_LONG <= now {
                debt.reported = true;
                self.events.push(Event::Notice(Notice::AcknowledgementHeld {
                    token,
                    waiting: now.since(debt.since),
                }));
            }
        }
        self.watch_for_held();
    }

    pub(super) fn watch_for_held(&mut self) {
        if !self.timers.is_set(Timer::AcknowledgementHeld)
            && let Some(since) = self.owed.holding().map(|(_, debt)| debt.since).min()
        {
            self.timers
                .set(Timer::AcknowledgementHeld, since + HELD_TOO_LONG);
        }
    }
}

/// The reason itself, if it may stand in PUBACK and PUBREC; else only whether the message was handled. Whoever acknowledges has been told
/// before what is allowed ([`sentence::acknowledgement`](crate::sentence::acknowledgement)); no other code leaves in any case.
fn sayable(reason: ReasonCode) -> ReasonCode {
    match reason {
        _ if ReasonCode::of_acknowledgements().any(|listed| listed == reason) => reason,
        _ if reason.is_error() => ReasonCode::UNSPECIFIED_ERROR,
        _ => ReasonCode::SUCCESS,
    }
}
