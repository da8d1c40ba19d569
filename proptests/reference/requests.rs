//! Requests aimed at a table: with its patterns, hosts, methods, values and versions, or near
//! misses.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::reference::model::{Constraint, Request, Route, Table};
use crate::reference::pattern::{Pattern, Segment, join};
use crate::reference::version::Version;

/// A table of the strategy with some requests aimed at it.
pub(crate) fn with_requests(
    tables: impl Strategy<Value = Table>,
) -> impl Strategy<Value = (Table, Vec<Request>)> {
    (tables, prop::collection::vec(shots(), 1..=12)).prop_map(|(table, shots)| {
        let requests = shots.into_iter().map(|shot| shot.request(&table)).collect();
        (table, requests)
    })
}

/// A request in terms of one route of the table.
#[derive(Debug, Clone)]
struct Shot {
    target: Index,
    path: PathPlan,
    method: Option<&'static str>,
    method_of_route: Index,
    /// Outer `None`: a host of the route.
    host: Option<Option<&'static str>>,
    host_of_route: Index,
    obeys_headers: bool,
    headers: Vec<(&'static str, &'static str)>,
    versions: Vec<(&'static str, &'static str)>,
    obeys_query: bool,
    query: Option<&'static str>,
}

#[derive(Debug, Clone)]
enum PathPlan {
    Filled {
        values: Vec<&'static str>,
        rest: Option<&'static str>,
        change: Change,
        tail: bool,
    },
    Free(Vec<&'static str>),
    Asterisk,
}

/// A change to the version segment of a filled path.
#[derive(Debug, Clone)]
enum Change {
    Keep,
    Remove,
    Replace(&'static str),
    Insert(Index, &'static str),
}

impl Shot {
    fn request(self, table: &Table) -> Request {
        let route = self.target.get(&table.routes);
        let mut headers = owned(&self.headers);
        if self.obeys_headers {
            headers.extend(obeyed(&route.headers));
        }
        headers.extend(owned(&self.versions));
        let mut query: Vec<String> = self.query.iter().map(|text| (*text).to_owned()).collect();
        if self.obeys_query {
            let pairs = obeyed(&route.query);
            query.extend(
                pairs
                    .into_iter()
                    .map(|(name, value)| format!("{name}={value}")),
            );
        }
        let listed = route
            .methods
            .get(self.method_of_route.index(route.methods.len().max(1)));
        let method = match (self.method, listed, &self.path) {
            (Some(method), _, _) => method,
            (None, _, PathPlan::Asterisk) => "OPTIONS",
            (None, Some(listed), _) => listed,
            (None, None, _) => "GET",
        };
        Request {
            method: method.to_owned(),
            path: self.path.path(route),
            query: (!query.is_empty()).then(|| query.join("&")),
            host: match self.host {
                Some(host) => host.map(str::to_owned),
                None => host_of(route, self.host_of_route),
            },
            headers,
        }
    }
}

impl PathPlan {
    fn path(self, route: &Route) -> String {
        match self {
            Self::Asterisk => "*".to_owned(),
            Self::Free(words) => join(&words.into_iter().map(str::to_owned).collect::<Vec<_>>()),
            Self::Filled {
                values,
                rest,
                change,
                tail,
            } => {
                let pattern = Pattern::parse(&route.pattern);
                let mut words = filled(&pattern, &values);
                change.apply(&mut words);
                if pattern.subtree || tail {
                    if words.last().is_some_and(String::is_empty) {
                        words.pop();
                    }
                    words.extend(
                        rest.into_iter()
                            .flat_map(|rest| rest.split('/'))
                            .map(str::to_owned),
                    );
                }
                join(&words)
            }
        }
    }
}

impl Change {
    fn apply(self, words: &mut Vec<String>) {
        let place = words
            .iter()
            .position(|word| Version::parse_segment(word).is_some());
        match (self, place) {
            (Self::Keep, _) | (Self::Remove | Self::Replace(_), None) => {}
            (Self::Remove, Some(place)) => {
                words.remove(place);
            }
            (Self::Replace(word), Some(place)) => {
                words.splice(place..=place, [word.to_owned()]);
            }
            (Self::Insert(index, word), _) => {
                let full = words.iter().filter(|word| !word.is_empty()).count();
                words.insert(index.index(full + 1), word.to_owned());
            }
        }
    }
}

fn filled(pattern: &Pattern, values: &[&str]) -> Vec<String> {
    let mut values = values.iter().cycle();
    let segments = pattern.segments.iter();
    let words = segments.map(|segment| match segment {
        Segment::Literal(literal) => literal.clone(),
        Segment::Param(_) => values.next().copied().unwrap_or("zz").to_owned(),
    });
    words.collect()
}

fn host_of(route: &Route, index: Index) -> Option<String> {
    let hosts = &route.hosts;
    let host = hosts.get(index.index(hosts.len().max(1)))?;
    Some(host.replace('*', "c"))
}

/// Pairs that satisfy the constraints.
fn obeyed(constraints: &[(String, Constraint)]) -> Vec<(String, String)> {
    let value = |constraint: &Constraint| match constraint {
        Constraint::Exact(value) => value.clone(),
        Constraint::Prefix(prefix) => format!("{prefix}2"),
        Constraint::Present => String::new(),
    };
    constraints
        .iter()
        .map(|(name, constraint)| (name.clone(), value(constraint)))
        .collect()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn shots() -> impl Strategy<Value = Shot> {
    let method = prop::option::weighted(0.35, select(METHODS.to_vec()));
    let host = prop::option::weighted(0.15, select(HOSTS.to_vec()));
    let aim = (
        any::<Index>(),
        paths(),
        method,
        any::<Index>(),
        host,
        any::<Index>(),
    );
    let header = (
        select(vec!["x-a", "X-B"]),
        select(vec!["1", "2", "12", "zz", "", " 1\t"]),
    );
    let headers = prop::collection::vec(header, 0..=2);
    let headers = prop_oneof![3 => Just(vec![]), 1 => headers];
    let queries = vec![
        "q", "q=1", "q=%31", "q=2&q=1", "r=12", "r=+1", "%71=1", "x&&q=", "q=%3", "", "r&q=1=2",
    ];
    let query = prop::option::weighted(0.25, select(queries));
    let obeys = (prop::bool::weighted(0.93), prop::bool::weighted(0.93));
    (aim, headers, versions(), query, obeys).prop_map(|(aim, headers, versions, query, obeys)| {
        let (target, path, method, method_of_route, host, host_of_route) = aim;
        Shot {
            target,
            path,
            method,
            method_of_route,
            host,
            host_of_route,
            obeys_headers: obeys.0,
            headers,
            versions,
            obeys_query: obeys.1,
            query,
        }
    })
}

fn paths() -> impl Strategy<Value = PathPlan> {
    let word = prop_oneof![
        6 => Just("zz"),
        4 => Just("a"),
        2 => Just("b"),
        4 => select(vec!["v1", "v2", "v3", "v9"]),
        1 => select(vec!["a%2Fb", "..%2Fa", "a%5C.", "a%5Cb", "%C3%A9"]),
    ];
    let values = prop::collection::vec(word, 1..=3);
    let rest = select(vec![
        "zz", "", "a", "b", "zz/", "zz/a", "v1/zz", "a%2Fb", "%2F..",
    ]);
    let rest = prop::option::weighted(0.75, rest);
    let number = || select(vec!["v1", "v2", "v3", "v9"]);
    let change = prop_oneof![
        6 => Just(Change::Keep),
        2 => Just(Change::Remove),
        2 => number().prop_map(Change::Replace),
        2 => (any::<Index>(), number()).prop_map(|(index, word)| Change::Insert(index, word)),
    ];
    let filled = (values, rest, change, prop::bool::weighted(0.05));
    let filled = filled.prop_map(|(values, rest, change, tail)| PathPlan::Filled {
        values,
        rest,
        change,
        tail,
    });
    let free = prop::collection::vec(select(vec!["a", "b", "v1", "v2", "zz"]), 0..=4);
    prop_oneof![
        40 => filled,
        4 => free.prop_map(PathPlan::Free),
        1 => Just(PathPlan::Asterisk),
    ]
}

fn versions() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let name = select(vec!["Accept-Version", "X-API-Version", "api-version"]);
    let good = select(vec!["v1", "v2", "V2", "2", "v3", " 1 ", "v9", "2026-01-31"]);
    let bad = select(vec![
        "",
        "latest",
        "v",
        "v1.0",
        "v01",
        "v1234567890",
        "2026-13-01",
        "v-1",
    ]);
    let value = prop_oneof![12 => good, 1 => bad];
    let accept = select(vec![
        "*/*",
        "application/json",
        "application/vnd.acme.v2+json",
        "application/vnd.acme.v1",
        "application/vnd.acme.api.v3+json;q=0.5",
        "application/vnd.acme.v1+json;q=0.4, application/vnd.acme.v2+json;q=0.8",
        "application/vnd.acme.v9+json, application/vnd.acme.v2+json; q=0.1",
        "application/vnd.acme.v2+json;q=0, text/html",
    ]);
    prop_oneof![
        5 => Just(vec![]),
        3 => (name.clone(), value.clone()).prop_map(|pair| vec![pair]),
        1 => prop::collection::vec((name, value), 2),
        2 => accept.prop_map(|value| vec![("accept", value)]),
    ]
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PURGE", "DELETE", "OPTIONS"];
const HOSTS: [Option<&str>; 8] = [
    None,
    Some("a.test"),
    Some("b.a.test"),
    Some("c.b.a.test"),
    Some("x.test"),
    Some("A.Test:8080"),
    Some("B.A.TEST."),
    Some("other.example"),
];
