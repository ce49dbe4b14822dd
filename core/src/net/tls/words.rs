//! What went wrong in TLS, in words for those who run brokers and devices.

use std::fmt;
use std::io;

use leveret_protocol::engine::{LinkError, LinkErrorKind};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, Error, OtherError, PeerIncompatible};

/// The certificate of a broker leads to no CA that is trusted.
#[derive(Debug)]
pub(super) struct UnknownIssuer {
    /// Who signed it, as far as that could be read.
    pub(super) issuer: Option<String>,
    /// Whether it came alone, so that an intermediate certificate may be what is missing.
    pub(super) alone: bool,
}

impl fmt::Display for UnknownIssuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("is signed by ")?;
        match &self.issuer {
            Some(issuer) => write!(formatter, "the unknown CA {issuer:?}")?,
            None => formatter.write_str("an unknown CA")?,
        }
        formatter.write_str(if self.alone {
            ": it is not among the trusted ones, and the broker sent no intermediate certificate"
        } else {
            ": it does not lead to a trusted one"
        })
    }
}

impl std::error::Error for UnknownIssuer {}

/// Why the handshake with `host` failed.
pub(super) fn handshake_error(error: &io::Error, host: &str) -> LinkError {
    let text = match tls_error(error) {
        Some(error) => sentence(error, host),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the broker closed the connection during the TLS handshake".into()
        }
        None => {
            let mut why = super::super::link_error(error);
            why.text = format!("the connection broke during the TLS handshake: {error}");
            return why;
        }
    };
    LinkError {
        kind: LinkErrorKind::Tls,
        text,
    }
}

/// The error of TLS that a read or write failed with, if it was one.
pub(in crate::net) fn later_error(error: &io::Error) -> Option<LinkError> {
    let text = match tls_error(error)? {
        Error::AlertReceived(alert) => refused(*alert),
        error => format!("the connection broke the rules of TLS: {error}"),
    };
    Some(LinkError {
        kind: LinkErrorKind::Tls,
        text,
    })
}

fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn sentence(error: &Error, host: &str) -> String {
    match error {
        Error::InvalidCertificate(why) => {
            format!("the certificate of {host} {}", certificate(why))
        }
        Error::AlertReceived(alert) => refused(*alert),
        Error::InvalidMessage(_) => {
            "the broker does not speak TLS at this port: its answer is something else".into()
        }
        Error::PeerIncompatible(why) => match why {
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
                "the broker speaks no version of TLS that is allowed here".into()
            }
            why => format!("the broker's TLS does not go with ours: {why:?}"),
        },
        Error::NoApplicationProtocol => no_protocol(),
        Error::General(words) => words.clone(),
        error => format!("the TLS handshake failed: {error}"),
    }
}

/// What is wrong with a certificate, to follow `the certificate of …`.
fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("expired on {}", date(*not_after))
        }
        CertificateError::Expired => "has expired".into(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "is not valid before {} (is the clock right?)",
                date(*not_before)
            )
        }
        CertificateError::NotValidYet => "is not valid yet (is the clock right?)".into(),
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            format!("is for {}", names(presented))
        }
        CertificateError::NotValidForNameContext { .. } | CertificateError::NotValidForName => {
            "is for another name".into()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is for another purpose than to identify a server".into()
        }
        CertificateError::UnknownIssuer => "is signed by an unknown CA".into(),
        CertificateError::BadSignature => {
            "is signed with another key than that of the trusted CA that it names".into()
        }
        CertificateError::BadEncoding => "cannot be read".into(),
        CertificateError::Other(OtherError(why)) => {
            let why = why.to_string();
            if why.contains("CaUsedAsEndEntity") {
                "is that of a CA, and a CA cannot be the broker itself".into()
            } else {
                why
            }
        }
        why => format!("is not accepted: {why}"),
    }
}

/// The names in a certificate, without the wrapping in which rustls gives them.
fn names(presented: &[String]) -> String {
    let plain = |name: &String| {
        let inner = name.split_once('(').map_or(name.as_str(), |(_, rest)| rest);
        inner.trim_end_matches(')').trim_matches('"').to_owned()
    };
    let names: Vec<_> = presented.iter().map(plain).collect();
    names.join(", ")
}

/// Why the broker ended the handshake (RFC 8446, section 6.2).
fn refused(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    let why = match alert {
        Alert::CertificateRequired | Alert::NoCertificate => {
            "it asks for a client certificate (tls_cert and tls_key, or tls_cert_file and tls_key_file)"
        }
        Alert::UnknownCA => "it does not know the CA of the client certificate",
        Alert::CertificateExpired => "the client certificate has expired",
        Alert::CertificateRevoked => "the client certificate was revoked",
        Alert::BadCertificate
        | Alert::CertificateUnknown
        | Alert::UnsupportedCertificate
        | Alert::DecryptError => "it does not accept the client certificate",
        Alert::AccessDenied => "the client certificate has no access",
        Alert::ProtocolVersion => "it speaks no version of TLS that is allowed here",
        Alert::HandshakeFailure | Alert::InsufficientSecurity => {
            "it has no way of TLS in common with us, or asks for a client certificate"
        }
        Alert::UnrecognisedName => "it does not know the server name that was asked for",
        Alert::NoApplicationProtocol => return no_protocol(),
        other => return format!("the broker refused the TLS connection: alert {other:?}"),
    };
    format!("the broker refused the TLS connection: {why}")
}

fn no_protocol() -> String {
    "the broker speaks none of the protocols in tls_alpn".into()
}

/// A name to be verified, without what only the sockets need: `fe80::1%eth0` is certified as `fe80::1`.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, LinkError> {
    let plain = match host.split_once('%') {
        Some((address, _zone)) if address.contains(':') => address,
        _ => host,
    };
    ServerName::try_from(plain.to_owned()).map_err(|_| LinkError {
        kind: LinkErrorKind::Tls,
        text: format!("{host:?} is no name that a certificate can be for (give tls_server_name)"),
    })
}

/// The day of a moment, `2026-01-31` (the proleptic Gregorian calendar, in UTC).
fn date(moment: UnixTime) -> String {
    // Days since 0000-03-01, so that leap days end years.
    let days = moment.as_secs() / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (978_307_200, "2001-01-01"),
            (1_767_312_000, "2026-01-02"),
            (64_060_588_800, "4000-01-01"),
        ] {
            let moment = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            assert_eq!(date(moment), day);
        }
    }
}
