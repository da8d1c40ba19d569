//! Why a request is refused.

use thiserror::Error;

use crate::http1::error::{FieldError, FramingError};

/// A request that is not taken. After any of these the connection must close: nobody can say where
/// the next request would begin.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RequestError {
    /// Not `method SP target SP version CRLF` (RFC 9112 section 3).
    #[error("{what}; a request line must read `method target HTTP/1.1`, with one space between")]
    RequestLine {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A method longer than any that is known (RFC 9112 section 3).
    #[error("the method is longer than {max} bytes; no method is")]
    MethodTooLong {
        /// How many are allowed.
        max: usize,
    },
    /// RFC 9110 section 9.3.6: this is no proxy that the client chose, so it opens no tunnels. 501,
    /// as 405 would promise that another method serves this target, and it names no resource.
    #[error("CONNECT is not served here; a gateway opens no tunnels")]
    Connect,
    /// RFC 9112 section 3.
    #[error("the target is longer than {max} bytes")]
    TargetTooLong {
        /// How many are allowed.
        max: usize,
    },
    /// A target that is in none of the forms of RFC 9112 section 3.2.
    #[error(
        "the target is not understood: {what}; it must be `/path?query`, a whole http or https URI, or `*` for OPTIONS"
    )]
    Target {
        /// What is wrong with it.
        what: &'static str,
    },
    /// RFC 9110 section 2.5.
    #[error(
        "HTTP/{major}.{minor} is not spoken here in this form; it must be HTTP/1.1 or HTTP/1.0"
    )]
    Version {
        /// The digit before the point.
        major: char,
        /// The digit after it.
        minor: char,
    },
    /// A field line that is not one.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// RFC 9112 section 3.2.
    #[error("there is no Host; a request of HTTP/1.1 must have one")]
    HostMissing,
    /// RFC 9112 section 3.2.
    #[error("there is more than one Host; there must be one")]
    HostTwice,
    /// RFC 9110 section 7.2.
    #[error("Host is not understood: {what}")]
    Host {
        /// What is wrong with it.
        what: &'static str,
    },
    /// More options than anyone needs: each is compared with every field.
    #[error("Connection names more than {max} fields")]
    TooManyOptions {
        /// How many are allowed.
        max: usize,
    },
    /// A body that ends at more places than one, or nowhere.
    #[error(transparent)]
    Framing(#[from] FramingError),
}

impl RequestError {
    /// A stable name, the same in the answer, the logs and the metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RequestLine { .. } => "http1.bad_request_line",
            Self::MethodTooLong { .. } => "http1.method_too_long",
            Self::Connect => "http1.connect",
            Self::TargetTooLong { .. } => "http1.target_too_long",
            Self::Target { .. } => "http1.bad_target",
            Self::Version { .. } => "http1.version_not_supported",
            Self::Field(fault) => fault.code(),
            Self::HostMissing => "http1.host_missing",
            Self::HostTwice => "http1.host_twice",
            Self::Host { .. } => "http1.bad_host",
            Self::TooManyOptions { .. } => "http1.too_many_options",
            Self::Framing(fault) => fault.code(),
        }
    }

    /// The status of the answer: 400, 414, 431, 501 or 505.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::RequestLine { .. }
            | Self::Target { .. }
            | Self::HostMissing
            | Self::HostTwice
            | Self::Host { .. } => 400,
            Self::MethodTooLong { .. } | Self::Connect => 501,
            Self::TargetTooLong { .. } => 414,
            Self::TooManyOptions { .. } => 431,
            Self::Version { .. } => 505,
            Self::Field(fault) => fault.status(),
            Self::Framing(fault) => fault.status(),
        }
    }
}
