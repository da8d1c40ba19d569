//! The head of a request over HTTP/2, with the checks that the `h2` crate does not make.
//!
//! The crate rejects upper case, connection-specific fields, `te` other than `trailers`, missing,
//! repeated, unknown or late pseudo-header fields, an empty `:path`, control characters in values,
//! conflicting lengths, and a body of another length than declared (RFC 9113, section 8).

use std::borrow::Cow;

use http::request::Parts;
use http::{HeaderMap, Method, header};

use crate::engine::semantics::{Cause, RequestError};
use crate::http1::{BodyLength, HeadLimits};
use crate::runtime::http2::fields::content_length;

/// The head of a request.
#[derive(Debug)]
pub(crate) struct Http2RequestHead {
    parts: Parts,
    host: String,
    body: BodyLength,
}

impl Http2RequestHead {
    /// Checks a head. `is_complete` if no body follows.
    ///
    /// # Errors
    /// If the head is not valid, or exceeds a limit.
    pub(crate) fn new(
        parts: Parts,
        is_complete: bool,
        limits: &HeadLimits,
    ) -> Result<Self, Cause<'static>> {
        if parts.method == Method::CONNECT {
            return Err(Cause::Codec {
                code: "http2.connect",
                status: 501,
                message: "CONNECT is not served here".into(),
            });
        }
        let target = target(&parts);
        if !target.starts_with('/') && target != "*" {
            return Err(RequestError::Malformed("its :path does not begin with a slash").into());
        }
        if target.len() > limits.max_target_bytes {
            return Err(RequestError::TargetTooLong.into());
        }
        if parts.headers.len() > limits.max_fields {
            return Err(RequestError::HeaderTooLarge.into());
        }
        let is_padded = |value: &[u8]| matches!(value, [b' ' | b'\t', ..] | [.., b' ' | b'\t']);
        let mut values = parts.headers.values();
        if values.any(|value| is_padded(value.as_bytes())) {
            let what = "the value of a field begins or ends with white space";
            return Err(RequestError::Malformed(what).into());
        }
        let host = host(&parts).map_err(RequestError::Malformed)?.into_owned();
        let body = match content_length(&parts.headers) {
            Some(length) => BodyLength::Length(length),
            None if is_complete => BodyLength::None,
            None => BodyLength::Chunked,
        };
        Ok(Self { parts, host, body })
    }

    pub(crate) fn method(&self) -> &str {
        self.parts.method.as_str()
    }

    /// Path and query, or `*`.
    pub(crate) fn target(&self) -> &str {
        target(&self.parts)
    }

    /// `:authority`, or `Host` in its place.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) const fn fields(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// All fields as pairs of name and value.
    pub(crate) fn field_pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let fields = self.parts.headers.iter();
        fields.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
    }

    pub(crate) const fn body(&self) -> BodyLength {
        self.body
    }

    pub(crate) fn te_trailers(&self) -> bool {
        // The crate admits no other value than `trailers`.
        self.parts.headers.contains_key(header::TE)
    }
}

fn target(parts: &Parts) -> &str {
    parts.uri.path_and_query().map_or("", |it| it.as_str())
}

/// The host, which must be unambiguous (RFC 9113, section 8.3.1).
fn host(parts: &Parts) -> Result<Cow<'_, str>, &'static str> {
    let mut fields = parts.headers.get_all(header::HOST).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err("it has two Host fields");
    }
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    match (authority, field) {
        (Some(authority), _) if authority.contains('@') => Err("its :authority names a user"),
        (Some(authority), Some(field))
            if !authority.as_bytes().eq_ignore_ascii_case(field.as_bytes()) =>
        {
            Err("its :authority is one host, and its Host another")
        }
        (Some(authority), _) => Ok(authority.into()),
        (None, Some(field)) => match field.to_str() {
            Ok(field) if !field.is_empty() => Ok(field.into()),
            _ => Err("its Host is empty or not ASCII"),
        },
        (None, None) => Err("it names no host"),
    }
}
