//! Why a body was not read to its end.

use std::io;

use thiserror::Error;

use crate::engine::semantics::RequestError;
use crate::http1::BodyError;

/// Why a body was not read to its end.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Connection(io::Error),
    /// The framing is invalid, or the connection closed inside the body.
    #[error("{0}")]
    Framing(#[from] BodyError),
    /// The HTTP/2 stream was reset, or its connection broke.
    #[error("{0}")]
    Stream(h2::Error),
    /// The body is larger than its limit.
    #[error("{0}")]
    TooLarge(#[from] RequestError),
}
