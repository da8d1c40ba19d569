//! The whole decision against a bare lookup in the same trie, in the same run.
//!
//! `bare` is `matchit::Router::at` on a cloned trie with the same keys; `decision` is everything
//! from the raw target to the picked backend. The paths are in a fixed random order.

mod tables;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tollgate::engine::plan::decide;
use tollgate::engine::request::RawRequest;

use crate::tables::{Scene, github, services};

const NO_HEADERS: &[(&str, &str)] = &[];

fn lookups(c: &mut Criterion) {
    for (name, scene) in [
        ("8", services(4)),
        ("200", services(100)),
        ("2000", services(1_000)),
        ("20000", services(10_000)),
        ("github", github()),
    ] {
        let mut group = c.benchmark_group(format!("router/{name}"));
        group.throughput(Throughput::Elements(1));
        for (kind, paths) in [("hit", &scene.hits), ("miss", &scene.misses)] {
            let bare = scene.bare_trie();
            group.bench_function(BenchmarkId::new("bare", kind), |b| {
                let mut paths = paths.iter().cycle();
                b.iter(|| bare.at(black_box(next(&mut paths))).is_ok());
            });
            group.bench_function(BenchmarkId::new("decision", kind), |b| {
                let mut paths = paths.iter().cycle();
                b.iter(|| decision(&scene, black_box(next(&mut paths)), NO_HEADERS));
            });
        }
        let headers = [
            ("accept", "application/json"),
            ("user-agent", "curl/8"),
            ("accept-version", "v2"),
        ];
        group.bench_function(BenchmarkId::new("decision", "hit, 3 headers"), |b| {
            let mut paths = scene.hits.iter().cycle();
            b.iter(|| decision(&scene, black_box(next(&mut paths)), &headers));
        });
    }
}

fn next<'p>(paths: &mut impl Iterator<Item = &'p String>) -> &'p str {
    paths.next().map_or("/", String::as_str)
}

fn decision(scene: &Scene, path: &str, headers: &[(&str, &str)]) -> bool {
    let request = RawRequest {
        method: "GET",
        target: path,
        host: Some("api.example.com"),
        headers,
    };
    decide(&scene.snapshot, &request).is_ok_and(|plan| plan.pick().is_some())
}

criterion_group!(benches, lookups);
criterion_main!(benches);
