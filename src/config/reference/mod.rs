//! The JSON Schema and the reference page, generated from the declarations of the keys.

mod examples;
mod page;
mod schema;
mod values;
mod walk;

pub use page::reference_page;
pub use schema::json_schema;

#[cfg(test)]
pub(super) use examples::EXAMPLES;
#[cfg(test)]
pub(super) use values::{document_value, yaml_value};
#[cfg(test)]
pub(super) use walk::{Found, objects};
