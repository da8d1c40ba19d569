//! All forms of all routes: the declared one for each host, and those that families derive.

use std::collections::BTreeSet;

use crate::reference::constraints::host_matches;
use crate::reference::model::{Request, Route, Table};
use crate::reference::pattern::Pattern;
use crate::reference::version::Version;

/// One way in: a host pattern and a path pattern that lead to a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form<'t> {
    pub(crate) route: &'t Route,
    /// The route's own pattern, which the backend sees.
    pub(crate) declared: Pattern,
    /// `None`: any host.
    pub(crate) host: Option<&'t str>,
    pub(crate) pattern: Pattern,
    /// The route's version.
    pub(crate) version: Option<Version>,
    /// Whether the pattern of this form states that version.
    pub(crate) version_in_path: bool,
    pub(crate) derived: bool,
}

impl Form<'_> {
    /// Whether host and path match; nothing else is looked at.
    pub(crate) fn covers(&self, request: &Request) -> bool {
        host_matches(self.host, request) && self.pattern.matches(&request.path)
    }

    /// Whether both stand at the same host pattern and path pattern.
    pub(crate) fn same_group(&self, other: &Self) -> bool {
        self.host == other.host && self.same_pattern(other)
    }

    pub(crate) fn same_pattern(&self, other: &Self) -> bool {
        self.pattern.shape() == other.pattern.shape()
    }
}

/// A route with its pattern read.
#[derive(Debug)]
struct Declared<'t> {
    route: &'t Route,
    pattern: Pattern,
    version: Option<Version>,
    /// The place of the version segment, unless it is plain text.
    position: Option<usize>,
    /// The pattern without its version segment.
    base: Pattern,
}

/// The forms of every route of the table.
pub(crate) fn expand(table: &Table) -> Vec<Form<'_>> {
    let path_counts = table.versioning.reads("path");
    let all: Vec<Declared<'_>> = table
        .routes
        .iter()
        .map(|route| declare(route, path_counts))
        .collect();
    let mut forms = Vec::new();
    for one in &all {
        push_forms(&mut forms, one, &one.pattern, one.position.is_some(), false);
        if table.versioning.derives() {
            for (pattern, in_path) in derived_patterns(one, &all) {
                push_forms(&mut forms, one, &pattern, in_path, true);
            }
        }
    }
    forms
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

/// The patterns that a route's family derives for it, and whether each states the version.
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

fn push_forms<'t>(
    forms: &mut Vec<Form<'t>>,
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
        forms.push(Form {
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
