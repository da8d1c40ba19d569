//! The allocations of a decision and the memory of a route, as counted by the allocator.
//!
//! `allocation-counter` provides the counting allocator, so that no `unsafe` is needed here, and
//! counts per thread, so that tests can run in parallel.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::hint::black_box;
use std::time::Duration;

use allocation_counter::measure;
use tollgate::config::{LoadOptions, Loaded, load_json};
use tollgate::engine::plan::decide;
use tollgate::engine::policy::{Cors, ResponseContext, RouteOptions, RoutePolicy};
use tollgate::engine::request::RawRequest;
use tollgate::engine::routing::{Table, Versioning};
use tollgate::engine::semantics::{
    Arrival, Cause, Edits, HostRule, Problem, Protocol, Request, RequestId, UpstreamError,
};
use tollgate::engine::snapshot::Snapshot;
use tollgate::engine::upstream::{Address, Registry};
use tollgate::http1::{
    BodyLength, BodyReader, HeadLimits, OutgoingRequest, RequestHead, write_request,
};

#[test]
fn a_decision_allocates_no_more_than_the_bare_trie() {
    for routes in [8, 200, 2000] {
        let Loaded {
            table, configured, ..
        } = load(routes, false);
        let snapshot = Snapshot::new(
            table.into(),
            configured.into(),
            &mut Registry::default(),
            None,
        );
        check_decisions(&snapshot, &[], routes, 0);
        let two = [("Accept-Version", "v2")];
        check_decisions(&snapshot, &two, routes / 8, 0);
        let one = [("x-api-version", "1"), ("accept", "*/*")];
        check_decisions(&snapshot, &one, routes / 8, 0);
        // The versions that `Accept` prefers are sorted in a list.
        let preferred = [("Accept", "application/vnd.shop.v2+json")];
        check_decisions(&snapshot, &preferred, routes, 2);
    }
}

#[test]
fn the_codec_allocates_for_its_first_message_only() {
    const BYTES: &[u8] = b"POST /a?b HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, x-hop\r\n\
        X-Hop: 1\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n";
    let limits = HeadLimits::default();
    let mut head = RequestHead::default();
    let mut body = BodyReader::new(limits);
    let mut out = Vec::new();
    let mut proxy = || {
        out.clear();
        let length = head.parse(BYTES, &limits).unwrap().unwrap();
        let view = head.view(BYTES);
        let outgoing = OutgoingRequest {
            method: view.method(),
            target: &[view.target()],
            body: BodyLength::Chunked,
            ..OutgoingRequest::default()
        };
        write_request(&mut out, view, &outgoing).unwrap();
        body.begin(view.framing());
        let piece = body.read(BYTES.get(length..).unwrap()).unwrap();
        assert!(body.is_complete());
        black_box((piece, out.len()));
    };
    proxy();
    assert_eq!(measure(|| (0..100).for_each(|_| proxy())).count_total, 0);
}

#[test]
fn edits_do_not_allocate() {
    let fields = [
        ("Host", "shop.test"),
        ("Accept", "*/*"),
        ("X-Forwarded-For", "198.51.100.9, 203.0.113.4"),
        ("X-Forwarded-Port", "80"),
        ("Traceparent", "00-0"),
        ("Tracestate", "a=1"),
        ("Origin", "https://a.test"),
    ];
    let mut options = RouteOptions {
        cors: Some(Cors {
            origins: vec!["https://a.test".into()],
            methods: Vec::new(),
            headers: Vec::new(),
            expose: vec!["x-total".into()],
            credentials: true,
            max_age: Duration::from_secs(600),
        }),
        ..RouteOptions::default()
    };
    options.forwarding.host = HostRule::Rewrite;
    let policy = RoutePolicy::compile(&options);
    let backend = Address::parse("users-1:8080").unwrap();
    let random = [0x5A; 24];
    let (mut edits, mut body) = (Edits::new(), Vec::with_capacity(1024));
    let mut buffer = String::with_capacity(64);
    for (is_trusted, peer) in [(false, "2001:db8::7"), (true, "192.0.2.7")] {
        let arrival = Arrival {
            peer: peer.parse().unwrap(),
            is_trusted,
            is_tls: true,
            protocol: Protocol::Http2,
            host: Some("shop.test"),
            pseudonym: "tollgate",
            https_port: None,
        };
        let counted = measure(|| {
            let request = Request::read(&arrival, ("GET", "/"), &fields[..], None);
            let id = RequestId::of(&request.fields, &random);
            edits.clear();
            request.edits(&mut edits, &id, &random);
            policy.chain().on_forward(&mut edits);
            let rule = &policy.forwarding().host;
            black_box(request.upstream_host(rule, &backend, &mut buffer));
            black_box(edits.added().count());
            let cause = Cause::from(UpstreamError::Timeout);
            let problem = Problem {
                cause: &cause,
                id: &id,
                pseudonym: "tollgate",
                grpc: None,
            };
            black_box(problem.write(&mut edits, &mut body));
            edits.clear();
            let origin = request.fields.origin.only();
            policy
                .chain()
                .on_response(&ResponseContext { origin }, &mut edits);
            black_box(edits.added().count());
        });
        assert_eq!(counted.count_total, 0, "from {peer}");
    }
}

/// Without the trie, which any router of this kind has.
const MAX_BYTES_PER_ROUTE: usize = 150;

#[test]
fn a_route_needs_little_memory_besides_the_trie() {
    const ROUTES: usize = 10_000;
    // The list of services is not part of the router; with one service it is almost empty.
    for (services, slack) in [("one service", Some(16)), ("many services", None)] {
        let is_one = slack.is_some();
        let table = load(ROUTES, is_one).table;
        let keys = table.trie_keys();
        let mut bare = None;
        let of_trie = measure(|| bare = Some(bare_tries(&keys))).bytes_current;
        let routes = table.routes().to_vec();
        assert_eq!(routes.len(), ROUTES);
        let mut compiled = None;
        let compile = || compiled = Some(Table::compile(routes, Versioning::default()));
        let of_table = measure(compile).bytes_current;
        let per_route = |bytes: i64| usize::try_from(bytes).unwrap() / ROUTES;
        let (trie, measured) = (per_route(of_trie), per_route(of_table - of_trie));
        let reported = table.router_heap_bytes() / ROUTES;
        println!(
            "bytes per route, {ROUTES} routes of {services}: {trie} for the bare trie, \
             {reported} more for the router, {measured} more for the table"
        );
        assert_eq!(
            compiled.unwrap().router_heap_bytes(),
            table.router_heap_bytes()
        );
        assert!(reported <= MAX_BYTES_PER_ROUTE, "{reported}");
        assert!(
            reported <= measured + 1,
            "the router reports {reported}, the allocator {measured}"
        );
        if let Some(slack) = slack {
            assert!(
                measured <= reported + slack,
                "the router reports {reported}, the allocator {measured}"
            );
        }
    }
}

/// Checks a decision for every key of the table with these headers; at least `at_least` must hit.
fn check_decisions(snapshot: &Snapshot, headers: &[(&str, &str)], at_least: usize, more: u64) {
    let keys = snapshot.table().trie_keys();
    let bare = bare_tries(&keys);
    let mut hits = 0;
    for (keys, bare) in keys.iter().zip(&bare) {
        for path in keys.iter().map(|key| example(key)) {
            let of_trie = measure(|| _ = black_box(bare.at(&path).is_ok()));
            let request = RawRequest {
                method: "GET",
                target: &path,
                host: Some("shop.test"),
                headers,
            };
            let mut is_hit = false;
            let ours = measure(|| {
                if let Ok(plan) = decide(snapshot, &request) {
                    is_hit = plan.pick().is_some();
                    black_box(plan.upstream_path().len());
                }
            });
            if is_hit {
                hits += 1;
                let (ours, bare) = (ours.count_total, of_trie.count_total);
                assert!(
                    ours <= bare + more,
                    "{path} {headers:?}: {ours} allocations, not {bare}"
                );
            }
        }
    }
    assert!(
        hits >= at_least,
        "{hits} hits with {headers:?}, not {at_least}"
    );
}

fn bare_tries(keys: &[Vec<String>]) -> Vec<matchit::Router<u32>> {
    let tries = keys.iter().map(|keys| {
        let mut trie = matchit::Router::new();
        for (key, number) in keys.iter().zip(0..) {
            trie.insert(key, number).unwrap();
        }
        trie.clone()
    });
    tries.collect()
}

/// A path that the key matches.
fn example(key: &str) -> String {
    let segments = key.split('/').map(|segment| match segment {
        "{*rest}" => "one/more",
        segment if segment.starts_with("{*") => "one/more",
        segment if segment.starts_with('{') => "123",
        segment => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

fn load(routes: usize, is_one_service: bool) -> Loaded {
    let all = (0..)
        .flat_map(|at| group_of_routes(at, is_one_service))
        .take(routes);
    let json = format!("{{\"routes\":[{}]}}", all.collect::<Vec<_>>().join(","));
    load_json(&json, LoadOptions::INIT).unwrap()
}

/// Families, parameters and methods in turn.
fn group_of_routes(at: usize, is_one_service: bool) -> Vec<String> {
    let route = |pattern: &str, more: &str| {
        let service = if is_one_service { 0 } else { at };
        let (pattern, host) = (pattern.replace('#', &format!("s{at}")), at % 7);
        format!(
            "{{\"path_pattern\":\"{pattern}\",\"service\":\"s{service}\",\"backends\":[\"b-{host}\",\"c-{host}\"]{more}}}"
        )
    };
    match at % 4 {
        0 => vec![
            route("/api/#/*", ",\"version\":\"v1\""),
            route("/api/v2/#/*", ""),
        ],
        1 => vec![
            route("/api/#/{id}", ",\"methods\":[\"GET\",\"PUT\"]"),
            route("/api/#/{id}/items/{item}/*", ""),
        ],
        2 => vec![
            route("/api/#/*", ",\"methods\":[\"GET\"]"),
            route("/api/#/*", ",\"methods\":[\"POST\"]"),
        ],
        _ => vec![
            route("/api/v1/#/list", ",\"strip_prefix\":true"),
            route("/api/v2/#/list", ",\"methods\":[\"GET\",\"HEAD\"]"),
        ],
    }
}
