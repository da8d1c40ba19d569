//! The record of one exchange in the access log.

use std::io::Write;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::serve::LogFormat;

/// One exchange: a request and its response. The field names are the keys of the JSON format.
#[derive(Clone, Debug, Serialize)]
pub struct Record<'a> {
    /// The start of the exchange, in UTC.
    pub time: &'a str,
    /// The address of the client; behind a trusted proxy, the one that the proxy reports.
    pub client: IpAddr,
    /// The protocol, such as `HTTP/1.1`.
    pub protocol: &'a str,
    /// The method.
    pub method: &'a str,
    /// Path and query as received.
    pub path: &'a str,
    /// The host of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<&'a str>,
    /// The status of the response; 499 if the client disconnected before it.
    pub status: u16,
    /// Bytes sent to the client: head and body, over HTTP/2 the body alone.
    pub sent_bytes: u64,
    /// From the head of the request to the last byte of the response, in microseconds.
    pub duration_us: u64,
    /// From the head of the request to the head of the backend's response, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_us: Option<u64>,
    /// The name of the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<&'a str>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<&'a str>,
    /// The backend of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<&'a str>,
    /// The number of attempts.
    pub tries: usize,
    /// The `X-Request-Id` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
    /// The code of the error, if the response is a local one or broke off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'a str>,
    /// The error of the last attempt, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
    /// `Referer`.
    #[serde(skip)]
    pub referer: Option<&'a str>,
    /// `User-Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<&'a str>,
}

impl Record<'_> {
    /// A response to something that could not be parsed as a request; its method and path are `-`.
    #[must_use]
    pub const fn unread(client: IpAddr, protocol: &'static str, status: u16) -> Self {
        Self {
            time: "",
            client,
            protocol,
            method: "-",
            path: "-",
            host: None,
            status,
            sent_bytes: 0,
            duration_us: 0,
            answer_us: None,
            route: None,
            service: None,
            backend: None,
            tries: 0,
            request_id: None,
            code: None,
            detail: None,
            referer: None,
            user_agent: None,
        }
    }
}

/// A time in the format of the log, to the second.
pub(super) fn time(at: Timestamp, format: LogFormat) -> String {
    let pattern = match format {
        LogFormat::Json => "%Y-%m-%dT%H:%M:%S",
        LogFormat::Combined => "%d/%b/%Y:%H:%M:%S +0000",
    };
    at.strftime(pattern).to_string()
}

/// Writes a line in the combined log format.
pub(super) fn combined(out: &mut Vec<u8>, time: &str, record: &Record<'_>) {
    let _ = write!(out, "{} - - [{time}] \"", record.client);
    for (text, end) in [
        (record.method, " "),
        (record.path, " "),
        (record.protocol, "\" "),
    ] {
        escaped(out, text);
        out.extend_from_slice(end.as_bytes());
    }
    let _ = write!(out, "{} {} \"", record.status, record.sent_bytes);
    escaped(out, record.referer.unwrap_or("-"));
    out.extend_from_slice(b"\" \"");
    escaped(out, record.user_agent.unwrap_or("-"));
    out.push(b'"');
}

/// Writes a text with quotes, backslashes and control characters escaped, so that no client can
/// forge a line.
fn escaped(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | 0x00..=0x1f | 0x7f.. => {
                let _ = write!(out, "\\x{byte:02x}");
            }
            _ => out.push(byte),
        }
    }
}
