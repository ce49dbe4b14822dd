//! The bytes on their way to the socket: what was composed, what the system took, and what is taken back when the socket stalls.
//!
//! Life of an offer: control packets, then frames of letters, are composed → offered as slices → taken whole; or in part, and then the socket is
//! stalled: frames of which no byte was taken are taken back, the rest is offered again when the socket is writable.
use crate::checked;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::shelf::LetterKey;

/// No more is composed ahead of the socket than this, so that a stall finds few letters on their way.
const AHEAD: u64 = 64 * 1_024;
/// The most slices of one offer.
const SLICES: usize = 64;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Letters of QoS 0 that went straight from their batch: the next ones of those, one frame behind the other.
    Straight(usize),
    /// A letter of QoS 0.
    Once(LetterKey),
    /// A letter of QoS 1 or 2, for the first time under this packet identifier.
    First(u16),
    /// PUBLISH or PUBREL again, on a resumed session.
    Again(u16),
}

/// A frame in the stream of bytes of this connection.
#[derive(Clone, Copy, Debug)]
struct Frame {
    start: u64,
    end: u64,
    sent: Sent,
}

/// The stream of one connection. Positions count its bytes from the beginning.
#[derive(Debug, Default)]
pub(super) struct Wire {
    control: BytesMut, // packets that do not belong to letters, to go out before the next frame
    run: BytesMut,     // composed, not yet cut into a slice
    slices: Vec<Bytes>,
    frames: VecDeque<Frame>,
    cut: u64, // where `run` begins
    taken: u64,
    stalled: bool,
    offered: bool,
    has_frames: bool, // frames were composed for the next offer
}

impl Wire {
    /// The connection is gone. Takes the latest frame that the system does not have whole, and whether it has its first byte; when there is none left,
    /// everything else is forgotten.
    pub(super) fn pop_lost(&mut self) -> Option<(Sent, bool)> {
        let Some(frame) = self.frames.pop_back() else {
            *self = Wire {
                frames: core::mem::take(&mut self.frames),
                run: core::mem::take(&mut self.run),
                ..Wire::default()
            };
            self.run.clear();
            return None;
        };
        Some((frame.sent, frame.start < self.taken))
    }

    /// Where control packets are written: PINGREQ, acknowledgements, SUBSCRIBE and so on.
    pub(super) fn control(&mut self) -> &mut BytesMut {
        &mut self.control
    }

    pub(super) const fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// Everything composed was taken by the system.
    pub(super) fn is_idle(&self) -> bool {
        self.taken == self.composed() && self.control.is_empty()
    }

    /// May frames be composed: the socket is not stalled, and the last offer has been answered.
    pub(super) const fn is_open(&self) -> bool {
        !self.stalled && !self.offered
    }

    /// Is there room for one more frame in this offer.
    #[inline(always)]
    pub(super) fn has_room(&self) -> bool {
        self.composed().saturating_sub(self.taken) < AHEAD
            && self.slices.len().saturating_add(3) <= SLICES
    }

    /// Moves the control packets into the run, before the frames of this offer; what a stall takes back
    /// must be its end. Says whether none is left behind for the next offer, so that frames may follow.
    pub(super) fn begin_offer(&mut self) -> bool {
        if self.control.is_empty() {
            return true;
        }
        if self.has_frames {
            return false;
        }
        self.run.extend_from_slice(&self.control);
        self.control.clear();
        true
    }

    /// Where a frame is composed.
    pub(super) fn run(&mut self) -> &mut BytesMut {
        &mut self.run
    }

    /// Adds a payload to the frame: a small one by copying, a large one by reference.
    #[inline(always)]
    pub(super) fn payload(&mut self, small: &[u8], large: Option<&Bytes>) {
        self.run.extend_from_slice(small);
        if let Some(large) = large {
            self.cut_run();
            self.cut = self.cut.saturating_add(large.len() as u64);
            self.slices.push(large.clone());
        }
    }

    /// The frame that began at `start` is complete.
    #[inline(always)]
    pub(super) fn end_frame(&mut self, start: u64, sent: Sent) {
        self.has_frames = true;
        self.frames.push_back(Frame {
            start,
            end: self.composed(),
            sent,
        });
    }

    /// Gives each letter that went straight a frame of its own, so that it can be taken back. `ends`: where those of this offer end.
    pub(super) fn tell_straight_apart(&mut self, ends: &[u64]) {
        let mut ends = ends.iter();
        for frame in core::mem::take(&mut self.frames) {
            let Sent::Straight(count) = frame.sent else {
                self.frames.push_back(frame);
                continue;
            };
            let mut start = frame.start;
            for &end in ends.by_ref().take(count) {
                let sent = Sent::Straight(1);
                self.frames.push_back(Frame { start, end, sent });
                start = end;
            }
        }
    }

    /// The position behind what was composed.
    #[inline(always)]
    pub(super) fn composed(&self) -> u64 {
        self.cut.saturating_add(self.run.len() as u64)
    }

    /// Is there something to be written, and the socket ready for it.
    pub(super) fn wants_offer(&self) -> bool {
        self.is_open() && !(self.run.is_empty() && self.slices.is_empty())
    }

    /// What is to be written now.
    pub(super) fn offer(&mut self) -> &[Bytes] {
        self.cut_run();
        self.offered = true;
        self.has_frames = false;
        &self.slices
    }

    /// The system took `count` bytes of the offer; fewer than offered means that the socket is stalled. Then see [`Wire::pop_taken`], [`Wire::pop_untaken`].
    /// Returns how many bytes that are, at most as many as were offered.
    pub(super) fn written(&mut self, count: usize) -> usize {
        if !core::mem::take(&mut self.offered) {
            return 0;
        }
        let offered = self.cut.saturating_sub(self.taken) as usize;
        let count = count.min(offered);
        self.taken = self.taken.saturating_add(count as u64);
        self.stalled = count < offered;
        self.drop_front(count);
        count
    }

    /// Takes the next frame of which the system has every byte.
    #[inline(always)]
    pub(super) fn pop_taken(&mut self) -> Option<Sent> {
        self.frames
            .front()
            .filter(|frame| frame.end <= self.taken)?;
        self.frames.pop_front().map(|frame| frame.sent)
    }

    /// Takes the latest frame of which the system has no byte out of the offer that stalled. It is as if it had not been composed.
    pub(super) fn pop_untaken(&mut self) -> Option<Sent> {
        let frame = *self
            .frames
            .back()
            .filter(|frame| self.stalled && frame.start >= self.taken)?;
        self.frames.pop_back();
        self.drop_back(frame.start);
        Some(frame.sent)
    }

    /// The first frame of which the system does not have every byte.
    pub(super) fn first_frame(&self) -> Option<Sent> {
        self.frames.front().map(|frame| frame.sent)
    }

    /// The first frame is found in another way from now on.
    pub(super) fn rename_first_frame(&mut self, sent: Sent) {
        if let Some(frame) = self.frames.front_mut() {
            frame.sent = sent;
        }
    }

    /// The socket takes bytes again.
    pub(super) fn writable(&mut self) {
        self.stalled = false;
    }

    /// Gives memory back while nothing is on its way.
    pub(super) fn shrink(&mut self) {
        if self.is_idle() && self.frames.is_empty() {
            self.run = BytesMut::new();
            self.control = BytesMut::new();
            self.slices = Vec::new();
            self.frames = VecDeque::new();
        }
    }

    fn cut_run(&mut self) {
        if !self.run.is_empty() {
            self.cut = self.cut.saturating_add(self.run.len() as u64);
            self.slices.push(self.run.split().freeze());
        }
    }

    /// Drops the first `count` bytes of the slices.
    fn drop_front(&mut self, mut count: usize) {
        if !self.stalled {
            return self.slices.clear();
        }
        let whole = self.slices.iter().take_while(|slice| {
            let fits = slice.len() <= count;
            count = count.saturating_sub(if fits { slice.len() } else { 0 });
            fits
        });
        let whole = whole.count();
        checked::drain(&mut self.slices, whole);
        if let Some(first) = self.slices.first_mut() {
            checked::skip(first, count);
        }
    }

    /// Drops what lies behind position `end`.
    fn drop_back(&mut self, end: u64) {
        while let Some(last) = self.slices.last_mut().filter(|_| self.cut > end) {
            let less = self.cut.saturating_sub(end).min(last.len() as u64);
            last.truncate(last.len().saturating_sub(less as usize));
            self.cut = self.cut.saturating_sub(less);
            if last.is_empty() {
                self.slices.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_frames(lengths: &[usize]) -> Wire {
        let mut wire = Wire::default();
        wire.control().extend_from_slice(b"ctrl");
        wire.begin_offer();
        for (id, length) in lengths.iter().enumerate() {
            let start = wire.composed();
            wire.run().extend_from_slice(&[id as u8; 2]);
            wire.payload(&[], Some(&Bytes::from(alloc::vec![id as u8; length - 2])));
            wire.end_frame(start, Sent::First(id as u16));
        }
        wire
    }

    fn offered(wire: &mut Wire) -> Vec<u8> {
        if wire.wants_offer() {
            wire.offer().concat()
        } else {
            Vec::new()
        }
    }

    fn write(wire: &mut Wire, count: usize) -> (Vec<Sent>, Vec<Sent>) {
        wire.written(count);
        (
            core::iter::from_fn(|| wire.pop_taken()).collect(),
            core::iter::from_fn(|| wire.pop_untaken()).collect(),
        )
    }

    #[test]
    fn a_stalled_socket_keeps_the_begun_frame_and_gives_the_rest_back() {
        for stop in 0..4 + 30 {
            let mut wire = with_frames(&[10, 10, 10]);
            let all = offered(&mut wire);
            assert_eq!(all.len(), 34);
            let (done, unsent) = write(&mut wire, stop);
            let begun = stop.saturating_sub(4).div_ceil(10);
            assert_eq!(done.len(), stop.saturating_sub(4) / 10, "{stop}");
            assert_eq!(
                unsent,
                (begun..3)
                    .rev()
                    .map(|id| Sent::First(id as u16))
                    .collect::<Vec<_>>(),
                "{stop}"
            );
            assert!(wire.is_stalled() && !wire.wants_offer());
            wire.writable();
            assert_eq!(offered(&mut wire), all[stop..4 + 10 * begun], "{stop}");
        }
    }

    #[test]
    fn a_whole_write_leaves_nothing() {
        let mut wire = with_frames(&[10, 10]);
        assert_eq!(offered(&mut wire).len(), 24);
        assert!(!wire.wants_offer(), "an offer is made once");
        assert_eq!(write(&mut wire, 24).0, [Sent::First(0), Sent::First(1)]);
        assert!(wire.is_idle() && !wire.wants_offer() && !wire.is_stalled());
    }

    #[test]
    fn a_lost_connection_tells_what_was_begun() {
        let mut wire = with_frames(&[10, 10]);
        offered(&mut wire);
        write(&mut wire, 6);
        let lost: Vec<_> = core::iter::from_fn(|| wire.pop_lost()).collect();
        assert_eq!(lost, [(Sent::First(0), true)]);
        assert!(wire.is_idle());
    }
}
