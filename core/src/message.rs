//! A received message in the hands of a Rust program.

use std::ops::Deref;
use std::sync::Arc;

use leveret_protocol::engine::AckToken;
use leveret_protocol::error::Error;
use leveret_protocol::message;
use leveret_protocol::reason::ReasonCode;

use crate::inbox::Arrival;
use crate::shared::Shared;

/// A received message. It is acknowledged when the next one is asked for, or by [`Message::ack`] with
/// `manual_ack`. It reads like the [message](message::Message) it holds: `topic()`, `levels()`, `payload()`,
/// `qos()`, `retain()`, `dup()`, `properties()`.
#[derive(Clone, Debug)]
pub struct Message {
    message: message::Message,
    token: Option<(Arc<Shared>, AckToken)>,
}

impl Message {
    pub(crate) fn new(arrival: &Arrival, shared: &Arc<Shared>) -> Message {
        let token = arrival.token.map(|token| (Arc::clone(shared), token));
        Message {
            message: arrival.message.clone(),
            token,
        }
    }

    /// Acknowledges the message (`manual_ack`); at QoS 0 there is nothing to do. An acknowledgement
    /// belongs to its connection: after a reconnect it does nothing, and the broker delivers again.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// # let broker = leveret::testing::Broker::start_new()?;
    /// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
    /// use futures::StreamExt;
    /// use leveret::{Client, Options, QoS};
    ///
    /// let client = Client::new(broker.url(), Options::new().manual_ack(true))?;
    /// let mut jobs = client.subscribe("jobs", QoS::AtLeastOnce).await?;
    /// client.publish("jobs", "paint").send_unreported()?;
    /// let job = jobs.next().await.expect("the client is open");
    /// // … when the job is done:
    /// job.ack()?;
    /// # Ok::<(), leveret::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `Closed`.
    pub fn ack(&self) -> Result<(), Error> {
        self.answer(ReasonCode::SUCCESS)
    }

    /// Acknowledges the message with a failing reason code, which only MQTT 5 can carry: the broker then
    /// does not deliver it again.
    ///
    /// # Errors
    /// `Closed`.
    pub fn reject(&self, reason: ReasonCode) -> Result<(), Error> {
        self.answer(reason)
    }

    /// The message alone, which can outlive its client.
    pub fn into_inner(self) -> message::Message {
        self.message
    }

    fn answer(&self, reason: ReasonCode) -> Result<(), Error> {
        match &self.token {
            Some((shared, token)) => shared.acknowledge(*token, reason),
            None => Ok(()),
        }
    }
}

impl Deref for Message {
    type Target = message::Message;

    fn deref(&self) -> &message::Message {
        &self.message
    }
}
