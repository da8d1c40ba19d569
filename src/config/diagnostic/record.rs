//! A diagnostic and how diagnostics are collected.
//!
//! A [`Diagnostic`] is complete when it is made: code, place, message and, if known, the fix. This
//! module reads no file and prints nothing.

use std::error::Error;
use std::fmt;

use serde::Serialize;

use crate::config::place::{Place, Position};

/// One problem of a configuration, or one remark about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable dotted code, such as `config.unknown_key`.
    pub code: &'static str,
    /// Whether the configuration is rejected.
    pub severity: Severity,
    /// Path in the document, such as `routes[3].path_pattern`; empty for the whole document.
    pub at: String,
    /// Position in the text, if the document came from a file.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// Node in the document; diagnostics are sorted by it.
    #[serde(skip)]
    pub(crate) place: Place,
    /// One sentence, lower case, without a full stop.
    pub message: String,
    /// How to fix it, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration is rejected.
    Error,
    /// The configuration is accepted, but probably does not do what its author wants.
    Warning,
    /// Worth knowing; nothing is wrong.
    Note,
}

impl Diagnostic {
    /// An error without a place. `Document::error` makes one with a place.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            at: String::new(),
            position: None,
            place: Place::ROOT,
            message: message.into(),
            help: None,
        }
    }

    /// Sets the help.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Sets the severity.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(f, "{}: ", self.at)?;
        }
        f.write_str(&self.message)
    }
}

impl Error for Diagnostic {}

/// Collects diagnostics. Keeps at most [`Self::MAX_OF_A_SEVERITY`] of each severity and counts the
/// others, so that the output stays in proportion to the input.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    errors: Bounded,
    warnings: Bounded,
    notes: Bounded,
}

#[derive(Debug, Default)]
struct Bounded {
    shown: Vec<Diagnostic>,
    dropped: usize,
}

impl Diagnostics {
    /// Maximum number of diagnostics of one severity.
    pub(crate) const MAX_OF_A_SEVERITY: usize = 1_000;

    /// Adds a diagnostic.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        let bounded = match diagnostic.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        };
        if bounded.shown.len() < Self::MAX_OF_A_SEVERITY {
            bounded.shown.push(diagnostic);
        } else {
            bounded.dropped += 1;
        }
    }

    /// Whether one of them is an error.
    #[must_use]
    pub(crate) fn has_error(&self) -> bool {
        !self.errors.shown.is_empty()
    }

    /// Returns them in the order of the text, followed by a note with the number of dropped ones.
    #[must_use]
    pub(crate) fn into_sorted(self) -> Vec<Diagnostic> {
        let severities = [self.errors, self.warnings, self.notes];
        let dropped = severities.iter().map(|bounded| bounded.dropped);
        let dropped = dropped.sum::<usize>();
        let shown = severities.into_iter().flat_map(|bounded| bounded.shown);
        let mut all: Vec<Diagnostic> = shown.collect();
        all.sort_by_key(|diagnostic| diagnostic.place);
        if dropped > 0 {
            let message = format!("{dropped} more diagnostics are not shown");
            all.push(Diagnostic::error("config.more", message).with_severity(Severity::Note));
        }
        all
    }
}

impl Severity {
    /// The lower-case word for it, as printed and serialized.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnostics_beyond_the_maximum_are_counted() {
        let mut diagnostics = Diagnostics::default();
        let warning = Diagnostic::error("a.b", "w").with_severity(Severity::Warning);
        for _ in 0..Diagnostics::MAX_OF_A_SEVERITY + 7 {
            diagnostics.push(warning.clone());
        }
        assert!(!diagnostics.has_error());
        diagnostics.push(Diagnostic::error("a.c", "e"));
        assert!(diagnostics.has_error());
        let sorted = diagnostics.into_sorted();
        assert_eq!(sorted.len(), Diagnostics::MAX_OF_A_SEVERITY + 2);
        let last = sorted.last().unwrap();
        assert_eq!(
            (last.code, &*last.message),
            ("config.more", "7 more diagnostics are not shown")
        );
    }

    #[test]
    fn as_json() {
        let mut diagnostic = Diagnostic::error("config.type", "expected text");
        diagnostic.at = "routes[0].name".to_owned();
        assert_eq!(
            serde_json::to_string(&diagnostic).unwrap(),
            r#"{"code":"config.type","severity":"error","at":"routes[0].name","message":"expected text"}"#
        );
        diagnostic.position = Some(Position { line: 3, column: 7 });
        let diagnostic = diagnostic.with_help("x").with_severity(Severity::Warning);
        assert_eq!(
            serde_json::to_string(&diagnostic).unwrap(),
            r#"{"code":"config.type","severity":"warning","at":"routes[0].name","line":3,"column":7,"message":"expected text","help":"x"}"#
        );
        assert_eq!(diagnostic.to_string(), "routes[0].name: expected text");
    }
}
