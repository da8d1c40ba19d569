//! The faces of the gateway.

pub mod stdio;
