//! What holds for all exchanges of the process.

use std::path::PathBuf;
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
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// How long a connection is kept without a request.
    pub idle_timeout: Duration,
    /// How long requests in flight may go on when the process shall stop.
    pub drain_timeout: Duration,
    /// What the gateway calls itself in `Via`.
    pub via: Box<str>,
    /// Where relative names of files start that a route or service says: the configuration's folder.
    pub folder: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            head_limits: HeadLimits::default(),
            in_flight_per_backend: 1_000,
            connections: 10_000,
            streams: 100,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
            via: "tollgate".into(),
            folder: PathBuf::new(),
        }
    }
}
