//! What reaches a client: noted before the engine hears it, nonsense of the broker's apart.

use leveret_protocol::options::Protocol;

use super::checkers::breach::{self, Breach, Nonsense};
use super::frames::kind;
use super::link::Link;
use super::network::SECOND;
use super::operation::Misbehaviour;
use super::world::World;

/// Bytes from the broker.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Put onto the wire.
    pub put: u64,
    /// Delivered to the client.
    pub come: u64,
    /// Of these, in whole frames that were looked at.
    pub whole: u64,
}

impl Link {
    /// Nonsense has begun to reach the client.
    pub fn nonsense_has_come(&self) -> bool {
        self.nonsense
            .iter()
            .any(|nonsense| nonsense.from < self.counts.come)
    }

    /// The nonsense that has begun to come and had not before.
    pub(super) fn nonsense_begins(&mut self) -> Vec<Misbehaviour> {
        let come = self.counts.come;
        let new = |nonsense: &&mut Nonsense| !nonsense.begun && nonsense.from < come;
        let begin = |nonsense: &mut Nonsense| {
            nonsense.begun = true;
            nonsense.how
        };
        self.nonsense.iter_mut().filter(new).map(begin).collect()
    }

    /// The nonsense that the frame looked at last is the end of, or an acknowledgement in it.
    fn nonsense_ends(&self) -> Option<Misbehaviour> {
        let whole = self.counts.whole;
        let found = self.nonsense.iter().find(|nonsense| {
            let part = matches!(nonsense.how, Misbehaviour::RepeatedAck);
            nonsense.to == whole || part && nonsense.from < whole && whole < nonsense.to
        });
        found.map(|nonsense| nonsense.how)
    }
}

impl World {
    /// Notes what the client is about to be told by the broker.
    pub(super) fn hear(&mut self, client: usize, number: u32, bytes: &[u8]) {
        let Some(link) = self.links.get_mut(&number) else {
            return;
        };
        let host = &mut self.hosts[client];
        let state = host.engine.state();
        let accepted_before = link.sent.accepted;
        let mut over = false;
        for frame in link.heard.push(bytes, link.tap.level()) {
            self.trace
                .note(self.now, || format!("client {client} < {frame:?}"));
            self.tally.count_frame(frame.kind, true);
            link.counts.whole += frame.length as u64;
            host.will_be_shown(frame.kind);
            if let Some(how) = link.nonsense_ends() {
                let accepted = link.sent.accepted && !accepted_before;
                let read = !over && breach::is_read(state, accepted, host);
                let breach = breach::breach_of(how, &frame, link, host, self.now);
                if let (Breach::Certain(code), true) = (breach, read) {
                    // What lies behind it is not read.
                    host.turn.expected = Some((how, code));
                    break;
                }
                host.ledger.mislead(&frame);
            }
            // Where CONNACK was lost, what follows it comes first (3.2.0-1).
            let before = !link.sent.accepted && !matches!(frame.kind, kind::CONNACK | kind::AUTH);
            host.turn.excused |= before;
            over |= before;
            over |= matches!(frame.kind, kind::DISCONNECT | kind::AUTH);
            match frame.kind {
                // A second CONNACK is a hostile one, and says nothing of the session.
                kind::CONNACK if frame.reason == 0 && !link.sent.accepted => {
                    let level = link.tap.level();
                    link.sent.accepted = true;
                    link.accepted_at = self.now;
                    host.line.accepted_at = Some(self.now);
                    let named = host.options.authentication_method.is_some() && level == 5;
                    host.asking.unsettled = named && host.plan.answers.authenticates;
                    let (before, _) = host.ledger.session_at;
                    if before != link.broker {
                        host.leave_session(before, &self.brokers[before], &self.clients);
                    }
                    host.ledger.hear_accepted(frame.flag, link.broker, level);
                    host.unheard_sessions.remove(&number);
                    let own = self.brokers[link.broker]
                        .manners
                        .server_keep_alive
                        .filter(|_| level == 5);
                    link.keep_alive =
                        own.map_or(host.options.keep_alive.as_secs(), u64::from) * SECOND;
                }
                // The other version is tried at once.
                kind::CONNACK if matches!(frame.reason, 1 | 0x84) => {
                    host.line.hurried |= host.options.protocol == Protocol::Auto;
                }
                // Another server is tried at once.
                kind::CONNACK if matches!(frame.reason, 0x9c | 0x9d) => {
                    host.line.hurried |= self.plan.referred;
                }
                kind::AUTH if frame.reason == 0 => host.asking.succeeded += 1,
                // Before CONNACK it is no more than an attempt that failed.
                kind::DISCONNECT => {
                    host.line.hurried |= self.plan.referred && matches!(frame.reason, 0x9c | 0x9d);
                    host.line.taken_over = frame.reason == 0x8e && link.sent.accepted;
                }
                kind::PINGRESP => link.ping_at = None,
                kind::PUBACK | kind::PUBCOMP => {
                    link.sent.in_flight.remove(&frame.packet_id);
                }
                kind::PUBREC if frame.reason >= 0x80 => {
                    link.sent.in_flight.remove(&frame.packet_id);
                }
                _ => {}
            }
            host.ledger.hear(self.now, &frame);
        }
        // A packet above our limit is judged by its head.
        let begun = link.heard.begun();
        let odd = |kind| !matches!(kind, kind::CONNACK | kind::AUTH);
        host.turn.excused |= !link.sent.accepted && begun.is_some_and(odd);
        // What makes no frame is the last that comes.
        let accepted = link.sent.accepted && !accepted_before;
        let read = !over && breach::is_read(state, accepted, host);
        let whole = |nonsense: &&Nonsense| nonsense.to <= link.counts.come;
        let mut whole = link.nonsense.iter().filter(whole);
        let unframed = |nonsense: &Nonsense| Some((nonsense.how, breach::unframed(nonsense.how)?));
        let last = whole.find_map(unframed).filter(|_| read);
        host.turn.expected = host.turn.expected.or(last);
        host.turn.tells = link.sent.accepted && link.tap.level() == 5;
    }
}
