//! Budget: 300 ns for the edits of a typical request of ten fields, and 20 ns for its response.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::engine::policy::{ResponseContext, RouteOptions, RoutePolicy};
use tollgate::engine::semantics::{
    Arrival, Cause, Edits, HostRule, KnownFields, Problem, Protocol, Request, RequestId,
    UpstreamError,
};
use tollgate::engine::upstream::Address;

type Fields = Vec<(&'static str, &'static str)>;

const USUAL: [(&str, &str); 10] = [
    ("Host", "shop.example.com"),
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko",
    ),
    ("Accept", "application/json, text/plain, */*"),
    ("Accept-Language", "en-GB,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Referer", "https://shop.example.com/basket"),
    (
        "Authorization",
        "Bearer eyJhbGciOiJIUzI1NiJ9.e30.XmNK3GpH3Ys",
    ),
    ("Connection", "keep-alive"),
    ("Cookie", "session=0198f3c2-7a41; theme=dark"),
    ("Priority", "u=0"),
];

const BEHIND_A_PROXY: [(&str, &str); 5] = [
    ("X-Forwarded-For", "198.51.100.9, 203.0.113.4"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "shop.example.com"),
    ("X-Request-Id", "0198f3c2-7a41-4bd2-9d11-0af7651916cd"),
    (
        "Traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
];

fn requests(criterion: &mut Criterion) {
    let arrival = Arrival {
        peer: [192, 0, 2, 7].into(),
        is_trusted: false,
        is_tls: true,
        protocol: Protocol::Http11,
        host: Some("shop.example.com"),
        pseudonym: "tollgate",
        https_port: None,
    };
    let usual: Fields = USUAL.into();
    let proxied: Fields = USUAL.into_iter().chain(BEHIND_A_PROXY).collect();
    let trusted = Arrival {
        is_trusted: true,
        ..arrival
    };
    let usual_policy = RoutePolicy::default();
    let mut options = RouteOptions::default();
    options.forwarding.host = HostRule::Rewrite;
    let rewrite = RoutePolicy::compile(&options);
    let backend = Address::parse("users-1:8080").expect("a valid address");
    let mut group = criterion.benchmark_group("semantics");
    for (name, arrival, headers, policy) in [
        ("request_of_10", &arrival, &usual, &usual_policy),
        ("request_of_10_host_rewritten", &arrival, &usual, &rewrite),
        (
            "request_of_15_by_a_proxy",
            &trusted,
            &proxied,
            &usual_policy,
        ),
    ] {
        let (mut edits, mut buffer) = (Edits::new(), String::new());
        let random = [0x5A; 24];
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let headers = black_box(&headers[..]);
                let request = Request::read(black_box(arrival), ("GET", "/"), headers, None);
                let id = RequestId::of(&request.fields, &random);
                edits.clear();
                request.edits(&mut edits, &id, &random);
                policy.chain().on_forward(&mut edits);
                let rule = &policy.forwarding().host;
                black_box(request.upstream_host(rule, &backend, &mut buffer));
                headers
                    .iter()
                    .filter(|(name, _)| !edits.drops(name.as_bytes()))
                    .count()
            });
        });
    }
    group.bench_function("known_fields_of_10", |bencher| {
        bencher.iter(|| KnownFields::of(black_box(&usual[..])));
    });
    group.finish();
}

fn responses(criterion: &mut Criterion) {
    let policy = RoutePolicy::default();
    let mut group = criterion.benchmark_group("semantics");
    let mut edits = Edits::new();
    group.bench_function("response", |bencher| {
        bencher.iter(|| {
            edits.clear();
            let chain = black_box(&policy).chain();
            chain.on_response(&ResponseContext::default(), &mut edits);
        });
    });
    let cause = Cause::from(UpstreamError::Timeout);
    let mut body = Vec::new();
    group.bench_function("problem", |bencher| {
        bencher.iter(|| {
            let problem = Problem {
                cause: black_box(&cause),
                id: &RequestId::Received(b"0198f3c2-7a41"),
                pseudonym: "tollgate",
                grpc: None,
            };
            problem.write(&mut edits, &mut body)
        });
    });
    group.finish();
}

criterion_group!(benches, requests, responses);
criterion_main!(benches);
