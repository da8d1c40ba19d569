//! What can be wrong with field lines, and with what they say of the body: the part that requests,
//! responses and trailers have in common. A sentence names the field and the byte, never the value.

use thiserror::Error;

/// A field section that is not `*( field-name ":" OWS field-value OWS CRLF ) CRLF` (RFC 9112
/// section 5), or too large.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FieldError {
    /// A line that ends in a bare LF (RFC 9112 section 2.2 lets a recipient take it; others would
    /// not, and there lies the danger).
    #[error("byte {at} is a bare LF; lines must end in CR LF")]
    BareLf {
        /// From the start of the head.
        at: usize,
    },
    /// A CR that no LF follows (RFC 9112 section 2.2).
    #[error("byte {at} is a CR that no LF follows; lines must end in CR LF")]
    BareCr {
        /// From the start of the head.
        at: usize,
    },
    /// A value that goes on in the next line (RFC 9112 section 5.2).
    #[error("the field {name:?} is folded into a second line; a value must stand in one line")]
    ObsFold {
        /// The field that would go on.
        name: Box<str>,
    },
    /// White space before the first field (RFC 9112 section 2.2).
    #[error("white space stands before the first field; a line must begin with a field's name")]
    LeadingSpace,
    /// White space between name and colon (RFC 9112 section 5.1).
    #[error("white space follows the field name {name:?}; the colon must follow at once")]
    SpaceAfterName {
        /// What stands before the white space.
        name: Box<str>,
    },
    /// A line that begins with a colon.
    #[error("byte {at} begins a field line with `:`; a name must stand before it")]
    EmptyName {
        /// From the start of the head.
        at: usize,
    },
    /// A line without a colon.
    #[error("the field line {name:?} has no colon; it must read `name: value`")]
    NoColon {
        /// The line.
        name: Box<str>,
    },
    /// A byte that no name has (RFC 9110 section 5.6.2).
    #[error(
        "the field name that begins with {name:?} has the byte 0x{byte:02x}; a name must be letters, digits and !#$%&'*+-.^_`|~"
    )]
    NameByte {
        /// What stands before it.
        name: Box<str>,
        /// The byte.
        byte: u8,
    },
    /// A control in a value (RFC 9110 section 5.5).
    #[error(
        "the value of the field {name:?} has the byte 0x{byte:02x}; a value must have no controls but tabs"
    )]
    ValueByte {
        /// The field.
        name: Box<str>,
        /// The byte.
        byte: u8,
    },
    /// More lines than are allowed.
    #[error("there are more than {max} fields")]
    TooMany {
        /// How many are allowed.
        max: usize,
    },
    /// More bytes than are allowed.
    #[error("the head does not end within {max} bytes")]
    TooLarge {
        /// How many are allowed.
        max: usize,
    },
}

impl FieldError {
    /// A stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BareLf { .. } => "http1.bare_lf",
            Self::BareCr { .. } => "http1.bare_cr",
            Self::ObsFold { .. } => "http1.obs_fold",
            Self::LeadingSpace => "http1.leading_space",
            Self::SpaceAfterName { .. } => "http1.space_after_name",
            Self::EmptyName { .. } | Self::NameByte { .. } => "http1.bad_field_name",
            Self::NoColon { .. } => "http1.no_colon",
            Self::ValueByte { .. } => "http1.bad_field_value",
            Self::TooMany { .. } => "http1.too_many_fields",
            Self::TooLarge { .. } => "http1.head_too_large",
        }
    }

    /// 400, or 431 where there is too much (RFC 6585 section 5).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::TooMany { .. } | Self::TooLarge { .. } => 431,
            Self::BareLf { .. }
            | Self::BareCr { .. }
            | Self::ObsFold { .. }
            | Self::LeadingSpace
            | Self::SpaceAfterName { .. }
            | Self::EmptyName { .. }
            | Self::NameByte { .. }
            | Self::NoColon { .. }
            | Self::ValueByte { .. } => 400,
        }
    }
}

/// Fields that do not say, in one way only, where the body ends (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FramingError {
    /// RFC 9110 section 8.6.
    #[error("Content-Length is not a number; it must be one to eighteen digits")]
    ContentLength,
    /// Also if both are equal: section 8.6 of RFC 9110 leaves the choice, and no sender needs it.
    #[error("Content-Length stands there twice; there must be one")]
    ContentLengthTwice,
    /// The oldest way to smuggle (RFC 9112 section 6.1).
    #[error("there are both Transfer-Encoding and Content-Length; there must be one of them")]
    Both,
    /// RFC 9112 section 6.1: its framing is faulty even if the rest is right.
    #[error("Transfer-Encoding stands in a message of HTTP/1.0, which has none")]
    InHttp10,
    /// RFC 9112 section 6.1.
    #[error("Transfer-Encoding stands there twice; there must be one, `chunked`")]
    TransferEncodingTwice,
    /// RFC 9112 sections 6.1 and 7: `identity`, `chunked` twice or not last, or no list of tokens.
    #[error("Transfer-Encoding is not understood; it must be `chunked`, once")]
    TransferEncoding,
    /// A coding that nobody here can take off (RFC 9112 section 6.1 asks for 501).
    #[error("Transfer-Encoding names a coding other than `chunked`, the only one known here")]
    UnknownCoding,
}

impl FramingError {
    /// A stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ContentLength => "http1.bad_content_length",
            Self::ContentLengthTwice => "http1.content_length_twice",
            Self::Both => "http1.length_and_chunked",
            Self::InHttp10 => "http1.chunked_in_http10",
            Self::TransferEncodingTwice => "http1.transfer_encoding_twice",
            Self::TransferEncoding => "http1.bad_transfer_encoding",
            Self::UnknownCoding => "http1.unknown_coding",
        }
    }

    /// 400, or 501 for a coding that is not known.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::UnknownCoding => 501,
            Self::ContentLength
            | Self::ContentLengthTwice
            | Self::Both
            | Self::InHttp10
            | Self::TransferEncodingTwice
            | Self::TransferEncoding => 400,
        }
    }
}

/// What stands in a fault for `bytes` out of a message: at most forty of them, readable.
pub(crate) fn excerpt(bytes: &[u8]) -> Box<str> {
    let shown = bytes.get(..40).unwrap_or(bytes);
    String::from_utf8_lossy(shown).into()
}
