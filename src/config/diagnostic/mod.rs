//! Diagnostics: what is wrong with a configuration, or worth knowing about it.

mod record;
mod render;
mod wording;

pub(crate) use record::Diagnostics;
pub use record::{Diagnostic, Severity};
pub use render::render;
pub(crate) use wording::printable;
pub use wording::{did_you_mean, excerpt};
