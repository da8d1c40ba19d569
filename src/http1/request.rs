//! The head of a request: reusable, and parsed where it lies.

use std::borrow::Cow;

use crate::http1::error::FieldError;
use crate::http1::field_section::{FieldLine, Step};
use crate::http1::grammar::{elements, host_fault};
use crate::http1::kind::FieldKind;
use crate::http1::length::BodyLength;
use crate::http1::limits::HeadLimits;
use crate::http1::request_error::RequestError;
use crate::http1::request_line::RequestLine;
use crate::http1::section::{Section, SectionError};
use crate::http1::span::Span;
use crate::http1::version::Version;

/// The head of a request, as positions in the bytes it came in.
///
/// One value serves a connection, or all connections of a thread one after the other: what it
/// allocated for one head is used again for the next.
#[derive(Debug, Default)]
pub struct RequestHead {
    stage: Stage,
    line: RequestLine,
    section: Section,
    host: Option<Span>,
    te_trailers: bool,
    expects_continue: bool,
}

/// A whole head with the bytes it came in: what the rest of the program looks at.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'b> {
    head: &'b RequestHead,
    bytes: &'b [u8],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Fresh,
    Line,
    Fields,
    /// Whole, or refused: whatever comes next begins another head.
    Over,
}

impl RequestHead {
    /// Reads the head at the beginning of `bytes`: its length with the blank line, and with the
    /// empty lines that may stand before it; or nothing, if it is not whole yet.
    ///
    /// As long as it gives nothing, it must be called with the same bytes and more. It goes on where
    /// it stopped, so that a head that comes byte by byte costs no more than one that comes at once.
    /// After a whole head, or a fault, it begins anew; so it does after [`RequestHead::clear`].
    ///
    /// # Errors
    /// The leftmost fault, as soon as it can be seen: it does not wait for the rest of the head.
    pub fn parse(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, RequestError> {
        if self.stage == Stage::Over {
            self.clear();
        }
        let (window, full) = limits.window(bytes);
        let parsed = match self.read(window, limits) {
            Ok(None) if full => {
                let max = limits.max_head();
                Err(FieldError::TooLarge { max }.into())
            }
            parsed => parsed,
        };
        if !matches!(parsed, Ok(None)) {
            self.stage = Stage::Over;
        }
        parsed
    }

    /// Forgets what was read, but keeps what was allocated. Needed only where a head that is not
    /// whole is given up.
    pub fn clear(&mut self) {
        self.stage = Stage::Fresh;
    }

    /// Whether a part of a head has been read, but not all of it; empty lines are no part.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.stage == Stage::Fields || self.stage == Stage::Line && self.line.is_begun()
    }

    /// The head with `bytes`, which must be those that [`RequestHead::parse`] found it in.
    #[must_use]
    pub const fn view<'b>(&'b self, bytes: &'b [u8]) -> RequestView<'b> {
        RequestView { head: self, bytes }
    }

    fn read(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Option<usize>, RequestError> {
        if self.stage == Stage::Fresh {
            self.line = RequestLine::default();
            self.host = None;
            self.te_trailers = false;
            self.expects_continue = false;
            self.stage = Stage::Line;
        }
        if self.stage == Stage::Line {
            let Some(end) = self.line.read(bytes, limits)? else {
                return Ok(None);
            };
            self.section.begin(end);
            self.stage = Stage::Fields;
        }
        loop {
            match self.section.next(bytes, self.line.version, limits)? {
                Step::Line(line) => self.take(line, bytes)?,
                Step::More => return Ok(None),
                Step::End(end) => {
                    if self.host.is_none() && self.line.version == Version::Http11 {
                        return Err(RequestError::HostMissing);
                    }
                    return Ok(Some(end));
                }
            }
        }
    }

    fn take(&mut self, line: FieldLine, bytes: &[u8]) -> Result<(), RequestError> {
        let value = line.value.of(bytes);
        match line.kind {
            FieldKind::Host if self.host.is_some() => Err(RequestError::HostTwice),
            FieldKind::Host => {
                self.host = Some(line.value);
                host_fault(value).map_or(Ok(()), |what| Err(RequestError::Host { what }))
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
}

impl<'b> RequestView<'b> {
    /// The method: a token, in the case it came in.
    #[must_use]
    pub fn method(&self) -> &'b str {
        self.head.line.method.text(self.bytes)
    }

    /// The target as it came, without its fragment: graphic ASCII, in origin form (`/path?query`),
    /// absolute form (`http://host/path?query`), or `*`.
    #[must_use]
    pub fn target(&self) -> &'b str {
        self.head.line.target.whole.text(self.bytes)
    }

    /// Path and query, or `*`: what the target is without scheme and host. Owned only if an
    /// absolute one had a query but no path. An absolute one without either is `/`, but `*` to
    /// OPTIONS (RFC 9112 section 3.2.4).
    #[must_use]
    pub fn origin_target(&self) -> Cow<'b, str> {
        let path = self.head.line.target.path.text(self.bytes);
        match path.bytes().next() {
            Some(b'?') => Cow::Owned(format!("/{path}")),
            Some(_) => Cow::Borrowed(path),
            None if self.method() == "OPTIONS" => Cow::Borrowed("*"),
            None => Cow::Borrowed("/"),
        }
    }

    /// Whether the target named the host itself, so that the `Host` field does not count.
    #[must_use]
    pub const fn is_absolute(&self) -> bool {
        self.head.line.target.authority.is_some()
    }

    /// Host and perhaps port: of an absolute target, else of `Host` (RFC 9112 section 3.2.2). It may
    /// be empty; there is none only in HTTP/1.0.
    #[must_use]
    pub fn host(&self) -> Option<&'b str> {
        let host = self.head.line.target.authority.or(self.head.host)?;
        Some(host.text(self.bytes))
    }

    /// The version it states.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.head.line.version
    }

    /// Every field as name and value, in the order received: those for this hop as well.
    pub fn fields(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> + Clone + use<'b> {
        let bytes = self.bytes;
        self.head
            .section
            .fields
            .iter()
            .map(move |line| line.pair(bytes))
    }

    /// The fields that are passed on as they came, whatever the next hop speaks: none that is for
    /// this hop, and neither `Host` nor what frames the body.
    pub fn end_to_end(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> + Clone + use<'b> {
        let bytes = self.bytes;
        let lines = self.head.section.fields.iter();
        lines
            .filter(|line| line.kind.is_end_to_end())
            .map(move |line| line.pair(bytes))
    }

    /// How long its body is: none, a length, or chunked (RFC 9112 section 6.3).
    #[must_use]
    pub const fn framing(&self) -> BodyLength {
        self.head.section.framing.declared()
    }

    /// Whether the client lets another request follow on this connection (RFC 9112 section 9.3).
    #[must_use]
    pub const fn keeps_alive(&self) -> bool {
        self.head
            .section
            .options
            .keeps_alive(self.head.line.version)
    }

    /// Whether the client waits for a `100 Continue` before it sends its body (RFC 9110 section
    /// 10.1.1). One that speaks HTTP/1.0 does not, whatever it says; nor does one without a body.
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.head.expects_continue
            && self.version() == Version::Http11
            && !self.framing().is_empty()
    }

    /// The protocols that the client would change to (RFC 9110 section 7.8): the value of `Upgrade`,
    /// if `Connection` has the option and there is one such line.
    #[must_use]
    pub fn upgrade(&self) -> Option<&'b [u8]> {
        let protocol = self.head.section.options.protocol(self.head.line.version)?;
        Some(protocol.of(self.bytes))
    }

    /// Whether the client takes trailers (RFC 9110 section 10.1.4).
    #[must_use]
    pub const fn te_trailers(&self) -> bool {
        self.head.te_trailers
    }

    pub(crate) fn lines(&self) -> &'b [FieldLine] {
        &self.head.section.fields
    }

    pub(crate) const fn fields_end(&self) -> usize {
        self.head.section.end
    }

    pub(crate) const fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    pub(crate) const fn has_host_field(&self) -> bool {
        self.head.host.is_some()
    }
}

impl From<SectionError> for RequestError {
    fn from(fault: SectionError) -> Self {
        match fault {
            SectionError::Field(fault) => Self::Field(fault),
            SectionError::Framing(fault) => Self::Framing(fault),
            SectionError::TooManyOptions { max } => Self::TooManyOptions { max },
        }
    }
}

fn has_element(value: &[u8], wanted: &[u8]) -> bool {
    elements(value).any(|element| element.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests;
