//! `tollgate schema`: the JSON Schema of configuration files.

use crate::frontend::cli::output::Output;

/// `fixtures/config.schema.json`, as it was when this was compiled.
pub(super) fn run() -> Output {
    Output::text(SCHEMA.into(), true)
}

const SCHEMA: &str = include_str!("../../../fixtures/config.schema.json");
