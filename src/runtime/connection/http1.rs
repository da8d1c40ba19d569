//! A connection as HTTP/1.1 uses it, with the input that is not consumed and the output that is not
//! written.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::runtime::buffer::{Buffer, Buffers};
use crate::runtime::connection::socket::Socket;

/// An HTTP/1.1 connection. It owns no buffer while it is idle.
#[derive(Debug)]
pub(crate) struct Http1Connection {
    socket: Socket,
    input: Option<Buffer>,
    output: Vec<u8>,
    /// How many bytes of the output are written.
    written: usize,
    is_eof: bool,
    /// Whether the last read filled its buffer, so that more data is likely to be waiting.
    has_filled: bool,
    /// Bytes read since it was opened.
    pub(crate) read_bytes: u64,
    /// Bytes written since it was opened.
    pub(crate) written_bytes: u64,
}

impl Http1Connection {
    /// A connection from which nothing was read.
    #[must_use]
    pub(crate) const fn new(socket: Socket) -> Self {
        Self {
            socket,
            input: None,
            output: Vec::new(),
            written: 0,
            is_eof: false,
            has_filled: false,
            read_bytes: 0,
            written_bytes: 0,
        }
    }

    /// The socket.
    #[must_use]
    pub(crate) const fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The input that is not consumed.
    #[must_use]
    pub(crate) fn data(&self) -> &[u8] {
        self.input.as_ref().map(Buffer::data).unwrap_or_default()
    }

    /// The input that is not consumed, to be rewritten in place.
    pub(crate) fn data_mut(&mut self) -> &mut [u8] {
        self.input
            .as_mut()
            .map(Buffer::data_mut)
            .unwrap_or_default()
    }

    /// Consumes `bytes` bytes of the input.
    pub(crate) fn consume(&mut self, bytes: usize) {
        if let Some(input) = &mut self.input {
            input.consume(bytes);
        }
    }

    /// Whether the peer has closed its sending side.
    #[must_use]
    pub(crate) const fn is_eof(&self) -> bool {
        self.is_eof
    }

    /// Whether the input has no space until some of it is consumed.
    #[must_use]
    pub(crate) fn is_full(&self) -> bool {
        self.input.as_ref().is_some_and(Buffer::is_full)
    }

    /// Grows the input buffer if it is full, as for an unusually long head.
    pub(crate) fn ensure_space(&mut self) {
        if let Some(input) = self.input.as_mut().filter(|input| input.is_full()) {
            input.grow();
        }
    }

    /// Reads once and returns how many bytes arrived: 0 at the end, or if the input is full.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &Buffers,
    ) -> Poll<io::Result<usize>> {
        let mut input = self.take_input(buffers);
        let mut space = ReadBuf::new(input.space());
        if space.capacity() == 0 || self.is_eof {
            self.input = Some(input);
            return Poll::Ready(Ok(0));
        }
        let polled = Pin::new(&mut self.socket).poll_read(cx, &mut space);
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
        self.is_eof = length == 0;
        self.read_bytes += u64::try_from(length).unwrap_or(0);
        Poll::Ready(Ok(length))
    }

    /// The buffer to read into: a large one if the last read filled a small one, because then a
    /// large body is likely.
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

    /// Whether the connection is open and has no input, as an unused one should be. It costs no
    /// system call unless the socket is readable.
    pub(crate) fn is_idle(&mut self, buffers: &Buffers) -> bool {
        self.data().is_empty()
            && self
                .poll_fill(&mut Context::from_waker(Waker::noop()), buffers)
                .is_pending()
    }

    /// Copies the first `length` bytes of the input, a head, and consumes them. Return the copy with
    /// [`Buffers::give_output`]. Because it is a copy, an exchange that waits for its response holds
    /// no read buffer, and the next read uses one that is in the CPU cache.
    pub(crate) fn take_head(&mut self, length: usize, buffers: &Buffers) -> Vec<u8> {
        let mut head = buffers.take_output();
        head.extend_from_slice(self.data().get(..length).unwrap_or_default());
        self.consume(length);
        self.release_buffers(buffers);
        head
    }

    /// The output: the next send or flush writes what is appended.
    pub(crate) fn output(&mut self, buffers: &Buffers) -> &mut Vec<u8> {
        if self.output.capacity() == 0 {
            self.output = buffers.take_output();
        }
        &mut self.output
    }

    /// Writes the output and then `data`, and returns how many bytes of `data` were taken. Some of
    /// them may stay in the output until [`Self::poll_flush`].
    pub(crate) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_output_space(cx))?;
        if self.output.is_empty() {
            let length = ready!(Pin::new(&mut self.socket).poll_write(cx, data))?;
            self.count(length);
            return Poll::Ready(if length == 0 && !data.is_empty() {
                Err(io::ErrorKind::WriteZero.into())
            } else {
                Ok(length)
            });
        }
        if data.len() <= MAX_COPIED {
            // A copy costs less than a second system call or a vectored one.
            self.output.extend_from_slice(data);
            let _ = self.poll_write_output(cx)?;
            return Poll::Ready(Ok(data.len()));
        }
        loop {
            let waiting = self.output.get(self.written..).unwrap_or_default();
            let slices = [IoSlice::new(waiting), IoSlice::new(data)];
            let before = waiting.len();
            let length = ready!(Pin::new(&mut self.socket).poll_write_vectored(cx, &slices))?;
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

    /// Waits until more may be appended to the output, so that a slow peer cannot make it grow
    /// without bound.
    pub(crate) fn poll_output_space(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.output.len() > MAX_OUTPUT {
            return self.poll_flush(cx);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes the whole output.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_output(cx))?;
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_write_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(waiting) = self.output.get(self.written..).filter(|w| !w.is_empty()) {
            let length = ready!(Pin::new(&mut self.socket).poll_write(cx, waiting))?;
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

    /// Closes the sending side.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    /// Returns empty buffers to the worker.
    pub(crate) fn release_buffers(&mut self, buffers: &Buffers) {
        if let Some(input) = self.input.take_if(|input| input.is_empty()) {
            buffers.give(input);
        }
        if self.output.is_empty() {
            buffers.give_output(std::mem::take(&mut self.output));
        }
    }

    /// The socket, and the input that is not consumed.
    #[must_use]
    pub(crate) fn into_parts(self) -> (Socket, Option<Buffer>) {
        (self.socket, self.input)
    }

    fn count(&mut self, length: usize) {
        self.written_bytes += u64::try_from(length).unwrap_or(0);
    }
}

/// Data of up to this many bytes is copied behind the head and sent with it.
const MAX_COPIED: usize = 8 << 10;
/// The output size from which nothing more is taken.
const MAX_OUTPUT: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write;

    use tokio::net::TcpListener;

    use super::*;

    /// A connection, and its other end.
    async fn connect() -> (Http1Connection, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let peer = std::net::TcpStream::connect(address).unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        (Http1Connection::new(Socket::Plain(tcp)), peer)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_slow_peer_bounds_the_output() {
        let ((mut connection, _peer), buffers) = (connect().await, Buffers::default());
        let piece = [b'x'; 4096];
        let send = async |connection: &mut Http1Connection| {
            poll_fn(|cx| Poll::Ready(connection.poll_send(cx, &piece).is_pending())).await
        };
        // Until the kernel takes no more.
        while !send(&mut connection).await {
            tokio::task::yield_now().await;
        }
        connection.output(&buffers).extend_from_slice(b"a head");
        let mut taken = 0;
        while !send(&mut connection).await {
            taken += piece.len();
            assert!(
                taken < MAX_OUTPUT + (8 << 20),
                "the kernel may take some of it"
            );
        }
        assert!(connection.output(&buffers).len() <= MAX_OUTPUT + piece.len());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn reads_grow_with_the_input() {
        const LENGTH: usize = 60_000;
        let ((mut connection, mut peer), buffers) = (connect().await, Buffers::default());
        let mut fill = async || {
            let length = poll_fn(|cx| connection.poll_fill(cx, &buffers))
                .await
                .unwrap();
            assert_eq!(connection.data().len(), length);
            connection.consume(length);
            connection.release_buffers(&buffers);
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
