//! What holds for all exchanges of the process.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;

use crate::config::serve::Serve;
use crate::engine::semantics::budget::BudgetRule;
use crate::http1::HeadLimits;

/// Limits and times that no route changes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How large heads may be.
    pub head_limits: HeadLimits,
    /// How many requests of one worker may be on their way to one backend.
    pub in_flight_per_backend: usize,
    /// How many connections of clients one worker has at once.
    pub connections: usize,
    /// How many streams one HTTP/2 connection may have at once.
    pub streams: u32,
    /// How many retries there may be.
    pub retries: BudgetRule,
    /// How many workers share them. Default: 1.
    pub workers: u32,
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// How long a connection is kept without a request.
    pub idle_timeout: Duration,
    /// How long requests in flight may go on when the process shall stop.
    pub drain_timeout: Duration,
    /// What the gateway calls itself in `Via`.
    pub via: Box<str>,
    /// Where relative names of files start.
    pub folder: PathBuf,
    /// The proxies that are believed.
    pub trusted_proxies: Box<[IpNet]>,
}

impl Settings {
    /// What the configuration says; relative names of files in it start at `folder`.
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

    /// Whether what this peer says of others is believed.
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
