//! What a policy sees, and what it decides.

use crate::engine::routing::Decision;
use crate::engine::semantics::RequestError;

/// When a policy runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Cross-origin requests, also on responses of the gateway itself.
    Cors,
    /// Limits that a request must keep.
    Validate,
    /// Responses in place of a backend.
    Redirect,
    /// Changes to the request on its way to the backend.
    Request,
    /// Changes to the response on its way to the client.
    Response,
}

/// What a policy sees of a request that was routed.
#[derive(Debug)]
pub struct RequestContext<'c> {
    /// The route, the version and the normal path.
    pub decision: &'c Decision<'c>,
    /// The length that the request declares for its body, if it does.
    pub content_length: Option<u64>,
}

/// What a policy sees of the request whose response it changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponseContext<'c> {
    /// The `Origin` of the request, if it has exactly one.
    pub origin: Option<&'c [u8]>,
}

/// What a policy decides about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The next policy decides; after the last the request is forwarded.
    Continue,
    /// The gateway redirects the client.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// The value of `Location`.
        location: String,
    },
    /// The gateway rejects the request.
    Reject(RequestError),
}
