//! Response heads, valid and invalid.

use crate::http1::limits::HeadLimits;
use crate::http1::response_head::{ResponseContext, ResponseHead};

const GET: ResponseContext = ResponseContext {
    is_head: false,
    asks_upgrade: false,
};
const HEAD: ResponseContext = ResponseContext {
    is_head: true,
    ..GET
};
const UPGRADE: ResponseContext = ResponseContext {
    asks_upgrade: true,
    ..GET
};

/// All properties of a head in one line, or the code of its error.
fn summary(text: &str, request: ResponseContext) -> String {
    let bytes = text.replace('\n', "\r\n").replace('¶', "\n").into_bytes();
    let mut head = ResponseHead::default();
    match head.parse(&bytes, &HeadLimits::default(), request) {
        Err(error) => return error.code().to_owned(),
        Ok(length) => assert_eq!(length, Some(bytes.len()), "{text}"),
    }
    let view = head.view(&bytes);
    let mut summary = format!(
        "{} {} {:?}",
        view.status(),
        String::from_utf8_lossy(view.reason()),
        view.framing()
    );
    for (flag, holds) in [
        (" close", !view.keeps_alive()),
        (" interim", view.is_interim()),
        (" switches", view.switches_protocols()),
    ] {
        if holds {
            summary += flag;
        }
    }
    summary
}

#[test]
fn valid_heads() {
    let check = |request, text: &str, expected: &str| {
        assert_eq!(summary(text, request), expected, "{text}")
    };
    check(
        GET,
        "HTTP/1.1 200 OK\nContent-Length: 5\n\n",
        "200 OK Length(5)",
    );
    check(GET, "HTTP/1.1 200\nContent-Length: 0\n\n", "200  Length(0)");
    check(
        GET,
        "HTTP/1.1 200 \nTransfer-Encoding: chunked\n\n",
        "200  Chunked",
    );
    check(
        GET,
        "HTTP/1.1 200 All\tr\u{ef}ght\n\n",
        "200 All\tr\u{ef}ght UntilClose close",
    );
    check(
        GET,
        "HTTP/1.0 200 OK\nContent-Length: 5\n\n",
        "200 OK Length(5) close",
    );
    check(
        GET,
        "HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 5\n\n",
        "200 OK Length(5)",
    );
    check(GET, "HTTP/1.1 204 No\n\n", "204 No None");
    check(
        GET,
        "HTTP/1.1 204 No\nContent-Length: 5\n\n",
        "204 No None close",
    );
    check(GET, "HTTP/1.1 304 No\nContent-Length: 5\n\n", "304 No None");
    check(
        HEAD,
        "HTTP/1.1 200 OK\nContent-Length: 5\n\n",
        "200 OK None",
    );
    check(HEAD, "HTTP/1.1 200 OK\n\n", "200 OK None");
    check(GET, "HTTP/1.1 100 Go\n\n", "100 Go None interim");
    check(
        GET,
        "HTTP/1.1 103 Hints\nLink: x\n\n",
        "103 Hints None interim",
    );
    check(
        UPGRADE,
        "HTTP/1.1 101 Switching\nConnection: upgrade\nUpgrade: websocket\n\n",
        "101 Switching None switches",
    );
}

#[test]
fn invalid_heads() {
    let check = |text: &str, expected: &str| assert_eq!(summary(text, GET), expected, "{text}");
    for text in [
        "HTTP/1.1 20 OK\n\n",
        "HTTP/1.1 2000 OK\n\n",
        "HTTP/1.1  200 OK\n\n",
        "HTTP/2.0 200 OK\n\n",
        "HTTP/1.2 200 OK\n\n",
        "http/1.1 200 OK\n\n",
        "\nHTTP/1.1 200 OK\n\n",
        "200 OK\n\n",
        "HTTP/1.1 200 OK¶\n",
        "HTTP/1.1 200 O\rK\n",
        "HTTP/1.1 200 O\0K\n",
        "HTTP/1.1 2x0 OK\n",
        "<html>",
        "HTTP/1.1\t200 OK\n\n",
        "HTTP/1.1 -20 OK\n\n",
        "HTTP/1.1 200\tOK\n\n",
    ] {
        check(text, "http1.bad_status_line");
    }
    for text in [
        "HTTP/1.1 099 X\n\n",
        "HTTP/1.1 600 X\n\n",
        "HTTP/1.1 000 X\n\n",
    ] {
        check(text, "http1.bad_status");
    }
    check("HTTP/1.1 101 X\n\n", "http1.upgrade_unasked");
    let with = |fields: &str| format!("HTTP/1.1 200 OK\n{fields}");
    let content = "Content-Length: 1\n";
    let chunked = "Transfer-Encoding: chunked\n";
    check(
        &with(&format!("{content}Content-Length: 2\n")),
        "http1.content_length_twice",
    );
    check(
        &with(&format!("{content}{chunked}")),
        "http1.length_and_chunked",
    );
    check(&with("Transfer-Encoding: gzip\n"), "http1.unknown_coding");
    check(
        &with("Transfer-Encoding: chunked, chunked\n"),
        "http1.bad_transfer_encoding",
    );
    check(&with("Content-Length: 1, 1\n"), "http1.bad_content_length");
    check(&with("X: a\n b\n"), "http1.obs_fold");
    check(&with("X: a\0\n"), "http1.bad_field_value");
    check(&with("X : a\n"), "http1.space_after_name");
    check(&with("X: a¶"), "http1.bare_lf");
    check(
        &format!("HTTP/1.0 200 OK\n{chunked}\n"),
        "http1.chunked_in_http10",
    );
}
