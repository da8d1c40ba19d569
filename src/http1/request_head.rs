//! The head of a request (RFC 9112 section 3): request line, target, and the fields that only a
//! request has.
//!
//! The request line is read from left to right. An invalid byte is an error as soon as it arrives,
//! whatever follows it.

use std::borrow::Cow;

use crate::http1::error::RequestHeadError;
use crate::http1::field_kind::FieldKind;
use crate::http1::fields::{FieldLine, Span};
use crate::http1::framing::BodyLength;
use crate::http1::grammar::{Version, elements, end_of_token, find_target_end, host_error};
use crate::http1::head::{Head, HeadKind, HeadView, SectionError, Stage};
use crate::http1::limits::{HeadLimits, MAX_EMPTY_LINES, MAX_METHOD_BYTES};

/// The head of a request.
pub type RequestHead = Head<RequestKind>;

/// A complete request head together with the bytes that contain it.
pub type RequestView<'b> = HeadView<'b, RequestKind>;

/// What a request head has besides version and field section.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestKind {
    line: RequestLine,
    host: Option<Span>,
    te_trailers: bool,
    expects_continue: bool,
}

impl RequestHead {
    /// Reads the head at the start of `bytes` and returns its length, including the empty lines
    /// before it and the empty line that ends it; `None` if it is incomplete.
    ///
    /// After `None`, call it again with the same bytes and more. It continues where it stopped, so
    /// a head that arrives byte by byte costs no more than one that arrives at once. After a
    /// complete head, an error or [`clear`](Self::clear), it begins a new head.
    ///
    /// # Errors
    /// The leftmost error, as soon as its byte arrives.
    pub fn parse(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, RequestHeadError> {
        self.read(bytes, limits)
    }

    /// Whether a head has been read in part. Empty lines before the request line do not count.
    #[must_use]
    pub const fn is_started(&self) -> bool {
        match self.stage() {
            Stage::Idle => false,
            Stage::StartLine => self.kind.line.is_started(),
            Stage::Fields => true,
        }
    }
}

impl<'b> RequestView<'b> {
    /// The method: a token, case-sensitive.
    #[must_use]
    pub fn method(&self) -> &'b str {
        self.head.kind.line.method.text(self.bytes)
    }

    /// The target as received, without a fragment: graphic ASCII, in origin form (`/path?query`),
    /// absolute form (`http://host/path?query`) or asterisk form (`*`).
    #[must_use]
    pub fn target(&self) -> &'b str {
        self.head.kind.line.target.whole.text(self.bytes)
    }

    /// The target in origin form or asterisk form. It is owned only if an absolute target has a
    /// query but no path. An absolute target with neither is `/`, or `*` with OPTIONS (RFC 9112
    /// section 3.2.4).
    #[must_use]
    pub fn origin_target(&self) -> Cow<'b, str> {
        let path = self.head.kind.line.target.path.text(self.bytes);
        match path.bytes().next() {
            Some(b'?') => Cow::Owned(format!("/{path}")),
            Some(_) => Cow::Borrowed(path),
            None if self.method() == "OPTIONS" => Cow::Borrowed("*"),
            None => Cow::Borrowed("/"),
        }
    }

    /// Whether the target is in absolute form, so that its authority replaces `Host`.
    #[must_use]
    pub const fn is_absolute(&self) -> bool {
        self.head.kind.line.target.authority.is_some()
    }

    /// Host and optional port: the authority of an absolute target, else the value of `Host` (RFC
    /// 9112 section 3.2.2). It may be empty; it is `None` only in HTTP/1.0.
    #[must_use]
    pub fn host(&self) -> Option<&'b str> {
        let kind = &self.head.kind;
        let host = kind.line.target.authority.or(kind.host)?;
        Some(host.text(self.bytes))
    }

    /// The length of the body: none, a length, or chunked (RFC 9112 section 6.3).
    #[must_use]
    pub const fn framing(&self) -> BodyLength {
        self.declared()
    }

    /// Whether the client accepts another request on this connection (RFC 9112 section 9.3).
    #[must_use]
    pub const fn keeps_alive(&self) -> bool {
        self.is_persistent()
    }

    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 section
    /// 10.1.1). Never in HTTP/1.0 or without a body.
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.head.kind.expects_continue
            && self.version() == Version::Http11
            && !self.framing().is_empty()
    }

    /// Whether the client accepts trailers (RFC 9110 section 10.1.4).
    #[must_use]
    pub const fn te_trailers(&self) -> bool {
        self.head.kind.te_trailers
    }

    pub(super) const fn has_host_field(&self) -> bool {
        self.head.kind.host.is_some()
    }
}

impl HeadKind for RequestKind {
    type Error = RequestHeadError;

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn read_start_line(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<(Version, usize)>, RequestHeadError> {
        self.line.read(bytes, limits)
    }

    fn take(&mut self, line: FieldLine, bytes: &[u8]) -> Result<(), RequestHeadError> {
        let value = line.value.of(bytes);
        match line.kind {
            FieldKind::Host if self.host.is_some() => Err(RequestHeadError::DuplicateHost),
            FieldKind::Host => {
                self.host = Some(line.value);
                host_error(value).map_or(Ok(()), |what| Err(RequestHeadError::Host { what }))
            }
            FieldKind::Te => {
                self.te_trailers |= has_element(value, b"trailers");
                Ok(())
            }
            FieldKind::Expect => {
                self.expects_continue |= has_element(value, b"100-continue");
                Ok(())
            }
            FieldKind::Ordinary
            | FieldKind::ContentLength
            | FieldKind::TransferEncoding
            | FieldKind::Connection
            | FieldKind::Upgrade
            | FieldKind::Trailer
            | FieldKind::HopByHop => Ok(()),
        }
    }

    fn finish(&self, version: Version) -> Result<(), RequestHeadError> {
        if self.host.is_none() && version == Version::Http11 {
            return Err(RequestHeadError::MissingHost);
        }
        Ok(())
    }
}

/// A request line, as far as it has been read.
#[derive(Clone, Copy, Debug, Default)]
struct RequestLine {
    part: LinePart,
    empty_lines: usize,
    /// Where the current part begins.
    start: usize,
    /// The bytes before this position are valid and are not read again.
    at: usize,
    method: Span,
    target: Target,
}

#[derive(Clone, Copy, Debug, Default)]
enum LinePart {
    #[default]
    EmptyLines,
    Method,
    Target,
    Version,
}

/// A target in a form that its method allows (RFC 9112 section 3.2).
#[derive(Clone, Copy, Debug, Default)]
struct Target {
    /// Without the fragment, which is not part of a target (RFC 9110 section 7.1). No later reader
    /// may interpret it.
    whole: Span,
    /// Host and port, in absolute form.
    authority: Option<Span>,
    /// Path and query: the whole target, or the part after the authority, which may lack the first
    /// slash.
    path: Span,
}

impl RequestLine {
    /// See [`HeadKind::read_start_line`].
    fn read(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<(Version, usize)>, RequestHeadError> {
        loop {
            let end = match self.part {
                LinePart::EmptyLines => self.empty_lines(bytes)?,
                LinePart::Method => self.method(bytes)?,
                LinePart::Target => self.target(bytes, limits.max_target_bytes)?,
                LinePart::Version => {
                    let version = read_version(bytes.get(self.start..).unwrap_or_default())?;
                    let end = self.start + VERSION_BYTES;
                    return Ok(version.map(|version| (version, end)));
                }
            };
            let Some(next) = end else { return Ok(None) };
            self.start = next;
            self.at = next;
        }
    }

    /// Whether more than empty lines have been read.
    const fn is_started(&self) -> bool {
        !matches!(self.part, LinePart::EmptyLines)
    }

    fn empty_lines(&mut self, bytes: &[u8]) -> Result<Option<usize>, RequestHeadError> {
        loop {
            match bytes.get(self.at..).unwrap_or_default() {
                [] | [b'\r'] => return Ok(None),
                [b'\r', b'\n', ..] if self.empty_lines < MAX_EMPTY_LINES => {
                    self.empty_lines += 1;
                    self.at += 2;
                }
                [b'\r' | b'\n', ..] => return Err(line_error("line end before the method")),
                _ => {
                    self.part = LinePart::Method;
                    return Ok(Some(self.at));
                }
            }
        }
    }

    fn method(&mut self, bytes: &[u8]) -> Result<Option<usize>, RequestHeadError> {
        let end = end_of_token(bytes, self.at);
        self.at = end.unwrap_or(bytes.len());
        if self.at - self.start > MAX_METHOD_BYTES {
            let max = MAX_METHOD_BYTES;
            return Err(RequestHeadError::MethodTooLong { max });
        }
        let Some(end) = end else { return Ok(None) };
        match bytes.get(end) {
            Some(b' ') if end > self.start => {}
            Some(b' ') => return Err(line_error("space before the method")),
            Some(b'\r' | b'\n') => return Err(line_error("missing target")),
            _ => return Err(line_error("the method is not a token")),
        }
        self.method = Span::new(self.start, end);
        self.part = LinePart::Target;
        Ok(Some(end + 1))
    }

    fn target(&mut self, bytes: &[u8], max: usize) -> Result<Option<usize>, RequestHeadError> {
        // One byte more than `max`: the one that ends a target of the maximum length.
        let limit = self.start.saturating_add(max).saturating_add(1);
        let window = bytes.get(..limit).unwrap_or(bytes);
        let Some(end) = find_target_end(window, self.at) else {
            self.at = window.len();
            if window.len() == limit {
                return Err(RequestHeadError::TargetTooLong { max });
            }
            return Ok(None);
        };
        match bytes.get(end) {
            _ if end == self.start => return Err(line_error("missing target after the method")),
            Some(b' ') => {}
            Some(b'\r' | b'\n') => return Err(line_error("missing version")),
            _ => {
                return Err(target_error(
                    "control characters and bytes above 0x7e must be percent-encoded",
                ));
            }
        }
        self.target = read_target(self.method.of(bytes), bytes, self.start, end)?;
        self.part = LinePart::Version;
        Ok(Some(end + 1))
    }
}

/// Reads the target from `start` to `end`; all its bytes are graphic ASCII.
fn read_target(
    method: &[u8],
    bytes: &[u8],
    start: usize,
    end: usize,
) -> Result<Target, RequestHeadError> {
    if method == b"CONNECT" {
        return Err(RequestHeadError::Connect);
    }
    let text = bytes.get(start..end).unwrap_or_default();
    let fragment = memchr::memchr(b'#', text);
    let text = text
        .get(..fragment.unwrap_or(text.len()))
        .unwrap_or_default();
    let whole = Span::new(start, start + text.len());
    let origin_form = Target {
        whole,
        authority: None,
        path: whole,
    };
    match text {
        [b'/', ..] => return Ok(origin_form),
        b"*" if method == b"OPTIONS" => return Ok(origin_form),
        b"*" => return Err(target_error("`*` is allowed with OPTIONS only")),
        _ => {}
    }
    let scheme = ["https://", "http://"].into_iter().find(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
    });
    let Some(scheme) = scheme else {
        return Err(target_error(
            "it does not begin with `/`, `http://` or `https://`",
        ));
    };
    let rest = text.get(scheme.len()..).unwrap_or_default();
    let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?'));
    let authority = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
    if authority.is_empty() {
        // RFC 9110 section 4.2.1 requires a recipient to reject such a URI.
        return Err(target_error("missing host"));
    }
    if let Some(what) = host_error(authority) {
        return Err(target_error(what));
    }
    let host = start + scheme.len();
    Ok(Target {
        whole,
        authority: Some(Span::new(host, host + authority.len())),
        path: Span::new(host + authority.len(), whole.end()),
    })
}

/// Bytes of `HTTP/1.1` with CR LF.
const VERSION_BYTES: usize = 10;

/// Reads the version and the end of the line; `None` if more bytes are needed.
fn read_version(rest: &[u8]) -> Result<Option<Version>, RequestHeadError> {
    match rest.first_chunk() {
        Some(b"HTTP/1.1\r\n") => return Ok(Some(Version::Http11)),
        Some(b"HTTP/1.0\r\n") => return Ok(Some(Version::Http10)),
        _ => {}
    }
    for (at, byte) in rest.iter().take(VERSION_BYTES).enumerate() {
        let is_valid = match at {
            0..=4 => b"HTTP/".get(at) == Some(byte),
            5 | 7 => byte.is_ascii_digit(),
            6 => *byte == b'.',
            8 => *byte == b'\r',
            _ => *byte == b'\n',
        };
        if !is_valid && at < 8 {
            return Err(line_error("no version follows the target"));
        }
        if !is_valid {
            return Err(line_error("no CR LF follows the version"));
        }
        if let (7, Some([major, _, minor])) = (at, rest.get(5..8))
            && (*major != b'1' || !matches!(minor, b'0' | b'1'))
        {
            return Err(RequestHeadError::Version {
                major: char::from(*major),
                minor: char::from(*minor),
            });
        }
    }
    Ok(None)
}

fn has_element(value: &[u8], wanted: &[u8]) -> bool {
    elements(value).any(|element| element.eq_ignore_ascii_case(wanted))
}

fn line_error(what: &'static str) -> RequestHeadError {
    RequestHeadError::RequestLine { what }
}

fn target_error(what: &'static str) -> RequestHeadError {
    RequestHeadError::Target { what }
}

impl From<SectionError> for RequestHeadError {
    fn from(error: SectionError) -> Self {
        match error {
            SectionError::Field(error) => Self::Field(error),
            SectionError::Framing(error) => Self::Framing(error),
            SectionError::TooManyOptions { max } => Self::TooManyOptions { max },
        }
    }
}
