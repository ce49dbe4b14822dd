//! Claims about what a client puts onto the wire: which letter, when, in which order, under which packet id.

use leveret_protocol::options::{ClientOptions, OnSessionLost};

use super::outcomes::may_be_late;
use super::{Failure, Verdict, claim, seconds};
use crate::sim::frames::{Frame, kind};
use crate::sim::ledger::{Holder, Ledger, Letter};
use crate::sim::network::{Nanos, SECOND};

/// What is remembered of one connection's outgoing side.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Its number.
    pub connection: u32,
    /// DISCONNECT was begun.
    pub goodbye: bool,
    /// CONNACK of success has come.
    pub accepted: bool,
    /// The place of the last letter that was sent again.
    pub last_again: u64,
    /// A letter of QoS 1 or 2 was sent that had not been sent before.
    pub new_begun: bool,
    /// When PUBREL and PUBCOMP were begun last, by packet id.
    pub answers_at: std::collections::BTreeMap<(u8, u16), Nanos>,
    /// When SUBSCRIBE and UNSUBSCRIBE were composed at the earliest, by packet id.
    pub requests: std::collections::BTreeMap<u16, Nanos>,
    /// QoS 1 and 2 letters begun here and not acknowledged.
    pub in_flight: std::collections::BTreeSet<u16>,
}

/// All claims about a frame whose first byte was just taken, PUBLISH apart.
pub fn frame_may_be_sent(sent: &Sent, ledger: &Ledger, frame: &Frame) -> Verdict {
    claim(!sent.goodbye, "nothing_after_disconnect", || {
        format!(
            "packet type {} after DISCONNECT (5.0 MQTT-3.14.4-1, 3.1.1 MQTT-3.14.4-2)",
            frame.kind
        )
    })?;
    let request = matches!(frame.kind, kind::SUBSCRIBE | kind::UNSUBSCRIBE);
    claim(
        !request || !ledger.ids.contains_key(&frame.packet_id),
        "packet_id_is_free",
        || {
            format!(
                "a request takes packet id {}, which {:?} holds",
                frame.packet_id,
                ledger.ids.get(&frame.packet_id)
            )
        },
    )
}

/// All claims about a PUBLISH whose first byte was just taken; called before the ledger knows of it.
pub fn letter_may_be_begun<'a>(
    ledger: &'a Ledger,
    sent: &Sent,
    options: &ClientOptions,
    now: Nanos,
    frame: &Frame,
) -> Result<&'a Letter, Failure> {
    let number = frame.letter.ok_or_else(|| Failure {
        checker: "letter_is_known",
        message: "a PUBLISH without a letter's number".into(),
    })?;
    let letter = ledger.letters.get(&number).ok_or_else(|| Failure {
        checker: "letter_is_known",
        message: format!("letter {number:x} was never accepted from this client"),
    })?;
    letter_is_as_posted(letter, frame)?;
    letter_is_not_late(letter, options, now)?;
    claim(letter.recorded.is_none(), "no_publish_after_pubrec", || {
        format!(
            "letter {:x} is sent again after PUBREC (5.0 MQTT-4.3.3-6, 3.1.1 MQTT-4.3.3-1)",
            letter.number
        )
    })?;
    letter_is_not_settled(letter, options, now)?;
    letter_is_begun_once_per_connection(letter, sent)?;
    letter_is_sent_again_only_by_rule(ledger, letter, options)?;
    packet_id_is_right(ledger, letter, frame)?;
    dup_is_right(ledger, letter, frame)?;
    expiry_is_what_is_left(letter, options, now, frame)?;
    Ok(letter)
}

fn letter_is_as_posted(letter: &Letter, frame: &Frame) -> Verdict {
    claim(
        letter.qos == frame.qos && letter.retain == frame.retain,
        "letter_is_as_posted",
        || {
            format!(
                "letter {:x} was posted with QoS {} retain {}, sent {frame:?}",
                letter.number, letter.qos, letter.retain
            )
        },
    )
}

/// SEMANTICS 4: neither first nor again.
fn letter_is_not_late(letter: &Letter, options: &ClientOptions, now: Nanos) -> Verdict {
    claim(
        letter.deadline.is_none_or(|deadline| now < deadline) || may_be_late(letter, options, now),
        "letter_is_not_late",
        || {
            format!(
                "letter {:x} is begun at {}, its time to live ended at {}",
                letter.number,
                seconds(now),
                seconds(letter.deadline.unwrap_or(0))
            )
        },
    )
}

fn letter_is_not_settled(letter: &Letter, options: &ClientOptions, now: Nanos) -> Verdict {
    claim(
        letter.settled.is_none() || may_be_late(letter, options, now),
        "letter_is_not_settled",
        || {
            format!(
                "letter {:x} is begun after its outcome {:?}",
                letter.number, letter.settled
            )
        },
    )
}

/// 4.4.0-1: at no other time than after a reconnect.
fn letter_is_begun_once_per_connection(letter: &Letter, sent: &Sent) -> Verdict {
    claim(
        letter
            .begun
            .last()
            .is_none_or(|begun| begun.connection != sent.connection),
        "letter_is_begun_once_per_connection",
        || {
            format!(
                "letter {:x} is sent again on connection {} (5.0 MQTT-4.4.0-1)",
                letter.number, sent.connection
            )
        },
    )
}

/// SEMANTICS 8: at QoS 0 never; in a new session by the rule.
fn letter_is_sent_again_only_by_rule(
    ledger: &Ledger,
    letter: &Letter,
    options: &ClientOptions,
) -> Verdict {
    let Some(before) = letter.begun.last() else {
        return Ok(());
    };
    let allowed = !letter.was_sent()
        || letter.qos > 0
            && (letter.was_sent_in(ledger.epoch)
                || match options.on_session_lost {
                    OnSessionLost::RepublishQos1 => letter.qos == 1,
                    OnSessionLost::RepublishAll => true,
                    OnSessionLost::ReportAll => false,
                });
    claim(allowed, "letter_is_sent_again_only_by_rule", || {
        format!(
            "letter {:x} of QoS {} was sent in session {} and is sent again in session {} under {:?}",
            letter.number, letter.qos, before.epoch, ledger.epoch, options.on_session_lost
        )
    })
}

/// An id has one holder, and a letter keeps its own for as long as the session goes on.
fn packet_id_is_right(ledger: &Ledger, letter: &Letter, frame: &Frame) -> Verdict {
    if frame.qos == 0 {
        return Ok(());
    }
    let holder = ledger.ids.get(&frame.packet_id);
    claim(
        holder.is_none_or(|holder| *holder == Holder::Letter(letter.number)),
        "packet_id_is_free",
        || {
            format!(
                "letter {:x} takes packet id {}, which {holder:?} holds",
                letter.number, frame.packet_id
            )
        },
    )?;
    let kept = letter.begun.last().is_none_or(|begun| {
        !letter.was_sent_in(ledger.epoch) || begun.packet_id == frame.packet_id
    });
    claim(kept, "packet_id_is_kept", || {
        format!(
            "letter {:x} is sent again as {}, before as {:?} (3.1.1 MQTT-2.3.1-3)",
            letter.number,
            frame.packet_id,
            letter.begun.last()
        )
    })
}

/// 3.3.1-1 and -2: DUP exactly on what was sent before in this session.
fn dup_is_right(ledger: &Ledger, letter: &Letter, frame: &Frame) -> Verdict {
    let again = frame.qos > 0 && letter.was_sent_in(ledger.epoch);
    claim(frame.dup == again, "dup_is_right", || {
        format!(
            "letter {:x} has DUP {}, sent before in this session: {again} (MQTT-3.3.1-1, -2)",
            letter.number, frame.dup
        )
    })
}

/// SEMANTICS 4: the Message Expiry Interval is the rest of the time to live, rounded up to seconds, or the shorter one of the caller.
fn expiry_is_what_is_left(
    letter: &Letter,
    options: &ClientOptions,
    now: Nanos,
    frame: &Frame,
) -> Verdict {
    if frame.level != 5 || may_be_late(letter, options, now) {
        return Ok(());
    }
    let left = letter
        .forwarded
        .map(|deadline| deadline.saturating_sub(now).div_ceil(SECOND));
    let expected = left.into_iter().chain(letter.expiry.map(u64::from)).min();
    let told = frame.expiry.map(u64::from);
    claim(told == expected, "expiry_is_what_is_left", || {
        format!(
            "letter {:x} has Message Expiry Interval {told:?}, not {expected:?}",
            letter.number
        )
    })
}

/// 3.3.4-7, 4.9.0: never more in flight than the client's own bound; the broker's receive maximum is the model broker's to check.
pub fn window_is_kept(sent: &Sent, options: &ClientOptions) -> Verdict {
    claim(
        sent.in_flight.len() as u64 <= u64::from(options.max_in_flight),
        "window_is_kept",
        || {
            format!(
                "{} letters in flight, max_in_flight is {}",
                sent.in_flight.len(),
                options.max_in_flight
            )
        },
    )
}
