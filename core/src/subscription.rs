//! A subscription: the stream of the messages of one topic filter.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use leveret_protocol::error::Error;
use leveret_protocol::message::QoS;

use crate::client::Client;
use crate::host::{self, Target};
use crate::inbox::QueueId;
use crate::intake::Intake;
use crate::message::Message;

/// The messages of one topic filter. It ends when the client is closed, or when [`Client::unsubscribe`] takes the filter back,
/// after the messages that came before.
///
/// A message is acknowledged when the next one is asked for or the stream is dropped, so that a crash in
/// between means redelivery; with `manual_ack` it is acknowledged by [`Message::ack`] alone.
///
/// Dropping the stream takes the filter back, unless another subscription has it too or the session is
/// meant to outlive this client (`clean_start` off): then it stays declared, and what comes for it at
/// QoS 1 and 2 stays with the broker.
///
/// ```
/// # futures::executor::block_on(async {
/// # let broker = leveret::testing::Broker::start_new()?;
/// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
/// use futures::StreamExt;
/// use leveret::QoS;
///
/// let mut jobs = client.subscribe("jobs/#", QoS::ExactlyOnce).await?;
/// client.publish("jobs/1", "paint").send_unreported()?;
/// while let Some(job) = jobs.next().await {
///     println!("{:?}", job.payload());
///     break; // acknowledged when the next one is asked for, or the stream is dropped
/// }
/// jobs.unsubscribe().await?;
/// # Ok::<(), leveret::Error>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct Subscription {
    intake: Intake,
    filter: String,
    granted: QoS,
}

impl Subscription {
    pub(crate) fn open(host: host::Client, filter: &str) -> Subscription {
        let queue = host.open_queue();
        Subscription {
            intake: Intake::new(host, queue),
            filter: filter.to_owned(),
            granted: QoS::AtMostOnce,
        }
    }

    /// The topic filter.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// The QoS that the broker granted when it was asked first, which may be lower than the one asked for.
    pub fn granted(&self) -> QoS {
        self.granted
    }

    pub(crate) fn with_granted(mut self, granted: QoS) -> Subscription {
        self.granted = granted;
        self
    }

    /// Takes the filter back, whatever the session is meant for, and waits for the broker's answer.
    ///
    /// # Errors
    /// `TimedOut`, `Closed`.
    pub async fn unsubscribe(self) -> Result<(), Error> {
        let client = Client {
            host: self.intake.host().clone(),
        };
        client.unsubscribe(&self.filter).await
    }

    /// The message given out last could not be handled.
    pub(crate) fn fail(&mut self) {
        self.intake.fail();
    }

    pub(crate) fn queue(&self) -> QueueId {
        self.intake.queue()
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.intake.poll_next(context)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let host = self.intake.host();
        let ends_with_client = host.options().clean_start;
        host.release(Target::Queue(self.intake.queue()), ends_with_client);
        self.intake.finish(ends_with_client);
        let host = self.intake.host();
        host.close_queue(self.intake.queue(), ends_with_client);
    }
}
