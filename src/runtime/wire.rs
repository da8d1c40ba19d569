//! A connection with what was read from it and what is still to be written to it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::runtime::buffer::{Buffer, Buffers};
use crate::runtime::stream::Stream;

/// A connection that speaks HTTP/1.1. While it waits it owns no buffer.
#[derive(Debug)]
pub struct Wire {
    stream: Stream,
    input: Option<Buffer>,
    output: Vec<u8>,
    /// How much of the output is written.
    written: usize,
    is_over: bool,
    /// Whether the last read filled all the space there was, so that more is waiting.
    has_filled: bool,
    /// How many bytes were read and written in all.
    pub read_bytes: u64,
    /// See above.
    pub written_bytes: u64,
}

impl Wire {
    /// A connection that nothing was read from.
    #[must_use]
    pub const fn new(stream: Stream) -> Self {
        Self {
            stream,
            input: None,
            output: Vec::new(),
            written: 0,
            is_over: false,
            has_filled: false,
            read_bytes: 0,
            written_bytes: 0,
        }
    }

    /// The connection itself.
    #[must_use]
    pub const fn stream(&self) -> &Stream {
        &self.stream
    }

    /// What was read and not used up.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.input.as_ref().map(Buffer::data).unwrap_or_default()
    }

    /// The same, to be worked on in place.
    pub fn data_mut(&mut self) -> &mut [u8] {
        self.input
            .as_mut()
            .map(Buffer::data_mut)
            .unwrap_or_default()
    }

    /// Uses up bytes of what was read.
    pub fn consume(&mut self, bytes: usize) {
        if let Some(input) = &mut self.input {
            input.consume(bytes);
        }
    }

    /// Whether the peer has said that nothing more comes.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether nothing can be read before something is used up.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.input.as_ref().is_some_and(Buffer::is_full)
    }

    /// Makes room to read on if there is none: for a head that is longer than most.
    pub fn make_room(&mut self) {
        if let Some(input) = self.input.as_mut().filter(|input| input.is_full()) {
            input.grow();
        }
    }

    /// Reads once, and gives how many bytes came: 0 at the end, or if there is no room.
    pub fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &Buffers,
    ) -> Poll<io::Result<usize>> {
        let mut input = self.take_input(buffers);
        let mut space = ReadBuf::new(input.space());
        if space.capacity() == 0 || self.is_over {
            self.input = Some(input);
            return Poll::Ready(Ok(0));
        }
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut space);
        let length = space.filled().len();
        if polled.is_ready() {
            self.has_filled = space.remaining() == 0;
        }
        input.filled(length);
        if input.is_empty() {
            buffers.give(input);
        } else {
            self.input = Some(input);
        }
        ready!(polled)?;
        self.is_over = length == 0;
        self.read_bytes += u64::try_from(length).unwrap_or(0);
        Poll::Ready(Ok(length))
    }

    /// What is read into: a large buffer where the last read filled a small one, as a body of some
    /// size is coming.
    fn take_input(&mut self, buffers: &Buffers) -> Buffer {
        match self.input.take() {
            Some(small) if self.has_filled && small.is_small() && small.is_empty() => {
                buffers.give(small);
                buffers.take_large()
            }
            Some(input) => input,
            None if self.has_filled => buffers.take_large(),
            None => buffers.take(),
        }
    }

    /// Whether the peer has neither closed nor said anything since the last exchange. It costs no
    /// system call unless something has come.
    pub fn is_quiet(&mut self, buffers: &Buffers) -> bool {
        self.data().is_empty()
            && self
                .poll_fill(&mut Context::from_waker(Waker::noop()), buffers)
                .is_pending()
    }

    /// Takes the first `length` bytes of what was read, a head; [`Buffers::give_output`] takes them
    /// back. They are copied: an exchange that waits for its answer holds no buffer then, and the
    /// next reads into one that is in the cache.
    pub fn take_head(&mut self, length: usize, buffers: &Buffers) -> Vec<u8> {
        let mut head = buffers.take_output();
        head.extend_from_slice(self.data().get(..length).unwrap_or_default());
        self.consume(length);
        self.rest(buffers);
        head
    }

    /// Where heads are written to, before they are sent.
    pub fn output(&mut self, buffers: &Buffers) -> &mut Vec<u8> {
        if self.output.capacity() == 0 {
            self.output = buffers.take_output();
        }
        &mut self.output
    }

    /// Sends what was put out and then `data`; gives how many bytes of `data` need not be sent
    /// again. Some may still wait in the output: [`Wire::poll_flush`] ends it.
    pub fn poll_send(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_room(cx))?;
        if self.output.is_empty() {
            let length = ready!(Pin::new(&mut self.stream).poll_write(cx, data))?;
            self.count(length);
            return Poll::Ready(if length == 0 && !data.is_empty() {
                Err(io::ErrorKind::WriteZero.into())
            } else {
                Ok(length)
            });
        }
        if data.len() <= MAX_COPIED {
            // One copy costs less than one system call, or a vectored one.
            self.output.extend_from_slice(data);
            let _ = self.poll_write_output(cx)?;
            return Poll::Ready(Ok(data.len()));
        }
        loop {
            let waiting = self.output.get(self.written..).unwrap_or_default();
            let slices = [IoSlice::new(waiting), IoSlice::new(data)];
            let before = waiting.len();
            let length = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices))?;
            if length == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.count(length);
            if length >= before {
                self.output.clear();
                self.written = 0;
                return Poll::Ready(Ok(length - before));
            }
            self.written += length;
        }
    }

    /// Waits until more may be put out: else what a peer does not take would pile up here, small
    /// piece by small piece.
    pub fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.output.len() > MAX_WAITING {
            return self.poll_flush(cx);
        }
        Poll::Ready(Ok(()))
    }

    /// Sends all that was put out.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_output(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_write_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(waiting) = self.output.get(self.written..).filter(|w| !w.is_empty()) {
            let length = ready!(Pin::new(&mut self.stream).poll_write(cx, waiting))?;
            if length == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.count(length);
            self.written += length;
        }
        self.output.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Says that nothing more will be sent.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// Gives back every buffer with nothing in it.
    pub fn rest(&mut self, buffers: &Buffers) {
        if let Some(input) = self.input.take_if(|input| input.is_empty()) {
            buffers.give(input);
        }
        if self.output.is_empty() {
            buffers.give_output(std::mem::take(&mut self.output));
        }
    }

    /// The connection, and what was read from it.
    #[must_use]
    pub fn into_parts(self) -> (Stream, Option<Buffer>) {
        (self.stream, self.input)
    }

    fn count(&mut self, length: usize) {
        self.written_bytes += u64::try_from(length).unwrap_or(0);
    }
}

/// Data up to this length is sent with the head in one piece.
const MAX_COPIED: usize = 8 << 10;
/// How much may wait to be sent before more is taken.
const MAX_WAITING: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write;

    use tokio::net::TcpListener;

    use super::*;

    /// A wire, and its other end.
    async fn wire() -> (Wire, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let peer = std::net::TcpStream::connect(address).unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        (Wire::new(Stream::Plain(tcp)), peer)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_a_peer_does_not_take_does_not_pile_up() {
        let ((mut wire, _peer), buffers) = (wire().await, Buffers::default());
        let piece = [b'x'; 4096];
        let send = async |wire: &mut Wire| {
            poll_fn(|cx| Poll::Ready(wire.poll_send(cx, &piece).is_pending())).await
        };
        // Until the kernel takes no more.
        while !send(&mut wire).await {
            tokio::task::yield_now().await;
        }
        wire.output(&buffers).extend_from_slice(b"a head");
        let mut taken = 0;
        while !send(&mut wire).await {
            taken += piece.len();
            assert!(
                taken < MAX_WAITING + (8 << 20),
                "the kernel may take some of it"
            );
        }
        assert!(wire.output(&buffers).len() <= MAX_WAITING + piece.len());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn reads_grow_with_what_is_read() {
        const LENGTH: usize = 60_000;
        let ((mut wire, mut peer), buffers) = (wire().await, Buffers::default());
        let mut fill = async || {
            let length = poll_fn(|cx| wire.poll_fill(cx, &buffers)).await.unwrap();
            assert_eq!(wire.data().len(), length);
            wire.consume(length);
            wire.rest(&buffers);
            length
        };
        // All of it is with the kernel when this is done.
        peer.write_all(&[b'x'; LENGTH]).unwrap();
        let first = fill().await;
        assert_eq!(fill().await, LENGTH - first, "the rest came at once");
        peer.write_all(b"short").unwrap();
        assert_eq!(fill().await, 5);
        peer.write_all(&[b'x'; LENGTH]).unwrap();
        assert_eq!(fill().await, first, "a small buffer does again");
    }
}
