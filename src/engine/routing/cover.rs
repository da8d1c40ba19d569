//! Coverage: whether the routes before an entry win every request that the entry matches.
//!
//! Only routes of the same host pattern can cover an entry, since a host pattern never matches all
//! hosts of a wider one. Its paths are covered by entries of the same pattern and, for a subtree,
//! by the union of the patterns below it: `P`, `P/`, `P/{any}` and the subtree of that. The
//! remaining dimensions are the method and the stated version, checked value by value. A covering
//! entry may have header and query constraints only if those of the covered one imply them.

use std::collections::BTreeSet;

use crate::engine::routing::constraint::Constraint;
use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::index::Index;
use crate::engine::routing::method::MethodMask;
use crate::engine::routing::outline::Outline;
use crate::engine::routing::route::Route;
use crate::engine::routing::router::{HostTrie, pattern_of};
use crate::engine::routing::table::{RouteId, Table};
use crate::engine::routing::version::ApiVersion;
use crate::engine::routing::versioning::DefaultVersion;

/// The routes that together cover an entry.
#[derive(Debug, Default)]
pub(crate) struct Coverage(BTreeSet<Index>);

/// A class of requests that the entry would serve.
#[derive(Clone, Copy, Debug)]
struct Demand<'t> {
    /// The method; `None`: one that no route lists.
    method: Option<&'t str>,
    stated: StatedVersion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StatedVersion {
    /// No version.
    Nothing,
    /// This version, in a header.
    This(ApiVersion),
    /// A preference in `Accept`, which only moves the version to the front of its group.
    Preferred(ApiVersion),
    /// A version that no route has.
    Unknown,
}

/// An entry whose coverage is being computed.
struct Examined<'t> {
    table: &'t Table,
    entry: RouteEntry,
    route: &'t Route,
    coverage: Coverage,
}

impl Coverage {
    /// The coverage of the entry at position `place` of a group; `None` if a request can reach it.
    pub(crate) fn of(table: &Table, trie: &HostTrie, group: Index, place: usize) -> Option<Self> {
        let entries = table.router.entries(group);
        let entry = *entries.get(place)?;
        let route = table.route(entry.route);
        let outline = &trie.outline;
        // Most routes are the only one of their pattern, with no patterns below.
        let pattern = || pattern_of(entry, route);
        let node = if route.pattern().is_subtree() {
            outline.find(&pattern())
        } else {
            None
        };
        let below = node.filter(|node| outline.cover(*node).param.is_some());
        let may_go_unserved = table.versioning.default == DefaultVersion::Require;
        if entries.len() == 1 && below.is_none() && !may_go_unserved {
            return None;
        }
        let mut examined = Examined {
            table,
            entry,
            route,
            coverage: Self::default(),
        };
        let mut uncovered = examined.demands(entry.is_rejected_unstated());
        uncovered.retain(|demand| !examined.is_covered_in_group(entries, place, *demand));
        if uncovered.is_empty() {
            return Some(examined.coverage);
        }
        let covered = examined.is_subtree_covered(outline, below?, uncovered, true);
        covered.then_some(examined.coverage)
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn routes(self) -> Vec<RouteId> {
        self.0.into_iter().map(RouteId).collect()
    }
}

impl<'t> Examined<'t> {
    /// All combinations of method and stated version that the entry would serve.
    fn demands(&self, is_rejected_unstated: bool) -> Vec<Demand<'t>> {
        let listed = self.route.methods().as_listed();
        let mut methods: Vec<Option<&str>> = listed.iter().map(|m| Some(&**m)).collect();
        if methods.is_empty() {
            methods.push(None);
        } else if self.entry.methods.meets(MethodMask::HEAD) {
            methods.push(Some("HEAD"));
        }
        let versioning = &self.table.versioning;
        let rejects_unstated =
            versioning.default == DefaultVersion::Require && is_rejected_unstated;
        let mut stated = Vec::new();
        if !rejects_unstated {
            stated.push(StatedVersion::Nothing);
        }
        match self.entry.version {
            Some(version) if versioning.headers_count() => {
                stated.push(StatedVersion::This(version));
            }
            // If headers can state versions, they reach all that a preference reaches.
            Some(version) if versioning.prefers(version) => {
                stated.push(StatedVersion::Preferred(version));
            }
            None if versioning.headers_count() => {
                stated.push(StatedVersion::Unknown);
                let known = self.table.versions().iter().copied();
                stated.extend(known.map(StatedVersion::This));
            }
            _ => {}
        }
        let demand = |method, stated| Demand { method, stated };
        let pairs = methods
            .iter()
            .flat_map(|m| stated.iter().map(|s| demand(*m, *s)));
        pairs.collect()
    }

    /// Whether an earlier entry of the same group wins these requests.
    fn is_covered_in_group(
        &mut self,
        entries: &[RouteEntry],
        place: usize,
        demand: Demand<'_>,
    ) -> bool {
        let class = |entry: &RouteEntry| match (demand.stated, entry.version) {
            (StatedVersion::Nothing, _) => 0,
            (StatedVersion::Preferred(_), _) if entry.stated_by_path().is_some() => 0,
            (StatedVersion::Preferred(preferred), version) if version != Some(preferred) => 2,
            (StatedVersion::Preferred(_), _) => 1,
            (StatedVersion::This(stated), Some(version)) if stated == version => 0,
            (_, None) => 1,
            // The version differs, so the entry comes after all that serve.
            (_, Some(_)) => 2,
        };
        let own = (class(&self.entry), place);
        let winner = entries
            .iter()
            .enumerate()
            .find(|(at, entry)| (class(entry), *at) < own && self.admits(**entry, demand));
        self.record(winner.map(|(_, entry)| *entry))
    }

    /// Whether the patterns at and below a node win all uncovered requests of its subtree.
    /// `is_own`: the subtree at the node is that of the entry itself.
    fn is_subtree_covered(
        &mut self,
        outline: &Outline,
        node: Index,
        mut uncovered: Vec<Demand<'_>>,
        is_own: bool,
    ) -> bool {
        let here = outline.cover(node);
        if let (Some(subtree), false) = (here.subtree, is_own) {
            uncovered.retain(|demand| !self.is_covered_by(subtree, *demand));
        }
        if uncovered.is_empty() {
            return true;
        }
        let mut covers_all = |group: Option<Index>| {
            group.is_some_and(|group| {
                uncovered
                    .iter()
                    .all(|demand| self.is_covered_by(group, *demand))
            })
        };
        // At the root there is no path without a slash.
        let exact = node == Index::ZERO || covers_all(here.exact);
        exact
            && covers_all(here.slash)
            && here
                .param
                .is_some_and(|child| self.is_subtree_covered(outline, child, uncovered, false))
    }

    /// Whether an entry of a more specific group serves these requests or rejects them.
    fn is_covered_by(&mut self, group: Index, demand: Demand<'_>) -> bool {
        let winner = self
            .table
            .router
            .entries(group)
            .iter()
            .copied()
            .find(|entry| {
                let serves = match (demand.stated, entry.version) {
                    (StatedVersion::Nothing | StatedVersion::Preferred(_), _) | (_, None) => true,
                    (StatedVersion::This(stated), Some(version)) => stated == version,
                    (StatedVersion::Unknown, Some(_)) => false,
                };
                let rejects = entry.stated_by_path().is_some()
                    || self.table.route(entry.route).service_id != self.route.service_id;
                (serves || rejects) && self.admits(*entry, demand)
            });
        self.record(winner)
    }

    /// Whether the entry admits the method and has only constraints that those of the examined
    /// entry imply.
    fn admits(&self, entry: RouteEntry, demand: Demand<'_>) -> bool {
        let route = self.table.route(entry.route);
        let method = match demand.method {
            Some(method) => {
                route.methods().lists(method)
                    || method == "HEAD" && entry.methods.meets(MethodMask::HEAD)
            }
            None => route.methods().as_listed().is_empty(),
        };
        let implied =
            |theirs: &[_], ours: &[_]| theirs.iter().all(|c: &Constraint| c.is_implied_by(ours));
        method
            && implied(route.headers(), self.route.headers())
            && implied(route.query(), self.route.query())
    }

    fn record(&mut self, winner: Option<RouteEntry>) -> bool {
        if let Some(entry) = winner {
            self.coverage.0.insert(entry.route);
        }
        winner.is_some()
    }
}
