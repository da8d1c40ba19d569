//! What is wrong with a configuration, and how it is told to people and to programs.
//!
//! A [`Diagnostic`] is complete when it is made: its code, its place, its sentence and, where we know it,
//! what would be right. Nothing here reads a file, prints, or decides whether colours are wanted.

use std::error::Error;
use std::fmt;

use serde::Serialize;

use crate::config::document::Place;

/// One thing that is wrong with a configuration, or worth knowing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable dotted code, such as `config.unknown_key`.
    pub code: &'static str,
    /// Whether the configuration can be used all the same.
    pub severity: Severity,
    /// Path of the place in the document, such as `routes[3].path_pattern`; empty for the whole.
    pub at: String,
    /// Where that is in the text, if the document came from a file.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// Where that is in the document, for the order of faults.
    #[serde(skip)]
    pub(crate) place: Place,
    /// One sentence, lower case, without a full stop.
    pub message: String,
    /// What would be right, if we know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// How much a fault matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// The configuration is used, but hardly as it was meant.
    Warning,
    /// Worth knowing; nothing is wrong.
    Note,
}

/// A line and a column, both from 1; the column counts characters, not bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Diagnostic {
    /// An error without a place; see `Document::fault` for one with a place.
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

    /// The same fault with a word on what would be right.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same fault, of another severity.
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

/// Faults as they are found. So many of each severity are kept, the rest are counted: an answer
/// shall not be many times as long as what it answers.
#[derive(Debug, Default)]
pub struct Faults {
    errors: Kept,
    warnings: Kept,
    notes: Kept,
}

#[derive(Debug, Default)]
struct Kept {
    faults: Vec<Diagnostic>,
    others: usize,
}

impl Faults {
    /// How many of each severity are kept.
    pub const MOST: usize = 1_000;

    /// Adds one that was found.
    pub fn push(&mut self, fault: Diagnostic) {
        let kept = match fault.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        };
        if kept.faults.len() < Self::MOST {
            kept.faults.push(fault);
        } else {
            kept.others += 1;
        }
    }

    /// Whether one of them is an error.
    #[must_use]
    pub fn has_error(&self) -> bool {
        !self.errors.faults.is_empty()
    }

    /// Those kept, in the order of the text, and a note of how many there are beside them.
    #[must_use]
    pub fn into_sorted(self) -> Vec<Diagnostic> {
        let kinds = [self.errors, self.warnings, self.notes];
        let others = kinds.iter().map(|kept| kept.others).sum::<usize>();
        let mut all: Vec<Diagnostic> = kinds.into_iter().flat_map(|kept| kept.faults).collect();
        all.sort_by_key(|fault| fault.place);
        if others > 0 {
            let message = format!("{others} more are not told");
            all.push(Diagnostic::error("config.more", message).with_severity(Severity::Note));
        }
        all
    }
}

impl Severity {
    /// The word for it, as it is printed and serialized.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// The known word that `word` was probably meant to be, if one is close enough to be worth naming.
///
/// Close is: equal but for case and `-` for `_`; or at most one edit in three letters (never more
/// than three) away; or the known word begins with `word`.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = folded(word);
    let letters = word.chars().count();
    let reach = if letters < 3 {
        0
    } else {
        (letters / 3).clamp(1, 3)
    };
    known
        .into_iter()
        .filter_map(|candidate| {
            let folded = folded(candidate);
            let distance = strsim::osa_distance(&word, &folded);
            if distance <= reach {
                Some((distance, candidate))
            } else if letters >= 3 && folded.starts_with(&word) {
                Some((reach + 1, candidate))
            } else {
                None
            }
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// `text` as it can stand in one line of a message: clipped, and without control characters.
pub fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(EXCERPT_CHARS).map(printable).collect();
    if text.chars().nth(EXCERPT_CHARS).is_some() {
        short.push('…');
    }
    short
}

/// `c`, or the replacement character if a terminal would act on it instead of showing it.
pub(crate) fn printable(c: char) -> char {
    let reorders = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || reorders {
        char::REPLACEMENT_CHARACTER
    } else {
        c
    }
}

fn folded(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

const EXCERPT_CHARS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        let known = [
            "path_pattern",
            "service",
            "methods",
            "hosts",
            "strip_prefix",
        ];
        let table = [
            ("path_patern", Some("path_pattern")),
            ("Path-Pattern", Some("path_pattern")),
            ("path", Some("path_pattern")),
            ("host", Some("hosts")),
            ("serivce", Some("service")),
            ("strip", Some("strip_prefix")),
            ("upstream", None),
            ("x", None),
            ("", None),
        ];
        for (word, expected) in table {
            assert_eq!(did_you_mean(word, known), expected, "{word}");
        }
    }

    #[test]
    fn only_so_many_faults_are_kept() {
        let mut faults = Faults::default();
        let warning = Diagnostic::error("a.b", "w").with_severity(Severity::Warning);
        for _ in 0..Faults::MOST + 7 {
            faults.push(warning.clone());
        }
        assert!(!faults.has_error());
        faults.push(Diagnostic::error("a.c", "e"));
        assert!(faults.has_error());
        let told = faults.into_sorted();
        assert_eq!(told.len(), Faults::MOST + 2);
        let last = told.last().unwrap();
        assert_eq!(
            (last.code, &*last.message),
            ("config.more", "7 more are not told")
        );
    }

    #[test]
    fn as_json() {
        let mut fault = Diagnostic::error("config.type", "expected text");
        fault.at = "routes[0].name".to_owned();
        assert_eq!(
            serde_json::to_string(&fault).unwrap(),
            r#"{"code":"config.type","severity":"error","at":"routes[0].name","message":"expected text"}"#
        );
        fault.position = Some(Position { line: 3, column: 7 });
        let fault = fault.with_help("x").with_severity(Severity::Warning);
        assert_eq!(
            serde_json::to_string(&fault).unwrap(),
            r#"{"code":"config.type","severity":"warning","at":"routes[0].name","line":3,"column":7,"message":"expected text","help":"x"}"#
        );
        assert_eq!(fault.to_string(), "routes[0].name: expected text");
    }

    #[test]
    fn excerpts() {
        assert_eq!(excerpt("a\u{1b}[31m\nb"), "a\u{fffd}[31m\u{fffd}b");
        assert_eq!(excerpt(&"ä".repeat(61)), format!("{}…", "ä".repeat(60)));
    }
}
