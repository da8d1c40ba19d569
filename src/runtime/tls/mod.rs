//! TLS on both sides, downstream and upstream, from certificates and keys in files.
//!
//! Nothing here opens a socket. rustls does the handshakes; AWS-LC provides the cryptography.

mod client;
mod credentials;
mod error;
mod files;
mod provider;
mod reload;
mod server;
mod sni;

pub(crate) use client::ClientTls;
pub(crate) use credentials::trusted_roots;
pub use error::{HandshakeError, TlsError};
pub use files::{CertificateFiles, ClientAuth, TlsFiles};
pub(crate) use reload::CertificateReloader;
pub use server::{Reload, ServerTls, Warnings};
