//! A client of one connection, over TLS or not, that reads to the end.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, HandshakeKind, ProtocolVersion,
    RootCertStore, SignatureScheme, SupportedProtocolVersion,
};

use crate::certificates::Pair;

/// The maximum time that a test waits for one event.
pub(crate) const TEST_TIMEOUT: Duration = Duration::from_secs(20);

/// What a client observed on one connection.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) response: String,
    pub(crate) version: ProtocolVersion,
    pub(crate) kind: HandshakeKind,
    pub(crate) certificate: Vec<u8>,
    pub(crate) alpn: Option<Vec<u8>>,
}

/// A client that trusts these authorities and has this certificate.
pub(crate) fn client(roots: Arc<RootCertStore>, own: Option<&Pair>) -> ClientConfig {
    with_versions(roots, own, &[&TLS13, &TLS12])
}

pub(crate) fn with_versions(
    roots: Arc<RootCertStore>,
    own: Option<&Pair>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let builder = ClientConfig::builder_with_protocol_versions(versions);
    let builder = builder.with_root_certificates(roots);
    match own {
        None => builder.with_no_client_auth(),
        Some(own) => builder
            .with_client_auth_cert(own.chain(), own.private())
            .unwrap(),
    }
}

/// Sends one request with this server name, and reads until the connection closes.
pub(crate) fn get(to: SocketAddr, config: &Arc<ClientConfig>, name: &str) -> io::Result<Observed> {
    let mut tcp = connect(to);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    let mut stream = tokio_rustls::rustls::Stream::new(&mut tls, &mut tcp);
    stream.write_all(b"GET /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let certificates = tls.peer_certificates();
    let first = certificates.and_then(<[CertificateDer<'_>]>::first);
    Ok(Observed {
        response,
        version: tls.protocol_version().unwrap(),
        kind: tls.handshake_kind().unwrap(),
        certificate: first.unwrap().to_vec(),
        alpn: tls.alpn_protocol().map(<[u8]>::to_vec),
    })
}

/// Sends bytes in plain text, and returns all bytes until the connection closes.
pub(crate) fn plain(to: SocketAddr, bytes: &[u8]) -> String {
    let mut tcp = connect(to);
    tcp.write_all(bytes).unwrap();
    let mut response = Vec::new();
    tcp.read_to_end(&mut response).unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

fn connect(to: SocketAddr) -> TcpStream {
    let tcp = TcpStream::connect(to).unwrap();
    tcp.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    tcp
}

/// Accepts any certificate.
#[derive(Debug)]
pub(crate) struct AcceptAny;

impl ServerCertVerifier for AcceptAny {
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
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
