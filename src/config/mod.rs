//! The configuration: from text to what the engine runs on, or to everything that is wrong.
//!
//! A text becomes a located tree (`document`), then the values of its keys (`read` by the
//! declarations in `keys`), then engine values (`compile`). Every error is reported at once,
//! with its place.

pub mod builtin;
pub mod serve;

mod compile;
mod diagnostic;
mod document;
mod keys;
mod place;
mod read;
mod reference;
#[cfg(test)]
mod tests;
mod text;
mod units;

pub use compile::{LoadOptions, Loaded, load_file, load_json};
pub(crate) use diagnostic::printable;
pub use diagnostic::{Diagnostic, Severity, did_you_mean, excerpt, render};
pub(crate) use document::Entries;
pub use place::Position;
pub use read::Strictness;
pub use reference::{json_schema, reference_page};
pub use text::{MAX_BYTES, decode};
pub use units::{DurationText, SizeText};
