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
    /// Cursors, those made together side by side. A slab lives as long as one of its routes.
    slabs: Arc<[Arc<[Cursor]>]>,
    /// One a route, as are the pools: in a large table each byte that the pick looks at counts.
    lanes: Box<[Lane]>,
    pools: Box<[Pool]>,
}

/// Where the cursor of a route is, and how many backends it goes round.
#[derive(Clone, Copy, Debug)]
struct Lane {
    slab: u32,
    cursor: u32,
    healthy: u32,
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
                carried.get(&route.identity()).copied()
            }
        };
        let mut slabs = Slabs::default();
        let routes = table.routes().iter().zip(&*configured);
        let (lanes, pools) = routes
            .map(|(route, configured)| {
                let known = known(route);
                let pool = make_pool(known.map(|(_, pool)| pool), route, configured, registry);
                let healthy = pool.healthy();
                let (slab, cursor) = slabs.place(known.map(|(cursor, _)| cursor));
                (
                    Lane {
                        slab,
                        cursor,
                        healthy,
                    },
                    pool,
                )
            })
            .unzip::<_, _, Vec<_>, Vec<_>>();
        Self {
            slabs: slabs.finish(),
            lanes: lanes.into(),
            pools: pools.into(),
            table: Arc::clone(&table),
            configured: Arc::clone(&configured),
        }
    }

    /// The same table after registrations of these services have changed.
    #[must_use]
    pub fn with_registry(&self, registry: &Registry, changed: &[ServiceKey]) -> Self {
        let mut next = self.clone();
        for key in changed {
            for RouteId(at) in self.table.routes_of(&key.service, key.version) {
                let at = at.get();
                let (Some(route), Some(configured), Some(lane), Some(pool)) = (
                    self.table.routes().get(at),
                    self.configured.get(at),
                    next.lanes.get_mut(at),
                    next.pools.get_mut(at),
                ) else {
                    continue;
                };
                *pool = make_pool(Some(pool), route, configured, registry);
                lane.healthy = pool.healthy();
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

    /// Picks the next backend of a route and moves its cursor; none if no backend is healthy.
    #[inline]
    #[must_use]
    pub fn pick(&self, route: RouteId) -> Option<Pick<'_>> {
        let (cursor, healthy) = self.cursor(route);
        let turn = cursor.turn(healthy)?;
        self.pool(route).at(turn)
    }

    /// The backend that [`Snapshot::pick`] would give, if nobody picked meanwhile. The cursor stays.
    #[must_use]
    pub fn peek(&self, route: RouteId) -> Option<Pick<'_>> {
        self.pool(route).peek(self.cursor(route).0)
    }

    #[inline]
    #[expect(
        clippy::indexing_slicing,
        clippy::as_conversions,
        reason = "a route's id is a place in its table, with a lane each, which names a cursor that is there"
    )]
    fn cursor(&self, route: RouteId) -> (&Cursor, u32) {
        let lane = self.lanes[route.0.get()];
        let slab = &self.slabs[lane.slab as usize];
        (&slab[lane.cursor as usize], lane.healthy)
    }

    fn by_identity(&self) -> HashMap<RouteIdentity, (CarriedCursor<'_>, &Pool)> {
        let routes = self.table.routes().iter().map(Route::identity);
        let cursors = self.lanes.iter().filter_map(|lane| {
            let slab = self.slabs.get(usize::try_from(lane.slab).ok()?)?;
            Some(CarriedCursor {
                slab,
                cursor: lane.cursor,
            })
        });
        routes.zip(cursors.zip(&*self.pools)).collect()
    }
}

/// A cursor of the snapshot before.
#[derive(Clone, Copy)]
struct CarriedCursor<'a> {
    slab: &'a Arc<[Cursor]>,
    cursor: u32,
}

/// The slabs of a snapshot in the making: first a new one, then those of carried cursors.
#[derive(Default)]
struct Slabs {
    new: u32,
    carried: Vec<Arc<[Cursor]>>,
}

impl Slabs {
    /// The slab and place of a route's cursor: where it was, or a new one.
    fn place(&mut self, carried: Option<CarriedCursor<'_>>) -> (u32, u32) {
        let Some(CarriedCursor { slab, cursor }) = carried else {
            self.new += 1;
            return (0, self.new - 1);
        };
        let known = self
            .carried
            .iter()
            .rposition(|known| Arc::ptr_eq(known, slab));
        let at = known.unwrap_or_else(|| {
            self.carried.push(Arc::clone(slab));
            self.carried.len() - 1
        });
        (
            u32::try_from(at + 1).expect("fewer slabs than routes"),
            cursor,
        )
    }

    fn finish(self) -> Arc<[Arc<[Cursor]>]> {
        let new = (0..self.new).map(|_| Cursor::default()).collect();
        std::iter::once(new).chain(self.carried).collect()
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
