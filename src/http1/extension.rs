//! What may follow the size of a chunk: nothing, or extensions, which are checked and dropped.

use crate::http1::grammar::{is_control, is_token_byte};

/// Where in `*( BWS ";" BWS name [ BWS "=" BWS value ] )` (RFC 9112 section 7.1.1) a line is, after
/// the chunk's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension {
    /// White space before a `;`, which must come.
    BeforeSemicolon,
    /// After a `;`.
    BeforeName,
    Name,
    /// White space after a name: `=` or `;` must come.
    AfterName,
    BeforeValue,
    Value,
    Quoted,
    /// After a backslash in a quoted string.
    Escaped,
    AfterQuoted,
}

impl Extension {
    /// Where the first byte after the size leads; `None` if it cannot begin an extension.
    pub(crate) const fn begin(byte: u8) -> Option<Self> {
        match byte {
            b';' => Some(Self::BeforeName),
            b' ' | b'\t' => Some(Self::BeforeSemicolon),
            _ => None,
        }
    }

    /// Whether the line may end here.
    pub(crate) const fn may_end(self) -> bool {
        matches!(self, Self::Name | Self::Value | Self::AfterQuoted)
    }

    /// Where `byte` leads; `None` if it cannot stand here.
    pub(crate) const fn next(self, byte: u8) -> Option<Self> {
        let is_space = matches!(byte, b' ' | b'\t');
        Some(match (self, byte) {
            (Self::Quoted, b'"') => Self::AfterQuoted,
            (Self::Quoted, b'\\') => Self::Escaped,
            (Self::Quoted | Self::Escaped, _) if !is_control(byte) => Self::Quoted,
            (Self::Quoted | Self::Escaped, _) => return None,
            (Self::BeforeSemicolon | Self::BeforeName | Self::AfterName | Self::BeforeValue, _)
                if is_space =>
            {
                self
            }
            (Self::BeforeName | Self::Name, _) if is_token_byte(byte) => Self::Name,
            (Self::BeforeValue | Self::Value, _) if is_token_byte(byte) => Self::Value,
            (Self::BeforeValue, b'"') => Self::Quoted,
            (Self::Name | Self::AfterName, b'=') => Self::BeforeValue,
            (
                Self::BeforeSemicolon
                | Self::Name
                | Self::AfterName
                | Self::Value
                | Self::AfterQuoted,
                b';',
            ) => Self::BeforeName,
            (Self::Name, _) if is_space => Self::AfterName,
            (Self::Value | Self::AfterQuoted, _) if is_space => Self::BeforeSemicolon,
            _ => return None,
        })
    }
}
