//! How a host learns that something waits for it: a task's waker, a readable descriptor, or a call.

use std::fmt;
use std::sync::Arc;
use std::task::Waker;

/// What is rung when an empty hand-off gets its first element, and not again before it was emptied.
#[derive(Clone, Default)]
pub enum Bell {
    /// Nothing: the host waits in a blocking call or looks now and then.
    #[default]
    None,
    /// A task is woken.
    Waker(Waker),
    /// A descriptor becomes readable. Clear it first, then take what waits.
    #[cfg(unix)]
    Descriptor(Arc<leveret_sys::WakeDescriptor>),
    /// A function is called, on the thread that filled the hand-off: mostly the runtime's. It must not
    /// block and must not call back into the library, except to ring a [`Strand`](crate::dispatch::Strand).
    Call(Arc<dyn Fn() + Send + Sync>),
}

impl Bell {
    /// Rings.
    pub(crate) fn ring(&self) {
        match self {
            Bell::None => {}
            Bell::Waker(waker) => waker.wake_by_ref(),
            #[cfg(unix)]
            Bell::Descriptor(descriptor) => descriptor.ring(),
            Bell::Call(call) => call(),
        }
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Bell::None => "Bell::None",
            Bell::Waker(_) => "Bell::Waker",
            #[cfg(unix)]
            Bell::Descriptor(_) => "Bell::Descriptor",
            Bell::Call(_) => "Bell::Call",
        })
    }
}
