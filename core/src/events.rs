//! Two streams beside subscriptions: news of a client, and messages that are for nobody in particular.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::host;
use crate::inbox::{Delivery, News, QueueId};
use crate::intake::Intake;
use crate::message::Message;
use crate::routes::General;

/// News of a client; see [`Client::events`](crate::Client::events). Ends after the client is closed.
#[derive(Debug)]
pub struct Events {
    host: host::Client,
    ahead: VecDeque<News>,
    taken: Vec<Delivery>,
}

impl Events {
    pub(crate) fn open(host: host::Client) -> Events {
        Events {
            host,
            ahead: VecDeque::new(),
            taken: Vec::new(),
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<News>> {
        loop {
            if let Some(news) = self.ahead.pop_front() {
                return Poll::Ready(Some(news));
            }
            let taken = self
                .host
                .poll_take(QueueId::MAIN, usize::MAX, &mut self.taken, context);
            if ready!(taken).is_err() {
                return Poll::Ready(None);
            }
            self.ahead
                .extend(self.taken.drain(..).filter_map(|delivery| match delivery {
                    Delivery::News(news) => Some(news),
                    // Handlers are for other hosts; here every message has a queue of its own.
                    Delivery::Message(_)
                    | Delivery::Packet(_)
                    | Delivery::Prepare(_)
                    | Delivery::Authenticate(_) => None,
                    #[cfg(feature = "tls")]
                    Delivery::Sign(_) => None,
                }));
        }
    }
}

impl Stream for Events {
    type Item = News;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<News>> {
        self.poll(context)
    }
}

/// Messages that match no subscription; see [`Client::messages`](crate::Client::messages). Acknowledged as
/// those of a [`Subscription`](crate::Subscription).
#[derive(Debug)]
pub struct Messages {
    intake: Intake,
}

impl Messages {
    pub(crate) fn open(host: host::Client) -> Messages {
        host.set_general(General::Iterator);
        Messages {
            intake: Intake::new(host, QueueId::GENERAL),
        }
    }
}

impl Stream for Messages {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.intake.poll_next(context)
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.intake.host().set_general(General::Nobody);
        self.intake.finish(true);
    }
}
