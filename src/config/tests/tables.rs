//! What is wrong with a table as a whole, and what makes a route the same after a reload.

use crate::config::compile::{LoadOptions, load_json};
use crate::config::diagnostic::Severity;

fn codes(json: &str) -> Vec<String> {
    match load_json(json, LoadOptions::INIT) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .iter()
            .filter(|fault| fault.severity == Severity::Error)
            .map(|fault| format!("{} {}", fault.at, fault.code))
            .collect(),
    }
}

fn route(fields: &str) -> String {
    format!(r#"{{"path_pattern":"/t","service":"s","backends":["b"],{fields}}}"#)
}

/// Once only the 64 neighbours of a route were looked at, and the last of many ties loaded.
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
fn faults_come_in_the_order_of_the_text() {
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
fn a_route_is_the_same_by_what_it_matches_and_by_nothing_else() {
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
