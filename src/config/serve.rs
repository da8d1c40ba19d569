//! Settings of the process: listeners, access log, limits.
//!
//! Plain data with a default for everything; nothing here opens a file or a socket. File names are
//! as written in the configuration; [`resolved`] makes paths of them.

use std::fmt;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use crate::engine::semantics::BudgetRule;

/// The settings of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serve {
    /// The listeners, one or more, with distinct addresses. Default: `127.0.0.1:8080`, plain text.
    pub listeners: Vec<Listener>,
    /// Address of the admin interface. Default: none.
    pub admin: Option<ListenAddress>,
    /// Number of workers, 1 to 256; `None` is one per core. Default: `None`.
    pub workers: Option<NonZeroU16>,
    /// The proxies whose `X-Forwarded-*` and `Forwarded` are trusted. Default: none.
    pub trusted_proxies: Vec<IpNet>,
    /// The access log. Default: off.
    pub access_log: AccessLog,
    /// How long requests in flight may take to complete after a stop signal. Default: 30 s.
    pub drain_timeout: Duration,
    /// Limits of connections, requests and retries.
    pub limits: Limits,
    /// The name in `Via`, a token (RFC 9110, section 7.6.3). Default: `tollgate`.
    pub via: Box<str>,
}

/// An address that accepts connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The address.
    pub address: ListenAddress,
    /// The service for its connections.
    pub service: ListenerService,
}

/// The service that a listener offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerService {
    /// HTTP in plain text.
    Plain,
    /// HTTP over TLS.
    Tls(ListenerTls),
    /// A redirect to https on a port of the same host, for every request.
    RedirectToHttps {
        /// The port; 443 is omitted from the URL.
        port: u16,
    },
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListenAddress {
    /// An IP address, without brackets, or a name.
    pub host: Box<str>,
    /// The port; 0 is any free port.
    pub port: u16,
}

/// How a listener serves TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerTls {
    /// One or more. SNI selects by the names in the certificates; the first is the default.
    pub certificates: Vec<CertificateFiles>,
    /// Whether and how clients are authenticated. Default: they are not.
    pub client_auth: Option<ClientAuth>,
    /// The oldest version. Default: 1.2.
    pub min_version: TlsVersion,
    /// The ALPN protocols in order of preference; never empty. Default: h2, http/1.1.
    pub alpn: Vec<Alpn>,
}

/// The PEM files of a certificate and its key, as written in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate chain, the server's own certificate first.
    pub cert: Box<str>,
    /// The key.
    pub key: Box<str>,
}

/// Client authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAuth {
    /// The PEM file with the trusted authorities.
    pub ca: Box<str>,
    /// Whether a client without a certificate is rejected. Default: `true`. A client with an
    /// invalid certificate always is.
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

/// A protocol that a listener offers by ALPN (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alpn {
    /// HTTP/2.
    H2,
    /// HTTP/1.1.
    Http11,
}

/// The access log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessLog {
    /// Its target. Default: none.
    pub to: LogTarget,
    /// Its format. Default: JSON.
    pub format: LogFormat,
}

/// The target of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogTarget {
    /// No log.
    #[default]
    None,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, as written in the configuration.
    File(Box<str>),
}

/// The format of an access log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object per line.
    #[default]
    Json,
    /// The `combined` format of Apache and nginx.
    Combined,
}

/// Limits of connections, requests and retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum size of a request head in bytes: 1 KiB to 1 MiB. Default: 32 KiB.
    pub header_bytes: usize,
    /// Maximum number of header fields: 8 to 4,096. Default: 100.
    pub header_fields: usize,
    /// Maximum size of a request target in bytes: 256 to 1 MiB. Default: 8 KiB.
    pub uri_bytes: usize,
    /// Maximum number of connections per worker: 1 to 1,000,000. Default: 10,000.
    pub connections: usize,
    /// Maximum number of open streams per HTTP/2 connection: 1 to 10,000. Default: 100.
    pub streams: u32,
    /// Maximum number of requests in flight to one backend, per worker: 1 to 1,000,000. Default:
    /// 1,000. A service may state another.
    pub in_flight_per_backend: u32,
    /// Retry budget of all workers: 0 to 100 percent of the requests, and 0 to 100,000 per second
    /// in addition. Default: 20 and 10.
    pub retries: BudgetRule,
    /// From the first byte of a request head to its last: 1 ms to 24 h. Default: 10 s.
    pub header_timeout: Duration,
    /// How long a connection without a request stays open: 1 ms to 24 h. Default: 60 s.
    pub idle_timeout: Duration,
}

/// The path of a file that the configuration names, relative to its folder.
#[must_use]
pub fn resolved(folder: &Path, written: &str) -> PathBuf {
    folder.join(written)
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            listeners: vec![Listener {
                address: ListenAddress {
                    host: "127.0.0.1".into(),
                    port: 8080,
                },
                service: ListenerService::Plain,
            }],
            admin: None,
            workers: None,
            trusted_proxies: Vec::new(),
            access_log: AccessLog::default(),
            drain_timeout: Duration::from_secs(30),
            limits: Limits::default(),
            via: "tollgate".into(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 32 << 10,
            header_fields: 100,
            uri_bytes: 8 << 10,
            connections: 10_000,
            streams: 100,
            in_flight_per_backend: 1_000,
            retries: BudgetRule::default(),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
        }
    }
}

impl fmt::Display for LogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::File(name) => name,
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}
