//! Updates and the snapshot that they lead to.

use std::time::Duration;

use super::*;
use crate::config::{LoadOptions, load_json};
use crate::runtime::clock;

/// `users` has two versions, `orders` is neutral.
const START: &str = r#"{"routes":[
    {"path_pattern":"/u1","service":"users","version":"v1","backends":["a"]},
    {"path_pattern":"/u2","service":"users","version":"v2","backends":["b"]},
    {"path_pattern":"/o","service":"orders","backends":["c","d"]}]}"#;
/// `carts` is new and has one version.
const OTHER: &str = r#"{"routes":[
    {"path_pattern":"/o","service":"orders","backends":["e"]},
    {"path_pattern":"/c","service":"carts","version":"v1","backends":["f"]}]}"#;

#[test]
fn updates_lead_to_a_snapshot() {
    for (updates, expected) in [
        (&[][..], "/u1 a | /u2 b | /o c d"),
        (&["init"], "/o e | /c f"),
        (&["init", "reset"], "/u1 a | /u2 b | /o c d"),
        (&["config", "reset"], "/o e | /c f"),
        (&["register orders - x"], "/u1 a | /u2 b | /o c d x"),
        (&["register users v2 x"], "/u1 a | /u2 b x | /o c d"),
        (&["register orders - c"], "/u1 a | /u2 b | /o c d"),
        // Registrations survive a new configuration; a missing version is resolved by it.
        (&["register orders - x", "init"], "/o e x | /c f"),
        (&["register carts - x", "init"], "/o e | /c f x"),
        (&["init", "register carts - x"], "/o e | /c f x"),
        (&["register carts v2 x", "init"], "/o e | /c f"),
        // A deregistered backend that is configured returns with the next configuration.
        (&["deregister orders - c"], "/u1 a | /u2 b | /o d"),
        (&["deregister orders - y"], "/u1 a | /u2 b | /o c d"),
        (
            &["deregister orders - c", "reset"],
            "/u1 a | /u2 b | /o c d",
        ),
        (
            &["deregister orders - c", "register orders - c"],
            "/u1 a | /u2 b | /o d c",
        ),
        (
            &["register orders - x", "deregister orders - x"],
            "/u1 a | /u2 b | /o c d",
        ),
        (&["init", "deregister carts - f"], "/o e | /c"),
        // Registrations end, unless they are renewed.
        (
            &["register orders - x 5", "expire 4"],
            "/u1 a | /u2 b | /o c d x",
        ),
        (
            &["register orders - x 5", "expire 5"],
            "/u1 a | /u2 b | /o c d",
        ),
        (
            &["register orders - x 5", "register orders - x 9", "expire 5"],
            "/u1 a | /u2 b | /o c d x",
        ),
    ] {
        let mut test = Test::new(10);
        let before = test.published();
        for update in updates {
            test.apply(update).unwrap();
        }
        assert_eq!(test.published(), before, "{updates:?} is seen too early");
        test.reconciler.publish();
        assert_eq!(test.published(), expected, "{updates:?}");
        assert!(!test.reconciler.has_unpublished());

        let mut one_by_one = Test::new(10);
        for update in updates {
            one_by_one.apply(update).unwrap();
            one_by_one.reconciler.publish();
        }
        assert_eq!(one_by_one.published(), expected, "{updates:?} one by one");
    }
}

#[test]
fn a_rejected_update_changes_nothing() {
    for update in [
        "register users - x",
        "deregister users - a",
        "register orders - z",
    ] {
        let mut test = Test::new(1);
        test.apply("register orders - y").unwrap();
        test.reconciler.publish();
        let (before, expiry) = (test.published(), test.reconciler.next_expiry());
        let error = test.apply(update).unwrap_err();
        assert!(!test.reconciler.has_unpublished(), "{update}: {error}");
        test.reconciler.publish();
        assert_eq!(test.published(), before, "{update}: {error}");
        assert_eq!(test.reconciler.next_expiry(), expiry);
    }
}

#[test]
fn a_full_registry_still_renews() {
    let mut test = Test::new(1);
    test.apply("register orders - x 5").unwrap();
    test.apply("register orders - x 9").unwrap();
    assert_eq!(test.reconciler.next_expiry(), Some(test.at(9)));
    let limit = UpdateError::TooManyRegistrations { limit: 1 };
    assert_eq!(test.apply("register orders - y"), Err(limit));
}

#[test]
fn cursors_and_readers_stay_over_a_reload() {
    let mut test = Test::new(1);
    let reader = test.reconciler.reader();
    let pick = |at: usize| {
        let snapshot = reader.load();
        let route = snapshot.table().ids().nth(at).unwrap();
        snapshot.pick(route).unwrap().backend.name.to_string()
    };
    assert_eq!(pick(2), "c");
    test.apply("reset").unwrap();
    test.reconciler.publish();
    assert_eq!(pick(2), "d");
}

#[test]
fn registrations_without_a_route_are_listed() {
    let mut test = Test::new(10);
    for update in [
        "register carts - x",
        "register carts - y",
        "register a v2 z",
    ] {
        test.apply(update).unwrap();
    }
    let listed = test.reconciler.unrouted().into_iter();
    let listed: Vec<_> = listed
        .map(|(key, addresses)| {
            let addresses = addresses.iter().map(Address::host).collect::<Vec<_>>();
            (key.service.to_string(), addresses.join(" "))
        })
        .collect();
    let expected = [("a", "z"), ("carts", "x y")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(listed, expected);
}

#[test]
fn a_service_has_one_cluster_whatever_the_number_of_routes() {
    let json = |routes: &[&str]| {
        let route = |path: &&str| format!(r#"{{"path_pattern":"{path}","service":"s"}}"#);
        let routes: Vec<_> = routes.iter().map(route).collect();
        let services = r#"{"s":{"backends":["h:1"]}}"#;
        format!(
            r#"{{"routes":[{}],"services":{services}}}"#,
            routes.join(",")
        )
    };
    let names = |reader: &SnapshotReader| {
        let snapshot = reader.load();
        let [cluster] = snapshot.clusters_of("s", None) else {
            panic!("{snapshot:?}");
        };
        let names = cluster.backends().iter();
        names
            .map(|backend| (backend.id, backend.name.to_string()))
            .collect::<Vec<_>>()
    };
    let mut reconciler = Reconciler::new(load(&json(&["/b", "/c"])), 10);
    let reader = reconciler.reader();
    let register = Update::Register {
        service: ServiceKey::of("s", None),
        address: Address::parse("h:2").unwrap(),
        expires: None,
    };
    reconciler.apply(register).unwrap();
    reconciler.publish();
    let before = names(&reader);
    assert_eq!(before, [(0, "h".into()), (1, "h:2".into())]);
    // A new route before the others: the cluster continues.
    let reload = Update::Config(Box::new(load(&json(&["/a", "/b", "/c"]))));
    reconciler.apply(reload).unwrap();
    reconciler.publish();
    assert_eq!(names(&reader), before);
}

struct Test {
    reconciler: Reconciler,
    start: Instant,
}

impl Test {
    fn new(max_registrations: usize) -> Self {
        Self {
            reconciler: Reconciler::new(load(START), max_registrations),
            start: clock::now(),
        }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    /// Applies an update written as words: `register SERVICE VERSION ADDRESS [SECONDS]`.
    fn apply(&mut self, words: &str) -> Result<(), UpdateError> {
        let words: Vec<&str> = words.split(' ').collect();
        let service = |name, version: &str| {
            let version = (version != "-").then(|| ApiVersion::parse(version).unwrap());
            ServiceKey::of(name, version)
        };
        let seconds = |text: &str| self.at(text.parse().unwrap());
        let update = match *words {
            ["init"] => Update::Init(Box::new(load(OTHER))),
            ["config"] => Update::Config(Box::new(load(OTHER))),
            ["reset"] => Update::Reset,
            ["expire", now] => Update::Expire { now: seconds(now) },
            ["register", name, version, address, ref lifetime @ ..] => Update::Register {
                service: service(name, version),
                address: Address::parse(address).unwrap(),
                expires: lifetime.first().map(|text| seconds(text)),
            },
            ["deregister", name, version, address] => Update::Deregister {
                service: service(name, version),
                address: Address::parse(address).unwrap(),
            },
            _ => panic!("{words:?}"),
        };
        self.reconciler.apply(update)
    }

    /// The path and the backends of every route that readers see.
    fn published(&self) -> String {
        let snapshot = self.reconciler.reader().load();
        let routes = snapshot.table().ids().map(|id| {
            let mut words = vec![snapshot.table().route_at(id).pattern().to_string()];
            let backends = snapshot.cluster(id).backends().iter();
            words.extend(backends.map(|backend| backend.name.to_string()));
            words.join(" ")
        });
        routes.collect::<Vec<_>>().join(" | ")
    }
}

fn load(json: &str) -> Loaded {
    load_json(json, LoadOptions::INIT).unwrap()
}
