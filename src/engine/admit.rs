//! Admission: the path of a request through the engine, in the same order for every interface.
//!
//! The result is a [`Plan`] to forward the request, or a local response. The steps:
//!
//! 1. a listener that only redirects to https responds with the redirect;
//! 2. the gateway responds to `Max-Forwards: 0` as the last hop (RFC 9110, section 7.6.2);
//! 3. a CORS preflight is routed as the request that it asks about;
//! 4. [`decide`] finds the route and the version, or rejects the request;
//! 5. the policy chain of the route admits the request, redirects it or rejects it.

use crate::engine::plan::{Plan, decide};
use crate::engine::policy::cors::{Preflight, preflight, preflight_response};
use crate::engine::policy::{Chain, RequestContext, ResponseContext, Verdict};
use crate::engine::request::{Headers, RawRequest};
use crate::engine::routing::{Rejection, RouteId, check_host};
use crate::engine::semantics::hops::is_last_hop;
use crate::engine::semantics::https_redirect;
use crate::engine::semantics::{Cause, Edits, Problem, Request, RequestError, RequestId, grpc};
use crate::engine::snapshot::Snapshot;

/// The result of [`admit`].
#[derive(Debug)]
pub enum Admission<'a> {
    /// The request is forwarded to a backend.
    Forward(Plan<'a>),
    /// The gateway responds itself.
    Respond(Box<LocalResponse<'a>>),
}

/// A response that the gateway generates itself.
#[derive(Debug)]
pub struct LocalResponse<'a> {
    content: Content<'a>,
    /// The plan of the route, if routing found one.
    plan: Option<Plan<'a>>,
}

/// The kind of a local response.
#[derive(Debug)]
pub enum Content<'a> {
    /// 204 to a request that must not be forwarded: `Max-Forwards: 0`.
    LastHop,
    /// 204 to a CORS preflight.
    Preflight(Preflight<'a>),
    /// A redirect.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// The value of `Location`.
        location: String,
    },
    /// An error response.
    Rejection(Cause<'a>),
}

/// Admits a request or responds to it.
#[inline]
pub fn admit<'a, H: Headers + ?Sized>(
    snapshot: &'a Snapshot,
    request: &Request<'a, H>,
) -> Admission<'a> {
    if let Some(port) = request.arrival.https_port {
        return respond(redirect_to_https(request, port), None);
    }
    if is_last_hop(request.method, &request.fields) {
        return respond(end_here(request), None);
    }
    if let Some(response) = respond_to_preflight(snapshot, request) {
        return Admission::Respond(Box::new(response));
    }
    let plan = match decide(snapshot, &request.raw()) {
        Ok(plan) => plan,
        Err(rejection) => return respond(Content::Rejection(rejection.into()), None),
    };
    let verdict = plan.chain().on_request(&RequestContext {
        decision: &plan,
        content_length: request.content_length,
    });
    let content = match verdict {
        Verdict::Continue => return Admission::Forward(plan),
        Verdict::Redirect { status, location } => Content::Redirect { status, location },
        Verdict::Reject(error) => Content::Rejection(error.into()),
    };
    respond(content, Some(plan))
}

/// Writes the fields and the body of an error response, after clearing both buffers, and returns
/// the HTTP status. The request may have been admitted before it failed.
///
/// `chain` is the policy chain of the route, if routing found one: its CORS policy determines
/// whether scripts can read the response.
pub fn write_rejection<H: Headers + ?Sized>(
    cause: &Cause<'_>,
    chain: Option<&Chain>,
    (request, id): (&Request<'_, H>, &RequestId<'_>),
    (edits, body): (&mut Edits, &mut Vec<u8>),
) -> u16 {
    let problem = Problem {
        cause,
        id,
        pseudonym: request.arrival.pseudonym,
        grpc: grpc::response_type(request.fields.content_type.only()),
    };
    let status = problem.write(edits, body);
    if let Some(chain) = chain {
        chain.on_local_response(&response_context(request), edits);
    }
    status
}

/// The part of a request that response policies use.
#[must_use]
pub fn response_context<'r, H: Headers + ?Sized>(request: &Request<'r, H>) -> ResponseContext<'r> {
    ResponseContext {
        origin: request.fields.origin.only(),
    }
}

impl<'a> LocalResponse<'a> {
    /// The kind of the response.
    #[must_use]
    pub const fn content(&self) -> &Content<'a> {
        &self.content
    }

    /// The plan of the route, if routing found one.
    #[must_use]
    pub const fn plan(&self) -> Option<&Plan<'a>> {
        self.plan.as_ref()
    }

    /// The id of the route, if routing found one.
    #[must_use]
    pub fn route_id(&self) -> Option<RouteId> {
        self.plan.as_ref().map(|plan| plan.route_id())
    }

    /// The dotted code, if this is an error response.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.cause().map(Cause::code)
    }

    /// The error, if this is an error response.
    #[must_use]
    pub const fn cause(&self) -> Option<&Cause<'a>> {
        match &self.content {
            Content::Rejection(cause) => Some(cause),
            Content::LastHop | Content::Preflight(_) | Content::Redirect { .. } => None,
        }
    }

    /// Writes the fields and the body, after clearing both buffers, and returns the HTTP status.
    pub fn write<H: Headers + ?Sized>(
        &self,
        (request, id): (&Request<'_, H>, &RequestId<'_>),
        (edits, body): (&mut Edits, &mut Vec<u8>),
    ) -> u16 {
        if let Content::Rejection(cause) = &self.content {
            let chain = self.plan.as_ref().map(Plan::chain);
            return write_rejection(cause, chain, (request, id), (edits, body));
        }
        body.clear();
        edits.clear();
        self.write_fields(request, edits);
        self.status()
    }

    /// The HTTP status. A gRPC client gets 200 for an error: see [`Problem::write`].
    #[must_use]
    pub const fn status(&self) -> u16 {
        match &self.content {
            Content::LastHop | Content::Preflight(_) => 204,
            Content::Redirect { status, .. } => *status,
            Content::Rejection(cause) => cause.status(),
        }
    }

    /// Adds the fields of a response other than an error response.
    pub fn write_fields<H: Headers + ?Sized>(&self, request: &Request<'_, H>, edits: &mut Edits) {
        match (&self.content, &self.plan) {
            (Content::Preflight(preflight), Some(plan)) => {
                if let Some(cors) = plan.chain().cors() {
                    preflight_response(edits, cors, preflight, plan.route().methods());
                }
            }
            (Content::Redirect { location, .. }, plan) => {
                edits.set("location", location.as_bytes());
                if let Some(plan) = plan {
                    let context = response_context(request);
                    plan.chain().on_local_response(&context, edits);
                }
            }
            (Content::LastHop | Content::Preflight(_) | Content::Rejection(_), _) => {}
        }
    }
}

#[cold]
fn respond<'a>(content: Content<'a>, plan: Option<Plan<'a>>) -> Admission<'a> {
    Admission::Respond(Box::new(LocalResponse { content, plan }))
}

/// No route is asked, but the request must name a host as every other (RFC 9112, section 3.2).
#[cold]
fn end_here<'a, H: Headers + ?Sized>(request: &Request<'a, H>) -> Content<'a> {
    match check_host(request.arrival.host.unwrap_or(""), request.headers) {
        Ok(()) => Content::LastHop,
        Err(error) => Content::Rejection(Rejection::from(error).into()),
    }
}

fn redirect_to_https<'a, H: Headers + ?Sized>(request: &Request<'a, H>, port: u16) -> Content<'a> {
    let host = request.arrival.host.unwrap_or("");
    match https_redirect::location(host, request.target, port) {
        Some(location) => Content::Redirect {
            status: 308,
            location,
        },
        None => Content::Rejection(RequestError::NoHostToRedirect.into()),
    }
}

/// The response to a CORS preflight. The preflight is routed as the request that it asks about;
/// `None` if no route with a CORS policy serves that request.
fn respond_to_preflight<'a, H: Headers + ?Sized>(
    snapshot: &'a Snapshot,
    request: &Request<'a, H>,
) -> Option<LocalResponse<'a>> {
    let preflight = preflight(request.method, &request.fields)?;
    let actual = RawRequest {
        method: preflight.method,
        ..request.raw()
    };
    let plan = decide(snapshot, &actual).ok()?;
    plan.chain().cors()?;
    Some(LocalResponse {
        content: Content::Preflight(preflight),
        plan: Some(plan),
    })
}
