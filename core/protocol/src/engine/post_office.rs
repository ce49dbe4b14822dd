//! The post office: the letters that wait, in which order they go out, and which of them gives way when there is no room.
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::budget::Cost;
use super::event::Room;
use super::lazy::LazyQueue;
use super::letter::{Letter, Whereabouts};
use super::shelf::{LetterKey, Shelf};
use crate::options::{Overflow, Priority};

/// Where a letter waits, in the order in which the lanes are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Lane {
    /// Letters that were sent before and have to go again as new ones. They are never dropped for others.
    Again,
    High,
    Normal,
    Low,
}

/// The letters of one lane: first posted, first sent.
#[derive(Debug)]
struct Line {
    queue: LazyQueue<LetterKey>,
    cost: Cost,
}

/// The letters that wait to be sent.
#[derive(Debug)]
pub(super) struct PostOffice {
    lines: [Line; 4],
    /// The waiting letter of each replace key.
    keys: BTreeMap<Box<[u8]>, LetterKey>,
}

impl PostOffice {
    pub(super) fn new() -> PostOffice {
        PostOffice {
            lines: core::array::from_fn(|_| Line {
                queue: LazyQueue::new(),
                cost: Cost::ZERO,
            }),
            keys: BTreeMap::new(),
        }
    }

    /// A letter waits behind those before it.
    pub(super) fn queue(&mut self, key: LetterKey, letter: &mut Letter) {
        letter.place = Whereabouts::Waiting;
        let line = self.line(letter.lane());
        line.queue.push_back(key);
        line.cost += letter.cost();
    }

    /// A letter waits again, before all others of its lane.
    pub(super) fn queue_in_front(&mut self, key: LetterKey, letter: &mut Letter) {
        letter.place = Whereabouts::Waiting;
        let line = self.line(letter.lane());
        line.queue.push_front(key);
        line.cost += letter.cost();
    }

    /// The letter whose turn it is.
    pub(super) fn next(&mut self, shelf: &Shelf) -> Option<LetterKey> {
        let alive = |key: &LetterKey| shelf.has(*key);
        self.lines
            .iter_mut()
            .find_map(|line| line.queue.front(alive).copied())
    }

    /// Takes the letter whose turn it is out of its lane.
    pub(super) fn take_next(&mut self, shelf: &mut Shelf) -> Option<LetterKey> {
        let key = self.next(shelf)?;
        let letter = shelf.get_mut(key)?;
        letter.place = Whereabouts::Moving;
        let line = self.line(letter.lane());
        line.queue.drop_front();
        line.cost -= letter.cost();
        Some(key)
    }

    /// A waiting letter was settled and is no longer on the shelf.
    pub(super) fn one_left(&mut self, key: LetterKey, lane: Lane, cost: Cost, shelf: &Shelf) {
        let line = self.line(lane);
        line.queue.one_died(&key, |key| shelf.has(*key));
        line.cost -= cost;
    }

    /// Does no letter wait. Some may have been settled that still count as waiting.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.queue.is_empty())
    }

    /// Notes the letter of a replace key; says which one had the key before. That one may be settled or on its way by now.
    pub(super) fn replace(&mut self, replace_key: &[u8], key: LetterKey) -> Option<LetterKey> {
        self.keys.insert(replace_key.into(), key)
    }

    /// The letter of this key was settled.
    pub(super) fn forget_key(&mut self, replace_key: &[u8], key: LetterKey) {
        if self.keys.get(replace_key) == Some(&key) {
            self.keys.remove(replace_key);
        }
    }

    /// Which letters an overflow rule drops so that a new one of this priority gets what it lacks. Nothing is dropped in vain.
    pub(super) fn make_room(
        &mut self,
        lacking: Cost,
        rule: Overflow,
        priority: Priority,
        shelf: &Shelf,
    ) -> (Room, Vec<LetterKey>) {
        if lacking == Cost::ZERO {
            return (Room::Made, Vec::new());
        }
        let droppable: &[Lane] = match (rule, priority) {
            (Overflow::Reject, _) => return (Room::Refused, Vec::new()),
            (Overflow::DropNewest, _) | (Overflow::DropLowest, Priority::Low) => {
                return (Room::NewOneGoes, Vec::new());
            }
            (Overflow::DropOldest, _) => &[Lane::High, Lane::Normal, Lane::Low],
            // Strictly lower ones only, the lowest first.
            (Overflow::DropLowest, Priority::Normal) => &[Lane::Low],
            (Overflow::DropLowest, Priority::High) => &[Lane::Low, Lane::Normal],
        };
        let there = droppable
            .iter()
            .filter_map(|&lane| self.lines.get(lane as usize))
            .fold(Cost::ZERO, |sum, lane| sum + lane.cost);
        if !there.covers(lacking) {
            let verdict = if rule == Overflow::DropLowest {
                Room::NewOneGoes
            } else {
                Room::Refused
            };
            return (verdict, Vec::new());
        }
        let mut victims = Vec::new();
        let mut freed = Cost::ZERO;
        let mut queues: Vec<_> = droppable
            .iter()
            .filter_map(|&lane| self.lines.get(lane as usize))
            .map(|lane| {
                lane.queue
                    .iter()
                    .filter_map(|key| shelf.get(*key).map(|letter| (*key, letter)))
                    .peekable()
            })
            .collect();
        while !freed.covers(lacking) {
            let oldest_of = |queue: &mut core::iter::Peekable<_>| {
                queue
                    .peek()
                    .map(|(_, letter): &(LetterKey, &Letter)| letter.posted)
            };
            let fronts = queues
                .iter_mut()
                .enumerate()
                .filter_map(|(lane, queue)| Some((oldest_of(queue)?, lane)));
            // The oldest of all; or, lane after lane, the oldest of the lowest priority.
            let chosen = if rule == Overflow::DropOldest {
                fronts.min()
            } else {
                fronts.min_by_key(|(_, lane)| *lane)
            };
            let Some((key, letter)) = chosen.and_then(|(_, lane)| queues.get_mut(lane)?.next())
            else {
                break;
            };
            freed += letter.cost();
            victims.push(key);
        }
        (Room::Made, victims)
    }

    /// Every waiting letter, in the order in which they would be sent.
    pub(super) fn iter<'a>(&'a self, shelf: &'a Shelf) -> impl Iterator<Item = LetterKey> + 'a {
        self.lines
            .iter()
            .flat_map(|lane| lane.queue.iter().copied())
            .filter(|key| shelf.has(*key))
    }

    /// The oldest waiting letter of each lane.
    pub(super) fn fronts<'a>(&'a self, shelf: &'a Shelf) -> impl Iterator<Item = LetterKey> + 'a {
        self.lines
            .iter()
            .filter_map(|lane| lane.queue.iter().copied().find(|key| shelf.has(*key)))
    }

    /// What waits.
    pub(super) fn waiting(&self) -> Cost {
        self.lines
            .iter()
            .fold(Cost::ZERO, |sum, lane| sum + lane.cost)
    }

    /// Gives memory back where nothing waits.
    pub(super) fn shrink(&mut self) {
        self.lines.iter_mut().for_each(|lane| lane.queue.shrink());
    }

    fn line(&mut self, lane: Lane) -> &mut Line {
        let [again, high, normal, low] = &mut self.lines;
        match lane {
            Lane::Again => again,
            Lane::High => high,
            Lane::Normal => normal,
            Lane::Low => low,
        }
    }
}
