//! A gateway of lists and loops: who is in which pool, and where each cursor stands.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::select;
use tollgate::config::compile::{LoadOptions, load_json};
use tollgate::control::{Reconciler, Update, UpdateError};
use tollgate::engine::routing::version::ApiVersion;
use tollgate::engine::upstream::backend::Address;
use tollgate::engine::upstream::registry::ServiceKey;

/// One thing that happens to a gateway.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Init(usize),
    InitFromStart,
    Register(Member, Option<u64>),
    Deregister(Member),
    /// So many seconds pass.
    Pass(u64),
    /// Every route is asked so often.
    Ask(usize),
}

/// A service, a version or none, and an address.
pub(crate) type Member = (&'static str, Option<&'static str>, &'static str);

/// What is seen of one route: its pool, and the next two picks.
pub(crate) type Seen = (&'static str, Vec<String>, Vec<Option<String>>);

/// A gateway and what it should be.
#[derive(Debug)]
pub(crate) struct Model {
    reconciler: Reconciler,
    start: Instant,
    seconds: u64,
    table: usize,
    registered: Vec<(Key, String, Option<u64>)>,
    removed: BTreeSet<(Key, String)>,
    /// By the paths of the routes: their cursors.
    cursors: BTreeMap<&'static str, usize>,
}

type Key = (&'static str, Option<&'static str>);

/// Path, service, version and backends of a route; the path tells routes of all tables apart.
type Route = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static [&'static str],
);

const TABLES: [&[Route]; 5] = [
    &[
        ("/u1", "users", Some("v1"), &["a:80", "b:80"]),
        ("/u2", "users", Some("v2"), &["c:80"]),
        ("/o", "orders", None, &["a:80", "d:80", "e:80"]),
    ],
    &[
        ("/o", "orders", None, &["d:80"]),
        ("/u1", "users", Some("v1"), &["b:80", "a:80", "c:80"]),
        ("/u1/more", "users", Some("v1"), &[]),
    ],
    &[
        ("/u", "users", None, &["a:80"]),
        ("/u2", "users", Some("v2"), &[]),
    ],
    &[
        ("/o1", "orders", Some("v1"), &["a:80"]),
        ("/o2", "orders", Some("v2"), &["b:80"]),
    ],
    &[],
];

pub(crate) fn changes() -> impl Strategy<Value = Change> {
    let member = || {
        (
            select(&["users", "orders"][..]),
            select(&[None, None, Some("v1"), Some("v2"), Some("v3")][..]),
            select(&["a:80", "b:80", "c:80", "x:80", "y:80"][..]),
        )
    };
    prop_oneof![
        2 => (0..TABLES.len()).prop_map(Change::Init),
        1 => Just(Change::InitFromStart),
        4 => (member(), prop::option::of(1..5_u64)).prop_map(|(m, ttl)| Change::Register(m, ttl)),
        3 => member().prop_map(Change::Deregister),
        1 => (1..3_u64).prop_map(Change::Pass),
        2 => (1..4_usize).prop_map(Change::Ask),
    ]
}

impl Model {
    #[expect(
        clippy::disallowed_methods,
        reason = "any instant does; time passes by addition"
    )]
    pub(crate) fn new() -> Self {
        let start = load_json(&json(TABLES[0]), LoadOptions::INIT).unwrap();
        Self {
            reconciler: Reconciler::new(start, 1000),
            start: Instant::now(),
            seconds: 0,
            table: 0,
            registered: Vec::new(),
            removed: BTreeSet::new(),
            cursors: TABLES[0].iter().map(|route| (route.0, 0)).collect(),
        }
    }

    /// Makes the change to both, and holds that both take it or neither does.
    pub(crate) fn make(&mut self, change: &Change) {
        match change {
            Change::Init(table) => {
                let loaded = load_json(&json(TABLES[*table]), LoadOptions::INIT).unwrap();
                self.apply(Update::Init(Box::new(loaded))).unwrap();
                self.replace(*table);
            }
            Change::InitFromStart => {
                self.apply(Update::Reset).unwrap();
                self.replace(0);
            }
            Change::Register((service, version, address), ttl) => {
                let taken = self.apply(Update::Register {
                    service: ServiceKey::of(service, parse(*version)),
                    address: Address::parse(address).unwrap(),
                    expires: ttl.map(|ttl| self.now() + Duration::from_secs(ttl)),
                });
                let meant = self.meant(service, *version);
                assert_eq!(taken.is_ok(), meant.is_some());
                if let Some(version) = meant {
                    if version.is_some() {
                        self.take_unsettled(service, address);
                    }
                    let expires = ttl.map(|ttl| self.seconds + ttl);
                    self.register((service, version), (*address).to_owned(), expires);
                }
            }
            Change::Deregister((service, version, address)) => {
                let taken = self.apply(Update::Deregister {
                    service: ServiceKey::of(service, parse(*version)),
                    address: Address::parse(address).unwrap(),
                });
                let was_unsettled = self.take_unsettled(service, address);
                let meant = self.meant(service, *version);
                assert_eq!(taken.is_ok(), meant.is_some() || was_unsettled);
                if let Some(version) = meant {
                    let key = (*service, version);
                    self.registered
                        .retain(|(k, known, _)| *k != key || known != address);
                    self.removed.insert((key, (*address).to_owned()));
                }
            }
            Change::Pass(seconds) => {
                self.seconds += seconds;
                let now = self.seconds;
                self.registered
                    .retain(|(_, _, expires)| expires.is_none_or(|at| at > now));
                self.apply(Update::Expire { now: self.now() }).unwrap();
            }
            Change::Ask(times) => {
                for _ in 0..*times {
                    let _ = self.picks();
                    self.advance(1);
                }
            }
        }
        self.reconciler.publish();
        let next = self
            .registered
            .iter()
            .filter_map(|(_, _, expires)| *expires)
            .min();
        let next = next.map(|at| self.start + Duration::from_secs(at));
        assert_eq!(self.reconciler.next_expiry(), next);
    }

    /// Every route as the gateway has it, in the order of the table; two picks are made of each.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let [first, second] = [self.picks(), self.picks()];
        let snapshot = self.reconciler.reader().load();
        let pools = snapshot.table().ids().map(|id| {
            let backends = snapshot.cluster(id).backends().iter();
            backends
                .map(|backend| backend.address.to_string())
                .collect()
        });
        let picks = first
            .into_iter()
            .zip(second)
            .map(|(first, second)| vec![first, second]);
        let paths = TABLES[self.table].iter().map(|route| route.0);
        paths
            .zip(pools)
            .zip(picks)
            .map(|((path, pool), picks)| (path, pool, picks))
            .collect()
    }

    /// Every route as it should be, and as if two picks had been made of each.
    pub(crate) fn expected(&mut self) -> Vec<Seen> {
        let pick = |pool: &[String], cursor: usize| pool.get(cursor % pool.len().max(1)).cloned();
        let expected = TABLES[self.table].iter().map(|route| {
            let (pool, cursor) = (self.pool(route), self.cursors[route.0]);
            let picks = vec![pick(&pool, cursor), pick(&pool, cursor + 1)];
            (route.0, pool, picks)
        });
        let expected = expected.collect();
        self.advance(2);
        expected
    }

    fn apply(&mut self, update: Update) -> Result<(), UpdateError> {
        self.reconciler.apply(update)
    }

    fn pool(&self, route: &Route) -> Vec<String> {
        let (_, service, version, backends) = *route;
        let key = (service, version);
        let mut pool: Vec<String> = Vec::new();
        let inline = backends.iter().map(|address| (*address).to_owned());
        pool.extend(inline.filter(|address| !self.removed.contains(&(key, address.clone()))));
        for (_, address, _) in self.registered.iter().filter(|(k, ..)| *k == key) {
            if !pool.contains(address) {
                pool.push(address.clone());
            }
        }
        pool
    }

    fn picks(&self) -> Vec<Option<String>> {
        let snapshot = self.reconciler.reader().load();
        let picks = snapshot.table().ids().map(|id| snapshot.pick(id));
        picks
            .map(|pick| pick.map(|pick| pick.backend.address.to_string()))
            .collect()
    }

    fn advance(&mut self, picks: usize) {
        for route in TABLES[self.table] {
            if !self.pool(route).is_empty() {
                *self.cursors.get_mut(route.0).unwrap() += picks;
            }
        }
    }

    fn register(&mut self, key: Key, address: String, expires: Option<u64>) {
        let known = self
            .registered
            .iter_mut()
            .find(|(k, a, _)| *k == key && *a == address);
        match known {
            Some(known) => known.2 = expires,
            None => self.registered.push((key, address, expires)),
        }
    }

    fn replace(&mut self, table: usize) {
        let before = std::mem::take(&mut self.cursors);
        let cursor = |path: &'static str| before.get(path).copied().unwrap_or(0);
        self.cursors = TABLES[table]
            .iter()
            .map(|route| (route.0, cursor(route.0)))
            .collect();
        self.table = table;
        self.removed.clear();
        // What left the version out is settled where the table now says which is meant.
        let (open, settled) = std::mem::take(&mut self.registered).into_iter().partition(
            |((service, version), ..)| {
                version.is_none() && matches!(meant(&named(table, service), None), Some(Some(_)))
            },
        );
        self.registered = settled;
        let open: Vec<_> = open;
        for ((service, _), address, expires) in open {
            let version = meant(&named(table, service), None).unwrap();
            self.register((service, version), address, expires);
        }
    }

    /// The version that is meant, by the table or, if it does not name the service, by what is
    /// registered.
    fn meant(&self, service: &str, version: Option<&'static str>) -> Option<Option<&'static str>> {
        let mut versions = named(self.table, service);
        if versions.is_empty() {
            let registered = self.registered.iter().map(|(key, ..)| *key);
            versions.extend(registered.filter(|key| key.0 == service).map(|key| key.1));
        }
        meant(&versions, version)
    }

    /// Takes off what is registered without a version where the table has only versions.
    fn take_unsettled(&mut self, service: &'static str, address: &str) -> bool {
        let versions = named(self.table, service);
        if versions.is_empty() || versions.contains(&None) {
            return false;
        }
        let before = self.registered.len();
        self.registered
            .retain(|(key, known, _)| *key != (service, None) || known != address);
        self.registered.len() < before
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_secs(self.seconds)
    }
}

/// The versions that a table has of a service.
fn named(table: usize, service: &str) -> BTreeSet<Option<&'static str>> {
    let routes = TABLES[table].iter();
    routes
        .filter(|route| route.1 == service)
        .map(|route| route.2)
        .collect()
}

/// Which of these versions is meant: none if it is left out and that leaves a doubt.
fn meant(
    versions: &BTreeSet<Option<&'static str>>,
    version: Option<&'static str>,
) -> Option<Option<&'static str>> {
    match version {
        Some(_) => Some(version),
        None if versions.contains(&None) || versions.is_empty() => Some(None),
        None if versions.len() == 1 => versions.first().copied(),
        None => None,
    }
}

fn parse(version: Option<&str>) -> Option<ApiVersion> {
    version.map(|version| ApiVersion::parse(version).unwrap())
}

fn json(table: &[Route]) -> String {
    let routes = table.iter().map(|(path, service, version, backends)| {
        let version = version.map(|v| format!(",\"version\":\"{v}\"")).unwrap_or_default();
        format!(
            "{{\"path_pattern\":\"{path}\",\"service\":\"{service}\"{version},\"backends\":{backends:?}}}"
        )
    });
    format!("{{\"routes\":[{}]}}", routes.collect::<Vec<_>>().join(","))
}
