//! The texts of letters: appended to shared pages, and copied together before dead text outweighs the living.
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// A page is at least this large, so that letters share it.
const PAGE: usize = 64 * 1_024;
/// Dead text that is tolerated beyond the amount of living text.
const SLACK: usize = 256 * 1_024;

/// Where a text begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) page: u32,
    pub(super) offset: usize,
}

#[derive(Debug)]
struct Page {
    text: Vec<u8>,
    living: usize,
}

/// Pages of text. A page is reused when nothing on it lives; numbers of pages count up and are never reused.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pages: VecDeque<Page>,
    first: u32,
    spare: Option<Vec<u8>>,
    living: usize,
    held: usize,
}

impl Pages {
    /// Lays a text down in one piece, to live until [`Pages::release`].
    #[inline(always)]
    pub(super) fn append(&mut self, text: &[u8]) -> Spot {
        let room = |page: &Page| page.text.capacity().saturating_sub(page.text.len());
        if self.pages.back().is_none_or(|page| room(page) < text.len()) {
            self.open_page(text.len());
        }
        let number = self.pages.len().saturating_sub(1) as u32;
        let Some(last) = self.pages.back_mut() else {
            return Spot::default();
        };
        let offset = last.text.len();
        last.text.extend_from_slice(text);
        last.living = last.living.saturating_add(text.len());
        self.living = self.living.saturating_add(text.len());
        self.held = self.held.saturating_add(text.len());
        Spot {
            page: self.first.wrapping_add(number),
            offset,
        }
    }

    fn open_page(&mut self, length: usize) {
        let text = match self.spare.take() {
            Some(spare) if spare.capacity() >= length => spare,
            _ => Vec::with_capacity(length.max(PAGE)),
        };
        self.pages.push_back(Page { text, living: 0 });
    }

    /// `length` bytes of this page are dead.
    pub(super) fn release(&mut self, page: u32, length: usize) {
        let place = page.wrapping_sub(self.first) as usize;
        let is_last = place.saturating_add(1) == self.pages.len();
        let Some(page) = self.pages.get_mut(place) else {
            return;
        };
        page.living = page.living.saturating_sub(length);
        self.living = self.living.saturating_sub(length);
        if page.living > 0 {
            return;
        }
        self.held = self.held.saturating_sub(page.text.len());
        page.text.clear();
        if is_last {
            return;
        }
        let empty = core::mem::take(&mut page.text);
        if empty.capacity() == PAGE {
            self.spare = Some(empty);
        }
        while self.pages.len() > 1 && self.pages.front().is_some_and(|page| page.living == 0) {
            self.pages.pop_front();
            self.first = self.first.wrapping_add(1);
        }
    }

    /// The text of `length` bytes at this spot.
    pub(super) fn text(&self, spot: Spot, length: usize) -> &[u8] {
        let start = spot.offset;
        let page = self.pages.get(spot.page.wrapping_sub(self.first) as usize);
        page.and_then(|page| page.text.get(start..start.saturating_add(length)))
            .unwrap_or_default()
    }

    /// Is so much text dead that the living should be copied onto new pages.
    pub(super) const fn wants_copying(&self) -> bool {
        self.held > self.living.saturating_mul(2).saturating_add(SLACK)
    }

    /// Gives memory back if nothing lives.
    pub(super) fn shrink(&mut self) {
        if self.living == 0 {
            let first = self.first.wrapping_add(self.pages.len() as u32);
            *self = Pages {
                first,
                ..Pages::default()
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_again_until_they_die() {
        let mut pages = Pages::default();
        let spots: Vec<Spot> = (0..100_u8).map(|n| pages.append(&[n; 2_000])).collect();
        assert!(pages.pages.len() > 2);
        for (n, spot) in spots.iter().enumerate() {
            assert_eq!(pages.text(*spot, 2_000), [n as u8; 2_000]);
            pages.release(spot.page, 2_000);
        }
        assert_eq!((pages.pages.len(), pages.held, pages.living), (1, 0, 0));
    }

    #[test]
    fn text_after_text_stays_on_one_page() {
        let mut pages = Pages::default();
        for _ in 0..10_000 {
            let spot = pages.append(&[1; 500]);
            pages.release(spot.page, 500);
        }
        assert_eq!((pages.pages.len(), pages.first), (1, 0));
    }

    #[test]
    fn a_stuck_text_asks_for_copying() {
        let mut pages = Pages::default();
        for n in 0..1_000 {
            let spot = pages.append(&[1; 1_000]);
            if n % 60 != 0 {
                pages.release(spot.page, 1_000);
            }
        }
        assert!(pages.wants_copying());
    }
}
