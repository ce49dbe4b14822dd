//! A letter that is being written: topic, payload, and what is special about it.

use leveret_protocol::engine::{Payload, Publish};
use leveret_protocol::error::Error;
use leveret_protocol::options::PublishOptions;
use leveret_protocol::options::setter_types::*;

use crate::client::Client;
use crate::receipt::Receipt;

/// A letter that is being written; see [`Client::publish`].
#[must_use = "a letter is posted by `send`"]
pub struct Letter<'a> {
    client: Client,
    topic: &'a str,
    payload: Payload<'a>,
    options: PublishOptions,
}

impl<'a> Letter<'a> {
    pub(crate) fn new(client: Client, topic: &'a str, payload: Payload<'a>) -> Letter<'a> {
        Letter {
            client,
            topic,
            payload,
            options: PublishOptions::new(),
        }
    }

    /// Takes all options at once.
    pub fn options(mut self, options: PublishOptions) -> Letter<'a> {
        self.options = options;
        self
    }

    leveret_protocol::publish_setters!();

    /// Posts the letter: at once, online or offline, without waiting for the network. Its time to live
    /// counts from here. The receipt says what became of it; dropping it costs nothing and loses nothing.
    ///
    /// # Errors
    /// `InvalidArgument` for what no broker could take. `QueueFull` while online and full: wait with
    /// [`Letter::send_wait`] or [`Client::drain`]; while offline only where the overflow rule drops nothing
    /// for it. `Closed`.
    pub fn send(self) -> Result<Receipt, Error> {
        let tag = self.client.host.publish(self.content(), true)?;
        Ok(Receipt::new(self.client.host.watcher(), tag))
    }

    /// Posts the letter, waiting for room if the post office is full: at most until its time to live is
    /// over, which then is its outcome.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// # let broker = leveret::testing::Broker::start_new()?;
    /// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
    /// for number in 0..1_000 {
    ///     drop(client.publish("numbers", number.to_string()).send_wait().await?);
    /// }
    /// # Ok::<(), leveret::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Letter::send`]; `QueueFull` only while offline.
    pub async fn send_wait(self) -> Result<Receipt, Error> {
        let tag = self
            .client
            .host
            .publish_when_room(self.content(), true)
            .await?;
        Ok(Receipt::new(self.client.host.watcher(), tag))
    }

    /// Posts the letter without a receipt: nobody is told what became of it. For a flood of letters.
    ///
    /// # Errors
    /// As [`Letter::send`].
    pub fn send_unreported(self) -> Result<(), Error> {
        self.client.host.publish(self.content(), false).map(drop)
    }

    pub(crate) fn content(&self) -> Publish<'_> {
        Publish {
            topic: self.topic,
            payload: self.payload.clone(),
            options: &self.options,
        }
    }

    fn options_mut(&mut self) -> &mut PublishOptions {
        &mut self.options
    }
}

/// Why [`Client::publish_many`] ended before its last letter.
#[derive(Debug)]
pub struct PartlyPosted {
    /// The receipts of the letters before the one that was refused; these are posted.
    pub receipts: Vec<Receipt>,
    /// Why that one was refused.
    pub error: Error,
}

impl std::fmt::Display for PartlyPosted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} (after {} letters)",
            self.error,
            self.receipts.len()
        )
    }
}

impl std::error::Error for PartlyPosted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl From<PartlyPosted> for Error {
    fn from(partly: PartlyPosted) -> Error {
        partly.error
    }
}

/// Shows the length of the payload and nothing of it.
impl std::fmt::Debug for Letter<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Letter")
            .field("topic", &self.topic)
            .field("payload_length", &self.payload.as_ref().len())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
