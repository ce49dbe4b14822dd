//! What the application is asked before each attempt to connect: credentials, the will, and where exactly to dial.
//!
//! An attempt is due → the application is asked, where it wants to be → it answers, refuses, or takes longer than `hook_timeout` → the
//! [authenticator](super::authentication) is asked what to begin with, where there is one → the transport is dialed. What was answered holds for this
//! attempt alone. An answer to an attempt that was given up meanwhile is let go.
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::Engine;
use super::event::Event;
use super::lifecycle::State;
use super::timers::Timer;
use crate::error::{Error, ErrorKind};
use crate::options::{ClientOptions, ConnectOptions};
use crate::text::Text;

/// An attempt to connect that the application is to say more of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// To be handed back with [`Command::Prepared`](super::Command::Prepared).
    pub number: u64,
    /// The number that the attempt will have in [`Output::Dial`](super::Output::Dial).
    pub attempt: u64,
    /// Index of the URL whose turn it is.
    pub endpoint: usize,
    /// The server that the broker referred to (MQTT 5, 4.11), if it is dialed in place of the URL's.
    pub reference: Option<Text>,
}

/// Where one attempt is to go, if the application said more than its URL does.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Destination {
    /// In place of the URL whose turn it is.
    pub url: Option<String>,
    /// Headers of the WebSocket handshake, after those of the client.
    pub websocket_headers: Vec<(String, String)>,
}

impl fmt::Debug for Destination {
    /// What is there, not what it says: signatures and tokens are carried here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("url", &self.url.is_some())
            .field("websocket_headers", &self.websocket_headers.len())
            .finish()
    }
}

/// The attempt that is being prepared, and what was said of it.
#[derive(Debug, Default)]
pub(super) struct Preparing {
    asked: Option<u64>,
    said: Option<Box<ConnectOptions>>,
}

impl Preparing {
    /// The options that CONNECT is made of, with what was said of this attempt.
    pub(super) fn options(&self, of_client: &ClientOptions) -> Option<ClientOptions> {
        self.said.as_deref().map(|said| {
            let mut options = of_client.clone();
            said.put_on(&mut options);
            options
        })
    }

    /// Where this attempt is to go.
    pub(super) fn destination(&self) -> Option<Box<Destination>> {
        let said = self.said.as_deref()?;
        if said.url.is_none() && said.websocket_headers.is_none() {
            return None;
        }
        Some(Box::new(Destination {
            url: said.url.clone(),
            websocket_headers: said.websocket_headers.clone().unwrap_or_default(),
        }))
    }
}

impl Engine {
    /// Asks the application what this attempt is to say. Says whether it is asked.
    pub(super) fn ask_for_preparation(&mut self) -> bool {
        self.preparing = Preparing::default();
        if !self.hooked.wanted.prepares {
            return false;
        }
        // The authenticator may have been asked for an attempt that is given up now.
        self.authentication_ends();
        let number = self.hooked.number();
        self.preparing.asked = Some(number);
        self.timers
            .set(Timer::Preparation, self.now + self.options.hook_timeout);
        self.events
            .push(Event::Prepare(Box::new(self.life.preparation(number))));
        true
    }

    /// The application has said what this attempt is to say, or why there is to be none.
    pub(super) fn prepared(&mut self, number: u64, answer: Result<Box<ConnectOptions>, String>) {
        if self.preparing.asked != Some(number) {
            return; // of an attempt that was given up
        }
        self.preparation_ends();
        match answer {
            Ok(said) => {
                self.preparing.said = Some(said);
                if !self.ask_before_dialing() {
                    self.dial_prepared();
                }
            }
            Err(words) => {
                let words = format!("the function asked before each connect failed: {words}");
                self.not_prepared(Error::new(ErrorKind::Refused, words));
            }
        }
    }

    /// The application has not answered in time.
    pub(super) fn preparation_is_late(&mut self) {
        self.preparation_ends();
        let words = "the function asked before each connect did not answer in time";
        self.not_prepared(Error::new(ErrorKind::TimedOut, words));
    }

    /// Nothing is asked any more.
    pub(super) fn preparation_ends(&mut self) {
        self.preparing.asked = None;
        self.timers.clear(Timer::Preparation);
    }

    fn not_prepared(&mut self, why: Error) {
        if self.life.state() == State::Preparing {
            self.attempt_failed(why, false);
        }
    }
}
