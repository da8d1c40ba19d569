//! Why a backend is not spoken to over TLS, in words for those who have to mend it.

use std::io;

use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error, OtherError};

use crate::runtime::clock;

/// What went wrong in a handshake with a backend.
pub(super) fn of_handshake(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(Error::InvalidCertificate(fault)) => of_certificate(fault),
        Some(Error::InvalidMessage(_)) => {
            "what it answers is no TLS; does it speak it on this port?".into()
        }
        Some(Error::AlertReceived(alert)) => of_alert(*alert),
        Some(Error::NoApplicationProtocol) => {
            "it does not speak the protocol that is asked for".into()
        }
        Some(fault) => fault.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it closed the connection during the handshake; does it speak TLS on this port?".into()
        }
        None => error.to_string(),
    }
}

fn of_certificate(fault: &CertificateError) -> String {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest is rare, and new kinds come with new versions of the library"
    )]
    match fault {
        CertificateError::UnknownIssuer => {
            "its certificate is signed by an authority that is not believed here; \
             name the right one as `ca`"
                .into()
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names: Vec<_> = presented.iter().map(|name| readable(name)).collect();
            let names = match names.is_empty() {
                true => "no name at all".into(),
                false => names.join(", "),
            };
            format!(
                "its certificate is for {names} and not for {}; `server_name` says what to ask for",
                expected.to_str()
            )
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate expired on {}", date(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "its certificate is valid only from {} on",
                date(*not_before)
            )
        }
        CertificateError::BadSignature => {
            "a signature is wrong: another authority of the same name signed its certificate, \
             or it does not own the key of it"
                .into()
        }
        CertificateError::Other(OtherError(other))
            if other.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity) =>
        {
            "its certificate is that of an authority (CA:TRUE), which no server may use as its own"
                .into()
        }
        fault => format!("its certificate is not accepted: {fault}"),
    }
}

fn of_alert(alert: AlertDescription) -> String {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the rest is rare, and new kinds come with new versions of the library"
    )]
    match alert {
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
    }
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
