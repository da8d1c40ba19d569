//! The gateway's own answers over HTTP/1.1.

use std::future::poll_fn;
use std::task::Poll;

use crate::engine::semantics::Protocol;
use crate::engine::semantics::error::{Cause, RequestError};
use crate::frontend::http::admission::{Own, problem_unread};
use crate::frontend::http::connection::Next;
use crate::frontend::http::outcome::log_unread;
use crate::http1;
use crate::http1::edit::FieldValue;
use crate::http1::own_response::{OwnResponse, write_own_response};
use crate::http1::request::RequestView;
use crate::http1::version::Version;
use crate::runtime::sweep::Watch;
use crate::runtime::wire::Wire;
use crate::runtime::worker::{Scratch, Worker};

/// How an answer is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) to: Version,
    pub(super) is_head: bool,
    pub(super) keep_alive: bool,
}

impl Manner {
    /// What fits a request, of which nothing more is to be read if `is_read`.
    pub(super) fn of(view: RequestView<'_>, is_read: bool, worker: &Worker) -> Self {
        Self {
            to: view.version(),
            is_head: view.method() == "HEAD",
            keep_alive: is_read && view.keeps_alive() && !worker.is_draining(),
        }
    }

    const LAST: Self = Self {
        to: Version::Http11,
        is_head: false,
        keep_alive: false,
    };
}

/// Answers what cannot be read as a request.
pub(super) async fn send_fault(
    worker: &Worker,
    watch: &Watch,
    wire: &mut Wire,
    fault: &http1::request_error::RequestError,
) -> Next {
    let cause = Cause::Codec {
        code: fault.code(),
        status: fault.status(),
        message: fault.to_string(),
    };
    send_cause(worker, watch, wire, &cause).await
}

/// Answers a head that does not come to its end.
pub(super) async fn send_too_slow(worker: &Worker, watch: &Watch, wire: &mut Wire) -> Next {
    send_cause(worker, watch, wire, &RequestError::Timeout.into()).await
}

/// Answers a connection on which no request was read.
pub(super) async fn send_cause(
    worker: &Worker,
    watch: &Watch,
    wire: &mut Wire,
    cause: &Cause<'_>,
) -> Next {
    let mut scratch = worker.take_scratch();
    let own = problem_unread(cause, worker, None, &mut scratch);
    let before = wire.written_bytes;
    let next = send(worker, watch, wire, &own, &scratch, Manner::LAST).await;
    if let Ok(peer) = wire.stream().tcp().peer_addr() {
        let sent = wire.written_bytes - before;
        log_unread(worker, peer.ip(), Protocol::Http11, &own, sent);
    }
    worker.give_scratch(scratch);
    next
}

/// Sends an answer, and says what may follow it.
pub(super) async fn send(
    worker: &Worker,
    watch: &Watch,
    wire: &mut Wire,
    own: &Own,
    scratch: &Scratch,
    manner: Manner,
) -> Next {
    worker.counters.own_answers.add(1);
    worker.counters.response(own.status);
    let keep_alive = manner.keep_alive && !own.ends_connection;
    let date = worker.date();
    let response = OwnResponse {
        status: own.status,
        date: FieldValue::new(date.as_bytes()).unwrap_or_default(),
        fields: Some(&scratch.edits),
        body: &scratch.body,
        to: manner.to,
        is_head: manner.is_head,
        keep_alive,
    };
    write_own_response(wire.output(&worker.buffers), &response);
    watch.set(watch.after(Some(worker.settings.header_timeout)));
    let sent = poll_fn(|cx| match wire.poll_flush(cx) {
        Poll::Pending if watch.is_over(cx) => Poll::Ready(false),
        Poll::Pending => Poll::Pending,
        Poll::Ready(sent) => Poll::Ready(sent.is_ok()),
    })
    .await;
    watch.clear();
    match (sent, keep_alive) {
        (true, true) => Next::Request,
        (true, false) => Next::Close,
        (false, _) => Next::Abort,
    }
}
