//! Which messages the callbacks that run on this thread gave back as failed.
use std::cell::RefCell;
use std::mem;

use leveret::host::AckToken;

use crate::face::Face;

/// A callback of a client that runs on this thread, until it is dropped.
pub(crate) struct Telling(());

/// One callback that runs: whose it is, and what it gave back.
struct Told {
    face: *const Face,
    failed: Vec<AckToken>,
}

thread_local! {
    /// The callbacks of this thread; one may run those of another client.
    static TOLD: RefCell<Vec<Told>> = const { RefCell::new(Vec::new()) };
}

impl Telling {
    /// From here on, this thread runs a callback of this client.
    pub(crate) fn enter(face: &Face) -> Telling {
        // A thread that is ending runs no callback any more.
        let _ = TOLD.try_with(|told| {
            told.borrow_mut().push(Told {
                face,
                failed: Vec::new(),
            });
        });
        Telling(())
    }

    /// The callback has returned: the messages that it gave back.
    pub(crate) fn failed(self) -> Vec<AckToken> {
        let failed = TOLD.try_with(|told| {
            let mut told = told.borrow_mut();
            told.last_mut().map(|last| mem::take(&mut last.failed))
        });
        failed.ok().flatten().unwrap_or_default()
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        let _ = TOLD.try_with(|told| drop(told.borrow_mut().pop()));
    }
}

/// Gives a message back to the callback of its client that runs on this thread; false if none does.
pub(crate) fn give_back(face: *const Face, token: Option<AckToken>) -> bool {
    let given = TOLD.try_with(|told| {
        let mut told = told.borrow_mut();
        let Some(running) = told.iter_mut().rev().find(|told| told.face == face) else {
            return false;
        };
        running.failed.extend(token);
        true
    });
    given.unwrap_or(false)
}
