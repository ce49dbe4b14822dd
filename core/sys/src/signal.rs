//! Keeping SIGPIPE from the library's own threads, without touching the process' handlers.

/// Blocks SIGPIPE on the calling thread, so that a vectored write to a closed peer returns an error and
/// does not end the process. The process-wide disposition stays the host's.
#[cfg(unix)]
pub fn block_sigpipe() {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the call initialises the set it is given.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the set was initialised above, and SIGPIPE is a valid signal number.
    unsafe { libc::sigaddset(set.as_mut_ptr(), libc::SIGPIPE) };
    // SAFETY: the set is initialised and lives through the call; a null old set is allowed.
    let result =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()) };
    debug_assert_eq!(result, 0, "SIG_BLOCK is a valid way to change a mask");
}

/// There is no SIGPIPE on this system.
#[cfg(not(unix))]
pub fn block_sigpipe() {}
