//! The order of precedence: total, and independent of the order in the configuration.
//!
//! Of all routes that match a request, the first in this order wins:
//!
//! 1. host: exact, then the longest suffix, then any;
//! 2. path, segment by segment: literal, parameter, end of an exact pattern, `*`;
//! 3. version: the stated one, then neutral; if none is stated, as `versioning.default` says;
//! 4. methods: fewer methods first, any method last;
//! 5. more header constraints, then more query constraints;
//! 6. fewer hosts, the sorted values, the name: these only make the order total.
//!
//! The router applies rules 1 and 2: it visits hosts and groups in their order. This module orders
//! the entries of one group.

use std::cmp::{Ordering, Reverse};

use crate::engine::routing::entry::RouteEntry;
use crate::engine::routing::route::Route;
use crate::engine::routing::versioning::DefaultVersion;

/// The rule by which one of two candidates precedes the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// A more specific host.
    Host,
    /// A more specific path.
    Path,
    /// The stated version, or the default version if none is stated.
    Version,
    /// A declared pattern before a derived one.
    Declared,
    /// Fewer methods.
    Methods,
    /// More header constraints.
    Headers,
    /// More query constraints.
    Query,
    /// Only the sorted values and the name.
    Name,
}

impl Rank {
    /// The stable name of the rule.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Path => "path",
            Self::Version => "version",
            Self::Declared => "declared",
            Self::Methods => "methods",
            Self::Headers => "headers",
            Self::Query => "query",
            Self::Name => "name",
        }
    }

    /// The rule in words, as in "ranks lower: …".
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Host => "the winner's host is more specific",
            Self::Path => "the winner's path is more specific",
            Self::Version => "the winner's version takes precedence",
            Self::Declared => "the winner's pattern is declared, this one is derived",
            Self::Methods => "the winner lists fewer methods",
            Self::Headers => "the winner has more header constraints",
            Self::Query => "the winner has more query constraints",
            Self::Name => "the two differ only in values and names",
        }
    }
}

/// Orders two entries of one group, for requests that state no version.
pub(crate) fn compare(
    a: (RouteEntry, &Route),
    b: (RouteEntry, &Route),
    default: DefaultVersion,
) -> Ordering {
    by_version(a.0, b.0, default)
        .then_with(|| decide(a, b).1)
        .then_with(|| a.1.hosts().len().cmp(&b.1.hosts().len()))
        .then_with(|| values(a.1).cmp(&values(b.1)))
        .then_with(|| a.1.name().cmp(&b.1.name()))
        .then_with(|| a.0.version_at.cmp(&b.0.version_at))
}

/// The first rule that distinguishes two entries of the same version, and their order: declared
/// before derived, then rules 4 and 5. [`Rank::Name`] and `Equal` if none does; then the two tie
/// unless their methods or hosts are disjoint.
pub(crate) fn decide(a: (RouteEntry, &Route), b: (RouteEntry, &Route)) -> (Rank, Ordering) {
    let rules = [
        (Rank::Declared, a.0.is_derived().cmp(&b.0.is_derived())),
        (
            Rank::Methods,
            a.1.methods().count().cmp(&b.1.methods().count()),
        ),
        (
            Rank::Headers,
            Reverse(a.1.headers().len()).cmp(&Reverse(b.1.headers().len())),
        ),
        (
            Rank::Query,
            Reverse(a.1.query().len()).cmp(&Reverse(b.1.query().len())),
        ),
    ];
    let first = rules
        .into_iter()
        .find(|(_, order)| *order != Ordering::Equal);
    first.unwrap_or((Rank::Name, Ordering::Equal))
}

fn by_version(a: RouteEntry, b: RouteEntry, default: DefaultVersion) -> Ordering {
    let class = a.unstated_class();
    let newest_first = default == DefaultVersion::Newest && class > 0;
    let versions = a.version.cmp(&b.version);
    let versions = if newest_first {
        versions.reverse()
    } else {
        versions
    };
    class.cmp(&b.unstated_class()).then(versions)
}

fn values(route: &Route) -> impl Ord {
    (
        route.methods(),
        route.headers(),
        route.query(),
        route.hosts(),
    )
}
