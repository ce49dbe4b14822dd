//! The engine: one MQTT client as a value with two methods. `handle` says what happened, `poll` says what to do next.
mod batch;
mod budget;
mod event;
mod letter;
mod pages;
mod publish;

pub use batch::{Batch, Command, Subscribe, SubscribeEntry, Unsubscribe};
pub use budget::{Budget, Cost};
pub use event::*;
pub use letter::Letter;
pub use publish::{Payload, Publish, SHARED_FROM, SealedLetter};

use alloc::string::String;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use crate::options::ClientOptions;
use crate::text::Text;
use crate::time::Instant;

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// Begin connecting. Before it nothing is dialed, but letters and commands are taken.
    Start,
    /// Callers handed these over. The batch is drained and keeps its memory.
    Submit(&'a mut Batch),
    /// The transport that was dialed is there.
    LinkUp {
        /// The number in [`Output::Dial`]; a link of an earlier attempt is ignored.
        attempt: u64,
    },
    /// Bytes from the broker. Complete packets are consumed, the rest stays for the next time.
    Received(&'a mut BytesMut),
    /// The operating system took this many bytes of the last [`Output::Write`]. Fewer than offered: the socket is stalled until [`Input::Writable`].
    /// It is the next input after a write, unless the link went down.
    Written(usize),
    /// The socket takes bytes again.
    Writable,
    /// The transport failed, or the broker closed it.
    LinkDown {
        /// The number in [`Output::Dial`]; the end of an earlier link is ignored.
        attempt: u64,
        /// Why.
        why: LinkError,
    },
    /// The inbox is full and nothing is read (`true`), or there is room again: missing PINGRESPs are not counted meanwhile.
    ReadingPaused(bool),
    /// Time passed.
    Tick,
}

/// Why a transport failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkError {
    /// What kind of failure.
    pub kind: LinkErrorKind,
    /// In the words of the system.
    pub text: String,
}

/// The kinds of transport failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkErrorKind {
    /// Nobody listens there.
    Refused,
    /// No way to the host or network.
    Unreachable,
    /// The name could not be resolved.
    Dns,
    /// It took too long.
    TimedOut,
    /// The broker closed the connection in order.
    Closed,
    /// The connection broke.
    Reset,
    /// Anything else.
    Other,
}

/// What to do next.
#[derive(Debug)]
pub enum Output<'a> {
    /// Open a transport; answer with `LinkUp` or `LinkDown` and the same number. A link from before is to be dropped, if there is one.
    Dial {
        /// Counts up by one for each attempt.
        attempt: u64,
        /// Index of the URL.
        endpoint: usize,
        /// The server that the broker referred to (MQTT 5, 4.11), to be dialed in place of the URL's, in the same way.
        reference: Option<Text>,
    },
    /// Write these bytes, in order, once; then say [`Input::Written`]. At most 64 slices, and not much more than 64 KiB unless one payload is larger.
    Write(&'a [Bytes]),
    /// Close the transport. It is not followed by a `LinkDown`.
    HangUp {
        /// Only true after DISCONNECT was written whole. Otherwise the transport is to be closed so that the system sends nothing more (linger 0).
        graceful: bool,
    },
    /// Tell the application; the driver drains the list.
    Deliver(&'a mut Vec<Event>),
    /// Nothing to do until the next input, or until this moment, at which `Tick` is due.
    Sleep(Option<Instant>),
}

/// One MQTT client without its socket, clock and threads.
///
/// Call [`Engine::handle`] with whatever happens, then [`Engine::poll`] until it says [`Output::Sleep`]. The same options, seed and inputs
/// give the same outputs, byte for byte.
#[derive(Debug)]
pub struct Engine {
    options: ClientOptions,
    now: Instant,
    events: Vec<Event>,
    stats: EngineStats,
}

impl Engine {
    /// An engine that has not begun to connect.
    ///
    /// `options` must have passed [`ClientOptions::check`]. `endpoints` is the number of URLs, at least 1. `seed` drives everything that is left to chance: the
    /// jitter of the backoff, a random client id, the first packet identifier of an adopted session.
    pub fn new(options: ClientOptions, endpoints: usize, seed: u64) -> Engine {
        let _ = (endpoints, seed);
        Engine {
            options,
            now: Instant::ZERO,
            events: Vec::new(),
            stats: EngineStats::new(),
        }
    }

    /// Takes note of what happened. Time never goes back: an earlier `now` counts as the latest one.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.now = self.now.max(now);
        if let Input::Submit(batch) = input {
            batch.texts.clear();
            for command in batch.commands.drain(..) {
                if let Command::Publish(letter) = command {
                    if let Some(receipt) = letter.receipt {
                        self.events.push(Event::Settled {
                            tag: receipt.tag,
                            outcome: crate::outcome::Outcome::new(
                                crate::outcome::OutcomeStatus::Closed,
                            ),
                            cost: receipt.cost(),
                        });
                    }
                }
            }
        }
    }

    /// Says what to do next. Call it after each input until it says [`Output::Sleep`].
    pub fn poll(&mut self) -> Output<'_> {
        if self.events.is_empty() {
            return Output::Sleep(None);
        }
        Output::Deliver(&mut self.events)
    }

    /// The engine's counters.
    pub fn stats(&self, now: Instant) -> EngineStats {
        let _ = (now, &self.options);
        self.stats.clone()
    }
}
