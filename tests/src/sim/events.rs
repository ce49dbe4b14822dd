//! What an engine tells its application, and what a broker tells the world: noted, counted, and held against the truth.

use std::collections::BTreeMap;

use leveret_protocol::engine::{
    AuthStage, ConnectionEvent, Cost, Event, Incoming, Notice, Place, Reply, SubscriptionId,
};
use leveret_protocol::error::Error;
use leveret_protocol::outcome::{Outcome, OutcomeStatus, Status, SubscriptionState};
use leveret_protocol::packet_type::PacketType;

use super::broker::Fact;
use super::broker::session::Session;
use super::checkers::{self, Failure, Verdict, claim, outcomes::Circumstances};
use super::frames::{self, kind};
use super::host::{Declared, Host, Question};
use super::world::{Phase, World};

impl World {
    /// One event from an engine.
    pub(super) fn told(&mut self, client: usize, event: Event) -> Verdict {
        self.trace
            .note(self.now, || format!("client {client} is told {event:?}"));
        let events = self.hosts[client].tamper.event(event);
        for event in events {
            self.believe(client, event)?;
        }
        Ok(())
    }

    fn believe(&mut self, client: usize, event: Event) -> Verdict {
        let host = &mut self.hosts[client];
        claim(
            host.status != Status::Closed || matches!(event, Event::Reply { .. }),
            "nothing_after_closed",
            || format!("{event:?} after Status::Closed"),
        )?;
        match event {
            Event::Settled {
                tag: 0,
                outcome,
                cost,
            } if cost.messages > 1 => self.settled_together(client, &outcome, cost),
            Event::Settled { tag, outcome, cost } => self.settled(client, tag, &outcome, cost),
            Event::Released(cost) => {
                host.budget.give_back(cost);
                self.tally.count("room released after resending");
                Ok(())
            }
            Event::Message(incoming) => self.message(client, &incoming),
            Event::Reply { tag, result } => self.reply(client, tag, result),
            Event::Status(status) => {
                claim(host.status != status, "statuses_change", || {
                    format!("the status is {status:?} already")
                })?;
                host.status = status;
                self.tally.count(&format!("status: {}", status.name()));
                Ok(())
            }
            Event::Connection(event) => self.connection(client, event),
            Event::Subscription {
                id, filter, state, ..
            } => {
                self.tally.count(&format!("subscription: {}", state.name()));
                let given = host
                    .given_ids
                    .get(&id)
                    .is_some_and(|given| given == filter.as_str());
                claim(given, "subscription_ids_are_kept", || {
                    format!("{filter:?} never had number {id:?}")
                })?;
                let Some(declared) = host
                    .filters
                    .get_mut(filter.as_str())
                    .filter(|declared| declared.id == id)
                else {
                    return Ok(());
                };
                declared.state = state;
                if state == SubscriptionState::Refused {
                    // The client may know that the broker cannot grant it, and not ask.
                    host.unsent_filters.remove(filter.as_str());
                }
                declared.granted |=
                    matches!(state, SubscriptionState::Up | SubscriptionState::Downgraded);
                if !declared.granted && declared.asked == 0 && state == SubscriptionState::Refused {
                    host.filters.remove(filter.as_str());
                }
                Ok(())
            }
            Event::RoundTrip(_) => {
                self.tally.count("round trips");
                Ok(())
            }
            Event::Notice(notice) => {
                self.tally.count(&format!("notice: {}", notice.name()));
                if let Notice::Violation(error) = &notice {
                    let reason = error.reason.map_or(0, |reason| reason.0);
                    host.turn.violation = host.turn.violation.or(Some(reason));
                }
                Ok(())
            }
            Event::Packet(shown) => {
                self.tally.count(&format!("shown: {}", shown.packet));
                let packet_id = shown.packet_id.unwrap_or(0);
                let link = host.link.and_then(|number| self.links.get(&number));
                let holds = link.is_some_and(|link| link.sent.accepted);
                let begun = link.is_some_and(|link| {
                    let answer = match shown.packet {
                        PacketType::PubRec => kind::PUBREL,
                        _ => kind::PUBCOMP,
                    };
                    link.sent.answers_at.get(&(answer, packet_id)) == Some(&self.now)
                });
                let misled = link.is_some_and(|link| link.nonsense_has_come());
                host.was_shown(self.now, &shown, holds, begun, misled)
            }
            Event::Prepare(asked) => {
                self.tally.count("asked: what an attempt is to say");
                host.asked_to_prepare(self.now, &asked)?;
                self.attempt_begins(client)
            }
            Event::Authenticate(step) => {
                let stage = step.stage;
                self.tally
                    .count(&format!("asked: authentication, {stage:?}"));
                host.asked_to_authenticate(self.now, &step)?;
                let before = stage == AuthStage::Begin && !step.reauthentication;
                // Where it is asked what to say as well, the attempt began with that.
                if before && !host.plan.answers.prepares {
                    return self.attempt_begins(client);
                }
                Ok(())
            }
        }
    }

    /// Letters without receipt, which one event settles.
    fn settled_together(&mut self, client: usize, outcome: &Outcome, cost: Cost) -> Verdict {
        let ledger = &self.hosts[client].ledger;
        let numbers = ledger.match_together(self.now, outcome, cost);
        claim(numbers.is_some(), "settled_exactly_once", || {
            format!(
                "no letters without receipt took {cost:?} together and fit the outcome {outcome}"
            )
        })?;
        for number in numbers.unwrap_or_default() {
            let letter = self.hosts[client].ledger.letters.get(&number);
            let cost = letter.map_or(Cost::ZERO, |letter| letter.cost);
            self.settled(client, 0, outcome, cost)?;
        }
        Ok(())
    }

    fn settled(&mut self, client: usize, tag: u64, outcome: &Outcome, cost: Cost) -> Verdict {
        let now = self.now;
        let host = &mut self.hosts[client];
        let number =
            checkers::outcomes::settled_exactly_once(&host.ledger, now, tag, outcome, cost)?;
        let Some(letter) = host.ledger.letters.get(&number) else {
            return Ok(());
        };
        let woke = if host.suspended_until == now { now } else { 0 };
        let circumstances = Circumstances {
            options: &host.options,
            now,
            woke,
            closing: host.closing.is_some(),
        };
        checkers::outcomes::outcome_is_true(letter, outcome, cost, circumstances)?;
        self.trace.add(number ^ u64::from(outcome.status.number()));
        host.ledger.settle(number, now, outcome);
        host.budget.give_back(cost);
        let maybe = if outcome.maybe_delivered && outcome.status != OutcomeStatus::Sent {
            ", maybe delivered"
        } else {
            ""
        };
        self.tally
            .count(&format!("outcome: {}{maybe}", outcome.status.name()));
        Ok(())
    }

    fn message(&mut self, client: usize, incoming: &Incoming) -> Verdict {
        let host = &mut self.hosts[client];
        let message = &incoming.message;
        let number = frames::number_of(message.topic(), &message.payload);
        checkers::inbound::message_is_right(host, incoming, number)?;
        if let Some(number) = number {
            host.consumer
                .copies
                .entry((number, message.qos.into()))
                .or_default()
                .delivered += 1;
            self.trace.add(number);
        }
        host.schedule(self.now, incoming.token, number);
        self.tally.count("messages handed over");
        Ok(())
    }

    fn reply(&mut self, client: usize, tag: u64, result: Result<Reply, Error>) -> Verdict {
        let host = &mut self.hosts[client];
        let Some(question) = host.questions.remove(&tag) else {
            return claim(false, "questions_are_answered_once", || {
                format!("reply {tag}: {result:?}, which was not asked or is answered already")
            });
        };
        let kind = if result.is_ok() { "answered" } else { "failed" };
        self.tally
            .count(&format!("question {kind}: {}", question.name()));
        match (question, result) {
            (Question::Flush { last }, Ok(Reply::Done)) => {
                let left = host
                    .ledger
                    .letters
                    .range(..=last)
                    .find(|(_, letter)| letter.settled.is_none());
                claim(left.is_none(), "flush_means_settled", || {
                    format!(
                        "flushed, and letter {:x} is not settled",
                        left.map_or(0, |(number, _)| *number)
                    )
                })
            }
            (Question::Cancel { letter }, Ok(Reply::Cancelled(found))) => {
                self.cancelled(client, letter, found)
            }
            (Question::Explain { letter }, Ok(Reply::Explained(explanation))) => {
                let facts = host.ledger.letters.get(&letter);
                let live = facts.is_some_and(|letter| letter.settled.is_none());
                claim(
                    explanation.is_some() == live,
                    "explain_knows_the_living",
                    || format!("letter {letter:x}, unsettled {live}: {explanation:?}"),
                )?;
                let sent = facts.is_some_and(|letter| !letter.begun.is_empty());
                let in_flight = explanation
                    .is_some_and(|explanation| matches!(explanation.place, Place::InFlight { .. }));
                claim(!in_flight || sent, "explain_tells_the_place", || {
                    format!("letter {letter:x} is said to be in flight and was never begun")
                })
            }
            (Question::Room, Ok(Reply::Room(room))) => {
                self.room = Some(room);
                Ok(())
            }
            (Question::Subscribe { filters }, result) => {
                self.subscribed(client, &filters, result);
                Ok(())
            }
            (Question::Reauthenticate { succeeded }, Ok(Reply::Done)) => claim(
                host.asking.succeeded > succeeded,
                "reauthentication_is_the_brokers_word",
                || "re-authentication is done, and no AUTH of success came".into(),
            ),
            (Question::Ping, Ok(Reply::RoundTrip(_)))
            | (Question::Unsubscribe { .. }, Ok(Reply::Unsubscribed(_))) => Ok(()),
            (Question::Close, Ok(Reply::Done)) => claim(
                host.status == Status::Closed && host.questions.is_empty(),
                "close_answers_last",
                || {
                    format!(
                        "close is answered, the status is {:?}, questions {:?}",
                        host.status, host.questions
                    )
                },
            ),
            (_, Err(_)) => Ok(()),
            (question, Ok(reply)) => claim(false, "answers_fit_questions", || {
                format!("{question:?} is answered {reply:?}")
            }),
        }
    }

    fn cancelled(&mut self, client: usize, number: u64, found: bool) -> Verdict {
        let Some(letter) = self.hosts[client].ledger.letters.get(&number) else {
            return Ok(());
        };
        let cancelled = letter.settled.as_ref().is_some_and(|(at, outcome)| {
            *at == self.now && outcome.status == OutcomeStatus::Cancelled
        });
        let hopeless = letter.settled.is_some() || letter.recorded.is_some();
        claim(
            if found { cancelled } else { hopeless },
            "cancel_tells_the_truth",
            || {
                format!(
                    "cancel found letter {number:x}: {found}, it is {:?}",
                    letter.settled
                )
            },
        )
    }

    /// A refused first subscribe is forgotten, anything else stays declared.
    fn subscribed(
        &mut self,
        client: usize,
        filters: &[(String, SubscriptionId)],
        result: Result<Reply, Error>,
    ) {
        let host = &mut self.hosts[client];
        // Without an answer the filters stay declared, and the broker is asked on.
        let Ok(Reply::Subscribed(answers)) = result else {
            return;
        };
        let codes = answers.codes;
        for (position, (filter, id)) in filters.iter().enumerate() {
            // It may have been taken back and declared again meanwhile.
            let declared = host.filters.get_mut(filter);
            let Some(declared) = declared.filter(|declared| declared.id == *id) else {
                continue;
            };
            declared.asked = declared.asked.saturating_sub(1);
            if declared.asked == 0 {
                host.unsent_filters.remove(filter);
            }
            match codes.get(position) {
                Some(code) if code.0 < 0x80 => declared.granted = true,
                Some(_) if !declared.granted && declared.asked == 0 => {
                    host.filters.remove(filter);
                }
                _ => {}
            }
        }
    }

    fn connection(&mut self, client: usize, event: ConnectionEvent) -> Verdict {
        let calm = matches!(self.phase, Phase::Quiet(_));
        let host = &mut self.hosts[client];
        match event {
            ConnectionEvent::Online(online) => {
                self.tally.count(&format!(
                    "online: {:?}, session {}",
                    online.version,
                    if online.session_present {
                        "resumed"
                    } else {
                        "new"
                    }
                ));
                let link = host.link.and_then(|number| self.links.get(&number));
                let accepted = link.is_some_and(|link| link.sent.accepted);
                // Where the session ended as soon as it was there, the next attempt has begun before this is told.
                let before = host.line.accepted_at == Some(self.now);
                claim(accepted || before, "online_means_accepted", || {
                    "online without a CONNACK of success".into()
                })?;
                // A DISCONNECT may have come with CONNACK.
                host.line.online = accepted;
                host.line.online_since = Some(self.now);
                Ok(())
            }
            ConnectionEvent::Offline { why, .. } => {
                self.tally.count(&format!("offline: {:?}", why.kind));
                claim(!calm || host.unreachable, "quiet_connections_stay", || {
                    format!("client {client} is offline in quiet times: {why}")
                })
            }
            ConnectionEvent::AttemptFailed { why, .. } => {
                self.tally.count(&format!("attempt failed: {:?}", why.kind));
                if host.asking.preparing {
                    // It came to nothing before anything was dialed.
                    host.asking.preparing = false;
                    host.line.ended_at = Some(self.now);
                }
                Ok(())
            }
        }
    }

    /// What a broker found out.
    pub(super) fn learn(&mut self, fact: Fact) -> Verdict {
        match fact {
            Fact::Broken {
                connection,
                violation,
            } => {
                return Err(Failure {
                    checker: "client_keeps_the_standard",
                    message: format!(
                        "link {connection}: {} [{}]",
                        violation.what, violation.statement
                    ),
                });
            }
            Fact::Connecting {
                connection,
                user_name,
                will_topic,
            } => {
                if let Some(link) = self.links.get(&connection) {
                    let (expected, said) = (&link.login, (user_name, will_topic));
                    return claim(said == *expected, "connect_says_what_was_answered", || {
                        format!("CONNECT says {said:?}, it was to say {expected:?}")
                    });
                }
            }
            Fact::Accepted {
                connection,
                client_id,
                ..
            } => {
                if let Some(link) = self.links.get(&connection) {
                    self.clients.insert(client_id, link.client);
                }
            }
            Fact::Arrived(arrived) => {
                let Some(number) = arrived.number else {
                    return claim(false, "letters_arrive_intact", || {
                        format!("a PUBLISH without a number: {arrived:?}")
                    });
                };
                let owner = (number >> 32) as usize;
                let host = owner
                    .checked_sub(1)
                    .and_then(|client| self.hosts.get_mut(client));
                let letter = host.and_then(|host| {
                    let letter = host.ledger.letters.get_mut(&number)?;
                    Some((letter, &mut host.tamper))
                });
                let Some((letter, tamper)) = letter else {
                    return claim(false, "letters_arrive_intact", || {
                        format!("nobody posted letter {number:x}")
                    });
                };
                claim(
                    arrived.intact && arrived.qos == letter.qos,
                    "letters_arrive_intact",
                    || format!("letter {number:x} arrived as {arrived:?}"),
                )?;
                letter.arrived += 1;
                let doubled = tamper.doubles(&arrived);
                letter.onward += u32::from(arrived.onward || doubled);
                let letter = letter.clone();
                let host = &self.hosts[owner - 1];
                return checkers::outcomes::exactly_once_is_never_doubled(&letter, host);
            }
            Fact::Began { connection } => {
                if let Some(link) = self.links.get(&connection) {
                    let host = &mut self.hosts[link.client];
                    host.unheard_sessions.insert(connection, self.now);
                }
            }
            Fact::Copied {
                client_id,
                number,
                qos,
                size,
            } => {
                // On 3.1.1 the client cannot tell the broker its limit, and skips what is larger.
                let limit = self
                    .clients
                    .get(&client_id)
                    .map(|client| self.hosts[*client].options.max_packet_size);
                let skipped = limit.is_some_and(|limit| size > limit as usize);
                self.copies(&client_id, number, qos, |copies| {
                    copies.made += 1;
                    copies.given_up += u32::from(skipped);
                });
            }
            Fact::GivenUp {
                client_id,
                number,
                qos,
            } => self.copies(&client_id, number, qos, |copies| copies.given_up += 1),
        }
        Ok(())
    }

    fn copies(
        &mut self,
        client_id: &str,
        number: Option<u64>,
        qos: u8,
        change: impl FnOnce(&mut super::host::Copies),
    ) {
        let (Some(client), Some(number)) = (self.clients.get(client_id), number) else {
            return;
        };
        change(
            self.hosts[*client]
                .consumer
                .copies
                .entry((number, qos))
                .or_default(),
        );
    }

    /// The session of a client at the broker it is connected to.
    pub(super) fn session_of(&self, client: usize) -> Option<&Session> {
        let link = self.links.get(&self.hosts[client].link?)?;
        let broker = &self.brokers[link.broker];
        let client_id = broker
            .connections
            .get(&link.sent.connection)?
            .client_id
            .as_ref()?;
        broker.sessions.get(client_id)
    }

    /// Copies by message number and QoS that lie in sessions which the client is not connected to: those at its other brokers.
    pub(super) fn copies_elsewhere(&self, client: usize) -> BTreeMap<(u64, u8), u32> {
        let here = self.session_of(client);
        let mut lying = BTreeMap::new();
        for (client_id, session) in self.brokers.iter().flat_map(|broker| &broker.sessions) {
            let is_here = here.is_some_and(|here| std::ptr::eq(here, session));
            if self.clients.get(client_id) != Some(&client) || is_here {
                continue;
            }
            let copies = session.in_flight.iter().map(|message| &message.copy);
            for copy in copies.chain(&session.waiting) {
                if let Some(number) = copy.number {
                    *lying.entry((number, copy.qos)).or_default() += 1;
                }
            }
        }
        lying
    }

    /// Whether everything has come to rest.
    pub(super) fn drained(&self) -> bool {
        (0..self.hosts.len()).all(|client| self.why_not_drained(client).is_none())
    }

    /// What a client still waits for.
    /// A sentence that is made only if somebody reads it: this is asked after every event.
    pub(super) fn why_not_drained(&self, client: usize) -> Option<Sentence<'_>> {
        let host = &self.hosts[client];
        if host.closed() || host.unreachable {
            return None;
        }
        let renewed = host
            .link
            .and_then(|number| self.links.get(&number))
            .is_some_and(|link| link.dialed >= self.calm_since);
        if host.status != Status::Online || !renewed {
            return sentence(move || format!("client {client} is {:?}", host.status));
        }
        if host.ledger.live > 0 {
            return sentence(move || {
                let mut letters = host.ledger.letters.values();
                format!(
                    "client {client} has {} letters without outcome, the first is {:?}",
                    host.ledger.live,
                    letters.find(|letter| letter.settled.is_none())
                )
            });
        }
        if !host.questions.is_empty() {
            return sentence(move || format!("client {client} owes answers: {:?}", host.questions));
        }
        let down = |declared: &&Declared| declared.state == SubscriptionState::Down;
        if let Some(declared) = host.filters.values().find(down) {
            return sentence(move || format!("client {client} waits for {declared:?}"));
        }
        if !host.consumer.inbox.is_empty() || !host.consumer.acks.is_empty() {
            return sentence(move || format!("client {client} has messages to handle"));
        }
        let session = self.session_of(client)?;
        if session.in_flight.is_empty() && session.waiting.is_empty() {
            return None;
        }
        sentence(move || {
            format!(
                "client {client} owes the broker {} acknowledgements, {} wait",
                session.in_flight.len(),
                session.waiting.len()
            )
        })
    }
}

/// Words to be put together when they are wanted.
pub(super) type Sentence<'a> = Box<dyn Fn() -> String + 'a>;

fn sentence<'a>(words: impl Fn() -> String + 'a) -> Option<Sentence<'a>> {
    Some(Box::new(words))
}

impl Host {
    /// Closed, and everything was answered.
    pub fn closed(&self) -> bool {
        self.status == Status::Closed && self.questions.is_empty()
    }
}

impl Question {
    fn name(&self) -> &'static str {
        match self {
            Question::Flush { .. } => "flush",
            Question::Ping => "ping",
            Question::Cancel { .. } => "cancel",
            Question::Explain { .. } => "explain",
            Question::Subscribe { .. } => "subscribe",
            Question::Unsubscribe { .. } => "unsubscribe",
            Question::Room => "room",
            Question::Reauthenticate { .. } => "reauthenticate",
            Question::Close => "close",
        }
    }
}
