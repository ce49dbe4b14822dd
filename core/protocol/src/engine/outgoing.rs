//! From the post office to the wire: which letter may go now, and the frame it goes in.
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::Engine;
use super::aliases::Outgoing;
use super::handshake::Broker;
use super::letter::{Letter, Whereabouts};
use super::lifecycle::State;
use super::shelf::LetterKey;
use super::window::{Slot, Step};
use super::wire::{Sent, Wire};
use crate::codec::{EncodeError, PacketId, PublishHead, Version, encode_plain_publish};
use crate::message::QoS;
use crate::options::PropertiesOn311;
use crate::outcome::{Outcome, OutcomeDetail, OutcomeStatus};
use crate::reason::ReasonCode;

/// What keeps a letter from being sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// As many letters as allowed are unacknowledged, or all identifiers are spanned.
    Window,
    /// The identifier has to be cleared first, on an adopted session.
    Clearing,
}

impl Engine {
    /// Composes as much as the socket is to be offered: control packets, requests, what has to be sent again, then letters in their order.
    pub(super) fn compose(&mut self) {
        if !self.wire.is_open() {
            return;
        }
        // Before the application has agreed to what the broker proved, nothing of its own is sent there.
        let online = self.life.state() == State::Online && !self.authentication.is_unsettled();
        if online {
            self.compose_requests();
        }
        if !self.wire.begin_offer() || !online || !self.compose_replay() || self.asking.has_unsent()
        {
            return;
        }
        self.compose_straight();
        while self.wire.has_room() {
            let Some(key) = self.office.take_next(&mut self.shelf) else {
                break;
            };
            if self.compose_letter(key).is_err() {
                self.let_wait_in_front(key);
                break;
            }
        }
        // An adopted session may have asked for identifiers to be cleared. Behind letters that has to wait for the next offer: what the
        // socket does not take of letters is dropped to the end.
        if !self.wire.wants_offer() {
            self.wire.begin_offer();
        }
    }

    /// Composes the letter whose turn it is, or settles it if this broker cannot take it.
    #[inline(always)]
    pub(super) fn compose_letter(&mut self, key: LetterKey) -> Result<(), Held> {
        let Some(letter) = self.shelf.get(key) else {
            return Ok(());
        };
        if self.is_refused(letter) {
            let refusal = self.refusal(letter);
            self.finish(key, refusal);
            return Ok(());
        }
        let (sent, id) = match letter.qos {
            QoS::AtMostOnce => (Sent::Once(key), None),
            qos => {
                let id = self.take_identifier(key, qos)?;
                (Sent::First(id), Some(id))
            }
        };
        if let Err(error) = self.compose_frame(key, id, false, sent) {
            if let Some(id) = id {
                self.window.give_back(id);
            }
            let begun = self.shelf.get(key).is_some_and(|letter| letter.begun);
            self.finish(key, too_large(error).with_maybe_delivered(begun));
            return Ok(());
        }
        if let Some(letter) = self.shelf.get_mut(key) {
            letter.place = id.map_or(Whereabouts::Moving, Whereabouts::InFlight);
            letter.attempts = letter.attempts.saturating_add(1);
        }
        Ok(())
    }

    /// The next identifier, if the window has room for one more.
    #[inline(always)]
    fn take_identifier(&mut self, key: LetterKey, qos: QoS) -> Result<u16, Held> {
        if self.window.unacknowledged() >= self.window_limit() {
            return Err(Held::Window);
        }
        let Some(upcoming) = self.window.upcoming() else {
            self.watch_oldest_identifier();
            return Err(Held::Window);
        };
        let step = if qos == QoS::ExactlyOnce {
            Step::PubRec
        } else {
            Step::PubAck
        };
        if step == Step::PubRec && !self.clear_for_use(upcoming) {
            return Err(Held::Clearing);
        }
        self.window
            .allocate(Slot::Letter(key, step))
            .ok_or(Held::Window)
    }

    /// How many letters of QoS 1 and 2 may be unacknowledged: our own limit and the broker's (MQTT 5, 4.9).
    pub(super) fn window_limit(&self) -> usize {
        usize::from(self.options.max_in_flight.min(self.broker.receive_maximum))
    }

    /// Composes the PUBLISH of a letter on the shelf. Nothing is written if it is larger than the
    /// broker takes.
    #[inline(always)]
    pub(super) fn compose_frame(
        &mut self,
        key: LetterKey,
        id: Option<u16>,
        dup: bool,
        sent: Sent,
    ) -> Result<(), EncodeError> {
        let Some(letter) = self.shelf.get(key) else {
            return Ok(());
        };
        let expiry = self.remaining_expiry(letter);
        let texts = self.shelf.texts(letter);
        let framing = Framing { id, dup, expiry };
        let start = self.wire.composed();
        let (wire, aliases) = (&mut self.wire, &mut self.aliases);
        write_frame(wire, &self.broker, aliases, letter, texts, framing)?;
        self.wire.end_frame(start, sent);
        Ok(())
    }

    /// The Message Expiry Interval: what is left of a TTL that is forwarded, in seconds rounded up, or the caller's own if that is shorter.
    #[inline(always)]
    pub(super) fn remaining_expiry(&self, letter: &Letter) -> Option<u32> {
        let forwarded = (letter.own_ttl && self.options.forward_ttl).then(|| {
            let left = letter.deadline.since(self.now);
            let seconds = left
                .as_secs()
                .saturating_add(u64::from(left.subsec_nanos() > 0));
            u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
        });
        match (forwarded, letter.message_expiry) {
            (Some(forwarded), Some(own)) => Some(forwarded.min(own)),
            (forwarded, own) => forwarded.or(own),
        }
    }

    /// Can this broker not be sent this letter at all, whatever its size (MQTT 5, 3.2.2.3).
    #[inline(always)]
    pub(super) fn is_refused(&self, letter: &Letter) -> bool {
        let broker = &self.broker;
        letter.qos > broker.maximum_qos
            || letter.retain && !broker.retain_available
            || broker.version == Version::V311
                && letter.has_properties()
                && self.options.properties_on_311 == PropertiesOn311::Reject
    }

    /// The outcome of a letter that this broker cannot be sent.
    pub(super) fn refusal(&self, letter: &Letter) -> Outcome {
        let broker = &self.broker;
        let (reason, words) = if letter.qos > broker.maximum_qos {
            let most = u8::from(broker.maximum_qos);
            let words = format!("the broker takes at most QoS {most}");
            (Some(ReasonCode::QOS_NOT_SUPPORTED), words)
        } else if letter.retain && !broker.retain_available {
            let words = "the broker retains no messages".into();
            (Some(ReasonCode::RETAIN_NOT_SUPPORTED), words)
        } else {
            let words = "the letter has MQTT 5 properties, and the connection speaks MQTT 3.1.1";
            (None, words.into())
        };
        rejected(reason, words).with_maybe_delivered(letter.begun)
    }

    /// The system took bytes of the last offer. If the socket is stalled, letters of which it took nothing are waiting letters again.
    pub(super) fn written(&mut self, count: usize) {
        let count = self.wire.written(count);
        if self.wire.is_stalled() {
            self.tell_straight_apart();
        }
        while let Some(sent) = self.wire.pop_taken() {
            match sent {
                Sent::Straight(count) => self.straight_sent(count),
                Sent::Once(key) => {
                    self.count_sent(QoS::AtMostOnce, 1);
                    self.finish(
                        key,
                        Outcome::new(OutcomeStatus::Sent).with_maybe_delivered(true),
                    );
                }
                Sent::First(id) | Sent::Again(id) => match self.window.get(id).step() {
                    Some(Step::PubAck) => self.count_sent(QoS::AtLeastOnce, 1),
                    Some(Step::PubRec) => self.count_sent(QoS::ExactlyOnce, 1),
                    Some(Step::PubComp) | None => {} // PUBREL
                },
            }
        }
        while let Some(sent) = self.wire.pop_untaken() {
            self.take_back(sent);
        }
        self.straight_is_stuck();
        if self.wire.is_stalled() {
            self.aliases.taken_back(self.wire.composed());
        }
        self.stats.bytes_out = self.stats.bytes_out.saturating_add(count as u64);
        self.after_write(count);
    }

    pub(super) fn count_sent(&mut self, qos: QoS, count: u64) {
        if let Some(sent) = self.stats.messages_out.get_mut(usize::from(u8::from(qos))) {
            *sent = sent.saturating_add(count);
        }
    }

    /// A frame that was composed and of which nothing was sent.
    fn take_back(&mut self, sent: Sent) {
        match sent {
            Sent::Straight(count) => self.straight_waits(count),
            Sent::Once(key) => self.wait_again(key, false),
            Sent::First(id) => {
                let slot = self.window.get(id);
                self.window.give_back(id);
                if let Some(key) = slot.letter() {
                    self.wait_again(key, false);
                }
            }
            Sent::Again(id) => self.window.unreplayed(id),
        }
    }

    /// A letter whose frame was taken back waits again. `begun`: its first byte was sent, so from now
    /// on it may have arrived, and does not give way to others.
    pub(super) fn wait_again(&mut self, key: LetterKey, begun: bool) {
        self.leave_straight();
        if let Some(letter) = self.shelf.get_mut(key) {
            letter.begun |= begun;
            letter.attempts =
                letter
                    .attempts
                    .saturating_sub(if begun { 0 } else { letter.attempts.min(1) });
        }
        self.let_wait_in_front(key);
    }

    /// A letter waits behind those before it.
    pub(super) fn let_wait(&mut self, key: LetterKey) {
        if let Some(letter) = self.shelf.get_mut(key) {
            self.office.queue(key, letter);
        }
    }

    pub(super) fn let_wait_in_front(&mut self, key: LetterKey) {
        if let Some(letter) = self.shelf.get_mut(key) {
            self.office.queue_in_front(key, letter);
        }
    }
}

/// What a frame says beside its letter.
pub(super) struct Framing {
    pub(super) id: Option<u16>,
    pub(super) dup: bool,
    pub(super) expiry: Option<u32>,
}

/// Writes the frame of a letter.
#[inline(always)]
pub(super) fn write_frame(
    wire: &mut Wire,
    broker: &Broker,
    aliases: &mut Outgoing,
    letter: &Letter,
    texts: &[u8],
    framing: Framing,
) -> Result<(), EncodeError> {
    let plain = letter.body.properties == 0 && framing.expiry.is_none() && letter.large.is_none();
    if plain && framing.id.is_none() && broker.version == Version::V5 && !aliases.is_on() {
        // The usual at QoS 0: all that follows the head lies there as it is to be sent.
        let length = usize::from(letter.body.topic)
            .saturating_add(1)
            .saturating_add(usize::from(letter.body.payload));
        let tail = texts.get(..length).unwrap_or_default();
        let limit = broker.maximum_packet_size;
        return encode_plain_publish(letter.body.topic, letter.retain, tail, limit, wire.run());
    }
    let texts = letter.body.split(texts);
    let start = wire.composed();
    let named = aliases.name(texts.topic, start);
    let mut head = PublishHead {
        topic: if named.is_some_and(|named| named.known) {
            &[]
        } else {
            texts.topic
        },
        alias: named.map(|named| named.alias),
        qos: letter.qos,
        retain: letter.retain,
        dup: framing.dup,
        packet_id: framing.id.and_then(PacketId::new),
        properties: texts.properties,
        expiry: framing.expiry,
        payload_length: letter.payload_length(),
    };
    let limit = broker.maximum_packet_size;
    if let Err(error) = head.encode(broker.version, limit, wire.run()) {
        aliases.taken_back(start);
        if named.is_none_or(|named| named.known) {
            return Err(error);
        }
        // It may fit without the three bytes that define an alias.
        head.alias = None;
        head.encode(broker.version, limit, wire.run())?;
    }
    wire.payload(texts.payload, letter.large.as_deref());
    Ok(())
}

/// The outcome of a letter that the broker would not take at this size (MQTT 5, 3.2.2.3.6).
pub(super) fn too_large(error: EncodeError) -> Outcome {
    rejected(Some(ReasonCode::PACKET_TOO_LARGE), format!("{error}"))
}

fn rejected(reason: Option<ReasonCode>, words: String) -> Outcome {
    let detail = OutcomeDetail {
        reason_string: Some(words),
        ..OutcomeDetail::default()
    };
    Outcome {
        reason,
        detail: Some(Box::new(detail)),
        ..Outcome::new(OutcomeStatus::Rejected)
    }
}
