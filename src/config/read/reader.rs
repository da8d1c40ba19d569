//! The reader: a document, and the diagnostics found while reading it.

use std::collections::HashSet;

use crate::config::diagnostic::{Diagnostic, Diagnostics, Severity, did_you_mean, excerpt};
use crate::config::document::{Document, Value};
use crate::config::place::{At, Place, Position};
use crate::config::read::shape::{Key, Object, Presence};

/// How strictly a configuration is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// A file: unknown keys, keys of missing features and nulls are errors.
    File,
    /// An `init` message: such keys are warnings, and a null is an absent key.
    Init,
}

/// Reads a document and collects diagnostics.
#[derive(Debug)]
pub(crate) struct Reader<'d> {
    doc: &'d Document,
    strictness: Strictness,
    /// Keys that occur earlier in their map; they are skipped.
    duplicates: HashSet<Place>,
    diagnostics: Diagnostics,
}

impl<'d> Reader<'d> {
    /// A reader that has reported the duplicate keys of `doc`.
    pub(crate) fn new(doc: &'d Document, strictness: Strictness) -> Self {
        let mut reader = Self {
            doc,
            strictness,
            duplicates: HashSet::new(),
            diagnostics: Diagnostics::default(),
        };
        for (first, duplicate) in doc.duplicate_keys() {
            let key = excerpt(doc.text(duplicate).unwrap_or_default());
            let help = doc
                .position(first)
                .map(|Position { line, .. }| format!("remove it, or the one on line {line}"));
            let message = format!("duplicate key `{key}`");
            reader.error(duplicate, "config.duplicate_key", message, help);
            reader.duplicates.insert(duplicate);
        }
        reader
    }

    /// Everything that was reported.
    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        self.diagnostics
    }

    /// The value at `place`.
    pub(crate) fn value(&self, place: Place) -> Value<'d> {
        self.doc.value(place)
    }

    /// The items of the list at `place`.
    pub(crate) fn items(&self, place: Place) -> Vec<Place> {
        self.doc.items(place).collect()
    }

    /// The text or whole number at `place`.
    pub(crate) fn text(&self, place: Place) -> Option<&'d str> {
        self.doc.text(place)
    }

    /// Finds the keys of `object` in the map at `place` and puts the places of their values into
    /// `slots`, one per key in the order of declaration. `None` if there is no map.
    pub(crate) fn fields(
        &mut self,
        place: Place,
        object: &'static Object,
        slots: &mut [Option<Place>],
    ) -> Option<()> {
        if self.value(place) != Value::Map {
            let expected = format!("{} as a map", object.what);
            self.mismatch(place, &expected, Some(format!("write {}", object.example)));
            return None;
        }
        for (key, value) in self.doc.entries(place) {
            let Some(name) = self.doc.text(key) else {
                self.not_text(key);
                continue;
            };
            if self.duplicates.contains(&key) {
                continue;
            }
            match object.position(name) {
                None => self.unknown_key(key, name, object),
                Some(_) if self.is_absent(value) => {}
                Some((_, owner)) if owner.is_of_process && self.is_init() => {
                    let warning = process_key_warning(name);
                    self.report_at(value, warning);
                }
                Some((index, _)) => {
                    if let Some(slot) = slots.get_mut(index) {
                        *slot = Some(value);
                    }
                }
            }
        }
        self.check_required(place, object, slots);
        Some(())
    }

    /// The names and values of the map at `place`; `None` if there is no map.
    pub(crate) fn entries(
        &mut self,
        place: Place,
        expected: &str,
        example: &'static str,
    ) -> Option<Vec<(At<String>, Place)>> {
        if self.value(place) != Value::Map {
            self.mismatch(place, expected, Some(format!("write {example}")));
            return None;
        }
        let mut entries = Vec::new();
        for (key, value) in self.doc.entries(place) {
            if self.duplicates.contains(&key) {
                continue;
            }
            match self.doc.text(key) {
                Some(name) => entries.push((located(name, key), value)),
                None => self.not_text(key),
            }
        }
        Some(entries)
    }

    /// Reports an error.
    pub(crate) fn error(
        &mut self,
        place: Place,
        code: &'static str,
        message: String,
        help: Option<String>,
    ) {
        let error = Diagnostic::error(code, message);
        self.report_at(place, Diagnostic { help, ..error });
    }

    /// Reports a value of the wrong type.
    pub(crate) fn mismatch(&mut self, place: Place, expected: &str, help: Option<String>) {
        let found = match self.value(place) {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Number(written) => format!("the number {}", excerpt(written)),
            Value::Text(text) => format!("the text `{}`", excerpt(text)),
            Value::List => "a list".to_owned(),
            Value::Map => "a map".to_owned(),
        };
        let message = format!("expected {expected}, found {found}");
        self.error(place, "config.type", message, help);
    }

    /// Reports a value that is not text.
    pub(crate) fn not_text(&mut self, place: Place) {
        let help = match self.value(place) {
            Value::Bool(value) => Some(format!("put it in quotes: \"{value}\"")),
            Value::Number(written) => Some(format!("put it in quotes: \"{}\"", excerpt(written))),
            Value::Null => Some("give it a value, or leave the key out".to_owned()),
            Value::Text(_) | Value::List | Value::Map => None,
        };
        self.mismatch(place, "text", help);
    }

    /// Reports required keys that are absent. Groups have no required keys.
    fn check_required(&mut self, place: Place, object: &Object, slots: &[Option<Place>]) {
        let keys = || object.keys.iter().zip(slots);
        for (key, slot) in keys() {
            if slot.is_none() && matches!(key.presence, Presence::Required) {
                self.missing_key(place, object, &format!("`{}`", key.name));
            }
        }
        let is_one_of_them = |key: &Key| object.any_of.contains(&key.name);
        if !object.any_of.is_empty()
            && !keys().any(|(key, slot)| slot.is_some() && is_one_of_them(key))
        {
            let any_of = object.any_of.iter().map(|key| format!("`{key}`"));
            let any_of: Vec<String> = any_of.collect();
            self.missing_key(place, object, &any_of.join(" or "));
        }
    }

    fn unknown_key(&mut self, key: Place, name: &str, object: &'static Object) {
        let shown = excerpt(name);
        let error = if object.is_not_built(name) {
            let message = format!("`{shown}` is not supported yet");
            Diagnostic::error("config.not_built", message).with_help("remove it")
        } else {
            let known = || object.all_keys().map(|(_, key)| key.name);
            let help = if name == "<<" {
                "merge keys are not supported; an alias stands for a whole value".to_owned()
            } else if let Some(meant) = did_you_mean(name, known()) {
                format!("did you mean `{meant}`?")
            } else {
                let known: Vec<&str> = known().collect();
                format!("the keys of {} are {}", object.what, known.join(", "))
            };
            let message = format!("unknown key `{shown}` in {}", object.what);
            Diagnostic::error("config.unknown_key", message).with_help(help)
        };
        let severity = match self.strictness {
            Strictness::File => Severity::Error,
            Strictness::Init => Severity::Warning,
        };
        self.report_at(key, error.with_severity(severity));
    }

    fn missing_key(&mut self, place: Place, object: &Object, keys: &str) {
        let message = format!("{} needs {keys}", object.what);
        let help = Some(format!("for example {}", object.example));
        self.error(place, "config.missing_key", message, help);
    }

    fn report_at(&mut self, place: Place, diagnostic: Diagnostic) {
        self.diagnostics.push(Diagnostic {
            at: self.doc.at(place),
            position: self.doc.position(place),
            place,
            ..diagnostic
        });
    }

    fn is_absent(&self, value: Place) -> bool {
        self.is_init() && self.value(value) == Value::Null
    }

    fn is_init(&self) -> bool {
        self.strictness == Strictness::Init
    }
}

/// A text with its place.
pub(crate) fn located(text: &str, place: Place) -> At<String> {
    At {
        value: text.to_owned(),
        place,
    }
}

/// The warning for a key of the process in an `init` message.
fn process_key_warning(key: &str) -> Diagnostic {
    let message = format!("`{key}` configures the process; an `init` message cannot change it");
    Diagnostic::error("config.of_process", message).with_severity(Severity::Warning)
}
