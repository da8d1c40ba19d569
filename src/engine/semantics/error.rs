//! Errors that occur outside the routing decision, and how the gateway reports them.
//!
//! Each error has a stable dotted code, an HTTP status, a gRPC status and a `Proxy-Status` error
//! type. The error reference in the documentation lists them all.

use thiserror::Error;

use crate::engine::routing::Rejection;
use crate::engine::semantics::grpc::GrpcStatus;

/// A backend failed, or the connection to it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UpstreamError {
    /// The backend refused the connection or is unreachable.
    #[error("cannot connect to the backend")]
    ConnectFailed,
    /// The connection was not established within the connect timeout.
    #[error("connecting to the backend timed out")]
    ConnectTimeout,
    /// The TLS handshake failed, or the gateway rejects the certificate.
    #[error("cannot establish TLS with the backend: {0}")]
    TlsFailed(TlsReason),
    /// The host name of the backend has no address.
    #[error("the host name of the backend does not resolve")]
    NameUnresolved,
    /// The connection closed before the response head was complete.
    #[error("the backend closed the connection without a response")]
    Reset,
    /// The response head did not arrive within the timeout.
    #[error("the backend did not respond in time")]
    Timeout,
    /// The response is malformed and cannot be forwarded.
    #[error("the backend's response is malformed")]
    BadResponse,
    /// The header section of the response exceeds the limit.
    #[error("the header section of the backend's response is too large")]
    HeaderTooLarge,
    /// The connection closed within the response body, part of which the client may have.
    #[error("the backend's response is incomplete")]
    Incomplete,
    /// The response body exceeds the buffer of the interface that asked for it.
    #[error("the body of the backend's response is larger than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The size of that buffer in bytes.
        limit_bytes: u64,
    },
    /// The backend has reached its limit of requests in flight.
    #[error("the backend has reached its limit of requests in flight")]
    Overloaded,
}

/// Why TLS with a backend failed, as reported to clients: without details of the certificate.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TlsReason {
    /// No trusted authority has signed the certificate.
    #[error("its certificate is not signed by a trusted authority")]
    UnknownIssuer,
    /// The certificate is for another name.
    #[error("its certificate is for another name")]
    WrongName,
    /// The certificate has expired or is not yet valid.
    #[error("its certificate has expired or is not yet valid")]
    NotValidNow,
    /// The certificate is invalid for another reason.
    #[error("its certificate is invalid")]
    BadCertificate,
    /// The backend rejected the handshake with an alert.
    #[error("it rejected the handshake")]
    Refused,
    /// The backend does not speak TLS, or ALPN did not agree on the configured protocol.
    #[error("it does not speak TLS or the configured protocol")]
    Protocol,
    /// The TLS settings of the gateway for this backend cannot be used.
    #[error("the gateway cannot use its TLS settings for it")]
    Setup,
}

/// The request is invalid, whatever its route.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RequestError {
    /// The head or the framing of the body violates the protocol; the text says how.
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
    /// The header section has too many fields or bytes.
    #[error("the header section of the request is too large")]
    HeaderTooLarge,
    /// The request target is too long.
    #[error("the target of the request is too long")]
    TargetTooLong,
    /// The body exceeds the limit of the route.
    #[error("the body of the request is larger than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The limit of the route in bytes.
        limit_bytes: u64,
    },
    /// The request, or the rest of it, did not arrive within the timeout.
    #[error("the request did not arrive in time")]
    Timeout,
    /// The listener only redirects to https, and the request names no valid host to redirect to.
    #[error("this port only redirects to https, and the request has no valid host; send `Host`")]
    NoHostToRedirect,
    /// The request arrived in cleartext on a TLS listener.
    #[error("this port speaks TLS, and the request is in cleartext; use https://")]
    PlainHttp,
}

/// The gateway itself cannot serve the request.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum GatewayError {
    /// The drain period ended before the response arrived.
    #[error("the gateway is shutting down and no longer waits for the response")]
    Draining,
    /// A defect of the gateway.
    #[error("internal error of the gateway")]
    Internal,
}

/// Why the gateway responds with an error.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Cause<'a> {
    /// No route serves the request.
    #[error("{0}")]
    Rejection(Rejection<'a>),
    /// The backend failed.
    #[error("{0}")]
    Upstream(UpstreamError),
    /// The request is invalid.
    #[error("{0}")]
    Request(RequestError),
    /// The gateway itself cannot serve the request.
    #[error("{0}")]
    Gateway(GatewayError),
    /// The codec cannot read the request; it brings its own code, status and message.
    #[error("{message}")]
    Codec {
        /// The stable dotted code.
        code: &'static str,
        /// The HTTP status, 4xx or 5xx.
        status: u16,
        /// The message.
        message: String,
    },
}

impl<'a> From<Rejection<'a>> for Cause<'a> {
    fn from(rejection: Rejection<'a>) -> Self {
        Self::Rejection(rejection)
    }
}

impl From<UpstreamError> for Cause<'_> {
    fn from(error: UpstreamError) -> Self {
        Self::Upstream(error)
    }
}

impl From<RequestError> for Cause<'_> {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<GatewayError> for Cause<'_> {
    fn from(error: GatewayError) -> Self {
        Self::Gateway(error)
    }
}

impl UpstreamError {
    /// The dotted code, the HTTP status and the `Proxy-Status` error type (RFC 9209, section 2.3).
    #[must_use]
    pub const fn parts(self) -> (&'static str, u16, &'static str) {
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
    /// The `Proxy-Status` error type (RFC 9209, section 2.3).
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
    /// The dotted code and the HTTP status.
    #[must_use]
    pub const fn parts(self) -> (&'static str, u16) {
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
    /// The dotted code, the HTTP status and the `Proxy-Status` error type (RFC 9209, section 2.3).
    #[must_use]
    pub const fn parts(self) -> (&'static str, u16, &'static str) {
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
            Self::Rejection(rejection) => rejection.code(),
            Self::Upstream(error) => error.parts().0,
            Self::Request(error) => error.parts().0,
            Self::Gateway(error) => error.parts().0,
            Self::Codec { code, .. } => code,
        }
    }

    /// The HTTP status (RFC 9110, section 15).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Rejection(rejection) => rejection.status(),
            Self::Upstream(error) => error.parts().1,
            Self::Request(error) => error.parts().1,
            Self::Gateway(error) => error.parts().1,
            Self::Codec { status, .. } => *status,
        }
    }

    /// The methods for `Allow` if the method is rejected (RFC 9110, section 10.2.1).
    #[must_use]
    pub fn allow(&self) -> Option<&[String]> {
        match self {
            Self::Rejection(rejection) => rejection.allow(),
            Self::Upstream(_) | Self::Request(_) | Self::Gateway(_) | Self::Codec { .. } => None,
        }
    }

    /// The `Proxy-Status` error type (RFC 9209, section 2.3).
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
            | Self::Codec { .. } => "http_request_error",
            Self::Upstream(error) => error.parts().2,
            Self::Gateway(error) => error.parts().2,
        }
    }

    /// The gRPC status: that of the HTTP status ("HTTP to gRPC Status Code Mapping"), except that a
    /// timeout is `DEADLINE_EXCEEDED` and an exceeded limit is `RESOURCE_EXHAUSTED`.
    #[must_use]
    pub const fn grpc_status(&self) -> GrpcStatus {
        match (self, self.status()) {
            // Nothing was sent, so the client can safely retry.
            (Self::Upstream(UpstreamError::ConnectTimeout), _) => GrpcStatus::Unavailable,
            (_, 408 | 504) => GrpcStatus::DeadlineExceeded,
            (_, 413 | 414 | 431) => GrpcStatus::ResourceExhausted,
            (_, 404 | 405 | 501 | 505) => GrpcStatus::Unimplemented,
            (_, 400 | 417 | 500) => GrpcStatus::Internal,
            (_, 421 | 502 | 503) => GrpcStatus::Unavailable,
            _ => GrpcStatus::Unknown,
        }
    }

    /// The value of `Retry-After` in seconds (RFC 9110, section 10.2.3): 5 where no backend is
    /// healthy, since recovery takes some health checks; 1 with any other 503; else `None`.
    #[must_use]
    pub const fn retry_after_seconds(&self) -> Option<u64> {
        match (self, self.status()) {
            (Self::Rejection(_), 503) => Some(5),
            (_, 503) => Some(1),
            _ => None,
        }
    }

    /// Whether an HTTP/1.1 connection closes after the response, because the gateway cannot tell
    /// where the next request begins or will not read it.
    #[must_use]
    pub const fn ends_connection(&self) -> bool {
        match self {
            Self::Request(_) | Self::Gateway(_) | Self::Codec { .. } => true,
            Self::Rejection(_) | Self::Upstream(_) => false,
        }
    }
}
