//! A descriptor that becomes readable when it is rung: the bell of hosts that wait in their own loop.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// A descriptor for `poll`, `epoll`, `select` or an event loop's reader callback.
///
/// Linux: an eventfd. Elsewhere: a pipe. Ringing twice before a clear is one ring.
#[derive(Debug)]
pub struct WakeDescriptor {
    reader: OwnedFd,
    /// The writing end where it is another descriptor.
    writer: Option<OwnedFd>,
}

impl WakeDescriptor {
    /// A descriptor that is not readable yet; non-blocking and closed on exec.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn new() -> io::Result<WakeDescriptor> {
        // SAFETY: no pointer is passed; the flags are those eventfd(2) names.
        let raw = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call above made this descriptor and nobody else owns it.
        let reader = unsafe { OwnedFd::from_raw_fd(raw) };
        Ok(WakeDescriptor {
            reader,
            writer: None,
        })
    }

    /// A descriptor that is not readable yet; non-blocking and closed on exec.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub fn new() -> io::Result<WakeDescriptor> {
        let mut ends = [0; 2];
        // SAFETY: `ends` has room for the two descriptors that the call writes.
        if unsafe { libc::pipe(ends.as_mut_ptr()) } < 0 {
            return Err(io::Error::last_os_error());
        }
        let [reader, writer] = ends.map(|raw| {
            // SAFETY: the call above made this descriptor and nobody else owns it.
            unsafe { OwnedFd::from_raw_fd(raw) }
        });
        for end in [&reader, &writer] {
            // SAFETY: no pointer is passed and the descriptor is open.
            unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
            // SAFETY: no pointer is passed and the descriptor is open.
            unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
        }
        Ok(WakeDescriptor {
            reader,
            writer: Some(writer),
        })
    }

    /// Makes the descriptor readable. Never blocks and never raises a signal: the reading end is ours.
    pub fn ring(&self) {
        let one = 1u64;
        let writer = self.writer.as_ref().unwrap_or(&self.reader);
        // SAFETY: eight readable bytes. A full counter or pipe is readable already, so that the only
        // possible failure needs no answer.
        let _ = unsafe {
            libc::write(
                writer.as_raw_fd(),
                (&raw const one).cast(),
                size_of::<u64>(),
            )
        };
    }

    /// Makes the descriptor unreadable again, before what it announced is taken.
    pub fn clear(&self) {
        let mut buffer = [0u64; 64];
        loop {
            // SAFETY: the buffer is writable for its whole size.
            let read = unsafe {
                libc::read(
                    self.reader.as_raw_fd(),
                    buffer.as_mut_ptr().cast(),
                    size_of_val(&buffer),
                )
            };
            // An eventfd is empty after one read; a pipe when less than the buffer came.
            if read < size_of_val(&buffer) as isize {
                return;
            }
        }
    }

    /// Waits until it is readable, at most for `timeout`; whether it is. May come back early, without being so.
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        let milliseconds = timeout.map_or(-1, |timeout| {
            i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
        });
        let mut wanted = libc::pollfd {
            fd: self.reader.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one valid entry, as the count says.
        unsafe { libc::poll(&raw mut wanted, 1, milliseconds) > 0 }
    }
}

impl AsRawFd for WakeDescriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }
}
