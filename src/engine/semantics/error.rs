//! What goes wrong with a request that the decision has nothing to do with, and what is told of it.
//!
//! Each has a stable dotted code, an HTTP status, and what gRPC and `Proxy-Status` call it. All of
//! that stands in the README's table, "Codes".

use thiserror::Error;

use crate::engine::routing::rejection::Rejection;
use crate::engine::semantics::grpc::GrpcStatus;

/// A backend failed, or the way to it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UpstreamError {
    /// The connection was refused, or there is no way to the host.
    #[error("no connection to the backend could be made")]
    ConnectFailed,
    /// No connection within the time for it.
    #[error("no connection to the backend could be made in time")]
    ConnectTimeout,
    /// The handshake failed, or the certificate is none for this backend.
    #[error("no secure connection to the backend could be made: {0}")]
    TlsFailed(TlsReason),
    /// The name of the host leads to no address.
    #[error("the name of the backend leads to no address")]
    NameUnresolved,
    /// The connection broke before the header of the answer was whole.
    #[error("the backend closed the connection without an answer")]
    Reset,
    /// No answer within the time for it.
    #[error("the backend did not answer in time")]
    Timeout,
    /// What came is no answer that could be passed on.
    #[error("the backend's answer is not valid")]
    BadResponse,
    /// The header of the answer is larger than the limit.
    #[error("the header of the backend's answer is too large")]
    HeaderTooLarge,
    /// The connection broke within the body of the answer, of which a part may be passed on already.
    #[error("the backend's answer ended too early")]
    Incomplete,
    /// The body of the answer is larger than can be held for whoever asked.
    #[error("the body of the backend's answer is larger than {limit_bytes} bytes")]
    BodyTooLarge {
        /// What can be held.
        limit_bytes: u64,
    },
    /// As many requests are in flight there as may be.
    #[error("the backend has as many requests as it may have")]
    Overloaded,
}

/// Why there is no secure connection to a backend, as far as clients are told.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TlsReason {
    /// Nobody who is believed has signed its certificate.
    #[error("its certificate is not from an authority that is believed")]
    UnknownIssuer,
    /// Its certificate is that of another.
    #[error("its certificate is for another name")]
    WrongName,
    /// Its certificate is not valid yet, or not any more.
    #[error("its certificate has expired, or is not valid yet")]
    NotValidNow,
    /// Its certificate cannot be accepted for another reason.
    #[error("its certificate is not accepted")]
    BadCertificate,
    /// It refused the gateway.
    #[error("it refused the handshake")]
    Refused,
    /// It speaks something else.
    #[error("it speaks no TLS, or not the protocol that is asked for")]
    Protocol,
    /// The gateway has not what it needs for it.
    #[error("the gateway is not set up for it")]
    Setup,
}

/// The client sent what cannot be served, whatever the route.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RequestError {
    /// Its head or the framing of its body breaks the rules of its protocol; the reason is a
    /// sentence for people.
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    /// The fields of its header are too many or too large.
    #[error("the header of the request is too large")]
    HeaderTooLarge,
    /// Its target is too long.
    #[error("the target of the request is too long")]
    TargetTooLong,
    /// Its body is longer than the route admits.
    #[error("the body of the request is larger than {limit_bytes} bytes")]
    BodyTooLarge {
        /// What the route admits.
        limit_bytes: u64,
    },
    /// It did not come in time, or no more of it did.
    #[error("the request did not come in time")]
    Timeout,
    /// It came over a listener that only redirects to https, and names no host to redirect to.
    #[error("this port only redirects to https, and the request names no host to redirect to")]
    NoHostToRedirect,
    /// It came in cleartext to a TLS listener.
    #[error("this port speaks TLS, and the request came in plain text: write https://")]
    PlainHttp,
}

/// The gateway cannot serve this.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum GatewayError {
    /// It is about to stop, and waits no longer.
    #[error("the gateway is stopping and waits no longer for an answer")]
    Draining,
    /// It is wrong itself.
    #[error("the gateway failed")]
    Internal,
}

/// Why the gateway itself answers a request.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Cause<'a> {
    /// The decision refused it.
    #[error("{0}")]
    Rejection(Rejection<'a>),
    /// A backend failed.
    #[error("{0}")]
    Upstream(UpstreamError),
    /// The client sent what cannot be served.
    #[error("{0}")]
    Request(RequestError),
    /// The gateway cannot serve.
    #[error("{0}")]
    Gateway(GatewayError),
    /// A codec could not read the request, and says so in its own words, under a code of its own.
    #[error("{sentence}")]
    Wire {
        /// Its code.
        code: &'static str,
        /// Its status, 4xx or 5xx.
        status: u16,
        /// What is wrong.
        sentence: String,
    },
}

impl<'a> From<Rejection<'a>> for Cause<'a> {
    fn from(reject: Rejection<'a>) -> Self {
        Self::Rejection(reject)
    }
}

impl From<UpstreamError> for Cause<'_> {
    fn from(fault: UpstreamError) -> Self {
        Self::Upstream(fault)
    }
}

impl From<RequestError> for Cause<'_> {
    fn from(fault: RequestError) -> Self {
        Self::Request(fault)
    }
}

impl From<GatewayError> for Cause<'_> {
    fn from(fault: GatewayError) -> Self {
        Self::Gateway(fault)
    }
}

impl UpstreamError {
    /// The code, the status, and the error of `Proxy-Status` (RFC 9209, section 2.3).
    #[must_use]
    pub const fn face(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::ConnectFailed => ("upstream.connect_failed", 502, "connection_refused"),
            Self::ConnectTimeout => ("upstream.connect_timeout", 504, "connection_timeout"),
            Self::TlsFailed(reason) => ("upstream.tls_failed", 502, reason.proxy_error()),
            Self::NameUnresolved => ("upstream.name_unresolved", 502, "dns_error"),
            Self::Reset => ("upstream.reset", 502, "connection_terminated"),
            Self::Timeout => ("upstream.timeout", 504, "http_response_timeout"),
            Self::BadResponse => ("upstream.bad_response", 502, "http_protocol_error"),
            Self::HeaderTooLarge => (
                "upstream.header_too_large",
                502,
                "http_response_header_section_size",
            ),
            Self::Incomplete => ("upstream.incomplete", 502, "http_response_incomplete"),
            Self::BodyTooLarge { .. } => {
                ("upstream.body_too_large", 502, "http_response_body_size")
            }
            Self::Overloaded => ("upstream.overloaded", 503, "connection_limit_reached"),
        }
    }
}

impl TlsReason {
    /// The error of `Proxy-Status` (RFC 9209, section 2.3).
    const fn proxy_error(self) -> &'static str {
        match self {
            Self::UnknownIssuer | Self::WrongName | Self::NotValidNow | Self::BadCertificate => {
                "tls_certificate_error"
            }
            Self::Refused => "tls_alert_received",
            Self::Protocol => "tls_protocol_error",
            Self::Setup => "proxy_configuration_error",
        }
    }
}

impl RequestError {
    /// The code and the status.
    #[must_use]
    pub const fn face(self) -> (&'static str, u16) {
        match self {
            Self::Malformed(_) => ("request.malformed", 400),
            Self::HeaderTooLarge => ("request.header_too_large", 431),
            Self::TargetTooLong => ("request.target_too_long", 414),
            Self::BodyTooLarge { .. } => ("request.body_too_large", 413),
            Self::Timeout => ("request.timeout", 408),
            Self::PlainHttp => ("request.plain_http", 400),
            Self::NoHostToRedirect => ("host.invalid", 400),
        }
    }
}

impl GatewayError {
    /// The code, the status, and the error of `Proxy-Status`.
    #[must_use]
    pub const fn face(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::Draining => ("gateway.draining", 503, "proxy_internal_response"),
            Self::Internal => ("gateway.internal", 500, "proxy_internal_error"),
        }
    }
}

impl Cause<'_> {
    /// The stable dotted code, the same on every interface.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejection(reject) => reject.code(),
            Self::Upstream(fault) => fault.face().0,
            Self::Request(fault) => fault.face().0,
            Self::Gateway(fault) => fault.face().0,
            Self::Wire { code, .. } => code,
        }
    }

    /// The HTTP status (RFC 9110, section 15).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Rejection(reject) => reject.status(),
            Self::Upstream(fault) => fault.face().1,
            Self::Request(fault) => fault.face().1,
            Self::Gateway(fault) => fault.face().1,
            Self::Wire { status, .. } => *status,
        }
    }

    /// The methods that would be admitted, of a rejection by method (RFC 9110, section 10.2.1).
    #[must_use]
    pub fn allow(&self) -> Option<&[String]> {
        match self {
            Self::Rejection(rejection) => rejection.allow(),
            Self::Upstream(_) | Self::Request(_) | Self::Gateway(_) | Self::Wire { .. } => None,
        }
    }

    /// The error of `Proxy-Status` (RFC 9209, section 2.3).
    #[must_use]
    pub const fn proxy_error(&self) -> &'static str {
        match self {
            Self::Rejection(Rejection::NotFound { .. }) => "destination_not_found",
            Self::Rejection(Rejection::NoBackend { .. }) => "destination_unavailable",
            Self::Rejection(
                Rejection::Path(_)
                | Rejection::Asterisk
                | Rejection::Host(_)
                | Rejection::Method(_)
                | Rejection::EncodedSlash(_)
                | Rejection::MethodNotAllowed { .. }
                | Rejection::VersionUnsupported { .. }
                | Rejection::VersionConflict(_)
                | Rejection::VersionInvalid(_)
                | Rejection::VersionRequired { .. },
            )
            | Self::Request(_)
            | Self::Wire { .. } => "http_request_error",
            Self::Upstream(fault) => fault.face().2,
            Self::Gateway(fault) => fault.face().2,
        }
    }

    /// What a gRPC client is told: the mapping of the HTTP statuses that gRPC has ("HTTP to gRPC
    /// Status Code Mapping"), but for what it can say more exactly: a deadline that passed, and what
    /// is larger than may be.
    #[must_use]
    pub const fn grpc_status(&self) -> GrpcStatus {
        match (self, self.status()) {
            // Nothing was sent, so another try may do.
            (Self::Upstream(UpstreamError::ConnectTimeout), _) => GrpcStatus::Unavailable,
            (_, 408 | 504) => GrpcStatus::DeadlineExceeded,
            (_, 413 | 414 | 431) => GrpcStatus::ResourceExhausted,
            (_, 404 | 405 | 501 | 505) => GrpcStatus::Unimplemented,
            (_, 400 | 417 | 500) => GrpcStatus::Internal,
            (_, 421 | 502 | 503) => GrpcStatus::Unavailable,
            _ => GrpcStatus::Unknown,
        }
    }

    /// After how many seconds it is worth while to come again (RFC 9110, section 10.2.3): with 503
    /// one, for what is busy or gives way to another soon is free then; five where no backend
    /// is healthy, which takes some checks to change.
    #[must_use]
    pub const fn retry_after_seconds(&self) -> Option<u64> {
        match (self, self.status()) {
            (Self::Rejection(_), 503) => Some(5),
            (_, 503) => Some(1),
            _ => None,
        }
    }

    /// Whether the connection of HTTP/1.1 that the request came on ends with the answer: where the
    /// next request begins is not known, or nobody will read it.
    #[must_use]
    pub const fn ends_connection(&self) -> bool {
        match self {
            Self::Request(_) | Self::Gateway(_) | Self::Wire { .. } => true,
            Self::Rejection(_) | Self::Upstream(_) => false,
        }
    }
}
