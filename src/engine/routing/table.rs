//! The table: every route, compiled once and never changed.

use std::collections::{BTreeSet, HashMap};

use thiserror::Error;

use crate::engine::routing::index::Index;
use crate::engine::routing::route::Route;
use crate::engine::routing::router::Router;
use crate::engine::routing::version::ApiVersion;
use crate::engine::routing::versioning::Versioning;

/// The routes of one configuration and what they were compiled to.
#[derive(Debug)]
pub struct Table {
    pub(crate) routes: Box<[Route]>,
    pub(crate) router: Router,
    pub(crate) versioning: Versioning,
    /// The routes sorted by service, then by version: all that is asked of services is a range.
    by_service: Box<[Index]>,
    /// Every version that some route serves alone, sorted.
    versions: Box<[ApiVersion]>,
}

/// The number of a route in its table. It does not outlive the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(pub(crate) Index);

impl RouteId {
    /// Its place among [`Table::routes`].
    #[must_use]
    pub fn position(self) -> usize {
        self.0.get()
    }
}

/// A version was left out where a service has several.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{service} has the versions {}; name one", .versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
pub struct AmbiguousVersion {
    /// The service.
    pub service: String,
    /// Its versions, sorted.
    pub versions: Vec<ApiVersion>,
}

impl AmbiguousVersion {
    /// The version that is meant where one is left out: of these, sorted, the neutral set, else
    /// the only one; none of none.
    pub(crate) fn unless_one(
        service: &str,
        versions: &[Option<ApiVersion>],
    ) -> Result<Option<ApiVersion>, Self> {
        match versions {
            [] | [None, ..] => Ok(None),
            [only] => Ok(*only),
            several => Err(Self {
                service: service.into(),
                versions: several.iter().copied().flatten().collect(),
            }),
        }
    }
}

impl Table {
    /// Compiles routes, whatever their order. It does not look for faults: see
    /// [`Table::faults`](crate::engine::routing::table::Table::faults).
    #[must_use]
    pub fn compile(mut routes: Vec<Route>, versioning: Versioning) -> Self {
        let mut ids: HashMap<Box<str>, Index> = HashMap::new();
        for route in &mut routes {
            let next = Index::new(ids.len());
            route.service_id = match ids.get(route.service()) {
                Some(id) => *id,
                None => *ids.entry(route.service().into()).or_insert(next),
            };
        }
        let key = |at: &Index| {
            routes
                .get(at.get())
                .map(|route| (route.service(), route.version(), *at))
        };
        let mut by_service: Box<[Index]> = (0..routes.len()).map(Index::new).collect();
        by_service.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        let versions: BTreeSet<_> = routes.iter().filter_map(Route::version).collect();
        let router = Router::compile(&routes, &versioning);
        Self {
            routes: routes.into(),
            router,
            versioning,
            by_service,
            versions: versions.into_iter().collect(),
        }
    }

    /// The routes, in the order in which they were given.
    #[must_use]
    pub const fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The ids of all routes, in the order of [`Table::routes`].
    pub fn ids(&self) -> impl Iterator<Item = RouteId> + use<> {
        (0..self.routes.len()).map(|at| RouteId(Index::new(at)))
    }

    /// The ids of all routes, sorted by service, then by version.
    pub(crate) fn ids_by_service(&self) -> impl Iterator<Item = RouteId> {
        self.by_service.iter().copied().map(RouteId)
    }

    /// A route of this table.
    ///
    /// # Panics
    /// If the id is that of another, larger table.
    #[must_use]
    pub fn route_at(&self, id: RouteId) -> &Route {
        self.route(id.0)
    }

    /// How versions are stated.
    #[must_use]
    pub const fn versioning(&self) -> &Versioning {
        &self.versioning
    }

    /// Every service with each of its versions; `None` is the neutral one. Sorted. A redirect is
    /// none.
    pub fn services(&self) -> impl Iterator<Item = (&str, Option<ApiVersion>)> {
        let key = |at: &Index| (self.route(*at).service(), self.route(*at).version());
        self.by_service
            .chunk_by(move |a, b| key(a) == key(b))
            .filter_map(move |chunk| chunk.first())
            .filter(|at| !self.route(**at).is_redirect())
            .map(key)
    }

    /// The routes of a service that serve exactly this version.
    pub fn routes_of(
        &self,
        service: &str,
        version: Option<ApiVersion>,
    ) -> impl Iterator<Item = RouteId> {
        let routes = self.routes_of_service(service).iter().copied();
        routes
            .filter(move |at| self.route(*at).version() == version)
            .map(RouteId)
    }

    fn routes_of_service(&self, service: &str) -> &[Index] {
        let from = self
            .by_service
            .partition_point(|at| self.route(*at).service() < service);
        let rest = self.by_service.get(from..).unwrap_or_default();
        let count = rest.partition_point(|at| self.route(*at).service() == service);
        rest.get(..count).unwrap_or_default()
    }

    /// The version that is meant where one is left out: the neutral set, else the only version.
    /// None for a service that the table does not name.
    ///
    /// # Errors
    /// If the service has several versions and no neutral set.
    pub fn meant_version(&self, service: &str) -> Result<Option<ApiVersion>, AmbiguousVersion> {
        let routes = self.routes_of_service(service).iter();
        let mut versions: Vec<_> = routes.map(|at| self.route(*at).version()).collect();
        versions.dedup();
        AmbiguousVersion::unless_one(service, &versions)
    }

    /// Whether some route is of this service.
    #[must_use]
    pub fn names(&self, service: &str) -> bool {
        !self.routes_of_service(service).is_empty()
    }

    /// Every version that some route serves alone, sorted.
    pub(crate) const fn versions(&self) -> &[ApiVersion] {
        &self.versions
    }

    /// How many bytes of heap the router takes beyond its tries.
    #[must_use]
    pub fn router_heap_bytes(&self) -> usize {
        self.router.heap_bytes()
    }

    /// Every key of the trie of each host: what a bare trie would hold for the same paths.
    #[must_use]
    pub fn trie_keys(&self) -> Vec<Vec<String>> {
        let keys_of = |trie: &crate::engine::routing::router::HostTrie| {
            let mut keys = Vec::new();
            trie.outline
                .each_key(&mut |key, _| keys.push(key.to_owned()));
            keys
        };
        self.router.tries().iter().map(keys_of).collect()
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "ids are only made of the places of routes"
    )]
    pub(crate) fn route(&self, at: Index) -> &Route {
        &self.routes[at.get()]
    }
}
