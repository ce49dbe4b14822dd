//! Making a client with more than options: hooks that see packets, the authenticator, and the function asked before each connect.

use std::fmt;
use std::future::Future;
use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use leveret_protocol::engine::{self, Hooks, Preparation, Shown, Words};
use leveret_protocol::error::Error;
use leveret_protocol::options::{ClientOptions, ConnectOptions};
use leveret_protocol::packet_type::PacketType;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::client::Client;
use crate::faces::{Faces, guarded};
use crate::net::network::{NetworkHooks, Target};
use crate::net::socket::Duplex;
use crate::shared::Shared;

/// Makes a client that has hooks or an authenticator; see [`Client::builder`].
#[must_use = "a builder makes nothing before build() is called"]
pub struct Builder {
    urls: Vec<String>,
    options: ClientOptions,
    network: NetworkHooks,
    faces: Faces,
}

impl Builder {
    pub(crate) fn new(url: &str) -> Builder {
        Builder {
            urls: vec![url.to_owned()],
            options: ClientOptions::new(),
            network: NetworkHooks::default(),
            faces: Faces::default(),
        }
    }

    /// One more broker, which is tried in turn with those before it.
    pub fn url(mut self, url: impl Into<String>) -> Builder {
        self.urls.push(url.into());
        self
    }

    /// The options.
    pub fn options(mut self, options: ClientOptions) -> Builder {
        self.options = options;
        self
    }

    /// Calls `hook` with every packet of this type that the broker sends: CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT or AUTH.
    /// A later hook of the same type replaces the one before.
    ///
    /// A packet is shown when it has taken effect: the status is online already when CONNACK is. Only PUBREL and PUBCOMP wait for the words of the hook.
    /// It runs on the library's pool for callbacks. A hook that panics is logged and called again for the next packet. Our answer to a PUBREC (PUBREL) or PUBREL (PUBCOMP) waits until its
    /// [`Packet`] was [answered](Packet::answer) or dropped, at most `hook_timeout`.
    pub fn hook(
        mut self,
        packet: PacketType,
        hook: impl FnMut(Packet) + Send + 'static,
    ) -> Builder {
        self.faces.packets.insert(packet, Box::new(hook));
        self
    }

    /// Calls `authenticator` with every step of enhanced authentication (MQTT 5, 4.12), which needs the option
    /// `authentication_method`: before each attempt to connect, for each AUTH of the broker, when the broker has accepted, and the same for
    /// [`Client::reauthenticate`]. The step may be answered later and elsewhere, within `hook_timeout`; to drop it is to refuse.
    ///
    /// ```
    /// # fn token() -> &'static str { "token" }
    /// use leveret::{AuthStage, Client, Options};
    ///
    /// let client = Client::builder("mqtt://localhost")
    ///     .options(Options::new().authentication_method("OAUTH2"))
    ///     .authenticator(|step| match step.stage {
    ///         AuthStage::Begin => step.answer(token()),
    ///         AuthStage::Continue => step.refuse("one step is all there is"),
    ///         AuthStage::Finish => step.accept(),
    ///     })
    ///     .build()?;
    /// # Ok::<(), leveret::Error>(())
    /// ```
    pub fn authenticator(
        mut self,
        authenticator: impl FnMut(AuthStep) + Send + 'static,
    ) -> Builder {
        self.faces.authenticator = Some(Box::new(authenticator));
        self
    }

    /// Calls `before_connect` before each attempt to connect, for credentials that do not last, a will that tells of the moment, or a signed URL. The
    /// attempt waits until it is [said](Attempt::connect) what it is to say, at most `hook_timeout`; that may happen later and elsewhere. To drop
    /// the [`Attempt`] is to let it fail.
    ///
    /// ```
    /// # fn token() -> Result<String, std::io::Error> { Ok("token".into()) }
    /// use leveret::{Client, ConnectOptions};
    ///
    /// let client = Client::builder("mqtt://localhost")
    ///     .before_connect(|attempt| match token() {
    ///         Ok(token) => attempt.connect(ConnectOptions::new().username("device").password(token)),
    ///         Err(error) => attempt.refuse(&error.to_string()),
    ///     })
    ///     .build()?;
    /// # Ok::<(), leveret::Error>(())
    /// ```
    pub fn before_connect(
        mut self,
        before_connect: impl FnMut(Attempt) + Send + 'static,
    ) -> Builder {
        self.faces.before_connect = Some(Box::new(before_connect));
        self
    }

    /// Takes the byte stream of each attempt to connect from `connector` in place of a socket of its own: a serial line, a tunnel, a pipe of a
    /// test. TLS and WebSocket go over it where the URL asks for them. Options of TCP sockets do not apply.
    ///
    /// It is called and polled on the library's own thread, and must not block there. It has `connect_timeout` in all; given up,
    /// its future is dropped. A stream is dropped without a shutdown when the connection is to end at once.
    ///
    /// ```
    /// use leveret::Client;
    ///
    /// let client = Client::builder("mqtt://board-7")
    ///     .transport(|_to| async {
    ///         let (ours, theirs) = tokio::io::duplex(4096);
    ///         drop(theirs); // whoever bridges it would keep it
    ///         Ok(ours)
    ///     })
    ///     .build()?;
    /// # Ok::<(), leveret::Error>(())
    /// ```
    pub fn transport<S, F>(
        mut self,
        connector: impl Fn(Target) -> F + Send + Sync + 'static,
    ) -> Builder
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
    {
        self.network.connector = Some(Arc::new(move |to| {
            let panicked = || io::Error::other("the function that makes the transport panicked");
            let connecting = guarded("the transport", || connector(to));
            Box::pin(async move {
                let mut connecting = Box::pin(connecting.ok_or_else(panicked)?);
                let polled = std::future::poll_fn(|context| {
                    guarded("the transport", || connecting.as_mut().poll(context))
                        .unwrap_or_else(|| Poll::Ready(Err(panicked())))
                });
                Ok(Box::new(polled.await?) as Box<dyn Duplex>)
            })
        }));
        self
    }

    /// Signs TLS handshakes with `signer` in place of a private key, which can so stay in a secure element. The certificate that the key belongs
    /// to is `tls_cert` or `tls_cert_file`.
    ///
    /// It gets the name of a signature scheme as TLS has it (RFC 8446, section 4.2.3), such as `ecdsa_secp256r1_sha256`, and the message, not
    /// hashed yet; it gives the signature, for ECDSA in DER. It is called on a thread of its own for each handshake and may block there; an error
    /// lets the attempt to connect fail, and after `connect_timeout` nobody waits for it any more.
    ///
    /// ```no_run
    /// # fn sign_in_the_element(message: &[u8]) -> Result<Vec<u8>, std::io::Error> { Ok(message.to_vec()) }
    /// use leveret::{Client, Options};
    ///
    /// let client = Client::builder("mqtts://broker.example")
    ///     .options(Options::new().tls_cert_file("/etc/device.pem"))
    ///     .signer(|scheme, message| match scheme {
    ///         "ecdsa_secp256r1_sha256" => sign_in_the_element(message),
    ///         other => Err(std::io::Error::other(format!("cannot sign with {other}"))),
    ///     })
    ///     .build()?;
    /// # Ok::<(), leveret::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn signer<E: fmt::Display>(
        mut self,
        signer: impl Fn(&str, &[u8]) -> Result<Vec<u8>, E> + Send + Sync + 'static,
    ) -> Builder {
        let told = move |scheme: &str, message: &[u8]| {
            let signed = || signer(scheme, message).map_err(|why| why.to_string());
            guarded("the signer", signed).unwrap_or_else(|| Err("the signer panicked".into()))
        };
        self.network = self.network.with_signer(told);
        self
    }

    /// Makes the client, which begins to connect.
    ///
    /// # Errors
    /// As [`Client::new`]; `InvalidArgument` for a hook of a packet type that has none, and for an authenticator without a method.
    pub fn build(self) -> Result<Client, Error> {
        let Builder {
            urls,
            options,
            network,
            faces,
        } = self;
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let client = Client::unstarted(&urls, options, network)?;
        let shown = faces.shown()?;
        client.host.set_hooks(Hooks {
            shown,
            answered: shown.intersection(Hooks::ANSWERABLE),
            prepares: faces.before_connect.is_some(),
            authenticates: faces.authenticator.is_some(),
        })?;
        faces.attach(&client.host);
        client.host.start()?;
        Ok(client)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks: Vec<_> = self.faces.packets.keys().collect();
        formatter
            .debug_struct("Builder")
            .field("options", &self.options)
            .field("hooks", &hooks)
            .finish_non_exhaustive()
    }
}

/// A packet of the broker in a hook. It reads like the [`Shown`] that it holds.
#[derive(Debug)]
pub struct Packet {
    pub(crate) shown: Box<Shown>,
    pub(crate) shared: Arc<Shared>,
}

impl Packet {
    /// Puts a reason string and user properties on our answer: the PUBREL that answers a PUBREC, the PUBCOMP that answers a PUBREL. For other
    /// packets it does nothing.
    ///
    /// # Errors
    /// `InvalidArgument` for text that MQTT cannot carry; then the answer carries nothing. `Closed`.
    pub fn answer(mut self, words: &Words) -> Result<(), Error> {
        let number = std::mem::take(&mut self.shown.number);
        if number == 0 {
            return Ok(());
        }
        let said = self.shared.answer(number, words);
        if said.is_err() {
            self.shown.number = number;
        }
        said
    }
}

impl Deref for Packet {
    type Target = Shown;

    fn deref(&self) -> &Shown {
        &self.shown
    }
}

impl Drop for Packet {
    /// Our answer goes out without words.
    fn drop(&mut self) {
        if self.shown.number != 0 {
            // A closed client answers nothing any more.
            let _ = self.shared.answer(self.shown.number, &Words::default());
        }
    }
}

/// An attempt to connect in the hands of the application, which is to say what it says.
#[derive(Debug)]
pub struct Attempt {
    /// Its number is 0 once it is answered.
    pub(crate) asked: Box<Preparation>,
    pub(crate) url: String,
    pub(crate) shared: Arc<Shared>,
}

impl Attempt {
    /// Where it is to go: one of the client's URLs, or what the broker referred to, without user name and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Counts the attempts of the client from 1. One that was refused or answered too late was not made: its number goes to the next.
    #[expect(
        clippy::misnamed_getters,
        reason = "what the question is called is between client and engine"
    )]
    pub fn number(&self) -> u64 {
        self.asked.attempt
    }

    /// Lets it begin, with these credentials, this will, this URL; what is not given is as the client's options say. Options that are not
    /// valid let the attempt fail, with the reason in its [event](crate::ConnectionEvent::AttemptFailed).
    pub fn connect(mut self, said: ConnectOptions) {
        let number = std::mem::take(&mut self.asked.number);
        if let Err(error) = self.shared.prepare(number, said) {
            self.asked.number = number;
            self.refuse_for(&error.to_string());
        }
    }

    /// Lets it fail, for the reason in these words; another attempt follows.
    pub fn refuse(mut self, words: &str) {
        self.refuse_for(words);
    }

    fn refuse_for(&mut self, words: &str) {
        let number = std::mem::take(&mut self.asked.number);
        if number != 0 {
            // A closed client connects no more.
            let _ = self.shared.refuse_preparation(number, words);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.refuse_for(unless_panicked("the attempt was dropped"));
    }
}

/// A step of enhanced authentication in the hands of the application. It reads like the [`engine::AuthStep`] that it holds.
#[derive(Debug)]
pub struct AuthStep {
    /// Its number is 0 once it is answered.
    pub(crate) step: Box<engine::AuthStep>,
    pub(crate) shared: Arc<Shared>,
}

impl AuthStep {
    /// Sends the broker this authentication data, at most 65,535 bytes. Data that are too long refuse the step.
    pub fn answer(self, data: impl Into<Bytes>) {
        self.answer_with(Some(data.into()), &Words::default());
    }

    /// Goes on without data: the usual answer to [`Finish`](engine::AuthStage::Finish).
    pub fn accept(self) {
        self.answer_with(None, &Words::default());
    }

    /// Sends the broker data, and a reason string and user properties with it, if the answer is an AUTH. What MQTT cannot carry refuses the step.
    pub fn answer_with(mut self, data: Option<Bytes>, words: &Words) {
        let number = std::mem::take(&mut self.step.number);
        if let Err(error) = self.shared.authenticate(number, data, words) {
            self.step.number = number;
            self.refuse(&error.to_string());
        }
    }

    /// Gives the connection up, for the reason in these words; another attempt follows.
    pub fn refuse(mut self, words: &str) {
        self.refuse_for(words);
    }

    fn refuse_for(&mut self, words: &str) {
        let number = std::mem::take(&mut self.step.number);
        if number != 0 {
            // A closed client authenticates no more.
            let _ = self.shared.refuse_authentication(number, words);
        }
    }
}

impl Deref for AuthStep {
    type Target = engine::AuthStep;

    fn deref(&self) -> &engine::AuthStep {
        &self.step
    }
}

impl Drop for AuthStep {
    fn drop(&mut self) {
        self.refuse_for(unless_panicked("the authenticator dropped the step"));
    }
}

/// Why there is no answer: in these words, unless whoever was to give it is unwinding.
fn unless_panicked(words: &str) -> &str {
    if std::thread::panicking() {
        "it panicked"
    } else {
        words
    }
}
