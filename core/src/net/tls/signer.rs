//! Client certificates whose key stays elsewhere: handshakes are signed by a function of the application's.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, Signer as TlsSigner, SigningKey};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};

use crate::handoff::{Handoff, Waiters};

/// Signs a message under a signature scheme of TLS (RFC 8446, section 4.2.3) that is named as there, such as
/// `ecdsa_secp256r1_sha256`. The message is not hashed yet. An error is told as the reason for which the handshake failed.
pub(crate) type Signer = Arc<dyn Fn(&str, &[u8]) -> Result<Vec<u8>, String> + Send + Sync>;

/// A key that only its owner can use. Which schemes it can sign under is known by the certificate's own key.
struct Remote {
    signer: Signer,
    algorithm: SignatureAlgorithm,
    schemes: &'static [(SignatureScheme, &'static str)],
}

type Schemes = &'static [(SignatureScheme, &'static str)];

const ED25519: Schemes = &[(SignatureScheme::ED25519, "ed25519")];
const P256: Schemes = &[(
    SignatureScheme::ECDSA_NISTP256_SHA256,
    "ecdsa_secp256r1_sha256",
)];
const P384: Schemes = &[(
    SignatureScheme::ECDSA_NISTP384_SHA384,
    "ecdsa_secp384r1_sha384",
)];
const P521: Schemes = &[(
    SignatureScheme::ECDSA_NISTP521_SHA512,
    "ecdsa_secp521r1_sha512",
)];
/// PKCS#1 v1.5 comes last: only TLS 1.2 still takes it.
const RSA: Schemes = &[
    (SignatureScheme::RSA_PSS_SHA256, "rsa_pss_rsae_sha256"),
    (SignatureScheme::RSA_PSS_SHA384, "rsa_pss_rsae_sha384"),
    (SignatureScheme::RSA_PSS_SHA512, "rsa_pss_rsae_sha512"),
    (SignatureScheme::RSA_PKCS1_SHA256, "rsa_pkcs1_sha256"),
    (SignatureScheme::RSA_PKCS1_SHA384, "rsa_pkcs1_sha384"),
    (SignatureScheme::RSA_PKCS1_SHA512, "rsa_pkcs1_sha512"),
];

/// Object identifiers as they stand in the head of a public key (RFC 3279, 5480 and 8410).
const KINDS: [(&[u8], SignatureAlgorithm, Schemes); 5] = [
    (&[0x2b, 0x65, 0x70], SignatureAlgorithm::ED25519, ED25519),
    (
        &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
        SignatureAlgorithm::ECDSA,
        P256,
    ),
    (&[0x2b, 0x81, 4, 0, 0x22], SignatureAlgorithm::ECDSA, P384),
    (&[0x2b, 0x81, 4, 0, 0x23], SignatureAlgorithm::ECDSA, P521),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1],
        SignatureAlgorithm::RSA,
        RSA,
    ),
];

/// How many bytes of a public key name its kind.
const HEAD: usize = 32;

/// The identity that this certificate proves with signatures of `signer`.
///
/// # Errors
/// What is wrong with the certificate, to follow its name.
pub(super) fn identity(
    chain: Vec<CertificateDer<'static>>,
    signer: Signer,
) -> Result<CertifiedKey, String> {
    let unreadable = || "holds a certificate that cannot be read".to_owned();
    let first = chain.first().ok_or_else(unreadable)?;
    let parsed = ParsedCertificate::try_from(first).map_err(|_| unreadable())?;
    let public = parsed.subject_public_key_info();
    let head = public.get(..HEAD).unwrap_or(&public);
    let kind = KINDS.iter().find(|(identifier, ..)| {
        head.windows(identifier.len())
            .any(|part| part == *identifier)
    });
    let Some(&(_, algorithm, schemes)) = kind else {
        return Err("holds a certificate with a key that is neither RSA, ECDSA nor Ed25519".into());
    };
    let key = Remote {
        signer,
        algorithm,
        schemes,
    };
    Ok(CertifiedKey::new(chain, Arc::new(key)))
}

impl SigningKey for Remote {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn TlsSigner>> {
        let &(scheme, name) = self
            .schemes
            .iter()
            .find(|(scheme, _)| offered.contains(scheme))?;
        let signer = Arc::clone(&self.signer);
        Some(Box::new(Chosen {
            signer,
            scheme,
            name,
        }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Remote")
    }
}

struct Chosen {
    signer: Signer,
    scheme: SignatureScheme,
    name: &'static str,
}

impl TlsSigner for Chosen {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        (self.signer)(self.name, message)
            .map_err(|why| Error::General(format!("the handshake could not be signed: {why}")))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

impl fmt::Debug for Chosen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

/// Runs `work` on a thread of its own, because it calls a function of the application's that may take its time. Given
/// up, it is dropped as soon as that function returns. `None` when there is no thread to be had, or `work` panicked.
pub(super) async fn apart<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let desk = Arc::new(Handoff::new(Desk::default()));
    let _caller = GivesUp(Arc::clone(&desk));
    let runtime = tokio::runtime::Handle::current();
    let theirs = Leaves(Arc::clone(&desk));
    let run = move || {
        leveret_sys::block_signals();
        let mut work = pin!(work);
        runtime.block_on(poll_fn(|context| {
            if theirs.0.with(|desk| desk.given_up(context)) {
                return Poll::Ready(());
            }
            work.as_mut().poll(context).map(|done| {
                theirs.0.with(|desk| desk.done = Some(done));
            })
        }));
    };
    std::thread::Builder::new()
        .name("leveret-sign".into())
        .spawn(run)
        .ok()?;
    poll_fn(|context| {
        desk.with(|desk| {
            if desk.left {
                return Poll::Ready(desk.done.take());
            }
            desk.caller.add(context);
            Poll::Pending
        })
    })
    .await
}

/// Where the thread leaves what it made.
struct Desk<T> {
    done: Option<T>,
    left: bool,
    unwanted: bool,
    caller: Waiters,
    worker: Waiters,
}

impl<T> Default for Desk<T> {
    fn default() -> Desk<T> {
        Desk {
            done: None,
            left: false,
            unwanted: false,
            caller: Waiters::default(),
            worker: Waiters::default(),
        }
    }
}

impl<T> Desk<T> {
    fn given_up(&mut self, context: &std::task::Context<'_>) -> bool {
        self.worker.add(context);
        self.unwanted
    }
}

/// The caller's end: dropped, nobody wants the work any more.
struct GivesUp<T>(Arc<Handoff<Desk<T>>>);

impl<T> Drop for GivesUp<T> {
    fn drop(&mut self) {
        self.0.put(|desk, rings| {
            desk.unwanted = true;
            desk.worker.wake_all(rings);
        });
    }
}

/// The thread's end: dropped, also by a panic, nothing more comes.
struct Leaves<T>(Arc<Handoff<Desk<T>>>);

impl<T> Drop for Leaves<T> {
    fn drop(&mut self) {
        self.0.put(|desk, rings| {
            desk.left = true;
            desk.caller.wake_all(rings);
        });
    }
}
