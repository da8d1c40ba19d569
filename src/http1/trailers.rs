//! The trailers of a chunked body: rare, small, and so the one thing that is copied.

use crate::http1::error::FieldError;
use crate::http1::field_section::{FieldLine, FieldReader, Step};
use crate::http1::kind::is_forbidden_trailer;
use crate::http1::limits::HeadLimits;

/// A trailer section (RFC 9112 section 7.1.2), as far as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trailers {
    reader: FieldReader,
    bytes: Vec<u8>,
    fields: Vec<FieldLine>,
}

impl Trailers {
    pub(crate) fn clear(&mut self) {
        self.reader = FieldReader::default();
        self.bytes.clear();
        self.fields.clear();
    }

    /// Takes what belongs to the trailers of `bytes`: how much that is, and whether they are over.
    pub(crate) fn read(
        &mut self,
        bytes: &[u8],
        limits: &HeadLimits,
    ) -> Result<(usize, bool), FieldError> {
        let before = self.bytes.len();
        let max = limits.max_head();
        let room = max.saturating_sub(before);
        self.bytes
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        loop {
            match self.reader.next(&self.bytes, limits.max_fields)? {
                Step::Line(line) => {
                    // What must not come after the body is dropped (RFC 9110 section 6.5.1): it
                    // would be refused by some and merged into the head by others.
                    if !is_forbidden_trailer(line.name.of(&self.bytes)) {
                        self.fields.push(line);
                    }
                }
                Step::End(end) => {
                    self.bytes.truncate(end);
                    return Ok((end - before, true));
                }
                Step::More if self.bytes.len() == max => return Err(FieldError::TooLarge { max }),
                Step::More => return Ok((self.bytes.len() - before, false)),
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.fields.iter().map(|line| line.pair(&self.bytes))
    }
}
