//! The shared pool on which host callbacks run: one client's in order, and no client behind another.
//!
//! A client has a [`Strand`]. Ringing it queues it; a thread of the pool runs it, never two at a time.
//! The pool starts with no thread, has one while callbacks are quick, and grows only while callbacks
//! block: 10,000 clients need no 10,000 threads. Threads with nothing to do end after a while.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::clock;
use crate::handoff::{Handoff, block_on};
use crate::runtime::{self, Machine};

/// One client's callbacks: run in order, never two at a time, on whichever thread of the pool is free.
#[derive(Clone)]
pub struct Strand(Arc<Work>);

struct Work {
    phase: Handoff<Phase>,
    run: Box<dyn Fn() -> bool + Send + Sync>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing to do. Next: `Queued` (rung).
    Idle,
    /// Waits for a thread. Next: `Running` (a thread took it).
    Queued,
    /// Runs. Next: `Idle` (done), `RunningAndRung` (rung).
    Running,
    /// Runs, and something came meanwhile. Next: `Queued` (done).
    RunningAndRung,
}

impl Strand {
    /// A strand that calls `run` for each ring, or once for several. `run` does a bounded piece of work
    /// and says whether there is more; then it is called again, after the other strands.
    pub fn new(run: impl Fn() -> bool + Send + Sync + 'static) -> Strand {
        Strand(Arc::new(Work {
            phase: Handoff::new(Phase::Idle),
            run: Box::new(run),
        }))
    }

    /// Sees to it that the work is run after this call. Never blocks, from any thread.
    pub fn ring(&self) {
        let queue = self.0.phase.with(|phase| {
            let next = match *phase {
                Phase::Idle | Phase::Queued => Phase::Queued,
                Phase::Running | Phase::RunningAndRung => Phase::RunningAndRung,
            };
            let queue = *phase == Phase::Idle;
            *phase = next;
            queue
        });
        if queue {
            runtime::pool().push(self.clone());
        }
    }

    /// Whether the calling thread is running this strand: then waiting for the strand would never end.
    pub fn is_current(&self) -> bool {
        let is_mine = |current: &RefCell<Option<Strand>>| {
            let current = current.borrow();
            current
                .as_ref()
                .is_some_and(|current| Arc::ptr_eq(&current.0, &self.0))
        };
        // A thread whose values are gone is ending and runs no strand.
        CURRENT.try_with(is_mine).unwrap_or(false)
    }

    fn run(self) {
        self.0.phase.with(|phase| *phase = Phase::Running);
        CURRENT.set(Some(self.clone()));
        // A host that lets a panic escape has broken its own client, not the others on this thread.
        let more = catch_unwind(AssertUnwindSafe(|| (self.0.run)())).unwrap_or(false);
        CURRENT.set(None);
        let queue = self.0.phase.with(|phase| {
            let queue = more || *phase == Phase::RunningAndRung;
            *phase = if queue { Phase::Queued } else { Phase::Idle };
            queue
        });
        if queue {
            runtime::pool().push(self);
        }
    }
}

impl fmt::Debug for Strand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Strand")
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Strand>> = const { RefCell::new(None) };
}

/// The threads and what waits for them.
#[derive(Default)]
pub(crate) struct Pool {
    state: Handoff<State>,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Strand>,
    /// Threads without work, the one that worked last at the end.
    idle: Vec<Waker>,
    threads: usize,
    /// Counts strands taken, to tell a pool that is busy from one that is blocked.
    taken: u64,
    /// Whether somebody watches for a blocked pool.
    watched: bool,
    /// Counts calls of `dismiss`: threads without work end when it moves.
    dismissals: u64,
}

enum Next {
    Nothing,
    NewThread,
    Watch,
}

impl Pool {
    /// Ends the threads that have no work.
    pub(crate) fn dismiss(&self) {
        self.state.put(|state, rings| {
            state.dismissals += 1;
            state.idle.drain(..).for_each(|waker| rings.wake(waker));
        });
    }

    fn push(&'static self, strand: Strand) {
        let next = self.state.put(|state, rings| {
            state.ready.push_back(strand);
            if let Some(waker) = state.idle.pop() {
                rings.wake(waker);
                Next::Nothing
            } else if state.threads == 0 {
                state.threads = 1;
                Next::NewThread
            } else if state.watched {
                Next::Nothing
            } else {
                state.watched = true;
                Next::Watch
            }
        });
        match next {
            Next::Nothing => {}
            Next::NewThread => self.start_thread(),
            Next::Watch => self.watch(),
        }
    }

    /// Adds a thread each time the pool took nothing for a moment although something waits.
    fn watch(&'static self) {
        let machine = match Machine::get() {
            Ok(machine) => machine,
            Err(error) => {
                tracing::error!(%error, "callbacks wait for a thread");
                return self.state.with(|state| state.watched = false);
            }
        };
        let mut alarm = machine.clock().alarm();
        machine.spawn(async move {
            let mut seen = self.state.with(|state| state.taken);
            loop {
                let deadline = clock::now() + BLOCKED_AFTER;
                std::future::poll_fn(|context| alarm.poll(Some(deadline), context)).await;
                let grow = self.state.with(|state| {
                    state.watched = !state.ready.is_empty();
                    let grow = state.watched && state.taken == seen;
                    state.threads += usize::from(grow);
                    seen = state.taken;
                    state.watched.then_some(grow)
                });
                match grow {
                    None => return,
                    Some(true) => self.start_thread(),
                    Some(false) => {}
                }
            }
        });
    }

    /// Starts a thread that was counted already.
    fn start_thread(&'static self) {
        let work = move || {
            leveret_sys::block_signals();
            while let Some(strand) = self.next() {
                strand.run();
            }
        };
        let started = std::thread::Builder::new()
            .name("leveret-calls".into())
            .spawn(work);
        if let Err(error) = started {
            tracing::error!(%error, "a thread for callbacks cannot be started");
            self.state.with(|state| state.threads -= 1);
        }
    }

    /// The next strand to run, or none when the thread shall end.
    fn next(&self) -> Option<Strand> {
        let before = self.state.with(|state| state.dismissals);
        let taken = block_on(Some(IDLE_FOR), |context| {
            self.state.with(|state| match state.take(context) {
                Some(strand) => Poll::Ready(Some(strand)),
                None if state.dismissals != before => Poll::Ready(None),
                None => {
                    state.idle.push(context.waker().clone());
                    Poll::Pending
                }
            })
        });
        if let Some(Some(strand)) = taken {
            return Some(strand);
        }
        // Work may have come in the moment the wait was given up.
        let last = block_on(Some(Duration::ZERO), |context| {
            self.state.with(|state| {
                let strand = state.take(context);
                state.threads -= usize::from(strand.is_none());
                Poll::Ready(strand)
            })
        });
        last.flatten()
    }
}

impl State {
    /// Takes a strand, and the calling thread off the list of those without work.
    fn take(&mut self, context: &Context<'_>) -> Option<Strand> {
        self.idle.retain(|waker| !waker.will_wake(context.waker()));
        let strand = self.ready.pop_front()?;
        self.taken += 1;
        Some(strand)
    }
}

/// How long a pool takes nothing before it counts as blocked.
const BLOCKED_AFTER: Duration = Duration::from_millis(5);

/// How long a thread without work stays.
const IDLE_FOR: Duration = Duration::from_secs(10);
