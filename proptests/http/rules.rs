//! What the proxy changes in requests and responses, and its local responses.

use crate::backend::{Backend, ok, response_with};
use crate::gateway::{Gateway, table};

#[test]
fn requests_get_forwarding_fields_and_lose_hop_by_hop_fields() {
    let backend = Backend::hello();
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    client.ask(
        "GET /a?q=%2f HTTP/1.1\r\nHost: shop.test:81\r\nConnection: keep-alive, X-Hop, x-other\r\n\
         X-Hop: 1\r\nX-Other: 2\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n\
         Proxy-Authorization: Basic x\r\nTE: trailers, gzip\r\nUpgrade: h2c\r\nVia: 1.0 first\r\n\
         X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n\
         Forwarded: for=9.9.9.9\r\nX-Kept: yes\r\nX-Kept: twice\r\nCookie: a=b\r\n\r\n",
    );
    let request = backend.only_request();
    assert_eq!(request.start, "GET /a?q=%2f HTTP/1.1");
    assert_eq!(request.field("host"), Some("shop.test:81"));
    assert_eq!(request.field("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(request.field("x-forwarded-proto"), Some("http"));
    assert_eq!(request.field("x-forwarded-host"), Some("shop.test:81"));
    assert_eq!(request.all("via").join(", "), "1.0 first, 1.1 tollgate");
    assert_eq!(request.all("x-kept"), ["yes", "twice"]);
    assert_eq!(request.field("cookie"), Some("a=b"));
    assert_eq!(request.field("x-request-id").map(str::len), Some(36));
    assert_eq!(request.field("traceparent").map(str::len), Some(55));
    for removed in [
        "x-hop",
        "x-other",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "upgrade",
        "forwarded",
        "content-length",
        "transfer-encoding",
    ] {
        assert_eq!(request.field(removed), None, "{request:?}");
    }
    let connection = request.field("connection").unwrap_or_default();
    assert!(!connection.contains("op"), "{request:?}");
}

#[test]
fn the_fields_of_a_trusted_proxy_are_trusted() {
    let backend = Backend::hello();
    let rest = "trusted_proxies: [127.0.0.0/8]\nvia: edge";
    let gateway = Gateway::start(&table(&[backend.address()], "", rest));
    gateway.client().ask(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9, 8.8.8.8\r\n\
         X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test\r\nX-Request-Id: given\r\n\r\n",
    );
    let request = backend.only_request();
    let chain = "9.9.9.9, 8.8.8.8, 127.0.0.1";
    assert_eq!(request.field("x-forwarded-for"), Some(chain));
    assert_eq!(request.field("x-forwarded-proto"), Some("https"));
    assert_eq!(request.field("x-forwarded-host"), Some("shop.test"));
    assert_eq!(request.field("x-request-id"), Some("given"));
    assert_eq!(request.field("via"), Some("1.1 edge"));
}

#[test]
fn responses_lose_hop_by_hop_fields_and_get_a_date() {
    let backend = Backend::responding(|request| {
        let date = match request.target() {
            "/dated" => "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
            _ => "",
        };
        format!(
            "HTTP/1.1 200 Fine\r\n{date}Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\
             Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nProxy-Authenticate: Basic\r\n\
             Upgrade: h2c\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nServer: old\r\n\
             Content-Length: 2\r\n\r\nhi"
        )
        .into_bytes()
    });
    let gateway = Gateway::before(&backend);
    let mut client = gateway.client();
    let response = client.get("/");
    assert_eq!(response.start, "HTTP/1.1 200 Fine");
    for removed in [
        "x-hop",
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "upgrade",
    ] {
        assert_eq!(response.field(removed), None, "{response:?}");
    }
    assert_eq!(response.all("set-cookie"), ["a=b", "c=d"]);
    assert_eq!(response.field("server"), Some("old"));
    let date = response.field("date").unwrap();
    assert!(date.ends_with(" GMT") && date.len() == 29, "{date}");
    let dated = client.get("/dated");
    assert_eq!(dated.field("date"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
}

#[test]
fn the_upstream_path_follows_the_route() {
    let backend = Backend::hello();
    let address = backend.address();
    let gateway = Gateway::start(&format!(
        "routes:\n\
         - {{path_pattern: /api/users/*, service: users, version: v1, backends: [\"{address}\"]}}\n\
         - {{path_pattern: /api/v2/users/*, service: users, backends: [\"{address}\"]}}\n\
         - {{path_pattern: /strip/*, service: s, strip_prefix: true, backends: [\"{address}\"]}}\n\
         - {{path_pattern: /shop/*, service: r, rewrite_prefix: /in/ner, backends: [\"{address}\"]}}\n"
    ));
    let mut client = gateway.client();
    for (asked, version, expected) in [
        ("/api//users/./1?x=1&y", "", "/api/users/1?x=1&y"),
        ("/api/users/1", "Accept-Version: v2\r\n", "/api/v2/users/1"),
        ("/api/v1/users/1", "", "/api/users/1"),
        ("/api/v2/users/%7e/../1", "", "/api/v2/users/1"),
        ("http://other.test/api/v2/users/2?", "", "/api/v2/users/2?"),
        ("/strip/a/b?c", "", "/a/b?c"),
        ("/strip", "", "/"),
        ("/shop/1?a", "", "/in/ner/1?a"),
        ("/shop", "", "/in/ner"),
    ] {
        let response = client.ask(format!("GET {asked} HTTP/1.1\r\nHost: a\r\n{version}\r\n"));
        assert_eq!(response.status(), 200, "{asked}: {response:?}");
        let request = backend.requests().pop().unwrap();
        assert_eq!(request.target(), expected, "{asked}");
    }
    let absolute = backend
        .requests()
        .into_iter()
        .find(|it| it.target() == "/api/v2/users/2?");
    assert_eq!(absolute.unwrap().field("host"), Some("other.test"));
}

#[test]
fn header_rules_and_a_rewritten_host() {
    let backend = Backend::responding(|_| {
        b"HTTP/1.1 200 OK\r\nServer: x\r\nX-Set: old\r\nX-Add: 1\r\nContent-Length: 0\r\n\r\n"
            .to_vec()
    });
    let route = "host: rewrite, \
                 request_headers: {set: {x-set: new}, add: {x-add: [b, c]}, remove: [x-gone]}, \
                 response_headers: {set: {x-set: new}, add: {x-add: \"2\"}, remove: [server]}";
    let gateway = Gateway::start(&table(&[backend.address()], route, ""));
    let response = gateway.client().ask(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Set: old\r\nX-Add: a\r\nX-Gone: 1\r\nx-gone: 2\r\n\r\n",
    );
    let request = backend.only_request();
    assert_eq!(request.field("host"), Some(backend.address().as_str()));
    assert_eq!(request.field("x-forwarded-host"), Some("a"));
    assert_eq!(request.field("x-set"), Some("new"));
    assert_eq!(request.all("x-add").join(", "), "a, b, c");
    assert_eq!(request.field("x-gone"), None);
    assert_eq!(response.field("server"), None);
    assert_eq!(response.field("x-set"), Some("new"));
    assert_eq!(response.all("x-add").join(", "), "1, 2");
}

#[test]
fn cors_preflights_and_responses() {
    let backend = Backend::responding(|_| response_with("200 OK", "data"));
    let route = "methods: [GET, PUT], cors: {origins: [\"https://app.test\"], credentials: true}";
    let gateway = Gateway::start(&table(&[backend.address()], route, ""));
    let mut client = gateway.client();
    let preflight = client.ask(
        "OPTIONS /a HTTP/1.1\r\nHost: a\r\nOrigin: https://app.test\r\n\
         Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-a\r\n\r\n",
    );
    assert!([200, 204].contains(&preflight.status()), "{preflight:?}");
    let allowed = preflight.field("access-control-allow-origin");
    assert_eq!(allowed, Some("https://app.test"));
    let methods = preflight.field("access-control-allow-methods").unwrap();
    assert!(methods.contains("PUT"), "{methods}");
    assert_eq!(preflight.field("access-control-allow-headers"), Some("x-a"));
    assert_eq!(backend.count(), 0, "the gateway responds to it");
    let ask = |origin| format!("GET /a HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\n\r\n");
    let response = client.ask(ask("https://app.test"));
    let allowed = response.field("access-control-allow-origin");
    assert_eq!(
        (allowed, response.text()),
        (Some("https://app.test"), "data".into())
    );
    let response = client.ask(ask("https://evil.test"));
    assert_eq!(response.field("access-control-allow-origin"), None);
    // A page can read local responses too.
    drop(backend);
    let response = client.ask(ask("https://app.test"));
    let allowed = response.field("access-control-allow-origin");
    assert_eq!(
        (response.status(), allowed),
        (502, Some("https://app.test"))
    );
}

#[test]
fn redirects_and_deprecations() {
    let backend = Backend::hello();
    let address = backend.address();
    let gateway = Gateway::start(&format!(
        "routes:\n\
         - {{path_pattern: /old/*, redirect: {{to: \"https://new.test/x/*\", status: 301}}}}\n\
         - {{path_pattern: /v1/a, service: s}}\n\
         services: {{s: {{versions: {{v1: {{backends: [\"{address}\"], deprecated: 2026-01-31, \
         sunset: 2036-12-31}}}}}}}}\n"
    ));
    let mut client = gateway.client();
    let response = client.get("/old/a/b?c=d");
    let to = response.field("location");
    assert_eq!(
        (response.status(), to),
        (301, Some("https://new.test/x/a/b?c=d"))
    );
    let response = client.get("/v1/a");
    assert!(response.field("deprecation").unwrap().starts_with('@'));
    let sunset = response.field("sunset");
    assert_eq!(sunset, Some("Wed, 31 Dec 2036 00:00:00 GMT"));
    assert_eq!(response.text(), "hello");
}

#[test]
fn local_responses_identify_the_gateway() {
    let backend = Backend::responding(|_| ok("x"));
    let gateway = Gateway::start(&format!(
        "routes: [{{path_pattern: /a, methods: [GET], service: s, backends: [\"{}\"]}}]",
        backend.address()
    ));
    let mut client = gateway.client();
    for (asked, status, code) in [
        ("GET /none", 404, "route.not_found"),
        ("DELETE /a", 405, "method.not_allowed"),
        ("GET /a/../..", 400, "path.invalid"),
    ] {
        let response = client.ask(format!("{asked} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(response.status(), status);
        assert_eq!(
            response.field("content-type"),
            Some("application/problem+json")
        );
        let problem: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(problem["code"], code);
        assert_eq!(problem["status"], status);
        let proxy_status = response.field("proxy-status").unwrap();
        assert!(proxy_status.starts_with("tollgate"), "{proxy_status}");
        assert!(response.field("date").is_some());
        if status == 405 {
            let allow = response.field("allow").unwrap();
            assert!(allow.contains("GET") && allow.contains("HEAD"), "{allow}");
        }
    }
    client.send("HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.response_to("HEAD").unwrap().status(), 404);
    assert_eq!(client.get("/a").status(), 200, "the head had no body");
}
