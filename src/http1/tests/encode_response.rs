//! Outgoing response heads.

use crate::http1::encode::FieldValue;
use crate::http1::encode_response::{
    OutgoingLocalResponse, OutgoingResponse, write_local_response, write_response,
    write_response_from_fields,
};
use crate::http1::error::EncodeError;
use crate::http1::framing::BodyLength;
use crate::http1::grammar::Version;
use crate::http1::limits::HeadLimits;
use crate::http1::response_head::{ResponseContext, ResponseHead};

const PLAIN: OutgoingResponse<'_> = OutgoingResponse {
    to: Version::Http11,
    is_head: false,
    body: BodyLength::None,
    keep_alive: true,
    edits: None,
    upgrade: None,
};

/// `start` is the status line, received and sent; `expected` are the fields sent after `A`.
fn check(
    start: &str,
    outgoing: &OutgoingResponse<'_>,
    expected: &str,
    framing: (BodyLength, bool),
) {
    let fields =
        "A: b\nConnection: x, close\nX: y\nContent-Length: 1\nProxy-Authenticate: p\nHost: h\n\n";
    let received = format!("{start}\n{fields}").replace('\n', "\r\n");
    let mut head = ResponseHead::default();
    let request = ResponseContext {
        is_head: outgoing.is_head,
        asks_upgrade: true,
    };
    let limits = HeadLimits::default();
    head.parse(received.as_bytes(), &limits, request)
        .unwrap()
        .unwrap();
    let mut out = Vec::new();
    let sent = write_response(&mut out, head.view(received.as_bytes()), outgoing);
    let expected = format!("{start}\nA: b\n{expected}\n").replace('\n', "\r\n");
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    assert_eq!((sent.body, sent.keep_alive), framing);
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
fn fields_of_another_protocol() {
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
        let sent = write_response_from_fields(&mut out, status, fields.into_iter(), &outgoing);
        sent.map(|_| String::from_utf8(out).unwrap())
    };
    let expected = "HTTP/1.1 404 Not Found\r\na: b\r\nvia: 2 t\r\nContent-Length: 2\r\n\r\n";
    assert_eq!(send(404, b"b"), Ok(expected.into()));
    assert_eq!(send(99, b"b"), Err(EncodeError::Status));
    assert_eq!(send(200, b"b\nc"), Err(EncodeError::Field));
}

#[test]
fn local_responses() {
    let check = |change: fn(&mut OutgoingLocalResponse<'_>), expected: &str| {
        let fields = &["Content-Type: text/plain"][..];
        let mut response = OutgoingLocalResponse {
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
        write_local_response(&mut out, &response);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            expected.replace('\n', "\r\n")
        );
    };
    let start = "HTTP/1.1 404 Not Found\nDate: now\nContent-Type: text/plain\nContent-Length: 4\n";
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

#[test]
fn a_status_without_a_registered_reason_has_an_empty_one() {
    for (status, expected) in [
        (404, "HTTP/1.1 404 Not Found\r\n\r\n"),
        (299, "HTTP/1.1 299 \r\n\r\n"),
        (599, "HTTP/1.1 599 \r\n\r\n"),
    ] {
        let mut out = Vec::new();
        let outgoing = OutgoingResponse {
            is_head: true,
            ..PLAIN
        };
        write_response_from_fields(&mut out, status, [].into_iter(), &outgoing).unwrap();
        assert_eq!(String::from_utf8(out.clone()).unwrap(), expected);
        let mut head = ResponseHead::default();
        let request = ResponseContext::default();
        let parsed = head.parse(&out, &HeadLimits::default(), request);
        assert_eq!(parsed, Ok(Some(out.len())));
        assert_eq!(head.view(&out).status(), status);
    }
}
