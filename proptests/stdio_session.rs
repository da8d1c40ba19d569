//! Each value on standard input gets one reply, in its envelope and with its id.
//!
//! `Values` finds where values begin and end; `stdio_values.rs` compares it with a naive reader. Here
//! `Expected`, another naive reader, determines the envelope of each reply.

#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is how a test fails"
)]

#[path = "stdio_session/messages.rs"]
mod messages;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::value::RawValue;
use tollgate::config::{LoadOptions, load_json};
use tollgate::control::Reconciler;
use tollgate::frontend::stdio::values::{Limits, Parsed, Step, Values, parse_ignored};
use tollgate::frontend::stdio::{Options, serve};

use messages::{bytes, messages, mutated};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_get_one_reply_per_value(input in bytes()) {
        check(&input, false)?;
    }

    #[test]
    fn messages_get_one_reply_each(stream in messages(), verbose in any::<bool>()) {
        check(stream.as_bytes(), verbose)?;
    }

    #[test]
    fn mutated_messages_get_one_reply_each(input in mutated(messages())) {
        check(&input, false)?;
    }
}

#[test]
fn unusual_ids_and_addresses_are_repeated_exactly() {
    for input in [
        r#"{"type":"stats","msg_id":null}"#,
        r#"{"type":"stats","msg_id": {"a" : [1.10, -0, 1E400, "\ud800 \"x "]} }"#,
        r#"{"msg_id":1,"src":null,"dest":[ 1 ],"body":{"type":"stats","msg_id":2}}"#,
        r#"{"src":null,"body":{"type":"\ud800","msg_id":null}}"#,
        r#"{"src":1,"dest":2,"body":{"type":"stats","msg_id":3,"msg_id":4,"x":"\udc00"}}"#,
        r#"{"type":null,"src":1,"path":"\ud800","msg_id":5}"#,
        r#"{"type":"api_request","msg_id":6,"path":"/","body":{"path":"\ud800","path":1e999}}"#,
        r#"{"type":"api_request","msg_id":7,"path":1e999}"#,
        r#"{"\ud800":1,"src":8,"body":{"\ud800":1,"msg_id":9}}"#,
        r#"{"s\u0072c":10,"bod\u0079":{"msg\u005fid":11,"type":"stats"}}"#,
        r#"{"src":{ },"body":[{"msg_id":12}]}"#,
        r#"{"body":{"type":"api_request","msg_id":13,"path":"/"},"type":"stats"}"#,
    ] {
        check(input.as_bytes(), false).unwrap_or_else(|error| panic!("{input}: {error}"));
    }
}

/// Invalid header fields are reported, not ignored.
#[test]
fn invalid_headers_are_rejected() {
    for headers in [
        r#"{"accept-version":"\ud800"}"#,
        r#"{"accept-version":["v1","\udfff"]}"#,
        r#"{"\ud800":"v1","accept-version":"v9"}"#,
        r#"{"accept-version":null}"#,
        r#"{"accept-version":[["v1"]]}"#,
        r#"[]"#,
        r#""accept-version: v1""#,
        r#"{"a b":"c"}"#,
        r#"{"":"c"}"#,
        r#"{"a\n":1}"#,
        r#"{"a":["b","c\r\nd"]}"#,
        "{\"a\":\"\u{7f}\"}",
    ] {
        let input =
            format!(r#"{{"type":"api_request","path":"/api/users/1","headers":{headers}}}"#);
        let reply = replies(input.as_bytes(), false);
        assert!(
            reply.starts_with(r#"{"type":"error","code":12,"text":"`headers"#),
            "{reply}"
        );
    }
}

/// `serde_json` rejects such strings and numbers anywhere in a value, and the reply reported the whole
/// message as unreadable.
#[test]
fn regression_an_unreadable_value_is_an_error_of_its_field() {
    let half = "must be a string, not a string with an unpaired surrogate";
    for (fields, expected) in [
        (r#""path":"/a\ud800""#, format!("`path` {half}")),
        (
            r#""path":"/","method":"\udc00""#,
            format!("`method` {half}"),
        ),
        (
            r#""path":"/","method":1e400"#,
            "`method` must be a string, not a number".into(),
        ),
        (
            r#""path":"/","headers":{"a":"\ud800"}"#,
            "`headers.a` must be".into(),
        ),
        (
            r#""path":"/","headers":{"\ud800":"a"}"#,
            "`headers` has a name with an unpaired".into(),
        ),
        (
            r#""path":"/","method":7,"x\ud800":[1e400]"#,
            "`method` must be".into(),
        ),
    ] {
        for input in [
            format!(r#"{{"type":"api_request",{fields}}}"#),
            format!(r#"{{{fields},"type":"api_request"}}"#),
        ] {
            let reply = replies(input.as_bytes(), false);
            let expected = format!(r#"{{"type":"error","code":12,"text":"{expected}"#);
            assert!(reply.starts_with(&expected), "{input}: {reply}");
        }
    }
    for (input, expected) in [
        (
            r#"{"type":"register","service":"s","backend":"b","ttl":1e400}"#,
            "`ttl` must be",
        ),
        (
            r#"{"type":"discover","version":"\ud800"}"#,
            "`version` must be",
        ),
        (r#"{"type":"\ud800"}"#, "`type` must be"),
        (r#"{"x\ud800":1}"#, "`type` is missing"),
    ] {
        let reply = replies(input.as_bytes(), false);
        let expected = format!(r#"{{"type":"error","code":12,"text":"{expected}"#);
        assert!(reply.starts_with(&expected), "{input}: {reply}");
    }
}

#[test]
fn regression_unknown_fields_are_ignored_whatever_their_values() {
    for fields in [
        r#""x\ud800":1"#,
        r#""x":"\ud800""#,
        r#""x":1e400"#,
        r#""x":{"\ud800":[1e400]},"\ud800":1e400"#,
    ] {
        for (input, expected) in [
            (
                format!(r#"{{"type":"stats",{fields}}}"#),
                r#"{"type":"stats_ok","#,
            ),
            (
                format!(r#"{{"src":1,"body":{{{fields},"type":"stats"}}}}"#),
                r#"{"dest":1,"body":{"type":"stats_ok","#,
            ),
            (
                format!(r#"{{{fields},"src":1,"body":{{"type":"stats"}}}}"#),
                r#"{"dest":1,"body":{"type":"stats_ok","#,
            ),
            (
                format!(r#"{{"type":"stats","body":{{{fields}}}}}"#),
                r#"{"type":"stats_ok","#,
            ),
        ] {
            let reply = replies(input.as_bytes(), false);
            assert!(reply.starts_with(expected), "{input}: {reply}");
        }
    }
}

/// Each reading advances the clock by ten seconds. A session reads it only where a registration may
/// end.
#[test]
fn a_registration_expires_unless_renewed() {
    let register = r#"{"type":"register","service":"new","backend":"n","ttl":"25s"}"#;
    let deregister = r#"{"type":"deregister","service":"new","backend":"n"}"#;
    let discover = r#"{"type":"discover","service":"new"}"#;
    for (input, expected) in [
        (
            vec![register, discover, discover, discover, discover],
            "r1100",
        ),
        (
            vec![register, discover, register, discover, discover, discover],
            "r1r110",
        ),
        (vec![register, deregister, discover], "rd0"),
    ] {
        let replies = replies(input.concat().as_bytes(), false);
        let seen: String = replies
            .lines()
            .map(|line| match line {
                r#"{"type":"register_ok"}"# => 'r',
                r#"{"type":"deregister_ok"}"# => 'd',
                r#"{"type":"discover_ok","services":[]}"# => '0',
                line if line.contains(r#""source":"registered""#) => '1',
                line => panic!("{line}"),
            })
            .collect();
        assert_eq!(seen, expected, "{input:?}");
    }
}

fn check(input: &[u8], verbose: bool) -> Result<(), TestCaseError> {
    let expected = expected(input);
    let replies = replies(input, verbose);
    let lines: Vec<&str> = replies.lines().collect();
    prop_assert_eq!(lines.len(), expected.len(), "{}", replies);
    prop_assert!(replies.is_empty() || replies.ends_with('\n'));
    for (line, expected) in lines.into_iter().zip(expected) {
        serde_json::from_str::<&RawValue>(line).unwrap();
        prop_assert_eq!(line, compact(line), "is not compact");
        prop_assert_eq!(Expected::of_reply(line), expected, "{}", line);
    }
    Ok(())
}

fn replies(input: &[u8], verbose: bool) -> String {
    const TABLE: &str = r#"{"routes":[
        {"path_pattern":"/api/users/*","service":"users-service","version":"v1","backends":["u-1","u-2"]},
        {"path_pattern":"/api/v2/users/*","service":"users-service","backends":["u-3"]},
        {"path_pattern":"/api/orders/{id}","service":"orders-service","methods":["GET"]}]}"#;
    let mut reconciler = Reconciler::new(load_json(TABLE, LoadOptions::INIT).unwrap(), 5);
    let mut output = Vec::new();
    let options = Options {
        is_verbose: verbose,
        ..Options::default()
    };
    serve(&mut reconciler, options, clock, input, &mut output).unwrap();
    String::from_utf8(output).unwrap()
}

/// Ten seconds later at each call.
fn clock() -> Instant {
    thread_local! {
        #[expect(clippy::disallowed_methods, reason = "any instant does; time passes by addition")]
        static NOW: Cell<Instant> = Cell::new(Instant::now());
    }
    NOW.set(NOW.get() + Duration::from_secs(10));
    NOW.get()
}

/// The parts of a message that its reply repeats, without white space between tokens.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    is_enveloped: bool,
    src: Option<String>,
    dest: Option<String>,
    msg_id: Option<String>,
}

impl Expected {
    fn of(value: &str) -> Self {
        let fields = fields(value);
        let field = |name: &str| fields.get(name).copied().map(compact);
        let is_enveloped = !fields.contains_key("type")
            && ["src", "dest", "body"]
                .iter()
                .any(|name| fields.contains_key(*name));
        if !is_enveloped {
            return Self {
                msg_id: field("msg_id"),
                ..Self::default()
            };
        }
        let body = field("body").unwrap_or_default();
        let msg_id = self::fields(&body).get("msg_id").map(|id| compact(id));
        Self {
            is_enveloped,
            src: field("src"),
            dest: field("dest"),
            msg_id,
        }
    }

    /// The same parts of a reply, with the addresses swapped back.
    fn of_reply(line: &str) -> Self {
        let fields = fields(line);
        let field = |name: &str| fields.get(name).map(|text| (*text).to_owned());
        if !fields.contains_key("body") || fields.contains_key("type") {
            return Self {
                msg_id: field("in_reply_to"),
                ..Self::default()
            };
        }
        let msg_id = self::fields(fields["body"])
            .get("in_reply_to")
            .map(|id| (*id).to_owned());
        Self {
            is_enveloped: true,
            src: field("dest"),
            dest: field("src"),
            msg_id,
        }
    }
}

/// One for each value of the input, and for each text that is not a value.
fn expected(input: &[u8]) -> Vec<Expected> {
    let mut values = Values::new(input, Limits::default());
    let mut expected = Vec::new();
    loop {
        let mut take = |text: &[u8]| {
            let attempt = parse_ignored(text);
            if let Parsed::Complete(length) = attempt {
                expected.push(Expected::of(std::str::from_utf8(&text[..length]).unwrap()));
            }
            attempt
        };
        match values.next(&mut take, &mut || Ok(())).unwrap() {
            Step::Value => {}
            Step::Invalid(_) => expected.push(Expected::default()),
            Step::End => return expected,
        }
    }
}

/// The fields of an object, for equal names the last; empty for any other value. Names with an unpaired
/// surrogate are omitted.
fn fields(object: &str) -> BTreeMap<String, &str> {
    let mut fields = BTreeMap::new();
    let Ok(pairs) = serde_json::from_str::<Pairs<'_>>(object) else {
        return fields;
    };
    for (name, value) in pairs.0 {
        if let Ok(name) = serde_json::from_str::<String>(name.get()) {
            fields.insert(name, value.get());
        }
    }
    fields
}

struct Pairs<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor;
        impl<'de> serde::de::Visitor<'de> for PairsVisitor {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut entries: A,
            ) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = entries.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(PairsVisitor)
    }
}

/// JSON without the white space between its tokens.
fn compact(json: &str) -> String {
    let mut parts = Vec::new();
    let mut in_string = false;
    // The parts between unescaped quotes alternate between tokens and strings.
    for part in split_at_quotes(json) {
        parts.push(if in_string {
            part.to_owned()
        } else {
            part.replace([' ', '\t', '\r', '\n'], "")
        });
        in_string = !in_string;
    }
    parts.join("\"")
}

fn split_at_quotes(json: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            b'"' if !escaped => {
                parts.push(&json[start..at]);
                start = at + 1;
            }
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    parts.push(&json[start..]);
    parts
}
