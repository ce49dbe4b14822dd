//! Takes messages from one queue for a stream, and acknowledges each when the next is asked for.

use std::task::{Context, Poll, ready};

use crate::host;
use crate::inbox::{Arrival, Delivery, QueueId};
use crate::message::Message;

#[derive(Debug)]
pub(crate) struct Intake {
    host: host::Client,
    queue: QueueId,
    /// Taken and not yet given to the user, last one first.
    ahead: Vec<Delivery>,
    /// Given to the user last.
    current: Option<Arrival>,
}

/// How many messages are taken under one lock. Few: they count as in the inbox until the next are taken.
const AT_ONCE: usize = 32;

impl Intake {
    pub(crate) fn new(host: host::Client, queue: QueueId) -> Intake {
        Intake {
            host,
            queue,
            ahead: Vec::new(),
            current: None,
        }
    }

    pub(crate) fn host(&self) -> &host::Client {
        &self.host
    }

    pub(crate) fn queue(&self) -> QueueId {
        self.queue
    }

    /// The next message; `None` when there will be no more.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        if let Some(arrival) = self.current.take() {
            self.host.done(&arrival, true);
        }
        loop {
            match self.ahead.pop() {
                Some(Delivery::Message(arrival)) => {
                    let message = Message::new(&arrival, &self.host.watcher());
                    self.current = Some(arrival);
                    return Poll::Ready(Some(message));
                }
                // News lies in the main queue alone.
                Some(_) => {}
                None => {
                    let taken = self
                        .host
                        .poll_take(self.queue, AT_ONCE, &mut self.ahead, context);
                    if ready!(taken).is_err() {
                        return Poll::Ready(None);
                    }
                    self.ahead.reverse();
                }
            }
        }
    }

    /// The message in the user's hands could not be handled.
    pub(crate) fn fail(&mut self) {
        if let Some(arrival) = self.current.take() {
            self.host.done(&arrival, false);
        }
    }

    /// The stream is dropped: the message in the user's hands is done with, and those before it in line
    /// too if they are given up for good.
    pub(crate) fn finish(&mut self, give_up: bool) {
        if let Some(arrival) = self.current.take() {
            self.host.done(&arrival, true);
        }
        while let Some(delivery) = self.ahead.pop() {
            if let (Delivery::Message(arrival), true) = (&delivery, give_up) {
                self.host.done(arrival, true);
            }
        }
    }
}
