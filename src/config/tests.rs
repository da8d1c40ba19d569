//! Tables of configuration texts with the words that they earn.

use serde_json::Value as Json;

use crate::config::compile::{LoadOptions, load_file};
use crate::config::diagnostic::{Diagnostic, Position, Severity, excerpt};
use crate::config::document::Document;
use crate::config::raw::policy::{CORS, DEFAULTS, HEADER_RULES, REDIRECT, RETRY, UPSTREAM_TLS};
use crate::config::raw::serve::{
    ACCESS_LOG, CERTIFICATE, LIMITS, LISTENER, REDIRECT_TO_HTTPS, SERVE_KEYS, TLS,
};
use crate::config::raw::service::{SERVICE, VERSION};
use crate::config::raw::{At, MATCH, ROUTE, RawTable, Strictness, TABLE, VERSIONING, read};

mod faults;
mod policies;
mod process;
mod tables;
mod texts;

/// One line a fault: `LINE:COLUMN code at: message [help]`.
fn told(fault: &Diagnostic) -> String {
    let place = match fault.position {
        Some(Position { line, column }) => format!("{line}:{column} "),
        None => String::new(),
    };
    let warning = if fault.severity == Severity::Warning {
        "warning "
    } else {
        ""
    };
    let code = fault.code.strip_prefix("config.").unwrap();
    let help = fault
        .help
        .as_ref()
        .map(|help| format!(" [{help}]"))
        .unwrap_or_default();
    format!(
        "{place}{warning}{code} {}: {}{help}",
        fault.at, fault.message
    )
}

fn faults(text: &str, strictness: Strictness) -> Vec<String> {
    match Document::from_yaml(text) {
        Ok(document) => read(&document, strictness)
            .1
            .into_sorted()
            .iter()
            .map(told)
            .collect(),
        Err(fault) => vec![told(&fault)],
    }
}

/// What loading a file earns, one line a fault: `CODE AT: MESSAGE [HELP]`.
fn told_faults(text: &str) -> Vec<String> {
    let faults = load_file(text, LoadOptions::FILE).err().unwrap_or_default();
    let told = faults.iter().map(|fault| {
        let help = fault.help.iter().map(|help| format!(" [{help}]"));
        let help = help.collect::<String>();
        format!("{} {}: {}{help}", fault.code, fault.at, fault.message)
    });
    told.collect()
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(
        faults(text, Strictness::File),
        expected,
        "{}",
        excerpt(text)
    );
}

fn loaded(text: &str) -> RawTable {
    let (table, faults) = read(&Document::from_yaml(text).unwrap(), Strictness::File);
    let faults = faults.into_sorted();
    assert_eq!(faults, [], "{text}");
    table
}

fn value<T: Clone>(at: &Option<At<T>>) -> T {
    at.as_ref().unwrap().value.clone()
}

fn values(at: &Option<At<Vec<At<String>>>>) -> Vec<&str> {
    at.as_ref()
        .unwrap()
        .value
        .iter()
        .map(|at| at.value.as_str())
        .collect()
}

#[test]
fn yaml_and_json_give_the_same_table() {
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    for example in schema["examples"].as_array().unwrap() {
        let text = serde_json::to_string_pretty(example).unwrap();
        let json = read(&Document::from_json(&text).unwrap(), Strictness::File);
        assert_eq!(json.1.into_sorted(), []);
        assert_eq!(json.0, loaded(&text));
        assert!(json.0.routes.is_some());
        for variant in [format!("\u{feff}{text}"), text.replace('\n', "\r\n")] {
            assert_eq!(json.0, loaded(&variant));
        }
    }
    let wrong = r#"{"routes":[{"path_pattern":"/a","servce":1.5,"hosts":"x"}],"routes":[]}"#;
    let (_, of_json) = read(&Document::from_json(wrong).unwrap(), Strictness::File);
    let of_json = of_json.into_sorted();
    let (_, of_yaml) = read(&Document::from_yaml(wrong).unwrap(), Strictness::File);
    let mut of_yaml = of_yaml.into_sorted();
    for fault in &mut of_yaml {
        assert!(fault.position.take().is_some());
        if fault.code == "config.duplicate_key" {
            fault.help = None;
        }
    }
    assert_eq!(of_json, of_yaml);
    assert_eq!(of_json.len(), 4);
}

#[test]
fn the_schema_has_the_keys_that_are_read() {
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    let check = |level: &Json, keys: &[&str]| {
        let mut known = keys.to_vec();
        known.sort_unstable();
        let mut said: Vec<_> = level["properties"].as_object().unwrap().keys().collect();
        said.sort_unstable();
        assert_eq!(said, known);
        assert_eq!(level["additionalProperties"], Json::Bool(false));
    };
    check(&schema, &TABLE.keys);
    check(&schema["$defs"]["route"], &ROUTE.keys);
    check(&schema["$defs"]["service"], &SERVICE.keys);
    check(&schema["$defs"]["version"], &VERSION.keys);
    check(&schema["$defs"]["versioning"], &VERSIONING.keys);
    check(&schema["$defs"]["match"], &MATCH.keys);
    check(&schema["$defs"]["defaults"], &DEFAULTS.keys);
    check(&schema["$defs"]["retry"], &RETRY.keys);
    check(&schema["$defs"]["header_rules"], &HEADER_RULES.keys);
    check(&schema["$defs"]["cors"], &CORS.keys);
    check(&schema["$defs"]["redirect"], &REDIRECT.keys);
    check(&schema["$defs"]["upstream_tls"], &UPSTREAM_TLS.keys);
    check(&schema["$defs"]["listener"], &LISTENER.keys);
    check(&schema["$defs"]["listener_tls"], &TLS.keys);
    check(&schema["$defs"]["certificate"], &CERTIFICATE.keys);
    let port = &schema["$defs"]["redirect_to_https"];
    check(port, &REDIRECT_TO_HTTPS.keys);
    check(&schema["$defs"]["access_log"], &ACCESS_LOG.keys);
    check(&schema["$defs"]["limits"], &LIMITS.keys);
}

/// They are taken apart by their places.
#[test]
fn keys_read_together_stand_together() {
    assert!(TABLE.keys.ends_with(&SERVE_KEYS));
    assert!(ROUTE.keys.ends_with(&DEFAULTS.keys));
    let upstream = ["protocol", "tls", "max_in_flight"];
    assert!(SERVICE.keys.ends_with(&upstream));
    let before = ROUTE.keys.len() - DEFAULTS.keys.len();
    assert!(ROUTE.keys[..before].ends_with(&upstream));
}

#[test]
fn the_examples_of_the_schema_load() {
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    for example in schema["examples"].as_array().unwrap() {
        let text = serde_json::to_string_pretty(example).unwrap();
        let loaded = load_file(&text, LoadOptions::FILE).unwrap();
        assert_eq!(loaded.remarks, [], "{text}");
    }
}

const SCHEMA: &str = include_str!("../../fixtures/config.schema.json");
