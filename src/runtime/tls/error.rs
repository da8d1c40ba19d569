//! Why files give no TLS.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tokio_rustls::rustls;

/// What is wrong with the files of a listener, or with those that backends are checked by.
#[derive(Debug, Error)]
pub enum TlsError {
    /// No certificate is named.
    #[error("no certificate is named; TLS needs one with its key")]
    NoCertificates,
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Nothing is in a file.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A file has something else in it.
    #[error("{} holds no {what} in PEM (a text with -----BEGIN {begins}-----){}",
        path.display(), if *is_der { "; it seems to be DER, which openssl converts" } else { "" })]
    Lacks {
        /// The file.
        path: PathBuf,
        /// What it should have.
        what: &'static str,
        /// How that begins.
        begins: &'static str,
        /// Whether it looks like DER.
        is_der: bool,
    },
    /// A key needs a passphrase.
    #[error(
        "the key in {} is encrypted, and nobody is there to type its passphrase; \
         store it without one (openssl pkey -in old.pem -out new.pem)",
        path.display()
    )]
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// Something in a file is not what it says.
    #[error("{} cannot be used: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A certificate and a key of two pairs.
    #[error("the key in {} does not fit the certificate in {}", key.display(), cert.display())]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The system has no roots.
    #[error(
        "the system has no certificates of authorities{why}; \
         install ca-certificates, or name a file with `ca`"
    )]
    NoRoots {
        /// Why, behind a colon; may be empty.
        why: String,
    },
    /// The library wants something else.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}
