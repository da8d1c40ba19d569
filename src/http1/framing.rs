//! Message body length: what `Content-Length` and `Transfer-Encoding` declare (RFC 9112 section 6).

use crate::http1::error::FramingError;
use crate::http1::grammar::{Version, decimal, elements, is_token};

/// The length of a body, or how a recipient finds its end (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyLength {
    /// No body, and no field that declares a length.
    #[default]
    None,
    /// The number of bytes; below 10^18.
    Length(u64),
    /// The chunked transfer coding; an empty chunk ends the body.
    Chunked,
    /// The body ends when the connection closes. Never in a request.
    UntilClose,
}

impl BodyLength {
    /// Whether no byte of a body follows the head.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        matches!(self, Self::None | Self::Length(0))
    }
}

/// Whether a response with this status never has a body (RFC 9110 section 6.4.1).
pub(crate) const fn has_no_body(status: u16) -> bool {
    matches!(status, 100..200 | 204 | 304)
}

/// `Content-Length` and `Transfer-Encoding` of a head, as far as it has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framing {
    length: Option<u64>,
    is_chunked: bool,
}

impl Framing {
    /// Takes the value of a `Content-Length` field.
    pub(super) fn content_length(&mut self, value: &[u8]) -> Result<(), FramingError> {
        if self.length.is_some() {
            return Err(FramingError::DuplicateContentLength);
        }
        if self.is_chunked {
            return Err(FramingError::LengthAndTransferEncoding);
        }
        self.length = Some(decimal(value).ok_or(FramingError::ContentLength)?);
        Ok(())
    }

    /// Takes the value of a `Transfer-Encoding` field.
    pub(super) fn transfer_encoding(
        &mut self,
        value: &[u8],
        version: Version,
    ) -> Result<(), FramingError> {
        if self.is_chunked {
            return Err(FramingError::DuplicateTransferEncoding);
        }
        if self.length.is_some() {
            return Err(FramingError::LengthAndTransferEncoding);
        }
        if version == Version::Http10 {
            return Err(FramingError::TransferEncodingInHttp10);
        }
        if !value.eq_ignore_ascii_case(b"chunked") {
            return Err(other_coding(value));
        }
        self.is_chunked = true;
        Ok(())
    }

    /// The declared length; [`BodyLength::None`] if neither field is present.
    pub(super) const fn declared(self) -> BodyLength {
        match (self.is_chunked, self.length) {
            (true, _) => BodyLength::Chunked,
            (false, Some(length)) => BodyLength::Length(length),
            (false, None) => BodyLength::None,
        }
    }
}

/// The error for a value other than `chunked`: a list of codings that may exist is unsupported,
/// anything else is invalid.
#[cold]
fn other_coding(value: &[u8]) -> FramingError {
    let count = elements(value).count();
    let may_exist = |(at, coding): (usize, &[u8])| {
        let is_chunked = coding.eq_ignore_ascii_case(b"chunked");
        let is_last = at + 1 == count;
        is_token(coding) && !coding.eq_ignore_ascii_case(b"identity") && (!is_chunked || is_last)
    };
    if elements(value).enumerate().all(may_exist) {
        FramingError::UnknownCoding
    } else {
        FramingError::TransferEncoding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfer_codings() {
        let check = |value: &str, expected: Result<(), FramingError>| {
            let got = Framing::default().transfer_encoding(value.as_bytes(), Version::Http11);
            assert_eq!(got, expected, "{value}");
        };
        check("chunked", Ok(()));
        check("CHUNKED", Ok(()));
        for value in [
            "gzip",
            "xchunked",
            "gzip, chunked",
            "chunkedchunked",
            "pigeons",
        ] {
            check(value, Err(FramingError::UnknownCoding));
        }
        for value in [
            "",
            "identity",
            "identity, chunked",
            "chunked, chunked",
            "chunked, gzip",
            ",chunked",
            "chunked,",
            "\"chunked\"",
            "chunked;q=1",
            "chun ked",
            "'chunked",
            "chunked\u{b}",
            "ch\u{fc}nked",
        ] {
            let expected = if value == "'chunked" {
                // A token may contain this quotation mark.
                FramingError::UnknownCoding
            } else {
                FramingError::TransferEncoding
            };
            check(value, Err(expected));
        }
    }

    #[test]
    fn together() {
        let both = |first: &str, second: &str| {
            let mut framing = Framing::default();
            let mut take = |value: &str| match value {
                "chunked" => framing.transfer_encoding(value.as_bytes(), Version::Http11),
                _ => framing.content_length(value.as_bytes()),
            };
            take(first).and_then(|()| take(second))
        };
        assert_eq!(both("5", "5"), Err(FramingError::DuplicateContentLength));
        assert_eq!(both("5", "6"), Err(FramingError::DuplicateContentLength));
        assert_eq!(
            both("5", "chunked"),
            Err(FramingError::LengthAndTransferEncoding)
        );
        assert_eq!(
            both("chunked", "5"),
            Err(FramingError::LengthAndTransferEncoding)
        );
        assert_eq!(
            both("chunked", "chunked"),
            Err(FramingError::DuplicateTransferEncoding)
        );
    }
}
