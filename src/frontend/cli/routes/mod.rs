//! `tollgate routes`: the compiled routes in order of precedence.

use serde::Serialize;

use crate::config::LoadOptions;
use crate::engine::routing::{Constraint, HostPattern, ListedEntry};
use crate::engine::snapshot::Snapshot;
use crate::frontend::cli::args::{Format, RoutesArgs};
use crate::frontend::cli::output::Output;
use crate::frontend::cli::paint::{Cell, Paint};
use crate::frontend::cli::routes::policy::PolicyView;
use crate::frontend::config_file::{ConfigFile, Unusable};

mod policy;

/// Lists every form of every route: one row for each pattern and host.
pub(super) fn run(args: &RoutesArgs, paint: Paint) -> Result<Output, Unusable> {
    let loaded = ConfigFile::read(&args.file)?.into_loaded(LoadOptions::FILE)?;
    let snapshot = loaded.into_snapshot();
    let listing = snapshot.table().listing();
    let rows: Vec<Row<'_>> = (1..)
        .zip(&listing)
        .map(|(position, form)| Row::of(position, form, &snapshot))
        .collect();
    Ok(match args.format {
        Format::Text => Output::text(text(&rows, paint), true),
        Format::Json => Output::json(&rows, true),
    })
}

/// A row of the listing.
#[derive(Serialize)]
struct Row<'s> {
    position: usize,
    host: Option<String>,
    pattern: String,
    derived: bool,
    /// `None` if the route admits any method.
    methods: Option<&'s [Box<str>]>,
    headers: Vec<String>,
    query: Vec<String>,
    version: Option<String>,
    service: &'s str,
    backends: Vec<String>,
    route: String,
    #[serde(flatten)]
    policy: PolicyView<'s>,
    #[serde(skip)]
    given_name: Option<&'s str>,
}

impl<'s> Row<'s> {
    fn of(position: usize, form: &ListedEntry<'s>, snapshot: &'s Snapshot) -> Self {
        let route = form.route;
        let texts = |constraints: &[Constraint]| -> Vec<String> {
            constraints.iter().map(ToString::to_string).collect()
        };
        let pool = snapshot.cluster(form.route_id);
        Self {
            position,
            host: (*form.host != HostPattern::Any).then(|| form.host.to_string()),
            pattern: form.pattern.to_string(),
            derived: form.is_derived,
            methods: Some(route.methods().as_listed()).filter(|listed| !listed.is_empty()),
            headers: texts(route.headers()),
            query: texts(route.query()),
            version: form.version.map(|version| version.to_string()),
            service: route.service(),
            backends: pool
                .backends()
                .iter()
                .map(|backend| backend.address.to_string())
                .collect(),
            route: route.name(),
            policy: PolicyView::of(form.route_id, snapshot),
            given_name: route.configured_name(),
        }
    }

    /// The constraints on header fields and query parameters: `[header]`, `?query`.
    fn when(&self) -> String {
        let headers = self.headers.iter().map(|header| format!("[{header}]"));
        let query = self.query.iter().map(|query| format!("?{query}"));
        headers.chain(query).collect::<Vec<_>>().join(" ")
    }

    fn backends(&self) -> String {
        let shown: Vec<&str> = self
            .backends
            .iter()
            .take(MAX_SHOWN_BACKENDS)
            .map(|b| &**b)
            .collect();
        match self.backends.len().saturating_sub(MAX_SHOWN_BACKENDS) {
            _ if self.policy.redirect.is_some() => String::new(),
            _ if shown.is_empty() => "none".into(),
            0 => shown.join(" "),
            more => format!("{} and {more} more", shown.join(" ")),
        }
    }
}

/// The listing for people. It omits empty columns, and the widest columns come last, so that most
/// listings fit a narrow terminal.
fn text(rows: &[Row<'_>], paint: Paint) -> String {
    if rows.is_empty() {
        return "no routes: every request is rejected\n".into();
    }
    let columns: Vec<&Column> = COLUMNS
        .iter()
        .filter(|column| rows.iter().any(column.has_value))
        .collect();
    let heading = columns.iter().map(|column| Cell::strong(column.name));
    let lines = rows
        .iter()
        .map(|row| columns.iter().map(|column| (column.cell)(row)).collect());
    let table: Vec<Vec<Cell>> = std::iter::once(heading.collect()).chain(lines).collect();
    let mut out = String::new();
    paint.columns(&mut out, "", &table);
    if rows.iter().any(|row| row.derived) {
        out.push('\n');
        paint.add(&mut out, &Cell::quiet(LEGEND));
        out.push('\n');
    }
    out
}

struct Column {
    name: &'static str,
    /// Whether a row has a value in this column.
    has_value: fn(&Row<'_>) -> bool,
    cell: fn(&Row<'_>) -> Cell,
}

const COLUMNS: [Column; 9] = [
    Column {
        name: "#",
        has_value: |_| true,
        cell: |row| Cell::quiet(row.position.to_string()),
    },
    Column {
        name: "HOST",
        has_value: |row| row.host.is_some(),
        cell: |row| Cell::plain(row.host.as_deref().unwrap_or(ANY)),
    },
    Column {
        name: "PATTERN",
        has_value: |_| true,
        cell: |row| {
            if row.derived {
                Cell::quiet(format!("{} +", row.pattern))
            } else {
                Cell::plain(&row.pattern)
            }
        },
    },
    Column {
        name: "METHODS",
        has_value: |row| row.methods.is_some(),
        cell: |row| Cell::plain(row.methods.map_or_else(|| ANY.into(), |m| m.join(","))),
    },
    Column {
        name: "WHEN",
        has_value: |row| !row.headers.is_empty() || !row.query.is_empty(),
        cell: |row| Cell::plain(row.when()),
    },
    Column {
        name: "VERSION",
        has_value: |row| row.version.is_some(),
        cell: |row| Cell::plain(row.version.as_deref().unwrap_or(ANY)),
    },
    Column {
        name: "SERVICE",
        has_value: |_| true,
        cell: |row| Cell::plain(row.service),
    },
    Column {
        name: "BACKENDS",
        has_value: |_| true,
        cell: |row| Cell::plain(row.backends()),
    },
    Column {
        name: "NAME",
        has_value: |row| row.given_name.is_some(),
        cell: |row| Cell::plain(row.given_name.unwrap_or_default()),
    },
];

const ANY: &str = "any";

/// The number of backends of a route that are listed by address.
const MAX_SHOWN_BACKENDS: usize = 4;

const LEGEND: &str = "+ derived: a version is reached by path and by header; at equal patterns the header comes first";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_backends_are_counted() {
        let row = |count: usize| Row {
            position: 1,
            host: None,
            pattern: "/*".into(),
            derived: false,
            methods: None,
            headers: vec!["x=1".into()],
            query: vec!["page".into()],
            version: None,
            service: "s",
            backends: (0..count).map(|at| format!("b{at}")).collect(),
            route: "r".into(),
            policy: PolicyView::default(),
            given_name: None,
        };
        assert_eq!(row(0).backends(), "none");
        assert_eq!(row(2).backends(), "b0 b1");
        assert_eq!(row(6).backends(), "b0 b1 b2 b3 and 2 more");
        assert_eq!(row(0).when(), "[x=1] ?page");
    }
}

#[cfg(test)]
mod order {
    use crate::config::{LoadOptions, load_file};

    fn check(text: &str, expected: &[&str]) {
        let table = load_file(text, LoadOptions::FILE).unwrap().table;
        let listing = table.listing();
        let lines = listing.iter().map(|form| {
            let derived = if form.is_derived { " derived" } else { "" };
            format!(
                "{} {}{derived} {}",
                form.host,
                form.pattern,
                form.route.service()
            )
        });
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn hosts_then_patterns_then_forms() {
        check(
            "routes:
            - {path_pattern: /*, service: pages, backends: [a]}
            - {path_pattern: '/users/{id}', service: user, backends: [a]}
            - {path_pattern: /users/me, service: me, backends: [a]}
            - {path_pattern: /users/me, methods: [GET], service: get-me, backends: [a]}
            - {path_pattern: /x, hosts: ['*.a.test', b.a.test], service: hosted, backends: [a]}
            ",
            &[
                "b.a.test /x hosted",
                "*.a.test /x hosted",
                "any /users/me get-me",
                "any /users/me me",
                "any /users/{id} user",
                "any /* pages",
            ],
        );
    }

    #[test]
    fn families() {
        check(
            "routes:
            - {path_pattern: /users/*, version: v1, service: users, backends: [a]}
            - {path_pattern: /v2/users/*, service: users, backends: [b]}
            ",
            &[
                "any /v1/users/* derived users",
                "any /v2/users/* users",
                "any /users/* users",
                "any /users/* derived users",
            ],
        );
    }
}
