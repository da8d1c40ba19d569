//! Tollgate, an API gateway: the single entrance to a set of microservices.

pub mod config;
pub mod engine;
pub mod frontend;
pub mod observe;
pub mod runtime;
