//! TLS: who is believed and who is not, client certificates, files that change, and the recipe of a large cloud.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt;
use leveret::host::{self, Delivery, Dialect, Keep, NetworkHooks, QueueId, Setup};
use leveret::testing::{Broker, ServerCertificate};
use leveret::{Client, News, Notice, Options, Status, TlsVersion};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SigningKey};

use crate::relay::{SOON, first_failure, options, tokio_within, works};
use crate::secure::{Cloud, Seen, secure_relay, watched_relay};

fn tls_broker() -> Broker {
    Broker::builder().tls(true).start().unwrap()
}

fn ca(broker: &Broker) -> &str {
    broker.ca_pem().unwrap()
}

fn cert(broker: &Broker) -> &str {
    broker.client_cert_pem().unwrap()
}

fn key(broker: &Broker) -> &str {
    broker.client_key_pem().unwrap()
}

fn trusting(broker: &Broker) -> Options {
    options().tls_ca(ca(broker))
}

/// A folder of this test's own, gone with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("leveret-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Writes a file as those do who know that it is being read: all at once.
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        let fresh = self.0.join(format!("{name}.new"));
        fs::write(&fresh, content).unwrap();
        fs::rename(&fresh, &path).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn both_versions_carry_letters_both_ways_and_end_in_order() {
    let broker = tls_broker();
    for version in [TlsVersion::V12, TlsVersion::V13] {
        let only = trusting(&broker)
            .tls_min_version(version)
            .tls_max_version(version);
        let client = Client::new(broker.url(), only).unwrap();
        works(&client).await;
        client.close(SOON).await.unwrap();
    }
}

#[tokio::test]
async fn a_bad_certificate_is_refused_with_a_reason_that_people_understand() {
    let broker = tls_broker();
    for (certificate, reasons) in [
        (ServerCertificate::Expired, ["expired on 2001-01-01", ""]),
        (
            ServerCertificate::NotYetValid,
            ["is not valid before 4000-01-01", "clock"],
        ),
        (ServerCertificate::WrongName, ["is for other.example", ""]),
        (
            ServerCertificate::UnknownCa,
            ["is signed by the unknown CA", "leveret unknown CA"],
        ),
        (
            ServerCertificate::WrongPurpose,
            ["is for another purpose", ""],
        ),
        (
            ServerCertificate::MissingIntermediate,
            [
                "\"leveret test CA, intermediate\"",
                "sent no intermediate certificate",
            ],
        ),
    ] {
        broker.show_certificate(certificate).unwrap();
        let client = Client::new(broker.url(), trusting(&broker)).unwrap();
        let why = first_failure(&client).await.to_string();
        assert!(
            why.starts_with("could not connect: the certificate of "),
            "{why}"
        );
        for reason in reasons {
            assert!(why.contains(reason), "{certificate:?}: {why}");
        }
        // The same broker becomes reachable once it shows a good one.
        broker.show_certificate(ServerCertificate::Valid).unwrap();
        client.wait_for(Status::Online, SOON).await.unwrap();
    }
}

#[tokio::test]
async fn without_a_ca_of_its_own_the_roots_of_the_system_decide() {
    let broker = tls_broker();
    let client = Client::new(broker.url(), options()).unwrap();
    let why = first_failure(&client).await.to_string();
    let known = [
        "is signed by the unknown CA",
        "this system has no root certificates",
    ];
    assert!(known.iter().any(|reason| why.contains(reason)), "{why}");
}

#[tokio::test]
async fn the_dangerous_option_believes_anybody() {
    let broker = tls_broker();
    broker.show_certificate(ServerCertificate::Expired).unwrap();
    for version in [TlsVersion::V12, TlsVersion::V13] {
        let dangerous = options()
            .tls_dangerously_accept_any_certificate(true)
            .tls_max_version(version);
        let client = Client::new(broker.url(), dangerous).unwrap();
        client.wait_for(Status::Online, SOON).await.unwrap();
    }
}

#[tokio::test]
async fn a_name_of_its_own_can_be_asked_for() {
    let broker = tls_broker();
    broker
        .show_certificate(ServerCertificate::WrongName)
        .unwrap();
    let named = trusting(&broker).tls_server_name("other.example");
    let client = Client::new(broker.url(), named).unwrap();
    client.wait_for(Status::Online, SOON).await.unwrap();
}

#[tokio::test]
async fn a_broker_without_tls_is_told_apart() {
    let plain = Broker::start_new().unwrap();
    let url = plain.url().replace("mqtt://", "mqtts://");
    let silent = options().connect_timeout(std::time::Duration::from_millis(300));
    let client = Client::new(url, silent).unwrap();
    let why = first_failure(&client).await.to_string();
    assert!(
        why.contains("closed the connection during the TLS handshake")
            || why.contains("does not speak TLS")
            || why.contains("connection broke during the TLS handshake"),
        "{why}"
    );
}

#[tokio::test]
async fn a_client_shows_its_certificate_from_memory_and_from_files() {
    let broker = Broker::builder().client_certificates(true).start().unwrap();
    let (cert, key) = (cert(&broker), key(&broker));
    let memory = trusting(&broker).tls_cert(cert).tls_key(key);
    let client = Client::new(broker.url(), memory).unwrap();
    works(&client).await;
    let folder = Folder::new("files");
    let files = options()
        .tls_ca_file(folder.write("ca.pem", ca(&broker)))
        .tls_cert_file(folder.write("cert.pem", cert))
        .tls_key_file(folder.write("key.pem", key));
    let client = Client::new(broker.url(), files).unwrap();
    works(&client).await;
    // Without one it is turned away, in words where the alert gets through before the connection is reset.
    for version in [TlsVersion::V12, TlsVersion::V13] {
        let bare = trusting(&broker).tls_max_version(version);
        let bare = Client::new(broker.url(), bare).unwrap();
        let why = first_failure(&bare).await.to_string();
        assert!(why.contains("could not connect"), "{why}");
    }
}

#[test]
fn local_mistakes_are_told_at_once() {
    let folder = Folder::new("mistakes");
    let key = KeyPair::generate().unwrap();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let params = CertificateParams::new(vec!["device".to_owned()]).unwrap();
    let cert = params.self_signed(&key).unwrap().pem();
    let key = key.serialize_pem();
    let empty = folder.write("empty.pem", "");
    let garbage = "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n";
    let garbage = folder.write("garbage.pem", garbage);
    let missing = folder.0.join("missing.pem").to_str().unwrap().to_owned();
    for (given, told) in [
        (
            options().tls_ca_file(missing.as_str()),
            "which cannot be read: No such file",
        ),
        (options().tls_ca_file(empty.as_str()), "which is empty"),
        (
            options().tls_ca_file(garbage.as_str()),
            "which holds broken PEM",
        ),
        (options().tls_ca("hello"), "tls_ca holds no certificate"),
        (options().tls_ca(key.as_str()), "but a private key"),
        (
            options().tls_ca("x").tls_ca_file("y"),
            "tls_ca_file must not be given where tls_ca is",
        ),
        (
            options().tls_cert(cert.as_str()),
            "tls_key or tls_key_file must be given",
        ),
        (
            options().tls_key(key.as_str()),
            "tls_cert or tls_cert_file must be given",
        ),
        (
            options().tls_cert(cert.as_str()).tls_key(other.as_str()),
            "tls_key holds another key than that of the certificate in tls_cert",
        ),
        (
            options().tls_cert(cert.as_str()).tls_key(cert.as_str()),
            "but a certificate",
        ),
        (
            options()
                .tls_cert(cert.as_str())
                .tls_key_file(empty.as_str()),
            "which is empty",
        ),
        (
            options().tls_server_name("a b"),
            "tls_server_name must be a host name",
        ),
        (
            options()
                .tls_min_version(TlsVersion::V13)
                .tls_max_version(TlsVersion::V12),
            "tls_max_version must be at least tls_min_version",
        ),
    ] {
        let error = Client::new("mqtts://localhost", given)
            .unwrap_err()
            .to_string();
        assert!(error.contains(told), "{told}: {error}");
        assert!(!error.contains(&key[40..60]), "{error}");
    }
}

#[tokio::test]
async fn keys_of_every_kind_and_form_are_read() {
    let broker = tls_broker();
    for key in [
        KeyPair::generate().unwrap(),
        KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap(),
        KeyPair::generate_for(&PKCS_ED25519).unwrap(),
    ] {
        let params = CertificateParams::new(vec!["device".to_owned()]).unwrap();
        let cert = params.self_signed(&key).unwrap();
        for (cert, key) in [
            (cert.pem().into_bytes(), key.serialize_pem().into_bytes()),
            (cert.der().to_vec(), key.serialize_der()),
        ] {
            let given = trusting(&broker).tls_cert(cert).tls_key(key);
            let client = Client::new(broker.url(), given).unwrap();
            client.wait_for(Status::Online, SOON).await.unwrap();
        }
    }
    // Made by openssl: RSA as PKCS#1, and P-256 as SEC1.
    for (cert, key) in [
        (
            include_str!("keys/rsa.cert.pem"),
            include_str!("keys/rsa.pkcs1.pem"),
        ),
        (
            include_str!("keys/ec.cert.pem"),
            include_str!("keys/ec.sec1.pem"),
        ),
    ] {
        let given = trusting(&broker).tls_cert(cert).tls_key(key);
        let client = Client::new(broker.url(), given).unwrap();
        client.wait_for(Status::Online, SOON).await.unwrap();
    }
}

#[tokio::test]
async fn files_are_read_again_before_each_connect_and_broken_ones_leave_the_old_in_use() {
    let broker = tls_broker();
    let folder = Folder::new("rotation");
    let file = folder.write("ca.pem", ca(&broker));
    let client = Client::new(broker.url(), options().tls_ca_file(file)).unwrap();
    client.wait_for(Status::Online, SOON).await.unwrap();
    let mut events = client.events();
    folder.write("ca.pem", "garbage");
    client.reconnect().unwrap();
    let why = loop {
        let news = tokio_within(events.next()).await.unwrap();
        if let News::Notice(Notice::TlsFilesKept { why }) = news {
            break why;
        }
    };
    assert!(
        why.contains("ca.pem") && why.contains("holds no certificate"),
        "{why}"
    );
    works(&client).await;
    // A file that is as it has to be counts again: now the broker is not trusted any more.
    let stranger = tls_broker();
    folder.write("ca.pem", ca(&stranger));
    client.reconnect().unwrap();
    let why = first_failure(&client).await.to_string();
    assert!(
        why.contains("another key than that of the trusted CA"),
        "{why}"
    );
    folder.write("ca.pem", ca(&broker));
    client.wait_for(Status::Online, SOON).await.unwrap();
}

#[tokio::test]
async fn certificates_change_under_load_and_no_letter_is_lost() {
    let broker = Broker::builder().client_certificates(true).start().unwrap();
    let folder = Folder::new("load");
    let given = options()
        .tls_ca_file(folder.write("ca.pem", ca(&broker)))
        .tls_cert_file(folder.write("cert.pem", cert(&broker)))
        .tls_key_file(folder.write("key.pem", key(&broker)));
    let client = Client::new(broker.url(), given).unwrap();
    client.wait_for(Status::Online, SOON).await.unwrap();
    let mut receipts = Vec::new();
    for round in 0..20 {
        for number in 0..50 {
            let letter = client.publish("load", format!("{round}.{number}"));
            receipts.push(letter.send().unwrap());
        }
        // Every other round the files are broken for a moment, as while somebody copies them.
        if round % 2 == 0 {
            folder.write("cert.pem", &cert(&broker)[..100]);
        } else {
            folder.write("cert.pem", cert(&broker));
        }
        broker.show_certificate(ServerCertificate::Valid).unwrap();
        client.reconnect().unwrap();
        tokio::task::yield_now().await;
    }
    for receipt in receipts {
        let outcome = tokio_within(receipt).await;
        assert!(outcome.delivered(), "{outcome}");
    }
    let all: std::collections::BTreeSet<_> = broker
        .received()
        .iter()
        .map(|message| message.payload().to_vec())
        .collect();
    assert_eq!(all.len(), 1000);
}

/// The recipe of a large cloud: its CAs as DER, a client certificate and key as DER, a protocol by ALPN, TLS 1.2 alone,
/// the full host name, a certificate for a wildcard. Only the port is another, because a test has no right to 443.
#[tokio::test]
async fn the_recipe_of_the_cloud_can_be_said() {
    let broker = Broker::start_new().unwrap();
    let cloud = Cloud::new();
    let port = secure_relay(cloud.config(), &broker).await;
    let given = options()
        .tls_ca(cloud.cas_der())
        .tls_cert(cloud.device_cert_der())
        .tls_key(cloud.device_key_der())
        .tls_alpn(["x-amzn-mqtt-ca"])
        .tls_max_version(TlsVersion::V12)
        .tls_server_name("abc123-ats.iot.eu-west-1.cloud.example");
    let client = Client::new(format!("mqtts://127.0.0.1:{port}"), given.clone()).unwrap();
    works(&client).await;
    let wrong = given.clone().tls_alpn(["mqtt"]);
    let wrong = Client::new(format!("mqtts://127.0.0.1:{port}"), wrong).unwrap();
    let why = first_failure(&wrong).await.to_string();
    assert!(
        why.contains("speaks none of the protocols in tls_alpn"),
        "{why}"
    );
    let deeper = given.tls_server_name("a.b.iot.eu-west-1.cloud.example");
    let deeper = Client::new(format!("mqtts://127.0.0.1:{port}"), deeper).unwrap();
    let why = first_failure(&deeper).await.to_string();
    assert!(
        why.contains("is for *.iot.eu-west-1.cloud.example"),
        "{why}"
    );
}

#[tokio::test]
async fn a_session_is_taken_up_again_unless_that_is_turned_off() {
    for resumed in [true, false] {
        let broker = Broker::start_new().unwrap();
        let cloud = Cloud::new();
        let mut config = cloud.plain_config();
        config.session_storage = rustls::server::ServerSessionMemoryCache::new(8);
        let config = Arc::new(config);
        let seen = Seen::default();
        let port = watched_relay(config, &broker, seen.clone()).await;
        let given = options()
            .tls_ca(cloud.cas_der())
            .tls_max_version(TlsVersion::V12)
            .tls_server_name("a.iot.eu-west-1.cloud.example")
            .tls_session_resumption(resumed);
        let client = Client::new(format!("mqtts://127.0.0.1:{port}"), given).unwrap();
        client.wait_for(Status::Online, SOON).await.unwrap();
        client.reconnect().unwrap();
        client.wait_for(Status::Offline, SOON).await.unwrap();
        client.wait_for(Status::Online, SOON).await.unwrap();
        works(&client).await;
        let kinds = seen.kinds();
        assert_eq!(kinds.first(), Some(&false), "{kinds:?}");
        assert_eq!(kinds.get(1), Some(&resumed), "{kinds:?}");
    }
}

#[tokio::test]
async fn a_handshake_is_signed_by_the_application() {
    let broker = Broker::builder().client_certificates(true).start().unwrap();
    let here = std::thread::current().id();
    for version in [TlsVersion::V12, TlsVersion::V13] {
        let element = KeyPair::from_pem(key(&broker)).unwrap();
        let client = Client::builder(broker.url())
            .options(
                trusting(&broker)
                    .tls_cert(cert(&broker))
                    .tls_max_version(version),
            )
            .signer(move |scheme, message| {
                assert_ne!(std::thread::current().id(), here);
                if scheme != "ecdsa_secp256r1_sha256" {
                    return Err(format!("cannot sign with {scheme}"));
                }
                element.sign(message).map_err(|error| error.to_string())
            })
            .build()
            .unwrap();
        works(&client).await;
        client.close(SOON).await.unwrap();
    }
    let refusing = Client::builder(broker.url())
        .options(trusting(&broker).tls_cert(cert(&broker)))
        .signer(|_, _| Err::<Vec<u8>, _>("the element is locked"))
        .build()
        .unwrap();
    let why = first_failure(&refusing).await.to_string();
    assert!(
        why.contains("the handshake could not be signed: the element is locked"),
        "{why}"
    );
    let panicking = Client::builder(broker.url())
        .options(trusting(&broker).tls_cert(cert(&broker)))
        .signer(|_, _| -> Result<Vec<u8>, String> { panic!("on purpose") })
        .build()
        .unwrap();
    let why = first_failure(&panicking).await.to_string();
    assert!(why.contains("the signer panicked"), "{why}");
}

#[test]
fn a_host_signs_what_waits_in_the_queue_of_its_hooks() {
    let broker = Broker::builder().client_certificates(true).start().unwrap();
    let element = KeyPair::from_pem(key(&broker)).unwrap();
    let setup = Setup {
        dialect: Dialect::Rust,
        keep: Keep::Held,
        autostart: true,
    };
    let given = trusting(&broker).tls_cert(cert(&broker));
    let hooks = NetworkHooks::default().with_host_signer();
    let client = host::Client::with_network(&[broker.url()], given, setup, hooks).unwrap();
    // Dropped, refused, and then signed.
    for attempt in 0..3 {
        let mut taken = Vec::new();
        client
            .wait_take(QueueId::HOOKS, 1, Some(SOON), &mut taken)
            .unwrap();
        let Some(Delivery::Sign(asked)) = taken.pop() else {
            panic!("a handshake to be signed");
        };
        assert!(asked.is_wanted());
        match attempt {
            0 => {}
            1 => asked.answer(Err("not yet".into())),
            _ => asked.answer(element.sign(asked.message()).map_err(|why| why.to_string())),
        }
    }
    client.wait_status(Status::Online, Some(SOON)).unwrap();
}

#[test]
fn a_signer_needs_its_certificate_and_no_key() {
    let build = |options: Options| {
        Client::builder("mqtts://localhost")
            .options(options)
            .signer(|_, _| Err::<Vec<u8>, _>("never"))
            .build()
            .unwrap_err()
            .to_string()
    };
    assert!(build(options()).contains("must be given where there is a signer"));
    let both = options().tls_cert("x").tls_key("y");
    assert!(build(both).contains("tls_key must not be given where there is a signer"));
}
