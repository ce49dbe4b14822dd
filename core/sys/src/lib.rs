//! The few system calls that need unsafe: each block says why it is sound.
//!
//! Linux is what is tested. Elsewhere every function has a fallback that keeps the crate building
//! and says in its own words what it can do less.

mod clock;
mod fork;
mod signal;
mod socket;
#[cfg(unix)]
mod wake;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use clock::BootTimer;
pub use clock::boot_time_ns;
pub use fork::{PerProcess, fork_generation};
pub use signal::block_sigpipe;
#[cfg(unix)]
pub use socket::{NOTSENT_LOWAT_BYTES, keep_unsent_few};
#[cfg(unix)]
pub use wake::WakeDescriptor;
