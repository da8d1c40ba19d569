//! The gateway's own answers over HTTP/2.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};

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

/// Whether a request is a call of gRPC.
pub(super) fn is_grpc(fields: &HeaderMap) -> bool {
    let kind = fields.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"application/grpc"))
}

/// The same in the words of gRPC: a status in a head that is all of the answer ("Trailers-Only").
pub(super) fn send_to_grpc(worker: &Worker, client: &mut StreamClient, answer: &OwnAnswer) {
    worker.counters.own_answers.add(1);
    worker.counters.response(200);
    let mut head = Response::new(());
    let fields = head.headers_mut();
    let kind = HeaderValue::from_static("application/grpc");
    fields.insert(header::CONTENT_TYPE, kind);
    fields.insert("grpc-status", grpc_status(answer.status).into());
    let message = percent_encoded(&answer.body);
    if let Ok(message) = HeaderValue::from_str(&message) {
        fields.insert("grpc-message", message);
    }
    let _ = client.send_head(head, true);
}

/// What a status of HTTP is to gRPC (its `http-grpc-status-mapping`), but that a time-out is one.
const fn grpc_status(status: u16) -> u16 {
    match status {
        400 | 431 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        413 => 8,
        408 | 504 => 4,
        429 | 502 | 503 => 14,
        _ => 2,
    }
}

/// Text as `grpc-message` has it: graphic ASCII without the percent sign.
fn percent_encoded(text: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text {
        match byte {
            b' '..=b'~' if *byte != b'%' => encoded.push(char::from(*byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        assert_eq!(percent_encoded("a% \n\u{e9}".as_bytes()), "a%25 %0A%C3%A9");
    }
}
