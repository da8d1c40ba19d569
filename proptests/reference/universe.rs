//! All requests that a table distinguishes, to determine by brute force which routes never win.
//!
//! One unknown word (`zz`) represents all segments that are not literals of the patterns; likewise
//! for hosts, methods, values and versions. Paths have up to one segment more than the longest
//! pattern, since only subtrees match longer ones.

use std::collections::BTreeSet;

use crate::reference::constraints::host_matches;
use crate::reference::entries::{Entry, expand};
use crate::reference::matcher::decide_among;
use crate::reference::model::{Constraint, Outcome, Request, Table};
use crate::reference::pattern::{Segment, join};
use crate::reference::version::Version;

/// For each route, whether a request hits it.
pub(crate) fn winning(table: &Table) -> Vec<bool> {
    let entries = expand(table);
    let paths = paths(&entries);
    table
        .routes
        .iter()
        .map(|route| wins(&route.name, &entries, table, &paths))
        .collect()
}

type Pairs = Vec<(String, String)>;

fn wins(name: &str, entries: &[Entry<'_>], table: &Table, paths: &[String]) -> bool {
    let own: Vec<&Entry<'_>> = entries
        .iter()
        .filter(|entry| entry.route.name == name)
        .collect();
    let hosts = hosts(table);
    let methods = methods(table);
    let heads = heads(table, entries);
    let queries = queries(table);
    let covered = paths
        .iter()
        .filter(|path| own.iter().any(|entry| entry.pattern.matches(path)));
    let hit = |request: &Request| matches!(decide_among(entries, table, request), Outcome::Hit { route, .. } if route == name);
    covered.into_iter().any(|path| {
        hosts.iter().any(|host| {
            let on_host = Request {
                path: path.clone(),
                host: host.clone(),
                ..Request::default()
            };
            // Only these entries matter for this host and path.
            let here: Vec<Entry<'_>> = entries
                .iter()
                .filter(|entry| entry.covers(&on_host))
                .cloned()
                .collect();
            let own_host = own.iter().any(|entry| host_matches(entry.host, &on_host));
            own_host && !here.is_empty() && {
                methods.iter().any(|method| {
                    heads.iter().any(|headers| {
                        queries.iter().any(|query| {
                            hit(&Request {
                                method: method.clone(),
                                headers: headers.clone(),
                                query: query.clone(),
                                ..on_host.clone()
                            })
                        })
                    })
                })
            }
        })
    })
}

fn paths(entries: &[Entry<'_>]) -> Vec<String> {
    let depth = entries
        .iter()
        .map(|entry| entry.pattern.segments.len())
        .max()
        .unwrap_or(0)
        + 1;
    let mut stems: Vec<Vec<String>> = vec![vec![]];
    let mut paths = Vec::new();
    for place in 0..depth {
        paths.extend(stems.iter().map(|stem| join(&with(stem, ""))));
        let words = words(entries, place);
        stems = stems
            .iter()
            .flat_map(|stem| {
                words
                    .iter()
                    .map(|word| with(stem, word))
                    .collect::<Vec<_>>()
            })
            .collect();
        paths.extend(stems.iter().map(|stem| join(stem)));
    }
    paths
}

/// The literals of the entries at this index, and an unknown word.
fn words(entries: &[Entry<'_>], place: usize) -> BTreeSet<String> {
    let literals = entries
        .iter()
        .filter_map(|entry| match entry.pattern.segments.get(place) {
            Some(Segment::Literal(literal)) if !literal.is_empty() => Some(literal.clone()),
            _ => None,
        });
    literals.chain([UNKNOWN.to_owned()]).collect()
}

fn with(stem: &[String], word: &str) -> Vec<String> {
    let mut longer = stem.to_vec();
    longer.push(word.to_owned());
    longer
}

fn hosts(table: &Table) -> BTreeSet<Option<String>> {
    let patterns: BTreeSet<&String> = table.routes.iter().flat_map(|route| &route.hosts).collect();
    let known = patterns
        .into_iter()
        .map(|pattern| Some(pattern.replace('*', UNKNOWN)));
    known
        .chain([None, Some("unknown.example".to_owned())])
        .collect()
}

fn methods(table: &Table) -> BTreeSet<String> {
    let listed = table.routes.iter().flat_map(|route| route.methods.clone());
    listed
        .chain(["HEAD".to_owned(), "BREW".to_owned()])
        .collect()
}

/// All combinations of constrained headers and stated versions.
fn heads(table: &Table, entries: &[Entry<'_>]) -> Vec<Pairs> {
    let constraints: Vec<_> = table
        .routes
        .iter()
        .flat_map(|route| route.headers.clone())
        .collect();
    let plain = choices(&constraints);
    let stated = stated(table, entries);
    let all = plain.iter().flat_map(|pairs| {
        stated
            .iter()
            .map(|version| [pairs.as_slice(), version.as_slice()].concat())
    });
    all.collect()
}

fn queries(table: &Table) -> Vec<Option<String>> {
    let constraints: Vec<_> = table
        .routes
        .iter()
        .flat_map(|route| route.query.clone())
        .collect();
    let text = |pairs: &Pairs| {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("&"))
    };
    choices(&constraints).iter().map(text).collect()
}

/// Each constrained name, absent or with each relevant value.
fn choices(constraints: &[(String, Constraint)]) -> Vec<Pairs> {
    let names: BTreeSet<&String> = constraints.iter().map(|(name, _)| name).collect();
    let mut all: Vec<Pairs> = vec![vec![]];
    for name in names {
        let mut values = BTreeSet::from([UNKNOWN.to_owned()]);
        for (_, constraint) in constraints.iter().filter(|(other, _)| other == name) {
            match constraint {
                Constraint::Exact(value) => values.insert(value.clone()),
                Constraint::Prefix(prefix) => values.insert(format!("{prefix}{UNKNOWN}")),
                Constraint::Present => false,
            };
        }
        let longer = all.iter().flat_map(|pairs| {
            let added = values.iter().map(|value| {
                let pair = (name.clone(), value.clone());
                [pairs.as_slice(), &[pair]].concat()
            });
            added.collect::<Vec<_>>()
        });
        let longer: Vec<Pairs> = longer.collect();
        all.extend(longer);
    }
    all
}

/// No version, or each version of the table and an unknown one, in a header that is read.
fn stated(table: &Table, entries: &[Entry<'_>]) -> Vec<Pairs> {
    let versions: BTreeSet<Version> = entries
        .iter()
        .filter_map(|entry| entry.version.clone())
        .collect();
    let mut all = vec![vec![]];
    if versions.is_empty() {
        return all;
    }
    let header = ["accept-version", "x-api-version", "api-version"];
    if let Some(name) = header.into_iter().find(|name| table.versioning.reads(name)) {
        let values = versions
            .iter()
            .chain([&Version::Number(999)])
            .map(Version::to_string);
        all.extend(values.map(|value| vec![(name.to_owned(), value)]));
    }
    if table.versioning.reads("accept") {
        let segments = versions.iter().filter_map(Version::segment);
        let ranges = segments.map(|segment| format!("application/vnd.acme.{segment}+json"));
        all.extend(ranges.map(|range| vec![("accept".to_owned(), range)]));
    }
    all
}

const UNKNOWN: &str = "zz";
