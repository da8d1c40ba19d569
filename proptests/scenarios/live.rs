//! Conversations: what is written waits for what was answered.

use serde_json::{Value, json};

use crate::child::Gateway;

#[test]
fn each_answer_comes_before_the_next_request() {
    let mut gateway = Gateway::start();
    for id in 0..200 {
        let backend = format!("users-{}", id % 3 + 1);
        let newline = if id % 2 == 0 { "\n" } else { "" };
        gateway.write(format!("{}{newline}", request(id, "/api/users/123")));
        let answer = gateway.read();
        assert_eq!(answer["in_reply_to"], id);
        assert_eq!(answer["backend"], backend);
    }
    well_ended(gateway, "");
}

#[test]
fn a_value_is_answered_without_a_newline_whatever_it_is() {
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
        let answer = gateway.read();
        let is_bare = answer.get("type").is_some();
        let body = if is_bare { &answer } else { &answer["body"] };
        assert_eq!(body["type"], kind, "{value}");
    }
    well_ended(gateway, "");
}

#[test]
fn a_value_may_come_byte_by_byte() {
    let mut gateway = Gateway::start();
    for id in 0..3 {
        for byte in request(id, "/api/v2/users/123").to_string().bytes() {
            gateway.write([byte]);
        }
        assert_eq!(gateway.read()["in_reply_to"], id);
    }
    well_ended(gateway, "");
}

#[test]
fn many_requests_at_once_are_all_answered_in_order() {
    const REQUESTS: usize = 20_000;
    let mut gateway = Gateway::start();
    // As many as fit are written before anything is read; the answers to them fit too.
    for first in (0..REQUESTS).step_by(100) {
        let batch: String = (first..first + 100)
            .map(|id| format!("{}\n", request(id, "/api/orders/456")))
            .collect();
        gateway.write(batch);
        for id in first..first + 100 {
            assert_eq!(gateway.read()["in_reply_to"], id);
        }
    }
    well_ended(gateway, "");
}

#[test]
fn the_end_of_input_inside_a_value_is_told_and_is_no_failure() {
    for (cut, answers) in [
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
        assert_eq!(lines.len(), answers, "{cut:?}: {lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| line["type"] == "error" && line["code"] == 12)
        );
    }
}

#[test]
fn a_number_at_the_very_end_is_a_value() {
    let mut gateway = Gateway::start();
    gateway.write("12");
    let end = gateway.end();
    assert!(end.rest.contains("not a message"), "{end:?}");
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let mut gateway = Gateway::start();
    gateway.write(request(1, "/api/users/1").to_string());
    gateway.read();
    gateway.close_output();
    // It is found out with the next answer.
    while gateway.write(format!("{}\n", request(2, "/api/users/1"))) {}
    let end = gateway.end();
    assert_eq!((end.code, end.errors.as_str()), (Some(0), ""));
}

#[test]
fn a_value_of_eight_mebibytes_is_the_longest() {
    const MOST: usize = 8 << 20;
    let message = |length: usize| {
        let (head, tail) = (r#"{"type":"discover","service":"none","note":""#, "\"}\n");
        format!(
            "{head}{}{tail}",
            "x".repeat(length + 1 - head.len() - tail.len())
        )
    };
    let mut gateway = Gateway::start();
    for (length, kind) in [
        (MOST, "discover_ok"),
        (MOST + 1, "error"),
        (MOST - 1, "discover_ok"),
    ] {
        assert_eq!(message(length).len(), length + 1);
        gateway.write(message(length));
        assert_eq!(gateway.read()["type"], kind, "{length}");
    }
    well_ended(gateway, "");
}

#[cfg(target_os = "linux")]
#[test]
fn an_endless_value_is_refused_in_bounded_memory() {
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
        let answer = gateway.read();
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!(12)),
            "{answer}"
        );
        gateway.write(format!("\n{}\n", request(1, "/api/users/1")));
        assert_eq!(gateway.read()["in_reply_to"], 1);
        let peak = gateway.peak_memory_bytes();
        assert!(peak < 64 << 20, "{peak} bytes after {}", char::from(more));
        well_ended(gateway, "");
    }
}

fn request(id: usize, path: &str) -> Value {
    json!({"type": "api_request", "msg_id": id, "path": path})
}

fn well_ended(gateway: Gateway, rest: &str) {
    let end = gateway.end();
    assert_eq!(
        (end.code, end.rest.as_str(), end.errors.as_str()),
        (Some(0), rest, "")
    );
}
