//! What is wrong with a table as a whole: routes that say the same, that tie, that can never win.

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

/// A table that shall not be used, with the routes concerned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableError {
    /// Two routes with the same whole match.
    Duplicate {
        /// The one that comes first.
        first: RouteId,
        /// The other.
        second: RouteId,
        /// A request that both match.
        example: ExampleRequest,
    },
    /// Two routes that match some requests alike, where nothing says which goes first.
    Tie {
        /// The one that would win by its values or its name alone.
        first: RouteId,
        /// The other.
        second: RouteId,
        /// A request that both match.
        example: ExampleRequest,
    },
    /// A route that never wins: others before it take all that it matches.
    Unreachable {
        /// The route.
        route: RouteId,
        /// Those that cover it together.
        covered_by: Vec<RouteId>,
        /// A request that it matches and does not get.
        example: ExampleRequest,
    },
}

/// What is worth knowing of a table that may be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableNote {
    /// Two routes of the same rank whose different header or query constraints may both hold.
    Overlap {
        /// The one that wins by its values or its name.
        first: RouteId,
        /// The other.
        second: RouteId,
    },
    /// A derived entry takes paths that a wider declared route would have had.
    DerivedTakes {
        /// The route of the derived entry.
        route: RouteId,
        /// The derived pattern.
        pattern: String,
        /// The wider declared route.
        wider: RouteId,
    },
}

/// A request in words, as an example: `POST /api/users/1 on a.test with X-Tenant: acme`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExampleRequest(String);

impl fmt::Display for ExampleRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Table {
    /// Every route at fault, each clash told once, in the order of the routes.
    #[must_use]
    pub fn faults(&self) -> Vec<TableError> {
        let mut faults = BTreeSet::new();
        let mut reachable = vec![false; self.routes().len()];
        let mut covers: HashMap<Index, Coverage> = HashMap::new();
        for (trie, group) in self.groups() {
            let entries = self.router.entries(group);
            self.clashes(entries, &mut faults);
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
        let told: BTreeSet<RouteId> = faults.iter().flat_map(TableError::routes).collect();
        for (at, _) in reachable
            .iter()
            .enumerate()
            .filter(|(_, reached)| !**reached)
        {
            let route = RouteId(Index::new(at));
            if !told.contains(&route) {
                let covered_by = covers.remove(&route.0).unwrap_or_default().routes();
                let example = self.example(self.route(route.0), None);
                faults.insert(TableError::Unreachable {
                    route,
                    covered_by,
                    example,
                });
            }
        }
        faults.into_iter().collect()
    }

    /// What is worth knowing, at most `limit` notes.
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
                notes.extend(self.taken_by_derived(trie, *entry));
            }
            if notes.len() >= limit {
                break;
            }
        }
        notes.into_iter().take(limit).collect()
    }

    /// Duplicates and ties among the entries of one group, which come sorted: each entry with the
    /// first that it clashes with, so that n alike are told in n - 1 faults.
    fn clashes(&self, entries: &[RouteEntry], faults: &mut BTreeSet<TableError>) {
        for run in self.equal_runs(entries).filter(|run| run.len() > 1) {
            let mut by_constraints: HashMap<_, Alike<'_>> = HashMap::new();
            for entry in run {
                let route = self.route(entry.route);
                let alike = by_constraints.entry((route.headers(), route.query()));
                faults.extend(self.clash_among(alike.or_default(), *entry));
            }
        }
    }

    /// The first clash of an entry with those of equal constraints and rank before it; then it is
    /// one of them.
    fn clash_among<'t>(&'t self, alike: &mut Alike<'t>, entry: RouteEntry) -> Option<TableError> {
        let route = self.route(entry.route);
        match alike.first_of.entry((route.methods(), route.hosts())) {
            Entry::Occupied(same) => self.clash(*same.get(), entry),
            Entry::Vacant(vacant) => {
                vacant.insert(entry);
                let others = alike.distinct.iter().take(MAX_COMPARED);
                let clash = others.copied().find_map(|other| self.clash(other, entry));
                alike.distinct.push(entry);
                clash
            }
        }
    }

    /// The runs of entries that ranks 3 to 5 do not tell apart.
    fn equal_runs<'f>(
        &self,
        entries: &'f [RouteEntry],
    ) -> impl Iterator<Item = &'f [RouteEntry]> + use<'_, 'f> {
        entries.chunk_by(|a, b| self.is_equal_rank(*a, *b))
    }

    /// How two entries of equal constraints and rank clash, if they do.
    fn clash(&self, a: RouteEntry, b: RouteEntry) -> Option<TableError> {
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
            // Two derived entries of one service and version: either will do.
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
        let apart = |ours: &[Constraint], theirs: &[Constraint]| {
            ours.iter().any(|c| {
                theirs
                    .iter()
                    .any(|d| c.name == d.name && c.test.excludes(&d.test))
            })
        };
        (one.headers() != other.headers() || one.query() != other.query())
            && common_method(one.methods(), other.methods()).is_some()
            && !apart(one.headers(), other.headers())
            && !apart(one.query(), other.query())
    }

    fn taken_by_derived(&self, trie: &HostTrie, entry: RouteEntry) -> Option<TableNote> {
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

    /// A request that the route matches.
    fn example(
        &self,
        route: &Route,
        shared: Option<(Option<&HostPattern>, &str)>,
    ) -> ExampleRequest {
        let own_method = || {
            route
                .methods()
                .as_listed()
                .first()
                .map_or("GET", |method| &**method)
        };
        let (host, method) = shared.unwrap_or_else(|| (route.hosts().first(), own_method()));
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

    /// Every group, with the trie that leads to it.
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

    /// The routes at fault: both of a clash, the one that is never reached.
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

/// Entries of one group with equal constraints and rank.
#[derive(Default)]
struct Alike<'t> {
    /// The first of each set of methods and hosts.
    first_of: HashMap<(&'t MethodSet, &'t [HostPattern]), RouteEntry>,
    /// The same, in order.
    distinct: Vec<RouteEntry>,
}

/// Each entry with those after it.
fn pairs(entries: &[RouteEntry]) -> impl Iterator<Item = (RouteEntry, RouteEntry)> {
    entries.iter().enumerate().flat_map(|(at, a)| {
        let rest = entries.get(at + 1..).unwrap_or_default();
        rest.iter().take(MAX_COMPARED).map(|b| (*a, *b))
    })
}

/// With how many others an entry is compared at most, so that a table of many thousand alike is told
/// off soon.
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
