//! How a backend fails.

use std::io;

use thiserror::Error;

use crate::engine::semantics::error;
use crate::http1::{FieldError, ResponseHeadError};
use crate::runtime::tls::HandshakeError;

/// Why a backend gave no response.
#[derive(Debug, Error)]
pub(crate) enum UpstreamError {
    /// Its name does not resolve.
    #[error("the name of the backend does not resolve: {0}")]
    NameUnresolved(io::Error),
    /// It accepted no connection.
    #[error("connecting to the backend failed: {0}")]
    ConnectFailed(io::Error),
    /// Connecting took too long.
    #[error("connecting to the backend timed out")]
    ConnectTimeout,
    /// The TLS handshake failed.
    #[error("the TLS handshake with the backend failed: {0}")]
    TlsFailed(HandshakeError),
    /// It has the maximum number of requests in flight.
    #[error("the backend has the maximum number of requests in flight")]
    Overloaded,
    /// The connection broke before the response.
    #[error("the backend closed the connection before it responded")]
    Reset,
    /// It did not process the request, which may be sent again (RFC 9113, section 8.7).
    #[error("the backend refused the request without processing it")]
    Refused,
    /// The response took too long.
    #[error("the backend did not respond in time")]
    Timeout,
    /// The head of its response exceeds a limit.
    #[error("the head of the backend's response is too large: {0}")]
    HeaderTooLarge(FieldError),
    /// Its response is not valid.
    #[error("the backend's response is not valid HTTP: {0}")]
    BadResponse(String),
}

impl UpstreamError {
    /// The error that is reported to the client, without details of the system.
    #[must_use]
    pub(crate) const fn reported(&self) -> error::UpstreamError {
        match self {
            Self::NameUnresolved(_) => error::UpstreamError::NameUnresolved,
            Self::ConnectFailed(_) => error::UpstreamError::ConnectFailed,
            Self::ConnectTimeout => error::UpstreamError::ConnectTimeout,
            Self::TlsFailed(failed) => error::UpstreamError::TlsFailed(failed.reason),
            // It accepts no more requests, on this connection or at all.
            Self::Overloaded | Self::Refused => error::UpstreamError::Overloaded,
            Self::Reset => error::UpstreamError::Reset,
            Self::Timeout => error::UpstreamError::Timeout,
            Self::HeaderTooLarge(_) => error::UpstreamError::HeaderTooLarge,
            Self::BadResponse(_) => error::UpstreamError::BadResponse,
        }
    }
}

impl From<ResponseHeadError> for UpstreamError {
    fn from(error: ResponseHeadError) -> Self {
        match error {
            ResponseHeadError::Field(
                field @ (FieldError::TooLarge { .. } | FieldError::TooMany { .. }),
            ) => Self::HeaderTooLarge(field),
            ResponseHeadError::StatusLine { .. }
            | ResponseHeadError::Status { .. }
            | ResponseHeadError::UnexpectedUpgrade
            | ResponseHeadError::Field(_)
            | ResponseHeadError::TooManyOptions { .. }
            | ResponseHeadError::Framing(_) => Self::BadResponse(error.to_string()),
        }
    }
}
