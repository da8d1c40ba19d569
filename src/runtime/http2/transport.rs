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

/// A connection with its input from before HTTP/2 was detected, and its traffic.
#[derive(Debug)]
pub(crate) struct Transport {
    socket: Socket,
    input: Option<Buffer>,
    traffic: Rc<Traffic>,
}

/// The traffic of a connection, which the `h2` crate does not report.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    read_bytes: Cell<u64>,
    written_bytes: Cell<u64>,
    is_flooded: Cell<bool>,
    /// Since when a field section or a frame is incomplete, in milliseconds of the worker.
    incomplete_since: Cell<Option<u64>>,
    /// Set for clients only.
    gauge: Option<(RefCell<FloodGauge>, Rc<Deadline>)>,
}

impl Traffic {
    /// The traffic of a client, which is limited.
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

    /// Whether the client has sent too many frames without data. Then nothing more is read.
    #[must_use]
    pub(crate) const fn is_flooded(&self) -> bool {
        self.is_flooded.get()
    }

    /// Since when a field section, or a frame other than DATA, is incomplete, in milliseconds of the
    /// worker.
    #[must_use]
    pub(crate) const fn incomplete_since(&self) -> Option<u64> {
        self.incomplete_since.get()
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
        let since = self.incomplete_since.get();
        let since = gauge
            .is_incomplete()
            .then(|| since.unwrap_or_else(|| deadline.now()));
        self.incomplete_since.set(since);
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
    /// A connection from which `input` was read already.
    #[must_use]
    pub(crate) const fn new(socket: Socket, input: Option<Buffer>, traffic: Rc<Traffic>) -> Self {
        Self {
            socket,
            input,
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
            socket,
            input,
            traffic,
        } = self.get_mut();
        if traffic.is_flooded() {
            // The task of the connection checks it and closes.
            return Poll::Pending;
        }
        let start = space.filled().len();
        if let Some(buffer) = input {
            let data = buffer.data();
            let length = data.len().min(space.remaining());
            space.put_slice(data.get(..length).unwrap_or_default());
            buffer.consume(length);
            if buffer.is_empty() {
                *input = None;
            }
        } else {
            ready!(Pin::new(socket).poll_read(cx, space))?;
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
        let length = ready!(Pin::new(&mut self.socket).poll_write(cx, bytes))?;
        self.traffic.sent(length);
        Poll::Ready(Ok(length))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = ready!(Pin::new(&mut self.socket).poll_write_vectored(cx, slices))?;
        self.traffic.sent(length);
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
