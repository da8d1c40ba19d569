//! The interfaces of the gateway. They translate, and decide nothing.

pub mod admin;
pub mod cli;
pub mod explanation;
pub mod http;
pub mod stdio;
