//! Certificates of one broker: a certificate authority of its own, what the broker shows, and one for its clients.
use leveret_protocol::{error::Error, sentence};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SigningKey, date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};
use std::sync::Arc;

/// The names that a broker of this machine answers to.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What a test broker that speaks TLS demands of its clients.
#[derive(Debug)]
pub(super) struct Demands {
    /// Whether they have to show a certificate of its authority.
    pub(super) certificate: bool,
    /// The protocol that they have to offer.
    pub(super) protocol: Option<String>,
}

/// What a test broker that speaks TLS shows to its clients. All but the first are refused by clients that look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerCertificate {
    /// For localhost, 127.0.0.1 and ::1, signed by the broker's certificate authority through an intermediate one; made
    /// anew each time, so that it also stands for the renewal of a certificate.
    #[default]
    Valid,
    /// No longer valid since 2001.
    Expired,
    /// Not valid before the year 4000.
    NotYetValid,
    /// For the name other.example alone.
    WrongName,
    /// Signed by a certificate authority that is not the broker's.
    UnknownCa,
    /// Allowed to identify clients, but no servers.
    WrongPurpose,
    /// Valid, but shown without the certificate of the intermediate authority.
    MissingIntermediate,
}

impl ServerCertificate {
    const ALL: [(ServerCertificate, &'static str); 7] = [
        (ServerCertificate::Valid, "valid"),
        (ServerCertificate::Expired, "expired"),
        (ServerCertificate::NotYetValid, "not_yet_valid"),
        (ServerCertificate::WrongName, "wrong_name"),
        (ServerCertificate::UnknownCa, "unknown_ca"),
        (ServerCertificate::WrongPurpose, "wrong_purpose"),
        (
            ServerCertificate::MissingIntermediate,
            "missing_intermediate",
        ),
    ];

    /// The one with this name, for language bindings: `valid`, `expired`, `not_yet_valid`, `wrong_name`, `unknown_ca`,
    /// `wrong_purpose` or `missing_intermediate`; any other gives `InvalidArgument`.
    pub fn named(name: &str) -> Result<ServerCertificate, Error> {
        let found = Self::ALL.into_iter().find(|(_, known)| *known == name);
        found.map(|(certificate, _)| certificate).ok_or_else(|| {
            let known = Self::ALL.map(|(_, known)| sentence::Quoted(known));
            sentence::must_be(
                "certificate",
                &sentence::one_of(known),
                sentence::Quoted(name),
            )
        })
    }
}

/// What certificates of a broker are signed with, and what its clients need.
pub(super) struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
    pub(super) ca_pem: String,
    pub(super) client_cert_pem: String,
    pub(super) client_key_pem: String,
}

impl Authority {
    /// A new one with new keys, which live no longer than it.
    pub(super) fn new() -> Result<Authority, rcgen::Error> {
        let (root, intermediate) = issuers("leveret test CA")?;
        let client_key = KeyPair::generate()?;
        let mut client = named("leveret test client", &[])?;
        client.insert_extended_key_usage(ExtendedKeyUsagePurpose::ClientAuth);
        let client = client.signed_by(&client_key, &root)?;
        Ok(Authority {
            ca_pem: root.pem(),
            client_cert_pem: client.pem(),
            client_key_pem: client_key.serialize_pem(),
            root,
            intermediate,
        })
    }

    /// How a server speaks that shows this certificate and demands this of its clients.
    pub(super) fn server(
        &self,
        certificate: ServerCertificate,
        demands: &Demands,
    ) -> Result<Arc<ServerConfig>, Box<dyn std::error::Error + Send + Sync>> {
        let key = KeyPair::generate()?;
        let stranger;
        let intermediate = match certificate {
            ServerCertificate::UnknownCa => {
                stranger = issuers("leveret unknown CA")?.1;
                &stranger
            }
            _ => &self.intermediate,
        };
        let leaf = leaf(certificate)?.signed_by(&key, intermediate)?;
        let mut chain = vec![leaf.der().clone()];
        if certificate != ServerCertificate::MissingIntermediate {
            chain.push(intermediate.der().clone());
        }
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));

        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let config = if demands.certificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.root.der().clone())?;
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            config.with_client_cert_verifier(verifier)
        } else {
            config.with_no_client_auth()
        };
        let mut config = config.with_single_cert(chain, key)?;
        let protocol = demands.protocol.as_ref();
        config.alpn_protocols = protocol
            .map(|name| name.clone().into_bytes())
            .into_iter()
            .collect();
        Ok(Arc::new(config))
    }
}

/// What the broker's certificate says, to be signed.
fn leaf(certificate: ServerCertificate) -> Result<CertificateParams, rcgen::Error> {
    let names: &[&str] = match certificate {
        ServerCertificate::WrongName => &["other.example"],
        _ => &NAMES,
    };
    let mut leaf = named("leveret test broker", names)?;
    match certificate {
        ServerCertificate::Expired => {
            leaf.not_before = date_time_ymd(2000, 1, 1);
            leaf.not_after = date_time_ymd(2001, 1, 1);
        }
        ServerCertificate::NotYetValid => leaf.not_before = date_time_ymd(4000, 1, 1),
        _ => {}
    }
    leaf.insert_extended_key_usage(match certificate {
        ServerCertificate::WrongPurpose => ExtendedKeyUsagePurpose::ClientAuth,
        _ => ExtendedKeyUsagePurpose::ServerAuth,
    });
    Ok(leaf)
}

/// A root and the intermediate authority that it has signed.
fn issuers(
    name: &str,
) -> Result<
    (
        CertifiedIssuer<'static, KeyPair>,
        CertifiedIssuer<'static, KeyPair>,
    ),
    rcgen::Error,
> {
    let root = CertifiedIssuer::self_signed(authority(name)?, KeyPair::generate()?)?;
    let below = authority(&format!("{name}, intermediate"))?;
    let intermediate = signed(below, &root)?;
    Ok((root, intermediate))
}

fn signed(
    below: CertificateParams,
    root: &Issuer<'_, impl SigningKey>,
) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    CertifiedIssuer::signed_by(below, KeyPair::generate()?, root)
}

fn authority(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut authority = named(name, &[])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(authority)
}

/// Certificates that refer to their issuers, as those of the world outside do.
fn named(name: &str, names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = names.iter().map(|&each| each.into()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
