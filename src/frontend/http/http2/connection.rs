//! One connection of a client that speaks HTTP/2.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::server::{Builder, Connection as H2};

use crate::frontend::http::http2::stream;
use crate::runtime::buffer::Buffer;
use crate::runtime::connection::Socket;
use crate::runtime::deadline::Deadline;
use crate::runtime::http2::{Traffic, Transport};
use crate::runtime::settings::Settings;
use crate::runtime::worker::Worker;

/// How much of one request may wait to be passed on.
const STREAM_WINDOW: u32 = 1 << 20;
/// How much all requests of one connection may hold, so that many connections do not hold much.
const CONNECTION_WINDOW: u32 = 4 << 20;
/// How much of one answer may wait in the connection.
const MAX_UNSENT: usize = 128 << 10;
/// How many streams may be reset before they were accepted: rapid reset (CVE-2023-44487). Those that
/// were accepted are counted as [`crate::runtime::http2::flood`] says.
const MAX_RESET_UNSEEN: usize = 50;
/// How many streams may be reset by us for what is wrong with them.
const MAX_WRONG: usize = 1024;
/// How many streams that were reset by us in the last second are remembered: what a client still
/// sends on them, as the rest of a body that nobody wants, is no fault of its own.
const MAX_REMEMBERED: usize = 4096;
/// How long a connection may take to end once it was told that it is over.
const GOODBYE: Duration = Duration::from_secs(1);

/// A connection, as its streams know it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) worker: Rc<Worker>,
    pub(super) peer: SocketAddr,
    pub(super) is_tls: bool,
    /// The deadline of the connection itself.
    deadline: Rc<Deadline>,
    /// When it is over if nothing comes, as long as it has no stream: in milliseconds of the worker.
    idle_due: Cell<u64>,
    traffic: Rc<Traffic>,
    streams: Cell<usize>,
    /// Whether it was told that it is over.
    is_over: Cell<bool>,
    /// Deadlines of streams that are over, for those that come.
    watches: RefCell<Vec<Rc<Deadline>>>,
}

/// A stream that is being served, until this is dropped.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) connection: Rc<Connection>,
    pub(super) deadline: Rc<Deadline>,
}

impl Connection {
    pub(super) fn new(worker: Rc<Worker>, peer: SocketAddr, is_tls: bool) -> Rc<Self> {
        let deadline = worker.deadlines.register();
        Rc::new(Self {
            peer,
            is_tls,
            traffic: Rc::new(Traffic::of_client(Rc::clone(&deadline))),
            deadline,
            idle_due: Cell::new(u64::MAX),
            worker,
            streams: Cell::new(0),
            is_over: Cell::new(false),
            watches: RefCell::default(),
        })
    }

    pub(super) async fn serve(self: Rc<Self>, stream: Socket, read: Option<Buffer>) {
        let settings = &self.worker.settings;
        let transport = Transport::new(stream, read, Rc::clone(&self.traffic));
        self.deadline
            .set(self.deadline.after(Some(settings.header_timeout)));
        let handshake = builder(settings).handshake::<_, Bytes>(transport);
        let greeted = self.deadline.within(handshake).await;
        if let Some(Ok(mut h2)) = greeted {
            self.wait_for_streams();
            let (mut is_draining, mut written) = (false, 0);
            poll_fn(|cx| self.poll(cx, &mut h2, &mut is_draining, &mut written)).await;
        }
        let counters = &self.worker.counters;
        counters.received_bytes.add(self.traffic.read_bytes());
        counters.sent_bytes.add(self.traffic.written_bytes());
    }

    fn poll(
        self: &Rc<Self>,
        cx: &mut Context<'_>,
        h2: &mut H2<Transport, Bytes>,
        is_draining: &mut bool,
        written: &mut u64,
    ) -> Poll<()> {
        loop {
            if self.worker.is_draining() && !std::mem::replace(is_draining, true) {
                h2.graceful_shutdown();
                self.wait_for_streams();
            }
            if self.traffic.is_flooded() && !self.is_over.get() {
                self.end(h2, Reason::ENHANCE_YOUR_CALM);
            }
            match h2.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    let serving = self.serving();
                    stream::serve(serving, request, respond);
                }
                // What was wrong has been said to the client.
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending if self.traffic.is_flooded() && !self.is_over.get() => {}
                Poll::Pending if !self.is_due(cx) => return Poll::Pending,
                Poll::Pending if self.is_over.get() => return Poll::Ready(()),
                Poll::Pending if self.head_due() <= self.deadline.now() => {
                    self.end(h2, Reason::ENHANCE_YOUR_CALM);
                }
                // The last of an answer is still on its way.
                Poll::Pending if h2.has_streams() && self.has_written(written) => {
                    self.wait_for_streams();
                }
                Poll::Pending => self.end(h2, Reason::NO_ERROR),
            }
        }
    }

    /// Says that the connection is over, whatever is on it.
    fn end(&self, h2: &mut H2<Transport, Bytes>, reason: Reason) {
        self.is_over.set(true);
        h2.abrupt_shutdown(reason);
        self.idle_due.set(self.deadline.after(Some(GOODBYE)));
    }

    /// Whether a deadline is over; if not, the task is woken when the next one is.
    fn is_due(&self, cx: &Context<'_>) -> bool {
        self.deadline.set(self.due());
        // Where the time of all is over, it ends with the last of its streams, which are told so.
        self.deadline.has_passed(cx) && !self.worker.deadlines.is_shut_down()
    }

    /// The next deadline.
    fn due(&self) -> u64 {
        let idle = self.idle_due.get();
        if self.is_over.get() {
            idle
        } else {
            idle.min(self.head_due())
        }
    }

    /// When a head, or a frame that is no body, must have come to its end if one has begun.
    fn head_due(&self) -> u64 {
        let time = self.worker.settings.header_timeout;
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let since = self.traffic.amid_since();
        since.map_or(u64::MAX, |since| since.saturating_add(time))
    }

    fn has_written(&self, before: &mut u64) -> bool {
        let now = self.traffic.written_bytes();
        std::mem::replace(before, now) != now
    }

    fn serving(self: &Rc<Self>) -> Serving {
        self.streams.set(self.streams.get() + 1);
        self.idle_due.set(u64::MAX);
        let known = self.watches.borrow_mut().pop();
        Serving {
            connection: Rc::clone(self),
            deadline: known.unwrap_or_else(|| self.worker.deadlines.register()),
        }
    }

    /// A connection without streams is kept for only so long.
    fn wait_for_streams(&self) {
        if self.streams.get() == 0 && !self.is_over.get() {
            let time = if self.worker.is_draining() {
                GOODBYE
            } else {
                self.worker.settings.idle_timeout
            };
            self.idle_due.set(self.deadline.after(Some(time)));
            // The task of the connection may sleep on.
            self.deadline.set(self.due());
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let connection = &self.connection;
        connection.streams.set(connection.streams.get() - 1);
        connection.wait_for_streams();
        self.deadline.clear();
        let mut watches = connection.watches.borrow_mut();
        watches.push(Rc::clone(&self.deadline));
    }
}

fn builder(settings: &Settings) -> Builder {
    let most = settings.head_limits.max_head_bytes;
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(settings.streams)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(MAX_UNSENT)
        .max_header_list_size(u32::try_from(most).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(MAX_RESET_UNSEEN)
        .max_local_error_reset_streams(Some(MAX_WRONG))
        .max_concurrent_reset_streams(MAX_REMEMBERED);
    builder
}
