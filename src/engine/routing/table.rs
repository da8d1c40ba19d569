//! The table: all routes of one configuration, compiled and immutable.

use std::collections::{BTreeSet, HashMap};

use thiserror::Error;

use crate::engine::routing::index::Index;
use crate::engine::routing::route::Route;
use crate::engine::routing::router::Router;
use crate::engine::routing::version::ApiVersion;
use crate::engine::routing::versioning::Versioning;

/// The routes of one configuration, compiled.
#[derive(Debug)]
pub struct Table {
    pub(crate) routes: Box<[Route]>,
    pub(crate) router: Router,
    pub(crate) versioning: Versioning,
    /// The routes sorted by service, then by version, so that those of a service are a range.
    by_service: Box<[Index]>,
    /// The versions of all routes that have one, sorted.
    versions: Box<[ApiVersion]>,
}

/// The index of a route in its table. It is invalid in other tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(pub(crate) Index);

impl RouteId {
    /// The index in [`Table::routes`].
    #[must_use]
    pub fn position(self) -> usize {
        self.0.get()
    }
}

/// A version was omitted, but the service has several.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{service} has the versions {}; name one", .versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
pub struct AmbiguousVersion {
    /// The service.
    pub service: String,
    /// Its versions, sorted.
    pub versions: Vec<ApiVersion>,
}

impl AmbiguousVersion {
    /// The version that an omitted one implies, out of the sorted versions of a service: neutral if
    /// it has that, else the only one.
    pub(crate) fn resolve(
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
    /// Compiles routes, in any order. Does not check them: see [`Table::errors`].
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

    /// The routes, in the order passed to [`Table::compile`].
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
    /// If the id belongs to another table that is larger.
    #[must_use]
    pub fn route_at(&self, id: RouteId) -> &Route {
        self.route(id.0)
    }

    /// How versions are stated.
    #[must_use]
    pub const fn versioning(&self) -> &Versioning {
        &self.versioning
    }

    /// All services with their versions (`None`: neutral), sorted. Redirects have no service.
    pub fn services(&self) -> impl Iterator<Item = (&str, Option<ApiVersion>)> {
        let key = |at: &Index| (self.route(*at).service(), self.route(*at).version());
        self.by_service
            .chunk_by(move |a, b| key(a) == key(b))
            .filter_map(move |chunk| chunk.first())
            .filter(|at| !self.route(**at).is_redirect())
            .map(key)
    }

    /// The routes of a service and version (`None`: neutral).
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

    /// The version that an omitted one implies: neutral if the service has neutral routes, else its
    /// only version. `None` for an unknown service.
    ///
    /// # Errors
    /// If the service has several versions and no neutral routes.
    pub fn implied_version(&self, service: &str) -> Result<Option<ApiVersion>, AmbiguousVersion> {
        let routes = self.routes_of_service(service).iter();
        let mut versions: Vec<_> = routes.map(|at| self.route(*at).version()).collect();
        versions.dedup();
        AmbiguousVersion::resolve(service, &versions)
    }

    /// Whether a route has this service.
    #[must_use]
    pub fn has_service(&self, service: &str) -> bool {
        !self.routes_of_service(service).is_empty()
    }

    /// The versions of all routes that have one, sorted.
    pub(crate) const fn versions(&self) -> &[ApiVersion] {
        &self.versions
    }

    /// The heap size of the router in bytes, without the tries.
    #[must_use]
    pub fn router_heap_bytes(&self) -> usize {
        self.router.heap_bytes()
    }

    /// The keys of the trie of each host pattern.
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
        reason = "ids are created only from indexes of routes"
    )]
    pub(crate) fn route(&self, at: Index) -> &Route {
        &self.routes[at.get()]
    }
}
