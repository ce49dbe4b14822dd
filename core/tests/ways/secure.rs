//! A TLS end before the embedded broker that does what large clouds do: wildcard names, ALPN, client certificates.

use std::sync::{Arc, Mutex};

use leveret::testing::Broker;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::relay::{listen, place, relay, serve_each};

/// The certificates of a cloud and of one device in it.
pub(crate) struct Cloud {
    ca: CertifiedIssuer<'static, KeyPair>,
    signer: CertifiedIssuer<'static, KeyPair>,
    device_cert: Vec<u8>,
    device_key: Vec<u8>,
}

fn named(name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = named(name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

impl Cloud {
    pub(crate) fn new() -> Cloud {
        let signer = authority("signer of devices");
        let key = KeyPair::generate().unwrap();
        let mut device = named("device 7", &[]);
        device.insert_extended_key_usage(ExtendedKeyUsagePurpose::ClientAuth);
        let device = device.signed_by(&key, &signer).unwrap();
        Cloud {
            ca: authority("root CA of the cloud"),
            device_cert: device.der().to_vec(),
            device_key: key.serialize_der(),
            signer,
        }
    }

    /// The certificate of the signer and those of the cloud, one behind the other.
    pub(crate) fn cas_der(&self) -> Vec<u8> {
        [self.signer.der().as_ref(), self.ca.der().as_ref()].concat()
    }

    pub(crate) fn device_cert_der(&self) -> Vec<u8> {
        self.device_cert.clone()
    }

    pub(crate) fn device_key_der(&self) -> Vec<u8> {
        self.device_key.clone()
    }

    /// TLS as the cloud demands it: a certificate of a device, and its protocol.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.signer.der().clone()).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        let (chain, key) = self.identity();
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.unwrap())
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"x-amzn-mqtt-ca".to_vec()];
        Arc::new(config)
    }

    /// TLS without such demands.
    pub(crate) fn plain_config(&self) -> ServerConfig {
        let (chain, key) = self.identity();
        ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap()
    }

    /// A certificate for all hosts of a region.
    fn identity(
        &self,
    ) -> (
        Vec<rustls::pki_types::CertificateDer<'static>>,
        PrivateKeyDer<'static>,
    ) {
        let key = KeyPair::generate().unwrap();
        let mut leaf = named("the cloud", &["*.iot.eu-west-1.cloud.example"]);
        leaf.insert_extended_key_usage(ExtendedKeyUsagePurpose::ServerAuth);
        let leaf = leaf.signed_by(&key, &self.ca).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        (vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key))
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Which handshakes took up an earlier session, in order.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<bool>>>);

impl Seen {
    pub(crate) fn kinds(&self) -> Vec<bool> {
        self.0.lock().unwrap().clone()
    }
}

/// A port at which TLS is spoken before a broker.
pub(crate) async fn secure_relay(config: Arc<ServerConfig>, broker: &Broker) -> u16 {
    watched_relay(config, broker, Seen::default()).await
}

pub(crate) async fn watched_relay(config: Arc<ServerConfig>, broker: &Broker, seen: Seen) -> u16 {
    let (listener, port) = listen().await;
    let behind = place(broker);
    let acceptor = TlsAcceptor::from(config);
    serve_each(listener, move |stream| {
        let (acceptor, seen, behind) = (acceptor.clone(), seen.clone(), behind.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let kind = stream.get_ref().1.handshake_kind();
                let resumed = kind == Some(HandshakeKind::Resumed);
                seen.0.lock().unwrap().push(resumed);
                relay(stream, behind).await;
            }
        }
    });
    port
}
