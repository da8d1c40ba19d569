//! The snapshot: one immutable, compiled configuration with its backends.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::engine::policy::RoutePolicy;
use crate::engine::routing::index::Index;
use crate::engine::routing::{ApiVersion, Route, RouteId, RouteIdentity, Table};
use crate::engine::upstream::registry::Registrations;
use crate::engine::upstream::{
    Address, BackendSource, Cluster, Cursor, Pick, Registry, ServiceKey, Upstream,
};

/// A table, the clusters of its routes, and a cursor for each route.
///
/// A change to the table or to backends creates a new snapshot, which shares with the old one what
/// the change does not concern: the table, cursors and clusters.
#[derive(Clone, Debug)]
pub struct Snapshot {
    table: Arc<Table>,
    configured: Arc<[Configured]>,
    /// The cursors created with this snapshot's table, one per route.
    slab: Arc<[Cursor]>,
    /// The cursors carried over, if any: one element per route, most of them `None`.
    carried: Option<Arc<[Option<CarriedCursor>]>>,
    /// Sorted by service and version.
    clusters: Box<[Cluster]>,
    /// The cluster of each route once more, so that a pick finds it without another indirection: at
    /// 20,000 routes that takes a fifth off the decision. The backends are shared.
    by_route: Box<[Cluster]>,
    layout: Arc<ClusterLayout>,
}

/// The cluster of each route. It changes only with the table.
#[derive(Debug)]
struct ClusterLayout {
    /// The cluster of each route.
    of_route: Box<[Index]>,
    /// One route of each cluster, which has the cluster's service, version and configured backends.
    representative: Box<[Index]>,
}

/// A cursor in the slab of an earlier snapshot. A slab is freed with the last of its routes.
#[derive(Clone, Debug)]
struct CarriedCursor {
    slab: Arc<[Cursor]>,
    at: usize,
}

/// The settings of a route that the table does not hold.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The addresses of the backends, in order.
    pub addresses: Arc<[Address]>,
    /// Whether the route or its service lists them.
    pub source: BackendSource,
    /// The compiled options of the route, shared by routes with equal options.
    pub policy: Arc<RoutePolicy>,
    /// How the gateway connects to the backends, shared by the routes of a service.
    pub upstream: Arc<Upstream>,
}

impl Snapshot {
    /// Creates a snapshot of a table; `configured` has one element per route, in the order of the
    /// routes.
    ///
    /// A route of `previous` with the same whole match and service retains its cursor, and its
    /// backends retain their names and ids. Registrations for services that the table does not name
    /// remain in the registry. A registration without a version gets the version that the table
    /// implies, unless it is ambiguous.
    #[must_use]
    pub fn new(
        table: Arc<Table>,
        configured: Arc<[Configured]>,
        registry: &mut Registry,
        previous: Option<&Self>,
    ) -> Self {
        registry.assign_versions(&table);
        let known = previous.map(Self::by_identity).unwrap_or_default();
        let previous_of = |route: &Route| {
            // Computing an identity allocates, so skip it if there is nothing to find.
            let found = (!known.is_empty()).then(|| known.get(&route.identity()));
            found.flatten().map(|(_, cluster)| *cluster)
        };
        let grouping = Grouping::new(&table, &configured, previous_of);
        let clusters = grouping.clusters(&table, &configured, registry, previous);
        let carried: Vec<Option<CarriedCursor>> = if known.is_empty() {
            Vec::new()
        } else {
            let cursor = |route: &Route| Some(known.get(&route.identity())?.0.clone());
            table.routes().iter().map(cursor).collect()
        };
        Self {
            slab: table.routes().iter().map(|_| Cursor::default()).collect(),
            carried: carried.iter().any(Option::is_some).then(|| carried.into()),
            by_route: grouping.by_route(&clusters),
            clusters,
            layout: Arc::new(grouping.layout),
            table,
            configured,
        }
    }

    /// The snapshot after a change to the registrations of these services. Each of their clusters is
    /// rebuilt once, whatever the number of routes to it; a route only gets its new handle.
    #[must_use]
    pub fn with_registry(&self, registry: &Registry, changed: &BTreeSet<ServiceKey>) -> Self {
        let mut next = self.clone();
        for key in changed {
            let range = self.cluster_range(&key.service, key.version);
            let clusters = next.clusters.get_mut(range.clone()).unwrap_or_default();
            for (cluster, at) in clusters.iter_mut().zip(range) {
                if let Some((route, configured)) = self.representative(at) {
                    *cluster = make_cluster(Some(cluster), route, configured, registry);
                }
            }
            for route in self.table.routes_of(&key.service, key.version) {
                let at = route.position();
                let cluster = self.layout.of_route.get(at);
                let cluster = cluster.and_then(|cluster| next.clusters.get(cluster.get()));
                if let (Some(cluster), Some(of_route)) = (cluster, next.by_route.get_mut(at)) {
                    of_route.clone_from(cluster);
                }
            }
        }
        next
    }

    /// Whether the configuration lists this backend for the service and version.
    #[must_use]
    pub fn is_configured(&self, key: &ServiceKey, address: &Address) -> bool {
        let mut clusters = self.cluster_range(&key.service, key.version);
        clusters.any(|cluster| {
            self.representative(cluster)
                .is_some_and(|(_, configured)| configured.addresses.contains(address))
        })
    }

    /// The compiled routes.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The clusters of a service version: one for the backends of the service, and one for each
    /// distinct list of inline backends.
    #[must_use]
    pub fn clusters_of(&self, service: &str, version: Option<ApiVersion>) -> &[Cluster] {
        let range = self.cluster_range(service, version);
        self.clusters.get(range).unwrap_or_default()
    }

    /// The cluster of a route.
    #[inline]
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route id is an index in its table, and each route has a cluster"
    )]
    pub fn cluster(&self, route: RouteId) -> &Cluster {
        &self.by_route[route.position()]
    }

    /// The compiled options of a route.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route id is an index in its table, and each route has a policy"
    )]
    pub fn policy(&self, route: RouteId) -> &RoutePolicy {
        &self.configured[route.position()].policy
    }

    /// Picks the next backend of a route and advances its cursor; `None` if no backend is healthy.
    #[inline]
    #[must_use]
    pub fn pick(&self, route: RouteId) -> Option<Pick<'_>> {
        self.cluster(route).pick(self.cursor(route))
    }

    /// The backend that [`Snapshot::pick`] would return now, without advancing the cursor.
    #[must_use]
    pub fn peek(&self, route: RouteId) -> Option<Pick<'_>> {
        self.cluster(route).peek(self.cursor(route))
    }

    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route id is an index in its table, and each route has a cursor"
    )]
    fn cursor(&self, route: RouteId) -> &Cursor {
        let at = route.position();
        let carried = self
            .carried
            .as_ref()
            .and_then(|cursors| cursors[at].as_ref());
        carried.map_or_else(|| &self.slab[at], |carried| &carried.slab[carried.at])
    }

    /// The cursor to carry over and the cluster of each route, by its identity.
    fn by_identity(&self) -> HashMap<RouteIdentity, (CarriedCursor, Index)> {
        let routes = self.table.routes().iter().map(Route::identity);
        let cursors = (0..self.slab.len()).map(|at| {
            let carried = self
                .carried
                .as_ref()
                .and_then(|cursors| cursors.get(at)?.clone());
            carried.unwrap_or_else(|| CarriedCursor {
                slab: Arc::clone(&self.slab),
                at,
            })
        });
        let clusters = self.layout.of_route.iter().copied();
        routes.zip(cursors.zip(clusters)).collect()
    }

    fn representative(&self, cluster: usize) -> Option<(&Route, &Configured)> {
        let at = self.layout.representative.get(cluster)?.get();
        Some((self.table.routes().get(at)?, self.configured.get(at)?))
    }

    fn cluster_range(&self, service: &str, version: Option<ApiVersion>) -> std::ops::Range<usize> {
        let key = |at: &Index| {
            let route = self.table.routes().get(at.get());
            route.map(|route| (route.service(), route.version()))
        };
        let all = &self.layout.representative;
        let wanted = Some((service, version));
        let from = all.partition_point(|at| key(at) < wanted);
        from..all.partition_point(|at| key(at) <= wanted)
    }
}

/// The routes of a table, grouped into clusters.
struct Grouping {
    layout: ClusterLayout,
    /// For each cluster, the cluster of the previous snapshot that it replaces.
    replaces: Vec<Option<Index>>,
}

impl Grouping {
    /// Routes share a cluster if they have the same service, version and backends. It replaces the
    /// cluster that the first of its routes to have one had before.
    fn new(
        table: &Table,
        configured: &[Configured],
        previous_of: impl Fn(&Route) -> Option<Index>,
    ) -> Self {
        let mut layout = ClusterLayout {
            of_route: vec![Index::NONE; table.routes().len()].into(),
            representative: Box::default(),
        };
        let (mut representative, mut replaces) = (Vec::new(), Vec::new());
        let mut known = HashMap::new();
        let mut service = None;
        for RouteId(index) in table.ids_by_service() {
            let at = index.get();
            let (Some(route), Some(settings)) = (table.routes().get(at), configured.get(at)) else {
                continue;
            };
            let of = (route.service(), route.version());
            if service.replace(of) != Some(of) {
                known.clear();
            }
            let previous = previous_of(route);
            let own = match settings.source {
                BackendSource::Inline => Some((&settings.addresses, &settings.upstream)),
                BackendSource::Service | BackendSource::Registered => None,
            };
            let cluster = *known.entry(own).or_insert_with(|| {
                representative.push(index);
                replaces.push(None);
                Index::new(representative.len() - 1)
            });
            if let Some(replaced) = replaces.get_mut(cluster.get()) {
                *replaced = replaced.or(previous);
            }
            if let Some(of_route) = layout.of_route.get_mut(at) {
                *of_route = cluster;
            }
        }
        layout.representative = representative.into();
        Self { layout, replaces }
    }

    /// The cluster of each route.
    fn by_route(&self, clusters: &[Cluster]) -> Box<[Cluster]> {
        let of_route = self.layout.of_route.iter();
        let cluster = |at: &Index| clusters.get(at.get()).cloned().unwrap_or_default();
        of_route.map(cluster).collect()
    }

    fn clusters(
        &self,
        table: &Table,
        configured: &[Configured],
        registry: &Registry,
        previous: Option<&Snapshot>,
    ) -> Box<[Cluster]> {
        let representatives = self.layout.representative.iter().zip(&self.replaces);
        let clusters = representatives.filter_map(|(at, replaces)| {
            let (route, settings) = (table.routes().get(at.get())?, configured.get(at.get())?);
            let before = replaces.and_then(|at| previous?.clusters.get(at.get()));
            Some(make_cluster(before, route, settings, registry))
        });
        clusters.collect()
    }
}

fn make_cluster(
    previous: Option<&Cluster>,
    route: &Route,
    configured: &Configured,
    registry: &Registry,
) -> Cluster {
    let upstream = Arc::clone(&configured.upstream);
    if route.is_redirect() {
        // A redirect has no service for which backends could register.
        return Cluster::new(previous, std::iter::empty()).with_upstream(upstream);
    }
    let registrations = registry.registrations(route.service(), route.version());
    let is_removed = |address: &Address| registrations.is_some_and(|it| it.is_removed(address));
    let configured = configured
        .addresses
        .iter()
        .filter(|address| !is_removed(address))
        .map(|address| (address, configured.source));
    let registered = registrations
        .into_iter()
        .flat_map(Registrations::registered);
    let registered = registered.map(|address| (address, BackendSource::Registered));
    Cluster::new(previous, configured.chain(registered)).with_upstream(upstream)
}
