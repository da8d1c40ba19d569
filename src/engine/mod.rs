//! The pure core: it decides, and does nothing else. No I/O, no clock, no randomness, no logs.
//!
//! [`routing`] finds the route and the version, [`upstream`] holds the backends, [`semantics`] says
//! what a proxy adds and removes, [`policy`] what a route asks for beside its service. A
//! [`snapshot`] holds all that one configuration compiles to.

pub mod explain;
pub mod policy;
pub mod request;
pub mod routing;
pub mod semantics;
pub mod snapshot;
mod sync;
pub mod upstream;
