//! What a route asks of requests and responses: an ordered chain of policies, compiled per route.
//!
//! A [`Policy`] is an enum variant with its settings; each variant has a file with its pure verdict.
//! The chain runs in fixed phases, whatever the order of the configuration:
//!
//! 1. [`Phase::Cors`];
//! 2. [`Phase::Validate`]: reject a request that breaks a limit of the route;
//! 3. [`Phase::Redirect`]: respond in place of a backend;
//! 4. [`Phase::Request`]: change the request on its way to the backend;
//! 5. [`Phase::Response`]: change the response on its way to the client.
//!
//! A route without a policy pays nothing for the chain; routes that ask for the same share one.

pub mod body_limit;
mod chain;
pub mod cors;
pub mod deprecation;
pub mod headers;
pub mod redirect;
mod verdict;

pub use body_limit::{BodyAllowance, BodyLimit};
pub use chain::{Chain, Policy, RouteOptions, RoutePolicy};
pub use cors::Cors;
pub use deprecation::{Deprecation, DeprecationError};
pub use headers::{HeaderRules, is_reserved};
pub use redirect::{Redirect, RedirectError};
pub use verdict::{Phase, RequestContext, ResponseContext, Verdict};
