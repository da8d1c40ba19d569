//! The gateway's own answers over HTTP/2.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, header};

use crate::frontend::http::own::OwnAnswer;
use crate::http1::response::has_no_body;
use crate::runtime::forward::requester::StreamClient;
use crate::runtime::worker::Worker;

/// Sends an answer of the gateway's own. What the client still sends is not wanted then.
pub(super) fn send(worker: &Worker, client: &mut StreamClient, answer: &OwnAnswer) {
    worker.counters.own_answers.add(1);
    worker.counters.response(answer.status);
    let mut head = Response::new(());
    if let Ok(status) = answer.status.try_into() {
        *head.status_mut() = status;
    }
    let fields = head.headers_mut();
    if let Ok(date) = HeaderValue::from_str(&worker.date()) {
        fields.insert(header::DATE, date);
    }
    for (name, value) in &answer.fields {
        if let Ok(value) = HeaderValue::from_str(value) {
            fields.append(HeaderName::from_static(name), value);
        }
    }
    let has_body = !has_no_body(answer.status);
    if has_body {
        fields.insert(header::CONTENT_LENGTH, answer.body.len().into());
    }
    let is_sent = has_body && !answer.is_head && !answer.body.is_empty();
    // It fails only where the client has left.
    if client.send_head(head, !is_sent).is_ok()
        && is_sent
        && let Some(body) = &mut client.answer
    {
        let _ = body.send(Bytes::copy_from_slice(&answer.body), true);
    }
}
