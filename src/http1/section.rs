//! The fields of a head: what requests and responses have in common.

use crate::http1::error::{FieldError, FramingError};
use crate::http1::field_section::{FieldLine, FieldReader, Step};
use crate::http1::framing::Framing;
use crate::http1::kind::FieldKind;
use crate::http1::limits::HeadLimits;
use crate::http1::options::{MAX_OPTIONS, Options};
use crate::http1::version::Version;

/// The field lines of one head, and what they say of framing and connection.
#[derive(Debug, Default)]
pub(crate) struct Section {
    reader: FieldReader,
    pub(crate) fields: Vec<FieldLine>,
    pub(crate) framing: Framing,
    pub(crate) options: Options,
    /// Where the blank line begins, once it is there.
    pub(crate) end: usize,
}

/// What is wrong with it.
#[derive(Debug)]
pub(crate) enum SectionError {
    Field(FieldError),
    Framing(FramingError),
    TooManyOptions { max: usize },
}

impl Section {
    /// Empty, to read fields from `at` on. What was allocated stays.
    pub(crate) fn begin(&mut self, at: usize) {
        self.reader = FieldReader::starting_at(at);
        self.fields.clear();
        self.framing = Framing::default();
        self.options.clear();
    }

    /// Reads one line and takes what it says.
    #[inline]
    pub(crate) fn next(
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
                self.fields.push(*line);
            }
            Step::End(end) => {
                self.end = end - 2;
                self.options.mark(&mut self.fields, bytes);
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
                return taken.ok_or(SectionError::TooManyOptions { max: MAX_OPTIONS });
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
