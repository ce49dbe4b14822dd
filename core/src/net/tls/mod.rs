//! TLS over a link: what the options say of it, files that may change, and the handshake.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `material.rs` | certificates and keys, PEM or DER |
//! | `verify.rs` | who is believed to be the broker |
//! | `signer.rs` | client certificates whose key stays elsewhere |
//! | `words.rs` | what went wrong, for people |
//!
//! # Why ring
//!
//! rustls leaves open who does the arithmetic. Measured with rustls 0.23.46 on x86-64 Linux (a small client and server in one
//! program, optimized and stripped; P-256 certificates; the client's share of a full handshake, best of 200):
//!
//! | | ring | aws-lc-rs |
//! | --- | --- | --- |
//! | size of the program | 1.9 MB | 4.1 MB |
//! | handshake, TLS 1.2 | 0.24 ms | 0.31 ms |
//! | handshake, TLS 1.3 | 0.30 ms | 0.35 ms, with a post-quantum key exchange |
//! | to build it | a C compiler | a C compiler and more of it, on some systems CMake and bindgen |
//!
//! ring is smaller by half and builds for every system that this library is for (armv7, riscv64 and musl among them) without
//! further tools, which is what devices need. What it lacks is the post-quantum key exchange of TLS 1.3 and keys on P-521.
mod material;
mod signer;
mod verify;
pub(super) mod words;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use leveret_protocol::engine::{LinkError, LinkErrorKind};
use leveret_protocol::error::Error;
use leveret_protocol::options::{ClientOptions, TlsVersion};
use leveret_protocol::sentence::{Dialect, Quoted};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, SupportedProtocolVersion, version};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::layers::{Layer, Stack};
use super::socket::Socket;
use crate::handoff::Handoff;
use crate::runtime::Machine;
pub(crate) use signer::Signer;

/// TLS as one client speaks it.
pub(super) struct Tls {
    plan: Arc<Plan>,
    /// What the files held when they were last as they have to be.
    current: Handoff<Current>,
}

/// What the options say, files by their names.
struct Plan {
    ca: Source,
    certificate: Source,
    key: Source,
    signer: Option<Signer>,
    alpn: Vec<Vec<u8>>,
    server_name: Option<String>,
    versions: Vec<&'static SupportedProtocolVersion>,
    resumption: bool,
    accept_anybody: bool,
    dialect: Dialect,
}

/// Where certificates or a key come from.
struct Source {
    /// The option that is set, for sentences.
    option: &'static str,
    place: Place,
}

enum Place {
    Nowhere,
    Memory(Bytes),
    File(String),
}

#[derive(Clone)]
struct Current {
    held: Held,
    parts: Parts,
    /// Made from the parts by the first connection.
    config: Option<Arc<ClientConfig>>,
}

/// What the sources held, byte by byte.
#[derive(Clone, PartialEq, Eq)]
struct Held {
    ca: Option<Bytes>,
    certificate: Option<Bytes>,
    key: Option<Bytes>,
}

/// What that means.
#[derive(Clone)]
struct Parts {
    /// None: those of the operating system.
    roots: Option<Arc<RootCertStore>>,
    identity: Option<Arc<CertifiedKey>>,
}

impl Tls {
    /// # Errors
    /// `InvalidArgument` for material that cannot be read, is not what it has to be, or does not go together.
    pub(super) fn new(
        options: &ClientOptions,
        dialect: Dialect,
        signer: Option<Signer>,
    ) -> Result<Tls, Error> {
        let plan = Plan::new(options, dialect, signer)?;
        let held = plan.read().map_err(Error::invalid)?;
        let parts = plan.parse(&held).map_err(Error::invalid)?;
        Ok(Tls {
            plan: Arc::new(plan),
            current: Handoff::new(Current {
                held,
                parts,
                config: None,
            }),
        })
    }

    /// Secures a byte stream to `host`. Where what was read from files before has to stay in use, `keep` is told why.
    pub(super) async fn connect(
        &self,
        host: &str,
        stack: Stack,
        machine: &Arc<Machine>,
        keep: impl FnOnce(String),
    ) -> Result<Stack, LinkError> {
        let host = self.plan.server_name.as_deref().unwrap_or(host).to_owned();
        let name = words::server_name(&host)?;
        let (config, kept) = self.config(machine).await?;
        if let Some(why) = kept {
            keep(why);
        }
        let shaking = TlsConnector::from(config).connect(name, stack);
        let shaken = if self.plan.signer.is_some() {
            let no_thread = || std::io::Error::other("the thread that signs it ended");
            let shaken = signer::apart(shaking).await;
            shaken.unwrap_or_else(|| Err(no_thread()))
        } else {
            shaking.await
        };
        match shaken {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(words::handshake_error(&error, &host)),
        }
    }

    /// The configuration as the files are now; or as they were, with the reason, where they are not as they have to be.
    async fn config(
        &self,
        machine: &Arc<Machine>,
    ) -> Result<(Arc<ClientConfig>, Option<String>), LinkError> {
        let current = self.current.with(|current| current.clone());
        if let (Some(config), false) = (&current.config, self.plan.has_files()) {
            return Ok((Arc::clone(config), None));
        }
        let (plan, machine) = (Arc::clone(&self.plan), Arc::clone(machine));
        // Files may lie on a device that takes its time.
        let renewed = tokio::task::spawn_blocking(move || plan.renew(current, &machine)).await;
        let (current, kept) = match renewed {
            Ok(renewed) => renewed.map_err(unusable)?,
            Err(error) => return Err(unusable(error.to_string())),
        };
        let config = current.config.clone();
        self.current.with(|slot| *slot = current);
        config
            .map(|config| (config, kept))
            .ok_or_else(|| unusable("TLS could not be set up".into()))
    }
}

fn unusable(text: String) -> LinkError {
    LinkError {
        kind: LinkErrorKind::Tls,
        text,
    }
}

impl Plan {
    fn new(
        options: &ClientOptions,
        dialect: Dialect,
        signer: Option<Signer>,
    ) -> Result<Plan, Error> {
        let source =
            |option, file, memory: &Option<Bytes>, path: &Option<String>| match (memory, path) {
                (None, None) => Ok(Source::new(option, Place::Nowhere)),
                (Some(bytes), None) => Ok(Source::new(option, Place::Memory(bytes.clone()))),
                (None, Some(path)) => Ok(Source::new(file, Place::File(path.clone()))),
                (Some(_), Some(_)) => Err(Error::invalid(format!(
                    "{} must not be given where {} is",
                    dialect.spell(file),
                    dialect.spell(option)
                ))),
            };
        let plan = Plan {
            ca: source(
                "tls_ca",
                "tls_ca_file",
                &options.tls_ca,
                &options.tls_ca_file,
            )?,
            certificate: source(
                "tls_cert",
                "tls_cert_file",
                &options.tls_cert,
                &options.tls_cert_file,
            )?,
            key: source(
                "tls_key",
                "tls_key_file",
                &options.tls_key,
                &options.tls_key_file,
            )?,
            signer,
            alpn: options
                .tls_alpn
                .iter()
                .map(|name| name.clone().into_bytes())
                .collect(),
            server_name: options.tls_server_name.clone(),
            versions: versions(options.tls_min_version, options.tls_max_version),
            resumption: options.tls_session_resumption,
            accept_anybody: options.tls_dangerously_accept_any_certificate,
            dialect,
        };
        plan.check_identity()?;
        if let Some(name) = &plan.server_name {
            words::server_name(name).map_err(|_| {
                Error::invalid(format!(
                    "{} must be a host name or an IP address, not {}",
                    dialect.spell("tls_server_name"),
                    Quoted(name)
                ))
            })?;
        }
        Ok(plan)
    }

    /// A certificate proves nothing without its key, and a key nothing without its certificate.
    fn check_identity(&self) -> Result<(), Error> {
        let given = |source: &Source| !matches!(source.place, Place::Nowhere);
        let spell = |name| self.dialect.spell(name);
        let fault = match (given(&self.certificate), given(&self.key), &self.signer) {
            (true, true, None) | (true, false, Some(_)) | (false, false, None) => return Ok(()),
            (true, false, None) => format!(
                "{} or {} must be given where {} is",
                spell("tls_key"),
                spell("tls_key_file"),
                spell(self.certificate.option)
            ),
            (false, true, _) => format!(
                "{} or {} must be given where {} is",
                spell("tls_cert"),
                spell("tls_cert_file"),
                spell(self.key.option)
            ),
            (false, false, Some(_)) => format!(
                "{} or {} must be given where there is a signer",
                spell("tls_cert"),
                spell("tls_cert_file")
            ),
            (true, true, Some(_)) => {
                format!(
                    "{} must not be given where there is a signer",
                    spell(self.key.option)
                )
            }
        };
        Err(Error::invalid(fault))
    }

    fn has_files(&self) -> bool {
        let is_file = |source: &Source| matches!(source.place, Place::File(_));
        [&self.ca, &self.certificate, &self.key]
            .into_iter()
            .any(is_file)
    }

    fn read(&self) -> Result<Held, String> {
        Ok(Held {
            ca: self.ca.read(self.dialect)?,
            certificate: self.certificate.read(self.dialect)?,
            key: self.key.read(self.dialect)?,
        })
    }

    fn parse(&self, held: &Held) -> Result<Parts, String> {
        Ok(Parts {
            roots: held
                .ca
                .as_ref()
                .map(|bytes| self.roots(bytes))
                .transpose()?,
            identity: self.identity(held)?,
        })
    }

    fn roots(&self, bytes: &[u8]) -> Result<Arc<RootCertStore>, String> {
        let told = |fault: String| self.ca.told(self.dialect, &fault);
        let mut roots = RootCertStore::empty();
        let certificates = material::certificates(bytes).map_err(told)?;
        roots.add_parsable_certificates(certificates);
        if roots.is_empty() {
            return Err(told("holds no certificate that can be read".into()));
        }
        Ok(Arc::new(roots))
    }

    fn identity(&self, held: &Held) -> Result<Option<Arc<CertifiedKey>>, String> {
        let Some(certificate) = &held.certificate else {
            return Ok(None);
        };
        let of_certificate = |fault: String| self.certificate.told(self.dialect, &fault);
        let of_key = |fault: String| self.key.told(self.dialect, &fault);
        let chain = material::certificates(certificate).map_err(of_certificate)?;
        if let Some(signer) = &self.signer {
            let identity = signer::identity(chain, Arc::clone(signer)).map_err(of_certificate)?;
            return Ok(Some(Arc::new(identity)));
        }
        let key = material::private_key(held.key.as_deref().unwrap_or_default()).map_err(of_key)?;
        let key = provider()
            .key_provider
            .load_private_key(key)
            .map_err(|_| of_key("holds a private key of a kind that cannot be used".into()))?;
        let identity = CertifiedKey::new(chain, key);
        match identity.keys_match() {
            Ok(()) => Ok(Some(Arc::new(identity))),
            Err(rustls::Error::InconsistentKeys(_)) => Err(of_key(format!(
                "holds another key than that of the certificate in {}",
                self.dialect.spell(self.certificate.option)
            ))),
            Err(_) => Err(of_certificate(
                "holds a certificate that cannot be read".into(),
            )),
        }
    }

    /// Reads the files again. A configuration is made anew only where they have changed, so that sessions can go on.
    fn renew(
        &self,
        mut current: Current,
        machine: &Machine,
    ) -> Result<(Current, Option<String>), String> {
        let mut kept = None;
        match self.read() {
            Ok(held) if held == current.held => {}
            Ok(held) => match self.parse(&held) {
                Ok(parts) => {
                    current = Current {
                        held,
                        parts,
                        config: None,
                    };
                }
                Err(fault) => kept = Some(fault),
            },
            Err(fault) => kept = Some(fault),
        }
        if current.config.is_none() {
            current.config = Some(Arc::new(self.configure(&current.parts, machine)?));
        }
        Ok((current, kept))
    }

    fn configure(&self, parts: &Parts, machine: &Machine) -> Result<ClientConfig, String> {
        let provider = provider();
        let verifier: Arc<dyn ServerCertVerifier> = if self.accept_anybody {
            Arc::new(verify::Anybody {
                provider: Arc::clone(&provider),
            })
        } else {
            let roots = match &parts.roots {
                Some(roots) => Arc::clone(roots),
                None => system_roots(machine)?,
            };
            Arc::new(verify::Signed::new(roots, Arc::clone(&provider))?)
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &parts.identity {
            Some(identity) => {
                let identity = SingleCertAndKey::from(Arc::clone(identity));
                builder.with_client_cert_resolver(Arc::new(identity))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols.clone_from(&self.alpn);
        if !self.resumption {
            config.resumption = Resumption::disabled();
        }
        Ok(config)
    }
}

impl Source {
    fn new(option: &'static str, place: Place) -> Source {
        Source { option, place }
    }

    fn read(&self, dialect: Dialect) -> Result<Option<Bytes>, String> {
        match &self.place {
            Place::Nowhere => Ok(None),
            Place::Memory(bytes) => Ok(Some(bytes.clone())),
            Place::File(path) => match read_bounded(Path::new(path)) {
                Ok(bytes) => Ok(Some(bytes.into())),
                Err(error) => Err(self.told(dialect, &format!("cannot be read: {error}"))),
            },
        }
    }

    /// The fault behind the name of where it is.
    fn told(&self, dialect: Dialect, fault: &str) -> String {
        let option = dialect.spell(self.option);
        match &self.place {
            Place::File(path) => format!("{option} names {}, which {fault}", Quoted(path)),
            Place::Memory(_) | Place::Nowhere => format!("{option} {fault}"),
        }
    }
}

/// The most that a file of certificates may hold; the roots of a whole operating system are a quarter of that.
const MOST_BYTES: u64 = 1024 * 1024;

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;

    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}

/// Who does the arithmetic; see above.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The roots of the operating system, read once per process: they are some hundred.
fn system_roots(machine: &Machine) -> Result<Arc<RootCertStore>, String> {
    if let Some(roots) = machine.roots.with(|roots| roots.clone()) {
        return Ok(roots);
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(" ({error})"));
        return Err(format!(
            "this system has no root certificates{}: install them (ca-certificates), or give tls_ca_file",
            why.unwrap_or_default()
        ));
    }
    let roots = Arc::new(roots);
    machine.roots.with(|slot| *slot = Some(Arc::clone(&roots)));
    Ok(roots)
}

/// From the lowest to the highest that is allowed.
fn versions(min: TlsVersion, max: TlsVersion) -> Vec<&'static SupportedProtocolVersion> {
    [
        (TlsVersion::V12, &version::TLS12),
        (TlsVersion::V13, &version::TLS13),
    ]
    .into_iter()
    .filter(|(number, _)| (min..=max).contains(number))
    .map(|(_, version)| version)
    .collect()
}

impl Layer for TlsStream<Stack> {
    fn socket(&mut self) -> &mut Socket {
        self.get_mut().0.socket()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls")
    }
}
