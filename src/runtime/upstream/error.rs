//! Why a backend gave no answer.

use std::io;

use thiserror::Error;

use crate::engine::semantics::error;
use crate::http1::error::FieldError;
use crate::http1::response_error::ResponseError;
use crate::runtime::tls::reasons::Failed;

/// What went wrong between the gateway and a backend.
#[derive(Debug, Error)]
pub(crate) enum UpstreamError {
    /// Its name has no address.
    #[error("the name of the backend has no address: {0}")]
    NameUnresolved(io::Error),
    /// No connection could be made.
    #[error("no connection to the backend: {0}")]
    ConnectFailed(io::Error),
    /// No connection came about in time.
    #[error("no connection to the backend in time")]
    ConnectTimeout,
    /// TLS could not be agreed upon, or the backend is not who it should be.
    #[error("no TLS with the backend: {0}")]
    TlsFailed(Failed),
    /// As many requests as may be are on their way to it.
    #[error("the backend has as many requests as it may have")]
    Overloaded,
    /// The connection broke before the answer.
    #[error("the backend closed the connection before it answered")]
    Reset,
    /// It did not look at the request: another connection, or another backend, may (RFC 9113,
    /// section 8.7).
    #[error("the backend refused the request unread")]
    Refused,
    /// No answer in time.
    #[error("the backend did not answer in time")]
    Timeout,
    /// The header of its answer is larger than headers may be.
    #[error("the header of the backend's answer is too large: {0}")]
    HeaderTooLarge(FieldError),
    /// An answer that cannot be passed on.
    #[error("the backend's answer is no valid HTTP: {0}")]
    BadResponse(String),
}

impl UpstreamError {
    /// What the client is told of it: not what the system said.
    #[must_use]
    pub(crate) const fn told(&self) -> error::UpstreamError {
        match self {
            Self::NameUnresolved(_) => error::UpstreamError::NameUnresolved,
            Self::ConnectFailed(_) => error::UpstreamError::ConnectFailed,
            Self::ConnectTimeout => error::UpstreamError::ConnectTimeout,
            Self::TlsFailed(failed) => error::UpstreamError::TlsFailed(failed.reason),
            // It has said that it takes no more, on this connection or at all.
            Self::Overloaded | Self::Refused => error::UpstreamError::Overloaded,
            Self::Reset => error::UpstreamError::Reset,
            Self::Timeout => error::UpstreamError::Timeout,
            Self::HeaderTooLarge(_) => error::UpstreamError::HeaderTooLarge,
            Self::BadResponse(_) => error::UpstreamError::BadResponse,
        }
    }
}

impl From<ResponseError> for UpstreamError {
    fn from(fault: ResponseError) -> Self {
        match fault {
            ResponseError::Field(
                field @ (FieldError::TooLarge { .. } | FieldError::TooMany { .. }),
            ) => Self::HeaderTooLarge(field),
            ResponseError::StatusLine { .. }
            | ResponseError::Status { .. }
            | ResponseError::Unasked
            | ResponseError::Field(_)
            | ResponseError::TooManyOptions { .. }
            | ResponseError::Framing(_) => Self::BadResponse(fault.to_string()),
        }
    }
}
