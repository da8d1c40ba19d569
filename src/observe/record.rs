//! One exchange, as the access log tells it.

use std::io::Write;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use crate::config::serve::LogFormat;

/// One exchange.
#[derive(Clone, Debug, Serialize)]
pub struct Record<'a> {
    /// When it began, in UTC.
    pub time: &'a str,
    /// Who asked, as far as is believed.
    pub client: IpAddr,
    /// `HTTP/1.1` or another.
    pub protocol: &'a str,
    /// The method.
    pub method: &'a str,
    /// Path and query as they came.
    pub path: &'a str,
    /// The host that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<&'a str>,
    /// The status of the answer; 499 if the client left before it.
    pub status: u16,
    /// Bytes sent to the client: head and body, over HTTP/2 the body alone.
    pub sent_bytes: u64,
    /// From the head of the request to the last byte of the answer, in microseconds.
    pub duration_us: u64,
    /// From the same to the head of the backend's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_us: Option<u64>,
    /// The name of the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<&'a str>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<&'a str>,
    /// The backend that answered, or was tried last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend: Option<&'a str>,
    /// How many tries it took.
    pub tries: usize,
    /// Its `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
    /// The code of the gateway's own answer, if it gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'a str>,
    /// What went wrong with the backend, in words for people.
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
    /// An answer to what could not be read as a request: of that there is only `-`.
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

/// A second, as the format writes it.
pub(super) fn time(at: Timestamp, format: LogFormat) -> String {
    let pattern = match format {
        LogFormat::Json => "%Y-%m-%dT%H:%M:%S",
        LogFormat::Combined => "%d/%b/%Y:%H:%M:%S +0000",
    };
    at.strftime(pattern).to_string()
}

/// The line that the combined format has.
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

/// Nobody writes a line of the log but the log.
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
