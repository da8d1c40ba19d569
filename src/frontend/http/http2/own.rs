//! The gateway's own answers over HTTP/2.

use bytes::Bytes;
use h2::Reason;
use http::{HeaderName, HeaderValue, Response, header};

use crate::engine::semantics::fault::Cause;
use crate::engine::semantics::identity::RequestId;
use crate::engine::semantics::noted::Noted;
use crate::engine::semantics::problem::Problem;
use crate::frontend::http::admission::Own;
use crate::http1::response::has_no_body;
use crate::runtime::forward::requester::StreamClient;
use crate::runtime::worker::{Scratch, Worker};

/// Answers what is no request that could be admitted; `grpc` is the type of the answer if it is one
/// of gRPC.
pub(super) fn send_cause(
    worker: &Worker,
    client: &mut StreamClient,
    cause: &Cause<'_>,
    is_head: bool,
    grpc: Option<&'static str>,
) {
    let mut scratch = worker.take_scratch();
    let random = worker.random();
    let problem = Problem {
        cause,
        id: &RequestId::of(&Noted::default(), &random),
        pseudonym: &worker.settings.via,
        grpc,
    };
    let own = Own {
        status: problem.write(&mut scratch.edits, &mut scratch.body),
        code: Some(cause.code()),
        ends_connection: false,
    };
    send(worker, client, &own, &scratch, is_head);
    worker.give_scratch(scratch);
}

/// Sends an answer, and gives how long its body is. What the client still sends is not wanted then.
pub(super) fn send(
    worker: &Worker,
    client: &mut StreamClient,
    own: &Own,
    scratch: &Scratch,
    is_head: bool,
) -> u64 {
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
    // An answer of gRPC is a head that is all of it.
    let is_whole = fields.contains_key("grpc-status") && scratch.body.is_empty();
    let has_body = !has_no_body(own.status) && !is_whole;
    if has_body {
        fields.insert(header::CONTENT_LENGTH, scratch.body.len().into());
    }
    let is_sent = has_body && !is_head && !scratch.body.is_empty();
    // It fails only where the client has left.
    if client.send_head(head, !is_sent).is_ok()
        && is_sent
        && let Some(answer) = &mut client.answer
        && answer
            .send(Bytes::copy_from_slice(&scratch.body), true)
            .is_err()
    {
        client.reset(Reason::INTERNAL_ERROR);
    }
    u64::try_from(scratch.body.len()).unwrap_or(0)
}
