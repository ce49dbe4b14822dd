//! Where letters lie from acceptance to settlement: a slab of records beside the pages of their texts, without an allocation per letter.
use alloc::vec::Vec;

use super::letter::Letter;
use super::pages::Pages;

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
    /// Puts a letter on the shelf, and a copy of its texts on a page.
    #[inline(always)]
    pub(super) fn put(&mut self, mut letter: Letter, texts: &[u8]) -> LetterKey {
        letter.body.spot = self.pages.append(texts);
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let place = match self.free.pop() {
            Some(place) => place,
            None => self.slots.len() as u32,
        };
        match self.slots.get_mut(place as usize) {
            Some(slot) => {
                slot.serial = serial;
                slot.letter = Some(letter);
            }
            None => self.slots.push(Slot {
                serial,
                letter: Some(letter),
            }),
        }
        LetterKey { place, serial }
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

    /// Takes a letter off the shelf, and its texts with it.
    #[inline(always)]
    pub(super) fn remove(&mut self, key: LetterKey) {
        let slot = self.slots.get_mut(key.place as usize);
        let Some(slot) = slot.filter(|slot| slot.serial == key.serial) else {
            return;
        };
        let Some(letter) = &slot.letter else {
            return;
        };
        let body = letter.body;
        slot.letter = None;
        self.free.push(key.place);
        self.pages.release(body.spot.page, body.length);
        if self.pages.wants_copying() {
            self.copy_together();
        }
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

    /// The texts of a letter, one after the other.
    pub(super) fn texts(&self, letter: &Letter) -> &[u8] {
        self.pages.text(letter.body.spot, letter.body.length)
    }

    /// Copies all living text onto new pages. Its cost is spread over the text that died since the last time.
    fn copy_together(&mut self) {
        let mut fresh = Pages::default();
        for letter in self
            .slots
            .iter_mut()
            .filter_map(|slot| slot.letter.as_mut())
        {
            let length = letter.body.length;
            letter.body.spot = fresh.append(self.pages.text(letter.body.spot, length));
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
