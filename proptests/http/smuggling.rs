//! Request smuggling: ambiguous requests are rejected, and the bytes after them are not read as a
//! request.

use crate::backend::Backend;
use crate::gateway::Gateway;

/// Name, and the bytes before the smuggled request.
const AMBIGUOUS: &[(&str, &[u8])] = &[
    ("length and chunked", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("chunked and length", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    ("two lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n"),
    ("two equal lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"),
    ("a list of lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 5\r\n\r\n"),
    ("a signed length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n"),
    ("a negative length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
    ("a hexadecimal length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\n"),
    ("an endless length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
    ("no length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n"),
    ("a coding twice", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    ("two codings", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
    ("identity", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
    ("a vertical tab in a coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    ("a quoted coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    ("an empty coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n"),
    ("chunked in HTTP/1.0", b"POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a folded line", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
    ("a folded coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    ("a folded first line", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    ("a bare LF", b"GET / HTTP/1.1\nHost: a\n\n"),
    ("a bare LF in a field", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\nY: b\r\n\r\n"),
    ("a bare LF at the end", b"GET / HTTP/1.1\r\nHost: a\r\n\n"),
    ("a bare CR in a field", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n"),
    ("a bare CR in the line", b"GET /\r HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a space before the colon", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\n"),
    ("a tab before the colon", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n"),
    ("a NUL in a value", b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    ("a NUL in a name", b"GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n\r\n"),
    ("a NUL in the target", b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("no colon", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length\r\n\r\n"),
    ("no name", b"GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n"),
    ("a name of other bytes", b"GET / HTTP/1.1\r\nHost: a\r\nX\xff: a\r\n\r\n"),
    ("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("no host", b"GET / HTTP/1.1\r\n\r\n"),
    ("a host with a path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    ("a host with a user", b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    ("a host of two", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    ("two spaces", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a tab in the line", b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a space at the end of the line", b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    ("no version", b"GET /\r\nHost: a\r\n\r\n"),
    ("lower case", b"GET / http/1.1\r\nHost: a\r\n\r\n"),
    ("a method with a colon", b"GET: / HTTP/1.1\r\nHost: a\r\n\r\n"),
];

/// Invalid chunked bodies. The bytes after them do not reach the backend.
const BAD_BODIES: &[(&str, &[u8])] = &[
    ("no size", b"\r\n\r\n"),
    ("a size that is not a number", b"xyz\r\n"),
    ("a signed size", b"+0\r\n\r\n"),
    ("a size with 0x", b"0x0\r\n\r\n"),
    ("a size after a space", b" 0\r\n\r\n"),
    ("an endless size", b"fffffffffffffffff\r\n"),
    ("a size ended by LF", b"0\n\r\n"),
    ("a size ended by CR", b"0\r\r\n\r\n"),
    ("data longer than its size", b"1\r\nab\r\n0\r\n\r\n"),
    ("data ended by LF", b"1\r\na\n0\r\n\r\n"),
    ("an extension with a bare LF", b"1;a\nb\r\nx\r\n0\r\n\r\n"),
    ("an extension with a bare CR", b"1;a\rb\r\nx\r\n0\r\n\r\n"),
    ("a trailer with a bare LF", b"0\r\nX: a\n\r\n"),
    ("a folded trailer", b"0\r\nX: a\r\n b\r\n\r\n"),
    ("a trailer without a colon", b"0\r\nX\r\n\r\n"),
    ("a negative size", b"-1\r\n\r\n"),
];

const SMUGGLED: &[u8] = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn ambiguous_heads_are_rejected() {
    let backend = Backend::hello();
    let gateway = Gateway::before(&backend);
    for (name, bytes) in AMBIGUOUS {
        let mut client = gateway.client();
        client.send([*bytes, SMUGGLED].concat());
        let response = client.response();
        let expected = match *name {
            "lower case" | "no version" => [400, 505],
            _ => [400, 400],
        };
        assert!(
            expected.contains(&response.status()),
            "{name}: {response:?}"
        );
        assert!(response.closes(), "{name}: {response:?}");
        assert_eq!(
            response.field("content-type"),
            Some("application/problem+json"),
            "{name}"
        );
        client.expect_closed();
    }
    let forwarded = backend.requests();
    assert!(forwarded.is_empty(), "{forwarded:?}");
}

#[test]
fn an_invalid_chunked_body_hides_no_request() {
    let backend = Backend::hello();
    let gateway = Gateway::before(&backend);
    let head = b"POST /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (name, body) in BAD_BODIES {
        let mut client = gateway.client();
        client.send([head, *body, SMUGGLED].concat());
        let response = client.response();
        assert_eq!(response.status(), 400, "{name}: {response:?}");
        assert!(response.closes(), "{name}: {response:?}");
        client.expect_closed();
    }
    let forwarded = backend.requests();
    assert!(
        forwarded.is_empty(),
        "no request was completed: {forwarded:?}"
    );
}

#[test]
fn a_body_is_never_a_request() {
    let backend = Backend::responding(|request| crate::backend::ok(request.target()));
    let gateway = Gateway::before(&backend);
    let inner = String::from_utf8(SMUGGLED.to_vec()).unwrap();
    let mut client = gateway.client();
    for _ in 0..3 {
        for method in ["GET", "DELETE", "OPTIONS", "PATCH"] {
            let length = inner.len();
            let response = client.ask(format!(
                "{method} /outer HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{inner}"
            ));
            assert_eq!(response.text(), "/outer");
        }
    }
    assert!(backend.requests().iter().all(|it| it.text() == inner));
}

#[test]
fn an_unknown_coding_gets_a_501() {
    let backend = Backend::hello();
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(client.ask(head).status(), 501);
    client.expect_closed();
    let mut client = gateway.client();
    let asked = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n";
    let status = client.ask(asked).status();
    assert!((400..=501).contains(&status), "{status}");
    assert_eq!(backend.count(), 0);
}
