//! Errors of the table as a whole, and what identifies a route across reloads.

use crate::config::compile::{LoadOptions, load_json};
use crate::config::diagnostic::Severity;

fn codes(json: &str) -> Vec<String> {
    match load_json(json, LoadOptions::INIT) {
        Ok(_) => Vec::new(),
        Err(diagnostics) => diagnostics
            .iter()
            .filter(|one| one.severity == Severity::Error)
            .map(|one| format!("{} {}", one.at, one.code))
            .collect(),
    }
}

fn route(fields: &str) -> String {
    format!(r#"{{"path_pattern":"/t","service":"s","backends":["b"],{fields}}}"#)
}

/// Regression: only 64 neighbours of a route were compared, so that the last of many ties loaded.
#[test]
fn every_tie_is_found_however_many_routes_are_of_equal_rank() {
    let routes: Vec<String> = (0..300)
        .flat_map(|at| {
            [r#"["GET","POST"]"#, r#"["GET","PUT"]"#]
                .map(|methods| route(&format!(r#""methods":{methods},"headers":{{"x":"{at}"}}"#)))
        })
        .collect();
    let ties = codes(&format!(r#"{{"routes":[{}]}}"#, routes.join(",")));
    assert_eq!(ties.len(), 300);
    assert_eq!(ties[0], "routes[1] route.tie");
}

#[test]
fn errors_are_in_the_order_of_the_text() {
    let json = r#"{"routes":[
        {"path_pattern":"a","service":"","backends":["x:0"]},
        {"service":"s"},
        {"path_pattern":"/b","service":"s","methods":["get"],"backends":["b"]}]}"#;
    assert_eq!(
        codes(json),
        [
            "routes[0].path_pattern route.path_pattern",
            "routes[0].service service.name",
            "routes[0].backends[0] backend.address",
            "routes[1] config.missing_key",
            "routes[2].methods[0] route.methods",
        ]
    );
}

#[test]
fn the_match_alone_identifies_a_route() {
    let identity = |fields: &str| {
        let json = format!(r#"{{"routes":[{{"service":"s","backends":["b"],{fields}}}]}}"#);
        let loaded = load_json(&json, LoadOptions::INIT).unwrap();
        loaded.table.routes()[0].identity()
    };
    let same = |a: &str, b: &str| identity(a) == identity(b);
    assert!(same(
        r#""path_pattern":"/a/{x}""#,
        r#""path_pattern":"/a/{y}","name":"n""#
    ));
    assert!(!same(
        r#""path_pattern":"/a","headers":{"a":"1] [b=2"}"#,
        r#""path_pattern":"/a","headers":{"a":"1","b":"2"}"#,
    ));
    assert!(!same(
        r#""path_pattern":"/a","headers":{"a":{"prefix":"x"}}"#,
        r#""path_pattern":"/a","headers":{"a":"x…"}"#,
    ));
}
