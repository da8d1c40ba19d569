//! What is settled before any backend hears of a request, whatever protocol carried it.

use http::HeaderMap;

use crate::engine::admit::{Admission, response_context, write_rejection};
use crate::engine::request::Headers;
use crate::engine::routing::Rejection;
use crate::engine::semantics::{Cause, KnownFields, Problem, Request, RequestId};
use crate::engine::{self, Plan, Snapshot};
use crate::runtime::forward::answer::{Answer, AnswerHead};
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

/// Admits a request, or writes the response of the gateway itself into the scratch.
pub(super) fn admit<'s, H: Headers + ?Sized>(
    snapshot: &'s Snapshot,
    request: &Request<'s, H>,
    id: &RequestId<'_>,
    scratch: &mut Scratch,
) -> Result<Plan<'s>, Own> {
    let response = match engine::admit(snapshot, request) {
        Admission::Forward(plan) => return Ok(plan),
        Admission::Respond(response) => response,
    };
    let buffers = (&mut scratch.edits, &mut scratch.body);
    Err(Own {
        status: response.write((request, id), buffers),
        code: response.code(),
        ends_connection: response.cause().is_some_and(Cause::ends_connection),
    })
}

/// Writes the response to a request that failed after it was admitted.
pub(super) fn problem_of<H: Headers + ?Sized>(
    cause: &Cause<'_>,
    request: &Request<'_, H>,
    id: &RequestId<'_>,
    plan: &Plan<'_>,
    scratch: &mut Scratch,
) -> Own {
    let buffers = (&mut scratch.edits, &mut scratch.body);
    Own {
        status: write_rejection(cause, Some(plan.chain()), (request, id), buffers),
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
        id: &RequestId::of(&KnownFields::default(), &random),
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
    scratch.edits.clear();
    let context = response_context(request);
    plan.chain().on_response(&context, &mut scratch.edits);
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
