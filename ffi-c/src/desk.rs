//! What a client of C has registered: its callbacks, whether one is running, and whether the client
//! has been freed. Plain data.
use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use leveret::host::{Hooks, PacketSet};

use crate::callback::Callback;
use crate::face::Face;

/// A callback that may be replaced while it is being called: whoever calls it holds a share.
pub(crate) type Registered = Arc<Callback>;

/// What a callback of a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Message,
    Connection,
    Receipt,
    Subscription,
    Log,
    /// All that has no callback of its own.
    Events,
    /// Hooks: packets of the broker.
    Packet,
    /// The authenticator.
    Auth,
    /// The function that is asked before each attempt to connect.
    Connect,
}

/// Everything that is registered with one client.
#[derive(Default)]
pub(crate) struct Desk {
    callbacks: BTreeMap<Kind, Registered>,
    /// Callbacks of subscriptions, by the numbers the core knows them by.
    handlers: BTreeMap<u64, Registered>,
    by_filter: BTreeMap<String, Vec<u64>>,
    last_handler: u64,
    turn: Turn,
    /// The turn to call hooks, which on the pool are called beside the other callbacks.
    pub(crate) hooks_turn: Turn,
    /// The packets that the callback for them is called with.
    pub(crate) shown: PacketSet,
    /// Whether there ever was a hook: then there is something to be rung for.
    pub(crate) hooked: bool,
    /// Whether the client was started: how its callbacks run is then settled.
    pub(crate) started: bool,
    /// Set once the client has been freed, until the last callback has been called.
    pub(crate) leaving: Option<Leaving>,
}

/// Whether a thread is calling callbacks of this client: never two at a time.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Turn {
    /// None is. Next: `Taken`.
    #[default]
    Free,
    /// One is. Next: `Free` (done), `TakenAndAsked` (another came to do it).
    Taken,
    /// One is, and has to look once more. Next: `Taken` (it looks).
    TakenAndAsked,
}

/// A freed client that has still something to say.
pub(crate) struct Leaving {
    /// C has given up its share; this one keeps the client until its last callback has been called.
    pub(crate) _face: Arc<Face>,
    /// Dropped with this struct, which is what a `free` that waits is waiting for.
    pub(crate) _told: Sender<()>,
}

impl Desk {
    /// Registers a callback of the client, or ends the registration. What it replaces is returned,
    /// to be dropped without the lock.
    #[must_use = "dropping a callback runs code of the host, which must not happen under the lock"]
    pub(crate) fn register(
        &mut self,
        kind: Kind,
        callback: Option<Registered>,
    ) -> Option<Registered> {
        match callback {
            Some(callback) => self.callbacks.insert(kind, callback),
            None => self.callbacks.remove(&kind),
        }
    }

    /// The callback for events of this kind.
    pub(crate) fn callback(&self, kind: Kind) -> Option<Registered> {
        self.callbacks.get(&kind).cloned()
    }

    /// Whether events of this kind go anywhere, be it in batches.
    pub(crate) fn wants(&self, kind: Kind) -> bool {
        self.callbacks.contains_key(&kind) || self.callbacks.contains_key(&Kind::Events)
    }

    /// What the core is to show, for the hooks that are registered.
    pub(crate) fn hooks(&self) -> Hooks {
        let shown = if self.callbacks.contains_key(&Kind::Packet) {
            self.shown
        } else {
            PacketSet::EMPTY
        };
        Hooks {
            shown,
            answered: shown.intersection(Hooks::ANSWERABLE),
            prepares: self.callbacks.contains_key(&Kind::Connect),
            authenticates: self.callbacks.contains_key(&Kind::Auth),
        }
    }

    /// Registers the callback of a subscription; the number by which the core is to know it.
    pub(crate) fn add_handler(&mut self, filter: &str, callback: Registered) -> u64 {
        self.last_handler += 1;
        self.handlers.insert(self.last_handler, callback);
        self.by_filter
            .entry(filter.to_owned())
            .or_default()
            .push(self.last_handler);
        self.last_handler
    }

    /// The callback of a subscription, unless it is gone.
    pub(crate) fn handler(&self, number: u64) -> Option<Registered> {
        self.handlers.get(&number).cloned()
    }

    /// Takes one callback of a subscription away.
    pub(crate) fn remove_handler(&mut self, filter: &str, number: u64) -> Option<Registered> {
        if let Some(numbers) = self.by_filter.get_mut(filter) {
            numbers.retain(|&other| other != number);
            if numbers.is_empty() {
                self.by_filter.remove(filter);
            }
        }
        self.handlers.remove(&number)
    }

    /// Takes all callbacks of a topic filter away.
    pub(crate) fn remove_handlers(&mut self, filter: &str) -> Vec<Registered> {
        let numbers = self.by_filter.remove(filter).unwrap_or_default();
        numbers
            .iter()
            .filter_map(|number| self.handlers.remove(number))
            .collect()
    }

    /// Takes everything away, for good.
    #[must_use = "dropping a callback runs code of the host, which must not happen under the lock"]
    pub(crate) fn clear(&mut self) -> Desk {
        let all = mem::take(self);
        self.turn = all.turn;
        self.hooks_turn = all.hooks_turn;
        all
    }

    /// Takes the turn to call callbacks; false if another thread has it, which then looks once
    /// more.
    pub(crate) fn take_turn(&mut self) -> bool {
        self.turn.take()
    }

    /// Whether a thread is calling callbacks.
    pub(crate) fn is_taken(&self) -> bool {
        self.turn != Turn::Free
    }

    /// Gives the turn back, unless another thread wanted it meanwhile: then look once more, and ask
    /// again.
    pub(crate) fn end_turn(&mut self) -> bool {
        self.turn.end()
    }
}

impl Turn {
    /// Takes the turn; false if another thread has it, which then looks once more.
    pub(crate) fn take(&mut self) -> bool {
        let free = *self == Turn::Free;
        *self = if free {
            Turn::Taken
        } else {
            Turn::TakenAndAsked
        };
        free
    }

    /// Gives it back, unless another thread wanted it meanwhile: then look once more, and ask
    /// again.
    pub(crate) fn end(&mut self) -> bool {
        let asked = *self == Turn::TakenAndAsked;
        *self = if asked { Turn::Taken } else { Turn::Free };
        !asked
    }
}
