//! Round robin: one thread, and two threads whose cursors share a cache line or do not.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use criterion::{Criterion, criterion_group, criterion_main};
use tollgate::engine::upstream::{Address, BackendSource, Cluster, Cursor};

fn pool() -> Cluster {
    let addresses: Vec<Address> = (1..=3)
        .filter_map(|at| Address::parse(&format!("users-{at}:8080")).ok())
        .collect();
    Cluster::new(
        None,
        addresses
            .iter()
            .map(|address| (address, BackendSource::Inline)),
    )
}

fn picks(c: &mut Criterion) {
    let mut group = c.benchmark_group("balance");
    let pool = pool();
    let cursors = [Cursor::default(), Cursor::default()];
    let [mine, other] = &cursors;
    group.bench_function("1 thread", |b| {
        b.iter(|| black_box(&pool).pick(mine).is_some());
    });
    for (name, theirs) in [
        ("2 threads, a cursor each", other),
        ("2 threads, one cursor", mine),
    ] {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                // Relaxed: it only has to become visible eventually.
                while !done.load(Ordering::Relaxed) {
                    black_box(black_box(&pool).pick(theirs).is_some());
                }
            });
            group.bench_function(name, |b| {
                b.iter(|| black_box(&pool).pick(mine).is_some());
            });
            done.store(true, Ordering::Relaxed);
        });
    }
}

criterion_group!(benches, picks);
criterion_main!(benches);
