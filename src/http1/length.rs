//! How the end of a body is known.

/// How long a body is, or how its end is told (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none, and nothing says how long it is.
    #[default]
    None,
    /// So many bytes; below 10^18.
    Length(u64),
    /// In chunks, the last of which is empty.
    Chunked,
    /// Until the connection closes. Only responses; a request never has it.
    UntilClose,
}

impl BodyLength {
    /// Whether not one byte of a body follows the head.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        matches!(self, Self::None | Self::Length(0))
    }
}
