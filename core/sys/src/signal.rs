//! Keeping signals from the library's own threads, without touching the process' handlers.

/// The signals that a fault raises on the thread that caused it: blocking them would only hide where.
#[cfg(unix)]
const FAULTS: [libc::c_int; 7] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGSYS,
    libc::SIGABRT,
];

/// Blocks signals on the calling thread, which is one of ours: the handlers of the host then run on its own
/// threads, and a vectored write to a closed peer returns an error instead of ending the process by SIGPIPE.
/// The process-wide dispositions stay the host's; faults of this very thread get through.
#[cfg(unix)]
pub fn block_signals() {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the call initialises the set it is given.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    for fault in FAULTS {
        // SAFETY: the set was initialised above, and each of these is a valid signal number.
        unsafe { libc::sigdelset(set.as_mut_ptr(), fault) };
    }
    // SAFETY: the set is initialised and lives through the call; a null old set is allowed.
    let result =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut()) };
    debug_assert_eq!(result, 0, "SIG_BLOCK is a valid way to change a mask");
}

/// There are no such signals on this system.
#[cfg(not(unix))]
pub fn block_signals() {}
