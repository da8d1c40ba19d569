//! `tollgate stdio --forward`, through the real binary and backends that do as a test says.

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
fn an_answer_has_the_status_and_the_body_of_the_backend() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&backend.address]);
    gateway.write(&get(7, "/a/b?c=d"));
    let asked = backend.next();
    assert!(
        asked.head.starts_with("GET /a/b?c=d HTTP/1.1\r\n"),
        "{}",
        asked.head
    );
    for field in [
        "via: 1.1 tollgate",
        "x-forwarded-for: 127.0.0.1",
        "x-request-id: ",
        "traceparent: ",
    ] {
        assert!(asked.has(field), "{field}: {}", asked.head);
    }
    assert!(
        asked.has(&format!("host: {}", backend.address)),
        "{}",
        asked.head
    );
    asked.answer("201 Created", "X-Own: 1\r\n", b"made");
    let line = gateway.read_line();
    assert_eq!(
        line,
        r#"{"type":"api_response","in_reply_to":7,"status":201,"service":"s","version":"v1","backend":"127.0.0.1","body":"made"}"#
    );
    gateway.end_well();
}

#[test]
fn verbose_tells_the_header_as_well() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&["--verbose"]);
    gateway.init(&[&backend.address]);
    gateway.write(&get(1, "/a"));
    backend.next().answer(
        "200 OK",
        "X-Own: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nConnection: x-hop\r\nX-Hop: 1\r\n",
        b"",
    );
    let answer = gateway.read();
    assert_eq!(answer["body"], "");
    assert_eq!(answer["headers"]["x-own"], "1");
    assert_eq!(answer["headers"]["set-cookie"], json!(["a", "b"]));
    assert_eq!(answer["headers"].get("x-hop"), None);
    assert_eq!(answer["address"], backend.address);
    assert_eq!(answer["upstream_path"], "/a");
    gateway.end_well();
}

#[test]
fn bodies_go_up_as_they_are_or_as_compact_json() {
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
        let asked = backend.next();
        assert_eq!(asked.body, expected.as_bytes(), "{body}");
        assert!(
            asked.has(&format!("content-length: {}", expected.len())),
            "{}",
            asked.head
        );
        assert_eq!(
            asked.has("content-type: "),
            kind.is_some(),
            "{}",
            asked.head
        );
        assert!(kind.is_none_or(|kind| asked.has(kind)), "{}", asked.head);
        assert!(
            asked.has("x-own: 1") && !asked.has("x-hop"),
            "{}",
            asked.head
        );
        asked.answer("200 OK", "", b"");
        assert_eq!(gateway.read()["status"], 200);
    }
    gateway.end_well();
}

#[test]
fn a_body_that_is_no_text_comes_as_base64() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&backend.address]);
    gateway.write(&get(1, "/a"));
    backend.next().answer("200 OK", "", b"\xff\xfe\xfd\xfb");
    let answer = gateway.read();
    assert_eq!(answer["body_base64"], "//79+w==");
    assert_eq!(answer.get("body"), None);
    gateway.end_well();
}

#[test]
fn what_fails_is_refused() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&["--max-body-bytes", "5"]);
    gateway.init(&[&gone()]);
    let failed = |answer: &Value| (answer["status"].clone(), answer["error"]["code"].clone());
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
    backend.next().answer("200 OK", "", b"123456");
    assert_eq!(
        failed(&gateway.read()),
        (json!(502), json!("upstream.body_too_large"))
    );
    gateway.write(&get(4, "/a"));
    backend.next().answer("200 OK", "", b"12345");
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
    gateway.end_well();
}

#[test]
fn another_backend_is_tried_and_every_pick_is_counted() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&gone(), &backend.address]);
    for id in 0..4 {
        gateway.write(&get(id, "/a"));
        backend.next().answer("200 OK", "", b"");
        assert_eq!(gateway.read()["status"], 200);
    }
    gateway.write(&json!({"type": "stats"}));
    let stats = gateway.read();
    let route = &stats["routes"][0];
    assert_eq!(route["matched"], 4);
    assert_eq!(route["picks"][1]["picks"], 4, "{stats}");
    assert!(route["picks"][0]["picks"].as_u64() > Some(0), "{stats}");
    gateway.end_well();
}

#[test]
fn stats_count_what_was_read_before_them() {
    let (one, other) = (Backend::start(), Backend::start());
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&one.address, &other.address]);
    for id in 0..10 {
        gateway.write(&get(id, "/a"));
    }
    gateway.write(&json!({"type": "stats"}));
    // Nothing is answered yet.
    let stats = gateway.read();
    assert_eq!(stats["routes"][0]["matched"], 10, "{stats}");
    for at in [0, 1] {
        assert_eq!(stats["routes"][0]["picks"][at]["picks"], 5, "{stats}");
    }
    // And they go over to a table that has the route, too.
    gateway.init(&[&other.address]);
    gateway.write(&json!({"type": "stats"}));
    let stats = gateway.read();
    assert_eq!(stats["routes"][0]["picks"][0]["picks"], 5, "{stats}");
    assert_eq!(stats["routes"][0]["departed"], 5, "{stats}");
    for backend in [&one, &other] {
        (0..5).for_each(|_| backend.next().answer("200 OK", "", b""));
    }
    assert_eq!(gateway.end_well().len(), 10);
}

#[test]
fn the_fast_are_answered_first() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&backend.address]);
    gateway.write(&get(1, "/slow"));
    let slow = backend.next();
    gateway.write(&get(2, "/fast"));
    backend.next().answer("200 OK", "", b"");
    assert_eq!(gateway.read()["in_reply_to"], 2);
    slow.answer("200 OK", "", b"");
    assert_eq!(gateway.read()["in_reply_to"], 1);
    gateway.end_well();
}

#[test]
fn no_more_are_in_flight_than_may_be() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&["--concurrency", "2"]);
    gateway.init(&[&backend.address]);
    for id in 1..=3 {
        gateway.write(&get(id, "/a"));
    }
    gateway.write(&json!({"type": "explain", "path": "/a", "msg_id": 4}));
    let (first, second) = (backend.next(), backend.next());
    // While two are on their way nothing is read, and so nothing answered.
    assert!(backend.is_quiet());
    first.answer("200 OK", "", b"");
    assert_eq!(gateway.read()["type"], "api_response");
    let third = backend.next();
    second.answer("200 OK", "", b"");
    // Which of the two answers is first is nobody's promise.
    let mut kinds = [
        gateway.read()["type"].clone(),
        gateway.read()["type"].clone(),
    ];
    kinds.sort_by_key(ToString::to_string);
    assert_eq!(kinds, ["api_response", "explain_ok"]);
    third.answer("200 OK", "", b"");
    assert_eq!(gateway.read()["in_reply_to"], 3);
    gateway.end_well();
}

#[test]
fn at_the_end_of_input_all_is_answered() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&backend.address]);
    for id in 0..5 {
        gateway.write(&get(id, "/a"));
    }
    gateway.close_input();
    (0..5).for_each(|_| backend.next().answer("200 OK", "", b""));
    let mut ids: Vec<_> = (gateway.end_well().iter())
        .map(|it| it["in_reply_to"].as_u64())
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..5).map(Some).collect::<Vec<_>>());
}

#[test]
fn a_request_goes_by_the_table_of_its_time() {
    let (before, after) = (Backend::start(), Backend::start());
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&before.address]);
    gateway.write(&get(1, "/a"));
    gateway.init(&[&after.address]);
    gateway.write(&get(2, "/a"));
    let (first, second) = (before.next(), after.next());
    second.answer("200 OK", "", b"new");
    assert_eq!(gateway.read()["body"], "new");
    first.answer("200 OK", "", b"old");
    assert_eq!(gateway.read()["body"], "old");
    gateway.end_well();
}

#[test]
fn a_pause_takes_no_time_from_the_next_request() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    let route = json!({"path_pattern": "/a", "service": "s", "backends": [backend.address],
                       "max_duration": "190ms"});
    gateway.write(&json!({"type": "init", "routes": [route]}));
    assert_eq!(gateway.read(), json!({"type": "init_ok"}));
    for id in 1..=2 {
        assert!(backend.is_quiet());
        gateway.write(&get(id, "/a"));
        backend.next().answer("200 OK", "", b"");
        assert_eq!(gateway.read()["status"], 200);
    }
    gateway.write(&get(3, "/a"));
    let never_answered = backend.next();
    assert_eq!(gateway.read()["error"]["code"], "upstream.timeout");
    drop(never_answered);
    gateway.end_well();
}

#[test]
fn a_closed_output_ends_it_although_the_input_is_open() {
    let backend = Backend::start();
    let mut gateway = Gateway::start(&[]);
    gateway.init(&[&backend.address]);
    gateway.write(&get(1, "/a"));
    let asked = backend.next();
    gateway.close_output();
    asked.answer("200 OK", "", b"");
    assert_eq!(gateway.wait(), (Some(0), String::new()));
}

/// An `api_request` with this id.
fn get(id: u64, path: &str) -> Value {
    json!({"type": "api_request", "msg_id": id, "path": path})
}

/// An address at which nobody listens.
fn gone() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
