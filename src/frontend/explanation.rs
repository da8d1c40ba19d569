//! An explanation as a program reads it: on the command line and on stdio alike.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::engine::explain::{Candidate, Explanation};
use crate::engine::plan::Plan;
use crate::engine::policy::Redirect;
use crate::engine::policy::{Deprecation, Policy};
use crate::engine::routing::rejection::Rejection;
use crate::engine::snapshot::Snapshot;
use crate::engine::upstream::backend::{Backend, BackendSource};

/// The explanation with stable field names; what does not apply is left out.
///
/// A request that is admitted, but whose route has no backend to pick, has the facts of its route
/// and the refusal that it would get all the same. No cursor moves.
pub fn to_json<'a>(
    explanation: &'a Explanation<'_>,
    snapshot: &'a Snapshot,
) -> impl Serialize + use<'a> {
    let refusal = refusal(explanation, snapshot);
    Told {
        status: match &refusal {
            Some(reject) => reject.status(),
            None => redirect(explanation).map_or(200, |redirect| redirect.status),
        },
        error: refusal.as_ref().map(ToldError::of),
        plan: explanation
            .outcome
            .as_ref()
            .ok()
            .map(|plan| ToldPlan::of(plan, snapshot)),
        candidates: explanation.candidates.iter().map(told_candidate).collect(),
    }
}

/// The refusal that the request would get, if it would get one.
#[must_use]
pub fn refusal<'a>(explanation: &Explanation<'a>, snapshot: &Snapshot) -> Option<Rejection<'a>> {
    match &explanation.outcome {
        Err(reject) => Some(reject.clone()),
        Ok(plan) => {
            let is_answered = plan.redirect().is_some() || snapshot.peek(plan.route_id()).is_some();
            (!is_answered).then(|| Rejection::NoBackend {
                service: plan.route().service().into(),
            })
        }
    }
}

fn redirect<'a>(explanation: &Explanation<'a>) -> Option<&'a Redirect> {
    explanation.outcome.as_ref().ok()?.redirect()
}

/// Who stated the version that answers: a source as the configuration names it, or `default` if
/// none did. None if the route is neutral.
#[must_use]
pub fn version_from(plan: &Plan<'_>) -> Option<&'static str> {
    plan.version()
        .map(|_| plan.version_source().map_or("default", |from| from.name()))
}

#[derive(Serialize)]
struct Told<'a> {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ToldError>,
    #[serde(flatten)]
    plan: Option<ToldPlan<'a>>,
    candidates: Vec<ToldCandidate<'a>>,
}

#[derive(Serialize)]
struct ToldError {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow: Option<Vec<String>>,
}

#[derive(Serialize)]
struct ToldPlan<'a> {
    route: String,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_from: Option<&'static str>,
    normal_path: &'a str,
    /// None where nothing goes upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_path: Option<String>,
    backends: Vec<ToldBackend<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_backend: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    response_headers: BTreeMap<&'a str, Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<ToldPolicy>,
}

/// A policy of the route, in the order in which it runs.
#[derive(Serialize)]
struct ToldPolicy {
    policy: &'static str,
    effect: String,
}

#[derive(Serialize)]
struct ToldBackend<'a> {
    backend: &'a str,
    address: String,
    healthy: bool,
    source: BackendSource,
}

#[derive(Serialize)]
struct ToldCandidate<'a> {
    route: String,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    pattern: &'a str,
    derived: bool,
    rule: &'static str,
    reason: String,
}

impl ToldError {
    fn of(reject: &Rejection<'_>) -> Self {
        Self {
            code: reject.code(),
            message: reject.to_string(),
            allow: reject.allow().map(<[String]>::to_vec),
        }
    }
}

impl<'a> ToldPlan<'a> {
    fn of(plan: &'a Plan<'_>, snapshot: &'a Snapshot) -> Self {
        let route = plan.route();
        let pool = snapshot.cluster(plan.route_id());
        let next = snapshot.peek(plan.route_id());
        let redirect = plan.redirect();
        let location = redirect.map(|redirect| redirect.location(plan).into());
        let deprecation = plan.chain().deprecation().into_iter();
        let announced = deprecation.flat_map(Deprecation::headers);
        let announced = announced.map(|(name, value)| (name, Cow::Borrowed(value)));
        Self {
            route: route.name(),
            service: route.service(),
            version: plan.version().map(|version| version.to_string()),
            version_from: version_from(plan),
            normal_path: plan.normal_path(),
            upstream_path: redirect.is_none().then(|| plan.upstream_path().to_string()),
            backends: pool.backends().iter().map(told_backend).collect(),
            next_backend: next.map(|pick| &*pick.backend.name),
            response_headers: announced
                .chain(location.map(|location| ("location", location)))
                .collect(),
            policies: plan.chain().policies().iter().map(told_policy).collect(),
        }
    }
}

fn told_policy(policy: &Policy) -> ToldPolicy {
    ToldPolicy {
        policy: policy.name(),
        effect: policy.explain(),
    }
}

fn told_backend(backend: &Backend) -> ToldBackend<'_> {
    ToldBackend {
        backend: &backend.name,
        address: backend.address.to_string(),
        healthy: backend.is_healthy,
        source: backend.source,
    }
}

fn told_candidate<'a>(candidate: &'a Candidate<'_>) -> ToldCandidate<'a> {
    ToldCandidate {
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
    use crate::config::compile::{LoadOptions, load_file};
    use crate::engine::explain::explain;
    use crate::engine::request::RawRequest;

    fn told(config: &str, target: &str) -> String {
        let loaded = load_file(config, LoadOptions::FILE).unwrap();
        let snapshot = loaded.into_snapshot();
        let headers: [(&str, &str); 0] = [];
        let request = RawRequest {
            method: "GET",
            target,
            host: None,
            headers: &headers[..],
        };
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
            r#""policies":[{"policy":"max_body","effect":"rejects request bodies over 1073741824 bytes"},"#,
            r#"{"policy":"deprecated","effect":"response adds deprecation: @1769817600"}],"#,
            r#""candidates":[{"route":"/v1/a/* v1 -> s","service":"s","version":"v1","#,
            r#""pattern":"/v1/a/*","derived":false,"rule":"wins","reason":"wins"}]}"#,
        );
        assert_eq!(told(config, "/v1/a//b?c"), expected);
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
        assert_eq!(told(config, "/v1/a//c?d"), expected);
    }

    #[test]
    fn refused() {
        let config = "routes: [{path_pattern: /a, methods: [POST], service: s, backends: [a]}]";
        let expected = concat!(
            r#"{"status":405,"error":{"code":"method.not_allowed","#,
            r#""message":"the method `GET` is not allowed here; use POST","allow":["POST"]},"#,
            r#""candidates":[{"route":"POST /a -> s","service":"s","pattern":"/a","#,
            r#""derived":false,"rule":"method","reason":"admits only POST"}]}"#,
        );
        assert_eq!(told(config, "/a"), expected);
    }

    #[test]
    fn admitted_but_without_a_backend() {
        let config = "routes: [{path_pattern: /a, service: s, backends: []}]";
        let expected = concat!(
            r#"{"status":503,"error":{"code":"backend.none","#,
            r#""message":"no backend of s is available"},"#,
            r#""route":"/a -> s","service":"s","normal_path":"/a","upstream_path":"/a","#,
            r#""backends":[],"policies":[{"policy":"max_body","#,
            r#""effect":"rejects request bodies over 1073741824 bytes"}],"#,
            r#""candidates":[{"route":"/a -> s","service":"s","pattern":"/a","#,
            r#""derived":false,"rule":"wins","reason":"wins"}]}"#,
        );
        assert_eq!(told(config, "/a"), expected);
    }
}
