//! Where letters lie from acceptance to settlement: a slab of records beside the pages of their texts, without an allocation per letter.
use alloc::vec::Vec;

use super::letter::Letter;
use super::pages::{Pages, Spot};
use crate::codec::PublishHead;

/// Finds a letter on the shelf. Of a letter that was taken off it finds nothing, also when its place was given to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LetterKey {
    place: u32,
    serial: u32,
}

#[derive(Debug)]
struct Slot {
    serial: u32,
    letter: Option<Letter>,
}

/// Letters by key, and the pages with their texts.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    slots: Vec<Slot>,
    free: Vec<u32>,
    serial: u32,
    pages: Pages,
}

impl Shelf {
    /// Lays the texts of a batch down in one piece; the bodies of its letters count from there.
    pub(super) fn lay_down(&mut self, texts: &[u8]) -> Spot {
        self.pages.append(texts)
    }

    /// Puts a letter on the shelf whose texts lie at `start` plus its own offset.
    pub(super) fn put(&mut self, mut letter: Letter, start: Spot) -> LetterKey {
        letter.body.spot = Spot {
            page: start.page,
            offset: start.offset + letter.body.spot.offset,
        };
        self.pages.keep(start.page, letter.body.length());
        self.serial = self.serial.wrapping_add(1);
        let slot = Slot {
            serial: self.serial,
            letter: Some(letter),
        };
        let place = match self.free.pop() {
            Some(place) => place,
            None => self.slots.len() as u32,
        };
        match self.slots.get_mut(place as usize) {
            Some(empty) => *empty = slot,
            None => self.slots.push(slot),
        }
        LetterKey {
            place,
            serial: self.serial,
        }
    }

    pub(super) fn get(&self, key: LetterKey) -> Option<&Letter> {
        let slot = self.slots.get(key.place as usize)?;
        slot.letter.as_ref().filter(|_| slot.serial == key.serial)
    }

    pub(super) fn get_mut(&mut self, key: LetterKey) -> Option<&mut Letter> {
        let slot = self.slots.get_mut(key.place as usize)?;
        slot.letter.as_mut().filter(|_| slot.serial == key.serial)
    }

    pub(super) fn has(&self, key: LetterKey) -> bool {
        self.get(key).is_some()
    }

    /// Takes a letter off the shelf; its texts are gone with it.
    pub(super) fn take(&mut self, key: LetterKey) -> Option<Letter> {
        let slot = self
            .slots
            .get_mut(key.place as usize)
            .filter(|slot| slot.serial == key.serial)?;
        let letter = slot.letter.take()?;
        self.free.push(key.place);
        self.pages
            .release(letter.body.spot.page, letter.body.length());
        if self.pages.wants_copying() {
            self.copy_together();
        }
        Some(letter)
    }

    /// Every letter, in no order that means anything.
    pub(super) fn keys(&self) -> Vec<LetterKey> {
        let occupied = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.letter.is_some());
        occupied
            .map(|(place, slot)| LetterKey {
                place: place as u32,
                serial: slot.serial,
            })
            .collect()
    }

    /// The head of this letter's PUBLISH, but for its packet identifier and DUP, and the payload unless it is shared.
    pub(super) fn head<'a>(
        &'a self,
        letter: &Letter,
        expiry: Option<u32>,
    ) -> (PublishHead<'a>, &'a [u8]) {
        let body = letter.body;
        let all = self.pages.text(body.spot, body.length());
        let (topic, rest) = all
            .split_at_checked(usize::from(body.topic))
            .unwrap_or_default();
        let (properties, rest) = rest
            .split_at_checked(body.properties as usize)
            .unwrap_or_default();
        let head = PublishHead {
            topic,
            qos: letter.qos,
            retain: letter.retain,
            dup: false,
            packet_id: None,
            properties,
            expiry,
            payload_length: letter.payload_length(),
        };
        (
            head,
            rest.get(..usize::from(body.payload)).unwrap_or_default(),
        )
    }

    /// The replace key of a letter; empty if it has none.
    pub(super) fn replace_key(&self, letter: &Letter) -> &[u8] {
        let body = letter.body;
        let all = self.pages.text(body.spot, body.length());
        all.get(body.length() - usize::from(body.key)..)
            .unwrap_or_default()
    }

    /// Copies all living text onto new pages. Its cost is spread over the text that died since the last time.
    fn copy_together(&mut self) {
        let mut fresh = Pages::default();
        for letter in self
            .slots
            .iter_mut()
            .filter_map(|slot| slot.letter.as_mut())
        {
            let length = letter.body.length();
            let spot = fresh.append(self.pages.text(letter.body.spot, length));
            fresh.keep(spot.page, length);
            letter.body.spot = spot;
        }
        self.pages = fresh;
    }

    /// Gives memory back if no letter is left.
    pub(super) fn shrink(&mut self) {
        if self.free.len() == self.slots.len() {
            self.slots = Vec::new();
            self.free = Vec::new();
            self.pages.shrink();
        }
    }
}
