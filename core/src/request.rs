//! A request that is being written: a letter that waits for a response.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use leveret_protocol::engine::Payload;
use leveret_protocol::error::Error;
use leveret_protocol::options::PublishOptions;
use leveret_protocol::options::setter_types::*;

use crate::client::Client;
use crate::host::{REQUEST_TIMEOUT, into_bytes};
use crate::message::Message;
use crate::requests;

/// A request that is being written; see [`Client::request`]. Awaiting it posts the letter and waits for the
/// response; dropping the future takes the letter back, if it has not left.
#[must_use = "a request is posted by awaiting it"]
pub struct Request<'a> {
    client: Client,
    topic: &'a str,
    payload: Payload<'a>,
    options: PublishOptions,
    timeout: Option<Duration>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(client: Client, topic: &'a str, payload: Payload<'a>) -> Request<'a> {
        Request {
            client,
            topic,
            payload,
            options: PublishOptions::new(),
            timeout: Some(REQUEST_TIMEOUT),
        }
    }

    /// How long to wait for the response: 10 s unless given, at least 1 ms; `None` as long as it takes. It is
    /// the letter's time to live too, unless that is given, so that nothing is carried out after it.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Request<'a> {
        self.timeout = timeout.into();
        self
    }

    /// Takes all options of the letter at once.
    pub fn options(mut self, options: PublishOptions) -> Request<'a> {
        self.options = options;
        self
    }

    leveret_protocol::publish_setters!();

    fn options_mut(&mut self) -> &mut PublishOptions {
        &mut self.options
    }
}

impl IntoFuture for Request<'_> {
    type Output = Result<Message, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let request = requests::Request {
            topic: self.topic.to_owned(),
            payload: into_bytes(self.payload),
            options: self.options,
            timeout: self.timeout,
        };
        let client = self.client;
        Box::pin(async move {
            let shared = client.host.watcher();
            let response = requests::ask(shared, request).await?;
            Ok(Message::answered(response, client.host.watcher()))
        })
    }
}

/// Shows the length of the payload and nothing of it.
impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Request")
            .field("topic", &self.topic)
            .field("payload_length", &self.payload.as_ref().len())
            .field("options", &self.options)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
