//! Error responses of the gateway.
//!
//! The body is `application/problem+json` (RFC 9457) with the stable code. `Proxy-Status` (RFC
//! 9209) tells clients that the gateway generated the response. A gRPC client gets a trailers-only
//! response: 200 with `grpc-status` and no body.

use core::fmt::{Display, Write};

use serde::{Serialize, Serializer};

use crate::engine::routing::ApiVersion;
use crate::engine::semantics::edit::Edits;
use crate::engine::semantics::error::Cause;
use crate::engine::semantics::field_value::ValueWriter;
use crate::engine::semantics::grpc;
use crate::engine::semantics::identity::RequestId;

/// An error response.
#[derive(Debug)]
pub struct Problem<'p> {
    /// The error.
    pub cause: &'p Cause<'p>,
    /// The id of the request.
    pub id: &'p RequestId<'p>,
    /// The name of the gateway in `Proxy-Status`.
    pub pseudonym: &'p str,
    /// The content type of the response to a gRPC request: `grpc::response_type`.
    pub grpc: Option<&'static str>,
}

impl Problem<'_> {
    /// Writes the fields and the body, after clearing both buffers, and returns the HTTP status.
    /// The codec adds the length of the body, and omits the body for `HEAD`.
    pub fn write(&self, edits: &mut Edits, body: &mut Vec<u8>) -> u16 {
        edits.clear();
        body.clear();
        edits.set_with("proxy-status", |to| {
            push_item(to, self.pseudonym);
            to.push(b"; error=");
            to.push(self.cause.proxy_error().as_bytes());
            to.push(b"; details=");
            push_string(to, self.cause.code());
        });
        edits.set("x-request-id", self.id.as_bytes());
        if let Some(kind) = self.grpc {
            edits.set("content-type", kind.as_bytes());
            let status = self.cause.grpc_status().number();
            edits.set_with("grpc-status", |to| to.push_decimal(status));
            edits.set_with("grpc-message", |to| grpc::push_message(to, self.cause));
            return 200;
        }
        edits.set("content-type", b"application/problem+json");
        // Some statuses are cacheable by default (RFC 9110, section 15.1), and routes change.
        edits.set("cache-control", b"no-store");
        if let Some(seconds) = self.cause.retry_after_seconds() {
            edits.set_with("retry-after", |to| to.push_decimal(seconds));
        }
        if let Some(allow) = self.cause.allow() {
            edits.set_with("allow", |to| {
                for (place, method) in allow.iter().enumerate() {
                    to.push(if place > 0 { b", " } else { b"" });
                    to.push(method.as_bytes());
                }
            });
        }
        self.write_body(body);
        self.cause.status()
    }

    fn write_body(&self, body: &mut Vec<u8>) {
        let id = core::str::from_utf8(self.id.as_bytes()).unwrap_or_default();
        let versions = match self.cause {
            Cause::Rejection(rejection) => rejection.versions(),
            Cause::Upstream(_) | Cause::Request(_) | Cause::Gateway(_) | Cause::Codec { .. } => &[],
        };
        let document = Document {
            kind: "about:blank",
            title: phrase(self.cause.status()),
            status: self.cause.status(),
            detail: self.cause,
            code: self.cause.code(),
            instance: matches!(self.id, RequestId::Generated(_)).then_some(id),
            request_id: id,
            versions,
        };
        // Writing to memory cannot fail, nor can a map with strings as keys.
        _ = serde_json::to_writer(body, &document);
    }
}

/// The reason phrase of a status (RFC 9110, section 15).
fn phrase(status: u16) -> &'static str {
    let status = http::StatusCode::from_u16(status).ok();
    let phrase = status.and_then(|status| status.canonical_reason());
    phrase.unwrap_or("Unknown")
}

/// The problem document (RFC 9457, section 3.1). Its type is `about:blank`, so its title is the
/// reason phrase of the status (section 4.2.1); `code` identifies the error.
#[derive(Serialize)]
struct Document<'d> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    #[serde(serialize_with = "displayed")]
    detail: &'d Cause<'d>,
    code: &'static str,
    /// A URI, which only a generated id (a UUID) can form.
    #[serde(serialize_with = "urn", skip_serializing_if = "Option::is_none")]
    instance: Option<&'d str>,
    request_id: &'d str,
    #[serde(
        serialize_with = "each_displayed",
        skip_serializing_if = "<[_]>::is_empty"
    )]
    versions: &'d [ApiVersion],
}

fn displayed<S: Serializer>(text: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(text)
}

fn urn<S: Serializer>(id: &Option<&str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("urn:uuid:{}", id.unwrap_or_default()))
}

fn each_displayed<S: Serializer>(list: &[ApiVersion], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(list.iter().map(Displayed))
}

struct Displayed<'s, T>(&'s T);

impl<T: Display> Serialize for Displayed<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// Writes a name as a token of structured fields if it is one, else as a string (RFC 9651, sections
/// 3.3.3 and 3.3.4).
fn push_item(to: &mut ValueWriter<'_>, name: &str) {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte);
    let is_start_valid =
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '*');
    if is_start_valid && name.bytes().all(is_fit) {
        to.push(name.as_bytes());
    } else {
        push_string(to, name);
    }
}

/// Writes a string of structured fields; invalid characters become `?`.
fn push_string(to: &mut ValueWriter<'_>, text: &str) {
    to.push(b"\"");
    for character in text.chars() {
        match character {
            '"' => to.push(b"\\\""),
            '\\' => to.push(b"\\\\"),
            // Writing to memory cannot fail.
            ' '..='~' => _ = to.write_char(character),
            _ => to.push(b"?"),
        }
    }
    to.push(b"\"");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::routing::Rejection;
    use crate::engine::semantics::error::{RequestError, UpstreamError};
    use crate::engine::semantics::tests::applied;

    fn respond(
        cause: &Cause<'_>,
        id: &RequestId<'_>,
        grpc: Option<&'static str>,
    ) -> (u16, String, String) {
        let problem = Problem {
            cause,
            id,
            pseudonym: "tollgate",
            grpc,
        };
        let (mut edits, mut body) = (Edits::new(), b"old".to_vec());
        edits.set("old", b"1");
        let status = problem.write(&mut edits, &mut body);
        let fields = applied::<[(&str, &str)]>(&edits, &[]).into_iter();
        let lines: Vec<_> = fields
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        (status, lines.join("\n"), String::from_utf8(body).unwrap())
    }

    #[test]
    fn a_rejection() {
        let cause = Cause::from(Rejection::MethodNotAllowed {
            method: "PUT".into(),
            allow: vec!["GET".into(), "HEAD".into()],
        });
        let (status, fields, body) = respond(&cause, &RequestId::Received(b"a-1"), None);
        assert_eq!(status, 405);
        assert_eq!(
            fields,
            "proxy-status: tollgate; error=http_request_error; details=\"method.not_allowed\"\n\
             x-request-id: a-1\n\
             content-type: application/problem+json\n\
             cache-control: no-store\n\
             allow: GET, HEAD"
        );
        assert_eq!(
            body,
            r#"{"type":"about:blank","title":"Method Not Allowed","status":405,"detail":"the method `PUT` is not allowed here; use one of GET, HEAD","code":"method.not_allowed","request_id":"a-1"}"#
        );
    }

    #[test]
    fn an_error_with_a_generated_id() {
        let id = RequestId::Generated(*b"a5a5a5a5-a5a5-45a5-a5a5-a5a5a5a5a5a5");
        let (status, fields, body) = respond(&UpstreamError::Overloaded.into(), &id, None);
        assert_eq!(status, 503);
        assert!(fields.contains("\nretry-after: 1"), "{fields}");
        let instance = r#""instance":"urn:uuid:a5a5a5a5-a5a5-45a5-a5a5-a5a5a5a5a5a5","#;
        assert!(body.contains(instance), "{body}");
    }

    #[test]
    fn available_versions() {
        let cause = Cause::from(Rejection::VersionUnsupported {
            stated: ApiVersion::parse("v9").unwrap(),
            available: vec![ApiVersion::parse("v1").unwrap()],
        });
        let (_, _, body) = respond(&cause, &RequestId::Received(b"a"), None);
        assert!(body.ends_with(r#""versions":["v1"]}"#), "{body}");
    }

    #[test]
    fn grpc() {
        let check = |cause: Cause<'_>, expected: u64| {
            let kind = Some("application/grpc");
            let (status, fields, body) = respond(&cause, &RequestId::Received(b"a"), kind);
            assert_eq!((status, &*body), (200, ""), "{cause}");
            let line = format!("content-type: application/grpc\ngrpc-status: {expected}\n");
            assert!(fields.contains(&line), "{fields}");
        };
        check(UpstreamError::Timeout.into(), 4);
        check(UpstreamError::ConnectTimeout.into(), 14);
        check(UpstreamError::Reset.into(), 14);
        check(UpstreamError::Overloaded.into(), 14);
        check(RequestError::Malformed("no host").into(), 13);
        check(RequestError::BodyTooLarge { limit_bytes: 1 }.into(), 8);
        check(RequestError::Timeout.into(), 4);
        check(
            Rejection::NoBackend {
                service: "a".into(),
            }
            .into(),
            14,
        );
        check(Rejection::Asterisk.into(), 13);
    }

    #[test]
    fn names_in_structured_fields() {
        for (name, expected) in [
            ("tollgate", "tollgate"),
            ("gw:8080/a", "gw:8080/a"),
            ("8gw", "\"8gw\""),
            ("a \"b\" \\ \u{e4}\n", "\"a \\\"b\\\" \\\\ ??\""),
            ("", "\"\""),
        ] {
            let mut edits = Edits::new();
            edits.set_with("n", |to| push_item(to, name));
            let got = edits.value_of("n").unwrap();
            assert_eq!(String::from_utf8_lossy(got), expected);
        }
    }
}
