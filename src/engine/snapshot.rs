//! The snapshot: one immutable, compiled configuration with its backends.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::backend::{Address, BackendSource};
use crate::engine::balance::{Cursor, Pick, Pool};
use crate::engine::registry::{Registry, ServiceKey};
use crate::engine::route::{Route, RouteIdentity};
use crate::engine::table::{RouteId, Table};
use crate::engine::version::ApiVersion;

/// A table, and for each of its routes a cursor and a pool of backends.
///
/// Another snapshot takes its place whenever the table or the backends change; what stays, the
/// table, the cursors, the pools of routes not concerned, is shared between the two.
#[derive(Clone, Debug)]
pub struct Snapshot {
    table: Arc<Table>,
    configured: Arc<[Configured]>,
    cursors: Arc<[Arc<Cursor>]>,
    pools: Box<[Arc<Pool>]>,
}

/// The backends that the configuration gives to a route.
#[derive(Clone, Debug)]
pub struct Configured {
    /// Their addresses, in order.
    pub addresses: Arc<[Address]>,
    /// Whether they stand at the route or at the service.
    pub source: BackendSource,
}

impl Snapshot {
    /// A snapshot of a table; `configured` has one entry a route, in the order of the routes.
    ///
    /// The cursor and the names of a route that `previous` had too, by its whole match and its
    /// service, are carried over. Registrations for services that the table does not name wait in
    /// the registry; versions left out in them are settled where the table leaves no doubt.
    #[must_use]
    pub fn new(
        table: Arc<Table>,
        configured: Arc<[Configured]>,
        registry: &mut Registry,
        previous: Option<&Self>,
    ) -> Self {
        registry.settle(&table);
        let carried = previous.map(Self::by_identity).unwrap_or_default();
        let known = |route: &Route| {
            if carried.is_empty() {
                None
            } else {
                carried.get(&route.identity())
            }
        };
        let mut cursors = Vec::with_capacity(table.routes().len());
        let mut pools = Vec::with_capacity(table.routes().len());
        for (route, configured) in table.routes().iter().zip(&*configured) {
            let known = known(route);
            cursors.push(
                known
                    .map(|(cursor, _)| Arc::clone(cursor))
                    .unwrap_or_default(),
            );
            let pool = known.map(|(_, pool)| pool.as_ref());
            pools.push(Arc::new(make_pool(pool, route, configured, registry)));
        }
        Self {
            table,
            configured,
            cursors: cursors.into(),
            pools: pools.into(),
        }
    }

    /// The same table after registrations of these services have changed.
    #[must_use]
    pub fn with_registry(&self, registry: &Registry, changed: &[ServiceKey]) -> Self {
        let mut next = self.clone();
        for key in changed {
            for RouteId(at) in self.table.routes_of(&key.service, key.version) {
                let at = at.get();
                let (Some(route), Some(configured), Some(pool)) = (
                    self.table.routes().get(at),
                    self.configured.get(at),
                    next.pools.get_mut(at),
                ) else {
                    continue;
                };
                *pool = Arc::new(make_pool(Some(&**pool), route, configured, registry));
            }
        }
        next
    }

    /// Whether the configuration itself gives this backend to the service and version.
    #[must_use]
    pub fn configures(&self, key: &ServiceKey, address: &Address) -> bool {
        let mut routes = self.table.routes_of(&key.service, key.version);
        routes.any(|RouteId(at)| {
            self.configured
                .get(at.get())
                .is_some_and(|given| given.addresses.contains(address))
        })
    }

    /// The compiled routes.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The backends of a route.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route's id is a place in its table, with a pool each"
    )]
    pub fn pool(&self, route: RouteId) -> &Pool {
        &self.pools[route.0.get()]
    }

    /// Picks the next backend of a route and moves its cursor; none if no backend is healthy.
    #[inline]
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route's id is a place in its table, with a cursor each"
    )]
    pub fn pick(&self, route: RouteId) -> Option<Pick<'_>> {
        self.pool(route).pick(&self.cursors[route.0.get()])
    }

    /// The backend that [`Snapshot::pick`] would give, if nobody picked meanwhile. The cursor stays.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route's id is a place in its table, with a cursor each"
    )]
    pub fn peek(&self, route: RouteId) -> Option<Pick<'_>> {
        self.pool(route).peek(&self.cursors[route.0.get()])
    }

    fn by_identity(&self) -> HashMap<RouteIdentity, (&Arc<Cursor>, &Arc<Pool>)> {
        let routes = self.table.routes().iter().map(Route::identity);
        routes.zip(self.cursors.iter().zip(&*self.pools)).collect()
    }
}

impl ServiceKey {
    /// The service and version that a route serves.
    #[must_use]
    pub fn of(service: &str, version: Option<ApiVersion>) -> Self {
        Self {
            service: service.into(),
            version,
        }
    }
}

fn make_pool(
    previous: Option<&Pool>,
    route: &Route,
    configured: &Configured,
    registry: &Registry,
) -> Pool {
    let entry = registry.entry(route.service(), route.version());
    let kept = configured
        .addresses
        .iter()
        .filter(|address| !entry.is_removed(address));
    let kept = kept.map(|address| (address, configured.source));
    let registered = entry
        .registered()
        .map(|address| (address, BackendSource::Registered));
    Pool::new(previous, kept.chain(registered))
}
