//! How an admitted request is forwarded: timeouts, retries and the `Host` field.

use std::time::Duration;

/// How the requests of a route are forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Forwarding {
    /// How long each step may take.
    pub timeouts: Timeouts,
    /// When a failed attempt is repeated on another backend.
    pub retry: Retry,
    /// The `Host` field of the upstream request. Default: the client's.
    pub host: HostRule,
}

/// How long each step of an exchange may take. The runtime checks them about twenty times a second.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// From the end of the request to the head of the response, over all attempts, without the time
    /// to connect. Default: 15 s.
    pub response: Duration,
    /// The same for one attempt; `None`: only `response` applies. Default: `None`.
    pub per_attempt: Option<Duration>,
    /// To establish a connection to a backend, TLS handshake included. Default: 2 s.
    pub connect: Duration,
    /// The longest pause without a byte in either direction during a body. Default: 60 s.
    pub idle: Duration,
    /// The whole exchange, to its last byte; `None`: unlimited. Default: `None`.
    pub exchange: Option<Duration>,
}

/// When a failed attempt is repeated on another backend. A connection that cannot be established is
/// always retried; nothing is retried once a byte of the response has gone to the client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Retry {
    /// The number of retries after the first attempt. Default: 2.
    pub attempts: u32,
    /// The failures to retry beside connection failures. Default: resets, 502 and 503.
    pub on: RetryOn,
    /// Whether to retry requests whose method is not idempotent (RFC 9110, section 9.2.2).
    /// Default: no.
    pub non_idempotent: bool,
    /// The size of the replay buffer in bytes; a request with a longer body is sent once.
    /// Default: 64 KiB.
    pub buffer_bytes: usize,
}

/// The failures after which a request is retried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RetryOn {
    /// The connection closed before a response.
    pub reset: bool,
    /// No response within the timeout of one attempt.
    pub timeout: bool,
    /// Responses with one of these statuses, sorted: 500 to 599.
    pub statuses: Vec<u16>,
}

/// The `Host` field of the upstream request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum HostRule {
    /// The client's `Host`.
    #[default]
    Keep,
    /// The backend's own host, with its port unless that is the default of its scheme.
    Rewrite,
    /// This value, from `host` in the `request_headers` of the route.
    Set(Box<str>),
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            response: Duration::from_secs(15),
            per_attempt: None,
            connect: Duration::from_secs(2),
            idle: Duration::from_secs(60),
            exchange: None,
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 2,
            on: RetryOn {
                reset: true,
                timeout: false,
                statuses: vec![502, 503],
            },
            non_idempotent: false,
            buffer_bytes: 64 << 10,
        }
    }
}
