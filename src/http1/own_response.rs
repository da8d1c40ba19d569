//! The gateway's own answers.

use crate::http1::edit::{FieldEdits, FieldValue};
use crate::http1::emit::{write_added, write_field, write_framing};
use crate::http1::length::BodyLength;
use crate::http1::reason::reason;
use crate::http1::response::has_no_body;
use crate::http1::send_response::write_status_line;
use crate::http1::version::Version;

/// An answer that no upstream gave.
#[derive(Clone, Copy, Debug)]
pub struct OwnResponse<'a> {
    /// From 200 to 599.
    pub status: u16,
    /// The value of `Date`, which an answer of one's own must have (RFC 9110 section 6.6.1).
    pub date: FieldValue<'a>,
    /// All other fields: those that are added.
    pub fields: Option<&'a dyn FieldEdits>,
    /// The whole body.
    pub body: &'a [u8],
    /// What the client speaks.
    pub to: Version,
    /// Whether the request was HEAD, so that the body is declared but not sent.
    pub is_head: bool,
    /// Whether the connection stays open.
    pub keep_alive: bool,
}

/// Appends an answer, head and body.
pub fn write_own_response(out: &mut Vec<u8>, response: &OwnResponse<'_>) {
    write_status_line(out, response.status, reason(response.status).as_bytes());
    write_field(out, b"Date", response.date.as_bytes());
    if let Some(fields) = response.fields {
        write_added(out, fields);
    }
    let has_body = !has_no_body(response.status);
    if has_body {
        let length = u64::try_from(response.body.len()).unwrap_or(u64::MAX);
        write_framing(out, BodyLength::Length(length));
    }
    match (response.keep_alive, response.to) {
        (true, Version::Http11) => {}
        (true, Version::Http10) => write_field(out, b"Connection", b"keep-alive"),
        (false, _) => write_field(out, b"Connection", b"close"),
    }
    out.extend_from_slice(b"\r\n");
    if has_body && !response.is_head {
        out.extend_from_slice(response.body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let check = |change: fn(&mut OwnResponse<'_>), expected: &str| {
            let fields = &["Content-Type: text/plain"][..];
            let mut response = OwnResponse {
                status: 404,
                date: FieldValue::new(b"now").unwrap(),
                fields: Some(&fields),
                body: b"gone",
                to: Version::Http11,
                is_head: false,
                keep_alive: true,
            };
            change(&mut response);
            let mut out = Vec::new();
            write_own_response(&mut out, &response);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                expected.replace('\n', "\r\n")
            );
        };
        let start =
            "HTTP/1.1 404 Not Found\nDate: now\nContent-Type: text/plain\nContent-Length: 4\n";
        check(|_| {}, &format!("{start}\ngone"));
        check(|it| it.is_head = true, &format!("{start}\n"));
        check(
            |it| it.keep_alive = false,
            &format!("{start}Connection: close\n\ngone"),
        );
        check(
            |it| it.to = Version::Http10,
            &format!("{start}Connection: keep-alive\n\ngone"),
        );
        check(
            |it| {
                it.status = 204;
                it.fields = None;
            },
            "HTTP/1.1 204 No Content\nDate: now\n\n",
        );
    }
}
