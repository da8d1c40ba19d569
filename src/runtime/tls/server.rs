//! How a listener speaks TLS, made of files, and made again when they change.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio_rustls::rustls::crypto::aws_lc_rs::Ticketer;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{
    NoClientAuth, NoServerSessionStorage, ProducesTickets, ServerConfig, WebPkiClientVerifier,
};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{Error, RootCertStore, SupportedProtocolVersion};

use crate::config::serve::{Alpn, TlsVersion};
use crate::runtime::clock;
use crate::runtime::tls::error::TlsError;
use crate::runtime::tls::files::{CertificateFiles, ClientAuth, TlsFiles};
use crate::runtime::tls::names::Named;
use crate::runtime::tls::stamp::Stamp;
use crate::runtime::tls::{pem, provider, roots, validity};

/// How one listener speaks TLS. All workers share it.
///
/// A session is resumed by a ticket that only the client keeps, so nothing is looked up or locked
/// for it, and any worker takes the ticket of another. Each listener has ticket keys of its own:
/// what one has let in is not let in by another that asks for more.
pub struct ServerTls {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
    /// For the one who looks at the files; no handshake touches it.
    seen: Mutex<Seen>,
}

/// The files as they were last read.
struct Seen {
    stamps: Vec<Stamp>,
    tickets: Tickets,
    /// What is wrong with them and has been told.
    told: Option<String>,
}

/// The keys of tickets, as long as they are good for.
#[derive(Clone)]
struct Tickets {
    keys: Arc<dyn ProducesTickets>,
    /// The authorities when they were made: who is no longer believed cannot resume either.
    client_ca: Stamp,
}

/// What is worth saying about files that can be used.
pub type Remarks = Vec<String>;

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// If one cannot be used.
    pub fn load(files: TlsFiles) -> Result<(Self, Remarks), TlsError> {
        // Before they are read: what is written meanwhile is noticed later.
        let stamps = stamps(&files);
        let tickets = Tickets::new(client_ca(&files))?;
        let (config, remarks) = read(&files, &tickets)?;
        let tls = Self {
            files,
            current: ArcSwap::from_pointee(config),
            seen: Mutex::new(Seen {
                stamps,
                tickets,
                told: None,
            }),
        };
        Ok((tls, remarks))
    }

    /// What holds for the next handshake.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Looks whether a file has changed. New ones are used from the next handshake on; with broken
    /// ones all stays as it was. Gives what there is to say, once.
    pub fn look(&self) -> Remarks {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.files);
        if stamps == seen.stamps && seen.told.is_none() {
            return Remarks::new();
        }
        match self.read_again(&seen.tickets) {
            Ok((tickets, config, mut remarks)) => {
                self.current.store(Arc::new(config));
                let names = self.files.certificates.iter();
                let names: Vec<_> = names.map(|it| it.cert.display().to_string()).collect();
                remarks.insert(
                    0,
                    format!("the certificates were read again: {}", names.join(", ")),
                );
                *seen = Seen {
                    stamps,
                    tickets,
                    told: None,
                };
                remarks
            }
            Err(fault) => {
                let told = format!("{fault}; the certificates from before stay in use");
                let is_news = seen.told.as_ref() != Some(&told);
                seen.told = Some(told.clone());
                is_news.then_some(told).into_iter().collect()
            }
        }
    }

    fn read_again(&self, known: &Tickets) -> Result<(Tickets, ServerConfig, Remarks), TlsError> {
        let client_ca = client_ca(&self.files);
        let tickets = if client_ca == known.client_ca {
            known.clone()
        } else {
            Tickets::new(client_ca)?
        };
        let (config, remarks) = read(&self.files, &tickets)?;
        Ok((tickets, config, remarks))
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Tickets {
    fn new(client_ca: Stamp) -> Result<Self, TlsError> {
        let keys = Ticketer::new()?;
        Ok(Self { keys, client_ca })
    }
}

fn stamps(files: &TlsFiles) -> Vec<Stamp> {
    let pairs = files.certificates.iter();
    let paths = pairs.flat_map(|CertificateFiles { cert, key }| [cert, key]);
    let ca = files.client_auth.as_ref().map(|auth| &auth.ca);
    paths.chain(ca).map(|path| Stamp::of(path)).collect()
}

fn client_ca(files: &TlsFiles) -> Stamp {
    let auth = files.client_auth.as_ref();
    auth.map(|auth| Stamp::of(&auth.ca)).unwrap_or_default()
}

fn read(files: &TlsFiles, tickets: &Tickets) -> Result<(ServerConfig, Remarks), TlsError> {
    let mut remarks = Remarks::new();
    let mut named = Named::default();
    if files.certificates.is_empty() {
        return Err(TlsError::NoCertificates);
    }
    for pair in &files.certificates {
        named.push(certified(pair, &mut remarks)?);
    }
    let versions: &[&SupportedProtocolVersion] = match files.min_version {
        TlsVersion::V12 => &[&TLS13, &TLS12],
        TlsVersion::V13 => &[&TLS13],
    };
    let mut config = ServerConfig::builder_with_provider(provider::serving())
        .with_protocol_versions(versions)?
        .with_client_cert_verifier(client_verifier(files.client_auth.as_ref())?)
        .with_cert_resolver(Arc::new(named));
    config.alpn_protocols = offered(&files.alpn);
    config.ticketer = Arc::clone(&tickets.keys);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok((config, remarks))
}

fn certified(pair: &CertificateFiles, remarks: &mut Remarks) -> Result<CertifiedKey, TlsError> {
    let CertificateFiles { cert, key } = pair;
    let chain = pem::certificates(cert)?;
    let private = pem::key(key)?;
    if let Some(remark) = chain.first().and_then(|first| expired(cert, first)) {
        remarks.push(remark);
    }
    let signing = provider::serving().key_provider.load_private_key(private);
    let signing = signing.map_err(|fault| TlsError::Malformed {
        path: key.clone(),
        why: fault.to_string(),
    })?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(Error::InconsistentKeys(_)) => Err(TlsError::Mismatch {
            cert: cert.clone(),
            key: key.clone(),
        }),
        Err(fault) => Err(TlsError::Malformed {
            path: cert.clone(),
            why: fault.to_string(),
        }),
    }
}

fn expired(path: &Path, certificate: &[u8]) -> Option<String> {
    let end = u64::try_from(validity::not_after(certificate)?).unwrap_or(0);
    (end < clock::unix_seconds()).then(|| {
        format!(
            "the certificate in {} expired on {}; clients will refuse it",
            path.display(),
            clock::http_date(end)
        )
    })
}

fn client_verifier(auth: Option<&ClientAuth>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let Some(auth) = auth else {
        return Ok(Arc::new(NoClientAuth));
    };
    let roots: Arc<RootCertStore> = roots::of_file(&auth.ca)?;
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider::serving());
    let builder = if auth.is_required {
        builder
    } else {
        builder.allow_unauthenticated()
    };
    builder.build().map_err(|fault| TlsError::Malformed {
        path: auth.ca.clone(),
        why: fault.to_string(),
    })
}

/// What is offered, by the names of RFC 7301. Who offers HTTP/1.1 takes 1.0 as well, under the name
/// that curl gives it.
fn offered(alpn: &[Alpn]) -> Vec<Vec<u8>> {
    let names = alpn.iter().flat_map(|protocol| match protocol {
        Alpn::H2 => &["h2"][..],
        Alpn::Http11 => &["http/1.1", "http/1.0"],
    });
    names.map(|name| name.as_bytes().to_vec()).collect()
}
