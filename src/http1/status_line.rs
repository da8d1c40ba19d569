//! The first line of a response, read from left to right.

use crate::http1::grammar::find_control;
use crate::http1::response_error::ResponseError;
use crate::http1::span::Span;
use crate::http1::version::Version;

/// `HTTP/1.1 200` takes so many bytes.
const FIXED_BYTES: usize = 12;

/// How far the status line has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StatusLine {
    /// What is before this has been looked at, and was right.
    at: usize,
    pub(crate) version: Version,
    pub(crate) status: u16,
    pub(crate) reason: Span,
}

impl StatusLine {
    /// Where the fields begin; nothing if more bytes are needed. `bytes` must begin with those given
    /// before.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Option<usize>, ResponseError> {
        if self.at == 0 {
            let Some(()) = self.fixed(bytes)? else {
                return Ok(None);
            };
            self.at = match bytes.get(FIXED_BYTES) {
                // The space before the reason is due even if there is none (RFC 9112 section 4);
                // many leave it out, and nothing hangs on it.
                Some(b' ') => FIXED_BYTES + 1,
                Some(b'\r') => FIXED_BYTES,
                Some(_) => return Err(line_fault("more than three digits follow the version")),
                None => return Ok(None),
            };
        }
        let Some(end) = find_control(bytes, self.at) else {
            self.at = bytes.len();
            return Ok(None);
        };
        self.at = end;
        match bytes.get(end..) {
            Some([b'\r', b'\n', ..]) => {
                self.reason = Span::new((FIXED_BYTES + 1).min(end), end);
                Ok(Some(end + 2))
            }
            Some([b'\r']) => Ok(None),
            Some([b'\r' | b'\n', ..]) => Err(line_fault("it does not end in CR LF")),
            _ => Err(line_fault("the reason has a control")),
        }
    }

    fn fixed(&mut self, bytes: &[u8]) -> Result<Option<()>, ResponseError> {
        for (at, byte) in bytes.iter().take(FIXED_BYTES).enumerate() {
            let right = match at {
                0..=6 => b"HTTP/1.".get(at) == Some(byte),
                7 => matches!(byte, b'0' | b'1'),
                8 => *byte == b' ',
                _ => byte.is_ascii_digit(),
            };
            if !right && at < 9 {
                return Err(line_fault(
                    "it does not begin with HTTP/1.1 or HTTP/1.0 and a space",
                ));
            }
            if !right {
                return Err(line_fault("no three digits follow the version"));
            }
        }
        let Some([.., minor, _, hundreds, tens, ones]) = bytes.first_chunk::<FIXED_BYTES>() else {
            return Ok(None);
        };
        let digit = |byte: &u8| u16::from(byte - b'0');
        self.status = digit(hundreds) * 100 + digit(tens) * 10 + digit(ones);
        if !(100..600).contains(&self.status) {
            let status = self.status;
            return Err(ResponseError::Status { status });
        }
        self.version = match minor {
            b'0' => Version::Http10,
            _ => Version::Http11,
        };
        Ok(Some(()))
    }
}

fn line_fault(what: &'static str) -> ResponseError {
    ResponseError::StatusLine { what }
}
