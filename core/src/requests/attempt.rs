//! The life of one request: its letter, its outcome, its response or the end of its time.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use leveret_protocol::codec::Version;
use leveret_protocol::engine::{
    Command, Publish, Reply, Subscribe, SubscribeEntry, Tag, Unsubscribe,
};
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::message::{Message, QoS};
use leveret_protocol::options::{PublishOptions, SubscribeOptions, Ttl};
use leveret_protocol::outcome::{Outcome, OutcomeStatus};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence;
use leveret_protocol::time::Instant;

use super::{Number, keeper};
use crate::clock::{self, Alarm};
use crate::ledger::Question;
use crate::posting::{Posting, Report};
use crate::routes::Target;
use crate::shared::Shared;

/// What is asked, and for how long.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) options: PublishOptions,
    /// `None`: as long as it takes.
    pub(crate) timeout: Option<Duration>,
}

/// A request that was begun.
type Asked = Pin<Box<dyn Future<Output = Result<Message, Error>> + Send>>;

/// How much longer than the request the outcome of its letter may take, which says what to tell.
const LAST_WORD: Duration = Duration::from_secs(1);

/// The longest time to live that a letter can have.
const LONGEST_TTL: Duration = Duration::from_secs(u32::MAX as u64);

/// Asks, and waits for the response. Whoever gives the future up has the letter taken back, if it can be.
pub(crate) async fn ask(shared: Arc<Shared>, request: Request) -> Result<Message, Error> {
    shared.check_process()?;
    request.check(&shared)?;
    let mut attempt = Attempt::new(Arc::clone(&shared), request.timeout);
    let version = attempt.version().await?;
    let Request {
        topic,
        payload,
        options,
        ..
    } = request;
    let options = attempt.open(version, options)?;
    let subscribed = |context: &mut Context<'_>| {
        let ledger = &shared.ledger;
        ledger.with(|ledger| ledger.requests.poll_subscribed(context))
    };
    poll_fn(subscribed).await;
    let letter = Publish {
        topic: &topic,
        payload: payload.into(),
        options: &options,
    };
    let letter = letter.seal(&shared.options, shared.dialect)?;
    attempt
        .post(Posting::new(&shared, &letter, Report::Request))
        .await?;
    poll_fn(|context| attempt.poll(&topic, context)).await
}

/// [`ask`] on behalf of a host, which gets the answer to its question from the ledger. Begins in the
/// caller's thread, so that mistakes are told at once and letters go out in the order of the calls.
pub(crate) fn answer_for_host(shared: &Arc<Shared>, request: Request) -> Result<Tag, Error> {
    shared.check_process()?;
    let mut asked: Asked = Box::pin(ask(Arc::clone(shared), request));
    let begun = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    if let Poll::Ready(Err(error)) = begun {
        return Err(error);
    }
    let question = shared.outbox.with(|outbox| outbox.next_tag());
    shared.expect_reply(question, Question::Hosts);
    shared
        .ledger
        .with(|ledger| ledger.requests.begin_for_host(question));
    match begun {
        Poll::Ready(answer) => tell_host(shared, question, answer),
        Poll::Pending => shared
            .machine
            .spawn(go_on(Arc::clone(shared), question, asked)),
    }
    Ok(question)
}

/// The rest of a request that a host may give up.
async fn go_on(shared: Arc<Shared>, question: Tag, mut asked: Asked) {
    let answer = poll_fn(|context| {
        let given_up = shared
            .ledger
            .with(|ledger| ledger.requests.poll_given_up(question, context));
        if given_up.is_ready() {
            return Poll::Ready(None);
        }
        asked.as_mut().poll(context).map(Some)
    });
    if let Some(answer) = answer.await {
        tell_host(&shared, question, answer);
    }
}

fn tell_host(shared: &Shared, question: Tag, answer: Result<Message, Error>) {
    let result = answer.map(|response| Reply::Response(Box::new(response)));
    shared.ledger.put(|ledger, rings| {
        ledger.requests.end_for_host(question, rings);
        ledger.answer(question, result, rings);
    });
}

impl Request {
    /// What can be wrong with it at any broker, before anything is waited for.
    fn check(&self, shared: &Shared) -> Result<(), Error> {
        if self
            .timeout
            .is_some_and(|timeout| timeout < Duration::from_millis(1))
        {
            return Err(sentence::must_be("timeout", "at least 1ms", "less"));
        }
        let letter = Publish {
            topic: &self.topic,
            payload: self.payload.clone().into(),
            options: &self.options,
        };
        letter.seal(&shared.options, shared.dialect).map(drop)
    }
}

/// A request under way. Dropping it takes back what it left in the post office and in the ledger.
#[derive(Debug)]
struct Attempt {
    shared: Arc<Shared>,
    deadline: Option<Instant>,
    alarm: Alarm,
    number: Option<Number>,
    letter: Option<Tag>,
    /// The letter lives no longer than the request because nobody said otherwise.
    ttl_is_timeout: bool,
    known: Known,
}

/// What is known of the letter, for those whose time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    NotSent,
    Sent,
    Delivered,
    NobodySubscribes,
}

impl Attempt {
    fn new(shared: Arc<Shared>, timeout: Option<Duration>) -> Attempt {
        let alarm = shared.machine.clock().alarm();
        Attempt {
            shared,
            deadline: timeout.map(|timeout| clock::now() + timeout),
            alarm,
            number: None,
            letter: None,
            ttl_is_timeout: false,
            known: Known::NotSent,
        }
    }

    /// The version of MQTT that decides how to ask: known from the options, or from the first connection on.
    async fn version(&mut self) -> Result<Version, Error> {
        poll_fn(|context| {
            self.shared.check_process()?;
            let known = self
                .shared
                .ledger
                .with(|ledger| ledger.requests.poll_version(context));
            if let Poll::Ready(version) = known {
                return Poll::Ready(version);
            }
            ready!(self.alarm.poll(self.deadline, context));
            Poll::Ready(Err(timed_out("", Known::NotSent)))
        })
        .await
    }

    /// Listens for the response, and says how the letter has to be.
    fn open(&mut self, version: Version, given: PublishOptions) -> Result<PublishOptions, Error> {
        let mut options = given;
        let named = options.response_topic.take();
        if named.is_none() && version == Version::V311 {
            return Err(no_response_topic(&self.shared));
        }
        let shared = &self.shared;
        let number = shared.ledger.with(|ledger| {
            let requests = &mut ledger.requests;
            let (number, unique) = requests.number();
            let topic = named.unwrap_or_else(|| requests.topics.own().to_owned());
            if version == Version::V5 {
                options.correlation_data.get_or_insert(unique);
                options.response_topic = Some(topic.clone());
            }
            requests.enter(number, &topic, options.correlation_data.clone())?;
            let changes = requests.topics.enter(&topic, options.qos);
            if changes.subscribe {
                requests.subscribe_due();
            }
            Ok::<_, Error>((number, topic, changes))
        });
        let (number, topic, changes) = number?;
        self.number = Some(number);
        if changes.subscribe {
            let listening = listen(shared, &topic, options.qos, version);
            shared
                .ledger
                .put(|ledger, rings| ledger.requests.subscribed(rings));
            listening?;
        }
        if let Some(idle) = changes.unsubscribe {
            stop_listening(shared, &idle);
        }
        if options.ttl == Ttl::Default
            && let Some(left) = self.left().filter(|left| *left <= LONGEST_TTL)
        {
            options.ttl = Ttl::After(left.max(Duration::from_millis(1)));
            self.ttl_is_timeout = true;
        }
        Ok(options)
    }

    /// Posts the letter, waiting for room while there is time.
    async fn post(&mut self, mut posting: Posting<'_>) -> Result<(), Error> {
        let tag = poll_fn(|context| {
            self.shared.check_process()?;
            if let Poll::Ready(posted) = posting.poll(context) {
                return Poll::Ready(posted);
            }
            ready!(self.alarm.poll(self.deadline, context));
            Poll::Ready(Err(timed_out("", Known::NotSent)))
        })
        .await?;
        self.letter = Some(tag);
        self.known = Known::Nothing;
        Ok(())
    }

    /// Ready with the response, with the failure of the letter, or when the time is over.
    fn poll(&mut self, topic: &str, context: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        self.shared.check_process()?;
        let number = self.number.unwrap_or_default();
        let answer = self
            .shared
            .ledger
            .with(|ledger| ledger.requests.poll_answer(number, context));
        if let Poll::Ready(answer) = answer {
            if answer.is_ok() {
                // The letter has arrived, whatever is still said of it.
                self.forget_letter();
            }
            return Poll::Ready(answer);
        }
        if let Some(tag) = self.letter
            && let Poll::Ready(outcome) = self
                .shared
                .ledger
                .with(|ledger| ledger.poll_outcome(tag, context))
        {
            self.letter = None;
            if let Some(failure) = self.settled(outcome?, topic) {
                return Poll::Ready(Err(failure));
            }
        }
        // The letter of a request whose time is over has its outcome in a moment.
        let patience = if self.letter.is_some() && self.ttl_is_timeout {
            LAST_WORD
        } else {
            Duration::ZERO
        };
        let deadline = self.deadline.map(|deadline| deadline + patience);
        ready!(self.alarm.poll(deadline, context));
        Poll::Ready(Err(timed_out(topic, self.known)))
    }

    /// Keeps what is known of the letter, or says why there can be no response.
    fn settled(&mut self, outcome: Outcome, topic: &str) -> Option<Error> {
        self.known = match outcome.status {
            OutcomeStatus::Sent => Known::Sent,
            OutcomeStatus::Acknowledged
                if outcome.reason == Some(ReasonCode::NO_MATCHING_SUBSCRIBERS) =>
            {
                Known::NobodySubscribes
            }
            OutcomeStatus::Acknowledged => Known::Delivered,
            OutcomeStatus::Closed => return Some(ErrorKind::Closed.into()),
            OutcomeStatus::Expired if self.ttl_is_timeout => {
                let known = if outcome.maybe_delivered {
                    Known::Sent
                } else {
                    Known::NotSent
                };
                return Some(timed_out(topic, known));
            }
            _ => return outcome.into_result().err(),
        };
        None
    }

    fn left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| clock::now().until(deadline))
    }

    fn forget_letter(&mut self) {
        if let Some(tag) = self.letter.take() {
            self.shared.forget(tag);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.shared.is_forked() {
            return;
        }
        if let Some(number) = self.number {
            self.shared
                .ledger
                .with(|ledger| ledger.requests.leave(number));
        }
        if let Some(tag) = self.letter {
            // Never carried out after the caller gave up. On a closed client there is nothing left to take.
            let _ = self
                .shared
                .outbox
                .put(|outbox, rings| outbox.push(Command::Cancel { tag, reply: 0 }, rings));
            self.forget_letter();
        }
    }
}

/// Subscribes to a response topic. The request goes out behind it, so nothing waits for the answer; should
/// it be a refusal, all who wait on the topic are told.
fn listen(shared: &Arc<Shared>, topic: &str, qos: QoS, version: Version) -> Result<(), Error> {
    let target = Target::Queue(keeper::queue(shared));
    let question = shared.outbox.with(|outbox| {
        outbox.check_open()?;
        let question = outbox.next_tag();
        shared.expect_reply(question, Question::Private);
        Ok::<_, Error>(question)
    })?;
    let ids = shared.inbox.with(|inbox| {
        inbox
            .routes
            .declare(question, std::iter::once(topic), target)
    })?;
    // What is retained there is older than any request; 3.1.1 has no way to say so.
    let retain_handling = if version == Version::V5 { 2_u8 } else { 0 };
    let options = SubscribeOptions::new()
        .qos(qos)
        .retain_handling(retain_handling);
    let entry = |id| SubscribeEntry {
        id,
        filter: topic.into(),
        options: options.clone(),
    };
    let command = Command::Subscribe(Box::new(Subscribe {
        reply: question,
        entries: ids.into_iter().map(entry).collect(),
    }));
    shared
        .outbox
        .put(|outbox, rings| outbox.push(command, rings))?;
    shared
        .machine
        .spawn(hear_refusal(Arc::clone(shared), question, topic.to_owned()));
    Ok(())
}

async fn hear_refusal(shared: Arc<Shared>, question: Tag, topic: String) {
    let reply = poll_fn(|context| {
        shared
            .ledger
            .with(|ledger| ledger.poll_reply(question, context))
    });
    // A subscription that is not answered in time is asked again.
    if let Ok(Reply::Subscribed(answers)) = reply.await
        && let Some(refusal) = answers.refusal()
    {
        shared
            .ledger
            .put(|ledger, rings| ledger.requests.refuse(&topic, &refusal, rings));
    }
}

/// Takes the subscription of a response topic back, unless the application has it too.
fn stop_listening(shared: &Arc<Shared>, topic: &str) {
    let target = Target::Queue(keeper::queue(shared));
    let unused = shared.inbox.with(|inbox| inbox.routes.leave(topic, target));
    if unused {
        let command = Command::Unsubscribe(Box::new(Unsubscribe {
            reply: 0,
            filters: vec![topic.into()],
            user_properties: Vec::new(),
        }));
        // A closed client has nothing declared any more.
        let _ = shared
            .outbox
            .put(|outbox, rings| outbox.push(command, rings));
    }
}

fn no_response_topic(shared: &Shared) -> Error {
    let name = shared.dialect.spell("response_topic");
    Error::new(
        ErrorKind::NotSupported,
        format!(
            "{name} must be given with a request on MQTT 3.1.1, which cannot tell the responder where to answer: \
             name the topic on which it answers by your own convention"
        ),
    )
}

fn timed_out(topic: &str, known: Known) -> Error {
    let detail = match known {
        Known::NotSent => "no response came in time: the request was never sent".to_owned(),
        Known::Nothing => {
            "no response came in time: the request is not acknowledged either".to_owned()
        }
        Known::Sent => "no response came in time: the request was sent".to_owned(),
        Known::Delivered => "no response came in time: the broker has the request".to_owned(),
        Known::NobodySubscribes => format!(
            "no response came in time: the broker has the request, and nobody was subscribed to {}",
            sentence::Quoted(topic)
        ),
    };
    Error::new(ErrorKind::TimedOut, detail)
}
