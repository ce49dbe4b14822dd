//! Takes responses from their queue: one task for all requests of a client.

use std::future::poll_fn;
use std::sync::Arc;

use leveret_protocol::error::Error;
use leveret_protocol::reason::ReasonCode;

use crate::inbox::{Arrival, Delivery, QueueId};
use crate::shared::Shared;

/// How many responses are taken under one lock. Few: they count as in the inbox until the next are taken.
const AT_ONCE: usize = 32;

/// The queue of the responses of this client, whose task is begun with the first request.
pub(super) fn queue(shared: &Arc<Shared>) -> QueueId {
    if let Some(queue) = shared.ledger.with(|ledger| ledger.requests.queue) {
        return queue;
    }
    let fresh = shared.inbox.with(|inbox| inbox.open_queue());
    let queue = shared
        .ledger
        .with(|ledger| *ledger.requests.queue.get_or_insert(fresh));
    if queue == fresh {
        shared.machine.spawn(keep(Arc::clone(shared), queue));
    } else {
        // Another thread was first.
        shared
            .inbox
            .put(|inbox, rings| inbox.close_queue(fresh, rings));
    }
    queue
}

/// Hands responses over until the client is closed.
async fn keep(shared: Arc<Shared>, queue: QueueId) {
    let mut taken = Vec::with_capacity(AT_ONCE);
    while take(&shared, queue, &mut taken).await.is_ok() {
        for delivery in taken.drain(..) {
            // News lies in the main queue alone.
            if let Delivery::Message(arrival) = delivery {
                hand_over(&shared, &arrival);
            }
        }
    }
}

async fn take(shared: &Shared, queue: QueueId, taken: &mut Vec<Delivery>) -> Result<usize, Error> {
    poll_fn(|context| {
        shared
            .inbox
            .put(|inbox, rings| inbox.poll_take(queue, AT_ONCE, taken, rings, context))
    })
    .await
}

/// A response for which nobody waits, or waits any more, is counted and goes the way of all responses.
fn hand_over(shared: &Shared, arrival: &Arrival) {
    let awaited = shared
        .ledger
        .put(|ledger, rings| ledger.requests.respond(&arrival.message, rings));
    if !awaited {
        shared.inbox.with(|inbox| inbox.unhandled += 1);
    }
    match arrival.token {
        // The application never sees it, so it cannot acknowledge it by hand.
        Some(token) if shared.options.manual_ack && arrival.ticket.is_none() => {
            // On a closed client there is nobody left to tell.
            let _ = shared.acknowledge(token, ReasonCode::SUCCESS);
        }
        _ => shared.done(arrival, true),
    }
}
