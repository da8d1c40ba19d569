//! Bodies on the move: where data comes from, and where it goes.

use std::io;
use std::task::{Context, Poll, ready};

use thiserror::Error;

use crate::engine::policy::BodyAllowance;
use crate::engine::semantics::error::RequestError;
use crate::http1::{
    BodyError, BodyLength, BodyReader, CHUNK_END, HeadLimits, write_chunk_start, write_last_chunk,
};
use crate::runtime::buffer::Buffers;
use crate::runtime::wire::Wire;

/// Why a body came to no end.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// What came is no body.
    #[error("{0}")]
    Body(#[from] BodyError),
    /// The stream was reset, or its connection broke.
    #[error("{0}")]
    Stream(h2::Error),
    /// It is larger than it may be.
    #[error("{0}")]
    TooLarge(#[from] RequestError),
}

/// A body that is read from a connection.
#[derive(Debug)]
pub struct IncomingBody {
    reader: BodyReader,
    /// How many bytes of data stand at the front of what was read.
    ready: usize,
    /// How many bytes of framing follow them.
    behind: usize,
    is_chunked: bool,
    allowance: BodyAllowance,
}

impl IncomingBody {
    /// The body that follows a head, of as many bytes as may come.
    #[must_use]
    pub fn new(length: BodyLength, limits: HeadLimits, allowance: BodyAllowance) -> Self {
        let mut reader = BodyReader::new(limits);
        reader.begin(length);
        Self {
            reader,
            ready: 0,
            behind: 0,
            is_chunked: length == BodyLength::Chunked,
            allowance,
        }
    }

    /// Whether all of it has been read and used up.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.ready == 0 && self.reader.is_complete()
    }

    /// How many bytes of data stand at the front of what was read from the connection, reading on
    /// if there are none: 0 at the end.
    ///
    /// # Errors
    /// If the connection breaks, or what comes is no body.
    pub fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Wire,
        buffers: &Buffers,
    ) -> Poll<Result<usize, ReadError>> {
        loop {
            if self.ready > 0 || self.reader.is_complete() {
                return Poll::Ready(Ok(self.ready));
            }
            if !from.data().is_empty() {
                self.decode(from)?;
                if self.ready > 0 || self.reader.is_complete() {
                    continue;
                }
            }
            from.make_room();
            let length = ready!(from.poll_fill(cx, buffers)).map_err(ReadError::Broken)?;
            if length == 0 {
                self.reader.close()?;
            }
        }
    }

    /// Reads framing and data that are there already.
    fn decode(&mut self, from: &mut Wire) -> Result<(), ReadError> {
        let piece = if self.is_chunked {
            // Many small chunks go on as one.
            self.reader.compact(from.data_mut())?
        } else {
            self.reader.read(from.data())?
        };
        from.consume(piece.data.start);
        self.ready = piece.data.len();
        self.behind = piece.consumed - piece.data.end;
        self.allowance.take(self.ready)?;
        if self.ready == 0 {
            from.consume(std::mem::take(&mut self.behind));
        }
        Ok(())
    }

    /// Whether nothing comes behind the next so many bytes, not even trailers.
    #[must_use]
    pub fn ends_after(&self, bytes: usize) -> bool {
        self.ready == bytes && self.reader.is_complete() && self.trailers().next().is_none()
    }

    /// The data that is ready.
    #[must_use]
    pub fn data<'w>(&self, from: &'w Wire) -> &'w [u8] {
        from.data().get(..self.ready).unwrap_or_default()
    }

    /// Uses up data that was ready.
    pub fn consume(&mut self, from: &mut Wire, bytes: usize) {
        from.consume(bytes);
        self.ready -= bytes;
        if self.ready == 0 {
            from.consume(std::mem::take(&mut self.behind));
        }
    }

    /// The trailers, at the end.
    pub fn trailers(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.reader.trailers()
    }
}

/// A body that is written to a connection.
#[derive(Debug)]
pub struct OutgoingBody {
    length: BodyLength,
    /// How much is missing of the chunk that was begun.
    chunk_left: usize,
}

impl OutgoingBody {
    /// A body that is sent as its head says.
    #[must_use]
    pub const fn new(length: BodyLength) -> Self {
        Self {
            length,
            chunk_left: 0,
        }
    }

    /// Sends data, and gives how much of it need not be sent again. Some may still wait in the
    /// output of the connection.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut Wire,
        data: &[u8],
        buffers: &Buffers,
    ) -> Poll<io::Result<usize>> {
        if self.length != BodyLength::Chunked {
            return to.poll_send(cx, data);
        }
        if self.chunk_left == 0 {
            ready!(to.poll_room(cx))?;
            let output = to.output(buffers);
            write_chunk_start(output, data.len());
            if data.len() <= MAX_COPIED {
                output.extend_from_slice(data);
                output.extend_from_slice(CHUNK_END);
                return Poll::Ready(Ok(data.len()));
            }
            self.chunk_left = data.len();
        }
        let most = data.get(..self.chunk_left).unwrap_or(data);
        let sent = ready!(to.poll_send(cx, most))?;
        self.chunk_left -= sent;
        if self.chunk_left == 0 {
            to.output(buffers).extend_from_slice(CHUNK_END);
        }
        Poll::Ready(Ok(sent))
    }

    /// Ends the body; it is to be flushed then.
    pub fn end<'t>(
        &self,
        to: &mut Wire,
        trailers: impl IntoIterator<Item = (&'t [u8], &'t [u8])>,
        buffers: &Buffers,
    ) {
        if self.length == BodyLength::Chunked {
            write_last_chunk(to.output(buffers), trailers);
        }
    }
}

/// Data up to this length goes out with its framing in one piece.
const MAX_COPIED: usize = 8 << 10;
