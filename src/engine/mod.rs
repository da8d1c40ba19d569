//! The engine: pure decisions, without I/O, clock, randomness or logs.
//!
//! - [`routing`] finds the route and the version of a request;
//! - [`policy`] admits, rejects and shapes the requests and responses of a route;
//! - [`upstream`] holds the backends of a service version and picks one;
//! - [`semantics`] is what a proxy adds to a message and removes from it;
//! - a [`snapshot`] is a compiled configuration;
//! - [`admit()`] takes a request through all of these, the same way for every interface.

pub mod admit;
pub mod explain;
pub mod plan;
pub mod policy;
pub mod request;
pub mod routing;
pub mod semantics;
pub mod snapshot;
mod sync;
pub mod upstream;

pub use admit::{Admission, LocalResponse, admit};
pub use plan::{Plan, decide};
pub use snapshot::Snapshot;
