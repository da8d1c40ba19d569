//! Why a backend is not spoken to over TLS, in words for those who have to mend it.

use std::io;

use thiserror::Error;
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error, OtherError};

use crate::engine::semantics::error::TlsReason;
use crate::runtime::clock;

/// Why there is no TLS with a backend.
#[derive(Debug, Error)]
#[error("{words}")]
pub struct Failed {
    /// What clients may know.
    pub reason: TlsReason,
    /// All of it, with names and files.
    pub words: String,
}

impl Failed {
    pub(super) fn new(reason: TlsReason, words: impl Into<String>) -> Self {
        let words = words.into();
        Self { reason, words }
    }

    /// The gateway has not what it needs.
    pub fn setup(words: impl Into<String>) -> Self {
        Self::new(TlsReason::Setup, words)
    }

    /// What went wrong in a handshake.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        match inner {
            Some(Error::InvalidCertificate(fault)) => of_certificate(fault),
            Some(Error::AlertReceived(alert)) => of_alert(*alert),
            Some(Error::InvalidMessage(_)) => Self::new(
                TlsReason::Protocol,
                "what it answers is no TLS; does it speak TLS on this port?",
            ),
            Some(fault) => Self::new(TlsReason::Protocol, fault.to_string()),
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::new(
                TlsReason::Protocol,
                "it closed the connection during the handshake; does it speak TLS on this port?",
            ),
            None => Self::new(TlsReason::Protocol, error.to_string()),
        }
    }
}

fn of_certificate(fault: &CertificateError) -> Failed {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest is rare, and new kinds come with new versions of the library"
    )]
    match fault {
        CertificateError::UnknownIssuer => Failed::new(
            TlsReason::UnknownIssuer,
            "its certificate is signed by an authority that is not believed here; \
             name the right one as `ca`",
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
            let words = format!(
                "its certificate is for {names} and not for {expected}; \
                 `server_name` says what to ask for"
            );
            Failed::new(TlsReason::WrongName, words)
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            let words = format!("its certificate expired on {}", date(*not_after));
            Failed::new(TlsReason::NotValidNow, words)
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let words = format!("its certificate is not valid before {}", date(*not_before));
            Failed::new(TlsReason::NotValidNow, words)
        }
        CertificateError::BadSignature => Failed::new(
            TlsReason::UnknownIssuer,
            "a signature is wrong: another authority of the same name signed its certificate, \
             or it does not own the key of it",
        ),
        CertificateError::Other(OtherError(other))
            if other.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity) =>
        {
            Failed::new(
                TlsReason::BadCertificate,
                "its certificate is that of an authority (CA:TRUE), \
                 which no server may use as its own",
            )
        }
        fault => {
            let words = format!("its certificate is not accepted: {fault}");
            Failed::new(TlsReason::BadCertificate, words)
        }
    }
}

fn of_alert(alert: AlertDescription) -> Failed {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest is rare, and new kinds come with new versions of the library"
    )]
    let words = match alert {
        AlertDescription::CertificateRequired => {
            "it wants a certificate of the gateway, which has none".into()
        }
        AlertDescription::UnrecognisedName => {
            "it does not know the name that was asked for; `server_name` says another".into()
        }
        AlertDescription::NoApplicationProtocol => {
            "it does not speak the protocol that is asked for".into()
        }
        AlertDescription::ProtocolVersion => "it speaks no version of TLS from 1.2 on".into(),
        alert => format!("it refused the handshake: {alert:?}"),
    };
    Failed::new(TlsReason::Refused, words)
}

/// `DnsName("a.example")` as `a.example`: the library tells the names of a certificate so.
fn readable(name: &str) -> &str {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

fn date(time: UnixTime) -> String {
    clock::http_date(time.as_secs())
}
