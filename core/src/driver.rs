//! One task per client: carries what happens to the engine, and what the engine wants to the link and the
//! handoffs. No policy here: no retry, no timeout, no order of anything is decided in this file.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use leveret_protocol::engine::{Batch, Engine, Event, Input, LinkError, Output};
use leveret_protocol::outcome::Status;
use leveret_protocol::time::Instant;

use crate::clock::{self, Alarm};
use crate::deliver::Sorter;
use crate::net::Link;
use crate::net::url::Address;
use crate::shared::Shared;

#[derive(Debug)]
pub(crate) struct Driver {
    shared: Arc<Shared>,
    engine: Engine,
    addresses: Vec<Arc<Address>>,
    line: Line,
    /// The number of the attempt that `line` belongs to.
    attempt: u64,
    /// The socket took less than it was offered.
    stalled: bool,
    /// The inbox is full: nothing is read.
    paused: bool,
    /// When the engine wants to be told the time.
    deadline: Option<Instant>,
    alarm: Alarm,
    batch: Batch,
    received: BytesMut,
    events: Vec<Event>,
    sorter: Sorter,
}

enum Line {
    Down,
    Dialing(Pin<Box<dyn Future<Output = Result<Link, LinkError>> + Send>>),
    Up(Link),
}

/// Turns after which other clients get the thread, if they want it.
const TURNS_IN_A_ROW: u32 = 16;

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, engine: Engine, addresses: Vec<Arc<Address>>) -> Driver {
        let alarm = shared.machine.clock().alarm();
        Driver {
            shared,
            engine,
            addresses,
            line: Line::Down,
            attempt: 0,
            stalled: false,
            paused: false,
            deadline: None,
            alarm,
            batch: Batch::default(),
            received: BytesMut::new(),
            events: Vec::new(),
            sorter: Sorter::default(),
        }
    }

    /// Works until the client is closed. However it ends, [`Drop`] tells everybody who waits.
    pub(crate) async fn run(mut self) {
        self.pump();
        loop {
            for _ in 0..TURNS_IN_A_ROW {
                poll_fn(|context| self.poll_turn(context)).await;
                if self.deliver() == Status::Closed {
                    return;
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// One turn: tells the engine all that has happened. Pending when nothing has.
    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut turn = Poll::Pending;
        let mut happened = |something: bool| {
            if something {
                turn = Poll::Ready(());
            }
        };
        happened(self.take_outbox(context));
        happened(self.follow_dial(context));
        happened(self.follow_writable(context));
        happened(self.follow_room(context));
        happened(self.read(context));
        happened(self.follow_time(context));
        turn
    }

    fn take_outbox(&mut self, context: &mut Context<'_>) -> bool {
        let taken = self.shared.outbox.with(|outbox| outbox.poll_take(&mut self.batch, context));
        let Poll::Ready(taken) = taken else { return false };
        if taken.start {
            self.tell(Input::Start);
        }
        let mut batch = std::mem::take(&mut self.batch);
        self.tell(Input::Submit(&mut batch));
        self.batch = batch;
        true
    }

    fn follow_dial(&mut self, context: &mut Context<'_>) -> bool {
        let Line::Dialing(dial) = &mut self.line else { return false };
        let Poll::Ready(dialed) = dial.as_mut().poll(context) else { return false };
        match dialed {
            Ok(link) => {
                self.line = Line::Up(link);
                self.tell(Input::LinkUp { attempt: self.attempt });
            }
            Err(why) => self.link_down(why),
        }
        true
    }

    fn follow_writable(&mut self, context: &mut Context<'_>) -> bool {
        let Line::Up(link) = &mut self.line else { return false };
        if !self.stalled || link.poll_writable(context).is_pending() {
            return false;
        }
        self.stalled = false;
        self.tell(Input::Writable);
        true
    }

    fn follow_room(&mut self, context: &mut Context<'_>) -> bool {
        if !self.paused || self.shared.inbox.with(|inbox| inbox.poll_room(context)).is_pending() {
            return false;
        }
        self.set_paused(false);
        true
    }

    /// At most one read: who sends much must not keep other clients waiting.
    fn read(&mut self, context: &mut Context<'_>) -> bool {
        let Line::Up(link) = &mut self.line else { return false };
        if self.paused {
            return false;
        }
        let Poll::Ready(read) = link.poll_read(&mut self.received, context) else { return false };
        match read {
            Ok(()) => {
                let mut received = std::mem::take(&mut self.received);
                self.tell(Input::Received(&mut received));
                // An idle client keeps no buffer; what an old link left behind means nothing to a new one.
                if !received.is_empty() && matches!(self.line, Line::Up(_)) {
                    self.received = received;
                }
            }
            Err(why) => self.link_down(why),
        }
        true
    }

    fn follow_time(&mut self, context: &mut Context<'_>) -> bool {
        let come = self.alarm.poll(self.deadline, context).is_ready();
        if come {
            self.tell(Input::Tick);
        }
        come
    }

    /// Tells the engine one thing and does all that it then wants.
    fn tell(&mut self, input: Input<'_>) {
        self.engine.handle(clock::now(), input);
        self.pump();
    }

    fn pump(&mut self) {
        loop {
            match self.engine.poll() {
                Output::Sleep(until) => {
                    self.deadline = until;
                    return;
                }
                Output::Deliver(events) => self.events.append(events),
                Output::Dial { attempt, endpoint, reference } => {
                    self.dial(attempt, endpoint, reference.as_deref());
                }
                Output::HangUp { graceful } => self.hang_up(graceful),
                Output::Write(slices) => {
                    let Line::Up(link) = &mut self.line else { continue };
                    let offered = slices.iter().map(bytes::Bytes::len).sum();
                    match link.write(slices) {
                        Ok(written) => {
                            self.stalled = written < offered;
                            self.engine.handle(clock::now(), Input::Written(written));
                        }
                        Err(why) => {
                            self.line = Line::Down;
                            let down = Input::LinkDown { attempt: self.attempt, why };
                            self.engine.handle(clock::now(), down);
                        }
                    }
                }
            }
        }
    }

    fn dial(&mut self, attempt: u64, endpoint: usize, reference: Option<&str>) {
        self.attempt = attempt;
        self.forget_link();
        let Some(address) = self.addresses.get(endpoint) else { return };
        let address = match reference {
            Some(reference) => Arc::new(address.referred(reference)),
            None => Arc::clone(address),
        };
        self.line = Line::Dialing(Box::pin(Link::dial(address)));
    }

    fn hang_up(&mut self, graceful: bool) {
        if let Line::Up(link) = std::mem::replace(&mut self.line, Line::Down) {
            if graceful {
                self.shared.machine.spawn(link.finish(Arc::clone(self.shared.machine.clock())));
            }
        }
        self.forget_link();
    }

    fn link_down(&mut self, why: LinkError) {
        self.forget_link();
        self.tell(Input::LinkDown { attempt: self.attempt, why });
    }

    fn forget_link(&mut self) {
        self.line = Line::Down;
        self.stalled = false;
        self.received = BytesMut::new();
    }

    /// Hands over what the engine told in this turn; the status after it.
    fn deliver(&mut self) -> Status {
        loop {
            let stats = self.engine.stats(clock::now());
            let status = stats.status;
            let full = self.sorter.deliver(&mut self.events, stats, &self.shared);
            if !full || self.paused {
                return status;
            }
            self.set_paused(true);
        }
    }

    fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
        self.tell(Input::ReadingPaused(paused));
        self.shared.ledger.put(|ledger, rings| ledger.reading_paused(paused, rings));
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the driver of a client panicked; the client is closed");
        }
        self.shared.end();
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Line::Down => "Down",
            Line::Dialing(_) => "Dialing",
            Line::Up(_) => "Up",
        })
    }
}
