//! Connections to backends that carry many requests at once: HTTP/2.
//!
//! A backend has one, as long as there is room on it for one more stream. What a backend has said
//! goodbye on (GOAWAY), or fallen silent on, gets no new stream, and goes when its last one does.

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

use crate::engine::semantics::error::TlsReason;
use crate::runtime::connection::Http1Connection;
use crate::runtime::connection::Socket;
use crate::runtime::deadline::Deadline;
use crate::runtime::http2::{Traffic, Transport};
use crate::runtime::tls::reasons::Failed;
use crate::runtime::upstream::error::UpstreamError;

/// The multiplexed connections of one worker to one backend.
#[derive(Debug, Default)]
pub(crate) struct Multiplexed {
    connections: RefCell<Vec<Rc<Shared>>>,
    /// The connection that is being made: who needs one meanwhile waits for it.
    making: RefCell<Option<Rc<Making>>>,
}

#[derive(Debug)]
struct Shared {
    requests: SendRequest<Bytes>,
    traffic: Rc<Traffic>,
    /// How many streams of ours are on it.
    streams: Cell<usize>,
    is_over: Cell<bool>,
    idle_since: Cell<Option<u64>>,
}

#[derive(Debug, Default)]
struct Making {
    done: Notify,
    /// Why there is none. Nothing if its time was over: who waits may have more.
    fault: RefCell<Option<Unmade>>,
}

/// Why no connection came about, for those who waited for it.
#[derive(Clone, Debug)]
enum Unmade {
    Unresolved(io::ErrorKind),
    Unconnected(io::ErrorKind),
    WithoutTls(TlsReason, String),
}

/// The place of one stream on a connection, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct StreamPermit {
    shared: Rc<Shared>,
    /// Whether the connection was made for this stream.
    pub(crate) is_fresh: bool,
    read_bytes: u64,
}

/// As many connections are made to one backend by one worker; then streams wait their turn.
const MAX_CONNECTIONS: usize = 16;
/// How much of one answer may wait to be passed on: that is held for a slow client.
const STREAM_WINDOW: u32 = 256 << 10;
/// Enough for a hundred such, so that slow clients do not hold up the others.
const CONNECTION_WINDOW: u32 = 100 * STREAM_WINDOW;
/// How much of one request may wait in the connection.
const MAX_UNSENT: usize = 128 << 10;

impl Multiplexed {
    /// A place on a connection, a new one if there is no room on those that stand; `connect`
    /// makes it.
    ///
    /// # Errors
    /// If none can be made in time.
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
            if let Some(slot) = self.standing() {
                return Ok(slot);
            }
            let making = self.making.borrow().clone();
            let Some(making) = making else {
                return self.make(deadline, max_header_bytes, connect()).await;
            };
            deadline.set(due);
            let waited = deadline.within(making.done.notified()).await;
            deadline.clear();
            if waited.is_none() {
                return Err(UpstreamError::ConnectTimeout);
            }
            if let Some(unmade) = making.fault.borrow().clone() {
                return Err(unmade.into());
            }
        }
    }

    /// Closes what nobody used for so long, in milliseconds; whether none is left.
    pub(crate) fn reap(&self, now: u64, most_idle: u64) -> bool {
        let mut connections = self.connections.borrow_mut();
        connections.retain(|shared| {
            let is_idle = shared.streams.get() == 0;
            let since = shared.idle_since.get().unwrap_or(now);
            shared.idle_since.set(is_idle.then_some(since));
            shared.is_open() && (!is_idle || now.saturating_sub(since) < most_idle)
        });
        connections.is_empty()
    }

    /// A place on a connection that stands.
    #[must_use]
    pub(crate) fn standing(&self) -> Option<StreamPermit> {
        let mut connections = self.connections.borrow_mut();
        connections.retain(|shared| shared.is_open());
        let with_room = connections.iter().find(|shared| shared.has_room());
        let found = with_room.or_else(|| {
            let least = connections.iter().min_by_key(|it| it.streams.get())?;
            (connections.len() >= MAX_CONNECTIONS).then_some(least)
        })?;
        Some(StreamPermit::new(found, false))
    }

    async fn make(
        &self,
        deadline: &Deadline,
        max_header_bytes: usize,
        connecting: impl Future<Output = Result<Http1Connection, UpstreamError>>,
    ) -> Result<StreamPermit, UpstreamError> {
        let making = Rc::new(Making::default());
        *self.making.borrow_mut() = Some(Rc::clone(&making));
        // Whoever waits goes on whatever becomes of this, even if it is given up.
        let _done = Done(self);
        let made = match connecting.await {
            Ok(connection) => begin(connection.into_parts().0, deadline, max_header_bytes).await,
            Err(fault) => Err(fault),
        };
        let shared = made.inspect_err(|fault| making.fail(fault))?;
        self.connections.borrow_mut().push(Rc::clone(&shared));
        Ok(StreamPermit::new(&shared, true))
    }
}

impl Making {
    fn fail(&self, fault: &UpstreamError) {
        *self.fault.borrow_mut() = Some(match fault {
            UpstreamError::NameUnresolved(error) => Unmade::Unresolved(error.kind()),
            UpstreamError::ConnectFailed(error) => Unmade::Unconnected(error.kind()),
            UpstreamError::TlsFailed(failed) => {
                Unmade::WithoutTls(failed.reason, failed.words.clone())
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

impl From<Unmade> for UpstreamError {
    fn from(unmade: Unmade) -> Self {
        match unmade {
            Unmade::Unresolved(kind) => Self::NameUnresolved(kind.into()),
            Unmade::Unconnected(kind) => Self::ConnectFailed(kind.into()),
            Unmade::WithoutTls(reason, words) => Self::TlsFailed(Failed { reason, words }),
        }
    }
}

struct Done<'m>(&'m Multiplexed);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        if let Some(making) = self.0.making.borrow_mut().take() {
            making.done.notify_waiters();
        }
    }
}

/// Speaks HTTP/2 on a connection, in a task of its own.
async fn begin(
    stream: Socket,
    deadline: &Deadline,
    max_header_bytes: usize,
) -> Result<Rc<Shared>, UpstreamError> {
    const MAX_TIME: Duration = Duration::from_secs(2);
    if stream.is_tls() && stream.alpn() != Some(b"h2") {
        let why = "it did not agree to speak HTTP/2";
        return Err(UpstreamError::TlsFailed(Failed::setup(why)));
    }
    let traffic = Rc::new(Traffic::default());
    let transport = Transport::new(stream, None, Rc::clone(&traffic));
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(MAX_UNSENT)
        .max_header_list_size(u32::try_from(max_header_bytes).unwrap_or(u32::MAX));
    deadline.set(deadline.after(Some(MAX_TIME)));
    let begun = deadline
        .within(builder.handshake::<_, Bytes>(transport))
        .await;
    deadline.clear();
    let (requests, connection) = begun
        .ok_or(UpstreamError::ConnectTimeout)?
        .map_err(|error| UpstreamError::ConnectFailed(io::Error::other(error)))?;
    let shared = Rc::new(Shared {
        requests,
        traffic,
        streams: Cell::new(0),
        is_over: Cell::new(false),
        idle_since: Cell::new(None),
    });
    let known = Rc::downgrade(&shared);
    spawn_local(async move {
        let _ = connection.await;
        if let Some(shared) = known.upgrade() {
            shared.is_over.set(true);
        }
    });
    Ok(shared)
}

impl Shared {
    /// Whether it takes streams: not after GOAWAY.
    fn is_open(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let is_ready = self.requests.clone().poll_ready(&mut cx);
        !self.is_over.get() && !matches!(is_ready, Poll::Ready(Err(_)))
    }

    fn has_room(&self) -> bool {
        self.streams.get() < self.requests.current_max_send_streams()
    }
}

impl StreamPermit {
    fn new(shared: &Rc<Shared>, is_fresh: bool) -> Self {
        shared.streams.set(shared.streams.get() + 1);
        shared.idle_since.set(None);
        Self {
            shared: Rc::clone(shared),
            is_fresh,
            read_bytes: shared.traffic.read_bytes(),
        }
    }

    /// Sends the head of a request, and perhaps all of it.
    ///
    /// # Errors
    /// If the connection takes no more.
    pub(crate) fn send(
        &self,
        request: Request<()>,
        is_whole: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        // Each has a clone of its own: one remembers the stream that it waits for.
        self.shared.requests.clone().send_request(request, is_whole)
    }

    /// The stream waited in vain: if nothing at all came on the connection meanwhile, it may be
    /// dead, and gets no new streams.
    pub(crate) fn distrust(&self) {
        if self.shared.traffic.read_bytes() == self.read_bytes {
            self.shared.is_over.set(true);
        }
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.shared.streams.set(self.shared.streams.get() - 1);
    }
}
