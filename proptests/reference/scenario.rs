//! A scenario: a table, requests and their outcomes as lines of text.
//!
//! A line that begins with `/` is a route: `PATTERN SERVICE [version=V] [hosts=A,B] [methods=A,B]
//! [header=N:V] [query=N:V] [strip=true|/P] [rewrite=/P] [keep]`, named by its pattern and what
//! follows the service. `versioning:` sets `default=`, `from=` and `derive=`. Any other line is a
//! request and its outcome, `METHOD TARGET [| NAME: VALUE]... => OUTCOME`, the latter as `describe`
//! writes it.

use std::collections::BTreeSet;

use crate::reference::adapter;
use crate::reference::matcher::decide;
use crate::reference::model::{Constraint, Diagnostic, Outcome, Request, Route, Strip, Table};
use crate::reference::verdict::errors;

/// Compares the outcomes of the reference and the engine with the expected ones.
pub(crate) fn check(scenario: &str) {
    let table = table(scenario);
    let loaded = adapter::load(&table).expect("the table loads");
    for (line, expected) in scenario
        .lines()
        .filter_map(|line| line.trim().split_once(" => "))
    {
        let request = request(line);
        assert_eq!(
            describe(&decide(&table, &request)),
            expected,
            "the reference: {line}"
        );
        assert_eq!(
            describe(&adapter::decide(&loaded, &request)),
            expected,
            "the engine: {line}"
        );
    }
}

/// Checks that the table of a scenario is rejected with exactly these errors.
pub(crate) fn check_errors(scenario: &str, expected: &[(&str, usize)]) {
    let table = table(scenario);
    let mut expected: Vec<Diagnostic> = expected
        .iter()
        .map(|(code, route)| Diagnostic {
            code: (*code).to_owned(),
            route: Some(*route),
        })
        .collect();
    expected.sort();
    let mut found = adapter::load(&table).err().unwrap_or_default();
    found.sort();
    assert_eq!(
        errors(&table).into_iter().collect::<BTreeSet<_>>(),
        expected.iter().cloned().collect()
    );
    assert_eq!(found, expected, "{scenario}");
}

fn table(scenario: &str) -> Table {
    let mut table = Table::default();
    for line in scenario.lines().map(str::trim) {
        if line.starts_with('/') {
            table.routes.push(route(line));
        } else if let Some(options) = line.strip_prefix("versioning: ") {
            set_versioning(&mut table, options);
        }
    }
    table
}

fn set_versioning(table: &mut Table, options: &str) {
    for option in options.split(' ') {
        match option.split_once('=').unwrap_or((option, "")) {
            ("default", default) => table.versioning.default = Some(default.to_owned()),
            ("from", from) => table.versioning.from = Some(list(from)),
            (_, derive) => table.versioning.derive = Some(derive == "true"),
        }
    }
}

fn list(values: &str) -> Vec<String> {
    values.split(',').map(str::to_owned).collect()
}

fn route(text: &str) -> Route {
    let mut words = text.split(' ');
    let pattern = words.next().unwrap_or_default();
    let service = words.next().unwrap_or_default();
    let options: Vec<&str> = words.collect();
    let mut route = Route {
        name: [&[pattern], options.as_slice()].concat().join(" "),
        pattern: pattern.to_owned(),
        service: service.to_owned(),
        ..Route::default()
    };
    for option in options {
        match option.split_once('=').unwrap_or((option, "")) {
            ("version", version) => route.version = Some(version.to_owned()),
            ("hosts", hosts) => route.hosts = list(hosts),
            ("methods", methods) => route.methods = list(methods),
            ("header", header) => route.headers.push(constraint(header)),
            ("query", query) => route.query.push(constraint(query)),
            ("strip", "true") => route.strip_prefix = Strip::Literals,
            ("rewrite", prefix) => route.rewrite_prefix = Some(prefix.to_owned()),
            ("strip", prefix) => route.strip_prefix = Strip::Prefix(prefix.to_owned()),
            _ => route.encoded_slashes = true,
        }
    }
    route
}

fn constraint(text: &str) -> (String, Constraint) {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let constraint = match value.strip_prefix("prefix:") {
        Some(prefix) => Constraint::Prefix(prefix.to_owned()),
        None if value == "present" => Constraint::Present,
        None => Constraint::Exact(value.to_owned()),
    };
    (name.to_owned(), constraint)
}

fn request(text: &str) -> Request {
    let mut parts = text.split(" | ");
    let line = parts.next().unwrap_or_default();
    let (method, target) = line.split_once(' ').unwrap_or((line, "/"));
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, q)| (path, Some(q)));
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        ..Request::default()
    };
    for part in parts {
        let (name, value) = part.split_once(": ").unwrap_or((part, ""));
        match name {
            "Host" => request.host = Some(value.to_owned()),
            _ => request.headers.push((name.to_owned(), value.to_owned())),
        }
    }
    request
}

/// `ROUTE VERSION -> PATH`, or `STATUS CODE` with the methods or versions of a rejection.
fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Hit {
            route,
            version,
            upstream_path,
        } => {
            format!(
                "{route} {} -> {upstream_path}",
                version.as_deref().unwrap_or("-")
            )
        }
        Outcome::Rejected {
            code,
            status,
            allow,
            versions,
        } => [
            &[status.to_string(), (*code).to_owned()],
            allow.as_slice(),
            versions,
        ]
        .concat()
        .join(" "),
    }
}
