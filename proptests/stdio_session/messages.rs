//! Generated messages, mutated messages, and bytes.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Several messages one after the other.
pub(crate) fn messages() -> impl Strategy<Value = String> {
    let blank = select(&["\n", "\r\n", " ", "", "\n\n\t"][..]);
    prop::collection::vec((message(), blank), 1..8).prop_map(|messages| {
        messages
            .into_iter()
            .map(|(message, blank)| message + blank)
            .collect()
    })
}

/// A text with some bytes removed, inserted or replaced.
pub(crate) fn mutated(text: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let byte = select(&b"{}[]\"\\:,\n\n0u1e \0\xff"[..]);
    let mutations = prop::collection::vec((any::<Index>(), 0..3, byte), 1..5);
    (text, mutations).prop_map(|(text, mutations)| {
        let mut bytes = text.into_bytes();
        for (index, kind, byte) in mutations {
            let at = index.index(bytes.len().max(1));
            match kind {
                _ if at >= bytes.len() => bytes.push(byte),
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

/// Any bytes; those of the JSON grammar are frequent.
pub(crate) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => select(&b"{}[]\"\\:, \n\n\r1-0.eutrnlfas/\0\xef\xbb\xbf\xc3\xa9"[..]),
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..100)
}

fn message() -> impl Strategy<Value = String> {
    let address = || prop::option::weighted(0.7, any_value());
    prop_oneof![
        4 => fields().prop_map(|fields| object(&fields)),
        4 => (address(), address(), fields(), any::<bool>()).prop_map(|(src, dest, body, last)| {
            let mut parts = vec![("body", object(&body))];
            parts.extend(src.map(|src| ("src", src)));
            parts.extend(dest.map(|dest| ("dest", dest)));
            if last {
                parts.rotate_left(1);
            }
            object(&parts)
        }),
        1 => any_value(),
        1 => any_value().prop_map(|body| format!("{{\"src\":1,\"body\":{body}}}")),
    ]
}

/// Fields of messages, mostly valid, in any order; some occur twice.
fn fields() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let field = prop_oneof![
        4 => field("msg_id", &["1", "18446744073709551616", "1.50", "-0", "1e400", "\"a b\"", "[ 1 ]"]),
        4 => field("path", PATHS),
        1 => field("method", &["\"GET\"", "\"POST\"", "\"OPTIONS\"", "\"get\"", "\"\"", "\"A B\""]),
        2 => field("headers", HEADERS),
        1 => field("service", &["\"users-service\"", "\"new\"", "\"\""]),
        1 => field("backend", &["\"u-1\"", "\"u-9:8080\"", "\"https://x\"", "\"a b\"", "\"[::1]:1\""]),
        1 => field("version", &["\"v1\"", "2", "\"2026-01-31\"", "\"x\"", "null"]),
        1 => field("ttl", &["\"30s\"", "\"0s\"", "\"1h 30m\"", "\"-1s\"", "\"999999999999h\"", "5"]),
        1 => field("routes", ROUTES),
        1 => field("services", &["{}", "[]", "{\"s\":{\"backends\":[\"a\"]}}"]),
        1 => field("body", &["\"text\"", "{\"path\": 1e999}", "{\"type\":\"\\ud800\"}", "[1, 2]"]),
        1 => any_value().prop_map(|value| ("other", value)),
        1 => any_value().prop_map(|value| ("x\\ud800", value)),
    ];
    let kind = prop_oneof![
        8 => select(&TYPES[..]).prop_map(|kind| format!("\"{kind}\"")),
        1 => any_value(),
    ];
    let kind = kind.prop_map(|kind| ("type", kind));
    (
        prop::option::weighted(0.95, kind),
        prop::collection::vec(field, 0..7),
    )
        .prop_flat_map(|(kind, mut fields)| {
            fields.extend(kind);
            Just(fields).prop_shuffle()
        })
}

fn field(
    name: &'static str,
    values: &'static [&'static str],
) -> impl Strategy<Value = (&'static str, String)> {
    let value = prop_oneof![9 => select(values).prop_map(str::to_owned), 1 => any_value()];
    value.prop_map(move |value| (name, value))
}

fn object(fields: &[(&str, String)]) -> String {
    let fields = fields
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

fn any_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(
            &[
                "null",
                "true",
                "0",
                "-1.5e+3",
                "1e999",
                "{ }",
                "[\n]",
                "\"\\ud800\""
            ][..]
        )
        .prop_map(str::to_owned),
        r#""([a-z{}\[\] é]|\\["\\/bfnrt]|\\u00[0-9a-fA-F]{2}){0,6}""#,
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop::collection::vec(("[a-z]{0,3}", inner), 0..3).prop_map(|fields| {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("\"{name}\" : {value}"));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(",\r\n "))
        })
    })
}

const TYPES: [&str; 8] = [
    "init",
    "api_request",
    "api_request",
    "register",
    "deregister",
    "discover",
    "stats",
    "nothing",
];

const PATHS: &[&str] = &[
    "\"/api/users/123\"",
    "\"/api/v2/users/1?x=y\"",
    "\"/api/v1/users\"",
    "\"/api/orders/1\"",
    "\"/a%2Fb\"",
    "\"http://shop.test/api/users/1\"",
    "\"*\"",
    "\"\"",
    "\"/../x\"",
    "\"/\\ud83d\\ude00\"",
    "\"/api\\/users\\/9\"",
];

const HEADERS: &[&str] = &[
    "{}",
    "{ \"Accept-Version\": \"v2\" }",
    "{\"accept-version\":1,\"x-api-version\":[\"v1\", 2]}",
    "{\"accept\":\"application/vnd.x.v2+json\"}",
    "{\"host\":\"a.test:80\"}",
    "{\"x\":\"\\ud800\"}",
    "{\"x y\":\"a\\nb\",\"host\":[\"a\",\"b\"]}",
    "[]",
];

const ROUTES: &[&str] = &[
    "[]",
    "null",
    "[{\"path_pattern\":\"/*\",\"service\":\"all\",\"backends\":[\"a:1\",\"a:2\"]}]",
    "[{\"path_pattern\":\"/api/users/*\",\"service\":\"users-service\",\"version\":\"v1\"}]",
    "[{\"path_pattern\":\"/x\",\"service\":\"s\"},{\"path_pattern\":\"/x\",\"service\":\"s\"}]",
    "[{\"path_pattern\":\"x\"}]",
    "{}",
];
