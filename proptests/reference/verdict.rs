//! Whether a table loads: it has no duplicates, no ties and no routes that never win.

use std::collections::BTreeSet;

use crate::reference::entries::{Entry, expand, version_of};
use crate::reference::model::{Diagnostic, Route, Table};
use crate::reference::order::{StatedVersions, compare_to_rank_5, sorted, sorted_constraints};
use crate::reference::pattern::Pattern;
use crate::reference::universe::winning;

/// The errors of a well-formed table; empty if it loads.
pub(crate) fn errors(table: &Table) -> Vec<Diagnostic> {
    let mut errors = overlaps(table);
    for (index, wins) in winning(table).into_iter().enumerate() {
        if !wins {
            errors.push(error("route.unreachable", index));
        }
    }
    errors
}

/// Duplicates and ties, each at the later route.
pub(crate) fn overlaps(table: &Table) -> Vec<Diagnostic> {
    let entries = expand(table);
    let mut errors = Vec::new();
    for (index, later) in table.routes.iter().enumerate() {
        let earlier = table.routes.iter().take(index);
        if earlier
            .clone()
            .any(|earlier| is_same_match(earlier, later, table))
        {
            errors.push(error("route.duplicate", index));
        } else if earlier
            .clone()
            .any(|earlier| is_tie(earlier, later, &entries))
        {
            errors.push(error("route.tie", index));
        }
    }
    errors
}

/// Whether the whole match is equal: hosts, pattern, version, methods, headers and query.
pub(crate) fn is_same_match(left: &Route, right: &Route, table: &Table) -> bool {
    Pattern::parse(&left.pattern).shape() == Pattern::parse(&right.pattern).shape()
        && version_of(left, table) == version_of(right, table)
        && sorted(&left.hosts) == sorted(&right.hosts)
        && sorted(&left.methods) == sorted(&right.methods)
        && same_constraints(left, right)
}

/// Whether two entries are equal through rank 5 and overlap, and neither route is a subset.
fn is_tie(left: &Route, right: &Route, entries: &[Entry<'_>]) -> bool {
    let of = |route: &Route| {
        let name = route.name.clone();
        entries.iter().filter(move |entry| entry.route.name == name)
    };
    let equal = |one: &Entry<'_>, other: &Entry<'_>| {
        one.same_group(other)
            && one.version_in_path == other.version_in_path
            && compare_to_rank_5(one, other, &StatedVersions::default()).is_eq()
    };
    let methods = (set(&left.methods), set(&right.methods));
    let hosts = (set(&left.hosts), set(&right.hosts));
    let methods_overlap = methods.0 == methods.1 || !methods.0.is_disjoint(&methods.1);
    let left_in_right = methods.0.is_subset(&methods.1) && hosts.0.is_subset(&hosts.1);
    let right_in_left = methods.1.is_subset(&methods.0) && hosts.1.is_subset(&hosts.0);
    methods_overlap
        && same_constraints(left, right)
        && !left_in_right
        && !right_in_left
        && of(left).any(|one| of(right).any(|other| equal(one, other)))
}

fn same_constraints(left: &Route, right: &Route) -> bool {
    sorted_constraints(&left.headers, true) == sorted_constraints(&right.headers, true)
        && sorted_constraints(&left.query, false) == sorted_constraints(&right.query, false)
}

fn set(values: &[String]) -> BTreeSet<&String> {
    values.iter().collect()
}

fn error(code: &str, route: usize) -> Diagnostic {
    Diagnostic {
        code: code.to_owned(),
        route: Some(route),
    }
}
