//! The head of a response: reusable, and parsed where it lies.

use crate::http1::error::FieldError;
use crate::http1::field_section::{FieldLine, Step};
use crate::http1::length::BodyLength;
use crate::http1::limits::HeadLimits;
use crate::http1::response_error::ResponseError;
use crate::http1::section::{Section, SectionError};
use crate::http1::status_line::StatusLine;
use crate::http1::version::Version;

/// What has to be known of the request to read its response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseTo {
    /// Whether its method was HEAD, so that no body follows (RFC 9110 section 9.3.2).
    pub is_head: bool,
    /// Whether it asked to change protocols, so that 101 may be the answer.
    pub asks_upgrade: bool,
}

/// The head of a response, as positions in the bytes it came in. It is used again and again as a
/// [`crate::http1::request::RequestHead`] is.
#[derive(Debug, Default)]
pub struct ResponseHead {
    stage: Stage,
    line: StatusLine,
    section: Section,
    to: ResponseTo,
}

/// A whole head with the bytes it came in.
#[derive(Clone, Copy, Debug)]
pub struct ResponseView<'b> {
    head: &'b ResponseHead,
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

impl ResponseHead {
    /// Reads the head at the beginning of `bytes`: its length with the blank line, or nothing if it
    /// is not whole yet. As for calling it again, see
    /// [`crate::http1::request::RequestHead::parse`].
    ///
    /// After an interim response ([`ResponseView::is_interim`]) another head follows, for the same
    /// request.
    ///
    /// # Errors
    /// The leftmost fault, as soon as it can be seen.
    pub fn parse(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
        to: ResponseTo,
    ) -> Result<Option<usize>, ResponseError> {
        let (window, full) = limits.window(bytes);
        if matches!(self.stage, Stage::Over | Stage::Fresh) {
            self.line = StatusLine::default();
            self.stage = Stage::Line;
        }
        self.to = to;
        let parsed = match self.read(window, limits) {
            Ok(None) if full => {
                let max = limits.max_head();
                Err(ResponseError::Field(FieldError::TooLarge { max }))
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

    /// The head with `bytes`, which must be those that [`ResponseHead::parse`] found it in.
    #[must_use]
    pub const fn view<'b>(&'b self, bytes: &'b [u8]) -> ResponseView<'b> {
        ResponseView { head: self, bytes }
    }

    fn read(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<Option<usize>, ResponseError> {
        if self.stage == Stage::Line {
            let Some(end) = self.line.read(bytes)? else {
                return Ok(None);
            };
            if self.line.status == 101 && !self.to.asks_upgrade {
                return Err(ResponseError::Unasked);
            }
            self.section.begin(end);
            self.stage = Stage::Fields;
        }
        loop {
            match self.section.next(bytes, self.line.version, limits)? {
                Step::Line(_) => {}
                Step::More => return Ok(None),
                Step::End(end) => return Ok(Some(end)),
            }
        }
    }
}

impl<'b> ResponseView<'b> {
    /// From 100 to 599.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.head.line.status
    }

    /// The reason phrase, which means nothing (RFC 9112 section 4) and may be empty or no UTF-8.
    #[must_use]
    pub fn reason(&self) -> &'b [u8] {
        self.head.line.reason.of(self.bytes)
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

    /// How long the body is that follows (RFC 9112 section 6.3): none after HEAD, 1xx, 204 and 304,
    /// whatever the fields say.
    #[must_use]
    pub const fn framing(&self) -> BodyLength {
        if self.head.to.is_head || has_no_body(self.status()) {
            return BodyLength::None;
        }
        match self.declared() {
            BodyLength::None => BodyLength::UntilClose,
            declared @ (BodyLength::Length(_) | BodyLength::Chunked | BodyLength::UntilClose) => {
                declared
            }
        }
    }

    /// What the fields say of the length: to HEAD and in a 304 that is the length which the answer
    /// to GET would have had.
    #[must_use]
    pub const fn declared(&self) -> BodyLength {
        self.head.section.framing.declared()
    }

    /// Whether the final response is still to come: 1xx, but for 101.
    #[must_use]
    pub const fn is_interim(&self) -> bool {
        self.status() < 200 && self.status() != 101
    }

    /// Whether the connection changes protocols after this head: 101.
    #[must_use]
    pub const fn switches_protocols(&self) -> bool {
        self.status() == 101
    }

    /// Whether another response may follow on this connection (RFC 9112 section 9.3): not if the
    /// close ends the body, or after a 1xx or 204 that declares a body (RFC 9110 section 8.6 forbids
    /// it): one may well follow that nobody reads.
    #[must_use]
    pub const fn keeps_alive(&self) -> bool {
        let declares_wrongly = match self.status() {
            100..200 | 204 => !self.declared().is_empty(),
            _ => false,
        };
        self.head
            .section
            .options
            .keeps_alive(self.head.line.version)
            && !matches!(self.framing(), BodyLength::UntilClose)
            && !declares_wrongly
    }

    /// The protocol changed to, or those offered in a 426 (RFC 9110 section 7.8): the value of
    /// `Upgrade`, if `Connection` has the option and there is one such line.
    #[must_use]
    pub fn upgrade(&self) -> Option<&'b [u8]> {
        let protocol = self.head.section.options.protocol(self.head.line.version)?;
        Some(protocol.of(self.bytes))
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
}

/// Whether a response of this status never has a body (RFC 9110 section 6.4.1).
pub(crate) const fn has_no_body(status: u16) -> bool {
    matches!(status, 100..200 | 204 | 304)
}

impl From<SectionError> for ResponseError {
    fn from(fault: SectionError) -> Self {
        match fault {
            SectionError::Field(fault) => Self::Field(fault),
            SectionError::Framing(fault) => Self::Framing(fault),
            SectionError::TooManyOptions { max } => Self::TooManyOptions { max },
        }
    }
}

#[cfg(test)]
mod tests;
