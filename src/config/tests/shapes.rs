//! Errors in the shape of a text, to the word.

use crate::config::document::parse_yaml;
use crate::config::read::Strictness;
use crate::config::tests::{check, line_of, read, shape_diagnostics};

/// A valid route, to add a wrong key to.
const RIGHT: &str = "routes:\n- path_pattern: /a\n  service: s\n";

#[test]
fn unknown_keys() {
    check(
        "rotes: []",
        &[
            "1:1 unknown_key rotes: unknown key `rotes` in the configuration [did you mean `routes`?]",
        ],
    );
    check(
        &format!("{RIGHT}  path: /x\n  upstream: x\n  \"a b\": 1\n"),
        &[
            "4:3 unknown_key routes[0].path: unknown key `path` in a route [did you mean `path_pattern`?]",
            "5:3 unknown_key routes[0].upstream: unknown key `upstream` in a route [the keys of a route are name, path_pattern, service, version, backends, hosts, methods, headers, query, strip_prefix, rewrite_prefix, encoded_slashes, redirect, protocol, tls, max_in_flight, timeout, try_timeout, connect_timeout, idle_timeout, max_duration, retry, max_body, host, request_headers, response_headers, cors]",
            "6:3 unknown_key routes[0][\"a b\"]: unknown key `a b` in a route [the keys of a route are name, path_pattern, service, version, backends, hosts, methods, headers, query, strip_prefix, rewrite_prefix, encoded_slashes, redirect, protocol, tls, max_in_flight, timeout, try_timeout, connect_timeout, idle_timeout, max_duration, retry, max_body, host, request_headers, response_headers, cors]",
        ],
    );
    check(
        "services: {a.b: {backend: []}}",
        &[
            "1:18 unknown_key services[\"a.b\"].backend: unknown key `backend` in a service [did you mean `backends`?]",
        ],
    );
    check(
        &format!("{RIGHT}  <<: {{a: b}}\n"),
        &[
            "4:3 unknown_key routes[0][\"<<\"]: unknown key `<<` in a route [merge keys are not supported; an alias stands for a whole value]",
        ],
    );
    check(
        "services: {s: {health_check: {}}}\n",
        &[
            "1:16 not_built services.s.health_check: `health_check` is not supported yet [remove it]",
        ],
    );
}

#[test]
fn an_init_message_is_read_less_strictly() {
    let text = format!(
        "{RIGHT}  path: /x\n  rate_limit: {{}}\n  version: null\n  hosts: x\n  hosts: [x]\nservices: ~\nlisten: 1\nvia: ~\n"
    );
    assert_eq!(
        shape_diagnostics(&text, Strictness::Init),
        [
            "4:3 warning unknown_key routes[0].path: unknown key `path` in a route [did you mean `path_pattern`?]",
            "5:3 warning not_built routes[0].rate_limit: `rate_limit` is not supported yet [remove it]",
            "7:10 type routes[0].hosts: expected a list, found the text `x` [write a list: [x]]",
            "8:3 duplicate_key routes[0].hosts: duplicate key `hosts` [remove it, or the one on line 7]",
            "10:9 warning of_process listen: `listen` configures the process; an `init` message cannot change it",
        ]
    );
    assert_eq!(
        shape_diagnostics(
            "routes: [{path_pattern: null, service: s}]",
            Strictness::Init
        ),
        [
            "1:10 missing_key routes[0]: a route needs `path_pattern` [for example {path_pattern: /api/users/*, service: users-service}]"
        ]
    );
}

#[test]
fn wrong_types() {
    for &(field, expected) in WRONG_TYPES {
        let found = shape_diagnostics(&format!("{RIGHT}  {field}\n"), Strictness::File);
        if field.contains("suffix") {
            assert_eq!(
                found[1],
                "4:15 unknown_key routes[0].query.a.suffix: unknown key `suffix` in a constraint [the keys of a constraint are present, prefix]"
            );
            assert_eq!(found[0], expected);
        } else {
            assert_eq!(found, [expected], "{field}");
        }
    }
}

#[test]
fn wrong_types_of_whole_parts() {
    for &(text, expected) in WRONG_PARTS {
        check(text, &[expected]);
    }
}

#[test]
fn every_error_is_reported_in_the_order_of_the_file() {
    check(
        "services:\n  s: {backends: x, backends: [y]}\nroutes:\n  - servce: s\n    version: 1.5\n  - 7\n  - path_pattern: /a\n    service: s\n    service: t\nservices: {}\n",
        &[
            "2:17 type services.s.backends: expected a list, found the text `x` [write a list: [x]]",
            "2:20 duplicate_key services.s.backends: duplicate key `backends` [remove it, or the one on line 2]",
            "4:5 missing_key routes[0]: a route needs `path_pattern` [for example {path_pattern: /api/users/*, service: users-service}]",
            "4:5 missing_key routes[0]: a route needs `service` or `redirect` [for example {path_pattern: /api/users/*, service: users-service}]",
            "4:5 unknown_key routes[0].servce: unknown key `servce` in a route [did you mean `service`?]",
            "5:14 type routes[0].version: expected text, found the number 1.5 [put it in quotes: \"1.5\"]",
            "6:5 type routes[1]: expected a route as a map, found the number 7 [write {path_pattern: /api/users/*, service: users-service}]",
            "9:5 duplicate_key routes[2].service: duplicate key `service` [remove it, or the one on line 8]",
            "10:1 duplicate_key services: duplicate key `services` [remove it, or the one on line 1]",
        ],
    );
}

#[test]
fn duplicates_are_all_found_also_in_large_maps() {
    let mut text = "services:\n".to_owned();
    for index in 0..30 {
        text.push_str(&format!("  s{index}: {{}}\n"));
    }
    text.push_str("  s3: {}\n  \"s3\": {}\n");
    let document = parse_yaml(&text).unwrap();
    let (table, diagnostics) = read(&document, Strictness::File);
    assert_eq!(
        diagnostics.iter().map(line_of).collect::<Vec<_>>(),
        [
            "32:3 duplicate_key services.s3: duplicate key `s3` [remove it, or the one on line 5]",
            "33:3 duplicate_key services.s3: duplicate key `s3` [remove it, or the one on line 5]",
        ]
    );
    assert_eq!(table.services.unwrap().len(), 30);
}

/// A key beside those of [`RIGHT`], and its diagnostic.
const WRONG_TYPES: &[(&str, &str)] = &[
    (
        "version: 1.10",
        "4:12 type routes[0].version: expected text, found the number 1.10 [put it in quotes: \"1.10\"]",
    ),
    (
        "version: true",
        "4:12 type routes[0].version: expected text, found `true` [put it in quotes: \"true\"]",
    ),
    (
        "version:",
        "4:10 type routes[0].version: expected text, found nothing [give it a value, or leave the key out]",
    ),
    (
        "version: [2]",
        "4:12 type routes[0].version: expected text, found a list",
    ),
    (
        "hosts: \"*.b.c\"",
        "4:10 type routes[0].hosts: expected a list, found the text `*.b.c` [write a list: [\"*.b.c\"]]",
    ),
    (
        "backends: 8080",
        "4:13 type routes[0].backends: expected a list, found the number 8080 [write a list: [\"8080\"]]",
    ),
    (
        "backends: [8080]",
        "4:14 type routes[0].backends[0]: expected text, found the number 8080 [put it in quotes: \"8080\"]",
    ),
    (
        "hosts: {a: b}",
        "4:10 type routes[0].hosts: expected a list, found a map [write [api.example.com, \"*.example.com\"]]",
    ),
    (
        "hosts: [a, 1.5]",
        "4:14 type routes[0].hosts[1]: expected text, found the number 1.5 [put it in quotes: \"1.5\"]",
    ),
    (
        "strip_prefix: 3",
        "4:17 type routes[0].strip_prefix: expected true, false or text, found the number 3 [write /api]",
    ),
    (
        "headers: [a]",
        "4:12 type routes[0].headers: expected a map from names to constraints, found a list [write {x-tenant: acme, x-debug: {present: true}}]",
    ),
    (
        "headers: {a: 1.5}",
        "4:16 type routes[0].headers.a: expected text, found the number 1.5 [put it in quotes: \"1.5\"]",
    ),
    (
        "headers: {a: [b]}",
        "4:16 type routes[0].headers.a: expected text or a map, found a list [write {present: true}]",
    ),
    (
        "headers: {a: {present: false}}",
        "4:26 type routes[0].headers.a.present: `false` has no meaning here [write `true`, or remove the constraint]",
    ),
    (
        "headers: {a: {present: yes}}",
        "4:26 type routes[0].headers.a.present: expected true or false, found the text `yes`",
    ),
    (
        "query: {a: {}}",
        "4:14 missing_key routes[0].query.a: a constraint needs `present` or `prefix` [for example {present: true}]",
    ),
    (
        "query: {a: {suffix: b}}",
        "4:14 missing_key routes[0].query.a: a constraint needs `present` or `prefix` [for example {present: true}]",
    ),
    (
        "query: {[a]: b}",
        "4:11 type routes[0].query[\"?\"]: expected text, found a list",
    ),
];

/// A whole text, and its diagnostic.
const WRONG_PARTS: &[(&str, &str)] = &[
    (
        "routes: [{path_pattern: 1, service: 2, version: 3}]",
        "1:25 type routes[0].path_pattern: expected text, found the number 1 [put it in quotes: \"1\"]",
    ),
    (
        "- a",
        "1:1 type : expected the configuration as a map, found a list [write {routes: [{path_pattern: /api/users/*, service: users-service}]}]",
    ),
    (
        "routes: {a: b}",
        "1:9 type routes: expected a list of routes, found a map [write [{path_pattern: /api/users/*, service: users-service}]]",
    ),
    (
        "routes:\n",
        "1:7 type routes: expected a list of routes, found nothing [write [{path_pattern: /api/users/*, service: users-service}]]",
    ),
    (
        "routes: [/a]",
        "1:10 type routes[0]: expected a route as a map, found the text `/a` [write {path_pattern: /api/users/*, service: users-service}]",
    ),
    (
        "services: []",
        "1:11 type services: expected a map from names to services, found a list [write {users-service: {backends: [\"users-1:8080\"]}}]",
    ),
    (
        "services: {a: }",
        "1:13 type services.a: expected a service as a map, found nothing [write {backends: [\"users-1:8080\"]}]",
    ),
    (
        "services: {a: {versions: {1.5: {}}}}",
        "1:27 type services.a.versions[\"?\"]: expected text, found the number 1.5 [put it in quotes: \"1.5\"]",
    ),
    (
        "services: {a: {versions: [v1]}}",
        "1:26 type services.a.versions: expected a map from names to versions, found a list [write {v1: {backends: [\"users-1:8080\"]}}]",
    ),
    (
        "versioning: oldest",
        "1:13 type versioning: expected `versioning` as a map, found the text `oldest` [write {default: oldest}]",
    ),
    (
        "versioning: {derive: True}",
        "1:22 type versioning.derive: expected true or false, found the text `True`",
    ),
    (
        "true: 1",
        "1:1 type [\"?\"]: expected text, found `true` [put it in quotes: \"true\"]",
    ),
];
