//! The head of a message: what requests and responses have in common.
//!
//! A head is a start line and a field section. [`Head`] reads both incrementally and stores
//! positions instead of copies; the start line, and the fields that mean something in one kind of
//! message only, belong to a [`HeadKind`].

use crate::http1::connection::ConnectionOptions;
use crate::http1::error::{FieldError, FramingError};
use crate::http1::field_kind::FieldKind;
use crate::http1::fields::{FieldLine, FieldReader, Step};
use crate::http1::framing::{BodyLength, Framing};
use crate::http1::grammar::Version;
use crate::http1::limits::{HeadLimits, MAX_CONNECTION_OPTIONS};

/// The head of a request or a response, as positions in the bytes that contain it.
///
/// It is reusable: one value serves all messages of a connection, or of all connections of a
/// thread one after the other, and reuses what it allocated.
#[derive(Debug, Default)]
pub struct Head<K> {
    stage: Stage,
    version: Version,
    section: FieldSection,
    pub(super) kind: K,
}

/// A complete head together with the bytes that contain it.
#[derive(Clone, Copy, Debug)]
pub struct HeadView<'b, K> {
    pub(super) head: &'b Head<K>,
    pub(super) bytes: &'b [u8],
}

/// What differs between request heads and response heads.
pub(super) trait HeadKind {
    /// The error for an invalid head.
    type Error: From<FieldError> + From<SectionError>;

    /// Forgets the previous head.
    fn clear(&mut self);

    /// Reads the start line: the version, and the position at which the fields begin; `None` if
    /// more bytes are needed. `bytes` must begin with the bytes of the previous calls.
    fn read_start_line(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<(Version, usize)>, Self::Error>;

    /// Takes a field line, after the field section has taken it.
    fn take(&mut self, line: FieldLine, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Checks the complete head.
    fn finish(&self, version: Version) -> Result<(), Self::Error>;
}

/// The part of a head that is read next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// None: the previous head is complete, rejected or abandoned. The next call begins a new one.
    #[default]
    Idle,
    StartLine,
    Fields,
}

/// The error for a field section of either kind.
#[derive(Debug)]
pub(super) enum SectionError {
    Field(FieldError),
    Framing(FramingError),
    TooManyOptions { max: usize },
}

/// The field lines of one head, and what they say about framing and connection.
#[derive(Debug, Default)]
struct FieldSection {
    reader: FieldReader,
    lines: Vec<FieldLine>,
    framing: Framing,
    options: ConnectionOptions,
    /// Where the last line ends, once the section is complete.
    end: usize,
}

impl<K> Head<K> {
    /// Abandons an incomplete head; keeps the allocations. Not needed after a complete or rejected
    /// head.
    pub fn clear(&mut self) {
        self.stage = Stage::Idle;
    }

    /// The head together with `bytes`, which must be those of the last call of `parse`.
    #[must_use]
    pub const fn view<'b>(&'b self, bytes: &'b [u8]) -> HeadView<'b, K> {
        HeadView { head: self, bytes }
    }

    pub(super) const fn stage(&self) -> Stage {
        self.stage
    }
}

#[expect(private_bounds, reason = "all methods in this block are private")]
impl<K: HeadKind> Head<K> {
    /// Reads the head at the start of `bytes`: `parse` of both kinds.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, K::Error> {
        let (window, is_full) = limits.window(bytes);
        let parsed = match self.read_within(window, limits) {
            Ok(None) if is_full => {
                let max = limits.max_head();
                Err(FieldError::TooLarge { max }.into())
            }
            parsed => parsed,
        };
        if !matches!(parsed, Ok(None)) {
            self.stage = Stage::Idle;
        }
        parsed
    }

    fn read_within(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<Option<usize>, K::Error> {
        if self.stage == Stage::Idle {
            self.kind.clear();
            self.stage = Stage::StartLine;
        }
        if self.stage == Stage::StartLine {
            let Some((version, end)) = self.kind.read_start_line(bytes, limits)? else {
                return Ok(None);
            };
            self.version = version;
            self.section.begin(end);
            self.stage = Stage::Fields;
        }
        loop {
            match self.section.next(bytes, self.version, limits)? {
                Step::Line(line) => self.kind.take(line, bytes)?,
                Step::More => return Ok(None),
                Step::End(end) => {
                    self.kind.finish(self.version)?;
                    return Ok(Some(end));
                }
            }
        }
    }
}

impl<'b, K> HeadView<'b, K> {
    /// The version in the start line.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.head.version
    }

    /// All fields as name and value, in the order received, including hop-by-hop fields.
    pub fn fields(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> + Clone + use<'b, K> {
        let bytes = self.bytes;
        self.lines().iter().map(move |line| line.pair(bytes))
    }

    /// The end-to-end fields, which are forwarded whatever the protocol of the next hop: without
    /// hop-by-hop fields, `Host` and the fields that frame the body.
    pub fn end_to_end(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> + Clone + use<'b, K> {
        let bytes = self.bytes;
        self.lines()
            .iter()
            .filter(|line| line.kind.is_end_to_end())
            .map(move |line| line.pair(bytes))
    }

    /// The body length that the fields declare. In a response to HEAD and in a 304 that is the
    /// length of the body that a GET would have received.
    #[must_use]
    pub const fn declared(&self) -> BodyLength {
        self.head.section.framing.declared()
    }

    /// The value of `Upgrade` (RFC 9110 section 7.8): the protocols that a client offers, the one
    /// that a 101 selects, or those that a 426 requires. `None` unless `Connection` has the
    /// `upgrade` option and there is exactly one `Upgrade` field.
    #[must_use]
    pub fn upgrade(&self) -> Option<&'b [u8]> {
        let protocol = self.head.section.options.protocol(self.head.version)?;
        Some(protocol.of(self.bytes))
    }

    /// Whether version and `Connection` let the connection persist (RFC 9112 section 9.3).
    pub(super) const fn is_persistent(&self) -> bool {
        self.head.section.options.keeps_alive(self.head.version)
    }

    pub(super) fn lines(&self) -> &'b [FieldLine] {
        &self.head.section.lines
    }

    /// Where the last field line ends.
    pub(super) const fn fields_end(&self) -> usize {
        self.head.section.end
    }
}

impl FieldSection {
    /// Prepares for a section that begins at `at`; keeps the allocations.
    fn begin(&mut self, at: usize) {
        self.reader = FieldReader::starting_at(at);
        self.lines.clear();
        self.framing = Framing::default();
        self.options.clear();
    }

    /// Reads one line and interprets it.
    #[inline]
    fn next(
        &mut self,
        bytes: &[u8],
        version: Version,
        limits: &HeadLimits,
    ) -> Result<Step, SectionError> {
        let step = self
            .reader
            .next(bytes, limits.max_fields)
            .map_err(SectionError::Field)?;
        match &step {
            Step::Line(line) => {
                self.take(*line, bytes, version)?;
                self.lines.push(*line);
            }
            Step::End(end) => {
                self.end = end - 2;
                self.options.mark(&mut self.lines, bytes);
            }
            Step::More => {}
        }
        Ok(step)
    }

    #[inline]
    fn take(
        &mut self,
        line: FieldLine,
        bytes: &[u8],
        version: Version,
    ) -> Result<(), SectionError> {
        let taken = match line.kind {
            FieldKind::ContentLength => self.framing.content_length(line.value.of(bytes)),
            FieldKind::TransferEncoding => self
                .framing
                .transfer_encoding(line.value.of(bytes), version),
            FieldKind::Connection => {
                let taken = self.options.connection(line.value, bytes);
                let max = MAX_CONNECTION_OPTIONS;
                return taken.ok_or(SectionError::TooManyOptions { max });
            }
            FieldKind::Upgrade => {
                self.options.upgrade(line.value);
                return Ok(());
            }
            FieldKind::Ordinary
            | FieldKind::Host
            | FieldKind::Te
            | FieldKind::Expect
            | FieldKind::Trailer
            | FieldKind::HopByHop => return Ok(()),
        };
        taken.map_err(SectionError::Framing)
    }
}
