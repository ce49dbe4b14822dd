//! A host's client: asking, and what a response needs to know of its request.

use std::time::Duration;

use bytes::Bytes;
use leveret_protocol::engine::{Payload, Publish, Tag};
use leveret_protocol::error::Error;
use leveret_protocol::message::{Message, QoS};
use leveret_protocol::options::{PublishOptions, Ttl};
use leveret_protocol::sentence::Dialect;

use super::Client;
use crate::requests::{self, Request};

/// How long a request waits for its response unless it says otherwise.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests.
impl Client {
    /// Posts a letter that asks for a response. The answer is [`Reply::Response`](crate::host::Reply::Response);
    /// [forgetting](Client::forget) the question takes the letter back, if it is still here.
    ///
    /// On MQTT 5 the letter gets the response topic of the client and correlation data of its own, unless it
    /// states them; on 3.1.1 it has to state the response topic, which is then not sent. Where `protocol` is
    /// `auto`, and with `request_response_information`, a request waits for the first connection before it is posted. Unless stated, the time to live of
    /// the letter is `timeout`.
    ///
    /// The answer is an error when the outcome of the letter is not `ok` (`NotDelivered` with its reason),
    /// when the broker refuses the subscription of the response topic (`Refused`), when `timeout` passes
    /// (`TimedOut`), when the client is closed (`Closed`).
    ///
    /// # Errors
    /// `InvalidArgument` for a bad argument, a timeout below 1 ms, or correlation data that an open request
    /// has; `NotSupported` without a response topic on 3.1.1; `QueueFull`, `Closed`, `Forked`.
    pub fn request(&self, letter: Publish<'_>, timeout: Option<Duration>) -> Result<Tag, Error> {
        let request = Request {
            topic: letter.topic.to_owned(),
            payload: into_bytes(letter.payload),
            options: letter.options.clone(),
            timeout,
        };
        requests::answer_for_host(self.shared(), request)
    }
}

/// What a response needs to know of its request.
#[derive(Clone, Debug)]
pub struct ResponseTo {
    /// The topic on which the requester listens; `None` on MQTT 3.1.1, and where nobody asked for a response.
    pub topic: Option<String>,
    /// What the requester knows its response by.
    pub correlation_data: Option<Bytes>,
    /// QoS with which the request came.
    pub qos: QoS,
    /// Seconds for which the response is of use, if the request said so.
    pub message_expiry: Option<u32>,
}

impl From<&Message> for ResponseTo {
    fn from(request: &Message) -> ResponseTo {
        let properties = &request.properties;
        ResponseTo {
            topic: properties.response_topic().map(str::to_owned),
            correlation_data: properties.correlation_data().map(Bytes::copy_from_slice),
            qos: request.qos,
            message_expiry: properties.message_expiry_interval(),
        }
    }
}

impl ResponseTo {
    /// How the response is sent unless the host's user says otherwise: with the correlation data and the QoS
    /// of the request, and not longer than the request says that it is waited for.
    pub fn options(&self) -> PublishOptions {
        let lives = self.message_expiry.filter(|seconds| *seconds > 0);
        PublishOptions {
            qos: self.qos,
            correlation_data: self.correlation_data.clone(),
            ttl: lives.map_or(Ttl::Default, |seconds| {
                Ttl::After(Duration::from_secs(seconds.into()))
            }),
            ..PublishOptions::new()
        }
    }

    /// The topic to answer on: `given` by the application, else the one that the request names.
    ///
    /// # Errors
    /// `InvalidArgument` where there is neither.
    pub fn topic<'a>(&'a self, given: Option<&'a str>, dialect: Dialect) -> Result<&'a str, Error> {
        given.or(self.topic.as_deref()).ok_or_else(|| {
            let name = dialect.spell("topic");
            Error::invalid(format!(
                "{name} must be given with a response to a message that names no response topic"
            ))
        })
    }
}

pub(crate) fn into_bytes(payload: Payload<'_>) -> Bytes {
    match payload {
        Payload::Copied(bytes) => Bytes::copy_from_slice(bytes),
        Payload::Shared(bytes) => bytes,
    }
}
