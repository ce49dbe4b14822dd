//! TLS of the test broker: what it shows, whom it trusts, and that both change at once.
use crate::{
    client::{Client, connect_packet},
    dial::{identified, secure, socket, trusting},
};
use leveret::testing::{Broker, ServerCertificate};
use leveret_protocol::{
    codec::{Packet, Version},
    error::ErrorKind,
};
use rustls::{
    CertificateError, ClientConfig, ExtendedKeyPurpose,
    pki_types::{CertificateDer, pem::PemObject},
    version,
};
use std::io::{self, Read};

fn broker() -> Broker {
    Broker::builder().tls(true).start().unwrap()
}

/// What a client that trusts the broker's authority says of its certificate.
fn judged(broker: &Broker) -> Result<(), rustls::Error> {
    let config = trusting(broker.ca_pem().unwrap());
    match secure(socket(broker), config) {
        Ok(_) => Ok(()),
        Err(error) => Err(in_words_of_rustls(error)),
    }
}

fn in_words_of_rustls(error: io::Error) -> rustls::Error {
    *error
        .into_inner()
        .expect("an error of TLS")
        .downcast()
        .expect("an error of rustls")
}

#[test]
fn each_bad_certificate_is_refused_for_its_own_reason() {
    let broker = broker();
    judged(&broker).unwrap();
    let mut client = Client::named(&broker, Version::V5, "client");
    let reason = |name: &str| {
        let certificate = ServerCertificate::named(name).unwrap();
        broker.show_certificate(certificate).unwrap();
        match judged(&broker).expect_err(name) {
            rustls::Error::InvalidCertificate(reason) => reason,
            other => panic!("{name}: {other:?}"),
        }
    };
    use CertificateError as Reason;
    assert!(matches!(reason("expired"), Reason::ExpiredContext { .. }));
    assert!(matches!(
        reason("not_yet_valid"),
        Reason::NotValidYetContext { .. }
    ));
    assert!(matches!(
        reason("wrong_name"),
        Reason::NotValidForNameContext { .. }
    ));
    assert_eq!(reason("unknown_ca"), Reason::UnknownIssuer);
    assert_eq!(reason("missing_intermediate"), Reason::UnknownIssuer);
    assert!(matches!(
        reason("wrong_purpose"),
        Reason::InvalidPurposeContext {
            required: ExtendedKeyPurpose::ServerAuth,
            ..
        }
    ));
    // Who was connected is so still, and a new certificate of the right kind is welcome.
    client.expect_silence();
    broker.show_certificate(ServerCertificate::Valid).unwrap();
    judged(&broker).unwrap();
}

#[test]
fn both_versions_of_tls_are_spoken() {
    let broker = broker();
    for only in [&version::TLS12, &version::TLS13] {
        let mut roots = rustls::RootCertStore::empty();
        let pem = broker.ca_pem().unwrap().as_bytes();
        let ca = CertificateDer::from_pem_slice(pem);
        roots.add(ca.unwrap()).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[only])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = secure(socket(&broker), config).unwrap();
        connected(Client::over(stream, Version::V311));
    }
}

#[test]
fn whoever_demands_certificates_takes_his_own_alone() {
    let broker = Broker::builder().client_certificates(true).start().unwrap();
    let ca = broker.ca_pem().unwrap();
    let other = self::broker();
    let own = identified(
        ca,
        broker.client_cert_pem().unwrap(),
        broker.client_key_pem().unwrap(),
    );
    let stranger = identified(
        ca,
        other.client_cert_pem().unwrap(),
        other.client_key_pem().unwrap(),
    );
    for refused in [trusting(ca), stranger] {
        // With TLS 1.3 the client learns it after its handshake.
        let refusal = match secure(socket(&broker), refused) {
            Ok(mut stream) => stream.read(&mut [0; 1]).unwrap_err(),
            Err(error) => error,
        };
        assert!(refusal.to_string().contains("alert"), "{refusal}");
    }
    connected(Client::over(
        secure(socket(&broker), own.clone()).unwrap(),
        Version::V5,
    ));
    // A renewal demands them all the same.
    broker.show_certificate(ServerCertificate::Valid).unwrap();
    connected(Client::over(
        secure(socket(&broker), own).unwrap(),
        Version::V5,
    ));
    assert_eq!(broker.connects().len(), 2);
}

fn connected(mut client: Client) {
    let connect = connect_packet(client.version, "client");
    client.send(Packet::Connect(Box::new(connect)));
    assert!(matches!(client.receive(), Packet::ConnAck(_)));
}

#[test]
fn a_broker_without_tls_has_no_certificates() {
    let broker = Broker::start_new().unwrap();
    assert_eq!(broker.ca_pem(), None);
    assert_eq!(broker.client_cert_pem(), None);
    assert_eq!(broker.client_key_pem(), None);
    let error = broker
        .show_certificate(ServerCertificate::Valid)
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotSupported);
    let error = ServerCertificate::named("bad").unwrap_err();
    assert_eq!(
        error.to_string(),
        "certificate must be \"valid\", \"expired\", \"not_yet_valid\", \"wrong_name\", \"unknown_ca\", \"wrong_purpose\" or \"missing_intermediate\", not \"bad\""
    );
}

#[test]
fn whoever_demands_a_protocol_refuses_others_and_none() {
    let broker = Broker::builder().alpn("x-amzn-mqtt-ca").start().unwrap();
    let offering = |protocols: &[&str]| {
        let mut config = trusting(broker.ca_pem().unwrap());
        let names = protocols.iter().map(|name| name.as_bytes().to_vec());
        config.alpn_protocols = names.collect();
        config
    };
    for refused in [&["mqtt"][..], &[]] {
        let over = match secure(socket(&broker), offering(refused)) {
            Ok(mut stream) => !matches!(stream.read(&mut [0; 1]), Ok(1..)),
            Err(_) => true,
        };
        assert!(over, "{refused:?}");
    }
    // A renewal demands it all the same.
    broker.show_certificate(ServerCertificate::Valid).unwrap();
    let offered = offering(&["mqtt", "x-amzn-mqtt-ca"]);
    connected(Client::over(
        secure(socket(&broker), offered).unwrap(),
        Version::V5,
    ));
    assert_eq!(broker.connects().len(), 1);
    let mut builder = Broker::builder();
    assert_eq!(
        builder.set("alpn", 1.into()).unwrap_err().to_string(),
        "alpn must be the name of a protocol, of 1 to 255 bytes, not 1"
    );
    builder.set("alpn", "".into()).unwrap();
    assert_eq!(
        builder.start().unwrap_err().to_string(),
        "alpn must be the name of a protocol, of 1 to 255 bytes, not \"\""
    );
}
