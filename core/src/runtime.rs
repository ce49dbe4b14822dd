//! The shared background runtime: started by the first client, one worker thread, gone at [`shutdown`].
//!
//! A forked child finds no runtime and may start its own; what its parent had is left alone.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::sentence;
use leveret_sys::PerProcess;

use crate::clock::Clock;
use crate::dispatch::Pool;
use crate::handoff::Handoff;

/// The one thing that clients of a process share.
static PROCESS: PerProcess<Process> = PerProcess::new();

struct Process {
    machine: Handoff<Option<Running>>,
    threads: Handoff<usize>,
    pool: Pool,
}

struct Running {
    machine: Arc<Machine>,
    runtime: tokio::runtime::Runtime,
}

/// A running runtime, as a client sees it.
#[derive(Debug)]
pub(crate) struct Machine {
    handle: tokio::runtime::Handle,
    clock: Arc<Clock>,
    /// The CAs that the operating system trusts, once a client has needed them.
    #[cfg(feature = "tls")]
    pub(crate) roots: Handoff<Option<Arc<rustls::RootCertStore>>>,
}

impl Machine {
    /// The runtime of this process, started if there is none.
    pub(crate) fn get() -> Result<Arc<Machine>, Error> {
        let process = process();
        let threads = process.threads.with(|threads| *threads);
        // Started under the lock: whoever comes second has to wait for it in any case.
        process.machine.with(|slot| {
            if let Some(running) = slot {
                return Ok(Arc::clone(&running.machine));
            }
            let running = start(threads).map_err(|error| {
                Error::new(
                    ErrorKind::System,
                    format!("the background runtime cannot be started: {error}"),
                )
            })?;
            Ok(Arc::clone(&slot.insert(running).machine))
        })
    }

    /// Runs a task in the background.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.handle.spawn(task);
    }

    /// The clock whose alarms this runtime rings.
    pub(crate) fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }
}

/// The pool of this process on which host callbacks run.
pub(crate) fn pool() -> &'static Pool {
    &process().pool
}

/// Sets how many threads the shared background runtime has: 1 unless set, at most 64.
///
/// One is enough for most programs; more help where many busy clients share the process.
///
/// # Errors
/// When the number is out of range, or when the runtime runs already: set it before the first client.
pub fn set_runtime_threads(threads: usize) -> Result<(), Error> {
    if !(1..=64).contains(&threads) {
        return Err(sentence::must_be("runtime_threads", "1 to 64", threads));
    }
    let process = process();
    if process.machine.with(|machine| machine.is_some()) {
        return Err(Error::invalid(
            "runtime_threads must be set before the first client is made, but the runtime runs already",
        ));
    }
    process.threads.with(|setting| *setting = threads);
    Ok(())
}

/// Stops the shared background runtime and its threads; without one, does nothing.
///
/// Clients that are still open end at once, as if their network had gone: close them first where the
/// broker shall see a DISCONNECT. Their receipts settle `closed`. A client made later starts a new runtime.
///
/// ```standalone_crate
/// let client = leveret::Client::new("mqtt://127.0.0.1:1", leveret::Options::new())?;
/// leveret::shutdown()?;
/// assert_eq!(client.status(), leveret::Status::Closed);
/// # Ok::<(), leveret::Error>(())
/// ```
///
/// # Errors
/// `WouldDeadlock` on the runtime's own thread, which cannot wait for itself.
pub fn shutdown() -> Result<(), Error> {
    if on_runtime_thread() {
        let detail =
            "shutdown was called on the runtime's own thread, which cannot wait for itself";
        return Err(Error::new(ErrorKind::WouldDeadlock, detail));
    }
    let Some(process) = PROCESS.get() else {
        return Ok(());
    };
    let Some(running) = process.machine.with(Option::take) else {
        return Ok(());
    };
    process.pool.dismiss();
    // On a thread of its own: the caller may be inside another runtime, where waiting for one is refused.
    let stop = move || running.runtime.shutdown_timeout(STOP_WITHIN);
    let stopping = std::thread::Builder::new()
        .name("leveret-stop".into())
        .spawn(stop);
    // Without a thread the runtime was dropped with the closure, which stops it just the same.
    if let Ok(thread) = stopping {
        let _ = thread.join();
    }
    Ok(())
}

/// Whether the calling thread is one of the runtime's, which must never wait for the runtime.
pub fn on_runtime_thread() -> bool {
    ON_RUNTIME.get()
}

/// How long [`shutdown`] waits for a name lookup that is under way.
const STOP_WITHIN: Duration = Duration::from_secs(1);

thread_local! {
    static ON_RUNTIME: Cell<bool> = const { Cell::new(false) };
}

fn process() -> &'static Process {
    PROCESS.get_or_init(|| Process {
        machine: Handoff::new(None),
        threads: Handoff::new(1),
        pool: Pool::default(),
    })
}

fn start(threads: usize) -> io::Result<Running> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("leveret-net")
        .enable_io()
        .on_thread_start(|| {
            // The host's handlers run on the host's threads; and tokio's vectored write raises SIGPIPE in a process
            // that has not set it aside.
            leveret_sys::block_signals();
            ON_RUNTIME.set(true);
        })
        .build()?;
    let clock = {
        let _inside = runtime.enter();
        Clock::start()?
    };
    let machine = Arc::new(Machine {
        handle: runtime.handle().clone(),
        clock,
        #[cfg(feature = "tls")]
        roots: Handoff::default(),
    });
    Ok(Running { machine, runtime })
}
