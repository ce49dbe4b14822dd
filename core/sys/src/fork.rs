//! What a forked child must know: that it is one, without asking the system at every call.

#[cfg(unix)]
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// How many forks lie between this process and the one that first called this function.
///
/// A counter that `fork` itself moves on in the child: reading it costs a memory load, asking the system
/// for the process id at every publish would cost a system call.
pub fn fork_generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// A cell with one value per process: a forked child finds it empty and makes its own, whatever the
/// parent's threads were doing at that moment. Values are never dropped, so a reference lives on.
pub struct PerProcess<T: Send + Sync + 'static> {
    current: AtomicPtr<Entry<T>>,
}

struct Entry<T> {
    generation: u64,
    value: T,
}

impl<T: Send + Sync + 'static> PerProcess<T> {
    /// An empty cell.
    pub const fn new() -> PerProcess<T> {
        PerProcess {
            current: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    /// This process' value, made by `make` when there is none. When several threads come first together,
    /// one value wins and the others are dropped, so `make` must have no effect beyond its value.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &'static T {
        watch_forks();
        let generation = fork_generation();
        let found = self.current.load(Ordering::Acquire);
        if let Some(entry) = valid(found, generation) {
            return &entry.value;
        }
        let made = Box::into_raw(Box::new(Entry {
            generation,
            value: make(),
        }));
        match self
            .current
            .compare_exchange(found, made, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => {
                // SAFETY: `made` came from a box just now and, being in the cell, is never freed.
                unsafe { &(*made).value }
            }
            Err(winner) => {
                // SAFETY: `made` came from a box just now and no other thread has seen it.
                drop(unsafe { Box::from_raw(made) });
                // SAFETY: what is in the cell came from a box and is never freed.
                unsafe { &(*winner).value }
            }
        }
    }

    /// This process' value, if there is one.
    pub fn get(&self) -> Option<&'static T> {
        valid(self.current.load(Ordering::Acquire), fork_generation()).map(|entry| &entry.value)
    }
}

impl<T: Send + Sync + 'static> Default for PerProcess<T> {
    fn default() -> PerProcess<T> {
        PerProcess::new()
    }
}

fn valid<T>(entry: *const Entry<T>, generation: u64) -> Option<&'static Entry<T>> {
    // SAFETY: the cell holds null or a pointer from a box that is never freed.
    let entry = unsafe { entry.as_ref() }?;
    (entry.generation == generation).then_some(entry)
}

/// Asks the system, once per program, to count forks.
#[cfg(unix)]
fn watch_forks() {
    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: the handler is a static function that does one atomic addition, which is allowed
        // between fork and exec.
        let result = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        debug_assert_eq!(result, 0, "pthread_atfork fails for want of memory only");
    });
}

/// There is no fork on this system.
#[cfg(not(unix))]
fn watch_forks() {}

#[cfg(test)]
mod tests {
    use super::PerProcess;

    #[test]
    fn a_cell_keeps_the_first_value() {
        static CELL: PerProcess<u32> = PerProcess::new();
        assert_eq!(CELL.get(), None);
        assert_eq!(*CELL.get_or_init(|| 1), 1);
        assert_eq!(*CELL.get_or_init(|| 2), 1);
        assert_eq!(CELL.get(), Some(&1));
    }
}
