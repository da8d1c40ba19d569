//! What the configuration says of the process: where it listens, what it logs, how much it takes.
//!
//! Plain data with a default for everything; nothing here opens a file or a socket. The names of
//! files stand as they were written; [`resolved`] says where they are.

use std::fmt;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use crate::engine::semantics::budget::BudgetRule;

/// What the process is to do, beside the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serve {
    /// Where it listens, one or more, no address twice. Default: `127.0.0.1:8080`, in plain text.
    pub listeners: Vec<Listener>,
    /// Where it answers its operators. Default: nowhere.
    pub admin: Option<ListenAddress>,
    /// How many workers, 1 to 256; none: one a core. Default: none.
    pub workers: Option<NonZeroU16>,
    /// The proxies whose `X-Forwarded-*` and `Forwarded` are believed. Default: none is.
    pub trusted_proxies: Vec<IpNet>,
    /// What is logged of each request, and where. Default: nothing.
    pub access_log: AccessLog,
    /// How long requests in flight may take to finish once it stops; 0: they do not. Default: 30 s.
    pub drain_timeout: Duration,
    /// What it takes of a connection.
    pub limits: Limits,
    /// What it calls itself in `Via`, a token (RFC 9110, section 7.6.3). Default: `tollgate`.
    pub via: Box<str>,
}

/// An address that accepts connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The address.
    pub address: ListenAddress,
    /// What it does with a connection.
    pub service: ListenerService,
}

/// What a listener does with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerService {
    /// Serves it in plain text.
    Plain,
    /// Serves it over TLS.
    Tls(ListenerTls),
    /// Answers each request with a redirect to https on this port of the same host.
    RedirectToHttps {
        /// The port; 443 is not written into the redirect.
        port: u16,
    },
}

/// Where one listens: a host, which may be a name, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListenAddress {
    /// An IP address, without brackets, or a name.
    pub host: Box<str>,
    /// The port; 0: any that is free.
    pub port: u16,
}

/// How a listener speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerTls {
    /// One or more; a client gets the one whose names fit its SNI, else the first.
    pub certificates: Vec<CertificateFiles>,
    /// What is asked of clients. Default: nothing.
    pub client_auth: Option<ClientAuth>,
    /// The oldest version that is spoken. Default: 1.2.
    pub min_version: TlsVersion,
    /// The protocols that are offered, the first the dearest; never empty. Default: h2, http/1.1.
    pub alpn: Vec<Alpn>,
}

/// A certificate with its key: files in PEM, as the configuration writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the server's own first.
    pub cert: Box<str>,
    /// The key.
    pub key: Box<str>,
}

/// What is asked of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAuth {
    /// The file with the authorities that are believed, in PEM.
    pub ca: Box<str>,
    /// Whether a client without a certificate is sent away; a wrong one always is. Default: yes.
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

/// A protocol that a listener offers (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alpn {
    /// HTTP/2.
    H2,
    /// HTTP/1.1.
    Http11,
}

/// What is logged of each request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessLog {
    /// Where to. Default: nowhere.
    pub to: LogTarget,
    /// In which form. Default: JSON.
    pub format: LogFormat,
}

/// Where a log goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogTarget {
    /// Nowhere.
    #[default]
    None,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// This file, as the configuration writes it.
    File(Box<str>),
}

/// The form of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One object a line.
    #[default]
    Json,
    /// The `combined` format of Apache and nginx.
    Combined,
}

/// What the process takes of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The whole header of a request, in bytes: 1 KiB to 1 MiB. Default: 32 KiB.
    pub header_bytes: usize,
    /// Its fields: 8 to 4,096. Default: 100.
    pub header_fields: usize,
    /// The target of a request, in bytes: 256 to 1 MiB. Default: 8 KiB.
    pub uri_bytes: usize,
    /// Connections of one worker: 1 to 1,000,000. Default: 10,000.
    pub connections: usize,
    /// Open streams of one HTTP/2 connection: 1 to 10,000. Default: 100.
    pub streams: u32,
    /// Requests in flight to one backend: 1 to 1,000,000. Default: 1,000. A service may have its own.
    pub in_flight_per_backend: u32,
    /// Retries of all workers: what share of the requests, 0 to 100 percent, and how many a second
    /// beside those, 0 to 100,000. Default: 20 and 10.
    pub retries: BudgetRule,
    /// From the first byte of a header to its last: 1 ms to a day. Default: 10 s.
    pub header_timeout: Duration,
    /// How long a connection without a request is kept: 1 ms to a day. Default: 60 s.
    pub idle_timeout: Duration,
}

/// Where a file of the configuration is: relative names start at the folder of the configuration.
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
