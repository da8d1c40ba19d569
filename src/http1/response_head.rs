//! The head of a response (RFC 9112 section 4): the status line, and what a status means for body
//! and connection.

use crate::http1::error::ResponseHeadError;
use crate::http1::fields::{FieldLine, Span};
use crate::http1::framing::{BodyLength, has_no_body};
use crate::http1::grammar::{Version, find_control};
use crate::http1::head::{Head, HeadKind, HeadView, SectionError};
use crate::http1::limits::HeadLimits;

/// The head of a response.
pub type ResponseHead = Head<ResponseKind>;

/// A complete response head together with the bytes that contain it.
pub type ResponseView<'b> = HeadView<'b, ResponseKind>;

/// What a response head has besides version and field section.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponseKind {
    line: StatusLine,
    request: ResponseContext,
}

/// What the meaning of a response depends on: properties of its request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseContext {
    /// Whether the method is HEAD, so that no body follows (RFC 9110 section 9.3.2).
    pub is_head: bool,
    /// Whether the request asks for an upgrade, so that 101 is a valid response.
    pub asks_upgrade: bool,
}

impl ResponseHead {
    /// Reads the head at the start of `bytes` and returns its length, including the empty line that
    /// ends it; `None` if it is incomplete. Repeated calls work as for
    /// [`RequestHead::parse`](crate::http1::RequestHead::parse).
    ///
    /// After an interim response ([`is_interim`](ResponseView::is_interim)) another head follows
    /// for the same request.
    ///
    /// # Errors
    /// The leftmost error, as soon as its byte arrives.
    pub fn parse(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
        request: ResponseContext,
    ) -> Result<Option<usize>, ResponseHeadError> {
        self.kind.request = request;
        self.read(bytes, limits)
    }
}

impl<'b> ResponseView<'b> {
    /// The status code, from 100 to 599.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.head.kind.line.status
    }

    /// The reason phrase, which has no meaning (RFC 9112 section 4). It may be empty, and need not
    /// be UTF-8.
    #[must_use]
    pub fn reason(&self) -> &'b [u8] {
        self.head.kind.line.reason.of(self.bytes)
    }

    /// The length of the body that follows (RFC 9112 section 6.3): none in a response to HEAD, in
    /// a 1xx, 204 or 304, whatever the fields declare.
    #[must_use]
    pub const fn framing(&self) -> BodyLength {
        if self.head.kind.request.is_head || has_no_body(self.status()) {
            return BodyLength::None;
        }
        match self.declared() {
            BodyLength::None => BodyLength::UntilClose,
            declared @ (BodyLength::Length(_) | BodyLength::Chunked | BodyLength::UntilClose) => {
                declared
            }
        }
    }

    /// Whether the final response follows: a 1xx other than 101.
    #[must_use]
    pub const fn is_interim(&self) -> bool {
        self.status() < 200 && self.status() != 101
    }

    /// Whether the connection switches protocols after this head: 101.
    #[must_use]
    pub const fn switches_protocols(&self) -> bool {
        self.status() == 101
    }

    /// Whether another response may follow on this connection (RFC 9112 section 9.3). Not if the
    /// body ends when the connection closes. Nor after a 1xx or 204 that declares a body, which
    /// RFC 9110 section 8.6 forbids: a body may follow that this reader does not expect.
    #[must_use]
    pub const fn keeps_alive(&self) -> bool {
        let declares_forbidden_body = match self.status() {
            100..200 | 204 => !self.declared().is_empty(),
            _ => false,
        };
        self.is_persistent()
            && !matches!(self.framing(), BodyLength::UntilClose)
            && !declares_forbidden_body
    }
}

impl HeadKind for ResponseKind {
    type Error = ResponseHeadError;

    fn clear(&mut self) {
        self.line = StatusLine::default();
    }

    fn read_start_line(
        &mut self,
        bytes: &[u8],
        _: &HeadLimits,
    ) -> Result<Option<(Version, usize)>, ResponseHeadError> {
        let line = self.line.read(bytes)?;
        if line.is_some() && self.line.status == 101 && !self.request.asks_upgrade {
            return Err(ResponseHeadError::UnexpectedUpgrade);
        }
        Ok(line)
    }

    fn take(&mut self, _: FieldLine, _: &[u8]) -> Result<(), ResponseHeadError> {
        Ok(())
    }

    fn finish(&self, _: Version) -> Result<(), ResponseHeadError> {
        Ok(())
    }
}

/// A status line, as far as it has been read.
#[derive(Clone, Copy, Debug, Default)]
struct StatusLine {
    /// The bytes before this position are valid and are not read again.
    at: usize,
    version: Version,
    status: u16,
    reason: Span,
}

/// Bytes of `HTTP/1.1 200`.
const FIXED_BYTES: usize = 12;

impl StatusLine {
    /// See [`HeadKind::read_start_line`].
    fn read(&mut self, bytes: &[u8]) -> Result<Option<(Version, usize)>, ResponseHeadError> {
        if self.at == 0 {
            let Some(()) = self.fixed_part(bytes)? else {
                return Ok(None);
            };
            self.at = match bytes.get(FIXED_BYTES) {
                // RFC 9112 section 4 requires the space even before an empty reason. Many servers
                // omit it, and accepting that is safe.
                Some(b' ') => FIXED_BYTES + 1,
                Some(b'\r') => FIXED_BYTES,
                Some(_) => return Err(line_error("the status does not have three digits")),
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
                Ok(Some((self.version, end + 2)))
            }
            Some([b'\r']) => Ok(None),
            Some([b'\r' | b'\n', ..]) => Err(line_error("it does not end with CR LF")),
            _ => Err(line_error("the reason contains a control character")),
        }
    }

    /// Reads version and status, which have a fixed length; `None` if more bytes are needed.
    fn fixed_part(&mut self, bytes: &[u8]) -> Result<Option<()>, ResponseHeadError> {
        for (at, byte) in bytes.iter().take(FIXED_BYTES).enumerate() {
            let is_valid = match at {
                0..=6 => b"HTTP/1.".get(at) == Some(byte),
                7 => matches!(byte, b'0' | b'1'),
                8 => *byte == b' ',
                _ => byte.is_ascii_digit(),
            };
            if !is_valid && at < 9 {
                return Err(line_error(
                    "it does not begin with HTTP/1.1 or HTTP/1.0 and a space",
                ));
            }
            if !is_valid {
                return Err(line_error("the status does not have three digits"));
            }
        }
        let Some([.., minor, _, hundreds, tens, ones]) = bytes.first_chunk::<FIXED_BYTES>() else {
            return Ok(None);
        };
        let digit = |byte: &u8| u16::from(byte - b'0');
        self.status = digit(hundreds) * 100 + digit(tens) * 10 + digit(ones);
        if !(100..600).contains(&self.status) {
            let status = self.status;
            return Err(ResponseHeadError::Status { status });
        }
        self.version = match minor {
            b'0' => Version::Http10,
            _ => Version::Http11,
        };
        Ok(Some(()))
    }
}

fn line_error(what: &'static str) -> ResponseHeadError {
    ResponseHeadError::StatusLine { what }
}

impl From<SectionError> for ResponseHeadError {
    fn from(error: SectionError) -> Self {
        match error {
            SectionError::Field(error) => Self::Field(error),
            SectionError::Framing(error) => Self::Framing(error),
            SectionError::TooManyOptions { max } => Self::TooManyOptions { max },
        }
    }
}
