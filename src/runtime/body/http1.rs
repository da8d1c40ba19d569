//! Bodies on an HTTP/1.1 connection: the framing is decoded on one side and encoded on the other.

use std::io;
use std::task::{Context, Poll, ready};

use crate::engine::policy::BodyAllowance;
use crate::http1::{
    BodyLength, BodyReader, CHUNK_END, HeadLimits, write_chunk_start, write_last_chunk,
};
use crate::runtime::body::error::ReadError;
use crate::runtime::buffer::Buffers;
use crate::runtime::connection::Http1Connection;

/// A body that is read from a connection.
#[derive(Debug)]
pub(crate) struct Http1BodyReader {
    reader: BodyReader,
    /// How many bytes of data are at the front of the input.
    ready: usize,
    /// How many bytes of framing follow them.
    behind: usize,
    is_chunked: bool,
    allowance: BodyAllowance,
}

impl Http1BodyReader {
    /// The body that follows a head. `allowance` bounds its data.
    #[must_use]
    pub(crate) fn new(length: BodyLength, limits: HeadLimits, allowance: BodyAllowance) -> Self {
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

    /// Bounds the body. Nothing of it may have been read yet.
    pub(crate) const fn limit(&mut self, allowance: BodyAllowance) {
        self.allowance = allowance;
    }

    /// Whether the whole body was read and consumed.
    #[must_use]
    pub(crate) const fn is_complete(&self) -> bool {
        self.ready == 0 && self.reader.is_complete()
    }

    /// How many bytes of data are at the front of the input. Reads if there are none; 0 is the end.
    ///
    /// # Errors
    /// If the connection breaks, the framing is invalid or the body is too large.
    pub(crate) fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut Http1Connection,
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
            from.ensure_space();
            let length = ready!(from.poll_fill(cx, buffers)).map_err(ReadError::Connection)?;
            if length == 0 {
                self.reader.close()?;
            }
        }
    }

    /// Decodes the input.
    fn decode(&mut self, from: &mut Http1Connection) -> Result<(), ReadError> {
        let piece = if self.is_chunked {
            // Adjacent small chunks leave as one.
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

    /// Whether the next `bytes` bytes are the last, and no trailers follow.
    #[must_use]
    pub(crate) fn ends_after(&self, bytes: usize) -> bool {
        self.ready == bytes && self.reader.is_complete() && self.trailers().next().is_none()
    }

    /// The data at the front of the input.
    #[must_use]
    pub(crate) fn data<'c>(&self, from: &'c Http1Connection) -> &'c [u8] {
        from.data().get(..self.ready).unwrap_or_default()
    }

    /// Consumes `bytes` bytes of data.
    pub(crate) fn consume(&mut self, from: &mut Http1Connection, bytes: usize) {
        from.consume(bytes);
        self.ready -= bytes;
        if self.ready == 0 {
            from.consume(std::mem::take(&mut self.behind));
        }
    }

    /// The trailers, once the body is complete.
    pub(crate) fn trailers(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.reader.trailers()
    }
}

/// A body that is written to a connection.
#[derive(Debug)]
pub(crate) struct Http1BodyWriter {
    length: BodyLength,
    /// How many bytes of the current chunk are still to be written.
    chunk_left: usize,
}

impl Http1BodyWriter {
    /// A body framed as its head declares.
    #[must_use]
    pub(crate) const fn new(length: BodyLength) -> Self {
        Self {
            length,
            chunk_left: 0,
        }
    }

    /// Writes data and returns how many bytes of it were taken. Some of them may still be in the
    /// output of the connection.
    ///
    /// # Errors
    /// If the connection breaks.
    pub(crate) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut Http1Connection,
        data: &[u8],
        buffers: &Buffers,
    ) -> Poll<io::Result<usize>> {
        if self.length != BodyLength::Chunked {
            return to.poll_send(cx, data);
        }
        if self.chunk_left == 0 {
            ready!(to.poll_output_space(cx))?;
            let output = to.output(buffers);
            write_chunk_start(output, data.len());
            if data.len() <= MAX_COPIED {
                output.extend_from_slice(data);
                output.extend_from_slice(CHUNK_END);
                return Poll::Ready(Ok(data.len()));
            }
            self.chunk_left = data.len();
        }
        let rest_of_chunk = data.get(..self.chunk_left).unwrap_or(data);
        let sent = ready!(to.poll_send(cx, rest_of_chunk))?;
        self.chunk_left -= sent;
        if self.chunk_left == 0 {
            to.output(buffers).extend_from_slice(CHUNK_END);
        }
        Poll::Ready(Ok(sent))
    }

    /// Writes the end of the body to the output of the connection. The caller flushes it.
    pub(crate) fn end<'t>(
        &self,
        to: &mut Http1Connection,
        trailers: impl IntoIterator<Item = (&'t [u8], &'t [u8])>,
        buffers: &Buffers,
    ) {
        if self.length == BodyLength::Chunked {
            write_last_chunk(to.output(buffers), trailers);
        }
    }
}

/// A chunk of up to this many bytes is copied into the output together with its framing.
const MAX_COPIED: usize = 8 << 10;
