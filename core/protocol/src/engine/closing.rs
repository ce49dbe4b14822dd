//! Closing: letters get their time to go out, the broker a DISCONNECT, every receipt its outcome, and whoever asked an answer, last of all.
use alloc::vec::Vec;
use core::time::Duration;

use super::event::{Event, Reply, Tag};
use super::lifecycle::{State, Then};
use super::timers::Timer;
use super::{Command, Engine};
use crate::codec::Version;
use crate::error::ErrorKind;
use crate::outcome::Status;
use crate::reason::ReasonCode;

/// A close that was asked for.
#[derive(Debug)]
pub(super) struct Closing {
    replies: Vec<Tag>,
    end_session: bool,
    overdue: bool,
    /// On MQTT 3.1.1 a kept session can only be ended by a connection with Clean Session; it is being made.
    ending_session: bool,
}

impl Engine {
    pub(super) fn close(&mut self, reply: Tag, timeout: Duration, end_session: Option<bool>) {
        let until = self.now + timeout;
        match &mut self.closing {
            Some(closing) => closing.replies.push(reply),
            None => {
                let end_session = end_session.unwrap_or(self.options.clean_start);
                self.closing = Some(Closing {
                    replies: Vec::from([reply]),
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

    pub(super) fn session_is_to_end(&self) -> bool {
        self.closing
            .as_ref()
            .is_some_and(|closing| closing.end_session)
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
            State::Online => self.part(Then::Close, ReasonCode::NORMAL_DISCONNECTION),
            State::Parting => {}
            State::Dialing | State::Handshaking if ending_session => {}
            State::Idle | State::Backoff => self.end(),
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
            State::Online => self.part(Then::Close, ReasonCode::NORMAL_DISCONNECTION),
            State::Parting => self.close_while_parting(),
            State::Dialing | State::Handshaking => self.end_unconnected(),
            State::Idle | State::Backoff => self.end(),
            State::Closed => {}
        }
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
            Command::MakeRoom { reply, .. } | Command::Ping { reply } => closed(self, reply),
            Command::Acknowledge { .. } | Command::Reconnect => {}
        }
    }
}
