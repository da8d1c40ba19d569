//! Messages per second through the message loop, in memory, compared with a lower bound that only
//! parses and writes.

#[path = "stdio_floor.rs"]
mod floor;

use std::hint::black_box;
use std::io;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tollgate::config::{LoadOptions, builtin, load_file};
use tollgate::control::Reconciler;
use tollgate::frontend::stdio::{Options, serve};
use tollgate::runtime::clock;

const MESSAGES: u64 = 10_000;

fn requests(headers: &str) -> String {
    const PATHS: [&str; 6] = [
        "/api/users/123",
        "/api/v2/users/456",
        "/api/orders/789",
        "/api/products/42",
        "/api/payments/7",
        "/api/users/9000",
    ];
    let line = |(id, path): (u64, &&str)| {
        format!(
            r#"{{"src":"client","dest":"gateway","body":{{"type":"api_request","msg_id":{id},"method":"GET","path":"{path}"{headers}}}}}"#
        ) + "\n"
    };
    (1..=MESSAGES).zip(PATHS.iter().cycle()).map(line).collect()
}

fn messages(c: &mut Criterion) {
    let loaded = load_file(builtin::TEXT, LoadOptions::FILE).expect("the built-in table loads");
    let mut reconciler = Reconciler::new(loaded, Reconciler::DEFAULT_MAX_REGISTRATIONS);
    let clock: fn() -> Instant = clock::now;
    let plain = requests("");
    let with_headers = requests(
        r#","headers":{"Host":"api.example.com","Accept":"application/json","X-Request-Id":"abc"}"#,
    );
    let mut group = c.benchmark_group("stdio");
    group.throughput(Throughput::Elements(MESSAGES));
    group.bench_function("floor", |b| {
        b.iter(|| floor::serve(black_box(plain.as_bytes()), io::sink()));
    });
    for (name, input) in [
        ("api_request", &plain),
        ("api_request, 3 headers", &with_headers),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                serve(
                    &mut reconciler,
                    Options::default(),
                    clock,
                    black_box(input.as_bytes()),
                    io::sink(),
                )
            });
        });
    }
}

criterion_group!(benches, messages);
criterion_main!(benches);
