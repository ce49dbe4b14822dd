//! A host's client: packets shown to hooks, words on our answers, the steps of enhanced authentication, and what attempts to connect are to say.

use bytes::Bytes;
use leveret_protocol::engine::{Command, Hooks, Preparation, Tag, Words};
use leveret_protocol::error::Error;
use leveret_protocol::options::ConnectOptions;

use super::Client;

/// Hooks and authentication. What they are to look at comes in [`QueueId::HOOKS`](super::QueueId::HOOKS), which is to be taken by a thread or
/// task of its own.
impl Client {
    /// Shows these packets from now on. To be called before [`Client::start`] where the first connection is to be seen, too.
    ///
    /// # Errors
    /// `InvalidArgument` for an authenticator without `authentication_method`. `Closed`, `Forked`.
    pub fn set_hooks(&self, hooks: Hooks) -> Result<(), Error> {
        let shared = self.shared();
        if hooks.authenticates && shared.options.authentication_method.is_none() {
            let name = shared.dialect.spell("authentication_method");
            return Err(Error::invalid(format!(
                "{name} must be given where there is an authenticator"
            )));
        }
        shared.tell(Command::Hooks(hooks))
    }

    /// A hook has looked at the packet of this number, and says what our answer is to carry; nothing is said twice.
    ///
    /// # Errors
    /// `InvalidArgument` for text that MQTT cannot carry; then the answer still waits. `Closed`, `Forked`.
    pub fn answer(&self, number: u64, words: &Words) -> Result<(), Error> {
        self.shared().answer(number, words)
    }

    /// Where an attempt is to go, as a URL without user name and password.
    pub fn url_of(&self, asked: &Preparation) -> String {
        self.shared().url_of(asked)
    }

    /// What the attempt of this number is to say; nothing is said twice.
    ///
    /// # Errors
    /// `InvalidArgument` for options that are not valid; then the attempt still waits. `Closed`, `Forked`.
    pub fn prepare(&self, number: u64, said: ConnectOptions) -> Result<(), Error> {
        self.shared().prepare(number, said)
    }

    /// The attempt of this number is not to be made, with the reason in words; another follows later.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn refuse_preparation(&self, number: u64, words: &str) -> Result<(), Error> {
        self.shared().refuse_preparation(number, words)
    }

    /// The authenticator has taken the step of this number: what the broker is to be sent.
    ///
    /// # Errors
    /// `InvalidArgument` for data or text that MQTT cannot carry; then the step still waits. `Closed`, `Forked`.
    pub fn authenticate(
        &self,
        number: u64,
        data: Option<Bytes>,
        words: &Words,
    ) -> Result<(), Error> {
        self.shared().authenticate(number, data, words)
    }

    /// The authenticator refuses to go on, with the reason in words: the connection is given up, and another attempt follows.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn refuse_authentication(&self, number: u64, words: &str) -> Result<(), Error> {
        self.shared().refuse_authentication(number, words)
    }

    /// Authenticates once more on the connection that is up (MQTT 5, 4.12.1). The answer is
    /// [`Reply::Done`](super::Reply::Done), or `NotConnected`, `NotSupported`, `ConnectionLost`, `Refused`.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn reauthenticate(&self) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Reauthenticate { reply })
    }
}
