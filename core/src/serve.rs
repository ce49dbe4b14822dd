//! Serving: a handler whose answers are the responses to the messages of a topic filter.

use std::future::Future;

use futures_core::Stream;
use leveret_protocol::error::Error;
use leveret_protocol::options::SubscribeOptions;

use crate::client::Client;
use crate::message::Message;
use crate::response::IntoResponse;

impl Client {
    /// Answers the requests that come for a topic filter, one after another, until the client is closed or the filter unsubscribed: what
    /// `handler` returns is the payload of the response, with the correlation data and the QoS of the request.
    /// The request is acknowledged after its response was posted.
    ///
    /// A handler that returns an error gives no response: it is logged, and the request is answered with the
    /// reason code 0x80 on MQTT 5. So it is with a message that names no response topic, unless there is
    /// nothing to say to it. On MQTT 3.1.1 no message does: [`Client::serve_on`] takes a topic of your own convention.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// # let broker = leveret::testing::Broker::start_new()?;
    /// use futures::FutureExt;
    /// use leveret::{Client, Options, QoS};
    ///
    /// let door = Client::new(broker.url(), Options::new())?;
    /// let serving = door.serve("doors/front/+", QoS::AtLeastOnce, |request| async move {
    ///     match request.levels().last() {
    ///         Some("state") => Ok("closed"),
    ///         _ => Err("a door has a state and nothing else"),
    ///     }
    /// });
    /// let app = Client::new(broker.url(), Options::new())?;
    /// let asking = async {
    ///     # while app.request("doors/front/state", "").timeout(std::time::Duration::from_millis(200)).await.is_err() {}
    ///     let response = app.request("doors/front/state", "").await?;
    ///     assert_eq!(response.payload(), b"closed");
    ///     Ok::<(), leveret::Error>(())
    /// };
    /// futures::select! {
    ///     ended = serving.fuse() => ended?,
    ///     asked = asking.fuse() => asked?,
    /// }
    /// # Ok::<(), leveret::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Client::subscribe`]. Closing the client is no error: it ends the serving.
    pub async fn serve<H, F>(
        &self,
        filter: &str,
        options: impl Into<SubscribeOptions>,
        handler: H,
    ) -> Result<(), Error>
    where
        H: FnMut(Message) -> F,
        F: Future<Output: IntoResponse>,
    {
        self.serve_on(filter, options, |_| None, handler).await
    }

    /// [`Client::serve`] that answers a request on the topic that `response_topic` gives for it; on the one that the request names where
    /// it gives none. On MQTT 3.1.1, where no request names one, requester and responder agree on it beforehand.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// # let broker = leveret::testing::Broker::start_new()?;
    /// use futures::FutureExt;
    /// use leveret::{Client, Message, Options, Protocol, QoS};
    ///
    /// let options = Options::new().protocol(Protocol::V311);
    /// let door = Client::new(broker.url(), options.clone())?;
    /// let topic = |request: &Message| Some(format!("{}/answer", request.topic()));
    /// let serving = door.serve_on("doors/front", QoS::AtLeastOnce, topic, |_| async { "closed" });
    /// let app = Client::new(broker.url(), options)?;
    /// let asking = async {
    ///     # let second = std::time::Duration::from_millis(200);
    ///     # while app.request("doors/front", "").response_topic("doors/front/answer").timeout(second).await.is_err() {}
    ///     let request = app.request("doors/front", "").response_topic("doors/front/answer");
    ///     assert_eq!(request.await?.payload(), b"closed");
    ///     Ok::<(), leveret::Error>(())
    /// };
    /// futures::select! {
    ///     ended = serving.fuse() => ended?,
    ///     asked = asking.fuse() => asked?,
    /// }
    /// # Ok::<(), leveret::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Client::serve`].
    pub async fn serve_on<T, H, F>(
        &self,
        filter: &str,
        options: impl Into<SubscribeOptions>,
        mut response_topic: T,
        mut handler: H,
    ) -> Result<(), Error>
    where
        T: FnMut(&Message) -> Option<String>,
        H: FnMut(Message) -> F,
        F: Future<Output: IntoResponse>,
    {
        let mut requests = self.subscribe(filter, options).await?;
        loop {
            let next = std::future::poll_fn(|context| {
                std::pin::Pin::new(&mut requests).poll_next(context)
            });
            let Some(request) = next.await else {
                return Ok(());
            };
            let topic = response_topic(&request);
            let answered = answer(&request, topic.as_deref(), handler(request.clone()));
            if let Err(why) = answered.await {
                tracing::error!(target: "leveret::handlers", topic = request.topic(), "a request was not answered: {why}");
                requests.fail();
            }
        }
    }
}

async fn answer(
    request: &Message,
    topic: Option<&str>,
    answer: impl Future<Output: IntoResponse>,
) -> Result<(), String> {
    let payload = answer.await.into_response()?;
    let response = request.respond(payload);
    let response = match topic {
        Some(topic) => response.topic(topic),
        None => response,
    };
    if response.is_needless() {
        return Ok(());
    }
    let posted = response.send_wait().await;
    posted.map(drop).map_err(|error| error.to_string())
}
