//! What the broker's acknowledgements do to letters in flight: PUBACK, PUBREC, PUBCOMP.
use alloc::boxed::Box;
use alloc::string::{String, ToString};

use bytes::BytesMut;

use super::Engine;
use super::lifecycle::State;
use super::window::{Slot, Step};
use crate::checked;
use crate::codec::{Ack, Properties};
use crate::outcome::{Outcome, OutcomeDetail, OutcomeStatus};
use crate::packet_type::PacketType;
use crate::reason::ReasonCode;

const PUBACK: u8 = PacketType::PubAck.first_byte();

/// The broker answered an exchange with a packet that does not belong there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutOfStep;

impl Engine {
    /// PUBACK ends a QoS 1 exchange. One for an unknown identifier is ignored, as for one that was given up.
    pub(super) fn puback(&mut self, ack: &Ack) -> Result<(), OutOfStep> {
        match self.window.get(ack.packet_id.get()) {
            Slot::Letter(_, Step::PubAck) | Slot::Settled(Step::PubAck) => {
                self.exchange_over(ack, outcome_of(ack));
            }
            Slot::Empty => {}
            Slot::Letter(..) | Slot::Settled(_) | Slot::Request => return Err(OutOfStep),
        }
        Ok(())
    }

    /// Takes PUBACKs of success for letters in flight from the front of the buffer. One comes for every letter of QoS 1: they are read where they lie.
    pub(super) fn plain_pubacks(&mut self, buffer: &mut BytesMut) {
        if self.life.state() != State::Online || self.shows_pubacks() {
            return;
        }
        let mut taken = 0;
        while let Some(&[PUBACK, 2, high, low]) = buffer.get(taken..).and_then(<[u8]>::first_chunk)
        {
            let id = u16::from_be_bytes([high, low]);
            let Slot::Letter(key, Step::PubAck) = self.window.get(id) else {
                break;
            };
            self.window.release(id);
            let outcome = Outcome::new(OutcomeStatus::Acknowledged);
            self.finish(key, outcome.with_reason(ReasonCode::SUCCESS));
            taken = taken.saturating_add(4);
        }
        checked::skip(buffer, taken);
    }

    /// PUBREC: the broker has the letter, and the exchange goes on with PUBREL; or it refuses it, and the exchange is over.
    pub(super) fn pubrec(&mut self, ack: &Ack) -> Result<(), OutOfStep> {
        let id = ack.packet_id.get();
        match self.window.get(id) {
            Slot::Letter(_, Step::PubRec) | Slot::Settled(Step::PubRec)
                if ack.reason.is_error() =>
            {
                self.exchange_over(ack, outcome_of(ack));
            }
            Slot::Letter(key, Step::PubRec) => {
                self.no_longer_watched(key);
                self.window.set(id, Slot::Letter(key, Step::PubComp));
                self.answer(PacketType::PubRel, ack, ReasonCode::SUCCESS);
            }
            Slot::Settled(Step::PubRec) => {
                self.window.set(id, Slot::Settled(Step::PubComp));
                self.answer(PacketType::PubRel, ack, ReasonCode::SUCCESS);
            }
            Slot::Letter(_, Step::PubComp) | Slot::Settled(Step::PubComp) => {
                self.answer(PacketType::PubRel, ack, ReasonCode::SUCCESS);
            }
            // An exchange of which nothing is known here is ended, too (MQTT 5, 3.6.2.1).
            Slot::Empty if !ack.reason.is_error() => self.answer(
                PacketType::PubRel,
                ack,
                ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
            ),
            Slot::Empty => {}
            Slot::Letter(_, Step::PubAck) | Slot::Settled(Step::PubAck) | Slot::Request => {
                return Err(OutOfStep);
            }
        }
        Ok(())
    }

    /// PUBCOMP ends a QoS 2 exchange. With "packet identifier not found" too: the broker had the letter, and had forgotten the exchange.
    pub(super) fn pubcomp(&mut self, ack: &Ack) -> Result<(), OutOfStep> {
        let id = ack.packet_id.get();
        if self.cleared(id) {
            return Ok(());
        }
        match self.window.get(id) {
            Slot::Letter(_, Step::PubComp) | Slot::Settled(Step::PubComp) => {
                let outcome = Outcome::new(OutcomeStatus::Acknowledged).with_reason(ack.reason);
                self.exchange_over(ack, with_words(outcome, &ack.properties));
            }
            Slot::Empty => {}
            Slot::Letter(..) | Slot::Settled(_) | Slot::Request => return Err(OutOfStep),
        }
        Ok(())
    }

    fn exchange_over(&mut self, ack: &Ack, outcome: Outcome) {
        let id = ack.packet_id.get();
        let slot = self.window.get(id);
        self.window.release(id);
        if let Some(key) = slot.letter() {
            self.finish(key, outcome);
        }
    }
}

fn outcome_of(ack: &Ack) -> Outcome {
    let status = if ack.reason.is_error() {
        OutcomeStatus::Rejected
    } else {
        OutcomeStatus::Acknowledged
    };
    with_words(
        Outcome::new(status).with_reason(ack.reason),
        &ack.properties,
    )
}

fn with_words(outcome: Outcome, properties: &Properties) -> Outcome {
    if properties.is_empty() {
        return outcome;
    }
    let detail = OutcomeDetail {
        reason_string: properties.reason_string().map(ToString::to_string),
        user_properties: properties
            .user_properties()
            .map(|(name, value)| (String::from(name), String::from(value)))
            .collect(),
    };
    Outcome {
        detail: Some(Box::new(detail)),
        ..outcome
    }
}
