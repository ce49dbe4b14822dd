//! Sorts what the engine tells into the handoffs: room to senders, outcomes to those who wait, messages
//! and news to the application.

use leveret_protocol::engine::{
    AckToken, Command, ConnectionEvent, Cost, EngineStats, Event, Reply, Tag,
};
use leveret_protocol::reason::ReasonCode;

use crate::handoff::Rings;
use crate::inbox::{Delivery, Inbox, News};
use crate::ledger::Ledger;
use crate::log;
use crate::shared::Shared;

/// The memory that sorting needs, kept from turn to turn.
#[derive(Debug, Default)]
pub(crate) struct Sorter {
    for_ledger: Vec<Event>,
    for_inbox: Vec<Event>,
    unhandled: Vec<AckToken>,
}

impl Sorter {
    /// Hands the events of a turn over. Room first: whoever learns of an outcome finds its room given back.
    /// Returns whether the inbox has become full, so that reading has to pause.
    pub(crate) fn deliver(
        &mut self,
        events: &mut Vec<Event>,
        engine: EngineStats,
        shared: &Shared,
    ) -> bool {
        let given_back = given_back(events);
        // Letters without a receipt are told to nobody: most turns of a flood end here.
        if events.iter().all(is_for_nobody) {
            events.clear();
        }
        for event in events.drain(..) {
            match event {
                Event::Settled { .. } if is_for_nobody(&event) => {}
                Event::Settled { .. } | Event::Reply { .. } => self.for_ledger.push(event),
                Event::Released(_) => {}
                Event::Status(status) => {
                    self.for_ledger.push(Event::Status(status));
                    self.for_inbox.push(event);
                }
                Event::Message(_) => self.for_inbox.push(event),
                Event::Connection(ConnectionEvent::Online(online)) => {
                    shared
                        .ledger
                        .put(|ledger, rings| ledger.requests.connected(&online, rings));
                    let event = Event::Connection(ConnectionEvent::Online(online));
                    log::tell(&event, &shared.options.client_id);
                    self.for_inbox.push(event);
                }
                _ => {
                    log::tell(&event, &shared.options.client_id);
                    self.for_inbox.push(event);
                }
            }
        }
        shared
            .outbox
            .put(|outbox, rings| outbox.settle(given_back, engine, rings));
        // Before the answer to a subscribe is told, so that a refused one leaves no route behind.
        self.tell_routes(shared);
        // A handler that is told of a status finds it so, and may wait for the next one.
        if self
            .for_ledger
            .iter()
            .any(|event| matches!(event, Event::Status(_)))
        {
            self.fill_ledger(shared);
        }
        let paused = self.fill_inbox(shared);
        self.fill_ledger(shared);
        paused
    }

    fn tell_routes(&self, shared: &Shared) {
        let mut answers = self
            .for_ledger
            .iter()
            .filter_map(subscribe_answer)
            .peekable();
        if answers.peek().is_some() {
            shared
                .inbox
                .with(|inbox| answers.for_each(|(tag, codes)| inbox.routes.answered(tag, codes)));
        }
    }

    fn fill_ledger(&mut self, shared: &Shared) {
        if self.for_ledger.is_empty() {
            return;
        }
        let told = shared.ledger.put(|ledger, rings| {
            let before = ledger.unread();
            self.for_ledger
                .drain(..)
                .for_each(|event| enter(ledger, event, rings));
            ledger.unread() - before
        });
        if told > 0 {
            shared.outbox.with(|outbox| outbox.reports_made(told));
        }
    }

    fn fill_inbox(&mut self, shared: &Shared) -> bool {
        if self.for_inbox.is_empty() {
            return false;
        }
        let paused = shared.inbox.put(|inbox, rings| {
            for event in self.for_inbox.drain(..) {
                match event {
                    Event::Message(incoming) => {
                        self.unhandled.extend(inbox.deliver(incoming, rings));
                    }
                    event => tell(inbox, event, rings),
                }
            }
            inbox.pause(rings)
        });
        for token in self.unhandled.drain(..) {
            let command = Command::Acknowledge {
                token,
                reason: ReasonCode::SUCCESS,
                words: None,
            };
            // Only a client that has ended takes no commands, and this one's driver is here.
            let _ = shared
                .outbox
                .put(|outbox, rings| outbox.push(command, rings));
        }
        paused
    }
}

/// The room that these events give back.
fn given_back(events: &[Event]) -> Cost {
    events.iter().fold(Cost::ZERO, |sum, event| match event {
        Event::Settled { cost, .. } | Event::Released(cost) => sum + *cost,
        _ => sum,
    })
}

fn is_for_nobody(event: &Event) -> bool {
    matches!(event, Event::Settled { tag: 0, .. } | Event::Released(_))
}

/// The codes of a subscribe's answer; none where the question was given up.
fn subscribe_answer(event: &Event) -> Option<(Tag, &[ReasonCode])> {
    match event {
        Event::Reply {
            tag,
            result: Ok(Reply::Subscribed(answers)),
        } => Some((*tag, &answers.codes)),
        Event::Reply {
            tag,
            result: Err(_),
        } => Some((*tag, &[])),
        _ => None,
    }
}

fn enter(ledger: &mut Ledger, event: Event, rings: &mut Rings) {
    match event {
        Event::Settled { tag, outcome, .. } => ledger.settle(tag, outcome, rings),
        Event::Reply { tag, result } => ledger.answer(tag, result, rings),
        Event::Status(status) => ledger.set_status(status, rings),
        // Sorted into the inbox.
        _ => {}
    }
}

fn tell(inbox: &mut Inbox, event: Event, rings: &mut Rings) {
    let news = match event {
        Event::Status(status) => News::Status(status),
        Event::Connection(event) => News::Connection(event),
        Event::Subscription {
            filter,
            state,
            reason,
            ..
        } => News::Subscription {
            filter,
            state,
            reason,
        },
        Event::RoundTrip(time) => News::RoundTrip(time),
        Event::Notice(notice) => News::Notice(notice),
        Event::Packet(shown) => return inbox.ask(Delivery::Packet(shown), rings),
        Event::Prepare(asked) => return inbox.ask(Delivery::Prepare(asked), rings),
        Event::Authenticate(step) => return inbox.ask(Delivery::Authenticate(step), rings),
        // Sorted into the ledger, or handed over before.
        Event::Settled { .. } | Event::Released(_) | Event::Reply { .. } | Event::Message(_) => {
            return;
        }
    };
    inbox.tell(news, rings);
}
