//! The life of a client: which connection is wanted, tried, up, ended, and when the next attempt is due. No other file decides this.
use alloc::format;
use core::time::Duration;

use super::event::{ConnectionEvent, Event, Notice};
use super::incoming::Violation;
use super::preparing::Preparation;
use super::timers::Timer;
use super::{Engine, LinkError, LinkErrorKind};
use crate::codec::{Disconnect, Properties, Version};
use crate::error::{Error, ErrorKind};
use crate::outcome::Status;
use crate::reason::ReasonCode;
use crate::text::Text;

/// So long online, and the backoff starts over.
const STEADY_AFTER: Duration = Duration::from_secs(10);

/// Where a client is in its life. Statuses are coarser: `Online` is online, `Closed` is closed, everything else is offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Made, not started. → `Preparing` or `Dialing`: started · `Closed`: closed.
    Idle,
    /// The application is asked what CONNECT is to say. → `Dialing`: it has answered · `Backoff`: it refused, or took too long · `Preparing`:
    /// `reconnect()` · `Closed`: closed. Every other state is followed by this one instead of by `Dialing` if there is something to ask.
    Preparing,
    /// A transport is being opened. → `Handshaking`: it is there · `Backoff`: it failed, or took too long · `Dialing`: `reconnect()` ·
    /// `Closed`: closed.
    Dialing,
    /// CONNECT is on its way. → `Online`: CONNACK · `Backoff`: refused, closed, silent, or a
    /// violation · `Dialing`: another version is tried, another server was named, or `reconnect()` ·
    /// `Parting`: CONNACK, and the client is closing · `Closed`: closed.
    Handshaking,
    /// The broker has accepted. → `Backoff`: the connection was lost · `Parting`: a DISCONNECT is sent first · `Closed`: closed, with
    /// the socket stalled.
    Online,
    /// A DISCONNECT is being written. → `Dialing`: after `reconnect()` · `Backoff`: after a violation · `Closed`: after `close()`.
    Parting,
    /// Waiting for the next attempt. → `Dialing`: it is time, or `reconnect()` · `Closed`: closed.
    Backoff,
    /// The end. Every letter has its outcome.
    Closed,
}

impl State {
    /// All of them.
    pub const ALL: [State; 8] = [
        State::Idle,
        State::Preparing,
        State::Dialing,
        State::Handshaking,
        State::Online,
        State::Parting,
        State::Backoff,
        State::Closed,
    ];

    /// May this state be followed by that one.
    pub fn may_follow(self, next: State) -> bool {
        use State::{Backoff, Closed, Dialing, Handshaking, Idle, Online, Parting, Preparing};
        let dials = matches!(next, Preparing | Dialing);
        match self {
            Idle | Backoff => dials || next == Closed,
            Preparing => dials || matches!(next, Backoff | Closed),
            Dialing => dials || matches!(next, Handshaking | Backoff | Closed),
            Handshaking => dials || matches!(next, Online | Backoff | Parting | Closed),
            Online => dials || matches!(next, Backoff | Parting | Closed),
            Parting => dials || matches!(next, Backoff | Closed),
            Closed => false,
        }
    }

    /// Is what the broker sends read.
    pub(super) const fn is_connected(self) -> bool {
        matches!(self, State::Handshaking | State::Online)
    }
}

/// What follows when a DISCONNECT is written, or cannot be.
#[derive(Debug)]
pub(super) enum Then {
    /// Dial at once.
    Redial,
    /// Connect again after a while.
    Retry(Error),
    /// The end.
    Close,
}

/// Whose session state the engine holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SessionOf {
    pub(super) endpoint: usize,
    pub(super) reference: Option<Text>,
    pub(super) version: Version,
}

/// The connection that is wanted, and what is known for the next one.
#[derive(Debug)]
pub(super) struct Lifecycle {
    state: State,
    attempt: u64,
    endpoint: usize,
    endpoints: usize,
    reference: Option<Text>,
    references: u8,
    cap: Duration,
    then: Option<Then>,
    dial: bool,
    hang_up: Option<bool>,
    pub(super) client_id: Text,
    /// `None` while no broker has a session that goes on.
    pub(super) session: Option<SessionOf>,
    /// CONNECT was sent and its CONNACK has not come.
    pub(super) connect_unanswered: bool,
    /// A CONNACK got lost that may have said that the session is a new one: the next one cannot say so any more.
    pub(super) session_unsure: bool,
    /// The next connection is to begin without the old session, on purpose.
    pub(super) fresh_session: bool,
}

impl Lifecycle {
    pub(super) fn new(client_id: Text, endpoints: usize) -> Lifecycle {
        Lifecycle {
            state: State::Idle,
            attempt: 0,
            endpoint: 0,
            endpoints,
            reference: None,
            references: 0,
            cap: Duration::ZERO,
            then: None,
            dial: false,
            hang_up: None,
            client_id,
            session: None,
            connect_unanswered: false,
            session_unsure: false,
            fresh_session: false,
        }
    }

    pub(super) const fn state(&self) -> State {
        self.state
    }

    pub(super) const fn endpoint(&self) -> usize {
        self.endpoint
    }

    /// The next URL in turn.
    fn endpoint_after(&self, endpoint: usize) -> usize {
        let next = endpoint.saturating_add(1);
        if next < self.endpoints { next } else { 0 }
    }

    /// The broker that is being dialed, or connected to with this version.
    pub(super) fn session_here(&self, version: Version) -> SessionOf {
        SessionOf {
            endpoint: self.endpoint,
            reference: self.reference.clone(),
            version,
        }
    }

    #[cfg_attr(
        not(test),
        expect(clippy::disallowed_macros, reason = "debug builds alone have it")
    )]
    pub(super) fn enter(&mut self, next: State) {
        debug_assert!(self.state.may_follow(next), "{:?} → {next:?}", self.state);
        self.state = next;
    }

    /// A DISCONNECT is being written after which nothing follows.
    pub(super) const fn is_ending(&self) -> bool {
        matches!(self.then, Some(Then::Close))
    }

    /// The transport is to be closed. An attempt that nobody was told of yet is not made.
    pub(super) fn hang_up(&mut self, graceful: bool) {
        if core::mem::take(&mut self.dial) {
            self.attempt = self.attempt.saturating_sub(1);
        } else {
            self.hang_up = Some(graceful);
        }
    }

    pub(super) fn take_hang_up(&mut self) -> Option<bool> {
        self.hang_up.take()
    }

    pub(super) fn take_dial(&mut self) -> Option<(u64, usize, Option<Text>)> {
        core::mem::take(&mut self.dial)
            .then(|| (self.attempt, self.endpoint, self.reference.clone()))
    }

    /// The attempt that is to be made next.
    pub(super) fn preparation(&self, number: u64) -> Preparation {
        Preparation {
            number,
            attempt: self.attempt.saturating_add(1),
            endpoint: self.endpoint,
            reference: self.reference.clone(),
        }
    }

    /// Follows a Server Reference (MQTT 5, 4.11), unless it has led on too often. Says whether it does.
    pub(super) fn follow(&mut self, reference: &str, most: u8) -> bool {
        // The property may name several servers, separated by spaces; the first is tried.
        let first = reference.split_ascii_whitespace().next();
        let followed = first.filter(|_| self.references < most);
        if let Some(first) = followed {
            self.references = self.references.saturating_add(1);
            self.reference = Some(Text::from(first));
        }
        followed.is_some()
    }
}

impl Engine {
    pub(super) fn start(&mut self) {
        if self.life.state == State::Idle {
            self.dial();
        }
    }

    /// Opens a transport, the old one being gone or hung up; first asks the application what it has to be asked.
    pub(super) fn dial(&mut self) {
        self.timers.clear(Timer::Backoff);
        // Of an attempt that is given up for this one: what is answered yet comes too late.
        self.timers.clear(Timer::Connect);
        self.preparation_ends();
        self.step_ends();
        if self.ask_for_preparation() || self.ask_before_dialing() {
            self.life.enter(State::Preparing);
        } else {
            self.dial_prepared();
        }
    }

    /// The application has said what CONNECT is to carry.
    pub(super) fn dial_prepared(&mut self) {
        self.life.enter(State::Dialing);
        self.life.attempt = self.life.attempt.saturating_add(1);
        self.life.dial = true;
        self.timers
            .set(Timer::Connect, self.now + self.options.connect_timeout);
    }

    pub(super) fn link_up(&mut self, attempt: u64) {
        if self.life.state == State::Dialing && attempt == self.life.attempt {
            self.life.enter(State::Handshaking);
            self.send_connect();
        }
    }

    pub(super) fn link_down(&mut self, attempt: u64, why: &LinkError) {
        if attempt != self.life.attempt {
            return;
        }
        let silent = matches!(
            why.kind,
            LinkErrorKind::Closed | LinkErrorKind::Reset | LinkErrorKind::TimedOut
        );
        match self.life.state {
            State::Dialing => self.attempt_failed(could_not_connect(why), false),
            State::Handshaking => self.attempt_failed(could_not_connect(why), silent),
            State::Online => self.connection_lost(Error::new(
                ErrorKind::ConnectionLost,
                format!("the connection was lost: {}", why.text),
            )),
            State::Parting => self.parted(None),
            State::Idle | State::Preparing | State::Backoff | State::Closed => {}
        }
    }

    /// An attempt came to nothing. `silent`: the transport was there, but no CONNACK came.
    pub(super) fn attempt_failed(&mut self, why: Error, silent: bool) {
        self.attempt_refused(why, silent, Properties::new());
    }

    /// The same, with the properties of the broker's CONNACK.
    pub(super) fn attempt_refused(&mut self, why: Error, silent: bool, properties: Properties) {
        let endpoint = self.life.endpoint;
        let version = self.broker.version;
        self.versions.failed(endpoint, version, silent, self.now);
        if self.life.reference.take().is_none() {
            self.life.endpoint = self.life.endpoint_after(endpoint);
        }
        let retry_in = self.next_delay();
        self.note_failed_attempt(endpoint, why, retry_in, properties);
        self.wait_for_next_attempt(retry_in);
    }

    pub(super) fn note_failed_attempt(
        &mut self,
        endpoint: usize,
        why: Error,
        retry_in: Duration,
        properties: Properties,
    ) {
        self.timers.clear(Timer::Connect);
        self.forget_connection();
        self.stats.failed_attempts = self.stats.failed_attempts.saturating_add(1);
        self.stats.last_error = Some(why.clone());
        self.events
            .push(Event::Connection(ConnectionEvent::AttemptFailed {
                endpoint,
                why,
                retry_in,
                properties,
            }));
    }

    /// The connection ended without our doing, or could not be kept.
    pub(super) fn connection_lost(&mut self, why: Error) {
        self.connection_ended(why, Properties::new());
    }

    /// The same, with the properties of the broker's DISCONNECT.
    fn connection_ended(&mut self, why: Error, properties: Properties) {
        let taken_over = why.reason == Some(ReasonCode::SESSION_TAKEN_OVER);
        self.leave_online(why, properties);
        // Two clients of one id would otherwise throw each other out without end.
        let delay = if taken_over {
            self.options.backoff_max
        } else {
            self.next_delay()
        };
        self.wait_for_next_attempt(delay);
    }

    fn wait_for_next_attempt(&mut self, delay: Duration) {
        // Only servers that refer to each other without a pause go round in circles.
        self.life.references = 0;
        self.life.enter(State::Backoff);
        self.timers.set(Timer::Backoff, self.now + delay);
    }

    /// Evenly drawn from the least delay to a cap, which doubles with each attempt.
    fn next_delay(&mut self) -> Duration {
        let (least, most) = (self.options.backoff_min, self.options.backoff_max);
        let cap = self.life.cap.max(least.saturating_mul(2)).min(most);
        self.life.cap = cap.saturating_mul(2).min(most);
        self.random.between(least, cap)
    }

    /// Everything that belongs to a connection ends with it.
    fn leave_online(&mut self, why: Error, properties: Properties) {
        // A machine that slept may learn of the end before it learns how long it was online.
        if self
            .timers
            .get(Timer::Steady)
            .is_some_and(|due| due <= self.now)
        {
            self.be_steady();
        }
        for timer in [
            Timer::Steady,
            Timer::AcknowledgementHeld,
            Timer::Unanswered,
            Timer::Words,
            Timer::OldestIdentifier,
            Timer::Clearing,
        ] {
            self.timers.clear(timer);
        }
        self.keep_alive_ends();
        self.requests_end();
        self.hooked.disconnected();
        self.owed.disconnected();
        self.adoption.disconnected();
        self.oversized = None;
        self.reauthentication_lost(&why);
        self.forget_connection();
        self.stats.last_error = Some(why.clone());
        self.stats.status = Status::Offline;
        self.events
            .push(Event::Connection(ConnectionEvent::Offline {
                why,
                properties,
            }));
        self.events.push(Event::Status(Status::Offline));
    }

    /// DISCONNECT and dial, wherever the client is. A device that changed its network calls this.
    pub(super) fn reconnect(&mut self) {
        self.life.cap = Duration::ZERO;
        match self.life.state {
            State::Online => self.part(Then::Redial, ReasonCode::NORMAL_DISCONNECTION),
            State::Dialing | State::Handshaking => {
                self.forget_connection();
                self.life.hang_up(false);
                self.dial();
            }
            State::Preparing | State::Backoff => self.dial(),
            State::Parting if !matches!(self.life.then, Some(Then::Close)) => {
                self.life.then = Some(Then::Redial);
            }
            State::Idle | State::Parting | State::Closed => {}
        }
    }

    /// The broker broke a rule: it is told why (MQTT 5, 4.13), and the connection is given up.
    pub(super) fn violated(&mut self, violation: Violation) {
        let Violation { reason, error } = violation;
        self.events
            .push(Event::Notice(Notice::Violation(error.clone())));
        match self.life.state {
            State::Online if self.broker.version == Version::V5 => {
                self.part(Then::Retry(error), reason);
            }
            State::Online => {
                self.life.hang_up(false);
                self.connection_lost(error);
            }
            State::Handshaking => {
                self.life.hang_up(false);
                self.attempt_failed(error, false);
            }
            _ => {}
        }
    }

    /// DISCONNECT from the broker (MQTT 5, 3.14).
    pub(super) fn broker_disconnects(&mut self, disconnect: &Disconnect) {
        let words = disconnect
            .properties
            .reason_string()
            .map(|words| format!(", \"{}\"", words.escape_debug()))
            .unwrap_or_default();
        let why = format!(
            "the broker ended the connection: {}{words}",
            disconnect.reason
        );
        let why = Error::new(ErrorKind::ConnectionLost, why).with_reason(disconnect.reason);
        let reference = disconnect.properties.server_reference();
        let most = self.options.max_server_references;
        let followed = reference.is_some_and(|reference| self.life.follow(reference, most));
        let properties = disconnect.properties.detached();
        self.life.hang_up(false);
        if followed {
            self.leave_online(why, properties);
            self.dial();
        } else {
            self.connection_ended(why, properties);
        }
    }

    /// Ends the last connection without DISCONNECT, so that the broker publishes the will.
    pub(super) fn part_without_goodbye(&mut self) {
        self.life.enter(State::Parting);
        self.life.then = Some(Then::Close);
        self.parted(Some(false));
    }

    /// Sends DISCONNECT as the last packet. A stalled socket cannot take it; then it is only waited for when closing.
    pub(super) fn part(&mut self, then: Then, reason: ReasonCode) {
        self.life.enter(State::Parting);
        self.life.then = Some(then);
        let told = self.send_disconnect(reason);
        if !told || self.wire.is_stalled() && !self.parts_patiently() {
            self.parted(Some(false));
        }
    }

    /// Goes on if the DISCONNECT is written whole, or if the socket did not take it at once and it is not worth waiting for.
    pub(super) fn part_if_written(&mut self) {
        if self.life.state != State::Parting {
            return;
        }
        if self.wire.is_idle() {
            self.parted(Some(true));
        } else if self.wire.is_stalled() && !self.parts_patiently() {
            self.parted(Some(false));
        }
    }

    /// A close waits for its DISCONNECT as long as it may, also if one more connection is to follow: without it the broker would send the will.
    fn parts_patiently(&self) -> bool {
        let closes = match self.life.then {
            Some(Then::Close) => true,
            Some(Then::Redial) => self.ends_session_on_311(),
            Some(Then::Retry(_)) | None => false,
        };
        closes && !self.close_is_overdue()
    }

    /// A close cannot wait any longer for whatever DISCONNECT is being written.
    pub(super) fn close_while_parting(&mut self) {
        self.life.then = Some(Then::Close);
        if self.wire.is_stalled() {
            self.parted(Some(false));
        }
    }

    /// The connection is over after a DISCONNECT. `hang_up`: gracefully or not; `None` if the transport is gone already.
    pub(super) fn parted(&mut self, hang_up: Option<bool>) {
        if let Some(graceful) = hang_up {
            self.life.hang_up(graceful);
        }
        match self.life.then.take() {
            Some(Then::Redial) => {
                let why = Error::new(ErrorKind::ConnectionLost, "a reconnect was asked for");
                self.leave_online(why, Properties::new());
                self.dial();
            }
            Some(Then::Retry(why)) => self.connection_lost(why),
            Some(Then::Close) | None => {
                self.leave_online(ErrorKind::Closed.into(), Properties::new());
                self.end();
            }
        }
    }

    /// Does what the fixed timers say is due.
    pub(super) fn run_timers(&mut self) {
        while let Some(timer) = self.timers.take_due(self.now) {
            match timer {
                Timer::Connect => {
                    let silent = self.life.state == State::Handshaking;
                    self.life.hang_up(false);
                    let words = if silent {
                        "the broker did not accept the connection in time"
                    } else {
                        "the connection was not made in time"
                    };
                    self.attempt_failed(Error::new(ErrorKind::TimedOut, words), silent);
                }
                Timer::Backoff => self.dial(),
                Timer::KeepAlive => self.silence_is_over(),
                Timer::PingResponse => {
                    self.life.hang_up(false);
                    self.connection_lost(Error::new(
                        ErrorKind::ConnectionLost,
                        "the broker did not answer a ping in time",
                    ));
                }
                Timer::Steady => self.be_steady(),
                Timer::AcknowledgementHeld => self.report_held(),
                Timer::Unanswered => self.ask_unanswered_again(),
                Timer::Words => self.words_are_late(),
                Timer::Preparation => self.preparation_is_late(),
                Timer::Authenticator => self.authenticator_is_late(),
                Timer::OldestIdentifier => self.oldest_identifier_is_late(),
                Timer::Clearing => self.clearing_is_late(),
                Timer::Close => self.close_now(),
            }
        }
    }

    /// Online for so long that the backoff starts over.
    fn be_steady(&mut self) {
        self.life.cap = Duration::ZERO;
        self.life.references = 0;
    }

    /// Online from now on.
    pub(super) fn enter_online(&mut self) {
        self.life.enter(State::Online);
        self.timers.clear(Timer::Connect);
        self.timers.set(Timer::Steady, self.now + STEADY_AFTER);
    }
}

fn could_not_connect(why: &LinkError) -> Error {
    let kind = if why.kind == LinkErrorKind::TimedOut {
        ErrorKind::TimedOut
    } else {
        ErrorKind::ConnectionLost
    };
    Error::new(kind, format!("could not connect: {}", why.text))
}
