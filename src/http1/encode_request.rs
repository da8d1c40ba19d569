//! Encoding the head of a request to an upstream.
//!
//! Hop-by-hop fields are not forwarded (RFC 9110 section 7.6.1): `Connection` and the fields it
//! lists, `Keep-Alive`, `Proxy-Connection`, `TE`, `Transfer-Encoding` and `Upgrade`; nor is
//! `Proxy-Authorization`, which is meant for a proxy that the client chose (section 11.7.2).
//! `Connection` cannot remove `Host`, the framing, `Authorization`, `Cache-Control`,
//! `Content-Type`, `Cookie` or `Date`.
//!
//! The encoder itself writes `Content-Length`, `Transfer-Encoding`, `TE`, `Upgrade`, `Connection`,
//! and `Host` unless the received one is still valid.

use crate::http1::encode::{
    FieldEdits, FieldValue, ForwardedFields, write_connection, write_field, write_framing,
};
use crate::http1::error::EncodeError;
use crate::http1::framing::BodyLength;
use crate::http1::grammar::{find_target_end, is_token};
use crate::http1::request_head::RequestView;

/// The properties of an outgoing request. Its version is always HTTP/1.1.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutgoingRequest<'a> {
    /// A token.
    pub method: &'a str,
    /// Path and query, or `*`, in parts that are concatenated.
    pub target: &'a [&'a str],
    /// The value of `Host`. If `None`, that of the received request: the authority of an absolute
    /// target (RFC 9112 section 3.2.2), else its `Host`, else an empty value.
    pub host: Option<FieldValue<'a>>,
    /// How the body will be sent.
    pub body: BodyLength,
    /// Changes to the other fields.
    pub edits: Option<&'a dyn FieldEdits>,
    /// Whether the response may have trailers: `TE: trailers`.
    pub te_trailers: bool,
    /// The value of `Upgrade`: the protocols that the client offers.
    pub upgrade: Option<FieldValue<'a>>,
    /// Whether the connection closes after this request.
    pub close: bool,
}

/// Appends the head of a request that was received over HTTP/1.1. Forwarded field lines are copied
/// unchanged.
///
/// # Errors
/// If a recipient could not read the head as it is meant. Then nothing is appended.
pub fn write_request(
    out: &mut Vec<u8>,
    received: RequestView<'_>,
    outgoing: &OutgoingRequest<'_>,
) -> Result<(), EncodeError> {
    write_start(out, outgoing)?;
    let mut forwarded = ForwardedFields::new(outgoing.edits, outgoing.body);
    match outgoing.host {
        Some(host) => write_field(out, b"Host", host.as_bytes()),
        None if received.is_absolute() || !received.has_host_field() => {
            write_field(out, b"Host", received.host().unwrap_or_default().as_bytes());
        }
        None => forwarded.includes_host = true,
    }
    forwarded.copy_lines(out, received.bytes, received.lines(), received.fields_end());
    write_end(out, outgoing);
    Ok(())
}

/// Appends the head of a request that was received over another protocol, such as HTTP/2. `Host`
/// among `fields` is ignored: [`OutgoingRequest::host`] must be the `:authority`. Several `Cookie`
/// fields become one (RFC 9113 section 8.2.3).
///
/// # Errors
/// If a recipient could not read the head as it is meant, or a field is invalid. Then nothing is
/// appended.
pub fn write_request_from_fields<'f>(
    out: &mut Vec<u8>,
    fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
    outgoing: &OutgoingRequest<'_>,
) -> Result<(), EncodeError> {
    let before = out.len();
    write_start(out, outgoing)?;
    let host = outgoing.host.map(FieldValue::as_bytes);
    write_field(out, b"Host", host.unwrap_or_default());
    let forwarded = ForwardedFields::new(outgoing.edits, outgoing.body);
    forwarded
        .write_pairs(out, fields)
        .inspect_err(|_| out.truncate(before))?;
    write_end(out, outgoing);
    Ok(())
}

/// Writes the request line, after checking all that can make the head invalid.
fn write_start(out: &mut Vec<u8>, outgoing: &OutgoingRequest<'_>) -> Result<(), EncodeError> {
    let is_invalid = |part: &&str| find_target_end(part.as_bytes(), 0).is_some();
    if !is_token(outgoing.method.as_bytes()) {
        return Err(EncodeError::Method);
    }
    let target = outgoing.target;
    if target.iter().all(|part| part.is_empty()) || target.iter().any(is_invalid) {
        return Err(EncodeError::Target);
    }
    if outgoing.body == BodyLength::UntilClose {
        return Err(EncodeError::UntilClose);
    }
    out.extend_from_slice(outgoing.method.as_bytes());
    out.push(b' ');
    for part in target {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(b" HTTP/1.1\r\n");
    Ok(())
}

/// Writes the fields that belong to this hop, and the end of the head.
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
