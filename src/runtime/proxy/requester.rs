//! The client of an exchange, as the forwarding sees it.

use std::fmt;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::Reason;
use h2::server::SendResponse;
use http::Response;

use crate::runtime::body::{CollectedBody, Http1BodyReader};
use crate::runtime::body::{Http2BodyReader, Http2BodyWriter};
use crate::runtime::body::{Sink, Source};
use crate::runtime::buffer::Buffers;
use crate::runtime::connection::Http1Connection;

/// A client that speaks HTTP/1.1.
#[derive(Debug)]
pub struct Client<'c> {
    /// Its connection.
    pub connection: &'c mut Http1Connection,
    /// The body of its request.
    pub body: Http1BodyReader,
}

/// A stream of a client that speaks HTTP/2.
pub struct Http2Client {
    /// Where the answer goes.
    pub respond: SendResponse<Bytes>,
    /// The body of its request.
    pub body: Http2BodyReader,
    /// The body of the answer, once its head was sent.
    pub answer: Option<Http2BodyWriter>,
}

/// A client within this process.
#[derive(Debug)]
pub struct MemoryClient {
    /// The rest of the request body.
    pub body: Bytes,
    /// The response body so far.
    pub answer: CollectedBody,
}

/// Any of them.
#[derive(Debug)]
pub enum Requester<'r, 'c> {
    /// HTTP/1.1.
    Http1(&'r mut Client<'c>),
    /// HTTP/2.
    Http2(&'r mut Http2Client),
    /// None: the client is within this process.
    Memory(&'r mut MemoryClient),
}

impl Requester<'_, '_> {
    /// Where the body of the request comes from.
    pub fn source(&mut self) -> Source<'_> {
        match self {
            Self::Http1(client) => Source::Http1(&mut client.body, client.connection),
            Self::Http2(client) => Source::Http2(&mut client.body),
            Self::Memory(client) => Source::Memory(&mut client.body),
        }
    }

    /// Where the body of the answer goes; none before its head has.
    pub fn sink(&mut self) -> Option<Sink<'_>> {
        match self {
            Self::Http1(client) => Some(Sink::Http1(client.connection)),
            Self::Http2(client) => client.answer.as_mut().map(Sink::Http2),
            Self::Memory(client) => Some(Sink::Memory(&mut client.answer)),
        }
    }

    /// Whether all of the body of the request was read.
    #[must_use]
    pub const fn has_sent_all(&self) -> bool {
        match self {
            Self::Http1(client) => client.body.is_complete(),
            Self::Http2(client) => client.body.is_complete(),
            Self::Memory(client) => client.body.is_empty(),
        }
    }

    /// Waits until the client leaves. Over HTTP/1.1 that is seen only by reading on, so that it must
    /// be asked only once nobody reads the body any more.
    pub fn poll_left(
        &mut self,
        cx: &mut Context<'_>,
        is_body_read: bool,
        buffers: &Buffers,
    ) -> Poll<()> {
        match self {
            Self::Http2(client) => match &mut client.answer {
                None => client.respond.poll_reset(cx).map(|_| ()),
                Some(answer) => answer.poll_reset(cx),
            },
            Self::Http1(client) => {
                if is_body_read
                    && !client.connection.is_full()
                    && let Poll::Ready(read) = client.connection.poll_fill(cx, buffers)
                {
                    match read {
                        // It may have sent its next request already.
                        Ok(length) if length > 0 => cx.waker().wake_by_ref(),
                        Ok(_) | Err(_) => return Poll::Ready(()),
                    }
                }
                Poll::Pending
            }
            Self::Memory(_) => Poll::Pending,
        }
    }
}

impl Http2Client {
    /// Sends the head of the answer, and perhaps all of it.
    ///
    /// # Errors
    /// If the client has left.
    pub fn send_head(&mut self, head: Response<()>, is_whole: bool) -> Result<(), h2::Error> {
        let answer = self.respond.send_response(head, is_whole)?;
        self.answer = Some(Http2BodyWriter::new(answer));
        Ok(())
    }

    /// How many bytes of the answer's body were sent.
    #[must_use]
    pub fn sent_bytes(&self) -> u64 {
        self.answer.as_ref().map_or(0, |answer| answer.sent_bytes)
    }

    /// Breaks the answer off.
    pub fn reset(&mut self, reason: Reason) {
        match &mut self.answer {
            Some(answer) => answer.reset(reason),
            None => self.respond.send_reset(reason),
        }
    }
}

impl fmt::Debug for Http2Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Client")
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
