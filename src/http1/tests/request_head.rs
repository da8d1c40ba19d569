//! Request heads, valid and invalid.

use crate::http1::error::RequestHeadError;
use crate::http1::framing::BodyLength;
use crate::http1::limits::HeadLimits;
use crate::http1::request_head::RequestHead;

/// `\n` stands for CR LF, and `¶` for a bare LF.
fn message(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").replace('¶', "\n").into_bytes()
}

fn parse(text: &str) -> Result<Option<usize>, RequestHeadError> {
    RequestHead::default().parse(&message(text), &HeadLimits::default())
}

/// All properties of a valid head, in one line.
fn summary(text: &str) -> String {
    let bytes = message(text);
    let mut head = RequestHead::default();
    let length = head.parse(&bytes, &HeadLimits::default());
    assert_eq!(length, Ok(Some(bytes.len())), "{text}");
    let view = head.view(&bytes);
    let mut summary = format!(
        "{} {} {} {:?} {:?}",
        view.method(),
        view.origin_target(),
        view.version().as_str(),
        view.host().unwrap_or("-"),
        view.framing()
    );
    let upgrade = view.upgrade().map(String::from_utf8_lossy);
    for (flag, holds) in [
        ("close", !view.keeps_alive()),
        ("continue", view.expects_continue()),
        ("absolute", view.is_absolute()),
        ("trailers", view.te_trailers()),
        (upgrade.as_deref().unwrap_or_default(), upgrade.is_some()),
    ] {
        if holds {
            summary += " ";
            summary += flag;
        }
    }
    summary
}

#[test]
fn valid_heads() {
    let check = |text: &str, expected: &str| assert_eq!(summary(text), expected, "{text}");
    check("GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1 \"a\" None");
    check("\n\nGET / HTTP/1.1\nHost:\n\n", "GET / HTTP/1.1 \"\" None");
    check("GET / HTTP/1.0\n\n", "GET / HTTP/1.0 \"-\" None close");
    check(
        "GET / HTTP/1.0\nConnection: x, Keep-Alive\n\n",
        "GET / HTTP/1.0 \"-\" None",
    );
    check(
        "GET /a?b#c HTTP/1.1\nhoSt:\ta.test:80 \t\nempty:\nConnection: close\n\n",
        "GET /a?b HTTP/1.1 \"a.test:80\" None close",
    );
    check(
        "POST /\"\\|{}[] HTTP/1.1\nHost: 0.0.0.0=5000\nContent-Length: 003\nExpect: 100-Continue\n\n",
        "POST /\"\\|{}[] HTTP/1.1 \"0.0.0.0=5000\" Length(3) continue",
    );
    check(
        "PUT / HTTP/1.1\nTransfer-Encoding: \tChunked \nTE: gzip, trailers\nHost: a\n\n",
        "PUT / HTTP/1.1 \"a\" Chunked trailers",
    );
    check(
        "GET HTTP://b.test:1?q HTTP/1.1\nHost: a\nExpect: 100-continue\n\n",
        "GET /?q HTTP/1.1 \"b.test:1\" None absolute",
    );
    check(
        "OPTIONS https://b HTTP/1.1\nHost: b\n\n",
        "OPTIONS * HTTP/1.1 \"b\" None absolute",
    );
    check(
        "GET https://b#f HTTP/1.1\nHost: b\n\n",
        "GET / HTTP/1.1 \"b\" None absolute",
    );
    check(
        "OPTIONS * HTTP/1.1\nHost: a\n\n",
        "OPTIONS * HTTP/1.1 \"a\" None",
    );
    check(
        "GET / HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n",
        "GET / HTTP/1.1 \"a\" None websocket",
    );
    for text in [
        // Upgrade needs HTTP/1.1, its connection option, and exactly one field.
        "GET / HTTP/1.0\nHost: a\nConnection: upgrade, keep-alive\nUpgrade: x\n\n",
        "GET / HTTP/1.0\nHost: a\nConnection: keep-alive\nUpgrade: x\n\n",
    ] {
        check(text, "GET / HTTP/1.0 \"a\" None");
    }
    check(
        "GET / HTTP/1.1\nHost: a\nConnection: upgrade\nUpgrade: x\nUpgrade: y\n\n",
        "GET / HTTP/1.1 \"a\" None",
    );
}

#[test]
fn invalid_request_lines() {
    let check = |text: &str, status: u16, code: &str| {
        let error = parse(text).expect_err(text);
        assert_eq!((error.status(), error.code()), (status, code), "{text}");
    };
    for text in [
        "GET /\nHost: a\n\n",
        "GET / \n",
        "GET  / HTTP/1.1\n",
        "GET /  HTTP/1.1\n",
        " GET / HTTP/1.1\n",
        "GET / HTTP/1.1 \n",
        "GET / HTTP/1.10\n",
        "GET / HTTP/1\n",
        "GET / http/1.1\n",
        "GET\n",
        "G\u{e9}T / HTTP/1.1\n",
        "\u{16}\u{3}\u{1}",
        "GET / HTTP/1.1¶",
        "GET /\tHTTP/1.1\n",
        "GET\t/ HTTP/1.1\n",
        "¶",
        "\n\n\n",
        "(GET) / HTTP/1.1\n",
        "GET / ICE/1.0\n",
        "GET /a b HTTP/1.1\n",
        "\r\rGET",
        "GET / HTTP/1.1\r\r",
    ] {
        let code = if text.contains('\t') && text.starts_with("GET /") {
            "http1.bad_target"
        } else {
            "http1.bad_request_line"
        };
        check(text, 400, code);
    }
}

#[test]
fn invalid_targets_and_versions() {
    let check = |text: &str, status: u16, code: &str| {
        let error = parse(text).expect_err(text);
        assert_eq!((error.status(), error.code()), (status, code), "{text}");
    };
    for text in [
        "GET * HTTP/1.1\n",
        "Extra lineGET / HTTP/1.1\n",
        "OPTIONS */a HTTP/1.1\n",
        "GET a HTTP/1.1\n",
        "GET a/b HTTP/1.1\n",
        "GET a:80 HTTP/1.1\n",
        "GET http:///a HTTP/1.1\n",
        "GET http://u@a/ HTTP/1.1\n",
        "GET http://:80/ HTTP/1.1\n",
        "GET http:/a HTTP/1.1\n",
        "GET ftp://a/ HTTP/1.1\n",
        "GET #a HTTP/1.1\n",
        "GET /\u{e9} HTTP/1.1\n",
        "GET /\0 HTTP/1.1\n",
        "GET ?a HTTP/1.1\n",
        "GET http://a\\b/ HTTP/1.1\n",
        "PRI * HTTP/2.0\n",
    ] {
        check(text, 400, "http1.bad_target");
    }
    for text in [
        "GET / HTTP/2.0\n",
        "GET / HTTP/1.2\n",
        "GET / HTTP/0.9\n",
        "GET / HTTP/9.9",
    ] {
        check(text, 505, "http1.version_not_supported");
    }
    for text in [
        "CONNECT a:80 HTTP/1.1\n",
        "CONNECT / HTTP/1.1\n",
        "CONNECT a HTTP/1.1\n",
    ] {
        check(text, 501, "http1.connect");
    }
    check(&"A".repeat(33), 501, "http1.method_too_long");
    check(
        &format!("GET /{}", "a".repeat(8192)),
        414,
        "http1.target_too_long",
    );
}

#[test]
fn invalid_fields() {
    let check = |fields: &str, status: u16, code: &str| {
        let error = parse(&format!("POST / HTTP/1.1\n{fields}")).expect_err(fields);
        assert_eq!((error.status(), error.code()), (status, code), "{fields}");
    };
    check("\n", 400, "http1.host_missing");
    check("Host: a\nHost: a\n", 400, "http1.host_twice");
    for host in ["a,b", "u@a", "a b", ":80", "a/b", "http://a"] {
        check(&format!("Host: {host}\n"), 400, "http1.bad_host");
    }
    check("Host: a¶", 400, "http1.bare_lf");
    check("Host: a\nx¶", 400, "http1.bare_lf");
    check("Host: a\rX", 400, "http1.bare_cr");
    check("Host: a\n\rX", 400, "http1.bare_cr");
    check("Host: a\n b", 400, "http1.obs_fold");
    check("Host: a\n\tb", 400, "http1.obs_fold");
    check(" Host: a", 400, "http1.leading_space");
    check("Host : a", 400, "http1.space_after_name");
    check("Host\t: a", 400, "http1.space_after_name");
    check(": a", 400, "http1.bad_field_name");
    check("X[]: a", 400, "http1.bad_field_name");
    check("\u{e9}: a", 400, "http1.bad_field_name");
    check("X\0: a", 400, "http1.bad_field_name");
    check("Host\n", 400, "http1.no_colon");
    check("X: a\0", 400, "http1.bad_field_value");
    check("X: a\u{7}", 400, "http1.bad_field_value");
    check("X: \u{7f}", 400, "http1.bad_field_value");
}

#[test]
fn invalid_framing() {
    let check = |fields: &str, status: u16, code: &str| {
        let error = parse(&format!("POST / HTTP/1.1\n{fields}")).expect_err(fields);
        assert_eq!((error.status(), error.code()), (status, code), "{fields}");
    };
    for length in [
        "",
        "-1",
        "+1",
        "1 1",
        "1, 1",
        "0x1",
        "1000000000000000000",
        "\u{661}",
    ] {
        check(
            &format!("Content-Length: {length}\n"),
            400,
            "http1.bad_content_length",
        );
    }
    let content = "Content-Length: 1\n";
    let chunked = "Transfer-Encoding: chunked\n";
    check(&content.repeat(2), 400, "http1.content_length_twice");
    check(
        &format!("{content}{chunked}"),
        400,
        "http1.length_and_chunked",
    );
    check(
        &format!("{chunked}{content}"),
        400,
        "http1.length_and_chunked",
    );
    check(&chunked.repeat(2), 400, "http1.transfer_encoding_twice");
    check(
        "Transfer-Encoding: identity\n",
        400,
        "http1.bad_transfer_encoding",
    );
    check(
        "Transfer-Encoding: chunked, chunked\n",
        400,
        "http1.bad_transfer_encoding",
    );
    check(
        "Transfer-Encoding: gzip, chunked\n",
        501,
        "http1.unknown_coding",
    );
    check(
        &format!("Connection: {}\n", "x,".repeat(33)),
        431,
        "http1.too_many_options",
    );
    check(&"X: a\n".repeat(101), 431, "http1.too_many_fields");
    check(
        &format!("X: {}", "a".repeat(32 << 10)),
        431,
        "http1.head_too_large",
    );
    let old = parse("POST / HTTP/1.0\nTransfer-Encoding: chunked\n").expect_err("1.0");
    assert_eq!(old.code(), "http1.chunked_in_http10");
}

#[test]
fn messages_name_the_field_and_not_the_value() {
    let check = |text: &str, expected: &str| {
        assert_eq!(parse(text).expect_err(text).to_string(), expected);
    };
    check(
        "GET / HTTP/1.1\nAuthorization: secret\u{1}\n",
        "the value of field `Authorization` contains byte 0x01; remove control characters other than tab",
    );
    check(
        "GET /a b HTTP/1.1\n",
        "invalid request line: no version follows the target; send `METHOD target HTTP/1.1` with single spaces",
    );
    check(
        "GET / HTTP/1.1\nCookie: secret\n more",
        "field `Cookie` continues on a second line; send its value on one line",
    );
    check(
        "GET / HTTP/3.0",
        "unsupported version HTTP/3.0; send HTTP/1.1 or HTTP/1.0",
    );
    check(
        "GET / HTTP/1.1\nHost: me@secret\n",
        "invalid Host: user information is not allowed",
    );
}

#[test]
fn every_prefix_of_a_head_is_incomplete() {
    let bytes = message("\nPOST http://a/b?c HTTP/1.1\nHost: a\nX-Y: z \nContent-Length: 3\n\n");
    for end in 0..bytes.len() {
        let part = bytes.get(..end).unwrap();
        let parsed = RequestHead::default().parse(part, &HeadLimits::default());
        assert_eq!(parsed, Ok(None), "{end}");
    }
}

#[test]
fn limits_are_exact() {
    let check = |limits: HeadLimits, expected: Option<&str>| {
        let bytes = message("GET /abc HTTP/1.1\nHost: a\n\n");
        for at_once in [true, false] {
            let mut head = RequestHead::default();
            let mut parsed = Ok(None);
            for end in if at_once { bytes.len() } else { 0 }..=bytes.len() {
                parsed = head.parse(bytes.get(..end).unwrap(), &limits);
                if parsed != Ok(None) {
                    break;
                }
            }
            assert_eq!(
                parsed.as_ref().err().map(RequestHeadError::code),
                expected,
                "{limits:?}"
            );
        }
    };
    let limits = HeadLimits::default();
    let of = |max_head_bytes, max_fields, max_target_bytes| HeadLimits {
        max_head_bytes,
        max_fields,
        max_target_bytes,
    };
    check(of(30, 1, 4), None);
    check(of(29, 1, 4), Some("http1.head_too_large"));
    check(of(30, 0, 4), Some("http1.too_many_fields"));
    check(of(30, 1, 3), Some("http1.target_too_long"));
    check(limits, None);
}

#[test]
fn a_head_is_reusable() {
    let first = message(
        "POST /a HTTP/1.1\nHost: a\nTE: trailers\nContent-Length: 9\nExpect: 100-continue\n\n",
    );
    let second = message("GET /b HTTP/1.0\n\n");
    let mut head = RequestHead::default();
    let limits = HeadLimits::default();
    assert!(matches!(head.parse(&first, &limits), Ok(Some(_))));
    assert!(head.parse(b"\0", &limits).is_err());
    assert_eq!(head.parse(&first[..30], &limits), Ok(None));
    assert!(head.is_started());
    head.clear();
    assert!(!head.is_started());
    assert_eq!(head.parse(&second, &limits), Ok(Some(second.len())));
    let view = head.view(&second);
    assert_eq!(
        (view.method(), view.target(), view.host()),
        ("GET", "/b", None)
    );
    assert_eq!(view.framing(), BodyLength::None);
    assert!(!view.te_trailers() && !view.expects_continue() && view.fields().count() == 0);
}
