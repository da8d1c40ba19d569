//! Why a backend gave no answer.

use std::io;

use thiserror::Error;

/// What went wrong between the gateway and a backend.
#[derive(Debug, Error)]
pub enum UpstreamFault {
    /// Its name has no address.
    #[error("the name of the backend has no address: {0}")]
    NameUnresolved(io::Error),
    /// No connection could be made.
    #[error("no connection to the backend: {0}")]
    ConnectFailed(io::Error),
    /// No connection came about in time.
    #[error("no connection to the backend in time")]
    ConnectTimeout,
    /// TLS could not be agreed upon.
    #[error("no TLS with the backend: {0}")]
    TlsFailed(io::Error),
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
    /// An answer that cannot be passed on.
    #[error("the backend's answer is no valid HTTP: {0}")]
    BadResponse(String),
}
