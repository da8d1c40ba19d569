//! The target of a request, in one of its forms (RFC 9112 section 3.2).

use crate::http1::grammar::host_fault;
use crate::http1::request_error::RequestError;
use crate::http1::span::Span;

/// A target that is in the form its method asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target {
    /// Without its fragment, which is no part of what is asked for (RFC 9110 section 7.1): nobody
    /// after us may read one out of it.
    pub(crate) whole: Span,
    /// Of the absolute form: host and port.
    pub(crate) authority: Option<Span>,
    /// Path and query: all of it, or what follows the authority, which may lack the first slash.
    pub(crate) path: Span,
}

/// The target from `start` to `end`, which has no byte but the graphic ones of ASCII.
pub(crate) fn read_target(
    method: &[u8],
    bytes: &[u8],
    start: usize,
    end: usize,
) -> Result<Target, RequestError> {
    if method == b"CONNECT" {
        return Err(RequestError::Connect);
    }
    let text = bytes.get(start..end).unwrap_or_default();
    let fragment = memchr::memchr(b'#', text);
    let text = text
        .get(..fragment.unwrap_or(text.len()))
        .unwrap_or_default();
    let whole = Span::new(start, start + text.len());
    let of_itself = Target {
        whole,
        authority: None,
        path: whole,
    };
    match text {
        [b'/', ..] => return Ok(of_itself),
        b"*" if method == b"OPTIONS" => return Ok(of_itself),
        b"*" => return Err(target_fault("`*` is for OPTIONS alone")),
        _ => {}
    }
    let scheme = ["https://", "http://"].into_iter().find(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
    });
    let Some(scheme) = scheme else {
        return Err(target_fault(
            "it begins with neither `/` nor http:// nor https://",
        ));
    };
    let rest = text.get(scheme.len()..).unwrap_or_default();
    let length = rest.iter().position(|byte| matches!(byte, b'/' | b'?'));
    let authority = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
    if authority.is_empty() {
        // RFC 9110 section 4.2.1: such a URI must be refused.
        return Err(target_fault("it names no host"));
    }
    if let Some(what) = host_fault(authority) {
        return Err(target_fault(what));
    }
    let host = start + scheme.len();
    Ok(Target {
        whole,
        authority: Some(Span::new(host, host + authority.len())),
        path: Span::new(host + authority.len(), whole.end()),
    })
}

fn target_fault(what: &'static str) -> RequestError {
    RequestError::Target { what }
}
