//! One task per client: carries what happens to the engine, and what the engine wants to the link and
//! the handoffs. No policy here: no retry, no timeout, no order of anything is decided in this file.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use leveret_protocol::engine::{Batch, Engine, Event, Input, Output, State};
use leveret_protocol::outcome::Status;
use leveret_protocol::time::Instant;

use crate::clock::{self, Alarm};
use crate::deliver::Sorter;
use crate::line::{Change, Line};
use crate::net::network::{Network, Route};
use crate::shared::Shared;

#[derive(Debug)]
pub(crate) struct Driver {
    shared: Arc<Shared>,
    engine: Engine,
    network: Arc<Network>,
    line: Line,
    /// The driver's own task.
    waker: Waker,
    /// The inbox is full: nothing is read.
    paused: bool,
    /// When the engine wants to be told the time.
    deadline: Option<Instant>,
    alarm: Alarm,
    batch: Batch,
    events: Vec<Event>,
    sorter: Sorter,
}

/// Turns after which other clients get the thread, if they want it.
const TURNS_IN_A_ROW: u32 = 16;

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, engine: Engine, network: Network) -> Driver {
        let alarm = shared.machine.clock().alarm();
        Driver {
            shared,
            engine,
            network: Arc::new(network),
            line: Line::default(),
            waker: Waker::noop().clone(),
            paused: false,
            deadline: None,
            alarm,
            batch: Batch::default(),
            events: Vec::new(),
            sorter: Sorter::default(),
        }
    }

    /// Works until the client is closed. However it ends, [`Drop`] tells everybody who waits.
    pub(crate) async fn run(mut self) {
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
        self.waker.clone_from(context.waker());
        self.line.begin_turn();
        let mut something = self.take_outbox(context);
        something |= self.follow_line(context);
        something |= self.read(context);
        something |= self.follow_room(context);
        something |= self.follow_time(context);
        if something {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn take_outbox(&mut self, context: &mut Context<'_>) -> bool {
        let batch = &mut self.batch;
        let Poll::Ready(taken) = self
            .shared
            .outbox
            .with(|outbox| outbox.poll_take(batch, context))
        else {
            return false;
        };
        // What was said before it may be about the very first connection, such as which of its packets are to be shown.
        if let Some(mut before) = taken.start {
            self.tell(Input::Submit(&mut before));
            self.tell(Input::Start);
        }
        let mut batch = std::mem::take(&mut self.batch);
        self.tell(Input::Submit(&mut batch));
        self.batch = batch;
        true
    }

    fn follow_line(&mut self, context: &mut Context<'_>) -> bool {
        let Poll::Ready(change) = self.line.poll_change(context) else {
            return false;
        };
        self.line_changed(change);
        true
    }

    fn read(&mut self, context: &mut Context<'_>) -> bool {
        // A full inbox holds up messages, of which there are none before CONNACK; a broker that has accepted is not to be left for that.
        if self.paused && self.engine.state() == State::Online {
            return false;
        }
        let Poll::Ready(read) = self.line.poll_read(context) else {
            return false;
        };
        match read {
            Ok(mut received) => {
                let attempt = self.line.attempt();
                self.tell(Input::Received(&mut received));
                self.line.keep(attempt, received);
            }
            Err(change) => self.line_changed(change),
        }
        true
    }

    fn line_changed(&mut self, change: Change) {
        let attempt = self.line.attempt();
        let odd = self.network.take_odd().into_iter().map(Event::Notice);
        self.events.extend(odd);
        self.tell(match change {
            Change::Up => Input::LinkUp { attempt },
            Change::Down(why) => Input::LinkDown { attempt, why },
            Change::Writable => Input::Writable,
        });
    }

    fn follow_room(&mut self, context: &mut Context<'_>) -> bool {
        let room = |shared: &Shared| shared.inbox.with(|inbox| inbox.poll_room(context));
        if !self.paused || room(&self.shared).is_pending() {
            return false;
        }
        self.set_paused(false);
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
        loop {
            match self.engine.poll() {
                Output::Sleep(until) => {
                    self.deadline = until;
                    return;
                }
                Output::Deliver(events) if self.events.is_empty() => {
                    std::mem::swap(events, &mut self.events);
                }
                Output::Deliver(events) => self.events.append(events),
                Output::Dial {
                    attempt,
                    endpoint,
                    reference,
                    destination,
                } => {
                    if let Some(address) = self.shared.addresses.get(endpoint) {
                        let route = Route::new(address, reference, destination);
                        self.line.dial(attempt, &self.network, route);
                    }
                }
                Output::HangUp { graceful } => {
                    if let (Some(link), true) = (self.line.take_down(), graceful) {
                        let machine = &self.shared.machine;
                        machine.spawn(link.finish(Arc::clone(machine.clock())));
                    }
                }
                Output::Write(slices) => {
                    let attempt = self.line.attempt();
                    let mut context = Context::from_waker(&self.waker);
                    let written = match self.line.write(slices, &mut context) {
                        Ok(written) => Input::Written(written),
                        Err(why) => Input::LinkDown { attempt, why },
                    };
                    self.engine.handle(clock::now(), written);
                }
            }
        }
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
        self.shared
            .ledger
            .put(|ledger, rings| ledger.reading_paused(paused, rings));
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
