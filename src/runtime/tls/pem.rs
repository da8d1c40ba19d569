//! Certificates and keys out of files in PEM (RFC 7468).

use std::path::Path;

use memchr::memmem;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::runtime::tls::error::TlsError;

/// All certificates of a file; at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|fault| malformed(path, &fault))?;
    if found.is_empty() {
        return Err(lacks(path, "certificate", "CERTIFICATE", &text));
    }
    Ok(found)
}

/// The first key of a file.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path)?;
    if ENCRYPTED
        .iter()
        .any(|mark| memmem::find(&text, mark).is_some())
    {
        return Err(TlsError::EncryptedKey { path: path.into() });
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|fault| {
        if matches!(fault, pem::Error::NoItemsFound) {
            lacks(path, "private key", "PRIVATE KEY", &text)
        } else {
            malformed(path, &fault)
        }
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let text = std::fs::read(path).map_err(|error| TlsError::Unreadable {
        path: path.into(),
        error,
    })?;
    if text.trim_ascii().is_empty() {
        return Err(TlsError::Empty { path: path.into() });
    }
    Ok(text)
}

fn malformed(path: &Path, fault: &pem::Error) -> TlsError {
    TlsError::Malformed {
        path: path.into(),
        why: format!("it is no valid PEM ({fault})"),
    }
}

fn lacks(path: &Path, what: &'static str, begins: &'static str, text: &[u8]) -> TlsError {
    TlsError::Lacks {
        path: path.into(),
        what,
        begins,
        // What DER begins with: a sequence whose length takes two bytes.
        is_der: text.starts_with(&[0x30, 0x82]),
    }
}

/// How a key says that it is encrypted: PKCS #8, and what OpenSSL wrote before it.
const ENCRYPTED: [&[u8]; 2] = [
    b"-----BEGIN ENCRYPTED PRIVATE KEY-----",
    b"Proc-Type: 4,ENCRYPTED",
];
