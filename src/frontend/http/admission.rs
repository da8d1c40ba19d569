//! What is settled before any backend hears of a request, whatever protocol carried it.

use http::HeaderMap;

use crate::engine::policy::body_limit::BodyAllowance;
use crate::engine::policy::cors::{preflight, preflight_answer, response_cors_edits};
use crate::engine::request::{Headers, RawRequest};
use crate::engine::routing::decide::{Plan, decide};
use crate::engine::routing::rejection::Rejection;
use crate::engine::semantics::error::Cause;
use crate::engine::semantics::hops::is_last_hop;
use crate::engine::semantics::identity::RequestId;
use crate::engine::semantics::noted::Noted;
use crate::engine::semantics::problem::Problem;
use crate::engine::semantics::{Request, grpc, response_edits};
use crate::engine::snapshot::Snapshot;
use crate::runtime::proxy::answer::{Answer, AnswerHead};
use crate::runtime::worker::{Scratch, Worker};

/// An answer of the gateway's own: its fields are the edits of the scratch, its body is there too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) status: u16,
    /// The code, if it is an error.
    pub(super) code: Option<&'static str>,
    /// Whether nothing may follow on the connection.
    pub(super) ends_connection: bool,
}

/// Admits a request, or answers it: a preflight, a redirect, an error.
pub(super) fn admit<'s, H: Headers + ?Sized>(
    snapshot: &'s Snapshot,
    raw: &RawRequest<'s, H>,
    request: &Request<'_, H>,
    stated_length: Option<u64>,
    scratch: &mut Scratch,
) -> Result<Plan<'s>, Own> {
    if is_last_hop(raw.method, &request.noted) {
        scratch.edits.clear();
        scratch.body.clear();
        return Err(Own::done(204));
    }
    if let Some(own) = answer_preflight(snapshot, raw, request, scratch) {
        return Err(own);
    }
    let plan = match decide(snapshot, raw) {
        Ok(plan) => plan,
        Err(reject) => return Err(problem(&Cause::from(reject), request, scratch)),
    };
    if let Some(redirect) = plan.redirect() {
        scratch.edits.clear();
        scratch.body.clear();
        scratch
            .edits
            .set("location", redirect.location(&plan).as_bytes());
        return Err(Own::done(redirect.status));
    }
    if let Err(fault) = BodyAllowance::new(plan.policy().max_body_bytes, stated_length) {
        return Err(problem_of(
            &Cause::from(fault),
            request,
            Some(&plan),
            scratch,
        ));
    }
    Ok(plan)
}

/// Writes the answer to a request that is not forwarded, or gets no answer.
pub(super) fn problem<H: Headers + ?Sized>(
    cause: &Cause<'_>,
    request: &Request<'_, H>,
    scratch: &mut Scratch,
) -> Own {
    problem_of(cause, request, None, scratch)
}

/// The same where a route is known, so that pages may read the answer if the route lets them.
pub(super) fn problem_of<H: Headers + ?Sized>(
    cause: &Cause<'_>,
    request: &Request<'_, H>,
    plan: Option<&Plan<'_>>,
    scratch: &mut Scratch,
) -> Own {
    let problem = Problem {
        cause,
        id: &request.id,
        pseudonym: request.arrival.pseudonym,
        grpc: grpc::answer_type(request.noted.content_type.only()),
    };
    let status = problem.write(&mut scratch.edits, &mut scratch.body);
    if let Some(cors) = plan.and_then(|plan| plan.policy().cors.as_ref()) {
        response_cors_edits(&mut scratch.edits, cors, request.noted.origin.only());
    }
    Own {
        status,
        code: Some(cause.code()),
        ends_connection: cause.ends_connection(),
    }
}

/// Writes the answer to what is no request that could be read; `grpc` is the type of the answer to
/// a call of gRPC.
pub(super) fn problem_unread(
    cause: &Cause<'_>,
    worker: &Worker,
    grpc: Option<&'static str>,
    scratch: &mut Scratch,
) -> Own {
    let random = worker.random();
    let problem = Problem {
        cause,
        id: &RequestId::of(&Noted::default(), &random),
        pseudonym: &worker.settings.via,
        grpc,
    };
    Own {
        status: problem.write(&mut scratch.edits, &mut scratch.body),
        code: Some(cause.code()),
        ends_connection: cause.ends_connection(),
    }
}

/// Puts what changes in the head of an answer into the scratch.
pub(super) fn answer_edits<H: Headers + ?Sized>(
    request: &Request<'_, H>,
    plan: &Plan<'_>,
    response: &AnswerHead<'_>,
    worker: &Worker,
    scratch: &mut Scratch,
) {
    let lifecycle = plan.route().lifecycle();
    let origin = request.noted.origin.only();
    response_edits(&mut scratch.edits, plan.policy(), lifecycle, origin);
    if !response.has_date() {
        // RFC 9110, section 6.6.1: whoever passes on what has none adds one.
        scratch.edits.set("date", worker.date().as_bytes());
    }
}

/// The fields of an answer as HTTP/2 has them, changed as the route and the rules of proxies ask for.
pub(in crate::frontend) fn answer_fields<H: Headers + ?Sized>(
    request: &Request<'_, H>,
    plan: &Plan<'_>,
    answer: &mut Answer,
    worker: &Worker,
) -> HeaderMap {
    let mut scratch = worker.take_scratch();
    answer_edits(request, plan, &answer.head(), worker, &mut scratch);
    let fields = answer.take_fields(&scratch.edits);
    worker.give_scratch(scratch);
    fields
}

/// The refusal of a service without backends.
pub(super) fn no_backend(plan: &Plan<'_>) -> Cause<'static> {
    let service = plan.route().service().into();
    Cause::from(Rejection::NoBackend { service })
}

/// A preflight is decided as the request that it asks about.
fn answer_preflight<H: Headers + ?Sized>(
    snapshot: &Snapshot,
    raw: &RawRequest<'_, H>,
    request: &Request<'_, H>,
    scratch: &mut Scratch,
) -> Option<Own> {
    let preflight = preflight(raw.method, &request.noted)?;
    let asked = RawRequest {
        method: preflight.method,
        ..*raw
    };
    let plan = decide(snapshot, &asked).ok()?;
    let cors = plan.policy().cors.as_ref()?;
    scratch.body.clear();
    let status = preflight_answer(&mut scratch.edits, cors, &preflight, plan.route().methods());
    Some(Own::done(status))
}

impl Own {
    pub(super) const fn done(status: u16) -> Self {
        Self {
            status,
            code: None,
            ends_connection: false,
        }
    }
}
