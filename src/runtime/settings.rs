//! What holds for all exchanges of the process.

use std::time::Duration;

use crate::http1::limits::HeadLimits;

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
    /// What backends speak.
    pub upstream_protocol: Protocol,
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// How long a connection is kept without a request.
    pub idle_timeout: Duration,
    /// How long requests in flight may go on when the process shall stop.
    pub drain_timeout: Duration,
    /// What the gateway calls itself in `Via`.
    pub via: Box<str>,
}

/// What a backend speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, one request at a time on a connection.
    #[default]
    Http1,
    /// HTTP/2 by prior knowledge (RFC 9113, section 3.3), many on one.
    Http2,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            head_limits: HeadLimits::default(),
            in_flight_per_backend: 1_000,
            connections: 10_000,
            streams: 100,
            upstream_protocol: Protocol::Http1,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
            via: "tollgate".into(),
        }
    }
}
