//! How a listener speaks TLS, as plain data: names of files, and what is asked for.

use std::path::PathBuf;

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

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[default]
    V12,
    /// TLS 1.3 (RFC 8446).
    V13,
}

/// A protocol that a listener offers (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alpn {
    /// HTTP/2.
    H2,
    /// HTTP/1.1.
    Http11,
}

impl TlsFiles {
    /// A listener with this certificate, which asks nothing of clients.
    #[must_use]
    pub fn new(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificates: vec![CertificateFiles {
                cert: cert.into(),
                key: key.into(),
            }],
            client_auth: None,
            min_version: TlsVersion::V12,
            alpn: vec![Alpn::H2, Alpn::Http11],
        }
    }
}
