//! The head of a request, as it goes to an upstream.
//!
//! Never passed on are the fields of one hop (RFC 9110 section 7.6.1): `Connection` and what it
//! names, `Keep-Alive`, `Proxy-Connection`, `TE`, `Transfer-Encoding`, `Upgrade`; nor
//! `Proxy-Authorization`, which speaks to a proxy that the client chose (section 11.7.2), and this
//! gateway is none. `Connection` may not name away what a message needs: `Host`, the framing, and
//! `Authorization`, `Cache-Control`, `Content-Type`, `Cookie`, `Date`.
//!
//! `Host`, `Content-Length`, `Transfer-Encoding`, `TE`, `Upgrade` and `Connection` are written here
//! or not at all; only a `Host` that holds is copied with the lines beside it.

use crate::http1::edit::{FieldEdits, FieldValue};
use crate::http1::emit::{Passing, write_connection, write_field, write_framing};
use crate::http1::grammar::{find_target_end, is_token};
use crate::http1::length::BodyLength;
use crate::http1::request::RequestView;
use crate::http1::send_error::SendError;

/// What the gateway says of a request that it passes on. It always speaks HTTP/1.1.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutgoingRequest<'a> {
    /// A token.
    pub method: &'a str,
    /// Path and query, or `*`, in pieces that are written one after the other.
    pub target: &'a [&'a str],
    /// The value of `Host`; without one, that of the request: of its target if that is absolute
    /// (RFC 9112 section 3.2.2), else its `Host`, else an empty one.
    pub host: Option<FieldValue<'a>>,
    /// How the body will be sent.
    pub body: BodyLength,
    /// Changes to the other fields, if there are any.
    pub edits: Option<&'a dyn FieldEdits>,
    /// Whether trailers are welcome in the response: `TE: trailers`.
    pub te_trailers: bool,
    /// The protocols to change to, if the request asks for that: `Upgrade`.
    pub upgrade: Option<FieldValue<'a>>,
    /// Whether the connection is to close after this request.
    pub close: bool,
}

/// Appends the head of a request that came over HTTP/1.1. The lines that stay are copied as they
/// are.
///
/// # Errors
/// If it could not be read as it is meant; nothing is appended then.
pub fn write_request(
    out: &mut Vec<u8>,
    came: RequestView<'_>,
    outgoing: &OutgoingRequest<'_>,
) -> Result<(), SendError> {
    write_start(out, outgoing)?;
    let mut passing = Passing::new(outgoing.edits, outgoing.body);
    match outgoing.host {
        Some(host) => write_field(out, b"Host", host.as_bytes()),
        None if came.is_absolute() || !came.has_host_field() => {
            write_field(out, b"Host", came.host().unwrap_or_default().as_bytes());
        }
        None => passing.host = true,
    }
    passing.write_lines(out, came.bytes(), came.lines(), came.fields_end());
    write_end(out, outgoing);
    Ok(())
}

/// Appends the head of a request that came by other ways, as over HTTP/2. `Host` among `fields` is
/// not looked at: [`OutgoingRequest::host`] must be what `:authority` was. Several `Cookie` become
/// one (RFC 9113 section 8.2.3).
///
/// # Errors
/// If it could not be read as it is meant, or a field has a line end in it; nothing is appended
/// then.
pub fn write_request_of_fields<'f>(
    out: &mut Vec<u8>,
    fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
    outgoing: &OutgoingRequest<'_>,
) -> Result<(), SendError> {
    let before = out.len();
    write_start(out, outgoing)?;
    let host = outgoing.host.map(FieldValue::as_bytes);
    write_field(out, b"Host", host.unwrap_or_default());
    let passing = Passing::new(outgoing.edits, outgoing.body);
    passing
        .write_pairs(out, fields)
        .inspect_err(|_| out.truncate(before))?;
    write_end(out, outgoing);
    Ok(())
}

/// The request line, if all can be sent.
fn write_start(out: &mut Vec<u8>, outgoing: &OutgoingRequest<'_>) -> Result<(), SendError> {
    let is_wrong = |piece: &&str| find_target_end(piece.as_bytes(), 0).is_some();
    if !is_token(outgoing.method.as_bytes()) {
        return Err(SendError::Method);
    }
    if outgoing.target.iter().all(|piece| piece.is_empty()) || outgoing.target.iter().any(is_wrong)
    {
        return Err(SendError::Target);
    }
    if outgoing.body == BodyLength::UntilClose {
        return Err(SendError::UntilClose);
    }
    out.extend_from_slice(outgoing.method.as_bytes());
    out.push(b' ');
    for piece in outgoing.target {
        out.extend_from_slice(piece.as_bytes());
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
    Ok(())
}

fn write_end(out: &mut Vec<u8>, outgoing: &OutgoingRequest<'_>) {
    write_framing(out, outgoing.body);
    let options: &[&[u8]] = match (outgoing.close, outgoing.te_trailers) {
        (false, false) => &[],
        (true, false) => &[b"close"],
        (false, true) => &[b"TE"],
        (true, true) => &[b"close", b"TE"],
    };
    write_connection(out, options, outgoing.upgrade);
    if outgoing.te_trailers {
        write_field(out, b"TE", b"trailers");
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
