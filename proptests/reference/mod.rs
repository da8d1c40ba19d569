//! The naive reference: an independent reading of the routing rules on plain strings and vectors.
//!
//! It expands every form of every route, filters, sorts and walks, for each request anew. It is
//! meant to be obviously right, never fast, and knows nothing of the engine; only `adapter` does.
//! Paths come in as normal paths: normalisation is not its business.

pub(crate) mod adapter;
pub(crate) mod constraints;
pub(crate) mod examples;
pub(crate) mod forms;
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
