//! `tollgate stdio --forward`, with the real binary and scripted backends.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a panic is how a test fails"
)]

#[path = "stdio_forward/backend.rs"]
mod backend;
#[path = "stdio_forward/child.rs"]
mod child;

use std::net::TcpListener;

use serde_json::{Value, json};

use backend::Backend;
use child::Gateway;

#[test]
fn a_reply_has_the_status_and_the_body_of_the_backend() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&backend.address]);
    gateway.write(&get(7, "/a/b?c=d"));
    let request = backend.next();
    assert!(
        request.head.starts_with("GET /a/b?c=d HTTP/1.1\r\n"),
        "{}",
        request.head
    );
    for field in [
        "via: 1.1 tollgate",
        "x-forwarded-for: 127.0.0.1",
        "x-request-id: ",
        "traceparent: ",
    ] {
        assert!(request.has(field), "{field}: {}", request.head);
    }
    assert!(
        request.has(&format!("host: {}", backend.address)),
        "{}",
        request.head
    );
    request.respond("201 Created", "X-Own: 1\r\n", b"made");
    let line = gateway.read_line();
    assert_eq!(
        line,
        r#"{"type":"api_response","in_reply_to":7,"status":201,"service":"s","version":"v1","backend":"127.0.0.1","body":"made"}"#
    );
    gateway.finish();
}

#[test]
fn verbose_replies_have_the_header_fields() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&["--verbose"]);
    gateway.init(&[&backend.address]);
    gateway.write(&get(1, "/a"));
    backend.next().respond(
        "200 OK",
        "X-Own: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nConnection: x-hop\r\nX-Hop: 1\r\n",
        b"",
    );
    let reply = gateway.read();
    assert_eq!(reply["body"], "");
    assert_eq!(reply["headers"]["x-own"], "1");
    assert_eq!(reply["headers"]["set-cookie"], json!(["a", "b"]));
    assert_eq!(reply["headers"].get("x-hop"), None);
    assert_eq!(reply["address"], backend.address);
    assert_eq!(reply["upstream_path"], "/a");
    gateway.finish();
}

#[test]
fn bodies_are_sent_as_text_or_as_compact_json() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&backend.address]);
    let cases = [
        (json!("plain \u{e9}"), "plain \u{e9}", None),
        (
            json!({"a": [1, 2.50, "x y"]}),
            r#"{"a":[1,2.5,"x y"]}"#,
            Some("content-type: application/json"),
        ),
        (json!(""), "", None),
        (Value::Null, "", None),
    ];
    for (body, expected, kind) in cases {
        let mut request = get(1, "/a");
        request["method"] = "POST".into();
        request["headers"] =
            json!({"X-Own": "1", "Connection": "x-hop", "X-Hop": "1", "Content-Length": "999"});
        request["body"] = body.clone();
        gateway.write(&request);
        let request = backend.next();
        assert_eq!(request.body, expected.as_bytes(), "{body}");
        assert!(
            request.has(&format!("content-length: {}", expected.len())),
            "{}",
            request.head
        );
        assert_eq!(
            request.has("content-type: "),
            kind.is_some(),
            "{}",
            request.head
        );
        assert!(
            kind.is_none_or(|kind| request.has(kind)),
            "{}",
            request.head
        );
        assert!(
            request.has("x-own: 1") && !request.has("x-hop"),
            "{}",
            request.head
        );
        request.respond("200 OK", "", b"");
        assert_eq!(gateway.read()["status"], 200);
    }
    gateway.finish();
}

#[test]
fn a_body_that_is_not_utf8_is_base64() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&backend.address]);
    gateway.write(&get(1, "/a"));
    backend.next().respond("200 OK", "", b"\xff\xfe\xfd\xfb");
    let reply = gateway.read();
    assert_eq!(reply["body_base64"], "//79+w==");
    assert_eq!(reply.get("body"), None);
    gateway.finish();
}

#[test]
fn failures_are_local_responses() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&["--max-body-bytes", "5"]);
    gateway.init(&[&unused_address()]);
    let failed = |reply: &Value| (reply["status"].clone(), reply["error"]["code"].clone());
    gateway.write(&get(1, "/a"));
    assert_eq!(
        failed(&gateway.read()),
        (json!(502), json!("upstream.connect_failed"))
    );
    gateway.init(&[&backend.address]);
    gateway.write(&get(2, "/elsewhere"));
    assert_eq!(
        failed(&gateway.read()),
        (json!(404), json!("route.not_found"))
    );
    gateway.write(&get(3, "/a"));
    backend.next().respond("200 OK", "", b"123456");
    assert_eq!(
        failed(&gateway.read()),
        (json!(502), json!("upstream.body_too_large"))
    );
    gateway.write(&get(4, "/a"));
    backend.next().respond("200 OK", "", b"12345");
    assert_eq!(gateway.read()["body"], "12345");
    gateway.write(&get(5, "/a"));
    backend
        .next()
        .raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    assert_eq!(
        failed(&gateway.read()),
        (json!(502), json!("upstream.incomplete"))
    );
    gateway.write(&get(6, "/a"));
    backend.next().raw(b"nonsense\r\n\r\n");
    assert_eq!(
        failed(&gateway.read()),
        (json!(502), json!("upstream.bad_response"))
    );
    gateway.write(&get(7, &format!("/a/{}", "x".repeat(10_000))));
    assert_eq!(
        failed(&gateway.read()),
        (json!(414), json!("request.target_too_long"))
    );
    gateway.finish();
}

#[test]
fn a_retry_picks_another_backend_and_every_pick_is_counted() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&unused_address(), &backend.address]);
    for id in 0..4 {
        gateway.write(&get(id, "/a"));
        backend.next().respond("200 OK", "", b"");
        assert_eq!(gateway.read()["status"], 200);
    }
    gateway.write(&json!({"type": "stats"}));
    let stats = gateway.read();
    let route = &stats["routes"][0];
    assert_eq!(route["matched"], 4);
    assert_eq!(route["picks"][1]["picks"], 4, "{stats}");
    assert!(route["picks"][0]["picks"].as_u64() > Some(0), "{stats}");
    gateway.finish();
}

#[test]
fn stats_count_the_requests_before_them() {
    let (one, other) = (Backend::start(), Backend::start());
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&one.address, &other.address]);
    for id in 0..10 {
        gateway.write(&get(id, "/a"));
    }
    gateway.write(&json!({"type": "stats"}));
    // No backend has responded yet.
    let stats = gateway.read();
    assert_eq!(stats["routes"][0]["matched"], 10, "{stats}");
    for at in [0, 1] {
        assert_eq!(stats["routes"][0]["picks"][at]["picks"], 5, "{stats}");
    }
    // A new table with the same route keeps the counts.
    gateway.init(&[&other.address]);
    gateway.write(&json!({"type": "stats"}));
    let stats = gateway.read();
    assert_eq!(stats["routes"][0]["picks"][0]["picks"], 5, "{stats}");
    assert_eq!(stats["routes"][0]["departed"], 5, "{stats}");
    for backend in [&one, &other] {
        (0..5).for_each(|_| backend.next().respond("200 OK", "", b""));
    }
    assert_eq!(gateway.finish().len(), 10);
}

#[test]
fn replies_are_written_as_they_arrive() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&backend.address]);
    gateway.write(&get(1, "/slow"));
    let slow = backend.next();
    gateway.write(&get(2, "/fast"));
    backend.next().respond("200 OK", "", b"");
    assert_eq!(gateway.read()["in_reply_to"], 2);
    slow.respond("200 OK", "", b"");
    assert_eq!(gateway.read()["in_reply_to"], 1);
    gateway.finish();
}

#[test]
fn concurrency_limits_requests_in_flight() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&["--concurrency", "2"]);
    gateway.init(&[&backend.address]);
    for id in 1..=3 {
        gateway.write(&get(id, "/a"));
    }
    gateway.write(&json!({"type": "explain", "path": "/a", "msg_id": 4}));
    let (first, second) = (backend.next(), backend.next());
    // While two requests are in flight, the gateway reads and writes nothing.
    assert!(backend.is_quiet());
    first.respond("200 OK", "", b"");
    assert_eq!(gateway.read()["type"], "api_response");
    let third = backend.next();
    second.respond("200 OK", "", b"");
    // The order of these two replies is unspecified.
    let mut kinds = [
        gateway.read()["type"].clone(),
        gateway.read()["type"].clone(),
    ];
    kinds.sort_by_key(ToString::to_string);
    assert_eq!(kinds, ["api_response", "explain_ok"]);
    third.respond("200 OK", "", b"");
    assert_eq!(gateway.read()["in_reply_to"], 3);
    gateway.finish();
}

#[test]
fn every_request_gets_a_reply_after_the_end_of_input() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&backend.address]);
    for id in 0..5 {
        gateway.write(&get(id, "/a"));
    }
    gateway.close_input();
    (0..5).for_each(|_| backend.next().respond("200 OK", "", b""));
    let mut ids: Vec<_> = (gateway.finish().iter())
        .map(|it| it["in_reply_to"].as_u64())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..5).map(Some).collect::<Vec<_>>());
}

#[test]
fn a_request_uses_the_table_at_its_arrival() {
    let (before, after) = (Backend::start(), Backend::start());
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&before.address]);
    gateway.write(&get(1, "/a"));
    gateway.init(&[&after.address]);
    gateway.write(&get(2, "/a"));
    let (first, second) = (before.next(), after.next());
    second.respond("200 OK", "", b"new");
    assert_eq!(gateway.read()["body"], "new");
    first.respond("200 OK", "", b"old");
    assert_eq!(gateway.read()["body"], "old");
    gateway.finish();
}

#[test]
fn an_idle_period_does_not_shorten_the_next_deadline() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    let route = json!({"path_pattern": "/a", "service": "s", "backends": [backend.address],
                       "max_duration": "190ms"});
    gateway.write(&json!({"type": "init", "routes": [route]}));
    assert_eq!(gateway.read(), json!({"type": "init_ok"}));
    for id in 1..=2 {
        assert!(backend.is_quiet());
        gateway.write(&get(id, "/a"));
        backend.next().respond("200 OK", "", b"");
        assert_eq!(gateway.read()["status"], 200);
    }
    gateway.write(&get(3, "/a"));
    let unanswered = backend.next();
    assert_eq!(gateway.read()["error"]["code"], "upstream.timeout");
    drop(unanswered);
    gateway.finish();
}

#[test]
fn a_closed_output_ends_the_process() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&backend.address]);
    gateway.write(&get(1, "/a"));
    let request = backend.next();
    gateway.close_output();
    request.respond("200 OK", "", b"");
    assert_eq!(gateway.wait(), (Some(0), String::new()));
}

/// An `api_request` with this id.
fn get(id: u64, path: &str) -> Value {
    json!({"type": "api_request", "msg_id": id, "path": path})
}

/// An address at which no process listens.
fn unused_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
