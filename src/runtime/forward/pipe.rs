//! A body from one connection to another, with no more of it held than one buffer.

use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};

use crate::http1::BodyLength;
use crate::runtime::buffer::Buffers;
use crate::runtime::forward::body::{IncomingBody, OutgoingBody, ReadError};
use crate::runtime::forward::memory::Collected;
use crate::runtime::http2::fields::{fields_of, pairs};
use crate::runtime::http2::stream::{IncomingStream, OutgoingStream};
use crate::runtime::wire::Wire;

/// Where a body comes from.
#[derive(Debug)]
pub enum Source<'s> {
    /// HTTP/1.1.
    Wire(&'s mut IncomingBody, &'s mut Wire),
    /// HTTP/2.
    Stream(&'s mut IncomingStream),
    /// All of it is here.
    Memory(&'s mut Bytes),
}

/// Where a body goes.
#[derive(Debug)]
pub enum Sink<'s> {
    /// HTTP/1.1.
    Wire(&'s mut Wire),
    /// HTTP/2.
    Stream(&'s mut OutgoingStream),
    /// It stays here.
    Memory(&'s mut Collected),
}

/// How a body goes, and how far it is.
#[derive(Debug)]
pub struct Pipe {
    /// Of use only where it goes over HTTP/1.1.
    to: OutgoingBody,
    is_ended: bool,
    /// Why nothing more comes. What came before goes out first.
    fault: Option<ReadError>,
    /// Whether anything has moved since this was last looked at.
    pub has_moved: bool,
    /// Whether data is there that the other side does not take.
    pub is_stuck: bool,
}

/// Why a body did not arrive.
#[derive(Debug)]
pub enum PipeError {
    /// It came to no end.
    Read(ReadError),
    /// The connection that it went to broke.
    Write(io::Error),
}

impl Pipe {
    /// A body that is to go out so.
    #[must_use]
    pub const fn new(to: BodyLength) -> Self {
        Self {
            to: OutgoingBody::new(to),
            is_ended: false,
            fault: None,
            has_moved: false,
            is_stuck: false,
        }
    }

    /// A body that has gone out already.
    #[must_use]
    pub fn ended() -> Self {
        Self {
            is_ended: true,
            ..Self::new(BodyLength::None)
        }
    }

    /// Moves what can be moved, and looks at data as it is sent.
    ///
    /// # Errors
    /// If either side breaks.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut from: Source<'_>,
        mut to: Sink<'_>,
        buffers: &Buffers,
        mut look: impl FnMut(&[u8]),
    ) -> Poll<Result<(), PipeError>> {
        while !self.is_ended && self.fault.is_none() {
            match from.poll_ready(cx, buffers) {
                Poll::Pending => {
                    self.is_stuck = to.poll_flush(cx).map_err(PipeError::Write)?.is_pending();
                    return Poll::Pending;
                }
                Poll::Ready(Err(fault)) => self.fault = Some(fault),
                Poll::Ready(Ok(0)) => {
                    let ended = self.end(&mut from, &mut to, buffers);
                    ended.map_err(PipeError::Write)?;
                    self.is_ended = true;
                }
                Poll::Ready(Ok(length)) => {
                    self.is_stuck = true;
                    let sent =
                        ready!(self.poll_piece(cx, length, &mut from, &mut to, buffers, &mut look));
                    sent.map_err(PipeError::Write)?;
                    self.is_stuck = false;
                    self.has_moved = true;
                }
            }
        }
        ready!(to.poll_flush(cx)).map_err(PipeError::Write)?;
        Poll::Ready(match self.fault.take() {
            Some(fault) => Err(PipeError::Read(fault)),
            None => Ok(()),
        })
    }

    /// Whether all of it came in and was handed on.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Sends some of the data that is there.
    fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        length: usize,
        from: &mut Source<'_>,
        to: &mut Sink<'_>,
        buffers: &Buffers,
        look: &mut impl FnMut(&[u8]),
    ) -> Poll<io::Result<()>> {
        match to {
            Sink::Wire(to) => {
                let data = from.data();
                let sent = ready!(self.to.poll_send(cx, to, data, buffers))?;
                look(data.get(..sent).unwrap_or_default());
                from.consume(sent);
                Poll::Ready(Ok(()))
            }
            Sink::Stream(to) => {
                let length = length.min(ready!(to.poll_room(cx, length))?);
                self.is_ended = from.ends_after(length);
                let data = from.take(length);
                look(&data);
                Poll::Ready(to.send(data, self.is_ended))
            }
            Sink::Memory(to) => {
                let data = from.data();
                to.push(data)?;
                look(data);
                from.consume(length);
                Poll::Ready(Ok(()))
            }
        }
    }

    fn end(&self, from: &mut Source<'_>, to: &mut Sink<'_>, buffers: &Buffers) -> io::Result<()> {
        match (to, from) {
            (Sink::Wire(to), Source::Wire(body, _)) => self.to.end(to, body.trailers(), buffers),
            (Sink::Wire(to), Source::Stream(body)) => match body.trailers() {
                Some(trailers) => self.to.end(to, pairs(&trailers), buffers),
                None => self.to.end(to, [], buffers),
            },
            (Sink::Wire(to), Source::Memory(_)) => self.to.end(to, [], buffers),
            (Sink::Stream(to), Source::Wire(body, _)) => {
                let trailers = fields_of(body.trailers(), BodyLength::None);
                return to.end(Some(trailers).filter(|trailers| !trailers.is_empty()));
            }
            (Sink::Stream(to), Source::Stream(body)) => return to.end(body.trailers()),
            (Sink::Stream(to), Source::Memory(_)) => return to.end(None),
            // Nobody reads trailers there.
            (Sink::Memory(_), _) => {}
        }
        Ok(())
    }
}

impl Source<'_> {
    fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &Buffers,
    ) -> Poll<Result<usize, ReadError>> {
        match self {
            Self::Wire(body, wire) => body.poll_ready(cx, wire, buffers),
            Self::Stream(body) => body.poll_ready(cx),
            Self::Memory(body) => Poll::Ready(Ok(body.len())),
        }
    }

    fn data(&self) -> &[u8] {
        match self {
            Self::Wire(body, wire) => body.data(wire),
            Self::Stream(body) => body.data(),
            Self::Memory(body) => body,
        }
    }

    fn consume(&mut self, bytes: usize) {
        match self {
            Self::Wire(body, wire) => body.consume(wire, bytes),
            Self::Stream(body) => body.consume(bytes),
            Self::Memory(body) => body.advance(bytes),
        }
    }

    /// Takes data: what came over HTTP/2 is not copied.
    fn take(&mut self, bytes: usize) -> Bytes {
        match self {
            Self::Wire(body, wire) => {
                let data = body.data(wire).get(..bytes).unwrap_or_default();
                let taken = Bytes::copy_from_slice(data);
                body.consume(wire, bytes);
                taken
            }
            Self::Stream(body) => body.take(bytes),
            Self::Memory(body) => body.split_to(bytes),
        }
    }

    /// Whether nothing comes behind the next so many bytes, not even trailers.
    fn ends_after(&self, bytes: usize) -> bool {
        match self {
            Self::Wire(body, _) => body.ends_after(bytes),
            Self::Stream(body) => body.ends_after(bytes),
            Self::Memory(body) => body.len() == bytes,
        }
    }
}

impl Sink<'_> {
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Wire(wire) => wire.poll_flush(cx),
            // The connection is written to by its own task.
            Self::Stream(_) | Self::Memory(_) => Poll::Ready(Ok(())),
        }
    }
}
