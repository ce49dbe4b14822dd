//! The clock that runs on while the machine is suspended, and a timer of that same clock.

/// Nanoseconds since the machine was started, time spent suspended included. Never goes backwards.
///
/// Linux: `CLOCK_BOOTTIME`, answered without entering the kernel. Other Unix systems: `CLOCK_MONOTONIC`,
/// which counts suspended time on macOS and does not on some others. Windows: time since the first call.
#[cfg(unix)]
#[inline]
pub fn boot_time_ns() -> u64 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;

    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid timespec that lives through the call, which writes nothing else.
    let result = unsafe { libc::clock_gettime(CLOCK, &raw mut time) };
    debug_assert_eq!(result, 0, "this clock exists since Linux 2.6.39");
    // Seconds and nanoseconds since boot are never negative; `as` is widening or the identity here.
    (time.tv_sec as u64)
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec as u64)
}

/// Nanoseconds since the first call in this process.
#[cfg(not(unix))]
pub fn boot_time_ns() -> u64 {
    static START: crate::PerProcess<std::time::Instant> = crate::PerProcess::new();
    let elapsed = START.get_or_init(std::time::Instant::now).elapsed();
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use linux::BootTimer;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use std::io;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

    /// A timer descriptor of `CLOCK_BOOTTIME`: readable once the time it was armed for has come, and at
    /// once after a suspend that went past it.
    #[derive(Debug)]
    pub struct BootTimer {
        descriptor: OwnedFd,
    }

    impl BootTimer {
        /// A timer that is not armed. Non-blocking and closed on exec.
        ///
        /// # Errors
        /// When the process has no descriptor left.
        pub fn new() -> io::Result<BootTimer> {
            // SAFETY: no pointer is passed; the flags are those timerfd_create(2) names.
            let raw = unsafe {
                libc::timerfd_create(libc::CLOCK_BOOTTIME, libc::TFD_NONBLOCK | libc::TFD_CLOEXEC)
            };
            if raw < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the call above made this descriptor and nobody else owns it.
            let descriptor = unsafe { OwnedFd::from_raw_fd(raw) };
            Ok(BootTimer { descriptor })
        }

        /// Arms the timer for `at_ns` on [`boot_time_ns`](crate::boot_time_ns)'s scale, in place of what
        /// it was armed for. A time already past fires at once.
        ///
        /// # Errors
        /// None is known for a valid timer.
        pub fn arm(&self, at_ns: u64) -> io::Result<()> {
            // Zero would disarm the timer; one nanosecond after boot is as good.
            let at_ns = at_ns.max(1);
            let seconds =
                libc::time_t::try_from(at_ns / 1_000_000_000).unwrap_or(libc::time_t::MAX);
            let it_value = libc::timespec {
                tv_sec: seconds,
                tv_nsec: (at_ns % 1_000_000_000) as _,
            };
            let it_interval = libc::timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            let time = libc::itimerspec {
                it_interval,
                it_value,
            };
            // SAFETY: `time` is valid for reading through the call and a null old value is allowed.
            let result = unsafe {
                libc::timerfd_settime(
                    self.descriptor.as_raw_fd(),
                    libc::TFD_TIMER_ABSTIME,
                    &raw const time,
                    std::ptr::null_mut(),
                )
            };
            if result < 0 {
                Err(io::Error::last_os_error())
            } else {
                Ok(())
            }
        }

        /// Takes the expiry, so that the descriptor stops being readable. `WouldBlock` when there is none.
        ///
        /// # Errors
        /// `WouldBlock` when the timer has not fired since it was last taken.
        pub fn take(&self) -> io::Result<()> {
            let mut count = 0u64;
            // SAFETY: eight writable bytes, which is what a timer descriptor delivers.
            let read = unsafe {
                libc::read(
                    self.descriptor.as_raw_fd(),
                    (&raw mut count).cast(),
                    size_of::<u64>(),
                )
            };
            if read < 0 {
                Err(io::Error::last_os_error())
            } else {
                Ok(())
            }
        }
    }

    impl AsRawFd for BootTimer {
        fn as_raw_fd(&self) -> RawFd {
            self.descriptor.as_raw_fd()
        }
    }
}
