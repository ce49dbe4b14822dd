//! A host's client: declaring topic filters, taking messages, acknowledging them.

use std::task::{Context, Poll};
use std::time::Duration;

use leveret_protocol::engine::{
    AckToken, Command, Subscribe, SubscribeEntry, Tag, Unsubscribe, Words,
};
use leveret_protocol::error::Error;
use leveret_protocol::options::SubscribeOptions;
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence;
use leveret_protocol::topic::validate_topic_filter;

use super::Client;
use crate::doorbell::Bell;
use crate::inbox::{Arrival, Delivery, Inbox, QueueId};
use crate::ledger::Question;
use crate::routes::{General, Target};
use crate::scope::{self, For, HandlerScope};

/// Subscriptions and messages.
impl Client {
    /// Declares topic filters, whose messages go to `target` from now on. The answer is
    /// [`Reply::Subscribed`](crate::host::Reply::Subscribed); where the broker refused, the target is taken away again.
    ///
    /// # Errors
    /// `InvalidArgument` for a filter that is not valid, `Closed`, `Forked`.
    pub fn subscribe(
        &self,
        filters: &[(&str, SubscribeOptions)],
        target: Target,
    ) -> Result<Tag, Error> {
        let shared = self.shared();
        shared.check_process()?;
        if filters.is_empty() {
            return Err(Error::invalid(
                "filters must have at least 1 topic filter, but there is none",
            ));
        }
        for (filter, options) in filters {
            options.check(filter, shared.dialect)?;
        }
        let tag = shared.outbox.with(|outbox| {
            outbox.check_open()?;
            let tag = outbox.next_tag();
            shared.expect_reply(tag, Question::Hosts);
            Ok::<_, Error>(tag)
        })?;
        let names = filters.iter().map(|(filter, _)| *filter);
        let ids = shared
            .inbox
            .with(|inbox| inbox.routes.declare(tag, names, target))?;
        let entries = ids
            .into_iter()
            .zip(filters)
            .map(|(id, (filter, options))| SubscribeEntry {
                id,
                filter: (*filter).into(),
                options: options.clone(),
            });
        let command = Command::Subscribe(Box::new(Subscribe {
            reply: tag,
            entries: entries.collect(),
        }));
        shared
            .outbox
            .put(|outbox, rings| outbox.push(command, rings))
            .inspect_err(|_| shared.forget(tag))?;
        Ok(tag)
    }

    /// Takes topic filters back, from all their targets. The answer is [`Reply::Unsubscribed`](crate::host::Reply::Unsubscribed).
    ///
    /// # Errors
    /// `InvalidArgument` for a filter that is not valid, `Closed`, `Forked`.
    pub fn unsubscribe(&self, filters: &[&str]) -> Result<Tag, Error> {
        self.unsubscribe_with(filters, Vec::new())
    }

    /// [`Client::unsubscribe`] with user properties for the UNSUBSCRIBE (MQTT 5, 3.10.2.1.2).
    ///
    /// # Errors
    /// As [`Client::unsubscribe`], and `InvalidArgument` for a user property that is not valid.
    pub fn unsubscribe_with(
        &self,
        filters: &[&str],
        user_properties: Vec<(String, String)>,
    ) -> Result<Tag, Error> {
        let options = SubscribeOptions::new().user_properties(user_properties);
        options.check_each(self.shared().dialect)?;
        let user_properties = options.user_properties;
        let shared = self.shared();
        shared.check_process()?;
        if filters.is_empty() {
            return Err(Error::invalid(
                "filters must have at least 1 topic filter, but there is none",
            ));
        }
        for filter in filters {
            validate_topic_filter(filter)
                .map_err(|error| sentence::topic("topic filter", filter, error))?;
        }
        shared.inbox.put(|inbox, rings| {
            filters
                .iter()
                .for_each(|filter| inbox.forget_filter(filter, rings));
        });
        // One that responses come for is subscribed to again by the next request.
        shared.ledger.with(|ledger| {
            filters
                .iter()
                .for_each(|filter| ledger.requests.topics.forget(filter));
        });
        let filters = filters.iter().map(|filter| (*filter).into()).collect();
        shared.ask(|reply| {
            Command::Unsubscribe(Box::new(Unsubscribe {
                reply,
                filters,
                user_properties,
            }))
        })
    }

    /// Takes a target away from all filters, when its handler or iterator is gone. The filters that nobody
    /// else takes are unsubscribed if `unsubscribe`; else they stay declared: their QoS 0 messages are
    /// counted as unhandled, those of QoS 1 and 2 stay with the broker.
    pub fn release(&self, target: Target, unsubscribe: bool) {
        if !self.shared().is_forked() {
            self.abandon(unsubscribe, |inbox| inbox.routes.release(target));
        }
    }

    /// Takes a target away from these filters alone, when the subscribe that brought it there was given up; for the rest as
    /// [`Client::release`].
    pub fn release_from(&self, filters: &[&str], target: Target, unsubscribe: bool) {
        if !self.shared().is_forked() {
            self.abandon(unsubscribe, |inbox| {
                inbox.routes.release_from(filters, target)
            });
        }
    }

    fn abandon(&self, unsubscribe: bool, release: impl FnOnce(&mut Inbox) -> Vec<String>) {
        let shared = self.shared();
        let left_alone = shared.inbox.with(|inbox| {
            let filters = release(inbox);
            if unsubscribe {
                filters
                    .iter()
                    .for_each(|filter| inbox.routes.forget(filter));
            }
            filters
        });
        if unsubscribe && !left_alone.is_empty() {
            let filters = left_alone.into_iter().map(Into::into).collect();
            let command = Unsubscribe {
                reply: 0,
                filters,
                user_properties: Vec::new(),
            };
            let command = Command::Unsubscribe(Box::new(command));
            // A closed client has nothing declared any more.
            let _ = shared
                .outbox
                .put(|outbox, rings| outbox.push(command, rings));
        }
    }

    /// Says who takes messages that are for nobody in particular. What already waits in
    /// [`QueueId::GENERAL`] goes to a new general handler.
    pub fn set_general(&self, general: General) {
        if !self.shared().is_forked() {
            self.shared()
                .inbox
                .put(|inbox, rings| inbox.set_general(general, rings));
        }
    }

    /// A queue of its own for one iterator; to be closed when the iterator goes. It is over when its filters were unsubscribed
    /// and what came before was taken. One of a forked child is never filled.
    pub fn open_queue(&self) -> QueueId {
        if self.shared().is_forked() {
            return QueueId(u32::MAX);
        }
        self.shared().inbox.with(|inbox| inbox.open_iterator())
    }

    /// Closes an iterator's queue. What nobody took from it is done with, as handled or not.
    pub fn close_queue(&self, queue: QueueId, handled: bool) {
        let shared = self.shared();
        if shared.is_forked() {
            return;
        }
        let left = shared
            .inbox
            .put(|inbox, rings| inbox.close_queue(queue, rings));
        for delivery in left {
            match delivery {
                Delivery::Message(arrival) if handled => shared.done(&arrival, true),
                _ => {}
            }
        }
    }

    /// Moves up to `max` deliveries of a queue to `into`; how many. What was taken from it before then
    /// counts as gone, and of [`QueueId::HOOKS`] what is taken now, too. Never waits; 0 in a forked child.
    pub fn take(&self, queue: QueueId, max: usize, into: &mut Vec<Delivery>) -> usize {
        if self.shared().is_forked() {
            return 0;
        }
        self.shared()
            .inbox
            .put(|inbox, rings| inbox.take(queue, max, into, rings))
    }

    /// Whether nothing more comes in the queue of an iterator: it is empty, and its filters were unsubscribed or it is closed.
    pub fn is_queue_over(&self, queue: QueueId) -> bool {
        self.shared().inbox.with(|inbox| inbox.is_over(queue))
    }

    /// [`Client::take`] that blocks until there is one.
    ///
    /// # Errors
    /// `Closed` when the queue is empty and the client is closed, or the filters of the queue were unsubscribed; `TimedOut`, `WouldDeadlock`, `Forked`.
    pub fn wait_take(
        &self,
        queue: QueueId,
        max: usize,
        timeout: Option<Duration>,
        into: &mut Vec<Delivery>,
    ) -> Result<usize, Error> {
        scope::wait(self.shared(), For::Broker, timeout, |context| {
            self.poll_take(queue, max, into, context)
        })
    }

    /// [`Client::wait_take`] for hosts with wakers.
    pub fn poll_take(
        &self,
        queue: QueueId,
        max: usize,
        into: &mut Vec<Delivery>,
        context: &mut Context<'_>,
    ) -> Poll<Result<usize, Error>> {
        self.shared().check_process()?;
        self.shared()
            .inbox
            .put(|inbox, rings| inbox.poll_take(queue, max, into, rings, context))
    }

    /// The host has done with a message: all its handlers have returned, or the iterator's user asked for
    /// the next. Unless `manual_ack` is on it is acknowledged; if it was not `handled`, as a failure (0x80)
    /// on MQTT 5, and counted.
    pub fn done(&self, arrival: &Arrival, handled: bool) {
        self.shared().done(arrival, handled);
    }

    /// Acknowledges a message by hand (`manual_ack`). Does nothing on another connection than its own.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn acknowledge(&self, token: AckToken, reason: ReasonCode) -> Result<(), Error> {
        self.shared().acknowledge(token, reason)
    }

    /// [`Client::acknowledge`] with a reason string and user properties for the acknowledgement (MQTT 5, 3.4.2.2).
    ///
    /// # Errors
    /// As [`Client::acknowledge`], and `InvalidArgument` for text that MQTT cannot carry.
    pub fn acknowledge_with(
        &self,
        token: AckToken,
        reason: ReasonCode,
        words: &Words,
    ) -> Result<(), Error> {
        self.shared().acknowledge_with(token, reason, words)
    }

    /// Rings `bell` from now on when an empty queue or the empty list of reports gets its first element;
    /// at once if something waits already.
    pub fn set_bell(&self, bell: &Bell) {
        if !self.shared().is_forked() {
            self.shared()
                .inbox
                .put(|inbox, rings| inbox.set_bell(bell.clone(), rings));
            self.shared()
                .ledger
                .put(|ledger, rings| ledger.set_bell(bell.clone(), rings));
        }
    }

    /// Tells the library that the calling thread runs handlers of this client until the scope is dropped.
    pub fn handler_scope(&self) -> HandlerScope {
        HandlerScope::enter(self.shared())
    }

    /// [`Client::handler_scope`] for a thread that calls hooks: around each call with what was taken from
    /// [`QueueId::HOOKS`].
    pub fn hook_scope(&self, delivery: &Delivery) -> HandlerScope {
        self.handler_scope().of_hook(delivery)
    }

    /// Whether the calling thread runs a handler of this client.
    pub fn is_in_handler(&self) -> bool {
        scope::is_inside(self.shared())
    }
}
