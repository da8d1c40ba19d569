//! Settings of routes and services: what they compile to, and their errors.

use std::sync::Arc;
use std::time::Duration;

use crate::config::compile::{LoadOptions, Loaded, load_file};
use crate::config::tests::file_diagnostics;
use crate::engine::policy::{Policy, RoutePolicy};
use crate::engine::semantics::HostRule;
use crate::engine::upstream::Protocol;

fn load(text: &str) -> Loaded {
    let loaded = load_file(text, LoadOptions::FILE);
    loaded.unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

/// The policy of a route with these keys, under these defaults.
fn policy(defaults: &str, route: &str) -> RoutePolicy {
    let text = format!(
        "defaults: {{{defaults}}}\nroutes: [{{path_pattern: /a/*, service: s, backends: [b], {route}}}]"
    );
    RoutePolicy::clone(&load(&text).configured[0].policy)
}

#[test]
fn equal_policies_are_shared() {
    let text = "defaults: {timeout: 5s}
routes:
- {path_pattern: /a, service: s}
- {path_pattern: /b, service: s}
- {path_pattern: /c, service: s, timeout: 5s}
- {path_pattern: /d, service: s, timeout: 6s}
- {path_pattern: /e, service: s, timeout: 6s}
services: {s: {backends: [a], protocol: h2}}";
    let configured = load(text).configured;
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|at: usize| &configured[at]);
    assert!(Arc::ptr_eq(&a.policy, &b.policy) && Arc::ptr_eq(&a.policy, &c.policy));
    assert!(Arc::ptr_eq(&d.policy, &e.policy) && !Arc::ptr_eq(&a.policy, &d.policy));
    assert!(Arc::ptr_eq(&a.upstream, &e.upstream));
    assert_eq!(
        a.policy.forwarding().timeouts.response,
        Duration::from_secs(5)
    );
    assert_eq!(a.upstream.protocol, Protocol::H2);
}

#[test]
fn a_route_overrides_defaults_key_by_key() {
    let usual = RoutePolicy::default();
    assert_eq!(policy("", ""), usual);
    let given = policy(
        "timeout: 5s, try_timeout: 1s, max_body: none, retry: {attempts: 1, buffer: 0}, cors: any",
        "try_timeout: none, connect_timeout: 100ms, retry: {on: [504, 5xx, reset, 599]}, host: rewrite",
    );
    assert_eq!(given.forwarding().timeouts.response, Duration::from_secs(5));
    assert_eq!(given.forwarding().timeouts.per_attempt, None);
    assert_eq!(
        given.forwarding().timeouts.connect,
        Duration::from_millis(100)
    );
    assert_eq!(
        given.forwarding().timeouts.idle,
        usual.forwarding().timeouts.idle
    );
    assert_eq!(given.chain().max_body_bytes(), None);
    assert_eq!(
        (
            given.forwarding().retry.attempts,
            given.forwarding().retry.buffer_bytes
        ),
        (1, 0)
    );
    assert_eq!(
        given.forwarding().retry.on.statuses,
        (500..=599).collect::<Vec<u16>>()
    );
    assert!(given.forwarding().retry.on.reset && !given.forwarding().retry.on.timeout);
    assert_eq!(given.forwarding().host, HostRule::Rewrite);
    assert_eq!(given.chain().cors().unwrap().origins, ["*".into()]);
    assert_eq!(policy("cors: any", "cors: none").chain().cors(), None);
    assert_eq!(policy("", "retry: none").forwarding().retry.attempts, 0);
    let on = policy("", "retry: {on: [connect-failure]}");
    let on = &on.forwarding().retry.on;
    assert!(!on.reset && on.statuses.is_empty());
}

#[test]
fn header_rules_are_merged_name_by_name() {
    let rules = policy(
        "request_headers: {set: {A: '1', B: '2'}, add: {C: '3'}, remove: [D, e]}",
        "request_headers: {set: {c: '4'}, add: {a: ['5', '6']}, remove: [b]}",
    );
    let joined = |pairs: &[(Box<str>, Box<str>)]| {
        let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join(" ")
    };
    let [_, Policy::RequestHeaders(rules)] = rules.chain().policies() else {
        panic!("{rules:?}");
    };
    assert_eq!(rules.remove, ["d".into(), "e".into(), "b".into()]);
    assert_eq!(joined(&rules.set), "c=4");
    assert_eq!(joined(&rules.add), "a=5 a=6");
}

#[test]
fn origins_are_normalised() {
    let cors = |text: &str| {
        let policy = policy("", &format!("cors: {{origins: [{text}]}}"));
        policy.chain().cors().cloned().unwrap()
    };
    for (text, expected) in [
        ("HTTPS://App.Example.com:443", "https://app.example.com"),
        ("'http://localhost:3000'", "http://localhost:3000"),
        ("'http://a:80'", "http://a"),
        ("'https://[::1]:8443'", "https://[::1]:8443"),
        ("chrome-extension://abc", "chrome-extension://abc"),
        ("'null'", "null"),
        ("'*'", "*"),
    ] {
        assert_eq!(cors(text).origins, [expected.into()], "{text}");
    }
    let cors = policy(
        "",
        "cors: {origins: ['null'], headers: [X-A, x-a], max_age: 0s}",
    );
    let cors = cors.chain().cors().unwrap();
    assert_eq!(cors.headers, ["x-a".into()]);
    assert!(cors.max_age.is_zero());
}

#[test]
fn upstreams() {
    let text = "routes:
- {path_pattern: /a, service: s}
- {path_pattern: /b, service: t, backends: ['https://b'], protocol: h2, tls: {ca: a.pem, server_name: B.test}}
- {path_pattern: /c, service: u, backends: [b]}
services: {s: {versions: {v1: {backends: ['https://a']}}, max_in_flight: 7, tls: {verify: false}}}";
    let configured = load(text).configured;
    let [a, b, c] = [0, 1, 2].map(|at: usize| &configured[at].upstream);
    assert_eq!(
        (a.max_in_flight, a.tls.verify, a.protocol),
        (Some(7), false, Protocol::H1)
    );
    assert_eq!(b.tls.ca.as_deref(), Some("a.pem"));
    assert_eq!(b.tls.server_name.as_deref(), Some("b.test"));
    assert_eq!((b.protocol, b.tls.verify), (Protocol::H2, true));
    assert_eq!(**c, crate::engine::upstream::Upstream::default());
}

#[test]
fn errors_of_routes() {
    for (keys, expected) in ROUTES {
        let text = format!("routes: [{{path_pattern: /a/*, service: s, backends: [b], {keys}}}]");
        assert_eq!(file_diagnostics(&text), *expected, "{keys}");
    }
}

#[test]
fn errors_of_redirects_and_services() {
    for (text, expected) in OTHERS {
        assert_eq!(file_diagnostics(text), *expected, "{text}");
    }
}

/// Keys of a route to `/a/*`, and their diagnostics: `CODE AT: MESSAGE [HELP]`.
const ROUTES: &[(&str, &[&str])] = &[
    (
        "timeout: none",
        &[
            "config.value routes[0].timeout: `none` is not a duration [this duration cannot be unlimited; the maximum is 24h]",
        ],
    ),
    (
        "timeout: 0s",
        &["config.value routes[0].timeout: `0s` is out of bounds [write a value from 1ms to 24h]"],
    ),
    (
        "timeout: [1s]",
        &["config.type routes[0].timeout: expected a duration, found a list"],
    ),
    (
        "try_timeout: nome",
        &[
            "config.value routes[0].try_timeout: `nome` is not a duration [write one such as 2s, 500ms, 1m30s or 1h]",
        ],
    ),
    (
        "retry: off",
        &["config.value routes[0].retry: unknown value `off` [write `none`]"],
    ),
    (
        "retry: 3",
        &[
            "config.type routes[0].retry: expected `none` or a map, found the number 3 [write {attempts: 1, on: [reset, 503]}]",
        ],
    ),
    (
        "retry: {attempts: 11, buffer: 17MiB}",
        &[
            "config.value routes[0].retry.attempts: `11` is not a whole number from 0 to 10",
            "config.value routes[0].retry.buffer: `17MiB` is out of bounds [write a value from 0 to 16MiB]",
        ],
    ),
    (
        "retry: {on: [404, resets, 5XX]}",
        &[
            "config.value routes[0].retry.on[0]: `404` is not a status to retry after [write a status from 500 to 599]",
            "config.value routes[0].retry.on[1]: unknown value `resets` [did you mean `reset`?]",
            "config.value routes[0].retry.on[2]: unknown value `5XX` [did you mean `5xx`?]",
        ],
    ),
    (
        "max_body: big",
        &[
            "config.value routes[0].max_body: `big` is not a size [write bytes, or KiB, MiB or GiB: 4096, 32KiB, 8MiB]",
        ],
    ),
    (
        "host: rewrit",
        &["config.value routes[0].host: unknown value `rewrit` [did you mean `rewrite`?]"],
    ),
    (
        "request_headers: {set: {Host: a, 'a b': c, x: \"a\\nb\", y: ' a', ok: '1', OK: '2'}}",
        &[
            "route.header_rules routes[0].request_headers.set.Host: header rules cannot change `host` [use `host: rewrite`]",
            "route.header_rules routes[0].request_headers.set[\"a b\"]: `a b` is not a header name [write a token such as X-Tenant]",
            "route.header_rules routes[0].request_headers.set.x: a header value must not contain control characters",
            "route.header_rules routes[0].request_headers.set.y: a header value must not begin or end with a space",
            "route.header_rules routes[0].request_headers.set.OK: header `ok` is set twice; names are case-insensitive [remove one]",
        ],
    ),
    (
        "response_headers: {add: {Transfer-Encoding: chunked}, remove: [Content-Length, ':path']}",
        &[
            "route.header_rules routes[0].response_headers.add.Transfer-Encoding: header rules cannot change `transfer-encoding`: the gateway sets it [remove it]",
            "route.header_rules routes[0].response_headers.remove[0]: header rules cannot change `content-length`: the gateway sets it [remove it]",
            "route.header_rules routes[0].response_headers.remove[1]: `:path` is a pseudo-header of HTTP/2, not a header field [use `strip_prefix` or `rewrite_prefix` to change the path]",
        ],
    ),
    (
        "rewrite_prefix: internal",
        &[
            "route.rewrite_prefix routes[0].rewrite_prefix: `internal` is not a path of literal segments in normal form; write one such as /internal",
        ],
    ),
    (
        "cors: all",
        &["config.value routes[0].cors: unknown value `all` [write `any` or `none`]"],
    ),
    (
        "cors: {}",
        &[
            "config.missing_key routes[0].cors: `cors` needs `origins` [for example {origins: [\"https://app.example.com\"]}]",
        ],
    ),
    (
        "cors: {origins: []}",
        &[
            "route.cors routes[0].cors.origins: an empty list of origins admits no page [list an origin, or remove `cors`]",
        ],
    ),
    (
        "cors: {origins: ['*'], credentials: true}",
        &[
            "route.cors routes[0].cors: browsers do not accept `*` in `origins` with `credentials` [list the origins]",
        ],
    ),
    (
        "cors: {origins: ['https://a/', a.test, 'https://b', 'HTTPS://b:443', '*'], methods: ['a b']}",
        &[
            "route.cors routes[0].cors.origins[0]: `https://a/` is not an origin [remove the path: https://a]",
            "route.cors routes[0].cors.origins[1]: `a.test` is not an origin [write one such as https://app.example.com, or null, or * for any]",
            "route.cors routes[0].cors.origins[3]: origin `https://b` is listed twice [remove one]",
            "route.cors routes[0].cors.origins[4]: `*` admits any origin and must be the only one [remove it, or the others]",
            "route.cors routes[0].cors.methods[0]: `a b` is not a method",
        ],
    ),
    (
        "query: {a: {present: true, prefix: b}}",
        &[
            "config.type routes[0].query.a.prefix: `present` and `prefix` exclude each other [remove `present`: a value with a prefix is present]",
        ],
    ),
    (
        "protocol: h3",
        &["config.value routes[0].protocol: unknown value `h3` [write `h1` or `h2`]"],
    ),
    (
        "tls: {ca: a}",
        &[
            "service.upstream routes[0].tls: `tls` applies only to https backends, and there are none here [write the backends as https://host:port]",
        ],
    ),
    (
        "max_in_flight: 0",
        &["config.value routes[0].max_in_flight: `0` is not a whole number from 1 to 1000000"],
    ),
    (
        "redirect: /b",
        &[
            "route.redirect routes[0].service: `service` has no effect on a route with `redirect` [remove `service`, or `redirect`]",
            "route.redirect routes[0].backends: `backends` has no effect on a route with `redirect` [remove `backends`, or `redirect`]",
        ],
    ),
];

/// Whole texts, and their diagnostics.
const OTHERS: &[(&str, &[&str])] = &[
    (
        "routes: [{path_pattern: /a, redirect: /b/*}]",
        &[
            "route.redirect routes[0].redirect: the target ends with `*`, but the pattern `/a` does not [let the pattern end with /*, or write the target in full]",
        ],
    ),
    (
        "routes: [{path_pattern: /a, redirect: //b}]",
        &[
            "route.redirect routes[0].redirect: browsers read a host from `//b`; begin the path with one slash",
        ],
    ),
    (
        "routes: [{path_pattern: /a, redirect: {to: /b, status: 300}}]",
        &[
            "config.value routes[0].redirect.status: unknown value `300` [write `301`, `302`, `303`, `307` or `308`]",
        ],
    ),
    (
        "routes: [{path_pattern: /a, redirect: {status: 301}}]",
        &[
            "config.missing_key routes[0].redirect: `redirect` needs `to` [for example {to: /new/*, status: 308}]",
        ],
    ),
    (
        "routes: [{path_pattern: /a, redirect: /b, strip_prefix: true, protocol: h2}]",
        &[
            "route.redirect routes[0].strip_prefix: `strip_prefix` has no effect on a route with `redirect` [remove `strip_prefix`, or `redirect`]",
            "route.redirect routes[0].protocol: `protocol` has no effect on a route with `redirect` [remove `protocol`, or `redirect`]",
        ],
    ),
    (
        "routes: [{path_pattern: /a, service: s, protocol: h2}]\nservices: {s: {backends: [a]}}",
        &[
            "service.upstream routes[0]: `protocol`, `tls` and `max_in_flight` belong beside the backends [move them to the service]",
        ],
    ),
    (
        "routes: [{path_pattern: /a, service: s}]\nservices: {s: {backends: ['https://a'], tls: {ca: a, verify: false, server_name: 'a:1'}}}",
        &[
            "service.upstream services.s.tls.ca: `ca` has no effect with `verify: false` [remove one of them]",
            "service.upstream services.s.tls.server_name: `a:1` is not a host name [write one such as users.internal, without a port]",
        ],
    ),
    (
        "defaults: {redirect: /a, rewrite_prefix: /b, rate_limit: 1}",
        &[
            "config.unknown_key defaults.redirect: unknown key `redirect` in `defaults` [the keys of `defaults` are timeout, try_timeout, connect_timeout, idle_timeout, max_duration, retry, max_body, host, request_headers, response_headers, cors]",
            "config.unknown_key defaults.rewrite_prefix: unknown key `rewrite_prefix` in `defaults` [the keys of `defaults` are timeout, try_timeout, connect_timeout, idle_timeout, max_duration, retry, max_body, host, request_headers, response_headers, cors]",
            "config.not_built defaults.rate_limit: `rate_limit` is not supported yet [remove it]",
        ],
    ),
];
