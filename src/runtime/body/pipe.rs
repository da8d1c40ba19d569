//! Moves a body from one connection to another, and holds no more of it than one buffer.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};

use crate::http1::BodyLength;
use crate::runtime::body::error::ReadError;
use crate::runtime::body::http1::{Http1BodyReader, Http1BodyWriter};
use crate::runtime::body::http2::{Http2BodyReader, Http2BodyWriter};
use crate::runtime::body::memory::CollectedBody;
use crate::runtime::buffer::Buffers;
use crate::runtime::connection::Http1Connection;
use crate::runtime::http2::{fields_of, pairs};

/// Where a body comes from.
#[derive(Debug)]
pub(crate) enum Source<'s> {
    /// An HTTP/1.1 connection.
    Http1(&'s mut Http1BodyReader, &'s mut Http1Connection),
    /// An HTTP/2 stream.
    Http2(&'s mut Http2BodyReader),
    /// The rest of the body, in memory.
    Memory(&'s mut Bytes),
}

/// Where a body goes.
#[derive(Debug)]
pub(crate) enum Sink<'s> {
    /// An HTTP/1.1 connection.
    Http1(&'s mut Http1Connection),
    /// An HTTP/2 stream.
    Http2(&'s mut Http2BodyWriter),
    /// Memory.
    Memory(&'s mut CollectedBody),
}

/// The transfer of one body.
#[derive(Debug)]
pub(crate) struct Pipe {
    /// Used only where the sink is an HTTP/1.1 connection.
    writer: Http1BodyWriter,
    state: PipeState,
    has_moved: bool,
}

/// How far the transfer of a body is.
#[derive(Debug)]
enum PipeState {
    /// It waits for data.
    Reading,
    /// It holds data that the sink does not take.
    Blocked,
    /// The source failed. What it sent before goes out first.
    Failed(ReadError),
    /// The sink has the whole body; some of it may still have to be flushed.
    Ended,
}

/// Why a body was not transferred.
#[derive(Debug)]
pub(crate) enum PipeError {
    /// The source failed.
    Read(ReadError),
    /// The sink failed.
    Write,
}

impl Pipe {
    /// The transfer of a body that an HTTP/1.1 sink frames by `length`.
    #[must_use]
    pub(crate) const fn new(length: BodyLength) -> Self {
        Self {
            writer: Http1BodyWriter::new(length),
            state: PipeState::Reading,
            has_moved: false,
        }
    }

    /// The transfer of a body that was sent with its head.
    #[must_use]
    pub(crate) fn ended() -> Self {
        Self {
            state: PipeState::Ended,
            ..Self::new(BodyLength::None)
        }
    }

    /// Moves as much as possible; `inspect` gets the data as it is sent.
    ///
    /// # Errors
    /// If either side fails.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut from: Source<'_>,
        mut to: Sink<'_>,
        buffers: &Buffers,
        mut inspect: impl FnMut(&[u8]),
    ) -> Poll<Result<(), PipeError>> {
        while matches!(self.state, PipeState::Reading | PipeState::Blocked) {
            match from.poll_ready(cx, buffers) {
                Poll::Pending => {
                    let is_flushed = to.poll_flush(cx).map_err(|_| PipeError::Write)?.is_ready();
                    self.state = if is_flushed {
                        PipeState::Reading
                    } else {
                        PipeState::Blocked
                    };
                    return Poll::Pending;
                }
                Poll::Ready(Err(error)) => self.state = PipeState::Failed(error),
                Poll::Ready(Ok(0)) => {
                    let ended = self.end(&mut from, &mut to, buffers);
                    ended.map_err(|_| PipeError::Write)?;
                    self.state = PipeState::Ended;
                }
                Poll::Ready(Ok(length)) => {
                    self.state = PipeState::Blocked;
                    let sent =
                        self.poll_piece(cx, length, &mut from, &mut to, buffers, &mut inspect);
                    self.state = ready!(sent).map_err(|_| PipeError::Write)?;
                    self.has_moved = true;
                }
            }
        }
        ready!(to.poll_flush(cx)).map_err(|_| PipeError::Write)?;
        if self.is_ended() {
            return Poll::Ready(Ok(()));
        }
        match std::mem::replace(&mut self.state, PipeState::Ended) {
            PipeState::Failed(error) => Poll::Ready(Err(PipeError::Read(error))),
            PipeState::Reading | PipeState::Blocked | PipeState::Ended => Poll::Ready(Ok(())),
        }
    }

    /// Whether the sink has the whole body.
    #[must_use]
    pub(crate) const fn is_ended(&self) -> bool {
        matches!(self.state, PipeState::Ended)
    }

    /// Whether it holds data that the sink does not take.
    #[must_use]
    pub(crate) const fn is_blocked(&self) -> bool {
        matches!(self.state, PipeState::Blocked)
    }

    /// Whether data has moved since the last call.
    pub(crate) const fn take_progress(&mut self) -> bool {
        std::mem::replace(&mut self.has_moved, false)
    }

    /// Sends some of the data at the front of the source. Returns the next state.
    fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        length: usize,
        from: &mut Source<'_>,
        to: &mut Sink<'_>,
        buffers: &Buffers,
        inspect: &mut impl FnMut(&[u8]),
    ) -> Poll<io::Result<PipeState>> {
        match to {
            Sink::Http1(to) => {
                let data = from.data();
                let sent = ready!(self.writer.poll_send(cx, to, data, buffers))?;
                inspect(data.get(..sent).unwrap_or_default());
                from.consume(sent);
            }
            Sink::Http2(to) => {
                let length = length.min(ready!(to.poll_capacity(cx, length))?);
                let is_last = from.ends_after(length);
                let data = from.take(length);
                inspect(&data);
                if is_last {
                    // Also if it fails: nothing is left to send.
                    self.state = PipeState::Ended;
                }
                to.send(data, is_last)?;
                if is_last {
                    return Poll::Ready(Ok(PipeState::Ended));
                }
            }
            Sink::Memory(to) => {
                let data = from.data();
                to.push(data)?;
                inspect(data);
                from.consume(length);
            }
        }
        Poll::Ready(Ok(PipeState::Reading))
    }

    /// Ends the body at the sink, with the trailers of the source.
    fn end(&self, from: &mut Source<'_>, to: &mut Sink<'_>, buffers: &Buffers) -> io::Result<()> {
        match (to, from) {
            (Sink::Http1(to), Source::Http1(body, _)) => {
                self.writer.end(to, body.trailers(), buffers);
            }
            (Sink::Http1(to), Source::Http2(body)) => match body.trailers() {
                Some(trailers) => self.writer.end(to, pairs(&trailers), buffers),
                None => self.writer.end(to, [], buffers),
            },
            (Sink::Http1(to), Source::Memory(_)) => self.writer.end(to, [], buffers),
            (Sink::Http2(to), Source::Http1(body, _)) => {
                let trailers = fields_of(body.trailers(), BodyLength::None);
                return to.end(Some(trailers).filter(|trailers| !trailers.is_empty()));
            }
            (Sink::Http2(to), Source::Http2(body)) => return to.end(body.trailers()),
            (Sink::Http2(to), Source::Memory(_)) => return to.end(None),
            // A collected body has no trailers.
            (Sink::Memory(_), _) => {}
        }
        Ok(())
    }
}

impl Source<'_> {
    #[inline]
    fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &Buffers,
    ) -> Poll<Result<usize, ReadError>> {
        match self {
            Self::Http1(body, connection) => body.poll_ready(cx, connection, buffers),
            Self::Http2(body) => body.poll_ready(cx),
            Self::Memory(body) => Poll::Ready(Ok(body.len())),
        }
    }

    fn data(&self) -> &[u8] {
        match self {
            Self::Http1(body, connection) => body.data(connection),
            Self::Http2(body) => body.data(),
            Self::Memory(body) => body,
        }
    }

    fn consume(&mut self, bytes: usize) {
        match self {
            Self::Http1(body, connection) => body.consume(connection, bytes),
            Self::Http2(body) => body.consume(bytes),
            Self::Memory(body) => body.advance(bytes),
        }
    }

    /// Takes data. Data from HTTP/2 or memory is not copied.
    fn take(&mut self, bytes: usize) -> Bytes {
        match self {
            Self::Http1(body, connection) => {
                let data = body.data(connection).get(..bytes).unwrap_or_default();
                let taken = Bytes::copy_from_slice(data);
                body.consume(connection, bytes);
                taken
            }
            Self::Http2(body) => body.take(bytes),
            Self::Memory(body) => body.split_to(bytes),
        }
    }

    /// Whether the next `bytes` bytes are the last, and no trailers follow.
    fn ends_after(&self, bytes: usize) -> bool {
        match self {
            Self::Http1(body, _) => body.ends_after(bytes),
            Self::Http2(body) => body.ends_after(bytes),
            Self::Memory(body) => body.len() == bytes,
        }
    }
}

impl Sink<'_> {
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Http1(connection) => connection.poll_flush(cx),
            // The task of the connection writes HTTP/2 frames.
            Self::Http2(_) | Self::Memory(_) => Poll::Ready(Ok(())),
        }
    }
}
