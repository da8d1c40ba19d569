//! Route entries: the patterns through which a route can be reached.
//!
//! Each route has an entry for its declared pattern. Within a family of versions it also has
//! entries for derived patterns: `/api/v2/users/*` is reached through `/api/users/*` with
//! `Accept-Version: v2`, and its sibling `/api/users/*` (v1) through `/api/v1/users/*`.

use std::collections::{BTreeSet, HashMap};

use crate::engine::routing::index::Index;
use crate::engine::routing::method::MethodMask;
use crate::engine::routing::pattern::PathPattern;
use crate::engine::routing::route::{NO_SEGMENT, Route};
use crate::engine::routing::version::ApiVersion;
use crate::engine::routing::versioning::Versioning;

/// A pattern through which a route can be reached: 16 bytes, which the hot path reads.
///
/// The entries of one host and pattern form a group. They are adjacent and in the order of
/// precedence; the index of the first one identifies the group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RouteEntry {
    pub(crate) route: Index,
    pub(crate) version: Option<ApiVersion>,
    pub(crate) methods: MethodMask,
    /// The index of the pattern segment that states the version; [`NO_SEGMENT`] if none does.
    pub(crate) version_at: u16,
    flags: u8,
}

impl RouteEntry {
    const DERIVED: u8 = 1;
    const CONSTRAINED: u8 = 1 << 1;
    const ENDS_GROUP: u8 = 1 << 2;
    const IN_VERSIONED_GROUP: u8 = 1 << 3;
    const IN_AMBIGUOUS_GROUP: u8 = 1 << 4;

    fn new(at: Index, route: &Route, version_at: u16, derived: bool) -> Self {
        let mut flags = if derived { Self::DERIVED } else { 0 };
        if route.is_constrained() {
            flags |= Self::CONSTRAINED;
        }
        Self {
            route: at,
            version: route.version(),
            methods: route.methods().mask(),
            version_at,
            flags,
        }
    }

    /// Whether the pattern is derived within a family of versions.
    pub(crate) const fn is_derived(self) -> bool {
        self.flags & Self::DERIVED != 0
    }

    /// Whether the route has header or query constraints.
    pub(crate) const fn is_constrained(self) -> bool {
        self.flags & Self::CONSTRAINED != 0
    }

    /// Whether the entry is the last one of its group.
    pub(crate) const fn ends_group(self) -> bool {
        self.flags & Self::ENDS_GROUP != 0
    }

    /// Whether an entry of the group has a version, so that the version in the headers matters.
    pub(crate) const fn is_in_versioned_group(self) -> bool {
        self.flags & Self::IN_VERSIONED_GROUP != 0
    }

    /// The version that the path states if this entry matches.
    pub(crate) fn stated_by_path(self) -> Option<ApiVersion> {
        self.version.filter(|_| self.version_at != NO_SEGMENT)
    }

    /// The order of the entries of one group if the headers state no version: 0 if the path states
    /// it, 1 for neutral, 2 for declared, 3 for derived entries.
    pub(crate) fn unstated_class(self) -> u8 {
        match (self.version, self.version_at != NO_SEGMENT) {
            (_, true) => 0,
            (None, _) => 1,
            (Some(_), false) if self.is_derived() => 3,
            (Some(_), false) => 2,
        }
    }

    /// Whether the entry rejects requests that state no version if `versioning.default` is
    /// `require`. A declared entry that is the only version of its group serves them.
    pub(crate) fn is_rejected_unstated(self) -> bool {
        match self.unstated_class() {
            2 => self.flags & Self::IN_AMBIGUOUS_GROUP != 0,
            3 => true,
            _ => false,
        }
    }
}

/// Sets the flags that depend on the whole group, which is in the order of precedence.
pub(crate) fn mark_group(group: &mut [RouteEntry]) {
    let mut plain = group.iter().filter(|entry| entry.unstated_class() == 2);
    let first = plain.next().map(|entry| entry.version);
    let mut flags = 0;
    if plain.any(|entry| Some(entry.version) != first) {
        flags |= RouteEntry::IN_AMBIGUOUS_GROUP;
    }
    if group.iter().any(|entry| entry.version.is_some()) {
        flags |= RouteEntry::IN_VERSIONED_GROUP;
    }
    for entry in &mut *group {
        entry.flags |= flags;
    }
    if let Some(last) = group.last_mut() {
        last.flags |= RouteEntry::ENDS_GROUP;
    }
}

/// An entry with its pattern, before it is assigned to a host and a group.
#[derive(Debug)]
pub(crate) struct EntryPattern {
    pub(crate) entry: RouteEntry,
    /// `None` if the pattern is the declared one of the route.
    pub(crate) derived: Option<PathPattern>,
}

impl EntryPattern {
    pub(crate) fn pattern<'p>(&'p self, route: &'p Route) -> &'p PathPattern {
        self.derived.as_ref().unwrap_or_else(|| route.pattern())
    }
}

/// The entries of all routes: the declared ones first, in the order of the routes.
pub(crate) fn entries(routes: &[Route], versioning: &Versioning) -> Vec<EntryPattern> {
    let mut entries: Vec<EntryPattern> = routes
        .iter()
        .enumerate()
        .map(|(at, route)| EntryPattern {
            entry: RouteEntry::new(Index::new(at), route, route.version_at(), false),
            derived: None,
        })
        .collect();
    if versioning.derives() {
        for family in families(routes) {
            family.derive(routes, &mut entries);
        }
    }
    entries
}

/// Routes of one service whose patterns are equal without their version segment.
struct Family {
    base: PathPattern,
    members: Vec<Index>,
}

fn families(routes: &[Route]) -> Vec<Family> {
    let mut by_base: HashMap<(Index, Box<str>), usize> = HashMap::new();
    let mut families: Vec<Family> = Vec::new();
    for (at, route) in routes
        .iter()
        .enumerate()
        .filter(|(_, route)| route.version().is_some() && !route.is_redirect())
    {
        let base = match route.version_at() {
            NO_SEGMENT => Some(route.pattern().clone()),
            segment => route.pattern().without_segment(segment.into()),
        };
        // `/v1` without its version segment would be empty.
        let Some(base) = base else { continue };
        let key = (route.service_id, base.shape().into());
        let family = *by_base.entry(key).or_insert_with(|| {
            families.push(Family {
                base,
                members: Vec::new(),
            });
            families.len() - 1
        });
        if let Some(family) = families.get_mut(family) {
            family.members.push(Index::new(at));
        }
    }
    families
}

impl Family {
    fn derive(&self, routes: &[Route], entries: &mut Vec<EntryPattern>) {
        let member = |at: &Index| routes.get(at.get()).map(|route| (*at, route));
        let members = || self.members.iter().filter_map(member);
        let versions: BTreeSet<_> = members().map(|(_, route)| route.version()).collect();
        if versions.len() < 2 {
            return;
        }
        let positions: BTreeSet<u16> = members()
            .map(|(_, route)| route.version_at())
            .filter(|at| *at != NO_SEGMENT)
            .collect();
        if positions.is_empty() {
            return;
        }
        for (at, route) in members() {
            let numbered = route.version().filter(|version| version.is_number());
            let by_path = positions.iter().filter_map(|position| {
                let pattern = self
                    .base
                    .with_segment((*position).into(), &numbered?.to_string());
                Some((*position, pattern))
            });
            for (version_at, pattern) in by_path.chain([(NO_SEGMENT, self.base.clone())]) {
                if version_at != route.version_at() {
                    entries.push(EntryPattern {
                        entry: RouteEntry::new(at, route, version_at, true),
                        derived: Some(pattern),
                    });
                }
            }
        }
    }
}
