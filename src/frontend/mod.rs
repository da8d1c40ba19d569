//! The faces of the gateway.

pub mod explanation;
pub mod stdio;
