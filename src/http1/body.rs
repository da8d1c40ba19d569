//! The body of a message: where in the bytes its data is, and where it ends.

use std::ops::Range;

use crate::http1::body_error::BodyError;
use crate::http1::chunk::Chunks;
use crate::http1::length::BodyLength;
use crate::http1::limits::HeadLimits;
use crate::http1::trailers::Trailers;

/// Reads one body after the other. It copies no data: it says where in the given bytes data is.
///
/// Whatever the cuts between reads, the data is the same, and so is the fault: data that stands
/// before a fault is given first.
#[derive(Clone, Debug)]
pub struct BodyReader {
    limits: HeadLimits,
    state: State,
    /// None before the first that come: bodies are many, and those with trailers few.
    trailers: Option<Box<Trailers>>,
    /// Found behind data that had to be given first.
    fault: Option<BodyError>,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// How many bytes were used up: data, and framing before and after it.
    pub consumed: usize,
    /// Where in the bytes the data is; empty if there is none.
    pub data: Range<usize>,
}

#[derive(Clone, Debug)]
enum State {
    Complete,
    Length(u64),
    Chunked(Chunks),
    UntilClose,
}

impl BodyReader {
    /// A reader of no body yet; `limits` bound the trailers.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Self {
            limits,
            state: State::Complete,
            trailers: None,
            fault: None,
        }
    }

    /// Begins the body that follows a head.
    pub fn begin(&mut self, length: BodyLength) {
        if let Some(trailers) = &mut self.trailers {
            trailers.clear();
        }
        self.fault = None;
        self.state = match length {
            BodyLength::None | BodyLength::Length(0) => State::Complete,
            BodyLength::Length(length) => State::Length(length),
            BodyLength::Chunked => State::Chunked(Chunks::START),
            BodyLength::UntilClose => State::UntilClose,
        };
    }

    /// Reads the next piece: at most one run of data, with the framing round it. Nothing is consumed
    /// of what follows the body; if nothing is consumed at all, more bytes are needed, or it is
    /// complete.
    ///
    /// # Errors
    /// If the body is broken.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Piece, BodyError> {
        let mut piece = Piece::default();
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
        .map(|consumed| Piece { consumed, ..piece })
    }

    /// Reads all that is there, and moves the data together at the beginning of `bytes`: its
    /// length is the end of [`Piece::data`]. What was not used up stays where it is.
    ///
    /// # Errors
    /// If the body is broken.
    pub fn compact(&mut self, bytes: &mut [u8]) -> Result<Piece, BodyError> {
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
        .map(|consumed| Piece {
            consumed,
            data: 0..end,
        })
    }

    /// Whether the body has ended. One that ends with the connection never has, before that.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, State::Complete) && self.fault.is_none()
    }

    /// The connection closed: nothing more will come.
    ///
    /// # Errors
    /// If the body was to be longer.
    pub fn close(&mut self) -> Result<(), BodyError> {
        match (&self.fault, &self.state) {
            (Some(fault), _) => Err(fault.clone()),
            (None, State::Length(_) | State::Chunked(_)) => Err(BodyError::CutOff),
            (None, State::Complete | State::UntilClose) => {
                self.state = State::Complete;
                Ok(())
            }
        }
    }

    /// How many bytes are to come, if that is known: of a body with a length.
    #[must_use]
    pub const fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Complete => Some(0),
            State::Length(remaining) => Some(remaining),
            State::Chunked(_) | State::UntilClose => None,
        }
    }

    /// Counts `bytes` of a body with a length that went past this reader, as with `splice`.
    pub const fn pass(&mut self, bytes: u64) {
        if let State::Length(remaining) = self.state {
            self.state = match remaining.saturating_sub(bytes) {
                0 => State::Complete,
                remaining => State::Length(remaining),
            };
        }
    }

    /// The trailers, once the body is complete. Those that must not come after a body are dropped
    /// (RFC 9110 section 6.5.1): what frames, routes, authenticates, conditions, controls, or says
    /// what the content is.
    pub fn trailers(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.trailers.iter().flat_map(|trailers| trailers.iter())
    }

    /// Calls `next` with each position until it uses up nothing more: framing, then data.
    fn gather(
        &mut self,
        end: usize,
        mut next: impl FnMut(&mut Self, usize) -> Result<(usize, usize), BodyError>,
    ) -> Result<usize, BodyError> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let (mut at, mut any) = (0, false);
        loop {
            match next(self, at) {
                Ok((framing, data)) => {
                    at += framing + data;
                    any |= data > 0;
                    if data == 0 || at == end {
                        return Ok(at);
                    }
                }
                Err(fault) => {
                    self.fault = Some(fault.clone());
                    return if any { Ok(at) } else { Err(fault) };
                }
            }
        }
    }

    /// Reads framing up to data or the end of the body; gives how much of `bytes` that was.
    fn framing(&mut self, bytes: &[u8]) -> Result<usize, BodyError> {
        let State::Chunked(chunks) = &mut self.state else {
            return Ok(0);
        };
        let read = chunks.read(bytes)?;
        if !chunks.at_trailers() {
            return Ok(read);
        }
        let rest = bytes.get(read..).unwrap_or_default();
        let (length, over) = match (&mut self.trailers, rest) {
            (None, [b'\r', b'\n', ..]) => (2, true),
            (trailers, _) => {
                let trailers = trailers.get_or_insert_default();
                let taken = trailers.read(rest, &self.limits);
                taken.map_err(BodyError::Trailers)?
            }
        };
        if over {
            self.state = State::Complete;
        }
        Ok(read + length)
    }

    /// Takes as much data as there is among the next `available` bytes.
    fn data(&mut self, available: usize) -> usize {
        let at_most = |most: u64| usize::try_from(most).unwrap_or(usize::MAX).min(available);
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        match &mut self.state {
            State::Complete => 0,
            State::Length(remaining) => {
                let length = at_most(*remaining);
                self.pass(count(length));
                length
            }
            State::Chunked(chunks) => {
                let length = at_most(chunks.data());
                if length > 0 {
                    chunks.take(count(length));
                }
                length
            }
            State::UntilClose => available,
        }
    }
}

#[cfg(test)]
mod tests;
