//! Closing: letters get their time to go out, the broker a DISCONNECT, every receipt its outcome, and whoever asked an answer, last of all.
use alloc::boxed::Box;
use alloc::vec::Vec;

use super::event::{Event, Reply, Tag};
use super::lifecycle::{State, Then};
use super::timers::Timer;
use super::{Command, Engine};
use crate::codec::{Properties, PropertyId, PropertyValue, Version};
use crate::error::ErrorKind;
use crate::options::CloseOptions;
use crate::outcome::Status;
use crate::reason::ReasonCode;

/// A close that was asked for.
#[derive(Debug)]
pub(super) struct Closing {
    replies: Vec<Tag>,
    options: Box<CloseOptions>,
    end_session: bool,
    overdue: bool,
    /// On MQTT 3.1.1 a kept session can only be ended by a connection with Clean Session; it is being made.
    ending_session: bool,
}

impl Engine {
    /// What counts of several closes is the first one's options, and the shortest of their timeouts.
    pub(super) fn close(&mut self, reply: Tag, options: Box<CloseOptions>) {
        let timeout = options.timeout.unwrap_or(self.options.close_timeout);
        let until = self.now + timeout;
        match &mut self.closing {
            Some(closing) => closing.replies.push(reply),
            None => {
                // Whoever says how long the session is to be kept wants it kept.
                let keeps = options
                    .session_expiry
                    .is_some_and(|expiry| !expiry.is_zero());
                let usual = self.options.clean_start && !keeps;
                let end_session = options.end_session.unwrap_or(usual);
                self.closing = Some(Closing {
                    replies: Vec::from([reply]),
                    options,
                    end_session,
                    overdue: false,
                    ending_session: false,
                });
            }
        }
        let until = self
            .timers
            .get(Timer::Close)
            .map_or(until, |earlier| earlier.min(until));
        self.timers.set(Timer::Close, until);
    }

    pub(super) fn close_is_overdue(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.overdue)
    }

    /// A connection is being ended, made or used only to end the session.
    pub(super) fn ends_session_on_311(&self) -> bool {
        self.closing
            .as_ref()
            .is_some_and(|closing| closing.ending_session)
    }

    /// Goes on with a close that waits for nothing any more.
    pub(super) fn close_if_done(&mut self) {
        let Some(closing) = &self.closing else { return };
        let (ending_session, state) = (closing.ending_session, self.life.state());
        if self.flushes.unsettled() > 0 && state != State::Idle {
            return;
        }
        match state {
            State::Closed => {}
            State::Online if self.needs_another_connection() => self.end_session_on_311(),
            State::Online => self.part_to_close(),
            State::Parting => {}
            State::Preparing | State::Dialing | State::Handshaking if ending_session => {}
            State::Idle | State::Preparing | State::Backoff => self.end(),
            State::Dialing | State::Handshaking => self.end_unconnected(),
        }
    }

    /// MQTT 3.1.1 has no way to end a kept session but to connect once more with Clean Session (3.1.2.4).
    fn needs_another_connection(&self) -> bool {
        let kept = self.broker.version == Version::V311 && self.life.session.is_some();
        kept && self
            .closing
            .as_ref()
            .is_some_and(|closing| closing.end_session && !closing.ending_session)
    }

    fn end_session_on_311(&mut self) {
        if let Some(closing) = &mut self.closing {
            closing.ending_session = true;
        }
        self.life.fresh_session = true;
        self.part(Then::Redial, ReasonCode::NORMAL_DISCONNECTION);
    }

    /// The time for letters to go out is over.
    pub(super) fn close_now(&mut self) {
        if let Some(closing) = &mut self.closing {
            closing.overdue = true;
        }
        match self.life.state() {
            State::Online => self.part_to_close(),
            State::Parting => self.close_while_parting(),
            State::Dialing | State::Handshaking => self.end_unconnected(),
            State::Idle | State::Preparing | State::Backoff => self.end(),
            State::Closed => {}
        }
    }

    /// The last connection ends: with DISCONNECT; on MQTT 3.1.1 without one where the will is wanted, which has no other way to be published.
    fn part_to_close(&mut self) {
        let with_will = self
            .closing
            .as_ref()
            .is_some_and(|closing| closing.options.with_will);
        match (with_will, self.broker.version) {
            (false, _) => self.part(Then::Close, ReasonCode::NORMAL_DISCONNECTION),
            (true, Version::V5) => self.part(Then::Close, ReasonCode::DISCONNECT_WITH_WILL),
            (true, Version::V311) => self.part_without_goodbye(),
        }
    }

    /// The properties of the DISCONNECT that ends a connection in order (MQTT 5, 3.14.2.2).
    pub(super) fn goodbye(&self) -> Properties {
        let mut properties = Properties::new();
        // A reconnect meanwhile is no end: the session goes on with the letters in flight.
        let Some(closing) = self.closing.as_ref().filter(|_| self.life.is_ending()) else {
            return properties;
        };
        // Options have been checked.
        let mut put = |id, value| {
            let _ = properties.add(id, value);
        };
        let options = &closing.options;
        let has_session = self.life.session.is_some();
        let expiry = match options.session_expiry {
            _ if has_session && closing.end_session => Some(0),
            // What was 0 in CONNECT must stay 0 (3.14.2.2.2).
            Some(expiry) if !self.options.session_expiry.is_zero() => {
                Some(u32::try_from(expiry.as_secs()).unwrap_or(u32::MAX))
            }
            _ => None,
        };
        if let Some(seconds) = expiry {
            put(
                PropertyId::SessionExpiryInterval,
                PropertyValue::Number(seconds),
            );
        }
        if let Some(words) = &options.reason_string {
            put(PropertyId::ReasonString, PropertyValue::Text(words));
        }
        for (name, value) in &options.user_properties {
            put(
                PropertyId::UserProperty,
                PropertyValue::TextPair(name, value),
            );
        }
        properties
    }

    /// The end of a client that is about to connect: nothing of its CONNECT is written any more.
    fn end_unconnected(&mut self) {
        self.forget_connection();
        self.life.hang_up(false);
        self.end();
    }

    /// The end: every letter is settled, every question answered, and the close itself last.
    pub(super) fn end(&mut self) {
        self.settle_all();
        self.window.restart(1);
        self.requests_never_answered();
        self.timers = super::timers::Timers::default();
        self.life.enter(State::Closed);
        self.stats.status = Status::Closed;
        self.events.push(Event::Status(Status::Closed));
        for reply in self
            .closing
            .take()
            .map(|closing| closing.replies)
            .unwrap_or_default()
        {
            self.reply(reply, Ok(Reply::Done));
        }
    }

    /// What is still asked of a closed client.
    pub(super) fn obey_closed(&mut self, command: Command) {
        let closed =
            |engine: &mut Engine, reply| engine.reply(reply, Err(ErrorKind::Closed.into()));
        match command {
            Command::Discard { tag } => self.discard(tag),
            Command::Cancel { reply, .. } => self.reply(reply, Ok(Reply::Cancelled(false))),
            Command::Explain { reply, .. } => self.reply(reply, Ok(Reply::Explained(None))),
            Command::Flush { reply } | Command::Close { reply, .. } => {
                self.reply(reply, Ok(Reply::Done));
            }
            Command::Subscribe(subscribe) => closed(self, subscribe.reply),
            Command::Unsubscribe(unsubscribe) => closed(self, unsubscribe.reply),
            Command::MakeRoom { reply, .. }
            | Command::Ping { reply }
            | Command::Reauthenticate { reply } => closed(self, reply),
            Command::Acknowledge { .. }
            | Command::Reconnect
            | Command::Hooks(_)
            | Command::Answer { .. }
            | Command::Prepared { .. }
            | Command::Authenticate { .. } => {}
        }
    }
}
