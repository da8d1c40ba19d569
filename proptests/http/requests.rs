//! Sequential requests of both HTTP versions, interim responses, and responses without bodies.

use crate::backend::{Backend, ok};
use crate::client::{get, post};
use crate::gateway::Gateway;

fn echo() -> Backend {
    Backend::responding(|request| ok(&format!("{} {}", request.start, request.text())))
}

#[test]
fn a_connection_serves_request_after_request() {
    let backend = echo();
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    for number in 0..20 {
        let target = format!("/{number}");
        assert_eq!(
            client.get(&target).text(),
            format!("GET {target} HTTP/1.1 ")
        );
        let response = client.post(&target, "body");
        assert_eq!(response.text(), format!("POST {target} HTTP/1.1 body"));
    }
    assert_eq!(
        backend.connections(),
        1,
        "one connection to the backend is enough"
    );
}

#[test]
fn pipelined_requests_get_their_responses_in_order() {
    let backend = echo();
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    let mut sent = String::new();
    for number in 0..50 {
        sent += &get(&format!("/{number}"));
        sent += &post(&format!("/{number}"), &format!("body {number}"));
        sent += &format!(
            "PUT /{number} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
             3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n"
        );
        // Rejected requests keep their place in the order.
        sent += &get("/a%2Fb");
    }
    client.send(sent);
    for number in 0..50 {
        assert_eq!(client.response().text(), format!("GET /{number} HTTP/1.1 "));
        let posted = client.response().text();
        assert_eq!(posted, format!("POST /{number} HTTP/1.1 body {number}"));
        let put = client.response().text();
        assert_eq!(put, format!("PUT /{number} HTTP/1.1 abcd"));
        assert_eq!(client.response().status(), 400);
    }
}

#[test]
fn http_1_0_closes_without_keep_alive() {
    let backend = echo();
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    let response = client.ask("GET /a HTTP/1.0\r\n\r\n");
    assert_eq!(response.text(), "GET /a HTTP/1.1 ");
    assert!(response.closes(), "{response:?}");
    client.expect_closed();
    let mut client = gateway.client();
    for target in ["/a", "/b"] {
        let asked = format!("GET {target} HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n");
        let response = client.ask(asked);
        assert_eq!(response.text(), format!("GET {target} HTTP/1.1 "));
        let connection = response.field("connection").unwrap_or_default();
        assert!(
            connection.eq_ignore_ascii_case("keep-alive"),
            "{response:?}"
        );
    }
    let response = client.ask("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(response.status(), 200);
    client.expect_closed();
}

#[test]
fn connection_close_closes_the_connection() {
    let backend = Backend::hello();
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    let response = client.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(response.text(), "hello");
    assert!(response.closes());
    client.expect_closed();
    assert_eq!(gateway.client().get("/").text(), "hello");
    assert_eq!(
        backend.connections(),
        1,
        "`close` concerns the client's connection only"
    );
}

#[test]
fn a_connection_that_the_backend_closes_is_not_reused() {
    let backend = Backend::start(|peer| {
        let _ = peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    for _ in 0..3 {
        let response = client.get("/");
        assert_eq!(response.text(), "hi");
        assert!(!response.closes(), "`close` concerns the other hop only");
    }
    assert_eq!(backend.connections(), 3);
}

#[test]
fn a_100_continue_is_forwarded_before_the_body() {
    let backend = Backend::start(|peer| {
        let mut request = peer.head().unwrap();
        assert_eq!(request.field("expect"), Some("100-continue"));
        peer.send("HTTP/1.1 100 Continue\r\n\r\n");
        peer.connection.request_body(&mut request).unwrap();
        peer.send(ok(&request.text()));
        peer.wait_closed();
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    assert_eq!(client.ask(head).status(), 100);
    let response = client.ask("body");
    assert_eq!((response.status(), response.text()), (200, "body".into()));
}

#[test]
fn a_final_response_instead_of_a_100_closes_the_connection() {
    let backend = Backend::start(|peer| {
        peer.head().unwrap();
        peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        peer.wait_closed();
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    let response = client.ask(head);
    assert_eq!((response.status(), response.text()), (403, "no".into()));
    assert!(response.closes(), "the client may or may not send the body");
    client.expect_closed();
    let head = head.replace("POST /", "POST /a%2Fb");
    let mut client = gateway.client();
    assert_eq!(client.ask(head).status(), 400, "not 100 first");
    client.expect_closed();
}

#[test]
fn responses_without_bodies_keep_the_connection_open() {
    let backend = Backend::responding(|request| {
        let bytes = match request.target() {
            "/204" => "HTTP/1.1 204 No Content\r\n\r\n",
            "/304" => "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: \"x\"\r\n\r\n",
            "/head" => "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n",
            "/head-chunked" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "/empty" => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            other => panic!("{other}"),
        };
        bytes.into()
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    let none: Option<&str> = None;
    for (method, target, status, length) in [
        ("GET", "/204", 204, none),
        ("HEAD", "/head", 200, Some("1234")),
        ("GET", "/304", 304, Some("77")),
        ("HEAD", "/head-chunked", 200, none),
        ("GET", "/empty", 200, Some("0")),
    ] {
        for _ in 0..2 {
            client.send(format!("{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
            let response = client.response_to(method).unwrap();
            assert_eq!(response.status(), status, "{target}");
            assert_eq!(response.field("content-length"), length, "{target}");
        }
    }
    assert_eq!(backend.connections(), 1);
}

#[test]
fn interim_responses_are_forwarded_but_not_to_http_1_0() {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
    let backend = Backend::responding(move |_| {
        let mut bytes = hints.as_bytes().repeat(2);
        // The client did not send `Expect: 100-continue`.
        bytes.extend(b"HTTP/1.1 100 Continue\r\n\r\n");
        bytes.extend(ok("final"));
        bytes
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    for _ in 0..2 {
        client.send(get("/"));
        for _ in 0..2 {
            let interim = client.response();
            assert_eq!(interim.status(), 103);
            assert_eq!(interim.field("link"), Some("</a.css>; rel=preload"));
        }
        let last = client.response();
        assert_eq!((last.status(), last.text()), (200, "final".into()));
    }
    let mut client = gateway.client();
    let response = client.ask("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(response.text(), "final", "{response:?}");
}

#[test]
fn the_number_of_interim_responses_is_limited() {
    let backend = Backend::start(|peer| {
        if peer.request().is_none() {
            return;
        }
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n".repeat(1000);
        while peer.connection.send(&hints).is_ok() {}
    });
    let gateway = Gateway::before(&backend);
    let before = gateway.resources();
    let mut client = gateway.client();
    client.send(get("/"));
    // The client reads nothing.
    backend.wait(|state| state.closed == 1);
    let resources = gateway.resources();
    let more = resources.max_rss_kib - before.rss_kib;
    assert!(more < 20 << 10, "{more} KiB more");
}

#[test]
fn clients_that_send_byte_by_byte_are_served() {
    let backend = echo();
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    for _ in 0..2 {
        let posted = post("/slow", "some body");
        let chunked = "PUT /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                       3\r\nabc\r\na\r\n0123456789\r\n0\r\nX-T: y\r\n\r\n";
        for byte in posted.bytes().chain(chunked.bytes()) {
            client.send([byte]);
        }
        assert_eq!(client.response().text(), "POST /slow HTTP/1.1 some body");
        assert_eq!(client.response().text(), "PUT /slow HTTP/1.1 abc0123456789");
    }
}
