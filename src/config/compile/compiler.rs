//! What every part of the compiler needs: the document and the diagnostics.

use crate::config::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::config::document::Document;
use crate::config::place::{At, Place};
use crate::config::read::Strictness;

/// Collects the diagnostics of the compiler.
pub(super) struct Compiler<'d> {
    pub(super) doc: &'d Document,
    pub(super) strictness: Strictness,
    pub(super) diagnostics: Diagnostics,
}

impl Compiler<'_> {
    /// Reports an error.
    pub(super) fn error(
        &mut self,
        place: Place,
        code: &'static str,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.report(place, code, message, help, Severity::Error);
    }

    /// Reports a diagnostic.
    pub(super) fn report(
        &mut self,
        place: Place,
        code: &'static str,
        message: impl Into<String>,
        help: Option<String>,
        severity: Severity,
    ) {
        let error = self.doc.error(place, code, message);
        let diagnostic = Diagnostic { help, ..error };
        self.diagnostics.push(diagnostic.with_severity(severity));
    }

    /// The name of a file, as written.
    pub(super) fn file(&mut self, name: &At<String>) -> Option<Box<str>> {
        if is_one_line(&name.value) {
            return Some(name.value.as_str().into());
        }
        let message = "a file name is one line of text and not empty";
        self.error(name.place, "config.value", message, None);
        None
    }

    /// A place in words: `line 3`, or its path in a document without positions.
    pub(super) fn place_in_words(&self, place: Place) -> String {
        let position = self.doc.position(place);
        position.map_or_else(
            || self.doc.at(place),
            |position| format!("line {}", position.line),
        )
    }
}

/// Whether a name is not empty and has no control characters.
pub(super) fn is_one_line(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(char::is_control)
}
