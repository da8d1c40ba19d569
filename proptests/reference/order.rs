//! The total order of forms: which of two is tried first.

use std::cmp::{Ordering, Reverse};

use crate::reference::constraints::host_rank;
use crate::reference::forms::Form;
use crate::reference::model::Constraint;
use crate::reference::version::Version;

/// What the order depends on besides the forms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    /// The version that the headers state.
    pub(crate) stated: Option<Version>,
    /// The version that `Accept` prefers in this group; only where none is stated.
    pub(crate) preferred: Option<Version>,
    pub(crate) newest_first: bool,
}

/// Where a form stands in its group by its version alone (rank 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Stated,
    Preferred,
    Neutral,
    Declared,
    Derived,
    Failing,
}

pub(crate) fn class(form: &Form<'_>, said: &Said) -> Class {
    let Some(version) = &form.version else {
        return Class::Neutral;
    };
    match &said.stated {
        Some(stated) if stated == version => Class::Stated,
        Some(_) => Class::Failing,
        None if form.version_in_path => Class::Stated,
        None if said.preferred.as_ref() == Some(version) => Class::Preferred,
        None if form.derived => Class::Derived,
        None => Class::Declared,
    }
}

/// The whole order, ranks 1 to 6. Equal only for a form and itself.
pub(crate) fn compare(left: &Form<'_>, right: &Form<'_>, said: &Said) -> Ordering {
    compare_group(left, right)
        .then_with(|| compare_to_rank_5(left, right, said))
        .then_with(|| compare_rank_6(left, right))
}

/// Ranks 1 and 2. Groups that cannot meet at one request are ordered by their text.
pub(crate) fn compare_group(left: &Form<'_>, right: &Form<'_>) -> Ordering {
    host_rank(left.host)
        .cmp(&host_rank(right.host))
        .then_with(|| left.pattern.rank().cmp(&right.pattern.rank()))
        .then_with(|| left.host.cmp(&right.host))
        .then_with(|| left.pattern.shape().cmp(&right.pattern.shape()))
}

/// Ranks 3 to 5, for forms of one group.
pub(crate) fn compare_to_rank_5(left: &Form<'_>, right: &Form<'_>, said: &Said) -> Ordering {
    let class_of_left = class(left, said);
    let by_default = matches!(class_of_left, Class::Declared | Class::Derived);
    let by_version = left.version.cmp(&right.version);
    let by_version = if by_default && said.newest_first {
        by_version.reverse()
    } else {
        by_version
    };
    class_of_left
        .cmp(&class(right, said))
        .then(by_version)
        .then_with(|| left.derived.cmp(&right.derived))
        .then_with(|| methods_count(left).cmp(&methods_count(right)))
        .then_with(|| Reverse(left.route.headers.len()).cmp(&Reverse(right.route.headers.len())))
        .then_with(|| Reverse(left.route.query.len()).cmp(&Reverse(right.route.query.len())))
}

/// Fewer hosts, then the sorted values, then the name.
fn compare_rank_6(left: &Form<'_>, right: &Form<'_>) -> Ordering {
    let key = |form: &Form<'_>| {
        let route = form.route;
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

fn methods_count(form: &Form<'_>) -> usize {
    match form.route.methods.len() {
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

/// The constraints in their order; header names go without case.
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
