//! TLS to backends.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{ClientConfig, Resumption};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{DigitallySignedStruct, Error, SignatureScheme};

use crate::engine::semantics::TlsReason;
use crate::engine::upstream::{Address, Protocol, Upstream};
use crate::runtime::tls::error::{HandshakeError, TlsError};
use crate::runtime::tls::{credentials, provider};

/// The TLS settings for one backend.
///
/// Each worker has its own for each backend, so that it resumes a session only with the backend
/// that issued the ticket, and only under the settings that verified that backend.
#[derive(Debug)]
pub(crate) struct ClientTls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    protocol: Protocol,
}

impl ClientTls {
    /// Loads the trusted authorities for a backend; relative file names start at `folder`. May read
    /// files, so do not call it on the thread of a worker.
    ///
    /// # Errors
    /// If a file cannot be used, or no certificate can be issued for the name of the host.
    pub(crate) fn load(
        to: &Address,
        upstream: &Upstream,
        folder: &Path,
    ) -> Result<Self, HandshakeError> {
        let host = to.host().trim_matches(['[', ']']);
        let name = upstream.tls.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| {
            HandshakeError::setup(format!(
                "{name:?} is not a valid name for a certificate; set one as `server_name`"
            ))
        })?;
        let config = config(to, upstream, folder);
        let config = config.map_err(|error| HandshakeError::setup(error.to_string()))?;
        Ok(Self {
            config: Arc::new(config),
            name,
            protocol: upstream.protocol,
        })
    }

    /// Performs the handshake with the backend.
    ///
    /// # Errors
    /// If the backend cannot be verified or does not support the configured protocol.
    pub(crate) async fn connect(
        &self,
        tcp: TcpStream,
    ) -> Result<TlsStream<TcpStream>, HandshakeError> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let handshake = connector.connect(self.name.clone(), tcp).await;
        let tls = handshake.map_err(|error| HandshakeError::of(&error))?;
        if self.protocol == Protocol::H2 && tls.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(HandshakeError::new(
                TlsReason::Protocol,
                "it does not support HTTP/2 (`h2` in ALPN)",
            ));
        }
        Ok(tls)
    }
}

fn config(to: &Address, upstream: &Upstream, folder: &Path) -> Result<ClientConfig, TlsError> {
    let crypto = provider::upstream();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&crypto))
        .with_protocol_versions(&[&TLS13, &TLS12])?;
    let builder = if upstream.tls.verify {
        builder.with_root_certificates(match &upstream.tls.ca {
            Some(ca) => credentials::trusted_roots(&folder.join(&**ca))?,
            None => credentials::system_roots()?,
        })
    } else {
        warn_once(to);
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(NoVerification(crypto)))
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![match upstream.protocol {
        Protocol::H1 => b"http/1.1".to_vec(),
        Protocol::H2 => b"h2".to_vec(),
    }];
    config.resumption = Resumption::in_memory_sessions(MAX_SESSIONS);
    Ok(config)
}

fn warn_once(to: &Address) {
    static HAS_WARNED: AtomicBool = AtomicBool::new(false);
    // Relaxed: it orders nothing; one thread alone gets `false`.
    if !HAS_WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            "the certificate of {to} is not verified (`verify: false`), nor is that \
             of any other backend with this setting: anyone on the network path can read and change \
             all traffic"
        );
    }
}

/// Accepts any certificate whose private key the backend has.
#[derive(Debug)]
struct NoVerification(Arc<CryptoProvider>);

impl ServerCertVerifier for NoVerification {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The number of session tickets stored per backend. All are for one name, for which rustls keeps at
/// most eight.
const MAX_SESSIONS: usize = 8;
