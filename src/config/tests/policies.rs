//! What routes and services say of the data plane: what comes of it, and what is wrong with it.

use std::sync::Arc;
use std::time::Duration;

use crate::config::compile::{LoadOptions, Loaded, load_file};
use crate::config::tests::told_faults;
use crate::engine::policy::{Policy, RoutePolicy};
use crate::engine::semantics::HostRule;
use crate::engine::upstream::Protocol;

fn load(text: &str) -> Loaded {
    let loaded = load_file(text, LoadOptions::FILE);
    loaded.unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

/// The policy of a route that says this, under these defaults.
fn policy(defaults: &str, route: &str) -> RoutePolicy {
    let text = format!(
        "defaults: {{{defaults}}}\nroutes: [{{path_pattern: /a/*, service: s, backends: [b], {route}}}]"
    );
    RoutePolicy::clone(&load(&text).configured[0].policy)
}

#[test]
fn who_says_nothing_shares_the_defaults() {
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
fn a_route_says_otherwise_key_by_key() {
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
    let told = |pairs: &[(Box<str>, Box<str>)]| {
        let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join(" ")
    };
    let [_, Policy::RequestHeaders(rules)] = rules.chain().policies() else {
        panic!("{rules:?}");
    };
    assert_eq!(rules.remove, ["d".into(), "e".into(), "b".into()]);
    assert_eq!(told(&rules.set), "c=4");
    assert_eq!(told(&rules.add), "a=5 a=6");
}

#[test]
fn origins_are_as_browsers_write_them() {
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
fn faults_of_routes() {
    for (keys, expected) in FAULTS {
        let text = format!("routes: [{{path_pattern: /a/*, service: s, backends: [b], {keys}}}]");
        assert_eq!(told_faults(&text), *expected, "{keys}");
    }
}

#[test]
fn faults_of_redirects_and_services() {
    for (text, expected) in OTHERS {
        assert_eq!(told_faults(text), *expected, "{text}");
    }
}

/// Keys of a route to `/a/*`, and what they earn: `CODE AT: MESSAGE [HELP]`.
const FAULTS: &[(&str, &[&str])] = &[
    (
        "timeout: none",
        &[
            "config.value routes[0].timeout: `none` is no duration [there is always an end here; the longest is 24h]",
        ],
    ),
    (
        "timeout: 0s",
        &["config.value routes[0].timeout: 0s is out of bounds: from 1ms to 24h"],
    ),
    (
        "timeout: [1s]",
        &["config.type routes[0].timeout: expected a text or a number, found a list"],
    ),
    (
        "try_timeout: nome",
        &[
            "config.value routes[0].try_timeout: `nome` is no duration [write one such as 2s, 500ms, 1m30s or 1h]",
        ],
    ),
    (
        "retry: off",
        &["config.value routes[0].retry: `off` is not understood here [write one of none]"],
    ),
    (
        "retry: 3",
        &[
            "config.type routes[0].retry: expected `retry` as a map, found the number 3 [write {attempts: 2, on: [reset, 502, 503]}, or none]",
        ],
    ),
    (
        "retry: {attempts: 11, buffer: 17MiB}",
        &[
            "config.value routes[0].retry.attempts: `11` is no whole number from 0 to 10",
            "config.value routes[0].retry.buffer: 17MiB is out of bounds: from 0 to 16MiB",
        ],
    ),
    (
        "retry: {on: [404, resets, 5XX]}",
        &[
            "config.value routes[0].retry.on[0]: 404 is no failure of a backend [a retry is for statuses from 500 to 599]",
            "config.value routes[0].retry.on[1]: `resets` is not understood here [did you mean `reset`?]",
            "config.value routes[0].retry.on[2]: `5XX` is not understood here [did you mean `5xx`?]",
        ],
    ),
    (
        "max_body: big",
        &[
            "config.value routes[0].max_body: `big` is no size [write bytes, or KiB, MiB or GiB of them: 4096, 32KiB, 8MiB]",
        ],
    ),
    (
        "host: rewrit",
        &["config.value routes[0].host: `rewrit` is not understood here [did you mean `rewrite`?]"],
    ),
    (
        "request_headers: {set: {Host: a, 'a b': c, x: \"a\\nb\", y: ' a', ok: '1', OK: '2'}}",
        &[
            "route.header_rules routes[0].request_headers.set.Host: `host` is written by the gateway alone [write `host: rewrite` at the route]",
            "route.header_rules routes[0].request_headers.set[\"a b\"]: `a b` is no name of a header [a name is a token such as X-Tenant]",
            "route.header_rules routes[0].request_headers.set.x: the value of a header is a line of text without control characters",
            "route.header_rules routes[0].request_headers.set.y: the value of a header neither begins nor ends with a space",
            "route.header_rules routes[0].request_headers.set.OK: `ok` is set twice: names are without case",
        ],
    ),
    (
        "response_headers: {add: {Transfer-Encoding: chunked}, remove: [Content-Length, ':path']}",
        &[
            "route.header_rules routes[0].response_headers.add.Transfer-Encoding: `transfer-encoding` is written by the gateway alone [leave it out: each connection has its own]",
            "route.header_rules routes[0].response_headers.remove[0]: `content-length` is written by the gateway alone [leave it out: each connection has its own]",
            "route.header_rules routes[0].response_headers.remove[1]: `:path` is no field, but a part of HTTP/2 [`strip_prefix` and `rewrite_prefix` change the path]",
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
        &["config.value routes[0].cors: `all` is not understood here [write one of any, none]"],
    ),
    (
        "cors: {}",
        &[
            "config.missing_key routes[0].cors: `cors` needs `origins` [for example {origins: [\"https://app.example.com\"]}, any or none]",
        ],
    ),
    (
        "cors: {origins: []}",
        &[
            "route.cors routes[0].cors.origins: an empty list of origins admits no page [write `cors: none` for nobody, or leave it out]",
        ],
    ),
    (
        "cors: {origins: ['*'], credentials: true}",
        &[
            "route.cors routes[0].cors: with `credentials` browsers refuse `*` in `origins` [list the origins that are meant]",
        ],
    ),
    (
        "cors: {origins: ['https://a/', a.test, 'https://b', 'HTTPS://b:443', '*'], methods: ['a b']}",
        &[
            "route.cors routes[0].cors.origins[0]: `https://a/` is no origin [an origin has no path: write https://a]",
            "route.cors routes[0].cors.origins[1]: `a.test` is no origin [write one such as https://app.example.com, or null, or * for any]",
            "route.cors routes[0].cors.origins[3]: the origin https://b stands there twice",
            "route.cors routes[0].cors.origins[4]: `*` is any origin, and stands alone [leave the others out, or this one]",
            "route.cors routes[0].cors.methods[0]: `a b` is no name of a method",
        ],
    ),
    (
        "protocol: h3",
        &["config.value routes[0].protocol: `h3` is not understood here [write one of h1, h2]"],
    ),
    (
        "tls: {ca: a}",
        &[
            "service.upstream routes[0].tls: `tls` is for https, and no backend here speaks it [write the backends as https://host:port]",
        ],
    ),
    (
        "max_in_flight: 0",
        &["config.value routes[0].max_in_flight: `0` is no whole number from 1 to 1000000"],
    ),
    (
        "redirect: /b",
        &[
            "route.redirect routes[0].service: a route with `redirect` sends nothing upstream: `service` has no use [leave it out, or the redirect]",
            "route.redirect routes[0].backends: a route with `redirect` sends nothing upstream: `backends` has no use [leave it out, or the redirect]",
        ],
    ),
];

/// Whole texts.
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
            "config.value routes[0].redirect.status: `300` is no status of a redirect [write one of 301, 302, 303, 307, 308]",
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
            "route.redirect routes[0].strip_prefix: a route with `redirect` sends nothing upstream: `strip_prefix` has no use [leave it out, or the redirect]",
            "route.redirect routes[0].protocol: a route with `redirect` sends nothing upstream: `protocol`, `tls` or `max_in_flight` has no use [leave it out, or the redirect]",
        ],
    ),
    (
        "routes: [{path_pattern: /a, service: s, protocol: h2}]\nservices: {s: {backends: [a]}}",
        &[
            "service.upstream routes[0]: `protocol`, `tls` and `max_in_flight` stand where the backends do [write them at the service]",
        ],
    ),
    (
        "routes: [{path_pattern: /a, service: s}]\nservices: {s: {backends: ['https://a'], tls: {ca: a, verify: false, server_name: 'a:1'}}}",
        &[
            "service.upstream services.s.tls.ca: `ca` has no use where nothing is verified [leave `verify: false` out, or `ca`]",
            "service.upstream services.s.tls.server_name: `a:1` is no name of a host [write one such as users.internal, without a port]",
        ],
    ),
    (
        "defaults: {redirect: /a, rewrite_prefix: /b, rate_limit: 1}",
        &[
            "config.unknown_key defaults.redirect: unknown key `redirect` in `defaults` [the keys of `defaults` are timeout, try_timeout, connect_timeout, idle_timeout, max_duration, retry, max_body, host, request_headers, response_headers, cors]",
            "config.unknown_key defaults.rewrite_prefix: unknown key `rewrite_prefix` in `defaults` [the keys of `defaults` are timeout, try_timeout, connect_timeout, idle_timeout, max_duration, retry, max_body, host, request_headers, response_headers, cors]",
            "config.not_built defaults.rate_limit: `rate_limit` is not built yet: leave it out",
        ],
    ),
];
