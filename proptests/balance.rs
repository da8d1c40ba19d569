//! Round robin and cluster membership, against a naive model.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a panic is how a test fails"
)]

#[path = "balance/model.rs"]
mod model;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::thread;

use proptest::prelude::*;
use proptest::sample::subsequence;
use tollgate::engine::upstream::{Address, BackendSource, Cluster, Cursor};

use model::{Model, changes};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_run_of_the_cursor_is_fair_to_within_one(
        size in 1..=20_usize,
        first in prop_oneof![any::<u64>(), 0..100_u64, (0..100_u64).prop_map(|n| u64::MAX - n)],
        picks in 0..200_usize,
    ) {
        let cluster = cluster(size);
        let cursor = Cursor::new(first);
        let counts = counts(&cluster, (0..picks).map(|_| pick(&cluster, &cursor)));
        let wraps = first.checked_add(u64::try_from(picks.max(1) - 1).unwrap()).is_none();
        prop_assert!(spread(&counts) <= if wraps { 2 } else { 1 }, "{:?}", counts);
        prop_assert_eq!(cursor.next(), first.wrapping_add(u64::try_from(picks).unwrap()));
    }

    #[test]
    fn only_healthy_backends_are_picked_and_evenly(
        health in prop::collection::vec(any::<bool>(), 1..20),
        picks in 0..200_usize,
    ) {
        let mut cluster = cluster(health.len());
        for (address, is_healthy) in addresses(health.len()).iter().zip(&health) {
            cluster = cluster.with_health(address, *is_healthy);
        }
        let cursor = Cursor::default();
        let picked: Vec<_> = (0..picks).filter_map(|_| cluster.pick(&cursor)).collect();
        prop_assert!(picked.iter().all(|pick| pick.backend.is_healthy));
        prop_assert_eq!(picked.is_empty(), picks == 0 || !health.contains(&true));
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for pick in picked {
            *counts.entry(pick.backend.id).or_default() += 1;
        }
        let max = counts.values().max().copied().unwrap_or(0);
        prop_assert!(counts.values().all(|count| max - count <= 1), "{:?}", counts);
    }

    #[test]
    fn names_and_ids_are_fixed_while_a_backend_is_in_the_cluster(
        clusters in prop::collection::vec(members(), 1..12),
    ) {
        let mut cluster = Cluster::default();
        let mut address_of: HashMap<u32, Address> = HashMap::new();
        for members in clusters {
            let next = Cluster::new(Some(&cluster), members.iter().map(|a| (a, BackendSource::Inline)));
            let addresses: Vec<_> = next.backends().iter().map(|b| b.address.clone()).collect();
            prop_assert_eq!(&addresses, &members);
            let names: BTreeSet<_> = next.backends().iter().map(|b| &b.name).collect();
            prop_assert_eq!(names.len(), members.len(), "names are unique: {:?}", names);
            for backend in next.backends() {
                if let Some(before) = cluster.backends().iter().find(|b| b.address == backend.address) {
                    prop_assert_eq!((&before.name, before.id), (&backend.name, backend.id));
                } else {
                    prop_assert!(backend.id >= cluster.next_id(), "an id is used once");
                    address_of.insert(backend.id, backend.address.clone());
                }
                prop_assert!(backend.id < next.next_id());
                prop_assert_eq!(&address_of[&backend.id], &backend.address);
            }
            cluster = next;
        }
    }

    #[test]
    fn the_gateway_is_the_naive_model(changes in prop::collection::vec(changes(), 0..40)) {
        let mut model = Model::new();
        for change in changes {
            model.apply(&change);
            let actual = model.actual();
            prop_assert_eq!(actual, model.expected(), "after {:?}", change);
        }
    }
}

#[test]
fn threads_share_a_cursor_fairly() {
    for (size, first, threads, each) in [
        (1, 0, 4, 1000),
        (3, 0, 2, 10_001),
        (7, 5, 8, 2000),
        (20, u64::MAX / 2, 4, 3333),
        (6, u64::MAX - 5000, 4, 2500),
    ] {
        let cluster = cluster(size);
        let cursor = Cursor::new(first);
        let picked: Vec<u32> = thread::scope(|scope| {
            let work = || {
                (0..each)
                    .map(|_| pick(&cluster, &cursor))
                    .collect::<Vec<_>>()
            };
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap())
                .collect()
        });
        let alone = Cursor::new(first);
        let expected = counts(
            &cluster,
            (0..threads * each).map(|_| pick(&cluster, &alone)),
        );
        assert_eq!(
            counts(&cluster, picked.into_iter()),
            expected,
            "{size} {first}"
        );
    }
}

/// Names are fixed, so that two backends whose addresses differ only in the scheme need two names.
#[test]
fn backends_that_differ_in_scheme_have_different_names() {
    let texts = ["http://a:443", "https://a:443"];
    let addresses = texts.map(|text| Address::parse(text).unwrap());
    let cluster = Cluster::new(None, addresses.iter().map(|a| (a, BackendSource::Inline)));
    let names: BTreeSet<_> = cluster
        .backends()
        .iter()
        .map(|backend| &backend.name)
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

/// A few hosts with a few ports, in any order.
fn members() -> impl Strategy<Value = Vec<Address>> {
    let all: Vec<Address> = ["a:1", "a:2", "a:3", "b:1", "b:2", "c:1", "d:1"]
        .iter()
        .map(|text| Address::parse(text).unwrap())
        .collect();
    subsequence(all, 0..=7).prop_shuffle()
}

fn addresses(size: usize) -> Vec<Address> {
    (0..size)
        .map(|at| Address::parse(&format!("b-{at}")).unwrap())
        .collect()
}

fn cluster(size: usize) -> Cluster {
    let addresses = addresses(size);
    Cluster::new(
        None,
        addresses
            .iter()
            .map(|address| (address, BackendSource::Inline)),
    )
}

fn pick(cluster: &Cluster, cursor: &Cursor) -> u32 {
    cluster.pick(cursor).unwrap().backend.id
}

fn counts(cluster: &Cluster, ids: impl Iterator<Item = u32>) -> Vec<usize> {
    let mut counts = vec![0; cluster.backends().len()];
    for id in ids {
        counts[usize::try_from(id).unwrap()] += 1;
    }
    counts
}

fn spread(counts: &[usize]) -> usize {
    counts.iter().max().unwrap() - counts.iter().min().unwrap()
}
