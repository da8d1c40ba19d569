//! The head of a response, as it goes to a client.
//!
//! What is said of one hop goes, as in a request, and so does `Proxy-Authenticate`; `Content-Length`,
//! `Transfer-Encoding`, `Connection` and `Upgrade` are written here. A client that speaks HTTP/1.0
//! knows no chunks: to it, a body without a length ends with the connection.

use crate::http1::edit::{FieldEdits, FieldValue};
use crate::http1::emit::{Passing, write_connection, write_framing};
use crate::http1::grammar::push_number;
use crate::http1::length::BodyLength;
use crate::http1::reason::reason;
use crate::http1::response::{ResponseView, has_no_body};
use crate::http1::send_error::SendError;
use crate::http1::version::Version;

/// What the gateway says of a response that it passes on. It always states HTTP/1.1, the highest
/// version that it speaks (RFC 9110 section 6.2).
#[derive(Clone, Copy, Debug, Default)]
pub struct OutgoingResponse<'a> {
    /// What the client speaks.
    pub to: Version,
    /// Whether the request was HEAD: then no body is sent, and only a length is declared.
    pub is_head: bool,
    /// The body as it is there: of a response passed on, what it has, or, to HEAD and in a 304,
    /// what it declares ([`ResponseView::declared`]). [`Sent::body`] says how it must be sent.
    pub body: BodyLength,
    /// Whether the connection to the client may stay open.
    pub keep_alive: bool,
    /// Changes to the other fields, if there are any.
    pub edits: Option<&'a dyn FieldEdits>,
    /// `Upgrade`, in a 101 or a 426.
    pub upgrade: Option<FieldValue<'a>>,
}

/// What was promised to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// How the body must be sent.
    pub body: BodyLength,
    /// Whether the connection must stay open after it, else it must close.
    pub keep_alive: bool,
}

/// Appends the head of a response that came over HTTP/1.1, interim or final. The lines that stay
/// are copied as they are.
pub fn write_response(
    out: &mut Vec<u8>,
    came: ResponseView<'_>,
    outgoing: &OutgoingResponse<'_>,
) -> Sent {
    let status = came.status();
    let (declared, sent) = promise(status, outgoing);
    write_status_line(out, status, came.reason());
    let passing = Passing::new(outgoing.edits, sent.body);
    passing.write_lines(out, came.bytes(), came.lines(), came.fields_end());
    write_end(out, status, declared, sent, outgoing);
    sent
}

/// Appends the head of a response that came by other ways, as over HTTP/2.
///
/// # Errors
/// If `status` is in no class, or a field has a line end in it; nothing is appended then.
pub fn write_response_of_fields<'f>(
    out: &mut Vec<u8>,
    status: u16,
    fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
    outgoing: &OutgoingResponse<'_>,
) -> Result<Sent, SendError> {
    if !(100..600).contains(&status) {
        return Err(SendError::Status);
    }
    let before = out.len();
    let (declared, sent) = promise(status, outgoing);
    write_status_line(out, status, reason(status).as_bytes());
    let passing = Passing::new(outgoing.edits, sent.body);
    passing
        .write_pairs(out, fields)
        .inspect_err(|_| out.truncate(before))?;
    write_end(out, status, declared, sent, outgoing);
    Ok(sent)
}

pub(crate) fn write_status_line(out: &mut Vec<u8>, status: u16, reason: &[u8]) {
    out.extend_from_slice(b"HTTP/1.1 ");
    push_number(out, status.into(), 10);
    out.push(b' ');
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
}

/// What the fields will say of the length, and what that promises.
fn promise(status: u16, outgoing: &OutgoingResponse<'_>) -> (BodyLength, Sent) {
    let keep_alive = outgoing.keep_alive;
    let sent = |body, keep_alive| Sent { body, keep_alive };
    if has_no_body(status) || outgoing.is_head {
        // RFC 9110 section 8.6 and RFC 9112 section 6.1: in a 1xx or 204 neither may stand.
        let may_stand = status >= 200 && status != 204;
        let declared = match outgoing.body {
            BodyLength::Length(length) if may_stand => BodyLength::Length(length),
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

fn write_end(
    out: &mut Vec<u8>,
    status: u16,
    declared: BodyLength,
    sent: Sent,
    outgoing: &OutgoingResponse<'_>,
) {
    write_framing(out, declared);
    let options: &[&[u8]] = match (status, sent.keep_alive, outgoing.to) {
        // The connection is not over before the final response, or no longer ours after 101.
        (100..200, _, _) | (_, true, Version::Http11) => &[],
        (_, false, _) => &[b"close"],
        (_, true, Version::Http10) => &[b"keep-alive"],
    };
    write_connection(out, options, outgoing.upgrade);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
