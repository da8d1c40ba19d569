//! Whether a request is forwarded, and if not, the response of the gateway.

use std::net::Ipv6Addr;

use crate::engine::policy::body_limit::BodyAllowance;
use crate::engine::policy::cors::{preflight, preflight_answer};
use crate::engine::request::{Headers, RawRequest};
use crate::engine::routing::decide::{Plan, decide};
use crate::engine::routing::host::{HostPattern, normal_host};
use crate::engine::semantics::Request;
use crate::engine::semantics::error::Cause;
use crate::engine::semantics::hops::is_last_hop;
use crate::engine::snapshot::Snapshot;
use crate::http1::length::BodyLength;
use crate::runtime::proxy::local::LocalResponse;
use crate::runtime::worker::Scratch;

/// What is done with a request.
#[derive(Debug)]
pub(super) enum Admission<'s> {
    /// A backend answers it.
    Forward(Plan<'s>),
    /// The gateway answers it.
    Respond(LocalResponse<'s>),
}

/// Admits a request or answers it. `redirect_port` is set on a listener that redirects every request
/// to https; a local response fills the scratch.
pub(super) fn admit<'s, H: Headers + ?Sized>(
    snapshot: &'s Snapshot,
    raw: &RawRequest<'s, H>,
    request: &Request<'_, H>,
    body: BodyLength,
    redirect_port: Option<u16>,
    scratch: &mut Scratch,
) -> Admission<'s> {
    if let Some(port) = redirect_port {
        return Admission::Respond(redirect_to_https(raw, request, port, scratch));
    }
    scratch.edits.clear();
    scratch.body.clear();
    if is_last_hop(raw.method, &request.noted) {
        return Admission::Respond(LocalResponse::of_status(204));
    }
    if let Some(response) = answer_preflight(snapshot, raw, request, scratch) {
        return Admission::Respond(response);
    }
    let plan = match decide(snapshot, raw) {
        Ok(plan) => plan,
        Err(rejection) => {
            let response = LocalResponse::problem(rejection.into(), request, None, scratch);
            return Admission::Respond(response);
        }
    };
    if let Some(redirect) = plan.redirect() {
        let location = redirect.location(&plan);
        scratch.edits.set("location", location.as_bytes());
        return Admission::Respond(LocalResponse {
            route: Some(plan.route_id()),
            ..LocalResponse::of_status(redirect.status)
        });
    }
    let stated = match body {
        BodyLength::Length(length) => Some(length),
        BodyLength::None | BodyLength::Chunked | BodyLength::UntilClose => None,
    };
    if let Err(error) = BodyAllowance::new(plan.policy().max_body_bytes, stated) {
        let response = LocalResponse::problem(error.into(), request, Some(&plan), scratch);
        return Admission::Respond(response);
    }
    Admission::Forward(plan)
}

/// Answers a preflight by the CORS rules of the route that the announced request would match.
fn answer_preflight<H: Headers + ?Sized>(
    snapshot: &Snapshot,
    raw: &RawRequest<'_, H>,
    request: &Request<'_, H>,
    scratch: &mut Scratch,
) -> Option<LocalResponse<'static>> {
    let preflight = preflight(raw.method, &request.noted)?;
    let announced = RawRequest {
        method: preflight.method,
        ..*raw
    };
    let plan = decide(snapshot, &announced).ok()?;
    let cors = plan.policy().cors.as_ref()?;
    let status = preflight_answer(&mut scratch.edits, cors, &preflight, plan.route().methods());
    Some(LocalResponse::of_status(status))
}

/// Redirects any request to the same host and target over https.
fn redirect_to_https<H: Headers + ?Sized>(
    raw: &RawRequest<'_, H>,
    request: &Request<'_, H>,
    port: u16,
    scratch: &mut Scratch,
) -> LocalResponse<'static> {
    let Some(location) = https_location(raw.host.unwrap_or(""), raw.target, port) else {
        let cause = Cause::Wire {
            code: "host.invalid",
            status: 400,
            sentence: "this port only redirects to https, and the request names no host to go to"
                .into(),
        };
        return LocalResponse::problem(cause, request, None, scratch);
    };
    scratch.edits.clear();
    scratch.body.clear();
    scratch.edits.set("location", location.as_bytes());
    LocalResponse::of_status(308)
}

/// The https URL of a target; `None` if the host is neither a name nor an address.
fn https_location(host: &str, target: &str, port: u16) -> Option<String> {
    let host = normal_host(host);
    let bracketed = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let is_valid = match bracketed {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => matches!(HostPattern::parse(&host), Ok(HostPattern::Exact(_))),
    };
    if !is_valid {
        return None;
    }
    // `OPTIONS *` names no path (RFC 9112, section 3.2.4).
    let target = if target == "*" { "" } else { target };
    Some(match port {
        443 => format!("https://{host}{target}"),
        port => format!("https://{host}:{port}{target}"),
    })
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_locations() {
        let check = |host: &str, target: &str, port, expected: Option<&str>| {
            let found = https_location(host, target, port);
            assert_eq!(found.as_deref(), expected, "{host} {target}");
        };
        check(
            "A.example:8080",
            "/x?y=z",
            443,
            Some("https://a.example/x?y=z"),
        );
        check(
            "a.example.",
            "/%2e",
            8443,
            Some("https://a.example:8443/%2e"),
        );
        check("[::1]:80", "/", 443, Some("https://[::1]/"));
        check("a.example", "*", 443, Some("https://a.example"));
        for host in [
            "",
            ":80",
            "*.example",
            "a:b:1",
            "::1",
            "[x]",
            "a..b",
            "a(b)",
            "a,b",
        ] {
            check(host, "/", 443, None);
        }
    }
}
