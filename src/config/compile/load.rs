//! Loads a configuration: reads it, compiles it, and reports everything that is wrong.

use std::sync::Arc;

use crate::config::compile::compiler::Compiler;
use crate::config::compile::policies::Policies;
use crate::config::compile::routes::Routes;
use crate::config::compile::services::Services;
use crate::config::compile::{process, table_errors};
use crate::config::diagnostic::Diagnostic;
use crate::config::document::{Document, parse_json, parse_yaml};
use crate::config::keys::{RawFile, RawVersioning};
use crate::config::place::Place;
use crate::config::read::{Kind, Reader, Strictness};
use crate::config::serve::Serve;
use crate::engine::routing::{Table, Versioning};
use crate::engine::snapshot::{Configured, Snapshot};
use crate::engine::upstream::Registry;

/// A configuration without errors.
#[derive(Debug)]
pub struct Loaded {
    /// The compiled routes.
    pub table: Table,
    /// The backends and settings of each route, in the order of the routes.
    pub configured: Vec<Configured>,
    /// The settings of the process; the defaults for an `init` message.
    pub serve: Serve,
    /// Warnings and notes.
    pub remarks: Vec<Diagnostic>,
}

impl Loaded {
    /// A first snapshot with this configuration and without registrations.
    #[must_use]
    pub fn into_snapshot(self) -> Snapshot {
        let configured = self.configured.into();
        Snapshot::new(
            Arc::new(self.table),
            configured,
            &mut Registry::default(),
            None,
        )
    }
}

/// How to load a configuration.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// Whether unknown keys are errors, as in a file, or warnings, as in an `init` message.
    pub strictness: Strictness,
    /// Whether an unreachable route is only a warning. Default: `false`.
    pub allow_unreachable: bool,
    /// Maximum number of notes. Finding notes takes time. Default: 0.
    pub notes: usize,
}

impl LoadOptions {
    /// For a configuration file.
    pub const FILE: Self = Self {
        strictness: Strictness::File,
        allow_unreachable: false,
        notes: 0,
    };
    /// For an `init` message.
    pub const INIT: Self = Self {
        strictness: Strictness::Init,
        ..Self::FILE
    };
}

/// Loads a YAML or JSON file.
///
/// # Errors
/// Every error of the file, together with its warnings, in the order of the text.
pub fn load_file(text: &str, options: LoadOptions) -> Result<Loaded, Vec<Diagnostic>> {
    let doc = parse_yaml(text).map_err(|error| vec![error])?;
    load(&doc, options)
}

/// Loads the JSON of an `init` message.
///
/// # Errors
/// Every error, together with the warnings, in the order of the text.
pub fn load_json(text: &str, options: LoadOptions) -> Result<Loaded, Vec<Diagnostic>> {
    let doc = parse_json(text).map_err(|error| vec![error])?;
    load(&doc, options)
}

fn load(doc: &Document, options: LoadOptions) -> Result<Loaded, Vec<Diagnostic>> {
    let mut reader = Reader::new(doc, options.strictness);
    let raw = RawFile::read(&mut reader, Place::ROOT, "").unwrap_or_default();
    let mut compiler = Compiler {
        doc,
        strictness: options.strictness,
        diagnostics: reader.into_diagnostics(),
    };
    let serve = process::serve(&mut compiler, raw.process.as_deref());
    let versioning = versioning(raw.versioning.as_ref());
    let services = Services::compile(&mut compiler, raw.services.as_deref());
    let policies = Policies::new(&mut compiler, raw.defaults.as_ref());
    let mut routes = Routes::new(&services, policies, versioning.path_counts());
    for route in raw.routes.iter().flat_map(|list| &list.value) {
        routes.add(&mut compiler, route);
    }
    let Routes {
        routes,
        configured,
        places,
        used_services,
        ..
    } = routes;
    services.report_unused(&mut compiler, &used_services);
    let table = Table::compile(routes, versioning);
    table_errors::report(
        &mut compiler,
        &table,
        &places,
        options.allow_unreachable,
        options.notes,
    );
    if compiler.diagnostics.has_error() {
        return Err(compiler.diagnostics.into_sorted());
    }
    Ok(Loaded {
        table,
        configured,
        serve,
        remarks: compiler.diagnostics.into_sorted(),
    })
}

fn versioning(raw: Option<&RawVersioning>) -> Versioning {
    let default = Versioning::default();
    let Some(raw) = raw else { return default };
    let from = raw.from.as_ref();
    Versioning {
        default: raw.default.unwrap_or(default.default),
        from: from.map_or(default.from, |list| list.value.iter().copied().collect()),
        derive: raw.derive.unwrap_or(default.derive),
    }
}
