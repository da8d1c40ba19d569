//! Responses as they go out.

use super::*;
use crate::http1::limits::HeadLimits;
use crate::http1::response::{ResponseHead, ResponseTo};

const PLAIN: OutgoingResponse<'_> = OutgoingResponse {
    to: Version::Http11,
    is_head: false,
    body: BodyLength::None,
    keep_alive: true,
    edits: None,
    upgrade: None,
};

/// `start` is the status line that comes and goes, and `expected` what follows it.
fn check(
    start: &str,
    outgoing: &OutgoingResponse<'_>,
    expected: &str,
    promised: (BodyLength, bool),
) {
    let fields =
        "A: b\nConnection: x, close\nX: y\nContent-Length: 1\nProxy-Authenticate: p\nHost: h\n\n";
    let came = format!("{start}\n{fields}").replace('\n', "\r\n");
    let mut head = ResponseHead::default();
    let to = ResponseTo {
        is_head: outgoing.is_head,
        asks_upgrade: true,
    };
    let limits = HeadLimits::default();
    head.parse(came.as_bytes(), &limits, to).unwrap().unwrap();
    let mut out = Vec::new();
    let sent = write_response(&mut out, head.view(came.as_bytes()), outgoing);
    let expected = format!("{start}\nA: b\n{expected}\n").replace('\n', "\r\n");
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    assert_eq!((sent.body, sent.keep_alive), promised);
}

#[test]
fn framing_by_version() {
    let ok = "HTTP/1.1 200 Fine";
    let plain = |body| OutgoingResponse { body, ..PLAIN };
    let old = |body| OutgoingResponse {
        to: Version::Http10,
        ..plain(body)
    };
    let five = BodyLength::Length(5);
    let zero = BodyLength::Length(0);
    let (none, chunked, close) = (
        BodyLength::None,
        BodyLength::Chunked,
        BodyLength::UntilClose,
    );
    check(ok, &plain(five), "Content-Length: 5\n", (five, true));
    check(ok, &plain(none), "Content-Length: 0\n", (zero, true));
    check(
        ok,
        &plain(chunked),
        "Transfer-Encoding: chunked\n",
        (chunked, true),
    );
    check(
        ok,
        &plain(close),
        "Transfer-Encoding: chunked\n",
        (chunked, true),
    );
    check(
        ok,
        &old(five),
        "Content-Length: 5\nConnection: keep-alive\n",
        (five, true),
    );
    check(ok, &old(chunked), "Connection: close\n", (close, false));
    check(ok, &old(close), "Connection: close\n", (close, false));
    let closing = OutgoingResponse {
        keep_alive: false,
        ..plain(five)
    };
    check(
        ok,
        &closing,
        "Content-Length: 5\nConnection: close\n",
        (five, false),
    );
}

#[test]
fn responses_without_a_body() {
    let five = BodyLength::Length(5);
    let none = BodyLength::None;
    let plain = |body| OutgoingResponse { body, ..PLAIN };
    let head = |body| OutgoingResponse {
        is_head: true,
        ..plain(body)
    };
    check("HTTP/1.1 204 No", &plain(five), "", (none, true));
    check(
        "HTTP/1.1 304 Not",
        &plain(five),
        "Content-Length: 5\n",
        (none, true),
    );
    check(
        "HTTP/1.1 304 Not",
        &plain(BodyLength::Chunked),
        "",
        (none, true),
    );
    check(
        "HTTP/1.1 200 OK",
        &head(five),
        "Content-Length: 5\n",
        (none, true),
    );
    check(
        "HTTP/1.1 200 OK",
        &head(BodyLength::UntilClose),
        "",
        (none, true),
    );
    check("HTTP/1.1 103 Hints", &plain(five), "", (none, true));
    let upgrading = OutgoingResponse {
        upgrade: FieldValue::new(b"websocket").ok(),
        keep_alive: false,
        ..PLAIN
    };
    let expected = "Connection: upgrade\nUpgrade: websocket\n";
    check("HTTP/1.1 101 Go", &upgrading, expected, (none, false));
}

#[test]
fn fields_from_elsewhere() {
    let send = |status, value: &'static [u8]| {
        let mut out = Vec::new();
        let fields: [(&[u8], &[u8]); 3] =
            [(b"a", value), (b"trailer", b"x"), (b"connection", b"a")];
        let edits = &["via: 2 t"][..];
        let outgoing = OutgoingResponse {
            body: BodyLength::Length(2),
            edits: Some(&edits),
            ..PLAIN
        };
        let sent = write_response_of_fields(&mut out, status, fields.into_iter(), &outgoing);
        sent.map(|_| String::from_utf8(out).unwrap())
    };
    let expected = "HTTP/1.1 404 Not Found\r\na: b\r\nvia: 2 t\r\nContent-Length: 2\r\n\r\n";
    assert_eq!(send(404, b"b"), Ok(expected.into()));
    assert_eq!(send(99, b"b"), Err(SendError::Status));
    assert_eq!(send(200, b"b\nc"), Err(SendError::Field));
}
