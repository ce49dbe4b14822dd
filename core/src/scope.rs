//! Which client's handler the calling thread is running, and what that forbids or puts off.
//!
//! A handler that waits for the broker while the inbox is full waits for itself: reading has stopped until
//! the inbox is drained, and the thread that drains it is the one that waits. So does a handler that waits for
//! the end of its client, which comes after it has returned; and, where hooks are called, whoever waits for
//! what a hook has yet to decide. Such a wait fails at once.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use leveret_protocol::engine::Tag;
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::outcome::Status;

use crate::handoff::block_on;
use crate::inbox::Delivery;
use crate::runtime;
use crate::shared::{CloseRequest, Shared};

/// While it lives, the thread that made it runs handlers of the client. A close asked for meanwhile takes
/// effect when it is dropped, after the messages of these handlers were [done](crate::host::Client::done).
#[derive(Debug)]
#[must_use = "the scope ends when this is dropped"]
pub struct HandlerScope {
    shared: Arc<Shared>,
    /// What the hook that runs in it was asked: whoever is to answer later has it when the hook returns.
    asked: u64,
    /// A scope belongs to its thread.
    _not_send: PhantomData<*const ()>,
}

#[derive(Debug)]
struct Entry {
    shared: Arc<Shared>,
    close: Option<CloseRequest>,
    /// Its thread also calls the hooks of the client.
    calls_hooks: bool,
}

/// What a wait is for, which decides when it could never end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum For {
    /// The network: an answer, a message, room.
    Broker,
    /// The outcome of a letter.
    Outcome(Tag),
    /// A status.
    Status(Status),
}

/// What the calling thread is inside of, for one client.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inside {
    handler: bool,
    calls_hooks: bool,
    /// Its close waits for the handler to return.
    closes: bool,
}

thread_local! {
    /// The scopes of this thread; a handler may run another client's handlers.
    static SCOPES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// Looks at the scopes of this thread, or says `otherwise` where it is ending and its values are gone, as they
/// are in handlers of `exit`: nothing has run inside a handler since then.
fn with_scopes<R>(otherwise: R, look: impl FnOnce(&mut Vec<Entry>) -> R) -> R {
    let looked = SCOPES.try_with(|scopes| look(&mut scopes.borrow_mut()));
    looked.unwrap_or(otherwise)
}

impl HandlerScope {
    pub(crate) fn enter(shared: &Arc<Shared>) -> HandlerScope {
        let entry = Entry {
            shared: Arc::clone(shared),
            close: None,
            calls_hooks: false,
        };
        with_scopes((), |scopes| scopes.push(entry));
        HandlerScope {
            shared: Arc::clone(shared),
            asked: 0,
            _not_send: PhantomData,
        }
    }

    /// The same on a thread that also calls the hooks of the client, or by itself runs a hook: what waits for
    /// a hook would wait for this thread.
    pub fn with_hooks(self) -> HandlerScope {
        with_scopes((), |scopes| {
            let entry = scopes
                .iter_mut()
                .rfind(|entry| Arc::ptr_eq(&entry.shared, &self.shared));
            if let Some(entry) = entry {
                entry.calls_hooks = true;
            }
        });
        self
    }

    /// The scope of the hook that this is handed to. When it is dropped, what the hook has not answered counts as
    /// in the hands of somebody else.
    pub(crate) fn of_hook(mut self, delivery: &Delivery) -> HandlerScope {
        self.asked = match delivery {
            Delivery::Packet(shown) => shown.number,
            Delivery::Prepare(asked) => asked.number,
            Delivery::Authenticate(step) => step.number,
            _ => 0,
        };
        self.with_hooks()
    }
}

impl Drop for HandlerScope {
    fn drop(&mut self) {
        if self.asked != 0 && !self.shared.is_forked() {
            self.shared.inbox.with(|inbox| inbox.answered(self.asked));
        }
        let entry = with_scopes(None, |scopes| {
            let index = scopes
                .iter()
                .rposition(|entry| Arc::ptr_eq(&entry.shared, &self.shared))?;
            Some(scopes.remove(index))
        });
        let Some(Entry {
            shared,
            close: Some(request),
            ..
        }) = entry
        else {
            return;
        };
        // A handler of a handler of the same client: its turn comes when the outer one returns.
        if !put_off(&shared, &request) && !shared.is_forked() {
            shared.close(request);
        }
    }
}

/// Whether the calling thread runs a handler of this client.
pub(crate) fn is_inside(shared: &Arc<Shared>) -> bool {
    with_scopes(false, |scopes| {
        scopes
            .iter()
            .any(|entry| Arc::ptr_eq(&entry.shared, shared))
    })
}

/// Inside a handler of this client, puts its close off until the handler returns, and says so.
pub(crate) fn put_off(shared: &Arc<Shared>, request: &CloseRequest) -> bool {
    with_scopes(false, |scopes| {
        let entry = scopes
            .iter_mut()
            .rfind(|entry| Arc::ptr_eq(&entry.shared, shared));
        let Some(entry) = entry else { return false };
        entry.close = Some(request.clone());
        true
    })
}

impl Inside {
    pub(crate) fn now(shared: &Arc<Shared>) -> Inside {
        with_scopes(Inside::default(), |scopes| {
            scopes
                .iter()
                .filter(|entry| Arc::ptr_eq(&entry.shared, shared))
                .fold(Inside::default(), |inside, entry| Inside {
                    handler: true,
                    calls_hooks: inside.calls_hooks || entry.calls_hooks,
                    closes: inside.closes || entry.close.is_some(),
                })
        })
    }

    /// Why what did not come yet can never come as long as the calling thread waits for it. Where there is no
    /// reason now, the waker is woken when there is one.
    pub(crate) fn stuck(self, shared: &Shared, what: For, context: &Context<'_>) -> Option<Error> {
        if !self.handler {
            return None;
        }
        if self.closes && matches!(what, For::Status(Status::Closed | Status::Offline)) {
            return Some(behind_its_close());
        }
        shared.inbox.with(|inbox| {
            if inbox.poll_paused(context).is_ready() {
                return Some(would_deadlock());
            }
            let undecided = self.calls_hooks
                && !matches!(what, For::Status(Status::Closed))
                && inbox.poll_undecided(context).is_ready();
            let unsaid = self.calls_hooks
                && matches!(what, For::Outcome(receipt) if inbox.poll_unsaid(receipt, context).is_ready());
            (undecided || unsaid).then(behind_a_hook)
        })
    }
}

/// Blocks until `poll` has an answer or the time is over. Fails at once where that could never happen: on
/// the runtime's own thread, and inside a handler of this client that would wait for itself.
pub(crate) fn wait<R>(
    shared: &Arc<Shared>,
    what: For,
    timeout: Option<Duration>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<Result<R, Error>>,
) -> Result<R, Error> {
    shared.check_process()?;
    let inside = Inside::now(shared);
    let on_runtime = runtime::on_runtime_thread();
    let waited = block_on(timeout, |context| match poll(context) {
        Poll::Pending if on_runtime => Poll::Ready(Err(on_its_own_thread())),
        Poll::Pending => or_stuck(inside.stuck(shared, what, context)),
        Poll::Ready(result) => Poll::Ready(result),
    });
    waited.unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))
}

/// What was polled; where it is pending and could only stay so, why. For whoever blocks on a future inside a handler.
pub(crate) fn unless_stuck<R>(
    shared: &Arc<Shared>,
    what: For,
    context: &Context<'_>,
    polled: Poll<Result<R, Error>>,
) -> Poll<Result<R, Error>> {
    if polled.is_ready() {
        return polled;
    }
    or_stuck(Inside::now(shared).stuck(shared, what, context))
}

fn or_stuck<R>(why: Option<Error>) -> Poll<Result<R, Error>> {
    why.map_or(Poll::Pending, |why| Poll::Ready(Err(why)))
}

/// [`wait`] for room in the post office, which inside a handler may also wait for outcomes to be taken by
/// the thread that runs the handler.
pub(crate) fn wait_for_room<R>(
    shared: &Arc<Shared>,
    timeout: Option<Duration>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<Result<R, Error>>,
) -> Result<R, Error> {
    let inside = is_inside(shared);
    wait(shared, For::Broker, timeout, |context| {
        match poll(context) {
            Poll::Pending if inside && shared.outbox.with(|outbox| outbox.has_unread_reports()) => {
                Poll::Ready(Err(behind_reports()))
            }
            polled => polled,
        }
    })
}

/// [`wait_for_room`] without a timeout, given up once `go_on` says no. It is asked ten times a second.
pub(crate) fn wait_while<R>(
    shared: &Arc<Shared>,
    go_on: &mut dyn FnMut() -> bool,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<Result<R, Error>>,
) -> Result<R, Error> {
    loop {
        match wait_for_room(shared, Some(ASK_AGAIN), &mut poll) {
            Err(error) if error.kind == ErrorKind::TimedOut => {
                if !go_on() {
                    return Err(ErrorKind::Cancelled.into());
                }
            }
            result => return result,
        }
    }
}

/// Blocks until the driver has answered what needs no network, which takes one of its turns: also inside a
/// handler while reading is paused.
pub(crate) fn wait_for_driver<R>(
    shared: &Shared,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<Result<R, Error>>,
) -> Result<R, Error> {
    shared.check_process()?;
    let on_runtime = runtime::on_runtime_thread();
    let waited = block_on(None, |context| match poll(context) {
        Poll::Pending if on_runtime => Poll::Ready(Err(on_its_own_thread())),
        polled => polled,
    });
    waited.unwrap_or_else(|| Err(ErrorKind::TimedOut.into()))
}

/// How often a wait asks whether it is to go on.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// The error for a wait inside a handler while nothing is read, for hosts that have waits of their own.
pub fn would_deadlock() -> Error {
    let detail = "this call would wait for the broker inside a handler while the inbox is full and nothing is read; \
                  return from the handler first";
    Error::new(ErrorKind::WouldDeadlock, detail)
}

/// The error for a wait for the end of a client inside a handler that has closed it, for hosts that have waits of their own.
pub fn behind_its_close() -> Error {
    let detail = "this call would wait inside a handler for the close that takes effect when the handler returns; \
                  return from the handler first";
    Error::new(ErrorKind::WouldDeadlock, detail)
}

fn behind_a_hook() -> Error {
    let detail = "this call would wait for what a hook, the authenticator or the function asked before each connect has yet to answer, \
                  on the thread that calls it; return from it first";
    Error::new(ErrorKind::WouldDeadlock, detail)
}

fn behind_reports() -> Error {
    let detail = "this call would wait for room inside a handler while too many outcomes wait to be told; \
                  return from the handler first";
    Error::new(ErrorKind::WouldDeadlock, detail)
}

fn on_its_own_thread() -> Error {
    let detail = "this call would wait for the runtime's thread, on that very thread";
    Error::new(ErrorKind::WouldDeadlock, detail)
}
