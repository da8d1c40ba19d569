//! Interactive sessions: each message is written after the previous reply has arrived.

use serde_json::{Value, json};

use crate::child::Gateway;

#[test]
fn each_reply_arrives_before_the_next_request() {
    let mut gateway = Gateway::start();
    for id in 0..200 {
        let backend = format!("users-{}", id % 3 + 1);
        let newline = if id % 2 == 0 { "\n" } else { "" };
        gateway.write(format!("{}{newline}", request(id, "/api/users/123")));
        let reply = gateway.read();
        assert_eq!(reply["in_reply_to"], id);
        assert_eq!(reply["backend"], backend);
    }
    finish(gateway, "");
}

#[test]
fn a_value_gets_its_reply_without_a_newline() {
    let mut gateway = Gateway::start();
    for (value, kind) in [
        (request(1, "/api/users/1").to_string(), "api_response"),
        (r#"{"type":"init","routes":[]}"#.into(), "init_ok"),
        (
            r#"{"body":{"type":"api_request","path":"/"}}"#.into(),
            "api_response",
        ),
        ("[]".into(), "error"),
        (r#""text""#.into(), "error"),
        ("{\n\"type\":\n\"stats\"\n}".into(), "stats_ok"),
        ("nonsense".into(), "error"),
    ] {
        gateway.write(&value);
        let reply = gateway.read();
        let is_bare = reply.get("type").is_some();
        let body = if is_bare { &reply } else { &reply["body"] };
        assert_eq!(body["type"], kind, "{value}");
    }
    finish(gateway, "");
}

#[test]
fn a_value_may_arrive_byte_by_byte() {
    let mut gateway = Gateway::start();
    for id in 0..3 {
        for byte in request(id, "/api/v2/users/123").to_string().bytes() {
            gateway.write([byte]);
        }
        assert_eq!(gateway.read()["in_reply_to"], id);
    }
    finish(gateway, "");
}

#[test]
fn many_requests_get_their_replies_in_order() {
    const REQUESTS: usize = 20_000;
    let mut gateway = Gateway::start();
    // A batch fits into the pipe, and so do its replies.
    for first in (0..REQUESTS).step_by(100) {
        let batch: String = (first..first + 100)
            .map(|id| format!("{}\n", request(id, "/api/orders/456")))
            .collect();
        gateway.write(batch);
        for id in first..first + 100 {
            assert_eq!(gateway.read()["in_reply_to"], id);
        }
    }
    finish(gateway, "");
}

#[test]
fn the_end_of_input_inside_a_value_is_an_error_reply() {
    for (cut, replies) in [
        ("{\"type\":\"sta", 1),
        ("{\n\n", 1),
        ("\"", 1),
        ("", 0),
        ("\n \n", 0),
    ] {
        let mut gateway = Gateway::start();
        gateway.write(cut);
        let end = gateway.end();
        assert_eq!((end.code, end.errors.as_str()), (Some(0), ""), "{cut:?}");
        let lines: Vec<Value> = end
            .rest
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), replies, "{cut:?}: {lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| line["type"] == "error" && line["code"] == 12)
        );
    }
}

#[test]
fn a_number_at_the_end_of_input_is_a_value() {
    let mut gateway = Gateway::start();
    gateway.write("12");
    let end = gateway.end();
    assert!(end.rest.contains("not a message"), "{end:?}");
}

#[test]
fn a_closed_output_ends_the_process() {
    let mut gateway = Gateway::start();
    gateway.write(request(1, "/api/users/1").to_string());
    gateway.read();
    gateway.close_output();
    // The gateway notices it when it writes the next reply.
    while gateway.write(format!("{}\n", request(2, "/api/users/1"))) {}
    let end = gateway.end();
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""));
}

#[test]
fn the_maximum_size_of_a_value_is_eight_mebibytes() {
    const MAX_BYTES: usize = 8 << 20;
    let message = |length: usize| {
        let (head, tail) = (r#"{"type":"discover","service":"none","note":""#, "\"}\n");
        format!(
            "{head}{}{tail}",
            "x".repeat(length + 1 - head.len() - tail.len())
        )
    };
    let mut gateway = Gateway::start();
    for (length, kind) in [
        (MAX_BYTES, "discover_ok"),
        (MAX_BYTES + 1, "error"),
        (MAX_BYTES - 1, "discover_ok"),
    ] {
        assert_eq!(message(length).len(), length + 1);
        gateway.write(message(length));
        assert_eq!(gateway.read()["type"], kind, "{length}");
    }
    finish(gateway, "");
}

#[cfg(target_os = "linux")]
#[test]
fn an_endless_value_is_rejected_in_bounded_memory() {
    const MIB: usize = 1 << 20;
    for (first, more) in [
        (&b"["[..], b'['),
        (b"\"", b'x'),
        (b"{\"a\":\"", b'x'),
        (b"1", b'1'),
        (b"[", b' '),
    ] {
        let mut gateway = Gateway::start();
        gateway.write(first);
        let piece = vec![more; MIB];
        for _ in 0..64 {
            assert!(gateway.write(&piece));
        }
        let reply = gateway.read();
        assert_eq!(
            (&reply["type"], &reply["code"]),
            (&json!("error"), &json!(12)),
            "{reply}"
        );
        gateway.write(format!("\n{}\n", request(1, "/api/users/1")));
        assert_eq!(gateway.read()["in_reply_to"], 1);
        let peak = gateway.peak_memory_bytes();
        assert!(peak < 64 << 20, "{peak} bytes after {}", char::from(more));
        finish(gateway, "");
    }
}

fn request(id: usize, path: &str) -> Value {
    json!({"type": "api_request", "msg_id": id, "path": path})
}

fn finish(gateway: Gateway, rest: &str) {
    let end = gateway.end();
    assert_eq!(
        (end.code, end.rest.as_str(), end.errors.as_str()),
        (Some(0), rest, "")
    );
}
