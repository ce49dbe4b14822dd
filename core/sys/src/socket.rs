//! Socket options that the runtime's own types do not offer.

#[cfg(unix)]
use std::{io, os::fd::AsFd};

/// How many bytes the kernel may hold that it has not sent yet, before it takes no more from us.
///
/// Small, because a letter among them can still be delivered after its time to live; large enough that
/// the link never idles between two turns of the driver.
#[cfg(unix)]
pub const NOTSENT_LOWAT_BYTES: u32 = 64 * 1024;

/// Keeps the bytes that the kernel has taken but not sent to about [`NOTSENT_LOWAT_BYTES`]
/// (`TCP_NOTSENT_LOWAT`). Does nothing where the system has no such option.
///
/// # Errors
/// When `socket` is not a TCP socket.
#[cfg(unix)]
pub fn keep_unsent_few(socket: &impl AsFd) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use std::os::fd::AsRawFd;

        let value = NOTSENT_LOWAT_BYTES;
        let length = size_of_val(&value) as libc::socklen_t;
        // SAFETY: the option takes an int of four bytes, which lives through the call.
        let result = unsafe {
            libc::setsockopt(
                socket.as_fd().as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_NOTSENT_LOWAT,
                (&raw const value).cast(),
                length,
            )
        };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    let _ = socket;
    Ok(())
}
