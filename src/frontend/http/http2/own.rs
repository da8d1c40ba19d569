//! The gateway's own answers over HTTP/2.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, header};

use crate::engine::semantics::error::Cause;
use crate::frontend::http::admission::{Own, problem_unread};
use crate::http1::response::has_no_body;
use crate::runtime::proxy::requester::Http2Client;
use crate::runtime::worker::{Scratch, Worker};

/// Sends an answer of the gateway's own. What the client still sends is not wanted then.
pub(super) fn send(
    worker: &Worker,
    client: &mut Http2Client,
    own: &Own,
    scratch: &Scratch,
    is_head: bool,
) {
    worker.counters.own_answers.add(1);
    worker.counters.response(own.status);
    let mut head = Response::new(());
    if let Ok(status) = own.status.try_into() {
        *head.status_mut() = status;
    }
    let fields = head.headers_mut();
    if let Ok(date) = HeaderValue::from_str(&worker.date()) {
        fields.insert(header::DATE, date);
    }
    for (name, value) in scratch.edits.added() {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            fields.append(name, value);
        }
    }
    let has_body = !has_no_body(own.status);
    // An answer of gRPC is all in its head.
    if has_body && !fields.contains_key("grpc-status") {
        fields.insert(header::CONTENT_LENGTH, scratch.body.len().into());
    }
    let is_sent = has_body && !is_head && !scratch.body.is_empty();
    // It fails only where the client has left.
    if client.send_head(head, !is_sent).is_ok()
        && is_sent
        && let Some(body) = &mut client.answer
    {
        let _ = body.send(Bytes::copy_from_slice(&scratch.body), true);
    }
}

/// Answers what is no request that could be admitted; `grpc` is the type of the answer to a call of
/// gRPC.
pub(super) fn send_cause(
    worker: &Worker,
    client: &mut Http2Client,
    cause: &Cause<'_>,
    is_head: bool,
    grpc: Option<&'static str>,
) -> Own {
    let mut scratch = worker.take_scratch();
    let own = problem_unread(cause, worker, grpc, &mut scratch);
    send(worker, client, &own, &scratch, is_head);
    worker.give_scratch(scratch);
    own
}
