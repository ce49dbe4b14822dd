//! The plan's operations, done to the world.

use leveret_protocol::engine::Input;
use leveret_protocol::options::CloseOptions;
use leveret_protocol::time::{Duration, Instant};

use super::checkers::Verdict;
use super::frames;
use super::network::{End, MILLISECOND, Nanos, SECOND};
use super::operation::{Cut, Misbehaviour, Operation, Step, TOPICS};
use super::world::World;

impl World {
    pub(super) fn do_step(&mut self, step: &Step) -> Verdict {
        let client = step.client;
        self.trace.note(self.now, || {
            format!("step: client {client} {:?}", step.operation)
        });
        self.tally
            .count(&format!("operation: {}", step.operation.name()));
        match &step.operation {
            Operation::Publish(letters) => self.post(client, letters),
            Operation::Cancel { pick } => self.cancel(client, *pick),
            Operation::Explain { pick } => self.explain(client, *pick),
            Operation::Subscribe(filters) => self.subscribe(client, filters),
            Operation::Unsubscribe(filters) => self.unsubscribe(client, filters),
            Operation::Flush => self.flush(client),
            Operation::Ping => self.ping(client),
            Operation::Reconnect => self.reconnect(client),
            Operation::Reauthenticate => self.reauthenticate(client),
            Operation::Close {
                timeout,
                end_session,
                session_expiry,
                with_will,
                words,
            } => {
                let mut options = CloseOptions {
                    timeout: Some(Duration::from_nanos(*timeout)),
                    end_session: *end_session,
                    session_expiry: session_expiry
                        .map(|seconds| Duration::from_secs(seconds.into())),
                    with_will: *with_will,
                    ..CloseOptions::new()
                };
                if *words {
                    options.reason_string = Some("enough".into());
                    options.user_properties = vec![("why".into(), "enough".into())];
                }
                self.close(client, options)
            }
            Operation::PauseConsumer { lasting } => {
                self.hosts[client].consumer.paused_until = self.now + lasting;
                Ok(())
            }
            Operation::HoldAcks { lasting } => {
                self.hosts[client].consumer.held_until = self.now + lasting;
                Ok(())
            }
            Operation::Suspend { lasting } => {
                self.hosts[client].suspended_until = self.now + lasting;
                Ok(())
            }
            Operation::SpareTick => {
                self.hosts[client]
                    .engine
                    .handle(Instant(self.now), Input::Tick);
                self.turn(client)
            }
            Operation::ClockBack { by } => {
                // It has to know how late it is before it can be told something earlier.
                let now = Instant(self.now);
                self.hosts[client].engine.handle(now, Input::Tick);
                let before = Instant(self.now.saturating_sub(*by));
                self.hosts[client].engine.handle(before, Input::Tick);
                self.turn(client)
            }
            fault => {
                self.do_fault(client, fault);
                Ok(())
            }
        }
    }

    fn do_fault(&mut self, client: usize, fault: &Operation) {
        let now = self.now;
        let number = self.hosts[client]
            .link
            .filter(|number| self.links.get(number).is_some_and(|link| link.up));
        let index = number
            .and_then(|number| self.links.get(&number))
            .map_or(0, |link| link.broker);
        match *fault {
            Operation::Cut(how) => self.cut(number, how),
            Operation::StallBroker { lasting } => self.block(number, Some(now + lasting), None),
            Operation::Mute { lasting } => self.block(number, None, Some(now + lasting)),
            Operation::Blackhole => self.block(number, Some(Nanos::MAX), Some(Nanos::MAX)),
            Operation::FailDials { lasting, how } => {
                self.failing_dials[client] = (now + lasting, how);
            }
            Operation::Restart {
                down,
                keep_sessions,
            } => {
                self.brokers[index].stop(now, now + down, keep_sessions);
            }
            Operation::LoseSession => self.brokers[index].doom(number),
            Operation::Kick { reason } => {
                if let Some(number) = number {
                    self.brokers[index].kick(now, number, reason);
                }
            }
            Operation::TakeOver => self.brokers[index].take_over_by_stranger(now, number),
            Operation::Swallow { kind, count } => {
                *self.brokers[index].faults.swallow.entry(kind).or_default() += count;
            }
            Operation::RefuseConnect { reason, count } => {
                self.brokers[index].faults.refuse_connect = Some((reason, count));
                self.cut(number, Cut::BrokerCloses);
            }
            Operation::Refer { reason, count } if self.plan.referred => {
                self.brokers[index].faults.refer = Some((reason, count));
                self.cut(number, Cut::BrokerCloses);
            }
            Operation::RefuseAuthentication { count } => {
                self.brokers[index].faults.refuse_authentication += count;
                self.cut(number, Cut::BrokerCloses);
            }
            Operation::RefuseSubscribe { count } => {
                self.brokers[index].faults.refuse_subscribe += count;
            }
            Operation::RejectLetters { reason, count } => {
                self.brokers[index].faults.reject = Some((reason, count));
            }
            Operation::Misbehave(how) => self.misbehave(number, index, how),
            Operation::Message {
                topic,
                qos,
                length,
                retain,
                count,
            } => {
                for _ in 0..count {
                    self.next_message += 1;
                    let number = self.next_message;
                    let topic = frames::topic(number, length, TOPICS[topic]);
                    let payload = frames::payload(number, length).into();
                    self.brokers[index]
                        .publish_from_outside(now, number, topic, payload, qos, retain);
                }
            }
            _ => {}
        }
    }

    fn cut(&mut self, number: Option<u32>, how: Cut) {
        let now = self.now;
        let Some((number, link)) =
            number.and_then(|number| Some((number, self.links.get_mut(&number)?)))
        else {
            return;
        };
        match how {
            Cut::Reset => {
                link.to_client.finish(now, End::Reset);
                link.to_broker.finish(now, End::Reset);
            }
            Cut::BrokerCloses => self.brokers[link.broker].close(now, number, End::Graceful),
            Cut::BrokerResets => self.brokers[link.broker].close(now, number, End::Reset),
        }
    }

    fn block(&mut self, number: Option<u32>, up: Option<Nanos>, down: Option<Nanos>) {
        let Some(link) = number.and_then(|number| self.links.get_mut(&number)) else {
            return;
        };
        if let Some(until) = up {
            link.to_broker.block(until);
        }
        if let Some(until) = down {
            link.to_client.block(until);
        }
    }

    fn misbehave(&mut self, number: Option<u32>, index: usize, how: Misbehaviour) {
        let Some(number) = number else { return };
        self.brokers[index].misbehave(self.now, number, how);
    }

    /// From here on nothing goes wrong: faults end, everybody is awake, and every connection is made anew once, so that what was swallowed is sent again.
    pub(super) fn calm_down(&mut self) -> Verdict {
        let now = self.now;
        self.calm_since = now;
        self.trace.note(now, || "calm".to_owned());
        for broker in &mut self.brokers {
            broker.calm_down(now);
        }
        for client in 0..self.hosts.len() {
            self.failing_dials[client].0 = 0;
            let host = &mut self.hosts[client];
            host.consumer.paused_until = 0;
            host.consumer.held_until = 0;
            host.consumer.prompt_from = now + 30 * SECOND;
            host.consumer.hurry(now);
            host.plan.consumer.handling = (0, MILLISECOND);
            host.plan.answers.delay = (0, MILLISECOND);
            host.plan.answers.refusing = 0;
            host.plan.answers.silent = 0;
            host.suspended_until = host.suspended_until.min(now);
        }
        for link in self.links.values_mut() {
            link.to_broker.unblock(now);
            link.to_client.unblock(now);
            link.to_broker.finish(now, End::Reset);
            link.to_client.finish(now, End::Reset);
            // A dial without an answer is left to the engine's own timeout.
        }
        Ok(())
    }
}

impl Operation {
    /// What it is called in the tally.
    pub fn name(&self) -> &'static str {
        match self {
            Operation::Publish(_) => "publish",
            Operation::Cancel { .. } => "cancel",
            Operation::Explain { .. } => "explain",
            Operation::Subscribe(_) => "subscribe",
            Operation::Unsubscribe(_) => "unsubscribe",
            Operation::Flush => "flush",
            Operation::Ping => "ping",
            Operation::Reconnect => "reconnect",
            Operation::Close { .. } => "close",
            Operation::PauseConsumer { .. } => "pause consumer",
            Operation::HoldAcks { .. } => "hold acknowledgements",
            Operation::Suspend { .. } => "suspend",
            Operation::SpareTick => "spare tick",
            Operation::ClockBack { .. } => "clock back",
            Operation::Reauthenticate => "reauthenticate",
            Operation::Refer { .. } => "fault: referred",
            Operation::RefuseAuthentication { .. } => "fault: authentication refused",
            Operation::Cut(_) => "fault: cut",
            Operation::StallBroker { .. } => "fault: broker does not read",
            Operation::Mute { .. } => "fault: nothing arrives",
            Operation::Blackhole => "fault: black hole",
            Operation::FailDials { .. } => "fault: dials fail",
            Operation::Restart {
                keep_sessions: true,
                ..
            } => "fault: restart with sessions",
            Operation::Restart { .. } => "fault: restart without sessions",
            Operation::LoseSession => "fault: session lost",
            Operation::Kick { .. } => "fault: kicked",
            Operation::TakeOver => "fault: taken over",
            Operation::Swallow { .. } => "fault: packets swallowed",
            Operation::RefuseConnect { .. } => "fault: CONNECT refused",
            Operation::RefuseSubscribe { .. } => "fault: filters refused",
            Operation::RejectLetters { .. } => "fault: letters refused",
            Operation::Misbehave(_) => "fault: hostile broker",
            Operation::Message { .. } => "message from outside",
        }
    }
}
