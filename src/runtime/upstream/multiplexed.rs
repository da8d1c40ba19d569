//! HTTP/2 connections to a backend, which carry many requests at once.
//!
//! A backend has one connection until it has no room for another stream. A connection that received
//! GOAWAY, or on which a stream timed out without any data, gets no new stream and closes with its
//! last one.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use h2::SendStream;
use h2::client::{Builder, ResponseFuture, SendRequest};
use http::Request;
use tokio::sync::Notify;
use tokio::task::spawn_local;

use crate::engine::semantics::TlsReason;
use crate::runtime::connection::{Http1Connection, Socket};
use crate::runtime::deadline::Deadline;
use crate::runtime::http2::{Traffic, Transport};
use crate::runtime::tls::HandshakeError;
use crate::runtime::upstream::error::UpstreamError;

/// The HTTP/2 connections of one worker to one backend.
#[derive(Debug, Default)]
pub(crate) struct Multiplexed {
    connections: RefCell<Vec<Rc<SharedConnection>>>,
    /// The connection that is being opened. Other requests wait for it.
    opening: RefCell<Option<Rc<Opening>>>,
}

#[derive(Debug)]
struct SharedConnection {
    requests: SendRequest<Bytes>,
    traffic: Rc<Traffic>,
    /// How many streams are open.
    streams: Cell<usize>,
    is_closing: Cell<bool>,
    idle_since: Cell<Option<u64>>,
}

#[derive(Debug, Default)]
struct Opening {
    done: Notify,
    /// Why it failed. `None` after a timeout, because a waiting request may have more time.
    error: RefCell<Option<OpenError>>,
}

/// Why a connection was not opened, for every request that waited for it.
#[derive(Clone, Debug)]
enum OpenError {
    NameUnresolved(io::ErrorKind),
    ConnectFailed(io::ErrorKind),
    TlsFailed(TlsReason, String),
}

/// Counts one stream on a connection until it is dropped.
#[derive(Debug)]
pub(crate) struct StreamPermit {
    connection: Rc<SharedConnection>,
    /// Whether the connection was opened for this stream.
    pub(crate) is_fresh: bool,
    read_bytes: u64,
}

/// The maximum number of connections of one worker to one backend. Beyond, streams are queued.
const MAX_CONNECTIONS: usize = 16;
/// The flow-control window of a stream, and so how much is held for a slow client.
const STREAM_WINDOW: u32 = 256 << 10;
/// A hundred stream windows, so that slow clients do not block the others.
const CONNECTION_WINDOW: u32 = 100 * STREAM_WINDOW;
/// How much of one request body may be buffered in the connection.
const MAX_SEND_BUFFER: usize = 128 << 10;

impl Multiplexed {
    /// A permit for a stream: on an open connection, otherwise on a new one that `connect` opens.
    ///
    /// # Errors
    /// If no connection is opened in time.
    pub(crate) async fn stream_permit<C>(
        &self,
        time: Duration,
        deadline: &Deadline,
        max_header_bytes: usize,
        connect: impl Fn() -> C,
    ) -> Result<StreamPermit, UpstreamError>
    where
        C: Future<Output = Result<Http1Connection, UpstreamError>>,
    {
        let due = deadline.after(Some(time));
        loop {
            if let Some(permit) = self.available() {
                return Ok(permit);
            }
            let opening = self.opening.borrow().clone();
            let Some(opening) = opening else {
                return self.open(deadline, max_header_bytes, connect()).await;
            };
            deadline.set(due);
            let waited = deadline.within(opening.done.notified()).await;
            deadline.clear();
            if waited.is_none() {
                return Err(UpstreamError::ConnectTimeout);
            }
            if let Some(error) = opening.error.borrow().clone() {
                return Err(error.into());
            }
        }
    }

    /// Closes connections that were idle for `max_idle` milliseconds. Returns whether none is left.
    pub(crate) fn reap(&self, now: u64, max_idle: u64) -> bool {
        let mut connections = self.connections.borrow_mut();
        connections.retain(|shared| {
            let is_idle = shared.streams.get() == 0;
            let since = shared.idle_since.get().unwrap_or(now);
            shared.idle_since.set(is_idle.then_some(since));
            shared.is_open() && (!is_idle || now.saturating_sub(since) < max_idle)
        });
        connections.is_empty()
    }

    /// A permit on an open connection that has room.
    #[must_use]
    pub(crate) fn available(&self) -> Option<StreamPermit> {
        let mut connections = self.connections.borrow_mut();
        connections.retain(|shared| shared.is_open());
        let with_room = connections.iter().find(|shared| shared.has_room());
        let found = with_room.or_else(|| {
            let least = connections.iter().min_by_key(|it| it.streams.get())?;
            (connections.len() >= MAX_CONNECTIONS).then_some(least)
        })?;
        Some(StreamPermit::new(found, false))
    }

    async fn open(
        &self,
        deadline: &Deadline,
        max_header_bytes: usize,
        connecting: impl Future<Output = Result<Http1Connection, UpstreamError>>,
    ) -> Result<StreamPermit, UpstreamError> {
        let opening = Rc::new(Opening::default());
        *self.opening.borrow_mut() = Some(Rc::clone(&opening));
        // The waiting requests continue even if this future is dropped.
        let _done = Done(self);
        let opened = match connecting.await {
            Ok(connection) => {
                handshake(connection.into_parts().0, deadline, max_header_bytes).await
            }
            Err(error) => Err(error),
        };
        let shared = opened.inspect_err(|error| opening.fail(error))?;
        self.connections.borrow_mut().push(Rc::clone(&shared));
        Ok(StreamPermit::new(&shared, true))
    }
}

impl Opening {
    fn fail(&self, error: &UpstreamError) {
        *self.error.borrow_mut() = Some(match error {
            UpstreamError::NameUnresolved(error) => OpenError::NameUnresolved(error.kind()),
            UpstreamError::ConnectFailed(error) => OpenError::ConnectFailed(error.kind()),
            UpstreamError::TlsFailed(failed) => {
                OpenError::TlsFailed(failed.reason, failed.detail.clone())
            }
            UpstreamError::ConnectTimeout
            | UpstreamError::Overloaded
            | UpstreamError::Refused
            | UpstreamError::Reset
            | UpstreamError::Timeout
            | UpstreamError::HeaderTooLarge(_)
            | UpstreamError::BadResponse(_) => return,
        });
    }
}

impl From<OpenError> for UpstreamError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NameUnresolved(kind) => Self::NameUnresolved(kind.into()),
            OpenError::ConnectFailed(kind) => Self::ConnectFailed(kind.into()),
            OpenError::TlsFailed(reason, detail) => {
                Self::TlsFailed(HandshakeError { reason, detail })
            }
        }
    }
}

/// Wakes the waiting requests when it is dropped.
struct Done<'m>(&'m Multiplexed);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        if let Some(opening) = self.0.opening.borrow_mut().take() {
            opening.done.notify_waiters();
        }
    }
}

/// Starts HTTP/2 on a connection, which then runs in its own task.
async fn handshake(
    stream: Socket,
    deadline: &Deadline,
    max_header_bytes: usize,
) -> Result<Rc<SharedConnection>, UpstreamError> {
    const MAX_TIME: Duration = Duration::from_secs(2);
    if stream.is_tls() && stream.alpn() != Some(b"h2") {
        let why = "it did not select HTTP/2";
        return Err(UpstreamError::TlsFailed(HandshakeError::setup(why)));
    }
    let traffic = Rc::new(Traffic::default());
    let transport = Transport::new(stream, None, Rc::clone(&traffic));
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(MAX_SEND_BUFFER)
        .max_header_list_size(u32::try_from(max_header_bytes).unwrap_or(u32::MAX));
    deadline.set(deadline.after(Some(MAX_TIME)));
    let connected = deadline
        .within(builder.handshake::<_, Bytes>(transport))
        .await;
    deadline.clear();
    let (requests, connection) = connected
        .ok_or(UpstreamError::ConnectTimeout)?
        .map_err(|error| UpstreamError::ConnectFailed(io::Error::other(error)))?;
    let shared = Rc::new(SharedConnection {
        requests,
        traffic,
        streams: Cell::new(0),
        is_closing: Cell::new(false),
        idle_since: Cell::new(None),
    });
    let known = Rc::downgrade(&shared);
    spawn_local(async move {
        let _ = connection.await;
        if let Some(shared) = known.upgrade() {
            shared.is_closing.set(true);
        }
    });
    Ok(shared)
}

impl SharedConnection {
    /// Whether it accepts streams, which it does not after GOAWAY.
    fn is_open(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let is_ready = self.requests.clone().poll_ready(&mut cx);
        !self.is_closing.get() && !matches!(is_ready, Poll::Ready(Err(_)))
    }

    /// Whether the limit of the backend admits another stream.
    fn has_room(&self) -> bool {
        self.streams.get() < self.requests.current_max_send_streams()
    }
}

impl StreamPermit {
    fn new(connection: &Rc<SharedConnection>, is_fresh: bool) -> Self {
        connection.streams.set(connection.streams.get() + 1);
        connection.idle_since.set(None);
        Self {
            connection: Rc::clone(connection),
            is_fresh,
            read_bytes: connection.traffic.read_bytes(),
        }
    }

    /// Sends the head of a request. `is_complete` if no body follows.
    ///
    /// # Errors
    /// If the connection accepts no more streams.
    pub(crate) fn send(
        &self,
        request: Request<()>,
        is_complete: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        // Each stream needs its own clone, which tracks the stream that it waits for.
        self.connection
            .requests
            .clone()
            .send_request(request, is_complete)
    }

    /// The stream timed out. If the connection received nothing meanwhile, it may be dead and gets no
    /// new streams.
    pub(crate) fn report_timeout(&self) {
        if self.connection.traffic.read_bytes() == self.read_bytes {
            self.connection.is_closing.set(true);
        }
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.connection
            .streams
            .set(self.connection.streams.get() - 1);
    }
}
