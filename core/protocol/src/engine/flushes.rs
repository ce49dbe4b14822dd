//! Who waits until all letters posted so far are settled.
use alloc::collections::VecDeque;

use super::event::Tag;

#[derive(Debug)]
struct Flush {
    reply: Tag,
    unsettled: usize, // of the letters posted between the flush before and this one
}

/// Letters are numbered by the flushes before them, so that a settled letter finds the flush that waits for it without a search.
#[derive(Debug, Default)]
pub(super) struct Flushes {
    waiting: VecDeque<Flush>,
    first: u32,
    since: usize,
    total: usize,
}

impl Flushes {
    /// A letter was posted; the number is to be kept with it.
    pub(super) fn posted(&mut self) -> u32 {
        self.since = self.since.saturating_add(1);
        self.total = self.total.saturating_add(1);
        self.first.wrapping_add(self.waiting.len() as u32)
    }

    /// A letter with this number was settled. Says whether somebody may have waited for it.
    pub(super) fn settled(&mut self, epoch: u32) -> bool {
        self.total = self.total.saturating_sub(1);
        match self
            .waiting
            .get_mut(epoch.wrapping_sub(self.first) as usize)
        {
            Some(flush) => flush.unsettled = flush.unsettled.saturating_sub(1),
            None => self.since = self.since.saturating_sub(1),
        }
        !self.waiting.is_empty()
    }

    /// Somebody waits for all letters posted so far.
    pub(super) fn flush(&mut self, reply: Tag) {
        self.waiting.push_back(Flush {
            reply,
            unsettled: core::mem::take(&mut self.since),
        });
    }

    /// Takes one who waits no longer.
    pub(super) fn take_done(&mut self) -> Option<Tag> {
        self.waiting.front().filter(|flush| flush.unsettled == 0)?;
        self.first = self.first.wrapping_add(1);
        self.waiting.pop_front().map(|flush| flush.reply)
    }

    /// Letters posted and not settled.
    pub(super) const fn unsettled(&self) -> usize {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_waits_for_the_letters_before_it_only() {
        let mut flushes = Flushes::default();
        let (a, b) = (flushes.posted(), flushes.posted());
        flushes.flush(7);
        let c = flushes.posted();
        flushes.flush(8);
        flushes.settled(c);
        assert_eq!(flushes.take_done(), None, "in order");
        flushes.settled(b);
        assert_eq!(flushes.take_done(), None);
        flushes.settled(a);
        assert_eq!(
            (
                flushes.take_done(),
                flushes.take_done(),
                flushes.take_done()
            ),
            (Some(7), Some(8), None)
        );
        flushes.flush(9);
        assert_eq!(flushes.take_done(), Some(9), "nothing to wait for");
        assert_eq!(flushes.unsettled(), 0);
    }
}
