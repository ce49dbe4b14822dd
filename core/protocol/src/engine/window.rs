//! The window: a ring in which the packet identifier is the position, so that an acknowledgement is found without a search.
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::bits::IdSet;
use super::shelf::LetterKey;

/// All packet identifiers: 1..=65,535.
const IDS: usize = 65_535;

/// What an identifier is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Nothing: acknowledged out of order, given back, or jumped over because it is reserved.
    Empty,
    /// A letter, and the packet that has to come next.
    Letter(LetterKey, Step),
    /// A letter that was settled while in flight: identifier and quota stay until the exchange is over.
    Settled(Step),
    /// A SUBSCRIBE or UNSUBSCRIBE.
    Request,
}

impl Slot {
    pub(super) const fn step(self) -> Option<Step> {
        match self {
            Slot::Letter(_, step) | Slot::Settled(step) => Some(step),
            Slot::Empty | Slot::Request => None,
        }
    }

    pub(super) const fn letter(self) -> Option<LetterKey> {
        match self {
            Slot::Letter(key, _) => Some(key),
            _ => None,
        }
    }
}

/// The packet that an exchange waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::enum_variant_names,
    reason = "they are the names of the packets"
)]
pub(super) enum Step {
    PubAck,
    PubRec,
    PubComp,
}

/// Which of the slots have not been sent on this connection yet: those from `next` to `end`. Positions count from the beginning of the ring's life, so that they stay true when
/// the ring moves on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Replay {
    next: u64,
    end: u64,
}

/// Packet identifiers in the order of their use. The oldest one in use is at the front; the next one follows the last.
///
/// Life of a slot: used for a letter or a request → steps on → empty → popped when it is at the front.
#[derive(Debug)]
pub(super) struct Window {
    slots: VecDeque<Slot>,
    first_id: u16,
    next_id: u16,
    popped: u64,
    replay: Replay,
    /// From this position on the PUBRELs went ahead of PUBLISH packets that wait for quota.
    ahead_from: u64,
    unacknowledged: usize,
    reserved: IdSet,
}

impl Window {
    pub(super) fn new(first_id: u16) -> Window {
        let replay = Replay { next: 0, end: 0 };
        Window {
            slots: VecDeque::new(),
            first_id: first_id.max(1),
            next_id: first_id.max(1),
            popped: 0,
            replay,
            ahead_from: u64::MAX,
            unacknowledged: 0,
            reserved: IdSet::default(),
        }
    }

    /// Letters sent on this connection whose exchange is not over: what the broker's receive maximum limits.
    pub(super) const fn unacknowledged(&self) -> usize {
        self.unacknowledged
    }

    /// The identifier that the next use will get; `None` while all are spanned by the ring.
    pub(super) fn upcoming(&mut self) -> Option<u16> {
        if self.reserved.len() >= IDS {
            return None;
        }
        while self.slots.len() < IDS && self.reserved.contains(self.next_id) {
            self.append(Slot::Empty);
            self.pop_empty();
        }
        (self.slots.len() < IDS).then_some(self.next_id)
    }

    /// How far the ring has come.
    pub(super) const fn popped(&self) -> u64 {
        self.popped
    }

    /// Does the ring span all identifiers although not all of them are in use: the oldest one holds up the rest.
    pub(super) fn is_held_up(&self) -> bool {
        self.slots.len() >= IDS && self.slots.contains(&Slot::Empty)
    }

    /// Uses the next identifier.
    pub(super) fn allocate(&mut self, slot: Slot) -> Option<u16> {
        let id = self.upcoming()?;
        self.append(slot);
        if !matches!(slot, Slot::Request) {
            self.unacknowledged = self.unacknowledged.saturating_add(1);
        }
        Some(id)
    }

    pub(super) fn get(&self, id: u16) -> Slot {
        self.slots
            .get(self.position(id))
            .copied()
            .unwrap_or(Slot::Empty)
    }

    /// Changes what an identifier is used for, the exchange going on.
    pub(super) fn set(&mut self, id: u16, to: Slot) {
        let position = self.position(id);
        if let Some(slot) = self.slots.get_mut(position) {
            *slot = to;
        }
    }

    /// The exchange is over: the identifier is free, and so is its share of the quota.
    pub(super) fn release(&mut self, id: u16) {
        let position = self.position(id);
        let sent_here = !self.awaits_replay(position);
        let Some(slot) = self.slots.get_mut(position) else {
            return;
        };
        let was = core::mem::replace(slot, Slot::Empty);
        if sent_here && matches!(was, Slot::Letter(..) | Slot::Settled(_)) {
            self.unacknowledged = self.unacknowledged.saturating_sub(1);
        }
        self.pop_empty();
    }

    /// The last use did not happen: nothing of it was sent. The identifier is used again if it was the latest.
    pub(super) fn give_back(&mut self, id: u16) {
        let is_latest = self.position(id).saturating_add(1) == self.slots.len();
        self.release(id);
        if is_latest {
            if self.slots.pop_back().is_none() {
                self.popped = self.popped.saturating_sub(1);
                self.first_id = id;
            }
            self.next_id = id;
        }
    }

    /// Keeps an identifier out of use for the rest of the session.
    pub(super) fn reserve(&mut self, id: u16) {
        self.release(id);
        self.reserved.insert(id);
    }

    pub(super) fn reserved(&self) -> usize {
        self.reserved.len()
    }

    /// Was this use sent on this connection.
    pub(super) fn was_sent(&self, id: u16) -> bool {
        !self.awaits_replay(self.position(id))
    }

    /// Every identifier in use, in the order of use.
    pub(super) fn in_use(&self) -> impl Iterator<Item = (u16, Slot)> + '_ {
        let ids = core::iter::successors(Some(self.first_id), |id| Some(next(*id)));
        ids.zip(self.slots.iter().copied())
            .filter(|(_, slot)| *slot != Slot::Empty)
    }

    /// The connection is gone: nothing counts against the quota of the next one until it is sent there.
    pub(super) fn disconnected(&mut self) {
        self.unacknowledged = 0;
        self.ahead_from = u64::MAX;
        self.replay = Replay {
            next: self.popped,
            end: self.popped.saturating_add(self.slots.len() as u64),
        };
    }

    /// A new session begins: nothing is in use or reserved.
    pub(super) fn restart(&mut self, first_id: u16) {
        *self = Window::new(first_id);
    }

    /// Did the PUBREL of the slot of [`Window::replay_next`] go ahead.
    pub(super) const fn went_ahead(&self) -> bool {
        self.replay.next >= self.ahead_from
    }

    /// The PUBRELs that await their replay, to be sent now; once for each connection.
    pub(super) fn take_releases_ahead(&mut self) -> Vec<u16> {
        if self.ahead_from != u64::MAX {
            return Vec::new();
        }
        self.ahead_from = self.replay.next;
        let waits = |(id, slot): (u16, Slot)| {
            (slot.step() == Some(Step::PubComp) && !self.was_sent(id)).then_some(id)
        };
        self.in_use().filter_map(waits).collect()
    }

    /// The next slot to be sent again, if there is one.
    pub(super) fn replay_next(&mut self) -> Option<(u16, Slot)> {
        self.replay.next = self.replay.next.max(self.popped);
        while self.replay.next < self.replay.end {
            let position = self.replay.next.saturating_sub(self.popped) as usize;
            match self.slots.get(position) {
                Some(Slot::Empty) => self.replay.next = self.replay.next.saturating_add(1),
                Some(slot) => return Some((self.id_at(position), *slot)),
                None => self.replay.next = self.replay.end,
            }
        }
        None
    }

    /// Is all sent again that has to be.
    pub(super) fn is_replayed(&self) -> bool {
        self.replay.next.max(self.popped) >= self.replay.end
    }

    /// The slot of [`Window::replay_next`] was sent.
    pub(super) fn replayed(&mut self) {
        self.replay.next = self.replay.next.saturating_add(1);
        self.unacknowledged = self.unacknowledged.saturating_add(1);
    }

    /// The latest slot replayed was not sent after all.
    pub(super) fn unreplayed(&mut self, id: u16) {
        let position = self.position(id);
        self.replay.next = self.popped.saturating_add(position as u64);
        self.unacknowledged = self.unacknowledged.saturating_sub(1);
    }

    fn awaits_replay(&self, position: usize) -> bool {
        let position = self.popped.saturating_add(position as u64);
        (self.replay.next..self.replay.end).contains(&position)
    }

    fn append(&mut self, slot: Slot) {
        self.slots.push_back(slot);
        self.next_id = next(self.next_id);
    }

    fn pop_empty(&mut self) {
        while self.slots.front() == Some(&Slot::Empty) {
            self.slots.pop_front();
            self.popped = self.popped.saturating_add(1);
            self.first_id = next(self.first_id);
        }
    }

    /// The identifier at a place of the ring.
    fn id_at(&self, position: usize) -> u16 {
        let id = usize::from(self.first_id).saturating_add(position);
        id.checked_sub(IDS).filter(|id| *id > 0).unwrap_or(id) as u16
    }

    /// Where an identifier is in the ring; beyond its end if it is not.
    fn position(&self, id: u16) -> usize {
        if id == 0 {
            return IDS;
        }
        let (id, first) = (usize::from(id), usize::from(self.first_id));
        id.checked_sub(first)
            .unwrap_or_else(|| id.saturating_add(IDS).saturating_sub(first))
    }
}

fn next(id: u16) -> u16 {
    id.checked_add(1).unwrap_or(1)
}
