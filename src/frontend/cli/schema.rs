//! `tollgate schema`: the JSON Schema of configuration files.

use crate::config::json_schema;
use crate::frontend::cli::output::Output;

/// Prints the schema.
pub(super) fn run() -> Output {
    Output::text(json_schema(), true)
}
