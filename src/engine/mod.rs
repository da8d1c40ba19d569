//! The pure core: it decides, and does nothing else. No I/O, no clock, no randomness, no logs.
//!
//! [`routing`] finds the route and the version, [`upstream`] holds the backends, [`semantics`] says
//! what a proxy adds and removes, [`policy`] what a route asks for beside its service. A
//! [`snapshot`] holds all that one configuration compiles to, and [`admit`] is the whole way of a
//! request through it, for every interface.

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
