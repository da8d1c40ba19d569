//! Properties of routing that hold for every table and request.
//!
//! The tests call the engine through `reference::adapter` and compare it with the naive reference.
//! They skip tables that do not load; one test checks that half of them do.

mod reference;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use reference::adapter::{self, load, normal_path};
use reference::entries::{Entry, expand};
use reference::generators::{
    SMALL, USUAL, below_rewrite, covering_tables, extra_routes, stripped_prefix, tables,
};
use reference::matcher::{STANDARD_METHODS, decide, matching};
use reference::model::{Diagnostic, Outcome, Request, Route, Strip, Table, Versioning, to_json};
use reference::normal::is_normal;
use reference::order::{StatedVersions, compare};
use reference::pattern::Pattern;
use reference::requests::with_requests;
use reference::universe::winning;
use reference::version::Version;

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn the_engine_is_the_reference((table, requests) in with_requests(tables(USUAL))) {
        let Ok(snapshot) = load(&table) else { return Ok(()) };
        for request in &requests {
            let expected = decide(&table, request);
            prop_assert_eq!(adapter::decide(&snapshot, request), expected, "{:?}", request);
        }
    }

    #[test]
    fn no_matching_candidate_precedes_the_winner(
        (table, requests) in with_requests(tables(USUAL)),
    ) {
        let Ok(snapshot) = load(&table) else { return Ok(()) };
        for request in &requests {
            let Outcome::Hit { route, .. } = adapter::decide(&snapshot, request) else { continue };
            let candidates = matching(&table, request);
            let before: Vec<&Entry<'_>> =
                candidates.iter().take_while(|entry| entry.route.name != route).collect();
            prop_assert!(before.len() < candidates.len(), "{} does not match {:?}", route, request);
            let mut fences: Vec<&Entry<'_>> = Vec::new();
            // Whether GET admits HEAD depends on the rest of the group.
            let is_independent = |entry: &&&Entry<'_>| request.method != "HEAD" || lists_head(entry.route);
            for entry in before.into_iter().filter(|entry| is_independent(&entry)) {
                let open = |fence: &&Entry<'_>| {
                    fence.route.service == entry.route.service || fence.same_pattern(entry)
                };
                match alone(entry, &table, request) {
                    Outcome::Rejected { code: "version.unsupported", .. } => fences.push(entry),
                    Outcome::Rejected { .. } => {}
                    Outcome::Hit { .. } => {
                        prop_assert!(!fences.iter().all(open), "{} over {:?}", route, entry);
                    }
                }
            }
        }
    }

    #[test]
    fn allow_is_the_set_of_methods_that_hit((table, requests) in with_requests(tables(USUAL))) {
        let Ok(snapshot) = load(&table) else { return Ok(()) };
        for request in &requests {
            let Outcome::Rejected { code: "method.not_allowed", allow, .. } =
                adapter::decide(&snapshot, request)
            else {
                continue;
            };
            let candidates = matching(&table, request);
            let mut methods: Vec<String> = STANDARD_METHODS.map(str::to_owned).to_vec();
            methods.extend(candidates.iter().flat_map(|entry| entry.route.methods.clone()));
            methods.sort();
            methods.dedup();
            methods.retain(|method| {
                let other = Request { method: method.clone(), ..request.clone() };
                matches!(adapter::decide(&snapshot, &other), Outcome::Hit { .. })
            });
            prop_assert_eq!(allow, methods, "{:?}", request);
        }
    }

    #[test]
    fn strip_and_prefix_give_the_path((table, requests) in with_requests(tables(USUAL))) {
        let mut whole = table.clone();
        for route in &mut whole.routes {
            route.strip_prefix = Strip::Off;
            route.rewrite_prefix = None;
        }
        let (Ok(stripping), Ok(unstripped)) = (load(&table), load(&whole)) else { return Ok(()) };
        for request in &requests {
            let stripped = adapter::decide(&stripping, request);
            let whole = adapter::decide(&unstripped, request);
            match (stripped, whole) {
                (
                    Outcome::Hit { route, version, upstream_path },
                    Outcome::Hit { route: same_route, version: same_version, upstream_path: path },
                ) => {
                    prop_assert_eq!(&route, &same_route);
                    prop_assert_eq!(version, same_version);
                    let route = route_of(&table, &route);
                    let rest = below_rewrite(route, &upstream_path);
                    prop_assert!(is_joined(&path, &stripped_prefix(route), &rest));
                }
                (stripped, whole) => prop_assert_eq!(stripped, whole),
            }
        }
    }

    #[test]
    fn the_upstream_path_is_normal_and_matches_the_route(
        (table, requests) in with_requests(tables(USUAL)),
    ) {
        let Ok(snapshot) = load(&table) else { return Ok(()) };
        for request in requests.iter().filter(|request| request.path != "*") {
            prop_assert!(is_normal(&request.path), "the generator made {}", request.path);
            let Outcome::Hit { route, upstream_path, .. } = adapter::decide(&snapshot, request)
            else {
                continue;
            };
            prop_assert!(is_normal(&upstream_path), "{}", upstream_path);
            prop_assert_eq!(normal_path(&upstream_path), Some(upstream_path.clone()));
            let route = route_of(&table, &route);
            prop_assert!(stays_in_its_pattern(route, &upstream_path), "{}", upstream_path);
        }
    }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn the_order_of_the_routes_does_not_matter(
        (table, requests) in with_requests(tables(USUAL)),
        places in prop::collection::vec(any::<Index>(), 8),
    ) {
        let shuffled = Table { routes: shuffle(table.routes.clone(), &places), ..table.clone() };
        match (load(&table), load(&shuffled)) {
            (Ok(one), Ok(other)) => {
                for request in &requests {
                    let expected = adapter::decide(&one, request);
                    prop_assert_eq!(adapter::decide(&other, request), expected, "{:?}", request);
                }
            }
            (Err(one), Err(other)) => prop_assert_eq!(codes(&one), codes(&other)),
            (one, other) => prop_assert!(false, "{:?} against {:?}", one.err(), other.err()),
        }
    }

    /// The other route has its own service, or nothing is derived, so that it is in no family.
    #[test]
    fn a_route_elsewhere_changes_nothing_here(
        (mut table, requests) in with_requests(tables(USUAL)),
        extra in prop_oneof![extra_routes("extra", "s1"), extra_routes("extra", "fresh")],
        place in any::<Index>(),
    ) {
        if extra.service != "fresh" {
            table.versioning.derive = Some(false);
        }
        let mut larger = table.clone();
        larger.routes.insert(place.index(table.routes.len() + 1), extra);
        let (Ok(before), Ok(after)) = (load(&table), load(&larger)) else { return Ok(()) };
        let entries = expand(&larger);
        for request in &requests {
            let mut extra_entries = entries.iter().filter(|entry| entry.route.name == "extra");
            if !extra_entries.any(|entry| entry.covers(request)) {
                let expected = adapter::decide(&before, request);
                prop_assert_eq!(adapter::decide(&after, request), expected, "{:?}", request);
            }
        }
    }

    #[test]
    fn the_order_of_entries_is_total(
        table in tables(USUAL),
        stated in prop::option::of(select(vec!["v1", "v2", "v9", "2026-01-31"])),
        preferred in prop::option::of(select(vec!["v1", "v2"])),
    ) {
        let entries = expand(&table);
        let stated = StatedVersions {
            by_header: stated.and_then(Version::parse),
            preferred: preferred.and_then(Version::parse).filter(|_| stated.is_none()),
            newest_first: table.versioning.newest_first(),
        };
        for (left_place, left) in entries.iter().enumerate() {
            for (right_place, right) in entries.iter().enumerate() {
                let order = compare(left, right, &stated);
                prop_assert_eq!(order.reverse(), compare(right, left, &stated));
                prop_assert_eq!(order.is_eq(), left_place == right_place, "{:?} {:?}", left, right);
                for third in entries.iter().filter(|_| order.is_lt()) {
                    if compare(right, third, &stated).is_lt() {
                        prop_assert!(compare(left, third, &stated).is_lt());
                    }
                }
            }
        }
    }

    #[test]
    fn pattern_and_parameters_give_the_path_back((table, requests) in with_requests(tables(USUAL))) {
        for request in requests.iter().filter(|request| request.path != "*") {
            for entry in expand(&table) {
                if let Some(bound) = entry.pattern.bind(&request.path) {
                    let path = entry.pattern.fill(&bound);
                    prop_assert_eq!(&path, &request.path, "{:?}", entry.pattern);
                }
            }
        }
    }

    #[test]
    fn a_subtree_is_its_root_and_all_below(words in prop::collection::vec("[a-z]{1,3}", 1..4)) {
        let root = format!("/{}", words.join("/"));
        let name = "subtree".to_owned();
        let pattern = format!("{root}/*");
        let route = Route { name, pattern, service: "s1".to_owned(), ..Route::default() };
        let table = Table { routes: vec![route], versioning: Versioning::default() };
        let snapshot = load(&table).expect("one neutral route loads");
        for (rest, inside) in [("", true), ("/", true), ("/x", true), ("/x/", true), ("x", false)] {
            let path = format!("{root}{rest}");
            let request = Request { method: "GET".to_owned(), path, ..Request::default() };
            let hit = matches!(adapter::decide(&snapshot, &request), Outcome::Hit { .. });
            prop_assert_eq!(hit, inside, "{}", request.path);
        }
    }
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn a_route_loads_if_and_only_if_it_can_win(
        table in prop_oneof![2 => covering_tables(), 1 => tables(SMALL)],
    ) {
        let errors = load(&table).err().unwrap_or_default();
        let overlaps = errors.iter().any(|error| error.code != "route.unreachable");
        for (index, wins) in winning(&table).into_iter().enumerate() {
            let unreachable = Diagnostic { code: "route.unreachable".to_owned(), route: Some(index) };
            let is_reported = errors.contains(&unreachable);
            prop_assert!(!(wins && is_reported), "route {} wins: {}", index, to_json(&table));
            prop_assert!(wins || is_reported || overlaps, "route {} never wins", index);
        }
    }
}

#[test]
fn half_of_the_tables_load() {
    let mut runner = TestRunner::deterministic();
    let strategy = tables(USUAL);
    let mut routes_loaded = 0;
    let loads = (0..200).filter(|_| {
        let table = strategy
            .new_tree(&mut runner)
            .expect("nothing is filtered")
            .current();
        let loads = load(&table).is_ok();
        routes_loaded += if loads { table.routes.len() } else { 0 };
        loads
    });
    let loads = loads.count();
    assert!(loads >= 100, "{loads} of 200 load");
    assert!(
        routes_loaded >= 300,
        "{routes_loaded} routes in {loads} tables"
    );
}

#[test]
fn a_table_becomes_the_fields_of_an_init() {
    let table = Table {
        routes: vec![Route {
            name: "r".to_owned(),
            pattern: "/a/*".to_owned(),
            service: "s".to_owned(),
            methods: vec!["GET".to_owned()],
            strip_prefix: Strip::Literals,
            ..Route::default()
        }],
        versioning: Versioning {
            default: Some("newest".to_owned()),
            ..Versioning::default()
        },
    };
    let json: serde_json::Value = serde_json::from_str(&to_json(&table)).expect("it is JSON");
    let expected = serde_json::json!({
        "routes": [{
            "name": "r", "path_pattern": "/a/*", "service": "s", "methods": ["GET"],
            "strip_prefix": true, "backends": ["backend-1:8080"],
        }],
        "versioning": {"default": "newest"},
    });
    assert_eq!(json, expected);
}

/// The outcome of a table with only this entry's route, declared with this entry's pattern.
fn alone(entry: &Entry<'_>, table: &Table, request: &Request) -> Outcome {
    let mut pattern = entry.pattern.shape();
    for number in 0..entry.pattern.segments.len() {
        pattern = pattern.replacen("{}", &format!("{{n{number}}}"), 1);
    }
    let version = entry.version.as_ref().map(ToString::to_string);
    let route = Route {
        pattern,
        version,
        ..entry.route.clone()
    };
    let versioning = Versioning {
        derive: Some(false),
        ..table.versioning.clone()
    };
    decide(
        &Table {
            routes: vec![route],
            versioning,
        },
        request,
    )
}

fn lists_head(route: &Route) -> bool {
    route.methods.is_empty() || route.methods.iter().any(|method| method == "HEAD")
}

/// Whether prefix and rest form the path; the rest `/` may be empty in the path.
fn is_joined(path: &str, prefix: &str, rest: &str) -> bool {
    path == format!("{prefix}{rest}") || (rest == "/" && path == prefix) || path == "*"
}

fn route_of<'t>(table: &'t Table, name: &str) -> &'t Route {
    let mut routes = table.routes.iter();
    let found = routes.find(|route| route.name == name);
    found.expect("a hit names a route of the table")
}

/// Whether the path is below the rewrite prefix, and the rest, with the stripped prefix restored,
/// matches the declared pattern.
fn stays_in_its_pattern(route: &Route, upstream_path: &str) -> bool {
    let above = route.rewrite_prefix.as_deref().unwrap_or("/");
    let above = above.trim_end_matches('/');
    let rest = upstream_path.strip_prefix(above);
    if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        return false;
    }
    let rest = below_rewrite(route, upstream_path);
    let pattern = Pattern::parse(&route.pattern);
    let prefix = stripped_prefix(route);
    pattern.matches(&format!("{prefix}{rest}")) || (rest == "/" && pattern.matches(&prefix))
}

fn shuffle(mut routes: Vec<Route>, places: &[Index]) -> Vec<Route> {
    let mut shuffled = Vec::new();
    for place in places {
        if !routes.is_empty() {
            shuffled.push(routes.swap_remove(place.index(routes.len())));
        }
    }
    shuffled
}

fn codes(errors: &[Diagnostic]) -> Vec<&str> {
    let mut codes: Vec<&str> = errors.iter().map(|error| error.code.as_str()).collect();
    codes.sort_unstable();
    codes
}

/// `PROPTEST_CASES` if it is set, else this number of cases. Failures become named tests, not
/// files.
fn config(cases: u32) -> ProptestConfig {
    let usual = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_some() {
        usual
    } else {
        ProptestConfig { cases, ..usual }
    }
}
