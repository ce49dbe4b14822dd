//! The client: publish, subscribe, flush, close, and what is known about it.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use leveret_protocol::engine::{Explanation, Payload, Reply, Tag};
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::message::QoS;
use leveret_protocol::options::{ClientOptions, CloseOptions, Given, SubscribeOptions};
use leveret_protocol::outcome::Status;
use leveret_protocol::sentence::Dialect;

use crate::clock;
use crate::events::{Events, Messages};
use crate::hooks::Builder;
use crate::host::{self, NetworkHooks, Setup, Target};
use crate::ledger::Keep;
use crate::letter::{Letter, PartlyPosted};
use crate::receipt::Receipt;
use crate::request::Request;
use crate::scope::{self, For};
use crate::stats::Stats;
use crate::subscription::Subscription;

/// A client with its post office. Cheap to clone: every clone is the same client.
///
/// It begins to connect when it is made and never gives up; what is posted meanwhile waits. All methods may
/// be called from any thread and any async runtime: the client works on a background runtime of its own.
///
/// When the last clone and the last [`Subscription`] are dropped it closes in the background, without
/// blocking, and receipts that are still held settle. [`Client::close`] waits for that.
///
/// ```
/// # futures::executor::block_on(async {
/// # let broker = leveret::testing::Broker::start_new()?;
/// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
/// use std::time::Duration;
///
/// use leveret::{Client, Options, Status};
///
/// let client = Client::new(broker.url(), Options::new().client_id("door-7"))?;
/// client.wait_for(Status::Online, Duration::from_secs(5)).await?;
/// let outcome = client.publish("doors/front", "open").send()?.await;
/// assert!(outcome.delivered());
/// client.close(Duration::from_secs(5)).await?;
/// assert_eq!(client.status(), Status::Closed);
/// # Ok::<(), leveret::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) host: host::Client,
}

impl Client {
    /// A client of the broker at `url`: `mqtt://[user[:password]@]host[:port]`.
    ///
    /// | scheme | port | way |
    /// | --- | --- | --- |
    /// | `mqtt`, `tcp` | 1883 | TCP |
    /// | `mqtts`, `ssl`, `tls` | 8883 | TLS |
    /// | `ws` | 80 | WebSocket; a path and a query may follow |
    /// | `wss` | 443 | WebSocket over TLS; a path and a query may follow |
    /// | `mqtt+unix` | none | Unix socket: `mqtt+unix:///run/broker.sock` |
    ///
    /// IPv6 addresses stand in brackets. What a URL cannot hold is written as `%` and two hexadecimal digits.
    ///
    /// # Errors
    /// Only for local mistakes: a URL or an option that is not valid, a system without a thread left.
    /// Everything else is tried again for ever and told by [`Client::events`].
    pub fn new(url: impl AsRef<str>, options: ClientOptions) -> Result<Client, Error> {
        Client::with_urls(&[url.as_ref()], options)
    }

    /// A client of the brokers at `urls`, which are tried in turn; each has a session of its own.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_urls(urls: &[&str], options: ClientOptions) -> Result<Client, Error> {
        let client = Client::unstarted(urls, options, NetworkHooks::default())?;
        client.host.start()?;
        Ok(client)
    }

    /// Begins a client that needs more than options: hooks that see packets, an authenticator.
    pub fn builder(url: &str) -> Builder {
        Builder::new(url)
    }

    pub(crate) fn unstarted(
        urls: &[&str],
        options: ClientOptions,
        network: NetworkHooks,
    ) -> Result<Client, Error> {
        let setup = Setup {
            dialect: Dialect::Rust,
            keep: Keep::Held,
            autostart: false,
        };
        Ok(Client {
            host: host::Client::with_network(urls, options, setup, network)?,
        })
    }

    /// Begins a letter: set what is special about it, then [`send`](Letter::send) it.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// # let broker = leveret::testing::Broker::start_new()?;
    /// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
    /// use std::time::Duration;
    ///
    /// use leveret::QoS;
    ///
    /// let letter = client.publish("doors/front", "open").qos(QoS::ExactlyOnce).retain(true);
    /// let outcome = letter.ttl(Duration::from_secs(5)).send()?.await;
    /// println!("{outcome}");
    /// # Ok::<(), leveret::Error>(()) }).unwrap();
    /// ```
    pub fn publish<'a>(&self, topic: &'a str, payload: impl Into<Payload<'a>>) -> Letter<'a> {
        Letter::new(self.clone(), topic, payload.into())
    }

    /// Posts letters in order, faster than one by one; each is what [`Client::publish`] began. The first that
    /// is refused ends it; one that is not valid is refused before any is posted.
    ///
    /// # Errors
    /// As [`Letter::send`], with the receipts of the letters that were accepted: the first ones.
    pub fn publish_many<'a>(
        &self,
        letters: impl IntoIterator<Item = Letter<'a>>,
    ) -> Result<Vec<Receipt>, PartlyPosted> {
        let letters: Vec<_> = letters.into_iter().collect();
        let contents: Vec<_> = letters.iter().map(Letter::content).collect();
        let mut tags = Vec::with_capacity(contents.len());
        let posted = self.host.publish_many(&contents, true, &mut tags);
        let receipt = |tag| Receipt::new(self.host.watcher(), tag);
        let receipts = tags.into_iter().map(receipt).collect();
        match posted {
            Ok(()) => Ok(receipts),
            Err(error) => Err(PartlyPosted { receipts, error }),
        }
    }

    /// Begins a request: a letter that waits for a response. Set what is special about it, then await it.
    ///
    /// Whoever answers may be a [`Client::serve`], or any program that follows MQTT 5 (4.10): it publishes to
    /// the response topic of the request with its correlation data. Responses come in any order, to several
    /// requests at once; late ones are counted as unhandled. The client listens on one topic of its own: the
    /// option `response_topic`, else one below the response information of the broker or below `response/`.
    ///
    /// On MQTT 3.1.1 a message cannot say where its response is to go. There the application names the topic
    /// on which the responder will answer, with [`response_topic`](Request::response_topic), and what comes
    /// there answers the request that has waited longest on that topic: use a topic for each requester, and
    /// one for each request where responses may come late. A client that speaks either version (`protocol` is
    /// `auto`), or asks for response information, posts a request once its first connection has told.
    ///
    /// A request keeps its client open while it is awaited. Go on reading streams meanwhile: with a full inbox
    /// nothing is read, responses neither.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// # let broker = leveret::testing::Broker::start_new()?;
    /// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
    /// # let door = client.clone();
    /// # std::thread::spawn(move || futures::executor::block_on(door.serve("doors/+/state", leveret::QoS::AtLeastOnce, |_| async { "closed" })));
    /// # while client.request("doors/front/state", "").timeout(std::time::Duration::from_millis(200)).await.is_err() {}
    /// use std::time::Duration;
    ///
    /// let response = client.request("doors/front/state", "").timeout(Duration::from_secs(2)).await?;
    /// assert_eq!(response.payload(), b"closed");
    /// # Ok::<(), leveret::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// When awaited: `NotDelivered` with the reason as soon as the letter is known not to arrive, `Refused` where the
    /// broker does not let the client listen, `TimedOut` with what is known of the letter, `Closed`;
    /// `NotSupported` without a response topic on MQTT 3.1.1; `InvalidArgument`, `QueueFull` as [`Letter::send`].
    pub fn request<'a>(&self, topic: &'a str, payload: impl Into<Payload<'a>>) -> Request<'a> {
        Request::new(self.clone(), topic, payload.into())
    }

    /// Declares a topic filter and waits until the broker has granted it. Its messages come out of the
    /// stream that is returned. It is declared once and kept: restored after every reconnect that lost it.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// # let broker = leveret::testing::Broker::start_new()?;
    /// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
    /// use futures::StreamExt;
    /// use leveret::{QoS, SubscribeOptions};
    ///
    /// let mut doors = client.subscribe("doors/+", QoS::AtLeastOnce).await?;
    /// let mut gates = client.subscribe("gates/#", SubscribeOptions::new().no_local(true)).await?;
    /// drop(client.publish("doors/front", "open").send()?);
    /// let message = doors.next().await.expect("the client is open");
    /// assert_eq!(message.levels().collect::<Vec<_>>(), ["doors", "front"]);
    /// # drop(gates);
    /// # Ok::<(), leveret::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `Refused` by the broker, `TimedOut` without its answer while online, `Closed`, `InvalidArgument`.
    pub async fn subscribe(
        &self,
        filter: &str,
        options: impl Into<SubscribeOptions>,
    ) -> Result<Subscription, Error> {
        // Made first: given up half-way, it takes back what was declared.
        let subscription = Subscription::open(self.host.clone(), filter);
        let target = Target::Queue(subscription.queue());
        let question = self.host.subscribe(&[(filter, options.into())], target)?;
        let Reply::Subscribed(answers) = self.answer(question).await? else {
            return Ok(subscription);
        };
        if let Some(refusal) = answers.refusal() {
            return Err(refusal);
        }
        let granted = answers
            .codes
            .first()
            .and_then(|code| QoS::try_from(code.0).ok());
        Ok(subscription.with_granted(granted.unwrap_or_default()))
    }

    /// Takes a topic filter back from all its subscriptions, which end, and waits for the broker's answer.
    ///
    /// # Errors
    /// `TimedOut`, `Closed`, `InvalidArgument`; `Refused` where the broker refuses on MQTT 5. The filter is taken back here all the same, and what
    /// such a broker still sends for it is for nobody.
    pub async fn unsubscribe(&self, filter: &str) -> Result<(), Error> {
        self.unsubscribe_with(filter, Vec::new()).await
    }

    /// [`Client::unsubscribe`] with user properties for the UNSUBSCRIBE (MQTT 5, 3.10.2.1.2).
    ///
    /// # Errors
    /// As [`Client::unsubscribe`].
    pub async fn unsubscribe_with(
        &self,
        filter: &str,
        user_properties: impl Given<Vec<(String, String)>>,
    ) -> Result<(), Error> {
        let properties = user_properties.given();
        let question = self.host.unsubscribe_with(&[filter], properties)?;
        match self.answer(question).await? {
            Reply::Unsubscribed(answers) => answers.refusal().map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    /// Authenticates once more on the connection that is up (MQTT 5, 4.12.1), with the
    /// [authenticator](Builder::authenticator) or, without one, the option `authentication_data`.
    ///
    /// # Errors
    /// `NotConnected`; `NotSupported` without a method and on MQTT 3.1.1; `Refused` by the authenticator; `ConnectionLost`, which is how
    /// a broker refuses; `Closed`.
    pub async fn reauthenticate(&self) -> Result<(), Error> {
        let question = self.host.reauthenticate()?;
        self.answer(question).await.map(drop)
    }

    /// Messages that match no subscription, such as those of an earlier session. Without this stream they
    /// are acknowledged and counted as unhandled.
    pub fn messages(&self) -> Messages {
        Messages::open(self.host.clone())
    }

    /// News: statuses, connections, subscriptions, round trips. The last 1,024 are kept for the first
    /// stream; two streams share what comes.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// # let broker = leveret::testing::Broker::start_new()?;
    /// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
    /// use futures::StreamExt;
    /// use leveret::{ConnectionEvent, News, Status};
    ///
    /// let mut events = client.events();
    /// while let Some(news) = events.next().await {
    ///     match news {
    ///         News::Connection(ConnectionEvent::AttemptFailed { why, .. }) => println!("{why}"),
    ///         News::Status(Status::Online) => break,
    ///         other => println!("{other:?}"),
    ///     }
    /// }
    /// # Ok::<(), leveret::Error>(()) }).unwrap();
    /// ```
    pub fn events(&self) -> Events {
        Events::open(self.host.clone())
    }

    /// Takes a letter back: whether it was still there. If so its outcome is `cancelled`.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// # let broker = leveret::testing::Broker::start_new()?;
    /// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
    /// broker.swallow("PUBLISH", 1)?;
    /// let receipt = client.publish("doors/front", "unlock").send()?;
    /// if let Some(explanation) = client.explain(&receipt).await? {
    ///     println!("{explanation}");
    /// }
    /// assert!(client.cancel(&receipt).await?);
    /// assert_eq!(receipt.await.to_string(), "cancelled");
    /// # Ok::<(), leveret::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `Closed`.
    pub async fn cancel(&self, receipt: &Receipt) -> Result<bool, Error> {
        let question = self.host.cancel(receipt.tag())?;
        Ok(matches!(
            self.answer_here(question).await?,
            Reply::Cancelled(true)
        ))
    }

    /// Where a letter is and why; `None` if it has its outcome.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn explain(&self, receipt: &Receipt) -> Result<Option<Explanation>, Error> {
        let question = self.host.explain(receipt.tag())?;
        match self.answer_here(question).await? {
            Reply::Explained(explanation) => Ok(explanation.map(|explanation| *explanation)),
            _ => Ok(None),
        }
    }

    /// Waits until every letter posted before has its outcome.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// # let broker = leveret::testing::Broker::start_new()?;
    /// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
    /// use std::time::Duration;
    ///
    /// for number in 0..100 {
    ///     client.publish("numbers", number.to_string()).send_unreported()?;
    /// }
    /// client.flush(Duration::from_secs(5)).await?;
    /// assert_eq!(client.stats().queued, 0);
    /// # Ok::<(), leveret::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// `TimedOut`, `Closed`.
    pub async fn flush(&self, timeout: Duration) -> Result<(), Error> {
        let question = self.host.flush()?;
        self.within(timeout, self.answer(question)).await.map(drop)
    }

    /// Waits until there is room for a letter like the last one that was refused with `QueueFull`.
    ///
    /// # Errors
    /// `Closed`.
    pub async fn drain(&self) -> Result<(), Error> {
        poll_fn(|context| self.host.poll_writable(context)).await
    }

    /// Measures a round trip to the broker.
    ///
    /// # Errors
    /// `NotConnected`, `ConnectionLost`, `Closed`.
    pub async fn ping(&self) -> Result<Duration, Error> {
        let question = self.host.ping()?;
        match self.answer(question).await? {
            Reply::RoundTrip(time) => Ok(time),
            _ => Err(ErrorKind::ConnectionLost.into()),
        }
    }

    /// Says DISCONNECT to the broker, so that the will is not published, and dials at once, also while
    /// offline: for a device that has changed its network. Letters in flight go on.
    ///
    /// # Errors
    /// `Closed`.
    pub fn reconnect(&self) -> Result<(), Error> {
        self.host.reconnect()
    }

    /// Takes no more letters, sends what waits for at most `timeout` (`None`: the option `close_timeout`), says
    /// DISCONNECT, settles every receipt, and waits until that is done.
    ///
    /// # Errors
    /// `Forked` in a child process. Closing twice is no error.
    pub async fn close(&self, timeout: impl Into<Option<Duration>>) -> Result<(), Error> {
        match self.host.close(timeout.into(), None)? {
            Some(question) => self.answer(question).await.map(drop),
            None => Ok(()),
        }
    }

    /// [`Client::close`] that says what becomes of the session at the broker: `end_session` forgets it, or
    /// keeps it for a client of the same id. By default it is forgotten if `clean_start` is on.
    ///
    /// # Errors
    /// As [`Client::close`].
    pub async fn close_session(
        &self,
        timeout: impl Into<Option<Duration>>,
        end_session: bool,
    ) -> Result<(), Error> {
        let options = CloseOptions {
            timeout: timeout.into(),
            end_session: Some(end_session),
            ..CloseOptions::new()
        };
        self.close_with(options).await
    }

    /// [`Client::close`] with all that can be said about it: whether the will is published all the same, how long the broker keeps the
    /// session, why.
    ///
    /// # Errors
    /// As [`Client::close`], and `InvalidArgument` for options that do not go together.
    pub async fn close_with(&self, options: CloseOptions) -> Result<(), Error> {
        match self.host.close_with(options)? {
            Some(question) => self.answer(question).await.map(drop),
            None => Ok(()),
        }
    }

    /// Waits until the status is as wanted, or was so at some moment since the call.
    ///
    /// # Errors
    /// `TimedOut`; `Closed` when it cannot come any more; `WouldDeadlock` inside a hook that would wait for itself, as for the connection inside
    /// `before_connect`, or for the end of the client after [`Client::close`].
    pub fn wait_for(
        &self,
        status: Status,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), Error>> {
        let client = self.clone();
        let seen = client.host.status_count(status);
        async move {
            let shared = client.host.watcher();
            let came = poll_fn(|context| {
                let polled = client.host.poll_status(status, seen, context);
                scope::unless_stuck(&shared, For::Status(status), context, polled)
            });
            client.within(timeout, came).await
        }
    }

    /// Whether the client is connected.
    pub fn status(&self) -> Status {
        self.host.status()
    }

    /// A copy of the counters; `queued` is exact the moment a `send` returned.
    pub fn stats(&self) -> Stats {
        self.host.stats()
    }

    async fn answer(&self, question: Tag) -> Result<Reply, Error> {
        let _claim = self.claim(question);
        let shared = self.host.watcher();
        poll_fn(|context| {
            let polled = self.host.poll_reply(question, context);
            scope::unless_stuck(&shared, For::Broker, context, polled)
        })
        .await
    }

    /// The answer to what needs no network.
    async fn answer_here(&self, question: Tag) -> Result<Reply, Error> {
        let _claim = self.claim(question);
        poll_fn(|context| self.host.poll_reply(question, context)).await
    }

    /// Whoever gives the wait up must not leave the answer behind.
    fn claim(&self, question: Tag) -> Claim<'_> {
        Claim {
            host: &self.host,
            question,
        }
    }

    /// Waits for `answer`, on the clock that counts suspended time.
    pub(crate) async fn within<R>(
        &self,
        timeout: Duration,
        answer: impl Future<Output = Result<R, Error>>,
    ) -> Result<R, Error> {
        let deadline = clock::now() + timeout;
        let mut alarm = self.host.alarm();
        let mut answer = std::pin::pin!(answer);
        let mut poll = |context: &mut Context<'_>| {
            if let Poll::Ready(result) = answer.as_mut().poll(context) {
                return Poll::Ready(result);
            }
            ready!(alarm.poll(Some(deadline), context));
            Poll::Ready(Err(ErrorKind::TimedOut.into()))
        };
        poll_fn(|context| poll(context)).await
    }
}

/// The duty to forget an answer that nobody waits for any more.
struct Claim<'a> {
    host: &'a host::Client,
    question: Tag,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.host.forget(self.question);
    }
}
