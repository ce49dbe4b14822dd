//! A client as C holds it: the core's client, what is registered with it, and how its callbacks get
//! to run.
use std::mem;
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::time::Duration;

use leveret::host::Dialect;
use leveret::host::{
    Bell, Client, General, Handoff, Keep, NetworkHooks, Setup, Strand, WakeDescriptor,
    on_runtime_thread,
};
use leveret::host::{ClientOptions, Error, ErrorKind, Hooks, PacketSet};

use crate::callback::{Callback, Inside};
use crate::desk::{Desk, Kind, Leaving};
use crate::hooks;
use crate::sorter::{self, Found};

/// A client with its callbacks. C holds one share; threads that run callbacks hold others
/// meanwhile.
pub(crate) struct Face {
    pub(crate) client: Client,
    pub(crate) desk: Handoff<Desk>,
    dispatch: Handoff<Dispatch>,
    strand: Strand,
    /// Calls hooks on the pool: beside the other callbacks, so that one of these may wait for what a
    /// hook has to answer first.
    hooks_strand: Strand,
    me: Weak<Face>,
}

/// How the callbacks of a client get to run.
#[derive(Clone)]
pub(crate) enum Dispatch {
    /// On the shared pool of threads.
    Pool,
    /// In `mqtt_client_poll`, announced by a descriptor.
    Poll(Arc<WakeDescriptor>),
    /// On the thread that has something to tell, mostly the runtime's.
    Inline,
}

impl Face {
    /// A client that is not started yet, with its callbacks on the pool.
    pub(crate) fn new(
        urls: &[&str],
        options: ClientOptions,
        network: NetworkHooks,
    ) -> Result<Arc<Face>, Error> {
        let client = Client::with_network(
            urls,
            options,
            Setup {
                dialect: Dialect::C,
                keep: Keep::Recent,
                autostart: false,
            },
            network,
        )?;
        let face = Arc::new_cyclic(|me: &Weak<Face>| {
            let (for_strand, for_hooks) = (me.clone(), me.clone());
            Face {
                client,
                desk: Handoff::new(Desk::default()),
                dispatch: Handoff::new(Dispatch::Pool),
                strand: Strand::new(move || {
                    for_strand.upgrade().is_some_and(|face| face.turn() > 0)
                }),
                hooks_strand: Strand::new(move || {
                    for_hooks
                        .upgrade()
                        .is_some_and(|face| face.turn_of_hooks_aside())
                }),
                me: me.clone(),
            }
        });
        face.set_dispatch(Dispatch::Pool);
        Ok(face)
    }

    /// A pointer to this client that does not keep it.
    pub(crate) fn me(&self) -> &Weak<Face> {
        &self.me
    }

    /// Has the callbacks run in another way from now on.
    pub(crate) fn set_dispatch(&self, dispatch: Dispatch) {
        let bell = match &dispatch {
            Dispatch::Pool => {
                let (strand, hooks) = (self.strand.clone(), self.hooks_strand.clone());
                let hooked = self.desk.with(|desk| desk.hooked);
                Bell::Call(Arc::new(move || {
                    strand.ring();
                    if hooked {
                        hooks.ring();
                    }
                }))
            }
            Dispatch::Poll(descriptor) => Bell::Descriptor(Arc::clone(descriptor)),
            Dispatch::Inline => {
                let me = self.me.clone();
                Bell::Call(Arc::new(move || {
                    me.upgrade().into_iter().for_each(|face| face.turn_inline());
                }))
            }
        };
        self.dispatch.with(|current| *current = dispatch);
        self.client.set_bell(&bell);
    }

    /// The descriptor of a client whose callbacks run in `mqtt_client_poll`.
    pub(crate) fn descriptor(&self) -> Result<Arc<WakeDescriptor>, Error> {
        match self.dispatch.with(|dispatch| dispatch.clone()) {
            Dispatch::Poll(descriptor) => Ok(descriptor),
            _ => Err(Error::invalid(
                "dispatch of the client must be MQTT_DISPATCH_POLL for this call, but it is not",
            )),
        }
    }

    /// Registers a callback, or ends the registration where there is no function. What it replaces
    /// is dropped.
    pub(crate) fn register(&self, kind: Kind, callback: Callback) -> Result<(), Error> {
        self.client.check_process()?;
        let callback = (!callback.is_null()).then(|| Arc::new(callback));
        let replaced = self.desk.with(|desk| desk.register(kind, callback));
        drop(replaced);
        let (messages, receipts) = self
            .desk
            .with(|desk| (desk.wants(Kind::Message), desk.wants(Kind::Receipt)));
        self.client.set_general(if messages {
            General::Handler
        } else {
            General::Nobody
        });
        self.client.stream_reports(receipts);
        Ok(())
    }

    /// Registers a hook, or ends the registration where there is no function: for packets of these
    /// types, the authenticator, or what is asked before each connect. If it is refused, what was registered before stays.
    pub(crate) fn register_hook(
        &self,
        kind: Kind,
        shown: PacketSet,
        callback: Callback,
    ) -> Result<(), Error> {
        self.client.check_process()?;
        let callback = (!callback.is_null()).then(|| Arc::new(callback));
        let (before, shown_before) = self.desk.with(|desk| {
            let before = desk.register(kind, callback);
            let shown_before = desk.shown;
            if kind == Kind::Packet {
                desk.shown = shown;
            }
            (before, shown_before)
        });
        let wanted = self.desk.with(|desk| desk.hooks());
        if let Err(error) = self.client.set_hooks(wanted) {
            let refused = self.desk.with(|desk| {
                desk.shown = shown_before;
                desk.register(kind, before)
            });
            drop(refused);
            return Err(error);
        }
        drop(before);
        if wanted != Hooks::default()
            && !self.desk.with(|desk| mem::replace(&mut desk.hooked, true))
        {
            let dispatch = self.dispatch.with(|dispatch| dispatch.clone());
            self.set_dispatch(dispatch);
        }
        Ok(())
    }

    /// Calls hooks for a batch of what waits; for how many packets and steps. 0 if another thread is
    /// at it.
    fn turn_of_hooks(&self) -> usize {
        if !self.desk.with(|desk| desk.hooks_turn.take()) {
            return 0;
        }
        let mut handled = 0;
        loop {
            handled += hooks::call(self);
            if self.desk.with(|desk| desk.hooks_turn.end()) {
                return handled;
            }
        }
    }

    /// A turn of the hooks on the pool; whether there may be more. The end of a freed client waits
    /// for it.
    fn turn_of_hooks_aside(&self) -> bool {
        let more = self.turn_of_hooks() > 0;
        if !more && self.is_leaving() {
            self.strand.ring();
        }
        more
    }

    /// Whether hooks are called where the other callbacks are, one after another with them.
    pub(crate) fn calls_hooks_in_turn(&self) -> bool {
        self.dispatch
            .with(|dispatch| !matches!(dispatch, Dispatch::Pool))
    }

    /// Calls callbacks for a batch of what waits; for how many events. 0 if another thread is at
    /// it.
    pub(crate) fn turn(&self) -> usize {
        if !self.desk.with(Desk::take_turn) {
            return 0;
        }
        let mut handled = 0;
        loop {
            if self.calls_hooks_in_turn() {
                handled += self.turn_of_hooks();
            }
            match sorter::sort(self) {
                Found::Some(count) => handled += count,
                Found::Nothing => {}
                Found::End => self.leave(),
            }
            if self.desk.with(Desk::end_turn) {
                return handled;
            }
        }
    }

    /// Calls callbacks until nothing waits, if this is the runtime's thread. A caller's own thread
    /// is spared: it may hold locks of its program that its callbacks want too.
    fn turn_inline(&self) {
        if !on_runtime_thread() {
            return self.strand.ring();
        }
        while self.turn() > 0 {}
    }

    /// Runs callbacks in `mqtt_client_poll`: waits for the first event at most for `timeout`; how
    /// many there were.
    pub(crate) fn poll(&self, timeout: Option<Duration>) -> Result<usize, Error> {
        self.client.check_process()?;
        let descriptor = self.descriptor()?;
        if self.desk.with(|desk| desk.is_taken()) {
            let detail = "mqtt_client_poll must not be called while a callback of the same client is running";
            return Err(Error::new(ErrorKind::WouldDeadlock, detail));
        }
        descriptor.clear();
        let mut handled = self.turn();
        if handled == 0 && descriptor.wait(timeout) {
            descriptor.clear();
            handled = self.turn();
        }
        if self.is_leaving() {
            self.turns_until_left(&descriptor);
        } else if handled >= sorter::BATCH {
            // What the batch left over has rung already.
            descriptor.ring();
        }
        Ok(handled)
    }

    /// C gives up its share: closes the client at once, and lets its last callbacks run. Waits for
    /// them, unless called inside a callback.
    pub(crate) fn free(self: Arc<Face>) {
        // Inside one of its own callbacks the close takes effect when that returns.
        if self.client.close(Some(Duration::ZERO), None).is_err() {
            // A child must not touch what threads of its parent may have been holding at the fork.
            return mem::forget(self);
        }
        let (told, over) = channel();
        let in_turn = self.desk.with(|desk| {
            desk.leaving = Some(Leaving {
                _face: Arc::clone(&self),
                _told: told,
            });
            desk.is_taken()
        });
        match self.dispatch.with(|dispatch| dispatch.clone()) {
            Dispatch::Poll(descriptor) if !Inside::is_now() => self.turns_until_left(&descriptor),
            // The call of `mqtt_client_poll` that this one is inside of does the rest.
            Dispatch::Poll(_) if in_turn => return,
            Dispatch::Poll(_) => {
                self.set_dispatch(Dispatch::Pool);
                self.strand.ring();
            }
            Dispatch::Pool | Dispatch::Inline => self.strand.ring(),
        }
        if !Inside::is_now() {
            // Nothing is ever sent: the wait ends when the other end is dropped.
            let _ = over.recv();
        }
    }

    fn is_leaving(&self) -> bool {
        self.desk.with(|desk| desk.leaving.is_some())
    }

    /// Calls the last callbacks of a freed client on this thread.
    fn turns_until_left(&self, descriptor: &WakeDescriptor) {
        while self.is_leaving() {
            descriptor.clear();
            if self.turn() == 0 && self.is_leaving() {
                descriptor.wait(None);
            }
        }
    }

    /// Everything has been told. If the client has been freed, its callbacks are dropped, and
    /// whoever waits in `free` goes on.
    fn leave(&self) {
        // A hook that still runs on the pool has this asked once more when it is over.
        if !self.is_leaving() || !self.desk.with(|desk| desk.hooks_turn.take()) {
            return;
        }
        while hooks::call(self) > 0 {}
        let leaving = self.desk.with(|desk| desk.leaving.take());
        let everything = self.desk.with(Desk::clear);
        drop(everything);
        let _asked = self.desk.with(|desk| desk.hooks_turn.end());
        drop(leaving);
    }
}
