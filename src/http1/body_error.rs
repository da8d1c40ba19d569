//! Why a body cannot be read to its end.

use thiserror::Error;

use crate::http1::error::FieldError;

/// A body that is broken. What was read of it must not be passed on as if it were whole: the other
/// side has to see a connection that closes before the message ends.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum BodyError {
    /// Not 1 to 16 hexadecimal digits (RFC 9112 section 7.1).
    #[error("a chunk's size is not understood; it must be 1 to 16 hexadecimal digits, then CR LF")]
    ChunkSize,
    /// Not `*( BWS ";" BWS name [ BWS "=" BWS value ] )` (RFC 9112 section 7.1.1).
    #[error("a chunk's extension is not understood; it must read `;name` or `;name=value`")]
    ChunkExtension,
    /// Extensions are dropped, but not without end.
    #[error("the chunk extensions are larger than {max} bytes more than the data")]
    ChunkExtensions {
        /// How many are allowed.
        max: u64,
    },
    /// RFC 9112 section 7.1.
    #[error("a chunk's data does not end where its size says; CR LF must follow it")]
    ChunkEnd,
    /// A trailer that is not a field line.
    #[error("the trailers are not understood: {0}")]
    Trailers(#[source] FieldError),
    /// The connection closed first (RFC 9112 section 8).
    #[error("the connection closed before the body was whole")]
    CutOff,
}

impl BodyError {
    /// A stable name, the same in the answer, the logs and the metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ChunkSize => "http1.bad_chunk_size",
            Self::ChunkExtension => "http1.bad_chunk_extension",
            Self::ChunkExtensions { .. } => "http1.chunk_extensions_too_large",
            Self::ChunkEnd => "http1.bad_chunk_end",
            Self::Trailers(_) => "http1.bad_trailers",
            Self::CutOff => "http1.body_cut_off",
        }
    }

    /// The status of the answer, if it is the body of a request: 400, or 431 for its trailers.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Trailers(fault) => fault.status(),
            Self::ChunkSize
            | Self::ChunkExtension
            | Self::ChunkExtensions { .. }
            | Self::ChunkEnd
            | Self::CutOff => 400,
        }
    }
}
