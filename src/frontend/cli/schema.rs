//! `tollgate schema`: the JSON Schema of configuration files.

use crate::config::json_schema;
use crate::frontend::cli::answer::Answer;

/// Prints the schema.
pub(super) fn run() -> Answer {
    Answer::text(json_schema(), true)
}
