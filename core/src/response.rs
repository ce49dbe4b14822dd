//! A response that is being written: a letter to whoever asked.

use std::fmt::Display;
use std::sync::Arc;

use bytes::Bytes;
use leveret_protocol::engine::{Payload, Publish};
use leveret_protocol::error::Error;
use leveret_protocol::options::PublishOptions;
use leveret_protocol::options::setter_types::*;

use crate::host::ResponseTo;
use crate::message::Message;
use crate::posting::{self, Posting};
use crate::receipt::Receipt;
use crate::shared::Shared;

/// A response that is being written; see [`Message::respond`].
#[must_use = "a response is posted by `send`"]
pub struct Response<'a> {
    shared: &'a Arc<Shared>,
    request: ResponseTo,
    topic: Option<&'a str>,
    payload: Payload<'a>,
    options: PublishOptions,
}

impl<'a> Response<'a> {
    pub(crate) fn new(
        request: &Message,
        shared: &'a Arc<Shared>,
        payload: Payload<'a>,
    ) -> Response<'a> {
        let request = ResponseTo::from(&**request);
        Response {
            shared,
            options: request.options(),
            request,
            topic: None,
            payload,
        }
    }

    /// Answers on this topic instead of the one that the request names; on MQTT 3.1.1 no request does.
    pub fn topic(mut self, topic: &'a str) -> Response<'a> {
        self.topic = Some(topic);
        self
    }

    leveret_protocol::publish_setters!();

    /// Posts the response, as [`Letter::send`](crate::Letter::send) does.
    ///
    /// # Errors
    /// As [`Letter::send`](crate::Letter::send); `InvalidArgument` where neither the request nor
    /// [`Response::topic`] names a topic.
    pub fn send(self) -> Result<Receipt, Error> {
        let letter = self.content()?;
        let letter = letter.seal(&self.shared.options, self.shared.dialect)?;
        let tag = posting::post_now(self.shared, letter, true)?;
        Ok(Receipt::new(Arc::clone(self.shared), tag))
    }

    /// Posts the response, waiting for room if the post office is full, as
    /// [`Letter::send_wait`](crate::Letter::send_wait) does.
    ///
    /// # Errors
    /// As [`Response::send`]; `QueueFull` only while offline.
    pub async fn send_wait(self) -> Result<Receipt, Error> {
        self.shared.check_process()?;
        let letter = self.content()?;
        let letter = letter.seal(&self.shared.options, self.shared.dialect)?;
        let mut posting = Posting::new(self.shared, &letter, true);
        let tag = std::future::poll_fn(|context| posting.poll(context)).await?;
        Ok(Receipt::new(Arc::clone(self.shared), tag))
    }

    /// Whether there is nothing to say and nobody to say it to.
    pub(crate) fn is_needless(&self) -> bool {
        self.payload.as_ref().is_empty() && self.request.topic.is_none() && self.topic.is_none()
    }

    fn content(&self) -> Result<Publish<'_>, Error> {
        Ok(Publish {
            topic: self.request.topic(self.topic, self.shared.dialect)?,
            payload: self.payload.clone(),
            options: &self.options,
        })
    }

    fn options_mut(&mut self) -> &mut PublishOptions {
        &mut self.options
    }
}

/// Shows the length of the payload and nothing of it.
impl std::fmt::Debug for Response<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Response")
            .field("request", &self.request)
            .field("topic", &self.topic)
            .field("payload_length", &self.payload.as_ref().len())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What a handler of [`Client::serve`](crate::Client::serve) may answer: bytes or text; `()` for nothing but
/// that it is done; a `Result`, whose error is no response.
pub trait IntoResponse {
    /// The payload of the response, or why there is none.
    ///
    /// # Errors
    /// What the handler failed with, in words.
    fn into_response(self) -> Result<Payload<'static>, String>;
}

macro_rules! payloads {
    ($($Type:ty),+) => {
        $(impl IntoResponse for $Type {
            fn into_response(self) -> Result<Payload<'static>, String> {
                Ok(self.into())
            }
        })+
    };
}

payloads!(&'static str, &'static [u8], String, Vec<u8>, Bytes);

impl IntoResponse for () {
    fn into_response(self) -> Result<Payload<'static>, String> {
        Ok(Bytes::new().into())
    }
}

impl<R: IntoResponse, E: Display> IntoResponse for Result<R, E> {
    fn into_response(self) -> Result<Payload<'static>, String> {
        self.map_err(|error| error.to_string())?.into_response()
    }
}
