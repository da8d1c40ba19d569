//! Backends that fail, in each way that the gateway distinguishes.

use std::io::ErrorKind;

use crate::backend::{Backend, BlackHole, ClosedPort, ok, response_with};
use crate::client::{get, post};
use crate::gateway::{Gateway, table};
use crate::message::Message;

/// One backend, without retries.
fn once(address: String, route: &str) -> Gateway {
    let comma = if route.is_empty() { "" } else { ", " };
    Gateway::start(&table(
        &[address],
        &format!("retry: none{comma}{route}"),
        "",
    ))
}

fn code(response: &Message) -> String {
    let problem: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    problem["code"].as_str().unwrap().to_owned()
}

fn check(gateway: &Gateway, status: u16, expected: &str) {
    let mut client = gateway.client();
    for request in [get("/"), post("/", "body")] {
        let response = client.ask(request);
        assert_eq!(response.status(), status, "{response:?}");
        assert_eq!(code(&response), expected);
        assert!(response.field("proxy-status").is_some());
    }
}

#[test]
fn a_backend_that_does_not_listen() {
    let closed = ClosedPort::new();
    let gateway = once(closed.address(), "");
    check(&gateway, 502, "upstream.connect_failed");
    let gateway = once("nobody.invalid:80".into(), "");
    check(&gateway, 502, "upstream.name_unresolved");
}

#[test]
fn a_backend_that_cannot_be_reached() {
    let hole = BlackHole::new();
    let gateway = once(hole.address(), "connect_timeout: 200ms");
    check(&gateway, 504, "upstream.connect_timeout");
    let gateway = once(hole.address(), "connect_timeout: 1h, max_duration: 200ms");
    check(&gateway, 504, "upstream.timeout");
}

#[test]
fn a_reset_before_the_response() {
    let resetting = Backend::start(|peer| {
        let _ = peer.request();
        peer.connection.reset_on_close();
    });
    check(&once(resetting.address(), ""), 502, "upstream.reset");
    // Connecting may succeed or fail, depending on when the reset arrives.
    let at_once = Backend::start(|peer| peer.connection.reset_on_close());
    let response = once(at_once.address(), "").client().get("/");
    assert_eq!(response.status(), 502);
    let code = code(&response);
    let expected = ["upstream.reset", "upstream.connect_failed"];
    assert!(expected.contains(&code.as_str()), "{code}");
    let closing = Backend::start(|peer| {
        let _ = peer.request();
    });
    check(&once(closing.address(), ""), 502, "upstream.reset");
}

#[test]
fn invalid_responses_are_a_502() {
    let huge = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(200));
    for bytes in [
        "garbage\r\n\r\n",
        "\x15\x03\x01\x00\x02\x02",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 600 High\r\nContent-Length: 0\r\n\r\n",
        "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        &huge,
        &many,
    ] {
        let is_too_large = [&huge, &many].iter().any(|large| *large == bytes);
        let bytes = bytes.to_owned();
        let shown = bytes.get(..60).unwrap_or(&bytes).to_owned();
        let backend = Backend::start(move |peer| {
            let _ = peer.request();
            peer.send(&bytes);
        });
        let gateway = once(backend.address(), "");
        let mut client = gateway.client();
        let response = client.get("/");
        assert_eq!(response.status(), 502, "{shown:?}: {response:?}");
        let code = code(&response);
        let expected = match is_too_large {
            true => "upstream.header_too_large",
            false => "upstream.bad_response",
        };
        assert_eq!(code, expected, "{shown:?}");
        assert!(client.is_alive(), "the connection of the client stays open");
    }
}

#[test]
fn a_client_can_detect_an_incomplete_response() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\npart",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n",
    ] {
        for is_reset in [false, true] {
            let backend = Backend::start(move |peer| {
                let _ = peer.request();
                peer.send(head);
                if is_reset {
                    peer.connection.reset_on_close();
                }
            });
            let gateway = once(backend.address(), "");
            let mut client = gateway.client();
            client.send(get("/"));
            assert!(client.response_to("GET").is_err(), "{head:?} is complete");
            // An HTTP/1.0 client, which does not know chunks, detects it by the reset.
            let mut client = gateway.client();
            client.send("GET / HTTP/1.0\r\n\r\n");
            let broken = client.response_to("GET");
            let kind = broken.expect_err("the response is complete").kind();
            let seen = [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof];
            assert!(seen.contains(&kind), "{head:?}: {kind}");
        }
    }
}

#[test]
fn regression_the_start_of_an_incomplete_response_is_forwarded() {
    for body in ["4\r\npart\r\n", "4\r\npart\r\nzz\r\n", "ff\r\npart"] {
        let backend = Backend::start(move |peer| {
            let _ = peer.request();
            peer.send(format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
            ));
        });
        let gateway = once(backend.address(), "");
        let mut client = gateway.client();
        client.send(get("/"));
        let received = String::from_utf8(client.connection.rest()).unwrap();
        assert!(
            received.starts_with("HTTP/1.1 200 OK\r\n"),
            "{body:?}: {received:?}"
        );
        assert!(received.ends_with("part\r\n"), "{body:?}: {received:?}");
    }
}

#[test]
fn a_close_within_the_response_head() {
    let backend = Backend::start(|peer| {
        let _ = peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Le");
    });
    check(&once(backend.address(), ""), 502, "upstream.reset");
}

#[test]
fn a_backend_that_stalls() {
    let silent = Backend::start(|peer| {
        let _ = peer.request();
        peer.wait_closed();
    });
    let gateway = once(silent.address(), "timeout: 200ms");
    check(&gateway, 504, "upstream.timeout");
    silent.wait(|state| state.closed == 2);
    let gateway = once(silent.address(), "try_timeout: 200ms");
    check(&gateway, 504, "upstream.timeout");
    let half = Backend::start(|peer| {
        let _ = peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
        peer.wait_closed();
    });
    for route in ["idle_timeout: 200ms", "max_duration: 200ms"] {
        let gateway = once(half.address(), route);
        let mut client = gateway.client();
        client.send(get("/"));
        assert!(
            client.response_to("GET").is_err(),
            "the response is incomplete"
        );
    }
    half.wait(|state| state.closed == 2);
}

#[test]
fn a_backend_that_does_not_read_is_a_504_and_not_a_408() {
    let deaf = Backend::start(|peer| {
        let _ = peer.head();
        peer.wait_until_stopped();
    });
    let gateway = once(deaf.address(), "idle_timeout: 300ms");
    let mut client = gateway.client();
    let length = 64 << 20;
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
    ));
    let mut writer = client.connection.stream().try_clone().unwrap();
    let writing = std::thread::spawn(move || {
        let _ = std::io::Write::write_all(&mut writer, &vec![b'x'; length]);
    });
    let response = client.response();
    assert_eq!(response.status(), 504, "{response:?}");
    drop(client);
    drop(gateway);
    writing.join().unwrap();
}

#[test]
fn a_response_before_the_end_of_the_request_reaches_the_client() {
    let backend = Backend::start(|peer| {
        let _ = peer.head();
        peer.send(response_with("413 Content Too Large", "no"));
        // The close with unread data causes a reset.
    });
    let gateway = once(backend.address(), "");
    for _ in 0..5 {
        let mut client = gateway.client();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
        let _ = client.connection.send(vec![b'x'; 3_000_000]);
        let response = client.response();
        assert_eq!((response.status(), response.text()), (413, "no".into()));
    }
}

#[test]
fn an_early_response_does_not_end_the_upload() {
    let backend = Backend::start(|peer| {
        let mut request = peer.head().unwrap();
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n");
        peer.connection.request_body(&mut request).unwrap();
        let text = request.text();
        peer.send(format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len()));
        peer.wait_closed();
    });
    let gateway = once(backend.address(), "");
    let mut client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n");
    let head = client.connection.head().unwrap().unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(client.connection.chunk().unwrap(), b"yes");
    client.send("upload");
    assert_eq!(client.connection.chunk().unwrap(), b"upload");
    assert!(client.connection.chunk().unwrap().is_empty());
}

#[test]
fn a_stale_pooled_connection_is_replaced() {
    for is_reset in [false, true] {
        let backend = Backend::start(move |peer| {
            // The connection persists according to the response, but closes after one request.
            let Some(request) = peer.request() else {
                return;
            };
            peer.send(ok(request.method()));
            if is_reset {
                peer.connection.reset_on_close();
            }
        });
        let gateway = once(backend.address(), "");
        let mut client = gateway.client();
        for number in 1..30 {
            let response = client.get("/");
            assert_eq!(response.text(), "GET");
            backend.wait(|state| state.closed == 2 * number - 1);
            let response = client.post("/", "body");
            assert_eq!(response.text(), "POST");
            backend.wait(|state| state.closed == 2 * number);
        }
        assert_eq!(backend.count(), 58, "nothing was sent twice");
    }
}

#[test]
fn a_pooled_connection_that_closes_on_the_next_request() {
    let backend = Backend::start(|peer| {
        let Some(_) = peer.request() else { return };
        peer.send(ok("first"));
        let _ = peer.request();
    });
    let gateway = once(backend.address(), "");
    let mut client = gateway.client();
    assert_eq!(client.get("/a").text(), "first");
    assert_eq!(
        client.get("/b").text(),
        "first",
        "retried on a new connection"
    );
    assert_eq!(backend.count(), 3);
    let response = client.post("/c", "body");
    assert_eq!(response.status(), 502, "the backend may have processed it");
    let posts = backend
        .requests()
        .iter()
        .filter(|it| it.method() == "POST")
        .count();
    assert_eq!(posts, 1, "a POST is not retried");
}

#[test]
fn bytes_after_a_response_are_not_the_next_response() {
    let poison = response_with("200 OK", "poison");
    let backend = Backend::start(move |peer| {
        while let Some(request) = peer.request() {
            let mut bytes = match request.method() {
                "HEAD" => b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n".to_vec(),
                _ if request.target() == "/304" => b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(),
                _ => ok("good"),
            };
            bytes.extend(&poison);
            peer.send(bytes);
        }
    });
    let gateway = once(backend.address(), "");
    let mut client = gateway.client();
    for _ in 0..20 {
        assert_eq!(client.get("/").text(), "good");
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        let head = client.response_to("HEAD").unwrap();
        assert_eq!(head.field("content-length"), Some("6"));
        assert_eq!(client.post("/", "x").text(), "good");
        assert_eq!(client.get("/304").status(), 304);
    }
    assert_eq!(backend.connections(), 80, "no connection was reused");
}
