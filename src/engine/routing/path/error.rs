//! What is wrong with a path or a query.

/// Why a path or a query is refused: at which byte, counted from 0 in that path or query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "all variants have the same two fields")]
pub enum PathError {
    /// Nothing at all: an empty path is sent as `/` (RFC 9112 section 3.2.1).
    #[error("the path is empty; write / for the root")]
    Empty,
    /// Neither a path from the root nor exactly `*`.
    #[error("the path starts with {}; it must start with /", shown(*.byte))]
    NoLeadingSlash { byte: u8 },
    /// A byte that a path can hold only as an escape.
    #[error("the path has a raw {} at byte {at}; write %{byte:02X}", shown(*.byte))]
    RawByte { byte: u8, at: usize },
    /// A control byte: no escape would be accepted either.
    #[error("the path has a control {} at byte {at}; remove it", shown(*.byte))]
    RawControl { byte: u8, at: usize },
    /// An escape of a control byte.
    #[error("the path has the control byte %{byte:02X} at byte {at}; remove it")]
    EscapedControl { byte: u8, at: usize },
    /// A `%` without two hex digits.
    #[error("the path has a % without two hex digits at byte {at}; write %25 for the sign")]
    BadEscape { at: usize },
    /// A `..` segment with nothing left to remove.
    #[error("the path has a .. at byte {at} that leads above the root; remove it")]
    AboveRoot { at: usize },
    /// A segment `.;x` or `..;x`.
    #[error("the path has a dot segment with a parameter at byte {at}; remove the dots or the ;")]
    DotParameter { at: usize },
    /// A byte that a query can hold only as an escape.
    #[error("the query has a raw {} at byte {at}; write %{byte:02X}", shown(*.byte))]
    QueryByte { byte: u8, at: usize },
}

impl PathError {
    /// The stable code: `path.invalid` or `query.invalid`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::QueryByte { .. } => "query.invalid",
            Self::Empty
            | Self::NoLeadingSlash { .. }
            | Self::RawByte { .. }
            | Self::RawControl { .. }
            | Self::EscapedControl { .. }
            | Self::BadEscape { .. }
            | Self::AboveRoot { .. }
            | Self::DotParameter { .. } => "path.invalid",
        }
    }
}

/// A byte in words.
fn shown(byte: u8) -> String {
    match byte {
        b' ' => "space".to_owned(),
        b'!'..=b'~' => format!("`{}`", char::from(byte)),
        _ => format!("byte 0x{byte:02X}"),
    }
}
