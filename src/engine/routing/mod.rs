//! From a request to the route and version that serve it: normal paths, patterns, the precedence of
//! routes, the compiled tries, and the walk over the candidates.

pub mod constraint;
mod cover;
pub mod decide;
pub(crate) mod form;
pub mod host;
pub(crate) mod index;
pub mod listing;
pub mod method;
mod outline;
pub mod path;
pub mod pattern;
pub mod precedence;
mod refusal;
pub mod rejection;
pub mod route;
pub(crate) mod router;
pub mod table;
pub mod upstream_path;
pub mod verify;
pub mod version;
pub mod versioning;
pub(crate) mod walk;
