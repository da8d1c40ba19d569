//! The snapshot: one immutable, compiled configuration with its backends.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::engine::policy::RoutePolicy;
use crate::engine::routing::index::Index;
use crate::engine::routing::{ApiVersion, Route, RouteId, RouteIdentity, Table};
use crate::engine::upstream::registry::Entry;
use crate::engine::upstream::{
    Address, BackendSource, Cluster, Cursor, Pick, Registry, ServiceKey, Upstream,
};

/// A table, the clusters that its routes lead to, and a cursor for each route.
///
/// A change of the table or of backends replaces it. What stays the same is shared between the two:
/// the table, the cursors, and the clusters that the change does not concern.
#[derive(Clone, Debug)]
pub struct Snapshot {
    table: Arc<Table>,
    configured: Arc<[Configured]>,
    /// The cursors that this snapshot's table brought, one per route, side by side.
    slab: Arc<[Cursor]>,
    /// The cursors carried over, if any: one entry per route, most of them `None`.
    carried: Option<Arc<[Option<CarriedCursor>]>>,
    /// Sorted by service and version.
    clusters: Box<[Cluster]>,
    layout: Arc<ClusterLayout>,
}

/// Which routes lead to which cluster. It changes with the table only.
#[derive(Debug)]
struct ClusterLayout {
    /// The cluster of each route.
    of_route: Box<[Index]>,
    /// A route of each cluster: it says which service, version and configured backends it has.
    representative: Box<[Index]>,
}

/// A cursor in the slab of an earlier snapshot. A slab lives as long as one of its routes.
#[derive(Clone, Debug)]
struct CarriedCursor {
    slab: Arc<[Cursor]>,
    at: usize,
}

/// What the configuration gives to a route.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The addresses of its backends, in order.
    pub addresses: Arc<[Address]>,
    /// Whether the route or its service lists them.
    pub source: BackendSource,
    /// What the route asks for beside its service; routes that ask for the same share one.
    pub policy: Arc<RoutePolicy>,
    /// How the gateway connects to the backends; the routes of a service share one.
    pub upstream: Arc<Upstream>,
}

impl Snapshot {
    /// A snapshot of a table; `configured` has one entry per route, in the order of the routes.
    ///
    /// A route of `previous` with the same whole match and service keeps its cursor, and its backends
    /// keep their names and slots. Registrations for services that the table does not name wait in
    /// the registry; a version left out in them is settled where the table leaves no doubt.
    #[must_use]
    pub fn new(
        table: Arc<Table>,
        configured: Arc<[Configured]>,
        registry: &mut Registry,
        previous: Option<&Self>,
    ) -> Self {
        registry.settle(&table);
        let known = previous.map(Self::by_identity).unwrap_or_default();
        let previous_of = |route: &Route| {
            // The identity is a text to be made: not without need.
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
            clusters,
            layout: Arc::new(grouping.layout),
            table,
            configured,
        }
    }

    /// The same table after registrations of these services have changed: their clusters are
    /// rebuilt, whatever the number of routes to them.
    #[must_use]
    pub fn with_registry(&self, registry: &Registry, changed: &BTreeSet<ServiceKey>) -> Self {
        let mut next = self.clone();
        for key in changed {
            let range = self.cluster_range(&key.service, key.version);
            let clusters = next.clusters.get_mut(range.clone()).unwrap_or_default();
            for (cluster, route) in clusters.iter_mut().zip(range) {
                if let Some((route, configured)) = self.representative(route) {
                    *cluster = make_cluster(Some(cluster), route, configured, registry);
                }
            }
        }
        next
    }

    /// Whether the configuration itself lists this backend for the service and version.
    #[must_use]
    pub fn configures(&self, key: &ServiceKey, address: &Address) -> bool {
        let mut clusters = self.cluster_range(&key.service, key.version);
        clusters.any(|cluster| {
            self.representative(cluster)
                .is_some_and(|(_, given)| given.addresses.contains(address))
        })
    }

    /// The compiled routes.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The clusters of a service version: one for the backends of the service, and one for each
    /// list of backends that a route gives itself.
    #[must_use]
    pub fn clusters_of(&self, service: &str, version: Option<ApiVersion>) -> &[Cluster] {
        let range = self.cluster_range(service, version);
        self.clusters.get(range).unwrap_or_default()
    }

    /// The number of clusters.
    #[must_use]
    pub const fn cluster_count(&self) -> usize {
        self.clusters.len()
    }

    /// The cluster that a route leads to.
    #[inline]
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route id is a place in its table, with a cluster for each"
    )]
    pub fn cluster(&self, route: RouteId) -> &Cluster {
        &self.clusters[self.layout.of_route[route.position()].get()]
    }

    /// The compiled options of a route.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route id is a place in its table, with a policy for each"
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
        reason = "a route id is a place in its table, with a cursor for each"
    )]
    fn cursor(&self, route: RouteId) -> &Cursor {
        let at = route.position();
        let carried = self
            .carried
            .as_ref()
            .and_then(|cursors| cursors[at].as_ref());
        carried.map_or_else(|| &self.slab[at], |carried| &carried.slab[carried.at])
    }

    /// The cursor of each route, to be carried over, and the place of its cluster.
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
    /// For each cluster, the cluster of the previous snapshot that it continues.
    continues: Vec<Option<Index>>,
}

impl Grouping {
    /// Routes share a cluster if they have service, version and backends in common. Routes with
    /// backends of their own must also have shared one before, since slots outlive a reload.
    fn new(
        table: &Table,
        configured: &[Configured],
        previous_of: impl Fn(&Route) -> Option<Index>,
    ) -> Self {
        let mut layout = ClusterLayout {
            of_route: vec![Index::NONE; table.routes().len()].into(),
            representative: Box::default(),
        };
        let (mut representative, mut continues) = (Vec::new(), Vec::new());
        let mut known = HashMap::new();
        let mut service = None;
        for RouteId(index) in table.ids_by_service() {
            let at = index.get();
            let (Some(route), Some(given)) = (table.routes().get(at), configured.get(at)) else {
                continue;
            };
            let of = (route.service(), route.version());
            if service.replace(of) != Some(of) {
                known.clear();
            }
            let previous = previous_of(route);
            let own = match given.source {
                BackendSource::Inline => Some((&given.addresses, &given.upstream, previous)),
                BackendSource::Service | BackendSource::Registered => None,
            };
            let cluster = *known.entry(own).or_insert_with(|| {
                representative.push(index);
                continues.push(previous);
                Index::new(representative.len() - 1)
            });
            if let Some(place) = layout.of_route.get_mut(at) {
                *place = cluster;
            }
        }
        layout.representative = representative.into();
        Self { layout, continues }
    }

    fn clusters(
        &self,
        table: &Table,
        configured: &[Configured],
        registry: &Registry,
        previous: Option<&Snapshot>,
    ) -> Box<[Cluster]> {
        let representatives = self.layout.representative.iter().zip(&self.continues);
        let clusters = representatives.filter_map(|(at, continues)| {
            let (route, given) = (table.routes().get(at.get())?, configured.get(at.get())?);
            let before = continues.and_then(|at| previous?.clusters.get(at.get()));
            Some(make_cluster(before, route, given, registry))
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
        // A redirect has no service that a backend could register for.
        return Cluster::new(previous, std::iter::empty()).with_upstream(upstream);
    }
    let entry = registry.entry(route.service(), route.version());
    let is_removed = |address: &Address| entry.is_some_and(|entry| entry.is_removed(address));
    let configured = configured
        .addresses
        .iter()
        .filter(|address| !is_removed(address))
        .map(|address| (address, configured.source));
    let registered = entry.into_iter().flat_map(Entry::registered);
    let registered = registered.map(|address| (address, BackendSource::Registered));
    Cluster::new(previous, configured.chain(registered)).with_upstream(upstream)
}
