//! The few system calls that need unsafe: each block says why it is sound.
//!
//! Linux is what is tested. Elsewhere every function has a fallback that keeps the crate building
//! and says in its own words what it can do less.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `clock.rs` | the clock that counts suspended time, and its timer |
//! | `fork.rs` | the fork generation, and a cell with one value per process |
//! | `signal.rs` | keeping signals from our threads |
//! | `socket.rs` | sockets that others opened, and socket options that the runtime does not offer |
//! | `wake.rs` | a descriptor that becomes readable when it is rung |

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
pub use signal::block_signals;
#[cfg(unix)]
pub use socket::{Adopted, NOTSENT_LOWAT_BYTES, adopt_socket, keep_unsent_few};
#[cfg(unix)]
pub use wake::WakeDescriptor;
