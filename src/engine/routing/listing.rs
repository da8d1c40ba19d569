//! A listing of the compiled table, for people and tools.
//!
//! It is in the order of precedence: hosts, then patterns, and within one pattern the order for
//! requests that state no version. For a request that states one, the routes of that version come
//! first within their pattern.

use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::host::HostPattern;
use crate::engine::routing::pattern::PathPattern;
use crate::engine::routing::route::{NO_SEGMENT, Route};
use crate::engine::routing::router::pattern_of;
use crate::engine::routing::table::{RouteId, Table};
use crate::engine::routing::version::ApiVersion;

/// A route entry: a route, one of its host patterns, and a pattern through which it is reached.
#[derive(Clone, Debug)]
pub struct ListedEntry<'t> {
    /// The host pattern.
    pub host: &'t HostPattern,
    /// The declared or derived pattern.
    pub pattern: PathPattern,
    /// Whether the pattern is derived within a family of versions.
    pub is_derived: bool,
    /// The id of the route.
    pub route_id: RouteId,
    /// The route.
    pub route: &'t Route,
    /// The version; `None` if the route is neutral.
    pub version: Option<ApiVersion>,
    /// Whether the pattern states the version.
    pub path_states_version: bool,
}

impl Table {
    /// The entries of all routes, in the order of precedence.
    ///
    /// A route occurs once for each of its host patterns and patterns.
    #[must_use]
    pub fn listing(&self) -> Vec<ListedEntry<'_>> {
        let mut listing = Vec::new();
        for trie in self.router.tries() {
            let mut groups: Vec<Vec<ListedEntry<'_>>> = self
                .router
                .groups(trie)
                .map(|group| self.router.entries(group))
                .map(|entries| entries.iter().map(|entry| self.listed(&trie.host, *entry)))
                .map(Iterator::collect)
                .collect();
            groups.sort_by_cached_key(|entries| {
                entries.first().map(|entry| SortKey::of(&entry.pattern))
            });
            listing.extend(groups.into_iter().flatten());
        }
        listing
    }

    fn listed<'t>(&'t self, host: &'t HostPattern, entry: RouteEntry) -> ListedEntry<'t> {
        let route = self.route(entry.route);
        ListedEntry {
            host,
            pattern: pattern_of(entry, route),
            is_derived: entry.is_derived(),
            route_id: RouteId(entry.route),
            route,
            version: entry.version,
            path_states_version: entry.version.is_some() && entry.version_at != NO_SEGMENT,
        }
    }
}

/// Orders patterns by precedence; those of equal precedence, which no path can both match, by text.
#[derive(PartialEq, Eq)]
struct SortKey {
    pattern: PathPattern,
    shape: String,
}

impl SortKey {
    fn of(pattern: &PathPattern) -> Self {
        Self {
            shape: pattern.shape(),
            pattern: pattern.clone(),
        }
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_rank = self.pattern.cmp_rank(&other.pattern);
        by_rank.then_with(|| self.shape.cmp(&other.shape))
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
