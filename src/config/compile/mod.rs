//! From the keys of a configuration to a compiled table, or to everything that is wrong with it.
//!
//! [`load`] runs the others. Each of them gives a meaning to one part of the file and reports what
//! is wrong through the [`compiler`].

mod backends;
mod compiler;
mod constraints;
mod cors;
mod header_rules;
mod listeners;
mod load;
mod policies;
mod process;
mod redirect;
mod route_spec;
mod routes;
mod services;
mod table_errors;

pub use load::{LoadOptions, Loaded, load_file, load_json};
