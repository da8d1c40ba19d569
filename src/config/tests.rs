//! Tables of configuration texts with the diagnostics that they give.

use crate::config::compile::{LoadOptions, load_file};
use crate::config::diagnostic::{Diagnostic, Severity, excerpt};
use crate::config::document::{Document, parse_json, parse_yaml};
use crate::config::keys::RawFile;
use crate::config::place::{At, Place, Position};
use crate::config::read::{Kind, Reader, Strictness};
use crate::config::reference::{EXAMPLES, document_value};

mod policies;
mod process;
mod reference;
mod shapes;
mod tables;
mod texts;

/// Reads the keys of a document; checks shapes only.
fn read(document: &Document, strictness: Strictness) -> (RawFile, Vec<Diagnostic>) {
    let mut reader = Reader::new(document, strictness);
    let file = RawFile::read(&mut reader, Place::ROOT, "").unwrap_or_default();
    (file, reader.into_diagnostics().into_sorted())
}

/// One line: `LINE:COLUMN code at: message [help]`.
fn line_of(diagnostic: &Diagnostic) -> String {
    let place = match diagnostic.position {
        Some(Position { line, column }) => format!("{line}:{column} "),
        None => String::new(),
    };
    let warning = if diagnostic.severity == Severity::Warning {
        "warning "
    } else {
        ""
    };
    let code = diagnostic.code.strip_prefix("config.").unwrap();
    let Diagnostic { at, message, .. } = diagnostic;
    format!(
        "{place}{warning}{code} {at}: {message}{}",
        help_of(diagnostic)
    )
}

fn help_of(diagnostic: &Diagnostic) -> String {
    let help = diagnostic.help.as_ref();
    help.map(|help| format!(" [{help}]")).unwrap_or_default()
}

/// The diagnostics of the shapes of a text.
fn shape_diagnostics(text: &str, strictness: Strictness) -> Vec<String> {
    match parse_yaml(text) {
        Ok(document) => read(&document, strictness).1.iter().map(line_of).collect(),
        Err(diagnostic) => vec![line_of(&diagnostic)],
    }
}

/// The diagnostics of a file, one line each: `CODE AT: MESSAGE [HELP]`.
fn file_diagnostics(text: &str) -> Vec<String> {
    let diagnostics = load_file(text, LoadOptions::FILE).err().unwrap_or_default();
    let lines = diagnostics.iter().map(|diagnostic| {
        let Diagnostic {
            code, at, message, ..
        } = diagnostic;
        format!("{code} {at}: {message}{}", help_of(diagnostic))
    });
    lines.collect()
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(
        shape_diagnostics(text, Strictness::File),
        expected,
        "{}",
        excerpt(text)
    );
}

fn read_without_diagnostics(text: &str) -> RawFile {
    let (file, diagnostics) = read(&parse_yaml(text).unwrap(), Strictness::File);
    assert_eq!(diagnostics, [], "{text}");
    file
}

fn value<T: Clone>(at: &Option<At<T>>) -> T {
    at.as_ref().unwrap().value.clone()
}

fn values(at: &Option<At<Vec<At<String>>>>) -> Vec<&str> {
    at.as_ref()
        .unwrap()
        .value
        .iter()
        .map(|at| at.value.as_str())
        .collect()
}

#[test]
fn yaml_and_json_give_the_same_keys() {
    for example in EXAMPLES {
        let example = document_value(example);
        let text = serde_json::to_string_pretty(&example).unwrap();
        let json = read(&parse_json(&text).unwrap(), Strictness::File);
        assert_eq!(json.1, []);
        assert_eq!(json.0, read_without_diagnostics(&text));
        assert!(json.0.routes.is_some());
        for variant in [format!("\u{feff}{text}"), text.replace('\n', "\r\n")] {
            assert_eq!(json.0, read_without_diagnostics(&variant));
        }
    }
    let wrong = r#"{"routes":[{"path_pattern":"/a","servce":1.5,"hosts":"x"}],"routes":[]}"#;
    let (_, of_json) = read(&parse_json(wrong).unwrap(), Strictness::File);
    let (_, mut of_yaml) = read(&parse_yaml(wrong).unwrap(), Strictness::File);
    for diagnostic in &mut of_yaml {
        assert!(diagnostic.position.take().is_some());
        if diagnostic.code == "config.duplicate_key" {
            diagnostic.help = None;
        }
    }
    assert_eq!(of_json, of_yaml);
    assert_eq!(of_json.len(), 4);
}
