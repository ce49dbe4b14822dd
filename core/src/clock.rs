//! The only clock: the time since boot, suspended time included, and alarms of that same clock.
//!
//! Tokio's own timers stand still while the machine is suspended. So one timer descriptor of
//! `CLOCK_BOOTTIME` per runtime wakes every task whose deadline has come, also right after waking up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use leveret_protocol::time::Instant;

use crate::handoff::{Handoff, Rings};

/// The time since boot. A memory read and a little arithmetic, no system call.
#[inline]
pub(crate) fn now() -> Instant {
    Instant(leveret_sys::boot_time_ns())
}

/// All alarms of one runtime, and the timer that wakes them.
#[derive(Debug)]
pub(crate) struct Clock {
    alarms: Handoff<Alarms>,
    timer: device::Timer,
    generation: u64,
}

#[derive(Debug, Default)]
struct Alarms {
    waiting: BTreeMap<(Instant, u64), Waker>,
    last_id: u64,
    /// What the timer is armed for. Never later than the first of `waiting`.
    armed: Option<Instant>,
}

impl Clock {
    /// A clock whose timer is watched by a task of the runtime that the caller is in.
    pub(crate) fn start() -> std::io::Result<Arc<Clock>> {
        let clock = Arc::new(Clock {
            alarms: Handoff::new(Alarms::default()),
            timer: device::Timer::new()?,
            generation: leveret_sys::fork_generation(),
        });
        device::watch(&clock)?;
        Ok(clock)
    }

    /// An alarm that is not set.
    pub(crate) fn alarm(self: &Arc<Clock>) -> Alarm {
        let id = self.alarms.with(|alarms| {
            alarms.last_id += 1;
            alarms.last_id
        });
        Alarm {
            clock: Arc::clone(self),
            id,
            set: None,
        }
    }

    /// Wakes whoever's time has come and arms the timer for the next.
    fn strike(&self) {
        let now = now();
        self.alarms.put(|alarms, rings| {
            alarms.wake_due(now, rings);
            alarms.armed = None;
            self.arm(alarms);
        });
    }

    /// Arms the timer if the first alarm comes before what it is armed for. Under the lock, so that two
    /// threads cannot arm it in the wrong order; the call never waits.
    fn arm(&self, alarms: &mut Alarms) {
        let Some((&(first, _), _)) = alarms.waiting.first_key_value() else {
            return;
        };
        if alarms.armed.is_none_or(|armed| first < armed) {
            self.timer.arm(first);
            alarms.armed = Some(first);
        }
    }
}

impl Alarms {
    fn wake_due(&mut self, now: Instant, rings: &mut Rings) {
        while let Some(first) = self.waiting.first_entry() {
            if first.key().0 > now {
                return;
            }
            rings.wake(first.remove());
        }
    }
}

/// Wakes one task at a time that may change at every poll.
#[derive(Debug)]
pub(crate) struct Alarm {
    clock: Arc<Clock>,
    id: u64,
    set: Option<(Instant, Waker)>,
}

impl Alarm {
    /// Ready once `deadline` has come; without one, never. The task may also be woken for an earlier
    /// deadline it once gave: moving a deadline back is then free, which keep-alive timers do all the time.
    pub(crate) fn poll(&mut self, deadline: Option<Instant>, context: &Context<'_>) -> Poll<()> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        let now = now();
        if now >= deadline {
            return Poll::Ready(());
        }
        // An alarm set for later than now has not been struck: the clock never goes back.
        let still_set = self.set.as_ref().is_some_and(|(at, waker)| {
            now < *at && *at <= deadline && waker.will_wake(context.waker())
        });
        if !still_set {
            self.set_for(deadline, context.waker());
        }
        Poll::Pending
    }

    fn set_for(&mut self, deadline: Instant, waker: &Waker) {
        let before = self.set.replace((deadline, waker.clone()));
        self.clock.alarms.with(|alarms| {
            if let Some((at, _)) = before {
                alarms.waiting.remove(&(at, self.id));
            }
            alarms.waiting.insert((deadline, self.id), waker.clone());
            self.clock.arm(alarms);
        });
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // In a forked child nobody may ever release the lock.
        let here = self.clock.generation == leveret_sys::fork_generation();
        if let (Some((at, _)), true) = (self.set.take(), here) {
            self.clock
                .alarms
                .with(|alarms| alarms.waiting.remove(&(at, self.id)));
        }
    }
}

/// The timer descriptor of Linux, watched by one task.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod device {
    use std::os::fd::{AsRawFd, RawFd};
    use std::sync::{Arc, Weak};

    use leveret_protocol::time::Instant;
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use super::Clock;

    #[derive(Debug)]
    pub(super) struct Timer {
        descriptor: Arc<leveret_sys::BootTimer>,
    }

    impl Timer {
        pub(super) fn new() -> std::io::Result<Timer> {
            Ok(Timer {
                descriptor: Arc::new(leveret_sys::BootTimer::new()?),
            })
        }

        pub(super) fn arm(&self, at: Instant) {
            if let Err(error) = self.descriptor.arm(at.as_nanos()) {
                tracing::error!(%error, "the boot timer cannot be armed");
            }
        }
    }

    /// What the task holds on to: the descriptor, not the clock, which ends the task by being dropped.
    struct Watched(Arc<leveret_sys::BootTimer>);

    impl AsRawFd for Watched {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_raw_fd()
        }
    }

    pub(super) fn watch(clock: &Arc<Clock>) -> std::io::Result<()> {
        let watched = Watched(Arc::clone(&clock.timer.descriptor));
        #[allow(
            deprecated,
            reason = "its successor is unsafe; the descriptor lives in `watched` and never changes"
        )]
        let timer = AsyncFd::with_interest(watched, Interest::READABLE)?;
        let clock: Weak<Clock> = Arc::downgrade(clock);
        tokio::spawn(async move {
            while let Ok(mut ready) = timer.readable().await {
                // An error is the lack of an expiry: the descriptor is then not ready any more.
                let taken = ready.try_io(|timer| timer.get_ref().0.take());
                let Some(clock) = clock.upgrade() else { return };
                if matches!(taken, Ok(Ok(()))) {
                    clock.strike();
                }
            }
        });
        Ok(())
    }
}

/// Elsewhere a thread sleeps until the first alarm.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod device {
    use std::sync::Arc;
    use std::task::Wake;

    use leveret_protocol::time::Instant;

    use super::Clock;
    use crate::handoff::Parker;

    #[derive(Debug)]
    pub(super) struct Timer {
        parker: Arc<Parker>,
    }

    impl Timer {
        pub(super) fn new() -> std::io::Result<Timer> {
            Ok(Timer {
                parker: Arc::new(Parker::new()),
            })
        }

        pub(super) fn arm(&self, _at: Instant) {
            self.parker.wake_by_ref();
        }
    }

    impl Drop for Timer {
        fn drop(&mut self) {
            self.parker.wake_by_ref();
        }
    }

    pub(super) fn watch(clock: &Arc<Clock>) -> std::io::Result<()> {
        let parker = Arc::clone(&clock.timer.parker);
        let clock = Arc::downgrade(clock);
        let watch = move || {
            leveret_sys::block_signals();
            let mut armed = None;
            loop {
                let due = !parker.park(armed);
                let Some(clock) = clock.upgrade() else { return };
                if due {
                    clock.strike();
                }
                armed = clock.alarms.with(|alarms| alarms.armed);
            }
        };
        std::thread::Builder::new()
            .name("leveret-clock".into())
            .spawn(watch)
            .map(drop)
    }
}
