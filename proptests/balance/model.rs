//! A naive model of a gateway: the backends of each route, and its cursor.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::select;
use tollgate::config::{LoadOptions, load_json};
use tollgate::control::{Reconciler, Update, UpdateError};
use tollgate::engine::routing::ApiVersion;
use tollgate::engine::upstream::{Address, ServiceKey};

/// An event in the life of a gateway.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Init(usize),
    InitFromStart,
    Register(Member, Option<u64>),
    Deregister(Member),
    /// This number of seconds passes.
    Pass(u64),
    /// This number of requests on each route.
    Request(usize),
}

/// A service, an optional version, and an address.
pub(crate) type Member = (&'static str, Option<&'static str>, &'static str);

/// The path of a route, its backends, and its next two picks.
pub(crate) type RouteState = (&'static str, Vec<String>, Vec<Option<String>>);

/// A gateway and its expected state.
#[derive(Debug)]
pub(crate) struct Model {
    reconciler: Reconciler,
    start: Instant,
    seconds: u64,
    table: usize,
    registered: Vec<(Key, String, Option<u64>)>,
    removed: BTreeSet<(Key, String)>,
    /// The cursors of the routes, by path.
    cursors: BTreeMap<&'static str, usize>,
}

type Key = (&'static str, Option<&'static str>);

/// Path, service, version and backends of a route; the path identifies it in all tables.
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
        2 => (1..4_usize).prop_map(Change::Request),
    ]
}

impl Model {
    #[expect(
        clippy::disallowed_methods,
        reason = "any instant will do; time passes by addition"
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

    /// Applies the change to both, and asserts that both accept it or both reject it.
    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::Init(table) => {
                let loaded = load_json(&json(TABLES[*table]), LoadOptions::INIT).unwrap();
                self.update(Update::Init(Box::new(loaded))).unwrap();
                self.replace(*table);
            }
            Change::InitFromStart => {
                self.update(Update::Reset).unwrap();
                self.replace(0);
            }
            Change::Register((service, version, address), ttl) => {
                let result = self.update(Update::Register {
                    service: ServiceKey::of(service, parse(*version)),
                    address: Address::parse(address).unwrap(),
                    expires: ttl.map(|ttl| self.now() + Duration::from_secs(ttl)),
                });
                let implied = self.implied(service, *version);
                assert_eq!(result.is_ok(), implied.is_some());
                if let Some(version) = implied {
                    if version.is_some() {
                        self.remove_unassigned(service, address);
                    }
                    let expires = ttl.map(|ttl| self.seconds + ttl);
                    self.register((service, version), (*address).to_owned(), expires);
                }
            }
            Change::Deregister((service, version, address)) => {
                let result = self.update(Update::Deregister {
                    service: ServiceKey::of(service, parse(*version)),
                    address: Address::parse(address).unwrap(),
                });
                let was_unassigned = self.remove_unassigned(service, address);
                let implied = self.implied(service, *version);
                assert_eq!(result.is_ok(), implied.is_some() || was_unassigned);
                if let Some(version) = implied {
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
                self.update(Update::Expire { now: self.now() }).unwrap();
            }
            Change::Request(times) => {
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

    /// The actual state of each route, in the order of the table. Picks twice from each.
    pub(crate) fn actual(&self) -> Vec<RouteState> {
        let [first, second] = [self.picks(), self.picks()];
        let snapshot = self.reconciler.reader().load();
        let clusters = snapshot.table().ids().map(|id| {
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
            .zip(clusters)
            .zip(picks)
            .map(|((path, cluster), picks)| (path, cluster, picks))
            .collect()
    }

    /// The expected state of each route. Advances the cursors by the two picks.
    pub(crate) fn expected(&mut self) -> Vec<RouteState> {
        let pick =
            |cluster: &[String], cursor: usize| cluster.get(cursor % cluster.len().max(1)).cloned();
        let expected = TABLES[self.table].iter().map(|route| {
            let (cluster, cursor) = (self.cluster(route), self.cursors[route.0]);
            let picks = vec![pick(&cluster, cursor), pick(&cluster, cursor + 1)];
            (route.0, cluster, picks)
        });
        let expected = expected.collect();
        self.advance(2);
        expected
    }

    fn update(&mut self, update: Update) -> Result<(), UpdateError> {
        self.reconciler.apply(update)
    }

    fn cluster(&self, route: &Route) -> Vec<String> {
        let (_, service, version, backends) = *route;
        let key = (service, version);
        let mut cluster: Vec<String> = Vec::new();
        let inline = backends.iter().map(|address| (*address).to_owned());
        cluster.extend(inline.filter(|address| !self.removed.contains(&(key, address.clone()))));
        for (_, address, _) in self.registered.iter().filter(|(k, ..)| *k == key) {
            if !cluster.contains(address) {
                cluster.push(address.clone());
            }
        }
        cluster
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
            if !self.cluster(route).is_empty() {
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
        // Registrations without a version get the version that the new table implies.
        let (unassigned, assigned) = std::mem::take(&mut self.registered).into_iter().partition(
            |((service, version), ..)| {
                version.is_none() && matches!(implied(&named(table, service), None), Some(Some(_)))
            },
        );
        self.registered = assigned;
        let unassigned: Vec<_> = unassigned;
        for ((service, _), address, expires) in unassigned {
            let version = implied(&named(table, service), None).unwrap();
            self.register((service, version), address, expires);
        }
    }

    /// The version that an omitted one implies, by the table or, if it does not name the service,
    /// by the registrations.
    fn implied(
        &self,
        service: &str,
        version: Option<&'static str>,
    ) -> Option<Option<&'static str>> {
        let mut versions = named(self.table, service);
        if versions.is_empty() {
            let registered = self.registered.iter().map(|(key, ..)| *key);
            versions.extend(registered.filter(|key| key.0 == service).map(|key| key.1));
        }
        implied(&versions, version)
    }

    /// Removes a registration without a version if the table has only versions of the service.
    fn remove_unassigned(&mut self, service: &'static str, address: &str) -> bool {
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

/// The versions of a service in a table.
fn named(table: usize, service: &str) -> BTreeSet<Option<&'static str>> {
    let routes = TABLES[table].iter();
    routes
        .filter(|route| route.1 == service)
        .map(|route| route.2)
        .collect()
}

/// The version out of these that an omitted one implies; outer `None` if it is ambiguous.
fn implied(
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
