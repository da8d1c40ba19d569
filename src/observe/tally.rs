//! Counts per route and backend of one worker: plain numbers, no atomics.

use std::collections::HashMap;

use crate::engine::routing::{RouteId, RouteIdentity};
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
    /// By backend id.
    picks: Vec<u64>,
    /// Picks of backends that have been removed.
    removed: u64,
}

impl Tally {
    /// Counts for the routes of a snapshot, from zero.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        Self {
            routes: vec![RouteTally::default(); snapshot.table().routes().len()],
        }
    }

    /// Counts for the routes of the next snapshot. Routes and backends that remain keep their counts.
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
                removed: tally.picked(),
            };
            for backend in next.cluster(id).backends() {
                let found = before.binary_search_by_key(&&backend.address, |b| &b.address);
                let old = found.ok().and_then(|at| before.get(at));
                let picks = old.map_or(0, |old| tally.picks(old.id));
                carried.add(backend.id, picks);
                carried.removed -= picks;
            }
            carried
        });
        Self {
            routes: routes.collect(),
        }
    }

    /// Counts one request that matches a route.
    #[inline]
    pub fn matched(&mut self, route: RouteId) {
        if let Some(tally) = self.routes.get_mut(route.position()) {
            tally.matched += 1;
        }
    }

    /// Counts one pick of a backend.
    #[inline]
    pub fn picked(&mut self, route: RouteId, id: u32) {
        if let Some(tally) = self.routes.get_mut(route.position()) {
            tally.add(id, 1);
        }
    }

    /// Adds the counts of another tally for the same table.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.routes.iter_mut().zip(&other.routes) {
            count.matched += more.matched;
            count.removed += more.removed;
            for (id, picks) in (0..).zip(&more.picks) {
                count.add(id, *picks);
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
    /// The number of requests that matched the route, including those without an available backend.
    #[must_use]
    pub const fn matched(&self) -> u64 {
        self.matched
    }

    /// The number of picks of the backend with this id.
    #[must_use]
    pub fn picks(&self, id: u32) -> u64 {
        usize::try_from(id)
            .ok()
            .and_then(|id| self.picks.get(id))
            .copied()
            .unwrap_or(0)
    }

    #[inline]
    fn add(&mut self, id: u32, count: u64) {
        let Ok(id) = usize::try_from(id) else {
            return;
        };
        if id >= self.picks.len() {
            self.picks.resize(id + 1, 0);
        }
        if let Some(picks) = self.picks.get_mut(id) {
            *picks += count;
        }
    }

    /// The number of picks of all backends.
    #[must_use]
    pub fn picked(&self) -> u64 {
        self.picks.iter().sum::<u64>() + self.removed
    }
}
