//! The decision by brute force: expand, filter, sort, walk.

use crate::reference::constraints::{headers_match, method_listed, query_matches};
use crate::reference::entries::{Entry, expand};
use crate::reference::model::{Outcome, Request, Strip, Table};
use crate::reference::order::{Class, StatedVersions, class, compare, compare_group};
use crate::reference::pattern::{join, split};
use crate::reference::version::{Version, preferred_by_accept, stated_by_header};

/// The outcome of a request.
pub(crate) fn decide(table: &Table, request: &Request) -> Outcome {
    decide_among(&expand(table), table, request)
}

/// [`decide`] with the table's entries already expanded.
pub(crate) fn decide_among(entries: &[Entry<'_>], table: &Table, request: &Request) -> Outcome {
    match resolve(entries, table, request) {
        Ok((entry, upstream_path)) => Outcome::Hit {
            route: entry.route.name.clone(),
            version: entry.version.as_ref().map(Version::to_string),
            upstream_path,
        },
        Err(Rejection::Other(code, versions)) => rejected(code, vec![], &versions),
        Err(Rejection::Method(methods)) => {
            let mut allow = methods;
            let mut is_slash_rejected = false;
            allow.retain(|method| {
                let other = Request {
                    method: method.clone(),
                    ..request.clone()
                };
                let resolved = resolve(entries, table, &other);
                is_slash_rejected |=
                    matches!(resolved, Err(Rejection::Other("path.encoded_slash", _)));
                resolved.is_ok()
            });
            if allow.is_empty() && is_slash_rejected {
                return rejected("path.encoded_slash", allow, &[]);
            }
            allow.sort();
            allow.dedup();
            rejected("method.not_allowed", allow, &[])
        }
    }
}

/// All entries whose host and path match, in the total order.
pub(crate) fn matching<'t>(table: &'t Table, request: &Request) -> Vec<Entry<'t>> {
    let groups = groups(&expand(table), request);
    let mut stated = StatedVersions {
        newest_first: table.versioning.newest_first(),
        ..StatedVersions::default()
    };
    let mut ordered = Vec::new();
    for group in groups {
        if group.iter().any(|entry| entry.version.is_some()) {
            stated.by_header = stated_by_header(&table.versioning, request).unwrap_or(None);
        }
        stated.preferred = preferred(&group, table, request, &stated);
        ordered.extend(in_order(group, &stated));
    }
    ordered
}

/// Whether an entry admits the method, among the other entries of its group.
///
/// `GET` admits HEAD, unless an entry of the same version here lists HEAD.
pub(crate) fn admits(entry: &Entry<'_>, group: &[Entry<'_>], method: &str) -> bool {
    let head_is_listed = || {
        let same = group.iter().filter(|other| other.version == entry.version);
        same.into_iter()
            .any(|other| other.route.methods.iter().any(|listed| listed == "HEAD"))
    };
    method_listed(entry.route, method)
        || (method == "HEAD" && method_listed(entry.route, "GET") && !head_is_listed())
}

/// Why a request is rejected.
enum Rejection {
    Other(&'static str, Vec<Version>),
    /// The method; holds those that may be admitted.
    Method(Vec<String>),
}

/// An entry whose headers and query match.
struct Matching<'t> {
    entry: Entry<'t>,
    serves: bool,
    fenced: bool,
}

/// The winner and its upstream path, or the rejection.
fn resolve<'t>(
    entries: &[Entry<'t>],
    table: &Table,
    request: &Request,
) -> Result<(Entry<'t>, String), Rejection> {
    if request.path == "*" && request.method != "OPTIONS" {
        return Err(Rejection::Other("path.invalid", vec![]));
    }
    let winner = walk(entries, table, request)?;
    if has_encoded_slash(&request.path) {
        let is_allowed = winner.route.encoded_slashes && !hides_dots(&request.path);
        if !is_allowed {
            return Err(Rejection::Other("path.encoded_slash", vec![]));
        }
    }
    let upstream_path = upstream_path(&winner, &request.path);
    Ok((winner, upstream_path))
}

/// Visits the groups in order, and the entries of each in order.
fn walk<'t>(
    entries: &[Entry<'t>],
    table: &Table,
    request: &Request,
) -> Result<Entry<'t>, Rejection> {
    let mut stated = StatedVersions {
        newest_first: table.versioning.newest_first(),
        ..StatedVersions::default()
    };
    let mut headers_read = false;
    let mut fences: Vec<Entry<'t>> = Vec::new();
    let mut matched: Vec<Matching<'t>> = Vec::new();
    for group in groups(entries, request) {
        if !headers_read && group.iter().any(|entry| entry.version.is_some()) {
            headers_read = true;
            stated.by_header = stated_by_header(&table.versioning, request)
                .map_err(|code| Rejection::Other(code, vec![]))?;
        }
        stated.preferred = preferred(&group, table, request, &stated);
        for entry in in_order(group.clone(), &stated) {
            if !headers_match(entry.route, request) || !query_matches(entry.route, request) {
                continue;
            }
            // Whether an entry is behind a fence does not depend on its methods.
            let fenced = fences.iter().any(|fence| is_fenced(&entry, fence));
            let serves = class(&entry, &stated) != Class::Failing;
            matched.push(Matching {
                entry: entry.clone(),
                serves,
                fenced,
            });
            if !admits(&entry, &group, &request.method) {
                continue;
            }
            if serves && !fenced {
                require(&entry, &group, table, &stated)?;
                return Ok(entry);
            }
            if !serves && entry.version_in_path && !fenced {
                return Err(Rejection::Other("version.conflict", vec![]));
            }
            if !serves && !entry.version_in_path {
                fences.push(entry);
            }
        }
    }
    Err(no_winner(&matched))
}

/// The entries that match host and path, in groups; the groups in order.
fn groups<'t>(entries: &[Entry<'t>], request: &Request) -> Vec<Vec<Entry<'t>>> {
    let mut here: Vec<Entry<'t>> = entries
        .iter()
        .filter(|entry| entry.covers(request))
        .cloned()
        .collect();
    here.sort_by(compare_group);
    let mut groups: Vec<Vec<Entry<'t>>> = Vec::new();
    for entry in here {
        match groups.last_mut() {
            Some(group) if group.iter().all(|other| other.same_group(&entry)) => group.push(entry),
            _ => groups.push(vec![entry]),
        }
    }
    groups
}

fn in_order<'t>(mut group: Vec<Entry<'t>>, stated: &StatedVersions) -> Vec<Entry<'t>> {
    group.sort_by(|left, right| compare(left, right, stated));
    group
}

/// The most preferred version of `Accept` that this group serves without a version in the path.
fn preferred(
    group: &[Entry<'_>],
    table: &Table,
    request: &Request,
    stated: &StatedVersions,
) -> Option<Version> {
    if stated.by_header.is_some() {
        return None;
    }
    let serves = |entry: &Entry<'_>, version: &Version| {
        !entry.version_in_path
            && entry.version.as_ref() == Some(version)
            && headers_match(entry.route, request)
            && query_matches(entry.route, request)
            && admits(entry, group, &request.method)
    };
    let preferences = preferred_by_accept(&table.versioning, request);
    preferences
        .into_iter()
        .find(|preference| group.iter().any(|entry| serves(entry, preference)))
}

/// Whether a fence excludes an entry: unless it has the same service or the same pattern.
fn is_fenced(entry: &Entry<'_>, fence: &Entry<'_>) -> bool {
    entry.route.service != fence.route.service && !entry.same_pattern(fence)
}

/// With `versioning.default: require`, a choice between versions that are not stated is rejected.
fn require(
    winner: &Entry<'_>,
    group: &[Entry<'_>],
    table: &Table,
    stated: &StatedVersions,
) -> Result<(), Rejection> {
    let of_class = |wanted: Class| {
        group
            .iter()
            .filter(move |entry| class(entry, stated) == wanted)
    };
    let is_choice = match class(winner, stated) {
        Class::Declared => of_class(Class::Declared).any(|entry| entry.version != winner.version),
        Class::Derived => true,
        Class::Stated | Class::Preferred | Class::Neutral | Class::Failing => false,
    };
    if !table.versioning.requires() || !is_choice {
        return Ok(());
    }
    let choice = of_class(Class::Declared).chain(of_class(Class::Derived));
    Err(Rejection::Other(
        "version.required",
        choice.filter_map(|entry| entry.version.clone()).collect(),
    ))
}

/// The rejection if no entry serves, from those whose host, path, headers and query match.
fn no_winner(matched: &[Matching<'_>]) -> Rejection {
    if matched.is_empty() {
        return Rejection::Other("route.not_found", vec![]);
    }
    let open = matched.iter().filter(|one| !one.fenced);
    if !open.clone().any(|one| one.serves) {
        let versions = open.filter_map(|one| one.entry.version.clone());
        return Rejection::Other("version.unsupported", versions.collect());
    }
    let mut methods: Vec<String> = matched
        .iter()
        .flat_map(|one| one.entry.route.methods.clone())
        .collect();
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".to_owned());
    }
    if matched.iter().any(|one| one.entry.route.methods.is_empty()) {
        methods.extend(STANDARD_METHODS.map(str::to_owned));
    }
    Rejection::Method(methods)
}

/// The upstream path: rewritten to the declared pattern, stripped, and below the rewrite prefix.
fn upstream_path(winner: &Entry<'_>, path: &str) -> String {
    if path == "*" {
        return path.to_owned();
    }
    let bound = winner
        .pattern
        .bind(path)
        .expect("the winner matches the path");
    let declared_path = winner.declared.fill(&bound);
    let stripped = match &winner.route.strip_prefix {
        Strip::Off => 0,
        Strip::Literals => winner.declared.leading_literals(),
        Strip::Prefix(prefix) => split(prefix).len(),
    };
    let left: Vec<String> = split(&declared_path).into_iter().skip(stripped).collect();
    let above = winner.route.rewrite_prefix.as_deref().unwrap_or("/");
    let above = split(above).into_iter().filter(|word| !word.is_empty());
    join(&above.chain(left).collect::<Vec<_>>())
}

fn has_encoded_slash(path: &str) -> bool {
    path.contains("%2F") || path.contains("%5C")
}

/// Whether a split at the encoded slashes yields `.` or `..`.
fn hides_dots(path: &str) -> bool {
    path.replace("%2F", "/")
        .replace("%5C", "/")
        .split('/')
        .any(|part| part == "." || part == "..")
}

fn rejected(code: &'static str, allow: Vec<String>, versions: &[Version]) -> Outcome {
    let status = match code {
        "route.not_found" => 404,
        "method.not_allowed" => 405,
        _ => 400,
    };
    let mut versions = versions.to_vec();
    versions.sort();
    versions.dedup();
    let versions = versions.iter().map(Version::to_string).collect();
    Outcome::Rejected {
        code,
        status,
        allow,
        versions,
    }
}

/// The methods of RFC 9110 (section 9) and RFC 5789.
pub(crate) const STANDARD_METHODS: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];
