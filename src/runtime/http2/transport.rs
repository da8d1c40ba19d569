//! A connection as the `h2` crate reads and writes it.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::runtime::buffer::Buffer;
use crate::runtime::connection::Socket;
use crate::runtime::deadline::Deadline;
use crate::runtime::http2::flood::FloodGauge;

/// A connection, what was read from it before it was known to speak HTTP/2, and its counts.
#[derive(Debug)]
pub(crate) struct Transport {
    stream: Socket,
    before: Option<Buffer>,
    traffic: Rc<Traffic>,
}

/// What has passed over a connection. The `h2` crate keeps the connection to itself; this is held
/// beside it.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    read_bytes: Cell<u64>,
    written_bytes: Cell<u64>,
    is_flooded: Cell<bool>,
    /// Since when the client has been amid a head or a frame, in milliseconds of the worker.
    amid_since: Cell<Option<u64>>,
    /// Only clients are watched.
    gauge: Option<(RefCell<FloodGauge>, Rc<Deadline>)>,
}

impl Traffic {
    /// The counts of a client's connection, which is watched for floods.
    #[must_use]
    pub(crate) fn of_client(deadline: Rc<Deadline>) -> Self {
        Self {
            gauge: Some((RefCell::default(), deadline)),
            ..Self::default()
        }
    }

    /// How many bytes were read.
    #[must_use]
    pub(crate) const fn read_bytes(&self) -> u64 {
        self.read_bytes.get()
    }

    /// How many bytes were written.
    #[must_use]
    pub(crate) const fn written_bytes(&self) -> u64 {
        self.written_bytes.get()
    }

    /// Whether the client has sent too many frames that bring nothing; nothing more is read then.
    #[must_use]
    pub(crate) const fn is_flooded(&self) -> bool {
        self.is_flooded.get()
    }

    /// Since when the client has been amid a head, or a frame that is no body, in milliseconds of the
    /// worker; none if it is not.
    #[must_use]
    pub(crate) const fn amid_since(&self) -> Option<u64> {
        self.amid_since.get()
    }

    fn received(&self, bytes: &[u8]) {
        count(&self.read_bytes, bytes.len());
        let Some((gauge, deadline)) = &self.gauge else {
            return;
        };
        let mut gauge = gauge.borrow_mut();
        if gauge.received(bytes, || deadline.now()) {
            self.is_flooded.set(true);
        }
        let since = self.amid_since.get();
        let since = gauge
            .is_amid()
            .then(|| since.unwrap_or_else(|| deadline.now()));
        self.amid_since.set(since);
    }

    fn sent(&self, length: usize) {
        count(&self.written_bytes, length);
        if let Some((gauge, _)) = &self.gauge {
            let length = u64::try_from(length).unwrap_or(0);
            gauge.borrow_mut().sent(length);
        }
    }
}

fn count(counter: &Cell<u64>, length: usize) {
    counter.set(counter.get() + u64::try_from(length).unwrap_or(0));
}

impl Transport {
    /// A connection of which these bytes have been read already.
    #[must_use]
    pub(crate) const fn new(stream: Socket, before: Option<Buffer>, traffic: Rc<Traffic>) -> Self {
        Self {
            stream,
            before,
            traffic,
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        space: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self {
            stream,
            before,
            traffic,
        } = self.get_mut();
        if traffic.is_flooded() {
            // Who asks sees it, and closes.
            return Poll::Pending;
        }
        let start = space.filled().len();
        if let Some(buffer) = before {
            let data = buffer.data();
            let length = data.len().min(space.remaining());
            space.put_slice(data.get(..length).unwrap_or_default());
            buffer.consume(length);
            if buffer.is_empty() {
                *before = None;
            }
        } else {
            ready!(Pin::new(stream).poll_read(cx, space))?;
        }
        traffic.received(space.filled().get(start..).unwrap_or_default());
        if traffic.is_flooded() {
            space.set_filled(start);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let length = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.traffic.sent(length);
        Poll::Ready(Ok(length))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, slices))?;
        self.traffic.sent(length);
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
