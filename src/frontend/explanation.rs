//! An explanation as JSON, the same on the command line and on stdio.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::engine::explain::{Candidate, Explanation};
use crate::engine::plan::Plan;
use crate::engine::policy::{Deprecation, Policy, Redirect};
use crate::engine::routing::Rejection;
use crate::engine::snapshot::Snapshot;
use crate::engine::upstream::{Backend, BackendSource};

/// The explanation with stable field names; fields that do not apply are absent.
///
/// A request whose route has no backend available has both the details of its route and the
/// rejection. No cursor advances.
pub fn to_json<'a>(
    explanation: &'a Explanation<'_>,
    snapshot: &'a Snapshot,
) -> impl Serialize + use<'a> {
    let rejection = rejection(explanation, snapshot);
    ExplanationView {
        status: match (&explanation.local, &rejection) {
            (Some(local), _) => local.status,
            (None, Some(rejection)) => rejection.status(),
            (None, None) => redirect(explanation).map_or(200, |redirect| redirect.status),
        },
        local_response: explanation.local.as_ref().map(|local| LocalView {
            code: local.code,
            reason: &local.reason,
        }),
        error: rejection.as_ref().map(ErrorView::of),
        plan: explanation
            .outcome
            .as_ref()
            .ok()
            .map(|plan| PlanView::of(plan, snapshot)),
        candidates: explanation.candidates.iter().map(candidate_view).collect(),
    }
}

/// The rejection that the request would get, if any.
#[must_use]
pub fn rejection<'a>(explanation: &Explanation<'a>, snapshot: &Snapshot) -> Option<Rejection<'a>> {
    match &explanation.outcome {
        Err(rejection) => Some(rejection.clone()),
        Ok(plan) => {
            let is_served = plan.redirect().is_some() || snapshot.peek(plan.route_id()).is_some();
            (!is_served).then(|| Rejection::NoBackend {
                service: plan.route().service().into(),
            })
        }
    }
}

fn redirect<'a>(explanation: &Explanation<'a>) -> Option<&'a Redirect> {
    explanation.outcome.as_ref().ok()?.redirect()
}

/// The source of the version that serves the request, as the configuration names it; `default` if
/// the request states no version. `None` if the route has no version.
#[must_use]
pub fn version_from(plan: &Plan<'_>) -> Option<&'static str> {
    plan.version()
        .map(|_| plan.version_source().map_or("default", |from| from.name()))
}

#[derive(Serialize)]
struct ExplanationView<'a> {
    status: u16,
    /// Why the gateway responds itself, where routing does not decide on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    local_response: Option<LocalView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorView>,
    #[serde(flatten)]
    plan: Option<PlanView<'a>>,
    candidates: Vec<CandidateView<'a>>,
}

#[derive(Serialize)]
struct LocalView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    reason: &'a str,
}

#[derive(Serialize)]
struct ErrorView {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow: Option<Vec<String>>,
}

#[derive(Serialize)]
struct PlanView<'a> {
    route: String,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_from: Option<&'static str>,
    normal_path: &'a str,
    /// Absent for redirects.
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_path: Option<String>,
    backends: Vec<BackendView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_backend: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    response_headers: BTreeMap<&'a str, Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<PolicyView>,
}

/// A policy of the route, in the order in which it runs.
#[derive(Serialize)]
struct PolicyView {
    policy: &'static str,
    effect: String,
}

#[derive(Serialize)]
struct BackendView<'a> {
    backend: &'a str,
    address: String,
    healthy: bool,
    source: BackendSource,
}

#[derive(Serialize)]
struct CandidateView<'a> {
    route: String,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    pattern: &'a str,
    derived: bool,
    rule: &'static str,
    reason: String,
}

impl ErrorView {
    fn of(rejection: &Rejection<'_>) -> Self {
        Self {
            code: rejection.code(),
            message: rejection.to_string(),
            allow: rejection.allow().map(<[String]>::to_vec),
        }
    }
}

impl<'a> PlanView<'a> {
    fn of(plan: &'a Plan<'_>, snapshot: &'a Snapshot) -> Self {
        let route = plan.route();
        let pool = snapshot.cluster(plan.route_id());
        let next = snapshot.peek(plan.route_id());
        let redirect = plan.redirect();
        let location = redirect.map(|redirect| redirect.location(plan).into());
        let deprecation = plan.chain().deprecation().into_iter();
        let added = deprecation.flat_map(Deprecation::headers);
        let added = added.map(|(name, value)| (name, Cow::Borrowed(value)));
        Self {
            route: route.name(),
            service: route.service(),
            version: plan.version().map(|version| version.to_string()),
            version_from: version_from(plan),
            normal_path: plan.normal_path(),
            upstream_path: redirect.is_none().then(|| plan.upstream_path().to_string()),
            backends: pool.backends().iter().map(backend_view).collect(),
            next_backend: next.map(|pick| &*pick.backend.name),
            response_headers: added
                .chain(location.map(|location| ("location", location)))
                .collect(),
            policies: plan.chain().policies().iter().map(policy_view).collect(),
        }
    }
}

fn policy_view(policy: &Policy) -> PolicyView {
    PolicyView {
        policy: policy.name(),
        effect: policy.explain(),
    }
}

fn backend_view(backend: &Backend) -> BackendView<'_> {
    BackendView {
        backend: &backend.name,
        address: backend.address.to_string(),
        healthy: backend.is_healthy,
        source: backend.source,
    }
}

fn candidate_view<'a>(candidate: &'a Candidate<'_>) -> CandidateView<'a> {
    CandidateView {
        route: candidate.route.name(),
        service: candidate.route.service(),
        version: candidate.route.version().map(|version| version.to_string()),
        pattern: &candidate.pattern,
        derived: candidate.is_derived,
        rule: candidate.fate.rule(),
        reason: candidate.fate.describe(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LoadOptions, load_file};
    use crate::engine::explain::explain;
    use crate::engine::semantics::{Arrival, Request};

    fn explained(config: &str, target: &str) -> String {
        explained_with(config, ("GET", target), &[])
    }

    fn explained_with(
        config: &str,
        (method, target): (&str, &str),
        headers: &[(&str, &str)],
    ) -> String {
        let loaded = load_file(config, LoadOptions::FILE).unwrap();
        let snapshot = loaded.into_snapshot();
        let request = Request::read(&Arrival::LOCAL, (method, target), headers, None);
        let explanation = explain(&snapshot, &request);
        serde_json::to_string(&to_json(&explanation, &snapshot)).unwrap()
    }

    #[test]
    fn admitted() {
        let config = "routes: [{path_pattern: /v1/a/*, service: s}]
services: {s: {versions: {v1: {backends: ['a:1'], deprecated: 2026-01-31}}}}";
        let expected = concat!(
            r#"{"status":200,"route":"/v1/a/* v1 -> s","service":"s","version":"v1","#,
            r#""version_from":"path","normal_path":"/v1/a/b","upstream_path":"/v1/a/b?c","#,
            r#""backends":[{"backend":"a","address":"a:1","healthy":true,"source":"service"}],"#,
            r#""next_backend":"a","response_headers":{"deprecation":"@1769817600"},"#,
            r#""policies":[{"policy":"max_body","effect":"rejects request bodies over 1GiB"},"#,
            r#"{"policy":"deprecated","effect":"response adds deprecation: @1769817600"}],"#,
            r#""candidates":[{"route":"/v1/a/* v1 -> s","service":"s","version":"v1","#,
            r#""pattern":"/v1/a/*","derived":false,"rule":"wins","reason":"wins"}]}"#,
        );
        assert_eq!(explained(config, "/v1/a//b?c"), expected);
    }

    #[test]
    fn redirected() {
        let config = "routes: [{path_pattern: /v1/a/*, redirect: {to: /b/*, status: 307}}]";
        let expected = concat!(
            r#"{"status":307,"route":"/v1/a/* v1 -> redirect to /b/*","#,
            r#""service":"redirect to /b/*","version":"v1","version_from":"path","#,
            r#""normal_path":"/v1/a/c","backends":[],"#,
            r#""response_headers":{"location":"/b/c?d"},"#,
            r#""policies":[{"policy":"redirect","effect":"redirects to /b/* with 307"}],"#,
            r#""candidates":[{"route":"/v1/a/* v1 -> redirect to /b/*","#,
            r#""service":"redirect to /b/*","version":"v1","pattern":"/v1/a/*","#,
            r#""derived":false,"rule":"wins","reason":"wins"}]}"#,
        );
        assert_eq!(explained(config, "/v1/a//c?d"), expected);
    }

    #[test]
    fn rejected() {
        let config = "routes: [{path_pattern: /a, methods: [POST], service: s, backends: [a]}]";
        let expected = concat!(
            r#"{"status":405,"error":{"code":"method.not_allowed","#,
            r#""message":"the method `GET` is not allowed here; use POST","allow":["POST"]},"#,
            r#""candidates":[{"route":"POST /a -> s","service":"s","pattern":"/a","#,
            r#""derived":false,"rule":"method","reason":"admits only POST"}]}"#,
        );
        assert_eq!(explained(config, "/a"), expected);
    }

    #[test]
    fn admitted_but_without_a_backend() {
        let config = "routes: [{path_pattern: /a, service: s, backends: []}]";
        let expected = concat!(
            r#"{"status":503,"error":{"code":"backend.none","#,
            r#""message":"no backend of s is available"},"#,
            r#""route":"/a -> s","service":"s","normal_path":"/a","upstream_path":"/a","#,
            r#""backends":[],"policies":[{"policy":"max_body","#,
            r#""effect":"rejects request bodies over 1GiB"}],"#,
            r#""candidates":[{"route":"/a -> s","service":"s","pattern":"/a","#,
            r#""derived":false,"rule":"wins","reason":"wins"}]}"#,
        );
        assert_eq!(explained(config, "/a"), expected);
    }

    #[test]
    fn responses_of_the_gateway_itself() {
        let config = "routes: [{path_pattern: /a, service: s, backends: [a], cors: any}]";
        let check = |headers: &[(&str, &str)], expected: &str| {
            let explained = explained_with(config, ("OPTIONS", "/a"), headers);
            assert!(explained.starts_with(expected), "{explained}");
        };
        let reason = "`Max-Forwards: 0` ends the request at the gateway";
        let last = format!(r#"{{"status":204,"local_response":{{"reason":"{reason}"}},"route":"#);
        check(&[("Max-Forwards", "0")], &last);
        let preflight = [
            ("Origin", "https://a.test"),
            ("Access-Control-Request-Method", "PUT"),
        ];
        let reason = r#"{"status":204,"local_response":{"reason":"a CORS preflight for PUT"},"#;
        check(&preflight, reason);
    }
}
