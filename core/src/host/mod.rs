//! What language bindings stand on: one client with everything a host needs and no opinion on how hosts wait.
//!
//! Documented, and exempt from semantic versioning: it moves with the bindings. Rust programs use
//! [`leveret::Client`](crate::Client).
//!
//! # How a host uses it
//!
//! * **Calls** never wait for the network, but for those named `wait_…`, which block the calling thread.
//!   Each has a `poll_…` twin for hosts with wakers, and hosts with an event loop take [`Report`]s.
//! * **Receipts and questions** are numbers ([`Tag`]). A receipt's outcome is claimed with
//!   [`Client::wait_receipt`], a question's answer with [`Client::wait_reply`]; or both are drained with
//!   [`Client::take_reports`].
//! * **Messages and news** are taken from queues with [`Client::take`]. A [`Bell`] rings when an empty
//!   queue, or the empty list of reports, gets its first element. Take until a queue is empty.
//! * **Handlers** are called by the host, one after another per client, inside a [`Client::handler_scope`].
//!   After the last handler of a message the host calls [`Client::done`], which acknowledges it.
//! * **Requests** are questions, asked with [`Client::request`], whose answer is a message; whoever answers
//!   one takes topic and options of the letter from [`ResponseTo`].
//! * **Hooks, the authenticator, the function asked before each connect and the signer** are asked through a queue of
//!   their own, [`QueueId::HOOKS`], and answer with [`Client::answer`], [`Client::authenticate`], [`Client::prepare`] and
//!   `Signing::answer`.
//! * **Errors** are sentences made here, so that they are the same in every language; [`Dialect`] says how
//!   options are spelled in them.

mod hooks;
mod letters;
mod messages;
mod outcomes;
mod requests;
#[cfg(feature = "tls")]
pub(crate) mod signing;

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;

use leveret_protocol::engine::{Command, Engine};

use crate::driver::Driver;
use crate::ledger::Question;
use crate::net::network::Network;
use crate::net::url::{Address, Credentials};
use crate::runtime::Machine;
use crate::scope;
use crate::shared::{CloseRequest, Shared};

pub use leveret_protocol::codec::{Properties, PropertyId, PropertyValue, Version};
pub use leveret_protocol::engine::{
    AckToken, Answers, AuthStage, AuthStep, ConnectionEvent, Explanation, Hooks, Notice, Payload,
    Preparation, Publish, Reply, Shown, Tag, Words,
};
pub use leveret_protocol::error::{Error, ErrorClass, ErrorKind};
pub use leveret_protocol::message::{Message, QoS};
pub use leveret_protocol::options::{
    self, ClientOptions, CloseOptions, ConnectOptions, PublishOptions, SubscribeOptions,
};
pub use leveret_protocol::outcome::{Outcome, OutcomeStatus, Status, SubscriptionState};
pub use leveret_protocol::packet_type::{PacketSet, PacketType};
pub use leveret_protocol::reason::ReasonCode;
pub use leveret_protocol::sentence::{self, Dialect};
pub use leveret_protocol::text::Text;
pub use leveret_protocol::time::Instant;

pub use crate::dispatch::Strand;
pub use crate::doorbell::Bell;
pub use crate::handoff::Handoff;
pub use crate::inbox::{Arrival, Delivery, News, QueueId};
pub use crate::ledger::{Keep, MOST_UNCLAIMED, Report};
pub use crate::net::network::{NetworkHooks, Target as NetworkTarget};
pub use crate::routes::{General, Handlers, Target};
pub use crate::runtime::on_runtime_thread;
pub use crate::scope::{HandlerScope, behind_its_close, would_deadlock};
pub use crate::stats::Stats;
#[cfg(unix)]
pub use leveret_sys::WakeDescriptor;
pub(crate) use requests::into_bytes;
pub use requests::{REQUEST_TIMEOUT, ResponseTo};
#[cfg(feature = "tls")]
pub use signing::Signing;

/// How a host wants its client to be.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How options are spelled in error sentences.
    pub dialect: Dialect,
    /// How outcomes of letters posted with a receipt are kept until they are claimed.
    pub keep: Keep,
    /// Whether the client begins to connect at once. Otherwise [`Client::start`] lets it; until then it is
    /// offline and takes letters and subscriptions.
    pub autostart: bool,
}

/// One client. A clone is another handle to the same one; when the last goes, the client closes in the
/// background, and receipts that are still held settle.
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
}

/// What the handles of a client own together: the duty to close it.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Client {
    /// A client of the broker at `urls`, which are tried in turn. Starts the background runtime if this is
    /// the first client.
    ///
    /// # Errors
    /// For a URL or an option that is not valid, and when the system has no thread or descriptor left.
    pub fn new(urls: &[&str], options: ClientOptions, setup: Setup) -> Result<Client, Error> {
        Client::with_network(urls, options, setup, NetworkHooks::default())
    }

    /// [`Client::new`] with what the application does itself on the way to a broker.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_network(
        urls: &[&str],
        options: ClientOptions,
        setup: Setup,
        hooks: NetworkHooks,
    ) -> Result<Client, Error> {
        let (addresses, options) = read_urls(urls, options)?;
        options.check(setup.dialect)?;
        Client::open(addresses, options, setup, hooks)
    }

    /// A client of brokers whose addresses and options are known to be valid.
    pub(crate) fn open(
        addresses: Vec<Arc<Address>>,
        options: ClientOptions,
        setup: Setup,
        hooks: NetworkHooks,
    ) -> Result<Client, Error> {
        #[cfg(feature = "tls")]
        let host_signer = hooks.host_signer.clone();
        let machine = Machine::get()?;
        let network = Network::new(&options, setup.dialect, hooks, Arc::clone(&machine))?;
        let engine = Engine::new(options.clone(), addresses.len(), seed());
        let counted = engine.stats(crate::clock::now());
        // Another seed than the engine's, which shows in client ids.
        let shared = Shared::new(
            options,
            addresses,
            setup.dialect,
            setup.keep,
            counted,
            machine,
            seed(),
        );
        let shared = Arc::new(shared);
        #[cfg(feature = "tls")]
        if let Some(whose) = host_signer {
            whose.is(&shared);
        }
        shared
            .machine
            .spawn(Driver::new(Arc::clone(&shared), engine, network).run());
        let client = Client {
            handle: Arc::new(Handle { shared }),
        };
        if setup.autostart {
            client.start()?;
        }
        Ok(client)
    }

    /// Lets a client that was made without `autostart` begin to connect. Once more does nothing.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn start(&self) -> Result<(), Error> {
        self.shared().check_process()?;
        self.shared().outbox.put(|outbox, rings| {
            outbox.check_open()?;
            outbox.start(rings);
            Ok(())
        })
    }

    /// Fails in a forked child, which must not touch a client of its parent: to be asked before the
    /// host takes a lock of its own.
    ///
    /// # Errors
    /// `Forked`.
    pub fn check_process(&self) -> Result<(), Error> {
        self.shared().check_process()
    }

    /// The options in force: as given, with user name and password from the URL.
    pub fn options(&self) -> &ClientOptions {
        &self.shared().options
    }
}

/// The connection and the end of it.
impl Client {
    /// Measures a round trip. The answer is [`Reply::RoundTrip`], or an error without a connection.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn ping(&self) -> Result<Tag, Error> {
        self.shared().ask(|reply| Command::Ping { reply })
    }

    /// Says DISCONNECT if there is a connection, and dials at once. Letters in flight go on.
    ///
    /// # Errors
    /// `Closed`, `Forked`.
    pub fn reconnect(&self) -> Result<(), Error> {
        self.shared().check_process()?;
        self.shared().outbox.put(|outbox, rings| {
            outbox.check_open()?;
            outbox.push(Command::Reconnect, rings)
        })
    }

    /// Takes no letters from now on, sends what waits for at most `timeout` (`close_timeout` unless given),
    /// says DISCONNECT and settles every letter. The answer is [`Reply::Done`], after all outcomes.
    ///
    /// Inside a handler of this client it takes effect when the handler returns, and there is no answer to
    /// wait for: `None`. The session at the broker ends if `end_session`, by default if `clean_start` is on.
    ///
    /// # Errors
    /// `Forked`. A client that is closed already is closed once more without a fault.
    pub fn close(
        &self,
        timeout: Option<Duration>,
        end_session: Option<bool>,
    ) -> Result<Option<Tag>, Error> {
        self.close_with(CloseOptions {
            timeout,
            end_session,
            ..CloseOptions::new()
        })
    }

    /// [`Client::close`] with all that can be said about it.
    ///
    /// # Errors
    /// `InvalidArgument` for options that do not go together; then nothing is closed. `Forked`.
    pub fn close_with(&self, options: CloseOptions) -> Result<Option<Tag>, Error> {
        let shared = self.shared();
        shared.check_process()?;
        options.check(&shared.options, shared.dialect)?;
        let mut request = CloseRequest {
            reply: 0,
            options: Box::new(options),
        };
        if scope::put_off(shared, &request) {
            return Ok(None);
        }
        let reply = shared.outbox.with(|outbox| outbox.next_tag());
        shared.expect_reply(reply, Question::Close);
        request.reply = reply;
        shared.close(request);
        Ok(Some(reply))
    }

    /// What outlives the handles: it can wait, and keeps nothing open.
    pub(crate) fn watcher(&self) -> Arc<Shared> {
        Arc::clone(self.shared())
    }

    /// An alarm of the runtime's clock.
    pub(crate) fn alarm(&self) -> crate::clock::Alarm {
        self.shared().machine.clock().alarm()
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }
}

impl Drop for Handle {
    /// Closes in the background; what is under way goes on for at most `close_timeout`.
    fn drop(&mut self) {
        if self.shared.is_forked() {
            return;
        }
        let request = CloseRequest {
            reply: 0,
            options: Box::default(),
        };
        if !scope::put_off(&self.shared, &request) {
            self.shared.close(request);
        }
    }
}

/// Reads the URLs and moves user name and password from them to the options.
fn read_urls(
    urls: &[&str],
    mut options: ClientOptions,
) -> Result<(Vec<Arc<Address>>, ClientOptions), Error> {
    let mut addresses = Vec::with_capacity(urls.len());
    let mut found: Option<Credentials> = None;
    for url in urls {
        let mut address = Address::parse(url)?;
        if let Some(credentials) = address.credentials.take() {
            if found.as_ref().is_some_and(|found| *found != credentials) {
                return Err(Error::invalid(
                    "url must not have another user name or password than the url before it",
                ));
            }
            found = Some(credentials);
        }
        addresses.push(Arc::new(address));
    }
    if addresses.is_empty() {
        return Err(Error::invalid(
            "url must be given at least once, but there is none",
        ));
    }
    if let Some(Credentials { username, password }) = found {
        if options.username.is_some() || options.password.is_some() {
            return Err(Error::invalid(
                "username must be given in the url or as an option, not in both",
            ));
        }
        options.username = Some(username);
        options.password = password;
    }
    Ok((addresses, options))
}

/// A number that two clients hardly share, in two processes neither: jitter and random client ids come
/// from it. A forked child has its parent's random state, hence the process id and the time.
fn seed() -> u64 {
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.write_u64(crate::clock::now().as_nanos());
    hasher.finish()
}
