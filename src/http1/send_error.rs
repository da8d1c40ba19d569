//! Why a head is not sent.

use thiserror::Error;

/// A head that would not say what its caller means. Nothing was written then.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SendError {
    /// Not a token.
    #[error("the method to send is not a token")]
    Method,
    /// Empty, or with a space, a control, or what is not ASCII.
    #[error("the target to send must be graphic ASCII, and not empty")]
    Target,
    /// A request cannot end with the connection: nothing could answer it.
    #[error("the body of a request must have a length or be chunked")]
    UntilClose,
    /// Below 100 or above 599.
    #[error("the status to send must be from 100 to 599")]
    Status,
    /// A name that is no token, or a value with a control.
    #[error("a field to send has a name or a value that cannot be on the wire")]
    Field,
}

impl SendError {
    /// A stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Method => "http1.send_method",
            Self::Target => "http1.send_target",
            Self::UntilClose => "http1.send_until_close",
            Self::Status => "http1.send_status",
            Self::Field => "http1.send_field",
        }
    }
}
