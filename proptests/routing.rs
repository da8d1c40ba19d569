//! What must hold of routing whatever the table and the request.
//!
//! The engine answers through `reference::adapter`; the naive reference stands beside it. A table
//! that does not load is skipped, and one test counts that most do.

mod reference;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use reference::adapter::{self, load, normal_path};
use reference::forms::{Form, expand};
use reference::generators::{
    SMALL, USUAL, below_rewrite, covering_tables, extra_routes, stripped_prefix, tables,
};
use reference::matcher::{STANDARD_METHODS, decide, matching};
use reference::model::{Diagnostic, Outcome, Request, Route, Strip, Table, Versioning, to_json};
use reference::normal::is_normal;
use reference::order::{Said, compare};
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
            let before: Vec<&Form<'_>> =
                candidates.iter().take_while(|form| form.route.name != route).collect();
            prop_assert!(before.len() < candidates.len(), "{} does not match {:?}", route, request);
            let mut fences: Vec<&Form<'_>> = Vec::new();
            // That GET admits HEAD depends on the rest of the group.
            let is_alike = |form: &&&Form<'_>| request.method != "HEAD" || lists_head(form.route);
            for form in before.into_iter().filter(|form| is_alike(&form)) {
                let open = |fence: &&Form<'_>| {
                    fence.route.service == form.route.service || fence.same_pattern(form)
                };
                match alone(form, &table, request) {
                    Outcome::Refused { code: "version.unsupported", .. } => fences.push(form),
                    Outcome::Refused { .. } => {}
                    Outcome::Hit { .. } => {
                        prop_assert!(!fences.iter().all(open), "{} over {:?}", route, form);
                    }
                }
            }
        }
    }

    #[test]
    fn allow_is_the_set_of_methods_that_hit((table, requests) in with_requests(tables(USUAL))) {
        let Ok(snapshot) = load(&table) else { return Ok(()) };
        for request in &requests {
            let Outcome::Refused { code: "method.not_allowed", allow, .. } =
                adapter::decide(&snapshot, request)
            else {
                continue;
            };
            let candidates = matching(&table, request);
            let mut methods: Vec<String> = STANDARD_METHODS.map(str::to_owned).to_vec();
            methods.extend(candidates.iter().flat_map(|form| form.route.methods.clone()));
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
        let (Ok(stripping), Ok(keeping)) = (load(&table), load(&whole)) else { return Ok(()) };
        for request in &requests {
            let stripped = adapter::decide(&stripping, request);
            let kept = adapter::decide(&keeping, request);
            match (stripped, kept) {
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
                (stripped, kept) => prop_assert_eq!(stripped, kept),
            }
        }
    }

    #[test]
    fn what_goes_upstream_is_a_normal_path_of_its_route(
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
    fn the_order_of_the_file_does_not_matter(
        (table, requests) in with_requests(tables(USUAL)),
        places in prop::collection::vec(any::<Index>(), 8),
    ) {
        let shuffled = Table { routes: shuffle(table.routes.clone(), &places), ..table.clone() };
        match (load(&table), load(&shuffled)) {
            (Ok(one), Ok(other)) => {
                for request in &requests {
                    let answer = adapter::decide(&one, request);
                    prop_assert_eq!(adapter::decide(&other, request), answer, "{:?}", request);
                }
            }
            (Err(one), Err(other)) => prop_assert_eq!(codes(&one), codes(&other)),
            (one, other) => prop_assert!(false, "{:?} against {:?}", one.err(), other.err()),
        }
    }

    /// The other route is of a service of its own, or nothing is derived: it makes no family.
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
        let forms = expand(&larger);
        for request in &requests {
            let mut extra_forms = forms.iter().filter(|form| form.route.name == "extra");
            if !extra_forms.any(|form| form.covers(request)) {
                let answer = adapter::decide(&before, request);
                prop_assert_eq!(adapter::decide(&after, request), answer, "{:?}", request);
            }
        }
    }

    #[test]
    fn the_order_of_forms_is_total(
        table in tables(USUAL),
        stated in prop::option::of(select(vec!["v1", "v2", "v9", "2026-01-31"])),
        preferred in prop::option::of(select(vec!["v1", "v2"])),
    ) {
        let forms = expand(&table);
        let said = Said {
            stated: stated.and_then(Version::parse),
            preferred: preferred.and_then(Version::parse).filter(|_| stated.is_none()),
            newest_first: table.versioning.newest_first(),
        };
        for (left_place, left) in forms.iter().enumerate() {
            for (right_place, right) in forms.iter().enumerate() {
                let order = compare(left, right, &said);
                prop_assert_eq!(order.reverse(), compare(right, left, &said));
                prop_assert_eq!(order.is_eq(), left_place == right_place, "{:?} {:?}", left, right);
                for third in forms.iter().filter(|_| order.is_lt()) {
                    if compare(right, third, &said).is_lt() {
                        prop_assert!(compare(left, third, &said).is_lt());
                    }
                }
            }
        }
    }

    #[test]
    fn pattern_and_parameters_give_the_path_back((table, requests) in with_requests(tables(USUAL))) {
        for request in requests.iter().filter(|request| request.path != "*") {
            for form in expand(&table) {
                if let Some(bound) = form.pattern.bind(&request.path) {
                    let path = form.pattern.fill(&bound);
                    prop_assert_eq!(&path, &request.path, "{:?}", form.pattern);
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
        let faults = load(&table).err().unwrap_or_default();
        let overlaps = faults.iter().any(|fault| fault.code != "route.unreachable");
        for (index, wins) in winning(&table).into_iter().enumerate() {
            let unreachable = Diagnostic { code: "route.unreachable".to_owned(), route: Some(index) };
            let is_called_dead = faults.contains(&unreachable);
            prop_assert!(!(wins && is_called_dead), "route {} wins: {}", index, to_json(&table));
            prop_assert!(wins || is_called_dead || overlaps, "route {} never wins", index);
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

/// What a table of this form's route alone, declared with this form's pattern, makes of a request.
fn alone(form: &Form<'_>, table: &Table, request: &Request) -> Outcome {
    let mut pattern = form.pattern.shape();
    for number in 0..form.pattern.segments.len() {
        pattern = pattern.replacen("{}", &format!("{{n{number}}}"), 1);
    }
    let version = form.version.as_ref().map(ToString::to_string);
    let route = Route {
        pattern,
        version,
        ..form.route.clone()
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

/// Whether prefix and rest are the path; a rest of `/` may stand for nothing.
fn is_joined(path: &str, prefix: &str, rest: &str) -> bool {
    path == format!("{prefix}{rest}") || (rest == "/" && path == prefix) || path == "*"
}

fn route_of<'t>(table: &'t Table, name: &str) -> &'t Route {
    let mut routes = table.routes.iter();
    let found = routes.find(|route| route.name == name);
    found.expect("a hit names a route of the table")
}

/// Whether the path is below the rewrite prefix, and what is there, with what was stripped put
/// back, matches what the route declares.
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

fn codes(faults: &[Diagnostic]) -> Vec<&str> {
    let mut codes: Vec<&str> = faults.iter().map(|fault| fault.code.as_str()).collect();
    codes.sort_unstable();
    codes
}

/// `PROPTEST_CASES` if it is set, else this many cases. Failures become named tests, not files.
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
