//! Claims about a broker that breaks the rules: the client says so, tells the broker why, and ends the connection in the same turn (MQTT 5, 4.13).

use leveret_protocol::engine::State;

use super::{Verdict, claim};
use crate::sim::frames::{Frame, kind};
use crate::sim::host::Host;
use crate::sim::ledger::Holder;
use crate::sim::link::Link;
use crate::sim::network::Nanos;
use crate::sim::operation::Misbehaviour;

const MALFORMED: u8 = 0x81;
const PROTOCOL_ERROR: u8 = 0x82;
const IMPLEMENTATION_SPECIFIC_ERROR: u8 = 0x83;
const RECEIVE_MAXIMUM: u8 = 0x93;
const ALIAS_INVALID: u8 = 0x94;
const TOO_LARGE: u8 = 0x95;

/// Nonsense on its way to a client: where in the stream of bytes it lies.
#[derive(Clone, Copy, Debug)]
pub struct Nonsense {
    /// What it is.
    pub how: Misbehaviour,
    /// Its first byte.
    pub from: u64,
    /// The byte behind it.
    pub to: u64,
    /// It has begun to reach the client.
    pub begun: bool,
}

/// What is to be made of nonsense that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// It breaks no rule that ends a connection.
    Tolerated,
    /// Whether it breaks one depends on what cannot be seen from outside.
    Unsure,
    /// It ends the connection with this reason code.
    Certain(u8),
}

/// What happened in the turn in which bytes reached the engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turn {
    /// A breach that has to be noticed, and its reason code.
    pub expected: Option<(Misbehaviour, u8)>,
    /// Nonsense has begun to arrive on this connection, all of which may be a breach.
    pub excused: bool,
    /// The connection was accepted and speaks MQTT 5, so that the broker can be told.
    pub tells: bool,
    /// The engine spoke of a violation, with this reason code.
    pub violation: Option<u8>,
    /// A DISCONNECT of this reason was begun.
    pub goodbye: Option<u8>,
    /// The socket took no more.
    pub stalled: bool,
    /// The connection was given up.
    pub hung_up: bool,
}

/// What the last frame of some nonsense is to the client, before it is heard.
pub fn breach_of(how: Misbehaviour, frame: &Frame, link: &Link, host: &Host, now: Nanos) -> Breach {
    use Breach::{Certain, Tolerated, Unsure};
    let level = link.tap.level();
    if !link.sent.accepted && how != Misbehaviour::FalseSession {
        return match malformed(how, level) {
            Some(code) => Certain(code),
            None if how == Misbehaviour::HalfAPacket => Tolerated,
            None => Unsure,
        };
    }
    match how {
        Misbehaviour::SecondConnack | Misbehaviour::FalseSession => Certain(PROTOCOL_ERROR),
        Misbehaviour::StrayAck { .. } | Misbehaviour::CrossedAck | Misbehaviour::RepeatedAck => {
            out_of_step(frame, host)
        }
        Misbehaviour::StraySuback => match host.ledger.ids.get(&frame.packet_id) {
            Some(Holder::Request) => Unsure,
            _ => Tolerated,
        },
        Misbehaviour::MiscountedSuback => {
            let asked = link.sent.requests.get(&frame.packet_id);
            let patience = host.options.subscribe_timeout.as_nanos();
            let waits = asked.is_some_and(|at| u128::from(now - at) < patience);
            let held = host.ledger.ids.get(&frame.packet_id) == Some(&Holder::Request);
            match (held, waits) {
                (true, true) => Certain(PROTOCOL_ERROR),
                (false, _) => Tolerated,
                (true, false) => Unsure,
            }
        }
        Misbehaviour::UnknownAlias if host.options.topic_alias_maximum < 16 => {
            Certain(ALIAS_INVALID)
        }
        Misbehaviour::UnknownAlias => Certain(PROTOCOL_ERROR),
        Misbehaviour::AliasAboveMaximum if host.options.topic_alias_maximum == u16::MAX => {
            Tolerated
        }
        Misbehaviour::AliasAboveMaximum => Certain(ALIAS_INVALID),
        Misbehaviour::Flood { .. } => Certain(RECEIVE_MAXIMUM),
        Misbehaviour::StrayPong | Misbehaviour::HalfAPacket => Tolerated,
        _ => malformed(how, level).map_or(Unsure, Certain),
    }
}

/// The reason code of what makes no frame: it is known by the place where its bytes end.
pub fn unframed(how: Misbehaviour) -> Option<u8> {
    match how {
        Misbehaviour::Garbage => Some(MALFORMED),
        Misbehaviour::TooLarge => Some(TOO_LARGE),
        _ => None,
    }
}

/// The reason code of what no state of a connection makes right.
fn malformed(how: Misbehaviour, level: u8) -> Option<u8> {
    Some(match how {
        Misbehaviour::WildcardTopic | Misbehaviour::Qos3 => MALFORMED,
        Misbehaviour::ClientPacket => PROTOCOL_ERROR,
        Misbehaviour::NoTopic => PROTOCOL_ERROR,
        Misbehaviour::StrayAuth if level == 5 => PROTOCOL_ERROR,
        Misbehaviour::StrayAuth => MALFORMED,
        Misbehaviour::AliasZero => ALIAS_INVALID,
        _ => return None,
    })
}

/// Whether an acknowledgement does not belong to the exchange that its packet identifier is used for (4.3). One for an
/// identifier that is not in use is no breach: PUBREC and PUBREL are answered, the others ignored.
fn out_of_step(frame: &Frame, host: &Host) -> Breach {
    let letter = match host.ledger.ids.get(&frame.packet_id) {
        Some(Holder::Letter(number)) => host.ledger.letters.get(number),
        Some(Holder::Request) => return Breach::Unsure,
        None => None,
    };
    let Some(letter) = letter else {
        return Breach::Tolerated;
    };
    let fits = match frame.kind {
        kind::PUBACK => letter.qos == 1,
        kind::PUBREC => letter.qos == 2,
        kind::PUBCOMP => letter.qos == 2 && letter.recorded.is_some(),
        _ => true,
    };
    if fits {
        Breach::Tolerated
    } else {
        Breach::Certain(PROTOCOL_ERROR)
    }
}

/// Whether the engine reads what comes now, `accepted` being what CONNACK made of it in the same bytes.
pub fn is_read(state: State, accepted: bool, host: &Host) -> bool {
    state == State::Online || state == State::Handshaking && (!accepted || host.closing.is_none())
}

/// A breach is noticed, the broker is told its reason, and the connection ends; and nothing else is taken for a breach.
pub fn breach_ends_the_connection(turn: &Turn) -> Verdict {
    const NAME: &str = "breach_ends_the_connection";
    if let Some((how, code)) = turn.expected {
        claim(turn.violation.is_some(), NAME, || {
            format!("{how:?} was not noticed (4.13, reason {code:#x})")
        })?;
        claim(
            turn.violation == Some(code),
            "breach_has_its_reason",
            || format!("{how:?} has reason {code:#x}: {turn:x?}"),
        )?;
    }
    let Some(code) = turn.violation else {
        return Ok(());
    };
    // What a broker leaves unanswered for too long is no packet that came.
    let is_silence = code == IMPLEMENTATION_SPECIFIC_ERROR;
    claim(turn.excused || is_silence, "breach_is_the_brokers", || {
        format!("a violation, and the broker sent nothing wrong: {turn:x?}")
    })?;
    claim(turn.hung_up, NAME, || {
        format!("after a violation the connection goes on: {turn:x?}")
    })?;
    let told = turn.goodbye == Some(code) || turn.goodbye.is_none() && turn.stalled;
    claim(!turn.tells || told, "breach_is_told_to_the_broker", || {
        format!("DISCONNECT with the reason of the violation is missing (4.13): {turn:x?}")
    })
}
