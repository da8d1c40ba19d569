//! Responses of the gateway itself, before a codec renders them.

use crate::engine::admit::write_rejection;
use crate::engine::semantics::{Cause, KnownFields, Problem, Request, RequestId};
use crate::engine::{self, Plan};
use crate::runtime::proxy::inbound::RequestHead;
use crate::runtime::worker::{Scratch, Worker};

/// A response of the gateway itself. The edits of the [`Scratch`] are its fields, besides `Date` and
/// the framing, and the body of the [`Scratch`] is its body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RenderedResponse<'a> {
    /// From 200 to 599.
    pub(crate) status: u16,
    /// The error that it reports; `None` for a redirect, a preflight and the like.
    pub(crate) cause: Option<&'a Cause<'a>>,
    /// Whether the method is HEAD, so that the body is not sent.
    pub(crate) is_head: bool,
}

impl<'a> RenderedResponse<'a> {
    /// A response that reports no error. The caller fills the scratch.
    pub(crate) const fn of_status(status: u16, is_head: bool) -> Self {
        Self {
            status,
            cause: None,
            is_head,
        }
    }

    /// The response of the admission. Fills the scratch.
    pub(super) fn of_admission(
        response: &'a engine::LocalResponse<'a>,
        request: &Request<'_, RequestHead<'_>>,
        id: &RequestId<'_>,
        scratch: &mut Scratch,
    ) -> Self {
        let buffers = (&mut scratch.edits, &mut scratch.body);
        Self {
            status: response.write((request, id), buffers),
            cause: response.cause(),
            is_head: request.method == "HEAD",
        }
    }

    /// Reports an error of an admitted request. Fills the scratch.
    pub(super) fn of_failure(
        cause: &'a Cause<'a>,
        plan: &Plan<'_>,
        request: &Request<'_, RequestHead<'_>>,
        id: &RequestId<'_>,
        scratch: &mut Scratch,
    ) -> Self {
        let buffers = (&mut scratch.edits, &mut scratch.body);
        Self {
            status: write_rejection(cause, Some(plan.chain()), (request, id), buffers),
            cause: Some(cause),
            is_head: request.method == "HEAD",
        }
    }

    /// Reports an error in what could not be read as a request. Fills the scratch. `grpc` is the
    /// content type of the response to a gRPC call.
    pub(super) fn of_unreadable(
        cause: &'a Cause<'a>,
        worker: &Worker,
        (is_head, grpc): (bool, Option<&'static str>),
        scratch: &mut Scratch,
    ) -> Self {
        let random = worker.random();
        let problem = Problem {
            cause,
            id: &RequestId::of(&KnownFields::default(), &random),
            pseudonym: &worker.settings.via,
            grpc,
        };
        Self {
            status: problem.write(&mut scratch.edits, &mut scratch.body),
            cause: Some(cause),
            is_head,
        }
    }

    /// The code of the error.
    pub(super) fn code(&self) -> Option<&'static str> {
        self.cause.map(Cause::code)
    }

    /// Whether an HTTP/1.1 connection must close after it.
    pub(super) fn ends_connection(&self) -> bool {
        self.cause.is_some_and(Cause::ends_connection)
    }
}
