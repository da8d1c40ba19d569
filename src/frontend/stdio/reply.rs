//! Answers: one compact JSON value a line, in the envelope that the request came in.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::config::fault::Fault;
use crate::engine::backend::BackendSource;
use crate::frontend::stdio::message::Envelope;
use crate::frontend::stdio::text::compact;

/// To whom an answer goes, and what it answers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recipient<'a> {
    pub(super) envelope: Option<Envelope<'a>>,
    pub(super) msg_id: Option<&'a RawValue>,
}

/// What an answer says beside its type and what it replies to.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answer<'a> {
    Init {
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        warnings: &'a [Fault],
    },
    Registered {},
    Refused {
        status: u16,
        error: Refusal<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        allow: Option<&'a [String]>,
    },
    Services {
        services: Vec<ListedService<'a>>,
    },
    Stats {
        routes: Vec<RouteStats>,
    },
    Error(ErrorAnswer<'a>),
}

/// An `api_response` of a backend.
#[derive(Debug, Serialize)]
pub(super) struct Response<'a> {
    pub(super) status: u16,
    pub(super) service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<&'a str>,
    pub(super) backend: &'a str,
    pub(super) body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) headers: Option<serde_json::Map<String, serde_json::Value>>,
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

/// The gateway's own refusal.
#[derive(Debug, Serialize)]
pub(super) struct Refusal<'a> {
    pub(super) code: &'a str,
    pub(super) message: String,
}

/// One version of a service and where it is.
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
}

/// The counts of one backend of a route.
#[derive(Debug, Serialize)]
pub(super) struct BackendStats {
    pub(super) backend: String,
    pub(super) picks: u64,
}

/// A fault of the protocol itself, by the codes of Maelstrom.
#[derive(Debug, Serialize)]
pub(super) struct ErrorAnswer<'a> {
    pub(super) code: u8,
    pub(super) text: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) faults: &'a [Fault],
}

/// The request is malformed.
pub(super) const MALFORMED: u8 = 12;
/// The type of message is not supported.
pub(super) const NOT_SUPPORTED: u8 = 10;

impl Recipient<'_> {
    /// Appends an answer of this type as one line.
    #[inline]
    pub(super) fn answer(&self, kind: &str, answer: &impl Serialize, out: &mut Vec<u8>) {
        if let Some(envelope) = self.envelope {
            out.push(b'{');
            for (name, address) in [("\"src\":", envelope.dest), ("\"dest\":", envelope.src)] {
                if let Some(address) = address {
                    out.extend_from_slice(name.as_bytes());
                    compact(address.get(), out);
                    out.push(b',');
                }
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
        append_fields(answer, out);
        if self.envelope.is_some() {
            out.push(b'}');
        }
        out.push(b'\n');
    }
}

/// Appends the fields of an object after others: `{"a":1}` as `,"a":1}`.
#[inline]
fn append_fields(answer: &impl Serialize, out: &mut Vec<u8>) {
    let start = out.len();
    serde_json::to_writer(&mut *out, answer).expect("answers have text keys and go to memory");
    let is_empty = out.len() == start + 2;
    if let Some(brace) = out.get_mut(start) {
        *brace = b',';
    }
    if is_empty {
        out.truncate(start);
        out.push(b'}');
    }
}
