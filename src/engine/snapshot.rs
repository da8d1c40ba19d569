//! The snapshot: one immutable, compiled configuration with its backends.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::engine::policy::{Policy, Upstream};
use crate::engine::routing::route::{Route, RouteIdentity};
use crate::engine::routing::table::{RouteId, Table};
use crate::engine::upstream::backend::{Address, BackendSource};
use crate::engine::upstream::balance::{Cursor, Pick, Pool};
use crate::engine::upstream::registry::{Entry, Registry, ServiceKey};

/// A table, and for each of its routes a cursor and a pool of backends.
///
/// Another snapshot takes its place whenever the table or the backends change; what stays, the
/// table, the cursors, the pools of routes not concerned, is shared between the two.
#[derive(Clone, Debug)]
pub struct Snapshot {
    table: Arc<Table>,
    configured: Arc<[Configured]>,
    /// The cursors that this snapshot's table brought, one a route, side by side.
    slab: Arc<[Cursor]>,
    /// The cursors carried over, where there are any: one entry a route, and most are none.
    carried: Option<Arc<[Option<CarriedCursor>]>>,
    /// One a route.
    pools: Box<[Pool]>,
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
    /// Their addresses, in order.
    pub addresses: Arc<[Address]>,
    /// Whether they stand at the route or at the service.
    pub source: BackendSource,
    /// What the route asks for beside them; most routes share one.
    pub policy: Arc<Policy>,
    /// How they are spoken to; the routes of a service share one.
    pub upstream: Arc<Upstream>,
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
                carried.get(&route.identity()).cloned()
            }
        };
        let routes = table.routes().iter().zip(&*configured);
        let (cursors, pools): (Vec<_>, Vec<_>) = routes
            .map(|(route, configured)| {
                let (cursor, pool) = known(route).unzip();
                (cursor, make_pool(pool, route, configured, registry))
            })
            .unzip();
        let is_any_carried = cursors.iter().any(Option::is_some);
        Self {
            slab: cursors.iter().map(|_| Cursor::default()).collect(),
            carried: is_any_carried.then(|| cursors.into()),
            pools: pools.into(),
            table: Arc::clone(&table),
            configured: Arc::clone(&configured),
        }
    }

    /// The same table after registrations of these services have changed.
    #[must_use]
    pub fn with_registry(&self, registry: &Registry, changed: &BTreeSet<ServiceKey>) -> Self {
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
                *pool = make_pool(Some(pool), route, configured, registry);
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
    #[inline]
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route's id is a place in its table, with a pool each"
    )]
    pub fn pool(&self, route: RouteId) -> &Pool {
        &self.pools[route.0.get()]
    }

    /// The policy of a route.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route's id is a place in its table, with a policy each"
    )]
    pub fn policy(&self, route: RouteId) -> &Arc<Policy> {
        &self.configured[route.0.get()].policy
    }

    /// How the backends of a route are spoken to.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route's id is a place in its table, with an upstream each"
    )]
    pub fn upstream(&self, route: RouteId) -> &Arc<Upstream> {
        &self.configured[route.0.get()].upstream
    }

    /// Picks the next backend of a route and moves its cursor; none if no backend is healthy.
    #[inline]
    #[must_use]
    pub fn pick(&self, route: RouteId) -> Option<Pick<'_>> {
        self.pool(route).pick(self.cursor(route))
    }

    /// The backend that [`Snapshot::pick`] would give, if nobody picked meanwhile. The cursor stays.
    #[must_use]
    pub fn peek(&self, route: RouteId) -> Option<Pick<'_>> {
        self.pool(route).peek(self.cursor(route))
    }

    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "a route's id is a place in its table, with a cursor each"
    )]
    fn cursor(&self, route: RouteId) -> &Cursor {
        let at = route.0.get();
        let carried = self
            .carried
            .as_ref()
            .and_then(|cursors| cursors[at].as_ref());
        carried.map_or_else(|| &self.slab[at], |carried| &carried.slab[carried.at])
    }

    /// The cursor of each route, to be carried over, and its pool.
    fn by_identity(&self) -> HashMap<RouteIdentity, (CarriedCursor, &Pool)> {
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
        routes.zip(cursors.zip(&*self.pools)).collect()
    }
}

fn make_pool(
    previous: Option<&Pool>,
    route: &Route,
    configured: &Configured,
    registry: &Registry,
) -> Pool {
    if route.is_redirect() {
        // Nothing can be registered there either.
        return Pool::new(previous, std::iter::empty());
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
    Pool::new(previous, configured.chain(registered))
}
