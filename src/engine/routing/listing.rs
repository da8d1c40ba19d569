//! The compiled table as a list, for people and for tools that read it.
//!
//! It follows the order of precedence: hosts by their rank, patterns in the order in which a path
//! tries them, and within one pattern the order of a request that states no version. A request
//! that states one moves the routes of that version to the front of their pattern.

use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::host::HostPattern;
use crate::engine::routing::pattern::PathPattern;
use crate::engine::routing::route::{NO_SEGMENT, Route};
use crate::engine::routing::router::pattern_of;
use crate::engine::routing::table::{RouteId, Table};
use crate::engine::routing::version::ApiVersion;

/// One shape under which a route can be reached, at one host pattern.
#[derive(Clone, Debug)]
pub struct ListedForm<'t> {
    /// The host that it is filed under.
    pub host: &'t HostPattern,
    /// The pattern that paths must match.
    pub pattern: PathPattern,
    /// Whether the pattern is derived within a family of versions, not declared.
    pub derived: bool,
    /// The number of the route.
    pub route_id: RouteId,
    /// The route.
    pub route: &'t Route,
    /// The version that it serves; none if it is neutral.
    pub version: Option<ApiVersion>,
    /// Whether the pattern itself states that version.
    pub path_states_version: bool,
}

impl Table {
    /// Every entry of every route, in the order of precedence.
    ///
    /// A route stands there once for each of its hosts and patterns.
    #[must_use]
    pub fn listing(&self) -> Vec<ListedForm<'_>> {
        let mut listing = Vec::new();
        for trie in self.router.tries() {
            let mut groups: Vec<Vec<ListedForm<'_>>> = self
                .router
                .groups(trie)
                .map(|group| self.router.entries(group))
                .map(|entries| entries.iter().map(|entry| self.listed(&trie.host, *entry)))
                .map(Iterator::collect)
                .collect();
            groups.sort_by_cached_key(|entries| {
                entries.first().map(|entry| Place::of(&entry.pattern))
            });
            listing.extend(groups.into_iter().flatten());
        }
        listing
    }

    fn listed<'t>(&'t self, host: &'t HostPattern, entry: RouteEntry) -> ListedForm<'t> {
        let route = self.route(entry.route);
        ListedForm {
            host,
            pattern: pattern_of(entry, route),
            derived: entry.is_derived(),
            route_id: RouteId(entry.route),
            route,
            version: entry.version,
            path_states_version: entry.version.is_some() && entry.version_at != NO_SEGMENT,
        }
    }
}

/// Orders patterns as a path tries them; those of equal rank, which no path tries both of, by text.
#[derive(PartialEq, Eq)]
struct Place {
    pattern: PathPattern,
    shape: String,
}

impl Place {
    fn of(pattern: &PathPattern) -> Self {
        Self {
            shape: pattern.shape(),
            pattern: pattern.clone(),
        }
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_rank = self.pattern.cmp_rank(&other.pattern);
        by_rank.then_with(|| self.shape.cmp(&other.shape))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
