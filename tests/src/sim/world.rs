//! The world: engines, brokers, network and clock, advanced by hand, always to the earliest thing that is due.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use leveret_protocol::engine::{Command, Event, Input, LinkError, LinkErrorKind, Output, Room};
use leveret_protocol::options::CloseOptions;
use leveret_protocol::time::Instant;

use super::broker::Broker;
use super::checkers::{self, Failure, Verdict, claim};
use super::host::Host;
use super::link::Link;
use super::mutation::Mutation;
use super::network::{MILLISECOND, Nanos, SECOND};
use super::operation::Step;
use super::plan::Plan;
use super::random::Random;
use super::tally::Tally;
use super::trace::Trace;

/// More outputs than this without a `Sleep` between them are a livelock.
const OUTPUTS_PER_TURN: usize = 100_000;
/// More events than this are a run that does not end.
const EVENTS_PER_RUN: u64 = 1_000_000;

/// A run that failed.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The claim.
    pub failure: Failure,
    /// The number of the operation that was done last.
    pub step: usize,
    /// When.
    pub at: Nanos,
}

/// What a run gives.
#[derive(Debug)]
pub struct Outcome {
    /// The first broken claim, if there is one.
    pub broken: Option<Broken>,
    /// How many events it took.
    pub events: u64,
    /// What was counted.
    pub tally: Tally,
    /// A hash of every byte and event with its time.
    pub trace: u64,
    /// What happened, one line each, if it was asked for.
    pub log: Vec<String>,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    pub(super) now: Nanos,
    pub(super) plan: Plan,
    pub(super) hosts: Vec<Host>,
    pub(super) brokers: Vec<Broker>,
    pub(super) links: BTreeMap<u32, Link>,
    /// Which client a broker knows under which id.
    pub(super) clients: BTreeMap<String, usize>,
    pub(super) random: Random,
    pub(super) tally: Tally,
    pub(super) trace: Trace,
    /// Dialing fails until then, and how, by client.
    pub(super) failing_dials: Vec<(Nanos, super::operation::DialFailure)>,
    /// The answer to `MakeRoom` in this turn.
    pub(super) room: Option<Room>,
    /// Letters that a broker took since the world looked last.
    pub(super) phase: Phase,
    pub(super) next_step: usize,
    pub(super) next_link: u32,
    /// The number of the last message from outside.
    pub(super) next_message: u64,
    /// When the faults ended.
    pub(super) calm_since: Nanos,
    events: u64,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The plan's steps are done.
    Active,
    /// Faults are over; everything has to drain until then.
    Draining(Nanos),
    /// Everything is drained; until then nothing may happen but pings.
    Quiet(Nanos),
    /// The clients close; until then all have to be closed.
    Closing(Nanos),
    /// Over.
    Done,
}

/// Something that is due.
#[derive(Clone, Copy, Debug)]
enum Due {
    Step,
    Phase,
    Tick(usize),
    Application(usize),
    Dialed(u32),
    Writable(u32),
    Up(u32),
    Down(u32),
    Broker(usize),
}

/// Runs a plan. `verbose` keeps a log.
pub fn run(plan: &Plan, mutation: Option<Mutation>, verbose: bool) -> Outcome {
    let mut world = match World::new(plan, mutation, verbose) {
        Ok(world) => world,
        Err(message) => {
            let failure = Failure {
                checker: "plan_is_valid",
                message,
            };
            return Outcome {
                broken: Some(Broken {
                    failure,
                    step: 0,
                    at: 0,
                }),
                events: 0,
                tally: Tally::default(),
                trace: 0,
                log: Vec::new(),
            };
        }
    };
    let life = catch_unwind(AssertUnwindSafe(|| world.live()));
    let verdict = life.unwrap_or_else(|panic| {
        Err(Failure {
            checker: "nothing_panics",
            message: words_of(&*panic),
        })
    });
    let broken = verdict.err().map(|failure| Broken {
        failure,
        step: world.next_step,
        at: world.now,
    });
    world.tally.end(world.now);
    Outcome {
        broken,
        events: world.events,
        tally: world.tally,
        trace: world.trace.hash(),
        log: world.trace.into_lines(),
    }
}

impl World {
    fn new(plan: &Plan, mutation: Option<Mutation>, verbose: bool) -> Result<World, String> {
        let mut hosts = Vec::new();
        for (index, client) in plan.clients.iter().enumerate() {
            let mut host = Host::new(client, plan.seed, index, mutation)?;
            let fixed = client.speaks_5_alone();
            host.unreachable = fixed
                && plan
                    .brokers
                    .iter()
                    .take(client.endpoints)
                    .any(|broker| broker.only_311.is_some());
            hosts.push(host);
        }
        let stream = |name, index: usize| Random::stream(plan.seed, name, index as u64);
        let elsewhere = plan.brokers.first().filter(|_| plan.referred);
        let mut brokers: Vec<Broker> = plan
            .brokers
            .iter()
            .chain(elsewhere)
            .enumerate()
            .map(|(index, manners)| Broker::new(manners.clone(), stream("broker", index)))
            .collect();
        if plan.referred {
            brokers[0].elsewhere = Some(super::link::ELSEWHERE.to_owned());
        }
        let mut random = stream("world", 0);
        for host in hosts.iter().filter(|host| !host.options.clean_start) {
            for broker in &mut brokers {
                if random.chance(500) {
                    broker.remember_another_life(&host.options.client_id);
                }
            }
        }
        Ok(World {
            now: 0,
            plan: plan.clone(),
            brokers,
            links: BTreeMap::new(),
            clients: BTreeMap::new(),
            random,
            tally: Tally::default(),
            trace: Trace::new(verbose),
            failing_dials: vec![(0, super::operation::DialFailure::Refused); hosts.len()],
            hosts,
            room: None,
            phase: Phase::Active,
            next_step: 0,
            next_link: 1,
            next_message: 0,
            calm_since: 0,
            events: 0,
        })
    }

    fn live(&mut self) -> Verdict {
        for client in 0..self.hosts.len() {
            let host = &mut self.hosts[client];
            if host.plan.answers.any() {
                host.batch.push(Command::Hooks(host.plan.answers.hooks()));
                let batch = &mut host.batch;
                host.engine.handle(Instant(0), Input::Submit(batch));
            }
            host.engine.handle(Instant(0), Input::Start);
            self.turn(client)?;
        }
        while self.phase != Phase::Done {
            self.events += 1;
            claim(self.events < EVENTS_PER_RUN, "run_ends", || {
                format!("{} events and no end", self.events)
            })?;
            let (at, due) = self.earliest();
            self.advance(at)?;
            self.happen(due)?;
            self.look_around()?;
        }
        Ok(())
    }

    /// The earliest thing that is due; of several at the same instant, any.
    fn earliest(&mut self) -> (Nanos, Due) {
        let mut first = Nanos::MAX;
        let mut choices: Vec<Due> = Vec::with_capacity(4);
        let mut offer = |at: Nanos, due: Due| {
            if at < first {
                first = at;
                choices.clear();
            }
            if at == first {
                choices.push(due);
            }
        };
        offer(self.phase_ends(), Due::Phase);
        if let Some(Step { at, client, .. }) = self.plan.steps.get(self.next_step) {
            offer(self.hosts[*client].noticed(*at), Due::Step);
        }
        for (client, host) in self.hosts.iter().enumerate() {
            if let Some(at) = host.sleep_until {
                offer(host.noticed(at), Due::Tick(client));
            }
            if let Some(at) = host.next_consumption() {
                offer(host.noticed(at), Due::Application(client));
            }
        }
        for (number, link) in &self.links {
            let host = &self.hosts[link.client];
            let noticed = |at: Option<Nanos>| at.map(|at| host.noticed(at));
            let reads = link.up && !link.hung_up && !host.consumer.reading_paused;
            let ways = [
                (noticed(link.dialed_at), Due::Dialed(*number)),
                (noticed(link.writable_at), Due::Writable(*number)),
                (link.to_broker.next_arrival(), Due::Up(*number)),
                (
                    noticed(link.to_client.next_arrival().filter(|_| reads)),
                    Due::Down(*number),
                ),
            ];
            for (at, due) in ways {
                if let Some(at) = at {
                    offer(at, due);
                }
            }
        }
        for (index, broker) in self.brokers.iter().enumerate() {
            if let Some(at) = broker.next_wake() {
                offer(at, Due::Broker(index));
            }
        }
        let due = *self.random.pick(&choices);
        (first.max(self.now), due)
    }

    /// Lets time pass. What was due before must have been done.
    fn advance(&mut self, at: Nanos) -> Verdict {
        if at == self.now {
            return Ok(());
        }
        for host in self.hosts.iter().filter(|host| host.suspended_until < at) {
            checkers::outcomes::nothing_is_overdue(&host.ledger, at)?;
        }
        for link in self.links.values() {
            let host = &self.hosts[link.client];
            if host.suspended_until < at {
                checkers::connecting::line_is_watched(link, host, at)?;
            }
        }
        self.now = at;
        Ok(())
    }

    fn happen(&mut self, due: Due) -> Verdict {
        match due {
            Due::Step => {
                let step = self.plan.steps[self.next_step].clone();
                self.next_step += 1;
                self.do_step(&step)
            }
            Due::Phase => self.next_phase(),
            Due::Tick(client) => {
                self.hosts[client]
                    .engine
                    .handle(Instant(self.now), Input::Tick);
                self.turn(client)
            }
            Due::Application(client) => {
                self.hosts[client].consume(self.now);
                self.submit(client)
            }
            Due::Dialed(number) => self.dialed(number),
            Due::Writable(number) => self.writable(number),
            Due::Up(number) => self.arrive_at_broker(number),
            Due::Down(number) => self.arrive_at_client(number),
            Due::Broker(index) => {
                let wire = self.brokers[index].wake(self.now);
                self.put_on_wire(wire);
                Ok(())
            }
        }
    }

    /// What the brokers found out, and whether the run can go on to its next phase.
    fn look_around(&mut self) -> Verdict {
        for index in 0..self.brokers.len() {
            for fact in self.brokers[index].take_facts() {
                self.learn(fact)?;
            }
        }
        match self.phase {
            Phase::Draining(_) if self.drained() => {
                self.phase = Phase::Quiet(self.now + self.quiet_time());
                Ok(())
            }
            Phase::Closing(_) if self.hosts.iter().all(Host::closed) && self.links.is_empty() => {
                self.phase = Phase::Done;
                checkers::ending::everything_is_settled(self)
            }
            _ => Ok(()),
        }
    }

    fn phase_ends(&self) -> Nanos {
        match self.phase {
            Phase::Active => self
                .hosts
                .iter()
                .map(|host| host.noticed(self.plan.calm_from))
                .max()
                .unwrap_or(0),
            Phase::Draining(until) | Phase::Quiet(until) | Phase::Closing(until) => until,
            Phase::Done => Nanos::MAX,
        }
    }

    fn next_phase(&mut self) -> Verdict {
        match self.phase {
            Phase::Active if self.next_step < self.plan.steps.len() => {
                // A machine that slept has its operations still before it.
                self.plan.calm_from = self.now + SECOND;
                Ok(())
            }
            Phase::Active => {
                self.calm_down()?;
                self.phase = Phase::Draining(self.now + self.drain_time());
                Ok(())
            }
            Phase::Draining(_) => checkers::ending::drains_in_bounded_time(self),
            Phase::Quiet(_) => {
                checkers::ending::subscriptions_are_restored(self)?;
                checkers::ending::messages_have_arrived(self)?;
                self.phase = Phase::Closing(self.now + 60 * SECOND);
                for client in 0..self.hosts.len() {
                    let timeout = Some(leveret_protocol::time::Duration::from_secs(5));
                    self.close(
                        client,
                        CloseOptions {
                            timeout,
                            ..CloseOptions::new()
                        },
                    )?;
                }
                Ok(())
            }
            Phase::Closing(_) => checkers::ending::closes_in_bounded_time(self),
            Phase::Done => Ok(()),
        }
    }

    /// How long draining may take: some attempts to connect, then the letters at the pace of the slowest network.
    fn drain_time(&self) -> Nanos {
        let mut longest = 0;
        for host in &self.hosts {
            let nanos = |duration: leveret_protocol::time::Duration| {
                u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
            };
            let attempt = nanos(host.options.connect_timeout)
                + nanos(host.options.backoff_max)
                + 2 * nanos(host.options.hook_timeout);
            let live = host
                .ledger
                .letters
                .values()
                .filter(|letter| letter.settled.is_none());
            let (letters, bytes) = live.fold((0u64, 0u64), |(letters, bytes), letter| {
                (letters + 1, bytes + letter.cost.bytes)
            });
            let network = &host.plan.network;
            let turns = 4 * letters + 4 * bytes / network.capacity as u64 + 100;
            longest = longest.max(10 * attempt + turns * 2 * (network.latency.1 + MILLISECOND));
        }
        longest + 120 * SECOND
    }

    /// Long enough for a few pings.
    fn quiet_time(&self) -> Nanos {
        self.hosts
            .iter()
            .map(|host| host.options.keep_alive.as_secs().min(30))
            .max()
            .unwrap_or(0)
            * 3
            * SECOND
            + SECOND
    }

    /// Hands over what is in the batch and lets the engine act.
    pub(super) fn submit(&mut self, client: usize) -> Verdict {
        let host = &mut self.hosts[client];
        if host.batch.is_empty() {
            return self.after_turn(client);
        }
        host.engine
            .handle(Instant(self.now), Input::Submit(&mut host.batch));
        self.turn(client)
    }

    /// Polls until the engine sleeps, as the driver does.
    pub(super) fn turn(&mut self, client: usize) -> Verdict {
        for _ in 0..OUTPUTS_PER_TURN {
            let wanted = self.wanted(client);
            let host = &mut self.hosts[client];
            checkers::connecting::state_follows(host, &mut self.tally)?;
            match host.engine.poll() {
                Output::Dial {
                    attempt,
                    endpoint,
                    reference,
                    ..
                } => self.dial(client, attempt, endpoint, reference.as_deref())?,
                Output::Write(slices) => {
                    let length = slices.iter().map(|slice| slice.len()).sum();
                    let bytes = beginning(slices, wanted);
                    let taken = self.write(client, &bytes, length)?;
                    self.hosts[client]
                        .engine
                        .handle(Instant(self.now), Input::Written(taken));
                }
                Output::HangUp { graceful } => self.hang_up(client, graceful)?,
                Output::Deliver(events) => {
                    let events: Vec<Event> = std::mem::take(events);
                    for event in events {
                        self.told(client, event)?;
                    }
                }
                Output::Sleep(until) => {
                    let until = until.map(|until| until.0);
                    host.sleep_until = host.tamper.sleep(until);
                    claim(
                        until.is_none_or(|until| until > self.now),
                        "sleep_is_in_the_future",
                        || format!("Sleep until {until:?} at {}", self.now),
                    )?;
                    return self.after_turn(client);
                }
            }
        }
        claim(false, "poll_comes_to_rest", || {
            format!("{OUTPUTS_PER_TURN} outputs without a Sleep")
        })
    }

    /// Claims about a client at rest, and the driver's word on a full inbox.
    fn after_turn(&mut self, client: usize) -> Verdict {
        let full = self.hosts[client].inbox_full();
        let host = &mut self.hosts[client];
        checkers::ending::bounds_are_kept(host)?;
        host.overtaken
            .turn_is_over(&host.ledger, &host.unsent_filters)?;
        if full != host.consumer.reading_paused {
            host.consumer.reading_paused = full;
            host.consumer.resumed_at = self.now;
            self.tally.count(if full {
                "reading paused"
            } else {
                "reading resumed"
            });
            host.engine
                .handle(Instant(self.now), Input::ReadingPaused(full));
            return self.turn(client);
        }
        Ok(())
    }
}

/// The first `wanted` bytes of an offer.
fn beginning(slices: &[Bytes], wanted: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(wanted.min(1 << 17));
    for slice in slices {
        let left = wanted.saturating_sub(bytes.len());
        bytes.extend_from_slice(&slice[..slice.len().min(left)]);
    }
    bytes
}

fn words_of(panic: &dyn Any) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

/// A link error as the driver words it.
pub(super) fn link_error(kind: LinkErrorKind) -> LinkError {
    LinkError {
        kind,
        text: format!("{kind:?}"),
    }
}
