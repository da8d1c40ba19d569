//! The shapes that a configuration is made of, read off a [`Document`]: text, lists, maps with known
//! keys and maps with names for keys.
//!
//! Every method gives `None` after it has noted a fault, so what calls it only goes on. Which keys
//! there are is not said here, but in `raw`.

use std::collections::HashSet;

use crate::config::diagnostic::{Diagnostic, Faults, Position, Severity, did_you_mean, excerpt};
use crate::config::document::{Document, Place, Value};
use crate::config::raw::{At, MATCH, RawMatch, RawStrip, Strictness};

mod scalars;

/// A map with known keys.
#[derive(Debug)]
pub(super) struct Shape<const N: usize> {
    /// What it is, with its article.
    pub(super) what: &'static str,
    /// Its keys.
    pub(super) keys: [&'static str; N],
    /// Keys of the design whose feature does not exist yet.
    pub(super) not_built: &'static [&'static str],
    /// A small example of the whole.
    pub(super) example: &'static str,
}

/// Reads a document and gathers its faults.
#[derive(Debug)]
pub(super) struct Reader<'d> {
    doc: &'d Document,
    strictness: Strictness,
    /// Keys that their map has already: only the first counts.
    repeated: HashSet<Place>,
    faults: Faults,
}

impl<'d> Reader<'d> {
    pub(super) fn new(doc: &'d Document, strictness: Strictness) -> Self {
        let mut repeated = HashSet::new();
        let mut faults = Faults::default();
        for (first, again) in doc.duplicate_keys() {
            let key = excerpt(doc.text(again).unwrap_or_default());
            let message = format!("`{key}` is here twice");
            let mut fault = doc.fault(again, "config.duplicate_key", message);
            if let Some(Position { line, .. }) = doc.position(first) {
                fault = fault.with_help(format!("line {line} has it already"));
            }
            repeated.insert(again);
            faults.push(fault);
        }
        Self {
            doc,
            strictness,
            repeated,
            faults,
        }
    }

    /// All faults.
    pub(super) fn finish(self) -> Faults {
        self.faults
    }

    /// The values of the keys of `shape`, in its order.
    pub(super) fn fields<const N: usize>(
        &mut self,
        place: Place,
        shape: &Shape<N>,
    ) -> Option<[Option<Place>; N]> {
        let doc = self.doc;
        if doc.value(place) != Value::Map {
            let expected = format!("{} as a map", shape.what);
            self.mismatch(place, &expected, Some(format!("write {}", shape.example)));
            return None;
        }
        let mut values = [None; N];
        for (key, value) in doc.entries(place) {
            let Some(name) = doc.text(key) else {
                self.text(key);
                continue;
            };
            if self.repeated.contains(&key) {
                continue;
            }
            let slot = shape
                .keys
                .iter()
                .zip(&mut values)
                .find(|(known, _)| **known == name);
            match slot {
                None => self.unknown(key, name, shape),
                Some(_) if self.is_left_out(value) => {}
                Some((_, slot)) => *slot = Some(value),
            }
        }
        Some(values)
    }

    /// The values of keys that an `init` may not have: there a warning says so, and they are as
    /// if left out.
    pub(super) fn of_process<const N: usize>(
        &mut self,
        fields: [Option<Place>; N],
        keys: [&str; N],
    ) -> [Option<Place>; N] {
        if self.strictness == Strictness::File {
            return fields;
        }
        for (place, key) in fields.into_iter().zip(keys) {
            if let Some(place) = place {
                let message = format!("`{key}` is of the process: an `init` does not change it");
                let fault = self.doc.fault(place, "config.of_process", message);
                self.faults.push(fault.with_severity(Severity::Warning));
            }
        }
        [None; N]
    }

    /// Notes that the map at `place` lacks `keys`.
    pub(super) fn missing<const N: usize>(&mut self, place: Place, shape: &Shape<N>, keys: &str) {
        let message = format!("{} needs {keys}", shape.what);
        let fault = self.doc.fault(place, "config.missing_key", message);
        self.faults
            .push(fault.with_help(format!("for example {}", shape.example)));
    }

    /// The names and values of a map whose keys are names.
    pub(super) fn entries(
        &mut self,
        place: Place,
        what: &str,
        form: &str,
    ) -> Option<Vec<(At<String>, Place)>> {
        let doc = self.doc;
        if doc.value(place) != Value::Map {
            self.mismatch(place, what, Some(format!("write {form}")));
            return None;
        }
        let mut named = Vec::new();
        for (key, value) in doc.entries(place) {
            if !self.repeated.contains(&key)
                && let Some(name) = self.text(key)
            {
                named.push((name, value));
            }
        }
        Some(named)
    }

    /// The elements of a list.
    pub(super) fn items(&mut self, place: Place, what: &str, form: &str) -> Option<Vec<Place>> {
        if self.doc.value(place) != Value::List {
            self.mismatch(place, what, Some(format!("write {form}")));
            return None;
        }
        Some(self.doc.items(place).collect())
    }

    /// A text that names something: a whole number stands for its digits.
    pub(super) fn text(&mut self, place: Place) -> Option<At<String>> {
        match self.doc.text(place) {
            Some(text) => Some(At {
                value: text.to_owned(),
                place,
            }),
            None => self.no_text(place),
        }
    }

    /// A text that no number can be meant as.
    pub(super) fn plain_text(&mut self, place: Place) -> Option<At<String>> {
        match self.doc.value(place) {
            Value::Text(text) => Some(At {
                value: text.to_owned(),
                place,
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List | Value::Map => {
                self.no_text(place)
            }
        }
    }

    fn no_text<T>(&mut self, place: Place) -> Option<T> {
        let help = match self.doc.value(place) {
            Value::Bool(value) => Some(format!("put it in quotes: \"{value}\"")),
            Value::Number(written) => Some(format!("put it in quotes: \"{}\"", excerpt(written))),
            Value::Null => Some("give it a value, or leave it out".to_owned()),
            Value::Text(_) | Value::List | Value::Map => None,
        };
        self.mismatch(place, "text", help);
        None
    }

    /// A list of texts that no number can be meant as.
    pub(super) fn texts(&mut self, place: Place) -> Option<At<Vec<At<String>>>> {
        let doc = self.doc;
        if doc.value(place) != Value::List {
            let help = match doc.text(place) {
                Some(text) if matches!(doc.value(place), Value::Text(_)) => {
                    format!("write a list: [{}]", in_a_list(text))
                }
                Some(digits) => format!("write a list: [\"{digits}\"]"),
                None => "write a list: [a, b], or [] for none".to_owned(),
            };
            self.mismatch(place, "a list", Some(help));
            return None;
        }
        let value = doc
            .items(place)
            .filter_map(|item| self.plain_text(item))
            .collect();
        Some(At { value, place })
    }

    /// `true` or `false`.
    pub(super) fn bool(&mut self, place: Place) -> Option<At<bool>> {
        if let Value::Bool(value) = self.doc.value(place) {
            return Some(At { value, place });
        }
        self.mismatch(place, "true or false", None);
        None
    }

    /// What `strip_prefix` takes.
    pub(super) fn strip(&mut self, place: Place) -> Option<At<RawStrip>> {
        let value = match self.doc.value(place) {
            Value::Bool(false) => RawStrip::Nothing,
            Value::Bool(true) => RawStrip::Literals,
            Value::Text(text) => RawStrip::Text(text.to_owned()),
            Value::Null | Value::Number(_) | Value::List | Value::Map => {
                self.mismatch(place, "true, false or a prefix", None);
                return None;
            }
        };
        Some(At { value, place })
    }

    /// What a header or a query parameter must be.
    pub(super) fn constraint(&mut self, place: Place) -> Option<At<RawMatch>> {
        let doc = self.doc;
        if let Some(text) = doc.text(place) {
            return Some(At {
                value: RawMatch::Exact(text.to_owned()),
                place,
            });
        }
        if matches!(doc.value(place), Value::Bool(_) | Value::Number(_)) {
            self.text(place);
            return None;
        }
        if doc.value(place) != Value::Map {
            let help = "write \"x\", {present: true} or {prefix: \"x\"}".to_owned();
            self.mismatch(place, "a text or a map", Some(help));
            return None;
        }
        let [present, prefix] = self.fields(place, &MATCH)?;
        let value = match (present, prefix) {
            (Some(present), None) => {
                if !self.bool(present)?.value {
                    let fault = doc
                        .fault(present, "config.type", "only `present: true` has a meaning")
                        .with_help("leave the constraint out, and it does not matter");
                    self.faults.push(fault);
                    return None;
                }
                RawMatch::Present
            }
            (None, Some(prefix)) => RawMatch::Prefix(self.text(prefix)?.value),
            (Some(_), Some(prefix)) => {
                let message = "a constraint is `present` or `prefix`, not both";
                let fault = doc.fault(prefix, "config.type", message);
                self.faults
                    .push(fault.with_help("a `prefix` is present: leave `present` out"));
                return None;
            }
            (None, None) => {
                self.missing(place, &MATCH, "`present` or `prefix`");
                return None;
            }
        };
        Some(At { value, place })
    }

    fn unknown<const N: usize>(&mut self, key: Place, name: &str, shape: &Shape<N>) {
        let shown = excerpt(name);
        let fault = if shape.not_built.contains(&name) {
            let message = format!("`{shown}` is not built yet: leave it out");
            self.doc.fault(key, "config.not_built", message)
        } else {
            let help = if name == "<<" {
                "merge keys are not read: an alias stands for a whole value".to_owned()
            } else if let Some(meant) = did_you_mean(name, shape.keys) {
                format!("did you mean `{meant}`?")
            } else {
                format!("the keys of {} are {}", shape.what, shape.keys.join(", "))
            };
            let message = format!("unknown key `{shown}` in {}", shape.what);
            self.doc
                .fault(key, "config.unknown_key", message)
                .with_help(help)
        };
        let severity = match self.strictness {
            Strictness::File => Severity::Error,
            Strictness::Init => Severity::Warning,
        };
        self.faults.push(fault.with_severity(severity));
    }

    fn is_left_out(&self, value: Place) -> bool {
        self.strictness == Strictness::Init && self.doc.value(value) == Value::Null
    }

    fn mismatch(&mut self, place: Place, expected: &str, help: Option<String>) {
        let found = match self.doc.value(place) {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Number(written) => format!("the number {}", excerpt(written)),
            Value::Text(text) => format!("the text `{}`", excerpt(text)),
            Value::List => "a list".to_owned(),
            Value::Map => "a map".to_owned(),
        };
        let message = format!("expected {expected}, found {found}");
        let fault = Diagnostic {
            help,
            ..self.doc.fault(place, "config.type", message)
        };
        self.faults.push(fault);
    }
}

/// `text` as it can stand in a YAML flow list, with quotes if it needs them.
fn in_a_list(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/') && text.chars().all(plain)
    {
        return excerpt(text);
    }
    format!("\"{}\"", excerpt(text))
}
