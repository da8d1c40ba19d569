//! Process-wide limits and timeouts.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use crate::config::serve::Serve;
use crate::engine::semantics::BudgetRule;
use crate::http1::HeadLimits;

/// Limits and timeouts that no route overrides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Limits of request and response heads.
    pub head_limits: HeadLimits,
    /// How many requests of one worker may be in flight to one backend.
    pub in_flight_per_backend: usize,
    /// How many client connections one worker serves at a time.
    pub connections: usize,
    /// How many concurrent streams one HTTP/2 client connection may have.
    pub streams: u32,
    /// The retry budget.
    pub retries: BudgetRule,
    /// How many workers share the retry budget. Default: 1.
    pub workers: u32,
    /// The time within which a request head must arrive.
    pub header_timeout: Duration,
    /// How long an idle client connection stays open.
    pub idle_timeout: Duration,
    /// How long requests in flight may continue after the process was asked to stop.
    pub drain_timeout: Duration,
    /// The pseudonym of the gateway in `Via`.
    pub via: Box<str>,
    /// The base of relative file names.
    pub folder: PathBuf,
    /// The proxies whose `X-Forwarded-*` fields are trusted.
    pub trusted_proxies: Box<[IpNet]>,
}

impl Settings {
    /// The settings of a configuration; relative file names in it start at `folder`.
    #[must_use]
    pub fn of(serve: &Serve, folder: &Path) -> Self {
        let limits = &serve.limits;
        Self {
            head_limits: HeadLimits {
                max_head_bytes: limits.header_bytes,
                max_fields: limits.header_fields,
                max_target_bytes: limits.uri_bytes,
            },
            in_flight_per_backend: usize::try_from(limits.in_flight_per_backend)
                .unwrap_or(usize::MAX),
            connections: limits.connections,
            streams: limits.streams,
            retries: limits.retries,
            workers: 1,
            header_timeout: limits.header_timeout,
            idle_timeout: limits.idle_timeout,
            drain_timeout: serve.drain_timeout,
            via: serve.via.clone(),
            folder: folder.to_owned(),
            trusted_proxies: serve.trusted_proxies.as_slice().into(),
        }
    }

    /// Whether `peer` is a trusted proxy.
    #[must_use]
    pub fn is_trusted(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|net| net.contains(&peer))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::of(&Serve::default(), Path::new(""))
    }
}
