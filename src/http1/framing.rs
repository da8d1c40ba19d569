//! What the fields of a head say of the length of its body.

use crate::http1::error::FramingError;
use crate::http1::grammar::{decimal, elements, is_token};
use crate::http1::length::BodyLength;
use crate::http1::version::Version;

/// Content-Length and Transfer-Encoding as far as they were read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Framing {
    length: Option<u64>,
    chunked: bool,
}

impl Framing {
    /// Takes the value of a Content-Length.
    pub(crate) fn content_length(&mut self, value: &[u8]) -> Result<(), FramingError> {
        if self.length.is_some() {
            return Err(FramingError::ContentLengthTwice);
        }
        if self.chunked {
            return Err(FramingError::Both);
        }
        self.length = Some(decimal(value).ok_or(FramingError::ContentLength)?);
        Ok(())
    }

    /// Takes the value of a Transfer-Encoding.
    pub(crate) fn transfer_encoding(
        &mut self,
        value: &[u8],
        version: Version,
    ) -> Result<(), FramingError> {
        if self.chunked {
            return Err(FramingError::TransferEncodingTwice);
        }
        if self.length.is_some() {
            return Err(FramingError::Both);
        }
        if version == Version::Http10 {
            return Err(FramingError::InHttp10);
        }
        if !value.eq_ignore_ascii_case(b"chunked") {
            return Err(other_coding(value));
        }
        self.chunked = true;
        Ok(())
    }

    /// What was declared; nothing if neither stood there.
    pub(crate) const fn declared(self) -> BodyLength {
        match (self.chunked, self.length) {
            (true, _) => BodyLength::Chunked,
            (false, Some(length)) => BodyLength::Length(length),
            (false, None) => BodyLength::None,
        }
    }
}

/// A list of codings that may exist is not served; anything else is not understood.
#[cold]
fn other_coding(value: &[u8]) -> FramingError {
    let count = elements(value).count();
    let may_be = |(at, coding): (usize, &[u8])| {
        let chunked = coding.eq_ignore_ascii_case(b"chunked");
        let last = at + 1 == count;
        is_token(coding) && !coding.eq_ignore_ascii_case(b"identity") && (!chunked || last)
    };
    if elements(value).enumerate().all(may_be) {
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
                // A quotation mark of this kind may stand in a token.
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
        assert_eq!(both("5", "5"), Err(FramingError::ContentLengthTwice));
        assert_eq!(both("5", "6"), Err(FramingError::ContentLengthTwice));
        assert_eq!(both("5", "chunked"), Err(FramingError::Both));
        assert_eq!(both("chunked", "5"), Err(FramingError::Both));
        assert_eq!(
            both("chunked", "chunked"),
            Err(FramingError::TransferEncodingTwice)
        );
    }
}
