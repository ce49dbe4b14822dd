//! What the application does: operations become letters and commands.

use leveret_protocol::engine::{
    Command, Cost, Publish, Room, SealedLetter, Subscribe, SubscribeEntry, Unsubscribe,
};
use leveret_protocol::message::QoS;
use leveret_protocol::options::{
    CloseOptions, ExpiredInFlight, Overflow, Priority, PublishOptions, SubscribeOptions,
    Ttl as TtlOption,
};
use leveret_protocol::outcome::{OutcomeStatus, Status, SubscriptionState};
use leveret_protocol::sentence::Dialect;
use leveret_protocol::time::{Duration, Instant};

use super::checkers::{Verdict, claim};
use super::frames;
use super::host::{Declared, Question};
use super::ledger::Letter;
use super::operation::{FILTERS, FilterPlan, LetterPlan, TOPICS, Ttl};
use super::world::World;

impl World {
    /// Posts letters, as `publish` does: budget first, then the outbox; with the overflow rule where the post office is full and offline.
    pub(super) fn post(&mut self, client: usize, plans: &[LetterPlan]) -> Verdict {
        for plan in plans {
            let host = &mut self.hosts[client];
            if host.closing.is_some() {
                return Ok(());
            }
            let number = host.letter_number();
            let topic = frames::topic(number, plan.length, TOPICS[plan.topic]);
            let payload = frames::payload(number, plan.length);
            let mut options = publish_options(plan);
            host.tamper.publish_options(&mut options);
            let publish = Publish {
                topic: &topic,
                payload: payload.as_slice().into(),
                options: &options,
            };
            let Ok(sealed) = publish.seal(&host.options, Dialect::Rust) else {
                self.tally
                    .count("letters refused: larger than the post office");
                continue;
            };
            self.post_sealed(client, number, plan, &sealed)?;
        }
        self.submit(client)
    }

    fn post_sealed(
        &mut self,
        client: usize,
        number: u64,
        plan: &LetterPlan,
        sealed: &SealedLetter<'_>,
    ) -> Verdict {
        let now = self.now;
        let cost = sealed.cost();
        if !self.hosts[client].budget.try_take(cost) {
            if self.hosts[client].status == Status::Online {
                self.tally.count("letters refused: post office full");
                return Ok(());
            }
            match self.make_room(client, sealed)? {
                Room::Refused => {
                    self.tally.count("letters refused: nothing gives way");
                    return Ok(());
                }
                Room::NewOneGoes => {
                    let tag = self.receipt(client, plan, cost);
                    self.accept(client, number, plan, sealed, tag, true);
                    self.hosts[client].batch.push(Command::Discard { tag });
                    return self.submit(client);
                }
                Room::Made => {
                    let taken = self.hosts[client].budget.try_take(cost);
                    claim(taken, "room_made_is_room", || {
                        format!(
                            "room was made for {cost:?}, the budget has {:?}",
                            self.hosts[client].budget
                        )
                    })?;
                }
            }
        }
        let tag = self.receipt(client, plan, cost);
        self.accept(client, number, plan, sealed, tag, false);
        let host = &mut self.hosts[client];
        host.batch.post(sealed, Instant(now), tag);
        if plan.replace.is_some() {
            self.submit(client)?;
            return self.one_waiting_letter_per_key(client, number);
        }
        Ok(())
    }

    /// A receipt, if one is wanted. Without one an outcome is told apart by its cost alone, so only one letter of a cost goes without.
    fn receipt(&mut self, client: usize, plan: &LetterPlan, cost: Cost) -> u64 {
        let host = &mut self.hosts[client];
        let letters = &host.ledger.letters;
        let alike = |number: &u64| {
            letters
                .get(number)
                .is_some_and(|letter| letter.cost == cost)
        };
        let ambiguous = host.options.expired_in_flight == ExpiredInFlight::Resend
            || host.ledger.untold.iter().any(alike);
        if plan.report || ambiguous {
            host.tag()
        } else {
            0
        }
    }

    fn accept(
        &mut self,
        client: usize,
        number: u64,
        plan: &LetterPlan,
        sealed: &SealedLetter<'_>,
        tag: u64,
        discarded: bool,
    ) {
        let now = self.now;
        let host = &mut self.hosts[client];
        if tag != 0 {
            host.receipts.push(tag);
        }
        let deadline = sealed.ttl().map(|ttl| now + ttl.as_nanos() as u64);
        let forwarded =
            deadline.filter(|_| host.options.forward_ttl && matches!(plan.ttl, Ttl::For(_)));
        host.ledger.accept(Letter {
            number,
            tag,
            posted: now,
            deadline,
            forwarded,
            expiry: plan.expiry,
            qos: plan.qos,
            retain: plan.retain,
            priority: plan.priority,
            replace: plan.replace,
            cost: if discarded { Cost::ZERO } else { sealed.cost() },
            begun: Vec::new(),
            arrived: 0,
            onward: 0,
            recorded: None,
            answer: None,
            misled: false,
            cancel_asked: false,
            settled: None,
        });
        self.tally.count("letters accepted");
    }

    /// Asks the engine for room and waits for its answer, which comes in the same turn.
    fn make_room(
        &mut self,
        client: usize,
        sealed: &SealedLetter<'_>,
    ) -> Result<Room, super::checkers::Failure> {
        let lacking = self.hosts[client].budget.free().lacking(sealed.cost());
        let (rule, priority) = (sealed.overflow(), sealed.priority());
        self.submit(client)?;
        let before = self.droppable(client);
        self.room = None;
        self.hosts[client].ask(Question::Room, |reply| Command::MakeRoom {
            reply,
            lacking,
            rule,
            priority,
        });
        self.submit(client)?;
        let room = self.room.take();
        claim(room.is_some(), "room_is_answered_at_once", || {
            "MakeRoom was not answered in its turn".into()
        })?;
        let room = room.unwrap_or(Room::Refused);
        self.tally.count(match room {
            Room::Made => "room made",
            Room::NewOneGoes => "room: the new one goes",
            Room::Refused => "room refused",
        });
        let fits = match room {
            Room::NewOneGoes => matches!(rule, Overflow::DropNewest | Overflow::DropLowest),
            Room::Made => matches!(rule, Overflow::DropOldest | Overflow::DropLowest),
            Room::Refused => rule != Overflow::DropNewest,
        };
        claim(fits, "room_follows_the_rule", || {
            format!("the rule {rule:?} gave {room:?}")
        })?;
        self.right_letters_gave_way(client, rule, &before)?;
        Ok(room)
    }

    /// The unsettled letters of which nothing was sent: those that may give way.
    fn droppable(&self, client: usize) -> Vec<u64> {
        let letters = self.hosts[client].ledger.letters.values();
        let droppable =
            letters.filter(|letter| letter.settled.is_none() && letter.begun.is_empty());
        droppable.map(|letter| letter.number).collect()
    }

    /// SEMANTICS 6: of the letters never sent the oldest go, or the oldest of the lowest priority.
    fn right_letters_gave_way(&self, client: usize, rule: Overflow, before: &[u64]) -> Verdict {
        let letters = &self.hosts[client].ledger.letters;
        let there = before.iter().filter_map(|number| letters.get(number));
        let (settled, left): (Vec<&Letter>, Vec<&Letter>) =
            there.partition(|letter| letter.settled.is_some());
        // A machine that slept finds in the same turn that others have expired.
        let dropped = |letter: &&&Letter| {
            letter
                .settled
                .as_ref()
                .is_some_and(|(_, outcome)| outcome.status == OutcomeStatus::Dropped)
        };
        let gone = settled.iter().filter(dropped);
        let rank = |letter: &&Letter| match rule {
            Overflow::DropLowest => (u8::MAX - letter.priority, letter.posted),
            _ => (0, letter.posted),
        };
        let last = gone.map(rank).max();
        let first = left.iter().map(rank).min();
        let wrong = last.zip(first).is_some_and(|(last, first)| first < last);
        claim(!wrong, "right_letters_gave_way", || {
            format!("{rule:?} dropped a letter of {last:?} and kept one of {first:?}")
        })
    }

    /// SEMANTICS 6: a newer letter of the same key has dropped the one that waited.
    fn one_waiting_letter_per_key(&self, client: usize, number: u64) -> Verdict {
        let ledger = &self.hosts[client].ledger;
        let Some(key) = ledger
            .letters
            .get(&number)
            .and_then(|letter| letter.replace)
        else {
            return Ok(());
        };
        let older = ledger.letters.range(..number).find(|(_, letter)| {
            letter.replace == Some(key) && letter.settled.is_none() && letter.begun.is_empty()
        });
        claim(older.is_none(), "one_waiting_letter_per_key", || {
            format!(
                "letter {:x} waits with the same key as the newer letter {number:x}",
                older.map_or(0, |(number, _)| *number)
            )
        })
    }

    pub(super) fn cancel(&mut self, client: usize, pick: u64) -> Verdict {
        let Some(letter) = self.pick_letter(client, pick) else {
            return Ok(());
        };
        let host = &mut self.hosts[client];
        let Some(facts) = host.ledger.letters.get_mut(&letter) else {
            return Ok(());
        };
        facts.cancel_asked |= facts.settled.is_none();
        let tag = facts.tag;
        host.ask(Question::Cancel { letter }, |reply| Command::Cancel {
            tag,
            reply,
        });
        self.submit(client)
    }

    pub(super) fn explain(&mut self, client: usize, pick: u64) -> Verdict {
        let Some(letter) = self.pick_letter(client, pick) else {
            return Ok(());
        };
        let host = &mut self.hosts[client];
        let tag = host
            .ledger
            .letters
            .get(&letter)
            .map_or(0, |letter| letter.tag);
        host.ask(Question::Explain { letter }, |reply| Command::Explain {
            tag,
            reply,
        });
        self.submit(client)
    }

    /// A letter with a receipt, one of the last twenty more often than not.
    fn pick_letter(&self, client: usize, pick: u64) -> Option<u64> {
        let host = &self.hosts[client];
        let count = host.receipts.len();
        let recent = if pick.is_multiple_of(4) {
            count
        } else {
            count.min(20)
        };
        let back = (pick / 4) as usize % recent.max(1);
        let tag = host.receipts.iter().rev().nth(back)?;
        host.ledger
            .by_tag
            .get(tag)
            .copied()
            .filter(|_| host.closing.is_none())
    }

    pub(super) fn subscribe(&mut self, client: usize, plans: &[FilterPlan]) -> Verdict {
        let host = &mut self.hosts[client];
        if host.closing.is_some() {
            return Ok(());
        }
        let mut entries: Vec<SubscribeEntry> = Vec::new();
        for plan in plans {
            let filter = FILTERS[plan.filter];
            if entries.iter().any(|entry| entry.filter.as_str() == filter) {
                continue;
            }
            let id = host.subscription(filter);
            let declared = host.filters.entry(filter.to_owned()).or_insert(Declared {
                id,
                state: SubscriptionState::Down,
                asked: 0,
                granted: false,
            });
            declared.asked += 1;
            let last = host.last_letter();
            host.unsent_filters.insert(filter.to_owned(), last);
            let qos = QoS::try_from(plan.qos).unwrap_or_default();
            let options = SubscribeOptions {
                qos,
                no_local: plan.no_local,
                retain_handling: plan.retain_handling,
                ..SubscribeOptions::default()
            };
            entries.push(SubscribeEntry {
                id,
                filter: filter.into(),
                options,
            });
        }
        let filters = entries
            .iter()
            .map(|entry| (entry.filter.as_str().to_owned(), entry.id))
            .collect();
        host.ask(Question::Subscribe { filters }, |reply| {
            Command::Subscribe(Box::new(Subscribe { reply, entries }))
        });
        self.submit(client)
    }

    pub(super) fn unsubscribe(&mut self, client: usize, positions: &[usize]) -> Verdict {
        let host = &mut self.hosts[client];
        if host.closing.is_some() {
            return Ok(());
        }
        let mut filters: Vec<String> = positions
            .iter()
            .map(|position| FILTERS[*position].to_owned())
            .collect();
        filters.sort();
        filters.dedup();
        filters.retain(|filter| host.filters.remove(filter).is_some());
        host.unsent_filters
            .retain(|filter, _| !filters.contains(filter));
        let (here, _) = host.ledger.session_at;
        if let Some(left) = host.left_filters.get_mut(&here) {
            left.retain(|filter| !filters.contains(filter));
        }
        if filters.is_empty() {
            return Ok(());
        }
        let texts = filters
            .iter()
            .map(|filter| filter.as_str().into())
            .collect();
        host.ask(Question::Unsubscribe { filters }, |reply| {
            Command::Unsubscribe(Box::new(Unsubscribe {
                reply,
                filters: texts,
                user_properties: Vec::new(),
            }))
        });
        self.submit(client)
    }

    pub(super) fn flush(&mut self, client: usize) -> Verdict {
        let host = &mut self.hosts[client];
        if host.closing.is_some() {
            return Ok(());
        }
        let last = host.last_letter();
        host.ask(Question::Flush { last }, |reply| Command::Flush { reply });
        self.submit(client)
    }

    pub(super) fn ping(&mut self, client: usize) -> Verdict {
        let host = &mut self.hosts[client];
        if host.closing.is_some() {
            return Ok(());
        }
        host.ask(Question::Ping, |reply| Command::Ping { reply });
        self.submit(client)
    }

    pub(super) fn reconnect(&mut self, client: usize) -> Verdict {
        let now = self.now;
        let host = &mut self.hosts[client];
        if host.closing.is_some() {
            return Ok(());
        }
        host.line.hurried = true;
        host.line.attempts = 0;
        host.line.asked_anew = Some(now);
        host.batch.push(Command::Reconnect);
        self.submit(client)
    }

    pub(super) fn reauthenticate(&mut self, client: usize) -> Verdict {
        let host = &mut self.hosts[client];
        if host.closing.is_some() {
            return Ok(());
        }
        let succeeded = host.asking.succeeded;
        host.ask(Question::Reauthenticate { succeeded }, |reply| {
            Command::Reauthenticate { reply }
        });
        self.submit(client)
    }

    pub(super) fn close(&mut self, client: usize, mut options: CloseOptions) -> Verdict {
        let now = self.now;
        let host = &mut self.hosts[client];
        if host.closing.is_some() {
            return Ok(());
        }
        if options.check(&host.options, Dialect::Rust).is_err() {
            options.session_expiry = None;
        }
        let timeout = options.timeout.unwrap_or_default().as_nanos() as u64;
        host.closing = Some(now + timeout);
        host.closing_with_will = options.with_will;
        host.ask(Question::Close, |reply| Command::Close {
            reply,
            options: Box::new(options),
        });
        self.submit(client)
    }
}

fn publish_options(plan: &LetterPlan) -> PublishOptions {
    let mut options = PublishOptions {
        qos: QoS::try_from(plan.qos).unwrap_or_default(),
        retain: plan.retain,
        ttl: match plan.ttl {
            Ttl::Default => TtlOption::Default,
            Ttl::Unlimited => TtlOption::Never,
            Ttl::For(nanos) => TtlOption::After(Duration::from_nanos(nanos)),
        },
        priority: [Priority::High, Priority::Normal, Priority::Low]
            [usize::from(plan.priority.min(2))],
        overflow: plan.overflow.map(|rule| {
            [
                Overflow::DropOldest,
                Overflow::DropNewest,
                Overflow::DropLowest,
                Overflow::Reject,
            ][usize::from(rule.min(3))]
        }),
        replace: plan.replace.map(|key| format!("key-{key}")),
        message_expiry: plan
            .expiry
            .map(|seconds| Duration::from_secs(seconds.into())),
        ..PublishOptions::default()
    };
    if plan.properties {
        options.user_properties = vec![
            ("colour".into(), "brown".into()),
            ("colour".into(), "white".into()),
        ];
        options.content_type = Some("text/plain".into());
        options.response_topic = Some("answers".into());
        options.correlation_data = Some(vec![0, 1, 2].into());
    }
    options
}
