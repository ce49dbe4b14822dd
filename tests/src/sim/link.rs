//! A connection between a client and a broker, and what the world does with it: dial, write, deliver, break.

use leveret_protocol::engine::{Input, LinkErrorKind, State};
use leveret_protocol::time::Instant;

use super::broker::Wire;
use super::checkers::breach::{Nonsense, Turn};
use super::checkers::{self, Failure, Verdict, claim, wire::Sent};
use super::frames::{Frame, Splitter, kind};
use super::hearing::Counts;
use super::ledger::Holder;
use super::network::{Arrival, End, MILLISECOND, Nanos, Pipe, SECOND};
use super::operation::{DialFailure, Misbehaviour};
use super::random::Random;
use super::tap::{Seen, Tap};
use super::world::{World, link_error};

/// What the first broker of a plan calls the other one to which it refers, and which that is.
pub(super) const ELSEWHERE: &str = "elsewhere";
const ELSEWHERE_AT: usize = 1;

/// A connection, from the dial to the last byte.
#[derive(Debug)]
pub struct Link {
    /// Whose.
    pub client: usize,
    /// To which broker.
    pub broker: usize,
    /// The engine's number for it.
    pub attempt: u64,
    /// When it was dialed.
    pub dialed: Nanos,
    /// When the outcome of the dial is known; `None` if it is, or never will be.
    pub dialed_at: Option<Nanos>,
    /// The user name and the topic of the will that CONNECT has to carry.
    pub login: (Option<String>, Option<String>),
    /// How the dial will fail.
    pub failure: Option<LinkErrorKind>,
    /// The transport is there.
    pub up: bool,
    /// The client gave it up; bytes on their way may still reach the broker.
    pub hung_up: bool,
    /// The engine has to be told when the socket takes bytes again.
    pub stalled: bool,
    /// What is written now may have waited since then for the socket.
    pub late_since: Option<Nanos>,
    /// When it will be told.
    pub writable_at: Option<Nanos>,
    /// Client to broker.
    pub to_broker: Pipe,
    /// Broker to client.
    pub to_client: Pipe,
    /// What the client sent.
    pub tap: Tap,
    /// What is remembered of it.
    pub sent: Sent,
    /// What the client received.
    pub heard: Splitter,
    /// How many bytes the broker put onto the wire, how many of them came, and how many were whole frames.
    pub counts: Counts,
    /// Nonsense of the broker, by its place among these bytes.
    pub nonsense: Vec<Nonsense>,
    /// Bytes that the engine left for the next time.
    pub unread: bytes::BytesMut,
    /// When CONNACK came.
    pub accepted_at: Nanos,
    /// The keep alive in force, once online.
    pub keep_alive: Nanos,
    /// When the last frame was taken whole and the socket was free.
    pub last_said: Nanos,
    /// When bytes came last, or the broker made room for some.
    pub last_heard: Nanos,
    /// When the unanswered PINGREQ was taken.
    pub ping_at: Option<Nanos>,
}

impl World {
    /// `Output::Dial`.
    pub(super) fn dial(
        &mut self,
        client: usize,
        attempt: u64,
        endpoint: usize,
        reference: Option<&str>,
    ) -> Verdict {
        checkers::connecting::dial_is_known(&self.hosts[client], attempt, endpoint)?;
        if !std::mem::take(&mut self.hosts[client].asking.preparing) {
            self.attempt_is_due(client)?;
        }
        let host = &mut self.hosts[client];
        host.line.attempt = attempt;
        host.line.online = false;
        host.line.parted_on_311 = false;
        let login = host.login();
        let referred = reference == Some(ELSEWHERE);
        claim(
            reference.is_none() || referred && self.plan.referred,
            "reference_is_the_brokers",
            || format!("{reference:?} is dialed"),
        )?;
        let broker = if referred { ELSEWHERE_AT } else { endpoint };
        if let Some(old) = host.link {
            self.drop_link(old, End::Reset);
        }
        let number = self.next_link;
        self.next_link += 1;
        let (until, how) = self.failing_dials[client];
        let failing = (until > self.now).then_some(how);
        let refused = !self.brokers[broker].listens(self.now);
        let failure = match failing {
            Some(DialFailure::Refused) => Some(LinkErrorKind::Refused),
            Some(DialFailure::Unreachable) => Some(LinkErrorKind::Unreachable),
            Some(DialFailure::Dns) => Some(LinkErrorKind::Dns),
            Some(DialFailure::Silent) => None,
            None => refused.then_some(LinkErrorKind::Refused),
        };
        let network = self.plan.clients[client].network.clone();
        let mut random = Random::stream(self.plan.seed, "link", u64::from(number));
        let arrives = self.now + 2 * random.between(network.latency.0, network.latency.1) + 1;
        self.links.insert(
            number,
            Link {
                client,
                broker,
                login,
                attempt,
                dialed: self.now,
                dialed_at: (failing != Some(DialFailure::Silent)).then_some(arrives),
                failure,
                up: false,
                hung_up: false,
                stalled: false,
                late_since: None,
                writable_at: None,
                to_broker: Pipe::new(Random::new(random.word()), network.clone()),
                to_client: Pipe::new(Random::new(random.word()), network),
                tap: Tap::default(),
                sent: Sent {
                    connection: number,
                    ..Sent::default()
                },
                heard: Splitter::default(),
                counts: Counts::default(),
                nonsense: Vec::new(),
                unread: bytes::BytesMut::new(),
                accepted_at: 0,
                keep_alive: 0,
                last_said: self.now,
                last_heard: self.now,
                ping_at: None,
            },
        );
        self.hosts[client].link = Some(number);
        self.tally.count("dials");
        self.trace.note(self.now, || {
            format!("client {client} dials broker {broker}, attempt {attempt}, link {number}")
        });
        Ok(())
    }

    /// The application is asked what an attempt is to say: with the question the attempt has begun.
    pub(super) fn attempt_begins(&mut self, client: usize) -> Verdict {
        self.attempt_is_due(client)?;
        self.hosts[client].asking.preparing = true;
        Ok(())
    }

    fn attempt_is_due(&mut self, client: usize) -> Verdict {
        let host = &mut self.hosts[client];
        checkers::connecting::attempt_is_due(host, self.now)?;
        let settled = host.line.settled();
        host.line.attempts = if settled { 2 } else { host.line.attempts + 1 };
        host.line.taken_over = false;
        host.line.online_since = None;
        host.line.hurried = false;
        Ok(())
    }

    /// The outcome of a dial.
    pub(super) fn dialed(&mut self, number: u32) -> Verdict {
        let Some(link) = self.links.get_mut(&number) else {
            return Ok(());
        };
        link.dialed_at = None;
        let (client, attempt) = (link.client, link.attempt);
        if let Some(kind) = link.failure {
            self.tally.count("faults: dial failed");
            self.links.remove(&number);
            return self.link_is_down(client, attempt, kind);
        }
        link.up = true;
        link.last_said = self.now;
        self.brokers[link.broker].accept(self.now, number);
        self.trace
            .note(self.now, || format!("client {client} is linked ({number})"));
        self.hosts[client]
            .engine
            .handle(Instant(self.now), Input::LinkUp { attempt });
        self.turn(client)
    }

    /// `Input::LinkDown` for the client's link.
    pub(super) fn link_is_down(
        &mut self,
        client: usize,
        attempt: u64,
        kind: LinkErrorKind,
    ) -> Verdict {
        let host = &mut self.hosts[client];
        host.link = None;
        host.line.ended_at = Some(self.now);
        host.line.online = false;
        // While it waited for a stalled socket to take DISCONNECT.
        host.line.parted_on_311 =
            host.engine.state() == State::Parting && host.ledger.session_at.1 == 4;
        host.ledger.connection_ended();
        host.answers_end();
        self.trace.note(self.now, || {
            format!("client {client} loses its link: {kind:?}")
        });
        host.engine.handle(
            Instant(self.now),
            Input::LinkDown {
                attempt,
                why: link_error(kind),
            },
        );
        self.turn(client)
    }

    /// How many bytes of an offer have to be looked at: what fits, and the longest head of a frame that is taken in part.
    pub(super) fn wanted(&self, client: usize) -> usize {
        const HEAD: usize = 1_024;
        let link = self.hosts[client].link;
        let link = link.and_then(|number| self.links.get(&number));
        link.map_or(0, |link| link.to_broker.room()) + HEAD
    }

    /// `Output::Write` of `length` bytes, of which `offered` is what can matter. Says how many were taken.
    pub(super) fn write(
        &mut self,
        client: usize,
        offered: &[u8],
        length: usize,
    ) -> Result<usize, Failure> {
        let now = self.now;
        let fail = |message: &str| Failure {
            checker: "write_has_a_link",
            message: message.to_owned(),
        };
        let number = self.hosts[client]
            .link
            .ok_or_else(|| fail("a write without a link"))?;
        let tampered = self.hosts[client].tamper.offer(offered);
        let link = self
            .links
            .get_mut(&number)
            .ok_or_else(|| fail("a write on a link that is gone"))?;
        claim(link.up && !link.stalled, "write_only_where_it_may", || {
            format!(
                "a write on link {number}, up {}, stalled {}",
                link.up, link.stalled
            )
        })?;
        claim(!offered.is_empty(), "write_is_not_empty", || {
            "an offer without bytes".into()
        })?;
        let bytes = tampered.as_deref().unwrap_or(offered);
        let mut taken = link.to_broker.take(now, bytes);
        let seen = link.tap.watch(bytes, taken).map_err(|message| Failure {
            checker: "offers_have_whole_heads",
            message,
        })?;
        self.trace.bytes(now, number, false, &bytes[..taken]);
        if taken < bytes.len() {
            link.stalled = true;
            link.late_since.get_or_insert(now);
            self.hosts[client].turn.stalled = true;
            self.tally.count("faults: partial write");
            // Room that was not used is used soon; otherwise the next delivery makes some.
            link.writable_at = (link.to_broker.room() > 0).then_some(now + MILLISECOND / 10);
        }
        if tampered.is_some() {
            taken = length;
        }
        for seen in seen {
            match seen {
                Seen::Begun(frame) => self.frame_begun(client, number, &frame)?,
                Seen::Completed(frame) => self.frame_completed(client, number, &frame),
            }
        }
        Ok(taken)
    }

    fn frame_begun(&mut self, client: usize, number: u32, frame: &Frame) -> Verdict {
        let now = self.now;
        let host = &mut self.hosts[client];
        let Some(link) = self.links.get_mut(&number) else {
            return Ok(());
        };
        self.trace
            .note(now, || format!("client {client} > {frame:?}"));
        self.tally.count_frame(frame.kind, false);
        checkers::wire::frame_may_be_sent(&link.sent, &host.ledger, frame)?;
        checkers::connecting::keep_alive_is_kept(link, host, now)?;
        checkers::connecting::nothing_before_the_last_step(host, frame)?;
        match frame.kind {
            kind::PUBLISH => {
                let letter = checkers::wire::letter_may_be_begun(
                    &host.ledger,
                    &link.sent,
                    &host.options,
                    now,
                    frame,
                )?;
                let number = letter.number;
                if letter.begun.is_empty() {
                    let unsent = &host.unsent_filters;
                    host.overtaken.note(&host.ledger, unsent, letter, now)?;
                }
                checkers::order::order_is_kept(
                    &host.ledger,
                    &mut link.sent,
                    &mut host.last_begun,
                    letter,
                )?;
                if frame.qos > 0 {
                    link.sent.in_flight.insert(frame.packet_id);
                    checkers::wire::window_is_kept(&link.sent, &host.options)?;
                }
                host.ledger.begin(number, now, link.sent.connection, frame);
            }
            kind::SUBSCRIBE | kind::UNSUBSCRIBE => {
                host.overtaken.subscribe_goes_first(&frame.filters)?;
                host.unsent_filters
                    .retain(|filter, _| !frame.filters.contains(filter));
                host.ledger.ids.insert(frame.packet_id, Holder::Request);
                let composed = link.late_since.unwrap_or(now);
                link.sent.requests.insert(frame.packet_id, composed);
            }
            kind::DISCONNECT => {
                link.sent.goodbye = true;
                host.turn.goodbye = Some(frame.reason);
                checkers::connecting::goodbye_says_why(host, frame)?;
            }
            kind::PUBREL | kind::PUBCOMP => {
                let key = (frame.kind, frame.packet_id);
                link.sent.answers_at.insert(key, now);
                host.answer_is_begun(now, frame)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn frame_completed(&mut self, client: usize, number: u32, frame: &Frame) {
        let Some(link) = self.links.get_mut(&number) else {
            return;
        };
        link.last_said = self.now;
        match (frame.kind, frame.letter) {
            (kind::PUBLISH, Some(letter)) => {
                let letter = self.hosts[client].ledger.letters.get_mut(&letter);
                if let Some(begun) = letter.and_then(|letter| letter.begun.last_mut()) {
                    begun.completed = true;
                }
            }
            (kind::PINGREQ, _) => link.ping_at = link.ping_at.or(Some(self.now)),
            _ => {}
        }
    }

    /// `Input::Writable`.
    pub(super) fn writable(&mut self, number: u32) -> Verdict {
        let Some(link) = self.links.get_mut(&number) else {
            return Ok(());
        };
        link.writable_at = None;
        if !link.stalled || link.hung_up {
            return Ok(());
        }
        link.stalled = false;
        link.last_said = link.last_said.max(self.now);
        link.last_heard = self.now;
        let client = link.client;
        self.hosts[client]
            .engine
            .handle(Instant(self.now), Input::Writable);
        self.turn(client)?;
        if let Some(link) = self.links.get_mut(&number)
            && !link.stalled
        {
            link.late_since = None;
        }
        Ok(())
    }

    /// `Output::HangUp`.
    pub(super) fn hang_up(&mut self, client: usize, graceful: bool) -> Verdict {
        let Some(number) = self.hosts[client].link else {
            return claim(false, "hang_up_has_a_link", || {
                "HangUp without a link".into()
            });
        };
        self.trace.note(self.now, || {
            format!("client {client} hangs up, graceful {graceful}")
        });
        let told = self.hosts[client].tamper.goodbye(graceful);
        if let Some(link) = self.links.get_mut(&number).filter(|_| told != graceful) {
            link.sent.goodbye = told;
        }
        let graceful = told;
        if let Some(link) = self.links.get(&number) {
            let farewell = link.sent.goodbye && link.tap.between_frames();
            claim(
                !graceful || farewell,
                "graceful_only_after_disconnect",
                || "a graceful end without a whole DISCONNECT".into(),
            )?;
            checkers::connecting::farewell_is_right(link, &self.hosts[client], self.now)?;
        }
        let level = self.links.get(&number).map_or(0, |link| link.tap.level());
        let host = &mut self.hosts[client];
        host.turn.hung_up = true;
        host.line.ended_at = Some(self.now);
        host.line.online = false;
        host.line.parted_on_311 = graceful && level == 4;
        host.ledger.connection_ended();
        host.answers_end();
        self.tally.count(if graceful {
            "hang-ups after DISCONNECT"
        } else {
            "hang-ups, abortive"
        });
        self.drop_link(number, if graceful { End::Graceful } else { End::Reset });
        Ok(())
    }

    /// The client lets go of a link.
    pub(super) fn drop_link(&mut self, number: u32, end: End) {
        let Some(link) = self.links.get_mut(&number) else {
            return;
        };
        if self.hosts[link.client].link == Some(number) {
            self.hosts[link.client].link = None;
        }
        if !link.up || link.to_broker.is_over() {
            self.links.remove(&number);
            return;
        }
        link.hung_up = true;
        link.writable_at = None;
        link.to_broker.finish(self.now, end);
        // Through a black hole the broker learns nothing for a while, and the next CONNECT finds the old connection there.
        link.to_broker.unblock(self.now + 90 * SECOND);
    }

    /// Bytes or the end reach the broker.
    pub(super) fn arrive_at_broker(&mut self, number: u32) -> Verdict {
        let Some(link) = self.links.get_mut(&number) else {
            return Ok(());
        };
        let broker = &mut self.brokers[link.broker];
        match link.to_broker.deliver(self.now) {
            Some(Arrival::Bytes(bytes)) => {
                if link.stalled && link.writable_at.is_none() && link.to_broker.room() > 0 {
                    link.writable_at = Some(self.now);
                }
                broker.receive(self.now, number, &bytes);
            }
            Some(Arrival::Ended(_)) => {
                broker.hung_up(self.now, number);
                if link.hung_up {
                    self.links.remove(&number);
                }
            }
            None => {}
        }
        Ok(())
    }

    /// Bytes or the end reach the client.
    pub(super) fn arrive_at_client(&mut self, number: u32) -> Verdict {
        let Some(link) = self.links.get_mut(&number) else {
            return Ok(());
        };
        let (client, attempt) = (link.client, link.attempt);
        match link.to_client.deliver(self.now) {
            Some(Arrival::Bytes(bytes)) => {
                self.trace.bytes(self.now, number, true, &bytes);
                link.unread.extend_from_slice(&bytes);
                link.last_heard = self.now;
                link.counts.come += bytes.len() as u64;
                self.hosts[client].turn = Turn {
                    stalled: link.stalled,
                    excused: link.nonsense_has_come(),
                    ..Turn::default()
                };
                for how in link.nonsense_begins() {
                    self.tally.count(&how.name());
                }
                self.hear(client, number, &bytes);
                if let Some(link) = self.links.get_mut(&number) {
                    self.hosts[client].tamper.inbound(&mut link.unread);
                    self.hosts[client]
                        .engine
                        .handle(Instant(self.now), Input::Received(&mut link.unread));
                }
                self.turn(client)?;
                let turn = std::mem::take(&mut self.hosts[client].turn);
                checkers::breach::breach_ends_the_connection(&turn)
            }
            Some(Arrival::Ended(end)) => {
                // What the client said and the broker did not read is lost with the connection.
                self.brokers[link.broker].hung_up(self.now, number);
                self.links.remove(&number);
                self.link_is_down(
                    client,
                    attempt,
                    if end == End::Graceful {
                        LinkErrorKind::Closed
                    } else {
                        LinkErrorKind::Reset
                    },
                )
            }
            None => Ok(()),
        }
    }

    /// What the brokers send.
    pub(super) fn put_on_wire(&mut self, wire: Vec<(u32, Wire)>) {
        for (number, wire) in wire {
            let Some(link) = self.links.get_mut(&number) else {
                continue;
            };
            match wire {
                Wire::Bytes(bytes) => {
                    link.counts.put += bytes.len() as u64;
                    link.to_client.put(self.now, &bytes);
                }
                Wire::Hostile(how, bytes) => {
                    let from = link.counts.put;
                    let to = from + bytes.len() as u64;
                    link.counts.put = to;
                    let begun = false;
                    link.nonsense.push(Nonsense {
                        how,
                        from,
                        to,
                        begun,
                    });
                    // So that nothing of a flood can be acknowledged before the rest has come.
                    if let Misbehaviour::Flood { .. } = how {
                        link.to_client.put_whole(self.now, &bytes);
                    } else {
                        link.to_client.put(self.now, &bytes);
                    }
                }
                Wire::End(end) => {
                    link.to_client.finish(self.now, end);
                    if link.hung_up {
                        self.links.remove(&number);
                    }
                }
            }
        }
    }
}
