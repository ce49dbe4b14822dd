//! A tap on a client's outgoing bytes: of every byte that the operating system took it knows which frame it began.

use super::frames::{self, Frame, kind};

/// What the tap saw.
#[derive(Debug)]
pub enum Seen {
    /// The first byte of this frame was taken.
    Begun(Frame),
    /// The last byte of this frame was taken.
    Completed(Frame),
}

/// One connection's tap.
#[derive(Debug, Default)]
pub struct Tap {
    level: u8,
    current: Option<(Frame, usize)>,
}

impl Tap {
    /// The protocol level of the CONNECT that was seen, 0 before it.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Whether the last frame was taken whole.
    pub fn between_frames(&self) -> bool {
        self.current.is_none()
    }

    /// The engine offered these bytes and the first `taken` of them were taken. The rest is only looked at to recognise
    /// a frame whose head was taken in part. The error says what is wrong with the offer.
    pub fn watch(&mut self, offered: &[u8], taken: usize) -> Result<Vec<Seen>, String> {
        let (mut at, mut seen) = (0, Vec::new());
        while at < taken {
            if self.current.is_none() {
                let frame = frames::read(&offered[at..], self.level).ok_or_else(|| {
                    format!(
                        "a frame begins with {:02x?} and its head is not in the offer",
                        &offered[at..offered.len().min(at + 8)]
                    )
                })?;
                if frame.kind == kind::CONNECT {
                    self.level = frame.level;
                }
                seen.push(Seen::Begun(frame.clone()));
                let length = frame.length;
                self.current = Some((frame, length));
            }
            let Some((frame, left)) = &mut self.current else {
                break;
            };
            let step = (*left).min(taken - at);
            at += step;
            *left -= step;
            if *left == 0 {
                seen.push(Seen::Completed(frame.clone()));
                self.current = None;
            }
        }
        Ok(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_taken_in_parts_begins_once_and_ends_once() {
        let mut tap = Tap::default();
        let bytes = [0xc0, 0, 0x40, 2, 0, 7];
        let mut log = Vec::new();
        for (from, taken) in [(0, 1), (1, 2), (3, 0), (3, 3)] {
            for seen in tap.watch(&bytes[from..], taken).expect("whole heads") {
                log.push(match seen {
                    Seen::Begun(frame) => (frame.kind, false),
                    Seen::Completed(frame) => (frame.kind, true),
                });
            }
        }
        assert_eq!(log, [(12, false), (12, true), (4, false), (4, true)]);
        assert!(tap.between_frames());
    }
}
