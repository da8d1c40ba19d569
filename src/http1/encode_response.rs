//! Encoding the head of a response to a client, and local responses.
//!
//! Hop-by-hop fields are not forwarded, as in a request, and neither is `Proxy-Authenticate`. The
//! encoder itself writes `Content-Length`, `Transfer-Encoding`, `Connection` and `Upgrade`. To an
//! HTTP/1.0 client, which does not know the chunked coding, a body of unknown length ends when the
//! connection closes.

use http::StatusCode;

use crate::http1::encode::{
    FieldEdits, FieldValue, ForwardedFields, write_added, write_connection, write_field,
    write_framing,
};
use crate::http1::error::EncodeError;
use crate::http1::framing::{BodyLength, has_no_body};
use crate::http1::grammar::{Version, push_number};
use crate::http1::response_head::ResponseView;

/// The properties of a response that is forwarded. Its version is always HTTP/1.1, the highest one
/// that the gateway supports (RFC 9110 section 6.2).
#[derive(Clone, Copy, Debug, Default)]
pub struct OutgoingResponse<'a> {
    /// The version of the client's request.
    pub to: Version,
    /// Whether the request is HEAD: no body is sent, and only its length is declared.
    pub is_head: bool,
    /// The body as the gateway has it: [`ResponseView::framing`], or [`ResponseView::declared`] in
    /// a response to HEAD and in a 304. [`SentFraming::body`] is how it must be sent.
    pub body: BodyLength,
    /// Whether the client's connection may persist.
    pub keep_alive: bool,
    /// Changes to the other fields.
    pub edits: Option<&'a dyn FieldEdits>,
    /// The value of `Upgrade`, in a 101 or a 426.
    pub upgrade: Option<FieldValue<'a>>,
}

/// What an encoded head declares, and its sender must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentFraming {
    /// How the body must be sent.
    pub body: BodyLength,
    /// Whether the connection must persist after the body; otherwise it must close.
    pub keep_alive: bool,
}

/// A local response: the gateway generates it.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingLocalResponse<'a> {
    /// From 200 to 599.
    pub status: u16,
    /// The value of `Date`, which an origin server must send (RFC 9110 section 6.6.1).
    pub date: FieldValue<'a>,
    /// All other fields: those that the edits add.
    pub fields: Option<&'a dyn FieldEdits>,
    /// The whole body.
    pub body: &'a [u8],
    /// The version of the client's request.
    pub to: Version,
    /// Whether the request is HEAD: the length of the body is declared, but it is not sent.
    pub is_head: bool,
    /// Whether the connection persists.
    pub keep_alive: bool,
}

/// Appends the head of a response that was received over HTTP/1.1, interim or final. Forwarded field
/// lines are copied unchanged.
pub fn write_response(
    out: &mut Vec<u8>,
    received: ResponseView<'_>,
    outgoing: &OutgoingResponse<'_>,
) -> SentFraming {
    let status = received.status();
    let (declared, sent) = framing(status, outgoing);
    write_status_line(out, status, received.reason());
    let forwarded = ForwardedFields::new(outgoing.edits, sent.body);
    forwarded.copy_lines(out, received.bytes, received.lines(), received.fields_end());
    write_end(out, status, declared, sent, outgoing);
    sent
}

/// Appends the head of a response that was received over another protocol, such as HTTP/2.
///
/// # Errors
/// If `status` is not from 100 to 599, or a field is invalid. Then nothing is appended.
pub fn write_response_from_fields<'f>(
    out: &mut Vec<u8>,
    status: u16,
    fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
    outgoing: &OutgoingResponse<'_>,
) -> Result<SentFraming, EncodeError> {
    if !(100..600).contains(&status) {
        return Err(EncodeError::Status);
    }
    let before = out.len();
    let (declared, sent) = framing(status, outgoing);
    write_status_line(out, status, canonical_reason(status));
    let forwarded = ForwardedFields::new(outgoing.edits, sent.body);
    forwarded
        .write_pairs(out, fields)
        .inspect_err(|_| out.truncate(before))?;
    write_end(out, status, declared, sent, outgoing);
    Ok(sent)
}

/// Appends a local response, head and body.
pub fn write_local_response(out: &mut Vec<u8>, response: &OutgoingLocalResponse<'_>) {
    write_status_line(out, response.status, canonical_reason(response.status));
    write_field(out, b"Date", response.date.as_bytes());
    if let Some(fields) = response.fields {
        write_added(out, fields);
    }
    let has_body = !has_no_body(response.status);
    if has_body {
        let length = u64::try_from(response.body.len()).unwrap_or(u64::MAX);
        write_framing(out, BodyLength::Length(length));
    }
    for option in persistence(response.keep_alive, response.to) {
        write_field(out, b"Connection", option);
    }
    out.extend_from_slice(b"\r\n");
    if has_body && !response.is_head {
        out.extend_from_slice(response.body);
    }
}

/// Writes a status line. The space after the status is required even if the reason is empty (RFC
/// 9112 section 4).
fn write_status_line(out: &mut Vec<u8>, status: u16, reason: &[u8]) {
    out.extend_from_slice(b"HTTP/1.1 ");
    push_number(out, status.into(), 10);
    out.push(b' ');
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
}

/// The reason phrase of a status; empty for one that is not registered.
fn canonical_reason(status: u16) -> &'static [u8] {
    let status = StatusCode::from_u16(status).ok();
    let reason = status.and_then(|status| status.canonical_reason());
    reason.unwrap_or_default().as_bytes()
}

/// The body length that the fields declare, and what the sender must do.
fn framing(status: u16, outgoing: &OutgoingResponse<'_>) -> (BodyLength, SentFraming) {
    let keep_alive = outgoing.keep_alive;
    let sent = |body, keep_alive| SentFraming { body, keep_alive };
    if has_no_body(status) || outgoing.is_head {
        // RFC 9110 section 8.6 and RFC 9112 section 6.1 forbid both fields in a 1xx and a 204.
        let may_declare = status >= 200 && status != 204;
        let declared = match outgoing.body {
            BodyLength::Length(length) if may_declare => BodyLength::Length(length),
            BodyLength::None
            | BodyLength::Length(_)
            | BodyLength::Chunked
            | BodyLength::UntilClose => BodyLength::None,
        };
        return (declared, sent(BodyLength::None, keep_alive));
    }
    let body = match (outgoing.body, outgoing.to) {
        (BodyLength::None, _) => BodyLength::Length(0),
        (BodyLength::Length(length), _) => BodyLength::Length(length),
        (BodyLength::Chunked | BodyLength::UntilClose, Version::Http11) => BodyLength::Chunked,
        (BodyLength::Chunked | BodyLength::UntilClose, Version::Http10) => BodyLength::UntilClose,
    };
    (
        body,
        sent(body, keep_alive && body != BodyLength::UntilClose),
    )
}

/// Writes the fields that belong to this hop, and the end of the head.
fn write_end(
    out: &mut Vec<u8>,
    status: u16,
    declared: BodyLength,
    sent: SentFraming,
    outgoing: &OutgoingResponse<'_>,
) {
    write_framing(out, declared);
    let options = match status {
        // The connection outlives an interim response, and is a tunnel after a 101.
        100..200 => &[],
        _ => persistence(sent.keep_alive, outgoing.to),
    };
    write_connection(out, options, outgoing.upgrade);
    out.extend_from_slice(b"\r\n");
}

/// The connection option for a response to a client that speaks `to` (RFC 9112 section 9.3).
const fn persistence(keep_alive: bool, to: Version) -> &'static [&'static [u8]] {
    match (keep_alive, to) {
        (true, Version::Http11) => &[],
        (true, Version::Http10) => &[b"keep-alive"],
        (false, _) => &[b"close"],
    }
}
