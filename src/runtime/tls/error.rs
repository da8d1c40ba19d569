//! TLS errors: files that cannot be used, and handshakes with backends that fail.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError, OtherError};

use crate::engine::semantics::TlsReason;
use crate::runtime::clock;

/// Why the files of a listener, or the trusted authorities for backends, cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The configuration names no certificate.
    #[error("no certificate is configured; name at least one certificate with its key")]
    NoCertificates,
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// A file is empty.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A file does not hold what it should.
    #[error("{} holds no {what} in PEM (a text with -----BEGIN {label}-----){}",
        path.display(), if *is_der { "; it looks like DER, convert it with openssl" } else { "" })]
    MissingItem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// The PEM label of that.
        label: &'static str,
        /// Whether the file looks like DER.
        is_der: bool,
    },
    /// A private key is encrypted.
    #[error(
        "the key in {} is encrypted, and the gateway cannot ask for its passphrase; \
         store it without one (openssl pkey -in old.pem -out new.pem)",
        path.display()
    )]
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// The content of a file is invalid.
    #[error("{} cannot be used: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A certificate and a private key do not belong together.
    #[error("the key in {} does not match the certificate in {}", key.display(), cert.display())]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the private key.
        key: PathBuf,
    },
    /// The operating system has no certificate authorities.
    #[error(
        "the system has no trusted certificate authorities{why}; \
         install ca-certificates, or name a file with `ca`"
    )]
    NoRoots {
        /// The reason after a colon; may be empty.
        why: String,
    },
    /// rustls rejects the settings.
    #[error("cannot set up TLS: {0}")]
    Setup(#[from] rustls::Error),
}

/// Why there is no TLS connection to a backend.
#[derive(Debug, Error)]
#[error("{detail}")]
pub struct HandshakeError {
    /// What a client may learn.
    pub reason: TlsReason,
    /// The full explanation for operators, with names and files.
    pub detail: String,
}

impl HandshakeError {
    pub(super) fn new(reason: TlsReason, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { reason, detail }
    }

    /// The gateway lacks something that it needs for the handshake, such as a file.
    pub fn setup(detail: impl Into<String>) -> Self {
        Self::new(TlsReason::Setup, detail)
    }

    /// The error of a handshake, as rustls reports it.
    pub(super) fn of(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            Some(rustls::Error::InvalidCertificate(error)) => of_certificate(error),
            Some(rustls::Error::AlertReceived(alert)) => of_alert(*alert),
            Some(rustls::Error::InvalidMessage(_)) => Self::new(
                TlsReason::Protocol,
                "its response is not TLS; does it accept TLS on this port?",
            ),
            Some(error) => Self::new(TlsReason::Protocol, error.to_string()),
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::new(
                TlsReason::Protocol,
                "it closed the connection during the handshake; does it accept TLS on this port?",
            ),
            None => Self::new(TlsReason::Protocol, error.to_string()),
        }
    }
}

fn of_certificate(error: &CertificateError) -> HandshakeError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest is rare, and new kinds come with new versions of the library"
    )]
    match error {
        CertificateError::UnknownIssuer => HandshakeError::new(
            TlsReason::UnknownIssuer,
            "its certificate is not signed by a trusted authority; name the right one as `ca`",
        ),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names: Vec<_> = presented.iter().map(|name| readable(name)).collect();
            let names = match names.is_empty() {
                true => "no name at all".into(),
                false => names.join(", "),
            };
            let expected = expected.to_str();
            let detail = format!(
                "its certificate is for {names} and not for {expected}; \
                 set `server_name` to a name of the certificate"
            );
            HandshakeError::new(TlsReason::WrongName, detail)
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            let detail = format!("its certificate expired on {}", date(*not_after));
            HandshakeError::new(TlsReason::NotValidNow, detail)
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let detail = format!("its certificate is not valid before {}", date(*not_before));
            HandshakeError::new(TlsReason::NotValidNow, detail)
        }
        CertificateError::BadSignature => HandshakeError::new(
            TlsReason::UnknownIssuer,
            "a signature is invalid: another authority of the same name signed its certificate, \
             or the backend does not have the private key of its certificate",
        ),
        CertificateError::Other(OtherError(other))
            if other.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity) =>
        {
            HandshakeError::new(
                TlsReason::BadCertificate,
                "its certificate is one of an authority (CA:TRUE), which a server must not present",
            )
        }
        error => {
            let detail = format!("its certificate is rejected: {error}");
            HandshakeError::new(TlsReason::BadCertificate, detail)
        }
    }
}

fn of_alert(alert: AlertDescription) -> HandshakeError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest is rare, and new kinds come with new versions of the library"
    )]
    let detail = match alert {
        AlertDescription::CertificateRequired => {
            "it requires a client certificate, and the gateway has none".into()
        }
        AlertDescription::UnrecognisedName => {
            "it does not know the requested server name; set another one as `server_name`".into()
        }
        AlertDescription::NoApplicationProtocol => {
            "it does not support the protocol that the gateway offers in ALPN".into()
        }
        AlertDescription::ProtocolVersion => "it supports neither TLS 1.2 nor TLS 1.3".into(),
        alert => format!("it rejected the handshake: {alert:?}"),
    };
    HandshakeError::new(TlsReason::Refused, detail)
}

/// `a.example` out of `DnsName("a.example")`, as rustls prints the names of a certificate.
fn readable(name: &str) -> &str {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

fn date(time: UnixTime) -> String {
    clock::http_date(time.as_secs())
}
