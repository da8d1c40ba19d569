//! One client connection over HTTP/2 (RFC 9113): with prior knowledge, or negotiated in TLS.
//!
//! The connection is one task, and each of its streams another.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Builder, Connection as H2, SendResponse};
use h2::{Reason, RecvStream};
use http::{HeaderValue, Method, Request, header};
use tokio::task::spawn_local;

use crate::engine::semantics::grpc::response_type;
use crate::engine::semantics::{Cause, Protocol};
use crate::runtime::http2::{Http2RequestHead, Traffic, Transport};
use crate::runtime::proxy::{
    Downstream, ExchangeContext, Http2Downstream, RequestHead, exchange, reject,
};
use crate::runtime::{Buffer, Deadline, OpenConnection, Settings, Socket, Worker, boxed};

/// The flow-control window of a stream, and so how much of one request body may be held.
const STREAM_WINDOW: u32 = 1 << 20;
/// The flow-control window of a connection, and so how much its request bodies may hold together.
const CONNECTION_WINDOW: u32 = 4 << 20;
/// How much of one response body may be buffered in the connection.
const MAX_SEND_BUFFER: usize = 128 << 10;
/// How many streams may be reset before they are accepted: rapid reset (CVE-2023-44487). Resets of
/// accepted streams are limited by [`Traffic`].
const MAX_PENDING_RESETS: usize = 50;
/// How many streams the gateway may reset for protocol errors.
const MAX_LOCAL_RESETS: usize = 1024;
/// How many streams that the gateway reset in the last second are remembered. What a client still
/// sends on them, such as the rest of a body, is not an error.
const MAX_REMEMBERED_RESETS: usize = 4096;
/// How long a connection may take to close after GOAWAY.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves a connection until it closes; `input` was read from it already.
pub(super) async fn serve(
    worker: Rc<Worker>,
    socket: Socket,
    peer: SocketAddr,
    open: OpenConnection,
    input: Option<Buffer>,
) {
    Connection::new(worker, peer.ip(), socket.is_tls())
        .serve(socket, input)
        .await;
    drop(open);
}

/// A connection, as its streams share it.
#[derive(Debug)]
struct Connection {
    worker: Rc<Worker>,
    peer: IpAddr,
    is_tls: bool,
    /// The deadline of the connection itself.
    deadline: Rc<Deadline>,
    phase: Cell<Phase>,
    /// When the idle timeout passes, or in [`Phase::Closing`] the close timeout; `u64::MAX` while it
    /// does not run. In milliseconds of the worker.
    idle_due: Cell<u64>,
    traffic: Rc<Traffic>,
    streams: Cell<usize>,
    /// Unused deadlines, for the next streams.
    free_deadlines: RefCell<Vec<Rc<Deadline>>>,
}

/// The life of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It accepts streams.
    Open,
    /// The worker drains: GOAWAY was sent, and streams in flight continue.
    Draining,
    /// It closes, whatever is in flight.
    Closing,
}

/// Counts a stream as served until it is dropped.
#[derive(Debug)]
struct StreamGuard {
    connection: Rc<Connection>,
    deadline: Rc<Deadline>,
}

impl Connection {
    fn new(worker: Rc<Worker>, peer: IpAddr, is_tls: bool) -> Rc<Self> {
        let deadline = worker.deadlines.register();
        Rc::new(Self {
            peer,
            is_tls,
            traffic: Rc::new(Traffic::of_client(Rc::clone(&deadline))),
            deadline,
            phase: Cell::new(Phase::Open),
            idle_due: Cell::new(u64::MAX),
            worker,
            streams: Cell::new(0),
            free_deadlines: RefCell::default(),
        })
    }

    async fn serve(self: Rc<Self>, socket: Socket, input: Option<Buffer>) {
        let settings = &self.worker.settings;
        let transport = Transport::new(socket, input, Rc::clone(&self.traffic));
        self.deadline
            .set(self.deadline.after(Some(settings.header_timeout)));
        let handshake = builder(settings).handshake::<_, Bytes>(transport);
        let connected = self.deadline.within(handshake).await;
        if let Some(Ok(mut h2)) = connected {
            self.arm_idle_timeout();
            let mut written = 0;
            poll_fn(|cx| self.poll(cx, &mut h2, &mut written)).await;
        }
        let counters = &self.worker.counters;
        counters.received_bytes.add(self.traffic.read_bytes());
        counters.sent_bytes.add(self.traffic.written_bytes());
    }

    fn poll(
        self: &Rc<Self>,
        cx: &mut Context<'_>,
        h2: &mut H2<Transport, Bytes>,
        written: &mut u64,
    ) -> Poll<()> {
        loop {
            if self.worker.is_draining() && self.phase.get() == Phase::Open {
                self.phase.set(Phase::Draining);
                h2.graceful_shutdown();
                self.arm_idle_timeout();
            }
            if self.traffic.is_flooded() && !self.is_closing() {
                self.close(h2, Reason::ENHANCE_YOUR_CALM);
            }
            match h2.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    serve_stream(self.stream_guard(), request, respond);
                }
                // The `h2` crate has reported the error to the client.
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending if self.traffic.is_flooded() && !self.is_closing() => {}
                Poll::Pending if !self.has_passed(cx) => return Poll::Pending,
                Poll::Pending if self.is_closing() => return Poll::Ready(()),
                Poll::Pending if self.head_due() <= self.deadline.now() => {
                    self.close(h2, Reason::ENHANCE_YOUR_CALM);
                }
                // The last response is still being written.
                Poll::Pending if h2.has_streams() && self.has_written(written) => {
                    self.arm_idle_timeout();
                }
                Poll::Pending => self.close(h2, Reason::NO_ERROR),
            }
        }
    }

    /// Closes the connection, whatever is in flight.
    fn close(&self, h2: &mut H2<Transport, Bytes>, reason: Reason) {
        self.phase.set(Phase::Closing);
        h2.abrupt_shutdown(reason);
        self.idle_due.set(self.deadline.after(Some(CLOSE_TIMEOUT)));
    }

    fn is_closing(&self) -> bool {
        self.phase.get() == Phase::Closing
    }

    /// Whether a timeout has passed. If not, the task is woken when the next one does.
    fn has_passed(&self, cx: &Context<'_>) -> bool {
        self.deadline.set(self.due());
        // When the worker shuts down, the connection ends after its streams have reported it.
        self.deadline.has_passed(cx) && !self.worker.deadlines.is_shut_down()
    }

    /// When the next timeout passes.
    fn due(&self) -> u64 {
        let idle = self.idle_due.get();
        if self.is_closing() {
            idle
        } else {
            idle.min(self.head_due())
        }
    }

    /// When an incomplete head, or an incomplete frame other than DATA, times out.
    fn head_due(&self) -> u64 {
        let time = self.worker.settings.header_timeout;
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let since = self.traffic.incomplete_since();
        since.map_or(u64::MAX, |since| since.saturating_add(time))
    }

    fn has_written(&self, before: &mut u64) -> bool {
        let now = self.traffic.written_bytes();
        std::mem::replace(before, now) != now
    }

    fn stream_guard(self: &Rc<Self>) -> StreamGuard {
        self.streams.set(self.streams.get() + 1);
        self.idle_due.set(u64::MAX);
        let free = self.free_deadlines.borrow_mut().pop();
        StreamGuard {
            connection: Rc::clone(self),
            deadline: free.unwrap_or_else(|| self.worker.deadlines.register()),
        }
    }

    /// Starts the idle timeout, if the connection has no streams.
    fn arm_idle_timeout(&self) {
        if self.streams.get() == 0 && !self.is_closing() {
            let time = if self.worker.is_draining() {
                CLOSE_TIMEOUT
            } else {
                self.worker.settings.idle_timeout
            };
            self.idle_due.set(self.deadline.after(Some(time)));
            // It need not wake the task of the connection.
            self.deadline.set(self.due());
        }
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        let connection = &self.connection;
        connection.streams.set(connection.streams.get() - 1);
        connection.arm_idle_timeout();
        self.deadline.clear();
        let mut free = connection.free_deadlines.borrow_mut();
        free.push(Rc::clone(&self.deadline));
    }
}

/// Serves a stream to its end, in a task of its own.
fn serve_stream(guard: StreamGuard, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
    let (parts, recv) = request.into_parts();
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let grpc = response_type(content_type.map(HeaderValue::as_bytes));
    let is_head = parts.method == Method::HEAD;
    let mut client = Http2Downstream::new(recv, respond);
    let limits = &guard.connection.worker.settings.head_limits;
    let head = Http2RequestHead::new(parts, client.body.is_complete(), limits);
    // Boxed, because a task is moved before it runs and when it ends.
    drop(spawn_local(boxed(|| async move {
        match &head {
            Ok(head) => run_exchange(&guard, head, &mut client).await,
            Err(cause) => reject_unreadable(&guard, cause, (is_head, grpc), &mut client).await,
        }
    })));
}

async fn run_exchange(guard: &StreamGuard, head: &Http2RequestHead, client: &mut Http2Downstream) {
    let snapshot = guard.connection.worker.snapshot();
    exchange(
        &guard.context(),
        &snapshot,
        RequestHead::Http2(head),
        Downstream::Http2(client),
    )
    .await;
}

/// Reports an error in a head that the `h2` crate admits.
async fn reject_unreadable(
    guard: &StreamGuard,
    cause: &Cause<'static>,
    is_head_and_grpc: (bool, Option<&'static str>),
    client: &mut Http2Downstream,
) {
    guard.connection.worker.count_request();
    let (context, downstream) = (guard.context(), Downstream::Http2(client));
    reject(
        &context,
        Protocol::Http2,
        cause,
        is_head_and_grpc,
        downstream,
    )
    .await;
}

impl StreamGuard {
    fn context(&self) -> ExchangeContext<'_> {
        ExchangeContext {
            worker: &self.connection.worker,
            deadline: &self.deadline,
            peer: self.connection.peer,
            is_tls: self.connection.is_tls,
            https_port: None,
        }
    }
}

fn builder(settings: &Settings) -> Builder {
    let max_head_bytes = settings.head_limits.max_head_bytes;
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(settings.streams)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(MAX_SEND_BUFFER)
        .max_header_list_size(u32::try_from(max_head_bytes).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(Some(MAX_LOCAL_RESETS))
        .max_concurrent_reset_streams(MAX_REMEMBERED_RESETS);
    builder
}
