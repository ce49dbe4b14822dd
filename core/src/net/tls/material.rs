//! Certificates and keys as files and options hold them: PEM or DER, and what is wrong where they hold something else.

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Reads all certificates: PEM, among whatever else, or DER, one behind the other.
///
/// # Errors
/// What is wrong, to follow the name of what was read.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    if bytes.trim_ascii().is_empty() {
        return Err("is empty".into());
    }
    if !is_pem(bytes) {
        return split_der(bytes)
            .ok_or_else(|| "holds no certificate, neither as PEM nor as DER".into());
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) if holds(bytes, "PRIVATE KEY-----") => {
            Err("holds no certificate, but a private key".into())
        }
        Ok(_) => Err("holds no certificate (no -----BEGIN CERTIFICATE-----)".into()),
        Err(error) => Err(broken(&error)),
    }
}

/// Reads the first private key: PKCS#8, PKCS#1 or SEC1, as PEM or DER.
///
/// # Errors
/// What is wrong, to follow the name of what was read. Nothing of the key is in it.
pub(super) fn private_key(bytes: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    if bytes.trim_ascii().is_empty() {
        return Err("is empty".into());
    }
    if holds(bytes, "ENCRYPTED PRIVATE KEY-----") || holds(bytes, "Proc-Type: 4,ENCRYPTED") {
        return Err("holds an encrypted private key, which has to be decrypted first".into());
    }
    if !is_pem(bytes) {
        return PrivateKeyDer::try_from(bytes.to_vec()).map_err(|_| {
            "holds no private key, neither as PEM nor as DER (PKCS#8, PKCS#1 or SEC1)".into()
        });
    }
    PrivateKeyDer::from_pem_slice(bytes).map_err(|error| match error {
        pem::Error::NoItemsFound if holds(bytes, "BEGIN CERTIFICATE-----") => {
            "holds no private key, but a certificate".into()
        }
        pem::Error::NoItemsFound => {
            "holds no private key (no -----BEGIN PRIVATE KEY-----, RSA or EC)".into()
        }
        error => broken(&error),
    })
}

fn is_pem(bytes: &[u8]) -> bool {
    holds(bytes, "-----BEGIN")
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// The words of the PEM reader show bytes of what it read, which may be those of a key.
fn broken(error: &pem::Error) -> String {
    let fault = match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no -----END line",
        pem::Error::IllegalSectionStart { .. } => "a -----BEGIN line is wrong",
        pem::Error::Base64Decode(_) => "a section is not base64",
        _ => "it cannot be read",
    };
    format!("holds broken PEM: {fault}")
}

/// Cuts certificates apart by the lengths that they begin with (X.690, 8.1.3); `None` unless all of it is certificates.
fn split_der(mut bytes: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (one, rest) = bytes.split_at_checked(sequence_length(bytes)?)?;
        found.push(CertificateDer::from(one.to_vec()));
        bytes = rest;
    }
    Some(found)
}

/// How long the sequence is that `bytes` begins with, its own head included.
fn sequence_length(bytes: &[u8]) -> Option<usize> {
    const SEQUENCE: u8 = 0x30;
    let [SEQUENCE, first, rest @ ..] = bytes else {
        return None;
    };
    let digits = match first {
        0..=0x7f => return Some(2 + usize::from(*first)),
        // Longer ones would be no certificates of this world.
        0x81..=0x83 => usize::from(first & 0x7f),
        _ => return None,
    };
    let length = rest.get(..digits)?;
    let length = length
        .iter()
        .fold(0, |sum, &digit| sum * 256 + usize::from(digit));
    Some(2 + digits + length)
}

/// The common name in a distinguished name (RFC 5280, appendix A.1), where it can be found without reading it all.
pub(super) fn common_name(name: &[u8]) -> Option<&str> {
    const COMMON_NAME: [u8; 5] = [0x06, 3, 0x55, 4, 3];
    let place = name
        .windows(COMMON_NAME.len())
        .position(|window| window == COMMON_NAME)?;
    let [_kind, length, rest @ ..] = name.get(place + COMMON_NAME.len()..)? else {
        return None;
    };
    std::str::from_utf8(rest.get(..usize::from(*length))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};

    #[test]
    fn certificates_are_read_from_pem_and_from_der_one_behind_the_other() {
        let key = KeyPair::generate().unwrap();
        let make = |name: &str| {
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.self_signed(&key).unwrap()
        };
        let (a, b) = (make("a.example"), make("b.example"));
        let both = vec![a.der().clone(), b.der().clone()];
        let pem = [
            "some words\n",
            &a.pem(),
            &key.serialize_pem(),
            "# more\r\n",
            &b.pem().replace('\n', "\r\n"),
        ]
        .concat();
        assert_eq!(certificates(pem.as_bytes()).unwrap(), both);
        let der = [a.der().as_ref(), b.der().as_ref()].concat();
        assert_eq!(certificates(&der).unwrap(), both);
        for cut in [1, 2, 3, 100, der.len() - 1] {
            certificates(&der[..cut]).unwrap_err();
        }
    }

    #[test]
    fn what_is_no_certificate_and_no_key_says_what_it_is() {
        let key = KeyPair::generate().unwrap().serialize_pem();
        let cut = key.replace("-----END", "");
        for (given, of_certificates, of_key) in [
            ("", "is empty", "is empty"),
            (" \n", "is empty", "is empty"),
            (
                "hello",
                "neither as PEM nor as DER",
                "neither as PEM nor as DER",
            ),
            (&key, "but a private key", ""),
            (&cut, "no -----END line", "no -----END line"),
            (
                "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
                "is not base64",
                "",
            ),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                "but a private key",
                "has to be decrypted",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "",
                "but a certificate",
            ),
        ] {
            for (found, expected) in [
                (certificates(given.as_bytes()).err(), of_certificates),
                (private_key(given.as_bytes()).err(), of_key),
            ] {
                if expected.is_empty() {
                    continue;
                }
                let found = found.expect(given);
                assert!(found.contains(expected), "{given}: {found}");
            }
        }
    }
}
