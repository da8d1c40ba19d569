//! A body from one connection to another, with no more of it held than one buffer.

use std::io;
use std::task::{Context, Poll, ready};

use crate::http1::length::BodyLength;
use crate::runtime::buffer::Buffers;
use crate::runtime::forward::body::{IncomingBody, OutgoingBody, ReadFault};
use crate::runtime::wire::Wire;

/// Where a body goes, and how far it is.
#[derive(Debug)]
pub struct Pipe {
    to: OutgoingBody,
    is_ended: bool,
    /// Whether anything has moved since this was last looked at.
    pub has_moved: bool,
}

/// Why a body did not arrive.
#[derive(Debug)]
pub enum PipeFault {
    /// It came to no end.
    Read(ReadFault),
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
            has_moved: false,
        }
    }

    /// Moves what can be moved, and looks at data as it is sent.
    ///
    /// # Errors
    /// If either side breaks.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        (body, from): (&mut IncomingBody, &mut Wire),
        to: &mut Wire,
        buffers: &Buffers,
        mut look: impl FnMut(&[u8]),
    ) -> Poll<Result<(), PipeFault>> {
        while !self.is_ended {
            match body.poll_ready(cx, from, buffers) {
                Poll::Pending => {
                    let _ = to.poll_flush(cx).map_err(PipeFault::Write)?;
                    return Poll::Pending;
                }
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(PipeFault::Read(fault))),
                Poll::Ready(Ok(0)) => {
                    self.to.end(to, body.trailers(), buffers);
                    self.is_ended = true;
                }
                Poll::Ready(Ok(_)) => {
                    let data = body.data(from);
                    let sent = ready!(self.to.poll_send(cx, to, data, buffers));
                    let sent = sent.map_err(PipeFault::Write)?;
                    look(data.get(..sent).unwrap_or_default());
                    body.consume(from, sent);
                    self.has_moved = true;
                }
            }
        }
        to.poll_flush(cx).map_err(PipeFault::Write)
    }

    /// Whether all of it came in and was handed on.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        self.is_ended
    }
}
