//! From the plain mirror of a configuration to a compiled table, or to all that is wrong with it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::diagnostic::{Diagnostic, Faults, Severity};
use crate::config::document::Document;
use crate::config::policies::Policies;
use crate::config::process;
use crate::config::raw::{At, RawTable, RawVersioning, Strictness, read};
use crate::config::routes::Routes;
use crate::config::serve::Serve;
use crate::config::services::Services;
use crate::engine::routing::route::Route;
use crate::engine::routing::table::{RouteId, Table};
use crate::engine::routing::verify::{TableError, TableNote};
use crate::engine::routing::versioning::{DefaultVersion, VersionSource, Versioning};
use crate::engine::snapshot::{Configured, Snapshot};
use crate::engine::upstream::backend::Address;
use crate::engine::upstream::registry::Registry;

/// A configuration that may be used.
#[derive(Debug)]
pub struct Loaded {
    /// The compiled routes.
    pub table: Table,
    /// The backends of each route, in the order of the routes.
    pub configured: Vec<Configured>,
    /// What the process is to do; of an `init` message, the defaults.
    pub serve: Serve,
    /// Warnings and notes.
    pub remarks: Vec<Diagnostic>,
}

impl Loaded {
    /// A snapshot that begins with this configuration, without registrations.
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

/// How a configuration is taken.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// Whether unknown keys are errors, as in a file, or warnings, as in an `init` message.
    pub strictness: Strictness,
    /// Whether a route that can never win is only a warning. Default: `false`.
    pub allow_unreachable: bool,
    /// How many notes are collected; they cost time. Default: 0.
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

/// Reads and compiles a YAML or JSON file.
///
/// # Errors
/// Every fault of the file, in the order of its text, warnings among them.
pub fn load_file(text: &str, options: LoadOptions) -> Result<Loaded, Vec<Diagnostic>> {
    let doc = Document::from_yaml(text).map_err(|fault| vec![fault])?;
    load(&doc, options)
}

/// Reads and compiles the `routes`, `services` and `versioning` of an `init` message.
///
/// # Errors
/// Every fault, warnings among them.
pub fn load_json(text: &str, options: LoadOptions) -> Result<Loaded, Vec<Diagnostic>> {
    let doc = Document::from_json(text).map_err(|fault| vec![fault])?;
    load(&doc, options)
}

fn load(doc: &Document, options: LoadOptions) -> Result<Loaded, Vec<Diagnostic>> {
    let (raw, faults) = read(doc, options.strictness);
    let mut compiler = Compiler {
        doc,
        strictness: options.strictness,
        faults,
    };
    let serve = process::serve(&mut compiler, &raw.serve);
    let (table, configured, places) = compiler.table(raw);
    let severity = if options.allow_unreachable {
        Severity::Warning
    } else {
        Severity::Error
    };
    let place_of = |route: RouteId| places.get(route.position()).copied();
    for fault in table.errors() {
        let severity = match fault {
            TableError::Unreachable { .. } => severity,
            TableError::Duplicate { .. } | TableError::Tie { .. } => Severity::Error,
        };
        // A clash is told where the second of the two stands.
        let place = fault.routes().last().and_then(place_of);
        let (message, help) = words(doc, &table, &fault, &place_of);
        compiler.report(place, fault.code(), message, help, severity);
    }
    for note in table.notes(options.notes) {
        let (route, code, message) = note_words(&table, &note);
        compiler.report(place_of(route), code, message, None, Severity::Note);
    }
    if compiler.faults.has_error() {
        return Err(compiler.faults.into_sorted());
    }
    Ok(Loaded {
        table,
        configured,
        serve,
        remarks: compiler.faults.into_sorted(),
    })
}

/// Gives a meaning to what was read, and keeps every fault found on the way.
pub(super) struct Compiler<'d> {
    pub(super) doc: &'d Document,
    pub(super) strictness: Strictness,
    faults: Faults,
}

impl Compiler<'_> {
    fn table(
        &mut self,
        raw: RawTable,
    ) -> (Table, Vec<Configured>, Vec<crate::config::document::Place>) {
        let versioning = self.versioning(&raw.versioning);
        let services = Services::read(self, raw.services.as_deref());
        let policies = Policies::read(self, raw.defaults.as_deref());
        let mut routes = Routes::new(&services, policies, versioning.path_counts());
        for route in raw.routes.iter().flatten() {
            routes.add(self, route);
        }
        services.tell_unused(self);
        let Routes {
            routes,
            configured,
            places,
            ..
        } = routes;
        (Table::compile(routes, versioning), configured, places)
    }

    fn versioning(&mut self, raw: &RawVersioning) -> Versioning {
        let mut versioning = Versioning::default();
        const DEFAULTS: [(&str, DefaultVersion); 3] = [
            ("oldest", DefaultVersion::Oldest),
            ("newest", DefaultVersion::Newest),
            ("require", DefaultVersion::Require),
        ];
        if let Some(default) = &raw.default
            && let Some(chosen) = self.choose(default, &DEFAULTS)
        {
            versioning.default = chosen;
        }
        if let Some(from) = &raw.from {
            let names = VersionSource::ALL.map(|source| (source.name(), source));
            versioning.from = from
                .value
                .iter()
                .filter_map(|source| self.choose(source, &names))
                .collect();
        }
        if let Some(derive) = &raw.derive {
            versioning.derive = derive.value;
        }
        versioning
    }

    /// One of a few words; a fault if it is none of them.
    pub(super) fn choose<T: Copy>(&mut self, word: &At<String>, known: &[(&str, T)]) -> Option<T> {
        let found = known
            .iter()
            .find(|(name, _)| *name == word.value)
            .map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let help = crate::config::diagnostic::did_you_mean(&word.value, names.iter().copied())
                .map_or_else(
                    || format!("write one of {}", names.join(", ")),
                    |name| format!("did you mean `{name}`?"),
                );
            let message = format!(
                "`{}` is not understood here",
                crate::config::diagnostic::excerpt(&word.value)
            );
            self.fault(word.place, "config.value", message, Some(help));
        }
        found
    }

    /// The addresses of a list of backends; what is wrong with any is told.
    pub(super) fn addresses(&mut self, list: &At<Vec<At<String>>>) -> Arc<[Address]> {
        let mut seen: HashMap<Address, ()> = HashMap::with_capacity(list.value.len());
        let mut addresses = Vec::with_capacity(list.value.len());
        for text in &list.value {
            match Address::parse(&text.value) {
                Ok(address) if seen.insert(address.clone(), ()).is_some() => {
                    let message = format!("the backend {address} stands there twice");
                    self.fault(
                        text.place,
                        "backend.duplicate",
                        message,
                        Some("leave one of them out".into()),
                    );
                }
                Ok(address) => addresses.push(address),
                Err(fault) => self.fault(text.place, "backend.address", fault.to_string(), None),
            }
        }
        addresses.into()
    }

    pub(super) fn fault(
        &mut self,
        place: crate::config::document::Place,
        code: &'static str,
        message: String,
        help: Option<String>,
    ) {
        self.report(Some(place), code, message, help, Severity::Error);
    }

    pub(super) fn report(
        &mut self,
        place: Option<crate::config::document::Place>,
        code: &'static str,
        message: String,
        help: Option<String>,
        severity: Severity,
    ) {
        let place = place.unwrap_or(crate::config::document::Place::ROOT);
        let mut fault = self.doc.fault(place, code, message).with_severity(severity);
        fault.help = help;
        self.faults.push(fault);
    }
}

/// The sentence and the help for a fault of the table.
fn words(
    doc: &Document,
    table: &Table,
    fault: &TableError,
    place_of: &impl Fn(RouteId) -> Option<crate::config::document::Place>,
) -> (String, Option<String>) {
    let named = |id: RouteId| {
        let place = place_of(id).map(|place| match doc.position(place) {
            Some(position) => format!("line {}", position.line),
            None => doc.at(place),
        });
        let route: &Route = table.route_at(id);
        format!("`{}` ({})", route.name(), place.unwrap_or_default())
    };
    match fault {
        TableError::Duplicate { first, second, example } => (
            format!("{} says the same as {}: both match {example}", named(*second), named(*first)),
            Some("leave one of them out, or tell them apart by path, host, method, header, query or version".into()),
        ),
        TableError::Tie { first, second, example } => (
            format!("{} ties with {}: both match {example}, and nothing says which goes first", named(*second), named(*first)),
            Some("make one of them more specific, or let their methods or hosts not overlap".into()),
        ),
        TableError::Unreachable { route, covered_by, example } => {
            let by: Vec<String> = covered_by.iter().take(4).map(|id| named(*id)).collect();
            let more = covered_by.len().saturating_sub(by.len());
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            (
                format!("{} can never win: {example} and all else that it matches goes to {}{more}", named(*route), by.join(", ")),
                Some("leave it out, or make it more specific".into()),
            )
        }
    }
}

fn note_words(table: &Table, note: &TableNote) -> (RouteId, &'static str, String) {
    let name = |id: RouteId| table.route_at(id).name();
    match note {
        TableNote::Overlap { first, second } => (
            *second,
            "route.overlap",
            format!(
                "a request may satisfy both `{}` and `{}`; the first of them wins by its values alone",
                name(*first),
                name(*second)
            ),
        ),
        TableNote::DerivedTakes {
            route,
            pattern,
            wider,
        } => (
            *route,
            "route.derived",
            format!(
                "`{}` is also reached by `{pattern}`, whose paths `{}` would have had",
                name(*route),
                name(*wider)
            ),
        ),
    }
}
