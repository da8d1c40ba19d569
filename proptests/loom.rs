//! Cursors and snapshot swaps under all thread interleavings.
//!
//! Run `RUSTFLAGS="--cfg tollgate_loom" cargo test --release --test loom`; empty without the flag.

#![cfg(tollgate_loom)]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use loom::sync::Arc;
use loom::thread;
use tollgate::config::{LoadOptions, load_json};
use tollgate::control::{Reconciler, Update};
use tollgate::engine::snapshot::Snapshot;
use tollgate::engine::upstream::{Address, BackendSource, Cluster, Cursor, ServiceKey};

#[test]
fn each_cursor_value_is_returned_once() {
    for (first, threads, each) in [(0, 2, 3), (u64::MAX - 1, 2, 2), (u64::MAX, 3, 1), (7, 3, 2)] {
        loom::model(move || {
            let cursor = Arc::new(Cursor::new(first));
            let mut values = in_threads(threads, move || {
                let cursor = Arc::clone(&cursor);
                move || (0..each).map(|_| cursor.next()).collect()
            });
            values.sort_unstable();
            let mut expected: Vec<u64> = (0..values.len())
                .map(|at| first.wrapping_add(u64::try_from(at).unwrap()))
                .collect();
            expected.sort_unstable();
            assert_eq!(values, expected);
        });
    }
}

#[test]
fn picks_of_many_threads_are_those_of_one() {
    for (first, threads, each, backends) in [
        (0, 2, 2, &["a", "b", "c"][..]),
        (u64::MAX - 1, 2, 2, &["a", "b", "c"]),
        (1, 3, 1, &["a", "b"]),
        (5, 3, 2, &["a"]),
    ] {
        loom::model(move || {
            let shared = Arc::new((cluster(backends), Cursor::new(first)));
            let mut picked = in_threads(threads, move || {
                let shared = Arc::clone(&shared);
                move || (0..each).map(|_| name(&shared.0, &shared.1)).collect()
            });
            picked.sort_unstable();
            let (cluster, cursor) = (cluster(backends), Cursor::new(first));
            let mut expected: Vec<_> = picked.iter().map(|_| name(&cluster, &cursor)).collect();
            expected.sort_unstable();
            assert_eq!(picked, expected);
        });
    }
}

/// A new table with the same first route: the picks of all readers together are those of a single
/// cursor, whichever snapshot each of them read.
#[test]
fn a_swap_neither_loses_nor_repeats_a_pick() {
    const BEFORE: &str =
        r#"{"routes":[{"path_pattern":"/a/*","service":"s","backends":["a","b","c"]}]}"#;
    const AFTER: &str = r#"{"routes":[
        {"path_pattern":"/a/*","service":"s","backends":["a","b","c"]},
        {"path_pattern":"/b/*","service":"t","backends":["d"]}]}"#;
    check_swap(BEFORE, || init(AFTER));
    // Registered where no route is: a snapshot is published, no cluster changes.
    check_swap(BEFORE, || register("u", "e"));
}

/// Both routes change with one `init`: no reader sees only one of them changed, or the old table
/// after the new one.
#[test]
fn a_reader_sees_the_old_table_or_the_new_one() {
    const BEFORE: &str = r#"{"routes":[
        {"path_pattern":"/a/*","service":"s","backends":["old"]},
        {"path_pattern":"/b/*","service":"s","backends":["old"]}]}"#;
    const AFTER: &str = r#"{"routes":[
        {"path_pattern":"/a/*","service":"s","backends":["new"]},
        {"path_pattern":"/b/*","service":"s","backends":["new"]}]}"#;
    check_whole(BEFORE, || init(AFTER));
    check_whole(BEFORE, || register("s", "new"));
    check_whole(BEFORE, || Update::Deregister {
        service: ServiceKey::of("s", None),
        address: Address::parse("old").unwrap(),
    });
}

fn check_swap(before: &'static str, update: fn() -> Update) {
    loom::model(move || {
        let mut reconciler = reconciler(before);
        let reader = |picks: usize| {
            let snapshots = reconciler.reader();
            thread::spawn(move || {
                (0..picks)
                    .map(|_| first_pick(&snapshots.load()))
                    .collect::<Vec<_>>()
            })
        };
        let readers = [reader(2), reader(1)];
        reconciler.apply(update()).unwrap();
        reconciler.publish();
        let mut picked: Vec<String> = readers
            .into_iter()
            .flat_map(|reader| reader.join().unwrap())
            .collect();
        picked.push(first_pick(&reconciler.reader().load()));
        picked.sort_unstable();
        assert_eq!(picked, ["a", "a", "b", "c"]);
    });
}

fn check_whole(before: &'static str, update: fn() -> Update) {
    loom::model(move || {
        let mut reconciler = reconciler(before);
        let reader = || {
            let snapshots = reconciler.reader();
            thread::spawn(move || [0, 1].map(|_| clusters(&snapshots.load())))
        };
        let readers = [reader(), reader()];
        let old = [["old"], ["old"]];
        reconciler.apply(update()).unwrap();
        reconciler.publish();
        let new = clusters(&reconciler.reader().load());
        assert_ne!(new, old);
        for read in readers.map(|reader| reader.join().unwrap()) {
            let [first, second] = read.map(|clusters| (clusters != old, clusters == new));
            assert!(first.0 == first.1 && second.0 == second.1, "a mixture");
            assert!(first <= second, "the old one after the new one");
        }
    });
}

fn in_threads<T: 'static, W: FnOnce() -> Vec<T> + 'static>(
    threads: usize,
    work: impl Fn() -> W,
) -> Vec<T> {
    // The current thread is one of them.
    let others: Vec<_> = (1..threads).map(|_| thread::spawn(work())).collect();
    let mut all = work()();
    for other in others {
        all.extend(other.join().unwrap());
    }
    all
}

fn reconciler(json: &str) -> Reconciler {
    Reconciler::new(load_json(json, LoadOptions::INIT).unwrap(), 10)
}

fn init(json: &str) -> Update {
    Update::Init(Box::new(load_json(json, LoadOptions::INIT).unwrap()))
}

fn register(service: &str, address: &str) -> Update {
    Update::Register {
        service: ServiceKey::of(service, None),
        address: Address::parse(address).unwrap(),
        expires: None,
    }
}

fn cluster(names: &[&str]) -> Cluster {
    let addresses: Vec<_> = names
        .iter()
        .map(|name| Address::parse(name).unwrap())
        .collect();
    Cluster::new(
        None,
        addresses
            .iter()
            .map(|address| (address, BackendSource::Inline)),
    )
}

fn name(cluster: &Cluster, cursor: &Cursor) -> String {
    cluster.pick(cursor).unwrap().backend.name.to_string()
}

fn first_pick(snapshot: &Snapshot) -> String {
    let route = snapshot.table().ids().next().unwrap();
    snapshot.pick(route).unwrap().backend.name.to_string()
}

fn clusters(snapshot: &Snapshot) -> Vec<Vec<String>> {
    let clusters = snapshot.table().ids().map(|id| snapshot.cluster(id));
    clusters
        .map(|cluster| {
            cluster
                .backends()
                .iter()
                .map(|backend| backend.name.to_string())
                .collect()
        })
        .collect()
}
