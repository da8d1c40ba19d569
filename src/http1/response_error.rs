//! Why a response is refused.

use thiserror::Error;

use crate::http1::error::{FieldError, FramingError};

/// A response that must not be passed on: to the client it is a 502. After any of these the
/// connection to the upstream must close.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ResponseError {
    /// Not `version SP status SP [ reason ] CRLF` (RFC 9112 section 4).
    #[error("{what}; a status line must read `HTTP/1.1 200 OK`")]
    StatusLine {
        /// What is wrong with it.
        what: &'static str,
    },
    /// Below 100 or above 599 (RFC 9110 section 15).
    #[error("the status {status:03} is in no class; it must be from 100 to 599")]
    Status {
        /// The three digits.
        status: u16,
    },
    /// RFC 9110 section 15.2.2: 101 where nothing asked for it would make a tunnel of a connection
    /// that others share.
    #[error("the status is 101, but the request asked for no upgrade")]
    Unasked,
    /// A field line that is not one.
    #[error(transparent)]
    Field(#[from] FieldError),
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

impl ResponseError {
    /// A stable name, the same in the answer, the logs and the metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::StatusLine { .. } => "http1.bad_status_line",
            Self::Status { .. } => "http1.bad_status",
            Self::Unasked => "http1.upgrade_unasked",
            Self::Field(fault) => fault.code(),
            Self::TooManyOptions { .. } => "http1.too_many_options",
            Self::Framing(fault) => fault.code(),
        }
    }
}
