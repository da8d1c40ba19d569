//! Redirects: whatever the request, the host of the location is the configured one or absent, and
//! the rest of the path is unchanged.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use proptest::prelude::*;
use proptest::sample::select;
use tollgate::config::{LoadOptions, load_json};
use tollgate::engine::plan::decide;
use tollgate::engine::request::RawRequest;

/// The location for a request, in a table with only this redirect; `None` if it is rejected.
fn location(pattern: &str, to: &str, target: &str) -> Option<String> {
    let route = serde_json::json!({
        "path_pattern": pattern, "redirect": to, "encoded_slashes": "keep",
    });
    let table = serde_json::json!({ "routes": [route] }).to_string();
    let snapshot = load_json(&table, LoadOptions::INIT)
        .unwrap()
        .into_snapshot();
    let headers: [(&str, &str); 0] = [];
    let request = RawRequest {
        method: "OPTIONS",
        target,
        host: Some("gateway.test"),
        headers: &headers[..],
    };
    let plan = decide(&snapshot, &request).ok()?;
    assert!(plan.pick().is_none());
    Some(plan.redirect().unwrap().location(&plan))
}

/// Whether this is a path from which browsers read no host.
fn is_path(location: &str) -> bool {
    location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\")
}

fn targets() -> impl Strategy<Value = String> {
    let pieces = vec![
        "/",
        "/",
        "/",
        "/",
        "//",
        "/old",
        "/old/",
        "/old//",
        "a",
        "evil.test",
        "@",
        ":",
        ".",
        "..",
        "/../",
        "%2e%2e",
        "%2F",
        "%2f%2f",
        "%5C",
        "\\",
        "%0d%0a",
        "\r\n",
        "%00",
        " ",
        "?",
        "?to=//evil.test",
        "#",
        "*",
        ";",
        "\u{e9}",
        "http://evil.test",
        "v1",
        "v2",
    ];
    let odd = prop::collection::vec(select(pieces), 0..12);
    let mixed = (
        select(vec!["", "/", "/old", "/old/", "/v1/old/", "/x/"]),
        odd,
    );
    prop_oneof![
        6 => mixed.prop_map(|(start, pieces)| format!("{start}{}", pieces.concat())),
        1 => any::<String>(),
        1 => Just("*".to_owned()),
    ]
}

proptest! {
    #[test]
    fn requests_do_not_choose_the_host(
        target in targets(),
        pattern in select(vec!["/*", "/old/*", "/v1/old/*", "/{x}/*", "/old/{x}/*"]),
        to in select(vec![
            "/*", "/new/*", "/new", "/new?a=b", "/",
            "https://good.test/*", "https://good.test:8443/b/*", "http://good.test",
        ]),
    ) {
        let Some(location) = location(pattern, to, &target) else { return Ok(()) };
        prop_assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{:?}", location);
        let stem = to.strip_suffix("/*").unwrap_or(to);
        let Some(rest) = location.strip_prefix(stem) else {
            return Err(TestCaseError::fail(format!("{location} does not begin with {stem}")));
        };
        if to.starts_with('/') {
            prop_assert!(is_path(&location), "{}", location);
        } else {
            let is_whole = rest.is_empty() || rest.starts_with(['/', '?']);
            prop_assert!(is_whole, "{} continues after {}", location, stem);
        }
        let (path, _) = target.split_once('?').unwrap_or((&target, ""));
        if to.ends_with("/*") && path != "*" {
            let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
            prop_assert!(rest.is_empty() || is_path(rest), "{}", rest);
            prop_assert!(!rest.contains("//") && !rest.contains("/../"), "{}", rest);
        }
    }
}

#[test]
fn locations_include_the_rest_and_the_query() {
    for (pattern, to, target, expected) in [
        ("/old/*", "/new/*", "/old", "/new"),
        ("/old/*", "/new/*", "/old/", "/new/"),
        ("/old/*", "/new/*", "/old/a/b?c=d", "/new/a/b?c=d"),
        ("/old/*", "/*", "/old", "/"),
        ("/old/*", "/*", "/old?x", "/?x"),
        ("/old/*", "/*", "/old//evil.test", "/evil.test"),
        ("/old/*", "/*", "/old/%2Fevil.test", "/%2Fevil.test"),
        (
            "/*",
            "https://b.test/*",
            "//evil.test/a",
            "https://b.test/evil.test/a",
        ),
        ("/*", "https://b.test/*", "/", "https://b.test/"),
        ("/*", "/a/*", "*", "/a"),
        ("/u/{id}/*", "/users/*", "/u/7/x", "/users/x"),
        ("/old", "/new", "/old?a", "/new?a"),
        ("/old", "/new?b", "/old?a", "/new?b"),
        ("/old", "/new#b", "/old?a", "/new#b"),
        ("/old/*", "/new", "/old/x/y", "/new"),
    ] {
        let found = location(pattern, to, target);
        assert_eq!(found.as_deref(), Some(expected), "{pattern} {to} {target}");
    }
}

/// Derived patterns would redirect paths that the configuration does not list.
#[test]
fn redirects_are_in_no_family() {
    let table = r#"{"routes": [
        {"path_pattern": "/v1/a/*", "redirect": "/b/*"},
        {"path_pattern": "/v2/a/*", "redirect": "/b/*"}
    ]}"#;
    let snapshot = load_json(table, LoadOptions::INIT).unwrap().into_snapshot();
    assert_eq!(snapshot.table().listing().len(), 2);
    assert_eq!(snapshot.table().services().count(), 0);
}
