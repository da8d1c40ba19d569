//! `tollgate explain`: where a request goes, and why not elsewhere.

use crate::config::compile::LoadOptions;
use crate::engine::explain::{Candidate, Explanation, Fate, explain};
use crate::engine::plan::Plan;
use crate::engine::request::{RawRequest, split_absolute_form};
use crate::engine::snapshot::Snapshot;
use crate::frontend::cli::answer::Answer;
use crate::frontend::cli::paint::{Cell, Paint};
use crate::frontend::cli::{ExplainArgs, Format};
use crate::frontend::config_file::{ConfigFile, Unusable};
use crate::frontend::explanation::{refusal, to_json, version_from};

/// A header field of the request, as `-H` gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeaderField {
    name: String,
    value: String,
}

impl HeaderField {
    /// Reads `Name: value`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').ok_or(HEADER_FORM)?;
        let odd = |c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c));
        if name.is_empty() || name.contains(odd) {
            return Err(HEADER_FORM.into());
        }
        Ok(Self {
            name: name.into(),
            value: value.trim_matches([' ', '\t']).into(),
        })
    }
}

/// Explains one request.
pub(super) fn run(args: &ExplainArgs, paint: Paint) -> Result<Answer, Unusable> {
    let file = ConfigFile::read_or_builtin(args.config.as_deref())?;
    let loaded = file.into_loaded(LoadOptions::FILE)?;
    let snapshot = loaded.into_snapshot();

    let headers: Vec<(&str, &str)> = args
        .headers
        .iter()
        .map(|field| (&*field.name, &*field.value))
        .collect();
    let (target, authority) = split_absolute_form(&args.url);
    let named_host = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let request = RawRequest {
        method: &args.method,
        target: &target,
        host: authority.or(named_host.map(|(_, host)| *host)),
        headers: &headers[..],
    };
    let explanation = explain(&snapshot, &request);
    let admitted = refusal(&explanation, &snapshot).is_none();
    Ok(match args.format {
        Format::Json => Answer::json(&to_json(&explanation, &snapshot), admitted),
        Format::Text => {
            let asked = format!("{} {}", args.method, args.url);
            Answer::text(text(&asked, &explanation, &snapshot, paint), admitted)
        }
    })
}

/// The explanation as people read it: the verdict, the facts, the candidates.
fn text(asked: &str, explanation: &Explanation<'_>, snapshot: &Snapshot, paint: Paint) -> String {
    let mut out = String::new();
    paint.add(&mut out, &Cell::strong(asked));
    out.push_str(" -> ");
    match (refusal(explanation, snapshot), &explanation.outcome) {
        (Some(reject), _) => {
            let code = format!("{} {}", reject.status(), reject.code());
            paint.add(&mut out, &Cell::bad(code));
            paint.add(&mut out, &Cell::plain(format!(": {reject}")));
        }
        (None, Ok(plan)) => paint.add(&mut out, &Cell::good(served_by(plan))),
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

fn served_by(plan: &Plan<'_>) -> String {
    let service = plan.route().service();
    plan.version()
        .map_or_else(|| service.into(), |version| format!("{service} {version}"))
}

/// What is known of an admitted request, as names and values.
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
        return facts;
    }
    facts.push(fact("upstream path", plan.upstream_path().to_string()));
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
    for (at, policy) in plan.chain().policies().iter().enumerate() {
        let title = if at == 0 { "policies" } else { "" };
        facts.push(fact(title, policy.explain()));
    }
    facts
}

fn version_words(plan: &Plan<'_>) -> String {
    match (plan.version(), version_from(plan)) {
        (Some(version), Some("default")) => format!("{version}, as the request states none"),
        (Some(version), Some("path")) => format!("{version}, stated by the path"),
        (Some(version), Some(source)) => format!("{version}, stated by {source}"),
        (Some(version), None) => version.to_string(),
        (None, _) => "any: the route has none".into(),
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
const HEADER_FORM: &str = "write a header as 'Name: value'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields() {
        let parse = |text: &str| {
            HeaderField::parse(text)
                .map(|field| format!("{}={}", field.name, field.value))
                .ok()
        };
        assert_eq!(parse("A: b"), Some("A=b".into()));
        assert_eq!(parse("Host:a.test:80"), Some("Host=a.test:80".into()));
        assert_eq!(parse("A:"), Some("A=".into()));
        for wrong in ["A", ": b", "a b: c", "A : b", ""] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
