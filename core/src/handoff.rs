//! Where threads meet: a value behind a lock, those who wait for it to change, and blocking waits.
//!
//! The only file with locks, model-checked by `tests/handoff.rs` beside it. Three handoffs join one client's threads (`outbox`, `inbox`, `ledger`);
//! the value in each is plain data that knows nothing of threads. Three rules keep this deadlock-free:
//!
//! 1. A lock is held for what the closure does and nothing else: no I/O, no host code, no waiting.
//! 2. Nobody is woken under a lock. A closure collects in [`Rings`] who is to be woken; they are woken
//!    after the lock is released.
//! 3. The only nesting is outbox, then ledger (a letter and its receipt are entered together).
//!
//! There is one way to wait, a [`Waker`]: tasks bring their own, and a thread that blocks brings a
//! [`Parker`]. So every wait of the library is a `poll` function, and its blocking form is [`block_on`].

#![allow(clippy::disallowed_types, reason = "this is the file where locks live")]

use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

#[cfg(leveret_loom)]
use loom::sync::{Condvar, Mutex};
#[cfg(not(leveret_loom))]
use std::sync::{Condvar, Mutex};

use leveret_protocol::time::Instant;

use crate::clock;
use crate::doorbell::Bell;

/// A value that threads hand to each other.
#[derive(Debug)]
pub struct Handoff<T> {
    value: Mutex<T>,
}

impl<T: Default> Default for Handoff<T> {
    fn default() -> Handoff<T> {
        Handoff::new(T::default())
    }
}

impl<T> Handoff<T> {
    /// A handoff that holds `value`.
    pub fn new(value: T) -> Handoff<T> {
        Handoff {
            value: Mutex::new(value),
        }
    }

    /// Looks at the value or changes it in a way that nobody waits for.
    #[inline]
    pub fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        // A panic under the lock would be a fault of ours; what it left is still the best there is.
        look(&mut self.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the value and then, with the lock released, wakes those whom the change concerns.
    #[inline]
    pub(crate) fn put<R>(&self, fill: impl FnOnce(&mut T, &mut Rings) -> R) -> R {
        let mut rings = Rings::default();
        let result = self.with(|value| fill(value, &mut rings));
        rings.ring();
        result
    }
}

/// Whom to wake once the lock is released. Most changes wake nobody or one, which costs no memory.
#[derive(Debug, Default)]
pub(crate) enum Rings {
    #[default]
    Nobody,
    One(Ring),
    Many(Vec<Ring>),
}

/// Who is woken, and how.
#[derive(Debug)]
pub(crate) enum Ring {
    Waker(Waker),
    Bell(Bell),
}

impl Rings {
    /// Wakes a task or a blocked thread.
    pub(crate) fn wake(&mut self, waker: Waker) {
        self.push(Ring::Waker(waker));
    }

    /// Rings the host's bell.
    pub(crate) fn bell(&mut self, bell: &Bell) {
        if !matches!(bell, Bell::None) {
            self.push(Ring::Bell(bell.clone()));
        }
    }

    fn push(&mut self, ring: Ring) {
        *self = match std::mem::take(self) {
            Rings::Nobody => Rings::One(ring),
            Rings::One(first) => Rings::Many(vec![first, ring]),
            Rings::Many(mut rings) => {
                rings.push(ring);
                Rings::Many(rings)
            }
        };
    }

    #[inline(always)]
    fn ring(self) {
        // Most publishes find the driver awake.
        if matches!(self, Rings::Nobody) {
            // It holds nothing, and what every publish does is kept short.
            std::mem::forget(self);
        } else {
            self.ring_all();
        }
    }

    #[cold]
    fn ring_all(self) {
        match self {
            Rings::Nobody => {}
            Rings::One(ring) => ring.ring(),
            Rings::Many(rings) => rings.into_iter().for_each(Ring::ring),
        }
    }
}

impl Ring {
    fn ring(self) {
        match self {
            Ring::Waker(waker) => waker.wake(),
            Ring::Bell(bell) => bell.ring(),
        }
    }
}

/// Those who wait for one thing. Each is woken once and then looks for itself.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    list: Vec<Waker>,
}

impl Waiters {
    /// Adds whoever polls with `context`, once.
    pub(crate) fn add(&mut self, context: &Context<'_>) {
        if !self
            .list
            .iter()
            .any(|waiting| waiting.will_wake(context.waker()))
        {
            self.list.push(context.waker().clone());
        }
    }

    /// Wakes all of them.
    pub(crate) fn wake_all(&mut self, rings: &mut Rings) {
        for waker in self.list.drain(..) {
            rings.wake(waker);
        }
    }
}

/// Polls until there is an answer, blocking the thread between two polls. `None` when `timeout` passed
/// first; without a timeout the wait has no end of its own.
#[cfg(not(leveret_loom))]
pub(crate) fn block_on<R>(
    timeout: Option<Duration>,
    poll: impl FnMut(&mut Context<'_>) -> Poll<R>,
) -> Option<R> {
    thread_local! {
        /// One per thread that ever blocked. A wake meant for an earlier wait costs one poll too many.
        static PARKER: Arc<Parker> = Arc::new(Parker::new());
    }
    // A handler of `exit` runs after the values of its thread are gone, and may wait all the same.
    let parker = PARKER.try_with(Arc::clone);
    park_until(
        &parker.unwrap_or_else(|_| Arc::new(Parker::new())),
        timeout,
        poll,
    )
}

/// A model has no thread that outlives it.
#[cfg(leveret_loom)]
pub(crate) fn block_on<R>(
    timeout: Option<Duration>,
    poll: impl FnMut(&mut Context<'_>) -> Poll<R>,
) -> Option<R> {
    park_until(&Arc::new(Parker::new()), timeout, poll)
}

fn park_until<R>(
    parker: &Arc<Parker>,
    timeout: Option<Duration>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>,
) -> Option<R> {
    let deadline = timeout.map(|timeout| clock::now() + timeout);
    let waker = Waker::from(Arc::clone(parker));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = poll(&mut context) {
            return Some(result);
        }
        if !parker.park(deadline) {
            return None;
        }
    }
}

/// A blocked thread as a waker.
///
/// Not `std::thread::park`: its token belongs to the thread, and an executor in the host's program that
/// relies on it could lose a wake-up to us.
#[derive(Debug)]
pub(crate) struct Parker {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Parker {
    pub(crate) fn new() -> Parker {
        Parker {
            woken: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    /// Blocks until woken; at once if that happened since the last time. False when the deadline passed.
    pub(crate) fn park(&self, deadline: Option<Instant>) -> bool {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !*woken {
            woken = match deadline {
                None => self
                    .changed
                    .wait(woken)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = clock::now().until(deadline);
                    if left.is_zero() {
                        return false;
                    }
                    let waited = self.changed.wait_timeout(woken, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *woken = false;
        true
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Parker>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Parker>) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}
