//! Checks of a table as a whole: duplicate routes, ties, and routes that can never win.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

use crate::engine::routing::constraint::Constraint;
use crate::engine::routing::cover::Coverage;
use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::host::HostPattern;
use crate::engine::routing::index::Index;
use crate::engine::routing::method::MethodSet;
use crate::engine::routing::precedence::{Rank, decide};
use crate::engine::routing::route::Route;
use crate::engine::routing::router::{HostTrie, pattern_of};
use crate::engine::routing::table::{RouteId, Table};

/// An error that makes a table unusable, with the routes concerned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableError {
    /// Two routes with the same whole match.
    Duplicate {
        /// The route with the lower id.
        first: RouteId,
        /// The other route.
        second: RouteId,
        /// A request that both match.
        example: ExampleRequest,
    },
    /// Two routes that match some of the same requests with equal precedence.
    Tie {
        /// The route with the lower id.
        first: RouteId,
        /// The other route.
        second: RouteId,
        /// A request that both match.
        example: ExampleRequest,
    },
    /// A route that never wins, because others win every request that it matches.
    Unreachable {
        /// The route.
        route: RouteId,
        /// The routes that together cover it.
        covered_by: Vec<RouteId>,
        /// A request that it matches but does not win.
        example: ExampleRequest,
    },
}

/// A remark on a usable table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableNote {
    /// Two routes of equal precedence whose different header or query constraints can both hold.
    Overlap {
        /// The route that wins by its values or its name.
        first: RouteId,
        /// The other route.
        second: RouteId,
    },
    /// A derived pattern wins paths of a wider declared route.
    DerivedTakes {
        /// The route with the derived pattern.
        route: RouteId,
        /// The derived pattern.
        pattern: String,
        /// The wider declared route.
        wider: RouteId,
    },
}

/// An example request in words: `POST /api/users/1 on a.test with X-Tenant: acme`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExampleRequest(String);

impl fmt::Display for ExampleRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Table {
    /// All errors of the table, each conflict once, in the order of the routes.
    #[must_use]
    pub fn errors(&self) -> Vec<TableError> {
        let mut errors = BTreeSet::new();
        let mut reachable = vec![false; self.routes().len()];
        let mut covers: HashMap<Index, Coverage> = HashMap::new();
        for (trie, group) in self.groups() {
            let entries = self.router.entries(group);
            self.find_conflicts(entries, &mut errors);
            for (place, entry) in entries.iter().enumerate() {
                let Some(reached) = reachable.get_mut(entry.route.get()).filter(|r| !**r) else {
                    continue;
                };
                match Coverage::of(self, trie, group, place) {
                    None => *reached = true,
                    Some(coverage) => {
                        covers.entry(entry.route).or_default().join(coverage);
                    }
                }
            }
        }
        let reported: BTreeSet<RouteId> = errors.iter().flat_map(TableError::routes).collect();
        for (at, _) in reachable
            .iter()
            .enumerate()
            .filter(|(_, reached)| !**reached)
        {
            let route = RouteId(Index::new(at));
            if !reported.contains(&route) {
                let covered_by = covers.remove(&route.0).unwrap_or_default().routes();
                let example = self.example(self.route(route.0), None);
                errors.insert(TableError::Unreachable {
                    route,
                    covered_by,
                    example,
                });
            }
        }
        errors.into_iter().collect()
    }

    /// Remarks on the table, at most `limit`.
    #[must_use]
    pub fn notes(&self, limit: usize) -> Vec<TableNote> {
        let mut notes = BTreeSet::new();
        for (trie, group) in self.groups() {
            let entries = self.router.entries(group);
            for run in self.equal_runs(entries) {
                let overlaps = |(a, b): (RouteEntry, RouteEntry)| {
                    self.overlaps(a, b).then_some(TableNote::Overlap {
                        first: RouteId(a.route),
                        second: RouteId(b.route),
                    })
                };
                notes.extend(pairs(run).filter_map(overlaps).take(limit));
            }
            for entry in entries.iter().filter(|entry| entry.is_derived()) {
                notes.extend(self.derived_takes(trie, *entry));
            }
            if notes.len() >= limit {
                break;
            }
        }
        notes.into_iter().take(limit).collect()
    }

    /// Finds duplicates and ties among the sorted entries of one group. Each entry is reported with
    /// the first one that it conflicts with: n equal entries give n - 1 errors.
    fn find_conflicts(&self, entries: &[RouteEntry], errors: &mut BTreeSet<TableError>) {
        for run in self.equal_runs(entries).filter(|run| run.len() > 1) {
            let mut by_constraints: HashMap<_, EqualEntries<'_>> = HashMap::new();
            for entry in run {
                let route = self.route(entry.route);
                let equal = by_constraints.entry((route.headers(), route.query()));
                errors.extend(self.conflict_among(equal.or_default(), *entry));
            }
        }
    }

    /// The first conflict of an entry with earlier ones of equal constraints and precedence. Adds
    /// the entry to them.
    fn conflict_among<'t>(
        &'t self,
        equal: &mut EqualEntries<'t>,
        entry: RouteEntry,
    ) -> Option<TableError> {
        let route = self.route(entry.route);
        match equal.first_of.entry((route.methods(), route.hosts())) {
            Entry::Occupied(same) => self.conflict(*same.get(), entry),
            Entry::Vacant(vacant) => {
                vacant.insert(entry);
                let others = equal.distinct.iter().take(MAX_COMPARED);
                let conflict = others
                    .copied()
                    .find_map(|other| self.conflict(other, entry));
                equal.distinct.push(entry);
                conflict
            }
        }
    }

    /// Splits sorted entries into runs that rules 3 to 5 of the precedence do not distinguish.
    fn equal_runs<'f>(
        &self,
        entries: &'f [RouteEntry],
    ) -> impl Iterator<Item = &'f [RouteEntry]> + use<'_, 'f> {
        entries.chunk_by(|a, b| self.is_equal_rank(*a, *b))
    }

    /// The conflict between two entries of equal constraints and precedence, if any.
    fn conflict(&self, a: RouteEntry, b: RouteEntry) -> Option<TableError> {
        let (one, other) = (self.route(a.route), self.route(b.route));
        let method = common_method(one.methods(), other.methods())?;
        let within =
            |few: &Route, many: &Route| few.hosts().iter().all(|h| many.hosts().contains(h));
        let is_tie = if one.methods() != other.methods() {
            true
        } else if one.hosts() != other.hosts() {
            if within(one, other) || within(other, one) {
                return None;
            }
            true
        } else {
            // Two derived entries of one service and version: they are interchangeable.
            if a.route == b.route || a.is_derived() && one.service_id == other.service_id {
                return None;
            }
            a.is_derived()
        };
        let (first, second) = (RouteId(a.route.min(b.route)), RouteId(a.route.max(b.route)));
        let example = self.example(one, Some((common_host(one, other), method)));
        Some(if is_tie {
            TableError::Tie {
                first,
                second,
                example,
            }
        } else {
            TableError::Duplicate {
                first,
                second,
                example,
            }
        })
    }

    fn is_equal_rank(&self, a: RouteEntry, b: RouteEntry) -> bool {
        let (one, other) = (self.route(a.route), self.route(b.route));
        a.version == b.version
            && a.unstated_class() == b.unstated_class()
            && decide((a, one), (b, other)).0 == Rank::Name
    }

    fn overlaps(&self, a: RouteEntry, b: RouteEntry) -> bool {
        let (one, other) = (self.route(a.route), self.route(b.route));
        let are_disjoint = |ours: &[Constraint], theirs: &[Constraint]| {
            ours.iter().any(|c| {
                theirs
                    .iter()
                    .any(|d| c.name == d.name && c.test.excludes(&d.test))
            })
        };
        (one.headers() != other.headers() || one.query() != other.query())
            && common_method(one.methods(), other.methods()).is_some()
            && !are_disjoint(one.headers(), other.headers())
            && !are_disjoint(one.query(), other.query())
    }

    fn derived_takes(&self, trie: &HostTrie, entry: RouteEntry) -> Option<TableNote> {
        let route = self.route(entry.route);
        let pattern = pattern_of(entry, route);
        let mut wider = None;
        let _ = trie.each_further(&pattern.example(), &mut |group| {
            let declared = self.router.entries(group).iter().find(|other| {
                !other.is_derived() && self.route(other.route).service_id != route.service_id
            });
            wider = declared.map(|other| RouteId(other.route));
            wider.map_or(std::ops::ControlFlow::Continue(()), |_| {
                std::ops::ControlFlow::Break(())
            })
        });
        let wider = wider?;
        Some(TableNote::DerivedTakes {
            route: RouteId(entry.route),
            pattern: pattern.to_string(),
            wider,
        })
    }

    /// An example request that the route matches; `shared` gives the host and method to use.
    fn example(
        &self,
        route: &Route,
        shared: Option<(Option<&HostPattern>, &str)>,
    ) -> ExampleRequest {
        let first_method = || {
            route
                .methods()
                .as_listed()
                .first()
                .map_or("GET", |method| &**method)
        };
        let (host, method) = shared.unwrap_or_else(|| (route.hosts().first(), first_method()));
        let mut text = format!("{method} {}", route.pattern().example());
        for (at, constraint) in route.query().iter().enumerate() {
            let mark = if at == 0 { '?' } else { '&' };
            text.push_str(&format!(
                "{mark}{}={}",
                constraint.name,
                constraint.test.example()
            ));
        }
        match host {
            Some(HostPattern::Exact(name)) => text.push_str(&format!(" on {name}")),
            Some(HostPattern::Suffix(suffix)) => text.push_str(&format!(" on x.{suffix}")),
            Some(HostPattern::Any) | None => {}
        }
        let mut headers: Vec<String> = Vec::new();
        for constraint in route.headers() {
            headers.push(format!(
                "{}: {}",
                constraint.name,
                constraint.test.example()
            ));
        }
        if let (Some(version), crate::engine::routing::route::NO_SEGMENT) =
            (route.version(), route.version_at())
        {
            headers.push(format!("accept-version: {version}"));
        }
        if !headers.is_empty() {
            text.push_str(&format!(" with {}", headers.join(", ")));
        }
        ExampleRequest(text)
    }

    /// All groups, each with its trie.
    fn groups(&self) -> impl Iterator<Item = (&HostTrie, Index)> {
        let tries = self.router.tries().iter();
        tries.flat_map(|trie| self.router.groups(trie).map(move |group| (trie, group)))
    }
}

impl TableError {
    /// The stable dotted code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "route.duplicate",
            Self::Tie { .. } => "route.tie",
            Self::Unreachable { .. } => "route.unreachable",
        }
    }

    /// The routes concerned: both of a conflict, or the unreachable one.
    pub fn routes(&self) -> impl Iterator<Item = RouteId> + use<> {
        let (first, second) = match self {
            Self::Duplicate { first, second, .. } | Self::Tie { first, second, .. } => {
                (*first, Some(*second))
            }
            Self::Unreachable { route, .. } => (*route, None),
        };
        [Some(first), second].into_iter().flatten()
    }
}

/// Entries of one group with equal constraints and precedence.
#[derive(Default)]
struct EqualEntries<'t> {
    /// The first entry of each set of methods and hosts.
    first_of: HashMap<(&'t MethodSet, &'t [HostPattern]), RouteEntry>,
    /// The same entries, in order.
    distinct: Vec<RouteEntry>,
}

/// Each entry paired with those after it.
fn pairs(entries: &[RouteEntry]) -> impl Iterator<Item = (RouteEntry, RouteEntry)> {
    entries.iter().enumerate().flat_map(|(at, a)| {
        let rest = entries.get(at + 1..).unwrap_or_default();
        rest.iter().take(MAX_COMPARED).map(|b| (*a, *b))
    })
}

/// The maximum number of others with which an entry is compared, so that a table of many thousand
/// equal entries is rejected quickly.
const MAX_COMPARED: usize = 256;

fn common_method<'m>(a: &'m MethodSet, b: &'m MethodSet) -> Option<&'m str> {
    match (a, b) {
        (MethodSet::Any, MethodSet::Any) => Some("GET"),
        (MethodSet::Any, MethodSet::Listed(listed))
        | (MethodSet::Listed(listed), MethodSet::Any) => listed.first().map(|method| &**method),
        (MethodSet::Listed(ours), MethodSet::Listed(theirs)) => ours
            .iter()
            .find(|method| theirs.contains(method))
            .map(|method| &**method),
    }
}

fn common_host<'r>(a: &'r Route, b: &'r Route) -> Option<&'r HostPattern> {
    a.hosts().iter().find(|host| b.hosts().contains(host))
}
