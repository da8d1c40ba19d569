//! Policies: a compiled, ordered chain per route that admits, rejects or shapes its requests and
//! responses.
//!
//! A [`Policy`] is an enum variant with its settings; the verdict of each variant is a pure
//! function in a file of its own. The chain runs in fixed phases, independent of the order in the
//! configuration:
//!
//! 1. [`Phase::Cors`];
//! 2. [`Phase::Validate`]: reject requests that exceed a limit of the route;
//! 3. [`Phase::Redirect`]: respond in place of a backend;
//! 4. [`Phase::Request`]: change the request on its way to the backend;
//! 5. [`Phase::Response`]: change the response on its way to the client.
//!
//! A route without policies has no cost at run time; routes with equal options share a chain.

mod body_limit;
mod chain;
pub(crate) mod cors;
mod deprecation;
mod headers;
mod redirect;
mod verdict;

pub use body_limit::{BodyAllowance, BodyLimit};
pub use chain::{Chain, Policy, RouteOptions, RoutePolicy};
pub use cors::Cors;
pub use deprecation::{Deprecation, DeprecationError};
pub use headers::{HeaderRules, is_reserved};
pub use redirect::{Redirect, RedirectError};
pub use verdict::{Phase, RequestContext, ResponseContext, Verdict};
