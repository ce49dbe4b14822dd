//! The network: one pipe per direction of a connection, which cuts, merges, delays, stalls and kills bytes.
//!
//! A pipe is the sender's socket buffer, the wire and the receiver's socket buffer in one. What it took counts as taken
//! by the operating system; what it delivered reached the other side; what an abortive end killed did neither.

use std::collections::VecDeque;

use super::random::Random;

/// A point in virtual time, nanoseconds since the run began.
pub type Nanos = u64;

/// One millisecond of virtual time.
pub const MILLISECOND: Nanos = 1_000_000;
/// One second of virtual time.
pub const SECOND: Nanos = 1_000_000_000;

/// How the pipes of one client behave, drawn once per run.
#[derive(Clone, Debug)]
pub struct NetworkManners {
    /// Bytes that fit between sender and receiver.
    pub capacity: usize,
    /// Shortest and longest travel time of a segment.
    pub latency: (Nanos, Nanos),
    /// Longest segment; a taken run of bytes is cut into pieces of 1 to this many.
    pub segment: usize,
    /// Thousandths of the writes of which fewer bytes are taken than would fit.
    pub partial: u64,
}

/// How a direction of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// After every byte that was taken.
    Graceful,
    /// At once; bytes on their way may have died.
    Reset,
}

/// What comes out of a pipe.
#[derive(Debug)]
pub enum Arrival {
    /// Bytes, in order.
    Bytes(Vec<u8>),
    /// Nothing will follow.
    Ended(End),
}

/// One direction of one connection.
#[derive(Debug)]
pub struct Pipe {
    random: Random,
    manners: NetworkManners,
    segments: VecDeque<(Nanos, Vec<u8>)>,
    held: usize,
    latest: Nanos,
    blocked_until: Nanos,
    end: Option<(Nanos, End)>,
    over: bool,
}

impl Pipe {
    /// An empty pipe.
    pub fn new(random: Random, manners: NetworkManners) -> Pipe {
        Pipe {
            random,
            manners,
            segments: VecDeque::new(),
            held: 0,
            latest: 0,
            blocked_until: 0,
            end: None,
            over: false,
        }
    }

    /// Bytes that would be taken now, at most.
    pub fn room(&self) -> usize {
        self.manners.capacity.saturating_sub(self.held)
    }

    /// Takes a prefix of `bytes` as the sender's operating system would and says how long it was.
    pub fn take(&mut self, now: Nanos, bytes: &[u8]) -> usize {
        let mut count = self.room().min(bytes.len());
        if count > 0 && self.random.chance(self.manners.partial) {
            count = self.random.scaled(0, count as u64 - 1) as usize;
        }
        self.put(now, &bytes[..count]);
        count
    }

    /// Takes all of `bytes`, whatever the capacity: for the broker, which queues what its socket does not take.
    pub fn put(&mut self, now: Nanos, bytes: &[u8]) {
        if self.end.is_some() {
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let length =
                (self.random.scaled(1, self.manners.segment as u64) as usize).min(rest.len());
            let (segment, behind) = rest.split_at(length);
            let (low, high) = self.manners.latency;
            self.latest = self.latest.max(now + self.random.between(low, high));
            self.segments.push_back((self.latest, segment.to_vec()));
            rest = behind;
        }
        self.held += bytes.len();
    }

    /// Takes `bytes` so that they arrive together.
    pub fn put_whole(&mut self, now: Nanos, bytes: &[u8]) {
        if self.end.is_some() {
            return;
        }
        let (low, high) = self.manners.latency;
        self.latest = self.latest.max(now + self.random.between(low, high));
        self.segments.push_back((self.latest, bytes.to_vec()));
        self.held += bytes.len();
    }

    /// Nothing is delivered before `until`: the receiver does not read, or the path is gone for a while.
    pub fn block(&mut self, until: Nanos) {
        self.blocked_until = self.blocked_until.max(until);
    }

    /// The end was delivered.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Ends a block at `until` at the latest.
    pub fn unblock(&mut self, until: Nanos) {
        self.blocked_until = self.blocked_until.min(until);
    }

    /// Ends this direction. A reset kills a random share of what is under way, from the back; it comes after the rest.
    pub fn finish(&mut self, now: Nanos, end: End) {
        if self.end.is_some() {
            return;
        }
        if end == End::Reset {
            let kept = self.random.below(self.segments.len() as u64 + 1) as usize;
            self.segments.truncate(kept);
            // What would be so late that a new connection could overtake it dies as well, and what a receiver has not read.
            let soon = if self.blocked_until > now {
                0
            } else {
                now + 2 * self.manners.latency.0
            };
            self.segments.retain(|(ready, _)| *ready <= soon);
            self.held = self.segments.iter().map(|(_, bytes)| bytes.len()).sum();
        }
        let after = self.segments.back().map_or(now, |(ready, _)| *ready);
        self.end = Some((
            after.max(now)
                + self
                    .random
                    .between(self.manners.latency.0, self.manners.latency.1),
            end,
        ));
    }

    /// When the next arrival is due, if nothing else happens.
    pub fn next_arrival(&self) -> Option<Nanos> {
        if self.over {
            return None;
        }
        let due = self
            .segments
            .front()
            .map(|(ready, _)| *ready)
            .or(self.end.map(|(ready, _)| ready))?;
        Some(due.max(self.blocked_until))
    }

    /// What arrives at `now`, if something does. Segments that are due together are sometimes merged.
    pub fn deliver(&mut self, now: Nanos) -> Option<Arrival> {
        if self.next_arrival()? > now {
            return None;
        }
        let Some((_, mut bytes)) = self.segments.pop_front() else {
            let (_, end) = self.end?;
            self.over = true;
            return Some(Arrival::Ended(end));
        };
        while self
            .segments
            .front()
            .is_some_and(|(ready, _)| *ready <= now)
            && self.random.chance(600)
        {
            if let Some((_, more)) = self.segments.pop_front() {
                bytes.extend_from_slice(&more);
            }
        }
        self.held -= bytes.len();
        Some(Arrival::Bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipe(capacity: usize) -> Pipe {
        let manners = NetworkManners {
            capacity,
            latency: (1, 50),
            segment: 7,
            partial: 300,
        };
        Pipe::new(Random::new(3), manners)
    }

    #[test]
    fn bytes_arrive_in_order_and_within_the_capacity() {
        let mut pipe = pipe(64);
        let sent: Vec<u8> = (0..=255).collect();
        let (mut taken, mut now, mut received) = (0, 0, Vec::new());
        while received.len() < sent.len() {
            taken += pipe.take(now, &sent[taken..]);
            assert!(taken - received.len() <= 64);
            now = pipe.next_arrival().unwrap_or(now).max(now);
            while let Some(Arrival::Bytes(bytes)) = pipe.deliver(now) {
                received.extend(bytes);
            }
        }
        assert_eq!(sent, received);
    }

    #[test]
    fn a_reset_delivers_a_prefix_then_ends() {
        let mut pipe = pipe(1000);
        let sent: Vec<u8> = (0..200).collect();
        pipe.put(0, &sent);
        pipe.finish(1, End::Reset);
        let mut received = Vec::new();
        loop {
            match pipe.deliver(Nanos::MAX) {
                Some(Arrival::Bytes(bytes)) => received.extend(bytes),
                Some(Arrival::Ended(end)) => break assert_eq!(end, End::Reset),
                None => panic!("nothing arrives"),
            }
        }
        assert_eq!(sent[..received.len()], received[..]);
    }

    #[test]
    fn a_blocked_pipe_holds_bytes_back() {
        let mut pipe = pipe(1000);
        pipe.put(0, b"abc");
        pipe.block(SECOND);
        assert_eq!(pipe.next_arrival(), Some(SECOND));
        assert!(pipe.deliver(SECOND - 1).is_none());
        assert!(pipe.deliver(SECOND).is_some());
    }
}
