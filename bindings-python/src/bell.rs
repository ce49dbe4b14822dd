//! The bell of an event loop: a descriptor that it watches.

use std::sync::Arc;
use std::task::{Wake, Waker};

use leveret::host::WakeDescriptor;
use pyo3::prelude::*;

/// How an event loop is woken.
pub(crate) struct LoopBell {
    pub(crate) descriptor: Arc<WakeDescriptor>,
    /// The same as a waker, for what rings no bell: room in the post office.
    pub(crate) waker: Waker,
}

impl LoopBell {
    pub(crate) fn new() -> PyResult<LoopBell> {
        let descriptor = Arc::new(WakeDescriptor::new()?);
        let waker = Waker::from(Arc::new(Ring(Arc::clone(&descriptor))));
        Ok(LoopBell { descriptor, waker })
    }
}

struct Ring(Arc<WakeDescriptor>);

impl Wake for Ring {
    fn wake(self: Arc<Ring>) {
        self.0.ring();
    }
}
