//! The post office: the letters that wait, in which order they go out, and which of them gives way when there is no room.
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::budget::Cost;
use super::event::Room;
use super::lazy::LazyQueue;
use super::letter::Letter;
use super::shelf::{LetterKey, Shelf};
use crate::options::{Overflow, Priority};

/// One queue of waiting letters: first posted, first sent.
#[derive(Debug)]
struct Lane {
    queue: LazyQueue<LetterKey>,
    cost: Cost,
}

/// The lanes, in the order in which they are served. The first holds letters that were sent before and have to go again as new ones; they are not
/// dropped for others. Then one for each priority.
const LANES: usize = 4;
const AGAIN: usize = 0;

/// The letters that wait to be sent.
#[derive(Debug)]
pub(super) struct PostOffice {
    lanes: [Lane; LANES],
    /// The waiting letter of each replace key.
    keys: BTreeMap<Box<[u8]>, LetterKey>,
}

impl PostOffice {
    pub(super) fn new() -> PostOffice {
        PostOffice {
            lanes: core::array::from_fn(|_| Lane {
                queue: LazyQueue::new(),
                cost: Cost::ZERO,
            }),
            keys: BTreeMap::new(),
        }
    }

    /// A letter waits behind those before it.
    pub(super) fn queue(&mut self, key: LetterKey, letter: &Letter) {
        let lane = self.lane(letter);
        lane.queue.push_back(key);
        lane.cost += letter.cost();
    }

    /// A letter waits again, before all others of its lane.
    pub(super) fn return_to_front(&mut self, key: LetterKey, letter: &Letter) {
        let lane = self.lane(letter);
        lane.queue.push_front(key);
        lane.cost += letter.cost();
    }

    /// The letter whose turn it is.
    pub(super) fn next(&mut self, shelf: &Shelf) -> Option<LetterKey> {
        self.lanes
            .iter_mut()
            .find_map(|lane| lane.queue.front(|key| shelf.has(*key)).copied())
    }

    /// The letter whose turn it is leaves to be sent.
    pub(super) fn hand_out(&mut self, letter: &Letter) {
        let cost = letter.cost();
        let lane = self.lane(letter);
        lane.queue.pop_front(|_| true);
        lane.cost -= cost;
    }

    /// A waiting letter was settled and is no longer on the shelf.
    pub(super) fn one_left(&mut self, letter: &Letter, shelf: &Shelf) {
        let cost = letter.cost();
        let lane = self.lane(letter);
        lane.queue.one_died(|key| shelf.has(*key));
        lane.cost -= cost;
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
        let droppable: &[usize] = match (rule, priority) {
            (Overflow::Reject, _) => return (Room::Refused, Vec::new()),
            (Overflow::DropNewest, _) | (Overflow::DropLowest, Priority::Low) => {
                return (Room::NewOneGoes, Vec::new());
            }
            (Overflow::DropOldest, _) => &[1, 2, 3],
            // Strictly lower ones only, the lowest first.
            (Overflow::DropLowest, Priority::Normal) => &[3],
            (Overflow::DropLowest, Priority::High) => &[3, 2],
        };
        let there = droppable
            .iter()
            .filter_map(|&lane| self.lanes.get(lane))
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
            .filter_map(|&lane| self.lanes.get(lane))
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
        self.lanes
            .iter()
            .flat_map(|lane| lane.queue.iter().copied())
            .filter(|key| shelf.has(*key))
    }

    /// The oldest waiting letter of each lane.
    pub(super) fn fronts<'a>(&'a self, shelf: &'a Shelf) -> impl Iterator<Item = LetterKey> + 'a {
        self.lanes
            .iter()
            .filter_map(|lane| lane.queue.iter().copied().find(|key| shelf.has(*key)))
    }

    /// What waits.
    pub(super) fn waiting(&self) -> Cost {
        self.lanes
            .iter()
            .fold(Cost::ZERO, |sum, lane| sum + lane.cost)
    }

    /// Gives memory back where nothing waits.
    pub(super) fn shrink(&mut self) {
        self.lanes.iter_mut().for_each(|lane| lane.queue.shrink());
    }

    fn lane(&mut self, letter: &Letter) -> &mut Lane {
        let place = match (letter.begun, letter.priority) {
            (true, _) => AGAIN,
            (false, Priority::High) => 1,
            (false, Priority::Normal) => 2,
            (false, Priority::Low) => 3,
        };
        &mut self.lanes[place]
    }
}
