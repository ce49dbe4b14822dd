//! Requests that wait for their responses, and how a response is known again.
//!
//! Plain data, in the ledger. On MQTT 5 a request carries a response topic and correlation data (4.10), and
//! its response is known by the latter. Where there are no such properties, the application names the topic
//! on which the responder answers, and what comes there answers the request that has waited longest.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `attempt.rs` | the life of one request, the same in every language |
//! | `topics.rs` | the topics on which responses are awaited |
//! | `keeper.rs` | the task that takes responses from their queue |

mod attempt;
mod keeper;
mod topics;

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use leveret_protocol::codec::Version;
use leveret_protocol::engine::{Online, Tag};
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::message::Message;
use leveret_protocol::options::{ClientOptions, Protocol};

use self::topics::Topics;
use crate::handoff::{Rings, Waiters};
use crate::inbox::QueueId;

pub(crate) use attempt::{Request, answer_for_host, ask};

/// The number of a request within its client, in the order in which they were begun.
pub(crate) type Number = u64;

#[derive(Debug)]
pub(crate) struct Requests {
    /// The version spoken last; before the first connection, the only one that may be spoken, if so.
    version: Option<Version>,
    pub(crate) topics: Topics,
    open: BTreeMap<Number, Open>,
    last: Number,
    /// Sets the correlation data of this client apart from those of others that share a response topic.
    token: u64,
    /// Those who cannot say how to ask before there was a connection.
    unconnected: Waiters,
    /// Topics that are entered, and whose SUBSCRIBE is not handed over yet; and those who wait for it.
    subscribing: usize,
    unsubscribed: Waiters,
    /// What hosts wait for, and whom to wake when they give it up.
    for_hosts: BTreeMap<Tag, Option<Waker>>,
    /// Where responses arrive, once there was a request.
    queue: Option<QueueId>,
    ended: bool,
}

/// A request without a response.
#[derive(Debug)]
struct Open {
    topic: String,
    correlation_data: Option<Bytes>,
    /// What has come of it, until it is taken.
    answer: Option<Result<Message, Error>>,
    waiter: Option<Waker>,
}

impl Requests {
    /// `token` is a number that two clients hardly share.
    pub(crate) fn new(options: &ClientOptions, token: u64) -> Requests {
        Requests {
            version: match options.protocol {
                Protocol::Auto => None,
                // The first connection tells below which topic it may be answered.
                Protocol::V5 if options.request_response_information => None,
                Protocol::V5 => Some(Version::V5),
                Protocol::V311 => Some(Version::V311),
            },
            topics: Topics::new(options, token),
            open: BTreeMap::new(),
            last: 0,
            token,
            unconnected: Waiters::default(),
            subscribing: 0,
            unsubscribed: Waiters::default(),
            for_hosts: BTreeMap::new(),
            queue: None,
            ended: false,
        }
    }

    /// A broker has accepted the connection.
    pub(crate) fn connected(&mut self, online: &Online, rings: &mut Rings) {
        self.version = Some(online.version);
        self.topics.prefer(online.properties.response_information());
        self.unconnected.wake_all(rings);
    }

    /// The version of MQTT that requests are made for; waits for the first connection where that decides.
    fn poll_version(&mut self, context: &Context<'_>) -> Poll<Result<Version, Error>> {
        if self.ended {
            return Poll::Ready(Err(ErrorKind::Closed.into()));
        }
        match self.version {
            Some(version) => Poll::Ready(Ok(version)),
            None => {
                self.unconnected.add(context);
                Poll::Pending
            }
        }
    }

    /// A topic has been entered whose SUBSCRIBE this thread is about to hand over.
    pub(crate) fn subscribe_due(&mut self) {
        self.subscribing += 1;
    }

    /// A SUBSCRIBE that was due has been handed over, or could not be.
    pub(crate) fn subscribed(&mut self, rings: &mut Rings) {
        self.subscribing = self.subscribing.saturating_sub(1);
        self.unsubscribed.wake_all(rings);
    }

    /// Ready once no other thread is between entering a topic and handing over its SUBSCRIBE: a request must not overtake that.
    fn poll_subscribed(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.subscribing == 0 {
            return Poll::Ready(());
        }
        self.unsubscribed.add(context);
        Poll::Pending
    }

    /// A number for a request, and correlation data that no other has.
    fn number(&mut self) -> (Number, Bytes) {
        self.last += 1;
        let unique = [self.token.to_be_bytes(), self.last.to_be_bytes()].concat();
        (self.last, unique.into())
    }

    /// Enters a request before it can be answered.
    fn enter(
        &mut self,
        number: Number,
        topic: &str,
        correlation_data: Option<Bytes>,
    ) -> Result<(), Error> {
        let same = |given: &Bytes| self.known_by(topic, given).is_some();
        if correlation_data.as_ref().is_some_and(same) {
            return Err(Error::invalid(
                "correlation data must be of a request's own, but one that is open has the same",
            ));
        }
        let open = Open {
            topic: topic.to_owned(),
            correlation_data,
            answer: None,
            waiter: None,
        };
        self.open.insert(number, open);
        Ok(())
    }

    /// Whether somebody waited for this message: then it is handed over.
    pub(crate) fn respond(&mut self, message: &Message, rings: &mut Rings) -> bool {
        let topic = message.topic();
        let asked = match message.properties.correlation_data() {
            Some(given) => self.known_by(topic, given),
            // A retained message was there before the request.
            None if message.retain || self.topics.is_own(topic) => None,
            None => self.longest_waiting(topic),
        };
        let Some(open) = asked.and_then(|number| self.open.get_mut(&number)) else {
            return false;
        };
        open.answer = Some(Ok(message.clone()));
        open.wake(rings);
        true
    }

    /// The request that waits for this correlation data.
    fn known_by(&self, topic: &str, given: &[u8]) -> Option<Number> {
        let is_it = |open: &Open| {
            open.answer.is_none()
                && open.topic == topic
                && open.correlation_data.as_deref() == Some(given)
        };
        // Our own says which request it is; others have to be looked for.
        let number = given.strip_prefix(&self.token.to_be_bytes());
        let number = number.and_then(|number| number.try_into().ok().map(u64::from_be_bytes));
        if let Some(number) = number {
            return self
                .open
                .get(&number)
                .filter(|open| is_it(open))
                .map(|_| number);
        }
        let mut open = self.open.iter();
        open.find(|(_, open)| is_it(open))
            .map(|(&number, _)| number)
    }

    fn longest_waiting(&self, topic: &str) -> Option<Number> {
        let mut open = self.open.iter();
        open.find(|(_, open)| open.answer.is_none() && open.topic == topic)
            .map(|(&number, _)| number)
    }

    /// The broker lets nobody listen on this topic: whoever waits for a response on it waits in vain.
    fn refuse(&mut self, topic: &str, refusal: &Error, rings: &mut Rings) {
        self.topics.forget(topic);
        for open in self.open.values_mut().filter(|open| open.topic == topic) {
            if open.answer.is_none() {
                open.answer = Some(Err(refusal.clone()));
                open.wake(rings);
            }
        }
    }

    /// What has come of a request; waits for it.
    fn poll_answer(
        &mut self,
        number: Number,
        context: &Context<'_>,
    ) -> Poll<Result<Message, Error>> {
        let Some(open) = self.open.get_mut(&number) else {
            return Poll::Ready(Err(ErrorKind::Closed.into()));
        };
        if let Some(answer) = open.answer.take() {
            return Poll::Ready(answer);
        }
        if self.ended {
            return Poll::Ready(Err(ErrorKind::Closed.into()));
        }
        open.waiter = Some(context.waker().clone());
        Poll::Pending
    }

    /// Nobody waits for this response any more.
    fn leave(&mut self, number: Number) {
        if let Some(open) = self.open.remove(&number) {
            self.topics.leave(&open.topic);
        }
    }

    /// A host begins to wait under a number of its own.
    pub(crate) fn begin_for_host(&mut self, question: Tag) {
        self.for_hosts.insert(question, None);
    }

    /// A host waits no longer, or has been told.
    pub(crate) fn end_for_host(&mut self, question: Tag, rings: &mut Rings) {
        if let Some(Some(waker)) = self.for_hosts.remove(&question) {
            rings.wake(waker);
        }
    }

    /// Ready once the host has given it up.
    fn poll_given_up(&mut self, question: Tag, context: &Context<'_>) -> Poll<()> {
        match self.for_hosts.get_mut(&question) {
            Some(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }

    /// The client is closed: nothing is answered any more.
    pub(crate) fn end(&mut self, rings: &mut Rings) {
        self.ended = true;
        self.unconnected.wake_all(rings);
        for open in self.open.values_mut() {
            open.wake(rings);
        }
    }

    /// How many requests have no response.
    #[cfg(test)]
    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }
}

impl Open {
    fn wake(&mut self, rings: &mut Rings) {
        self.waiter
            .take()
            .into_iter()
            .for_each(|waiter| rings.wake(waiter));
    }
}
