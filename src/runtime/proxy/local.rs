//! Responses of the gateway itself.

use crate::engine::policy::cors::response_cors_edits;
use crate::engine::request::Headers;
use crate::engine::routing::decide::Plan;
use crate::engine::routing::table::RouteId;
use crate::engine::semantics::error::Cause;
use crate::engine::semantics::identity::RequestId;
use crate::engine::semantics::noted::Noted;
use crate::engine::semantics::problem::Problem;
use crate::engine::semantics::{Request, grpc};
use crate::runtime::worker::{Scratch, Worker};

/// A response of the gateway itself. The edits of the [`Scratch`] are its fields, besides `Date` and
/// the framing, and the body of the [`Scratch`] is its body.
#[derive(Clone, Debug)]
pub(crate) struct LocalResponse<'a> {
    /// From 200 to 599.
    pub(crate) status: u16,
    /// The error that it reports; `None` for a redirect, a preflight and the like.
    pub(crate) cause: Option<Cause<'a>>,
    /// The route that the request matched.
    pub(crate) route: Option<RouteId>,
}

impl<'a> LocalResponse<'a> {
    /// A response that reports no error.
    pub(crate) const fn of_status(status: u16) -> Self {
        Self {
            status,
            cause: None,
            route: None,
        }
    }

    /// Reports an error to the client, and fills the scratch. `plan` is the plan of an admitted
    /// request, whose CORS rules decide whether a page may read the response.
    pub(super) fn problem<H: Headers + ?Sized>(
        cause: Cause<'a>,
        request: &Request<'_, H>,
        plan: Option<&Plan<'_>>,
        scratch: &mut Scratch,
    ) -> Self {
        let problem = Problem {
            cause: &cause,
            id: &request.id,
            pseudonym: request.arrival.pseudonym,
            grpc: grpc::answer_type(request.noted.content_type.only()),
        };
        let status = problem.write(&mut scratch.edits, &mut scratch.body);
        if let Some(cors) = plan.and_then(|plan| plan.policy().cors.as_ref()) {
            response_cors_edits(&mut scratch.edits, cors, request.noted.origin.only());
        }
        Self {
            status,
            cause: Some(cause),
            route: plan.map(Plan::route_id),
        }
    }

    /// Reports an error in what could not be read as a request, and fills the scratch. `grpc` is the
    /// content type of the response to a gRPC call.
    pub(super) fn unreadable(
        cause: Cause<'a>,
        worker: &Worker,
        grpc: Option<&'static str>,
        scratch: &mut Scratch,
    ) -> Self {
        let random = worker.random();
        let problem = Problem {
            cause: &cause,
            id: &RequestId::of(&Noted::default(), &random),
            pseudonym: &worker.settings.via,
            grpc,
        };
        Self {
            status: problem.write(&mut scratch.edits, &mut scratch.body),
            cause: Some(cause),
            route: None,
        }
    }

    /// The code of the error.
    pub(super) fn code(&self) -> Option<&'static str> {
        self.cause.as_ref().map(Cause::code)
    }

    /// Whether an HTTP/1.1 connection must close after it.
    pub(super) fn ends_connection(&self) -> bool {
        self.cause.as_ref().is_some_and(Cause::ends_connection)
    }
}
