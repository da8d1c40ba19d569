//! Texts that are not YAML or JSON, and unusual YAML.

use proptest::prelude::*;

use crate::config::diagnostic::render;
use crate::config::document::{parse_json, parse_yaml};
use crate::config::keys::{RawFile, RawMatch};
use crate::config::place::{Place, Position};
use crate::config::read::{Either, Strictness};
use crate::config::tests::{check, line_of, read, read_without_diagnostics, value, values};

#[test]
fn invalid_yaml() {
    for &(text, expected) in NOT_YAML {
        check(text, &[expected]);
    }
}

#[test]
fn invalid_json() {
    for (text, expected) in [
        ("{\"a\": 1,\n}", "2:1 syntax : invalid JSON: trailing comma"),
        ("{} {}", "1:4 syntax : invalid JSON: trailing characters"),
        ("", "1:1 syntax : invalid JSON: EOF while parsing a value"),
        (&"[".repeat(200), "1:128 syntax : nested too deeply"),
        (
            r#"{"routes":[{"path_pattern":"/\ud800"}]}"#,
            "syntax routes[0].path_pattern: the text has half a surrogate pair",
        ),
        (
            r#"{"services":{"a b":{"backends":["a",1e400]}}}"#,
            "syntax services[\"a b\"].backends[1]: the number is out of range",
        ),
        (
            r#"{"routes":[{"service":"s","x\udc00":1}]}"#,
            "syntax routes[0]: a key has half a surrogate pair",
        ),
    ] {
        assert_eq!(line_of(&parse_json(text).unwrap_err()), expected, "{text}");
    }
}

#[test]
fn texts_out_of_proportion() {
    let open = "[".repeat(40);
    let deep = format!("routes: {open}");
    let steps = "- ".repeat(1000);
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, of) in ["ba", "cb", "dc", "ed", "fe", "gf"]
        .iter()
        .map(|pair| pair.split_at(1))
    {
        bomb.push_str(&format!(
            "{name}: &{name} [{}]\n",
            vec![format!("*{of}"); 10].join(", ")
        ));
    }
    let fat = format!(
        "a: &a \"{}\\n\"\nb: [{}]",
        "x".repeat(1_000_000),
        "*a, ".repeat(1000)
    );
    for (text, expected) in [
        (&deep, "1:41 syntax : nested deeper than 32 levels"),
        (&steps, "1:65 syntax : nested deeper than 32 levels"),
        (
            &bomb,
            "6:16 syntax : the text with its aliases expanded is too large",
        ),
        (&fat, "2:269 syntax : the text is too large"),
    ] {
        check(text, &[expected]);
    }
    let huge = " ".repeat(64 * 1024 * 1024 + 1);
    check(&huge, &["syntax : the text is larger than 64 MiB"]);
}

#[test]
fn empty_texts_are_empty_tables() {
    for text in ["", "\u{feff}", "# nothing\n", "---\n", "{}", "~", "\n\n"] {
        assert_eq!(
            read_without_diagnostics(text),
            RawFile::default(),
            "{text:?}"
        );
    }
}

#[test]
fn scalars() {
    let table = read_without_diagnostics(
        "routes:\n- path_pattern: /a\n  service: True\n  version: 2\n  name: 007\n  methods: [no, 1_000, \"1.5\"]\n  headers: {a: 2, b: {present: true}, c: {prefix: 3}}\n  strip_prefix: /a\n",
    );
    let route = &table.routes.unwrap().value[0].value;
    assert_eq!(value(&route.service), "True");
    assert_eq!(value(&route.version), "2");
    assert_eq!(value(&route.name), "007");
    let methods = ["no", "1_000", "1.5"];
    assert_eq!(values(&route.methods), methods);
    let headers = route.headers.as_ref().unwrap();
    let [(a, exact), (b, present), (c, prefix)] = &headers[..] else {
        panic!("{headers:?}");
    };
    assert_eq!([&a.value, &b.value, &c.value], ["a", "b", "c"]);
    assert!(matches!(exact, Either::First(text) if text.value == "2"));
    assert!(matches!(
        present,
        Either::Second(RawMatch {
            present: Some(()),
            prefix: None
        })
    ));
    assert!(
        matches!(prefix, Either::Second(RawMatch { prefix: Some(text), .. }) if text.value == "3")
    );
    let Either::Second(prefix) = value(&route.strip_prefix) else {
        panic!("{route:?}");
    };
    assert_eq!(prefix.value, "/a");
    check(
        "routes: [{path_pattern: /a, service: s, encoded_slashes: 0x10}]",
        &["1:58 value routes[0].encoded_slashes: unknown value `0x10` [write `keep` or `refuse`]"],
    );
}

#[test]
fn aliases_stand_for_a_copy() {
    let table = read_without_diagnostics(
        "routes:\n- {path_pattern: /a, service: s, backends: &b [x, y]}\n- {path_pattern: /b, service: s, backends: *b}\n",
    );
    let routes = table.routes.unwrap().value;
    assert_eq!(values(&routes[1].value.backends), ["x", "y"]);
    check(
        "routes:\n- {path_pattern: /a, service: s, backends: &b [1.5]}\n- {path_pattern: /b, service: s, backends: *b}\n",
        &[
            "2:48 type routes[0].backends[0]: expected text, found the number 1.5 [put it in quotes: \"1.5\"]",
            "2:48 type routes[1].backends[0]: expected text, found the number 1.5 [put it in quotes: \"1.5\"]",
        ],
    );
}

#[test]
fn line_ends_and_marks_keep_the_position() {
    for text in [
        "a: 1\nrotes: 2\n",
        "a: 1\r\nrotes: 2\r\n",
        "\u{feff}a: 1\nrotes: 2\n",
        "a: 1\rrotes: 2",
    ] {
        let document = parse_yaml(text).unwrap();
        let keys: Vec<_> = document.entries(Place::ROOT).map(|(key, _)| key).collect();
        assert_eq!(
            document.position(keys[0]),
            Some(Position { line: 1, column: 1 }),
            "{text:?}"
        );
        assert_eq!(
            document.position(keys[1]),
            Some(Position { line: 2, column: 1 }),
            "{text:?}"
        );
    }
    check(
        "# 日本\n\"日本\": 1",
        &[
            "2:1 unknown_key 日本: unknown key `日本` in the configuration [the keys of the configuration are routes, services, versioning, defaults, listen, admin, workers, trusted_proxies, access_log, drain_timeout, limits, via]",
        ],
    );
    check(
        "{ \"日本é\": [ ], versioning: 1 }",
        &[
            "1:3 unknown_key 日本é: unknown key `日本é` in the configuration [the keys of the configuration are routes, services, versioning, defaults, listen, admin, workers, trusted_proxies, access_log, drain_timeout, limits, via]",
            "1:27 type versioning: expected `versioning` as a map, found the number 1 [write {default: oldest}]",
        ],
    );
}

proptest! {
    /// No text causes a panic, and every diagnostic can be rendered.
    #[test]
    fn any_text_gives_a_table_or_diagnostics(pieces in prop::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        let mut diagnostics = Vec::new();
        for document in [parse_yaml(&text), parse_json(&text)] {
            match document {
                Ok(document) => diagnostics.extend(read(&document, Strictness::File).1),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        let shown = render(&diagnostics, "t.yaml", &text, true);
        prop_assert_eq!(shown.matches("t.yaml:").count(), diagnostics.len());
    }
}

/// A piece of a text that is almost a configuration.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(
        "routes:|services:|versioning:|- |\n|\n  |\n    |path_pattern: |service: |headers: |hosts: |\
         strip_prefix: |present: |versions: |backends: |/a/{id}/*|&a |*a|[|]|{|}|, |: |\"|'|#|>|? |\
         ---\n|true|1.5|7|null|\t|\r\n|\r|\u{feff}|\u{1b}|日本|!!int |<<: "
            .split('|')
            .collect::<Vec<_>>(),
    );
    prop_oneof![9 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

const NOT_YAML: &[(&str, &str)] = &[
    (
        "a: [1, 2",
        "1:4 syntax : invalid YAML: unclosed bracket '['",
    ),
    (
        "a:\n\tb: 1",
        "2:2 syntax : invalid YAML: tabs disallowed within this context (block indentation) [indent YAML with spaces]",
    ),
    (
        "a: b: c",
        "1:5 syntax : invalid YAML: mapping values are not allowed in this context",
    ),
    (
        "a: 1\n---\nb: 2\n",
        "3:1 syntax : a second YAML document begins here [a configuration is one document: move everything before the `---`]",
    ),
    (
        "hosts: [*.example.com]",
        "1:9 syntax : an alias without an anchor [put text that begins with `*` in quotes: \"*.example.com\"]",
    ),
    ("a: &a [*a]", "1:8 syntax : an alias inside its own anchor"),
    (
        "r: {path_pattern: /u/{id}, service: s}",
        "1:22 syntax : invalid YAML: while parsing a flow mapping, did not find expected ',' or '}' [inside {...}, put a pattern with braces in quotes: \"/users/{id}\"]",
    ),
    (
        "a: !secret x",
        "1:12 syntax : invalid YAML: unsupported tag `!secret`",
    ),
];
