//! Waits for the head of the next request.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::http1::request::RequestHead;
use crate::http1::request_error::RequestError;
use crate::runtime::connection::Http1Connection;
use crate::runtime::deadline::Deadline;
use crate::runtime::worker::Worker;

/// What a client sent instead of a whole head.
#[derive(Debug)]
pub(super) enum NoHead {
    /// Nothing: it closed, broke, or was silent for as long as it may be.
    Over,
    /// The beginning of one, and then nothing for too long.
    TooSlow,
    /// What cannot be one.
    Diagnostic(RequestError),
    /// HTTP/2, without having been asked (RFC 9113, section 3.3).
    Http2,
}

/// How long a request may still take to come once the process is to stop: it may be on its way
/// already, and would be lost if its connection were closed at once.
const LAST_REQUEST: Duration = Duration::from_millis(500);

/// How a client begins that speaks HTTP/2 (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads the head of the next request, and gives it with its length.
pub(super) async fn read_head(
    worker: &Worker,
    deadline: &Deadline,
    connection: &mut Http1Connection,
    is_first: bool,
) -> Result<(Box<RequestHead>, usize), NoHead> {
    let settings = &worker.settings;
    let mut reading = Reading {
        head: None,
        is_first,
        is_timed: false,
        is_last: false,
    };
    deadline.set(deadline.after(Some(settings.idle_timeout)));
    let read = poll_fn(|cx| reading.poll(cx, worker, deadline, connection)).await;
    deadline.clear();
    match (read, reading.head) {
        (Ok(length), Some(head)) => Ok((head, length)),
        (read, head) => {
            head.into_iter()
                .for_each(|head| worker.give_request_head(head));
            Err(read.err().unwrap_or(NoHead::Over))
        }
    }
}

struct Reading {
    /// Taken with the first byte: who waits has none.
    head: Option<Box<RequestHead>>,
    is_first: bool,
    is_timed: bool,
    /// Whether it is the last that may come, as the process is to stop.
    is_last: bool,
}

impl Reading {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        worker: &Worker,
        deadline: &Deadline,
        connection: &mut Http1Connection,
    ) -> Poll<Result<usize, NoHead>> {
        loop {
            if !connection.data().is_empty() {
                if self.is_first && is_preface(connection.data()) {
                    if connection.data().len() >= PREFACE.len() {
                        return Poll::Ready(Err(NoHead::Http2));
                    }
                } else {
                    let head = self.head.get_or_insert_with(|| worker.take_request_head());
                    let parsed = head.parse(connection.data(), &worker.settings.head_limits);
                    if let Some(length) = parsed.map_err(NoHead::Diagnostic)? {
                        return Poll::Ready(Ok(length));
                    }
                }
                if !self.is_timed {
                    self.is_timed = true;
                    deadline.set(deadline.after(Some(worker.settings.header_timeout)));
                }
                connection.ensure_space();
            }
            match connection.poll_fill(cx, &worker.buffers) {
                Poll::Ready(Ok(length)) if length > 0 => {}
                Poll::Ready(_) => return Poll::Ready(Err(NoHead::Over)),
                Poll::Pending if deadline.has_passed(cx) => {
                    return Poll::Ready(Err(if self.is_begun() {
                        NoHead::TooSlow
                    } else {
                        NoHead::Over
                    }));
                }
                Poll::Pending => {
                    if worker.is_draining() && !self.is_begun() && !self.is_last {
                        self.is_last = true;
                        let time = worker.settings.idle_timeout.min(LAST_REQUEST);
                        deadline.set(deadline.after(Some(time)));
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    fn is_begun(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.is_begun())
    }
}

/// Whether this may be, or become, the beginning of HTTP/2.
fn is_preface(data: &[u8]) -> bool {
    let length = data.len().min(PREFACE.len());
    // `P` alone may become `POST` as well, and is looked at again with the next byte.
    length >= 3 && data.get(..length) == PREFACE.get(..length)
}
