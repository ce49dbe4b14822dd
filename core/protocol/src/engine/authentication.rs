//! Enhanced authentication (MQTT 5, 4.12): the steps that the application takes with the broker, when connecting and, on request, while online.
//!
//! Connecting: the authenticator is asked what to begin with, before anything is dialed → CONNECT carries it → AUTH (0x18) from the broker, and the
//! authenticator's answer, as often as the method needs → CONNACK → the authenticator sees what the broker said last; nothing but acknowledgements is
//! sent before it has agreed. Online: the same, begun by AUTH (0x19) and ended by AUTH (0x00). Without an authenticator CONNECT carries the option
//! `authentication_data`, which is enough for methods of one step.
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use super::Engine;
use super::event::{Event, Reply, Tag};
use super::incoming::Violation;
use super::lifecycle::{State, Then};
use super::timers::Timer;
use crate::codec::{Auth, Packet, Properties, PropertyId, PropertyValue, Version};
use crate::error::{Error, ErrorKind};
use crate::reason::ReasonCode;
use crate::text::Text;

/// A step that the application is asked to take.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthStep {
    /// To be handed back with [`Command::Authenticate`](super::Command::Authenticate).
    pub number: u64,
    /// Where in the exchange it is.
    pub stage: AuthStage,
    /// Is it a re-authentication on a connection that is up.
    pub reauthentication: bool,
    /// The authentication method.
    pub method: Text,
    /// The authentication data of the broker; `None` when beginning, and where it sent none.
    pub data: Option<Bytes>,
    /// The properties of the broker's AUTH or CONNACK; empty when beginning.
    pub properties: Properties,
}

/// Where an exchange of authentication is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthStage {
    /// It begins: what is the broker sent first.
    Begin,
    /// The broker sent data and wants an answer.
    Continue,
    /// The broker has accepted. The application may refuse it still.
    Finish,
}

/// What the application answers to a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthAnswer {
    /// Authentication data for the broker; not used when finishing.
    pub data: Option<Bytes>,
    /// Reason string and user properties of the AUTH; not used in CONNECT and when finishing.
    pub words: Properties,
}

/// Where this connection's exchange is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// None is under way. Next: `Asking`.
    #[default]
    None,
    /// The application is asked. Next: `Sent` (it has answered), `None` (it was the end, or it refused).
    Asking(u64, AuthStage),
    /// It is the broker's turn. Next: `Asking` (it answered), `None` (the end).
    Sent,
}

/// The exchange, and who waits for its end.
#[derive(Debug, Default)]
pub(super) struct Authentication {
    phase: Phase,
    reauthentication: bool,
    /// Who waits for the end of the re-authentication that is under way.
    askers: Vec<Tag>,
    /// Who asked meanwhile: what they want to prove is not what is just being proved, so another one follows.
    next: Vec<Tag>,
    /// What CONNECT is to carry, where the application was asked.
    first: Option<Bytes>,
}

impl Authentication {
    /// The application has not agreed yet to what the broker said last when it accepted the connection.
    pub(super) const fn is_unsettled(&self) -> bool {
        !self.reauthentication && matches!(self.phase, Phase::Asking(_, AuthStage::Finish))
    }
}

impl Engine {
    /// Asks the application what to begin with. Says whether it is asked; otherwise the connection can be dialed at once.
    pub(super) fn ask_before_dialing(&mut self) -> bool {
        self.authentication.first = None;
        let version = self.versions.to_try(self.life.endpoint());
        let asks = self.hooked.wanted.authenticates
            && self.options.authentication_method.is_some()
            && version == Version::V5;
        if asks {
            self.authentication.reauthentication = false;
            self.ask_for_step(AuthStage::Begin, None, Properties::new());
        }
        asks
    }

    fn ask_for_step(&mut self, stage: AuthStage, data: Option<Bytes>, properties: Properties) {
        let number = self.hooked.number();
        let method = self.options.authentication_method.as_deref();
        self.authentication.phase = Phase::Asking(number, stage);
        self.timers
            .set(Timer::Authenticator, self.now + self.options.hook_timeout);
        self.events.push(Event::Authenticate(Box::new(AuthStep {
            number,
            stage,
            reauthentication: self.authentication.reauthentication,
            method: Text::from(method.unwrap_or_default()),
            data,
            properties,
        })));
    }

    /// The properties of CONNECT that begin an exchange (MQTT 5, 3.1.2.11.9).
    pub(super) fn put_authentication(&self, properties: &mut Properties) {
        let Some(method) = &self.options.authentication_method else {
            return;
        };
        let own = self.options.authentication_data.as_ref();
        put(
            properties,
            method,
            self.authentication.first.as_ref().or(own),
        );
    }

    /// The application has answered a step, or refused it with these words.
    pub(super) fn authenticate(&mut self, number: u64, answer: Result<AuthAnswer, String>) {
        let stage = match self.authentication.phase {
            Phase::Asking(asked, stage) if asked == number => stage,
            _ => return, // of a connection that is gone
        };
        if self.life.state() == State::Parting {
            return; // nothing follows DISCONNECT (MQTT 5, 3.14.4-1)
        }
        self.timers.clear(Timer::Authenticator);
        match (answer, stage) {
            (Err(words), _) => {
                let words = format!("the authenticator refused: {words}");
                self.authentication_failed(Error::new(ErrorKind::Refused, words));
            }
            (Ok(answer), AuthStage::Begin) if !self.authentication.reauthentication => {
                self.authentication.first = answer.data;
                self.authentication.phase = Phase::Sent;
                self.dial_prepared();
            }
            (Ok(answer), AuthStage::Begin) => {
                self.send_auth(ReasonCode::REAUTHENTICATE, &answer);
            }
            (Ok(answer), AuthStage::Continue) => {
                self.send_auth(ReasonCode::CONTINUE_AUTHENTICATION, &answer);
            }
            (Ok(_), AuthStage::Finish) => self.authentication_succeeded(),
        }
    }

    /// The application has not answered in time.
    pub(super) fn authenticator_is_late(&mut self) {
        let words = match self.authentication.phase {
            Phase::Sent => "the broker did not answer a step of authentication in time",
            _ => "the authenticator did not answer in time",
        };
        self.authentication_failed(Error::new(ErrorKind::TimedOut, words));
    }

    fn authentication_failed(&mut self, why: Error) {
        self.authentication_over(Err(why.clone()));
        match self.life.state() {
            State::Preparing => self.attempt_failed(why, false),
            State::Handshaking => {
                self.life.hang_up(false);
                self.attempt_failed(why, false);
            }
            State::Online => self.part(Then::Retry(why), ReasonCode::UNSPECIFIED_ERROR),
            _ => {}
        }
    }

    /// The broker has accepted, and so has the application.
    fn authentication_succeeded(&mut self) {
        let next = core::mem::take(&mut self.authentication.next);
        self.authentication_over(Ok(Reply::Done));
        if !next.is_empty() {
            self.authentication.askers = next;
            self.authenticate_again();
        }
    }

    /// No step is asked for any more.
    pub(super) fn step_ends(&mut self) {
        self.authentication.phase = Phase::None;
        self.timers.clear(Timer::Authenticator);
    }

    /// The exchange is over; whoever asked for it is told.
    fn authentication_over(&mut self, result: Result<Reply, Error>) {
        self.step_ends();
        self.authentication.reauthentication = false;
        let askers = core::mem::take(&mut self.authentication.askers);
        let next = core::mem::take(&mut self.authentication.next);
        for tag in askers.into_iter().chain(next) {
            self.reply(tag, result.clone());
        }
    }

    /// The connection went with the re-authentication that was under way on it: that is how a broker refuses it (MQTT 5, 4.12.1-2).
    pub(super) fn reauthentication_lost(&mut self, why: &Error) {
        let refused = matches!(
            why.reason,
            Some(ReasonCode::NOT_AUTHORIZED | ReasonCode::BAD_AUTHENTICATION_METHOD)
        );
        let kind = if refused {
            ErrorKind::Refused
        } else {
            ErrorKind::ConnectionLost
        };
        self.authentication_over(Err(Error {
            kind,
            ..why.clone()
        }));
    }

    /// The connection is gone, or a new one begins.
    pub(super) fn authentication_ends(&mut self) {
        self.authentication_over(Err(ErrorKind::ConnectionLost.into()));
    }

    fn send_auth(&mut self, reason: ReasonCode, answer: &AuthAnswer) {
        let mut properties = answer.words.clone();
        if let Some(method) = &self.options.authentication_method {
            put(&mut properties, method, answer.data.as_ref());
        }
        self.authentication.phase = Phase::Sent;
        if self.life.state() == State::Online {
            // When connecting, `connect_timeout` ends it.
            self.timers.set(
                Timer::Authenticator,
                self.now + self.options.connect_timeout,
            );
        }
        let auth = Packet::Auth(Auth { reason, properties });
        let limit = self.broker.maximum_packet_size;
        if let Err(error) = auth.encode(Version::V5, limit, self.wire.control()) {
            let words = format!("the authentication data cannot be sent: {error}");
            self.authentication_failed(Error::new(ErrorKind::InvalidArgument, words));
        }
    }

    /// Authenticates once more on the connection that is up (MQTT 5, 4.12.1).
    pub(super) fn reauthenticate(&mut self, reply: Tag) {
        if self.options.authentication_method.is_none() {
            let words = "the client has no authentication method";
            return self.reply(reply, Err(Error::new(ErrorKind::NotSupported, words)));
        }
        if self.life.state() != State::Online {
            return self.reply(reply, Err(ErrorKind::NotConnected.into()));
        }
        if self.broker.version == Version::V311 {
            let words = "MQTT 3.1.1 has no re-authentication";
            return self.reply(reply, Err(Error::new(ErrorKind::NotSupported, words)));
        }
        if self.authentication.phase != Phase::None {
            return self.authentication.next.push(reply);
        }
        self.authentication.askers.push(reply);
        self.authenticate_again();
    }

    fn authenticate_again(&mut self) {
        self.authentication.reauthentication = true;
        if self.hooked.wanted.authenticates {
            self.ask_for_step(AuthStage::Begin, None, Properties::new());
        } else {
            let data = self.options.authentication_data.clone();
            let answer = AuthAnswer {
                data,
                ..AuthAnswer::default()
            };
            self.send_auth(ReasonCode::REAUTHENTICATE, &answer);
        }
    }

    /// CONNECT is sent: with a method it is the broker's turn then.
    pub(super) fn authentication_begins(&mut self, version: Version) {
        let named = self.options.authentication_method.is_some() && version == Version::V5;
        self.authentication.phase = if named { Phase::Sent } else { Phase::None };
    }

    /// CONNACK of success: with a method it has to be the one of CONNECT, and ends the exchange (MQTT 5, 4.12.0-5).
    pub(super) fn check_method(&self, properties: &Properties) -> Result<(), Violation> {
        let method = properties.authentication_method();
        let own = self.options.authentication_method.as_deref();
        if method.is_none() || self.broker.version == Version::V5 && method == own {
            return Ok(());
        }
        let words = if own.is_some() {
            "the broker named another authentication method than the client (4.12.0-5)"
        } else {
            "the broker named an authentication method, and the client none (4.12.0-6)"
        };
        Err(Violation::new(ReasonCode::PROTOCOL_ERROR, words))
    }

    /// The broker has accepted the connection: the application sees what it said last.
    pub(super) fn authenticated(&mut self, properties: &Properties) {
        let is_asked = self.hooked.wanted.authenticates
            && self.options.authentication_method.is_some()
            && self.broker.version == Version::V5;
        if is_asked {
            self.finish_step(properties);
        } else {
            self.authentication.phase = Phase::None;
        }
    }

    fn finish_step(&mut self, properties: &Properties) {
        let data = properties.authentication_data().map(Bytes::copy_from_slice);
        self.ask_for_step(AuthStage::Finish, data, properties.detached());
    }

    /// AUTH from the broker.
    pub(super) fn auth(&mut self, auth: &Auth) -> Result<(), Violation> {
        let violated = |words| Err(Violation::new(ReasonCode::PROTOCOL_ERROR, words));
        if self.options.authentication_method.is_none() {
            return violated(
                "the broker sent AUTH, and no authentication method was named (4.12.0-6)",
            );
        }
        if auth.properties.authentication_method() != self.options.authentication_method.as_deref()
        {
            return violated(
                "the broker named another authentication method than the client (4.12.0-5)",
            );
        }
        let online = self.life.state() == State::Online;
        if self.authentication.phase != Phase::Sent {
            return violated("the broker sent AUTH, and it was not its turn (4.12)");
        }
        match auth.reason {
            ReasonCode::CONTINUE_AUTHENTICATION => self.continue_authentication(auth),
            ReasonCode::SUCCESS if online && self.hooked.wanted.authenticates => {
                self.finish_step(&auth.properties);
            }
            ReasonCode::SUCCESS if online => self.authentication_succeeded(),
            _ => {
                return violated(
                    "the broker sent AUTH with a reason code that has no meaning there (3.15.2.1)",
                );
            }
        }
        Ok(())
    }

    fn continue_authentication(&mut self, auth: &Auth) {
        if self.hooked.wanted.authenticates {
            let properties = &auth.properties;
            let data = properties.authentication_data().map(Bytes::copy_from_slice);
            return self.ask_for_step(AuthStage::Continue, data, properties.detached());
        }
        let words =
            "the broker wants another step of authentication, and the client has no authenticator";
        self.authentication_failed(Error::new(ErrorKind::Refused, words));
    }
}

fn put(properties: &mut Properties, method: &str, data: Option<&Bytes>) {
    // Method and data have been checked; data of an authenticator that are too long are found when the packet is encoded.
    let _ = properties.set(
        PropertyId::AuthenticationMethod,
        PropertyValue::Text(method),
    );
    if let Some(data) = data {
        let _ = properties.set(PropertyId::AuthenticationData, PropertyValue::Binary(data));
    }
}
