//! How backends are spoken to over TLS.

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

use crate::engine::semantics::error::TlsReason;
use crate::engine::upstream::backend::Address;
use crate::engine::upstream::{Protocol, Upstream};
use crate::runtime::tls::error::TlsError;
use crate::runtime::tls::reasons::Failed;
use crate::runtime::tls::{provider, roots};

/// How one backend is spoken to over TLS.
///
/// Each backend of each worker has its own: a session is resumed only with the backend that gave
/// it, and only under the settings under which it was checked.
#[derive(Debug)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    protocol: Protocol,
}

impl ClientTls {
    /// Reads what a backend is checked by; relative names of files start at `folder`. It may read
    /// files: not for a worker's own thread.
    ///
    /// # Errors
    /// If a file cannot be used, or the host has no name that a certificate could be for.
    pub fn load(to: &Address, upstream: &Upstream, folder: &Path) -> Result<Self, Failed> {
        let host = to.host().trim_matches(['[', ']']);
        let name = upstream.tls.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| {
            Failed::setup(format!(
                "{name:?} is no name that a certificate can be for; say one as `server_name`"
            ))
        })?;
        let config = config(to, upstream, folder);
        let config = config.map_err(|fault| Failed::setup(fault.to_string()))?;
        Ok(Self {
            config: Arc::new(config),
            name,
            protocol: upstream.protocol,
        })
    }

    /// Shakes hands with a backend.
    ///
    /// # Errors
    /// If it is not who it should be or does not speak what it should.
    pub async fn connect(&self, tcp: TcpStream) -> Result<TlsStream<TcpStream>, Failed> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let shaken = connector.connect(self.name.clone(), tcp).await;
        let tls = shaken.map_err(|error| Failed::of_handshake(&error))?;
        if self.protocol == Protocol::H2 && tls.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(Failed::new(
                TlsReason::Protocol,
                "it does not offer HTTP/2 (`h2` in its ALPN)",
            ));
        }
        Ok(tls)
    }
}

fn config(to: &Address, upstream: &Upstream, folder: &Path) -> Result<ClientConfig, TlsError> {
    let crypto = provider::connecting();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&crypto))
        .with_protocol_versions(&[&TLS13, &TLS12])?;
    let builder = if upstream.tls.verify {
        builder.with_root_certificates(match &upstream.tls.ca {
            Some(ca) => roots::of_file(&folder.join(&**ca))?,
            None => roots::of_system()?,
        })
    } else {
        warn_once(to);
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(crypto)))
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![match upstream.protocol {
        Protocol::H1 => b"http/1.1".to_vec(),
        Protocol::H2 => b"h2".to_vec(),
    }];
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(config)
}

fn warn_once(to: &Address) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    // Relaxed: it orders nothing, and is only to be true for one.
    if !TOLD.swap(true, Ordering::Relaxed) {
        eprintln!(
            "tollgate: warning: the certificate of {to} is not looked at (`verify: false`), nor are \
             those of other backends for which that is said: whoever stands in between can read and \
             change everything"
        );
    }
}

/// Believes any certificate; the backend must own its key all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
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

/// How many sessions of a backend are kept to be resumed. There is one name, and up to eight
/// tickets of it.
const SESSIONS: usize = 8;
