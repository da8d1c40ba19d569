//! Small tables with many collisions: few words, hosts and values, and patterns with a common base.

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use crate::reference::model::{Constraint, Route, Strip, Table, Versioning};
use crate::reference::pattern::Pattern;
use crate::reference::verdict::is_same_match;

/// The size of tables and how crowded they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) routes: usize,
    pub(crate) segments: usize,
    /// Whether tables may have duplicate routes.
    pub(crate) duplicates: bool,
    /// How likely a route is to state hosts, methods or constraints, in proportion.
    pub(crate) scope: f64,
}

/// Up to eight routes of up to three segments besides the version.
pub(crate) const USUAL: Size = Size {
    routes: 8,
    segments: 3,
    duplicates: false,
    scope: 0.4,
};

/// Small enough for the brute-force verdict, and crowded: many routes never win.
pub(crate) const SMALL: Size = Size {
    routes: 5,
    segments: 1,
    duplicates: true,
    scope: 0.15,
};

/// A table, which may not load.
pub(crate) fn tables(size: Size) -> impl Strategy<Value = Table> {
    let bases = prop::collection::vec(bases(size.segments), 1..=2);
    let routes = prop::collection::vec(route_plans(size.scope), 1..=size.routes);
    (bases, routes, versionings()).prop_map(move |(bases, plans, versioning)| {
        let routes = plans.into_iter().enumerate();
        let routes = routes
            .map(|(index, plan)| plan.route(format!("r{index}"), &bases))
            .collect();
        let table = Table { routes, versioning };
        if size.duplicates {
            table
        } else {
            without_duplicates(table)
        }
    })
}

/// A table whose routes cover one another: `/`, `/{x}`, `/{x}/*` and the like, few methods.
pub(crate) fn covering_tables() -> impl Strategy<Value = Table> {
    let pattern = select(vec![
        "/", "/{x}", "/{y}/*", "/{x}/*", "/*", "/*", "/a", "/a/*", "/v1/*",
    ]);
    let methods: Vec<Vec<&str>> = vec![
        vec![],
        vec![],
        vec![],
        vec!["GET"],
        vec!["POST"],
        vec!["HEAD"],
        vec!["GET", "POST"],
    ];
    let hosts: Vec<Vec<&str>> = vec![
        vec![],
        vec![],
        vec![],
        vec![],
        vec!["a.test"],
        vec!["*.test", "a.test"],
    ];
    let version = select(vec![
        None,
        None,
        None,
        None,
        Some("v1"),
        Some("v2"),
        Some("2026-01-31"),
    ]);
    let route = (
        pattern,
        select(methods),
        select(hosts),
        version,
        few(HEADERS, 0.2),
    );
    let routes = prop::collection::vec(route, 3..=8);
    let header_counts = prop::bool::weighted(0.8);
    (routes, versionings(), header_counts).prop_map(|(routes, versioning, header_counts)| {
        let routes = routes.into_iter().enumerate();
        let routes = routes.map(
            |(index, (pattern, methods, hosts, version, headers))| Route {
                name: format!("r{index}"),
                pattern: pattern.to_owned(),
                service: "s1".to_owned(),
                version: version.map(str::to_owned),
                hosts: hosts.into_iter().map(str::to_owned).collect(),
                methods: methods.into_iter().map(str::to_owned).collect(),
                headers: owned(headers),
                ..Route::default()
            },
        );
        let from = if header_counts {
            versioning.from
        } else {
            Some(vec!["path".to_owned()])
        };
        let versioning = Versioning { from, ..versioning };
        without_duplicates(Table {
            routes: routes.collect(),
            versioning,
        })
    })
}

/// A route with this name and service, for any table.
pub(crate) fn extra_routes(name: &'static str, service: &'static str) -> BoxedStrategy<Route> {
    (bases(USUAL.segments), route_plans(USUAL.scope))
        .prop_map(move |(base, plan)| {
            let route = plan.route(name.to_owned(), &[base]);
            Route {
                service: service.to_owned(),
                ..route
            }
        })
        .boxed()
}

/// A pattern before its version segment.
#[derive(Debug, Clone)]
struct Base {
    words: Vec<&'static str>,
    /// What is appended to it: nothing, an empty segment, or `*`.
    end: Option<&'static str>,
}

/// A route in terms of the bases of its table.
#[derive(Debug, Clone)]
struct RoutePlan {
    base: Index,
    segment: Option<(Index, u8)>,
    version: Option<&'static str>,
    service: &'static str,
    hosts: Vec<&'static str>,
    methods: Vec<&'static str>,
    headers: Vec<(&'static str, Constraint)>,
    query: Vec<(&'static str, Constraint)>,
    strip: Option<usize>,
    rewrite: Option<&'static str>,
    encoded_slashes: bool,
}

impl RoutePlan {
    fn route(self, name: String, bases: &[Base]) -> Route {
        let base = self.base.get(bases);
        let mut words: Vec<String> = base.words.iter().map(|word| (*word).to_owned()).collect();
        if let Some((place, number)) = self.segment {
            words.insert(place.index(words.len() + 1), format!("v{number}"));
        }
        name_params(&mut words);
        let literals = words
            .iter()
            .take_while(|word| !word.starts_with('{'))
            .count();
        let prefix: Vec<String> = words
            .iter()
            .take(self.strip.unwrap_or(0).min(literals))
            .cloned()
            .collect();
        words.extend(base.end.map(str::to_owned));
        let strip_prefix = match self.strip {
            None => Strip::Off,
            Some(_) if prefix.is_empty() => Strip::Literals,
            Some(_) => Strip::Prefix(format!("/{}", prefix.join("/"))),
        };
        Route {
            name,
            pattern: format!("/{}", words.join("/")),
            service: self.service.to_owned(),
            version: self.version.map(str::to_owned),
            hosts: self.hosts.into_iter().map(str::to_owned).collect(),
            methods: self.methods.into_iter().map(str::to_owned).collect(),
            headers: owned(self.headers),
            query: owned(self.query),
            strip_prefix,
            rewrite_prefix: self.rewrite.map(str::to_owned),
            encoded_slashes: self.encoded_slashes,
        }
    }
}

/// Makes the names of the parameters of a pattern distinct.
fn name_params(words: &mut [String]) {
    let params = words.iter_mut().filter(|word| word.starts_with('{'));
    for (index, word) in params.enumerate().skip(1) {
        *word = format!("{{p{index}}}");
    }
}

fn owned(constraints: Vec<(&'static str, Constraint)>) -> Vec<(String, Constraint)> {
    constraints
        .into_iter()
        .map(|(name, constraint)| (name.to_owned(), constraint))
        .collect()
}

fn without_duplicates(table: Table) -> Table {
    let mut distinct: Vec<Route> = Vec::new();
    for route in &table.routes {
        if !distinct
            .iter()
            .any(|other| is_same_match(other, route, &table))
        {
            distinct.push(route.clone());
        }
    }
    Table {
        routes: distinct,
        ..table
    }
}

fn bases(segments: usize) -> impl Strategy<Value = Base> {
    let word = prop_oneof![
        4 => Just("a"),
        2 => Just("b"),
        3 => Just("{x}"),
        1 => Just("{y}"),
        1 => Just("v1"),
        1 => Just("v2"),
    ];
    let end = prop_oneof![3 => Just(None), 1 => Just(Some("")), 5 => Just(Some("*"))];
    (prop::collection::vec(word, 0..=segments), end).prop_map(|(words, end)| {
        // `/` already has its empty segment.
        let end = if words.is_empty() && end.is_none() {
            Some("")
        } else {
            end
        };
        Base { words, end }
    })
}

fn route_plans(scope: f64) -> impl Strategy<Value = RoutePlan> {
    let version = prop_oneof![
        16 => Just(None),
        3 => Just(Some("v1")),
        3 => Just(Some("v2")),
        1 => Just(Some("V3")),
        1 => Just(Some("2")),
        2 => Just(Some("2026-01-31")),
    ];
    let segment = prop::option::weighted(scope + 0.15, (any::<Index>(), 1..=3_u8));
    let place = (
        any::<Index>(),
        segment,
        version,
        select(vec!["s1", "s1", "s1", "s2"]),
    );
    let audience = (seldom(&HOSTS, 2, scope * 0.6), seldom(&METHODS, 3, scope));
    let constraints = (few(HEADERS, scope), few(QUERY, scope));
    let forwarding = (
        prop::option::weighted(0.4, 0..=2_usize),
        prop::option::weighted(0.3, select(vec!["/", "/i", "/i/j", "/a", "/v1"])),
        prop::bool::weighted(0.5),
    );
    (place, audience, constraints, forwarding).prop_map(
        |(place, (hosts, methods), (headers, query), (strip, rewrite, encoded_slashes))| {
            let (base, segment, version, service) = place;
            RoutePlan {
                base,
                segment,
                version,
                service,
                hosts,
                methods,
                headers,
                query,
                strip,
                rewrite,
                encoded_slashes,
            }
        },
    )
}

/// Some of the values with this probability, else nothing.
fn seldom(
    values: &[&'static str],
    max: usize,
    probability: f64,
) -> impl Strategy<Value = Vec<&'static str>> {
    let some = subsequence(values.to_vec(), 1..=max);
    prop::option::weighted(probability, some).prop_map(Option::unwrap_or_default)
}

fn few(
    names: [&'static str; 2],
    scope: f64,
) -> impl Strategy<Value = Vec<(&'static str, Constraint)>> {
    let constraint = prop_oneof![
        3 => Just(Constraint::Exact("1".to_owned())),
        1 => Just(Constraint::Exact("2".to_owned())),
        1 => Just(Constraint::Prefix("1".to_owned())),
        1 => Just(Constraint::Present),
    ];
    let both = (
        prop::option::weighted(scope * 0.4, constraint.clone()),
        prop::option::weighted(scope * 0.2, constraint),
    );
    both.prop_map(move |(first, second)| {
        let [one, other] = names;
        first
            .map(|first| (one, first))
            .into_iter()
            .chain(second.map(|second| (other, second)))
            .collect()
    })
}

fn versionings() -> impl Strategy<Value = Versioning> {
    let default = prop_oneof![
        3 => Just(None),
        1 => Just(Some("oldest")),
        2 => Just(Some("newest")),
        1 => Just(Some("require")),
    ];
    let from = prop::option::weighted(0.2, subsequence(SOURCES.to_vec(), 1..=5));
    let derive = prop_oneof![4 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    (default, from, derive).prop_map(|(default, from, derive)| Versioning {
        default: default.map(str::to_owned),
        from: from.map(|from| from.into_iter().map(str::to_owned).collect()),
        derive,
    })
}

/// The prefix that a `strip_prefix: true` removes, as a path.
pub(crate) fn stripped_prefix(route: &Route) -> String {
    let pattern = Pattern::parse(&route.pattern);
    match &route.strip_prefix {
        Strip::Off => String::new(),
        Strip::Prefix(prefix) => prefix.clone(),
        Strip::Literals => {
            let shape = pattern.shape();
            let words = shape.split('/').skip(1).take(pattern.leading_literals());
            words
                .filter(|word| !word.is_empty())
                .map(|word| format!("/{word}"))
                .collect()
        }
    }
}

/// The part of an upstream path below the `rewrite_prefix` of its route.
pub(crate) fn below_rewrite(route: &Route, upstream_path: &str) -> String {
    let prefix = route.rewrite_prefix.as_deref().unwrap_or("/");
    let prefix = prefix.trim_end_matches('/');
    match upstream_path.strip_prefix(prefix) {
        Some("") => "/".to_owned(),
        Some(rest) => rest.to_owned(),
        None => upstream_path.to_owned(),
    }
}

const HOSTS: [&str; 4] = ["a.test", "b.a.test", "*.test", "*.a.test"];
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PUT", "PURGE"];
const HEADERS: [&str; 2] = ["X-A", "x-b"];
const QUERY: [&str; 2] = ["q", "r"];
const SOURCES: [&str; 5] = [
    "path",
    "accept-version",
    "x-api-version",
    "api-version",
    "accept",
];
