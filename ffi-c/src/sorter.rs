//! Calls what is registered: each event goes to the callback for it, and the rest in batches to
//! `on_events`, in order.
use std::mem;
use std::ptr;
use std::sync::Weak;
use std::time::Duration;

use leveret::host::{AckToken, Arrival, Delivery, ErrorKind, QueueId, Report};

use crate::callback::{Callback, Inside};
use crate::desk::Kind;
use crate::event::*;
use crate::face::Face;
use crate::failure::Telling;
use crate::message::{Origin, mqtt_message};
use crate::news::Happened;

/// The most messages and news taken at once. It bounds a batch, and how long other clients wait for
/// a thread of the pool.
pub(crate) const BATCH: usize = 256;

/// What one look at the queues brought.
pub(crate) enum Found {
    /// So many events.
    Some(usize),
    /// Nothing now.
    Nothing,
    /// Nothing, and nothing will ever come again.
    End,
}

/// Takes a batch of what waits and calls the callbacks for it. Never on two threads at once for one
/// client.
pub(crate) fn sort(face: &Face) -> Found {
    let (mut deliveries, mut reports) = (Vec::new(), Vec::new());
    // In this order: when messages and news have come to their end, so have the reports, and the
    // last of these are taken after it.
    let taken = face
        .client
        .wait_take(QueueId::MAIN, BATCH, Some(Duration::ZERO), &mut deliveries);
    face.client.take_reports(&mut reports);

    let mut sorter = Sorter {
        face,
        page: Page::default(),
        batch: Vec::new(),
        unfinished: Vec::new(),
        failed: Vec::new(),
    };
    for report in &reports {
        if let Report::Settled { tag, outcome } = report {
            let _batched = sorter.tell(Happened::settled(*tag, outcome));
        }
    }
    for delivery in &deliveries {
        match delivery {
            Delivery::Message(arrival) => sorter.message(arrival),
            Delivery::News(news) => {
                let _batched = Happened::news(news).map(|event| sorter.tell(event));
            }
            // In the queue of the hooks alone.
            Delivery::Packet(_)
            | Delivery::Prepare(_)
            | Delivery::Authenticate(_)
            | Delivery::Sign(_) => {}
        }
    }
    sorter.flush();
    match (reports.len() + deliveries.len(), taken) {
        (0, Err(error)) if error.kind == ErrorKind::Closed => Found::End,
        (0, _) => Found::Nothing,
        (count, _) => Found::Some(count),
    }
}

struct Sorter<'a> {
    face: &'a Face,
    page: Page,
    /// Events for `on_events`, not told yet.
    batch: Vec<Happened<'a>>,
    /// Messages of the batch, to be acknowledged once it has been told.
    unfinished: Vec<&'a Arrival>,
    /// Messages that a callback of this turn gave back.
    failed: Vec<AckToken>,
}

impl<'a> Sorter<'a> {
    /// Calls all callbacks for a message, and then has it acknowledged.
    fn message(&mut self, arrival: &'a Arrival) {
        let mut batched = false;
        for number in arrival.handlers.iter() {
            match self.face.desk.with(|desk| desk.handler(number)) {
                Some(handler) if handler.is_null() => {
                    batched = self.tell(Happened::Message(arrival, Some(handler)));
                }
                Some(handler) => {
                    self.call(&handler, Happened::Message(arrival, None));
                    batched = false;
                }
                // Unsubscribed meanwhile.
                None => {}
            }
        }
        if arrival.general {
            batched = self.tell(Happened::Message(arrival, None));
        }
        if batched {
            self.unfinished.push(arrival);
        } else {
            self.finish(arrival);
        }
    }

    /// Has a message acknowledged, or answered as failed if a callback gave it back.
    fn finish(&self, arrival: &Arrival) {
        let given_back = |token| self.failed.contains(&token);
        self.face
            .client
            .done(arrival, !arrival.token.is_some_and(given_back));
    }

    /// Has the callback for events of this kind called now, or puts the event into the batch and
    /// says so.
    fn tell(&mut self, event: Happened<'a>) -> bool {
        let kind = event.kind();
        let (callback, wanted) = self
            .face
            .desk
            .with(|desk| (desk.callback(kind), desk.wants(kind)));
        if let Some(callback) = callback {
            self.call(&callback, event);
            return false;
        }
        if wanted {
            self.batch.push(event);
        }
        wanted
    }

    /// Calls a callback with one event, after all that came before it.
    fn call(&mut self, callback: &Callback, event: Happened<'_>) {
        self.flush();
        // The page points into it, so it has to last as long as the call.
        let event = [event];
        self.page.write(&event, self.face.me());
        self.run(callback);
    }

    /// Tells the batch, and then has its messages acknowledged.
    fn flush(&mut self) {
        let batch = mem::take(&mut self.batch);
        if batch.is_empty() {
            return;
        }
        if let Some(callback) = self.face.desk.with(|desk| desk.callback(Kind::Events)) {
            self.page.write(&batch, self.face.me());
            self.run(&callback);
        }
        for arrival in mem::take(&mut self.unfinished) {
            self.finish(arrival);
        }
    }

    /// Calls a callback with the events on the page, as a handler of this client: what would have
    /// to wait for this thread is then put off or refused.
    fn run(&mut self, callback: &Callback) {
        let scope = self.face.client.handler_scope();
        let _scope = if self.face.calls_hooks_in_turn() {
            scope.with_hooks()
        } else {
            scope
        };
        let _inside = Inside::enter();
        let telling = Telling::enter(self.face);
        // SAFETY: the page was written for this callback just now, from what outlives the call.
        unsafe { callback.call(&self.page.events) };
        self.failed.extend(telling.failed());
    }
}

/// The structs that C reads for some events, each kind in a place of its own. The memory is used
/// again from page to page.
#[derive(Default)]
struct Page {
    origins: Vec<Origin>,
    messages: Vec<mqtt_message>,
    connections: Vec<mqtt_connection_event>,
    receipts: Vec<mqtt_receipt_event>,
    subscriptions: Vec<mqtt_subscription_event>,
    logs: Vec<mqtt_log_event>,
    events: Vec<mqtt_event>,
}

impl Page {
    /// Writes events over what was here.
    fn write(&mut self, happened: &[Happened<'_>], face: &Weak<Face>) {
        self.clear();
        for event in happened {
            match event {
                Happened::Message(arrival, _) => {
                    self.origins
                        .push(Origin::new(&arrival.message, arrival.token, face));
                }
                Happened::Connection(event, _) => self.connections.push(*event),
                Happened::Receipt(event, _) => self.receipts.push(*event),
                Happened::Subscription(event) => self.subscriptions.push(*event),
                Happened::Log(event, _) => self.logs.push(*event),
            }
        }
        self.messages.extend(self.origins.iter().map(Origin::view));
        self.point(happened);
    }

    /// Writes the events themselves, once nothing that they point to moves any more.
    fn point(&mut self, happened: &[Happened<'_>]) {
        let mut messages = self.messages.iter();
        let mut connections = self.connections.iter();
        let mut receipts = self.receipts.iter();
        let mut subscriptions = self.subscriptions.iter();
        let mut logs = self.logs.iter();
        let events = happened.iter().map(|event| {
            let (kind, data) = match event {
                Happened::Message(..) => (
                    MQTT_EVENT_MESSAGE,
                    mqtt_event_data {
                        message: next(&mut messages),
                    },
                ),
                Happened::Connection(..) => (
                    MQTT_EVENT_CONNECTION,
                    mqtt_event_data {
                        connection: next(&mut connections),
                    },
                ),
                Happened::Receipt(..) => (
                    MQTT_EVENT_RECEIPT,
                    mqtt_event_data {
                        receipt: next(&mut receipts),
                    },
                ),
                Happened::Subscription(..) => (
                    MQTT_EVENT_SUBSCRIPTION,
                    mqtt_event_data {
                        subscription: next(&mut subscriptions),
                    },
                ),
                Happened::Log(..) => (
                    MQTT_EVENT_LOG,
                    mqtt_event_data {
                        log: next(&mut logs),
                    },
                ),
            };
            let context = match event {
                Happened::Message(_, Some(subscription)) => subscription.context(),
                _ => ptr::null_mut(),
            };
            mqtt_event {
                kind,
                context,
                data,
            }
        });
        self.events.extend(events);
    }

    fn clear(&mut self) {
        self.origins.clear();
        self.messages.clear();
        self.connections.clear();
        self.receipts.clear();
        self.subscriptions.clear();
        self.logs.clear();
        self.events.clear();
    }
}

fn next<'a, T: 'a>(places: &mut impl Iterator<Item = &'a T>) -> *const T {
    places.next().map_or(ptr::null(), ptr::from_ref)
}
