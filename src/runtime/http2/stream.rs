//! The two halves of a stream of HTTP/2, as bodies are read from one and written to the other.

use std::fmt;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::{Reason, RecvStream, SendStream};
use http::HeaderMap;

use crate::engine::policy::BodyAllowance;
use crate::http1::is_forbidden_trailer;
use crate::runtime::forward::body::ReadError;

/// A body that comes over HTTP/2. As much as is held of it is not yet released to the sender's
/// window, so that no more than that is ever held.
pub struct IncomingStream {
    recv: RecvStream,
    current: Bytes,
    trailers: Option<HeaderMap>,
    is_complete: bool,
    allowance: BodyAllowance,
}

impl fmt::Debug for IncomingStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingStream")
            .field("current", &self.current.len())
            .field("is_complete", &self.is_complete)
            .finish_non_exhaustive()
    }
}

impl IncomingStream {
    /// The body that follows a head, of as many bytes as may come.
    #[must_use]
    pub fn new(recv: RecvStream, allowance: BodyAllowance) -> Self {
        Self {
            is_complete: recv.is_end_stream(),
            recv,
            current: Bytes::new(),
            trailers: None,
            allowance,
        }
    }

    /// Bounds it, if nothing has been read yet.
    pub const fn limit(&mut self, allowance: BodyAllowance) {
        self.allowance = allowance;
    }

    /// Whether all of it has been read and used up.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.is_complete && self.current.is_empty()
    }

    /// How many bytes of data are there, waiting for some if there are none: 0 at the end.
    ///
    /// # Errors
    /// If the stream is reset, or too much comes.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, ReadError>> {
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

    /// The data that is there.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.current
    }

    /// Uses up data that was there.
    pub fn consume(&mut self, bytes: usize) {
        self.current.advance(bytes);
        self.release(bytes);
    }

    /// Takes data that was there, without a copy.
    pub fn take(&mut self, bytes: usize) -> Bytes {
        let taken = self.current.split_to(bytes.min(self.current.len()));
        self.release(taken.len());
        taken
    }

    /// Whether nothing comes behind the next so many bytes, not even trailers.
    #[must_use]
    pub fn ends_after(&self, bytes: usize) -> bool {
        self.current.len() == bytes && self.recv.is_end_stream()
    }

    /// The trailers, at the end: without those that must not come there. They stay here for another
    /// try.
    #[must_use]
    pub fn trailers(&self) -> Option<HeaderMap> {
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
        // It fails only where the stream is over, and with it its window.
        let _ = self.recv.flow_control().release_capacity(bytes);
    }
}

/// A body that goes over HTTP/2.
#[derive(Debug)]
pub struct OutgoingStream {
    send: SendStream<Bytes>,
    /// How many bytes of data were sent.
    pub sent_bytes: u64,
}

/// How much of the peer's windows one stream asks for at once.
const MAX_AT_ONCE: usize = 64 << 10;

impl OutgoingStream {
    /// A body for this stream.
    #[must_use]
    pub const fn new(send: SendStream<Bytes>) -> Self {
        Self {
            send,
            sent_bytes: 0,
        }
    }

    /// How many bytes may be sent, waiting for the peer's windows if there is no room for any.
    ///
    /// # Errors
    /// If the peer takes no more.
    pub fn poll_room(&mut self, cx: &mut Context<'_>, wanted: usize) -> Poll<io::Result<usize>> {
        let room = self.send.capacity();
        if room >= wanted.min(MAX_AT_ONCE) {
            return Poll::Ready(Ok(room));
        }
        self.send.reserve_capacity(wanted.min(MAX_AT_ONCE));
        let room = self.send.capacity();
        if room > 0 {
            return Poll::Ready(Ok(room));
        }
        match ready!(self.send.poll_capacity(cx)) {
            Some(room) => Poll::Ready(room.map_err(io::Error::other)),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Sends data for which there was room, and perhaps ends the body with it.
    ///
    /// # Errors
    /// If the stream is over.
    pub fn send(&mut self, data: Bytes, is_last: bool) -> io::Result<()> {
        self.sent_bytes += u64::try_from(data.len()).unwrap_or(0);
        self.send.send_data(data, is_last).map_err(io::Error::other)
    }

    /// Ends the body.
    ///
    /// # Errors
    /// If the stream is over.
    pub fn end(&mut self, trailers: Option<HeaderMap>) -> io::Result<()> {
        let ended = match trailers {
            Some(trailers) => self.send.send_trailers(trailers),
            None => self.send.send_data(Bytes::new(), true),
        };
        ended.map_err(io::Error::other)
    }

    /// Waits until the peer resets the stream, or the connection is over.
    pub fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.send.poll_reset(cx).map(|_| ())
    }

    /// Breaks the body off, so that the peer sees that something is missing.
    pub fn reset(&mut self, reason: Reason) {
        self.send.send_reset(reason);
    }
}
