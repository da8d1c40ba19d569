//! The input and the verdict of a policy.

use crate::engine::routing::Decision;
use crate::engine::semantics::RequestError;

/// When a policy runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Cross-origin requests; also applies to local responses.
    Cors,
    /// Limits on requests.
    Validate,
    /// Responses in place of a backend.
    Redirect,
    /// Changes to the request on its way to the backend.
    Request,
    /// Changes to the response on its way to the client.
    Response,
}

/// A routed request, as policies read it.
#[derive(Debug)]
pub struct RequestContext<'c> {
    /// The route, the version and the normal path.
    pub decision: &'c Decision<'c>,
    /// The length that the request declares for its body, in bytes; `None` if it declares none.
    pub content_length: Option<u64>,
}

/// A request, as response policies read it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponseContext<'c> {
    /// The `Origin` of the request; `None` unless it occurs exactly once.
    pub origin: Option<&'c [u8]>,
}

/// The verdict of a policy on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The next policy runs; after the last one the request is forwarded.
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
