//! A configuration text as a tree in which every key and value knows its place.
//!
//! YAML and JSON give the same tree. The tree has no semantics: it knows no keys. Parsing rejects
//! only text that is not YAML or JSON, several YAML documents, and text whose tree would grow out
//! of proportion (nested too deeply, aliases of aliases).

mod builder;
mod json;
mod tree;
mod yaml;

pub(crate) use json::Entries;
pub(super) use json::parse as parse_json;
pub(super) use tree::{Document, Value, is_integer};
pub(super) use yaml::parse as parse_yaml;
