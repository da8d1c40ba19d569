//! The only module of the reference that calls the engine under test.

use std::sync::Arc;

use tollgate::config::{LoadOptions, load_json};
use tollgate::engine::plan::decide as engine_decide;
use tollgate::engine::request::RawRequest;
use tollgate::engine::routing::NormalPath;
use tollgate::engine::snapshot::Snapshot as Compiled;
use tollgate::engine::upstream::Registry;

use crate::reference::model::{Diagnostic, Outcome, Request, Table, to_json};

/// A loaded table.
#[derive(Debug)]
pub(crate) struct Snapshot(Compiled);

/// Loads a table through its JSON entry.
///
/// # Errors
/// All errors of the table.
pub(crate) fn load(table: &Table) -> Result<Snapshot, Vec<Diagnostic>> {
    match load_json(&to_json(table), LoadOptions::INIT) {
        Ok(loaded) => Ok(Snapshot(Compiled::new(
            Arc::new(loaded.table),
            loaded.configured.into(),
            &mut Registry::default(),
            None,
        ))),
        Err(errors) => Err(errors
            .iter()
            .map(|error| Diagnostic {
                code: error.code.to_owned(),
                route: route_at(&error.at),
            })
            .collect()),
    }
}

/// The outcome of a request in the engine.
pub(crate) fn decide(snapshot: &Snapshot, request: &Request) -> Outcome {
    let target = match &request.query {
        Some(query) => format!("{}?{query}", request.path),
        None => request.path.clone(),
    };
    let raw = RawRequest {
        method: &request.method,
        target: &target,
        host: request.host.as_deref(),
        headers: &*request.headers,
    };
    match engine_decide(&snapshot.0, &raw) {
        Ok(plan) => Outcome::Hit {
            route: plan.route().name(),
            version: plan.version().map(|version| version.to_string()),
            upstream_path: plan.upstream_path().path(),
        },
        Err(rejection) => Outcome::Rejected {
            code: rejection.code(),
            status: rejection.status(),
            allow: rejection.allow().unwrap_or_default().to_vec(),
            versions: rejection
                .versions()
                .iter()
                .map(ToString::to_string)
                .collect(),
        },
    }
}

/// The path after normalisation; `None` if it is rejected.
pub(crate) fn normal_path(path: &str) -> Option<String> {
    NormalPath::parse(path)
        .ok()
        .map(|path| path.as_str().to_owned())
}

/// The index in `routes[3].path_pattern`.
fn route_at(at: &str) -> Option<usize> {
    at.strip_prefix("routes[")?.split(']').next()?.parse().ok()
}
