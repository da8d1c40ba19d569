//! The backends of a service version, and how one of them is picked.

pub mod backend;
pub mod balance;
pub mod registry;
