//! SUBSCRIBE and UNSUBSCRIBE once more: what was not answered in time, what a connection took with it, and what a session has lost.
use alloc::vec::Vec;

use super::Engine;
use super::asking::{Ask, Item, Request};
use super::event::{Event, Notice, SubscriptionId};
use super::timers::Timer;
use super::window::Slot;
use crate::error::{Error, ErrorKind};
use crate::outcome::SubscriptionState;
use crate::reason::ReasonCode;

impl Engine {
    /// Requests without an answer are sent again, under another identifier; the old one stays in use until it is answered or the connection ends.
    pub(super) fn ask_unanswered_again(&mut self) {
        let now = self.now;
        let mut late: Vec<(u64, u16)> = self
            .asking
            .sent
            .iter()
            .filter(|(_, request)| request.due <= now)
            .map(|(id, request)| (request.order, *id))
            .collect();
        late.sort_unstable();
        for (_, id) in late.into_iter().rev() {
            let Some(request) = self.asking.sent.remove(&id) else {
                continue;
            };
            self.events.push(Event::Notice(Notice::Unanswered {
                filters: request.asks.len(),
            }));
            for ask in request.asks.into_iter().rev() {
                let waiting = ask
                    .question
                    .and_then(|(number, _)| self.asking.questions.remove(&number));
                if let Some(waiting) = waiting {
                    let error = Error::new(
                        ErrorKind::TimedOut,
                        "the broker did not answer in time; it is being asked again",
                    );
                    self.reply(waiting.reply, Err(error));
                }
                self.asking.unsent.push_front(Ask {
                    item: ask.item,
                    question: None,
                    vain: ask.vain.saturating_add(1),
                });
            }
        }
        if let Some(due) = self.asking.sent.values().map(|request| request.due).min() {
            self.timers.set(Timer::Unanswered, due);
        }
    }

    /// The connection is gone: what was not answered is unsent again, before what never was sent.
    pub(super) fn requests_end(&mut self) {
        let mut requests: Vec<Request> = core::mem::take(&mut self.asking.sent)
            .into_values()
            .collect();
        requests.sort_unstable_by_key(|request| request.order);
        for ask in requests
            .into_iter()
            .rev()
            .flat_map(|request| request.asks.into_iter().rev())
        {
            self.asking.unsent.push_front(Ask { vain: 0, ..ask });
        }
        let ids: Vec<u16> = self
            .window
            .in_use()
            .filter(|(_, slot)| *slot == Slot::Request)
            .map(|(id, _)| id)
            .collect();
        ids.into_iter().for_each(|id| self.window.release(id));
    }

    /// A session begins, goes on or is adopted: everything declared that the broker does not have is asked for, before anything else.
    /// `unsure`: what goes on may be another session than the one that has them.
    pub(super) fn restore_subscriptions(
        &mut self,
        goes_on: bool,
        session_present: bool,
        unsure: bool,
    ) {
        let mut missing = Vec::new();
        for (id, declared) in self.subscriptions.iter_mut() {
            let is_up = matches!(
                declared.state,
                SubscriptionState::Up | SubscriptionState::Downgraded
            );
            if is_up && !goes_on {
                declared.state = SubscriptionState::Down;
                let (filter, state) = (declared.filter.clone(), SubscriptionState::Down);
                self.events.push(Event::Subscription {
                    id,
                    filter,
                    state,
                    reason: None,
                });
            }
            if !is_up || !goes_on || unsure {
                missing.push(id);
            }
        }
        let asks = core::mem::take(&mut self.asking.unsent);
        let is_asked =
            |id: &SubscriptionId| asks.iter().any(|ask| ask.item == Item::Subscribe(*id));
        let restored = missing
            .into_iter()
            .filter(|id| !is_asked(id))
            .map(|id| Ask::new(Item::Subscribe(id), None));
        self.asking.unsent = restored.collect();
        for ask in asks {
            let is_gone = !session_present && matches!(ask.item, Item::Unsubscribe(..));
            if is_gone {
                self.answered(ask, ReasonCode::SUCCESS, None);
            } else {
                self.asking.unsent.push_back(ask);
            }
        }
    }
}
