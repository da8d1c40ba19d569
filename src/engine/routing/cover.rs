//! Whether the routes before an entry take everything that it matches.
//!
//! Only routes of the same host can: below a host there are always more. Of its paths, those of
//! the same pattern can, and for a subtree the union of what stands below it: `P`, `P/` and what
//! covers `P/{any}` and its subtree. What is left are the values that a request may have: a method
//! and a stated version, tried one by one; header and query constraints count where those of the
//! entry imply them.

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

/// The routes that cover an entry together.
#[derive(Debug, Default)]
pub(crate) struct Coverage(BTreeSet<Index>);

/// Values that a request may have, and that the entry would serve.
#[derive(Clone, Copy, Debug)]
struct Demand<'t> {
    /// A method; none for one that no route lists.
    method: Option<&'t str>,
    stated: StatedVersion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StatedVersion {
    Nothing,
    This(ApiVersion),
    /// By `Accept`: it moves a version to the front of its group, and no more.
    Preferred(ApiVersion),
    /// One that no route has.
    Another,
}

/// One entry under examination.
struct Examined<'t> {
    table: &'t Table,
    entry: RouteEntry,
    route: &'t Route,
    coverage: Coverage,
}

impl Coverage {
    /// The coverage of the entry at `place` of a group; none if some request reaches it.
    pub(crate) fn of(table: &Table, trie: &HostTrie, group: Index, place: usize) -> Option<Self> {
        let entries = table.router.entries(group);
        let entry = *entries.get(place)?;
        let route = table.route(entry.route);
        let outline = &trie.outline;
        // Most routes stand alone: nothing before them, nothing below.
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
        let mut open = examined.demands(entry.is_refused_unstated());
        open.retain(|demand| !examined.taken_in_group(entries, place, *demand));
        if open.is_empty() {
            return Some(examined.coverage);
        }
        let covered = examined.subtree_taken(outline, below?, open, true);
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
    /// Every method and stated version, or lack of one, that the entry would serve.
    fn demands(&self, is_refused_unstated: bool) -> Vec<Demand<'t>> {
        let listed = self.route.methods().as_listed();
        let mut methods: Vec<Option<&str>> = listed.iter().map(|m| Some(&**m)).collect();
        if methods.is_empty() {
            methods.push(None);
        } else if self.entry.methods.meets(MethodMask::HEAD) {
            methods.push(Some("HEAD"));
        }
        let versioning = &self.table.versioning;
        let refused = versioning.default == DefaultVersion::Require && is_refused_unstated;
        let mut stated = Vec::new();
        if !refused {
            stated.push(StatedVersion::Nothing);
        }
        match self.entry.version {
            Some(version) if versioning.headers_count() => {
                stated.push(StatedVersion::This(version));
            }
            // Whatever a preference reaches, a header reaches too, if headers count.
            Some(version) if versioning.prefers(version) => {
                stated.push(StatedVersion::Preferred(version));
            }
            None if versioning.headers_count() => {
                stated.push(StatedVersion::Another);
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

    /// Whether an entry of the same group that comes before it takes the demand.
    fn taken_in_group(&mut self, entries: &[RouteEntry], place: usize, demand: Demand<'_>) -> bool {
        let class = |entry: &RouteEntry| match (demand.stated, entry.version) {
            (StatedVersion::Nothing, _) => 0,
            (StatedVersion::Preferred(_), _) if entry.stated_by_path().is_some() => 0,
            (StatedVersion::Preferred(liked), version) if version != Some(liked) => 2,
            (StatedVersion::Preferred(_), _) => 1,
            (StatedVersion::This(stated), Some(version)) if stated == version => 0,
            (_, None) => 1,
            // It fails, and so comes after all that serve.
            (_, Some(_)) => 2,
        };
        let own = (class(&self.entry), place);
        let taker = entries
            .iter()
            .enumerate()
            .find(|(at, entry)| (class(entry), *at) < own && self.admits(**entry, demand));
        self.note(taker.map(|(_, entry)| *entry))
    }

    /// Whether what stands at and below a node takes all that is open of its subtree.
    fn subtree_taken(
        &mut self,
        outline: &Outline,
        node: Index,
        mut open: Vec<Demand<'_>>,
        is_own: bool,
    ) -> bool {
        let here = outline.cover(node);
        if let (Some(subtree), false) = (here.subtree, is_own) {
            open.retain(|demand| !self.taken_by(subtree, *demand));
        }
        if open.is_empty() {
            return true;
        }
        let mut all_taken = |group: Option<Index>| {
            group.is_some_and(|group| open.iter().all(|demand| self.taken_by(group, *demand)))
        };
        // Before the first segment there is no path without its slash.
        let exact = node == Index::ZERO || all_taken(here.exact);
        exact
            && all_taken(here.slash)
            && here
                .param
                .is_some_and(|child| self.subtree_taken(outline, child, open, false))
    }

    /// Whether an entry of a more specific group serves the demand, or has it refused.
    fn taken_by(&mut self, group: Index, demand: Demand<'_>) -> bool {
        let taker = self
            .table
            .router
            .entries(group)
            .iter()
            .copied()
            .find(|entry| {
                let serves = match (demand.stated, entry.version) {
                    (StatedVersion::Nothing | StatedVersion::Preferred(_), _) | (_, None) => true,
                    (StatedVersion::This(stated), Some(version)) => stated == version,
                    (StatedVersion::Another, Some(_)) => false,
                };
                let refuses = entry.stated_by_path().is_some()
                    || self.table.route(entry.route).service_id != self.route.service_id;
                (serves || refuses) && self.admits(*entry, demand)
            });
        self.note(taker)
    }

    /// Whether the entry admits the method and all that the examined entry's constraints admit.
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

    fn note(&mut self, taker: Option<RouteEntry>) -> bool {
        if let Some(entry) = taker {
            self.coverage.0.insert(entry.route);
        }
        taker.is_some()
    }
}
