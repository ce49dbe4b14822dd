//! What was counted in a run or in many: to see that the simulator reaches what it claims to check.

use std::collections::BTreeMap;

use leveret_protocol::engine::State;

use super::checkers::seconds;
use super::network::Nanos;
use super::operation::Misbehaviour;
use super::plan;

/// Counters by name, and virtual time.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Virtual time in milliseconds.
    pub milliseconds: u64,
    /// Frames to brokers and to clients, by packet type.
    pub frames: [[u64; 16]; 2],
    /// Everything else.
    pub counts: BTreeMap<String, u64>,
}

impl Tally {
    /// One more of `name`.
    pub fn count(&mut self, name: &str) {
        self.count_many(name, 1);
    }

    /// Some more of `name`.
    pub fn count_many(&mut self, name: &str, more: u64) {
        match self.counts.get_mut(name) {
            Some(count) => *count += more,
            None => {
                self.counts.insert(name.to_owned(), more);
            }
        }
    }

    /// One more frame.
    pub fn count_frame(&mut self, kind: u8, inward: bool) {
        self.frames[usize::from(inward)][usize::from(kind & 15)] += 1;
    }

    /// The run ended at this virtual time.
    pub fn end(&mut self, now: Nanos) {
        self.runs += 1;
        self.milliseconds += now / 1_000_000;
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Tally) {
        self.runs += other.runs;
        self.milliseconds += other.milliseconds;
        let mine = self.frames.iter_mut().flatten();
        for (mine, more) in mine.zip(other.frames.iter().flatten()) {
            *mine += more;
        }
        for (name, count) in &other.counts {
            self.count_many(name, *count);
        }
    }

    /// What has to happen in some thousands of seeds, and did not: every state of the engine, every operation, every misbehaviour.
    pub fn never(&self) -> Vec<String> {
        let states = State::ALL.iter().filter(|state| !self.reached(**state));
        let states = states.map(|state| format!("state: {state:?}"));
        let operations = plan::operations().into_iter();
        let operations = operations.map(|name| format!("operation: {name}"));
        let misbehaviours = Misbehaviour::ALL.iter().map(|how| how.name());
        let uncounted = |name: &String| !self.counts.contains_key(name);
        states
            .chain(operations.chain(misbehaviours).filter(uncounted))
            .collect()
    }

    fn reached(&self, state: State) -> bool {
        let to = format!(" to {state:?}");
        let entered = |name: &String| name.starts_with("state: ") && name.ends_with(&to);
        state == State::Idle || self.counts.keys().any(entered)
    }

    /// The whole tally, one line each.
    pub fn lines(&self) -> Vec<String> {
        const NAMES: [&str; 16] = [
            "0",
            "CONNECT",
            "CONNACK",
            "PUBLISH",
            "PUBACK",
            "PUBREC",
            "PUBREL",
            "PUBCOMP",
            "SUBSCRIBE",
            "SUBACK",
            "UNSUBSCRIBE",
            "UNSUBACK",
            "PINGREQ",
            "PINGRESP",
            "DISCONNECT",
            "AUTH",
        ];
        let time = seconds(self.milliseconds * 1_000_000);
        let mut lines = vec![format!("runs {}, virtual time {time}", self.runs)];
        lines.extend(
            self.counts
                .iter()
                .map(|(name, count)| format!("{count:>12}  {name}")),
        );
        for (frames, direction) in self.frames.iter().zip(["to broker", "to client"]) {
            let seen = NAMES.iter().zip(frames).filter(|(_, count)| **count > 0);
            lines.extend(
                seen.map(|(name, count)| format!("{count:>12}  frames {direction}: {name}")),
            );
        }
        lines.extend(self.coverage());
        lines
    }

    /// Which states were reached and which of the transitions that they allow were seen, and which were not.
    fn coverage(&self) -> Vec<String> {
        let states = State::ALL;
        let name = |from: State, to: State| format!("state: {from:?} to {to:?}");
        let allowed: Vec<String> = states
            .iter()
            .flat_map(|&from| states.iter().map(move |&to| (from, to)))
            .filter(|(from, to)| from != to && from.may_follow(*to))
            .map(|(from, to)| name(from, to))
            .collect();
        let (seen, unseen): (Vec<_>, Vec<_>) = allowed
            .iter()
            .partition(|name| self.counts.contains_key(*name));
        let reached = states.iter().filter(|state| self.reached(**state));
        let mut lines = vec![format!(
            "states reached: {} of {}, transitions seen: {} of {}",
            reached.count(),
            states.len(),
            seen.len(),
            allowed.len()
        )];
        lines.extend(unseen.iter().map(|name| format!("{:>12}  {name}", "never")));
        lines
    }
}
