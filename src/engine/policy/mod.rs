//! What a route asks for beyond its service: times, retries, limits, and what it changes.
//!
//! Plain data, made by the configuration and carried by the plan. It says nothing of a protocol: a
//! codec or the runtime acts on it.

pub mod body_limit;
pub mod cors;
pub mod deprecation;
pub mod headers;
pub mod redirect;

use std::time::Duration;

/// The policy of one route. A route that redirects has no use for most of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// How long things may take.
    pub timeouts: Timeouts,
    /// When another backend is tried.
    pub retry: Retry,
    /// The largest request body, in bytes; none: any. A larger one is a 413. Default: 1 GiB.
    pub max_body_bytes: Option<u64>,
    /// What the backend gets as `Host`. Default: what the client sent.
    pub host: HostRule,
    /// What is changed in the header of the request.
    pub request_headers: HeaderRules,
    /// What is changed in the header of the response.
    pub response_headers: HeaderRules,
    /// Answers in place of a backend.
    pub redirect: Option<Redirect>,
    /// What pages of other origins may do (the Fetch standard); none: nothing is added.
    pub cors: Option<Cors>,
}

/// How long things may take. They are checked some twenty times a second.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timeouts {
    /// From the end of the request to the head of the response, all tries together; making
    /// connections is timed apart. Default: 15 s.
    pub answer: Duration,
    /// The same for one try; none: as long as there is. Default: none.
    pub per_try: Option<Duration>,
    /// Until a connection to a backend stands, TLS included. Default: 2 s.
    pub connect: Duration,
    /// Without a byte in either direction while a body flows. Default: 60 s.
    pub idle: Duration,
    /// The whole exchange, to its last byte; none: as long as it goes on. Default: none.
    pub exchange: Option<Duration>,
}

/// When another backend is tried. A connection that cannot be made is always tried elsewhere;
/// nothing is tried again once a byte of the answer has gone to the client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Retry {
    /// How many tries may follow the first. Default: 2.
    pub attempts: u32,
    /// Which failures count beside connections that cannot be made. Default: resets, 502, 503.
    pub on: RetryOn,
    /// Whether requests may be repeated whose method is not idempotent (RFC 9110, section 9.2.2).
    /// Default: no.
    pub non_idempotent: bool,
    /// How much of a body is kept to be sent again, in bytes; a longer one is sent once.
    /// Default: 64 KiB.
    pub buffer_bytes: usize,
}

/// The failures after which a request may be sent again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RetryOn {
    /// The connection broke before an answer.
    pub reset: bool,
    /// No answer within the time of one try.
    pub timeout: bool,
    /// Answers with one of these statuses, sorted: 500 to 599.
    pub statuses: Vec<u16>,
}

/// What the backend gets as `Host`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HostRule {
    /// What the client sent.
    #[default]
    Keep,
    /// The backend's own host, with its port unless that is the default of its scheme.
    Rewrite,
}

/// Changes of a header, made in this order. Names are lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HeaderRules {
    /// Fields that go.
    pub remove: Vec<Box<str>>,
    /// Fields that have just this value, whatever was there.
    pub set: Vec<(Box<str>, Box<str>)>,
    /// Fields that come beside those that are there.
    pub add: Vec<(Box<str>, Box<str>)>,
}

/// An answer that sends the client elsewhere. `Redirect::new` makes one that has a sense.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Redirect {
    /// Where to: a URL or a path. A final `*` stands for the rest that the pattern's own `*` took.
    pub to: Box<str>,
    /// 301, 302, 303, 307 or 308. Default: 308.
    pub status: u16,
}

/// What pages of other origins may do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cors {
    /// The origins; `*` alone is any.
    pub origins: Vec<Box<str>>,
    /// Methods beyond the simple ones; empty: those that the route admits.
    pub methods: Vec<Box<str>>,
    /// Header fields that may be sent; empty: those that a preflight asks for.
    pub headers: Vec<Box<str>>,
    /// Header fields of the answer that a page may read.
    pub expose: Vec<Box<str>>,
    /// Whether cookies and the like may come along. Not with any origin.
    pub credentials: bool,
    /// How long a preflight's answer may be kept. Default: 10 minutes.
    pub max_age: Duration,
}

/// How the backends of a service are spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Upstream {
    /// In which protocol. Default: HTTP/1.1.
    pub protocol: Protocol,
    /// What is special about TLS; it concerns only backends whose scheme is `https`.
    pub tls: UpstreamTls,
    /// How many requests may be in flight to one backend; none: as many as the process allows.
    pub max_in_flight: Option<u32>,
}

/// The protocol that backends speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    H1,
    /// HTTP/2: over TLS by ALPN, in plain text by prior knowledge.
    H2,
}

/// How a backend proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamTls {
    /// The file with the authorities that are believed, in PEM, as the configuration writes it;
    /// none: those of the system.
    pub ca: Option<Box<str>>,
    /// The name that the certificate must have, and that is sent as SNI; none: the backend's host.
    pub server_name: Option<Box<str>>,
    /// Whether the certificate is looked at. Default: yes.
    pub verify: bool,
}

impl Default for UpstreamTls {
    fn default() -> Self {
        Self {
            ca: None,
            server_name: None,
            verify: true,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            retry: Retry::default(),
            max_body_bytes: Some(1 << 30),
            host: HostRule::Keep,
            request_headers: HeaderRules::default(),
            response_headers: HeaderRules::default(),
            redirect: None,
            cors: None,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(15),
            per_try: None,
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

impl HeaderRules {
    /// Whether nothing is changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.add.is_empty()
    }
}
