//! Replies: one compact JSON value a line, in the envelope of the message.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::config::Diagnostic;
use crate::engine::policy::Deprecation;
use crate::engine::request::Headers;
use crate::engine::semantics::{Cause, Edits, Request};
use crate::engine::upstream::{Backend, BackendSource};
use crate::engine::{LocalResponse, Plan};
use crate::frontend::stdio::message::Envelope;
use crate::frontend::stdio::text::{base64, compact};

/// Where a reply goes, and which message it replies to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recipient<'a> {
    pub(super) envelope: Option<Envelope<'a>>,
    pub(super) msg_id: Option<&'a RawValue>,
}

/// The fields of a reply, except `type` and `in_reply_to`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Reply<'a> {
    Init {
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        warnings: &'a [Diagnostic],
    },
    Done {},
    Rejected {
        status: u16,
        error: LocalError<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        allow: Option<&'a [String]>,
    },
    /// A local response without a body.
    Local {
        status: u16,
        #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
        headers: serde_json::Map<String, serde_json::Value>,
    },
    Forwarded(ForwardedReply<'a>),
    Services {
        services: Vec<ListedService<'a>>,
    },
    Stats {
        routes: Vec<RouteStats>,
    },
    Error(ErrorReply<'a>),
}

/// The response of a backend.
#[derive(Debug, Serialize)]
pub(super) struct ForwardedReply<'a> {
    pub(super) status: u16,
    pub(super) service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    pub(super) backend: &'a str,
    #[serde(flatten)]
    pub(super) body: Body<'a>,
    #[serde(flatten)]
    pub(super) extras: Extras,
}

/// A body: JSON strings are Unicode, so other bytes need an encoding.
#[derive(Debug, Serialize)]
pub(super) enum Body<'a> {
    #[serde(rename = "body")]
    Text(&'a str),
    #[serde(rename = "body_base64")]
    Base64(String),
}

/// Optional fields of an `api_response`.
#[derive(Debug, Serialize)]
pub(super) struct Extras {
    /// The header fields that announce the deprecation of the version.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub(super) headers: serde_json::Map<String, serde_json::Value>,
    #[serde(flatten)]
    pub(super) details: Option<Details>,
}

/// What `--verbose` adds.
#[derive(Debug, Serialize)]
pub(super) struct Details {
    pub(super) address: String,
    pub(super) upstream_path: String,
    pub(super) route: String,
}

impl Extras {
    #[cold]
    pub(super) fn of(plan: &Plan<'_>, backend: &Backend, is_verbose: bool) -> Self {
        let deprecation = plan.chain().deprecation().into_iter();
        let announced = deprecation.flat_map(Deprecation::headers);
        Self {
            headers: announced
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect(),
            details: is_verbose.then(|| Details {
                address: backend.address.to_string(),
                upstream_path: plan.upstream_path().to_string(),
                route: plan.route().name(),
            }),
        }
    }
}

impl<'a> Body<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        match str::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(_) => Self::Base64(base64(bytes)),
        }
    }
}

/// The `error` of a local response.
#[derive(Debug, Serialize)]
pub(super) struct LocalError<'a> {
    pub(super) code: &'a str,
    pub(super) message: String,
}

/// One version of a service with its backends.
#[derive(Debug, Serialize)]
pub(super) struct ListedService<'a> {
    pub(super) service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    pub(super) backends: Vec<ListedBackend>,
}

/// One backend of a service.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct ListedBackend {
    pub(super) backend: String,
    pub(super) address: String,
    pub(super) healthy: bool,
    pub(super) source: BackendSource,
}

/// The counts of one route.
#[derive(Debug, Serialize)]
pub(super) struct RouteStats {
    pub(super) route: String,
    pub(super) matched: u64,
    pub(super) picks: Vec<BackendStats>,
    /// Picks of backends that have left.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) departed: u64,
}

/// The counts of one backend of a route.
#[derive(Debug, Serialize)]
pub(super) struct BackendStats {
    pub(super) backend: String,
    pub(super) picks: u64,
}

/// An error of the protocol itself, with the codes of Maelstrom.
#[derive(Debug, Serialize)]
pub(super) struct ErrorReply<'a> {
    pub(super) code: u8,
    pub(super) text: &'a str,
    #[serde(rename = "faults", skip_serializing_if = "<[_]>::is_empty")]
    pub(super) diagnostics: &'a [Diagnostic],
}

/// The message is malformed.
pub(super) const MALFORMED: u8 = 12;
/// The message type is not supported.
pub(super) const NOT_SUPPORTED: u8 = 10;

impl Recipient<'_> {
    /// Appends a reply of this type as one line.
    pub(super) fn reply(&self, kind: &str, reply: &impl Serialize, out: &mut Vec<u8>) {
        self.open(kind, out);
        append_fields(reply, out);
        self.close(out);
    }

    /// Appends an error of the protocol itself.
    #[cold]
    pub(super) fn error(
        &self,
        code: u8,
        text: &str,
        diagnostics: &[Diagnostic],
        out: &mut Vec<u8>,
    ) {
        let error = ErrorReply {
            code,
            text,
            diagnostics,
        };
        self.reply("error", &Reply::Error(error), out);
    }

    /// Appends a local response.
    #[cold]
    pub(super) fn local<H: Headers + ?Sized>(
        &self,
        response: &LocalResponse<'_>,
        request: &Request<'_, H>,
        out: &mut Vec<u8>,
    ) {
        if let Some(cause) = response.cause() {
            return self.rejected(cause, out);
        }
        let mut edits = Edits::new();
        response.write_fields(request, &mut edits);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields = edits.added();
        let reply = Reply::Local {
            status: response.status(),
            headers: fields
                .map(|(name, value)| (text(name), text(value).into()))
                .collect(),
        };
        self.reply("api_response", &reply, out);
    }

    /// Appends the response to a rejected request.
    #[cold]
    pub(super) fn rejected(&self, cause: &Cause<'_>, out: &mut Vec<u8>) {
        let error = LocalError {
            code: cause.code(),
            message: cause.to_string(),
        };
        let reply = Reply::Rejected {
            status: cause.status(),
            error,
            allow: cause.allow(),
        };
        self.reply("api_response", &reply, out);
    }

    /// Appends the envelope, the type and `in_reply_to`; fields may follow, each after a comma.
    #[inline]
    pub(super) fn open(&self, kind: &str, out: &mut Vec<u8>) {
        out.reserve(TYPICAL_BYTES);
        if let Some(envelope) = self.envelope {
            out.push(b'{');
            if let Some(dest) = envelope.dest {
                out.extend_from_slice(b"\"src\":");
                compact(dest.get(), out);
                out.push(b',');
            }
            if let Some(src) = envelope.src {
                out.extend_from_slice(b"\"dest\":");
                compact(src.get(), out);
                out.push(b',');
            }
            out.extend_from_slice(b"\"body\":");
        }
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.push(b'"');
        if let Some(msg_id) = self.msg_id {
            out.extend_from_slice(b",\"in_reply_to\":");
            compact(msg_id.get(), out);
        }
    }

    /// Appends the end of the reply and of the line.
    #[inline]
    pub(super) fn close(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.envelope.is_some() {
            b"}}\n"
        } else {
            b"}\n"
        });
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Enough for most replies.
const TYPICAL_BYTES: usize = 512;

/// Appends the fields of an object after others: for `{"a":1}`, appends `,"a":1`.
pub(super) fn append_fields(fields: &impl Serialize, out: &mut Vec<u8>) {
    let start = out.len();
    serde_json::to_writer(&mut *out, fields)
        .expect("replies have string keys and are written to memory");
    // `close` appends the closing brace.
    out.pop();
    if out.len() == start + 1 {
        out.truncate(start);
    } else if let Some(brace) = out.get_mut(start) {
        *brace = b',';
    }
}
