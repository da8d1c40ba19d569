//! `tollgate check`: every diagnostic of configuration files.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;

use serde::Serialize;

use crate::config::{Diagnostic, LoadOptions, Loaded, Severity};
use crate::control::source::{ConfigFile, Unusable};
use crate::engine::routing::Route;
use crate::frontend::cli::args::{CheckArgs, Format};
use crate::frontend::cli::output::Output;
use crate::frontend::cli::paint::{Cell, Paint};

/// Checks each file, also after one that cannot be read.
pub(super) fn run(args: &CheckArgs, paint: Paint) -> Output {
    let options = LoadOptions {
        allow_unreachable: args.allow_unreachable,
        notes: MAX_NOTES,
        ..LoadOptions::FILE
    };
    let mut output = Output::default();
    let mut report = Report { files: Vec::new() };
    for path in &args.files {
        let checked = Checked::of(path, options);
        if let Err(unreadable) = &checked.file {
            output.err.push_str(&unreadable.report(false));
        }
        output.code = output.code.max(checked.exit_code());
        if args.format == Format::Text {
            checked.render(&mut output.out, paint);
        }
        report.files.push(checked.into_json());
    }
    match args.format {
        Format::Text => output,
        Format::Json => Output {
            out: Output::json(&report, true).out,
            ..output
        },
    }
}

/// The result for one file.
struct Checked {
    name: String,
    file: Result<ConfigFile, Unusable>,
    diagnostics: Vec<Diagnostic>,
    /// `None` if the file has errors or cannot be read.
    size: Option<Size>,
}

/// The size of a table.
struct Size {
    routes: usize,
    services: usize,
    backends: usize,
}

#[derive(Serialize)]
struct Report {
    files: Vec<FileReport>,
}

#[derive(Serialize)]
struct FileReport {
    file: String,
    ok: bool,
    routes: Option<usize>,
    #[serde(rename = "faults")]
    diagnostics: Vec<Diagnostic>,
}

impl Checked {
    fn of(path: &Path, options: LoadOptions) -> Self {
        let file = match ConfigFile::read(path) {
            Ok(file) => file,
            Err(unreadable) => {
                let error = Diagnostic::error("config.unreadable", unreadable.sentence());
                return Self {
                    name: path.display().to_string(),
                    diagnostics: vec![error],
                    size: None,
                    file: Err(unreadable),
                };
            }
        };
        let (diagnostics, size) = match file.load(options) {
            Ok(loaded) => {
                let size = Size::of(&loaded);
                (loaded.remarks, Some(size))
            }
            Err(diagnostics) => (diagnostics, None),
        };
        Self {
            name: file.name().into(),
            file: Ok(file),
            diagnostics,
            size,
        }
    }

    fn exit_code(&self) -> u8 {
        match (&self.file, &self.size) {
            (Err(unreadable), _) => unreadable.exit_code(),
            (Ok(_), None) => 1,
            (Ok(_), Some(_)) => 0,
        }
    }

    /// Renders the diagnostics and a summary for people.
    fn render(&self, out: &mut String, paint: Paint) {
        let Ok(file) = &self.file else {
            return;
        };
        if !self.diagnostics.is_empty() {
            out.push_str(&file.render(&self.diagnostics, paint.is_coloured()));
            out.push('\n');
        }
        let counts = self.counts();
        match &self.size {
            Some(size) => {
                paint.add(out, &Cell::good("ok"));
                let _ = write!(out, ": {}: {size}", self.name);
                if !counts.is_empty() {
                    let _ = write!(out, "; {counts}");
                }
            }
            None => {
                let _ = write!(out, "{}: ", self.name);
                paint.add(out, &Cell::bad(counts));
            }
        }
        out.push('\n');
    }

    /// `3 errors, 1 warning`.
    fn counts(&self) -> String {
        let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
            let of_severity = self.diagnostics.iter();
            let of_severity = of_severity.filter(|one| one.severity == severity);
            let count = of_severity.count();
            (count > 0).then(|| counted(count, severity.as_str()))
        });
        counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn into_json(self) -> FileReport {
        FileReport {
            file: self.name,
            ok: self.size.is_some(),
            routes: self.size.map(|size| size.routes),
            diagnostics: self.diagnostics,
        }
    }
}

impl Size {
    fn of(loaded: &Loaded) -> Self {
        let routes = loaded.table.routes();
        // Routes of one service and version may share backends; these count once.
        let mut backends = HashSet::new();
        for (route, configured) in routes.iter().zip(&loaded.configured) {
            for address in &*configured.addresses {
                backends.insert((route.service(), route.version(), address));
            }
        }
        let forwarding = routes.iter().filter(|route| !route.is_redirect());
        let services: HashSet<&str> = forwarding.map(Route::service).collect();
        Self {
            routes: routes.len(),
            services: services.len(),
            backends: backends.len(),
        }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = [
            counted(self.routes, "route"),
            counted(self.services, "service"),
            counted(self.backends, "backend"),
        ];
        f.write_str(&counts.join(", "))
    }
}

fn counted(count: usize, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}

/// Maximum number of notes per file.
const MAX_NOTES: usize = 100;
