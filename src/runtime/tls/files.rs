//! How a listener speaks TLS, as plain data: where its files are, and what is asked for.

use std::path::{Path, PathBuf};

use crate::config::serve::{Alpn, ListenerTls, TlsVersion, resolved};

/// How a listener speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// One or more; a client gets the first whose names fit its SNI, else the first of all.
    pub certificates: Vec<CertificateFiles>,
    /// What is asked of clients; none: nothing.
    pub client_auth: Option<ClientAuth>,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// The protocols that are offered, the first the dearest.
    pub alpn: Vec<Alpn>,
}

/// A certificate with its key, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the server's own first.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// What is asked of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAuth {
    /// The file with the authorities that are believed, in PEM.
    pub ca: PathBuf,
    /// Whether a client without a certificate is sent away; a wrong one always is.
    pub is_required: bool,
}

impl TlsFiles {
    /// What the configuration says; relative names of files start at `folder`.
    #[must_use]
    pub fn of(tls: &ListenerTls, folder: &Path) -> Self {
        let certificates = tls.certificates.iter().map(|pair| CertificateFiles {
            cert: resolved(folder, &pair.cert),
            key: resolved(folder, &pair.key),
        });
        Self {
            certificates: certificates.collect(),
            client_auth: tls.client_auth.as_ref().map(|auth| ClientAuth {
                ca: resolved(folder, &auth.ca),
                is_required: auth.is_required,
            }),
            min_version: tls.min_version,
            alpn: tls.alpn.clone(),
        }
    }
}
