//! TLS of a listener: loaded from files, and reloaded when they change.

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
use tokio_rustls::rustls::{Error, SupportedProtocolVersion};

use crate::config::serve::{Alpn, TlsVersion};
use crate::runtime::clock;
use crate::runtime::tls::error::TlsError;
use crate::runtime::tls::files::{CertificateFiles, ClientAuth, FileStamp, TlsFiles};
use crate::runtime::tls::sni::SniResolver;
use crate::runtime::tls::{credentials, provider};

/// The TLS settings of one listener, shared by all workers.
///
/// Sessions are resumed with tickets, which only clients store: no worker looks anything up or takes
/// a lock, and each accepts the tickets of the others. Each listener has ticket keys of its own, so
/// that a client verified by one listener cannot resume at another that requires more.
pub struct ServerTls {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
    /// Locked by reloads only, never by a handshake.
    loaded: Mutex<Loaded>,
}

/// The files as they were last read.
struct Loaded {
    stamps: Vec<FileStamp>,
    tickets: Tickets,
    /// The last error reported, until a reload succeeds.
    error: Option<String>,
}

/// The keys that encrypt session tickets.
#[derive(Clone)]
struct Tickets {
    keys: Arc<dyn ProducesTickets>,
    /// The authorities of clients when the keys were made. New authorities need new keys: a client
    /// that is no longer trusted must not resume either.
    client_ca: FileStamp,
}

/// What operators should know about files that can be used, such as an expired certificate.
pub type Warnings = Vec<String>;

/// What a check of the files has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reload {
    /// Nothing new.
    Unchanged,
    /// The files were read again, and are in use.
    Reloaded {
        /// The certificate files.
        files: String,
        /// What operators should know about them.
        warnings: Warnings,
    },
    /// A file cannot be used, for this reason.
    Failed(String),
}

impl ServerTls {
    /// Loads the files.
    ///
    /// # Errors
    /// If one of them cannot be used.
    pub fn load(files: TlsFiles) -> Result<(Self, Warnings), TlsError> {
        // Before the files are read, so that a change in between leads to a reload.
        let stamps = files.stamps();
        let tickets = Tickets::new(files.client_ca_stamp())?;
        let (config, warnings) = read(&files, &tickets)?;
        let tls = Self {
            files,
            current: ArcSwap::from_pointee(config),
            loaded: Mutex::new(Loaded {
                stamps,
                tickets,
                error: None,
            }),
        };
        Ok((tls, warnings))
    }

    /// The settings for the next handshake.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Reloads the files if one has changed, for the handshakes that follow. If one cannot be used,
    /// everything stays as it is. Returns what to log; an error again only when it changes.
    pub fn reload_if_changed(&self) -> Reload {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = self.files.stamps();
        if stamps == loaded.stamps && loaded.error.is_none() {
            return Reload::Unchanged;
        }
        match self.reload(&loaded.tickets) {
            Ok((tickets, config, warnings)) => {
                self.current.store(Arc::new(config));
                let names = self.files.certificates.iter();
                let names: Vec<_> = names.map(|it| it.cert.display().to_string()).collect();
                *loaded = Loaded {
                    stamps,
                    tickets,
                    error: None,
                };
                Reload::Reloaded {
                    files: names.join(", "),
                    warnings,
                }
            }
            Err(error) => {
                let error = error.to_string();
                if loaded.error.replace(error.clone()).as_ref() == Some(&error) {
                    return Reload::Unchanged;
                }
                Reload::Failed(error)
            }
        }
    }

    fn reload(&self, previous: &Tickets) -> Result<(Tickets, ServerConfig, Warnings), TlsError> {
        let client_ca = self.files.client_ca_stamp();
        let tickets = if client_ca == previous.client_ca {
            previous.clone()
        } else {
            Tickets::new(client_ca)?
        };
        let (config, warnings) = read(&self.files, &tickets)?;
        Ok((tickets, config, warnings))
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
    fn new(client_ca: FileStamp) -> Result<Self, TlsError> {
        let keys = Ticketer::new()?;
        Ok(Self { keys, client_ca })
    }
}

fn read(files: &TlsFiles, tickets: &Tickets) -> Result<(ServerConfig, Warnings), TlsError> {
    let mut warnings = Warnings::new();
    let mut resolver = SniResolver::default();
    if files.certificates.is_empty() {
        return Err(TlsError::NoCertificates);
    }
    for pair in &files.certificates {
        resolver.push(certified_key(pair, &mut warnings)?);
    }
    let versions: &[&SupportedProtocolVersion] = match files.min_version {
        TlsVersion::V12 => &[&TLS13, &TLS12],
        TlsVersion::V13 => &[&TLS13],
    };
    let mut config = ServerConfig::builder_with_provider(provider::downstream())
        .with_protocol_versions(versions)?
        .with_client_cert_verifier(client_verifier(files.client_auth.as_ref())?)
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = alpn_names(&files.alpn);
    config.ticketer = Arc::clone(&tickets.keys);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok((config, warnings))
}

fn certified_key(
    pair: &CertificateFiles,
    warnings: &mut Warnings,
) -> Result<CertifiedKey, TlsError> {
    let CertificateFiles { cert, key } = pair;
    let chain = credentials::certificates(cert)?;
    let private = credentials::private_key(key)?;
    if let Some(warning) = chain.first().and_then(|first| expired(cert, first)) {
        warnings.push(warning);
    }
    let signing = provider::downstream()
        .key_provider
        .load_private_key(private);
    let signing = signing.map_err(|error| TlsError::Malformed {
        path: key.clone(),
        why: error.to_string(),
    })?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(Error::InconsistentKeys(_)) => Err(TlsError::Mismatch {
            cert: cert.clone(),
            key: key.clone(),
        }),
        Err(error) => Err(TlsError::Malformed {
            path: cert.clone(),
            why: error.to_string(),
        }),
    }
}

fn expired(path: &Path, certificate: &[u8]) -> Option<String> {
    let end = u64::try_from(credentials::not_after(certificate)?).unwrap_or(0);
    (end < clock::unix_seconds()).then(|| {
        format!(
            "the certificate in {} expired on {}; clients will reject it",
            path.display(),
            clock::http_date(end)
        )
    })
}

fn client_verifier(auth: Option<&ClientAuth>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let Some(auth) = auth else {
        return Ok(Arc::new(NoClientAuth));
    };
    let roots = credentials::trusted_roots(&auth.ca)?;
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider::downstream());
    let builder = if auth.is_required {
        builder
    } else {
        builder.allow_unauthenticated()
    };
    builder.build().map_err(|error| TlsError::Malformed {
        path: auth.ca.clone(),
        why: error.to_string(),
    })
}

/// The protocols to offer, by their names in RFC 7301. With HTTP/1.1 goes `http/1.0`, which curl
/// sends.
fn alpn_names(alpn: &[Alpn]) -> Vec<Vec<u8>> {
    let names = alpn.iter().flat_map(|protocol| match protocol {
        Alpn::H2 => &["h2"][..],
        Alpn::Http11 => &["http/1.1", "http/1.0"],
    });
    names.map(|name| name.as_bytes().to_vec()).collect()
}
