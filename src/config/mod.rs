//! The configuration: text into a located tree, the tree into a plain mirror of the file, and that
//! into what the engine runs on. Every fault of a text is reported at once.

pub mod builtin;
pub mod compile;
pub mod document;
pub mod fault;
pub mod raw;
pub mod report;
pub mod text;

mod builder;
pub(crate) mod json;
mod reader;
mod routes;
mod services;
#[cfg(test)]
mod tests;
mod yaml;
