//! Counts per route and backend, kept by one worker alone: plain numbers, no atomics.

use std::collections::HashMap;

use crate::engine::routing::route::RouteIdentity;
use crate::engine::routing::table::RouteId;
use crate::engine::snapshot::Snapshot;

/// The counts of one worker for the routes of one table.
#[derive(Debug, Default)]
pub struct Tally {
    routes: Vec<RouteTally>,
}

/// The counts of one route.
#[derive(Clone, Debug, Default)]
pub struct RouteTally {
    matched: u64,
    /// By the slots of the backends.
    picks: Vec<u64>,
    /// Picks of backends that are in no pool any more and whose slots are forgotten.
    departed: u64,
}

impl Tally {
    /// Counts for the routes of a snapshot, from zero.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        Self {
            routes: vec![RouteTally::default(); snapshot.table().routes().len()],
        }
    }

    /// Counts for the routes of another snapshot: those of routes and backends that stay go on.
    #[must_use]
    pub fn carried(&self, previous: &Snapshot, next: &Snapshot) -> Self {
        let known: HashMap<RouteIdentity, (RouteId, &RouteTally)> = previous
            .table()
            .ids()
            .zip(&self.routes)
            .map(|(id, tally)| (previous.table().route_at(id).identity(), (id, tally)))
            .collect();
        let routes = next.table().ids().map(|id| {
            let Some((old, tally)) = known.get(&next.table().route_at(id).identity()) else {
                return RouteTally::default();
            };
            let before = previous.cluster(*old).by_address();
            let mut carried = RouteTally {
                matched: tally.matched,
                picks: Vec::new(),
                departed: tally.picked(),
            };
            for backend in next.cluster(id).backends() {
                let found = before.binary_search_by_key(&&backend.address, |b| &b.address);
                let old = found.ok().and_then(|at| before.get(at));
                let picks = old.map_or(0, |old| tally.picks(old.id));
                carried.add(backend.id, picks);
                carried.departed -= picks;
            }
            carried
        });
        Self {
            routes: routes.collect(),
        }
    }

    /// Counts one request that a route answers.
    #[inline]
    pub fn matched(&mut self, route: RouteId) {
        if let Some(tally) = self.routes.get_mut(route.position()) {
            tally.matched += 1;
        }
    }

    /// Counts one pick of a backend.
    #[inline]
    pub fn picked(&mut self, route: RouteId, slot: u32) {
        if let Some(tally) = self.routes.get_mut(route.position()) {
            tally.add(slot, 1);
        }
    }

    /// Adds the counts of another, of the same table.
    pub fn add(&mut self, other: &Self) {
        for (own, more) in self.routes.iter_mut().zip(&other.routes) {
            own.matched += more.matched;
            own.departed += more.departed;
            for (slot, picks) in (0..).zip(&more.picks) {
                own.add(slot, *picks);
            }
        }
    }

    /// The counts of a route.
    #[must_use]
    pub fn route(&self, route: RouteId) -> RouteTally {
        self.routes
            .get(route.position())
            .cloned()
            .unwrap_or_default()
    }
}

impl RouteTally {
    /// How many requests the route answered, those among them that found no backend too.
    #[must_use]
    pub const fn matched(&self) -> u64 {
        self.matched
    }

    /// How often the backend of this slot was picked.
    #[must_use]
    pub fn picks(&self, slot: u32) -> u64 {
        usize::try_from(slot)
            .ok()
            .and_then(|slot| self.picks.get(slot))
            .copied()
            .unwrap_or(0)
    }

    #[inline]
    fn add(&mut self, slot: u32, count: u64) {
        let Ok(slot) = usize::try_from(slot) else {
            return;
        };
        if slot >= self.picks.len() {
            self.picks.resize(slot + 1, 0);
        }
        if let Some(picks) = self.picks.get_mut(slot) {
            *picks += count;
        }
    }

    /// How often any backend was picked.
    #[must_use]
    pub fn picked(&self) -> u64 {
        self.picks.iter().sum::<u64>() + self.departed
    }
}
