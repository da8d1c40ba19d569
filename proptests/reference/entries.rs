//! The entries of all routes: the declared one for each host, and those derived within families.

use std::collections::BTreeSet;

use crate::reference::constraints::host_matches;
use crate::reference::model::{Request, Route, Table};
use crate::reference::pattern::Pattern;
use crate::reference::version::Version;

/// A host pattern and a path pattern through which a route is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry<'t> {
    pub(crate) route: &'t Route,
    /// The declared pattern of the route, to which the path is rewritten.
    pub(crate) declared: Pattern,
    /// `None`: any host.
    pub(crate) host: Option<&'t str>,
    pub(crate) pattern: Pattern,
    /// The route's version.
    pub(crate) version: Option<Version>,
    /// Whether the pattern of this entry states that version.
    pub(crate) version_in_path: bool,
    pub(crate) derived: bool,
}

impl Entry<'_> {
    /// Whether host and path match.
    pub(crate) fn covers(&self, request: &Request) -> bool {
        host_matches(self.host, request) && self.pattern.matches(&request.path)
    }

    /// Whether both have the same host pattern and path pattern.
    pub(crate) fn same_group(&self, other: &Self) -> bool {
        self.host == other.host && self.same_pattern(other)
    }

    pub(crate) fn same_pattern(&self, other: &Self) -> bool {
        self.pattern.shape() == other.pattern.shape()
    }
}

/// A route with its parsed pattern.
#[derive(Debug)]
struct Declared<'t> {
    route: &'t Route,
    pattern: Pattern,
    version: Option<Version>,
    /// The index of the version segment; `None` if no segment states the version.
    position: Option<usize>,
    /// The pattern without its version segment.
    base: Pattern,
}

/// The entries of every route of the table.
pub(crate) fn expand(table: &Table) -> Vec<Entry<'_>> {
    let path_counts = table.versioning.reads("path");
    let all: Vec<Declared<'_>> = table
        .routes
        .iter()
        .map(|route| declare(route, path_counts))
        .collect();
    let mut entries = Vec::new();
    for one in &all {
        push_entries(
            &mut entries,
            one,
            &one.pattern,
            one.position.is_some(),
            false,
        );
        if table.versioning.derives() {
            for (pattern, in_path) in derived_patterns(one, &all) {
                push_entries(&mut entries, one, &pattern, in_path, true);
            }
        }
    }
    entries
}

/// The version of a route: its field, else its version segment.
pub(crate) fn version_of(route: &Route, table: &Table) -> Option<Version> {
    declare(route, table.versioning.reads("path")).version
}

fn declare(route: &Route, path_counts: bool) -> Declared<'_> {
    let pattern = Pattern::parse(&route.pattern);
    let field = route.version.as_deref().and_then(Version::parse);
    let segment = pattern.version_segment().filter(|_| path_counts);
    // Where field and segment differ, the segment is plain text.
    let segment =
        segment.filter(|(_, version)| field.as_ref().is_none_or(|field| field == version));
    let position = segment.as_ref().map(|(index, _)| *index);
    let base = position.map_or_else(|| pattern.clone(), |index| pattern.without(index));
    Declared {
        route,
        version: field.or(segment.map(|(_, version)| version)),
        position,
        base,
        pattern,
    }
}

/// The derived patterns of a route, and whether each of them states the version.
fn derived_patterns(one: &Declared<'_>, all: &[Declared<'_>]) -> Vec<(Pattern, bool)> {
    let Some(version) = &one.version else {
        return vec![];
    };
    let family: Vec<&Declared<'_>> = all
        .iter()
        .filter(|other| other.version.is_some())
        .filter(|other| other.route.service == one.route.service)
        .filter(|other| other.base.shape() == one.base.shape())
        .collect();
    let versions: BTreeSet<_> = family
        .iter()
        .filter_map(|member| member.version.clone())
        .collect();
    let positions: BTreeSet<_> = family.iter().filter_map(|member| member.position).collect();
    if versions.len() < 2 || positions.is_empty() {
        return vec![];
    }
    let mut patterns = vec![(one.base.clone(), false)];
    if let Some(segment) = version.segment() {
        for position in positions {
            patterns.push((one.base.with_literal(position, &segment), true));
        }
    }
    patterns.retain(|(pattern, _)| *pattern != one.pattern);
    patterns.dedup();
    patterns
}

fn push_entries<'t>(
    entries: &mut Vec<Entry<'t>>,
    one: &Declared<'t>,
    pattern: &Pattern,
    version_in_path: bool,
    derived: bool,
) {
    let mut hosts: Vec<Option<&str>> = one
        .route
        .hosts
        .iter()
        .map(|host| Some(host.as_str()))
        .collect();
    if hosts.is_empty() {
        hosts.push(None);
    }
    for host in hosts {
        entries.push(Entry {
            route: one.route,
            declared: one.pattern.clone(),
            host,
            pattern: pattern.clone(),
            version: one.version.clone(),
            version_in_path,
            derived,
        });
    }
}
