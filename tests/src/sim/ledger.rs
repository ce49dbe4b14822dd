//! The ledger: what is true of every letter, seen from outside the engine. The checkers compare the engine's word with it.

use std::collections::{BTreeMap, BTreeSet};

use leveret_protocol::engine::Cost;
use leveret_protocol::outcome::{Outcome, OutcomeStatus};

use super::frames::{Frame, kind};
use super::network::Nanos;

/// What is true of one letter.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Its number, unique in the run; later letters of a client have higher ones.
    pub number: u64,
    /// Its receipt, 0 if none was asked for.
    pub tag: u64,
    /// When it was posted.
    pub posted: Nanos,
    /// When its time to live ends.
    pub deadline: Option<Nanos>,
    /// The time to live that goes with it as Message Expiry Interval ends.
    pub forwarded: Option<Nanos>,
    /// A Message Expiry Interval of its own, in seconds.
    pub expiry: Option<u32>,
    /// Quality of service.
    pub qos: u8,
    /// The retain flag.
    pub retain: bool,
    /// 0 high, 1 normal, 2 low.
    pub priority: u8,
    /// Its replace key.
    pub replace: Option<u8>,
    /// What it took of the budget.
    pub cost: Cost,
    /// Every time its first byte was taken.
    pub begun: Vec<Begun>,
    /// How often a broker read it off the wire.
    pub arrived: u32,
    /// How often a broker passed it on.
    pub onward: u32,
    /// When PUBREC of success reached the client.
    pub recorded: Option<Nanos>,
    /// The reason code of the last acknowledgement that reached the client.
    pub answer: Option<u8>,
    /// A hostile broker acknowledged it: what it claims to have is not held against the client.
    pub misled: bool,
    /// The caller asked to have it back.
    pub cancel_asked: bool,
    /// Its outcome and when it came.
    pub settled: Option<(Nanos, Outcome)>,
}

impl Letter {
    /// It was taken whole once.
    pub fn was_sent(&self) -> bool {
        self.begun.iter().any(|begun| begun.completed)
    }

    /// It was taken whole in this session of the client.
    pub fn was_sent_in(&self, epoch: u32) -> bool {
        self.begun
            .iter()
            .any(|begun| begun.completed && begun.epoch == epoch)
    }
}

/// One transmission.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    /// When its first byte was taken.
    pub at: Nanos,
    /// On which connection.
    pub connection: u32,
    /// In which session of the client.
    pub epoch: u32,
    /// Under which packet id.
    pub packet_id: u16,
    /// Its place in the order of the wire, among all transmissions of the client.
    pub order: u64,
    /// Its last byte was taken, too. If not, the broker cannot have it: the letter is as good as new.
    pub completed: bool,
}

/// Who holds a packet id of a client's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A letter.
    Letter(u64),
    /// A SUBSCRIBE or UNSUBSCRIBE.
    Request,
}

/// The ledger of one client.
#[derive(Debug, Default)]
pub struct Ledger {
    /// All accepted letters by number.
    pub letters: BTreeMap<u64, Letter>,
    /// Their numbers by receipt.
    pub by_tag: BTreeMap<u64, u64>,
    /// Accepted letters without a receipt, not settled yet: which of them is settled is not told.
    pub untold: BTreeSet<u64>,
    /// Unsettled letters with a time to live, by its end.
    pub deadlines: BTreeSet<(Nanos, u64)>,
    /// Unsettled letters of which nothing was ever sent, by priority and number.
    pub waiting: BTreeSet<(u8, u64)>,
    /// How many letters are not settled.
    pub live: usize,
    /// The live packet ids.
    pub ids: BTreeMap<u16, Holder>,
    /// Counts the sessions: up by one whenever CONNACK says that none was there, or is from elsewhere than the last.
    pub epoch: u32,
    /// Where the last session is: at which broker, in which protocol level.
    pub session_at: (usize, u8),
    /// Counts every beginning of a PUBLISH, for its place in the order of the wire.
    pub order: u64,
    /// The wire's order of each letter's first transmission. An acknowledgement may have come behind nonsense and never be read.
    pub first_order: BTreeMap<u64, u64>,
    /// How many letters came to each outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
}

impl Ledger {
    /// A letter was accepted.
    pub fn accept(&mut self, letter: Letter) {
        self.live += 1;
        self.waiting.insert((letter.priority, letter.number));
        if letter.tag == 0 {
            self.untold.insert(letter.number);
        } else {
            self.by_tag.insert(letter.tag, letter.number);
        }
        if let Some(deadline) = letter.deadline {
            self.deadlines.insert((deadline, letter.number));
        }
        self.letters.insert(letter.number, letter);
    }

    /// The letter of a receipt.
    pub fn by_tag(&self, tag: u64) -> Option<&Letter> {
        self.letters.get(self.by_tag.get(&tag)?)
    }

    /// A letter came to its outcome.
    pub fn settle(&mut self, number: u64, now: Nanos, outcome: &Outcome) {
        let Some(letter) = self.letters.get_mut(&number) else {
            return;
        };
        letter.settled = Some((now, outcome.clone()));
        self.waiting.remove(&(letter.priority, number));
        self.live -= 1;
        if let Some(deadline) = letter.deadline {
            self.deadlines.remove(&(deadline, number));
        }
        self.untold.remove(&number);
        *self.outcomes.entry(outcome.status.name()).or_default() += 1;
    }

    /// A letter without receipt was settled: finds one that this outcome fits, the likeliest first.
    pub fn match_untold(&self, now: Nanos, outcome: &Outcome, cost: Cost) -> Option<u64> {
        let candidates = self.candidates(now, outcome);
        let found = candidates.iter().find(|(_, its)| *its == cost);
        found.map(|(number, _)| *number)
    }

    /// Letters without receipt were settled together: finds as many that this outcome fits and that together took `cost`, the likeliest first.
    pub fn match_together(&self, now: Nanos, outcome: &Outcome, cost: Cost) -> Option<Vec<u64>> {
        let candidates = self.candidates(now, outcome);
        let mut chosen = Vec::new();
        let mut steps = 100_000;
        choose(&candidates, cost, &mut chosen, &mut steps).then_some(chosen)
    }

    /// The letters without receipt that this outcome fits. They are in the order of their last transmission, in which letters of QoS 0 are
    /// settled as sent; those that were never begun come first, the oldest of them before the others.
    fn candidates(&self, now: Nanos, outcome: &Outcome) -> Vec<(u64, Cost)> {
        let letter = |number: &u64| self.letters.get(number);
        let fits = |letter: &&Letter| plausible(letter, now, outcome);
        let mut fitting: Vec<&Letter> =
            self.untold.iter().filter_map(letter).filter(fits).collect();
        fitting.sort_by_key(|letter| letter.begun.last().map_or(0, |begun| begun.order));
        let told = fitting.iter().map(|letter| (letter.number, letter.cost));
        told.collect()
    }

    /// The first byte of a PUBLISH was taken.
    pub fn begin(&mut self, number: u64, at: Nanos, connection: u32, frame: &Frame) {
        self.order += 1;
        let (epoch, order) = (self.epoch, self.order);
        if frame.qos > 0 {
            self.ids.insert(frame.packet_id, Holder::Letter(number));
            self.first_order.entry(number).or_insert(order);
        }
        if let Some(letter) = self.letters.get_mut(&number) {
            self.waiting.remove(&(letter.priority, number));
            letter.begun.push(Begun {
                at,
                connection,
                epoch,
                packet_id: frame.packet_id,
                order,
                completed: false,
            });
        }
    }

    /// CONNACK of success reached the client. A session that another broker has, or this one for another version, is not the one that goes on.
    pub fn hear_accepted(&mut self, session_present: bool, broker: usize, level: u8) {
        let before = std::mem::replace(&mut self.session_at, (broker, level));
        if !session_present || before != self.session_at {
            self.epoch += 1;
            self.ids.clear();
        }
    }

    /// A frame from the broker reached the client.
    pub fn hear(&mut self, now: Nanos, frame: &Frame) {
        match frame.kind {
            kind::SUBACK | kind::UNSUBACK
                if self.ids.get(&frame.packet_id) == Some(&Holder::Request) =>
            {
                self.ids.remove(&frame.packet_id);
            }
            kind::PUBACK | kind::PUBREC | kind::PUBCOMP => self.hear_ack(now, frame),
            _ => {}
        }
    }

    /// A hostile acknowledgement reached the client.
    pub fn mislead(&mut self, frame: &Frame) {
        if matches!(frame.kind, kind::PUBACK | kind::PUBREC | kind::PUBCOMP)
            && let Some(Holder::Letter(number)) = self.ids.get(&frame.packet_id)
            && let Some(letter) = self.letters.get_mut(number)
        {
            letter.misled = true;
        }
    }

    fn hear_ack(&mut self, now: Nanos, frame: &Frame) {
        let Some(Holder::Letter(number)) = self.ids.get(&frame.packet_id).copied() else {
            return;
        };
        let Some(letter) = self.letters.get_mut(&number) else {
            return;
        };
        let ends = match (frame.kind, letter.qos) {
            (kind::PUBACK, 1) => true,
            // Before PUBREC it is a hostile one, and ends nothing.
            (kind::PUBCOMP, 2) if letter.recorded.is_some() => true,
            // After a PUBREC of success another one changes nothing, whatever it says.
            (kind::PUBREC, 2) => frame.reason >= 0x80 && letter.recorded.is_none(),
            _ => return,
        };
        if frame.kind == kind::PUBREC && !ends {
            letter.recorded.get_or_insert(now);
        }
        if ends {
            // PUBREC has told the outcome of a QoS 2 letter; what PUBCOMP says is about the packet id alone.
            let reason = if frame.kind == kind::PUBCOMP {
                0
            } else {
                frame.reason
            };
            letter.answer = Some(reason);
            self.ids.remove(&frame.packet_id);
        }
    }

    /// A connection of the client ended: requests end with it, and what was taken in part was never sent.
    pub fn connection_ended(&mut self) {
        let (letters, epoch) = (&self.letters, self.epoch);
        self.ids.retain(|_, holder| match holder {
            Holder::Request => false,
            Holder::Letter(number) => letters
                .get(number)
                .is_some_and(|letter| letter.was_sent_in(epoch)),
        });
    }
}

/// Chooses letters that together take what is left to be found.
fn choose(candidates: &[(u64, Cost)], rest: Cost, chosen: &mut Vec<u64>, steps: &mut u32) -> bool {
    if rest.messages == 0 || *steps == 0 {
        return rest == Cost::ZERO;
    }
    for (place, (number, cost)) in candidates.iter().enumerate() {
        *steps = steps.saturating_sub(1);
        if !rest.covers(*cost) || candidates.len() - place < rest.messages as usize {
            continue;
        }
        chosen.push(*number);
        if choose(&candidates[place + 1..], rest - *cost, chosen, steps) {
            return true;
        }
        chosen.pop();
    }
    false
}

/// Whether an outcome that names no letter can be this one's.
fn plausible(letter: &Letter, now: Nanos, outcome: &Outcome) -> bool {
    match outcome.status {
        OutcomeStatus::Acknowledged => {
            letter.qos > 0 && letter.answer.is_some_and(|reason| reason < 0x80)
        }
        OutcomeStatus::Sent => letter.qos == 0 && letter.was_sent(),
        OutcomeStatus::Expired => {
            letter.deadline.is_some_and(|deadline| deadline <= now)
                && outcome.maybe_delivered != letter.begun.is_empty()
        }
        OutcomeStatus::Dropped => letter.begun.is_empty(),
        OutcomeStatus::SessionLost => !letter.begun.is_empty(),
        OutcomeStatus::Cancelled => letter.cancel_asked,
        OutcomeStatus::Closed => outcome.maybe_delivered != letter.begun.is_empty(),
        OutcomeStatus::Rejected => true,
    }
}
