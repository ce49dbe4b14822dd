//! From bytes to events: packets of the broker, in order, each to the part that it concerns.
use bytes::BytesMut;

use super::Engine;
use super::event::{AckToken, Event, Incoming, Notice};
use super::lifecycle::State;
use crate::codec::{
    self, Ack, DecodeError, Decoded, Limits, Oversized, Packet, PacketId, Publish, Side, Version,
};
use crate::error::{Error, ErrorKind};
use crate::message::QoS;
use crate::packet_type::PacketType;
use crate::reason::ReasonCode;

/// Packets below this size are copied, so that a message that is kept does not keep the read buffer.
const COPY_BELOW: usize = 512;
/// Bytes of answers that may wait for a socket that takes none. A broker that reads nothing and still asks for more is given up.
const MOST_ANSWERS: usize = 1 << 20;

/// Why a connection is given up: the broker broke a rule.
pub(super) struct Violation {
    pub(super) reason: ReasonCode,
    pub(super) error: Error,
}

impl Violation {
    pub(super) fn new(reason: ReasonCode, words: &'static str) -> Violation {
        Violation {
            reason,
            error: Error::new(ErrorKind::ProtocolViolation, words).with_reason(reason),
        }
    }
}

impl From<DecodeError> for Violation {
    fn from(error: DecodeError) -> Violation {
        let reason = error.reason;
        Violation {
            reason,
            error: Error::new(ErrorKind::ProtocolViolation, alloc::format!("{error}"))
                .with_reason(reason),
        }
    }
}

fn before_connack() -> Violation {
    Violation::new(
        ReasonCode::PROTOCOL_ERROR,
        "the broker sent another packet before CONNACK (3.2.0-1)",
    )
}

impl Engine {
    /// Takes every complete packet out of the buffer.
    pub(super) fn received(&mut self, buffer: &mut BytesMut) {
        let before = buffer.len();
        let limits = Limits {
            max_packet_size: self.options.max_packet_size,
            copy_below: COPY_BELOW,
            ..Limits::default()
        };
        while self.life.state().is_connected() && self.skipped_oversized(buffer) {
            self.plain_pubacks(buffer);
            let version = self.version_of(buffer);
            let taken = match codec::decode(buffer, version, Side::Server, &limits) {
                Ok(Decoded::Packet(mut packet)) => self.packet(&mut packet),
                Ok(Decoded::NeedMore(_)) => break,
                Ok(Decoded::TooLarge(oversized)) => self.oversize(oversized),
                Err(error) => Err(error.into()),
            };
            if let Err(violation) = taken {
                self.violated(violation);
            }
        }
        if !self.life.state().is_connected() {
            buffer.clear(); // of a connection that is given up
        }
        self.stats.bytes_in = self
            .stats
            .bytes_in
            .saturating_add(before.saturating_sub(buffer.len()) as u64);
        self.heard();
    }

    /// Skips what has come of a packet that is too large. Says whether nothing of it is left.
    fn skipped_oversized(&mut self, buffer: &mut BytesMut) -> bool {
        let skipped = self
            .oversized
            .as_mut()
            .is_none_or(|packet| packet.skip(buffer));
        if skipped {
            self.oversized = None;
        }
        skipped
    }

    /// The version in which the next packet is to be read. A broker that does not know MQTT 5 may
    /// refuse in the form of its own version: four bytes, where the shortest CONNACK of MQTT 5 has
    /// five. Some put the reason code of MQTT 5 into it, which means the same as their own.
    fn version_of(&self, buffer: &mut BytesMut) -> Version {
        let handshaking = self.life.state() == State::Handshaking;
        if !handshaking || !buffer.starts_with(&[0x20, 2]) {
            return self.broker.version;
        }
        let unsupported = ReasonCode::UNSUPPORTED_PROTOCOL_VERSION;
        let asked_for_5 = self.broker.version == Version::V5;
        if let Some([flags, code]) = buffer.get_mut(2..4).and_then(|rest| rest.first_chunk_mut()) {
            // Who accepts MQTT 5 in the form of 3.1.1 has not understood what it accepts.
            if *code == unsupported.0 || asked_for_5 && *code == ReasonCode::SUCCESS.0 {
                *flags &= !1;
                *code = unsupported.to_v311_return_code();
            }
        }
        Version::V311
    }

    /// A packet above our limit: on MQTT 5 the broker has been told and breaks a rule; on 3.1.1 it is skipped and acknowledged.
    fn oversize(&mut self, oversized: Oversized) -> Result<(), Violation> {
        if self.broker.version == Version::V5 || oversized.header.packet != PacketType::Publish {
            return Err(oversized.error(self.broker.version).into());
        }
        if self.life.state() == State::Handshaking {
            return Err(before_connack());
        }
        self.stats.oversize = self.stats.oversize.saturating_add(1);
        self.events.push(Event::Notice(Notice::OversizeSkipped {
            length: oversized.header.total() as u64,
        }));
        if let Some(packet_id) = oversized.packet_id {
            if let Some(token) = self.owe(packet_id, oversized.qos, oversized.dup())? {
                self.owed.handled(token, ReasonCode::SUCCESS, None);
            }
            self.send_acknowledgements();
            self.bounded_answers()?;
        }
        self.oversized = Some(oversized);
        Ok(())
    }

    fn packet(&mut self, packet: &mut Packet) -> Result<(), Violation> {
        self.check_words(packet)?;
        self.show(packet);
        match (self.life.state(), packet) {
            (State::Handshaking, Packet::ConnAck(connack)) => self.connack(connack),
            (State::Handshaking, Packet::Auth(auth)) => self.auth(auth),
            (State::Handshaking, _) => Err(before_connack()),
            (_, packet) => self.online_packet(packet),
        }
    }

    /// Words that CONNECT did not ask for may stand in PUBLISH, CONNACK and DISCONNECT alone (MQTT 5, 3.1.2-29).
    fn check_words(&self, packet: &Packet) -> Result<(), Violation> {
        let properties = match packet {
            Packet::PubAck(ack)
            | Packet::PubRec(ack)
            | Packet::PubRel(ack)
            | Packet::PubComp(ack) => &ack.properties,
            Packet::SubAck(answer) | Packet::UnsubAck(answer) => &answer.properties,
            Packet::Auth(auth) => &auth.properties,
            _ => return Ok(()),
        };
        let has_words =
            properties.reason_string().is_some() || properties.user_properties().next().is_some();
        if self.options.request_problem_information || !has_words {
            return Ok(());
        }
        Err(Violation::new(
            ReasonCode::PROTOCOL_ERROR,
            "the broker gave reasons that were not asked for (3.1.2-29)",
        ))
    }

    fn online_packet(&mut self, packet: &mut Packet) -> Result<(), Violation> {
        match packet {
            Packet::Publish(publish) => self.message(core::mem::take(publish)),
            Packet::PubAck(ack) => self.in_step(Engine::puback, ack),
            Packet::PubRec(ack) => self.in_step(Engine::pubrec, ack),
            Packet::PubComp(ack) => self.in_step(Engine::pubcomp, ack),
            Packet::PubRel(ack) => {
                self.pubrel(ack);
                self.bounded_answers()
            }
            Packet::SubAck(answer) => self.suback(answer),
            Packet::UnsubAck(answer) => self.unsuback(answer),
            Packet::PingResp => {
                self.pong();
                Ok(())
            }
            Packet::Disconnect(disconnect) => {
                self.broker_disconnects(disconnect);
                Ok(())
            }
            Packet::ConnAck(_) => Err(Violation::new(
                ReasonCode::PROTOCOL_ERROR,
                "the broker sent a second CONNACK (3.2.0-2)",
            )),
            Packet::Auth(auth) => self.auth(auth),
            // Packets that only clients send are refused by the decoder.
            Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::PingReq => Ok(()),
        }
    }

    fn in_step(
        &mut self,
        take: impl Fn(&mut Engine, &Ack) -> Result<(), super::acknowledged::OutOfStep>,
        ack: &Ack,
    ) -> Result<(), Violation> {
        take(self, ack).map_err(|_| {
            Violation::new(
                ReasonCode::PROTOCOL_ERROR,
                "the broker answered with a packet that does not belong to the exchange (4.3)",
            )
        })?;
        self.bounded_answers()
    }

    fn bounded_answers(&mut self) -> Result<(), Violation> {
        self.bounded_held()?;
        match self.wire.control().len() {
            0..=MOST_ANSWERS => Ok(()),
            _ => Err(Violation::new(
                ReasonCode::QUOTA_EXCEEDED,
                "the broker reads no answers and asks for more",
            )),
        }
    }

    /// An application message: handed over once, and owed an acknowledgement.
    fn message(&mut self, publish: Publish) -> Result<(), Violation> {
        let mut message = publish.message;
        self.broker_aliases
            .resolve(&mut message, self.options.topic_alias_maximum)?;
        let token = match publish.packet_id {
            None => None,
            Some(packet_id) => {
                let Some(token) = self.owe(packet_id, message.qos, message.dup)? else {
                    self.send_acknowledgements();
                    return self.bounded_answers();
                };
                self.watch_for_held();
                self.bounded_answers()?;
                Some(token)
            }
        };
        if let Some(count) = self
            .stats
            .messages_in
            .get_mut(usize::from(u8::from(message.qos)))
        {
            *count = count.saturating_add(1);
        }
        let subscriptions = self.subscriptions.matches(&message);
        self.events.push(Event::Message(Incoming {
            message,
            token,
            subscriptions,
        }));
        Ok(())
    }

    /// A message came that is to be acknowledged. Says with which token it is to be handed over; `None` if it has been handed over already.
    fn owe(
        &mut self,
        packet_id: PacketId,
        qos: QoS,
        dup: bool,
    ) -> Result<Option<AckToken>, Violation> {
        if self.owed.unfinished() >= self.receive_limit() {
            return Err(Violation::new(
                ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
                "the broker sent more messages of QoS 1 and 2 than it may without acknowledgement (3.3.4-9)",
            ));
        }
        Ok(self.owed.receive(packet_id, qos, dup, self.now))
    }

    /// How many messages the broker may have sent without acknowledgement. MQTT 3.1.1 has no such limit, but only so many identifiers.
    fn receive_limit(&self) -> usize {
        let limit = if self.broker.version == Version::V5 {
            self.options.receive_maximum
        } else {
            u16::MAX
        };
        usize::from(limit)
    }
}
