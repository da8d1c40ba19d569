//! The naive reference: an independent reading of the routing rules on plain strings and vectors.
//!
//! For each request it expands all entries of all routes, filters and sorts them, and walks over
//! them. It aims to be obviously correct, not fast, and does not use the engine; only `adapter`
//! does. It expects normal paths.

pub(crate) mod adapter;
pub(crate) mod constraints;
pub(crate) mod entries;
pub(crate) mod examples;
pub(crate) mod generators;
pub(crate) mod matcher;
pub(crate) mod model;
pub(crate) mod normal;
pub(crate) mod order;
pub(crate) mod pattern;
pub(crate) mod requests;
pub(crate) mod scenario;
pub(crate) mod universe;
pub(crate) mod verdict;
pub(crate) mod version;
pub(crate) mod version_examples;
