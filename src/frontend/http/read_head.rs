//! Waits for the head of the next HTTP/1.1 request.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::engine::semantics::Cause;
use crate::http1::RequestHead;
use crate::runtime::{Deadline, Http1Connection, Worker};

/// Why there is no head.
#[derive(Debug)]
pub(super) enum NoHead {
    /// The client closed the connection, or was idle for too long.
    Closed,
    /// The head did not arrive in time.
    Timeout,
    /// What arrived is not a valid head.
    Invalid(Cause<'static>),
    /// The client speaks HTTP/2 with prior knowledge (RFC 9113, section 3.3).
    Http2,
}

/// How long a connection stays open for a request after the worker has started to drain, because the
/// request may already be on its way.
const LAST_REQUEST_TIMEOUT: Duration = Duration::from_millis(500);

/// The client connection preface of HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads the head of the next request and returns it with its length. `is_first` allows HTTP/2.
pub(super) async fn read_head(
    worker: &Worker,
    deadline: &Deadline,
    connection: &mut Http1Connection,
    is_first: bool,
) -> Result<(Box<RequestHead>, usize), NoHead> {
    let mut reader = HeadReader {
        head: None,
        is_first,
        has_head_timeout: false,
        has_drain_timeout: false,
    };
    deadline.set(deadline.after(Some(worker.settings.idle_timeout)));
    let read = poll_fn(|cx| reader.poll(cx, worker, deadline, connection)).await;
    deadline.clear();
    match (read, reader.head) {
        (Ok(length), Some(head)) => Ok((head, length)),
        (read, head) => {
            head.into_iter()
                .for_each(|head| worker.give_request_head(head));
            Err(read.err().unwrap_or(NoHead::Closed))
        }
    }
}

struct HeadReader {
    /// Allocated on the first byte; an idle connection has none.
    head: Option<Box<RequestHead>>,
    is_first: bool,
    /// Whether the header timeout runs, from the first byte on.
    has_head_timeout: bool,
    /// Whether [`LAST_REQUEST_TIMEOUT`] runs.
    has_drain_timeout: bool,
}

impl HeadReader {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        worker: &Worker,
        deadline: &Deadline,
        connection: &mut Http1Connection,
    ) -> Poll<Result<usize, NoHead>> {
        loop {
            if !connection.data().is_empty() {
                if self.is_first && may_be_preface(connection.data()) {
                    if connection.data().len() >= PREFACE.len() {
                        return Poll::Ready(Err(NoHead::Http2));
                    }
                } else if let Some(length) = self.parse(worker, connection)? {
                    return Poll::Ready(Ok(length));
                }
                if !self.has_head_timeout {
                    self.has_head_timeout = true;
                    deadline.set(deadline.after(Some(worker.settings.header_timeout)));
                }
                connection.ensure_space();
            }
            match connection.poll_fill(cx, &worker.buffers) {
                Poll::Ready(Ok(length)) if length > 0 => {}
                Poll::Ready(_) => return Poll::Ready(Err(NoHead::Closed)),
                Poll::Pending if deadline.has_passed(cx) => {
                    return Poll::Ready(Err(if self.has_started() {
                        NoHead::Timeout
                    } else {
                        NoHead::Closed
                    }));
                }
                Poll::Pending => {
                    if worker.is_draining() && !self.has_started() && !self.has_drain_timeout {
                        self.has_drain_timeout = true;
                        let time = worker.settings.idle_timeout.min(LAST_REQUEST_TIMEOUT);
                        deadline.set(deadline.after(Some(time)));
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    /// Parses the input. Returns the length of the head once it is complete.
    fn parse(
        &mut self,
        worker: &Worker,
        connection: &Http1Connection,
    ) -> Result<Option<usize>, NoHead> {
        let head = self.head.get_or_insert_with(|| worker.take_request_head());
        let parsed = head.parse(connection.data(), &worker.settings.head_limits);
        parsed.map_err(|error| {
            NoHead::Invalid(Cause::Codec {
                code: error.code(),
                status: error.status(),
                message: error.to_string(),
            })
        })
    }

    /// Whether a part of the head has arrived.
    fn has_started(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.is_started())
    }
}

/// Whether the input is the preface of HTTP/2, or its start.
fn may_be_preface(data: &[u8]) -> bool {
    let length = data.len().min(PREFACE.len());
    // `P` may also start `POST` or `PUT`: it is checked again with the next bytes.
    length >= 3 && data.get(..length) == PREFACE.get(..length)
}
