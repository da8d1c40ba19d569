//! Budget: 15 ns for a normal path of 44 bytes.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::engine::routing::NormalPath;
use tollgate::engine::routing::path::{check_query, split_target};

const CLEAN_10: &str = "/api/users";
const CLEAN_44: &str = "/api/v2/users/0198f3c2-7a41/orders/1234567/i";
const DECODED: &str = "/api/v2/users/%7Ejos%c3%A9/orders/%31234567/";
const DOT_SEGMENTS: &str = "/api/v2/./users/0198f3c2-7a41//../orders/123";
const ESCAPED: &str = "/api/v2/files/A%20summer%20evening/page/1234";
const REJECTED: &str = "/api/v2/users/0198f3c2-7a41/orders/{id}/item";

fn normal_path(criterion: &mut Criterion) {
    let clean_200 = CLEAN_10.repeat(20);
    let cases = [
        ("clean_10", CLEAN_10),
        ("clean_44", CLEAN_44),
        ("clean_200", &clean_200),
        ("escaped_44", ESCAPED),
        ("decoded_44", DECODED),
        ("dot_segments_44", DOT_SEGMENTS),
        ("rejected_44", REJECTED),
    ];
    let mut group = criterion.benchmark_group("normal_path");
    for (name, path) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter(|| NormalPath::parse(black_box(path)))
        });
    }
    group.bench_function("split_target_44_and_20", |bencher| {
        let target = format!("{CLEAN_44}?page=2&per_page=50xx");
        bencher.iter(|| split_target(black_box(&target)).1.map(check_query))
    });
    group.finish();
}

criterion_group!(benches, normal_path);
criterion_main!(benches);
