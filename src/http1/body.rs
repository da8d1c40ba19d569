//! The body of a message: where its data is in the bytes received, and where it ends.

use std::ops::Range;

use crate::http1::chunked::ChunkDecoder;
use crate::http1::error::{BodyError, FieldError};
use crate::http1::field_kind::is_forbidden_trailer;
use crate::http1::fields::{FieldLine, FieldReader, Step};
use crate::http1::framing::BodyLength;
use crate::http1::limits::HeadLimits;

/// Reads bodies, one after the other. It copies no data: it returns where the data is.
///
/// Data and errors do not depend on how the bytes are cut into reads: data before an error is
/// returned first.
#[derive(Clone, Debug)]
pub struct BodyReader {
    limits: HeadLimits,
    state: State,
    /// Allocated with the first trailer: most bodies have none.
    trailers: Option<Box<TrailerSection>>,
    /// An error after data that is returned first.
    error: Option<BodyError>,
}

/// The result of one read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyPiece {
    /// The number of bytes that were read: data, and the framing around it.
    pub consumed: usize,
    /// Where the data is; may be empty.
    pub data: Range<usize>,
}

#[derive(Clone, Debug)]
enum State {
    Complete,
    Length(u64),
    Chunked(ChunkDecoder),
    UntilClose,
}

/// A trailer section (RFC 9112 section 7.1.2), as far as it has been read. Trailers are rare and
/// small, so they are copied.
#[derive(Clone, Debug, Default)]
struct TrailerSection {
    reader: FieldReader,
    bytes: Vec<u8>,
    lines: Vec<FieldLine>,
}

impl BodyReader {
    /// A reader without a body, which is complete; `limits` bound the trailer section.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Self {
            limits,
            state: State::Complete,
            trailers: None,
            error: None,
        }
    }

    /// Begins a new body.
    pub fn begin(&mut self, length: BodyLength) {
        if let Some(trailers) = &mut self.trailers {
            trailers.clear();
        }
        self.error = None;
        self.state = match length {
            BodyLength::None | BodyLength::Length(0) => State::Complete,
            BodyLength::Length(length) => State::Length(length),
            BodyLength::Chunked => State::Chunked(ChunkDecoder::START),
            BodyLength::UntilClose => State::UntilClose,
        };
    }

    /// Reads the next piece: at most one range of data with the framing around it. Bytes after the
    /// body are not consumed. If nothing is consumed, the body is complete or more bytes are
    /// needed.
    ///
    /// # Errors
    /// If the body is invalid.
    pub fn read(&mut self, bytes: &[u8]) -> Result<BodyPiece, BodyError> {
        let mut piece = BodyPiece::default();
        self.gather(bytes.len(), |reader, at| {
            let rest = bytes.get(at..).unwrap_or_default();
            let framing = reader.framing(rest)?;
            let length = if piece.data.is_empty() {
                reader.data(rest.len() - framing)
            } else {
                0
            };
            if length > 0 {
                piece.data = at + framing..at + framing + length;
            }
            Ok((framing, length))
        })
        .map(|consumed| BodyPiece { consumed, ..piece })
    }

    /// Reads all bytes and moves the data to the start of `bytes`; the end of [`BodyPiece::data`]
    /// is its length. Bytes that are not consumed stay in place.
    ///
    /// # Errors
    /// If the body is invalid.
    pub fn compact(&mut self, bytes: &mut [u8]) -> Result<BodyPiece, BodyError> {
        let mut end = 0;
        self.gather(bytes.len(), |reader, at| {
            let rest = bytes.get(at..).unwrap_or_default();
            let framing = reader.framing(rest)?;
            let length = reader.data(rest.len() - framing);
            let start = at + framing;
            if length > 0 && start > end {
                bytes.copy_within(start..start + length, end);
            }
            end += length;
            Ok((framing, length))
        })
        .map(|consumed| BodyPiece {
            consumed,
            data: 0..end,
        })
    }

    /// Whether the body has ended. A body that ends with the connection has not before
    /// [`close`](Self::close).
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, State::Complete) && self.error.is_none()
    }

    /// Ends the body, because the connection closed.
    ///
    /// # Errors
    /// If the body is invalid or incomplete.
    pub fn close(&mut self) -> Result<(), BodyError> {
        match (&self.error, &self.state) {
            (Some(error), _) => Err(error.clone()),
            (None, State::Length(_) | State::Chunked(_)) => Err(BodyError::Incomplete),
            (None, State::Complete | State::UntilClose) => {
                self.state = State::Complete;
                Ok(())
            }
        }
    }

    /// The number of bytes that are missing; `None` if the length is unknown.
    #[must_use]
    pub const fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Complete => Some(0),
            State::Length(remaining) => Some(remaining),
            State::Chunked(_) | State::UntilClose => None,
        }
    }

    /// Counts `bytes` of a body with a length that bypassed this reader, as `splice` does.
    pub const fn pass(&mut self, bytes: u64) {
        if let State::Length(remaining) = self.state {
            self.state = match remaining.saturating_sub(bytes) {
                0 => State::Complete,
                remaining => State::Length(remaining),
            };
        }
    }

    /// The trailers of a complete body. Forbidden trailers (RFC 9110 section 6.5.1) are dropped:
    /// fields for framing, routing, authentication, conditions, control and content.
    pub fn trailers(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.trailers.iter().flat_map(|trailers| trailers.iter())
    }

    /// Calls `next` with each position until it takes no more data, and returns the position
    /// after the last byte. `next` returns the lengths of framing and data.
    fn gather(
        &mut self,
        end: usize,
        mut next: impl FnMut(&mut Self, usize) -> Result<(usize, usize), BodyError>,
    ) -> Result<usize, BodyError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let (mut at, mut has_data) = (0, false);
        loop {
            match next(self, at) {
                Ok((framing, data)) => {
                    at += framing + data;
                    has_data |= data > 0;
                    if data == 0 || at == end {
                        return Ok(at);
                    }
                }
                Err(error) => {
                    self.error = Some(error.clone());
                    return if has_data { Ok(at) } else { Err(error) };
                }
            }
        }
    }

    /// Reads framing up to data or the end of the body; returns its length.
    fn framing(&mut self, bytes: &[u8]) -> Result<usize, BodyError> {
        let State::Chunked(decoder) = &mut self.state else {
            return Ok(0);
        };
        let read = decoder.read(bytes)?;
        if !decoder.at_trailers() {
            return Ok(read);
        }
        let rest = bytes.get(read..).unwrap_or_default();
        let (length, is_end) = match (&mut self.trailers, rest) {
            (None, [b'\r', b'\n', ..]) => (2, true),
            (trailers, _) => {
                let trailers = trailers.get_or_insert_default();
                let taken = trailers.read(rest, &self.limits);
                taken.map_err(BodyError::Trailers)?
            }
        };
        if is_end {
            self.state = State::Complete;
        }
        Ok(read + length)
    }

    /// Takes the data among the next `available` bytes; returns its length.
    fn data(&mut self, available: usize) -> usize {
        let at_most = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX).min(available);
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        match &mut self.state {
            State::Complete => 0,
            State::Length(remaining) => {
                let length = at_most(*remaining);
                self.pass(count(length));
                length
            }
            State::Chunked(decoder) => {
                let length = at_most(decoder.data());
                if length > 0 {
                    decoder.take(count(length));
                }
                length
            }
            State::UntilClose => available,
        }
    }
}

impl TrailerSection {
    fn clear(&mut self) {
        self.reader = FieldReader::default();
        self.bytes.clear();
        self.lines.clear();
    }

    /// Takes the part of `bytes` that belongs to the section: its length, and whether the section
    /// is complete.
    fn read(&mut self, bytes: &[u8], limits: &HeadLimits) -> Result<(usize, bool), FieldError> {
        let before = self.bytes.len();
        let max = limits.max_head();
        let room = max.saturating_sub(before);
        self.bytes
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        loop {
            match self.reader.next(&self.bytes, limits.max_fields)? {
                Step::Line(line) => {
                    // Forwarded, a forbidden trailer would be rejected by some recipients and
                    // merged into the head by others.
                    if !is_forbidden_trailer(line.name.of(&self.bytes)) {
                        self.lines.push(line);
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

    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.lines.iter().map(|line| line.pair(&self.bytes))
    }
}
