//! Handshakes that the host signs: what is to be signed waits among what hooks are asked, and the thread of the handshake for the answer.

use std::fmt;
use std::sync::{Arc, Weak};
use std::task::Poll;

use crate::handoff::{Handoff, Waiters, block_on};
use crate::inbox::Delivery;
use crate::net::network::NetworkHooks;
use crate::shared::Shared;

/// What a handshake of TLS wants signed. Dropped without an answer, the handshake fails.
pub struct Signing {
    scheme: String,
    message: Vec<u8>,
    answer: Arc<Handoff<Answer>>,
}

/// What passes between the handshake and the host.
#[derive(Default)]
struct Answer {
    signed: Option<Result<Vec<u8>, String>>,
    /// It was answered, or nobody waits for that any more.
    over: bool,
    asker: Waiters,
}

impl Signing {
    /// The signature scheme, named as TLS does (RFC 8446, section 4.2.3), such as `ecdsa_secp256r1_sha256`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The message, not hashed yet.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Whether the handshake still waits.
    pub fn is_wanted(&self) -> bool {
        self.answer.with(|answer| !answer.over)
    }

    /// The signature, for ECDSA in DER, or in words why there is none. What nobody waits for any more is dropped.
    pub fn answer(&self, signed: Result<Vec<u8>, String>) {
        self.answer.put(|answer, rings| {
            if !std::mem::replace(&mut answer.over, true) {
                answer.signed = Some(signed);
                answer.asker.wake_all(rings);
            }
        });
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Signing")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

impl Drop for Signing {
    fn drop(&mut self) {
        self.answer(Err("nobody signed it".into()));
    }
}

/// Whose host signs: known once there is a client.
#[derive(Clone, Default)]
pub(crate) struct Whose(Arc<Handoff<Weak<Shared>>>);

impl Whose {
    pub(super) fn is(&self, client: &Arc<Shared>) {
        self.0.with(|whose| *whose = Arc::downgrade(client));
    }

    /// Asks the host and waits for its answer, no longer than an attempt to connect may take.
    fn sign(&self, scheme: &str, message: &[u8]) -> Result<Vec<u8>, String> {
        let client = self.0.with(|whose| whose.upgrade());
        let client = client.ok_or("the client is closed")?;
        let limit = client.options.connect_timeout;
        let answer = Arc::new(Handoff::<Answer>::default());
        let question = Signing {
            scheme: scheme.to_owned(),
            message: message.to_vec(),
            answer: Arc::clone(&answer),
        };
        let question = Delivery::Sign(Arc::new(question));
        client.inbox.put(|inbox, rings| inbox.ask(question, rings));
        // The client must be able to end meanwhile.
        drop(client);
        let signed = block_on(Some(limit), |context| {
            answer.with(|answer| match answer.signed.take() {
                Some(signed) => Poll::Ready(signed),
                None => {
                    answer.asker.add(context);
                    Poll::Pending
                }
            })
        });
        answer.with(|answer| answer.over = true);
        signed.unwrap_or_else(|| Err("it took longer than an attempt to connect may take".into()))
    }
}

impl NetworkHooks {
    /// Has the host sign TLS handshakes in place of a private key: what is to be signed comes as [`Delivery::Sign`] in
    /// [`QueueId::HOOKS`](super::QueueId::HOOKS), for hosts whose functions may only be called on threads of their own.
    #[must_use]
    pub fn with_host_signer(mut self) -> NetworkHooks {
        let whose = Whose::default();
        self.host_signer = Some(whose.clone());
        self.with_signer(move |scheme, message| whose.sign(scheme, message))
    }
}
