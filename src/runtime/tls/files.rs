//! The files that a listener needs for TLS, and how to notice that one of them has changed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::config::serve::{Alpn, ListenerTls, TlsVersion, resolved};

/// The TLS settings of a listener, as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// At least one. A client gets the first certificate that matches its SNI, or the first of all.
    pub certificates: Vec<CertificateFiles>,
    /// Authentication of clients by certificate; `None` asks for no certificate.
    pub client_auth: Option<ClientAuth>,
    /// The oldest TLS version that the listener accepts.
    pub min_version: TlsVersion,
    /// The protocols that the listener offers, in order of preference.
    pub alpn: Vec<Alpn>,
}

/// A certificate chain and its private key, both in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain; the server's certificate comes first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Authentication of clients by certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAuth {
    /// A PEM file with the trusted certificate authorities.
    pub ca: PathBuf,
    /// Whether the listener rejects a client without a certificate. It always rejects an invalid
    /// certificate.
    pub is_required: bool,
}

impl TlsFiles {
    /// The settings from the configuration; relative file names start at `folder`.
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

    /// The state of all files, to compare with a later one.
    pub(super) fn stamps(&self) -> Vec<FileStamp> {
        let pairs = self.certificates.iter();
        let paths = pairs.flat_map(|CertificateFiles { cert, key }| [cert, key]);
        let ca = self.client_auth.as_ref().map(|auth| &auth.ca);
        paths.chain(ca).map(|path| FileStamp::of(path)).collect()
    }

    /// The state of the file with the authorities of clients.
    pub(super) fn client_ca_stamp(&self) -> FileStamp {
        let auth = self.client_auth.as_ref();
        auth.map(|auth| FileStamp::of(&auth.ca)).unwrap_or_default()
    }
}

/// The identity of a file and of its content: device, inode, size and modification time. It differs
/// after the file was written or replaced, also through a symbolic link. A missing file has `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FileStamp(Option<(u64, u64, u64, i64, i64)>);

impl FileStamp {
    fn of(path: &Path) -> Self {
        let found = fs::metadata(path).ok();
        Self(found.map(|it| (it.dev(), it.ino(), it.size(), it.mtime(), it.mtime_nsec())))
    }
}
