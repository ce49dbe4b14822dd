//! Calls the application's hooks, authenticator and function before each connect: one after another, and whatever they do.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use leveret_protocol::engine::Hooks;
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::packet_type::{PacketSet, PacketType};

use crate::dispatch::Strand;
use crate::doorbell::Bell;
use crate::handoff::Handoff;
use crate::hooks::{Attempt, AuthStep, Packet};
use crate::host;
use crate::inbox::{Delivery, QueueId};
use crate::scope::HandlerScope;
use crate::shared::Shared;

/// How many calls are made before other clients get the thread.
const AT_ONCE: usize = 64;

type OnPacket = Box<dyn FnMut(Packet) + Send>;
type OnStep = Box<dyn FnMut(AuthStep) + Send>;
type OnAttempt = Box<dyn FnMut(Attempt) + Send>;

/// What the application wants called, on the shared pool for callbacks: one call after another per client, behind no message handler.
#[derive(Default)]
pub(crate) struct Faces {
    pub(crate) packets: BTreeMap<PacketType, OnPacket>,
    pub(crate) authenticator: Option<OnStep>,
    pub(crate) before_connect: Option<OnAttempt>,
}

impl Faces {
    pub(crate) fn shown(&self) -> Result<PacketSet, Error> {
        let mut shown = PacketSet::EMPTY;
        for &packet in self.packets.keys() {
            if !Hooks::SHOWABLE.has(packet) {
                let names: Vec<_> = Hooks::SHOWABLE.types().map(PacketType::name).collect();
                let detail = format!("hook must be one of {}, not {packet}", names.join(", "));
                return Err(Error::new(ErrorKind::InvalidArgument, detail));
            }
            shown = shown.union(packet.into());
        }
        Ok(shown)
    }

    /// Has the strand of this client run whenever something comes for a hook. It keeps the client's memory, and not the client, alive.
    pub(crate) fn attach(self, host: &host::Client) {
        let nothing = self.packets.is_empty()
            && self.authenticator.is_none()
            && self.before_connect.is_none();
        if nothing {
            return;
        }
        let faces = Handoff::new(Some(self));
        // Weak, because what rings the bell holds the strand.
        let watcher = Arc::downgrade(&host.watcher());
        let strand = Strand::new(move || {
            let Some(shared) = watcher.upgrade() else {
                return false;
            };
            // Never two at a time, so it is there; out of the lock, because no host code runs under one.
            let Some(mut mine) = faces.with(Option::take) else {
                return false;
            };
            let more = mine.call_some(&shared);
            faces.with(|faces| *faces = Some(mine));
            more
        });
        host.set_bell(&Bell::Call(Arc::new(move || strand.ring())));
    }

    /// Calls what waits to be called, a bounded piece of it; whether there is more.
    fn call_some(&mut self, shared: &Arc<Shared>) -> bool {
        let mut taken = Vec::new();
        let count = shared
            .inbox
            .put(|inbox, rings| inbox.take(QueueId::HOOKS, AT_ONCE, &mut taken, rings));
        for delivery in taken {
            let _scope = HandlerScope::enter(shared).of_hook(&delivery);
            self.call(delivery, shared);
        }
        count == AT_ONCE
    }

    /// Calls one function. If it panics, what it was handed answers for it as it is dropped.
    fn call(&mut self, delivery: Delivery, shared: &Arc<Shared>) {
        let shared = Arc::clone(shared);
        match delivery {
            Delivery::Packet(shown) => {
                if let Some(hook) = self.packets.get_mut(&shown.packet) {
                    guarded("a hook", || hook(Packet { shown, shared }));
                }
            }
            Delivery::Prepare(asked) => {
                if let Some(before_connect) = &mut self.before_connect {
                    let url = shared.url_of(&asked);
                    let attempt = Attempt { asked, url, shared };
                    guarded("before_connect", || before_connect(attempt));
                }
            }
            Delivery::Authenticate(step) => {
                if let Some(authenticator) = &mut self.authenticator {
                    let step = AuthStep { step, shared };
                    guarded("the authenticator", || authenticator(step));
                }
            }
            Delivery::Message(_) | Delivery::News(_) => {}
            // Of hosts that sign themselves; here the signer is called where the handshake is.
            #[cfg(feature = "tls")]
            Delivery::Sign(_) => {}
        }
    }
}

/// Calls a function of the application's. A panic ends with it, and is logged; whoever calls says what comes of it.
pub(crate) fn guarded<R>(what: &str, call: impl FnOnce() -> R) -> Option<R> {
    // What it left half done is the application's own, which knows its functions.
    let called = catch_unwind(AssertUnwindSafe(call));
    if called.is_err() {
        tracing::error!(target: "leveret::handlers", "{what} panicked");
    }
    called.ok()
}
