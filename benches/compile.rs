//! The CPU time of a reload.
//!
//! `table` compiles parsed routes and checks the table; `json` also parses the configuration.

mod tables;

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tollgate::config::{LoadOptions, load_json};
use tollgate::engine::routing::Table;

use crate::tables::services_json;

fn compile(c: &mut Criterion) {
    let mut group = c.benchmark_group("compile");
    group.sample_size(10);
    for routes in [1_000_usize, 10_000, 100_000] {
        let json = services_json(routes / 2);
        let loaded = load_json(&json, LoadOptions::INIT).expect("the table is valid");
        let (table, versioning) = (loaded.table.routes(), loaded.table.versioning());
        group.throughput(Throughput::Elements(u64::try_from(routes).unwrap_or(0)));
        group.bench_function(BenchmarkId::new("table", routes), |b| {
            b.iter_batched(
                || (table.to_vec(), versioning.clone()),
                |(routes, versioning)| {
                    let table = Table::compile(routes, versioning);
                    assert!(table.errors().is_empty());
                    table
                },
                BatchSize::LargeInput,
            );
        });
        group.bench_function(BenchmarkId::new("json", routes), |b| {
            b.iter(|| load_json(black_box(&json), LoadOptions::INIT).is_ok());
        });
    }
}

criterion_group!(benches, compile);
criterion_main!(benches);
