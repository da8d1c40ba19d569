//! Bodies on the two halves of an HTTP/2 stream.

use std::fmt;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::{Reason, RecvStream, SendStream};
use http::HeaderMap;

use crate::engine::policy::BodyAllowance;
use crate::http1::is_forbidden_trailer;
use crate::runtime::body::error::ReadError;

/// A body that is read from a stream. Flow-control capacity is released only as data is consumed, so
/// that the sender's window bounds what is held.
pub(crate) struct Http2BodyReader {
    recv: RecvStream,
    current: Bytes,
    trailers: Option<HeaderMap>,
    is_complete: bool,
    allowance: BodyAllowance,
}

impl fmt::Debug for Http2BodyReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2BodyReader")
            .field("current", &self.current.len())
            .field("is_complete", &self.is_complete)
            .finish_non_exhaustive()
    }
}

impl Http2BodyReader {
    /// The body that follows a head. `allowance` bounds its data.
    #[must_use]
    pub(crate) fn new(recv: RecvStream, allowance: BodyAllowance) -> Self {
        Self {
            is_complete: recv.is_end_stream(),
            recv,
            current: Bytes::new(),
            trailers: None,
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
        self.is_complete && self.current.is_empty()
    }

    /// How many bytes of data are held. Reads if there are none; 0 is the end.
    ///
    /// # Errors
    /// If the stream is reset or the body is too large.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, ReadError>> {
        loop {
            if !self.current.is_empty() || self.is_complete {
                return Poll::Ready(Ok(self.current.len()));
            }
            match ready!(self.recv.poll_data(cx)) {
                Some(data) => {
                    let data = data.map_err(ReadError::Stream)?;
                    self.allowance.take(data.len())?;
                    self.current = data;
                }
                None => {
                    let trailers = ready!(self.recv.poll_trailers(cx));
                    self.trailers = trailers.map_err(ReadError::Stream)?;
                    self.is_complete = true;
                }
            }
        }
    }

    /// The data that is held.
    #[must_use]
    pub(crate) fn data(&self) -> &[u8] {
        &self.current
    }

    /// Consumes `bytes` bytes of data.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.current.advance(bytes);
        self.release(bytes);
    }

    /// Takes up to `bytes` bytes of data without a copy.
    pub(crate) fn take(&mut self, bytes: usize) -> Bytes {
        let taken = self.current.split_to(bytes.min(self.current.len()));
        self.release(taken.len());
        taken
    }

    /// Whether the next `bytes` bytes are the last, and no trailers follow.
    #[must_use]
    pub(crate) fn ends_after(&self, bytes: usize) -> bool {
        self.current.len() == bytes && self.recv.is_end_stream()
    }

    /// The trailers, once the body is complete, without fields that are forbidden there. They stay
    /// here for a retry.
    #[must_use]
    pub(crate) fn trailers(&self) -> Option<HeaderMap> {
        let mut trailers = self.trailers.clone()?;
        let wrong: Vec<_> = trailers
            .keys()
            .filter(|name| is_forbidden_trailer(name.as_str().as_bytes()))
            .cloned()
            .collect();
        for name in wrong {
            trailers.remove(name);
        }
        Some(trailers).filter(|trailers| !trailers.is_empty())
    }

    fn release(&mut self, bytes: usize) {
        // It fails only after the stream has ended, and its window with it.
        let _ = self.recv.flow_control().release_capacity(bytes);
    }
}

/// A body that is written to a stream.
#[derive(Debug)]
pub(crate) struct Http2BodyWriter {
    send: SendStream<Bytes>,
    /// How many bytes of data were sent.
    pub(crate) sent_bytes: u64,
}

/// How much of the peer's windows one stream reserves at a time.
const MAX_RESERVED: usize = 64 << 10;

impl Http2BodyWriter {
    /// The body of this stream.
    #[must_use]
    pub(crate) const fn new(send: SendStream<Bytes>) -> Self {
        Self {
            send,
            sent_bytes: 0,
        }
    }

    /// How many bytes the peer's windows admit. Waits until they admit at least one.
    ///
    /// # Errors
    /// If the stream has ended.
    pub(crate) fn poll_capacity(
        &mut self,
        cx: &mut Context<'_>,
        wanted: usize,
    ) -> Poll<io::Result<usize>> {
        let capacity = self.send.capacity();
        if capacity >= wanted.min(MAX_RESERVED) {
            return Poll::Ready(Ok(capacity));
        }
        self.send.reserve_capacity(wanted.min(MAX_RESERVED));
        let capacity = self.send.capacity();
        if capacity > 0 {
            return Poll::Ready(Ok(capacity));
        }
        match ready!(self.send.poll_capacity(cx)) {
            Some(capacity) => Poll::Ready(capacity.map_err(io::Error::other)),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Sends data within the capacity. `is_last` ends the body.
    ///
    /// # Errors
    /// If the stream has ended.
    pub(crate) fn send(&mut self, data: Bytes, is_last: bool) -> io::Result<()> {
        self.sent_bytes += u64::try_from(data.len()).unwrap_or(0);
        self.send.send_data(data, is_last).map_err(io::Error::other)
    }

    /// Ends the body, with trailers if there are any.
    ///
    /// # Errors
    /// If the stream has ended.
    pub(crate) fn end(&mut self, trailers: Option<HeaderMap>) -> io::Result<()> {
        let ended = match trailers {
            Some(trailers) => self.send.send_trailers(trailers),
            None => self.send.send_data(Bytes::new(), true),
        };
        ended.map_err(io::Error::other)
    }

    /// Waits until the peer resets the stream or the connection ends.
    pub(crate) fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.send.poll_reset(cx).map(|_| ())
    }

    /// Resets the stream, so that the peer sees an incomplete body.
    pub(crate) fn reset(&mut self, reason: Reason) {
        self.send.send_reset(reason);
    }
}
