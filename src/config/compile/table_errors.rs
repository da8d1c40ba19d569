//! Errors and notes about the table as a whole: routes that duplicate, tie with or hide others.

use crate::config::compile::compiler::Compiler;
use crate::config::diagnostic::Severity;
use crate::config::place::Place;
use crate::engine::routing::{RouteId, Table, TableError, TableNote};

/// Reports the errors of a table and at most `max_notes` notes. `places` has the place of each
/// route.
pub(super) fn report(
    compiler: &mut Compiler<'_>,
    table: &Table,
    places: &[Place],
    allow_unreachable: bool,
    max_notes: usize,
) {
    let place_of = |route: RouteId| {
        let place = places.get(route.position()).copied();
        place.unwrap_or(Place::ROOT)
    };
    for error in table.errors() {
        let severity = match error {
            TableError::Unreachable { .. } if allow_unreachable => Severity::Warning,
            TableError::Unreachable { .. }
            | TableError::Duplicate { .. }
            | TableError::Tie { .. } => Severity::Error,
        };
        // An error about two routes is reported at the second of them.
        let place = error.routes().last().map_or(Place::ROOT, place_of);
        let named = |id: RouteId| {
            let place = compiler.place_in_words(place_of(id));
            format!("`{}` ({place})", table.route_at(id).name())
        };
        let (message, help) = error_in_words(&error, named);
        compiler.report(place, error.code(), message, Some(help.into()), severity);
    }
    for note in table.notes(max_notes) {
        let (route, code, message) = note_in_words(table, &note);
        compiler.report(place_of(route), code, message, None, Severity::Note);
    }
}

/// Message and help.
fn error_in_words(error: &TableError, named: impl Fn(RouteId) -> String) -> (String, &'static str) {
    match error {
        TableError::Duplicate {
            first,
            second,
            example,
        } => (
            format!(
                "{} matches exactly the requests of {}, such as {example}",
                named(*second),
                named(*first)
            ),
            "remove one, or distinguish them by path, host, method, header, query or version",
        ),
        TableError::Tie {
            first,
            second,
            example,
        } => (
            format!(
                "{} ties with {}: both match {example}, and neither takes precedence",
                named(*second),
                named(*first)
            ),
            "make one of them more specific, or make their methods or hosts disjoint",
        ),
        TableError::Unreachable {
            route,
            covered_by,
            example,
        } => {
            let by: Vec<String> = covered_by.iter().take(4).map(|id| named(*id)).collect();
            let more = match covered_by.len().saturating_sub(by.len()) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            (
                format!(
                    "{} is unreachable: {example} and everything else that it matches goes to {}{more}",
                    named(*route),
                    by.join(", ")
                ),
                "remove it, or make it more specific",
            )
        }
    }
}

/// Route, code and message.
fn note_in_words(table: &Table, note: &TableNote) -> (RouteId, &'static str, String) {
    let name = |id: RouteId| table.route_at(id).name();
    match note {
        TableNote::Overlap { first, second } => (
            *second,
            "route.overlap",
            format!(
                "some requests match both `{0}` and `{1}`; `{0}` wins only because its values sort first",
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
                "`{}` is also reachable as `{pattern}`, whose paths otherwise go to `{}`",
                name(*route),
                name(*wider)
            ),
        ),
    }
}
