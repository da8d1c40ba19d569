//! The total order of entries.

use std::cmp::{Ordering, Reverse};

use crate::reference::constraints::host_rank;
use crate::reference::entries::Entry;
use crate::reference::model::Constraint;
use crate::reference::version::Version;

/// What the order depends on besides the entries: the versions that a request states or prefers.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatedVersions {
    /// The version that the headers state.
    pub(crate) by_header: Option<Version>,
    /// The version that `Accept` prefers in this group, if the headers state none.
    pub(crate) preferred: Option<Version>,
    pub(crate) newest_first: bool,
}

/// The position of an entry in its group by its version alone (rank 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Stated,
    Preferred,
    Neutral,
    Declared,
    Derived,
    Failing,
}

pub(crate) fn class(entry: &Entry<'_>, stated: &StatedVersions) -> Class {
    let Some(version) = &entry.version else {
        return Class::Neutral;
    };
    match &stated.by_header {
        Some(stated) if stated == version => Class::Stated,
        Some(_) => Class::Failing,
        None if entry.version_in_path => Class::Stated,
        None if stated.preferred.as_ref() == Some(version) => Class::Preferred,
        None if entry.derived => Class::Derived,
        None => Class::Declared,
    }
}

/// The whole order, ranks 1 to 6. Only an entry and itself are equal.
pub(crate) fn compare(left: &Entry<'_>, right: &Entry<'_>, stated: &StatedVersions) -> Ordering {
    compare_group(left, right)
        .then_with(|| compare_to_rank_5(left, right, stated))
        .then_with(|| compare_rank_6(left, right))
}

/// Ranks 1 and 2. Groups that cannot match the same request are ordered by their text.
pub(crate) fn compare_group(left: &Entry<'_>, right: &Entry<'_>) -> Ordering {
    host_rank(left.host)
        .cmp(&host_rank(right.host))
        .then_with(|| left.pattern.rank().cmp(&right.pattern.rank()))
        .then_with(|| left.host.cmp(&right.host))
        .then_with(|| left.pattern.shape().cmp(&right.pattern.shape()))
}

/// Ranks 3 to 5, for entries of one group.
pub(crate) fn compare_to_rank_5(
    left: &Entry<'_>,
    right: &Entry<'_>,
    stated: &StatedVersions,
) -> Ordering {
    let class_of_left = class(left, stated);
    let by_default = matches!(class_of_left, Class::Declared | Class::Derived);
    let by_version = left.version.cmp(&right.version);
    let by_version = if by_default && stated.newest_first {
        by_version.reverse()
    } else {
        by_version
    };
    class_of_left
        .cmp(&class(right, stated))
        .then(by_version)
        .then_with(|| left.derived.cmp(&right.derived))
        .then_with(|| methods_count(left).cmp(&methods_count(right)))
        .then_with(|| Reverse(left.route.headers.len()).cmp(&Reverse(right.route.headers.len())))
        .then_with(|| Reverse(left.route.query.len()).cmp(&Reverse(right.route.query.len())))
}

/// Fewer hosts, then the sorted values, then the name.
fn compare_rank_6(left: &Entry<'_>, right: &Entry<'_>) -> Ordering {
    let key = |entry: &Entry<'_>| {
        let route = entry.route;
        let values = (
            sorted(&route.methods),
            sorted_constraints(&route.headers, true),
            sorted_constraints(&route.query, false),
            sorted(&route.hosts),
        );
        (route.hosts.len(), values, route.name.clone())
    };
    key(left).cmp(&key(right))
}

fn methods_count(entry: &Entry<'_>) -> usize {
    match entry.route.methods.len() {
        0 => usize::MAX,
        count => count,
    }
}

/// The values in their order; two lists of the same values are equal.
pub(crate) fn sorted(values: &[String]) -> Vec<String> {
    let mut values = values.to_vec();
    values.sort();
    values
}

/// The constraints in their order; header names are compared without case.
pub(crate) fn sorted_constraints(
    constraints: &[(String, Constraint)],
    caseless: bool,
) -> Vec<(String, Constraint)> {
    let mut constraints = constraints.to_vec();
    if caseless {
        for (name, _) in &mut constraints {
            name.make_ascii_lowercase();
        }
    }
    constraints.sort();
    constraints
}
