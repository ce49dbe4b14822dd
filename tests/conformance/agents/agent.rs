//! The agent of Rust in the behaviour suite; see PROTOCOL.md.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead, Write};
use std::rc::Rc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use leveret::protocol::codec::{Properties, PropertyValue};
use leveret::protocol::message::Message;
use leveret::protocol::options::Value;
use leveret::testing::{Broker, ServerCertificate};
use leveret::{
    AuthStage, AuthStep, Builder, Client, CloseOptions, ConnectionEvent, Error, ErrorKind, News,
    Options, Outcome, Packet, PacketType, PublishOptions, ReasonCode, Receipt, Status,
    SubscribeOptions, Words,
};
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::timeout;

mod attempts;

type Pairs = Vec<(String, String)>;
type Answer = Result<Pairs, Error>;

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let (requests, mut arriving) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if requests.send(line).is_err() {
                break;
            }
        }
    });
    LocalSet::new().block_on(&runtime, async {
        let mut agent = Agent::default();
        while let Some(line) = arriving.recv().await {
            let answer = agent.answer(&line).await;
            let mut out = std::io::stdout().lock();
            writeln!(out, "{answer}")?;
            out.flush()?;
        }
        Ok(())
    })
}

// --- the line protocol ---

/// The arguments of a request. What no verb takes out is an option.
struct Request(BTreeMap<String, String>);

impl Request {
    fn take(&mut self, name: &str) -> String {
        self.0.remove(name).unwrap_or_default()
    }

    fn number(&mut self, name: &str) -> usize {
        self.take(name).parse().unwrap_or(0)
    }

    fn timeout(&mut self) -> Duration {
        Duration::from_millis(self.number("timeout") as u64)
    }

    /// The payload, by value or by size.
    fn payload(&mut self) -> Vec<u8> {
        match self.0.remove("size") {
            Some(size) => pattern(size.parse().unwrap_or(0)),
            None => self.take("payload").into_bytes(),
        }
    }
}

/// Bytes that tell their own place.
fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i % 251) as u8).collect()
}

fn pair(name: &str, value: impl ToString) -> (String, String) {
    (name.into(), value.to_string())
}

fn line(first: &str, pairs: &Pairs) -> String {
    let words = pairs
        .iter()
        .map(|(name, value)| format!(" {name}={}", encoded(value)));
    std::iter::once(first.to_owned()).chain(words).collect()
}

fn encoded(text: &str) -> String {
    let byte = |&byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.as_bytes().iter().map(byte).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn failure(error: &Error) -> String {
    let words = error.kind.c_name().trim_start_matches("MQTT_").split('_');
    let kind: String = words
        .map(|word| word[..1].to_owned() + &word[1..].to_lowercase())
        .collect();
    let mut pairs = vec![pair("kind", kind)];
    pairs.extend(error.reason.map(|reason| pair("reason", reason.0)));
    pairs.push(pair("text", error));
    line("error", &pairs)
}

fn message_pairs(message: &Message) -> Pairs {
    let payload = message.payload();
    let mut pairs = vec![pair("topic", message.topic())];
    if payload.len() > 256 {
        pairs.extend([
            pair("size", payload.len()),
            pair("intact", payload == pattern(payload.len())),
        ]);
    } else {
        pairs.push(pair("payload", String::from_utf8_lossy(payload)));
    }
    pairs.extend([
        pair("qos", u8::from(message.qos())),
        pair("retain", message.retain()),
        pair("dup", message.dup()),
    ]);
    pairs.extend(property_pairs(message.properties()));
    pairs
}

/// MQTT 5 properties by the names of the standard, in their order.
fn property_pairs(properties: &Properties) -> Pairs {
    let told = |value| match value {
        PropertyValue::TextPair(name, value) => format!("{name}:{value}"),
        PropertyValue::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        PropertyValue::Text(text) => text.into(),
        PropertyValue::Number(number) => number.to_string(),
    };
    properties
        .iter()
        .map(|(id, value)| pair(id.row().name, told(value)))
        .collect()
}

/// The value of an option: text, but for lists of pairs, which are written `name:value;name:value`.
fn option_value(name: &str, text: String) -> Value {
    if !name.ends_with("user_properties") && name != "websocket_headers" {
        return Value::Text(text);
    }
    let pairs = text.split(';').filter_map(|pair| pair.split_once(':'));
    Value::Pairs(
        pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
    )
}

/// `user_properties=name:value;name:value`, taken out of a request.
fn user_properties(request: &mut Request) -> Vec<(String, String)> {
    match option_value("user_properties", request.take("user_properties")) {
        Value::Pairs(pairs) => pairs,
        _ => Vec::new(),
    }
}

fn packet_pairs(packet: &Packet) -> Pairs {
    let mut pairs = vec![pair("packet", packet.packet)];
    pairs.extend(packet.packet_id.map(|id| pair("packet_id", id)));
    match packet.packet {
        PacketType::SubAck | PacketType::UnsubAck => {
            let reasons: Vec<_> = packet
                .reasons
                .iter()
                .map(|code| code.0.to_string())
                .collect();
            pairs.push(pair("reasons", reasons.join(",")));
        }
        _ => pairs.push(pair("reason", packet.reason().0)),
    }
    if packet.packet == PacketType::ConnAck {
        pairs.push(pair("session_present", packet.session_present));
    }
    pairs.extend(property_pairs(&packet.properties));
    pairs
}

fn step_pairs(step: &AuthStep) -> Pairs {
    let stage = match step.stage {
        AuthStage::Begin => "begin",
        AuthStage::Continue => "continue",
        AuthStage::Finish => "finish",
    };
    let mut pairs = vec![
        pair("stage", stage),
        pair("reauthentication", step.reauthentication),
    ];
    let data = step.data.as_deref().map(String::from_utf8_lossy);
    pairs.extend(data.map(|data| pair("data", data)));
    pairs
}

fn list<T>(items: &[T], pairs: impl Fn(&T) -> Pairs) -> Pairs {
    std::iter::once(pair("count", items.len()))
        .chain(items.iter().flat_map(pairs))
        .collect()
}

// --- recorders ---

/// Keeps what comes, for a reader that waits for a number of things.
struct Recorder<T> {
    items: RefCell<Vec<T>>,
    changed: Notify,
    /// While set, whoever records waits for its end before it asks for the next one.
    held: Cell<bool>,
    let_go: Notify,
    /// While set, whoever records gives messages back.
    failing: Cell<bool>,
    /// What is to be acknowledged by hand.
    unacknowledged: RefCell<VecDeque<leveret::Message>>,
    /// What is to be answered.
    last: RefCell<Option<leveret::Message>>,
}

impl<T> Default for Recorder<T> {
    fn default() -> Recorder<T> {
        Recorder {
            items: RefCell::default(),
            changed: Notify::new(),
            held: Cell::new(false),
            let_go: Notify::new(),
            failing: Cell::new(false),
            unacknowledged: RefCell::default(),
            last: RefCell::default(),
        }
    }
}

impl<T> Recorder<T> {
    fn record(&self, item: T) {
        self.items.borrow_mut().push(item);
        self.changed.notify_waiters();
    }

    async fn until(&self, within: Duration, enough: impl Fn(&[T]) -> bool) -> bool {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if enough(&self.items.borrow()) {
                    return;
                }
                changed.await;
            }
        };
        timeout(within, wait).await.is_ok()
    }

    async fn take(&self, count: usize, within: Duration) -> Result<Vec<T>, Error> {
        if !self.until(within, |items| items.len() >= count).await {
            let came = self.items.borrow().len();
            return Err(Error::new(
                ErrorKind::TimedOut,
                format!("{came} of {count} came"),
            ));
        }
        Ok(self.items.borrow_mut().drain(..count).collect())
    }
}

impl Recorder<Message> {
    /// Records the messages of a stream; each is acknowledged when the next one is asked for.
    async fn follow(
        &self,
        mut messages: impl Stream<Item = leveret::Message> + Unpin,
        manual: bool,
    ) {
        while let Some(message) = messages.next().await {
            self.record(leveret::protocol::message::Message::clone(&message));
            self.last.replace(Some(message.clone()));
            if self.failing.get() {
                let _ = message.reject(ReasonCode::UNSPECIFIED_ERROR);
            }
            if manual {
                self.unacknowledged.borrow_mut().push_back(message);
            }
            while self.held.get() {
                self.let_go.notified().await;
            }
        }
    }
}

type Messages = Rc<Recorder<Message>>;
type Events = Rc<Recorder<Pairs>>;

// --- the verbs ---

/// The objects of one scenario by their names.
#[derive(Default)]
struct Agent {
    brokers: BTreeMap<String, Broker>,
    clients: BTreeMap<String, Client>,
    /// What records the messages and the news of each.
    tasks: BTreeMap<String, [JoinHandle<()>; 2]>,
    receipts: BTreeMap<String, Receipt>,
    outcomes: BTreeMap<String, Outcome>,
    messages: BTreeMap<String, Messages>,
    /// Clients whose messages are acknowledged by hand.
    manual: BTreeSet<String>,
    events: BTreeMap<String, Events>,
}

impl Agent {
    async fn answer(&mut self, request: &str) -> String {
        let mut words = request.split(' ');
        let verb = words.next().unwrap_or_default();
        let arguments = words
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (decoded(name), decoded(value)));
        let request = Request(arguments.collect());
        let answer = match verb.split_once('_') {
            Some(("broker", verb)) => self.broker(verb, request),
            _ => self.client(verb, request).await,
        };
        answer.map_or_else(|error| failure(&error), |pairs| line("ok", &pairs))
    }

    fn broker(&mut self, verb: &str, mut request: Request) -> Answer {
        let name = request.take("broker");
        if verb == "new" {
            let mut builder = Broker::builder();
            for (name, value) in request.0 {
                builder.set(&name, Value::Text(value))?;
            }
            let broker = builder.start()?;
            let mut pairs = vec![pair("url", broker.url())];
            for (name, pem) in [
                ("ca_pem", broker.ca_pem()),
                ("client_cert_pem", broker.client_cert_pem()),
                ("client_key_pem", broker.client_key_pem()),
            ] {
                pairs.extend(pem.map(|pem| pair(name, pem)));
            }
            self.brokers.insert(name, broker);
            return Ok(pairs);
        }
        let broker = self.brokers.get(&name).ok_or_else(|| unknown(&name))?;
        match verb {
            "stop" if request.take("forget") == "true" => broker.stop_and_forget(),
            "stop" => broker.stop(),
            "start" => broker.start()?,
            "close" => broker.close(),
            "show_certificate" => {
                let certificate = ServerCertificate::named(&request.take("certificate"))?;
                broker.show_certificate(certificate)?;
            }
            "swallow" => broker.swallow(&request.take("packet"), request.number("count") as u64)?,
            "received" => {
                let received = broker.wait_received(request.number("count"), request.timeout())?;
                return Ok(list(&received, |each| {
                    message_pairs(&each.clone().into_message())
                }));
            }
            _ => return Err(unknown(verb)),
        }
        Ok(Vec::new())
    }

    async fn client(&mut self, verb: &str, mut request: Request) -> Answer {
        if verb == "shutdown" {
            leveret::shutdown()?;
            return Ok(Vec::new());
        }
        if verb == "hello" {
            return Ok(vec![
                pair("language", "rust"),
                pair("version", env!("CARGO_PKG_VERSION")),
            ]);
        }
        let name = request.take("client");
        if verb == "connect" {
            return self.connect(name, request);
        }
        let client = self
            .clients
            .get(&name)
            .ok_or_else(|| unknown(&name))?
            .clone();
        match verb {
            "publish" | "publish_many" | "burst" => {
                self.post(verb, &name, &client, request).await?;
            }
            "outcome" | "raise" | "outcomes" | "cancel" | "explain" => {
                return self.ask(verb, &name, &client, request).await;
            }
            "request" => return ask_for_response(&client, request).await,
            "serve" => drop(spawn_local(serve(client, request))),
            "respond" => {
                let handler = request.take("handler");
                let last = self.recorder(&name, &handler).last.borrow().clone();
                respond(&last.ok_or_else(|| unknown(&handler))?, request)?;
            }
            "subscribe" | "declare" => return self.subscribe(verb, name, client, request).await,
            "messages" | "tally" | "events" | "hold" | "release" | "fail" | "ack" | "packets"
            | "steps" | "attempts" => {
                return self.recorded(verb, &name, request).await;
            }
            "unsubscribe" => {
                let filter = request.take("filter");
                let properties = user_properties(&mut request);
                client.unsubscribe_with(&filter, properties).await?;
            }
            "reauthenticate" => within(request.timeout(), client.reauthenticate()).await?,
            "wait" => {
                let status =
                    Status::from_name(&request.take("status")).ok_or_else(|| unknown("status"))?;
                client.wait_for(status, request.timeout()).await?;
            }
            "status" => return Ok(vec![pair("status", client.status())]),
            "stats" => return Ok(stats(&client)),
            "reconnect" => client.reconnect()?,
            "ping" => return Ok(vec![pair("microseconds", client.ping().await?.as_micros())]),
            "flush" => client.flush(request.timeout()).await?,
            "drain" => within(request.timeout(), client.drain()).await?,
            "close" => {
                let timeout = request.0.contains_key("timeout").then(|| request.timeout());
                let mut options = CloseOptions::new().timeout(timeout);
                for (name, value) in request.0 {
                    options = options.with(&name, option_value(&name, value))?;
                }
                client.close_with(options).await?;
            }
            "free" => {
                // Streams keep a client as clones do.
                for task in self.tasks.remove(&name).into_iter().flatten() {
                    task.abort();
                }
                self.clients.remove(&name);
            }
            _ => return Err(unknown(verb)),
        }
        Ok(Vec::new())
    }

    fn connect(&mut self, name: String, mut request: Request) -> Answer {
        let url = request.take("url");
        let mut builder = self.hooks(&name, Client::builder(&url), &mut request)?;
        let told = self.told_elsewhere(&name, "attempts");
        builder = attempts::asked(builder, &mut request, told);
        builder = attempts::signed(builder, &mut request);
        let mut options = Options::new();
        for (name, value) in request.0 {
            options = options.with(&name, option_value(&name, value))?;
        }
        let manual = options.manual_ack;
        builder = builder.options(options);
        let client = builder.build()?;
        if manual {
            self.manual.insert(name.clone());
        }
        let (messages, mut news) = (client.messages(), client.events());
        let recorder = self.recorder(&name, "");
        let [connection, subscription, status, ping, notice] =
            ["connection", "subscription", "status", "ping", "notice"]
                .map(|kind| self.events_of(&name, kind));
        let general = spawn_local(async move { recorder.follow(messages, manual).await });
        let told = spawn_local(async move {
            while let Some(news) = news.next().await {
                match news {
                    News::Connection(event) => connection.record(connection_pairs(&event)),
                    News::Subscription {
                        filter,
                        state,
                        reason,
                    } => {
                        let mut pairs = vec![pair("event", state), pair("filter", filter.as_str())];
                        pairs.extend(reason.map(|reason| pair("reason", reason.0)));
                        subscription.record(pairs);
                    }
                    News::Status(now) => status.record(vec![pair("event", now)]),
                    News::RoundTrip(time) => {
                        ping.record(vec![
                            pair("event", "ping"),
                            pair("microseconds", time.as_micros()),
                        ]);
                    }
                    News::Notice(told) => {
                        notice.record(vec![pair("event", told.name()), pair("text", told)]);
                    }
                }
            }
        });
        self.tasks.insert(name.clone(), [general, told]);
        self.clients.insert(name, client);
        Ok(Vec::new())
    }

    /// Installs the hooks and the authenticator that a request names.
    fn hooks(
        &mut self,
        name: &str,
        mut builder: Builder,
        request: &mut Request,
    ) -> Result<Builder, Error> {
        let says = request.take("hook_says");
        let holds = request.take("hook_holds") == "true";
        for hook in request
            .take("hooks")
            .split(',')
            .filter(|hook| !hook.is_empty())
        {
            let kind = PacketType::ALL
                .into_iter()
                .find(|kind| kind.name().eq_ignore_ascii_case(hook))
                .ok_or_else(|| unknown(hook))?;
            let (told, says) = (self.told_elsewhere(name, "packets"), says.clone());
            builder = builder.hook(kind, move |packet| {
                // Nobody reads any more once the agent ends.
                let _ = told.send(packet_pairs(&packet));
                if holds {
                    // Never answered: the library must not wait for ever.
                    std::mem::forget(packet);
                } else if !says.is_empty() {
                    let words = Words {
                        reason_string: Some(says.clone()),
                        user_properties: vec![("hook".into(), says.clone())],
                    };
                    let _ = packet.answer(&words);
                }
            });
        }
        let answers = request.take("authenticator");
        if answers.is_empty() {
            return Ok(builder);
        }
        let answers: Vec<String> = answers.split(',').map(str::to_owned).collect();
        let (mut answers, told) = (
            answers.into_iter().cycle(),
            self.told_elsewhere(name, "steps"),
        );
        Ok(builder.authenticator(move |step| {
            let _ = told.send(step_pairs(&step));
            if step.stage == AuthStage::Finish {
                return step.accept();
            }
            match answers.next() {
                Some(answer) if answer != "refuse" => step.answer(answer),
                _ => step.refuse("the scenario wants it so"),
            }
        }))
    }

    /// A way to record from another thread.
    fn told_elsewhere(&mut self, name: &str, kind: &str) -> mpsc::UnboundedSender<Pairs> {
        let recorder = self.events_of(name, kind);
        let (told, mut telling) = mpsc::unbounded_channel();
        spawn_local(async move {
            while let Some(pairs) = telling.recv().await {
                recorder.record(pairs);
            }
        });
        told
    }

    async fn post(
        &mut self,
        verb: &str,
        name: &str,
        client: &Client,
        mut request: Request,
    ) -> Result<(), Error> {
        let (topic, receipt) = (request.take("topic"), request.take("receipt"));
        let (count, prefix, payload) = (
            request.number("count"),
            request.take("prefix"),
            request.payload(),
        );
        let mut options = PublishOptions::new();
        for (name, value) in request.0 {
            options = options.with(&name, option_value(&name, value))?;
        }
        if verb == "publish" {
            let posted = client
                .publish(&topic, &payload[..])
                .options(options)
                .send()?;
            self.receipts.insert(format!("{name} {receipt}"), posted);
            return Ok(());
        }
        if verb == "publish_many" {
            let payloads: Vec<_> = (0..count).map(|i| format!("{prefix}{i}")).collect();
            let letters = payloads.iter().map(|payload| {
                let letter = client.publish(&topic, payload.as_str());
                letter.options(options.clone())
            });
            let (receipts, refused) = match client.publish_many(letters) {
                Ok(receipts) => (receipts, None),
                Err(partly) => (partly.receipts, Some(partly.error)),
            };
            for (i, posted) in receipts.into_iter().enumerate() {
                self.receipts.insert(format!("{name} {receipt}{i}"), posted);
            }
            return refused.map_or(Ok(()), Err);
        }
        for i in 0..count {
            let payload = format!("{prefix}{i}");
            let posted = client
                .publish(&topic, payload.as_str())
                .options(options.clone())
                .send_wait()
                .await?;
            self.receipts.insert(format!("{name} {receipt}{i}"), posted);
        }
        Ok(())
    }

    async fn ask(
        &mut self,
        verb: &str,
        name: &str,
        client: &Client,
        mut request: Request,
    ) -> Answer {
        let key = format!("{name} {}", request.take("receipt"));
        match verb {
            "outcome" | "raise" => {
                let mut outcome = self.outcome(&key, request.timeout()).await?;
                if verb == "raise" {
                    outcome = outcome.into_result()?;
                }
                let mut pairs = vec![
                    pair("status", &outcome),
                    pair("ok", outcome.ok()),
                    pair("delivered", outcome.delivered()),
                    pair("maybe_delivered", outcome.maybe_delivered),
                ];
                pairs.extend(outcome.reason.map(|reason| pair("reason", reason.0)));
                pairs.extend(
                    outcome
                        .reason_string()
                        .map(|text| pair("reason_string", text)),
                );
                let told = outcome.user_properties();
                pairs.extend(
                    told.iter()
                        .map(|(name, value)| pair("user_property", format!("{name}:{value}"))),
                );
                Ok(pairs)
            }
            "outcomes" => {
                let mut counts: BTreeMap<String, usize> = BTreeMap::new();
                let (count, timeout) = (request.number("count"), request.timeout());
                for i in 0..count {
                    let outcome = self.outcome(&format!("{key}{i}"), timeout).await?;
                    *counts.entry(outcome.to_string()).or_default() += 1;
                }
                Ok(counts
                    .into_iter()
                    .map(|(name, count)| pair(&name, count))
                    .collect())
            }
            // A receipt that was awaited is gone; what it stood for is settled.
            "cancel" => match self.receipts.get(&key) {
                Some(receipt) => Ok(vec![pair("cancelled", client.cancel(receipt).await?)]),
                None => Ok(vec![pair("cancelled", false)]),
            },
            _ => {
                let receipt = self.receipts.get(&key).ok_or_else(|| unknown(&key))?;
                let told = client.explain(receipt).await?;
                Ok(vec![pair(
                    "text",
                    told.map_or_else(|| "settled".into(), |told| told.to_string()),
                )])
            }
        }
    }

    async fn outcome(&mut self, key: &str, timeout: Duration) -> Result<Outcome, Error> {
        if let Some(outcome) = self.outcomes.get(key) {
            return Ok(outcome.clone());
        }
        let receipt = self.receipts.get_mut(key).ok_or_else(|| unknown(key))?;
        let outcome = within(timeout, async { Ok(receipt.await) }).await?;
        self.receipts.remove(key);
        self.outcomes.insert(key.into(), outcome.clone());
        Ok(outcome)
    }

    async fn subscribe(
        &mut self,
        verb: &str,
        name: String,
        client: Client,
        mut request: Request,
    ) -> Answer {
        let (filter, handler) = (request.take("filter"), request.take("handler"));
        let mut options = SubscribeOptions::new();
        for (name, value) in request.0 {
            options = options.with(&name, option_value(&name, value))?;
        }
        let recorder = self.recorder(&name, &handler);
        let manual = self.manual.contains(&name);
        let record = async move |subscription| recorder.follow(subscription, manual).await;
        if verb == "declare" {
            spawn_local(async move {
                if let Ok(subscription) = client.subscribe(&filter, options).await {
                    record(subscription).await;
                }
            });
            // So that it has been declared before the next request.
            tokio::task::yield_now().await;
            return Ok(Vec::new());
        }
        let subscription = client.subscribe(&filter, options).await?;
        let granted = pair("granted", u8::from(subscription.granted()));
        spawn_local(async move { record(subscription).await });
        Ok(vec![granted])
    }

    async fn recorded(&mut self, verb: &str, name: &str, mut request: Request) -> Answer {
        let (handler, count, within) = (
            request.take("handler"),
            request.number("count"),
            request.timeout(),
        );
        if matches!(verb, "events" | "packets" | "steps" | "attempts") {
            let kind = if verb == "events" {
                request.take("kind")
            } else {
                verb.to_owned()
            };
            let taken = self.events_of(name, &kind).take(count, within).await?;
            return Ok(list(&taken, Pairs::clone));
        }
        let recorder = self.recorder(name, &handler);
        if verb == "hold" || verb == "release" {
            recorder.held.set(verb == "hold");
            recorder.let_go.notify_waiters();
            return Ok(Vec::new());
        }
        if verb == "fail" {
            recorder.failing.set(true);
            return Ok(Vec::new());
        }
        if verb == "ack" {
            let message = recorder.unacknowledged.borrow_mut().pop_front();
            let message = message.ok_or_else(|| unknown("message"))?;
            let words = Words {
                reason_string: request.0.remove("reason_string"),
                user_properties: user_properties(&mut request),
            };
            let reason = ReasonCode(request.number("reason") as u8);
            let acked = if words.is_empty() && reason == ReasonCode::SUCCESS {
                message.ack()
            } else {
                message.ack_with(reason, &words)
            };
            return acked.map(|()| Vec::new());
        }
        if verb == "messages" {
            return Ok(list(&recorder.take(count, within).await?, message_pairs));
        }
        let wanted = request.number("distinct");
        let enough = |items: &[Message]| items.len() >= wanted && counted(items).len() >= wanted;
        recorder.until(within, enough).await;
        let items = recorder.items.borrow();
        let counts = counted(&items);
        let doubled = counts.values().filter(|&&count| count > 1).count();
        Ok(vec![
            pair("distinct", counts.len()),
            pair("doubled", doubled),
        ])
    }

    fn recorder(&mut self, client: &str, handler: &str) -> Messages {
        Rc::clone(
            self.messages
                .entry(format!("{client} {handler}"))
                .or_default(),
        )
    }

    fn events_of(&mut self, client: &str, kind: &str) -> Events {
        Rc::clone(self.events.entry(format!("{client} {kind}")).or_default())
    }
}

/// Asks; what came.
async fn ask_for_response(client: &Client, mut request: Request) -> Answer {
    let timeout = request.0.contains_key("timeout").then(|| request.timeout());
    let (topic, payload) = (request.take("topic"), request.payload());
    let mut options = PublishOptions::new();
    for (name, value) in request.0 {
        options = options.with(&name, option_value(&name, value))?;
    }
    let asked = client.request(&topic, payload).options(options);
    let asked = match timeout {
        Some(timeout) => asked.timeout(timeout),
        None => asked,
    };
    Ok(message_pairs(&*asked.await?))
}

/// What a service answers: `re:` and the payload; nothing where that is "nothing"; "fail" fails.
fn served(request: &Message) -> Result<Vec<u8>, &'static str> {
    match request.payload() {
        b"fail" => Err("the scenario wants this handler to fail"),
        b"nothing" => Ok(Vec::new()),
        payload => Ok([b"re:", payload].concat()),
    }
}

/// Answers until the client is closed; what goes wrong shows in the scenario.
async fn serve(client: Client, mut request: Request) {
    let (filter, topic) = (request.take("filter"), request.take("response_topic"));
    let mut options = SubscribeOptions::new();
    for (name, value) in request.0 {
        let Ok(with) = options.with(&name, option_value(&name, value)) else {
            return;
        };
        options = with;
    }
    if topic.is_empty() {
        let answer = |request: leveret::Message| async move { served(&request) };
        let _ = client.serve(&filter, options, answer).await;
        return;
    }
    let Ok(mut requests) = client.subscribe(&filter, options).await else {
        return;
    };
    while let Some(request) = requests.next().await {
        if let Ok(payload) = served(&request) {
            let _ = request.respond(payload).topic(&topic).send();
        }
    }
}

fn respond(message: &leveret::Message, mut request: Request) -> Result<(), Error> {
    let (topic, payload) = (request.take("topic"), request.payload());
    let mut response = message.respond(payload);
    if !topic.is_empty() {
        response = response.topic(&topic);
    }
    if request.0.contains_key("content_type") {
        response = response.content_type(request.take("content_type"));
    }
    response.send().map(drop)
}

fn counted(items: &[Message]) -> BTreeMap<&[u8], usize> {
    let mut counts = BTreeMap::new();
    items
        .iter()
        .for_each(|message| *counts.entry(message.payload()).or_default() += 1);
    counts
}

fn stats(client: &Client) -> Pairs {
    let stats = client.stats();
    vec![
        pair("status", stats.status),
        pair("queued", stats.queued),
        pair("queued_bytes", stats.queued_bytes),
        pair("in_flight", stats.in_flight),
        pair("in_flight_bytes", stats.in_flight_bytes),
        pair("bytes_in", stats.bytes_in),
        pair("bytes_out", stats.bytes_out),
        pair("reconnects", stats.reconnects),
        pair("failed_attempts", stats.failed_attempts),
        pair("inbox_messages", stats.inbox_messages),
        pair("inbox_bytes", stats.inbox_bytes),
        pair("inbox_dropped", stats.inbox_dropped),
        pair("unhandled", stats.unhandled),
        pair("handler_failures", stats.handler_failures),
        pair("oversize", stats.oversize),
        pair(
            "last_error",
            stats
                .last_error
                .map(|error| error.to_string())
                .unwrap_or_default(),
        ),
    ]
}

fn connection_pairs(event: &ConnectionEvent) -> Pairs {
    let why = |error: &Error| {
        let mut pairs = vec![pair("error", format!("{:?}", error.kind))];
        pairs.extend(error.reason.map(|reason| pair("reason", reason.0)));
        pairs.push(pair("text", error));
        pairs
    };
    match event {
        ConnectionEvent::Online(online) => {
            let mut pairs = vec![
                pair("event", "online"),
                pair("session_present", online.session_present),
                pair("version", online.version.name()),
                pair("client_id", online.client_id.as_str()),
            ];
            pairs.extend(property_pairs(&online.properties));
            pairs
        }
        ConnectionEvent::Offline {
            why: error,
            properties,
        } => {
            let first = vec![pair("event", "offline")];
            [first, why(error), property_pairs(properties)].concat()
        }
        ConnectionEvent::AttemptFailed {
            why: error,
            retry_in,
            properties,
            ..
        } => {
            let first = vec![
                pair("event", "attempt_failed"),
                pair("retry_in", retry_in.as_millis()),
            ];
            [first, why(error), property_pairs(properties)].concat()
        }
    }
}

async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout(limit, answer)
        .await
        .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

fn unknown(name: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("the agent knows no {name}"),
    )
}
