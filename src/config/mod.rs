//! The configuration: text into a located tree, the tree into a plain mirror of the file, and that
//! into what the engine runs on. Every fault of a text is reported at once.

pub mod builtin;
pub mod compile;
pub mod diagnostic;
pub mod document;
pub mod quantity;
pub mod raw;
pub mod report;
pub mod serve;
pub mod text;

mod builder;
mod cors;
mod header_rules;
pub(crate) mod json;
mod policies;
mod process;
mod reader;
mod redirects;
mod route_spec;
mod routes;
mod services;
#[cfg(test)]
mod tests;
mod upstreams;
mod yaml;
