//! Outgoing request heads.

use crate::http1::encode::{FieldEdits, FieldValue};
use crate::http1::encode_request::{OutgoingRequest, write_request, write_request_from_fields};
use crate::http1::error::EncodeError;
use crate::http1::framing::BodyLength;
use crate::http1::limits::HeadLimits;
use crate::http1::request_head::RequestHead;

const RECEIVED: &str = "GET /a HTTP/1.1\nHost: a.test\nX-One: 1\nConnection: keep-alive, x-hop, host, cookie\n\
    Keep-Alive: 5\nX-Hop: 2\nCookie: c=d\nTE: trailers\nUpgrade: h2c\nProxy-Authorization: p\n\
    Content-Length: 5\nX-Two:\t2 \n\n";

fn check(received: &str, outgoing: &OutgoingRequest<'_>, expected: &str) {
    let bytes = received.replace('\n', "\r\n").into_bytes();
    let mut head = RequestHead::default();
    head.parse(&bytes, &HeadLimits::default()).unwrap().unwrap();
    let mut out = Vec::new();
    write_request(&mut out, head.view(&bytes), outgoing).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        expected.replace('\n', "\r\n")
    );
}

fn value(text: &str) -> FieldValue<'_> {
    FieldValue::new(text.as_bytes()).unwrap()
}

const PLAIN: OutgoingRequest<'_> = OutgoingRequest {
    method: "GET",
    target: &["/a"],
    host: None,
    body: BodyLength::None,
    edits: None,
    te_trailers: false,
    upgrade: None,
    close: false,
};

#[test]
fn hop_by_hop_fields_are_not_forwarded() {
    check(
        RECEIVED,
        &OutgoingRequest {
            target: &["/v2", "", "/a", "?", "q"],
            body: BodyLength::Length(5),
            ..PLAIN
        },
        "GET /v2/a?q HTTP/1.1\nHost: a.test\nX-One: 1\nCookie: c=d\nX-Two:\t2 \nContent-Length: 5\n\n",
    );
    check(
        RECEIVED,
        &OutgoingRequest {
            host: Some(value("b.test")),
            body: BodyLength::Chunked,
            te_trailers: true,
            upgrade: Some(value("websocket")),
            close: true,
            ..PLAIN
        },
        "GET /a HTTP/1.1\nHost: b.test\nX-One: 1\nCookie: c=d\nX-Two:\t2 \nTransfer-Encoding: chunked\n\
         Connection: close, TE, upgrade\nUpgrade: websocket\nTE: trailers\n\n",
    );
}

#[test]
fn every_request_has_one_host() {
    check("GET / HTTP/1.0\n\n", &PLAIN, "GET /a HTTP/1.1\nHost: \n\n");
    check(
        "GET http://real.test/x HTTP/1.1\nHost: fake.test\nA: b\n\n",
        &PLAIN,
        "GET /a HTTP/1.1\nHost: real.test\nA: b\n\n",
    );
}

#[test]
fn edits_remove_received_fields_and_append() {
    let received = "GET / HTTP/1.1\nHost: a\nx-a: 1\nX-B: 2\nX-A: 3\n\n";
    let head = "GET /a HTTP/1.1\nHost: a\n";
    let check = |edits: &[&str], expected: &str| {
        let edits = Some::<&dyn FieldEdits>(&edits);
        check(
            received,
            &OutgoingRequest { edits, ..PLAIN },
            &format!("{head}{expected}\n"),
        );
    };
    check(&[], "x-a: 1\nX-B: 2\nX-A: 3\n");
    check(&["-X-a"], "X-B: 2\n");
    check(&["-X-a", "X-a: 9"], "X-B: 2\nX-a: 9\n");
    check(&["X-a: 9"], "x-a: 1\nX-B: 2\nX-A: 3\nX-a: 9\n");
    check(&["-X-B", "n: "], "x-a: 1\nX-A: 3\nn: \n");
}

#[test]
fn invalid_requests_are_not_written() {
    let check = |outgoing: &OutgoingRequest<'_>, expected: EncodeError| {
        let mut out = b"before".to_vec();
        let fields: [(&[u8], &[u8]); 1] = [(b"a", b"b")];
        let got = write_request_from_fields(&mut out, fields.into_iter(), outgoing);
        assert_eq!((got, out), (Err(expected), b"before".to_vec()));
    };
    check(
        &OutgoingRequest {
            method: "G T",
            ..PLAIN
        },
        EncodeError::Method,
    );
    check(
        &OutgoingRequest {
            method: "",
            ..PLAIN
        },
        EncodeError::Method,
    );
    for target in ["", "/a b", "/\r\nX: y", "/\u{e9}"] {
        let target = &[target];
        check(&OutgoingRequest { target, ..PLAIN }, EncodeError::Target);
    }
    let body = BodyLength::UntilClose;
    check(&OutgoingRequest { body, ..PLAIN }, EncodeError::UntilClose);
}

#[test]
fn fields_of_another_protocol() {
    let send = |fields: &[(&'static str, &'static str)]| {
        let mut out = Vec::new();
        let fields = fields
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let outgoing = OutgoingRequest {
            host: Some(value("a.test")),
            body: BodyLength::Chunked,
            edits: Some(&&["-x-gone"][..]),
            ..PLAIN
        };
        let written = write_request_from_fields(&mut out, fields, &outgoing);
        written.map(|()| String::from_utf8(out).unwrap())
    };
    assert_eq!(
        send(&[
            ("cookie", "a=b"),
            ("host", "fake"),
            ("accept", "*/*"),
            ("te", "trailers"),
            ("cookie", "c=d"),
            ("x-gone", "1"),
            ("content-length", "7"),
        ]),
        Ok("GET /a HTTP/1.1\r\nHost: a.test\r\naccept: */*\r\ncookie: a=b; c=d\r\nTransfer-Encoding: chunked\r\n\r\n".into())
    );
    for pair in [
        ("a", "b\r\nc: d"),
        ("a\n", "b"),
        ("", "b"),
        ("a", "\0"),
        (":path", "/"),
    ] {
        assert_eq!(send(&[pair]), Err(EncodeError::Field), "{pair:?}");
    }
}
