//! The trace of a run: a hash of every byte with its time, and a log for people.

use super::network::Nanos;

/// A hash that grows with the run, and the lines of a verbose one.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// An empty trace that keeps lines if it is `verbose`.
    pub fn new(verbose: bool) -> Trace {
        Trace {
            hash: 0xcbf2_9ce4_8422_2325,
            lines: verbose.then(Vec::new),
        }
    }

    /// Bytes went over a link, `inward` to the client.
    pub fn bytes(&mut self, now: Nanos, link: u32, inward: bool, bytes: &[u8]) {
        self.add(now);
        self.add(u64::from(link) << 1 | u64::from(inward));
        for chunk in bytes.chunks(8) {
            self.add(
                chunk
                    .iter()
                    .fold(0, |word, byte| word << 8 | u64::from(*byte)),
            );
        }
        self.add(bytes.len() as u64);
    }

    /// A number that belongs to the trace.
    pub fn add(&mut self, word: u64) {
        self.hash = (self.hash ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(23);
    }

    /// A line for people, made only if somebody reads it.
    pub fn note(&mut self, now: Nanos, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>16} {}", super::checkers::seconds(now), line()));
        }
    }

    /// The hash of everything so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The lines.
    pub fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}
