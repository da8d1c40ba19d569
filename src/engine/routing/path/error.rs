//! Errors in paths and queries.

/// Why a path or a query is rejected. `at` is a byte offset in that path or query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are documented on the enum")]
pub enum PathError {
    /// The path is empty: clients send `/` for the root (RFC 9112 section 3.2.1).
    #[error("the path is empty; write / for the root")]
    Empty,
    /// The path neither begins with `/` nor is `*`.
    #[error("the path starts with {}; it must start with /", name(*.byte))]
    NoLeadingSlash { byte: u8 },
    /// A byte that must be percent-encoded in a path.
    #[error("the path has a raw {} at byte {at}; write %{byte:02X}", name(*.byte))]
    RawByte { byte: u8, at: usize },
    /// A control byte, which is rejected even if percent-encoded.
    #[error("the path has a control {} at byte {at}; remove it", name(*.byte))]
    RawControl { byte: u8, at: usize },
    /// A percent-encoded control byte.
    #[error("the path has the control byte %{byte:02X} at byte {at}; remove it")]
    EscapedControl { byte: u8, at: usize },
    /// A `%` without two hex digits.
    #[error("the path has a % without two hex digits at byte {at}; write %25 for the sign")]
    BadEscape { at: usize },
    /// A `..` segment that leads above the root.
    #[error("the path has a .. at byte {at} that leads above the root; remove it")]
    AboveRoot { at: usize },
    /// A segment `.;x` or `..;x`.
    #[error("the path has a dot segment with a parameter at byte {at}; remove the dots or the ;")]
    DotParameter { at: usize },
    /// A byte that must be percent-encoded in a query.
    #[error("the query has a raw {} at byte {at}; write %{byte:02X}", name(*.byte))]
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

/// The name of a byte in messages.
fn name(byte: u8) -> String {
    match byte {
        b' ' => "space".to_owned(),
        b'!'..=b'~' => format!("`{}`", char::from(byte)),
        _ => format!("byte 0x{byte:02X}"),
    }
}
