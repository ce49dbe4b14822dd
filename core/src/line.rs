//! The link of a client at this moment: none, one that is being dialed, or one that is up.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use leveret_protocol::engine::LinkError;

use crate::net::Link;
use crate::net::network::{Network, Route};

#[derive(Debug, Default)]
pub(crate) struct Line {
    state: State,
    /// The number of the attempt that made, or is to make, this link.
    attempt: u64,
    /// The link took less than it was offered.
    stalled: bool,
    /// How many bytes were written in this turn.
    written: usize,
    /// What came and is not a whole packet yet. Without memory when there is nothing.
    received: BytesMut,
}

/// How many bytes a turn may write: who has much to send must not keep other clients waiting.
const MOST_WRITTEN: usize = 1024 * 1024;

#[derive(Default)]
enum State {
    #[default]
    Down,
    Dialing(Dial),
    Up(Link),
}

type Dial = Pin<Box<dyn Future<Output = Result<Link, LinkError>> + Send>>;

/// What happened to a line by itself.
#[derive(Debug)]
pub(crate) enum Change {
    /// The link is there.
    Up,
    /// The link failed, or could not be had.
    Down(LinkError),
    /// A link that was stalled takes bytes again.
    Writable,
}

impl Line {
    /// Begins to dial, in place of whatever there was.
    pub(crate) fn dial(&mut self, attempt: u64, network: &Arc<Network>, route: Route) {
        let dial: Dial = Box::pin(Arc::clone(network).dial(route));
        *self = Line {
            state: State::Dialing(dial),
            attempt,
            ..Line::default()
        };
    }

    /// The attempt that the line belongs to, up or not.
    pub(crate) fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Ready when a dial is over or a stall has ended.
    pub(crate) fn poll_change(&mut self, context: &mut Context<'_>) -> Poll<Change> {
        match &mut self.state {
            State::Dialing(dial) => {
                let dialed = ready!(dial.as_mut().poll(context));
                Poll::Ready(match dialed {
                    Ok(link) => {
                        self.state = State::Up(link);
                        Change::Up
                    }
                    Err(why) => self.failed(why),
                })
            }
            State::Up(link) if self.stalled => {
                ready!(link.poll_writable(context));
                self.stalled = false;
                Poll::Ready(Change::Writable)
            }
            State::Up(_) | State::Down => Poll::Pending,
        }
    }

    /// Ready with all that came and was not consumed, after one read: who sends much must not keep other
    /// clients waiting. What is left of it is to be [given back](Line::keep).
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<BytesMut, Change>> {
        let State::Up(link) = &mut self.state else {
            return Poll::Pending;
        };
        match link.poll_read(&mut self.received, context) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(std::mem::take(&mut self.received))),
            Poll::Ready(Err(why)) => Poll::Ready(Err(self.failed(why))),
            Poll::Pending => {
                // The link may have made room for what then did not come.
                if self.received.is_empty() {
                    self.received = BytesMut::new();
                }
                Poll::Pending
            }
        }
    }

    /// Keeps the beginning of a packet until the rest comes on the same link.
    pub(crate) fn keep(&mut self, attempt: u64, rest: BytesMut) {
        if attempt == self.attempt && !rest.is_empty() && matches!(self.state, State::Up(_)) {
            self.received = rest;
        }
    }

    /// Begins a turn, in which a bounded number of bytes may be written.
    pub(crate) fn begin_turn(&mut self) {
        self.written = 0;
    }

    /// Offers bytes to the link: how many it took, or that it failed. It takes none any more when the turn
    /// has written enough; that is a stall which ends with the next turn.
    pub(crate) fn write(
        &mut self,
        slices: &[Bytes],
        context: &mut Context<'_>,
    ) -> Result<usize, LinkError> {
        let State::Up(link) = &mut self.state else {
            return Ok(0);
        };
        if self.written >= MOST_WRITTEN {
            self.stalled = true;
            return Ok(0);
        }
        let offered = slices.iter().map(Bytes::len).sum();
        let written = match link.write(slices, context) {
            Ok(written) => written,
            Err(why) => {
                self.state = State::Down;
                return Err(why);
            }
        };
        // What a layer holds back goes on only while somebody asks for room.
        self.stalled = written < offered || link.holds();
        self.written += written;
        Ok(written)
    }

    /// Takes the line down. A link that was up is returned; dropping it hangs up so that nothing more is
    /// sent.
    pub(crate) fn take_down(&mut self) -> Option<Link> {
        let attempt = self.attempt;
        let before = std::mem::replace(
            self,
            Line {
                attempt,
                ..Line::default()
            },
        );
        match before.state {
            State::Up(link) => Some(link),
            State::Dialing(_) | State::Down => None,
        }
    }

    fn failed(&mut self, why: LinkError) -> Change {
        self.take_down();
        Change::Down(why)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            State::Down => "Down",
            State::Dialing(_) => "Dialing",
            State::Up(_) => "Up",
        })
    }
}
