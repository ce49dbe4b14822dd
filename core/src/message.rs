//! A received message in the hands of a Rust program.

use std::ops::Deref;
use std::sync::Arc;

use leveret_protocol::engine::{AckToken, Payload, Words};
use leveret_protocol::error::Error;
use leveret_protocol::message;
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence;

use crate::inbox::Arrival;
use crate::response::Response;
use crate::shared::Shared;

/// A received message. It is acknowledged when the next one is asked for, or by [`Message::ack`] with
/// `manual_ack`. It reads like the [message](message::Message) it holds: `topic()`, `levels()`, `payload()`,
/// `qos()`, `retain()`, `dup()`, `properties()`.
#[derive(Clone, Debug)]
pub struct Message {
    message: message::Message,
    shared: Arc<Shared>,
    token: Option<AckToken>,
}

impl Message {
    pub(crate) fn new(arrival: &Arrival, shared: &Arc<Shared>) -> Message {
        Message {
            message: arrival.message.clone(),
            shared: Arc::clone(shared),
            token: arrival.token,
        }
    }

    /// A response, which is acknowledged already.
    pub(crate) fn answered(message: message::Message, shared: Arc<Shared>) -> Message {
        Message {
            message,
            shared,
            token: None,
        }
    }

    /// Begins the response to this message, which goes to the response topic that it names, with its
    /// correlation data and its QoS; set what is special about it, then [`send`](Response::send) it.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// # let broker = leveret::testing::Broker::start_new()?;
    /// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
    /// use futures::StreamExt;
    /// use leveret::QoS;
    ///
    /// let mut requests = client.subscribe("doors/+/state", QoS::AtLeastOnce).await?;
    /// let asking = client.request("doors/front/state", "").into_future();
    /// let answering = async {
    ///     let request = requests.next().await.expect("the client is open");
    ///     request.respond("closed").send()
    /// };
    /// let (response, receipt) = futures::join!(asking, answering);
    /// assert_eq!(response?.payload(), b"closed");
    /// assert!(receipt?.await.ok());
    /// # Ok::<(), leveret::Error>(()) }).unwrap();
    /// ```
    pub fn respond<'a>(&'a self, payload: impl Into<Payload<'a>>) -> Response<'a> {
        Response::new(self, &self.shared, payload.into())
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

    /// [`Message::ack`] with a reason code, and with a reason string and user properties for the PUBACK or PUBREC (MQTT 5, 3.4.2.2); on MQTT 3.1.1 it
    /// is the same as `ack`.
    ///
    /// # Errors
    /// `Closed`; `InvalidArgument` for text that MQTT cannot carry, and for a reason code that no acknowledgement may (MQTT 5, 3.4.2.1: 0x00,
    /// 0x80, 0x83, 0x87, 0x90, 0x91, 0x97 and 0x99).
    pub fn ack_with(&self, reason: ReasonCode, words: &Words) -> Result<(), Error> {
        sentence::acknowledgement(reason)?;
        match &self.token {
            Some(token) => self.shared.acknowledge_with(*token, reason, words),
            None => Ok(()),
        }
    }

    /// Acknowledges the message with a failing reason code, which only MQTT 5 can carry: the broker then
    /// does not deliver it again.
    ///
    /// # Errors
    /// As [`Message::ack_with`].
    pub fn reject(&self, reason: ReasonCode) -> Result<(), Error> {
        self.answer(reason)
    }

    /// The message alone, which can outlive its client.
    pub fn into_inner(self) -> message::Message {
        self.message
    }

    fn answer(&self, reason: ReasonCode) -> Result<(), Error> {
        sentence::acknowledgement(reason)?;
        match self.token {
            Some(token) => self.shared.acknowledge(token, reason),
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
