//! `tollgate explain`: where a request goes, and why no other route gets it.

use crate::config::LoadOptions;
use crate::control::source::{ConfigFile, Unusable};
use crate::engine::explain::{Candidate, Explanation, Fate, explain};
use crate::engine::plan::Plan;
use crate::engine::request::split_absolute_form;
use crate::engine::semantics::{Arrival, Request};
use crate::engine::snapshot::Snapshot;
use crate::frontend::cli::args::{ExplainArgs, Format};
use crate::frontend::cli::output::Output;
use crate::frontend::cli::paint::{Cell, Paint};
use crate::frontend::explanation::{rejection, to_json, version_from};

/// Explains one request.
pub(super) fn run(args: &ExplainArgs, paint: Paint) -> Result<Output, Unusable> {
    let file = ConfigFile::read_or_builtin(args.config.as_deref())?;
    let loaded = file.into_loaded(LoadOptions::FILE)?;
    let snapshot = loaded.into_snapshot();

    let headers: Vec<(&str, &str)> = args
        .headers
        .iter()
        .map(|field| (&*field.name, &*field.value))
        .collect();
    let (target, authority) = split_absolute_form(&args.method, &args.url);
    let named_host = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = authority.or(named_host.map(|(_, host)| *host));
    let arrival = Arrival {
        host: host.filter(|host| !host.is_empty()),
        ..Arrival::LOCAL
    };
    let request = Request::read(&arrival, (&args.method, &target), &headers[..], None);
    let explanation = explain(&snapshot, &request);
    let is_admitted = rejection(&explanation, &snapshot).is_none();
    Ok(match args.format {
        Format::Json => Output::json(&to_json(&explanation, &snapshot), is_admitted),
        Format::Text => {
            let title = format!("{} {}", args.method, args.url);
            Output::text(text(&title, &explanation, &snapshot, paint), is_admitted)
        }
    })
}

/// The explanation for people: the result, its details, the candidates.
fn text(title: &str, explanation: &Explanation<'_>, snapshot: &Snapshot, paint: Paint) -> String {
    let mut out = String::new();
    paint.add(&mut out, &Cell::strong(title));
    out.push_str(" -> ");
    if let Some(local) = &explanation.local {
        paint.add(&mut out, &Cell::plain(format!("{} ", local.status)));
        paint.add(&mut out, &Cell::plain(&local.reason));
        out.push('\n');
        out.push_str("routing -> ");
    }
    match (rejection(explanation, snapshot), &explanation.outcome) {
        (Some(reject), _) => {
            let code = format!("{} {}", reject.status(), reject.code());
            paint.add(&mut out, &Cell::bad(code));
            paint.add(&mut out, &Cell::plain(format!(": {reject}")));
        }
        (None, Ok(plan)) => paint.add(&mut out, &Cell::good(service_and_version(plan))),
        (None, Err(_)) => {}
    }
    out.push('\n');
    if let Ok(plan) = &explanation.outcome {
        out.push('\n');
        paint.columns(&mut out, "", &facts(plan, snapshot));
    }
    let candidates: Vec<Vec<Cell>> = (1..)
        .zip(&explanation.candidates)
        .map(|(at, candidate)| candidate_row(at, candidate))
        .collect();
    if !candidates.is_empty() {
        out.push('\n');
        paint.add(&mut out, &Cell::quiet(CANDIDATES));
        out.push('\n');
        paint.columns(&mut out, "  ", &candidates);
    }
    out
}

fn service_and_version(plan: &Plan<'_>) -> String {
    let service = plan.route().service();
    plan.version()
        .map_or_else(|| service.into(), |version| format!("{service} {version}"))
}

/// The details of an admitted request, as names and values.
fn facts(plan: &Plan<'_>, snapshot: &Snapshot) -> Vec<Vec<Cell>> {
    let fact = |name: &str, value: String| vec![Cell::quiet(name), Cell::plain(value)];
    let route = plan.route();
    let mut facts = vec![
        fact("route", route.name()),
        fact("version", version_words(plan)),
        fact("normal path", plan.normal_path().into()),
    ];
    if let Some(redirect) = plan.redirect() {
        facts.push(fact("status", redirect.status.to_string()));
        facts.push(fact("location", redirect.location(plan)));
    } else {
        facts.push(fact("upstream path", plan.upstream_path().to_string()));
        facts.extend(backends(plan, snapshot));
    }
    for (at, policy) in plan.chain().policies().iter().enumerate() {
        let title = if at == 0 { "policies" } else { "" };
        facts.push(fact(title, policy.explain()));
    }
    facts
}

/// The backends of the route, and which is next.
fn backends(plan: &Plan<'_>, snapshot: &Snapshot) -> Vec<Vec<Cell>> {
    let fact = |name: &str, value: String| vec![Cell::quiet(name), Cell::plain(value)];
    let mut facts = Vec::new();
    let next = snapshot.peek(plan.route_id());
    let backends = snapshot.cluster(plan.route_id()).backends();
    for (at, backend) in backends.iter().enumerate() {
        let mut words = backend.address.to_string();
        if next.is_some_and(|pick| pick.backend.address == backend.address) {
            words.push_str("  <- next");
        }
        if !backend.is_healthy {
            words.push_str("  unhealthy");
        }
        facts.push(fact(if at == 0 { "backends" } else { "" }, words));
    }
    if backends.is_empty() {
        facts.push(fact("backends", "none".into()));
    }
    facts
}

fn version_words(plan: &Plan<'_>) -> String {
    match (plan.version(), version_from(plan)) {
        (Some(version), Some("default")) => {
            format!("{version}, the default, as the request states none")
        }
        (Some(version), Some("path")) => format!("{version}, stated by the path"),
        (Some(version), Some(source)) => format!("{version}, stated by {source}"),
        (Some(version), None) => version.to_string(),
        (None, _) => "any: the route has no version".into(),
    }
}

fn candidate_row(at: usize, candidate: &Candidate<'_>) -> Vec<Cell> {
    let mut route = candidate.route.name();
    if candidate.is_derived {
        route = format!("{route}, reached as {}", candidate.pattern);
    }
    let words = candidate.fate.describe();
    let fate = if candidate.fate == Fate::Wins {
        Cell::good(words)
    } else {
        Cell::plain(words)
    };
    vec![Cell::quiet(at.to_string()), Cell::plain(route), fate]
}

const CANDIDATES: &str = "routes whose host and path match, in the order in which they are tried";
